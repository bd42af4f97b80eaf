//! The certificate store's verbs: import, list, check, export, delete.
//!
//! Owns: what may enter and leave the store. Never: writes a key anywhere; only a plan's
//! `InstallChain` step does. Binding is a wish (`adopt`).

use crate::adopt::Changes;
use crate::{Engine, EngineError};
use mailtls::{
    Bundle, CertError, CertProblem, Certificate, Fingerprint, Gravity, PrivateKey, Trust,
};
use postseal_planner::intent::Intent;
use postseal_planner::{Digest, Finding, Severity};
use postseal_store::NewCertificate;
use zeroize::Zeroizing;

/// What `cert import` brings: the files' contents.
#[derive(Debug)]
pub struct Import {
    /// The operator's name for it.
    pub name: String,
    /// `--cert`.
    pub cert: Vec<u8>,
    /// `--key`.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// `--chain`.
    pub chain: Option<Vec<u8>>,
    /// `--private-ca`.
    pub private_ca: Option<Vec<u8>>,
    /// Where it came from, for people.
    pub source: String,
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// Whether the store has changed.
    pub changes: Changes,
    /// The certificate as it is in the store.
    pub view: CertificateView,
    /// What was done to the chain.
    pub notes: Vec<String>,
}

/// A certificate of the store, for people.
#[derive(Debug)]
pub struct CertificateView {
    /// Its name.
    pub name: String,
    /// Leaf first.
    pub chain: Vec<Certificate>,
    /// Whether its key is in the store.
    pub has_key: bool,
    /// Where it came from.
    pub source: String,
    /// What binds it: `smtpd` in force, or with what it waits for in brackets.
    pub used_by: Vec<String>,
    /// What is wrong with it, now.
    pub problems: Vec<Finding>,
}

/// A private key on its way out.
#[derive(Debug)]
pub struct ExportedKey {
    /// Key first, then the chain, PEM.
    pub pem: Zeroizing<Vec<u8>>,
}

impl Engine<'_> {
    /// Checks a certificate and puts it into the store, its key sealed.
    pub fn import_certificate(&mut self, import: Import) -> Result<Imported, EngineError> {
        check_name(&import.name)?;
        let bundle = Bundle::read(
            &import.cert,
            import.key.as_ref().map(|key| key.as_slice()),
            import.chain.as_deref(),
        )?;
        let key = bundle.key.as_ref().ok_or(CertError::KeyMissing)?;
        let private_ca = import
            .private_ca
            .as_deref()
            .map(first_certificate)
            .transpose()?;
        let leaf = &bundle.chain[0];
        refuse_unusable(&bundle.chain, self.clock.now_unix())?;
        let same = self
            .stored(&import.name)?
            .is_some_and(|known| known.chain.first() == Some(&leaf.der));
        if !same {
            let file = mailtls::key_first_pem(key, &bundle.chain)?;
            self.store.put_certificate(&NewCertificate {
                name: import.name.clone(),
                chain: bundle.chain.iter().map(|cert| cert.der.clone()).collect(),
                key: Some(key.to_pem()?),
                private_ca,
                source: import.source,
                added_ms: self.clock.now_ms(),
                file_digest: Some(Digest::of(&file)),
            })?;
        }
        Ok(Imported {
            changes: if same { Changes::None } else { Changes::Some },
            view: self.certificate(&import.name)?,
            notes: bundle.notes.iter().map(ToString::to_string).collect(),
        })
    }

    /// All certificates, by name.
    pub fn certificates(&self) -> Result<Vec<CertificateView>, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let desired = state.as_ref().map(|state| &state.desired);
        let draft = state.as_ref().and_then(|state| state.draft.as_ref());
        let open = self.awaiting()?.map(|open| open.new.plan.intent);
        let users = Users {
            in_force: open.as_ref().or(desired),
            on_rollback: desired,
            pending: draft,
        };
        let now = self.clock.now_unix();
        let mut views = Vec::new();
        for stored in self.store.certificates()? {
            let chain: Vec<Certificate> = stored
                .chain
                .iter()
                .map(|der| Certificate::parse(der))
                .collect::<Result<_, _>>()?;
            let problems = problems(&chain, now, stored.private_ca.as_deref());
            views.push(CertificateView {
                used_by: users.of(&chain),
                name: stored.name,
                chain,
                has_key: stored.has_key,
                source: stored.source,
                problems,
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

    /// Deletes a certificate that nothing binds, and the file that was installed for it.
    pub fn delete_certificate(&mut self, name: &str) -> Result<(), EngineError> {
        let view = self.certificate(name)?;
        if !view.used_by.is_empty() {
            let message = format!(
                "Certificate {name} is bound by {}.",
                view.used_by.join(", ")
            );
            let remedy = "Bind another certificate and apply, then delete this one.";
            return Err(EngineError::Refused(
                Finding::new("cert.bound", Severity::Error, message, remedy).into(),
            ));
        }
        self.store.delete_certificate(name)?;
        Ok(())
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
        let key = self.store.private_key(&stored.name)?.ok_or_else(missing)?;
        let key = PrivateKey::parse(&key)?;
        let chain: Vec<Certificate> = stored
            .chain
            .iter()
            .map(|der| Certificate::parse(der))
            .collect::<Result<_, _>>()?;
        Ok(mailtls::key_first_pem(&key, &chain)?)
    }

    fn stored(&self, name: &str) -> Result<Option<postseal_store::Certificate>, EngineError> {
        Ok(self
            .store
            .certificates()?
            .into_iter()
            .find(|stored| stored.name == name))
    }
}

/// What is wrong with a chain at `now`, as findings. Without a private CA, who issued it is not
/// judged: that is for whoever connects to decide.
fn problems(chain: &[Certificate], now_unix: i64, private_ca: Option<&[u8]>) -> Vec<Finding> {
    let anchors: Vec<Certificate> = private_ca
        .and_then(|der| Certificate::parse(der).ok())
        .into_iter()
        .collect();
    // No public CA issues from its root: alone, a certificate lacks its intermediate.
    let alone = matches!(chain, [lone] if !lone.self_signed);
    let trust = if anchors.is_empty() && !alone {
        Trust::Unknown
    } else {
        Trust::Anchors(&anchors)
    };
    mailtls::problems(chain, now_unix, &[], trust)
        .iter()
        .map(finding)
        .collect()
}

/// Expired and not yet valid certificates have no use; everything else is judged where it is
/// used.
fn refuse_unusable(chain: &[Certificate], now_unix: i64) -> Result<(), EngineError> {
    let unusable =
        |problem: &CertProblem| ["cert.expired", "cert.not-yet-valid"].contains(&problem.code);
    match mailtls::problems(chain, now_unix, &[], Trust::Unknown)
        .into_iter()
        .find(unusable)
    {
        None => Ok(()),
        Some(problem) => Err(EngineError::Refused(finding(&problem).into())),
    }
}

fn finding(problem: &CertProblem) -> Finding {
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

/// The intents that can bind a certificate.
struct Users<'a> {
    in_force: Option<&'a Intent>,
    /// In force again should the operation that awaits confirmation be undone.
    on_rollback: Option<&'a Intent>,
    pending: Option<&'a Intent>,
}

impl Users<'_> {
    fn of(&self, chain: &[Certificate]) -> Vec<String> {
        let Some(leaf) = chain.first() else {
            return Vec::new();
        };
        let fingerprint = leaf.fingerprint();
        let binds = |intent: &Intent| intent.bindings.iter().any(|b| b.fingerprint == fingerprint);
        let user = if self.in_force.is_some_and(binds) {
            "smtpd"
        } else if self.on_rollback.is_some_and(binds) {
            "smtpd (on rollback)"
        } else if self.pending.is_some_and(binds) {
            "smtpd (pending)"
        } else {
            return Vec::new();
        };
        vec![user.to_owned()]
    }
}

fn first_certificate(pem_or_der: &[u8]) -> Result<Vec<u8>, EngineError> {
    let bundle = Bundle::read(pem_or_der, None, None)?;
    Ok(bundle.chain[0].der.clone())
}

/// Names become file names, so they are plain (`[A-Za-z0-9._-]`, at most 64, no leading dot).
fn check_name(name: &str) -> Result<(), EngineError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.is_empty()
        && name.len() <= 64
        && !name.starts_with(['.', '-'])
        && name.chars().all(plain)
    {
        return Ok(());
    }
    let message = format!("{name:?} cannot name a certificate.");
    let remedy = "Use letters, digits, dots, hyphens and underscores; at most 64, the first a letter or digit.";
    Err(EngineError::Refused(
        Finding::new("cert.bad-name", Severity::Error, message, remedy).into(),
    ))
}

fn unknown(name: &str) -> EngineError {
    EngineError::Unknown {
        what: "certificate",
        name: name.to_owned(),
    }
}
