//! Where the mail of a domain goes now, beside what its entry says.
//!
//! Owns: the words about a difference, with the line that ends it. Never: writes that line.

use super::entry;
use crate::EngineError;
use crate::explain::explain_in;
use postseal_host::Host;
use postseal_planner::explain::{Delivery, Subject};
use postseal_planner::policy::Rule;
use postseal_planner::shown::{Shown, Which, show};
use postseal_planner::{Facts, Finding, SMTPS_OUT_NAME, Severity};

/// Where mail of a domain goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The service of master.cf.
    pub transport: String,
    /// The next hops; none where it is not sent by SMTP.
    pub hops: Vec<String>,
    /// Whether the service begins with TLS.
    pub wraps: bool,
}

impl Route {
    /// The next hop, where there is one.
    pub(super) fn only(&self) -> Option<String> {
        match self.hops.as_slice() {
            [hop] => Some(hop.clone()),
            _ => None,
        }
    }

    /// Whether mail goes to a next hop.
    pub fn takes(&self, nexthop: &str) -> bool {
        self.hops
            .iter()
            .any(|hop| hop.eq_ignore_ascii_case(nexthop))
    }

    /// In words, after “mail for example.org”.
    pub fn words(&self) -> String {
        match self.hops.as_slice() {
            [] => "is not sent by SMTP".to_owned(),
            hops => format!("goes by {}:{}", self.transport, hops.join(", ")),
        }
    }
}

pub(super) fn of(host: &dyn Host, facts: &Facts, domain: &str) -> Result<Route, EngineError> {
    let explained = explain_in(host, facts, &Subject::Domain(domain.to_owned()), "")?;
    let hops = explained.hops.iter();
    let smtp = hops.filter(|hop| hop.delivery == Delivery::Smtp);
    let Some(resolution) = &explained.resolution else {
        return Ok(Route::default());
    };
    Ok(Route {
        transport: resolution.transport.clone(),
        hops: smtp.map(|hop| hop.nexthop.clone()).collect(),
        wraps: wraps(facts, &resolution.transport),
    })
}

fn wraps(facts: &Facts, transport: &str) -> bool {
    let name = ["smtp_tls_wrappermode".to_owned()];
    let service = format!("{transport}/unix");
    let shown = show(facts, Which::Named(&name), Some(&service));
    shown.is_ok_and(|shown| {
        let yes = |value: &str| value.eq_ignore_ascii_case("yes");
        let is_yes = |one: &Shown| one.expanded.as_deref().is_some_and(yes);
        shown.values.iter().any(is_yes)
    })
}

/// Mail does not go where the entry says.
pub(super) fn differs(domain: &str, rule: &Rule, route: &Route) -> Option<Finding> {
    let hop = &rule.id.destination;
    let smtps = entry(rule).smtps;
    if route.takes(hop) && (!smtps || route.wraps) {
        return None;
    }
    let transport = if smtps { SMTPS_OUT_NAME } else { "smtp" };
    let first = match smtps {
        true => "After `postseal apply` add the row",
        false => "Add the row",
    };
    let finding = Finding::new(
        "domain.not-routed",
        Severity::Warning,
        format!(
            "Mail for {domain} {} now, so the rule for {} does nothing for it yet.",
            route.words(),
            rule.id.shown()
        ),
        format!(
            "{first} `{domain} {transport}:{hop}` to a table of transport_maps, and run postmap \
             on it. Postseal does not change where mail goes."
        ),
    );
    Some(finding)
}

/// The client is not taken away under the mail that goes by it.
pub(super) fn still_used(domain: &str) -> Finding {
    Finding::new(
        "domain.client-in-use",
        Severity::Warning,
        format!(
            "Mail for {domain} still goes by {SMTPS_OUT_NAME}, so that client stays in master.cf."
        ),
        format!(
            "Take its row out of transport_maps, then `postseal unset {SMTPS_OUT_NAME}` and \
             `postseal apply`."
        ),
    )
}
