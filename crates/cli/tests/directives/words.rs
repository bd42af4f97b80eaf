//! Every word of `postseal set` with every value it takes, in rounds on one real Postfix; then
//! all rounds are rolled back, one by one.

use crate::scene::{Files, Scene, stock_master};
use postseal_planner::settings::KEYS;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeSet;

/// `KEY=VALUE` and what `postconf` must show then: `PARAMETER=VALUE`, `SERVICE: on`,
/// `SERVICE: off` or `SERVICE/PARAMETER=VALUE`. `{files}` is the test's folder.
type Wish = (&'static str, &'static [&'static str]);

/// A listener for a content filter, as many servers have one.
const FILTER: &str = "{address}:10025 inet n - y - - smtpd\n  -o content_filter=\n";
const FILTER_LEVEL: &str = "{filter}/smtpd_tls_security_level=none";
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

const ROUNDS: &[&[Wish]] = &[
    &[
        (
            "mode=may",
            &[
                "smtpd_tls_security_level=may",
                "smtp_tls_security_level=may",
            ],
        ),
        (
            "profile=recommended",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_ciphers=medium",
                "smtpd_tls_mandatory_ciphers=high",
                "smtp_tls_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_ciphers=medium",
                "smtp_tls_mandatory_ciphers=high",
            ],
        ),
        ("submission=on", &["submission: on"]),
        ("smtps=on", &["submissions: on"]),
        ("auth-only=yes", &["smtpd_tls_auth_only=yes"]),
        ("received-header=yes", &["smtpd_tls_received_header=yes"]),
        ("loglevel.inbound=1", &["smtpd_tls_loglevel=1"]),
        ("loglevel.outbound=1", &["smtp_tls_loglevel=1"]),
        (
            "session-cache=client",
            &[
                "smtp_tls_session_cache_database=btree:${data_directory}/smtp_scache",
                "smtpd_tls_session_cache_database=",
            ],
        ),
        (
            "client-certs=ask",
            &["smtpd_tls_ask_ccert=yes", "smtpd_tls_req_ccert=no"],
        ),
        (
            "trust.inbound=system",
            &["smtpd_tls_CAfile={system}", "smtpd_tls_CApath="],
        ),
        (
            "trust.outbound={files}/ca.pem",
            &["smtp_tls_CAfile={files}/ca.pem", "smtp_tls_CApath="],
        ),
    ],
    &[
        ("profile=compatible", &[]),
        (
            "profile.inbound=recommended",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=",
            ],
        ),
        (
            "profile.submission=strict",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.outbound=mozilla-intermediate-6.0",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "mode=encrypt",
            &[
                "smtpd_tls_security_level=encrypt",
                "smtp_tls_security_level=encrypt",
            ],
        ),
        ("loopback-cleartext=yes", &[FILTER_LEVEL]),
        ("submission=off", &["submission: off"]),
        ("smtps=off", &["submissions: off"]),
        ("auth-only=no", &["smtpd_tls_auth_only=no"]),
        ("received-header=no", &["smtpd_tls_received_header=no"]),
        ("loglevel.inbound=2", &["smtpd_tls_loglevel=2"]),
        ("loglevel.outbound=2", &["smtp_tls_loglevel=2"]),
        (
            "session-cache=both",
            &[
                "smtp_tls_session_cache_database=btree:${data_directory}/smtp_scache",
                "smtpd_tls_session_cache_database=btree:${data_directory}/smtpd_scache",
            ],
        ),
        (
            "client-certs=require",
            &["smtpd_tls_ask_ccert=no", "smtpd_tls_req_ccert=yes"],
        ),
        (
            "trust.inbound={files}/ca.pem",
            &["smtpd_tls_CAfile={files}/ca.pem"],
        ),
        ("trust.outbound=system", &["smtp_tls_CAfile={system}"]),
    ],
    &[
        ("profile=recommended", &[]),
        (
            "profile.inbound=strict",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.submission=mozilla-intermediate-6.0",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.outbound=mozilla-modern-6.0",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.3",
                "smtp_tls_mandatory_exclude_ciphers=",
            ],
        ),
        ("inbound=may", &["smtpd_tls_security_level=may"]),
        ("outbound=secure", &["smtp_tls_security_level=secure"]),
        ("loopback-cleartext=no", &[]),
        ("loglevel.inbound=3", &["smtpd_tls_loglevel=3"]),
        ("loglevel.outbound=3", &["smtp_tls_loglevel=3"]),
        (
            "session-cache=off",
            &[
                "smtp_tls_session_cache_database=",
                "smtpd_tls_session_cache_database=",
            ],
        ),
        (
            "client-certs=off",
            &["smtpd_tls_ask_ccert=no", "smtpd_tls_req_ccert=no"],
        ),
        (
            "trust.inbound={files}/certs/",
            &["smtpd_tls_CApath={files}/certs/", "smtpd_tls_CAfile="],
        ),
        (
            "trust.outbound={files}/certs/",
            &["smtp_tls_CApath={files}/certs/", "smtp_tls_CAfile="],
        ),
    ],
    &[
        ("profile=strict", &[]),
        (
            "profile.inbound=mozilla-intermediate-6.0",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.submission=mozilla-modern-6.0",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.3",
                "smtpd_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "profile.outbound=ncsc-2025-05",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8",
            ],
        ),
        ("inbound=encrypt", &["smtpd_tls_security_level=encrypt"]),
        ("loopback-cleartext=yes", &[FILTER_LEVEL]),
        ("outbound=verify", &["smtp_tls_security_level=verify"]),
        ("loglevel.inbound=4", &["smtpd_tls_loglevel=4"]),
        ("loglevel.outbound=4", &["smtp_tls_loglevel=4"]),
        (
            "trust.inbound=none",
            &["smtpd_tls_CApath=", "smtpd_tls_CAfile="],
        ),
    ],
    &[
        (
            "profile=mozilla-intermediate-6.0",
            &["tls_eecdh_auto_curves=X25519 prime256v1 secp384r1"],
        ),
        (
            "profile.inbound=mozilla-modern-6.0",
            &[
                "smtpd_tls_protocols=>=TLSv1.3",
                "smtpd_tls_exclude_ciphers=",
            ],
        ),
        (
            "profile.submission=ncsc-2025-05",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8",
            ],
        ),
        (
            "profile.outbound=compatible",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "outbound=dane",
            &[
                "smtp_tls_security_level=dane",
                "smtp_dns_support_level=dnssec",
            ],
        ),
        (
            "trust.outbound=none",
            &["smtp_tls_CApath=", "smtp_tls_CAfile="],
        ),
    ],
    &[
        (
            "profile=mozilla-modern-6.0",
            &["tls_eecdh_auto_curves=X25519 prime256v1 secp384r1"],
        ),
        (
            "profile.inbound=ncsc-2025-05",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8",
            ],
        ),
        (
            "profile.submission=compatible",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "profile.outbound=recommended",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=",
            ],
        ),
        ("outbound=dane-only", &["smtp_tls_security_level=dane-only"]),
    ],
    &[
        (
            "profile=ncsc-2025-05",
            &["tls_eecdh_auto_curves=X25519 X448 prime256v1 secp384r1"],
        ),
        (
            "profile.inbound=compatible",
            &["smtpd_tls_protocols=>=TLSv1", "smtpd_tls_exclude_ciphers="],
        ),
        (
            "profile.submission=recommended",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "profile.outbound=strict",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        ("inbound=off", &["smtpd_tls_security_level=none"]),
        ("outbound=off", &["smtp_tls_security_level=none"]),
        ("loglevel.inbound=0", &["smtpd_tls_loglevel=0"]),
        ("loglevel.outbound=0", &["smtp_tls_loglevel=0"]),
    ],
    &[
        ("inbound=may", &["smtpd_tls_security_level=may"]),
        ("outbound=may", &["smtp_tls_security_level=may"]),
    ],
    &[
        ("inbound=off", &["smtpd_tls_security_level=none"]),
        ("outbound=encrypt", &["smtp_tls_security_level=encrypt"]),
    ],
    &[(
        "mode=off",
        &[
            "smtpd_tls_security_level=none",
            "smtp_tls_security_level=none",
        ],
    )],
    // With a client that always begins with TLS, main.cf can only be turned off in two steps.
    &[(
        "smtps-out=on",
        &["smtps-out: on", "smtps-out/unix/smtp_tls_wrappermode=yes"],
    )],
];

fn filled(text: &str, scene: &Scene) -> String {
    let text = text.replace("{files}", &scene.folder().display().to_string());
    let filter = format!("{}:10025/inet", scene.postfix.address());
    text.replace("{filter}", &filter)
        .replace("{system}", SYSTEM)
}

fn shows(scene: &Scene, expected: &str, wish: &str) {
    let expected = filled(expected, scene);
    if let Some((service, state)) = expected.split_once(": ") {
        let services = scene.postconf(&["-M"]);
        let there = services
            .lines()
            .any(|line| line.split_whitespace().next() == Some(service));
        assert_eq!(there, state == "on", "{wish}: {services}");
        return;
    }
    let (name, value) = expected.split_once('=').unwrap();
    let seen = match name.rsplit_once('/') {
        Some((service, option)) => scene.option(service, option).unwrap_or_default(),
        None => scene.value(name),
    };
    assert_eq!(seen, value, "{name} after {wish}");
}

#[test]
fn every_word_with_every_value_is_in_force_and_undone() {
    let scene = Scene::adopted(
        PostfixBox::builder()
            .sasl_user("alice", "in the jail")
            .master_cf(format!("{}{FILTER}", stock_master())),
    );
    scene.must(&["cert", "bind", "mx"]);
    let mut worlds: Vec<Files> = Vec::new();
    for round in ROUNDS {
        worlds.push(scene.files());
        let wishes: Vec<String> = round.iter().map(|(wish, _)| filled(wish, &scene)).collect();
        let mut words = vec!["set"];
        words.extend(wishes.iter().map(String::as_str));
        scene.must(&words);
        let applied = scene.must(&["apply"]);
        assert_eq!(applied.text("outcome"), "kept", "{wishes:?}");
        for (wish, expected) in *round {
            expected
                .iter()
                .for_each(|expected| shows(&scene, expected, wish));
        }
        let plan = scene.must(&["plan"]);
        assert_eq!(plan.json["pending"], false, "{wishes:?}: {plan:#?}");
    }
    for (world, round) in worlds.iter().zip(ROUNDS).rev() {
        scene.must(&["rollback"]);
        assert_eq!(&scene.files(), world, "the rollback of {round:?}");
    }
}

#[test]
fn the_rounds_walk_every_value_that_set_lists() {
    let walked: BTreeSet<&str> = ROUNDS
        .iter()
        .copied()
        .flatten()
        .map(|(wish, _)| *wish)
        .collect();
    for key in KEYS
        .iter()
        .filter(|key| !["param.NAME", "inbound-certificate"].contains(&key.name))
    {
        for value in key.values.split(", ") {
            let value = match value {
                "/FILE.pem" => "{files}/ca.pem",
                "/DIRECTORY/" => "{files}/certs/",
                word => word,
            };
            let wish = format!("{}={value}", key.name);
            assert!(walked.contains(wish.as_str()), "{wish} is not walked");
        }
    }
}

#[test]
fn anonymous_tls_on_a_closed_network() {
    let scene = Scene::adopted(PostfixBox::builder());
    let before = scene.files();
    scene.must(&["set", "inbound=may", "inbound-certificate=none"]);
    scene.must(&["apply"]);
    assert_eq!(scene.value("smtpd_tls_cert_file"), "none");
    scene.must(&["rollback"]);
    assert_eq!(scene.files(), before);
}

#[test]
fn a_bad_value_of_every_word_is_refused_with_what_it_takes() {
    let scene = Scene::adopted(PostfixBox::builder());
    for key in KEYS.iter().filter(|key| key.name != "param.NAME") {
        for bad in ["", "perhaps", "OFF", "../x", "1;2"] {
            let ran = scene.ends(65, &["set", &format!("{}={bad}", key.name)]);
            assert_eq!(ran.code(), "setting.bad-value", "{}={bad}", key.name);
            let remedy = ran.json["findings"][0]["remedy"].as_str().unwrap();
            assert!(remedy.contains(key.values), "{}: {remedy}", key.name);
        }
    }
    for (pair, code) in [
        ("inbound=dane", "setting.bad-value"),
        ("inbuond=may", "setting.unknown-key"),
        ("smtpd_tls_auth_only=yes", "setting.unknown-key"),
        ("param.smtpd_tls_athu_only=yes", "setting.unknown-parameter"),
        (
            "param.smtp_dns_support_level=dnssec",
            "setting.not-a-tls-parameter",
        ),
        ("param.myhostname=x.example", "setting.unknown-parameter"),
        (
            "param.smtp_tls_enable_rpk=yes",
            "parameter.unknown-to-version",
        ),
        ("inbound=may\nrelayhost=evil", "setting.control-character"),
        (
            "param.smtpd_tls_CAfile=/x\nrelayhost = evil",
            "setting.control-character",
        ),
    ] {
        assert_eq!(scene.ends(65, &["set", pair]).code(), code, "{pair:?}");
    }
    let plan = scene.must(&["plan"]);
    assert_eq!(plan.json["pending"], false, "something was stored");
}

#[test]
fn client_certificates_are_demanded_on_every_port() {
    let scene = Scene::adopted(PostfixBox::builder().sasl_user("alice", "in the jail"));
    let before = scene.files();
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&["set", "inbound=encrypt", "submission=on", "smtps=on"]);
    scene.must(&["set", "client-certs=require", "trust.inbound=system"]);
    let applied = scene.must(&["apply"]);
    for verdict in ["rehearsed", "proved"] {
        let judged = applied.json[verdict]["judgements"].as_array().unwrap();
        assert_eq!(judged.len(), 3, "{verdict}: {judged:#?}");
        for judgement in judged {
            assert_eq!(judgement["outcome"], "pass", "{verdict}: {judgement:#}");
            let told = judgement["sentences"].to_string();
            assert!(told.contains("without a certificate away (421)"), "{told}");
        }
    }
    scene.must(&["rollback"]);
    assert_eq!(scene.files(), before);
}
