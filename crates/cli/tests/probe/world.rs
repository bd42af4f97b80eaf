//! A private Postfix with TLS on 25, 587 and 465, its names in a DNS of the test's own, and its
//! domain's policy on a web server.
//!
//! Owns: building them, and running the program with that DNS. Never: judges.

use crate::scene::{POSTSEAL, Ran, Scene, stock_master, write_private};
use mailtls::tlsa::TlsaRecord;
use postseal_issue::{Issued, KeyType, LeafRequest, PrivateCa, Validity};
use postseal_testkit::https_script::{HttpAnswer, HttpsScript};
use postseal_testkit::postfix_box::PostfixBox;
use postseal_testkit::resolver::{Resolver, SIGNED};
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;
const SERVICES: &str = "587 inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n\
                        465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n";

/// Valid today.
pub(crate) fn valid() -> Validity {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    Validity {
        not_before: now - DAY,
        not_after: now + 60 * DAY,
    }
}

pub(crate) struct World {
    pub(crate) scene: Scene,
    dns: Option<Resolver>,
    _web: Option<HttpsScript>,
    policy: Arc<Mutex<HttpAnswer>>,
    pub(crate) leaf: Issued,
    web_ca: String,
}

impl World {
    /// `mx.signed.test`, with a certificate of a CA of its own.
    pub(crate) fn server() -> Self {
        Self::with(&[])
    }

    /// The same with these settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let ca = PrivateCa::new("Probe Root CA", KeyType::EcdsaP256, valid()).unwrap();
        let leaf = ca.issue(&LeafRequest {
            names: vec![format!("mx.{SIGNED}")],
            key_type: KeyType::EcdsaP256,
            validity: valid(),
        });
        let leaf = leaf.unwrap();
        let mut builder = PostfixBox::builder()
            .set("smtpd_tls_security_level", "may")
            .set("smtpd_tls_chain_files", "{base}/config/chain.pem")
            .set("smtp_dns_support_level", "dnssec")
            .set("smtp_tls_CAfile", "{base}/config/probe-ca.pem")
            .master_cf(format!("{}{SERVICES}", stock_master()));
        for (name, value) in settings {
            builder = builder.set(name, value);
        }
        let scene = Scene::stopped(builder);
        let chain = format!("{}{}", leaf.key_pem.as_str(), leaf.fullchain_pem());
        write_private(scene.path_of("chain.pem"), chain);
        fs::write(scene.path_of("probe-ca.pem"), ca.certificate_pem()).unwrap();
        scene.postfix.start().unwrap();
        Self {
            scene,
            dns: None,
            _web: None,
            policy: Arc::default(),
            leaf,
            web_ca: String::new(),
        }
    }

    /// The same in DNS, with these lines beside its address.
    pub(crate) fn named(mut self, lines: &str) -> Self {
        let address = self.scene.postfix.address();
        let tlsa = TlsaRecord::for_certificate(&self.certificate());
        let lines = lines
            .replace("{tlsa}", &tlsa.to_string())
            .replace("{address}", &address.to_string());
        let lines = format!("mx A {address}\nmta-sts A {address}\n{lines}");
        self.dns = Some(Resolver::start(&lines).unwrap());
        self
    }

    /// And with a policy.
    pub(crate) fn policy(mut self, answer: HttpAnswer) -> Self {
        let listener = TcpListener::bind((self.scene.postfix.address(), 443)).unwrap();
        *self.policy.lock().unwrap() = answer;
        let said = Arc::clone(&self.policy);
        let names = vec![format!("mta-sts.{SIGNED}")];
        let web = HttpsScript::start_on(listener, names, move |_, request| {
            match request.path.as_str() {
                "/.well-known/mta-sts.txt" => said.lock().unwrap().clone(),
                _ => HttpAnswer::new("404 Not Found", ""),
            }
        });
        let web = web.unwrap();
        self.web_ca = self.scene.named("web-ca.pem");
        fs::write(&self.web_ca, web.root_pem()).unwrap();
        self._web = Some(web);
        self
    }

    /// Another policy.
    pub(crate) fn say(&self, answer: HttpAnswer) {
        *self.policy.lock().unwrap() = answer;
    }

    pub(crate) fn certificate(&self) -> mailtls::Certificate {
        let all = mailtls::pem_certificates(self.leaf.cert_pem.as_bytes());
        all.unwrap().swap_remove(0)
    }

    pub(crate) fn ca(&self) -> String {
        self.scene.path_of("probe-ca.pem").display().to_string()
    }

    /// The server's CA, and that of the policy's.
    pub(crate) fn all_cas(&self) -> String {
        let read = |path: &str| fs::read_to_string(path).unwrap();
        read(&self.ca()) + &read(&self.web_ca)
    }

    /// `ADDRESS:PORT` of the server.
    pub(crate) fn at(&self, port: u16) -> String {
        format!("{}:{port}", self.scene.postfix.address())
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.scene.command(&["probe"]);
        command.args(words);
        if let Some(dns) = &self.dns {
            command.args(["--resolver", &dns.address().to_string()]);
        }
        if !self.web_ca.is_empty() {
            command.env("SSL_CERT_FILE", &self.web_ca);
        }
        command
    }

    /// With `--json`; it must end with `exit`. The first target's report.
    pub(crate) fn ends(&self, exit: i32, words: &[&str]) -> Value {
        let ran = Ran::of(&self.command(words).arg("--json").output().unwrap());
        assert_eq!(ran.exit, Some(exit), "{words:?}: {ran:#?}");
        ran.json["probed"][0].clone()
    }

    /// For people, piped.
    pub(crate) fn text(&self, words: &[&str]) -> Ran {
        Ran::of(&self.command(words).output().unwrap())
    }
}

/// The program on a machine without Postfix: no folder is one of an instance.
pub(crate) fn bare(words: &[&str]) -> Ran {
    let output = crate::scene::postseal(&["--instance", "/nonexistent", "probe"])
        .args(words)
        .output();
    Ran::of(&output.unwrap())
}

/// The stages of the first address, `NAME OUTCOME`.
pub(crate) fn stages(probed: &Value) -> Vec<String> {
    let report = &probed["hosts"][0]["addresses"][0]["report"];
    let all = report["stages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.map(|stage| {
        format!(
            "{} {}",
            text(&stage["name"]),
            text(&stage["outcome"]["outcome"])
        )
    })
    .collect()
}

/// The outcome of a level.
pub(crate) fn level<'p>(probed: &'p Value, name: &str) -> &'p Value {
    let all = probed["levels"].as_array().unwrap();
    all.iter().find(|one| one["level"] == name).unwrap()
}

/// The codes of the findings.
pub(crate) fn codes(probed: &Value) -> Vec<&str> {
    let all = probed["findings"].as_array().unwrap();
    all.iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

/// Where the program is.
pub(crate) const PROGRAM: &str = POSTSEAL;
