//! Postfix's lists of domains: `mydestination`, `relay_domains` and their kin.
//!
//! Owns: their patterns (`match_list.c`, `match_ops.c`): names, `!` for not, files, tables. Never:
//! opens one.

use super::Resolver;
use super::tables::{Stop, is_fixed};
use mailtls::destination::literal_address;
use std::net::IpAddr;

/// Files that name files are followed this deep; Postfix has no limit, and its memory ends.
const DEEPEST: usize = 10;

/// How a pattern is held against a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// As a whole (`string_list_match`).
    Whole,
    /// With the domains above it (`domain_list_match`): `.example.com` for subdomains.
    Dotted,
    /// The same where a domain stands for its subdomains
    /// (`parent_domain_matches_subdomains`).
    Parents,
}

impl Resolver<'_> {
    /// Whether a domain is this machine's own: `mydestination`, or a literal of its addresses.
    pub(super) fn is_local(&mut self, domain: &str) -> Result<bool, Stop> {
        if self.in_list("mydestination", domain)? {
            return Ok(true);
        }
        let inner = domain
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let Some(inner) = inner else {
            return Ok(false);
        };
        let address = literal_address(inner);
        Ok(address.is_some_and(|address| self.own_addresses().contains(&address)))
    }

    fn own_addresses(&self) -> Vec<IpAddr> {
        let mut all = Vec::new();
        for word in self
            .list("inet_interfaces")
            .iter()
            .chain(self.list("proxy_interfaces").iter())
        {
            match word.to_ascii_lowercase().as_str() {
                "all" => all.extend(&self.ways.facts().addresses),
                "loopback-only" => {
                    all.extend(
                        self.ways
                            .facts()
                            .addresses
                            .iter()
                            .filter(|one| one.is_loopback()),
                    );
                }
                word => {
                    let bare = word.trim_start_matches('[').trim_end_matches(']');
                    all.extend(bare.parse::<IpAddr>());
                }
            }
        }
        all
    }

    pub(super) fn in_list(&mut self, parameter: &str, name: &str) -> Result<bool, Stop> {
        let patterns = self.list(parameter);
        let found = self.first(parameter, &patterns, name, Match::Whole, 0)?;
        Ok(found.unwrap_or(false))
    }

    pub(super) fn in_domain_list(&mut self, parameter: &str, name: &str) -> Result<bool, Stop> {
        let how = match self.parents_match(parameter) {
            true => Match::Parents,
            false => Match::Dotted,
        };
        let patterns = self.list(parameter);
        let found = self.first(parameter, &patterns, name, how, 0)?;
        Ok(found.unwrap_or(false))
    }

    /// Whether a domain in the tables of this parameter stands for its subdomains too.
    pub(super) fn parents_match(&self, parameter: &str) -> bool {
        let style = self.list("parent_domain_matches_subdomains");
        style.iter().any(|name| name == parameter)
    }

    /// What the first pattern that matches says: in it, or (`!`) not.
    fn first(
        &mut self,
        parameter: &str,
        patterns: &[String],
        name: &str,
        how: Match,
        depth: usize,
    ) -> Result<Option<bool>, Stop> {
        for pattern in patterns.iter().take_while(|pattern| !is_comment(pattern)) {
            let bare = pattern.trim_start_matches('!');
            let yes = (pattern.len() - bare.len()) % 2 == 0;
            if bare.starts_with('/') {
                let inner = self.patterns_of(parameter, bare, depth)?;
                if let Some(found) = self.first(parameter, &inner, name, how, depth + 1)? {
                    return Ok(Some(found == yes));
                }
            } else if self.matches(parameter, bare, name, how)? {
                return Ok(Some(yes));
            }
        }
        Ok(None)
    }

    fn patterns_of(
        &mut self,
        parameter: &str,
        path: &str,
        depth: usize,
    ) -> Result<Vec<String>, Stop> {
        if depth >= DEEPEST {
            return Err(Stop::Failed(format!("{parameter}: {path}: too deep")));
        }
        let content = self.tables.file(parameter, path)?;
        let words = content
            .lines()
            .flat_map(|line| postfix_cf::elements(line).take_while(|word| !is_comment(word)));
        Ok(words.map(str::to_owned).collect())
    }

    fn matches(
        &mut self,
        parameter: &str,
        pattern: &str,
        name: &str,
        how: Match,
    ) -> Result<bool, Stop> {
        if is_table(pattern) {
            return self.in_table(parameter, pattern, name, how);
        }
        if name.eq_ignore_ascii_case(pattern) {
            return Ok(true);
        }
        let suffix = match how {
            Match::Whole => return Ok(false),
            Match::Dotted if pattern.starts_with('.') => pattern.to_owned(),
            Match::Dotted => return Ok(false),
            Match::Parents => format!(".{pattern}"),
        };
        let (name, suffix) = (name.to_ascii_lowercase(), suffix.to_ascii_lowercase());
        Ok(name.len() > suffix.len() && name.ends_with(&suffix))
    }

    fn in_table(
        &mut self,
        parameter: &str,
        table: &str,
        name: &str,
        how: Match,
    ) -> Result<bool, Stop> {
        let mut keys = vec![name.to_owned()];
        if how != Match::Whole && is_fixed(table) {
            keys.extend(parents(name).map(|parent| match how {
                Match::Parents => parent[1..].to_owned(),
                _ => parent.to_owned(),
            }));
        }
        for key in keys {
            if self.tables.has(parameter, table, &key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// `.b.c` and `.c` of `a.b.c`.
pub(crate) fn parents(name: &str) -> impl Iterator<Item = &str> {
    let dots = name
        .char_indices()
        .skip(1)
        .filter(|(_, letter)| *letter == '.');
    dots.filter_map(|(at, _)| name.get(at..))
}

/// The rest of the line is one: Postfix warns of it, and goes on with the next line.
fn is_comment(pattern: &str) -> bool {
    pattern.starts_with('#')
}

/// `type:name`, where a name of a host cannot hold a colon.
fn is_table(pattern: &str) -> bool {
    pattern.contains(':') && !pattern.starts_with('[')
}
