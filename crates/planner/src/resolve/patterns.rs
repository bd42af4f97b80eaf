//! Tables of patterns as trivial-rewrite(8) reads them: rows that substitute (`$1`) are left out.
//!
//! Owns: which rows of a source these are, and what an answer of `postmap -q`, which takes them, is
//! worth there (`DICT_FLAG_NO_REGSUB`; `dict_regexp.c`, `dict_pcre.c`). Never: matches a pattern.

/// Parameters whose tables trivial-rewrite(8) opens so (`transport.c`, `resolve.c`).
const STRICT: [&str; 3] = [
    "transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
];

/// What an answer is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It is Postfix's, too.
    Same,
    /// Postfix finds nothing: every row substitutes.
    Nothing,
    /// The row is left out, and another one may match.
    Unknown,
}

/// The source of a table of patterns of this parameter.
pub(super) fn source<'t>(parameter: &str, table: &'t str) -> Option<&'t str> {
    let bare = table.strip_prefix("proxy:").unwrap_or(table);
    let (kind, path) = bare.split_once(':')?;
    let patterns = matches!(kind, "regexp" | "pcre") && path.starts_with('/');
    (patterns && STRICT.contains(&parameter)).then_some(path)
}

/// Holds what was found against the source. A text that a row says as it stands is taken for that row's.
pub(super) fn worth(source: &str, found: &str) -> Worth {
    let (mut substitutes, mut others) = (false, false);
    for row in postfix_cf::table::rows(source.as_bytes()) {
        let text = String::from_utf8_lossy(row.text);
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let line: String = lines.collect();
        let Some(result) = result(line.trim()) else {
            continue;
        };
        let plain = result.replace("$$", "");
        match plain.contains('$') {
            true => substitutes = true,
            false if result.replace("$$", "$") == found => return Worth::Same,
            false => others = true,
        }
    }
    match (substitutes, others) {
        (false, _) => Worth::Same,
        (true, false) => Worth::Nothing,
        (true, true) => Worth::Unknown,
    }
}

/// What stands after the pattern, or after both (`/one/!/two/ result`); `if` and `endif` have none.
fn result(line: &str) -> Option<&str> {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(['!', ' ', '\t']);
        let delimiter = rest.chars().next().filter(|one| !one.is_alphanumeric())?;
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, letter)| {
            let is_end = *letter == delimiter && !escaped;
            escaped = *letter == '\\' && !escaped;
            is_end
        })?;
        let after = rest.get(end.0 + delimiter.len_utf8()..)?;
        let after = after.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        match after.starts_with('!') {
            true => rest = after,
            false => return Some(after.trim()),
        }
    }
}

#[cfg(test)]
mod tests;
