//! The catalogue's name nearest to a misspelt one.
//!
//! Owns: the distance. Never: decides that a name is misspelt.

use super::Parameter;

/// Edits that still count as a slip.
const SLIPS: usize = 3;

/// The parameter whose name is fewest edits away from `name`, at most [`SLIPS`].
pub(super) fn nearest(name: &str) -> Option<&'static Parameter> {
    // Longer than any parameter by more than the slips: not worth a table.
    if name.len() > 64 {
        return None;
    }
    super::all()
        .iter()
        .filter(|p| p.name.len().abs_diff(name.len()) <= SLIPS)
        .map(|p| (distance(p.name.as_bytes(), name.as_bytes()), p))
        .filter(|(edits, _)| *edits <= SLIPS)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, p)| p)
}

/// Levenshtein's distance; letters that differ in case only count as equal after one edit.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let up = *cell;
            let change = diagonal + usize::from(x != y);
            left = change.min(up + 1).min(left + 1);
            diagonal = up;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}
