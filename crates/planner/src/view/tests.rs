//! Tests of `view`.
//!
//! Owns: how files are read: overrides, levels, addresses. Never: a finding.

use super::*;
use crate::PostfixVersion;
use crate::facts::{CfFile, MasterState};

pub(crate) fn facts(main: &str, master: &str) -> Facts {
    let cf =
        |name: &str, text: &str| CfFile::of(format!("/etc/postfix/{name}").into(), text.into());
    let defaults = [
        ["inet_interfaces", "all"],
        ["inet_protocols", "all"],
        ["queue_directory", "/var/spool/postfix"],
        ["smtpd_sasl_auth_enable", "no"],
        ["default_transport", "smtp"],
        ["relay_transport", "relay"],
    ];
    Facts {
        config_directory: "/etc/postfix".into(),
        main_cf: cf("main.cf", main),
        master_cf: cf("master.cf", master),
        version: PostfixVersion::new(3, 7, 11),
        openssl: String::new(),
        values: BTreeMap::new(),
        defaults: defaults.map(|pair| pair.map(str::to_owned).into()).into(),
        map_types: Vec::new(),
        touched: Default::default(),
        unmade: None,
        server_names: Default::default(),
        sasl_types: vec!["cyrus".to_owned()],
        addresses: ["127.0.0.1", "::1", "192.0.2.25", "2001:db8::25", "fe80::1"]
            .map(|address| address.parse().expect("an address"))
            .to_vec(),
        files: BTreeMap::new(),
        certificates: Vec::new(),
        master: MasterState::Stopped,
        dns: Default::default(),
    }
}

fn with<T>(main: &str, master: &str, look: impl Fn(&View<'_>) -> T) -> T {
    let facts = facts(main, master);
    let parsed = MainCf::parse(main.as_bytes());
    let view = View::new(&parsed, &MasterCf::parse(master.as_bytes()), &facts);
    look(&view)
}

#[test]
fn an_override_beats_main_cf_which_beats_the_default() {
    let main = "smtpd_tls_loglevel = 1\nlevel = encrypt\nsmtpd_tls_security_level = $level\n";
    let master =
        "25 inet n - n - - smtpd\n587 inet n - n - - smtpd -o smtpd_tls_loglevel=2 -o level=may\n";
    with(main, master, |view| {
        let [mx, submission] = &view.services[..] else {
            panic!("two services")
        };
        assert_eq!(view.value(Some(mx), "smtpd_tls_loglevel"), "1");
        assert_eq!(view.value(Some(submission), "smtpd_tls_loglevel"), "2");
        assert_eq!(view.value(None, "smtp_tls_loglevel"), "0");
        assert_eq!(view.server_level(mx), "encrypt");
        // `$name` in main.cf sees the overrides of the service that reads it.
        assert_eq!(view.server_level(submission), "may");
    });
}

#[test]
fn obsolete_switches_count_where_no_level_is_set() {
    let level = |main: &str| {
        with(main, "25 inet n - n - - smtpd\n", |view| {
            (
                view.server_level(&view.services[0]),
                view.client_level(None),
            )
        })
    };
    assert_eq!(
        level("smtpd_use_tls = yes\nsmtp_use_tls = yes\n"),
        ("may".into(), "may".into())
    );
    assert_eq!(
        level("smtpd_enforce_tls = yes\nsmtp_enforce_tls = yes\n"),
        ("encrypt".into(), "verify".into())
    );
    assert_eq!(
        level("smtpd_use_tls = yes\nsmtpd_tls_security_level = none\n").0,
        "none"
    );
}

#[test]
fn an_expansion_that_postfix_cannot_make_is_empty() {
    with(
        "smtpd_tls_security_level = ${broken\nloop = $loop\n",
        "",
        |view| {
            assert_eq!(view.value(None, "smtpd_tls_security_level"), "");
            assert_eq!(view.value(None, "loop"), "");
        },
    );
}

#[test]
fn of_two_services_with_one_name_the_last_counts() {
    let master = "25 inet n - n - - smtpd -o smtpd_tls_loglevel=1\n25 inet n - n - - smtpd -o smtpd_tls_loglevel=2\n";
    with("", master, |view| {
        assert_eq!(view.services.len(), 1);
        assert_eq!(
            view.value(Some(&view.services[0]), "smtpd_tls_loglevel"),
            "2"
        );
    });
}

#[test]
fn a_service_listens_where_its_name_and_main_cf_say() {
    let all = [
        "127.0.0.1:25",
        "[::1]:25",
        "192.0.2.25:25",
        "[2001:db8::25]:25",
    ];
    for (name, main, expected) in [
        ("smtp", "", &all[..]),
        ("25", "inet_interfaces = all\n", &all[..]),
        (
            "0.0.0.0:25",
            "inet_protocols = ipv4\n",
            &["127.0.0.1:25", "192.0.2.25:25"],
        ),
        (
            "25",
            "inet_interfaces = loopback-only\n",
            &["127.0.0.1:25", "[::1]:25"],
        ),
        (
            "25",
            "inet_interfaces = 192.0.2.25, localhost\n",
            &["192.0.2.25:25", "127.0.0.1:25", "[::1]:25"],
        ),
        ("25", "inet_interfaces = 127.8.0.1\n", &["127.8.0.1:25"]),
        ("127.0.0.1:submission", "", &["127.0.0.1:587"]),
        ("[::1]:smtps", "", &["[::1]:465"]),
        (
            "localhost:10025",
            "inet_protocols = ipv4\n",
            &["127.0.0.1:10025"],
        ),
        // A name or port that would have to be resolved is not guessed.
        ("mx.example.com:25", "", &[]),
        ("amavisfeed", "", &[]),
    ] {
        let master = format!("{name} inet n - n - - smtpd\n");
        let found = with(main, &master, |view| view.addresses(&view.services[0]));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{name} {main}");
    }
}

#[test]
fn public_is_what_the_internet_can_reach() {
    for (address, public) in [
        ("192.0.2.25", true),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("100.64.0.1", false),
        ("127.8.0.1", false),
        ("169.254.1.1", false),
        ("2001:db8::1", true),
        ("fd00::1", false),
        ("fe80::1", false),
        ("::1", false),
    ] {
        assert_eq!(
            is_public(address.parse().expect("an address")),
            public,
            "{address}"
        );
    }
}
