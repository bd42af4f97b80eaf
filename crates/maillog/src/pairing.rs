//! Deliveries, joined with the TLS sessions they went through.
//!
//! Owns: the rule by which smtp(8)'s and lmtp(8)'s lines belong together. Never: guesses; where
//! memory ran out or no server was reached, it says so.
//!
//! The rule (per program and process): a TLS line holds for the deliveries to the same server that
//! follow it, until the next TLS line, a delivery to another server, or a delivery of another
//! message that did not reuse the connection (no `conn_use=`).

use crate::event::{Delivery, Direction, Event, TlsSession};
use crate::record::{Record, records};
use std::collections::HashMap;

/// Processes remembered at a time; Postfix runs some hundred at most.
const MAX_PROCESSES: usize = 4096;

/// A delivery and how it travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered<'a> {
    /// The delivery's line.
    pub record: Record<'a>,
    /// What it says.
    pub delivery: Delivery<'a>,
    /// How it travelled.
    pub wire: Wire<'a>,
}

/// How a delivery travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// Through this session. Whether the message was sent is the delivery's status: with an
    /// unverified certificate there is a session and no mail.
    Tls(TlsSession<'a>),
    /// To a server, with no TLS line before it: in cleartext, provided that the program logs TLS
    /// sessions at all (`smtp_tls_loglevel` of 1 or more; the default is 0).
    NoTlsLine,
    /// No server was reached.
    None,
}

#[derive(Default)]
struct Process<'a> {
    session: Option<TlsSession<'a>>,
    message: Option<&'a str>,
    line: usize,
}

/// The deliveries of smtp(8) and lmtp(8) in a log, in order.
pub fn deliveries(log: &[u8]) -> impl Iterator<Item = Delivered<'_>> {
    let mut processes: HashMap<(&str, Option<u32>), Process<'_>> = HashMap::new();
    records(log).filter_map(move |record| {
        if !matches!(record.service(), "smtp" | "lmtp") {
            return None;
        }
        if processes.len() >= MAX_PROCESSES {
            forget(&mut processes);
        }
        let process = processes.entry((record.tag, record.pid)).or_default();
        process.line = record.number;
        process.step(record)
    })
}

impl<'a> Process<'a> {
    fn step(&mut self, record: Record<'a>) -> Option<Delivered<'a>> {
        match Event::of(&record) {
            Event::Tls(session) if session.direction == Direction::Outbound => {
                self.session = Some(session);
                self.message = None;
            }
            Event::HandshakeFailed { .. } => self.session = None,
            Event::Delivery(delivery) => {
                let wire = self.wire(&delivery);
                return Some(Delivered {
                    record,
                    delivery,
                    wire,
                });
            }
            _ => {}
        }
        None
    }

    fn wire(&mut self, delivery: &Delivery<'a>) -> Wire<'a> {
        let Some(relay) = delivery.relay_peer() else {
            return Wire::None;
        };
        let is_same_connection =
            self.message.is_none_or(|id| id == delivery.queue_id) || delivery.conn_use.is_some();
        let is_same_server = self.session.is_some_and(|s| s.peer == relay);
        if !is_same_connection || !is_same_server {
            self.session = None;
        }
        self.message = Some(delivery.queue_id);
        self.session.map_or(Wire::NoTlsLine, Wire::Tls)
    }
}

/// Drops the half of the processes that were silent longest.
fn forget(processes: &mut HashMap<(&str, Option<u32>), Process<'_>>) {
    let mut lines: Vec<usize> = processes.values().map(|process| process.line).collect();
    let middle = lines.len() / 2;
    let (_, &mut median, _) = lines.select_nth_unstable(middle);
    processes.retain(|_, process| process.line > median);
}

#[cfg(test)]
mod tests;
