//! A loopback address of a box's own.
//!
//! Owns: adding one of 127.0.0.0/8 to the interface `lo` and taking it away. Postfix accepts in
//! `inet_interfaces` only addresses that an interface has, and only so can many boxes have a
//! service named `smtp` on port 25 side by side. Adding fails when it is there, so two processes
//! never get the same one; the kernel takes it away after an hour should the box be killed.

use std::io;
use std::net::Ipv4Addr;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const LIFETIME: &str = "3600";
const ATTEMPTS: u32 = 100;

/// The address; it is taken away on drop.
#[derive(Debug)]
pub(super) struct LoopbackAddress(Ipv4Addr);

impl LoopbackAddress {
    pub(super) fn take() -> io::Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let [_, _, y, z] = std::process::id().to_be_bytes();
        for _ in 0..ATTEMPTS {
            let [.., x] = (100 + COUNTER.fetch_add(1, Ordering::Relaxed) % ATTEMPTS).to_be_bytes();
            let address = Ipv4Addr::new(127, x, y, z);
            let output = ip(
                "add",
                address,
                &["valid_lft", LIFETIME, "preferred_lft", LIFETIME],
            )?;
            if output.status.success() {
                return Ok(Self(address));
            }
            let said = String::from_utf8_lossy(&output.stderr);
            if !said.contains("exists") && !said.contains("already assigned") {
                let message = format!("a private Postfix needs an address on lo: {}", said.trim());
                return Err(io::Error::other(message));
            }
        }
        Err(io::Error::other("no free loopback address"))
    }

    pub(super) fn get(&self) -> Ipv4Addr {
        self.0
    }
}

impl Drop for LoopbackAddress {
    fn drop(&mut self) {
        // Left behind it does no harm, and not for long.
        let _ = ip("del", self.0, &[]);
    }
}

fn ip(verb: &str, address: Ipv4Addr, more: &[&str]) -> io::Result<Output> {
    Command::new("ip")
        .args(["addr", verb, &format!("{address}/32"), "dev", "lo"])
        .args(more)
        .env_clear()
        .env("PATH", super::system::PATH)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("ip (package iproute2): {error}")))
}
