//! Cases that take what is gathered of a host beside its Postfix.

use crate::host::{facts, with_mode};
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::facts::{FileLook, MasterState};
use postseal_planner::lint::{LintInput, Surroundings, Way, cipher_lists, lint};
use postseal_planner::{Facts, Finding, Severity};
use std::collections::BTreeSet;
use std::path::Path;

/// What a story starts from.
struct Story {
    main: &'static str,
    master: &'static str,
    facts: Facts,
    around: Surroundings,
}

impl Story {
    fn of(main: &'static str, master: &'static str) -> Self {
        Self {
            main,
            master,
            facts: facts(main, Vec::new()),
            around: Surroundings::default(),
        }
    }

    fn with(main: &'static str, files: Vec<(&'static str, FileLook)>) -> Self {
        Self {
            facts: facts(main, files),
            ..Self::of(main, "")
        }
    }

    fn around(mut self, change: impl FnOnce(&mut Surroundings)) -> Self {
        change(&mut self.around);
        self
    }

    fn seen(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    fn told(&self) -> Vec<Finding> {
        self.look(lint)
    }

    fn look<T>(&self, with: impl FnOnce(&LintInput<'_>) -> T) -> T {
        let main = MainCf::parse(self.main.as_bytes());
        let master = MasterCf::parse(self.master.as_bytes());
        let master = (!self.master.is_empty()).then_some((Path::new("master.cf"), &master));
        with(&LintInput {
            main: Some((Path::new("main.cf"), &main)),
            master,
            facts: Some(&self.facts),
            surroundings: Some(&self.around),
            ..LintInput::default()
        })
    }

    /// Every list that is asked for comes to these suites.
    fn suites(mut self, suites: &[&str]) -> Self {
        let lists = self.look(cipher_lists);
        let suites: Vec<String> = suites.iter().map(|name| (*name).to_owned()).collect();
        let answers = lists.into_iter().map(|list| (list, suites.clone()));
        self.around.suites = answers.collect();
        self
    }
}

const GOOD: &str = "ECDHE-RSA-AES256-GCM-SHA384";
const SERVERS: &str = "smtp inet n - y - - smtpd\nsmtps inet n - y - - smtpd\n  \
    -o smtpd_tls_wrappermode=yes\n  -o smtpd_sasl_auth_enable=yes\n";
const HIGH: &str = "smtpd_tls_security_level = may\nsmtpd_tls_mandatory_ciphers = high\n";
const DANE: &str = "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n";
const SASL: &str = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
    smtpd_sasl_path = private/auth\n";

fn ports(open: &[u16]) -> Story {
    Story::of("", SERVERS)
        .seen(|facts| facts.master = MasterState::Running(1))
        .around(|around| around.listening = Some(open.iter().copied().collect()))
}

fn link(look: FileLook) -> Story {
    let files = vec![("/c.pem", look)];
    Story::with("smtpd_tls_cert_file = /c.pem\n", files).around(|around| {
        let way = Way {
            link: Some("/live/c.pem".into()),
            open_folder: None,
        };
        around.ways.insert("/c.pem".into(), way);
    })
}

fn folder(open: Option<&str>) -> Story {
    Story::of("smtpd_tls_cert_file = /c.pem\n", "").around(|around| {
        let open_folder = open.map(Into::into);
        let way = Way {
            link: None,
            open_folder,
        };
        around.ways.insert("/c.pem".into(), way);
    })
}

fn table(source: i64, made: i64) -> Story {
    Story::of("smtp_tls_policy_maps = hash:/policy\n", "").around(|around| {
        around.changed.insert("/policy".into(), source);
        around.changed.insert("/policy.db".into(), made);
    })
}

fn group(bits: u32) -> Story {
    let pem = openssl::dh::Dh::from_pqg(
        prime(bits),
        None,
        openssl::bn::BigNum::from_u32(2).expect("a number"),
    );
    let pem = pem.expect("a group").params_to_pem().expect("PEM");
    let files = vec![("/dh.pem", with_mode(pem, 0o644))];
    Story::with("smtpd_tls_dh1024_param_file = /dh.pem\n", files)
}

/// The begin of a group of 1024 bits by `openssl dhparam -dsaparam`: its generator is as long.
fn of_dsa() -> Story {
    let pem = "-----BEGIN X9.42 DH PARAMETERS-----\nMIIBJgKBgQDE+d2ujxShL4qNgCcnSZh1\n\
               -----END X9.42 DH PARAMETERS-----\n";
    let files = vec![("/dh.pem", with_mode(pem.into(), 0o644))];
    Story::with("smtpd_tls_dh1024_param_file = /dh.pem\n", files)
}

/// No prime, but as long as one: nobody computes with it.
fn prime(bits: u32) -> openssl::bn::BigNum {
    let mut number = openssl::bn::BigNum::new().expect("a number");
    for bit in [0, bits as i32 - 1] {
        number.set_bit(bit).expect("a bit");
    }
    number
}

/// A code, what makes it fire, and what comes near.
fn stories() -> Vec<(&'static str, Story, Vec<Story>)> {
    let dane = |around: fn(&mut Surroundings)| Story::of(DANE, "").around(around);
    let may = "smtpd_tls_security_level = may\nsmtpd_tls_ciphers = medium\n";
    let sasl = |look| Story::with(SASL, vec![("/var/spool/postfix/private/auth", look)]);
    let types = |kind: &str| {
        let kind = kind.to_owned();
        Story::of(SASL, "").seen(|facts| facts.sasl_types = vec![kind])
    };
    vec![
        (
            "ciphers.none-left",
            Story::of(HIGH, SERVERS).suites(&[]),
            vec![Story::of(HIGH, SERVERS).suites(&[GOOD])],
        ),
        (
            "ciphers.broken",
            Story::of(HIGH, SERVERS).suites(&[GOOD, "DES-CBC3-SHA"]),
            vec![Story::of(HIGH, SERVERS).suites(&[GOOD])],
        ),
        (
            "ciphers.no-forward-secrecy",
            Story::of(HIGH, SERVERS).suites(&[GOOD, "AES256-SHA"]),
            vec![
                Story::of(HIGH, SERVERS).suites(&[GOOD, "DHE-RSA-AES256-SHA"]),
                Story::of(may, "").suites(&["AES256-SHA"]),
            ],
        ),
        (
            "ciphers.anonymous",
            Story::of(HIGH, SERVERS).suites(&["AECDH-AES256-SHA"]),
            vec![Story::of(may, "").suites(&["AECDH-AES256-SHA"])],
        ),
        ("ciphers.small-dh-group", group(1024), vec![group(2048)]),
        ("ciphers.small-dh-group", of_dsa(), vec![group(3072)]),
        (
            "resolver.not-loopback",
            dane(|around| around.nameservers = vec!["192.0.2.53".parse().expect("an address")]),
            vec![
                dane(|around| around.nameservers = vec!["127.0.0.53".parse().expect("an address")]),
                Story::of("smtp_tls_security_level = may\n", "").around(|around| {
                    around.nameservers = vec!["192.0.2.53".parse().expect("an address")];
                }),
            ],
        ),
        (
            "resolver.not-validating",
            dane(|around| around.authenticates = Some(false)),
            vec![
                dane(|around| around.authenticates = Some(true)),
                dane(|around| around.authenticates = None),
            ],
        ),
        ("ports.not-listening", ports(&[25]), vec![ports(&[25, 465])]),
        ("ports.firewall", ports(&[25, 465]), vec![ports(&[])]),
        (
            "cert.dangling-link",
            link(FileLook::Missing),
            vec![link(with_mode(Vec::new(), 0o600))],
        ),
        (
            "cert.open-folder",
            folder(Some("/srv/certs")),
            vec![folder(None)],
        ),
        ("maps.stale", table(2, 1), vec![table(1, 1), table(1, 2)]),
        (
            "auth.no-sasl",
            sasl(FileLook::Missing),
            vec![sasl(FileLook::Special)],
        ),
        ("auth.no-sasl", types("cyrus"), vec![types("dovecot")]),
    ]
}

pub(crate) fn firing_codes() -> BTreeSet<String> {
    let codes = stories().into_iter().map(|(code, ..)| code.to_owned());
    codes.collect()
}

/// Cyrus SASL looks in many places: it is missing where nothing is in any of them.
#[test]
fn cyrus_without_any_of_its_files_is_no_sasl() {
    let main = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_path = smtpd\n";
    let places = [
        "/etc/postfix/sasl/smtpd.conf",
        "/etc/sasl2/smtpd.conf",
        "/usr/lib/sasl2/smtpd.conf",
        "/usr/lib64/sasl2/smtpd.conf",
        "/etc/sasldb2",
        "/var/spool/postfix/etc/sasldb2",
    ];
    let says = |there: Option<&str>| {
        let look = |place: &'static str| match there == Some(place) {
            true => (place, with_mode(Vec::new(), 0o640)),
            false => (place, FileLook::Missing),
        };
        let mut story = Story::with(main, places.map(look).to_vec());
        story.master = SERVERS;
        let queue = (
            "queue_directory".to_owned(),
            "/var/spool/postfix".to_owned(),
        );
        story.facts.defaults = [queue, ("smtpd_sasl_type".to_owned(), "cyrus".to_owned())].into();
        let codes = story.told().into_iter().map(|finding| finding.code);
        codes.into_iter().any(|code| code == "auth.no-sasl")
    };
    assert!(says(None));
    for place in places {
        assert!(!says(Some(place)), "{place}");
    }
}

#[test]
fn what_is_gathered_of_a_host_is_judged() {
    for (code, fires, near) in stories() {
        let said = |story: &Story| {
            let found = story.told();
            found.into_iter().find(|finding| finding.code == code)
        };
        let found = said(&fires).unwrap_or_else(|| panic!("{code} is silent"));
        assert!(!found.evidence.is_empty(), "{found:?}");
        assert!(found.message.ends_with('.'), "{found:?}");
        for (nth, story) in near.iter().enumerate() {
            assert_eq!(said(story), None, "{code}: near miss {nth}");
        }
    }
}

/// Nothing is asked of OpenSSL where nobody set anything, and nothing said.
#[test]
fn defaults_are_not_expanded() {
    let story = Story::of("smtpd_tls_security_level = encrypt\n", SERVERS);
    assert_eq!(story.look(cipher_lists), BTreeSet::new());
}

/// `tls_set_ciphers`: the grade's list, then `:!NAME` for each exclusion, those for all levels
/// first; aNULL goes where certificates are asked for.
#[test]
fn lists_are_put_together_as_postfix_does() {
    let main = "smtpd_tls_security_level = encrypt\ntls_high_cipherlist = HIGH\n\
        smtpd_tls_mandatory_ciphers = high\nsmtpd_tls_exclude_ciphers = MD5, RC4\n\
        smtpd_tls_mandatory_exclude_ciphers = kRSA\nsmtpd_tls_ask_ccert = yes\n";
    let lists = Story::of(main, "").look(cipher_lists);
    let wanted = ["HIGH:!MD5:!RC4:!kRSA:!aNULL".to_owned()];
    assert_eq!(lists, BTreeSet::from(wanted));
}

#[test]
fn weak_suites_are_worse_where_tls_is_demanded() {
    let severity = |main: &'static str| {
        let found = Story::of(main, "").suites(&["RC4-SHA"]).told();
        let found = found.into_iter().find(|one| one.code == "ciphers.broken");
        found.map(|finding| finding.severity)
    };
    let may = "smtpd_tls_security_level = may\nsmtpd_tls_ciphers = medium\n";
    let encrypt = "smtpd_tls_security_level = encrypt\nsmtpd_tls_mandatory_ciphers = medium\n";
    assert_eq!(severity(may), Some(Severity::Info));
    assert_eq!(severity(encrypt), Some(Severity::Warning));
    assert_eq!(severity("smtpd_tls_ciphers = medium\n"), None);
}

#[test]
fn a_firewall_is_opened_by_words_alone() {
    let found = ports(&[25, 465]).told();
    let found = found.iter().find(|one| one.code == "ports.firewall");
    let words: Vec<&str> = found
        .expect("it is told")
        .evidence
        .iter()
        .map(|seen| seen.text.as_str())
        .collect();
    assert_eq!(
        words,
        [
            "nftables: nft add rule inet filter input tcp dport { 25, 465 } accept",
            "ufw: ufw allow 25/tcp; ufw allow 465/tcp",
            "pf: pass in proto tcp to port { 25, 465 }",
        ]
    );
}
