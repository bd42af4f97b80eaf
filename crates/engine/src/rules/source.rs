//! The source of a table, read as a stream.
//!
//! Owns: handing its rows on, one after the other, with their line numbers, and its digest. Never:
//! keeps more of it than a few rows, or knows what one means.

use postfix_cf::table::{self, Row};
use postseal_planner::{Digest, Digesting};
use std::io::{self, Read};

/// So much is read at once.
const PIECE: usize = 1 << 20;
/// A row with the comments after it is no longer.
const LONGEST: usize = 4 << 20;
/// A source is no longer: some millions of rows.
const MOST: u64 = 512 << 20;

/// Whether more rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// They are.
    Wanted,
    /// What was seen is enough.
    Enough,
}

/// Hands each row to `work`; the digest of all bytes, or nothing where it did not want them all.
pub(super) fn each_row(
    source: impl Read,
    work: &mut dyn FnMut(&Row<'_>) -> More,
) -> io::Result<Option<Digest>> {
    let mut source = source.take(MOST + 1);
    let mut digest = Digesting::default();
    let mut piece = vec![0; PIECE];
    let mut waiting: Vec<u8> = Vec::new();
    let mut lines = 0;
    loop {
        let read = match source.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        digest.update(&piece[..read]);
        waiting.extend_from_slice(&piece[..read]);
        let whole = match read {
            0 if source.limit() == 0 => return Err(too_long("the file", MOST >> 20)),
            0 => waiting.len(),
            _ => table::whole(&waiting),
        };
        for row in table::rows(&waiting[..whole]) {
            let row = Row {
                line: row.line + lines,
                joined: row.joined.iter().map(|line| line + lines).collect(),
                ..row
            };
            if work(&row) == More::Enough {
                return Ok(None);
            }
        }
        lines += waiting[..whole]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        waiting.drain(..whole);
        if read == 0 {
            return Ok(Some(digest.finish()));
        }
        if waiting.len() > LONGEST {
            let from = format!("the row at line {}", lines + 1);
            return Err(too_long(&from, 4));
        }
    }
}

/// The digest of a source.
pub(super) fn digest(source: impl Read) -> io::Result<Digest> {
    let mut source = source.take(MOST + 1);
    let mut digest = Digesting::default();
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(digest.finish()),
            Ok(read) => digest.update(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn too_long(what: &str, mebibytes: u64) -> io::Error {
    io::Error::other(format!("{what} has more than {mebibytes} MiB"))
}

#[cfg(test)]
mod tests;
