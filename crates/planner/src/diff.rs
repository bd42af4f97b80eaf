//! Unified diffs of the two files, credentials masked.
//!
//! Owns: what a reader of a plan sees of the files. Never: decides what changes.
//!
//! Lookup tables may hold their content in the file itself (`static:user:secret`,
//! `inline:{{[relay]=user:secret}}`); what follows such a marker is masked when it may be a
//! credential, to the end of the logical line. Masking too much costs a line of context;
//! masking too little, a password.

#[cfg(test)]
mod tests;

use similar::TextDiff;

const MARKERS: [&str; 2] = ["static:", "inline:"];
const MASK: &str = "***";

/// The unified diff from `before` to `after`; `name` heads it.
pub(crate) fn unified(name: &str, before: &[u8], after: &[u8]) -> String {
    let before = masked(&String::from_utf8_lossy(before));
    let after = masked(&String::from_utf8_lossy(after));
    TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// One value as it may be shown.
pub(crate) fn shown(value: &str) -> String {
    match secret_from(value) {
        Some(at) => format!("{}{MASK}", &value[..at]),
        None => value.to_owned(),
    }
}

fn masked(text: &str) -> String {
    let mut inside = false;
    text.split_inclusive('\n')
        .map(|line| {
            let continues = line.starts_with([' ', '\t']) && !line.trim().is_empty();
            inside &= continues || line.trim_start().starts_with('#') || line.trim().is_empty();
            if inside && continues {
                return hide(line, line.len() - line.trim_start().len());
            }
            match secret_from(line) {
                Some(at) => {
                    inside = true;
                    hide(line, at)
                }
                None => line.to_owned(),
            }
        })
        .collect()
}

/// Where in a line a value starts that may be a credential.
fn secret_from(line: &str) -> Option<usize> {
    let at = MARKERS
        .iter()
        .filter_map(|marker| Some(line.find(marker)? + marker.len()))
        .min()?;
    let rest = line[at..].trim();
    let open = rest.matches('{').count() > rest.matches('}').count();
    (rest.is_empty() || open || rest.contains([':', '='])).then_some(at)
}

fn hide(line: &str, from: usize) -> String {
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{}{MASK}{end}", &line[..from])
}
