//! Credentials of the SMTP client that may go in clear.
//!
//! Owns: the words. Never: finds out the level (`credentials` does).

use super::context::Context;
use super::rule::{Place, Rule, rule};
use crate::Facts;
use crate::Finding;
use crate::Severity::{Error, Fatal, Warning};
use crate::credentials::{
    ANY_DOMAIN, ByServer, Credential, EVERY, Exposed, Kind, PARAMETER, Undetermined, Unread,
    by_server_in, exposed_in, exposure,
};
use crate::view::{Files, View};
use std::collections::BTreeMap;

/// So many credentials are shown with a reason.
const SHOWN: usize = 5;

/// The rules.
pub(super) const RULES: &[Rule] = &[CLEAR, BY_SERVER, UNDETERMINED];

#[rustfmt::skip]
const CLEAR: Rule = rule("outbound.credentials-in-clear", Fatal, "credentials may be sent in clear",
    "The level lets smtp(8) go on without TLS, and then it shows the password to the server and to everybody between.",
    "Demand TLS of every next hop that has credentials: `postseal domain sync`, or a row `NEXT-HOP encrypt` in smtp_tls_policy_maps.");

#[rustfmt::skip]
const BY_SERVER: Rule = rule("outbound.credentials-by-server", Error, "credentials under the name of a server have no rule that covers them",
    "smtp(8) asks for credentials by the name of the host it has connected to first, whatever next hop led there, and for a TLS policy by the next hop only.",
    "If they are for a relay, write its next hop for a key: `[HOST]:PORT`. Else demand TLS of every destination (`postseal set outbound=encrypt`), or of credentials alone (smtp_sasl_security_options = noanonymous, noplaintext; smtp_sasl_tls_security_options = noanonymous); or of the domains whose exchanger it is: `postseal policy add DOMAIN encrypt`.");

#[rustfmt::skip]
const UNDETERMINED: Rule = rule("outbound.credentials-undetermined", Warning, "whether credentials go in clear could not be told",
    "The keys of the table, the level at the next hop, or the transport that goes there, come from a table that is not read here; where it allows clear text, smtp(8) shows the password.",
    "`postseal domain list` asks the tables themselves; a rule by `postseal domain sync` demands TLS whatever they say later. Where the keys of the table of passwords cannot be listed, neither helps: demand TLS of every destination, or of credentials alone (smtp_sasl_security_options = noanonymous, noplaintext).");

/// No rule is for what no key names.
const NOT_LISTED: &str = "Demand TLS of every destination (`postseal set outbound=encrypt`), or of credentials \
    alone (smtp_sasl_security_options = noanonymous, noplaintext; smtp_sasl_tls_security_options = noanonymous); \
    or keep them in a table whose keys can be listed (hash:, lmdb:, texthash:), and `postseal domain sync`.";

/// The same of an instance as it is.
pub(crate) fn of_facts(facts: &Facts) -> Vec<Finding> {
    let exposed = exposed_in(facts);
    let by_server = by_server(facts);
    in_clear(&exposed).into_iter().chain(by_server).collect()
}

/// Those under the name of a server.
pub(crate) fn by_server(facts: &Facts) -> Vec<Finding> {
    by_server_in(facts).iter().map(of_server).collect()
}

/// What could not be told of the credentials of an instance as it is.
pub(crate) fn untold(facts: &Facts) -> Vec<Finding> {
    let files = Files::of(facts);
    undetermined(&exposure(&files.view(facts)).undetermined)
}

/// Looks at every key of the tables of passwords.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let (Some((_, main)), Some((_, master)), Some(facts)) =
        (context.main, context.master, context.facts)
    else {
        return;
    };
    let view = View::new(main, master, facts);
    let known = exposure(&view);
    out.extend(in_clear(&known.exposed));
    out.extend(known.by_server.iter().map(of_server));
    out.extend(undetermined(&known.undetermined));
}

/// One for each reason: a table that cannot be read is the reason for all credentials.
fn undetermined(all: &[Undetermined]) -> Vec<Finding> {
    let mut reasons: BTreeMap<(Unread, &str), Vec<&Credential>> = BTreeMap::new();
    for one in all {
        let reason = (one.unread, one.why.as_str());
        reasons.entry(reason).or_default().push(&one.credential);
    }
    let told = reasons.into_iter().map(|((unread, why), credentials)| {
        let of = match credentials.as_slice() {
            [one] => one.key.clone(),
            many => format!("{} next hops or senders", many.len()),
        };
        let mut said = UNDETERMINED.says(format!(
            "Whether the credentials for {of} may be sent in clear could not be told: {why}."
        ));
        if unread == Unread::Keys {
            NOT_LISTED.clone_into(&mut said.remedy);
        }
        let more = credentials.len().saturating_sub(SHOWN);
        let shown = credentials.into_iter().take(SHOWN);
        let at = |found: Finding, one: &Credential| {
            found.at(&one.file, one.line, format!("{PARAMETER}: {}", one.key))
        };
        let told = shown.fold(said, at);
        match more {
            0 => told,
            more => told.seen(format!("and {more} more")),
        }
    });
    told.collect()
}

/// More next hops are not named.
const NAMED: usize = 3;

fn of_server(one: &ByServer) -> Finding {
    let key = &one.credential.key;
    let mut hops: Vec<&str> = one
        .nexthops
        .iter()
        .map(String::as_str)
        .take(NAMED)
        .collect();
    if one.nexthops.len() > NAMED {
        hops.push("…");
    }
    BY_SERVER
        .says(format!(
            "The credentials for {key} go to the server of that name whatever domain's mail it \
             takes, and no rule for {key} covers that: rules are asked by next hop. Where {key} \
             is a mail exchanger of {}, level {} lets them go in clear.",
            hops.join(", "),
            one.level,
        ))
        .at(
            &one.credential.file,
            one.credential.line,
            format!("{PARAMETER}: {key}"),
        )
}

/// One for each next hop: what a rule for one of them mends is not told of the others.
fn in_clear(exposed: &[Exposed]) -> Vec<Finding> {
    let each = exposed.iter().map(|one| match one.credential.kind() {
        Kind::Every => of_every(one),
        _ => found(one),
    });
    each.collect()
}

/// A password that every server gets.
fn of_every(exposed: &Exposed) -> Finding {
    let Exposed {
        credential,
        nexthop,
        level,
    } = exposed;
    CLEAR
        .says(format!(
            "{EVERY} gives the same credentials to every server that offers AUTH, and they may be \
             sent in clear: at level {level} mail for {nexthop} goes without TLS where the server \
             offers none, or where somebody takes its offer away."
        ))
        .at(
            &credential.file,
            credential.line,
            format!("{PARAMETER}: {EVERY}"),
        )
        .remedy(
            "Name the next hop that they are for, in a table: a row `[HOST]:PORT USER:PASSWORD` in \
             place of static:, then `postseal domain sync`; or demand TLS of every destination: \
             `postseal set outbound=encrypt`.",
        )
}

fn found(exposed: &Exposed) -> Finding {
    let Exposed {
        credential,
        nexthop,
        level,
    } = exposed;
    let message = format!(
        "The credentials for {} may be sent in clear: at level {level} mail for {nexthop} goes \
         without TLS where the server offers none, or where somebody takes its offer away.",
        credential.key
    );
    let text = format!("{PARAMETER}: {}", credential.key);
    let found = CLEAR
        .says(message)
        .at(&credential.file, credential.line, text);
    match nexthop.as_str() {
        ANY_DOMAIN => found.remedy(
            "Give the sender a relay in sender_dependent_relayhost_maps, then `postseal domain \
             sync` demands TLS of it; or take the key out.",
        ),
        _ => found,
    }
}
