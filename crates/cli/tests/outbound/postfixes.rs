//! Other Postfixes as the servers: what their settings, good and bad, make of a policy; what
//! `policy check` says of it is what smtp(8) does.

use crate::letters::submit;
use crate::scene::{Scene, run};
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use serde_json::Value;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);
const ANY_CIPHER: &str = "ALL:@SECLEVEL=0";

/// A server: its name, a key's kind for `openssl req`, and settings.
type Peer = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const PEERS: [Peer; 10] = [
    ("plain", "ec", &[("smtpd_tls_security_level", "none")]),
    ("good", "ec", &[]),
    (
        "demanding",
        "ec",
        &[("smtpd_tls_security_level", "encrypt")],
    ),
    (
        "anonymous",
        "ec",
        &[
            ("smtpd_tls_cert_file", "none"),
            ("smtpd_tls_key_file", "none"),
        ],
    ),
    (
        "missing",
        "ec",
        &[("smtpd_tls_cert_file", "/nowhere/cert.pem")],
    ),
    ("drops", "ec", &[("smtpd_tls_ciphers", "bogus")]),
    (
        "old",
        "ec",
        &[
            ("smtpd_tls_protocols", "TLSv1.1"),
            ("tls_medium_cipherlist", ANY_CIPHER),
        ],
    ),
    ("weak", "rsa:1024", &[("tls_medium_cipherlist", ANY_CIPHER)]),
    // Postfix takes it for itself.
    ("namesake", "ec", &[("myhostname", "mx.box.test")]),
    (
        "curious",
        "ec",
        &[
            ("smtpd_tls_security_level", "encrypt"),
            ("smtpd_tls_req_ccert", "yes"),
        ],
    ),
];

const POLICIES: [&str; 6] = [
    "none",
    "may",
    "encrypt",
    "encrypt protocols=>=TLSv1.2",
    // It gets anonymous ciphers.
    "encrypt protocols=TLSv1.2",
    "secure match=mx.box.test tafile=/anchors.pem",
];

struct World {
    scene: Scene,
    peers: Vec<PostfixBox>,
}

impl World {
    fn new() -> Self {
        let scene = Scene::stopped(
            PostfixBox::builder()
                .set("default_transport", "smtp")
                .set("transport_maps", "texthash:{base}/config/transport")
                .set("smtp_tls_policy_maps", "texthash:{base}/config/policy"),
        );
        let peers = PEERS.iter().map(|peer| start(&scene, peer)).collect();
        let mut world = Self { scene, peers };
        world.write_tables();
        world.scene.postfix.start().unwrap();
        world
    }

    /// Each policy has a name of its own for each server: the transport decides, the row follows.
    fn write_tables(&mut self) {
        let (mut transport, mut policy) = (String::new(), String::new());
        for (p, _) in PEERS.iter().enumerate() {
            for (r, row) in POLICIES.iter().enumerate() {
                let hop = self.hop(p, r);
                transport.push_str(&format!("{} smtp:{hop}\n", domain(p, r)));
                policy.push_str(&format!("{hop} {row}\n"));
            }
        }
        fs::write(self.scene.path_of("transport"), transport).unwrap();
        fs::write(self.scene.path_of("policy"), policy).unwrap();
        let anchors: String = PEERS
            .iter()
            .map(|peer| fs::read_to_string(self.scene.named(&format!("{}.pem", peer.0))).unwrap())
            .collect();
        fs::write(
            self.scene.postfix.queue_directory().join("anchors.pem"),
            anchors,
        )
        .unwrap();
    }

    /// The same port in five spellings, so that each has a row of its own.
    fn hop(&self, peer: usize, row: usize) -> String {
        let at = self.peers[peer].address();
        let port = "0".repeat(row) + "25";
        format!("[{at}]:{port}")
    }

    fn fate(&self, recipient: &str) -> Option<&'static str> {
        let to = format!("to=<{recipient}>");
        let log = self.scene.postfix.log();
        let line = log
            .lines()
            .find(|line| line.contains(&to) && line.contains("status="))?;
        if line.contains("status=deferred") {
            return Some("held");
        }
        if line.contains("status=bounced") {
            return Some("returned");
        }
        // The server's own header says how it came.
        let messages = self.peers.iter().flat_map(|peer| peer.received());
        let mine = messages
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .find(|text| text.contains(recipient))?;
        Some(if mine.contains("with ESMTPS") {
            "under tls"
        } else {
            "in clear"
        })
    }
}

fn domain(peer: usize, row: usize) -> String {
    format!("p{peer}r{row}.test")
}

fn start(scene: &Scene, (name, kind, settings): &Peer) -> PostfixBox {
    let [cert, key] = ["pem", "key"].map(|end| scene.named(&format!("{name}.{end}")));
    let mut words = vec!["req", "-x509", "-nodes", "-days", "30", "-newkey", kind];
    if *kind == "ec" {
        words.extend(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    }
    words.extend([
        "-subj",
        "/CN=mx.box.test",
        "-addext",
        "subjectAltName=DNS:mx.box.test",
    ]);
    words.extend(["-keyout", &key, "-out", &cert]);
    run("/usr/bin/openssl", &words);
    let builder = PostfixBox::builder()
        .set("smtpd_tls_security_level", "may")
        .set("smtpd_tls_cert_file", &cert)
        .set("smtpd_tls_key_file", &key)
        .set("smtpd_tls_received_header", "yes")
        .set("smtpd_peername_lookup", "no")
        // With its own name Postfix would take it for itself.
        .set("myhostname", "mx.peer.test")
        .set("virtual_alias_domains", "regexp:{base}/config/all")
        .set("virtual_alias_maps", "regexp:{base}/config/inbox");
    let settings = settings.iter();
    let with = |builder: BoxBuilder, (name, value): &(&str, &str)| builder.set(name, value);
    let peer = settings.fold(builder, with).build().unwrap();
    let config = peer.config_directory();
    fs::write(config.join("all"), "/^p[0-9]r[0-9]\\.test$/ it\n").unwrap();
    fs::write(
        config.join("inbox"),
        "/@p[0-9]r[0-9]\\.test$/ inbox@box.test\n",
    )
    .unwrap();
    peer.start().unwrap();
    peer
}

#[test]
fn what_a_check_says_of_other_postfixes_is_what_becomes_of_mail() {
    let world = World::new();
    let all: Vec<(usize, usize)> = (0..PEERS.len())
        .flat_map(|p| (0..POLICIES.len()).map(move |r| (p, r)))
        .collect();
    let recipients: Vec<String> = all
        .iter()
        .map(|(p, r)| format!("user@{}", domain(*p, *r)))
        .collect();
    let mut words = vec!["policy", "check", "--timeout", "10"];
    words.extend(recipients.iter().map(String::as_str));
    let ran = world.scene.run(&words);
    for recipient in &recipients {
        submit(&world.scene, recipient);
    }
    let mut wrong = Vec::new();
    let end = Instant::now() + PATIENCE;
    for (((p, r), recipient), said) in all
        .iter()
        .zip(&recipients)
        .zip(ran.json["checked"].as_array().unwrap())
    {
        let fate = loop {
            if let Some(fate) = world.fate(recipient) {
                break fate;
            }
            assert!(
                Instant::now() < end,
                "{recipient}: {}",
                world.scene.postfix.log()
            );
            thread::sleep(Duration::from_millis(200));
        };
        let preflight = &said["preflight"];
        if !agrees(preflight, fate) {
            wrong.push(format!(
                "{} at {}: {fate}\n{preflight:#}",
                PEERS[*p].0, POLICIES[*r]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whether the check foretold this fate at the first attempt.
fn agrees(said: &Value, fate: &str) -> bool {
    let delivery = said["hosts"][0]["addresses"][0]["delivery"].as_str();
    match (said["outcome"].as_str(), delivery) {
        (Some("pass"), Some("verified" | "encrypted")) => fate == "under tls",
        // A server that demands TLS says so to MAIL only, which is not said to strangers' servers.
        (Some("pass"), Some("clear")) if said["policy"] == "none" => fate != "under tls",
        (Some("pass"), Some("clear")) => fate == "in clear",
        (Some("fail"), _) if said["findings"][0]["code"] == "policy.mx-self" => fate == "returned",
        (Some("pass"), Some("clear-later")) | (Some("fail"), _) => fate == "held",
        // What a server says after the handshake.
        (Some("undetermined"), _) => fate != "in clear",
        _ => false,
    }
}
