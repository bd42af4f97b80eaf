//! Credentials that may go in clear: where they do, and where they do not.

use crate::host::facts;
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::credentials::{Exposed, exposed_in};
use postseal_planner::facts::FileLook;
use postseal_planner::lint::{LintInput, lint};
use postseal_planner::{Finding, Severity};
use std::path::Path;

pub(crate) const CODE: &str = "outbound.credentials-in-clear";
pub(crate) const BY_SERVER: &str = "outbound.credentials-by-server";
pub(crate) const UNDETERMINED: &str = "outbound.credentials-undetermined";

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
    coded(CODE, main, master, keys, policy)
}

/// Of which credentials nothing can be told, and why.
fn untold(main: &str, master: &str, keys: &str) -> Vec<String> {
    let found = coded(UNDETERMINED, main, master, keys, "");
    let warning = |one: &Finding| one.severity == Severity::Warning;
    assert!(found.iter().all(warning), "{found:?}");
    assert!(said(main, master, keys, "").is_empty(), "{main}{master}");
    let found = found.into_iter().map(|one| one.message);
    found.collect()
}

fn coded(code: &str, main: &str, master: &str, keys: &str, policy: &str) -> Vec<Finding> {
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
    found.into_iter().filter(|one| one.code == code).collect()
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
        // It begins with TLS itself, whatever the port.
        (
            "smtp_tls_wrappermode = yes\n".to_owned(),
            "[r.example]:465 u:p\n",
            "",
        ),
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

#[test]
fn neither_anchors_nor_ciphers_hide_a_level_that_lets_credentials_go_in_clear() {
    let key = "[r.example]:587 u:p\n";
    for more in [
        "smtp_tls_CAfile = /none.pem\n",
        "smtp_tls_CAfile = /policy\n",
        "smtp_tls_CApath = /none\n",
        "smtp_tls_ciphers = high\n",
        "smtp_tls_exclude_ciphers = ALL\n",
        "smtp_tls_mandatory_ciphers = null\n",
    ] {
        let may = format!("smtp_tls_security_level = may\n{more}");
        assert_eq!(said(&may, CLIENT, key, "").len(), 1, "{more}");
        let row = "[r.example]:587 may ciphers=high\n";
        let by_row = format!("{MAPS}smtp_tls_security_level = encrypt\n{more}");
        assert_eq!(said(&by_row, CLIENT, key, row).len(), 1, "{more}");
        let encrypt = format!("smtp_tls_security_level = encrypt\n{more}");
        assert!(said(&encrypt, CLIENT, key, "").is_empty(), "{more}");
        assert!(untold(&encrypt, CLIENT, key).is_empty(), "{more}");
    }
}

#[test]
fn tables_in_main_cf_answer_by_themselves() {
    let key = "[r.example]:587 u:p\n";
    // The table, and how many credentials may go in clear.
    let cases = [
        ("static:may", 1),
        ("proxy:static:may", 1),
        ("static:{ may ciphers=high }", 1),
        ("static:encrypt", 0),
        ("static:{secure match=nexthop}", 0),
        ("inline:{[R.example]:587=may}", 1),
        (
            "inline:{a=may, {[r.example]:587 = encrypt ciphers=high}}",
            0,
        ),
        ("inline:{[r.example]=encrypt}", 1),
        // The last one of a key counts.
        ("inline:{[r.example]:587=encrypt, [r.example]:587=may}", 1),
        ("inline:{[r.example]:587=encrypt} ldap:/etc/p", 0),
    ];
    for (table, wanted) in cases {
        let main = format!("smtp_tls_policy_maps = {table}\n");
        assert_eq!(said(&main, CLIENT, key, "").len(), wanted, "{table}");
        if wanted == 0 {
            assert_eq!(untold(&main, CLIENT, key), [] as [&str; 0], "{table}");
        }
    }
}

#[test]
fn what_cannot_be_told_is_told() {
    let key = "[r.example]:587 u:p\n";
    for table in [
        "ldap:/etc/p",
        "regexp:/policy",
        "pcre:/policy",
        "hash:/elsewhere",
        "inline:{a}",
        "inline:{a=may}, ldap:/etc/p",
        "unionmap:{static:may}",
    ] {
        let main = format!("smtp_tls_policy_maps = {table}\n");
        let told = untold(&main, CLIENT, key);
        assert_eq!(told.len(), 1, "{table}");
        assert!(told[0].contains("[r.example]:587"), "{told:?}");
        // The table is not asked, or the password is not shown.
        for silent in [
            "smtp_sasl_auth_enable = no\n",
            "smtp_tls_wrappermode = yes\n",
            "smtp_sasl_security_options = noplaintext\n",
        ] {
            let main = format!("{main}{silent}");
            assert_eq!(untold(&main, CLIENT, key), [] as [&str; 0], "{main}");
        }
    }
    // Who goes there: a client that demands TLS, or one that does not.
    let routed = "transport_maps = hash:/transport\n";
    assert_eq!(untold(routed, STRICT, key).len(), 1);
    // Whose relay that is.
    let relays = format!("{BY_SENDER}sender_dependent_relayhost_maps = ldap:/x\n");
    let told = untold(&relays, CLIENT, "boss@a.example u:p\n");
    assert!(told[0].contains("ldap:/x"), "{told:?}");
}

#[test]
fn the_weakest_of_the_clients_that_may_go_there_counts() {
    let master = "smtp unix - - y - - smtp\n\
        bare unix - - y - - smtp\n  -o smtp_tls_security_level=none\n";
    let main = "smtp_tls_security_level = may\ntransport_maps = static:bare:\n";
    let found = said(main, master, "[r.example]:587 u:p\n", "");
    assert!(found[0].message.contains("at level none"), "{found:?}");
}

/// What is said of credentials under the name of a server.
fn by_server(main: &str, keys: &str, policy: &str) -> Vec<Finding> {
    coded(BY_SERVER, main, CLIENT, keys, policy)
}

#[test]
fn the_name_of_a_server_is_met_by_any_next_hop() {
    let relay = "relayhost = [r.example]:587\n";
    let exchangers = "relayhost = example.net\n";
    let maps = |more: &str| format!("{MAPS}{more}");
    for (main, policy) in [
        (String::new(), ""),
        (maps(""), "r.example encrypt\n"),
        (maps(exchangers), "r.example encrypt\n"),
    ] {
        let found = by_server(&main, "r.example u:p\n", policy);
        assert_eq!(found.len(), 1, "{main}");
        assert_eq!(found[0].severity, Severity::Error);
    }
    for (main, key, policy) in [
        // All mail goes to one host.
        (maps(relay), "r.example", "[r.example]:587 encrypt\n"),
        (maps(relay), "other.example", ""),
        (maps(exchangers), "r.example", "example.net encrypt\n"),
        (
            "smtp_tls_security_level = encrypt\n".to_owned(),
            "r.example",
            "",
        ),
        (
            "smtp_sasl_security_options = noplaintext\n".to_owned(),
            "r.example",
            "",
        ),
        ("smtp_sasl_auth_enable = no\n".to_owned(), "r.example", ""),
        // Neither is a name.
        (String::new(), "[r.example]:587", ""),
        (String::new(), "192.0.2.1", ""),
    ] {
        let found = by_server(&main, &format!("{key} u:p\n"), policy);
        assert!(found.is_empty(), "{main}{key}: {found:?}");
    }
}

#[test]
fn a_port_for_tls_hides_nothing_where_the_client_begins_in_clear() {
    for port in ["465", "smtps", "submissions", "466"] {
        let key = format!("[r.example]:{port} u:p\n");
        assert_eq!(said("", CLIENT, &key, "").len(), 1, "{port}");
    }
    let wraps = "smtp unix - - y - - smtp\n\
        wraps unix - - y - - smtp\n  -o smtp_tls_wrappermode=yes\n";
    let routed = "transport_maps = inline:{a.example=wraps:[r.example]:465}\n";
    let key = "[r.example]:465 u:p\n";
    assert!(said(routed, wraps, key, "").is_empty());
    let both = "transport_maps = inline:{a.example=wraps:[r.example]:465, \
        b.example=smtp:[r.example]:465}\n";
    assert_eq!(said(both, wraps, key, "").len(), 1);
}

#[test]
fn a_password_for_every_server_is_told_by_next_hop() {
    let maps = "smtp_sasl_password_maps = static:u:s3cret\n";
    let routed = "transport_maps = inline:{a.example=smtp:[r.example]:26}\n";
    let cases: [(&str, &[&str]); 3] = [
        ("", &["any domain"]),
        (routed, &["any domain", "[r.example]:26"]),
        ("relayhost = [R.example]\n", &["[R.example]"]),
    ];
    for (main, hops) in cases {
        let found = said(&format!("{maps}{main}"), CLIENT, "", "");
        assert_eq!(found.len(), hops.len(), "{main}: {found:?}");
        for (found, hop) in found.iter().zip(hops) {
            let told = format!("mail for {hop} goes");
            assert!(found.message.contains(&told), "{main}: {found:?}");
            assert_eq!(found.severity, Severity::Fatal);
            assert!(!format!("{found:?}").contains("s3cret"));
        }
    }
    let policy = format!("{maps}{MAPS}");
    let relay = format!("{policy}relayhost = [r.example]\n");
    let closed = "[r.example] encrypt\n";
    assert!(said(&relay, CLIENT, "", closed).is_empty());
    assert_eq!(said(&policy, CLIENT, "", closed).len(), 1, "any domain");
    let encrypt = format!("{maps}smtp_tls_security_level = encrypt\n");
    assert!(said(&encrypt, CLIENT, "", "").is_empty());
    let guarded = format!("{maps}smtp_sasl_security_options = noplaintext\n");
    assert!(said(&guarded, CLIENT, "", "").is_empty());
    // At a client of its own it goes where that client does.
    let own = "smtp unix - - y - - smtp\n\
        own unix - - y - - smtp\n  -o smtp_sasl_password_maps=static:u:s3cret\n";
    let routed = "transport_maps = inline:{a.example=own:[r.example]:26}\n";
    let found = said(routed, own, "", "");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].message.contains("mail for [r.example]:26 goes"),
        "{found:?}"
    );
}

#[test]
fn tables_without_a_source_are_listed_or_told() {
    let inline = "smtp_sasl_password_maps = inline:{[r.example]:587=u:s3cret}\n";
    let found = said(inline, CLIENT, "", "");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("[r.example]:587"), "{found:?}");
    assert!(!format!("{found:?}").contains("s3cret"));
    for table in [
        "regexp:/passwords",
        "pipemap:{static:u, inline:{u=s3cret}}",
        "randmap:{u:s3cret}",
        "ldap:/etc/p",
        "inline:{s3cret}",
    ] {
        let maps = format!("smtp_sasl_password_maps = {table}\n");
        let told = untold(&maps, CLIENT, "");
        assert_eq!(told.len(), 1, "{table}: {told:?}");
        assert!(told[0].contains("any domain"), "{told:?}");
        assert!(!told[0].contains("s3cret"), "{told:?}");
        let encrypt = format!("{maps}smtp_tls_security_level = encrypt\n");
        assert!(untold(&encrypt, CLIENT, "").is_empty(), "{table}");
    }
}
