//! Observe: host and store → `Facts`.
//!
//! Owns: putting one picture together. Never: interprets a parameter; the planner names the
//! further files to look at, until it has nothing more to ask.

use crate::rules::touched_maps;
use crate::{Engine, EngineError, Event, Stage};
use mailtls::Fingerprint;
use postseal_host::{Host, HostLook, PostfixHost};
use postseal_planner::Intent;
use postseal_planner::credentials::{password_files, without_passwords};
use postseal_planner::facts::{Facts, FileLook, StoredCertificate};
use postseal_store::Certificate;

/// Rounds of looking: a map file may name certificate files, nothing nests deeper.
const ROUNDS: usize = 4;

impl Engine<'_> {
    /// One picture of the instance, now.
    pub fn observe(&self) -> Result<Facts, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let intent = state.map(|state| state.draft.unwrap_or(state.desired));
        self.observe_for(intent.as_ref())
    }

    /// The same, knowing the certificates of another intent too: one that a plan leads back to.
    pub(crate) fn observe_with(&self, also: &Intent) -> Result<Facts, EngineError> {
        let mut facts = self.observe()?;
        for stored in self.certificates_bound(Some(also))? {
            // One certificate may stand under several names, and bindings tell them apart.
            let mut known = facts.certificates.iter();
            let is_it = |known: &StoredCertificate| {
                (&known.name, known.version) == (&stored.name, stored.version)
            };
            if !known.any(is_it) {
                facts.certificates.push(stored);
            }
        }
        Ok(facts)
    }

    /// The same, with a look at what `intent` would name.
    pub(crate) fn observe_for(&self, intent: Option<&Intent>) -> Result<Facts, EngineError> {
        self.tell(Event::Stage { stage: Stage::Look });
        let certificates = self.certificates_bound(intent)?;
        let mut facts = picture(self.host, certificates, intent)?;
        facts.touched = touched_maps(self.host, &facts, intent);
        Ok(facts)
    }
}

impl Engine<'_> {
    /// All versions of what is bound, or would be: a store of many is not read for a few.
    fn certificates_bound(
        &self,
        intent: Option<&Intent>,
    ) -> Result<Vec<StoredCertificate>, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let open = self.store.open(&self.instance)?;
        let open = open.map(|open| [open.new.plan.intent, open.new.plan.earlier]);
        let known = state.as_ref().into_iter().flat_map(|state| {
            let draft = state.draft.as_ref();
            [Some(&state.desired), draft].into_iter().flatten()
        });
        let versions = self.versions_of(known.chain(open.iter().flatten()).chain(intent))?;
        Ok(versions.into_iter().filter_map(stored).collect())
    }
}

/// One picture of an instance that nobody has adopted, without a store.
pub fn observe_unadopted(host: &dyn Host) -> Result<Facts, EngineError> {
    picture(host, Vec::new(), None)
}

/// The same as far as `postconf` prints it, and without a look at any other file.
pub fn observe_values(host: &PostfixHost) -> Result<Facts, EngineError> {
    Ok(assemble(host.look_at_values()?, Vec::new()))
}

/// Looks, and looks again at what was named, until nothing more is.
fn picture(
    host: &dyn Host,
    certificates: Vec<StoredCertificate>,
    intent: Option<&Intent>,
) -> Result<Facts, EngineError> {
    let mut facts = assemble(host.look()?, certificates);
    for _ in 0..ROUNDS {
        let mut wanted = postseal_planner::looks(&facts);
        wanted.extend(
            intent
                .iter()
                .flat_map(|intent| postseal_planner::looks_ahead(&facts, intent)),
        );
        wanted.retain(|path| !facts.files.contains_key(path));
        if wanted.is_empty() {
            break;
        }
        let passwords = password_files(&facts);
        for path in wanted {
            let mut look = host.read(&path);
            if passwords.contains(&path)
                && let FileLook::File { bytes, .. } = &mut look
            {
                // What is taken out is wiped.
                *bytes = without_passwords(bytes);
            }
            facts.files.insert(path, look);
        }
    }
    Ok(facts)
}

pub(crate) fn assemble(look: HostLook, certificates: Vec<StoredCertificate>) -> Facts {
    Facts {
        config_directory: look.config_directory,
        main_cf: look.main_cf,
        master_cf: look.master_cf,
        version: look.version,
        openssl: postseal_probe::openssl_version(),
        values: look.values,
        defaults: look.defaults,
        map_types: look.map_types,
        sasl_types: look.sasl_types,
        addresses: look.addresses,
        files: std::collections::BTreeMap::new(),
        touched: std::collections::BTreeMap::new(),
        unmade: None,
        server_names: std::collections::BTreeMap::new(),
        certificates,
        master: look.master,
        dns: std::collections::BTreeMap::new(),
    }
}

pub(crate) fn stored(certificate: Certificate) -> Option<StoredCertificate> {
    let leaf = certificate.chain.first()?;
    Some(StoredCertificate {
        fingerprint: Fingerprint::of(leaf),
        name: certificate.name,
        version: certificate.version,
        chain: certificate.chain,
        has_key: certificate.has_key,
        private_ca: certificate.private_ca,
        file_digest: certificate.file_digest,
    })
}
