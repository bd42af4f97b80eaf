//! The certificate that the console presents, on its way to it.
//!
//! Owns: the pipe: whoever has the right to the key writes a line, a JSON string of PEM, for each version; the console
//! reads it and keeps it in memory alone. Never: a file of the key that the console's user could read.

use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use mailtls::Fingerprint;
use postseal_console::Presented;
use postseal_planner::whole_chain;
use postseal_store::{SqliteStore, Store as _};
use rustix::io::ioctl_fionbio;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How often it is looked whether there is another version.
const LOOK: Duration = Duration::from_secs(5);
/// No line is longer, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Who hands it over.
pub(super) struct Hand<'a> {
    global: &'a Global,
    name: &'a str,
    to: ChildStdin,
    given: Option<Fingerprint>,
    looked: Option<Instant>,
    complained: String,
}

impl<'a> Hand<'a> {
    /// To a console that was started with a pipe; none where it presents no certificate.
    pub(super) fn to(child: &mut Child, global: &'a Global) -> Option<Self> {
        let to = child.stdin.take()?;
        // Whoever owns the console may leave the pipe full.
        ioctl_fionbio(&to, true).ok()?;
        Some(Self {
            global,
            name: global.console_certificate.as_deref()?,
            to,
            given: None,
            looked: None,
            complained: String::new(),
        })
    }

    /// Hands over what has become another. An error of the pipe ends the console, which is started again.
    pub(super) fn tend(&mut self) -> std::io::Result<()> {
        if self.looked.is_some_and(|last| last.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        match self.newer() {
            Ok(Some(line)) => self.to.write_all(line.as_bytes()),
            Ok(None) => Ok(()),
            Err(failure) => {
                let told = failure.warning();
                if told != self.complained {
                    let _ = std::io::stderr().write_all(told.as_bytes());
                    self.complained = told;
                }
                Ok(())
            }
        }
    }

    fn newer(&mut self) -> Result<Option<Zeroizing<String>>, Failure> {
        let leaf = self.newest_leaf()?;
        if leaf.is_some() && leaf == self.given {
            return Ok(None);
        }
        let mut session = Session::as_it_is(self.global)?;
        let mut engine = session.engine();
        let view = engine.certificate(self.name)?;
        let mut users = view.used_by;
        for adopted in engine.adopted_certificates() {
            if adopted.same_as.iter().any(|name| name == self.name) {
                users.extend(adopted.services);
            }
        }
        if !users.is_empty() {
            return Err(of_mail(self.name, &users));
        }
        let pem = engine.export_key(self.name)?.pem;
        let text = std::str::from_utf8(&pem).map_err(unreadable)?;
        let mut line = Zeroizing::new(serde_json::to_string(text).map_err(unreadable)?);
        line.push('\n');
        self.given = leaf;
        Ok(Some(line))
    }

    /// By a look at the store alone: it is asked again and again.
    fn newest_leaf(&self) -> Result<Option<Fingerprint>, Failure> {
        let store = SqliteStore::open_existing(&self.global.store)?;
        let versions = match store {
            Some(store) => store.certificate_versions(self.name)?,
            None => Vec::new(),
        };
        let newest = versions.first().and_then(|newest| newest.chain.first());
        Ok(newest.map(|leaf| Fingerprint::of(leaf)))
    }
}

/// Whoever owns the console would have the key of the mail server.
fn of_mail(name: &str, users: &[String]) -> Failure {
    let text = format!(
        "the console does not get the key of {name}, which mail presents: {}",
        users.join(", ")
    );
    let hint =
        "Have another certificate for the console alone, and name it by [console] certificate.";
    Failure::new(Exit::Data, "console.certificate-of-mail", text).hint(hint)
}

/// The console's side: what comes first is waited for, so that nobody is answered without it.
pub(super) fn taken() -> Result<Arc<Presented>, Failure> {
    let presented = Arc::new(Presented::default());
    let mut lines = BufReader::new(std::io::stdin());
    take(&mut lines, &presented)?;
    let later = Arc::clone(&presented);
    std::thread::spawn(move || {
        loop {
            match take(&mut lines, &later) {
                Ok(()) => {}
                Err(failure) if failure.code() == ENDED => return,
                // The one before is presented still.
                Err(failure) => {
                    let _ = std::io::stderr().write_all(failure.warning().as_bytes());
                }
            }
        }
    });
    Ok(presented)
}

/// Nothing more comes.
const ENDED: &str = "console.no-certificate";

fn take(lines: &mut impl BufRead, presented: &Presented) -> Result<(), Failure> {
    let mut line = Zeroizing::new(Vec::new());
    let read = lines.take(LONGEST).read_until(b'\n', &mut line);
    if read.map_err(unreadable)? == 0 {
        let text = "no certificate was handed over".to_owned();
        let hint = "[console] certificate needs `postseal up`, which has the right to the key.";
        return Err(Failure::new(Exit::Failed, ENDED, text).hint(hint));
    }
    let pem: Zeroizing<String> = serde_json::from_slice(&line).map_err(unreadable)?;
    presented.put(pem.as_bytes()).map_err(|error| {
        Failure::new(Exit::Failed, error.code(), whole_chain(&error))
            .hint("See `postseal cert check`.")
    })
}

fn unreadable(error: impl std::error::Error + 'static) -> Failure {
    let text = format!("the certificate cannot be handed over: {error}");
    Failure::new(Exit::Failed, "console.bad-certificate", text)
}
