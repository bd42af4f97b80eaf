//! A host made of text, for tests of the planner.
//!
//! Owns: Facts without a host, a little script language for what an operator does, and the plans
//! of it as text. Never: a clock; `NOW` is 1 Dec 2026.

#![allow(dead_code, reason = "each test binary uses its part of this")]

pub(crate) mod corpus;
pub(crate) mod dns;
pub(crate) mod script;
pub(crate) mod text;
pub(crate) mod varied;

use mailtls::{Fingerprint, pem_certificates};
use postseal_planner::facts::{CfFile, Facts, FileLook, MasterState, StoredCertificate};
use postseal_planner::plan::{Cf, Plan, Step};
use postseal_planner::{Digest, Intent, PostfixVersion, Refusal, Request, owned};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// 1 Dec 2026, in seconds since 1970.
pub(crate) const NOW: i64 = 1_796_083_200;

/// What the companions of TLS parameters are by default (Postfix 3.7.11).
const DEFAULTS: [[&str; 2]; 14] = [
    ["myhostname", "mx.example.com"],
    ["inet_interfaces", "all"],
    ["inet_protocols", "all"],
    ["queue_directory", "/var/spool/postfix"],
    ["data_directory", "/var/lib/postfix"],
    ["config_directory", "/etc/postfix"],
    ["default_transport", "smtp"],
    ["relay_transport", "relay"],
    ["smtpd_sasl_auth_enable", "no"],
    ["smtpd_sasl_type", "cyrus"],
    ["smtpd_sasl_path", "smtpd"],
    ["smtpd_sasl_security_options", "noanonymous"],
    ["compatibility_level", "3.6"],
    ["mail_version", "3.7.11"],
];

/// A host with its Postseal state.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) facts: Facts,
    pub(crate) desired: Intent,
    pub(crate) wanted: Intent,
    pub(crate) written: postseal_planner::intent::Owned,
    pub(crate) head: Option<u64>,
    /// The last applied plan, and the files before it.
    pub(crate) last: Option<Applied>,
}

#[derive(Clone)]
pub(crate) struct Applied {
    pub(crate) plan: Plan,
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
}

/// The folder of this crate's test data.
pub(crate) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(path)
}

/// Key and chain of a test certificate.
pub(crate) fn pem(name: &str) -> Vec<u8> {
    std::fs::read(data(&format!("plans/certificates/{name}.pem"))).expect("a test certificate")
}

fn cf(name: &str, bytes: &[u8]) -> CfFile {
    CfFile::of(Path::new("/etc/postfix").join(name), bytes.to_vec())
}

pub(crate) fn file(bytes: Vec<u8>) -> FileLook {
    FileLook::File {
        bytes: Zeroizing::new(bytes),
        mode: 0o600,
        uid: 0,
    }
}

impl Host {
    /// A Debian-like host on a public address, with Cyrus SASL set up, just adopted.
    pub(crate) fn new(main: &[u8], master: &[u8]) -> Self {
        let facts = Facts {
            config_directory: "/etc/postfix".into(),
            main_cf: cf("main.cf", main),
            master_cf: cf("master.cf", master),
            version: PostfixVersion::new(3, 7, 11),
            openssl: "OpenSSL 3.0.19".to_owned(),
            values: BTreeMap::from([("default_database_type".to_owned(), "hash".to_owned())]),
            defaults: DEFAULTS.map(|pair| pair.map(str::to_owned).into()).into(),
            map_types: ["btree", "hash", "texthash"].map(str::to_owned).to_vec(),
            touched: Default::default(),
            unmade: None,
            server_names: Default::default(),
            sasl_types: ["cyrus", "dovecot"].map(str::to_owned).to_vec(),
            addresses: ["127.0.0.1", "::1", "192.0.2.25"]
                .map(|a| a.parse().expect("an address"))
                .to_vec(),
            files: BTreeMap::new(),
            certificates: Vec::new(),
            master: MasterState::Running(1),
            dns: Default::default(),
        };
        let mut host = Self {
            facts,
            desired: Intent::default(),
            wanted: Intent::default(),
            written: Default::default(),
            head: None,
            last: None,
        };
        host.put("/etc/ssl/certs/ca-certificates.crt", file(pem("root")));
        host.put(
            "/etc/postfix/sasl/smtpd.conf",
            file(b"pwcheck_method: auxprop\n".to_vec()),
        );
        host.adopt();
        host
    }

    /// `init`.
    pub(crate) fn adopt(&mut self) {
        self.written = self.owned();
        self.desired.adopted = self.written.clone();
        self.wanted = self.desired.clone();
    }

    pub(crate) fn owned(&self) -> postseal_planner::intent::Owned {
        owned::of(&self.facts)
    }

    pub(crate) fn put(&mut self, path: &str, look: FileLook) {
        self.facts.files.insert(path.into(), look);
    }

    /// `cert import NAME` of a test certificate.
    pub(crate) fn store(&mut self, name: &str) {
        let bytes = pem(name);
        let chain = pem_certificates(&bytes).expect("a test certificate");
        self.facts.certificates.retain(|stored| stored.name != name);
        self.facts.certificates.push(StoredCertificate {
            name: name.to_owned(),
            version: 1,
            fingerprint: chain[0].fingerprint(),
            chain: chain
                .into_iter()
                .map(|certificate| certificate.der)
                .collect(),
            has_key: true,
            private_ca: None,
            file_digest: Some(Digest::of(&bytes)),
        });
    }

    pub(crate) fn fingerprint(&self, name: &str) -> Fingerprint {
        let stored = self
            .facts
            .certificates
            .iter()
            .find(|stored| stored.name == name);
        stored.expect("a stored certificate").fingerprint
    }

    /// What `postseal plan` would say, after looking at what it asks for.
    pub(crate) fn plan(&mut self) -> Result<Plan, Refusal> {
        self.look();
        let request = Request {
            intent: &self.wanted,
            in_force: &self.desired,
            parent: self.head,
            written: &self.written,
        };
        postseal_planner::plan(&request, &self.facts, NOW)
    }

    /// Files that were asked for and that the test did not put anywhere are missing.
    pub(crate) fn look(&mut self) {
        let mut paths = postseal_planner::looks(&self.facts);
        paths.extend(postseal_planner::looks_ahead(&self.facts, &self.wanted));
        for path in paths {
            self.facts.files.entry(path).or_insert(FileLook::Missing);
        }
    }

    /// Carries a plan out, as the engine would, and keeps it.
    pub(crate) fn apply(&mut self, plan: &Plan) {
        self.last = Some(Applied {
            plan: plan.clone(),
            main: self.facts.main_cf.bytes.clone(),
            master: self.facts.master_cf.bytes.clone(),
        });
        for step in &plan.steps {
            if let Step::InstallChain { fingerprint, path } = step {
                let stored = self.facts.certificates.iter();
                let stored = stored.clone().find(|s| s.fingerprint == *fingerprint);
                let name = stored.expect("a stored certificate").name.clone();
                self.facts.files.insert(path.clone(), file(pem(&name)));
            }
            if let Step::InstallSniMap(map) = step {
                let copied = map.chains().map(|path| match &self.facts.files[path] {
                    FileLook::File { bytes, .. } => Digest::of(bytes),
                    other => panic!("{other:?}"),
                });
                let copied = postseal_planner::plan::SniMap::copied(copied);
                let source = map.source_beside(copied, Digest::of(b"")).into_bytes();
                let compiled = format!("{}.db", map.path.display());
                self.facts.files.insert(map.path.clone(), file(source));
                self.facts.files.insert(compiled.into(), file(Vec::new()));
            }
        }
        self.write(Cf::Main, plan.edit(Cf::Main).map(|edit| edit.bytes.clone()));
        self.write(
            Cf::Master,
            plan.edit(Cf::Master).map(|edit| edit.bytes.clone()),
        );
        self.desired = plan.intent.clone();
        self.wanted = self.desired.clone();
        self.written = self.owned();
        self.head = Some(self.head.unwrap_or(0) + 1);
    }

    /// Replaces a file's bytes.
    pub(crate) fn write(&mut self, file: Cf, bytes: Option<Vec<u8>>) {
        let Some(bytes) = bytes else { return };
        match file {
            Cf::Main => self.facts.main_cf = cf("main.cf", &bytes),
            Cf::Master => self.facts.master_cf = cf("master.cf", &bytes),
        }
    }
}
