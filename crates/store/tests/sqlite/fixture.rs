//! Things to store.

use postseal_planner::intent::{Binding, Inbound, Intent, Key, Owned, Setting, Switch, Trust};
use postseal_planner::plan::{
    Base, Cf, Confirmation, Edit, OutboundChange, Plan, PlanFinding, Step,
};
use postseal_planner::report::{
    AuthExpectation, HandshakeExpectation, Judgement, Outcome, ServiceExpectation, TlsExpectation,
    Verdict, WireExpectation,
};
use postseal_planner::{Digest, Finding, Severity};
use postseal_store::{
    Before, Certificate, Close, InstanceState, NewCertificate, NewOperation, OperationKind,
    OperationOutcome, RuleTake, Store, StoredSnapshot, Succession,
};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

pub(crate) const MX: &str = "/etc/postfix";

/// A fingerprint, out of its text form: the store depends on no crate that makes one.
fn fingerprint<T: serde::de::DeserializeOwned>() -> T {
    serde_json::from_value("AB".repeat(32).into()).unwrap()
}

pub(crate) fn owned(word: &str) -> Owned {
    let level = ("smtpd_tls_security_level".to_owned(), word.to_owned());
    let service = (
        "submission/inet".to_owned(),
        BTreeMap::from([level.clone()]),
    );
    let entry = format!("smtpd_tls_security_level =\n# inside\n  {word}\n");
    let earlier = (level.0.clone(), vec![format!("{} = none\n", level.0)]);
    Owned {
        overridden: BTreeMap::from([earlier]),
        entries: BTreeMap::from([(level.0.clone(), entry)]),
        main: BTreeMap::from([level]),
        services: BTreeMap::from([service]),
        blocks: BTreeMap::from([("smtps/inet".to_owned(), "smtps inet n\n".to_owned())]),
        templates: BTreeMap::from([(587, "#submission inet n\n".to_owned())]),
    }
}

pub(crate) fn intent(word: &str) -> Intent {
    let name = "smtpd_tls_mandatory_ciphers".to_owned();
    Intent {
        adopted: owned("may"),
        settings: BTreeMap::from([
            (Key::Inbound, Setting::Inbound(Inbound::Encrypt)),
            (Key::Profile, Setting::Word(word.to_owned())),
            (Key::Smtps, Setting::Switch(Switch::On)),
            (Key::LoglevelInbound, Setting::Loglevel(1)),
            (
                Key::TrustOutbound,
                Setting::Trust(Trust::File("/etc/ssl/ca.pem".into())),
            ),
            (Key::Param(name), Setting::Raw("high".to_owned())),
        ]),
        bindings: vec![Binding {
            name: "mx".to_owned(),
            fingerprint: fingerprint(),
            allow_self_signed: false,
            place: postseal_planner::intent::Place::Server,
        }],
        policies: Some(postseal_planner::intent::Policies {
            digest: Digest::of(b"rows"),
            rows: 3,
        }),
        tables: None,
        exempt: BTreeSet::from([postseal_planner::intent::Exempt {
            place: "submission/inet".to_owned(),
            parameter: "smtpd_tls_chain_files".to_owned(),
        }]),
    }
}

pub(crate) fn base(word: &str) -> Base {
    Base {
        main_cf: Digest::of(format!("main {word}").as_bytes()),
        master_cf: Digest::of(format!("master {word}").as_bytes()),
    }
}

pub(crate) fn state(word: &str) -> InstanceState {
    InstanceState {
        desired: intent(word),
        draft: None,
        written: owned(word),
        base: base(word),
        head: None,
    }
}

fn expectation() -> ServiceExpectation {
    let handshake = HandshakeExpectation {
        certificates: vec![fingerprint()],
        floor: serde_json::from_value("TLSv1.2".into()).unwrap(),
        ..HandshakeExpectation::default()
    };
    ServiceExpectation {
        service: "smtp/inet".to_owned(),
        addresses: vec!["127.0.0.1:25".parse().unwrap(), "[::1]:25".parse().unwrap()],
        wire: WireExpectation::Serving {
            tls: TlsExpectation::StartTls {
                required: true,
                handshake,
            },
            auth: AuthExpectation::OnlyUnderTls,
        },
    }
}

/// A plan with something in every corner, as it comes back: its edits without bytes.
pub(crate) fn plan(word: &str) -> Plan {
    let finding = Finding::new(
        "cert.expires",
        Severity::Warning,
        "It ends soon.",
        "Renew it.",
    );
    Plan {
        format: 1,
        id: Digest::of(word.as_bytes()),
        parent: Some(7),
        intent: intent(word),
        earlier: intent("earlier"),
        base: base("before"),
        edits: vec![Edit {
            file: Cf::Main,
            before: Digest::of(b"before"),
            after: Digest::of(word.as_bytes()),
            diff: "-a = 1\n+a = 2\n".to_owned(),
            bytes: Vec::new(),
        }],
        steps: vec![
            Step::InstallChain {
                fingerprint: fingerprint(),
                path: "/etc/x.pem".into(),
            },
            Step::Publish { file: Cf::Main },
            Step::Reload,
            Step::Await,
        ],
        expectations: vec![expectation()],
        outbound: OutboundChange::None,
        confirmations: vec![Confirmation {
            code: "inbound.mandatory-on-public-port-25".to_owned(),
            answer: "mx.example.org".to_owned(),
            message: "Senders without TLS are refused.".to_owned(),
        }],
        findings: vec![PlanFinding {
            finding: finding
                .at("/etc/postfix/main.cf", 3, "a = 1")
                .seen("42 days"),
            was_so_before: true,
        }],
        sentences: vec!["The smtp service requires TLS.".to_owned()],
    }
}

pub(crate) fn snapshot(file: Cf, bytes: &[u8]) -> StoredSnapshot {
    StoredSnapshot {
        file,
        digest: Digest::of(bytes),
        bytes: bytes.to_vec(),
        attributes: r#"{"mode":420}"#.to_owned(),
    }
}

/// A service that was broken before.
fn before() -> Before {
    let judged = Judgement {
        service: "smtp/inet".to_owned(),
        address: ([192, 0, 2, 1], 25).into(),
        outcome: Outcome::Fail,
        sentences: vec!["192.0.2.1:25 answered 454.".to_owned()],
        findings: Vec::new(),
    };
    Before {
        running: true,
        expectations: vec![expectation()],
        verdict: Verdict {
            judgements: vec![judged],
        },
        logged: vec![Finding::new("log.key", Severity::Error, "No key.", "Name one.").seen("x")],
    }
}

/// An operation; master.cf is the same for every word, main.cf is not.
pub(crate) fn operation(instance: &str, word: &str) -> NewOperation {
    NewOperation {
        rules: RuleTake::None,
        instance: instance.to_owned(),
        kind: OperationKind::Rollback { of: 3 },
        actor: "alice (sudo)".to_owned(),
        started_ms: 1_700_000_000_000,
        plan: plan(word),
        snapshots: vec![
            snapshot(
                Cf::Main,
                format!("# \u{e9} {word}\nmyhostname = mx\n").as_bytes(),
            ),
            snapshot(Cf::Master, b"smtp inet n - y - - smtpd\n\xff\0"),
        ],
        confirm_by_ms: Some(1_700_000_300_000),
        before: before(),
        written: Some(state(word).written),
    }
}

pub(crate) fn kept(word: &str) -> Close {
    Close {
        ended_ms: 1_700_000_001_000,
        outcome: OperationOutcome::Kept,
        sentences: vec!["Port 25 presents mx.".to_owned()],
        state: Some(state(word)),
    }
}

pub(crate) fn rolled_back() -> Close {
    Close {
        ended_ms: 1_700_000_001_000,
        outcome: OperationOutcome::RolledBack {
            reason: "port 465 is dead".to_owned(),
        },
        sentences: vec!["The old bytes are back.".to_owned()],
        state: None,
    }
}

/// A key that is easy to find again, in clear.
pub(crate) const KEY: &[u8] =
    b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFindMeIfYouCan0123456789abcdefghijk\n-----END PRIVATE KEY-----\n";

pub(crate) fn certificate(name: &str) -> NewCertificate {
    NewCertificate {
        name: name.to_owned(),
        chain: vec![
            format!("leaf {name}").into_bytes(),
            b"intermediate".to_vec(),
        ],
        key: Some(Zeroizing::new(KEY.to_vec())),
        private_ca: None,
        source: "fullchain.pem, privkey.pem".to_owned(),
        added_ms: 5,
        file_digest: Some(Digest::of(name.as_bytes())),
        succession: Succession::First,
    }
}

/// All versions of all certificates, by name, the newest version first.
pub(crate) fn all(store: &dyn Store) -> Vec<Certificate> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.newest_certificates(&after, 500).unwrap();
        let Some(last) = page.last() else {
            return all;
        };
        after.clone_from(&last.name);
        for newest in &page {
            all.extend(store.certificate_versions(&newest.name).unwrap());
        }
    }
}
