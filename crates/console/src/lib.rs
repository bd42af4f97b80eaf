//! The console: HTTP API and pages over the desk.
//!
//! Owns: HTTP, who may come in, what is shown. Never: touches Postfix, opens `agent.db`, reads a private key,
//! decides what a plan is. Whoever owns this process can file typed tasks and nothing else (DESIGN §3, Privilege):
//! every right over the mail server is the agent's.

mod access;
mod accounts;
mod api;
mod app;
mod approval;
mod assets;
mod caller;
mod clock;
mod desks;
mod error;
mod filing;
mod form;
mod guard;
mod held;
mod limits;
mod matrix;
mod open;
mod pages;
mod parts;
mod password;
mod problem;
mod proxies;
mod routes;
pub mod secret;
mod server;
mod title;
mod tls;
mod turns;

pub use error::ConsoleError;
pub use matrix::{Right, may};
pub use routes::{Route, Verb, listed};
pub use server::{Console, serve};
pub use tls::Presented;

use postseal_store::desk::DeskPlace;
use std::net::SocketAddr;
use std::sync::Arc;

/// What a console is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; loopback where it speaks no TLS itself.
    pub listen: SocketAddr,
    /// The desk, which belongs to the user that runs this.
    pub desk: DeskPlace,
    /// The instance whose agent gets the jobs.
    pub instance: String,
    /// Names beside `localhost` and the address under which browsers may ask (a proxy's, say).
    pub hosts: Vec<String>,
    /// Addresses and networks (`10.0.0.0/8`) of proxies, whose `Forwarded` (RFC 7239) or `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Whether what changes the mail server waits until somebody else has approved it.
    pub two_persons: bool,
    /// The certificate that it presents; without one it speaks no TLS itself.
    pub presented: Option<Arc<Presented>>,
}
