//! Import: files → the store.
//!
//! Owns: what may enter the store, and under which name. Never: opens a file (the faces do), writes
//! a key anywhere else than into the store, which seals it.

use crate::adopt::Changes;
use crate::certificates::{CertificateView, finding};
use crate::import_names::missing;
use crate::{Engine, EngineError};
use mailtls::{Bundle, CertError, CertProblem, Certificate, Files, Note, PrivateKey, Trust};
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

impl Import {
    fn bundle(&self) -> Result<Bundle, EngineError> {
        Ok(Bundle::from_files(Files {
            cert: &self.cert,
            key: self.key.as_ref().map(|key| key.as_slice()),
            chain: self.chain.as_deref(),
            password: self.password.as_ref().map(|password| password.as_str()),
        })?)
    }
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
    /// What is to be said of its names.
    pub findings: Vec<Finding>,
    /// Whether the key came with it, in place of one that the store had.
    pub brought_key: bool,
}

impl Engine<'_> {
    /// Checks a certificate and puts it into the store, its key sealed. Without a key, that of a
    /// request which waits under the name is taken, the next key, or that of the version that it renews,
    /// where it fits.
    pub fn import_certificate(&mut self, import: Import) -> Result<Imported, EngineError> {
        check_name(&import.name)?;
        let bundle = import.bundle()?;
        self.import_bundle(&import, &bundle)
    }

    /// The same for what a program hands in as a renewal: it has to be one of this certificate.
    pub fn import_renewal(&mut self, import: Import) -> Result<Imported, EngineError> {
        check_name(&import.name)?;
        let bundle = import.bundle()?;
        self.refuse_stranger(&import.name, &bundle.chain[0])?;
        self.refuse_outdated(&import.name, &bundle.chain[0])?;
        self.import_bundle(&import, &bundle)
    }

    fn import_bundle(&mut self, import: &Import, bundle: &Bundle) -> Result<Imported, EngineError> {
        let key = match &bundle.key {
            Some(key) => key.clone(),
            None => self.known_key(&import.name, &bundle.chain[0])?,
        };
        let chosen = import.private_ca.as_deref().map(chosen_cas).transpose()?;
        refuse_unusable(&bundle.chain, self.clock.now_unix())?;
        let (chain, mut notes) = self.with_its_root(import, bundle, chosen.as_deref())?;
        notes.extend(vouches_for_nothing(chosen.as_deref(), &chain));
        notes.extend(completed(self.newest(&import.name)?.as_ref(), &chain));
        let request = self.waiting_request(&import.name)?;
        let changes = self.put(import, &chain, &key, chosen)?;
        self.settle_keys(&import.name)?;
        let answers = request.filter(|_| matches!(self.waiting_request(&import.name), Ok(None)));
        let leaf = &bundle.chain[0];
        let mut findings = Vec::new();
        findings.extend(answers.and_then(|asked| missing(&asked.names, leaf)));
        if changes == Changes::Some && import.succession == Succession::First {
            findings.extend(self.for_others(&chain));
        }
        Ok(Imported {
            changes,
            view: self.certificate(&import.name)?,
            brought_key: bundle.key.is_some(),
            findings,
            notes,
        })
    }

    /// The chain, and what was done to it. A root that issued the certificate itself stays where nobody
    /// vouches for it: else nothing would tell that no intermediate is missing.
    fn with_its_root(
        &self,
        import: &Import,
        bundle: &Bundle,
        chosen: Option<&[u8]>,
    ) -> Result<(Vec<Certificate>, Vec<String>), EngineError> {
        let mut chain = bundle.chain.clone();
        let notes = bundle.notes.iter();
        let Some(root) = bundle.root.as_ref().filter(|_| chain.len() == 1) else {
            return Ok((chain, notes.map(ToString::to_string).collect()));
        };
        let vouched = self.is_vouched_for(&import.name, &chain, chosen)?;
        let left_out = |note: &&Note| vouched || !matches!(note, Note::Root(_));
        let notes = notes.filter(left_out).map(ToString::to_string);
        let mut notes: Vec<String> = notes.collect();
        if !vouched {
            notes.push(format!(
                "the root {} issued it itself and stays in the chain, because nobody vouches for it",
                root.subject
            ));
            chain.push(root.clone());
        }
        Ok((chain, notes))
    }

    /// The same of what was issued here or by ACME.
    pub(crate) fn leave_root_out(
        &self,
        name: &str,
        chain: &mut Vec<Certificate>,
        chosen: Option<&[u8]>,
    ) -> Result<(), EngineError> {
        let has_root = chain.len() == 2 && chain[1].self_signed;
        if has_root && self.is_vouched_for(name, chain, chosen)? {
            chain.truncate(1);
        }
        Ok(())
    }

    /// Whether the private CA that is chosen, or was for this name, or the system's CAs vouch for it.
    fn is_vouched_for(
        &self,
        name: &str,
        chain: &[Certificate],
        chosen: Option<&[u8]>,
    ) -> Result<bool, EngineError> {
        let kept = self.kept_cas(&self.store.certificate_versions(name)?, chain);
        let chosen = chosen.map(<[u8]>::to_vec).or(kept);
        let own = chosen.map(|cas| mailtls::cas_from_der(&cas));
        Ok(match own {
            Some(own) => mailtls::leads_to(chain, &own),
            None => self.system_trust().vouches_for(chain),
        })
    }

    fn put(
        &mut self,
        import: &Import,
        chain: &[Certificate],
        key: &PrivateKey,
        chosen: Option<Vec<u8>>,
    ) -> Result<Changes, EngineError> {
        let versions = self.store.certificate_versions(&import.name)?;
        let leaf = &chain[0].der;
        let at = versions
            .iter()
            .position(|known| known.chain.first() == Some(leaf));
        // What is known with fewer intermediates is put anew.
        let is_half = versions
            .first()
            .is_some_and(|newest| completes(chain, newest));
        match (at.filter(|_| !is_half), chosen.as_ref(), versions.first()) {
            (Some(0), None, _) => return Ok(Changes::None),
            (Some(at), Some(chosen), _) => return self.choose_cas(&versions[..=at], chosen),
            (Some(at), None, _) => {
                let older = self.older_version(&versions, at)?;
                return Err(EngineError::Refused(older.into()));
            }
            (None, _, Some(_)) if import.succession == Succession::First && !is_half => {
                return Err(taken(&import.name));
            }
            (None, ..) => {}
        }
        let file = mailtls::key_first_pem(key, chain)?;
        self.store.put_certificate(&NewCertificate {
            name: import.name.clone(),
            chain: chain.iter().map(|cert| cert.der.clone()).collect(),
            key: Some(key.to_pem()?),
            private_ca: match chosen {
                Some(chosen) => Some(chosen),
                None => self.kept_cas(&versions, chain),
            },
            source: import.source.clone(),
            added_ms: self.clock.now_ms(),
            file_digest: Some(Digest::of(&file)),
            succession: import.succession,
        })?;
        self.note_newest("imported", &import.name)?;
        Ok(Changes::Some)
    }

    /// Who vouches is said anew of the last of these versions, and so of those after it (they come
    /// first) that were trusted as it was.
    fn choose_cas(&mut self, versions: &[Stored], chosen: &[u8]) -> Result<Changes, EngineError> {
        let before = versions.last().and_then(|said| said.private_ca.clone());
        let mut changes = Changes::None;
        for stored in versions.iter().filter(|one| one.private_ca == before) {
            if stored.private_ca.as_deref() == Some(chosen) {
                continue;
            }
            self.store.put_certificate(&NewCertificate {
                name: stored.name.clone(),
                chain: stored.chain.clone(),
                key: None,
                private_ca: Some(chosen.to_vec()),
                source: stored.source.clone(),
                added_ms: stored.added_ms,
                file_digest: stored.file_digest,
                succession: Succession::Renewal,
            })?;
            changes = Changes::Some;
        }
        if let (Changes::Some, Some(one)) = (changes, versions.first()) {
            self.note_done(&format!(
                "chose other CAs to vouch for certificate {}",
                one.name
            ))?;
        }
        Ok(changes)
    }

    /// The CAs that were chosen for a name vouch for each version after it, until others are: also
    /// for those that they turn out not to have issued, but not for one that the system's CAs vouch
    /// for. `versions`: the newest first.
    pub(crate) fn kept_cas(&self, versions: &[Stored], chain: &[Certificate]) -> Option<Vec<u8>> {
        let mut chosen = versions.iter().filter_map(|one| one.private_ca.as_ref());
        let chosen = chosen.next()?;
        let own = mailtls::leads_to(chain, &mailtls::cas_from_der(chosen));
        (own || !self.system_trust().vouches_for(chain)).then(|| chosen.clone())
    }

    /// What a newer version renews is not put after it: `deploy` would present the newest all the
    /// same. `versions`: the newest first.
    pub(crate) fn older_version(
        &self,
        versions: &[Stored],
        at: usize,
    ) -> Result<Finding, EngineError> {
        let (name, older) = (&versions[at].name, versions[at].version);
        let newest = versions[0].version;
        let users = self.users()?;
        let in_force = |version| !users.in_force(name, version).is_empty();
        let message = format!(
            "This certificate is version {older} of {name}, and version {newest} is newer: nothing \
             was imported or presented."
        );
        let waits_for = self.why_it_waits(&versions[0])?;
        let remedy = if let (Some(why), false) = (waits_for.first(), in_force(older)) {
            format!(
                "Version {newest} waits: {} `postseal cert delete {name} --version {newest}` drops it; \
                 or import this one under another name.",
                why.message
            )
        } else if in_force(older) {
            format!(
                "Nothing, where it is meant to stay: version {older} is in force. `postseal cert show \
                 {name}` says what version {newest} waits for; `postseal cert delete {name} \
                 --version {newest}` drops it."
            )
        } else if in_force(newest) {
            "`postseal rollback` leads back to the version before; or import this one under \
             another name, and bind that."
                .to_owned()
        } else {
            format!(
                "`postseal cert deploy {name}` presents version {newest}; `postseal cert delete \
                 {name} --version {newest}` drops it; or import this one under another name."
            )
        };
        Ok(Finding::new(
            "cert.older-version",
            Severity::Error,
            message,
            remedy,
        ))
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

/// Whether a chain is a stored one with more intermediates.
fn completes(chain: &[Certificate], stored: &Stored) -> bool {
    let leaf = chain.first().map(|leaf| &leaf.der);
    stored.chain.first() == leaf && stored.chain.len() < chain.len()
}

/// That the chain takes the place of a shorter one, where it does.
fn completed(newest: Option<&Stored>, chain: &[Certificate]) -> Option<String> {
    let newest = newest.filter(|newest| completes(chain, newest))?;
    Some(format!(
        "the same certificate was here with {} in its chain, and now has {}; where it is presented, \
         `postseal cert deploy {}` puts them in force",
        newest.chain.len(),
        chain.len(),
        newest.name
    ))
}

/// What is to be said of CAs that were named and did not issue it.
fn vouches_for_nothing(chosen: Option<&[u8]>, chain: &[Certificate]) -> Option<String> {
    let cas = mailtls::cas_from_der(chosen?);
    let top = chain.last().filter(|_| !mailtls::leads_to(chain, &cas))?;
    let named: Vec<&str> = cas.iter().map(|ca| ca.subject.as_str()).collect();
    Some(format!(
        "the private CA that was given ({}) does not vouch for it: the chain ends at {}",
        named.join("; "),
        top.issuer
    ))
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
