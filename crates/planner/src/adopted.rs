//! Certificates that are presented from files that are not the store's: as they were adopted, or as somebody
//! wrote them.
//!
//! Owns: which they are, and what time and strength do to them. Never: who vouches for them, which
//! adoption took as it was, or what is in the store.

use crate::certificate::certificate_finding;
use crate::compile::stored_at;
use crate::expect::{Configured, configured, form_of, speaker};
use crate::facts::Facts;
use crate::view::View;
use crate::{Finding, Severity};
use mailtls::{Certificate, Gravity, Trust};
use postfix_cf::{MainCf, MasterCf};
use std::path::{Path, PathBuf};

/// What is told of them. The rest was so when they were adopted, and lint tells it.
const TOLD: [&str; 7] = [
    "cert.expired",
    "cert.not-yet-valid",
    "cert.expiring",
    "cert.issuer-expired",
    "cert.weak-key",
    "cert.weak-signature",
    "cert.too-long",
];

/// A certificate that servers present from a file that is not the store's.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// Where it stands.
    pub path: PathBuf,
    /// The server's own.
    pub leaf: Certificate,
    /// The services that present it.
    pub services: Vec<String>,
    /// The certificates of the store that are the same one, by name. Whoever knows the store fills
    /// it in.
    pub same_as: Vec<String>,
    /// What is wrong with it now.
    pub problems: Vec<Finding>,
}

/// Those that the files of an instance name, by path.
pub fn adopted(facts: &Facts, now_unix: i64) -> Vec<Adopted> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let mut all: Vec<Adopted> = Vec::new();
    for service in view.servers() {
        let speaker = speaker(&view, service);
        if !view.offers_tls(speaker) {
            continue;
        }
        for (path, alone) in each(&configured(&view, speaker, facts)) {
            if stored_at(facts, &path).is_some() {
                continue;
            }
            for leaf in chains(&alone, facts) {
                add(&mut all, (&path, leaf), &service.id, now_unix);
            }
        }
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

/// File by file, or pair by pair.
fn each(named: &Configured) -> Vec<(PathBuf, Configured)> {
    match named {
        Configured::Anonymous | Configured::Nothing => Vec::new(),
        Configured::Chain(files) => {
            let alone = |path: &PathBuf| (path.clone(), Configured::Chain(vec![path.clone()]));
            files.iter().map(alone).collect()
        }
        Configured::Pairs(pairs) => pairs
            .iter()
            .map(|pair| (pair.cert.clone(), Configured::Pairs(vec![pair.clone()])))
            .collect(),
    }
}

fn chains(named: &Configured, facts: &Facts) -> Vec<Vec<Certificate>> {
    let loaded = form_of(named, facts).unwrap_or_default().into_iter();
    let chains = loaded.flat_map(|loaded| loaded.chains);
    chains.filter(|chain| !chain.is_empty()).collect()
}

fn add(all: &mut Vec<Adopted>, (path, chain): (&Path, Vec<Certificate>), service: &str, now: i64) {
    let Some(leaf) = chain.first() else { return };
    let mut known = all.iter_mut();
    let known = known.find(|one| one.path == path && one.leaf.der == leaf.der);
    if let Some(one) = known {
        if !one.services.iter().any(|known| known == service) {
            one.services.push(service.to_owned());
        }
        return;
    }
    let problems = mailtls::problems(&chain, now, &[], Trust::Unknown);
    let told = problems.iter().filter(|one| TOLD.contains(&one.code));
    let problems = told.map(|problem| {
        let mut finding = certificate_finding(problem);
        // To those who look after it, one that ends soon is urgent.
        if problem.gravity == Gravity::Error {
            finding.severity = Severity::Error;
        }
        finding.remedy = format!(
            "Renew it in {} and reload, or `postseal cert import` and `postseal cert bind` one that \
             Postseal keeps.",
            path.display()
        );
        finding
    });
    all.push(Adopted {
        path: path.to_owned(),
        leaf: leaf.clone(),
        services: vec![service.to_owned()],
        same_as: Vec::new(),
        problems: problems.collect(),
    });
}
