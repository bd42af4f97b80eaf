//! Bound certificates, and the certificate-less server.
//!
//! Owns: where a stored certificate's file stands and which parameters name it. Never: looks
//! into a certificate (`rules::certificates` does).
//!
//! From Postfix 3.4 on a key and its chain are one file, key first (`smtpd_tls_chain_files`), so
//! that a renewal is one rename; before, the same file serves as certificate and key file. The
//! file's name holds the fingerprint: an older certificate's file is never overwritten, and going
//! back to it is an edit of main.cf alone.

use super::{Ground, Target, Targets, refuse, services};
use crate::Refusal;
use crate::facts::{Facts, StoredCertificate};
use crate::intent::{Binding, Key};
use mailtls::Fingerprint;
use std::path::{Path, PathBuf};

const CHAIN_FILES: &str = "smtpd_tls_chain_files";
const LEGACY: [&str; 6] = [
    "smtpd_tls_cert_file",
    "smtpd_tls_key_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_eckey_file",
    "smtpd_tls_dcert_file",
    "smtpd_tls_dkey_file",
];

/// Where the key and chain of a stored certificate stand.
pub(crate) fn chain_path(directory: &Path, name: &str, fingerprint: &Fingerprint) -> PathBuf {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    directory
        .join("postseal.d")
        .join(format!("{name}-{}.pem", fingerprint.prefix(4)))
}

/// The stored certificate whose file stands at `path`.
pub(crate) fn stored_at<'a>(facts: &'a Facts, path: &Path) -> Option<&'a StoredCertificate> {
    facts.certificates.iter().find(|stored| {
        chain_path(&facts.config_directory, &stored.name, &stored.fingerprint) == path
    })
}

/// The files of the bound certificates, in their order.
pub(crate) fn chain_paths(ground: &Ground<'_>) -> Vec<PathBuf> {
    let directory = &ground.facts.config_directory;
    ground
        .intent
        .bindings
        .iter()
        .map(|bound| chain_path(directory, &bound.name, &bound.fingerprint))
        .collect()
}

/// Adds the targets of bindings and of `inbound-certificate=none`.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let anonymous = ground
        .intent
        .settings
        .contains_key(&Key::InboundCertificate);
    match (anonymous, ground.intent.bindings.first()) {
        (false, None) => return Ok(()),
        (true, Some(bound)) => return Err(both(bound)),
        (true, None) => none(targets),
        (false, Some(_)) => bound(ground, targets)?,
    }
    for name in LEGACY.iter().chain([&CHAIN_FILES]) {
        services::follow(ground, services::Who::Servers, name, targets);
    }
    Ok(())
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

fn none(targets: &mut Targets) {
    clear(targets);
    targets.main("smtpd_tls_cert_file", Target::value("none"));
}

fn bound(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let paths: Vec<String> = chain_paths(ground)
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    if paths
        .iter()
        .any(|path| path.contains(|c: char| c.is_whitespace() || c == ',' || c == '$'))
    {
        return Err(refuse(
            "cert.unusable-path",
            format!(
                "The configuration directory {} holds a blank, a comma or a `$`, which a list of \
                 files in main.cf cannot.",
                ground.facts.config_directory.display()
            ),
            "Move the instance to a directory with a plain name.",
        ));
    }
    clear(targets);
    if ground.facts.version.at_least(3, 4) {
        targets.main(CHAIN_FILES, Target::value(paths.join(", ")));
    } else {
        legacy(&paths, targets)?;
    }
    Ok(())
}

/// Before 3.4 there is room for one RSA certificate and one ECDSA certificate; OpenSSL itself
/// tells which one a file holds, and takes either in either place.
fn legacy(paths: &[String], targets: &mut Targets) -> Result<(), Refusal> {
    let places = [
        ("smtpd_tls_cert_file", "smtpd_tls_key_file"),
        ("smtpd_tls_eccert_file", "smtpd_tls_eckey_file"),
    ];
    if paths.len() > places.len() {
        return Err(refuse(
            "cert.too-many",
            "Postfix before 3.4 can present two certificates (RSA and ECDSA), more are bound.",
            "`postseal cert unbind NAME` until two are left.",
        ));
    }
    for (path, (cert, key)) in paths.iter().zip(places) {
        targets.main(cert, Target::value(path));
        targets.main(key, Target::value(path));
    }
    Ok(())
}

fn clear(targets: &mut Targets) {
    for name in LEGACY.iter().chain([&CHAIN_FILES]) {
        targets.main(name, Target::Absent);
    }
}
