//! Profiles: where one does not fit, and where it does not reach.
//!
//! Owns: both findings. Never: refuses. Who is strict with mail clients or with servers is turned
//! away and sees an error; on port 25 senders do not complain, they send in clear.

use super::{World, certificates::public_mx};
use crate::expect::speaker;
use crate::finding::{Finding, Severity};
use crate::intent::{Intent, Key};
use crate::lint::{Rule, row};
use crate::profile::{self, Direction, Profile};
use crate::view::View;
use std::net::IpAddr;

/// What they mean.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Rule] = &[
    row(UNFIT, Severity::Warning, "profile that turns senders away on a public port 25",
        "Senders that find no TLS in common with a server that does not demand it send in clear, where they may; those that demand it (DANE, MTA-STS) keep the mail until it is returned.",
        "`postseal set profile.inbound=recommended` keeps the profile for mail clients and outgoing mail."),
    row(OVERRIDDEN, Severity::Warning, "service that a profile does not reach",
        "An `-o` in master.cf comes before main.cf, where a profile is written.",
        "Take the `-o` out of master.cf, then `postseal drift --adopt`."),
];

/// Senders would be turned away.
pub(crate) const UNFIT: &str = "profile.unfit-for-mx";
const OVERRIDDEN: &str = "profile.overridden";

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    if let Some((profile, why)) = unfit(&world.view, world.intent, crate::view::is_public) {
        findings.push(Finding::new(
            UNFIT,
            Severity::Warning,
            format!(
                "The profile {} is not made for port 25. {why}",
                profile.name
            ),
            remedy(world.intent),
        ));
    }
    for direction in Direction::ALL {
        if let Some(profile) = profile::of(world.intent, direction) {
            overridden(world, profile, direction, findings);
        }
    }
}

fn remedy(intent: &Intent) -> &'static str {
    match intent.settings.contains_key(&Key::ProfileInbound) {
        true => "`postseal set profile.inbound=recommended`.",
        false => {
            "`postseal set profile.inbound=recommended`: the profile stays for mail clients and \
             outgoing mail."
        }
    }
}

/// The profile of port 25 that turns senders away, and why, where such a port is reached from
/// addresses of a kind and offers TLS.
pub(crate) fn unfit(
    view: &View<'_>,
    intent: &Intent,
    kind: impl Fn(IpAddr) -> bool,
) -> Option<(&'static Profile, &'static str)> {
    let profile = profile::of(intent, Direction::Inbound)?;
    let why = profile.unfit?;
    let mut servers = public_mx(view, kind).into_iter();
    servers
        .any(|service| view.offers_tls(speaker(view, service)))
        .then_some((profile, why))
}

/// Values of their own in master.cf that mean something else than the profile.
fn overridden(
    world: &World<'_>,
    profile: &Profile,
    direction: Direction,
    findings: &mut Vec<Finding>,
) {
    let held = profile::held(profile, &world.view).into_iter();
    let others = held.filter(|one| {
        let from_master = one.place != "main.cf";
        one.direction == direction && from_master && !one.same
    });
    for one in others {
        let value = crate::diff::shown(one.parameter, &one.now);
        findings.push(
            Finding::new(
                OVERRIDDEN,
                Severity::Warning,
                format!(
                    "{} has {} of its own: the profile {} does not hold there.",
                    one.place, one.parameter, profile.name
                ),
                "Take the `-o` out of master.cf, then `postseal drift --adopt`.",
            )
            .seen(format!("-o {}={value}", one.parameter)),
        );
    }
}
