//! AUTH: not in cleartext, and with something behind it.
//!
//! Owns: these two questions. Never: logs in.

use super::{World, error};
use crate::expect::speaker;
use crate::facts::FileLook;
use crate::view::{Service, View, split_name};
use crate::{Finding, Severity};
use std::path::{Path, PathBuf};

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    let view = &world.view;
    for service in view.servers() {
        let speaker = speaker(view, service);
        if !view.is_yes(Some(speaker), "smtpd_sasl_auth_enable") {
            continue;
        }
        let only = view.is_yes(Some(speaker), "smtpd_tls_auth_only");
        if !view.demands_tls(speaker) && !only && !for_loopback(speaker) {
            findings.push(in_clear(speaker));
        }
        if only && !view.offers_tls(speaker) {
            findings.push(never(speaker));
        }
        findings.extend(sasl(world, speaker));
    }
}

/// Whether its own name says that it listens on loopback.
fn for_loopback(service: &Service) -> bool {
    matches!(
        split_name(&service.name).host,
        "127.0.0.1" | "::1" | "localhost"
    )
}

fn in_clear(service: &Service) -> Finding {
    error(
        "auth.cleartext",
        format!(
            "Service {} offers AUTH without TLS: passwords can be read on the way.",
            service.name
        ),
        "`postseal set auth-only=yes`.",
    )
}

fn never(service: &Service) -> Finding {
    Finding::new(
        "auth.never-offered",
        Severity::Warning,
        format!(
            "Service {} never offers AUTH: it may only do so under TLS, and TLS is off.",
            service.name
        ),
        "`postseal set inbound=may`, or switch AUTH off there.",
    )
}

/// What is missing behind AUTH. Without it smtpd(8) ends with “no SASL authentication
/// mechanisms”, and the port is dead.
fn sasl(world: &World<'_>, service: &Service) -> Option<Finding> {
    let kind = world.view.value(Some(service), "smtpd_sasl_type");
    if !world.facts.sasl_types.contains(&kind) {
        return Some(error(
            "auth.no-sasl",
            format!(
                "Service {} offers AUTH with the SASL type {kind:?}, which this Postfix does not \
                 have (it has: {}).",
                service.name,
                world.facts.sasl_types.join(", ")
            ),
            "Set smtpd_sasl_type in main.cf to one of them.",
        ));
    }
    let candidates = sasl_files(&world.view, Some(service));
    let missing = |path: &PathBuf| matches!(world.facts.files.get(path), Some(FileLook::Missing));
    if candidates.is_empty() || !candidates.iter().all(missing) {
        return None;
    }
    let named: Vec<String> = candidates
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Some(
        error(
            "auth.no-sasl",
            format!(
                "Service {} would offer AUTH, but nothing is behind it: smtpd would die at its \
                 start and the port would be dead.",
                service.name
            ),
            match kind.as_str() {
                "dovecot" => "Let Dovecot listen there (service auth, unix_listener).",
                _ => {
                    "Set up Cyrus SASL (smtpd.conf, packages libsasl2-modules and sasl2-bin) or \
                      Dovecot (smtpd_sasl_type = dovecot)."
                }
            },
        )
        .seen(format!("none of these exists: {}", named.join(", "))),
    )
}

/// The files of which one must be there for AUTH to work; empty where that cannot be told.
pub(crate) fn sasl_files(view: &View<'_>, at: Option<&Service>) -> Vec<PathBuf> {
    let path = view.value(at, "smtpd_sasl_path");
    let queue = PathBuf::from(view.value(None, "queue_directory"));
    match view.value(at, "smtpd_sasl_type").as_str() {
        "dovecot" => {
            let socket = path.strip_prefix("unix:").unwrap_or(&path);
            if path.is_empty() || path.starts_with("inet:") {
                return Vec::new();
            }
            // An absolute name stays absolute when joined.
            vec![queue.join(socket)]
        }
        "cyrus" => {
            let name = if path.is_empty() { "smtpd" } else { &path };
            let configured = view.value(at, "cyrus_sasl_config_path");
            let folders = configured.split(':').filter(|folder| !folder.is_empty());
            let usual = [
                "/etc/postfix/sasl",
                "/etc/sasl2",
                "/usr/lib/sasl2",
                "/usr/lib64/sasl2",
            ];
            let mut files: Vec<PathBuf> = folders
                .chain(usual)
                .map(|folder| Path::new(folder).join(format!("{name}.conf")))
                .collect();
            files.push("/etc/sasldb2".into());
            files.push(queue.join("etc/sasldb2"));
            files
        }
        _ => Vec::new(),
    }
}
