//! The addresses of this host that a client comes from.
//!
//! Owns: which of them a server sees. Never: asks whether this host has them.
//!
//! A server may know its clients by their addresses, and show others no TLS, or nothing at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that a client comes from (`smtp_bind_address`, `smtp_bind_address6`); what is none leaves
/// it to the system, as smtp(8) does where it cannot take the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bind {
    /// To servers with IPv4.
    pub v4: Option<Ipv4Addr>,
    /// To servers with IPv6.
    pub v6: Option<Ipv6Addr>,
}

impl Bind {
    /// By the parameters of a client, named without `smtp_` or `lmtp_`.
    pub(super) fn of(value: impl Fn(&str) -> String) -> Self {
        Self {
            v4: value("bind_address").trim().parse().ok(),
            v6: value("bind_address6").trim().parse().ok(),
        }
    }

    /// The address from which it comes to `server`.
    pub(super) fn to(self, server: IpAddr) -> Option<IpAddr> {
        match server {
            IpAddr::V4(_) => self.v4.map(IpAddr::V4),
            IpAddr::V6(_) => self.v6.map(IpAddr::V6),
        }
    }
}
