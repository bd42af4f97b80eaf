//! A real authoritative name server of a test's own: Knot DNS, from Debian's package `knot`.
//!
//! Owns: one knotd on a loopback address of its own with one zone, and the TSIG key that may
//! update it. Never: outlives its value, touches the server of the host.

use crate::pebble::own_address;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PORT: u16 = 5300;
const PATIENCE: Duration = Duration::from_secs(60);
/// A key for tests only, and its base64.
const SECRET: &[u8; 32] = b"a secret for tests, 32 bytes.../";
const SECRET_BASE64: &str = "YSBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcy4uLi8=";

/// A running name server; it ends when dropped.
#[derive(Debug)]
pub struct DnsServer {
    address: Ipv4Addr,
    folder: TempDir,
    child: Child,
}

impl DnsServer {
    /// The name of the key that may update the zone, for HMAC-SHA256.
    pub const KEY_NAME: &'static str = "postseal-test";
    /// Another, for HMAC-SHA512.
    pub const KEY_512_NAME: &'static str = "postseal-test-512";
    /// A key that the server knows and that may update nothing.
    pub const POWERLESS_KEY_NAME: &'static str = "powerless";

    /// Serves `zone` with an A record for the zone and for every name below it.
    pub fn start(zone: &str, hosts: Ipv4Addr) -> io::Result<Self> {
        let address = own_address();
        let folder = TempDir::new()?;
        let path = folder.path().display();
        fs::write(
            folder.path().join("zone"),
            format!(
                "$ORIGIN {zone}.\n$TTL 1\n@ SOA ns admin 1 3600 600 86400 1\n@ NS ns\n\
                 ns A {address}\n@ A {hosts}\n* A {hosts}\n"
            ),
        )?;
        let key = |name, hash| {
            format!("  - id: {name}\n    algorithm: {hash}\n    secret: {SECRET_BASE64}\n")
        };
        let config = format!(
            "server:\n  rundir: {path}\n  listen: {address}@{PORT}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: {path}/db\n\
             log:\n  - target: stderr\n    any: info\n\
             key:\n{}{}{}\
             acl:\n  - id: update\n    key: [{}, {}]\n    action: update\n\
             zone:\n  - domain: {zone}\n    storage: {path}\n    file: zone\n    zonefile-sync: -1\n    journal-content: none\n    acl: update\n",
            key(Self::KEY_NAME, "hmac-sha256"),
            key(Self::KEY_512_NAME, "hmac-sha512"),
            key(Self::POWERLESS_KEY_NAME, "hmac-sha256"),
            Self::KEY_NAME,
            Self::KEY_512_NAME,
        );
        fs::write(folder.path().join("knot.conf"), config)?;
        fs::create_dir(folder.path().join("db"))?;
        let log = File::create(folder.path().join("log"))?;
        let child = Command::new("knotd")
            .arg("-c")
            .arg(folder.path().join("knot.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("knotd: {error}")))?;
        let mut server = Self {
            address,
            folder,
            child,
        };
        server.wait()?;
        Ok(server)
    }

    /// Stops it in the middle of whatever it does; who asks it waits.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // One that has ended is the test's business.
        let _ = pid.map(|pid| kill_process(pid, signal));
    }

    /// Where it answers, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        (self.address, PORT).into()
    }

    /// The secret of all keys, decoded.
    pub fn secret(&self) -> &'static [u8] {
        SECRET
    }

    /// What it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait(&mut self) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        // It listens before the zone is loaded.
        while TcpStream::connect(self.address()).is_err() || !self.log().contains("loaded, serial")
        {
            if self.child.try_wait()?.is_some() || Instant::now() > until {
                let message = format!("knotd did not start: {}", self.log());
                return Err(io::Error::other(message));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
