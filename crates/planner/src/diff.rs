//! Unified diffs of the two files, credentials masked.
//!
//! Owns: what a reader of a plan sees of the files. Never: decides what changes.
//!
//! Lookup tables may hold their content in the file itself (`static:user:secret`,
//! `inline:{{[relay]=user:secret}}`); what follows such a marker is masked when it may be a
//! credential, to the end of the logical line. Masking too much costs a line of context;
//! masking too little, a password. Tables of routes and of TLS policies hold none.

#[cfg(test)]
mod tests;

use similar::TextDiff;

const MARKERS: [&str; 2] = ["static:", "inline:"];
const MASK: &str = "***";
/// What the names of parameters end with whose tables hold no credentials.
const OPEN: [&str; 3] = ["tls_policy_maps", "transport_maps", "relayhost_maps"];

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

/// The value of a parameter as it may be shown.
pub(crate) fn shown(parameter: &str, value: &str) -> String {
    if is_open(parameter) {
        return value.to_owned();
    }
    match secret_from(value) {
        Some(at) => format!("{}{MASK}", &value[..at]),
        None => value.to_owned(),
    }
}

fn masked(text: &str) -> String {
    let mut inside = false;
    let mut open = false;
    text.split_inclusive('\n')
        .map(|line| {
            let continues = line.starts_with([' ', '\t']) && !line.trim().is_empty();
            if !continues || line.trim_start().starts_with("-o") {
                open = is_open_line(line);
            }
            inside &= continues || line.trim_start().starts_with('#') || line.trim().is_empty();
            if inside && continues {
                return hide(line, line.len() - line.trim_start().len());
            }
            match secret_from(line).filter(|_| !open) {
                Some(at) => {
                    inside = true;
                    hide(line, at)
                }
                None => line.to_owned(),
            }
        })
        .collect()
}

fn is_open(parameter: &str) -> bool {
    OPEN.iter().any(|end| parameter.ends_with(end))
}

/// Whether a line sets one parameter, and that one holds no credentials.
fn is_open_line(line: &str) -> bool {
    let name = line.split('=').next().unwrap_or_default();
    let name = name.split_whitespace().next_back().unwrap_or_default();
    is_open(name) && line.matches("-o").count() <= 1 && !line.contains("password")
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
