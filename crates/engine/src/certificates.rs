//! The certificate store's verbs: list, check, export.
//!
//! Owns: what is shown of it and what may leave it; what enters is `import`'s, what goes
//! `delete`'s. Never: writes a key anywhere; only a plan's steps do. Binding is a wish (`adopt`).

mod users;

use crate::renew::Bindings;
use crate::{Engine, EngineError, RenewalView};
use mailtls::{CertProblem, Certificate, Fingerprint, Gravity, PrivateKey, Trust};
use postseal_planner::renewal::{Here, Life, Renewal};
use postseal_planner::report::KeyAlgorithm;
use postseal_planner::{Finding, Severity};
use users::{Intents, Users};
use zeroize::Zeroizing;

/// A certificate of the store, for people.
#[derive(Debug)]
pub struct CertificateView {
    /// Its name.
    pub name: String,
    /// How often it was renewed, and one more.
    pub version: u32,
    /// Leaf first.
    pub chain: Vec<Certificate>,
    /// Whether its key is in the store.
    pub has_key: bool,
    /// Where it came from.
    pub source: String,
    /// Who presents it: `smtpd` in force, `smtpd [version 1]` where an older version is bound, or
    /// with what it waits for in parentheses.
    pub used_by: Vec<String>,
    /// What is wrong with it, now.
    pub problems: Vec<Finding>,
    /// How it is renewed, where a CA issues it by ACME.
    pub renewal: Option<RenewalView>,
}

/// What is wrong today.
#[derive(Debug)]
pub struct Checked {
    /// The certificates that were looked at.
    pub views: Vec<CertificateView>,
    /// What is in force against the names that senders use, and what they find in DNS.
    pub in_force: Vec<Finding>,
}

/// A private key on its way out.
#[derive(Debug)]
pub struct ExportedKey {
    /// Key first, then the chain, PEM.
    pub pem: Zeroizing<Vec<u8>>,
}

impl Engine<'_> {
    /// All certificates, by name.
    pub fn certificates(&self) -> Result<Vec<CertificateView>, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let desired = state.as_ref().map(|state| &state.desired);
        let draft = state.as_ref().and_then(|state| state.draft.as_ref());
        let open = self.awaiting()?.map(|open| open.new.plan.intent);
        let intents = Intents {
            in_force: open.as_ref().or(desired),
            on_rollback: desired,
            pending: draft,
        };
        let now = self.clock.now_unix();
        let mut views: Vec<CertificateView> = Vec::new();
        let all = self.store.certificates()?;
        let users = Users::of(&all, &intents);
        let renewals = self.store.renewals()?;
        let bindings = Bindings::among(intents.all().flat_map(|intent| &intent.bindings));
        for stored in all {
            if views
                .last()
                .is_some_and(|newest| newest.name == stored.name)
            {
                continue;
            }
            let chain: Vec<Certificate> = stored
                .chain
                .iter()
                .map(|der| Certificate::parse(der))
                .collect::<Result<_, _>>()?;
            let mut problems = problems(&chain, now, stored.private_ca.as_deref());
            let renewal = renewal_of(&renewals, &stored.name, &chain).map(|(renewal, life)| {
                let here = Here {
                    instance: &self.instance,
                    presents: bindings.presents(&stored.name, &life.of),
                };
                RenewalView::of(renewal, &life, here, now)
            });
            problems.extend(renewal.iter().filter_map(|renewal| renewal.failure.clone()));
            views.push(CertificateView {
                used_by: users.of_certificate(&stored.name, stored.version),
                name: stored.name,
                version: stored.version,
                chain,
                has_key: stored.has_key,
                source: stored.source,
                problems,
                renewal,
            });
        }
        Ok(views)
    }

    /// One certificate.
    pub fn certificate(&self, name: &str) -> Result<CertificateView, EngineError> {
        let views = self.certificates()?;
        views
            .into_iter()
            .find(|view| view.name == name)
            .ok_or_else(|| unknown(name))
    }

    /// What is wrong with one certificate, or all, and with what is in force.
    pub fn check_certificates(&self, name: Option<&str>) -> Result<Checked, EngineError> {
        let views = match name {
            Some(name) => vec![self.certificate(name)?],
            None => self.certificates()?,
        };
        let in_force = match self.store.instance(&self.instance)? {
            Some(state) => self.dane_findings(&state.desired)?,
            None => Vec::new(),
        };
        Ok(Checked { views, in_force })
    }

    /// Key and chain of a stored certificate, after the operator has said so in full words.
    /// Leaves an audit entry before anything is handed out.
    pub fn export_key(&mut self, name: &str) -> Result<ExportedKey, EngineError> {
        let fingerprint = self
            .certificate(name)?
            .chain
            .first()
            .map(Certificate::fingerprint);
        let fingerprint = fingerprint.ok_or_else(|| unknown(name))?;
        let pem = self.key_and_chain(&fingerprint)?;
        let what = format!("exported the private key of certificate {name} ({fingerprint})");
        self.store.audit(&self.actor, self.clock.now_ms(), &what)?;
        Ok(ExportedKey { pem })
    }

    /// The key-first PEM file of a stored certificate.
    pub(crate) fn key_and_chain(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        let missing = || EngineError::Unknown {
            what: "certificate",
            name: fingerprint.to_string(),
        };
        let all = self.store.certificates()?;
        let stored = all
            .into_iter()
            .find(|stored| {
                stored
                    .chain
                    .first()
                    .is_some_and(|leaf| Fingerprint::of(leaf) == *fingerprint)
            })
            .ok_or_else(missing)?;
        let key = self.store.private_key(&stored.name, stored.version)?;
        let key = key.ok_or_else(missing)?;
        let key = PrivateKey::parse(&key)?;
        let chain: Vec<Certificate> = stored
            .chain
            .iter()
            .map(|der| Certificate::parse(der))
            .collect::<Result<_, _>>()?;
        Ok(mailtls::key_first_pem(&key, &chain)?)
    }

    /// The kind of a stored certificate's key; `None` where the store does not have it.
    pub(crate) fn key_kind(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<KeyAlgorithm>, EngineError> {
        let all = self.store.certificates()?;
        let mut leaves = all.iter().filter_map(|stored| stored.chain.first());
        let leaf = leaves.find(|leaf| Fingerprint::of(leaf) == *fingerprint);
        Ok(leaf
            .and_then(|der| Certificate::parse(der).ok())
            .and_then(|leaf| KeyAlgorithm::of(&leaf)))
    }
}

/// The renewal of a name; they are sorted by name.
fn renewal_of(renewals: &[Renewal], name: &str, chain: &[Certificate]) -> Option<(Renewal, Life)> {
    let at = renewals.binary_search_by(|one| one.name.as_str().cmp(name));
    let renewal = renewals.get(at.ok()?)?.clone();
    Some((renewal, crate::issue::life(chain.first()?)))
}

/// What matters in a CA's own certificate.
const OF_CAS: [&str; 5] = [
    "cert.expired",
    "cert.not-yet-valid",
    "cert.expiring",
    "cert.weak-key",
    "cert.weak-signature",
];

/// What is wrong with a chain at `now`, as findings. Without a private CA, who issued it is not
/// judged: that is for whoever connects to decide.
fn problems(chain: &[Certificate], now_unix: i64, private_ca: Option<&[u8]>) -> Vec<Finding> {
    let anchors: Vec<Certificate> = private_ca
        .and_then(|der| Certificate::parse(der).ok())
        .into_iter()
        .collect();
    // A CA in the store issues; nothing presents it, so what would be wrong with that is no matter.
    let is_ca = matches!(chain, [lone] if lone.is_ca && lone.self_signed);
    // No public CA issues from its root: alone, a certificate lacks its intermediate.
    let alone = matches!(chain, [lone] if !lone.self_signed);
    let trust = if anchors.is_empty() && !alone {
        Trust::Unknown
    } else {
        Trust::Anchors(&anchors)
    };
    mailtls::problems(chain, now_unix, &[], trust)
        .iter()
        .filter(|problem| !is_ca || OF_CAS.contains(&problem.code))
        .map(finding)
        .collect()
}

pub(crate) fn finding(problem: &CertProblem) -> Finding {
    let severity = match problem.gravity {
        Gravity::Note => Severity::Info,
        Gravity::Warning => Severity::Warning,
        Gravity::Error => Severity::Error,
    };
    Finding::new(
        problem.code,
        severity,
        problem.message.clone(),
        problem.remedy.clone(),
    )
}

pub(crate) fn unknown(name: &str) -> EngineError {
    EngineError::Unknown {
        what: "certificate",
        name: name.to_owned(),
    }
}
