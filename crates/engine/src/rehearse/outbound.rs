//! One message through the scratch instance's own smtp(8), to two sinks.
//!
//! Owns: the sinks, the message, waiting for the log to tell what became of it. Never: sends
//! anything off this machine; the scratch delivers to loopback sinks only.

use crate::{Clock, EngineError};
use postseal_host::Scratch;
use postseal_issue::{IssueError, Issued, KeyType, LeafRequest, Validity};
use postseal_planner::delivery::{self, Peer, Seen};
use postseal_planner::intent::Outbound;
use postseal_planner::plan::OutboundChange;
use postseal_planner::report::Judgement;
use postseal_probe::sink::SinkCertificate;
use postseal_probe::{Sink, SinkOptions, SinkTls};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// How long the scratch has to deliver or defer.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(25);
const TLS_DOMAIN: &str = "starttls.rehearsal.invalid";
const CLEAR_DOMAIN: &str = "cleartext.rehearsal.invalid";

/// Two sinks, ready to be delivered to.
pub(super) struct Delivery {
    tls: Sink,
    clear: Sink,
}

impl Delivery {
    /// Starts the sinks when the plan changes outbound TLS.
    pub(super) fn prepare(
        change: &OutboundChange,
        clock: &dyn Clock,
    ) -> Result<Option<Self>, EngineError> {
        if *change == OutboundChange::None {
            return Ok(None);
        }
        let issued =
            self_signed(clock.now_unix()).map_err(|error| local(std::io::Error::other(error)))?;
        let shown = SinkCertificate::new(issued.cert_pem, issued.key_pem.as_bytes());
        Ok(Some(Self {
            tls: sink(SinkTls::StartTls(shown))?,
            clear: sink(SinkTls::None)?,
        }))
    }

    /// Where each domain's mail goes.
    pub(super) fn transports(&self) -> BTreeMap<String, SocketAddr> {
        BTreeMap::from([
            (TLS_DOMAIN.to_owned(), self.tls.address()),
            (CLEAR_DOMAIN.to_owned(), self.clear.address()),
        ])
    }

    /// Submits one message for both and judges what became of it.
    pub(super) fn rehearse(
        &self,
        clock: &dyn Clock,
        scratch: &dyn Scratch,
        level: Outbound,
    ) -> Result<Vec<Judgement>, EngineError> {
        let recipients = [TLS_DOMAIN, CLEAR_DOMAIN].map(|domain| format!("postmaster@{domain}"));
        let recipients = [recipients[0].as_str(), recipients[1].as_str()];
        scratch.submit(
            "",
            &recipients,
            b"Subject: rehearsal\r\n\r\nA rehearsal.\r\n",
        )?;
        let deadline = clock.monotonic() + PATIENCE;
        loop {
            let log = scratch.log();
            let seen = [
                self.seen(Peer::StartTls, &log),
                self.seen(Peer::Cleartext, &log),
            ];
            let told = seen
                .iter()
                .all(|seen| seen.outcome != delivery::Became::Unknown);
            if told || clock.monotonic() > deadline {
                return Ok(delivery::judge(level, &seen));
            }
            clock.sleep(PAUSE);
        }
    }

    fn seen(&self, peer: Peer, log: &[u8]) -> Seen {
        let (sink, domain) = match peer {
            Peer::StartTls => (&self.tls, TLS_DOMAIN),
            Peer::Cleartext => (&self.clear, CLEAR_DOMAIN),
        };
        let mut delivered = sink.delivered().into_iter();
        let outcome = match delivered.next() {
            Some(message) if message.tls.is_some() => delivery::Became::SentUnderTls,
            Some(_) => delivery::Became::SentInClear,
            None => deferred(log, domain),
        };
        Seen {
            peer,
            address: sink.address(),
            outcome,
        }
    }
}

/// What the log says of mail to `domain` that did not arrive.
fn deferred(log: &[u8], domain: &str) -> delivery::Became {
    maillog::deliveries(log)
        .map(|delivered| delivered.delivery)
        .find(|delivery| delivery.to.ends_with(domain) && delivery.status != "sent")
        .map_or(delivery::Became::Unknown, |delivery| {
            delivery::Became::Deferred(format!("{} {}", delivery.dsn, delivery.reason))
        })
}

fn sink(tls: SinkTls) -> Result<Sink, EngineError> {
    Sink::start(SinkOptions::new(tls)).map_err(|error| local(std::io::Error::other(error)))
}

/// Good for the hour around now.
fn self_signed(now_unix: i64) -> Result<Issued, IssueError> {
    postseal_issue::self_signed(&LeafRequest {
        names: vec!["sink.rehearsal.invalid".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity: Validity {
            not_before: now_unix - 3600,
            not_after: now_unix + 3600,
        },
    })
}

fn local(source: std::io::Error) -> EngineError {
    EngineError::Local {
        action: "open a loopback sink for the rehearsal",
        source,
    }
}
