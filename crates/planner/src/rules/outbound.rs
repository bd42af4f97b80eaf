//! The SMTP client's promises: trust anchors for verify and secure, DNSSEC for DANE.
//!
//! Owns: whether a level can be kept at all. Never: looks at a destination.

use super::{World, error};
use crate::Finding;
use crate::facts::FileLook;
use crate::preflight::NoDane;
use std::path::Path;

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    let view = &world.view;
    let level = view.client_level(None);
    let anchors = [
        "smtp_tls_CAfile",
        "smtp_tls_CApath",
        "smtp_tls_trust_anchor_file",
    ];
    let without = anchors.iter().all(|name| view.value(None, name).is_empty())
        && !view.is_yes(None, "tls_append_default_CA");
    if matches!(level.as_str(), "verify" | "secure") && without {
        findings.push(error(
            "outbound.nothing-to-verify-with",
            format!(
                "At outbound={level} every server must show a certificate of a trusted CA, and \
                 no CA is trusted: all mail would wait in the queue."
            ),
            "`postseal set trust.outbound=system`.",
        ));
    }
    let hindrance = NoDane::of("smtp", |name| Some(view.value(None, name)));
    if let ("dane" | "dane-only", Some(hindrance)) = (level.as_str(), hindrance) {
        findings.push(without_dane(&level, hindrance));
    }
    for name in ["smtp_tls_CAfile", "smtpd_tls_CAfile"] {
        let path = view.value(None, name);
        let look = world.facts.files.get(Path::new(&path));
        if path.is_empty() || !matches!(look, Some(FileLook::Missing | FileLook::Directory)) {
            continue;
        }
        findings.push(
            error(
                "trust.ca-file",
                format!("{name} names {path}, which is not a file: Postfix switches TLS off."),
                "Name a file that exists: `postseal set trust.inbound=…` or `trust.outbound=…`.",
            )
            .seen(format!("{name} = {path}")),
        );
    }
}

/// `dane` would act as `may`, and `dane-only` hold all mail back.
fn without_dane(level: &str, hindrance: NoDane) -> Finding {
    let follows = match level {
        "dane" => "Postfix would do no DANE, but act as at may",
        _ => "all mail would wait in the queue",
    };
    error(
        "outbound.dane-without-dnssec",
        format!("outbound={level} needs {}: {follows}.", hindrance.needs()),
        match hindrance {
            NoDane::Support => {
                "Set the level through Postseal (`postseal set outbound=dane`), which \
                 sets both."
                    .to_owned()
            }
            other => other.remedy(),
        },
    )
}
