//! Lists: of tables, of restrictions, of patterns for domains.
//!
//! Owns: where one element ends and the next begins. Never: expands `$name`, knows what an element
//! means. Lists of tables are read here and nowhere else: who splits `inline:{ a = b }` at its blanks
//! takes it for several tables.

/// The elements of a list, in their order: parted by commas and blanks, but not within braces, which
/// hold together what they hold (Postfix's `mystrtokq()` with `CHARS_COMMA_SP` and `CHARS_BRACE`). A
/// brace that nothing closes holds all that follows.
pub fn elements(list: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (start, end) = next(list.as_bytes(), from)?;
        from = end;
        list.get(start..end)
    })
}

/// The same of a value that need not be UTF-8.
pub fn elements_of_bytes(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (start, end) = next(list, from)?;
        from = end;
        list.get(start..end)
    })
}

const fn parts(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n')
}

/// Where the first element from `from` on begins and ends.
fn next(list: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = list.get(from..)?;
    let start = from + rest.iter().position(|byte| !parts(*byte))?;
    let mut depth = 0_usize;
    for (at, byte) in list.iter().enumerate().skip(start) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && parts(*byte) => return Some((start, at)),
            _ => {}
        }
    }
    Some((start, list.len()))
}

#[cfg(test)]
mod tests;
