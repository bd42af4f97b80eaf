//! Settings that are parameters of main.cf: levels, profile, AUTH, header, logging, cache,
//! client certificates, trust anchors.
//!
//! Owns: which value each word has in Postfix's terms. Never: certificates and services.

use super::{Ground, Target, Targets, refuse, services};
use crate::Refusal;
use crate::facts::FileLook;
use crate::intent::{Inbound, Key, Outbound, Setting, Switch, Trust};
use crate::profile::{self, Software};
use mailtls::RangeSyntax;
use std::path::Path;

/// Where systems keep their bundle of trusted certificates, by system. A bundle, not a
/// directory: Postfix reads a CAfile as root before it enters the chroot jail, and looks
/// certificates up in a CApath (or OpenSSL's default directory) from inside it.
pub(crate) const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Adds the targets of one setting.
pub(super) fn compile(
    ground: &Ground<'_>,
    key: &Key,
    setting: &Setting,
    targets: &mut Targets,
) -> Result<(), Refusal> {
    match (key, setting) {
        (Key::Inbound, Setting::Inbound(level)) => inbound(ground, *level, targets),
        (Key::Outbound, Setting::Outbound(level)) => outbound(ground, *level, targets),
        // `profiles` sees to all of them at once.
        (
            Key::Profile | Key::ProfileInbound | Key::ProfileSubmission | Key::ProfileOutbound,
            Setting::Word(name),
        ) if profile::find(name).is_some() => {}
        (Key::AuthOnly, Setting::Switch(on)) => {
            yes_no(targets, "smtpd_tls_auth_only", *on);
            services::follow(
                ground,
                services::Who::Servers,
                "smtpd_tls_auth_only",
                targets,
            );
        }
        (Key::ReceivedHeader, Setting::Switch(on)) => {
            yes_no(targets, "smtpd_tls_received_header", *on);
        }
        (Key::LoglevelInbound, Setting::Loglevel(level)) => {
            targets.main("smtpd_tls_loglevel", Target::value(level.to_string()));
        }
        (Key::LoglevelOutbound, Setting::Loglevel(level)) => {
            targets.main("smtp_tls_loglevel", Target::value(level.to_string()));
        }
        (Key::SessionCache, Setting::Word(word)) => session_cache(ground, word, targets),
        (Key::ClientCerts, Setting::Word(word)) => client_certs(ground, word, targets),
        (Key::TrustInbound, Setting::Trust(trust)) => {
            return anchors(
                ground,
                trust,
                ["smtpd_tls_CAfile", "smtpd_tls_CApath"],
                targets,
            );
        }
        (Key::TrustOutbound, Setting::Trust(trust)) => {
            return anchors(
                ground,
                trust,
                ["smtp_tls_CAfile", "smtp_tls_CApath"],
                targets,
            );
        }
        _ => {
            return Err(refuse(
                "setting.bad-value",
                format!("{} holds a value of another kind.", key.name()),
                format!("Set it again: `postseal set {}=…`.", key.name()),
            ));
        }
    }
    Ok(())
}

/// The level of port 25. What would override main.cf there is made to follow: `-o` of the
/// services on port 25, and the parameters that postscreen(8) and tlsproxy(8) derive from it.
fn inbound(ground: &Ground<'_>, level: Inbound, targets: &mut Targets) {
    let level = match level {
        Inbound::Off => "none",
        Inbound::May => "may",
        Inbound::Encrypt => "encrypt",
    };
    targets.main("smtpd_tls_security_level", Target::value(level));
    for derived in [
        "postscreen_tls_security_level",
        "tlsproxy_tls_security_level",
    ] {
        let adopted = ground.intent.adopted.main.contains_key(derived);
        if adopted || ground.main.get(derived).is_some() {
            targets.main(derived, Target::Absent);
        }
    }
    services::follow(
        ground,
        services::Who::Mx,
        "smtpd_tls_security_level",
        targets,
    );
}

fn outbound(ground: &Ground<'_>, level: Outbound, targets: &mut Targets) {
    targets.main(
        "smtp_tls_security_level",
        Target::value(level.postfix_name()),
    );
    if matches!(level, Outbound::Dane | Outbound::DaneOnly) {
        targets.main("smtp_dns_support_level", Target::value("dnssec"));
    }
    services::follow(
        ground,
        services::Who::Clients,
        "smtp_tls_security_level",
        targets,
    );
}

impl Outbound {
    /// Postfix's own word for the level.
    pub fn postfix_name(self) -> &'static str {
        match self {
            Self::Off => "none",
            Self::May => "may",
            Self::Encrypt => "encrypt",
            Self::Dane => "dane",
            Self::DaneOnly => "dane-only",
            Self::Verify => "verify",
            Self::Secure => "secure",
        }
    }
}

/// What the profiles come to, for the Postfix and the OpenSSL that are here.
pub(super) fn profiles(ground: &Ground<'_>, targets: &mut Targets) {
    let software = Software::new(ground.facts.version, &ground.facts.openssl);
    for parameter in profile::wanted(ground.intent, software) {
        targets.main(parameter.name, Target::value(parameter.value));
    }
}

/// Whether this Postfix knows `>=TLSv1.2`.
pub(crate) fn range_syntax(version: crate::PostfixVersion) -> RangeSyntax {
    if version.at_least(3, 6) {
        RangeSyntax::Allowed
    } else {
        RangeSyntax::Unknown
    }
}

fn yes_no(targets: &mut Targets, name: &str, on: Switch) {
    let word = match on {
        Switch::On => "yes",
        Switch::Off => "no",
    };
    targets.main(name, Target::value(word));
}

fn session_cache(ground: &Ground<'_>, word: &str, targets: &mut Targets) {
    let has = |kind: &str| ground.facts.map_types.iter().any(|have| have == kind);
    let kind = if has("lmdb") && !has("btree") {
        "lmdb"
    } else {
        "btree"
    };
    let at = |name: &str| Target::value(format!("{kind}:${{data_directory}}/{name}"));
    let (server, client) = match word {
        "both" => (at("smtpd_scache"), at("smtp_scache")),
        "client" => (Target::Absent, at("smtp_scache")),
        _ => (Target::Absent, Target::Absent),
    };
    targets.main("smtpd_tls_session_cache_database", server);
    targets.main("smtp_tls_session_cache_database", client);
}

fn client_certs(ground: &Ground<'_>, word: &str, targets: &mut Targets) {
    for (name, wanted) in [
        ("smtpd_tls_ask_ccert", word == "ask"),
        ("smtpd_tls_req_ccert", word == "require"),
    ] {
        let target = match wanted {
            true => Target::value("yes"),
            false if ground.intent.adopted.main.contains_key(name) => Target::value("no"),
            false => Target::Absent,
        };
        targets.main(name, target);
    }
}

fn anchors(
    ground: &Ground<'_>,
    trust: &Trust,
    [file, directory]: [&str; 2],
    targets: &mut Targets,
) -> Result<(), Refusal> {
    let text = |path: &Path| Target::value(path.display().to_string());
    let (in_file, in_directory) = match trust {
        Trust::None => (Target::Absent, Target::Absent),
        Trust::System => (Target::value(system_bundle(ground)?), Target::Absent),
        Trust::Directory(path) => (Target::Absent, text(path)),
        Trust::File(path) => match ground.facts.files.get(path) {
            Some(FileLook::Directory) => (Target::Absent, text(path)),
            _ => (text(path), Target::Absent),
        },
    };
    targets.main(file, in_file);
    targets.main(directory, in_directory);
    Ok(())
}

fn system_bundle(ground: &Ground<'_>) -> Result<&'static str, Refusal> {
    let there = |path: &&str| {
        matches!(
            ground.facts.files.get(Path::new(*path)),
            Some(FileLook::File { .. } | FileLook::TooLarge(_))
        )
    };
    SYSTEM_BUNDLES.into_iter().find(there).ok_or_else(|| {
        refuse(
            "trust.no-system-store",
            "This system has no bundle of trusted certificates at any of the usual places.",
            "Install the package ca-certificates, or name a file: `postseal set trust.outbound=/FILE.pem`.",
        )
    })
}
