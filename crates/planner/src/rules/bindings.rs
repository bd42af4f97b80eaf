//! Bindings: the store has what is bound, and it serves where it is bound.
//!
//! Owns: certificates that are presented by name, and by the client; and bindings that the store
//! cannot serve. Never: judges what a server presents to those who ask for no name
//! (`certificates` does, from the files).

use super::captured::captured_name;
use super::{World, error};
use crate::certificate::certificate_finding;
use crate::facts::StoredCertificate;
use crate::intent::{Binding, Place};
use crate::trust::{chain_problems, is_about_trust};
use crate::{Finding, Severity};
use mailtls::Certificate;

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    for bound in &world.intent.bindings {
        let Some(stored) = stored(world, bound) else {
            findings.push(unknown(bound));
            continue;
        };
        match &bound.place {
            Place::Sni(name) => by_name(world, bound, stored, name, findings),
            Place::Client(_) => by_client(world, bound, stored, findings),
            Place::Server => {}
            Place::Port(port) => unserved(world, bound, *port, findings),
        }
    }
}

fn stored<'a>(world: &World<'a>, bound: &Binding) -> Option<&'a StoredCertificate> {
    world
        .facts
        .certificates
        .iter()
        .find(|stored| stored.name == bound.name && stored.fingerprint == bound.fingerprint)
}

fn unknown(bound: &Binding) -> Finding {
    error(
        "cert.unknown",
        format!(
            "The certificate {} that is bound is not in the store.",
            bound.name
        ),
        format!("Import it, or `postseal cert unbind {}`.", bound.name),
    )
}

fn by_name(
    world: &World<'_>,
    bound: &Binding,
    stored: &StoredCertificate,
    name: &str,
    findings: &mut Vec<Finding>,
) {
    without_key(stored, findings);
    let leaf = stored.chain.first();
    if let Some(leaf) = leaf.and_then(|der| Certificate::parse(der).ok()) {
        findings.extend(captured_name(&leaf, bound, world.intent, world.facts));
    }
    let below = name.strip_prefix('.').map(|domain| format!("any.{domain}"));
    let asked = below.as_deref().unwrap_or(name);
    for problem in problems(world, stored, &[asked], findings) {
        let mut finding = certificate_finding(&problem);
        if matches!(problem.code, "cert.self-signed" | "cert.system-certificate") {
            match bound.allow_self_signed {
                true => finding.severity = Severity::Info,
                false => finding.remedy = accepting(&named_alike(world, bound)),
            }
        }
        findings.push(finding.seen(format!("presented to clients that ask for {name}")));
    }
}

/// The bindings of the same certificate to other names that do not accept it either, and this one.
fn named_alike<'a>(world: &World<'a>, bound: &Binding) -> Vec<&'a Binding> {
    let bindings = world.intent.bindings.iter();
    let by_name = bindings.filter(|one| matches!(one.place, Place::Sni(_)));
    by_name
        .filter(|one| one.fingerprint == bound.fingerprint && one.name == bound.name)
        .filter(|one| !one.allow_self_signed)
        .collect()
}

/// What is to be done about a certificate that nobody can verify, where these bindings do not accept
/// it: the commands that bind it there and accept it, each with all that was said.
pub fn accepting(bindings: &[&Binding]) -> String {
    let mut commands: Vec<String> = Vec::new();
    for first in bindings {
        let kind = std::mem::discriminant(&first.place);
        let alike = bindings.iter().filter(|bound| {
            bound.name == first.name && std::mem::discriminant(&bound.place) == kind
        });
        let places: Vec<&Place> = alike.map(|bound| &bound.place).collect();
        let command = format!(
            "`postseal cert bind {}{} --allow-self-signed`",
            first.name,
            Place::options(&places)
        );
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
    let accept = if commands.len() == 1 {
        "accepts"
    } else {
        "accept"
    };
    format!(
        "Get a certificate from a CA; where TLS stays optional, {} {accept} this one.",
        crate::words::list(&commands)
    )
}

fn by_client(
    world: &World<'_>,
    bound: &Binding,
    stored: &StoredCertificate,
    findings: &mut Vec<Finding>,
) {
    without_key(stored, findings);
    for problem in problems(world, stored, &[], findings) {
        let selfish = matches!(problem.code, "cert.self-signed" | "cert.system-certificate");
        if !selfish && !matters_at(problem.code, bound) {
            continue;
        }
        let mut finding = certificate_finding(&problem);
        if selfish {
            finding.severity = Severity::Info;
        }
        findings.push(finding.seen("presented by the SMTP client"));
    }
    let leaf = stored
        .chain
        .first()
        .and_then(|der| Certificate::parse(der).ok());
    if leaf.is_some_and(|leaf| !leaf.allows_client_auth()) {
        findings.push(error(
            "cert.no-client-auth",
            format!(
                "The certificate {} is not for TLS clients; servers that ask for one refuse it.",
                stored.name
            ),
            "Have a certificate issued with extendedKeyUsage clientAuth.",
        ));
    }
}

/// Whether what is wrong with a certificate matters where it is bound. A server that asks for a
/// client's certificate knows it by its fingerprint or its CA: a name, the use as a server, and who
/// vouches are nothing to it. That nobody does may have been accepted.
pub fn matters_at(code: &str, bound: &Binding) -> bool {
    let of_servers = ["cert.no-server-auth", "cert.no-alternative-name"];
    let selfish = ["cert.self-signed", "cert.system-certificate"];
    match bound.place {
        Place::Client(_) => {
            let of_nobody = is_about_trust(code) || selfish.contains(&code);
            !of_servers.contains(&code) && !of_nobody
        }
        _ => !(bound.allow_self_signed && selfish.contains(&code)),
    }
}

/// A port without a server presents nothing.
fn unserved(world: &World<'_>, bound: &Binding, port: u16, findings: &mut Vec<Finding>) {
    let served = world
        .view
        .servers()
        .any(|server| server.port() == Some(port));
    if !served {
        let message = format!(
            "The certificate {} is bound to port {port}, where no SMTP server is configured.",
            bound.name
        );
        let remedy =
            "Switch the service on (`postseal set submission=on`, `smtps=on`), or unbind it.";
        findings.push(Finding::new(
            "cert.port-not-served",
            Severity::Warning,
            message,
            remedy,
        ));
    }
}

fn without_key(stored: &StoredCertificate, findings: &mut Vec<Finding>) {
    if !stored.has_key {
        findings.push(missing_key(stored));
    }
}

/// A certificate without its key cannot be presented.
pub(super) fn missing_key(stored: &StoredCertificate) -> Finding {
    error(
        "cert.key-missing",
        format!(
            "The store has no private key for the certificate {}.",
            stored.name
        ),
        format!(
            "Import it again with its key: `postseal cert import {} --cert … --key …`.",
            stored.name
        ),
    )
}

fn problems(
    world: &World<'_>,
    stored: &StoredCertificate,
    names: &[&str],
    findings: &mut Vec<Finding>,
) -> Vec<mailtls::CertProblem> {
    let chain: Result<Vec<Certificate>, _> = stored
        .chain
        .iter()
        .map(|der| Certificate::parse(der))
        .collect();
    let private_ca = stored.private_ca.as_deref();
    match chain {
        Ok(chain) => chain_problems(&chain, world.now, names, private_ca, world.system()),
        Err(problem) => {
            findings.push(certificate_finding(&(&problem).into()));
            Vec::new()
        }
    }
}
