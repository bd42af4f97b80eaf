//! Grades of what a full look showed: the levels of NCSC-NL's guidelines and Mozilla's profiles.
//!
//! Owns: the tables. NCSC-NL is “ICT-beveiligingsrichtlijnen voor Transport Layer Security” 2025-05,
//! Mozilla “Server Side TLS” 6.0. Never: grades what was not seen: that stays undetermined.

use super::{DhSeen, Full, GroupsSeen, Seen, SuiteSeen, VersionSeen};
use mailtls::{Certificate, KeyKind, TlsVersion};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A level of NCSC-NL 2025-05; ordered from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ncsc {
    /// Good for the years to come.
    Good,
    /// Safe now.
    Sufficient,
    /// Known to become unsafe.
    PhaseOut,
    /// Not to be used. In opportunistic TLS it is still more than none (RFC 7435 §3).
    Insufficient,
}

impl fmt::Display for Ncsc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Sufficient => "sufficient",
            Self::PhaseOut => "phase out",
            Self::Insufficient => "insufficient",
        })
    }
}

/// The strictest of Mozilla's profiles (6.0) that has it; ordered from the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mozilla {
    /// TLS 1.3 alone.
    Modern,
    /// TLS 1.2 with forward secrecy and AEAD too.
    Intermediate,
    /// Neither of them.
    Neither,
}

impl fmt::Display for Mozilla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Modern => "modern",
            Self::Intermediate => "intermediate",
            Self::Neither => "neither",
        })
    }
}

/// One fact and its grades.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// What kind of fact (`version`, `suite`, `group`, `dh`, `certificate`, `compression`, …).
    pub fact: String,
    /// Which (`TLSv1.2`, `ECDHE-RSA-AES256-GCM-SHA384`, `off`).
    pub value: String,
    /// The versions that it goes for, oldest first; empty for one of the whole server.
    pub versions: Vec<TlsVersion>,
    /// NCSC-NL's level; `None` where the guidelines say nothing of it, or it is undetermined.
    pub ncsc: Option<Ncsc>,
    /// Mozilla's profile; the same.
    pub mozilla: Option<Mozilla>,
    /// Why it could not be seen.
    pub undetermined: Option<String>,
}

/// The worst level of all that was seen; `None` where nothing was.
pub fn worst(grades: &[Graded]) -> Option<Ncsc> {
    grades.iter().filter_map(|graded| graded.ncsc).max()
}

/// Grades for everything in a look.
pub fn grades(full: &Full) -> Vec<Graded> {
    if let Some(why) = &full.no_tls {
        let mut all = vec![graded("tls", format!("none: {why}"))];
        starttls(full, &mut all);
        return all;
    }
    let mut all: Vec<Graded> = full.versions.iter().rev().filter_map(version).collect();
    suites(full, &mut all);
    for groups in &full.groups {
        add_groups(groups, &mut all);
    }
    all.extend(full.dh.iter().map(finite_field));
    let leaves = full
        .certificates
        .iter()
        .filter_map(|seen| seen.chain.first());
    all.extend(leaves.filter_map(|leaf| certificate(leaf)));
    features(full, &mut all);
    all
}

fn graded(fact: &str, value: impl Into<String>) -> Graded {
    Graded {
        fact: fact.to_owned(),
        value: value.into(),
        versions: Vec::new(),
        ncsc: None,
        mozilla: None,
        undetermined: None,
    }
}

/// NCSC-NL 3.3.1. What is refused has no grade.
fn version(seen: &VersionSeen) -> Option<Graded> {
    let mut one = graded("version", seen.version.name());
    match &seen.seen {
        Seen::No => return None,
        Seen::Undetermined(why) => one.undetermined = Some(why.clone()),
        Seen::Yes => {
            let (ncsc, mozilla) = match seen.version {
                TlsVersion::Tls1_3 => (Ncsc::Good, Mozilla::Modern),
                TlsVersion::Tls1_2 => (Ncsc::Sufficient, Mozilla::Intermediate),
                _ => (Ncsc::Insufficient, Mozilla::Neither),
            };
            (one.ncsc, one.mozilla) = (Some(ncsc), Some(mozilla));
        }
    }
    Some(one)
}

/// Each suite once, with the versions that have it.
fn suites(full: &Full, all: &mut Vec<Graded>) {
    let from = all.len();
    for version in full.versions.iter().rev() {
        for suite in &version.suites {
            let value = suite.openssl.as_ref().unwrap_or(&suite.name);
            let same = all.iter_mut().skip(from).find(|one| one.value == *value);
            match same {
                Some(one) => one.versions.insert(0, version.version),
                None => all.push(of_suite(suite, value, version.version)),
            }
        }
        if let Some(why) = &version.unasked {
            let mut more = graded("suite", "others");
            more.versions = vec![version.version];
            more.undetermined = Some(why.clone());
            all.push(more);
        }
    }
}

fn of_suite(suite: &SuiteSeen, value: &str, version: TlsVersion) -> Graded {
    Graded {
        versions: vec![version],
        ncsc: Some(suite_ncsc(&suite.name)),
        mozilla: Some(suite_mozilla(&suite.name)),
        ..graded("suite", value)
    }
}

/// NCSC-NL appendix B, which follows from 3.3.3 and 3.3.4, by IANA's name.
fn suite_ncsc(name: &str) -> Ncsc {
    let Some((exchange, cipher)) = name.split_once("_WITH_") else {
        return match name {
            "TLS_AES_256_GCM_SHA384" | "TLS_CHACHA20_POLY1305_SHA256" => Ncsc::Good,
            "TLS_AES_128_GCM_SHA256" | "TLS_AES_128_CCM_SHA256" => Ncsc::Sufficient,
            _ => Ncsc::Insufficient,
        };
    };
    let curve = matches!(exchange, "TLS_ECDHE_RSA" | "TLS_ECDHE_ECDSA");
    let field = exchange == "TLS_DHE_RSA";
    let aead = cipher.starts_with("CHACHA20_POLY1305")
        || (cipher.starts_with("AES_") && (cipher.contains("_GCM_") || cipher.ends_with("_CCM")));
    let others = ["AES_", "CAMELLIA_", "ARIA_"];
    let sha2 = cipher.ends_with("_SHA256") || cipher.ends_with("_SHA384");
    let known = others.iter().any(|other| cipher.starts_with(other)) && sha2;
    match (curve, field) {
        (true, _) if aead => Ncsc::Sufficient,
        (true, _) | (_, true) if aead || known => Ncsc::PhaseOut,
        _ => Ncsc::Insufficient,
    }
}

fn suite_mozilla(name: &str) -> Mozilla {
    let Some((exchange, cipher)) = name.split_once("_WITH_") else {
        return match name {
            "TLS_AES_256_GCM_SHA384"
            | "TLS_CHACHA20_POLY1305_SHA256"
            | "TLS_AES_128_GCM_SHA256" => Mozilla::Modern,
            _ => Mozilla::Neither,
        };
    };
    let wanted = [
        "AES_128_GCM_SHA256",
        "AES_256_GCM_SHA384",
        "CHACHA20_POLY1305_SHA256",
    ];
    match exchange {
        "TLS_ECDHE_RSA" | "TLS_ECDHE_ECDSA" if wanted.contains(&cipher) => Mozilla::Intermediate,
        _ => Mozilla::Neither,
    }
}

/// NCSC-NL 3.3.2.1.
fn add_groups(seen: &GroupsSeen, all: &mut Vec<Graded>) {
    for name in &seen.groups {
        let same = |one: &&mut Graded| one.fact == "group" && one.value == *name;
        if let Some(one) = all.iter_mut().find(same) {
            one.versions.insert(0, seen.version);
            continue;
        }
        let (ncsc, mozilla) = group(name);
        all.push(Graded {
            versions: vec![seen.version],
            ncsc: Some(ncsc),
            mozilla: Some(mozilla),
            ..graded("group", name)
        });
    }
    if let Some(why) = &seen.unasked {
        let mut more = graded("group", "others");
        more.versions = vec![seen.version];
        more.undetermined = Some(why.clone());
        all.push(more);
    }
}

fn group(name: &str) -> (Ncsc, Mozilla) {
    match name {
        "X25519MLKEM768" | "X25519" | "prime256v1" | "secp384r1" => (Ncsc::Good, Mozilla::Modern),
        "SecP256r1MLKEM768" | "SecP384r1MLKEM1024" | "X448" | "secp521r1" => {
            (Ncsc::Good, Mozilla::Neither)
        }
        brainpool if brainpool.starts_with("brainpoolP") => (Ncsc::Good, Mozilla::Neither),
        "secp224r1" | "ffdhe3072" | "ffdhe4096" | "ffdhe6144" | "ffdhe8192" => {
            (Ncsc::PhaseOut, Mozilla::Neither)
        }
        _ => (Ncsc::Insufficient, Mozilla::Neither),
    }
}

/// NCSC-NL 3.3.3.1: only the groups of RFC 7919 from 3072 bits on; Mozilla 6.0 has no DHE.
fn finite_field(seen: &DhSeen) -> Graded {
    let ncsc = match seen.name.as_deref() {
        Some("ffdhe3072" | "ffdhe4096" | "ffdhe6144" | "ffdhe8192") => Ncsc::PhaseOut,
        _ => Ncsc::Insufficient,
    };
    let name = seen.name.clone();
    let name = name.unwrap_or_else(|| format!("{} bits, a group of its own", seen.bits));
    Graded {
        ncsc: Some(ncsc),
        mozilla: Some(Mozilla::Neither),
        ..graded("dh", format!("{name} ({})", seen.suite))
    }
}

/// NCSC-NL 3.3.2.1.
fn certificate(leaf: &[u8]) -> Option<Graded> {
    let certificate = Certificate::parse(leaf).ok()?;
    let (ncsc, mozilla) = match &certificate.key {
        KeyKind::Rsa { bits: 3072.. } => (Ncsc::Good, Mozilla::Intermediate),
        KeyKind::Rsa { bits: 2048.. } => (Ncsc::PhaseOut, Mozilla::Intermediate),
        KeyKind::Ec { curve } => of_curve(curve),
        KeyKind::Ed25519 | KeyKind::Ed448 => (Ncsc::Good, Mozilla::Neither),
        KeyKind::Rsa { .. } | KeyKind::Other => (Ncsc::Insufficient, Mozilla::Neither),
    };
    Some(Graded {
        ncsc: Some(ncsc),
        mozilla: Some(mozilla),
        ..graded("certificate", certificate.key.to_string())
    })
}

fn of_curve(curve: &str) -> (Ncsc, Mozilla) {
    let (ncsc, _) = group(curve);
    match curve {
        "prime256v1" | "secp384r1" => (ncsc, Mozilla::Modern),
        _ => (ncsc, Mozilla::Neither),
    }
}

/// NCSC-NL 3.3.5 and 3.4. What the guidelines do not judge has no level; nor has renegotiation by
/// clients, which is sufficient where it is limited to ten times, and is tried once.
fn features(full: &Full, all: &mut Vec<Graded>) {
    use Ncsc::{Good, Insufficient};
    let features = &full.features;
    // The name, what was seen, the levels of yes and of no.
    #[rustfmt::skip]
    let rows = [
        ("compression", &features.compression, Some(Insufficient), Some(Good)),
        ("secure renegotiation", &features.secure_renegotiation, Some(Good), Some(Insufficient)),
        ("client renegotiation", &features.client_renegotiation, None, Some(Good)),
        ("early data", &features.early_data, Some(Insufficient), Some(Good)),
        ("extended master secret", &features.extended_master_secret, Some(Good), None),
        ("SHA-1 signatures", &features.sha1_signatures, Some(Insufficient), Some(Good)),
        ("OCSP stapling", &features.ocsp, None, None),
        ("session numbers", &features.session_ids, None, None),
        ("tickets", &features.tickets, None, None),
        ("tickets of TLS 1.3", &features.tickets_1_3, None, None),
        ("resumption in TLS 1.3", &features.resumption_1_3, None, None),
    ];
    for (name, seen, yes, no) in rows {
        all.push(of_seen(name, seen, yes, no));
    }
    let fallback = features.fallback_scsv.as_ref();
    all.extend(fallback.map(|seen| of_seen("fallback SCSV", seen, None, None)));
    starttls(full, all);
}

fn starttls(full: &Full, all: &mut Vec<Graded>) {
    use Ncsc::Insufficient;
    if let Some(starttls) = &full.starttls {
        let injection = starttls.injection.as_ref();
        let injection =
            injection.map(|seen| of_seen("STARTTLS injection", seen, Some(Insufficient), None));
        let mut stripped = of_seen(
            "STARTTLS stripped",
            &starttls.stripped,
            Some(Insufficient),
            None,
        );
        if let Some(by) = &starttls.stripped_by {
            stripped.value = format!("yes: {by}");
        }
        all.extend(injection);
        all.push(stripped);
    }
}

fn of_seen(name: &str, seen: &Seen, yes: Option<Ncsc>, no: Option<Ncsc>) -> Graded {
    match seen {
        Seen::Yes => Graded {
            ncsc: yes,
            ..graded(name, "yes")
        },
        Seen::No => Graded {
            ncsc: no,
            ..graded(name, "no")
        },
        Seen::Undetermined(why) => Graded {
            undetermined: Some(why.clone()),
            ..graded(name, "undetermined")
        },
    }
}

#[cfg(test)]
mod tests;
