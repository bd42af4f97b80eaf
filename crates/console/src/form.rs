//! Text that somebody sent, made fit to be noted.
//!
//! Owns: the bound of what enters the audit log, and where a browser may be led. Never: escapes for a page; templates
//! do.

/// At most so many characters of what somebody typed enter a note.
const NOTED: usize = 100;

/// What somebody typed, bounded and in one line.
pub(crate) fn noted(text: &str) -> String {
    text.chars()
        .take(NOTED)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Where a browser goes on: a path of this console, whatever was asked for.
pub(crate) fn onward(next: &str) -> &str {
    let bytes = next.as_bytes();
    let ours = bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && bytes.iter().all(|byte| (0x21..0x7f).contains(byte));
    if ours { next } else { "/" }
}
