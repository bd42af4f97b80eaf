//! Who is taken to vouch for a certificate of the store.
//!
//! Owns: the private CA where one was given with it, else the system's trust anchors; and what
//! is to be done where neither does. Never: takes a certificate that came with the chain as a
//! reason to trust it; reads a file.

use crate::compile::SYSTEM_BUNDLES;
use crate::facts::{Facts, FileLook};
use mailtls::{Anchors, CertProblem, Certificate, Trust};
use std::path::PathBuf;

/// The system's trust anchors, where they could be read.
#[derive(Clone, Debug, Default)]
pub struct SystemTrust(Option<Anchors>);

impl SystemTrust {
    /// The files that systems keep them in; the first one that is there counts.
    pub fn bundles() -> impl Iterator<Item = PathBuf> {
        SYSTEM_BUNDLES.iter().map(PathBuf::from)
    }

    /// Those of the file that was looked at first and is one.
    pub fn of<'l>(looks: impl IntoIterator<Item = &'l FileLook>) -> Self {
        let bytes = looks.into_iter().find_map(|look| match look {
            FileLook::File { bytes, .. } => Some(bytes),
            _ => None,
        });
        let anchors = bytes.and_then(|bytes| Anchors::read(bytes).ok());
        Self(anchors.filter(|anchors| !anchors.is_empty()))
    }

    /// Whether a chain leads to one of them; never where none are known.
    pub fn vouches_for(&self, chain: &[Certificate]) -> bool {
        let anchors = self.0.as_ref();
        anchors.is_some_and(|anchors| mailtls::leads_to(chain, &anchors.of(chain)))
    }

    pub(crate) fn of_facts(facts: &Facts) -> Self {
        Self::of(Self::bundles().filter_map(|path| facts.files.get(&path)))
    }
}

/// Everything wrong with a chain of the store, for a server of these names: as
/// [`mailtls::problems`], with who vouches for it. Where no anchors are known, trust is not judged;
/// but that a lone certificate lacks its intermediate is known all the same: no public CA issues
/// from its root.
pub fn chain_problems(
    chain: &[Certificate],
    now: i64,
    names: &[&str],
    private_ca: Option<&[u8]>,
    system: &SystemTrust,
) -> Vec<CertProblem> {
    let own = private_ca.map(mailtls::cas_from_der);
    let own = own.filter(|cas| !cas.is_empty());
    let alone = matches!(chain, [lone] if !lone.self_signed);
    let anchors: Option<Vec<Certificate>> = match (own, &system.0) {
        (Some(own), _) => Some(own),
        (None, Some(system)) => Some(system.of(chain)),
        (None, None) => alone.then(Vec::new),
    };
    let trust = anchors.as_deref().map_or(Trust::Unknown, Trust::Anchors);
    let mut problems = mailtls::problems(chain, now, names, trust);
    for problem in &mut problems {
        if let Some(remedy) = remedy(problem, chain) {
            problem.remedy = remedy;
        }
    }
    problems
}

/// Whether a chain is a CA that issues and that no server can be meant to present: alone, its own
/// issuer, and either not allowed to sign handshakes or without the name of a host. What
/// `openssl req -x509` makes says CA:TRUE too, and is a server's all the same.
pub fn is_issuing_ca(chain: &[Certificate]) -> bool {
    let [lone] = chain else {
        return false;
    };
    let is_host = |name: &String| name.contains('.') && mailtls::host_name(name).is_some();
    let of_host = !lone.dns_names.is_empty() || lone.common_name.as_ref().is_some_and(is_host);
    lone.is_ca && lone.self_signed && (lone.only_issues() || !of_host)
}

/// Whether a problem of this code is that nobody vouches for the chain.
pub(crate) fn is_about_trust(code: &str) -> bool {
    let codes = [
        "cert.chain-incomplete",
        "cert.issuer-unknown",
        "cert.untrusted",
    ];
    codes.contains(&code)
}

/// What to do in Postseal's words.
fn remedy(problem: &CertProblem, chain: &[Certificate]) -> Option<String> {
    match problem.code {
        "cert.chain-incomplete" => {
            let url = chain.last().and_then(|top| top.issuer_url.as_ref());
            let from = url.map(|url| format!(" (from {url})")).unwrap_or_default();
            Some(format!(
                "Import it anew with its intermediate certificate{from}: `--chain FILE`; if a CA of \
                 your own issued it, say so: `--private-ca FILE`."
            ))
        }
        "cert.issuer-unknown" => Some(
            "If that is a CA of your own, import it anew with `--private-ca FILE`, and have your \
             peers trust it; else get a certificate from a public CA."
                .to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
