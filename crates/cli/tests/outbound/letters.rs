//! Letters that are submitted, and what becomes of them: the log says whether they went, the
//! server how they came.

use crate::scene::Scene;
use postseal_probe::Sink;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What becomes of a message at the first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    UnderTls,
    InClear,
    Held,
    /// 5xx: the sender gets it back.
    Returned,
}

/// A message, and the servers it may come to; none where they speak no TLS that works.
pub(crate) struct Letter<'a> {
    pub(crate) recipient: &'a str,
    pub(crate) sinks: &'a [Sink],
}

pub(crate) fn submit(scene: &Scene, recipient: &str) {
    let mut sendmail = Command::new("/usr/sbin/sendmail");
    sendmail
        .args(["-C", &scene.config(), "-f", "sender@box.test", recipient])
        .stdin(Stdio::null());
    assert!(sendmail.status().unwrap().success(), "{recipient}");
}

/// What became of every message, once the log says it of all.
pub(crate) fn fates(scene: &Scene, letters: &[Letter<'_>], patience: Duration) -> Vec<Fate> {
    let end = Instant::now() + patience;
    loop {
        let log = scene.postfix.log();
        let found = letters.iter().map(|letter| letter.fate(&log));
        let found: Vec<Option<Fate>> = found.collect();
        let known = found.iter().flatten().count();
        if let Some(fates) = found.into_iter().collect() {
            return fates;
        }
        let all = letters.len();
        assert!(Instant::now() < end, "{known} of {all}\n{log}");
        thread::sleep(Duration::from_millis(300));
    }
}

impl Letter<'_> {
    fn fate(&self, log: &str) -> Option<Fate> {
        let line = lines(log, self.recipient);
        if line.contains("status=deferred") {
            return Some(Fate::Held);
        }
        if line.contains("status=bounced") {
            return Some(Fate::Returned);
        }
        if !line.contains("status=sent") {
            return None;
        }
        if self.sinks.is_empty() {
            return Some(Fate::InClear);
        }
        // The server says how it came, not the log.
        let mut messages = self.sinks.iter().flat_map(Sink::delivered);
        let is_own = |to: &String| to == self.recipient;
        let message = messages.find(|one| one.rcpt_to.iter().any(is_own))?;
        Some(match message.tls {
            Some(_) => Fate::UnderTls,
            None => Fate::InClear,
        })
    }
}

/// The lines of the log about a recipient.
pub(crate) fn lines(log: &str, recipient: &str) -> String {
    let to = format!("to=<{recipient}>");
    let of = log.lines().filter(|line| line.contains(&to));
    of.collect::<Vec<_>>().join("\n")
}
