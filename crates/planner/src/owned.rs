//! What Postseal owns of the two files, and whether somebody else changed it.
//!
//! Owns: [`read`] and [`drift`]. Never: decides what to do about drift.
//!
//! Owned are the TLS parameters of the catalogue as far as they are written — in main.cf, and in
//! `-o` of master.cf — and `smtp_dns_support_level`, which DANE rests on. Values that are not
//! UTF-8 are left alone: nothing of ours could have written them.

#[cfg(test)]
mod tests;

use crate::catalog::{self, Role};
use crate::compile;
use crate::facts::Facts;
use crate::intent::Owned;
use crate::view;
use postfix_cf::{MainCf, MasterCf};
use std::collections::{BTreeMap, BTreeSet};

/// One owned value that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Drift {
    /// `main.cf`, or a service of master.cf (`submission/inet`).
    pub place: String,
    /// The parameter.
    pub parameter: String,
    /// As it was written; `None`: it was not there.
    pub written: Option<String>,
    /// As it is; `None`: it is gone.
    pub now: Option<String>,
    /// For main.cf: the text of the whole entry as it is.
    pub entry: Option<String>,
    /// For main.cf: the texts of the earlier entries that it overrides.
    #[serde(skip)]
    pub overridden: Vec<String>,
}

impl Drift {
    /// Takes the edit over: `owned` holds from now on what the files hold.
    pub fn take_over(&self, owned: &mut Owned) {
        let name = &self.parameter;
        let values = if self.place == MAIN_CF {
            match &self.entry {
                Some(entry) => owned.entries.insert(name.clone(), entry.clone()),
                None => owned.entries.remove(name),
            };
            match self.overridden.is_empty() {
                true => owned.overridden.remove(name),
                false => {
                    let texts = self.overridden.clone();
                    owned.overridden.insert(name.clone(), texts)
                }
            };
            &mut owned.main
        } else {
            owned.services.entry(self.place.clone()).or_default()
        };
        match &self.now {
            Some(value) => values.insert(name.clone(), value.clone()),
            None => values.remove(name),
        };
    }
}

/// The place of parameters in main.cf.
pub const MAIN_CF: &str = "main.cf";

/// The owned parameters as a host's files hold them.
pub fn of(facts: &Facts) -> Owned {
    read(
        &MainCf::parse(&facts.main_cf.bytes),
        &MasterCf::parse(&facts.master_cf.bytes),
    )
}

/// The owned parameters as the files hold them. SMTP servers on inet sockets and SMTP clients are
/// listed also without any `-o`, so that adoption remembers that they were there and had none.
pub fn read(main: &MainCf, master: &MasterCf) -> Owned {
    let mut owned = Owned::default();
    for entry in main.entries() {
        let name = entry.name().into_owned();
        if !is_owned(&name) {
            continue;
        }
        let Ok(value) = std::str::from_utf8(&entry.value()).map(str::to_owned) else {
            owned.main.remove(&name);
            owned.entries.remove(&name);
            continue;
        };
        if let Ok(raw) = std::str::from_utf8(entry.raw()) {
            let earlier = owned.entries.insert(name.clone(), raw.to_owned());
            if let Some(earlier) = earlier {
                let overridden = owned.overridden.entry(name.clone());
                overridden.or_default().push(earlier);
            }
        }
        owned.main.insert(name, value);
    }
    for service in view::services(master) {
        let listed = service.is_smtp_server() || service.is_smtp_client();
        let ours: BTreeMap<String, String> = service
            .overrides
            .into_iter()
            .filter(|(name, _)| is_owned(name))
            .collect();
        if listed || !ours.is_empty() {
            owned.services.insert(service.id, ours);
        }
    }
    let bytes = master.to_bytes();
    for service in master.services().filter(|service| service.kind == "inet") {
        let port = view::port_of(view::split_name(&service.name).port);
        if !port.is_some_and(|port| compile::PORTS.contains(&port)) {
            continue;
        }
        if let Some(text) = compile::lines(&bytes, service.first_line, service.last_line) {
            owned.blocks.insert(service.key().to_string(), text);
        }
    }
    for port in compile::PORTS {
        if let Some(text) = compile::template_text(master, port) {
            owned.templates.insert(port, text);
        }
    }
    owned
}

/// What differs between what was written and what is there now.
pub fn drift(written: &Owned, now: &Owned) -> Vec<Drift> {
    let mut drift = Vec::new();
    compare(MAIN_CF, &written.main, &now.main, &mut drift);
    for edit in &mut drift {
        edit.entry = now.entries.get(&edit.parameter).cloned();
        let overridden = now.overridden.get(&edit.parameter);
        edit.overridden = overridden.cloned().unwrap_or_default();
    }
    let nothing = BTreeMap::new();
    let places: BTreeSet<&String> = written.services.keys().chain(now.services.keys()).collect();
    for place in places {
        let was = written.services.get(place).unwrap_or(&nothing);
        let is = now.services.get(place).unwrap_or(&nothing);
        compare(place, was, is, &mut drift);
    }
    drift
}

/// Whether a parameter is one that Postseal owns.
pub(crate) fn is_owned(name: &str) -> bool {
    name == "smtp_dns_support_level"
        || catalog::find(name).is_some_and(|parameter| parameter.role == Role::Tls)
}

fn compare(
    place: &str,
    written: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
    drift: &mut Vec<Drift>,
) {
    let names: BTreeSet<&String> = written.keys().chain(now.keys()).collect();
    for name in names {
        let (was, is) = (written.get(name), now.get(name));
        if was != is {
            drift.push(Drift {
                place: place.to_owned(),
                parameter: name.clone(),
                written: was.cloned(),
                now: is.cloned(),
                entry: None,
                overridden: Vec::new(),
            });
        }
    }
}
