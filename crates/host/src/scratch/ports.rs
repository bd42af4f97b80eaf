//! Free loopback ports for the scratch instance.
//!
//! Owns: choosing them and holding them until the master starts. Never: gives one service two
//! ports, or two services one.

use super::refused;
use crate::HostError;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Ports by service (`name/type`).
#[derive(Debug, Default)]
pub(super) struct Ports {
    chosen: BTreeMap<String, SocketAddr>,
    held: Vec<TcpListener>,
}

impl Ports {
    /// Ports that were chosen before stay; their master listens on them.
    pub(super) fn kept(chosen: &BTreeMap<String, SocketAddr>) -> Self {
        Self {
            chosen: chosen.clone(),
            held: Vec::new(),
        }
    }

    /// The service's address. A plain bind succeeds only where nobody listens, not even with
    /// `SO_REUSEPORT`, which Postfix sets.
    pub(super) fn of(&mut self, service: &str) -> Result<SocketAddr, HostError> {
        if let Some(address) = self.chosen.get(service) {
            return Ok(*address);
        }
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) =
            bound.map_err(|error| refused(&format!("no free loopback port: {error}"), &[]))?;
        self.chosen.insert(service.to_owned(), address);
        self.held.push(listener);
        Ok(address)
    }

    /// Lets go, for the master to take them.
    pub(super) fn release(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests;
