//! Every TLS directive that the guides name: it can be set, planned, and given back — or, where
//! it is obsolete, it is refused with its replacement.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::PostfixVersion;
use postseal_planner::plan::Cf;
use postseal_planner::settings;
use support::{Host, file, pem, script, text};

const VERSION: PostfixVersion = PostfixVersion::new(3, 7, 11);

/// Name, a good value, a bad one (none where Postfix takes any text).
const SETTABLE: [[&str; 3]; 40] = [
    ["smtpd_tls_security_level", "may", "ecnrypt"],
    ["smtp_tls_security_level", "may", "always"],
    ["smtpd_tls_cert_file", "/etc/ssl/mx.pem", "mx.pem"],
    ["smtpd_tls_key_file", "/etc/ssl/mx.pem", "./mx.pem"],
    ["smtpd_tls_eccert_file", "/etc/ssl/mx.pem", "mx.pem"],
    ["smtpd_tls_eckey_file", "/etc/ssl/mx.pem", "mx.pem"],
    ["smtpd_tls_chain_files", "/etc/ssl/mx.pem", "mx.pem"],
    ["smtp_tls_cert_file", "/etc/ssl/mx.pem", "mx.pem"],
    ["smtp_tls_key_file", "/etc/ssl/mx.pem", "mx.pem"],
    ["smtpd_tls_CAfile", "/etc/ssl/ca.pem", "ca.pem"],
    ["smtpd_tls_CApath", "/etc/ssl/certs", "certs"],
    ["smtp_tls_CAfile", "/etc/ssl/ca.pem", "ca.pem"],
    ["smtp_tls_CApath", "/etc/ssl/certs", "certs"],
    ["tls_append_default_CA", "yes", "true"],
    ["smtpd_tls_auth_only", "yes", "si"],
    ["smtpd_tls_wrappermode", "no", "perhaps"],
    ["smtpd_tls_received_header", "yes", "1"],
    ["smtpd_tls_ask_ccert", "yes", "y"],
    ["smtpd_tls_req_ccert", "no", "never"],
    ["smtpd_tls_loglevel", "1", "5"],
    ["smtp_tls_loglevel", "2", "abc"],
    ["smtpd_tls_ciphers", "medium", "hihg"],
    ["smtpd_tls_mandatory_ciphers", "high", "hihg"],
    ["smtp_tls_ciphers", "medium", "strong"],
    ["smtp_tls_mandatory_ciphers", "medium", "strong"],
    [
        "smtpd_tls_exclude_ciphers",
        "aNULL, MD5, DES, 3DES, RC4",
        "",
    ],
    ["smtpd_tls_mandatory_exclude_ciphers", "aNULL, RC4", ""],
    ["smtp_tls_exclude_ciphers", "aNULL", ""],
    ["smtp_tls_mandatory_exclude_ciphers", "RC4, MD5", ""],
    ["smtpd_tls_protocols", "!SSLv2, !SSLv3", ">=TLSv1.9"],
    ["smtpd_tls_mandatory_protocols", ">=TLSv1.2", "TLS1.2"],
    ["smtp_tls_protocols", "!SSLv2, !SSLv3", "SSLv4"],
    ["smtp_tls_mandatory_protocols", "!SSLv2, !SSLv3", "!TLS"],
    [
        "tls_high_cipherlist",
        "ECDHE:DHE:!aNULL:!eNULL:!RC4:!MD5:!3DES",
        "",
    ],
    ["tls_preempt_cipherlist", "yes", "on"],
    ["tls_random_source", "dev:/dev/urandom", ""],
    ["smtpd_tls_session_cache_timeout", "3600s", "1x"],
    [
        "smtp_tls_policy_maps",
        "hash:/etc/postfix/tls_policy",
        "hahs:/etc/postfix/tls_policy",
    ],
    ["smtp_tls_note_starttls_offer", "yes", "always"],
    [
        "smtp_tls_verify_cert_match",
        "hostname, nexthop, dot-nexthop",
        "",
    ],
];

/// With a table type each: database parameters.
const CACHES: [&str; 2] = [
    "smtpd_tls_session_cache_database",
    "smtp_tls_session_cache_database",
];

/// Obsolete in 3.7.11, and what the refusal must name.
const OBSOLETE: [[&str; 3]; 8] = [
    ["smtpd_tls_dh1024_param_file", "/etc/ssl/dh.pem", "built in"],
    ["smtpd_tls_eecdh_grade", "strong", "tls_eecdh_auto_curves"],
    ["smtpd_use_tls", "yes", "smtpd_tls_security_level"],
    ["smtpd_enforce_tls", "yes", "smtpd_tls_security_level"],
    ["smtp_use_tls", "yes", "smtp_tls_security_level"],
    ["smtp_enforce_tls", "yes", "smtp_tls_security_level"],
    ["smtp_tls_enforce_peername", "yes", "verify and secure"],
    ["smtpd_tls_dh512_param_file", "/etc/ssl/dh.pem", ""],
];

fn host() -> Host {
    let master =
        b"smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\ntlsmgr unix - - y 1000? 1 tlsmgr\n";
    let mut host = Host::new(b"# before\nmyhostname = mx.example.com\n", master);
    host.put("/etc/ssl/mx.pem", file(pem("mx")));
    host.put("/etc/ssl/ca.pem", file(pem("root")));
    host.put(
        "/etc/ssl/dh.pem",
        file(b"-----BEGIN DH PARAMETERS-----\n".to_vec()),
    );
    host.put("/dev/urandom", postseal_planner::facts::FileLook::Special);
    host.put(
        "/etc/ssl/certs",
        postseal_planner::facts::FileLook::Directory,
    );
    host.put(
        "/etc/postfix/tls_policy",
        file(b"example.com encrypt\n".to_vec()),
    );
    host.put("/etc/postfix/tls_policy.db", file(b"db".to_vec()));
    host
}

fn planned(name: &str, value: &str) -> String {
    let mut host = host();
    // A level for the server needs a certificate, a key file its certificate.
    let beside = match name {
        "smtpd_tls_security_level" => "bind mx",
        "smtpd_tls_key_file" => "set param.smtpd_tls_cert_file=/etc/ssl/mx.pem",
        "smtpd_tls_eckey_file" => "set param.smtpd_tls_eccert_file=/etc/ssl/mx.pem",
        "smtp_tls_key_file" => "set param.smtp_tls_cert_file=/etc/ssl/mx.pem",
        _ => "",
    };
    let before = host.facts.main_cf.bytes.clone();
    let plan = script::run(&mut host, &format!("{beside}\nset param.{name}={value}"));
    let plan = plan.unwrap_or_else(|refusal| panic!("{name}: {}", text::of(&Err(refusal))));
    let edit = plan
        .edit(Cf::Main)
        .unwrap_or_else(|| panic!("{name}: no edit"));
    let bytes = String::from_utf8(edit.bytes.clone()).expect("text");
    host.apply(&plan);
    let back = match beside.split_once('=') {
        Some((set, _)) => set.replacen("set", "unset", 1),
        None => beside.replace("bind", "unbind"),
    };
    let plan = script::run(&mut host, &format!("unset param.{name}\n{back}"));
    let plan = plan.unwrap_or_else(|refusal| panic!("{name} back: {}", text::of(&Err(refusal))));
    host.apply(&plan);
    assert_eq!(
        host.facts.main_cf.bytes, before,
        "{name} was not given back"
    );
    bytes
}

#[test]
fn every_directive_is_set_planned_and_given_back() {
    for [name, value, _] in SETTABLE {
        let line = format!("\n{name} = {value}\n");
        assert!(planned(name, value).contains(&line), "{name}");
    }
    for name in CACHES {
        let value = "btree:${data_directory}/tls_scache";
        assert!(planned(name, value).contains(value), "{name}");
    }
}

#[test]
fn one_bad_value_of_each_is_refused_at_once() {
    for [name, _, bad] in SETTABLE.iter().filter(|[_, _, bad]| !bad.is_empty()) {
        let refused = settings::parse(&format!("param.{name}"), bad, VERSION);
        let refusal = refused.expect_err(&format!("{name}={bad} is taken"));
        let finding = &refusal.findings[0];
        let known = ["value.", "setting.bad-value"]
            .iter()
            .any(|c| finding.code.starts_with(c));
        assert!(known, "{name}: {}", finding.code);
        assert!(finding.message.contains(bad), "{name}: {}", finding.message);
        assert!(!finding.remedy.is_empty());
    }
    for name in CACHES {
        let refused = settings::parse(&format!("param.{name}"), "/var/lib/postfix/x", VERSION);
        assert!(refused.is_err(), "{name}");
    }
}

#[test]
fn obsolete_directives_are_refused_with_their_replacement() {
    for [name, value, replacement] in OBSOLETE {
        let refused = settings::parse(&format!("param.{name}"), value, VERSION);
        let refusal = refused.expect_err(&format!("{name} is taken"));
        let finding = &refusal.findings[0];
        assert_eq!(finding.code, "parameter.obsolete", "{name}");
        assert!(
            finding.remedy.contains(replacement),
            "{name}: {}",
            finding.remedy
        );
    }
}
