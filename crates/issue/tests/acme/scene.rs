//! A CA, a name server and a mail server's names.

use mailtls::{Certificate, pem_certificates, verify_chain};
use postseal_issue::acme::{Account, AcmeCa, AcmeError, Order, Ordered};
use postseal_issue::dns01::{DynamicUpdate, TsigAlgorithm, TsigKey};
use postseal_issue::http01::Http01Listener;
use postseal_issue::{Bounds, Issued, Key, Solver};
use postseal_testkit::dns_server::DnsServer;
use postseal_testkit::pebble::{Pebble, PebbleBuilder};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const ZONE: &str = "mail.test";
const ALLOWED: Duration = Duration::from_secs(120);
static NEVER: AtomicBool = AtomicBool::new(false);

pub(crate) struct Scene {
    pub(crate) pebble: Pebble,
    pub(crate) dns: DnsServer,
    pub(crate) ca: AcmeCa,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(Pebble::builder())
    }

    pub(crate) fn with(pebble: PebbleBuilder) -> Self {
        let dns = DnsServer::start(ZONE, Ipv4Addr::LOCALHOST).unwrap();
        let pebble = pebble.dns(dns.address()).build().unwrap();
        let ca = AcmeCa {
            directory: pebble.directory(),
            roots_pem: Some(pebble.server_root_pem().into()),
        };
        Self { pebble, dns, ca }
    }

    pub(crate) fn account(&self) -> Account {
        let contacts = ["mailto:admin@mail.test".to_owned()];
        let registered = Account::register(&self.ca, &contacts, None, &bounds());
        registered.unwrap().account
    }

    pub(crate) fn update(&self) -> DynamicUpdate {
        DynamicUpdate {
            server: self.dns.address(),
            zone: None,
            key: tsig(DnsServer::KEY_NAME, self.dns.secret()),
            secondaries: Vec::new(),
        }
    }

    /// The chain of what was issued, which leads to Pebble's root and is for these names.
    pub(crate) fn judged(&self, issued: &Issued, names: &[String]) -> Vec<Certificate> {
        let chain = pem_certificates(issued.fullchain_pem().as_bytes()).unwrap();
        let root = self.pebble.issuing_root_pem().unwrap();
        let anchors = pem_certificates(root.as_bytes()).unwrap();
        assert_eq!(verify_chain(&chain, &anchors, now()), Ok(()));
        for name in names.iter().filter(|name| !name.starts_with('*')) {
            assert!(chain[0].matches_name(name), "{name}");
        }
        let key = mailtls::PrivateKey::parse(issued.key_pem.as_bytes()).unwrap();
        assert!(key.matches(&chain[0]));
        chain
    }
}

pub(crate) fn tsig(name: &str, secret: &[u8]) -> TsigKey {
    TsigKey {
        name: name.into(),
        algorithm: TsigAlgorithm::HmacSha256,
        secret: secret.to_vec().into(),
    }
}

/// An answerer on a free port of 127.0.0.1, and the port.
pub(crate) struct Listening {
    pub(crate) solver: Http01Listener,
    pub(crate) port: u16,
}

pub(crate) fn listening() -> Listening {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    Listening {
        solver: Http01Listener::start(socket, ALLOWED),
        port,
    }
}

pub(crate) fn order(
    account: &Account,
    names: &[String],
    key: &Key,
    solver: &mut dyn Solver,
) -> Result<Ordered, AcmeError> {
    let wanted = Order {
        names,
        key,
        replaces: None,
    };
    account.order(&wanted, solver, &bounds())
}

pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

pub(crate) fn bounds() -> Bounds<'static> {
    Bounds::new(now(), ALLOWED, &NEVER)
}

pub(crate) fn short(allowed: Duration) -> Bounds<'static> {
    Bounds::new(now(), allowed, &NEVER)
}
