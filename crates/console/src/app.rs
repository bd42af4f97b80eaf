//! What every request shares.
//!
//! Owns: the values. Never: what is done with them.

use crate::desks::Desks;
use crate::limits::Limits;
use crate::password::Hasher;
use crate::proxies::Proxies;
use crate::turns::Turns;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

/// What every request shares.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) desks: Desks,
    pub(crate) instance: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) listen: SocketAddr,
    pub(crate) hasher: Hasher,
    pub(crate) limits: Limits,
    /// Whose word is taken for where a request came from.
    pub(crate) proxies: Proxies,
    /// Whether what changes the mail server waits for a second person.
    pub(crate) two_persons: bool,
    /// Whether it speaks TLS itself.
    pub(crate) has_tls: bool,
    /// Held while a task is filed.
    pub(crate) filing: Mutex<()>,
    /// For requests of a list's length: each is in memory whole.
    pub(crate) lists: Turns,
    /// For streams of events, each of which looks at the desk again and again.
    pub(crate) streams: Turns,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// From where a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);
