//! `probe --send`: one message by the real dialogue.
//!
//! Owns: from whom, to whom, and what it says. Never: sends it, or without being told to.

use crate::failure::{Exit, Failure};
use jiff::Zoned;
use jiff::fmt::rfc2822;
use postseal_engine::Letter;
use postseal_planner::preflight::Lookup;
use postseal_planner::probed::ProbeTarget;

/// A message to be sent: from whom, to whom.
pub(super) struct Addressed {
    from: Option<String>,
    to: String,
}

impl Addressed {
    pub(super) fn of(
        from: Option<&str>,
        to: Option<&str>,
        targets: &[ProbeTarget],
    ) -> Result<Self, Failure> {
        let [target] = targets else {
            let message = "a message is sent through one target only".to_owned();
            return Err(Failure::new(Exit::Usage, "probe.one-target", message)
                .hint("Name one domain or server with --send."));
        };
        let named = target.text.contains('@').then(|| target.text.clone());
        let is_domain = target.hop.lookup == Lookup::Mx;
        // RFC 5321 §4.5.1: every domain that takes mail takes that for postmaster.
        let usual = is_domain.then(|| format!("postmaster@{}", target.hop.host));
        let to = to.map(str::to_owned).or(named).or(usual);
        let to = to.ok_or_else(|| {
            let message = format!("{} is a server: to whom shall the message go?", target.text);
            Failure::new(Exit::Usage, "probe.no-recipient", message)
                .hint("Say --to ADDRESS, or name a domain.")
        })?;
        for address in from.into_iter().chain([to.as_str()]) {
            let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
            let empty = address.is_empty() && Some(address) == from;
            let is_one = address.bytes().all(plain) && address.contains('@');
            if !empty && !is_one {
                let message = format!("{address:?} is no mail address");
                return Err(Failure::new(Exit::Data, "probe.bad-address", message)
                    .hint("Say user@example.org."));
            }
        }
        Ok(Self {
            from: from.map(str::to_owned),
            to,
        })
    }

    /// As it is sent from `host`.
    pub(super) fn letter(self, host: &str) -> Letter {
        let from = self.from.unwrap_or_else(|| sender(host));
        Letter {
            message: message(&from, &self.to, host),
            to: self.to,
            from,
        }
    }
}

/// That it went nowhere.
pub(super) fn unsent() -> Failure {
    let message = "no message was sent: no server was seen with TLS that works".to_owned();
    Failure::new(Exit::Failed, "probe.not-sent", message).hint("Look at the stages without --send.")
}

/// Who runs this, at this host.
fn sender(host: &str) -> String {
    let plain = |name: &String| {
        let sayable = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !name.is_empty() && name.len() <= 64 && name.bytes().all(sayable)
    };
    let user = std::env::var("USER").ok().filter(plain);
    format!("{}@{host}", user.unwrap_or_else(|| "postmaster".to_owned()))
}

fn message(from: &str, to: &str, host: &str) -> String {
    let now = Zoned::now();
    let date = rfc2822::to_string(&now).unwrap_or_default();
    let from = match from {
        "" => format!("postmaster@{host}"),
        from => from.to_owned(),
    };
    let id = format!("{}.{}", now.timestamp().as_nanosecond(), std::process::id());
    format!(
        "Date: {date}\r\nFrom: <{from}>\r\nTo: <{to}>\r\nMessage-ID: <postseal.{id}@{host}>\r\n\
         Subject: A test of mail by postseal\r\nAuto-Submitted: auto-generated\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         This message was sent by `postseal probe --send` on {host}, to see whether this server\r\n\
         takes mail under TLS. Nothing has to be done.\r\n"
    )
}
