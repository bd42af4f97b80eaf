//! Certificates made here: self-signed, by a private CA, and requests for a CA elsewhere.
//!
//! Owns: under which name they enter the store, and whose key they use. Never: makes a key or a
//! signature itself (`issue` does), binds what it made.

mod ca;

use crate::certificates::{CertificateView, finding, unknown};
use crate::import::{check_name, taken};
use crate::{Engine, EngineError};
pub(crate) use ca::{MADE_CA, longer};
use mailtls::{CertError, CertProblem, Gravity, PrivateKey};
use postseal_issue::{IssueError, Issued, Key, KeyType, Validity};
use postseal_planner::{Digest, Finding, Severity};
use postseal_store::{NewCertificate, PendingRequest, Succession};

/// What is made for which names.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The name in the store.
    pub name: String,
    /// Host names and addresses; the first is the common name too. For a CA, its common name.
    pub names: Vec<String>,
    /// The key to make, or that of the certificate which is renewed.
    pub key: KeyChoice,
    /// How long it is valid.
    pub days: u32,
    /// Whether it may follow another certificate under its name.
    pub succession: Succession,
}

/// Which key a certificate is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChoice {
    /// A new one.
    New(KeyType),
    /// That of the newest version under the name.
    Reuse,
}

impl Engine<'_> {
    /// A certificate that only its own key vouches for.
    pub fn self_signed(&mut self, wanted: &Wanted) -> Result<CertificateView, EngineError> {
        self.check_free(wanted)?;
        self.refuse_other_key(wanted)?;
        let key = self.key_for(wanted)?;
        let validity = Validity::days(self.clock.now_unix(), wanted.days);
        let issued =
            postseal_issue::self_signed_for(&names(wanted)?, validity, &key).map_err(refused)?;
        self.put_issued(wanted, &issued, None, "self-signed here")
    }

    /// A request for a CA elsewhere; its key stays here, sealed, until the certificate comes under
    /// the same name.
    pub fn request(&mut self, wanted: &Wanted) -> Result<PendingRequest, EngineError> {
        check_name(&wanted.name)?;
        if let Some(waiting) = self.waiting_request(&wanted.name)? {
            return Err(waits(&waiting, &self.taking_the_answer(&wanted.name)?));
        }
        self.refuse_other_key(wanted)?;
        let key = self.key_for(wanted)?;
        let names = names(wanted)?;
        let made = postseal_issue::signing_request(&names, &key).map_err(refused)?;
        let request = PendingRequest {
            name: wanted.name.clone(),
            pem: made.pem,
            names,
            made_ms: self.clock.now_ms(),
        };
        let key = key.to_pem();
        match self.store.put_request(&request, key.as_bytes())? {
            true => {
                let (name, names) = (&request.name, request.names.join(", "));
                self.note_done(&format!(
                    "made the request {name} for {names}, with its key"
                ))?;
                Ok(request)
            }
            // Another process was faster: its request counts, and this key is forgotten.
            false => {
                let waiting = self.waiting_request(&wanted.name)?;
                let taking = self.taking_the_answer(&wanted.name)?;
                Err(waits(&waiting.unwrap_or(request), &taking))
            }
        }
    }

    /// The requests that wait for their certificates.
    pub fn requests(&self) -> Result<Vec<PendingRequest>, EngineError> {
        Ok(self.store.requests()?)
    }

    /// The request that waits under `name`, if any.
    pub fn waiting_request(&self, name: &str) -> Result<Option<PendingRequest>, EngineError> {
        let all = self.store.requests()?;
        Ok(all.into_iter().find(|request| request.name == name))
    }

    /// The command that takes a CA's answer to the request under `name`.
    pub fn taking_the_answer(&self, name: &str) -> Result<String, EngineError> {
        let renews = match self.newest(name)? {
            Some(_) => " --renew",
            None => "",
        };
        Ok(format!("postseal cert import {name} --cert FILE{renews}"))
    }

    /// Forgets a request with its key.
    pub fn forget_request(&mut self, name: &str) -> Result<(), EngineError> {
        if self.store.delete_request(name)? {
            return self.note_done(&format!("forgot the request {name}, with its key"));
        }
        Err(EngineError::Unknown {
            what: "request",
            name: name.to_owned(),
        })
    }

    pub(crate) fn check_free(&self, wanted: &Wanted) -> Result<(), EngineError> {
        check_name(&wanted.name)?;
        if wanted.succession == Succession::First && self.newest(&wanted.name)?.is_some() {
            return Err(taken(&wanted.name));
        }
        Ok(())
    }

    /// The key to make a certificate for: the one that waits for it (`make_next_key`) before that of
    /// today and a new one of the kind wanted.
    pub(crate) fn key_for(&self, wanted: &Wanted) -> Result<Key, EngineError> {
        if let Some(next) = self.next_key(&wanted.name)? {
            return Key::read(&next).map_err(refused);
        }
        let KeyChoice::New(key_type) = wanted.key else {
            let newest = self.newest(&wanted.name)?;
            let newest = newest.ok_or_else(|| unknown(&wanted.name))?;
            let pem = self.store.private_key(&wanted.name, newest.version)?;
            return Key::read(&pem.ok_or(CertError::KeyMissing)?).map_err(refused);
        };
        Key::generate(key_type).map_err(refused)
    }

    fn put_issued(
        &mut self,
        wanted: &Wanted,
        issued: &Issued,
        private_ca: Option<Vec<u8>>,
        source: &str,
    ) -> Result<CertificateView, EngineError> {
        let new = self.as_stored(wanted, issued, private_ca, source)?;
        self.store.put_certificate(&new)?;
        self.settle_keys(&wanted.name)?;
        self.note_newest("made", &wanted.name)?;
        self.certificate(&wanted.name)
    }

    /// What was made, as it enters the store.
    pub(crate) fn as_stored(
        &self,
        wanted: &Wanted,
        issued: &Issued,
        private_ca: Option<Vec<u8>>,
        source: &str,
    ) -> Result<NewCertificate, EngineError> {
        let mut chain = mailtls::pem_certificates(issued.fullchain_pem().as_bytes())?;
        self.leave_root_out(&wanted.name, &mut chain, private_ca.as_deref())?;
        let key = PrivateKey::parse(issued.key_pem.as_bytes())?;
        let file = mailtls::key_first_pem(&key, &chain)?;
        let private_ca = match private_ca {
            Some(chosen) => Some(chosen),
            None => self.kept_cas(&self.store.certificate_versions(&wanted.name)?, &chain),
        };
        Ok(NewCertificate {
            name: wanted.name.clone(),
            chain: chain.iter().map(|cert| cert.der.clone()).collect(),
            key: Some(key.to_pem()?),
            private_ca,
            source: source.to_owned(),
            added_ms: self.clock.now_ms(),
            file_digest: Some(Digest::of(&file)),
            succession: wanted.succession,
        })
    }
}

/// Host names as A-labels, and addresses; each once, however it is written.
pub(crate) fn names(wanted: &Wanted) -> Result<Vec<String>, EngineError> {
    let plain = |name: &String| {
        let (star, host) = match name.strip_prefix("*.") {
            Some(host) => ("*.", host),
            None => ("", name.as_str()),
        };
        if let Ok(address) = name.parse::<std::net::IpAddr>() {
            return Some(address.to_string());
        }
        mailtls::host_name(host).map(|host| format!("{star}{host}"))
    };
    let mut names = Vec::new();
    for given in &wanted.names {
        let name = plain(given).ok_or_else(|| no_name(given))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn no_name(given: &str) -> EngineError {
    EngineError::Refused(
        Finding::new(
            "cert.bad-host-name",
            Severity::Error,
            format!("{given:?} is neither a host name nor an address."),
            "Say names as mail.example.org, *.example.org or 192.0.2.1.",
        )
        .into(),
    )
}

/// A second request would end the first one's key, and a CA may be at work on it.
fn waits(request: &PendingRequest, taking: &str) -> EngineError {
    let name = &request.name;
    let message = format!(
        "A request for {} waits under the name {name} for its certificate, with its key; another \
         would make what a CA answers to it useless.",
        request.names.join(", ")
    );
    let remedy = format!(
        "`{taking}` takes the CA's answer; `postseal cert request {name}` shows \
         the request again; `postseal cert request {name} --forget` drops it with its key."
    );
    EngineError::Refused(
        Finding::new("cert.request-waits", Severity::Error, message, remedy).into(),
    )
}

/// Why nothing could be made.
pub(crate) fn refused(error: IssueError) -> EngineError {
    if let IssueError::Unreadable(error) = error {
        return error.into();
    }
    let problem = CertProblem {
        code: "cert.not-made",
        gravity: Gravity::Error,
        message: postseal_planner::whole_chain(&error),
        remedy: match error {
            IssueError::OutsideConstraints(_) => {
                "It issues for the domains of its --permit only: leave this name out, or make another CA \
                 under another name."
            }
            _ => "Check the names, the lifetime and the CA.",
        }
        .to_owned(),
        at: 0,
    };
    EngineError::Refused(finding(&problem).into())
}
