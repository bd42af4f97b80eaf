//! A real DNS of a test's own, as a mail server sees it: an authoritative server (Knot) and a
//! validating resolver (Unbound), from Debian's packages `knot` and `unbound`.
//!
//! Owns: two zones, `signed.test` by DNSSEC and `plain.test` without, their records, and the
//! resolver that trusts the key of the signed one. Never: outlives its value, asks anybody else.

use crate::pebble::own_address;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const SERVER_PORT: u16 = 5300;
const RESOLVER_PORT: u16 = 5301;

/// The zone that DNSSEC vouches for.
pub const SIGNED: &str = "signed.test";
/// The zone without DNSSEC.
pub const PLAIN: &str = "plain.test";

/// Both servers; they end when dropped.
#[derive(Debug)]
pub struct Resolver {
    /// Of the authoritative server.
    authority: Ipv4Addr,
    /// Of the resolver.
    address: Ipv4Addr,
    folder: TempDir,
    /// The authoritative server, then the resolver.
    children: RefCell<Vec<Child>>,
}

impl Resolver {
    /// Serves both zones with these lines beside SOA and NS; names without a final dot are relative
    /// to the zone.
    pub fn start(lines: &str) -> io::Result<Self> {
        let resolver = Self {
            authority: own_address(),
            address: own_address(),
            folder: TempDir::with_prefix("postseal-dns-")?,
            children: RefCell::default(),
        };
        resolver.write_zone(SIGNED, lines)?;
        resolver.write_zone(PLAIN, lines)?;
        resolver.start_authority()?;
        resolver.start_resolver()?;
        Ok(resolver)
    }

    /// Where the resolver answers, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        (self.address, RESOLVER_PORT).into()
    }

    /// Where the authoritative server answers: without recursion, and without AD.
    pub fn authority(&self) -> SocketAddr {
        (self.authority, SERVER_PORT).into()
    }

    /// Replaces the lines of a zone. When this returns they are served, and the resolver has
    /// forgotten the others: it keeps even what may not be kept to the end of the second.
    pub fn publish(&self, zone: &str, lines: &str) -> io::Result<()> {
        self.write_zone(zone, lines)?;
        self.knotc(&["--blocking", "zone-reload", zone])?;
        if let Some(mut resolver) = self.children.borrow_mut().pop() {
            resolver.kill()?;
            resolver.wait()?;
        }
        self.start_resolver()
    }

    /// A resolv.conf(5) that names the resolver, which answers at port 53 too.
    pub fn resolv_conf(&self) -> String {
        format!("nameserver {}\noptions trust-ad edns0\n", self.address)
    }

    /// Ends both servers.
    pub fn stop(&mut self) {
        for child in self.children.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What both printed.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        format!("{}{}", read("authority.log"), read("resolver.log"))
    }

    fn loads(&self) -> usize {
        self.log().matches("] loaded, serial").count()
    }

    fn knotc(&self, words: &[&str]) -> io::Result<()> {
        let output = Command::new("knotc")
            .arg("-s")
            .arg(self.folder.path().join("knot.sock"))
            .args(words)
            .stdin(Stdio::null())
            .output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("knotc {words:?}: {output:?}"))),
        }
    }

    fn write_zone(&self, zone: &str, lines: &str) -> io::Result<()> {
        let text = format!(
            "$ORIGIN {zone}.\n$TTL 1\n@ SOA ns admin 1 3600 600 86400 1\n@ NS ns\nns A {}\n{lines}\n",
            self.authority
        );
        fs::write(self.folder.path().join(zone), text)
    }

    fn start_authority(&self) -> io::Result<()> {
        let path = self.folder.path().display().to_string();
        let mut config = format!(
            "server:\n  rundir: {path}\n  listen: {}@{SERVER_PORT}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: {path}/db\n\
             log:\n  - target: stderr\n    any: info\n\
             policy:\n  - id: one\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n    ksk-lifetime: 0\n\
             zone:\n",
            self.authority
        );
        for (zone, signing) in [(SIGNED, "on"), (PLAIN, "off")] {
            let _ = write!(
                config,
                "  - domain: {zone}\n    storage: {path}\n    file: {zone}\n    zonefile-sync: -1\n    \
                 zonefile-load: difference-no-serial\n    journal-content: all\n    \
                 dnssec-signing: {signing}\n    dnssec-policy: one\n"
            );
        }
        fs::create_dir(self.folder.path().join("db"))?;
        let config_path = self.folder.path().join("knot.conf");
        fs::write(&config_path, config)?;
        self.spawn(
            Command::new("knotd").arg("-c").arg(&config_path),
            "authority.log",
        )?;
        self.until(|resolver| resolver.loads() >= 2)
    }

    /// The record by which the resolver trusts the signed zone.
    fn trust_anchor(&self) -> io::Result<String> {
        let output = Command::new("keymgr")
            .arg("-c")
            .arg(self.folder.path().join("knot.conf"))
            .args([SIGNED, "ds"])
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let anchor = text.lines().find(|line| line.contains(" 13 2 "));
        let anchor = anchor.map(str::to_owned);
        anchor.ok_or_else(|| io::Error::other(format!("keymgr: {output:?}")))
    }

    fn start_resolver(&self) -> io::Result<()> {
        let path = self.folder.path().display().to_string();
        let (address, authority) = (self.address, self.authority);
        let mut config = format!(
            "server:\n  interface: {address}@{RESOLVER_PORT}\n  interface: {address}@53\n  outgoing-interface: {address}\n  \
             access-control: 127.0.0.0/8 allow\n  username: \"\"\n  chroot: \"\"\n  \
             directory: \"{path}\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n  \
             do-not-query-localhost: no\n  do-ip6: no\n  num-threads: 1\n  \
             module-config: \"validator iterator\"\n  trust-anchor: \"{}\"\n  \
             local-zone: \"test.\" nodefault\n  cache-max-ttl: 0\n  cache-max-negative-ttl: 0\n\
             remote-control:\n  control-enable: no\n",
            self.trust_anchor()?
        );
        for zone in [SIGNED, PLAIN] {
            let _ = write!(
                config,
                "stub-zone:\n  name: \"{zone}\"\n  stub-addr: {authority}@{SERVER_PORT}\n"
            );
        }
        let config_path = self.folder.path().join("unbound.conf");
        fs::write(&config_path, config)?;
        // Debian has it where only root's PATH leads.
        let program = match Path::new("/usr/sbin/unbound").exists() {
            true => "/usr/sbin/unbound",
            false => "unbound",
        };
        let mut command = Command::new(program);
        self.spawn(
            command.arg("-d").arg("-c").arg(&config_path),
            "resolver.log",
        )?;
        self.until(|resolver| TcpStream::connect(resolver.address()).is_ok())
    }

    fn spawn(&self, command: &mut Command, log: &str) -> io::Result<()> {
        let file = File::create(self.folder.path().join(log))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{command:?}: {error}")))?;
        self.children.borrow_mut().push(child);
        Ok(())
    }

    fn until(&self, done: impl Fn(&Self) -> bool) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !done(self) {
            if Instant::now() > until {
                let message = format!("the name servers are not ready: {}", self.log());
                return Err(io::Error::other(message));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.stop();
    }
}
