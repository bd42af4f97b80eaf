//! The server's own name below a domain that another certificate is bound to.
//!
//! Owns: telling of it, wherever a binding is judged. Never: judges a certificate by another name.

use crate::expect::row;
use crate::facts::Facts;
use crate::intent::{Binding, Intent, Place};
use crate::view::View;
use crate::{Finding, Severity, words};
use mailtls::Certificate;
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeSet;

/// That a binding to all names below a domain is what clients are shown that ask for a name of this server
/// itself, which the certificate does not have. Who asks so looks: senders by DANE and MTA-STS, and mail
/// programs. `None` where a name is not its, or is bound by itself.
pub fn captured_name(
    leaf: &Certificate,
    bound: &Binding,
    intent: &Intent,
    facts: &Facts,
) -> Option<Finding> {
    let Place::Sni(domain) = &bound.place else {
        return None;
    };
    let (main, master) = (&facts.main_cf.bytes, &facts.master_cf.bytes);
    let (main, master) = (MainCf::parse(main), MasterCf::parse(master));
    let view = View::new(&main, &master, facts);
    let own = mailtls::host_name(&view.value(None, "myhostname"));
    let own: BTreeSet<String> = own.into_iter().chain(super::dane::hosts(&view)).collect();
    let captured = |name: &&String| {
        domain.starts_with('.') && row(intent, name).contains(&bound) && !leaf.matches_name(name)
    };
    let names: Vec<String> = own.iter().filter(captured).cloned().collect();
    let first = names.first()?;
    let message = format!(
        "Clients that ask for {}, which is this server's own, are shown the certificate bound to {domain}: it \
         is for {}. Senders that look (DANE, MTA-STS) and mail programs refuse it.",
        words::some(&names),
        leaf.names_shown()
    );
    let remedy = format!(
        "Bind one that has the name to it by itself, which goes before {domain}: `postseal cert bind \
         NAME --sni {first}`."
    );
    let code = "cert.own-name-captured";
    Some(Finding::new(code, Severity::Warning, message, remedy))
}
