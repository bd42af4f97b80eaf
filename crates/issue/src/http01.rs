//! HTTP-01 (RFC 8555, 8.3): a token on port 80 of the name.
//!
//! Owns: a tiny answerer for the life of one order, and putting tokens into a web server's
//! folder. Never: binds a port (the socket is handed in, so that whoever answers needs no
//! privilege), serves anything but tokens.

mod answerer;
mod child;
mod commands;
mod sockets;
mod webroot;

pub use answerer::{Answers, Http01Listener, serve};
pub use child::{ListenerChild, ListenerChildren, serve_as_child};
pub use commands::{CommandSolver, serve_commands};
pub use sockets::{bind, bind_everywhere};
pub use webroot::Webroot;

use crate::{Challenge, SolverError};

/// The path that tokens lie under.
const PREFIX: &str = "/.well-known/acme-challenge/";
const MAX_ANSWER: usize = 1024;

/// Both come from the CA; they become a path and a line of a protocol.
fn checked(challenge: &Challenge) -> Result<(), SolverError> {
    let plain = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text.len() <= MAX_ANSWER
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match plain(&challenge.token, b"-_") && plain(&challenge.key_authorization, b"-_.") {
        true => Ok(()),
        false => Err(SolverError::Unusable(format!(
            "the token for {}",
            challenge.name
        ))),
    }
}

#[cfg(test)]
mod tests;
