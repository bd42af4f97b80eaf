//! A store of many certificates: the list, and the scan for what expires.

use crate::chains::Authority;
use crate::site::Site;
use crate::{Outcome, postseal, section};
use postseal_store::{NewCertificate, SqliteStore, Store, Succession};
use xtask::bench::{Contender, Rounds, Section, Series, compare, seconds};

const SIZES: [usize; 2] = [1_000, 10_000];

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    let sites = SIZES.map(|count| filled(&program, count));
    let mut all = Vec::new();
    for (site, count) in sites.iter().zip(SIZES) {
        let site = site.as_ref().map_err(ToString::to_string)?;
        let list = site.postseal(&["cert", "list", "--json"]);
        all.push(Contender::new(
            &format!("`cert list --json`, {count}"),
            [list],
        ));
        let check = site.postseal(&["cert", "check"]).or_exit(2);
        all.push(Contender::new(&format!("`cert check`, {count}"), [check]));
    }
    let found = compare(&mut all, rounds)?;
    drop(all);
    Ok(section(
        "store",
        "A store of certificates, each with a chain of two and a sealed key. Ratio: to the same \
         command on a tenth of them.",
        &["command", "wall", "ratio", "CPU", "peak", "limit"],
        rows(&found),
    ))
}

fn rows(found: &[Series]) -> Vec<Vec<String>> {
    let limits = ["", "", "≤ 0.5 s, ≤ 64 MB", "linear: about 10"];
    let row = |(at, (one, limit)): (usize, (&Series, &str))| {
        let tenth = at.checked_sub(2).and_then(|at| found.get(at));
        vec![
            one.name.clone(),
            seconds(one.wall()),
            tenth.map_or_else(String::new, |base| format!("{:.1}", one.wall_ratio(base))),
            seconds(one.cpu()),
            format!("{:.1} MiB", one.peak() as f64 / f64::from(1 << 20)),
            limit.to_owned(),
        ]
    };
    found.iter().zip(limits).enumerate().map(row).collect()
}

/// An adopted instance whose store holds `count` certificates.
fn filled(program: &std::path::Path, count: usize) -> Outcome<Site> {
    let site = Site::new(program)?;
    site.postseal(&["init"]).run()?;
    let authority = Authority::new()?;
    let mut store = SqliteStore::open(&site.store())?;
    for n in 0..count {
        let issued = authority.issue(&[format!("mail{n}.example.net")])?;
        let chain = mailtls::pem_certificates(issued.fullchain_pem().as_bytes())?;
        let key = mailtls::PrivateKey::parse(issued.key_pem.as_bytes())?;
        store.put_certificate(&NewCertificate {
            name: format!("mail{n}"),
            chain: chain.into_iter().map(|one| one.der).collect(),
            key: Some(key.to_pem()?),
            private_ca: None,
            source: "bench".to_owned(),
            added_ms: 0,
            file_digest: None,
            succession: Succession::First,
        })?;
    }
    Ok(site)
}
