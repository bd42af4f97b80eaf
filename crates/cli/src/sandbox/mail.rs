//! Messages through the site, and what became of them.
//!
//! Owns: sending one as a user would and finding it in the mailbox with its Received header.
//! Never: believes a 250; the message must arrive.

use super::site::{REALM, Site};
use postseal_host::Instance;
use postseal_probe::{Credentials, Envelope, Start, Target};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a message may take between two instances on one machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// One look at a port.
const LOOK: Duration = Duration::from_secs(8);

/// A way in.
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) tls: Start,
    pub(super) credentials: Option<Credentials>,
}

impl Door {
    pub(super) fn target(&self) -> Target {
        let mut target = Target::new("smtp/inet", self.address, self.tls);
        target.ehlo_name = "client.try.test".to_owned();
        target.credentials.clone_from(&self.credentials);
        target
    }
}

/// What a user logs in with.
pub(super) fn credentials(site: &Site) -> Credentials {
    Credentials {
        user: format!("{}@{REALM}", site.user),
        password: Zeroizing::new(site.password.clone()),
    }
}

/// Sends one message and waits for it in `to`'s mailbox; its header.
pub(super) fn deliver(
    door: &Door,
    from: &str,
    to: &Instance,
    domain: &str,
) -> Result<String, String> {
    let before = to.received();
    let recipient = format!("postmaster@{domain}");
    let message =
        format!("From: <{from}>\r\nTo: <{recipient}>\r\nSubject: a trial\r\n\r\nHello.\r\n");
    let envelope = Envelope {
        mail_from: from.to_owned(),
        rcpt_to: vec![recipient],
    };
    postseal_probe::send(&door.target(), &envelope, message.as_bytes(), LOOK)
        .map_err(|error| error.to_string())?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = to.received();
        if let Some(new) = now.iter().find(|message| !before.contains(message)) {
            let text = String::from_utf8_lossy(new);
            let header = text.split("\n\n").next().unwrap_or_default();
            return Ok(header.replace("\n\t", " "));
        }
        if Instant::now() > deadline {
            return Err(format!(
                "the message did not arrive; {}'s log ends: {}",
                domain,
                tail(&to.log())
            ));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The Received header that `by` has put on top.
pub(super) fn received<'a>(header: &'a str, by: &str) -> Result<&'a str, String> {
    header
        .lines()
        .find(|line| line.starts_with("Received:") && line.contains(&format!("by {by} ")))
        .ok_or_else(|| format!("no Received header by {by}: {header}"))
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
