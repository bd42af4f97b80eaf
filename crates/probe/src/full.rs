//! A look at everything that a server's TLS can do.
//!
//! Owns: which questions are put, in which order, within a budget of connections, and putting
//! the answers together. Never: judges them (the planner does), takes a refusal to talk for an answer.
//!
//! One connection shows one choice of the server, because a session ends with its handshake: so
//! the number of suites is the number of connections, and everything else is read from those.

pub mod answer;
mod asking;
mod enumerate;
pub mod hello;
mod psk;
mod questions;
mod renegotiation;
mod sessions;
mod starttls;
mod suites;
mod told;
mod versions;

use crate::target::{Start, Target};
use asking::Asker;
use postseal_planner::full::Full;
use std::time::Duration;
use versions::Look;

/// How much a full look may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullBudget {
    /// Connections in all.
    pub connections: u32,
    /// Connections at the same time.
    pub at_once: usize,
    /// The time for one connection: longer than a server lets a new client wait
    /// (`postscreen_greet_wait`, 6 s).
    pub each: Duration,
    /// The time for all.
    pub deadline: Duration,
}

impl FullBudget {
    /// So many connections, each within `each`, and all within six times that.
    pub fn within(connections: u32, each: Duration) -> Self {
        Self {
            connections,
            at_once: 4,
            each,
            deadline: each * 6,
        }
    }
}

impl Default for FullBudget {
    /// A Postfix with one certificate and all its defaults takes 97 connections. A second certificate takes
    /// one more for each suite that it alone has (15 for ECDSA): each was chosen, none is guessed from its
    /// sisters. All else is asked once.
    fn default() -> Self {
        Self::within(150, Duration::from_secs(20))
    }
}

/// Looks at one server. Returns within the budget's deadline, whatever the server does.
pub fn full(target: &Target, budget: FullBudget) -> Full {
    let asker = Asker::new(target, budget);
    let mut look = Look::begin(&asker, budget.at_once.max(1));
    if look.newest().is_some() {
        look.sessions_and_new_suites();
        look.suites();
        look.older_and_curves();
        look.coming_back();
        look.still_there();
    }
    let starttls = (target.tls == Start::StartTls).then(|| starttls::look(&asker, &look));
    told::told(&asker, budget, look, starttls)
}
