//! A second opinion: what posttls-finger(1) saw, held against what was seen here.
//!
//! Owns: its arguments and reading what it prints (Postfix 3.7). Never: runs it.

use super::AddressProbed;
use crate::preflight::Opening;
use crate::report::{Outcome, StageName, StageOutcome};
use mailtls::TlsVersion;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::Path;

/// What posttls-finger(1) saw at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondOpinion {
    /// Pass: both saw the same; undetermined: nothing can be compared.
    pub outcome: Outcome,
    /// Why nothing can be compared.
    pub trouble: Option<String>,
    /// What both saw, stage by stage.
    pub stages: Vec<Agreement>,
}

/// What both saw of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Of which.
    pub stage: String,
    /// What was seen here.
    pub ours: String,
    /// What it saw.
    pub theirs: String,
    /// `None`: one of both does not tell.
    pub same: Option<bool>,
}

/// The level that asks for what was seen. At `verify` smtp(8) takes no anonymous suite, and TLS before 1.2
/// hardly (OpenSSL's security level 1); below it does not tell whether a certificate is for the name.
fn level(seen: &AddressProbed) -> &'static [&'static str] {
    let handshake = seen.report.as_ref().and_then(|one| one.handshake.as_ref());
    match handshake {
        Some(one) if one.chain.is_empty() && one.fingerprint.is_none() => &["-l", "may"],
        Some(one) if one.version < TlsVersion::Tls1_2 => &[
            "-l",
            "encrypt",
            "-o",
            "tls_medium_cipherlist=HIGH:MEDIUM:!aNULL",
        ],
        _ => VERIFYING,
    }
}

const VERIFYING: &[&str] = &["-l", "verify"];

/// Its arguments for a look that asks the same: at a level that does, with the CAs of `bundle`.
pub fn arguments(
    seen: &AddressProbed,
    host: &str,
    opening: Opening,
    (bundle, seconds): (Option<&Path>, u64),
) -> Vec<String> {
    let level = level(seen).iter().chain(&["-d", "sha256"]);
    let mut words: Vec<String> = level.map(|word| (*word).to_owned()).collect();
    words.extend([
        "-t".to_owned(),
        seconds.to_string(),
        "-T".to_owned(),
        seconds.to_string(),
    ]);
    if let Some(bundle) = bundle {
        words.extend(["-F".to_owned(), bundle.display().to_string()]);
    }
    if let Some(name) = &seen.sni {
        words.extend(["-s".to_owned(), name.clone()]);
    }
    if opening == Opening::Wrapper {
        words.push("-w".to_owned());
    }
    let (ip, port) = (seen.address.ip(), seen.address.port());
    let literal = match ip {
        IpAddr::V4(ip) => format!("[{ip}]:{port}"),
        IpAddr::V6(ip) => format!("[ipv6:{ip}]:{port}"),
    };
    words.extend([literal, host.to_owned()]);
    words
}

/// Holds what it printed against what was seen.
pub fn second_opinion(seen: &AddressProbed, printed: &str) -> SecondOpinion {
    let theirs = Theirs::of(printed);
    let stages = [
        connected(seen, &theirs),
        encrypted(seen, &theirs),
        version(seen, &theirs),
        cipher(seen, &theirs),
        group(seen, &theirs),
        fingerprint(seen, &theirs),
        trusted(seen, &theirs),
    ];
    let stages: Vec<Agreement> = stages.into_iter().flatten().collect();
    let differ = stages.iter().any(|stage| stage.same == Some(false));
    let agree = stages.iter().any(|stage| stage.same == Some(true));
    SecondOpinion {
        outcome: match (differ, agree) {
            (true, _) => Outcome::Fail,
            (false, true) => Outcome::Pass,
            (false, false) => Outcome::Undetermined,
        },
        trouble: None,
        stages,
    }
}

impl SecondOpinion {
    /// Where there is none.
    pub fn none(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Undetermined,
            trouble: Some(why.into()),
            stages: Vec::new(),
        }
    }
}

/// What it printed.
#[derive(Default)]
struct Theirs<'p> {
    connected: bool,
    /// `Verified`, `Trusted`, `Untrusted`, `Anonymous`.
    trust: Option<&'p str>,
    version: &'p str,
    cipher: &'p str,
    group: Option<&'p str>,
    fingerprint: Option<&'p str>,
}

impl<'p> Theirs<'p> {
    fn of(printed: &'p str) -> Self {
        let mut found = Self::default();
        for line in printed.lines() {
            let line = line.strip_prefix("posttls-finger: ").unwrap_or(line);
            found.connected |= line.starts_with("Connected to ") || line.starts_with("< ");
            if line.starts_with(['<', '>']) {
                // The server's own words are no evidence.
                continue;
            }
            if let Some((_, rest)) = line.split_once(", fingerprint=") {
                found.fingerprint = rest.split(',').next();
            }
            if let Some((trust, rest)) = line.split_once(" TLS connection established to ") {
                found.connected = true;
                found.trust = Some(trust);
                found.established(rest);
            }
        }
        found
    }

    /// `host[ip]:25: TLSv1.3 with cipher NAME (256/256 bits) key-exchange X25519 …`.
    fn established(&mut self, rest: &'p str) {
        let Some((before, after)) = rest.split_once(" with cipher ") else {
            return;
        };
        self.version = before.rsplit(' ').next().unwrap_or_default();
        self.cipher = after.split(' ').next().unwrap_or_default();
        let group = after.split_once(" key-exchange ").map(|(_, rest)| rest);
        self.group = group.map(|group| match group.split_once('(') {
            Some((kind, named)) if !kind.trim().contains(' ') => {
                named.split(')').next().unwrap_or_default()
            }
            _ => group.split(' ').next().unwrap_or_default(),
        });
    }
}

fn row(stage: &str, ours: impl Into<String>, theirs: impl Into<String>) -> Agreement {
    let (ours, theirs) = (ours.into(), theirs.into());
    Agreement {
        stage: stage.to_owned(),
        same: Some(ours == theirs),
        ours,
        theirs,
    }
}

fn ended(seen: &AddressProbed, name: StageName) -> Option<&StageOutcome> {
    let mut stages = seen.report.as_ref()?.stages.iter();
    stages
        .find(|stage| stage.name == name)
        .map(|stage| &stage.outcome)
}

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn connected(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let ours = ended(seen, StageName::Connect)? == &StageOutcome::Ok;
    Some(row("tcp", yes(ours), yes(theirs.connected)))
}

fn encrypted(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let report = seen.report.as_ref()?;
    let reached = theirs.connected || report.handshake.is_some();
    let ours = yes(report.handshake.is_some());
    reached.then(|| row("tls", ours, yes(theirs.trust.is_some())))
}

fn version(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let own = seen.report.as_ref()?.handshake.as_ref()?;
    theirs.trust?;
    Some(row("version", own.version.to_string(), theirs.version))
}

fn cipher(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let own = seen.report.as_ref()?.handshake.as_ref()?;
    theirs.trust?;
    Some(row("cipher", &*own.cipher, theirs.cipher))
}

fn group(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let own = seen.report.as_ref()?.handshake.as_ref()?;
    theirs.trust?;
    let (ours, theirs) = (own.group.as_deref(), theirs.group);
    let both =
        ours.is_some() && theirs.is_some() && !ours.is_some_and(|one| one.starts_with("DH "));
    let row = row("group", ours.unwrap_or("-"), theirs.unwrap_or("-"));
    Some(Agreement {
        same: row.same.filter(|_| both),
        ..row
    })
}

fn fingerprint(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let own = seen.report.as_ref()?.handshake.as_ref()?;
    theirs.trust?;
    let ours = own
        .fingerprint
        .map_or("-".to_owned(), |one| one.to_string());
    Some(row("fingerprint", ours, theirs.fingerprint.unwrap_or("-")))
}

fn trusted(seen: &AddressProbed, theirs: &Theirs<'_>) -> Option<Agreement> {
    let own = seen.certificate.as_ref()?.judged.outcome?;
    let trust = theirs.trust?;
    let row = row(
        "verified",
        yes(own == Outcome::Pass),
        yes(trust == "Verified"),
    );
    Some(Agreement {
        same: row
            .same
            .filter(|_| own != Outcome::Undetermined && level(seen) == VERIFYING),
        ..row
    })
}
