//! A CA, a name server and a Postfix that all know `box.test`.
//!
//! Owns: starting them, and running the program with the CA said. Never: reaches past the commands
//! into the store, but to search its bytes.

use crate::scene::Ran;
use crate::site::{Site, builder};
use postseal_testkit::dns_server::DnsServer;
use postseal_testkit::pebble::{Pebble, PebbleBuilder};
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Where Pebble looks for the answers of HTTP-01, at the address of the box.
pub(crate) const HTTP: u16 = 5002;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) pebble: Pebble,
    pub(crate) dns: DnsServer,
}

impl World {
    /// Adopted, nothing bound, no account.
    pub(crate) fn new() -> Self {
        Self::with(Self::pebble())
    }

    /// A CA that rejects a third of the nonces.
    pub(crate) fn pebble() -> PebbleBuilder {
        Pebble::builder()
            .http_port(HTTP)
            .set("PEBBLE_WFE_NONCEREJECT", "33")
    }

    pub(crate) fn with(pebble: PebbleBuilder) -> Self {
        let site = Site::of(builder());
        let std::net::IpAddr::V4(address) = site.scene.postfix.address() else {
            panic!("the box has an IPv4 address");
        };
        let dns = DnsServer::start("box.test", address).unwrap();
        let pebble = pebble.dns(dns.address()).build().unwrap();
        let world = Self { site, pebble, dns };
        fs::write(
            world.site.scene.named("ca-server.pem"),
            world.pebble.server_root_pem(),
        )
        .unwrap();
        world
    }

    /// Where the child listens.
    pub(crate) fn http(&self) -> SocketAddr {
        (self.site.scene.postfix.address(), HTTP).into()
    }

    /// `--ca URL --ca-root FILE --agree-terms`.
    pub(crate) fn ca(&self) -> String {
        format!(
            "--ca {} --ca-root {} --agree-terms",
            self.pebble.directory(),
            self.site.scene.named("ca-server.pem")
        )
    }

    /// Everything that `cert issue` needs after name and domains, over HTTP.
    pub(crate) fn by_http(&self) -> String {
        format!("{} --http {}", self.ca(), self.http())
    }

    /// Issues over HTTP; the certificate is known to the site under `known` from now on.
    pub(crate) fn issue(&self, name: &str, domains: &str, more: &str, known: &str) -> Ran {
        let words = format!(
            "cert issue {name} --domain {domains} {}{more}",
            self.by_http()
        );
        let ran = self.site.must(&words);
        self.know(name, known);
        ran
    }

    /// The CA has seen nothing proved yet: each order from now on puts its challenges. The account is
    /// made anew by an order for a name of its own.
    pub(crate) fn forget(&mut self) {
        self.pebble.forget().unwrap();
        let words = format!(
            "cert issue spare --domain spare.box.test {}",
            self.by_http()
        );
        self.site.must(&words);
        self.site.must("cert delete spare");
    }

    /// The newest version of a certificate is known to the site by this name.
    pub(crate) fn know(&self, name: &str, known: &str) {
        let shown = self.site.must(&format!("cert show {name}")).json;
        let leaf = shown["certificate"]["fingerprint"].clone();
        self.site.know(serde_json::from_value(leaf).unwrap(), known);
    }

    /// What the name server says of one name from now on.
    pub(crate) fn dns_of(&self, name: &str, address: &str) {
        let server = self.dns.address();
        let script = format!(
            "server {} {}\nzone box.test\nkey hmac-sha256:{} {}\ndel {name}. A\n\
             add {name}. 1 A {address}\nsend\n",
            server.ip(),
            server.port(),
            DnsServer::KEY_NAME,
            base64_of(self.dns.secret())
        );
        let file = self.site.scene.named("update");
        fs::write(&file, script).unwrap();
        crate::scene::run("knsupdate", &["-v", &file]);
    }

    /// A key file as `tsig-keygen` makes it.
    pub(crate) fn key_file(&self) -> String {
        let path = self.site.scene.named("tsig.key");
        let text = format!(
            "key \"{}\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{}\";\n}};\n",
            DnsServer::KEY_NAME,
            base64_of(self.dns.secret())
        );
        fs::write(&path, text).unwrap();
        path
    }

    /// `cert show NAME`, the part about its renewal.
    pub(crate) fn renewal(&self, name: &str) -> serde_json::Value {
        let shown = self.site.must(&format!("cert show {name}")).json;
        shown["certificate"]["renewal"].clone()
    }
}

pub(crate) fn base64_of(bytes: &[u8]) -> String {
    openssl::base64::encode_block(bytes)
}

/// Waits for something that must come.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}
