//! Compatibility levels, which are compared number by number: 3.10 is above 3.9.

use super::syntax::shown;
use crate::ExpandError;

/// Reads `major[.minor[.patch]]`. As in Postfix, each number may have blanks and a sign before it,
/// and minor and patch end at 1023.
pub(super) fn parse(text: &[u8]) -> Result<[u64; 3], ExpandError> {
    numbers(text).ok_or_else(|| ExpandError::BadLevel(shown(text)))
}

fn numbers(text: &[u8]) -> Option<[u64; 3]> {
    let mut level = [0; 3];
    let mut parts = text.split(|&b| b == b'.');
    for (i, slot) in level.iter_mut().enumerate() {
        let Some(part) = parts.next() else { break };
        let limit = if i == 0 { i64::MAX >> 20 } else { 1023 };
        let part = std::str::from_utf8(crate::line::trim_start(part)).ok()?;
        let number: i64 = part.parse().ok()?;
        if !(0..=limit).contains(&number) {
            return None;
        }
        *slot = number.unsigned_abs();
    }
    parts.next().is_none().then_some(level)
}
