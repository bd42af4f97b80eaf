//! Import: files → the store.
//!
//! Owns: what may enter the store, and under which name. Never: opens a file (the faces do), writes
//! a key anywhere else than into the store, which seals it.

use crate::adopt::Changes;
use crate::certificates::{CertificateView, finding};
use crate::{Engine, EngineError};
use mailtls::{Bundle, CertError, CertProblem, Certificate, Files, PrivateKey, Trust};
use postseal_planner::{Digest, Finding, Severity};
use postseal_store::{Certificate as Stored, NewCertificate, Succession};
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
    /// `--password-file`.
    pub password: Option<Zeroizing<String>>,
    /// Where it came from, for people.
    pub source: String,
    /// Whether it may follow another certificate under its name.
    pub succession: Succession,
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
    /// Whether the key came with it, in place of one that the store had.
    pub brought_key: bool,
}

impl Engine<'_> {
    /// Checks a certificate and puts it into the store, its key sealed. Without a key, that of a
    /// request which waits under the name is taken, the next key, or that of the version that it renews,
    /// where it fits.
    pub fn import_certificate(&mut self, import: Import) -> Result<Imported, EngineError> {
        check_name(&import.name)?;
        let bundle = Bundle::from_files(Files {
            cert: &import.cert,
            key: import.key.as_ref().map(|key| key.as_slice()),
            chain: import.chain.as_deref(),
            password: import.password.as_ref().map(|password| password.as_str()),
        })?;
        let key = match &bundle.key {
            Some(key) => key.clone(),
            None => self.known_key(&import.name, &bundle.chain[0])?,
        };
        let private_ca = import.private_ca.as_deref().map(chosen_cas).transpose()?;
        refuse_unusable(&bundle.chain, self.clock.now_unix())?;
        let changes = self.put(&import, &bundle.chain, &key, private_ca)?;
        self.settle_keys(&import.name)?;
        Ok(Imported {
            changes,
            view: self.certificate(&import.name)?,
            brought_key: bundle.key.is_some(),
            notes: bundle.notes.iter().map(ToString::to_string).collect(),
        })
    }

    fn put(
        &mut self,
        import: &Import,
        chain: &[Certificate],
        key: &PrivateKey,
        private_ca: Option<Vec<u8>>,
    ) -> Result<Changes, EngineError> {
        let newest = self.newest(&import.name)?;
        let leaf = &chain[0].der;
        let same = newest.as_ref();
        let same = same.filter(|known| known.chain.first() == Some(leaf));
        let learns = private_ca.is_some();
        if same.is_some_and(|known| !learns || known.private_ca == private_ca) {
            return Ok(Changes::None);
        }
        if newest.is_some() && same.is_none() && import.succession == Succession::First {
            return Err(taken(&import.name));
        }
        if let (None, Some(newest)) = (same, &newest) {
            let known = self.store.certificate_versions(&import.name)?;
            let mut known = known.iter();
            if let Some(older) = known.find(|known| known.chain.first() == Some(leaf)) {
                return Err(older_version(&import.name, older.version, newest.version));
            }
        }
        let file = mailtls::key_first_pem(key, chain)?;
        self.store.put_certificate(&NewCertificate {
            name: import.name.clone(),
            chain: chain.iter().map(|cert| cert.der.clone()).collect(),
            key: Some(key.to_pem()?),
            private_ca: private_ca.or_else(|| kept_cas(newest.as_ref(), chain)),
            source: import.source.clone(),
            added_ms: self.clock.now_ms(),
            file_digest: Some(Digest::of(&file)),
            succession: import.succession,
        })?;
        Ok(Changes::Some)
    }

    /// A key that the store has already: of a request, the next one, or of the certificate that is
    /// renewed.
    fn known_key(&self, name: &str, leaf: &Certificate) -> Result<PrivateKey, EngineError> {
        let mut keys = vec![self.store.request_key(name)?, self.store.next_key(name)?];
        if let Some(newest) = self.newest(name)? {
            keys.push(self.store.private_key(name, newest.version)?);
        }
        let mut known = false;
        for pem in keys.into_iter().flatten() {
            let key = PrivateKey::parse(&pem)?;
            if key.matches(leaf) {
                return Ok(key);
            }
            known = true;
        }
        if known {
            return Err(CertError::KeyMismatch(leaf.subject.clone()).into());
        }
        Err(CertError::KeyMissing.into())
    }
}

/// What the newest version renews is not put after it: `deploy` would present the newest all the
/// same.
fn older_version(name: &str, older: u32, newest: u32) -> EngineError {
    let message = format!(
        "This certificate is version {older} of {name}, and version {newest} renews it: nothing \
         was imported or presented."
    );
    let remedy = format!(
        "`postseal cert deploy {name}` presents version {newest}; `postseal rollback` leads back \
         to an older one; or import this one under another name."
    );
    let finding = Finding::new("cert.older-version", Severity::Error, message, remedy);
    EngineError::Refused(finding.into())
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

/// The CAs that a file names, as the store keeps them.
pub(crate) fn chosen_cas(file: &[u8]) -> Result<Vec<u8>, EngineError> {
    let cas = mailtls::read_cas(file).map_err(EngineError::ChosenCa)?;
    Ok(mailtls::cas_to_der(&cas))
}

/// The CAs that the version before was trusted by, where the chain of the next one still ends there.
pub(crate) fn kept_cas(before: Option<&Stored>, chain: &[Certificate]) -> Option<Vec<u8>> {
    let known = before?.private_ca.as_ref()?;
    let cas = mailtls::cas_from_der(known);
    mailtls::leads_to(chain, &cas).then(|| known.clone())
}

/// Names become file names, so they are plain (`[A-Za-z0-9._-]`, at most 64, no leading dot).
pub(crate) fn check_name(name: &str) -> Result<(), EngineError> {
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

pub(crate) fn taken(name: &str) -> EngineError {
    let message = format!("The name {name} stands for another certificate of the store.");
    let remedy = "Choose another name, or say --renew where this one takes its place.";
    EngineError::Refused(Finding::new("cert.exists", Severity::Error, message, remedy).into())
}
