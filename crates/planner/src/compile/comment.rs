//! Entries and services that are commented out and brought back, byte for byte.
//!
//! Owns: `#` before the lines that Postfix reads, and its inverse. Never: removes a line. An
//! adopted entry that has to go is commented out, not deleted, so that it comes back to the place
//! where it stood, and so that a reader of the file sees what it was.

use postfix_cf::{Entry, MainCf};
use std::ops::RangeInclusive;

/// `text` with `#` before each line that Postfix reads.
pub(super) fn commented(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let silent = line.trim().is_empty() || line.trim_start().starts_with('#');
            if silent {
                line.to_owned()
            } else {
                format!("#{line}")
            }
        })
        .collect()
}

/// main.cf with all entries of `name` commented out.
pub(super) fn comment_out(main: &MainCf, name: &str) -> MainCf {
    let named = main
        .entries()
        .filter(|entry| entry.name_bytes() == name.as_bytes());
    comment_lines(main, named.map(lines_of).collect())
}

/// main.cf with the earlier entries of `name` commented out, as far as they are `texts`: the last one
/// overrides them, and Postfix warns of each.
pub(super) fn comment_out_overridden(main: &MainCf, name: &str, texts: &[String]) -> MainCf {
    let mut named: Vec<_> = main
        .entries()
        .filter(|entry| entry.name_bytes() == name.as_bytes())
        .collect();
    named.pop();
    named.retain(|entry| texts.iter().any(|text| text.as_bytes() == entry.raw()));
    match named.is_empty() {
        true => main.clone(),
        false => comment_lines(main, named.into_iter().map(lines_of).collect()),
    }
}

/// The inverse.
pub(super) fn uncomment_overridden(main: &MainCf, name: &str, texts: &[String]) -> MainCf {
    let named = main
        .entries()
        .filter(|entry| entry.name_bytes() == name.as_bytes());
    let there = named.count().saturating_sub(1);
    let mut bytes = main.to_bytes();
    for text in texts.iter().skip(there) {
        if let Some(restored) = replace_lines(&bytes, &commented(text), text) {
            bytes = restored;
        }
    }
    MainCf::parse(&bytes)
}

fn lines_of(entry: Entry<'_>) -> RangeInclusive<usize> {
    entry.first_line()..=entry.last_line()
}

fn comment_lines(main: &MainCf, hidden: Vec<RangeInclusive<usize>>) -> MainCf {
    let mut bytes = Vec::new();
    for (i, line) in main.to_bytes().split_inclusive(|b| *b == b'\n').enumerate() {
        let text = line.trim_ascii();
        let silent = text.is_empty() || text.starts_with(b"#");
        if !silent && hidden.iter().any(|lines| lines.contains(&(i + 1))) {
            bytes.push(b'#');
        }
        bytes.extend_from_slice(line);
    }
    MainCf::parse(&bytes)
}

/// The bytes with `old`, which must start and end at line boundaries, replaced by `new`; `None`
/// where it does not stand there. Of several, the last: that is the one that counted.
pub(super) fn replace_lines(bytes: &[u8], old: &str, new: &str) -> Option<Vec<u8>> {
    let old = old.as_bytes();
    if old.is_empty() {
        return None;
    }
    let starts = |at: usize| at == 0 || bytes[at - 1] == b'\n';
    let ends = |at: usize| old.ends_with(b"\n") || at == bytes.len() || bytes[at] == b'\n';
    let last = bytes.len().checked_sub(old.len())?;
    let at = (0..=last)
        .rev()
        .find(|at| bytes[*at..].starts_with(old) && starts(*at) && ends(*at + old.len()))?;
    let mut result = bytes[..at].to_vec();
    result.extend_from_slice(new.as_bytes());
    result.extend_from_slice(&bytes[at + old.len()..]);
    Some(result)
}
