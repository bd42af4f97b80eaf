//! A recipient on its way to `user@domain`.
//!
//! Owns: taking local domains and routing operators off an address (`resolve.c`,
//! `rewrite_tree()`): `user%remote@local`, `remote!user@local`, `user@remote@local`. Never: knows
//! which domains are local; that is asked.

use super::tables::Stop;

/// An address that is taken apart more often than this was made to be.
const MOST_ROUNDS: usize = 100;

/// How the instance rewrites.
pub(super) struct Rewriting {
    pub(super) myhostname: String,
    pub(super) mydomain: String,
    /// `allow_percent_hack`.
    pub(super) percent_hack: bool,
    /// `swap_bangpath`.
    pub(super) swap_bangpath: bool,
    /// `append_dot_mydomain`.
    pub(super) dot_mydomain: bool,
    /// `resolve_dequoted_address`.
    pub(super) dequoted: bool,
    /// `resolve_null_domain`.
    pub(super) null_domain: bool,
}

/// A recipient taken apart.
pub(super) struct Parts {
    pub(super) local: String,
    pub(super) domain: String,
    pub(super) is_local: bool,
}

/// Takes a recipient apart, given as Postfix holds it: without the quotes of its local part.
pub(super) fn recipient(
    text: &str,
    rewriting: &Rewriting,
    mut is_local: impl FnMut(&str) -> Result<bool, Stop>,
) -> Result<Parts, Stop> {
    let mut rest = text.to_owned();
    let mut own: Option<String> = None;
    for _ in 0..MOST_ROUNDS {
        rest = without_last_dot(rest);
        let split = last_at(&rest).map(|at| (rest[..at].to_owned(), rest[at + 1..].to_owned()));
        let mut whole = false;
        if let Some((local, domain)) = split {
            let nobody = domain.is_empty() && rewriting.null_domain;
            if !nobody && !is_local(&domain)? {
                return Ok(Parts {
                    local,
                    domain,
                    is_local: false,
                });
            }
            whole = is_opaque(&local, rewriting);
            rest = local;
            if !nobody {
                own = Some(domain);
            }
        }
        match routed(&rest, rewriting) {
            Some(next) if !whole => rest = next,
            _ => break,
        }
    }
    Ok(Parts {
        local: rest,
        domain: own.unwrap_or_else(|| rewriting.myhostname.clone()),
        is_local: true,
    })
}

/// What a local part with routing operators is an address of.
fn routed(local: &str, rewriting: &Rewriting) -> Option<String> {
    let bang = rewriting.swap_bangpath.then(|| find(local, '!')).flatten();
    let percent = rewriting.percent_hack.then(|| rfind(local, '%')).flatten();
    let next = match (last_at(local), bang, percent) {
        (Some(_), ..) => local.to_owned(),
        (None, Some(at), _) => format!("{}@{}", &local[at + 1..], &local[..at]),
        (None, None, Some(at)) => format!("{}@{}", &local[..at], &local[at + 1..]),
        (None, None, None) => return None,
    };
    let (user, domain) = next.split_at(last_at(&next)?);
    let domain = &domain[1..];
    let is_plain = !domain.is_empty() && !domain.contains('.') && !domain.starts_with('[');
    if rewriting.dot_mydomain && is_plain {
        return Some(format!("{user}@{domain}.{}", rewriting.mydomain));
    }
    Some(next)
}

/// Whether a local part is taken as a whole: with `resolve_dequoted_address = no` one that has to
/// be quoted is (`quote_822_local.c`).
fn is_opaque(local: &str, rewriting: &Rewriting) -> bool {
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    let special = |letter: char| {
        matches!(
            letter,
            '(' | ')' | '<' | '>' | '@' | ',' | ';' | ':' | '\\' | '"' | '[' | ']' | ' '
        ) || letter.is_control()
    };
    !rewriting.dequoted && (dots || local.chars().any(special))
}

/// One dot at the end of the domain is no part of it.
fn without_last_dot(mut text: String) -> String {
    let dot = text.ends_with('.') && !text.ends_with("..") && !text.ends_with("@.");
    if dot && last_at(&text).is_some() {
        text.pop();
    }
    text
}

fn last_at(text: &str) -> Option<usize> {
    rfind(text, '@')
}

fn rfind(text: &str, wanted: char) -> Option<usize> {
    unquoted(text)
        .filter(|(_, letter)| *letter == wanted)
        .last()
        .map(|(at, _)| at)
}

fn find(text: &str, wanted: char) -> Option<usize> {
    unquoted(text)
        .find(|(_, letter)| *letter == wanted)
        .map(|(at, _)| at)
}

/// The letters outside of quotes.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, letter)| {
        let plain = !quoted && !escaped && *letter != '"';
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        plain
    })
}
