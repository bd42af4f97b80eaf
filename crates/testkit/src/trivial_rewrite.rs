//! What the running Postfix itself makes of an address: trivial-rewrite(8) asked over its socket.
//!
//! Owns: the request `resolve` of Postfix's internal protocol (3.x: attributes ended by NUL, a
//! request ended by an empty one). Never: interprets the answer beyond its fields.

use crate::postfix_box::PostfixBox;
use postseal_planner::resolve::Class;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// An answer holds three texts of an address's length.
const MOST: u64 = 1 << 16;

/// `RESOLVE_FLAG_FAIL`: a table could not be asked.
const FAIL: u32 = 1 << 3;
/// The classes, from `RESOLVE_CLASS_LOCAL` on.
const CLASSES: [(u32, Class); 5] = [
    (1 << 8, Class::Local),
    (1 << 9, Class::VirtualAlias),
    (1 << 10, Class::VirtualMailbox),
    (1 << 11, Class::Relay),
    (1 << 12, Class::Default),
];

/// What trivial-rewrite(8) answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The service that delivers.
    pub transport: String,
    /// The next hop.
    pub nexthop: String,
    /// The recipient, as resolved.
    pub recipient: String,
    /// Its class.
    pub class: Option<Class>,
    /// Whether a table could not be asked.
    pub failed: bool,
}

impl PostfixBox {
    /// Asks the running instance where mail goes.
    ///
    /// # Errors
    /// When it does not run, does not answer in time, or answers something else.
    pub fn resolve(&self, sender: &str, recipient: &str) -> io::Result<Resolved> {
        let mut socket = UnixStream::connect(self.queue_directory().join("private/rewrite"))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let request = [
            ("request", "resolve"),
            ("sender", sender),
            ("address", recipient),
        ];
        let mut bytes = Vec::new();
        for (name, value) in request {
            bytes.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        bytes.push(0);
        socket.write_all(&bytes)?;
        attributes(&mut socket)?; // It says which protocol it speaks.
        let answer = attributes(&mut socket)?;
        let flags = last(&answer, "flags")?;
        let flags: u32 = flags.parse().map_err(io::Error::other)?;
        Ok(Resolved {
            transport: last(&answer, "transport")?,
            nexthop: last(&answer, "nexthop")?,
            recipient: last(&answer, "recipient")?,
            class: CLASSES
                .iter()
                .find(|(flag, _)| flags & flag != 0)
                .map(|(_, class)| *class),
            failed: flags & FAIL != 0,
        })
    }
}

/// Names and values up to the empty name.
fn attributes(from: &mut impl Read) -> io::Result<Vec<(String, String)>> {
    let mut from = from.take(MOST);
    let mut all = Vec::new();
    loop {
        let name = text(&mut from)?;
        if name.is_empty() {
            return Ok(all);
        }
        let value = text(&mut from)?;
        all.push((name, value));
    }
}

fn text(from: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let mut one = [0];
        from.read_exact(&mut one)?;
        match one {
            [0] => return String::from_utf8(bytes).map_err(io::Error::other),
            [byte] => bytes.push(byte),
        }
    }
}

/// `flags` comes twice: the second one holds the class.
fn last(answer: &[(String, String)], wanted: &str) -> io::Result<String> {
    let mut found = answer.iter().rev().filter(|(name, _)| name == wanted);
    let found = found.next().map(|(_, value)| value.clone());
    found.ok_or_else(|| io::Error::other(format!("no {wanted} in {answer:?}")))
}
