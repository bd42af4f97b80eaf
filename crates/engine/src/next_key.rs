//! Next keys: made ahead, so that their TLSA records can be published before they are used.
//!
//! Owns: which certificate a key waits for, and that it waits no longer once that has come. Never:
//! gives a key to anything but the next certificate under its name.

use crate::certificates::unknown;
use crate::make::refused;
use crate::{Engine, EngineError, KeyChoice, Wanted};
use mailtls::tlsa::TlsaRecord;
use mailtls::{Certificate, KeyKind, PrivateKey};
use postseal_issue::{Key, KeyType};
use postseal_planner::renewal::NextKey as Whose;
use postseal_planner::{Finding, Severity};
use postseal_store::NextKey;
use zeroize::Zeroizing;

/// A key that waits for its certificate, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingKey {
    /// When it was made, milliseconds since the epoch.
    pub made_ms: i64,
    /// `3 1 1` of it.
    pub record: TlsaRecord,
}

impl Engine<'_> {
    /// Makes the key of the next certificate under `name`; of the kind of the newest one where none
    /// is said. One that waits already stays.
    pub fn make_next_key(
        &mut self,
        name: &str,
        key_type: Option<KeyType>,
    ) -> Result<WaitingKey, EngineError> {
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        self.settle_keys(name)?;
        if let Some(waiting) = self.waiting_key(name)? {
            return Ok(waiting);
        }
        let leaf = newest.chain.first().ok_or_else(|| unknown(name))?;
        let kind = kind_of(&Certificate::parse(leaf)?);
        let key = Key::generate(key_type.unwrap_or(kind)).map_err(refused)?;
        let next = NextKey {
            name: name.to_owned(),
            made_ms: self.clock.now_ms(),
        };
        // Where another process was faster, its key stays and is answered with.
        if self.store.put_next_key(&next, key.to_pem().as_bytes())? {
            self.note_done(&format!("made the next key of certificate {name}"))?;
        }
        let waiting = self.waiting_key(name)?;
        waiting.ok_or_else(|| unknown_key(name))
    }

    /// Forgets the key that waits under `name`.
    pub fn forget_next_key(&mut self, name: &str) -> Result<(), EngineError> {
        match self.store.delete_next_key(name)? {
            true => self.note_done(&format!("forgot the next key of certificate {name}")),
            false => Err(unknown_key(name)),
        }
    }

    /// The key that waits under `name`, if any.
    pub fn waiting_key(&self, name: &str) -> Result<Option<WaitingKey>, EngineError> {
        let all = self.store.next_keys()?;
        let Some(next) = all.into_iter().find(|next| next.name == name) else {
            return Ok(None);
        };
        let Some(pem) = self.next_key(name)? else {
            return Ok(None);
        };
        Ok(Some(WaitingKey {
            made_ms: next.made_ms,
            record: TlsaRecord::for_key(&PrivateKey::parse(&pem)?)?,
        }))
    }

    /// Whether a certificate is renewed with the same key each time.
    pub fn reuses_key(&self, name: &str) -> Result<bool, EngineError> {
        let renewals = self.store.renewals()?;
        let mut its = renewals.iter().filter(|one| one.name == name);
        Ok(its.any(|one| one.method.key == Whose::Reused))
    }

    /// The names under which a key waits.
    pub fn names_of_next_keys(&self) -> Result<Vec<String>, EngineError> {
        let names = self.store.next_keys()?.into_iter().map(|next| next.name);
        let waits = |name: &String| Ok(self.next_key(name)?.is_some());
        names
            .filter_map(|name| waits(&name).map(|waits| waits.then_some(name)).transpose())
            .collect()
    }

    /// Refuses to make something now for the key of today where another one waits for it.
    pub(crate) fn refuse_other_key(&self, wanted: &Wanted) -> Result<(), EngineError> {
        let name = &wanted.name;
        if wanted.key != KeyChoice::Reuse || self.next_key(name)?.is_none() {
            return Ok(());
        }
        let message = format!(
            "A next key waits for {name}, and its record may be published already; to use the key of \
             today again contradicts it."
        );
        let remedy = format!(
            "Leave --reuse-key out, and it is made for the next key; or `postseal cert tlsa {name} \
             --forget-next-key`, and take its record out of DNS."
        );
        let finding = Finding::new("cert.next-key-waits", Severity::Error, message, remedy);
        Err(EngineError::Refused(finding.into()))
    }

    /// The key for the next certificate under `name`. One that has its certificate waits no more.
    pub(crate) fn next_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, EngineError> {
        let Some(pem) = self.store.next_key(name)? else {
            return Ok(None);
        };
        let came = self.is_of_newest(name, &PrivateKey::parse(&pem)?)?;
        Ok((!came).then_some(pem))
    }

    /// Whether the newest certificate under `name` has this key.
    fn is_of_newest(&self, name: &str, key: &PrivateKey) -> Result<bool, EngineError> {
        let newest = self.newest(name)?;
        let leaf = newest.as_ref().and_then(|newest| newest.chain.first());
        Ok(match leaf {
            Some(leaf) => key.matches(&Certificate::parse(leaf)?),
            None => false,
        })
    }

    /// Forgets the next key, and the request, where the newest certificate is the one that it waited
    /// for. A request that another certificate overtook waits on: its answer may be on its way.
    pub(crate) fn settle_keys(&mut self, name: &str) -> Result<(), EngineError> {
        if let Some(pem) = self.store.request_key(name)?
            && self.is_of_newest(name, &PrivateKey::parse(&pem)?)?
        {
            self.store.delete_request(name)?;
        }
        if self.store.next_key(name)?.is_some() && self.next_key(name)?.is_none() {
            self.store.delete_next_key(name)?;
        }
        Ok(())
    }
}

fn unknown_key(name: &str) -> EngineError {
    EngineError::Unknown {
        what: "next key",
        name: name.to_owned(),
    }
}

fn kind_of(leaf: &Certificate) -> KeyType {
    match &leaf.key {
        KeyKind::Rsa { bits: 4096.. } => KeyType::Rsa4096,
        KeyKind::Rsa { bits: 3072.. } => KeyType::Rsa3072,
        KeyKind::Rsa { .. } => KeyType::Rsa2048,
        KeyKind::Ec { curve } if curve == "secp384r1" => KeyType::EcdsaP384,
        KeyKind::Ed25519 => KeyType::Ed25519,
        KeyKind::Ec { .. } | KeyKind::Ed448 | KeyKind::Other => KeyType::EcdsaP256,
    }
}
