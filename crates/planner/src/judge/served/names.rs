//! Why clients that ask for a name are shown something else, or nothing.
//!
//! Owns: the map of names: who compiled it, of what, and whether it was asked. Never: takes a map for the
//! cause that is as it was made.

use super::older::turns_away;
use super::{Around, Difference, error, place};
use crate::compile::sni;
use crate::facts::FileLook;
use crate::plan::SniMap;
use crate::{Finding, words};

impl Around<'_> {
    /// What a client saw that asked for a name.
    pub(super) fn by_name(&self, difference: &Difference) -> Option<Finding> {
        let asking = words::asked(difference.ask.name.as_deref().unwrap_or_default());
        let place = place(difference.address);
        if let Some(map) = self.compiled_by_others() {
            return Some(self.foreign_map(difference, &map));
        }
        let Some(seen) = difference.seen else {
            // Whoever takes any key and is turned away by its name alone: the log tells why.
            let by_kind = difference.ask.algorithm.is_some();
            return by_kind.then(|| self.older_process(difference, None));
        };
        if difference.default.contains(&seen) {
            return Some(error(
                "served.default-for-name",
                format!(
                    "{place} shows clients that {asking} what it shows to those that ask \
                     for no name: {}",
                    self.why_not_by_name()
                ),
                "`postseal apply` writes the map of names anew where it is not in order; `postfix \
                 reload` ends the processes from before.",
            ));
        }
        if let Some(stored) = self.stored(&seen) {
            return Some(self.older_process(difference, Some(stored)));
        }
        Some(error(
            "served.foreign-map",
            format!(
                "{place} shows clients that {asking} a certificate that neither the store \
                 nor the map of names knows: the map was compiled by somebody else, from another \
                 key."
            ),
            "`postseal apply` compiles the map anew.",
        ))
    }

    /// What the map of names was compiled to is not what its rows name.
    fn foreign_map(&self, difference: &Difference, map: &SniMap) -> Finding {
        let shows = match difference.seen {
            Some(_) => {
                let asking = words::asked(difference.ask.name.as_deref().unwrap_or_default());
                format!("shows clients that {asking} what was compiled")
            }
            None => format!("{}, by what was compiled", turns_away(difference)),
        };
        let (path, place) = (map.path.display(), place(difference.address));
        if self.lacks_keys(map) {
            return error(
                "served.foreign-map",
                format!(
                    "{place} {shows} of the map of names {path} by `postmap` without `-F`: it holds names \
                     of files in place of keys, and smtpd(8) ends every handshake for a name that it lists."
                ),
                "`postseal apply` compiles the map anew; by hand it is `postmap -F`.",
            );
        }
        error(
            "served.foreign-map",
            format!(
                "{place} {shows} of the map of names {path} by somebody else: it holds something else \
                 than its rows name."
            ),
            "`postseal apply` compiles the map anew.",
        )
    }

    /// Whether it was compiled without its files.
    fn lacks_keys(&self, map: &SniMap) -> bool {
        map.files()
            .get(1)
            .is_some_and(|compiled| match self.facts.files.get(compiled) {
                Some(FileLook::File { bytes, .. }) => sni::lacks_keys(map.source.as_bytes(), bytes),
                _ => false,
            })
    }

    /// The map of names, where its rows are those of Postseal and what was compiled of them is not.
    fn compiled_by_others(&self) -> Option<SniMap> {
        let map = sni::map(self.intent, self.facts)?;
        let own_rows = match self.facts.files.get(&map.path) {
            Some(FileLook::File { bytes, .. }) => bytes.starts_with(map.source.as_bytes()),
            _ => false,
        };
        let files = map.files();
        let mut touched = self.touched.iter();
        let other = touched.any(|file| file.holds_something_else() && files.contains(&file.path));
        (own_rows && other).then_some(map)
    }

    /// The state of the map, as far as it tells why it was not used.
    fn why_not_by_name(&self) -> String {
        let Some(map) = sni::map(self.intent, self.facts) else {
            return "no map of names is to be there.".to_owned();
        };
        for path in map.files() {
            let shown = path.display();
            match self.facts.files.get(&path) {
                Some(FileLook::File { bytes, .. })
                    if path != map.path || bytes.starts_with(map.source.as_bytes()) => {}
                Some(FileLook::File { .. }) => {
                    return format!("{shown} has other rows than Postseal wrote.");
                }
                Some(FileLook::TooLarge(_)) => {}
                _ => return format!("{shown} cannot be read."),
            }
        }
        "the process that answers has not looked into the map of names yet.".to_owned()
    }
}
