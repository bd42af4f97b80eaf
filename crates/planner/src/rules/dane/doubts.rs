//! What could not be told of DANE.
//!
//! Owns: gathering the doubts, and what is to be done about them. Never: asks DNS, or refuses on a doubt.

use crate::dane::Endpoint;
use crate::{Finding, Severity};

const UNKNOWN: &str = "the files do not tell which certificate is presented";
const RESOLVER: &str = "Where the zone is signed: have a validating resolver on this host and name it \
    (`resolver = \"127.0.0.1\"` in postseal.toml). Where it is not, senders cannot use DANE with this \
    host.";
const SILENT: &str = "See that the resolver answers (/etc/resolv.conf; `--resolver` or `resolver` in \
    postseal.toml names another), and try again.";
const OWN_NAMES: &str = "Where a map of your own (tls_server_sni_maps) has the name, Postseal does not \
    read the keys in it: `postseal probe HOST:PORT` compares what is shown there with its TLSA records; \
    or bind a certificate to the name (`postseal cert bind NAME --sni HOST`) in place of its row.";

/// What could not be told: one finding for all.
#[derive(Default)]
pub(super) struct Doubts {
    notes: Vec<String>,
    worst: Option<Severity>,
    /// By the resolver; else the files alone do not tell.
    by_dns: bool,
    /// It gave no answer.
    silent: bool,
}

impl Doubts {
    /// Of what DNS says.
    pub(super) fn note(&mut self, at: &Endpoint, why: &str, severity: Severity) {
        self.by_dns = true;
        self.add(at, why, severity);
    }

    /// Of what DNS did not say.
    pub(super) fn unanswered(&mut self, at: &Endpoint, why: &str) {
        self.silent = true;
        self.add(at, why, Severity::Warning);
    }

    /// Of what is presented, where the administrator's own map of names decides.
    pub(super) fn own_names(&mut self, at: &Endpoint) {
        self.add(at, UNKNOWN, Severity::Warning);
    }

    fn add(&mut self, at: &Endpoint, why: &str, severity: Severity) {
        self.notes
            .push(format!("{}, port {}: {why}", at.host, at.port));
        self.worst = self.worst.max(Some(severity));
    }

    pub(super) fn finding(self) -> Option<Finding> {
        let severity = self.worst?;
        let own_names = self.notes.iter().any(|note| note.ends_with(UNKNOWN));
        let helps = [
            (self.silent, SILENT),
            (self.by_dns, RESOLVER),
            (own_names, OWN_NAMES),
        ];
        let helps = helps.into_iter().filter(|(applies, _)| *applies);
        let helps: Vec<&str> = helps.map(|(_, remedy)| remedy).collect();
        let finding = Finding::new(
            "dane.undetermined",
            severity,
            "Whether published TLSA records match could not be told for certain.",
            helps.join(" "),
        );
        let seen = |finding: Finding, note| finding.seen(note);
        Some(self.notes.into_iter().fold(finding, seen))
    }
}
