//! Credentials that may go in clear: where they do, and where they do not.

use crate::host::facts;
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::credentials::{Exposed, exposed_in};
use postseal_planner::facts::FileLook;
use postseal_planner::lint::{LintInput, lint};
use postseal_planner::{Finding, Severity};
use std::path::Path;

pub(crate) const CODE: &str = "outbound.credentials-in-clear";

const AUTH: &str = "smtp_sasl_auth_enable = yes\n\
    smtp_sasl_security_options = noanonymous\n\
    smtp_sasl_password_maps = hash:/passwords\n\
    default_transport = smtp\n";
const CLIENT: &str = "smtp unix - - y - - smtp\n";
const STRICT: &str = "smtp unix - - y - - smtp\n\
    strict unix - - y - - smtp\n  -o smtp_tls_security_level=encrypt\n";

fn file(text: &str) -> FileLook {
    FileLook::File {
        bytes: text.as_bytes().to_vec().into(),
        mode: 0o600,
        uid: 0,
    }
}

/// What is said of a main.cf beside [`AUTH`], a master.cf, the keys and the rows of `/policy`.
fn said(main: &str, master: &str, keys: &str, policy: &str) -> Vec<Finding> {
    let main = format!("{AUTH}{main}");
    let files = vec![("/passwords", file(keys)), ("/policy", file(policy))];
    let facts = facts(&main, files);
    let (main, master) = (
        MainCf::parse(main.as_bytes()),
        MasterCf::parse(master.as_bytes()),
    );
    let found = lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        master: Some((Path::new("master.cf"), &master)),
        facts: Some(&facts),
        ..LintInput::default()
    });
    found.into_iter().filter(|one| one.code == CODE).collect()
}

const BY_SENDER: &str = "smtp_sender_dependent_authentication = yes\n\
    sender_dependent_relayhost_maps = hash:/relays\n";

/// `key → next hop` of senders' credentials that may go in clear, with the rows of `/relays`.
fn of_senders(main: &str, keys: &str, relays: &str, policy: &str) -> Vec<String> {
    let text = format!("{AUTH}{MAPS}{BY_SENDER}{main}");
    let files = vec![
        ("/passwords", file(keys)),
        ("/policy", file(policy)),
        ("/relays", file(relays)),
    ];
    let mut facts = facts(&text, files);
    facts.master_cf.bytes = CLIENT.as_bytes().to_vec();
    let found = exposed_in(&facts);
    let line = |one: &Exposed| format!("{} → {}", one.credential.key, one.nexthop);
    found.iter().map(line).collect()
}

#[test]
fn credentials_of_senders_go_by_their_relays() {
    let relays = "boss@a.example [boss.example]:587\n@a.example [a.example]:587\n\
        free@a.example DUNNO\n";
    let cases: [(&str, &str, &str, &str, &[&str]); 9] = [
        (
            "",
            "boss@A.example u:p\n",
            relays,
            "",
            &["boss@A.example → [boss.example]:587"],
        ),
        (
            "",
            "clerk@a.example u:p\n",
            relays,
            "",
            &["clerk@a.example → [a.example]:587"],
        ),
        // Of a domain's senders some have relays of their own, and one none.
        (
            "relayhost = [r.example]\n",
            "@a.example u:p\n",
            relays,
            "",
            &[
                "@a.example → [a.example]:587",
                "@a.example → [boss.example]:587",
                "@a.example → [r.example]",
            ],
        ),
        // One of them has credentials of its own.
        (
            "relayhost = [r.example]\n",
            "@a.example u:p\nboss@a.example u:p\n",
            relays,
            "[a.example]:587 encrypt\n[boss.example]:587 encrypt\n",
            &["@a.example → [r.example]"],
        ),
        (
            "",
            "x@b.example u:p\n",
            relays,
            "",
            &["x@b.example → any domain"],
        ),
        (
            "relayhost = [r.example]\n",
            "x@b.example u:p\n",
            relays,
            "[r.example] secure\n",
            &[],
        ),
        (
            "",
            "x@a.example u:p\n",
            relays,
            "[a.example]:587 encrypt\n",
            &[],
        ),
        // The last one counts: senders decide nothing.
        (
            "smtp_sender_dependent_authentication = no\n",
            "boss@a.example u:p\n",
            relays,
            "",
            &[],
        ),
        // It cannot be read.
        (
            "sender_dependent_relayhost_maps = ldap:/x\n",
            "boss@a.example u:p\n",
            relays,
            "",
            &[],
        ),
    ];
    for (main, keys, relays, policy, wanted) in cases {
        assert_eq!(
            of_senders(main, keys, relays, policy),
            wanted,
            "{main}{keys}"
        );
    }
}

const MAPS: &str = "smtp_tls_policy_maps = hash:/policy\n";

#[test]
fn a_level_that_lets_credentials_go_in_clear_is_fatal() {
    let may = "smtp_tls_security_level = may\n";
    let dane = "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n";
    let maps = |more: &str| format!("{MAPS}{more}");
    let by_relay = "relayhost = [r.example]:587\n";
    // What stands beside, the keys, the policy rows.
    let cases = [
        ("".to_owned(), "[r.example]:587 u:p\n", ""),
        (may.to_owned(), "[r.example]:587 u:p\n", ""),
        (dane.to_owned(), "[r.example]:587 u:p\n", ""),
        (may.to_owned(), "r.example u:p\n", ""),
        // The host behind the relayhost.
        (maps(by_relay), "r.example u:p\n", "r.example encrypt\n"),
        // Not the key that is looked up.
        (maps(may), "[r.example]:587 u:p\n", "r.example encrypt\n"),
        (maps(may), "[r.example]:587 u:p\n", "[r.example] encrypt\n"),
        (maps(may), "r.example u:p\n", ".r.example encrypt\n"),
        // The row is weaker than the default.
        (
            maps("smtp_tls_security_level = encrypt\n"),
            "[r.example]:587 u:p\n",
            "[r.example]:587 may\n",
        ),
    ];
    for (main, keys, policy) in cases {
        let found = said(&main, CLIENT, keys, policy);
        assert_eq!(found.len(), 1, "{main}{keys}{policy}");
        assert_eq!(found[0].severity, Severity::Fatal);
        let text = format!("{:?}", found[0]);
        assert!(!text.contains("u:p"), "{text}");
        assert_eq!(found[0].evidence[0].line, Some(1));
    }
}

#[test]
fn near_misses_are_silent() {
    let encrypt = "smtp_tls_security_level = encrypt\n";
    let maps = |more: &str| format!("{MAPS}{more}");
    let key = "[r.example]:587 u:p\n";
    let cases = [
        (encrypt.to_owned(), key, ""),
        (maps(""), key, "[r.example]:587 encrypt\n"),
        (maps(""), key, "[R.example]:587 secure match=nexthop\n"),
        (maps(""), "r.example u:p\n", "r.example encrypt\n"),
        (maps(""), "a.r.example u:p\n", ".r.example encrypt\n"),
        (
            maps("relayhost = [r.example]:587\n"),
            "r.example u:p\n",
            "[r.example]:587 encrypt\n",
        ),
        // Nobody authenticates, or not by a mechanism that shows the password.
        ("smtp_sasl_auth_enable = no\n".to_owned(), key, ""),
        (
            "smtp_sasl_security_options = noplaintext, noanonymous\n".to_owned(),
            key,
            "",
        ),
        // Nothing is said there before TLS.
        (String::new(), "[r.example]:465 u:p\n", ""),
        ("smtp_tls_wrappermode = yes\n".to_owned(), key, ""),
        // Which next hop that is depends on the message.
        (String::new(), "someone@r.example u:p\n", ""),
        // A table that cannot be read.
        ("smtp_tls_policy_maps = ldap:/etc/p\n".to_owned(), key, ""),
        (
            "smtp_sasl_password_maps = ldap:/etc/p\n".to_owned(),
            key,
            "",
        ),
        (String::new(), "# [r.example]:587 u:p\n", ""),
    ];
    for (main, keys, policy) in cases {
        let found = said(&main, CLIENT, keys, policy);
        assert!(found.is_empty(), "{main}{keys}{policy}: {found:?}");
    }
}

#[test]
fn a_transport_of_its_own_may_carry_the_credentials() {
    let key = "[r.example]:587 u:p\n";
    let routed = "transport_maps = hash:/transport\n";
    assert_eq!(said("", STRICT, key, "").len(), 1, "nothing leads there");
    assert!(said(routed, STRICT, key, "").is_empty());
    let relay = format!("{routed}relayhost = [r.example]:587\n");
    assert_eq!(said(&relay, STRICT, key, "").len(), 1, "the relayhost");
    // A client with a table of its own.
    let own = "smtp unix - - y - - smtp\n  -o smtp_sasl_auth_enable=no\n\
        own unix - - y - - smtp\n  -o smtp_sasl_password_maps=hash:/passwords\n";
    assert_eq!(said("", own, key, "").len(), 1);
    let strict = format!("{own}  -o smtp_tls_security_level=verify\n");
    assert!(said("", &strict, key, "").is_empty());
}
