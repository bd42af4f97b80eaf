//! Loopback addresses of the sandbox's own.
//!
//! Owns: two addresses that nobody uses, added to `lo` and taken away again, so that the real
//! ports 25, 465 and 587 and their names can be used without a clash. Postfix takes in
//! `inet_interfaces` only addresses that an interface has. Never: touches another interface, or
//! an address that was there before.

use super::instance::program;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};

const TRIES: u32 = 200;

/// An address on `lo`; taken away on drop.
pub(super) struct Address {
    pub(super) ip: Ipv4Addr,
    end: End,
}

/// What a drop does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    TakeAway,
    Leave,
}

impl Address {
    /// Two of them, side by side: 127.x.y.1 and 127.x.y.2.
    pub(super) fn pair() -> Result<[Self; 2], String> {
        let seed = std::process::id();
        for n in 0..TRIES {
            let [_, _, x, y] = seed.wrapping_add(n.wrapping_mul(257)).to_be_bytes();
            let pair = [1, 2].map(|last| Ipv4Addr::new(127, x | 64, y, last));
            if pair.iter().all(|ip| free(*ip)) {
                return Ok([Self::add(pair[0])?, Self::add(pair[1])?]);
            }
        }
        Err("found no loopback address whose ports 25, 465 and 587 are free".to_owned())
    }

    fn add(ip: Ipv4Addr) -> Result<Self, String> {
        lo("add", ip)?;
        Ok(Self {
            ip,
            end: End::TakeAway,
        })
    }

    /// Lets it stay after this process.
    pub(super) fn leave(&mut self) {
        self.end = End::Leave;
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        if self.end == End::TakeAway {
            // What stays is an address on loopback that nobody uses; the next boot forgets it.
            let _ = lo("del", self.ip);
        }
    }
}

fn free(ip: Ipv4Addr) -> bool {
    [25, 465, 587]
        .iter()
        .all(|port| TcpListener::bind((ip, *port)).is_ok())
}

fn lo(verb: &str, ip: Ipv4Addr) -> Result<(), String> {
    let output = Command::new(program("ip").map_err(|why| format!("{why} (package iproute2)"))?)
        .args(["addr", verb, &format!("{ip}/32"), "dev", "lo"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "ip addr {verb} {ip}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}
