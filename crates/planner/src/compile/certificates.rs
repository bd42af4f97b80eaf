//! Bound certificates, and the certificate-less server.
//!
//! Owns: where a stored certificate's file stands and which parameters name it, for all servers,
//! for those on one port, and for the client. Names asked for by clients are `sni`'s. Never: looks
//! into a certificate (`rules::certificates` does).
//!
//! From Postfix 3.4 on a key and its chain are one file, key first (`smtpd_tls_chain_files`), so
//! that a renewal is one rename; before, the same file serves as certificate and key file. The
//! file's name holds the fingerprint: an older certificate's file is never overwritten, and going
//! back to it is an edit of main.cf alone.

use super::{Ground, Target, Targets, refuse, services, sni};
use crate::Refusal;
use crate::facts::{Facts, StoredCertificate};
use crate::intent::{Binding, Intent, Key, Owned, Place};
use crate::view::View;
use mailtls::Fingerprint;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folder in the configuration directory where keys, chains and maps are installed.
pub(super) const FOLDER: &str = "postseal.d";

/// The parameters that name certificates, of the server or of the client.
struct Names {
    chain_files: &'static str,
    legacy: [&'static str; 6],
}

const SERVER: Names = Names {
    chain_files: "smtpd_tls_chain_files",
    legacy: [
        "smtpd_tls_cert_file",
        "smtpd_tls_key_file",
        "smtpd_tls_eccert_file",
        "smtpd_tls_eckey_file",
        "smtpd_tls_dcert_file",
        "smtpd_tls_dkey_file",
    ],
};
const CLIENT: Names = Names {
    chain_files: "smtp_tls_chain_files",
    legacy: [
        "smtp_tls_cert_file",
        "smtp_tls_key_file",
        "smtp_tls_eccert_file",
        "smtp_tls_eckey_file",
        "smtp_tls_dcert_file",
        "smtp_tls_dkey_file",
    ],
};

impl Names {
    fn all(&self) -> impl Iterator<Item = &'static str> {
        self.legacy.into_iter().chain([self.chain_files])
    }
}

/// Every parameter that names key and certificate files, of the server and of the client.
pub(crate) fn file_parameters() -> impl Iterator<Item = &'static str> {
    SERVER.all().chain(CLIENT.all())
}

/// Those of the server.
pub(super) fn server_parameters() -> impl Iterator<Item = &'static str> {
    SERVER.all()
}

/// Whether the parameters of a binding's place name this file. Names that clients ask for stand in
/// a map (`sni`).
pub(crate) fn names_file(owned: &Owned, place: &Place, path: &Path) -> bool {
    let in_values = |names: &Names, values: &BTreeMap<String, String>| {
        let values = names.all().filter_map(|name| values.get(name));
        let mut files = values.flat_map(|value| postfix_cf::elements(value));
        files.any(|file| Path::new(file) == path)
    };
    let of_services = |names: &Names, is_it: &dyn Fn(&str) -> bool| {
        let mut services = owned.services.iter();
        services.any(|(id, values)| is_it(id) && in_values(names, values))
    };
    match place {
        Place::Server => in_values(&SERVER, &owned.main),
        Place::Client(None) => in_values(&CLIENT, &owned.main),
        Place::Port(port) => of_services(&SERVER, &|id| super::exempt::on_port(id) == Some(*port)),
        Place::Client(Some(transport)) => of_services(&CLIENT, &|id| {
            id.rsplit_once('/')
                .is_some_and(|(name, _)| name == transport)
        }),
        Place::Sni(_) => false,
    }
}

/// The files of an administrator's that stand below the last binding of a place, and are presented
/// again without it: by place.
pub(crate) fn below(intent: &Intent, place: &Place) -> Vec<String> {
    let named = |names: &Names, values: &BTreeMap<String, String>| -> Vec<String> {
        let of = |name: &str| {
            let value = values.get(name).map_or("", String::as_str);
            postfix_cf::elements(value).map(str::to_owned)
        };
        let mut files: Vec<String> = of(names.chain_files).collect();
        // Beside chain files Postfix ignores the others.
        if files.is_empty() {
            let certificates = names
                .legacy
                .iter()
                .filter(|name| !name.ends_with("key_file"));
            for file in certificates
                .flat_map(|name| of(name))
                .filter(|file| file != "none")
            {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        files
    };
    let adopted = &intent.adopted;
    match place {
        Place::Server => named(&SERVER, &adopted.main),
        Place::Client(None) => named(&CLIENT, &adopted.main),
        Place::Port(port) => {
            let services = adopted.services.iter();
            let its = services.filter(|(id, _)| super::exempt::on_port(id) == Some(*port));
            let its: BTreeSet<String> =
                its.flat_map(|(_, values)| named(&SERVER, values)).collect();
            its.into_iter().collect()
        }
        Place::Client(Some(_)) | Place::Sni(_) => Vec::new(),
    }
}

/// The folder where keys, chains and maps of an instance are installed.
pub fn folder(directory: &Path) -> PathBuf {
    directory.join(FOLDER)
}

/// Whether a parameter's value names a file that Postseal installed.
pub(crate) fn is_installed(value: &str) -> bool {
    value.contains(&format!("/{FOLDER}/"))
}

/// Where the key and chain of a stored certificate stand, in a configuration directory.
pub fn installed_at(directory: &Path, name: &str, fingerprint: &Fingerprint) -> PathBuf {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    folder(directory).join(format!("{name}-{}.pem", fingerprint.prefix(4)))
}

/// The stored certificate whose file stands at `path`.
pub(crate) fn stored_at<'a>(facts: &'a Facts, path: &Path) -> Option<&'a StoredCertificate> {
    if !path.starts_with(folder(&facts.config_directory)) {
        return None;
    }
    facts.certificates.iter().find(|stored| {
        installed_at(&facts.config_directory, &stored.name, &stored.fingerprint) == path
    })
}

/// Where the certificate of a binding stands.
pub(crate) fn bound_path(facts: &Facts, bound: &Binding) -> PathBuf {
    installed_at(&facts.config_directory, &bound.name, &bound.fingerprint)
}

/// Adds the targets of bindings and of `inbound-certificate=none`.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let mut places: BTreeMap<&Place, Vec<String>> = BTreeMap::new();
    for bound in &ground.intent.bindings {
        let path = plain_path(&bound_path(ground.facts, bound))?;
        places.entry(&bound.place).or_default().push(path);
    }
    let anonymous = ground
        .intent
        .settings
        .contains_key(&Key::InboundCertificate);
    match (anonymous, of_servers(ground)) {
        (true, Some(bound)) => return Err(both(bound)),
        (true, None) => none(ground, targets),
        (false, _) => {}
    }
    for (place, paths) in &places {
        match place {
            Place::Server => server(ground, paths, targets)?,
            Place::Port(_) | Place::Client(Some(_)) => {}
            Place::Client(None) => in_main(ground, &CLIENT, paths, targets)?,
            Place::Sni(_) => {}
        }
    }
    sni::compile(ground, targets)?;
    // What is said of one service comes after what is said of all.
    for (place, paths) in &places {
        match place {
            Place::Port(port) => on_port(ground, *port, paths, targets)?,
            Place::Client(Some(transport)) => of_transport(ground, transport, paths, targets)?,
            Place::Server | Place::Client(None) | Place::Sni(_) => {}
        }
    }
    Ok(())
}

fn of_servers<'a>(ground: &Ground<'a>) -> Option<&'a Binding> {
    let mut bindings = ground.intent.bindings.iter();
    bindings.find(|bound| !matches!(bound.place, Place::Client(_)))
}

fn both(bound: &Binding) -> Refusal {
    refuse(
        "cert.none-and-bound",
        format!(
            "inbound-certificate=none is wanted, and the certificate {} is bound.",
            bound.name
        ),
        format!(
            "`postseal unset inbound-certificate`, or `postseal cert unbind {}`.",
            bound.name
        ),
    )
}

fn none(ground: &Ground<'_>, targets: &mut Targets) {
    for name in SERVER.all() {
        targets.main(name, Target::Absent);
    }
    targets.main("smtpd_tls_cert_file", Target::value("none"));
    follow(ground, targets);
}

fn server(ground: &Ground<'_>, paths: &[String], targets: &mut Targets) -> Result<(), Refusal> {
    in_main(ground, &SERVER, paths, targets)?;
    follow(ground, targets);
    Ok(())
}

fn follow(ground: &Ground<'_>, targets: &mut Targets) {
    for name in SERVER.all() {
        services::follow(ground, services::Who::Servers, name, targets);
    }
}

fn in_main(
    ground: &Ground<'_>,
    names: &Names,
    paths: &[String],
    targets: &mut Targets,
) -> Result<(), Refusal> {
    for (name, target) in parameters(ground, names, paths)? {
        targets.main(name, target);
    }
    Ok(())
}

/// The servers on one port, also one that the same change switches on.
fn on_port(
    ground: &Ground<'_>,
    port: u16,
    paths: &[String],
    targets: &mut Targets,
) -> Result<(), Refusal> {
    let view = View::new(ground.main, ground.master, ground.facts);
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for service in view.servers().filter(|server| server.port() == Some(port)) {
        if service.command == "postscreen" {
            return Err(behind_postscreen(port));
        }
        ids.insert(service.id.clone());
    }
    let usual: &[&str] = match port {
        25 => &["smtp"],
        465 => &["smtps", "submissions"],
        587 => &["submission"],
        _ => &[],
    };
    ids.extend(usual.iter().map(|name| format!("{name}/inet")));
    ids.insert(format!("{port}/inet"));
    let wanted = parameters(ground, &SERVER, paths)?;
    for id in ids {
        for (name, target) in &wanted {
            targets.service(&id, name, target.clone());
        }
    }
    Ok(())
}

/// tlsproxy(8) shakes hands for postscreen(8), and it serves all ports.
fn behind_postscreen(port: u16) -> Refusal {
    refuse(
        "cert.port-behind-postscreen",
        format!("Port {port} is served by postscreen(8), which has no certificate of its own."),
        "Bind this certificate to all services (without --service), and others to ports 465 and \
         587.",
    )
}

/// One SMTP client of master.cf.
fn of_transport(
    ground: &Ground<'_>,
    transport: &str,
    paths: &[String],
    targets: &mut Targets,
) -> Result<(), Refusal> {
    let view = View::new(ground.main, ground.master, ground.facts);
    let clients = view.services.iter().filter(|s| s.is_smtp_client());
    let Some(client) = clients.clone().find(|client| client.name == transport) else {
        let known: Vec<String> = clients.map(|client| client.name.clone()).collect();
        return Err(refuse(
            "cert.unknown-transport",
            format!("master.cf has no SMTP client named {transport}."),
            format!("It has {}.", crate::words::list(&known)),
        ));
    };
    for (name, target) in parameters(ground, &CLIENT, paths)? {
        targets.service(&client.id, name, target);
    }
    Ok(())
}

/// What the parameters of one side become. Before 3.4 there is room for one RSA certificate and
/// one ECDSA certificate; OpenSSL itself tells which one a file holds, so that a single one may
/// stand in the first place, whatever its kind.
fn parameters(
    ground: &Ground<'_>,
    names: &Names,
    paths: &[String],
) -> Result<BTreeMap<&'static str, Target>, Refusal> {
    let mut wanted: BTreeMap<&str, Target> =
        names.all().map(|name| (name, Target::Absent)).collect();
    if ground.facts.version.at_least(3, 4) {
        wanted.insert(names.chain_files, Target::value(paths.join(", ")));
        return Ok(wanted);
    }
    let places = [
        [names.legacy[0], names.legacy[1]],
        [names.legacy[2], names.legacy[3]],
    ];
    if paths.len() > places.len() {
        return Err(refuse(
            "cert.too-many",
            "Postfix before 3.4 can present two certificates (RSA and ECDSA), more are bound.",
            "`postseal cert unbind NAME` until two are left.",
        ));
    }
    for (path, pair) in rsa_first(ground, paths).into_iter().zip(places) {
        for name in pair {
            wanted.insert(name, Target::value(path));
        }
    }
    Ok(wanted)
}

/// The order of the legacy parameters: the RSA certificate has the first place, as their names say.
fn rsa_first<'p>(ground: &Ground<'_>, paths: &'p [String]) -> Vec<&'p String> {
    let is_other = |path: &&String| {
        let leaf = stored_at(ground.facts, Path::new(path)).and_then(|stored| stored.chain.first());
        let leaf = leaf.and_then(|der| mailtls::Summary::read(der).ok());
        !leaf.is_some_and(|leaf| matches!(leaf.key, mailtls::KeyKind::Rsa { .. }))
    };
    let mut ordered: Vec<&String> = paths.iter().collect();
    ordered.sort_by_key(is_other);
    ordered
}

/// A path that can stand in a list of files.
pub(super) fn plain_path(path: &Path) -> Result<String, Refusal> {
    let text = path.display().to_string();
    if text.contains(|c: char| c.is_whitespace() || c == ',' || c == '$') {
        return Err(refuse(
            "cert.unusable-path",
            format!(
                "{text} holds a blank, a comma or a `$`, which a list of files in main.cf cannot."
            ),
            "Move the instance to a directory with a plain name.",
        ));
    }
    Ok(text)
}
