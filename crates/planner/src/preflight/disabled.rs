//! Why a client does no TLS at all, or is not shown what servers say: files that it cannot load, and
//! tables that stand between.
//!
//! Owns: these questions (`tls_client_init` and `smtp_helo` of Postfix 3.7, measured in docs/measured.md).
//! Never: opens a file: what was not looked at is taken for good.

use super::Lack;
use super::client::TrustFiles;
use crate::facts::FileLook;
use crate::view::{Service, View};
use std::path::Path;

/// The code of a certificate, or its key, that cannot be loaded.
pub(crate) const CERTIFICATE: &str = "policy.client-certificate-unusable";

/// Certificates, each with its key. A file of `smtp_tls_chain_files` that is missing leaves smtp(8) its TLS.
const PAIRS: [[&str; 2]; 3] = [
    ["tls_cert_file", "tls_key_file"],
    ["tls_dcert_file", "tls_dkey_file"],
    ["tls_eccert_file", "tls_eckey_file"],
];

/// What takes TLS from a client; `value` gives its parameters without their `prefix`.
pub(super) fn disabled(
    view: &View<'_>,
    trust: &TrustFiles,
    prefix: &str,
    value: impl Fn(&str) -> String,
) -> Option<Lack> {
    let bad = |name: &str, path: &str, holds: [&str; 2]| {
        let why = unusable(view, Path::new(path), holds)?;
        let named = format!("{prefix}_{name} = {path}");
        Some(format!("the client does no TLS: {named}: {why}"))
    };
    let certificate = ["-----BEGIN ", "CERTIFICATE-----"];
    if let Some(file) = &trust.file
        && let Some(why) = bad("tls_CAfile", &file.display().to_string(), certificate)
    {
        return Some(Lack::new("policy.ca-file-unusable", why));
    }
    if !value("tls_chain_files").is_empty() {
        return None;
    }
    let mut pairs = PAIRS.iter().filter_map(|[cert, key]| {
        let (file, key_file) = (value(cert), value(key));
        let is_set = !file.is_empty() && file != "none";
        let of_key = || bad(key, &key_file, ["-----BEGIN ", "PRIVATE KEY-----"]);
        is_set
            .then(|| bad(cert, &file, certificate).or_else(of_key))
            .flatten()
    });
    pairs.next().map(|why| Lack::new(CERTIFICATE, why))
}

/// Why the client has no certificate to show, where it is to have one; its TLS goes on without.
pub(super) fn bare(view: &View<'_>, prefix: &str, files: &str) -> Option<String> {
    let mut paths = files
        .split([',', ' ', '\t'])
        .filter(|path| !path.is_empty());
    paths.find_map(|path| {
        let why = unusable(view, Path::new(path), ["-----BEGIN ", "-----"])?;
        Some(format!("{prefix}_tls_chain_files = {path}: {why}"))
    })
}

/// Why a file does not hold what begins and ends so in a line; `None` where it does, or was not looked at.
fn unusable(view: &View<'_>, path: &Path, [begin, end]: [&str; 2]) -> Option<String> {
    match view.facts().files.get(path)? {
        FileLook::File { bytes, .. } => {
            let text = String::from_utf8_lossy(bytes);
            let mut lines = text.lines().map(str::trim_end);
            let holds = lines.any(|line| line.starts_with(begin) && line.ends_with(end));
            let what = match end.trim_end_matches('-') {
                "" => "PEM block".to_owned(),
                words => words.to_lowercase(),
            };
            (!holds).then(|| format!("there is no {what} in it"))
        }
        FileLook::Missing => Some("it is not there".to_owned()),
        FileLook::Directory | FileLook::Special => Some("it is no file".to_owned()),
        FileLook::Unreadable(why) | FileLook::Denied(why) => Some(why.clone()),
        FileLook::TooLarge(_) => None,
    }
}

/// What may hide from a client what servers offer.
pub(super) fn filtered(view: &View<'_>, service: Option<&Service>, lmtp: bool) -> Option<String> {
    let names = match lmtp {
        true => [
            "lmtp_reply_filter",
            "lmtp_discard_lhlo_keyword_address_maps",
        ],
        false => [
            "smtp_reply_filter",
            "smtp_discard_ehlo_keyword_address_maps",
        ],
    };
    let set = names
        .into_iter()
        .find(|name| !view.value(service, name).is_empty())?;
    let value = view.value(service, set);
    Some(format!(
        "{set} = {value} may hide from the client what a server offers, and is not read here"
    ))
}
