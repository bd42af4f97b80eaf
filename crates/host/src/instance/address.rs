//! A loopback address of an instance's own.
//!
//! Owns: adding one of 127.0.0.0/8 to the interface `lo` and taking it away. Postfix accepts in
//! `inet_interfaces` only addresses that an interface has, and only so can many instances have a
//! service named `smtp` on port 25 side by side. Adding fails when it is there, so two processes
//! never get the same one; the kernel takes it away when its lifetime is over. Never: touches an
//! address that was there before.

use super::{LIFETIME, of_package};
use crate::HostError;
use crate::command::{Call, Output};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const ATTEMPTS: u32 = 100;
const DEADLINE: Duration = Duration::from_secs(10);
/// smtp, submissions, submission
const PORTS: [u16; 3] = [25, 465, 587];

/// Adds an address whose mail ports are free.
pub(super) fn take() -> Result<Ipv4Addr, HostError> {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let [_, _, y, z] = std::process::id().to_be_bytes();
    let seconds = LIFETIME.as_secs().to_string();
    let mut said = "it has none that is free".to_owned();
    for _ in 0..ATTEMPTS {
        let [.., x] = (100 + COUNTER.fetch_add(1, Ordering::Relaxed) % ATTEMPTS).to_be_bytes();
        let address = Ipv4Addr::new(127, x, y, z);
        let output = ip(
            "add",
            address,
            &["valid_lft", &seconds, "preferred_lft", &seconds],
        )?;
        if output.status.success() {
            // A listener at all addresses of this host would be in the way.
            if PORTS
                .iter()
                .all(|port| TcpListener::bind((address, *port)).is_ok())
            {
                return Ok(address);
            }
            said = format!("its ports {PORTS:?} are taken");
            give_back(address);
        } else {
            said = output.message();
            if !said.contains("exists") && !said.contains("already assigned") {
                break;
            }
        }
    }
    let source = std::io::Error::other(said);
    let command = "a private Postfix: it needs an address on lo".to_owned();
    Err(HostError::Spawn { command, source })
}

/// Takes it away again.
pub(super) fn give_back(address: Ipv4Addr) {
    // Left behind it does no harm, and not for long.
    let _ = ip("del", address, &[]);
}

fn ip(verb: &str, address: Ipv4Addr, more: &[&str]) -> Result<Output, HostError> {
    Call::new(&[], Path::new("ip"), DEADLINE)
        .args(["addr", verb, &format!("{address}/32"), "dev", "lo"])
        .args(more)
        .run()
        .map_err(of_package("iproute2"))
}
