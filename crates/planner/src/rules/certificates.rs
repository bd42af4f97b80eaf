//! Certificates of servers: one is there, it can be loaded, and peers can make use of it.
//!
//! Owns: judging by content, never by a name or a number. Never: reads a file; Facts hold them.
//!
//! A self-signed certificate is refused even where TLS is optional, because that is where it
//! stays unnoticed; `--allow-self-signed` at the binding accepts it there, and only there.

use super::anonymous::{ON_PUBLIC_25, none_for_clients};
use super::bindings::{accepting, missing_key};
use super::{World, error};
use crate::certificate::{certificate_finding, only_clients, told_to_clients};
use crate::compile::{bound_path, stored_at};
use crate::expect::{Configured, Pair, configured, form_of, speaker};
use crate::facts::StoredCertificate;
use crate::intent::{Binding, Place};
use crate::trust::chain_problems;
use crate::view::{Service, View, is_public};
use crate::{Finding, Severity};
use mailtls::{Certificate, Trust};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    let mut users: BTreeMap<Configured, Vec<&Service>> = BTreeMap::new();
    for service in world.view.servers() {
        let speaker = speaker(&world.view, service);
        if world.view.offers_tls(speaker) {
            let named = configured(&world.view, speaker, world.facts);
            users.entry(named).or_default().push(speaker);
        }
    }
    for (named, services) in &users {
        match named {
            Configured::Nothing => findings.push(nothing(services)),
            Configured::Anonymous => anonymous(world, services, findings),
            Configured::Chain(_) | Configured::Pairs(_) => {
                files(world, named, services, findings);
            }
        }
    }
    client_certificates(world, findings);
}

fn names(services: &[&Service]) -> String {
    let names: Vec<String> = services
        .iter()
        .map(|service| service.name.clone())
        .collect();
    crate::words::list(&names)
}

fn nothing(services: &[&Service]) -> Finding {
    error(
        "level.no-certificate",
        format!(
            "TLS is offered by {}, but no certificate is configured: STARTTLS would be \
             advertised and then fail (454), and senders would fall back to cleartext.",
            names(services)
        ),
        "Give it a certificate: `postseal cert import NAME …`, then `postseal cert bind NAME`.",
    )
}

fn anonymous(world: &World<'_>, services: &[&Service], findings: &mut Vec<Finding>) {
    if !public_mx(&world.view, is_public).is_empty() {
        findings.push(ON_PUBLIC_25.says(ON_PUBLIC_25.why));
    }
    let for_clients: Vec<&Service> = services
        .iter()
        .copied()
        .filter(|service| world.view.for_mail_clients(service))
        .collect();
    if !for_clients.is_empty() {
        findings.push(none_for_clients(&names(&for_clients)));
    }
    if services.iter().any(|service| asks(&world.view, service)) {
        findings.push(error(
            "client-certs.needs-certificate",
            "A server that asks for client certificates cannot be without one itself (anonymous \
             ciphers are off then).",
            "`postseal set client-certs=off`, or bind a certificate.",
        ));
    }
}

fn asks(view: &View<'_>, service: &Service) -> bool {
    ["smtpd_tls_ask_ccert", "smtpd_tls_req_ccert"]
        .iter()
        .any(|name| view.is_yes(Some(service), name))
}

fn files(
    world: &World<'_>,
    named: &Configured,
    services: &[&Service],
    findings: &mut Vec<Finding>,
) {
    let paths = match named {
        Configured::Chain(files) => files.clone(),
        Configured::Pairs(pairs) => pairs.iter().map(|pair| pair.cert.clone()).collect(),
        Configured::Anonymous | Configured::Nothing => Vec::new(),
    };
    let bound = |path: &&PathBuf| {
        let mut bindings = world.intent.bindings.iter();
        bindings.any(|bound| bound_path(world.facts, bound) == **path)
    };
    let mut others = 0;
    for path in &paths {
        match stored_at(world.facts, path) {
            Some(stored) => stored_chain(world, stored, services, findings),
            // `bindings` says that the store does not have it.
            None if bound(&path) => {}
            None => others += 1,
        }
    }
    if others == 0 {
        return;
    }
    let together: Vec<Vec<PathBuf>> = match named {
        Configured::Pairs(pairs) => {
            let both = |pair: &Pair| vec![pair.cert.clone(), pair.key.clone()];
            pairs.iter().map(both).collect()
        }
        _ => vec![paths],
    };
    let loaded = form_of(named, world.facts).unwrap_or_default();
    for (loaded, files) in loaded.into_iter().zip(together) {
        for (file, problem) in loaded.by_file() {
            let path = files.get(file).map(|path| path.display().to_string());
            findings.push(certificate_finding(problem).seen(path.unwrap_or_default()));
        }
        // What stands first is not the server's: what could be said of it is not the cause.
        if loaded.is_misordered() {
            continue;
        }
        let origin = match is_adopted(world, named) {
            true => Origin::Adopted,
            false => Origin::Named,
        };
        for chain in loaded.chains {
            judge(
                world,
                &chain,
                (&origin, Vouched::Unknown),
                services,
                findings,
            );
        }
    }
}

/// A certificate of the store: what will be on disk is known without looking there.
fn stored_chain(
    world: &World<'_>,
    stored: &StoredCertificate,
    services: &[&Service],
    findings: &mut Vec<Finding>,
) {
    if !stored.has_key {
        findings.push(missing_key(stored));
    }
    let chain: Result<Vec<Certificate>, _> = stored
        .chain
        .iter()
        .map(|der| Certificate::parse(der))
        .collect();
    let bound = bound_at(world, stored, services);
    let origin = match bound.is_empty() {
        true => Origin::Named,
        false => Origin::Bound(bound),
    };
    let vouched = Vouched::By(stored.private_ca.as_deref());
    match chain {
        Ok(chain) => judge(world, &chain, (&origin, vouched), services, findings),
        Err(problem) => findings.push(certificate_finding(&(&problem).into())),
    }
}

/// The bindings by which these services present a certificate: those of their ports, and that of all
/// servers where one has none of its own.
fn bound_at<'a>(
    world: &World<'a>,
    stored: &StoredCertificate,
    services: &[&Service],
) -> Vec<&'a Binding> {
    let bindings = || {
        let all = world.intent.bindings.iter();
        all.filter(|bound| bound.fingerprint == stored.fingerprint)
    };
    let mut found: Vec<&Binding> = Vec::new();
    for service in services {
        let own = service.port().map(Place::Port);
        let own = bindings().find(|bound| Some(&bound.place) == own.as_ref());
        let one = own.or_else(|| bindings().find(|bound| bound.place == Place::Server));
        found.extend(one.filter(|one| !found.contains(one)));
    }
    if found.is_empty() {
        // The one that speaks for a port need not have it: behind postscreen(8) it has none.
        let on_server = |bound: &&Binding| matches!(bound.place, Place::Server | Place::Port(_));
        found.extend(bindings().filter(on_server));
    }
    found
}

/// How a certificate came to be presented.
enum Origin<'a> {
    /// Bound from the store, in these places.
    Bound(Vec<&'a Binding>),
    /// Its file was configured before Postseal came.
    Adopted,
    /// A setting names its file.
    Named,
}

/// Whether these files are those of the adopted configuration.
fn is_adopted(world: &World<'_>, named: &Configured) -> bool {
    let files: Vec<String> = match named {
        Configured::Chain(files) => files.iter().map(|p| p.display().to_string()).collect(),
        Configured::Pairs(pairs) => pairs.iter().map(|p| p.cert.display().to_string()).collect(),
        Configured::Anonymous | Configured::Nothing => Vec::new(),
    };
    let adopted = &world.intent.adopted;
    let values: Vec<&String> = adopted
        .main
        .values()
        .chain(adopted.services.values().flat_map(BTreeMap::values))
        .collect();
    let known = |file: &String| values.iter().any(|value| value.contains(file.as_str()));
    files.iter().all(known)
}

/// Who is to vouch for a certificate.
#[derive(Clone, Copy)]
enum Vouched<'a> {
    /// Nobody knows: it is not the store's.
    Unknown,
    /// The private CA that was given with it, else the system's anchors.
    By(Option<&'a [u8]>),
}

fn judge(
    world: &World<'_>,
    chain: &[Certificate],
    (origin, vouched): (&Origin<'_>, Vouched<'_>),
    services: &[&Service],
    findings: &mut Vec<Finding>,
) {
    let host = world.view.value(None, "myhostname");
    let exchangers = super::dane::hosts(&world.view);
    let only_clients = only_clients(services);
    let mut hosts: Vec<&str> = match only_clients {
        true => Vec::new(),
        false => exchangers.iter().map(String::as_str).collect(),
    };
    if !host.is_empty() && mailtls::host_name(&host).is_none_or(|name| !exchangers.contains(&name))
    {
        hosts.insert(0, &host);
    }
    let optional = !services
        .iter()
        .any(|service| world.view.demands_tls(service));
    let problems = match vouched {
        Vouched::Unknown => mailtls::problems(chain, world.now, &hosts, Trust::Unknown),
        Vouched::By(ca) => chain_problems(chain, world.now, &hosts, ca, world.system()),
    };
    for problem in problems {
        let mut finding = match (problem.code, chain.first()) {
            ("cert.name-mismatch", Some(leaf)) if only_clients => told_to_clients(leaf, &host),
            _ => certificate_finding(&problem),
        };
        if matches!(problem.code, "cert.self-signed" | "cert.system-certificate") {
            self_signed(&mut finding, origin, optional);
        }
        findings.push(finding.seen(format!("presented by {}", names(services))));
    }
}

/// A certificate that nobody can verify: accepted where TLS is optional and it was accepted in
/// so many words, or was there before.
fn self_signed(finding: &mut Finding, origin: &Origin<'_>, optional: bool) {
    finding.remedy = match origin {
        Origin::Bound(bound) => {
            let open = bound.iter().filter(|bound| !bound.allow_self_signed);
            let open: Vec<&Binding> = open.copied().collect();
            match (open.is_empty(), optional) {
                (true, true) => {
                    finding.severity = Severity::Info;
                    return;
                }
                (true, false) => "--allow-self-signed is for optional TLS only; where TLS is \
                     required, mail clients refuse it. Get a certificate from a CA."
                    .to_owned(),
                (false, true) => accepting(&open),
                (false, false) => {
                    "Get a certificate from a CA: where TLS is required, mail clients \
                     refuse one that nobody vouches for."
                        .to_owned()
                }
            }
        }
        Origin::Adopted | Origin::Named => {
            "Get a certificate from a CA, import and bind it.".to_owned()
        }
    };
    if matches!(origin, Origin::Adopted) && optional {
        finding.severity = Severity::Warning;
    }
}

fn client_certificates(world: &World<'_>, findings: &mut Vec<Finding>) {
    let view = &world.view;
    let ignored: Vec<&Service> = view
        .servers()
        .filter(|service| view.is_yes(Some(service), "smtpd_tls_req_ccert"))
        .filter(|service| view.offers_tls(service) && !view.demands_tls(service))
        .collect();
    if !ignored.is_empty() {
        findings.push(error(
            "level.client-certificate-not-required",
            format!(
                "Client certificates are required, but TLS is optional on {}: Postfix ignores \
                 the requirement and warns at every connection.",
                names(&ignored)
            ),
            "`postseal set client-certs=ask`, or `inbound=encrypt`.",
        ));
    }
}

/// The servers on port 25 that are reachable at an address of this kind.
pub(crate) fn public_mx<'v>(
    view: &'v View<'_>,
    kind: impl Fn(std::net::IpAddr) -> bool,
) -> Vec<&'v Service> {
    view.servers()
        .filter(|service| service.port() == Some(25))
        .filter(|service| {
            view.addresses(service)
                .iter()
                .any(|address| kind(address.ip()))
        })
        .collect()
}
