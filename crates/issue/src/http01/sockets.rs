//! The sockets that challenges are answered on.
//!
//! Owns: binding them, IPv4 and IPv6 apart, so that one of them can be missing. Never: reads from
//! one.

use crate::SolverError;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind as bind_socket, listen, sockopt};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// The port that CAs look at (RFC 8555, 8.3).
const HTTP: u16 = 80;
/// A CA looks from several places at once.
const BACKLOG: i32 = 64;

/// Listens on one address.
pub fn bind(address: SocketAddr) -> Result<TcpListener, SolverError> {
    open(address).map_err(|error| named(address, &error))
}

/// Listens on port 80 of every address, over IPv4 and, where the host has it, IPv6.
pub fn bind_everywhere() -> Result<Vec<TcpListener>, SolverError> {
    let mut sockets = vec![bind((Ipv4Addr::UNSPECIFIED, HTTP).into())?];
    let six = (Ipv6Addr::UNSPECIFIED, HTTP).into();
    match open(six) {
        Ok(socket) => sockets.push(socket),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(named(six, &error)),
    }
    Ok(sockets)
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // The connections of an order that has just ended do not keep the next one waiting.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    bind_socket(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// IPv6 is not built in, or switched off.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error
            .raw_os_error()
            .map(rustix::io::Errno::from_raw_os_error),
        Some(rustix::io::Errno::AFNOSUPPORT | rustix::io::Errno::ADDRNOTAVAIL)
    )
}

fn named(address: SocketAddr, error: &io::Error) -> SolverError {
    let text = format!("{address}: {error}");
    SolverError::Listener(io::Error::new(error.kind(), text))
}

#[cfg(test)]
mod tests;
