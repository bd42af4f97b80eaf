//! The servers: private Postfix instances, one an oddity that programs may see differently.

use crate::scene::{self, Scene, stock_master};
use postseal_issue::{Issued, KeyType, LeafRequest, Validity, self_signed};
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeMap;
use std::fs;

/// One server.
pub(crate) struct Server {
    /// How it is headed.
    pub(crate) title: &'static str,
    /// Its certificates, by the kind of their keys.
    certificates: &'static [(&'static str, KeyType)],
    /// What main.cf has beside the level `may` and the certificates.
    settings: &'static [(&'static str, &'static str)],
    /// Where it is looked at; 465 begins with TLS.
    port: u16,
}

const RSA: (&str, KeyType) = ("RSA 2048", KeyType::Rsa2048);
const ECDSA: (&str, KeyType) = ("ECDSA P-256", KeyType::EcdsaP256);
/// A short list, where suites are not the question.
const SHORT: (&str, &str) = (
    "tls_medium_cipherlist",
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
);
const TODAY: (&str, &str) = ("smtpd_tls_protocols", ">=TLSv1.2");

impl Server {
    const fn new(
        title: &'static str,
        certificates: &'static [(&'static str, KeyType)],
        settings: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            title,
            certificates,
            settings,
            port: 25,
        }
    }

    const fn at(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// What its settings are, as main.cf has them.
    pub(crate) fn main_cf(&self) -> impl Iterator<Item = String> {
        const LEVEL: &(&str, &str) = &("smtpd_tls_security_level", "may");
        let said = self.settings.iter().any(|(name, _)| *name == LEVEL.0);
        let all = (!said).then_some(LEVEL).into_iter().chain(self.settings);
        all.map(|(name, value)| format!("{name} = {value}").trim_end().to_owned())
    }

    /// The port, and the names of its certificates.
    pub(crate) fn about(&self) -> (u16, String) {
        let names: Vec<&str> = self.certificates.iter().map(|(name, _)| *name).collect();
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(" and ")
        };
        (self.port, names)
    }
}

pub(crate) const SERVERS: [Server; 18] = [
    Server::new("All defaults, RSA", &[RSA], &[]),
    Server::new("All defaults, ECDSA", &[ECDSA], &[]),
    Server::new(
        "RSA and ECDSA",
        &[RSA, ECDSA],
        &[
            TODAY,
            (
                "smtpd_tls_exclude_ciphers",
                "aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ),
        ],
    ),
    Server::new("TLS 1.0 alone", &[RSA], &[("smtpd_tls_protocols", "TLSv1")]),
    Server::new(
        "TLS 1.0 and 1.1",
        &[RSA],
        &[
            ("smtpd_tls_protocols", "<=TLSv1.1"),
            ("smtpd_tls_exclude_ciphers", "aNULL, kDHE, CAMELLIA"),
        ],
    ),
    Server::new(
        "TLS 1.2 alone",
        &[RSA],
        &[("smtpd_tls_protocols", ">=TLSv1.2, <=TLSv1.2"), SHORT],
    ),
    Server::new(
        "TLS 1.3 alone",
        &[ECDSA],
        &[("smtpd_tls_protocols", ">=TLSv1.3")],
    ),
    Server::new("TLS from the first byte", &[RSA], &[TODAY, SHORT]).at(465),
    Server::new(
        "The server chooses, two groups",
        &[RSA],
        &[
            TODAY,
            ("tls_preempt_cipherlist", "yes"),
            ("tls_eecdh_auto_curves", "X25519 prime256v1"),
            (
                "tls_medium_cipherlist",
                "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305",
            ),
        ],
    ),
    Server::new(
        "A finite field of 1024 bits",
        &[RSA],
        &[
            TODAY,
            ("smtpd_tls_dh1024_param_file", "{base}/config/dh1024.pem"),
            (
                "smtpd_tls_exclude_ciphers",
                "aNULL, kRSA, kECDHE, CAMELLIA, ARIA, AESCCM",
            ),
        ],
    ),
    Server::new(
        "No certificate: anonymous alone",
        &[],
        &[("smtpd_tls_cert_file", "none")],
    ),
    Server::new(
        "Suites without encryption",
        &[RSA],
        &[
            ("smtpd_tls_protocols", ">=TLSv1.2"),
            ("smtpd_tls_ciphers", "null"),
        ],
    ),
    Server::new(
        "Client certificates asked for",
        &[RSA],
        &[
            TODAY,
            SHORT,
            ("smtpd_tls_ask_ccert", "yes"),
            ("smtpd_tls_CAfile", "{base}/config/clients.pem"),
        ],
    ),
    Server::new(
        "Client certificates demanded",
        &[RSA],
        &[
            TODAY,
            SHORT,
            ("smtpd_tls_security_level", "encrypt"),
            ("smtpd_tls_req_ccert", "yes"),
            ("smtpd_tls_CAfile", "{base}/config/clients.pem"),
        ],
    ),
    Server::new(
        "Sessions by number, no tickets",
        &[RSA],
        &[
            TODAY,
            SHORT,
            (
                "smtpd_tls_session_cache_database",
                "btree:${data_directory}/smtpd_scache",
            ),
            ("tls_ssl_options", "NO_TICKET"),
        ],
    ),
    Server::new(
        "A limit of ten sessions",
        &[RSA],
        &[
            TODAY,
            SHORT,
            ("smtpd_client_new_tls_session_rate_limit", "10"),
            ("anvil_rate_time_unit", "1h"),
            ("smtpd_client_event_limit_exceptions", ""),
        ],
    ),
    Server::new(
        "A certificate that is not there",
        &[],
        &[("smtpd_tls_cert_file", "{base}/config/missing.pem")],
    ),
    Server::new("No TLS", &[], &[("smtpd_tls_security_level", "none")]),
];

/// From 2020 to 2099.
const VALIDITY: Validity = Validity {
    not_before: 1_577_836_800,
    not_after: 4_070_908_800,
};

/// A server that runs.
pub(crate) struct Running {
    pub(crate) scene: Scene,
    pub(crate) server: &'static Server,
    /// The names of its certificates, by their fingerprints.
    names: BTreeMap<String, &'static str>,
}

impl Running {
    /// Builds and starts it.
    pub(crate) fn start(server: &'static Server) -> Self {
        let master = stock_master() + "465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n";
        let mut builder = PostfixBox::builder()
            .master_cf(master)
            .set("smtpd_tls_security_level", "may");
        if !server.certificates.is_empty() {
            builder = builder.set("smtpd_tls_chain_files", "{base}/config/chain.pem");
        }
        for (name, value) in server.settings {
            builder = builder.set(name, value);
        }
        let scene = Scene::stopped(builder);
        let mut names = BTreeMap::new();
        let mut chain = String::new();
        for (name, key_type) in server.certificates {
            let issued = issued(*key_type);
            let read = mailtls::pem_certificates(issued.cert_pem.as_bytes()).unwrap();
            names.insert(read[0].fingerprint().to_string(), *name);
            chain += &issued.key_pem;
            chain += &issued.fullchain_pem();
        }
        scene::write_private(scene.path_of("chain.pem"), chain);
        let clients = issued(KeyType::EcdsaP256).cert_pem;
        fs::write(scene.path_of("clients.pem"), clients).unwrap();
        if server
            .settings
            .iter()
            .any(|(_, value)| value.ends_with("dh1024.pem"))
        {
            let path = scene.path_of("dh1024.pem").display().to_string();
            scene::run(
                "/usr/bin/openssl",
                &["dhparam", "-dsaparam", "-out", &path, "1024"],
            );
        }
        scene.postfix.start().unwrap();
        Self {
            scene,
            server,
            names,
        }
    }

    /// Starts it anew: what it remembers of one program's connections is no matter of the next one's.
    pub(crate) fn again(&self) {
        self.scene.postfix.stop().unwrap();
        self.scene.postfix.start().unwrap();
    }

    /// `ADDRESS:PORT`.
    pub(crate) fn at(&self) -> String {
        self.scene.postfix.at(self.server.port).to_string()
    }

    /// Whether TLS begins with the first byte.
    pub(crate) fn wrapper(&self) -> bool {
        self.server.port == 465
    }

    /// Which of its certificates has this fingerprint; hex digits, with colons or without.
    pub(crate) fn certificate(&self, fingerprint: &str) -> String {
        let plain = |text: &str| text.replace(':', "").to_uppercase();
        let wanted = plain(fingerprint);
        let found = self.names.iter().find(|(other, _)| plain(other) == wanted);
        found.map_or_else(
            || format!("an unknown one: {wanted}"),
            |(_, name)| (*name).to_owned(),
        )
    }
}

fn issued(key_type: KeyType) -> Issued {
    let names = vec!["mx.box.test".to_owned()];
    let issued = self_signed(&LeafRequest {
        names,
        key_type,
        validity: VALIDITY,
    });
    issued.unwrap()
}
