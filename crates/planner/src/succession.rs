//! Succession: whether a newer version of a certificate may take the place of the one in force
//! without anybody looking.
//!
//! Owns: what is lost by it, each with a code and what helps: the names, who vouches, the time it
//! lasts, a kind of key that everybody takes. Never: what is wrong with either of them by itself (a plan's findings say that); presents
//! one.
//!
//! Renewals come at night, from programs that know nothing of mail: for another lineage, from a CA
//! for tests, without their intermediates. Where nobody looks, no worse one comes in force. Who
//! looks binds it, and `apply` presents it all the same.

use crate::certificate::SELFISH;
use crate::certificate::{certificate_finding, names_lost};
use crate::facts::{Facts, StoredCertificate};
use crate::intent::{Binding, Intent, Place};
use crate::names::Names;
use crate::rules::kinds::Kinds;
use crate::trust::{SystemTrust, chain_problems};
use crate::words::date;
use crate::{Finding, Severity};
use mailtls::{CertProblem, Certificate, Gravity};

/// CAs round the end of what they issue.
const A_DAY: i64 = 86_400;

/// Whether somebody who looks could put a version in force all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllTheSame {
    /// `cert bind` and `apply` do.
    Possible,
    /// `apply` would refuse it, for other reasons.
    Refused,
}

/// Why the versions of `name` that `next` binds may not take the place of those that `in_force`
/// does, without anybody looking; nothing where they may. `facts` know both.
pub fn lost_by_succession(
    name: &str,
    (in_force, next): (&Intent, &Intent),
    (facts, now): (&Facts, i64),
    all_the_same: AllTheSame,
) -> Vec<Finding> {
    let system = SystemTrust::of_facts(facts);
    let mut findings: Vec<Finding> = Vec::new();
    for bound in in_force.bindings.iter().filter(|bound| bound.name == name) {
        let mut after = next.bindings.iter();
        let after = after.find(|after| after.name == name && after.place == bound.place);
        let Some(after) = after.filter(|after| after.fingerprint != bound.fingerprint) else {
            continue;
        };
        let versions = [bound, after].map(|bound| Version::of(facts, bound));
        let [Some(old), Some(new)] = versions else {
            continue;
        };
        let case = Case {
            pair: [&old, &new],
            bound: after,
            in_force,
            intent: next,
            facts,
            system: &system,
            now,
            all_the_same,
        };
        for lost in case.lost() {
            if !findings.iter().any(|known| known.message == lost.message) {
                findings.push(lost);
            }
        }
    }
    findings
}

/// Whether two certificates have a name in common, or neither says one: else one of them is no
/// renewal of the other. A `*` and a name below it are in common.
pub fn share_a_name(one: &Certificate, other: &Certificate) -> bool {
    Names::of(one).are_shared_by(&Names::of(other))
}

struct Version<'f> {
    stored: &'f StoredCertificate,
    chain: Vec<Certificate>,
}

impl<'f> Version<'f> {
    fn of(facts: &'f Facts, bound: &Binding) -> Option<Self> {
        let mut stored = facts.certificates.iter();
        let its = |stored: &&StoredCertificate| {
            stored.name == bound.name && stored.fingerprint == bound.fingerprint
        };
        let stored = stored.find(its)?;
        let chain = stored.chain.iter().map(|der| Certificate::parse(der));
        let chain: Vec<Certificate> = chain.collect::<Result<_, _>>().ok()?;
        (!chain.is_empty()).then_some(Self { stored, chain })
    }
}

/// One version in the place of another.
struct Case<'a> {
    pair: [&'a Version<'a>; 2],
    bound: &'a Binding,
    in_force: &'a Intent,
    intent: &'a Intent,
    facts: &'a Facts,
    system: &'a SystemTrust,
    now: i64,
    all_the_same: AllTheSame,
}

impl Case<'_> {
    fn lost(&self) -> Vec<Finding> {
        let [old, new] = self.pair.map(|version| &version.chain[0]);
        let mut lost = match share_a_name(old, new) {
            true => names_lost((old, new), self.bound, self.intent, self.facts),
            false => vec![self.stranger(old, new)],
        };
        // Peers that verify refuse it already: there is nothing more to lose.
        if old.not_after >= self.now {
            lost.extend(self.worse());
            lost.extend(self.sooner(old, new));
            lost.extend(self.locked_out());
        }
        let place = format!("presented by {}", self.bound.place.text());
        let lost = lost.into_iter().map(|one| Finding {
            severity: Severity::Error,
            remedy: self.remedy(&one.code),
            ..one
        });
        lost.map(|one| one.seen(place.clone())).collect()
    }

    fn stranger(&self, old: &Certificate, new: &Certificate) -> Finding {
        let message = format!(
            "Version {} of {} is for {}, and version {}, which is in force, for {}: they have no \
             name in common.",
            self.pair[1].stored.version,
            self.bound.name,
            new.names_shown(),
            self.pair[0].stored.version,
            old.names_shown(),
        );
        Finding::new("cert.other-names", Severity::Error, message, "")
    }

    /// That the kinds of keys left in this place are those that few programs know. Other changes of
    /// the kind are told and done (`rules::kinds` says why).
    fn locked_out(&self) -> Option<Finding> {
        let place = &self.bound.place;
        let kinds = |intent| Kinds::at(place, intent, self.facts);
        let (before, after) = (kinds(self.in_force), kinds(self.intent));
        if !after.lock_out(&before) {
            return None;
        }
        let message = format!(
            "Only certificates with {} keys would be left here, in the place of {}: many mail \
             programs do not take one of that kind, and could not use TLS.",
            after.text(),
            before.text()
        );
        let finding = Finding::new("cert.kind-gone", Severity::Error, message, "");
        Some(finding)
    }

    /// What peers that verify hold against the new one, and did not against the old one.
    fn worse(&self) -> Vec<Finding> {
        let [old, new] = self.pair.map(|version| {
            let private_ca = version.stored.private_ca.as_deref();
            chain_problems(&version.chain, self.now, &[], private_ca, self.system)
        });
        let before = old.iter().map(distrust).max().unwrap_or_default();
        let is_worse = |problem: &&CertProblem| match distrust(problem) {
            0 => !old.iter().any(|known| known.code == problem.code),
            distrusted => distrusted > before,
        };
        let counts = new.iter().filter(|problem| self.counts(problem, before));
        counts.filter(is_worse).map(certificate_finding).collect()
    }

    /// `before`: how far peers distrust the one in force.
    fn counts(&self, problem: &CertProblem, before: u8) -> bool {
        let here = match (problem.code, &self.bound.place) {
            // Its end is compared with that of the one in force.
            ("cert.expiring" | "cert.issuer-ends-sooner", _) => false,
            ("cert.no-server-auth", Place::Client(_)) => false,
            // What was said of a certificate that nobody vouched for gives no trust away that there is
            // now.
            (code, _) if SELFISH.contains(&code) => !self.bound.allow_self_signed || before == 0,
            _ => true,
        };
        here && problem.gravity >= Gravity::Warning
    }

    fn sooner(&self, old: &Certificate, new: &Certificate) -> Option<Finding> {
        if new.not_after >= old.not_after.saturating_sub(A_DAY) {
            return None;
        }
        let message = format!(
            "The newer version ends on {}, sooner than version {}, which is in force and ends on {}.",
            date(new.not_after),
            self.pair[0].stored.version,
            date(old.not_after)
        );
        Some(Finding::new(
            "cert.ends-sooner",
            Severity::Error,
            message,
            "",
        ))
    }

    fn remedy(&self, code: &str) -> String {
        let better = match code {
            "cert.other-names" => "Deploy the renewal of this certificate only.",
            "cert.name-mismatch" => "Have it issued with all the names of the version in force.",
            "cert.chain-incomplete" | "cert.wrong-order" => {
                "It has to come with its intermediates (the full chain)."
            }
            "cert.issuer-unknown" | "cert.untrusted" => {
                "Have it issued by the CA of the version in force; a new CA of one's own is said by \
                 `postseal cert import … --renew --private-ca FILE`."
            }
            "cert.ends-sooner" => {
                "See that what renews it brings the last one that was issued; one that lasts longer is \
                 presented by itself."
            }
            "cert.kind-gone" => "Have it issued for an ECDSA P-256 or RSA key.",
            code if SELFISH.contains(&code) => "Have it issued by a CA.",
            _ => "Have one issued without this.",
        };
        if self.all_the_same == AllTheSame::Refused {
            return better.to_owned();
        }
        let accepted = match SELFISH.contains(&code) {
            true => " --allow-self-signed",
            false => "",
        };
        format!(
            "{better} If this one is meant: `postseal cert bind {}{}{accepted}`, then `postseal \
             apply`.",
            self.bound.name,
            Place::options(&[&self.bound.place])
        )
    }
}

/// Whether one of the findings is that nobody vouches for a certificate but itself, which
/// `--allow-self-signed` accepts.
pub fn is_selfish(findings: &[Finding]) -> bool {
    let mut codes = findings.iter().map(|finding| &*finding.code);
    codes.any(|code| SELFISH.contains(&code))
}

/// How far a problem says that nobody vouches; 0 for others.
fn distrust(problem: &CertProblem) -> u8 {
    match problem.code {
        "cert.issuer-unknown" | "cert.untrusted" => 1,
        "cert.chain-incomplete" | "cert.wrong-order" => 2,
        "cert.self-signed" | "cert.system-certificate" => 3,
        _ => 0,
    }
}
