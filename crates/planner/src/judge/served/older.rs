//! Postfix answers as it did before a change.
//!
//! Owns: the words of it, and which processes end by themselves: an option of master.cf is given to new
//! ones, too, until Postfix is reloaded. Never: decides that it is the cause.

use super::{Around, Difference, error, place};
use crate::compile::is_of_certificates;
use crate::expect::speaker;
use crate::facts::StoredCertificate;
use crate::view::View;
use crate::{Finding, words};
use mailtls::Certificate;
use postfix_cf::{MainCf, MasterCf};

impl Around<'_> {
    pub(super) fn older_process(
        &self,
        difference: &Difference,
        stored: Option<&StoredCertificate>,
    ) -> Finding {
        let shows = match (difference.seen, stored) {
            (None, _) => turns_away(difference),
            (Some(_), Some(stored)) => format!("shows {}", called(stored)),
            (Some(_), None) => "shows a certificate that is no longer configured".to_owned(),
        };
        let at = place(difference.address);
        if let Some(option) = self.option_of(difference) {
            let message = format!(
                "{at} {shows}, though its files hold the right one: `-o {option}` of {} in master.cf, or a \
                 file that it names, was changed since Postfix read it. New processes are started with \
                 the options of then until Postfix is reloaded.",
                difference.service
            );
            let remedy = "`postfix reload` has Postfix read master.cf and the files anew.";
            return error("served.not-reloaded", message, remedy);
        }
        let value = |name: &str, otherwise: &str| {
            let value = self.facts.values.get(name);
            value.map_or_else(|| otherwise.to_owned(), Clone::clone)
        };
        let (idle, uses) = (value("max_idle", "100s"), value("max_use", "100"));
        error(
            "served.not-reloaded",
            format!(
                "{at} {shows}, though its files hold the right one: a process from before the \
                 change still answers. It ends after max_idle = {idle} without a client, or after \
                 max_use = {uses} of them; if it is so for longer than that, it is something else."
            ),
            match difference.seen {
                Some(_) => "`postfix reload` ends it at its next client.",
                None => {
                    "`postfix reload` ends it at its next client. Where it stays so, ciphers of that \
                     kind are excluded: `postseal show --cipher-list` lists what is left."
                }
            },
        )
    }

    /// The option of master.cf by which this service has certificates of its own.
    fn option_of(&self, difference: &Difference) -> Option<String> {
        let main = MainCf::parse(&self.facts.main_cf.bytes);
        let master = MasterCf::parse(&self.facts.master_cf.bytes);
        let view = View::new(&main, &master, self.facts);
        let mut servers = view.servers();
        let service = servers.find(|service| service.id == difference.service)?;
        let mut options = speaker(&view, service).overrides.keys();
        options.find(|name| is_of_certificates(name)).cloned()
    }
}

/// What happens to clients that take one kind of key only.
pub(super) fn turns_away(difference: &Difference) -> String {
    let who = super::super::handshake::clients(&difference.ask);
    format!("turns clients away that {who}")
}

/// `version 1 of mx (valid until 2026-12-01)`.
fn called(stored: &StoredCertificate) -> String {
    let leaf = stored
        .chain
        .first()
        .and_then(|der| Certificate::parse(der).ok());
    let until = leaf.map(|leaf| format!(" (valid until {})", words::date(leaf.not_after)));
    let until = until.unwrap_or_default();
    format!("version {} of {}{until}", stored.version, stored.name)
}
