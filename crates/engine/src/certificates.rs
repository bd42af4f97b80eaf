//! The certificate store's verbs: show, export; `list` and `check` are files of their own below.
//!
//! Owns: what is shown of it and what may leave it; what enters is `import`'s, what goes
//! `delete`'s. Never: writes a key anywhere; only a plan's steps do. Binding is a wish (`adopt`).

mod check;
mod listed;
mod users;

pub use listed::{Listed, Waiting};

use crate::renew::Renewals;
use crate::succession::Prospect;
use crate::{Engine, EngineError, RenewalView};
use mailtls::{CertProblem, Certificate, Fingerprint, Gravity, PrivateKey};
use postseal_planner::facts::Facts;
use postseal_planner::intent::Place;
use postseal_planner::report::KeyAlgorithm;
use postseal_planner::{Adopted, Finding, Severity, SystemTrust, adopted, is_issuing_ca};
use postseal_store::Certificate as Stored;
use users::Users;
use zeroize::Zeroizing;

/// How many certificates are held at once where all are read.
const PAGE: usize = 250;

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
    /// The older version that is in force instead of this one, where one is.
    pub in_force_instead: Option<u32>,
    /// Why `cert deploy` would not put this one in force instead; nothing where it would.
    pub waits_for: Vec<Finding>,
    /// That DNS did not tell whether published TLSA records forbid to put it in force.
    pub untold: Option<Finding>,
    /// How it is renewed, where a CA issues it by ACME.
    pub renewal: Option<RenewalView>,
}

/// What is the same for all certificates.
struct Around {
    users: Users,
    system: SystemTrust,
    renewals: Renewals,
}

/// A private key on its way out.
#[derive(Debug)]
pub struct ExportedKey {
    /// Key first, then the chain, PEM.
    pub pem: Zeroizing<Vec<u8>>,
}

impl Engine<'_> {
    /// One certificate, judged.
    pub fn certificate(&self, name: &str) -> Result<CertificateView, EngineError> {
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        self.view(newest, &self.around()?)
    }

    /// The version since which a certificate has had the key of its newest one, where renewals
    /// have kept it.
    pub fn key_kept_since(&self, name: &str) -> Result<Option<u32>, EngineError> {
        let versions = self.store.certificate_versions(name)?;
        let Some(newest) = versions.first() else {
            return Err(unknown(name));
        };
        let key = |stored: &Stored| {
            let leaf = stored.chain.first()?;
            Some(Certificate::parse(leaf).ok()?.key_fingerprint())
        };
        let (now, current) = (key(newest), newest.version);
        let same = versions.iter().take_while(|stored| key(stored) == now);
        let since = same.last().map(|stored| stored.version);
        Ok(since.filter(|since| now.is_some() && *since < current))
    }

    /// The certificates that something presents, or would, judged: the version in force, where one
    /// is; else the newest.
    pub(crate) fn certificates_in_use(&self) -> Result<Vec<CertificateView>, EngineError> {
        let around = self.around()?;
        let names = around.users.names();
        let instance = match names.is_empty() {
            true => None,
            false => self.in_force_here()?,
        };
        let mut views = Vec::new();
        for name in names {
            if let Some(newest) = self.newest(name)? {
                let shown = self.spoken(newest, &around.users)?.shown;
                let mut view = self.view(shown, &around)?;
                self.judge_in_force(&mut view, &around.users, &instance);
                views.push(view);
            }
        }
        Ok(views)
    }

    /// The newest version of each certificate, by name, a page at a time.
    fn each_stored(
        &self,
        each: &mut dyn FnMut(Stored) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut after = String::new();
        loop {
            let page = self.store.newest_certificates(&after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.name);
            page.into_iter().try_for_each(&mut *each)?;
        }
    }

    /// The trust anchors of the system that Postfix runs on.
    pub(crate) fn system_trust(&self) -> SystemTrust {
        let looks: Vec<_> = SystemTrust::bundles()
            .map(|path| self.host.read(&path))
            .collect();
        SystemTrust::of(&looks)
    }

    fn view(&self, stored: Stored, around: &Around) -> Result<CertificateView, EngineError> {
        let chain = parsed(&stored)?;
        let used_by = around.users.of_certificate(&stored.name, stored.version);
        let mut problems = self.problems(&stored, &chain, around);
        // A CA in the store issues; what would be wrong with presenting it is no matter, unless that is
        // what is done or wished.
        if used_by.is_empty() && is_issuing_ca(&chain) {
            of_ca(&mut problems, &stored);
        }
        of_client(&mut problems, &chain, &around.users.places(&stored.name));
        problems.extend(self.duplicate(&stored.name, &chain, &around.users)?);
        let life = chain.first().map(crate::issue::life);
        let renewal = life.and_then(|life| around.renewals.of_certificate(&stored.name, &life));
        let in_force_instead = around.users.older_in_force(&stored.name, stored.version);
        let prospect = match in_force_instead {
            Some(_) => self.prospect(&stored)?,
            None => Prospect::default(),
        };
        problems.extend(renewal.iter().filter_map(|one| one.failure.clone()));
        Ok(CertificateView {
            used_by,
            in_force_instead,
            waits_for: prospect.waits_for,
            untold: prospect.untold,
            name: stored.name,
            version: stored.version,
            chain,
            has_key: stored.has_key,
            source: stored.source,
            problems,
            renewal,
        })
    }

    /// What is wrong with a certificate of the store now.
    fn problems(&self, stored: &Stored, chain: &[Certificate], around: &Around) -> Vec<Finding> {
        let (now, private_ca) = (self.clock.now_unix(), stored.private_ca.as_deref());
        postseal_planner::chain_problems(chain, now, &[], private_ca, &around.system)
            .iter()
            .map(finding)
            .collect()
    }

    /// What all certificates are shown with.
    fn around(&self) -> Result<Around, EngineError> {
        Ok(Around {
            users: self.users()?,
            system: self.system_trust(),
            renewals: Renewals::of(self)?,
        })
    }

    /// The same certificate under another name. What a newer version has renewed there, and nothing
    /// presents, is none.
    fn duplicate(
        &self,
        name: &str,
        chain: &[Certificate],
        users: &Users,
    ) -> Result<Option<Finding>, EngineError> {
        let Some(leaf) = chain.first() else {
            return Ok(None);
        };
        let fingerprint = leaf.fingerprint();
        let mut others = Vec::new();
        for one in self.of_leaf(&fingerprint)? {
            if one.name == name {
                continue;
            }
            if self
                .newest(&one.name)?
                .is_some_and(|newest| newest.version == one.version)
            {
                others.push(one.name);
            } else if !users.in_force(&one.name, one.version).is_empty() {
                others.push(format!("{} [version {}]", one.name, one.version));
            }
        }
        let others: Vec<_> = others
            .iter()
            .map(|other| (other.as_str(), fingerprint))
            .collect();
        Ok(mailtls::duplicate(leaf, &others).as_ref().map(finding))
    }

    /// What servers present from files that are not the store's: nothing where Postfix cannot be asked.
    pub fn adopted_certificates(&self) -> Vec<Adopted> {
        let facts = self.observe();
        facts.map_or_else(|_| Vec::new(), |facts| self.adopted_in(&facts))
    }

    /// The same where Postfix was asked.
    pub(crate) fn adopted_in(&self, facts: &Facts) -> Vec<Adopted> {
        let private_ca = |leaf: &Certificate| {
            let stored = self.of_leaf(&leaf.fingerprint()).unwrap_or_default();
            stored.into_iter().find_map(|stored| stored.private_ca)
        };
        let now = self.clock.now_unix();
        let mut all = adopted(facts, now, &self.system_trust(), &private_ca);
        for one in &mut all {
            let Some(leaf) = &one.leaf else { continue };
            let stored = self.of_leaf(&leaf.fingerprint()).unwrap_or_default();
            one.same_as = stored.into_iter().map(|stored| stored.name).collect();
            one.same_as.sort();
            one.same_as.dedup();
        }
        all
    }

    /// What is in force against the names that senders use, and what they find in DNS.
    pub fn check_in_force(&self) -> Result<Vec<Finding>, EngineError> {
        match self.store.instance(&self.instance)? {
            Some(state) => {
                let mut findings = self.touched_files();
                findings.extend(self.dane_findings(&state.desired)?);
                Ok(findings)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Key and chain of a stored certificate, after the operator has said so in full words.
    /// Leaves an audit entry before anything is handed out.
    pub fn export_key(&mut self, name: &str) -> Result<ExportedKey, EngineError> {
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        let leaf = newest.chain.first().ok_or_else(|| unknown(name))?;
        let fingerprint = Fingerprint::of(leaf);
        let pem = self.key_and_chain(&fingerprint, |stored| stored == name)?;
        let version = newest.version;
        let short = crate::noted::short(&fingerprint);
        let what = format!(
            "exported the private key of version {version} of certificate {name} ({short})"
        );
        self.note_done(&what)?;
        Ok(ExportedKey { pem })
    }

    /// The key-first PEM file of a stored certificate. The same one may be there under several
    /// names, with other chains: that of the name which `is_it` is preferred.
    pub(crate) fn key_and_chain(
        &self,
        fingerprint: &Fingerprint,
        is_it: impl Fn(&str) -> bool,
    ) -> Result<Zeroizing<Vec<u8>>, EngineError> {
        let mut known = self.of_leaf(fingerprint)?;
        known.sort_by_key(|stored| !is_it(&stored.name));
        for stored in known {
            let key = self.store.private_key(&stored.name, stored.version)?;
            if let Some(key) = key {
                let key = PrivateKey::parse(&key)?;
                return Ok(mailtls::key_first_pem(&key, &parsed(&stored)?)?);
            }
        }
        Err(EngineError::Unknown {
            what: "certificate",
            name: fingerprint.to_string(),
        })
    }

    /// The kind of a stored certificate's key; `None` where the store does not have it.
    pub(crate) fn key_kind(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<KeyAlgorithm>, EngineError> {
        let found = self.of_leaf(fingerprint)?;
        let leaf = found.first().and_then(|stored| stored.chain.first());
        Ok(leaf
            .and_then(|der| Certificate::parse(der).ok())
            .and_then(|leaf| KeyAlgorithm::of(&leaf)))
    }

    /// The newest version under a name.
    pub(crate) fn newest(&self, name: &str) -> Result<Option<Stored>, EngineError> {
        Ok(self.store.certificate_versions(name)?.into_iter().next())
    }

    /// The stored certificates with this leaf.
    pub(crate) fn of_leaf(&self, fingerprint: &Fingerprint) -> Result<Vec<Stored>, EngineError> {
        Ok(self.store.certificates_of_leaf(fingerprint)?)
    }
}

pub(crate) fn parsed(stored: &Stored) -> Result<Vec<Certificate>, EngineError> {
    let chain = stored.chain.iter().map(|der| Certificate::parse(der));
    Ok(chain.collect::<Result<_, _>>()?)
}

/// What matters in a CA's own certificate.
const OF_CAS: [&str; 5] = [
    "cert.expired",
    "cert.not-yet-valid",
    "cert.expiring",
    "cert.weak-key",
    "cert.weak-signature",
];

/// That its time ends.
const ENDS: [&str; 2] = ["cert.expired", "cert.expiring"];

/// One that is for TLS clients alone is no server's: no error where nothing else is made of it.
fn of_client(problems: &mut Vec<Finding>, chain: &[Certificate], places: &[&Place]) {
    let no_server = |problem: &Finding| problem.code == "cert.no-server-auth";
    let is_clients = chain.first().is_some_and(Certificate::allows_client_auth);
    let elsewhere = |place: &&&Place| !matches!(place, Place::Client(_));
    if !is_clients || places.iter().any(|place| elsewhere(&place)) {
        return;
    }
    if !places.is_empty() {
        problems.retain(|problem| !no_server(problem));
    }
    for problem in problems.iter_mut().filter(|problem| no_server(problem)) {
        problem.severity = Severity::Info;
        problem.remedy = "Nothing, where it is the SMTP client's: it can only be bound with \
                          `postseal cert bind NAME --client`."
            .to_owned();
    }
}

/// What matters of a CA that nothing presents. Who imports one may mean it for a server's.
fn of_ca(problems: &mut Vec<Finding>, ca: &Stored) {
    let made_here = ca.source == crate::make::MADE_CA;
    let as_leaf = |problem: &Finding| !made_here && problem.code == "cert.ca-as-leaf";
    problems.retain(|problem| as_leaf(problem) || OF_CAS.contains(&&*problem.code));
    for problem in problems {
        if as_leaf(problem) {
            problem.severity = Severity::Info;
            problem
                .remedy
                .push_str(" Nothing, where it is here to issue: `cert request NAME --ca`.");
        } else if ENDS.contains(&&*problem.code) {
            problem.remedy = crate::make::longer(&ca.name, &ca.source);
        }
    }
}

pub(crate) fn finding(problem: &CertProblem) -> Finding {
    let mut finding = postseal_planner::certificate_finding(problem);
    // A plan may present a certificate that ends soon; to those who look after it, it is urgent.
    if problem.gravity == Gravity::Error {
        finding.severity = Severity::Error;
    }
    finding
}

pub(crate) fn unknown(name: &str) -> EngineError {
    EngineError::Unknown {
        what: "certificate",
        name: name.to_owned(),
    }
}
