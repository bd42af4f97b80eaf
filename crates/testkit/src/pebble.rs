//! A real ACME server of a test's own: Pebble, from Debian's package of that name.
//!
//! Owns: one process on a loopback address of its own, its HTTPS certificate, and the choices of
//! its environment (bad nonces on, no sleeps). Never: outlives its value, shares an address with
//! another.

use crate::https_script::fetch;
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const ACME_PORT: u16 = 14000;
const MANAGEMENT_PORT: u16 = 15000;
/// From the year 2000 to 2100: no test depends on the day.
const CENTURY: Validity = Validity {
    not_before: 946_684_800,
    not_after: 4_102_444_800,
};

/// A running Pebble; it ends when dropped.
#[derive(Debug)]
pub struct Pebble {
    address: Ipv4Addr,
    root_pem: String,
    folder: TempDir,
    asked: PebbleBuilder,
    child: Child,
}

/// What a Pebble is to be like.
#[derive(Clone, Debug)]
pub struct PebbleBuilder {
    address: Option<Ipv4Addr>,
    dns: Option<SocketAddr>,
    http_port: u16,
    external: Option<(&'static str, &'static str)>,
    environment: Vec<(&'static str, String)>,
}

impl Pebble {
    /// One that looks at real challenges, without pauses, and rejects every seventh nonce.
    pub fn builder() -> PebbleBuilder {
        PebbleBuilder {
            address: None,
            dns: None,
            http_port: 80,
            external: None,
            environment: vec![
                ("PEBBLE_VA_NOSLEEP", "1".into()),
                ("PEBBLE_WFE_NONCEREJECT", "15".into()),
                ("PEBBLE_AUTHZREUSE", "0".into()),
            ],
        }
    }

    /// Its address, for one that comes back there.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Ends it; whoever calls it then finds nobody.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again without its memory: accounts, orders, and what was proved. It keeps its address
    /// and the certificate of its HTTPS server.
    ///
    /// With `PEBBLE_AUTHZREUSE=0` Pebble 2.4 still takes an authorization of before for one order in a
    /// hundred; only a name that nobody has proved yet is sure to be challenged.
    pub fn forget(&mut self) -> io::Result<()> {
        self.stop();
        self.child = self.asked.spawn(&self.folder)?;
        self.wait()
    }

    /// The URL of its directory.
    pub fn directory(&self) -> String {
        format!("https://{}:{ACME_PORT}/dir", self.address)
    }

    /// The root that its own HTTPS certificate leads to.
    pub fn server_root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The root that the certificates it issues lead to.
    pub fn issuing_root_pem(&self) -> io::Result<String> {
        let server = (self.address, MANAGEMENT_PORT).into();
        let body = fetch(server, "/roots/0", &self.root_pem)?;
        String::from_utf8(body).map_err(io::Error::other)
    }

    /// What it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl PebbleBuilder {
    /// Where it listens, in place of an address of its own.
    pub fn at(mut self, address: Ipv4Addr) -> Self {
        self.address = Some(address);
        self
    }

    /// The name server that it asks for everything.
    pub fn dns(mut self, server: SocketAddr) -> Self {
        self.dns = Some(server);
        self
    }

    /// The port on which it looks for HTTP-01 answers.
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_port = port;
        self
    }

    /// Needs an external account binding with this key id and key (base64url).
    pub fn external_account(mut self, key_id: &'static str, key: &'static str) -> Self {
        self.external = Some((key_id, key));
        self
    }

    /// A variable of its environment.
    pub fn set(mut self, name: &'static str, value: &str) -> Self {
        self.environment.retain(|(other, _)| *other != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Starts it and waits until it answers.
    pub fn build(self) -> io::Result<Pebble> {
        let address = self.address.unwrap_or_else(own_address);
        let folder = TempDir::new()?;
        let root_pem = self.write(address, &folder)?;
        let mut pebble = Pebble {
            address,
            root_pem,
            child: self.spawn(&folder)?,
            folder,
            asked: self,
        };
        pebble.wait()?;
        Ok(pebble)
    }

    /// Starts the process on the files of this folder; its log goes on.
    fn spawn(&self, folder: &TempDir) -> io::Result<Child> {
        let log = folder.path().join("log");
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new("pebble");
        command.args(["-config", "pebble.json", "-strict"]);
        if let Some(dns) = self.dns {
            command.args(["-dnsserver", &dns.to_string()]);
        }
        command
            .current_dir(folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("pebble: {error}")))
    }

    /// Writes its files; returns the root of its HTTPS certificate.
    fn write(&self, address: Ipv4Addr, folder: &TempDir) -> io::Result<String> {
        let ca = PrivateCa::new("Pebble's server", KeyType::EcdsaP256, CENTURY)
            .map_err(io::Error::other)?;
        let request = LeafRequest {
            names: vec![address.to_string()],
            key_type: KeyType::EcdsaP256,
            validity: CENTURY,
        };
        let server = ca.issue(&request).map_err(io::Error::other)?;
        let keys = match self.external {
            Some((id, key)) => format!(r#""externalAccountMACKeys":{{"{id}":"{key}"}},"#),
            None => String::new(),
        };
        let config = format!(
            r#"{{"pebble":{{"listenAddress":"{address}:{ACME_PORT}","managementListenAddress":"{address}:{MANAGEMENT_PORT}","certificate":"cert.pem","privateKey":"key.pem","httpPort":{},"tlsPort":5001,{keys}"externalAccountBindingRequired":{}}}}}"#,
            self.http_port,
            self.external.is_some(),
        );
        fs::write(folder.path().join("cert.pem"), &server.cert_pem)?;
        fs::write(folder.path().join("key.pem"), server.key_pem.as_bytes())?;
        fs::write(folder.path().join("pebble.json"), config)?;
        Ok(ca.certificate_pem())
    }
}

impl Pebble {
    fn wait(&mut self) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = fetch((self.address, ACME_PORT).into(), "/dir", &self.root_pem);
            match answer {
                Ok(_) => return Ok(()),
                Err(_) if self.child.try_wait()?.is_some() || Instant::now() > until => {
                    let message = format!("pebble did not start: {}", self.log());
                    return Err(io::Error::other(message));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An address that no other test has: the kernel routes all of 127.0.0.0/8 to `lo`.
pub(crate) fn own_address() -> Ipv4Addr {
    static COUNTER: AtomicU8 = AtomicU8::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed) % 50;
    Ipv4Addr::new(127, 200 + number, high, low)
}
