//! Sources in pieces.

use super::{More, digest, each_row};
use postfix_cf::table;
use postseal_planner::Digest;
use std::io::{self, Cursor, Read};

/// Gives a few bytes at a time.
struct Drops<R>(R, usize);

impl<R: Read> Read for Drops<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.1);
        self.0.read(&mut into[..most])
    }
}

#[test]
fn rows_do_not_depend_on_how_the_bytes_come() {
    let source = b"# a\n\n# b\nx may\n y\n# c\nz none\n  # d\n\n   \n w\nlast dane";
    let whole: Vec<String> = table::rows(source).map(|row| format!("{row:?}")).collect();
    for piece in 1..source.len() + 1 {
        let mut rows = Vec::new();
        let read = each_row(Drops(Cursor::new(source), piece), &mut |row| {
            rows.push(format!("{row:?}"));
            More::Wanted
        });
        assert_eq!(read.unwrap(), Some(Digest::of(source)));
        // Comments before the first row may come apart; they are no rows.
        let rows: Vec<&String> = rows.iter().filter(|row| !row.contains("Nothing")).collect();
        let wanted: Vec<&String> = whole
            .iter()
            .filter(|row| !row.contains("Nothing"))
            .collect();
        assert_eq!(rows, wanted, "{piece}");
    }
    assert_eq!(
        digest(Drops(Cursor::new(source), 3)).unwrap(),
        Digest::of(source)
    );
}

#[test]
fn what_would_fill_the_memory_is_an_error() {
    for byte in [b"#", b"\n", b"a", b" "] {
        let endless = io::repeat(byte[0]);
        let mut rows = 0;
        let error = each_row(endless, &mut |_| {
            rows += 1;
            More::Wanted
        });
        assert!(error.unwrap_err().to_string().contains("4 MiB"));
        assert_eq!(rows, 0);
    }
}

#[test]
fn reading_ends_when_enough_was_seen() {
    let mut rows = 0;
    let endless = io::Cursor::new(b"a may\nb\n".repeat(1 << 20)).chain(io::repeat(b'x'));
    let read = each_row(endless, &mut |_| {
        rows += 1;
        match rows {
            10 => More::Enough,
            _ => More::Wanted,
        }
    });
    assert_eq!(read.unwrap(), None);
    assert_eq!(rows, 10);
}
