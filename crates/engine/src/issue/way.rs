//! What a way of answering can prove.
//!
//! Owns: which names no CA would accept by it. Never: answers a challenge.

use super::refusal;
use crate::EngineError;
use postseal_issue::ChallengeKind;
use postseal_planner::renewal::Way;

/// What no CA would do is said before one is asked.
pub(super) fn check_way(names: &[String], way: &Way) -> Result<(), EngineError> {
    if names.is_empty() {
        let remedy = "Say whom it is for: --domain mx.example.org[,mail.example.org].";
        let message = "No name is said.".to_owned();
        return Err(refusal("cert.no-names", message, remedy));
    }
    let is_address = |name: &&String| name.parse::<std::net::IpAddr>().is_ok();
    let odd = match challenge(way) {
        ChallengeKind::Http01 => names.iter().find(|name| name.starts_with("*.")),
        ChallengeKind::Dns01 => names.iter().find(is_address),
    };
    match (odd, challenge(way)) {
        (None, _) => Ok(()),
        (Some(name), ChallengeKind::Http01) => Err(refusal(
            "acme.wildcard-needs-dns",
            format!("The wildcard {name} cannot be proved over HTTP."),
            "Say --dns-update SERVER --tsig-key-file FILE, or --dns-hook PROGRAM.",
        )),
        (Some(name), ChallengeKind::Dns01) => Err(refusal(
            "acme.address-needs-http",
            format!("The address {name} cannot be proved in DNS."),
            "Leave out --dns-update and --dns-hook: it is proved over HTTP, on port 80.",
        )),
    }
}

pub(crate) const fn challenge(way: &Way) -> ChallengeKind {
    match way {
        Way::Http { .. } | Way::Webroot { .. } => ChallengeKind::Http01,
        Way::Hook { .. } | Way::Update { .. } => ChallengeKind::Dns01,
    }
}
