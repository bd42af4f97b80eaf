//! Cases that take a host's files, its table types, and the time.

use crate::pem::{NOW, Pair, Recipe, ec, rsa};
use openssl::hash::MessageDigest;
use postfix_cf::MainCf;
use postseal_planner::facts::{CfFile, FileLook, MasterState};
use postseal_planner::lint::{LintInput, lint};
use postseal_planner::{Facts, Finding, PostfixVersion, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A main.cf, the files of a host, and what lint must say (`None`: no certificate rule at all).
pub(crate) struct Case {
    main: &'static str,
    files: Vec<(&'static str, FileLook)>,
    fires: Option<&'static str>,
}

const CHAIN: &str =
    "myhostname = mx.example\nsmtpd_tls_security_level = may\nsmtpd_tls_chain_files = /c.pem\n";
const LEGACY: &str = "myhostname = mx.example\nsmtpd_tls_security_level = may\nsmtpd_tls_cert_file = /c.pem\nsmtpd_tls_key_file = /k.pem\n";
const TRUST: &str = "smtp_tls_CAfile = /ca.pem\nsmtp_tls_CApath = /ca\n";

fn file(bytes: Vec<u8>) -> FileLook {
    with_mode(bytes, 0o600)
}

pub(crate) fn with_mode(bytes: Vec<u8>, mode: u32) -> FileLook {
    FileLook::File {
        bytes: bytes.into(),
        mode,
        uid: 0,
    }
}

fn chain(look: FileLook, fires: impl Into<Option<&'static str>>) -> Case {
    Case {
        main: CHAIN,
        files: vec![("/c.pem", look)],
        fires: fires.into(),
    }
}

pub(crate) fn legacy(cert: Vec<u8>, key: Vec<u8>, fires: impl Into<Option<&'static str>>) -> Case {
    Case {
        main: LEGACY,
        files: vec![("/c.pem", file(cert)), ("/k.pem", file(key))],
        fires: fires.into(),
    }
}

fn issued(issuer: &Pair, change: impl FnOnce(&mut Recipe<'_>)) -> Pair {
    let mut recipe = Recipe::leaf("mx.example");
    recipe.issuer = Some(issuer);
    change(&mut recipe);
    recipe.make()
}

fn ca() -> Pair {
    let mut recipe = Recipe::leaf("Test CA");
    recipe.ca = true;
    recipe.days = (-100, 3_000);
    recipe.make()
}

/// Files that Postfix cannot use.
fn unusable(good: &Pair, other: &Pair) -> Vec<Case> {
    let half = good.chain_file();
    let half = half[..half.len() - 40].to_vec();
    let damaged = String::from_utf8(good.chain_file()).unwrap();
    let at = damaged.find("CERTIFICATE-----\n").unwrap() + 30;
    let damaged = format!("{}!!!!{}", &damaged[..at], &damaged[at + 4..]);
    let utf16: Vec<u8> = good.cert().iter().flat_map(|b| [*b, 0]).collect();
    vec![
        chain(FileLook::Missing, "cert.missing"),
        chain(FileLook::Directory, "cert.is-directory"),
        chain(
            FileLook::Unreadable("permission denied".into()),
            "cert.unreadable",
        ),
        chain(FileLook::TooLarge(10_000_000), "cert.too-large"),
        chain(FileLook::Special, "cert.not-pem"),
        chain(file(Vec::new()), "cert.empty"),
        chain(file([vec![0xff, 0xfe], utf16].concat()), "cert.utf16"),
        chain(file(half), "cert.truncated"),
        chain(file(damaged.into_bytes()), "cert.damaged"),
        chain(file(good.key()), "cert.no-certificate"),
        chain(
            file([good.cert(), good.key()].concat()),
            "cert.key-not-first",
        ),
        chain(
            file([other.key(), good.chain_file()].concat()),
            "cert.key-alone",
        ),
        chain(
            file([good.key(), other.cert()].concat()),
            "cert.key-mismatch",
        ),
        chain(
            file([good.chain_file(), other.chain_file()].concat()),
            "cert.two-of-a-kind",
        ),
        legacy(good.cert(), other.key(), "cert.key-mismatch"),
        legacy(good.cert(), good.cert(), "cert.key-missing"),
        legacy(good.cert(), good.encrypted_key(), "cert.key-encrypted"),
        legacy(
            [other.cert(), good.cert()].concat(),
            good.key(),
            "cert.wrong-order",
        ),
    ]
}

/// Certificates that Postfix serves and peers may refuse.
fn doubtful(authority: &Pair) -> Vec<Case> {
    let served = |change: fn(&mut Recipe<'_>)| file(issued(authority, change).chain_file());
    let own = |days, name| {
        let mut recipe = Recipe::leaf(name);
        recipe.days = days;
        file(recipe.make().chain_file())
    };
    vec![
        chain(served(|r| r.days = (-90, -1)), "cert.expired"),
        chain(served(|r| r.days = (1, 90)), "cert.not-yet-valid"),
        chain(served(|r| r.days = (-80, 10)), "cert.expiring"),
        chain(
            served(|r| r.alternative = Some("www.example")),
            "cert.name-mismatch",
        ),
        chain(served(|r| r.alternative = None), "cert.no-alternative-name"),
        chain(served(|r| r.key = rsa(1024)), "cert.weak-key"),
        chain(served(|r| r.client_only = true), "cert.no-server-auth"),
        chain(served(|r| r.ca = true), "cert.ca-as-leaf"),
        chain(
            served(|r| r.digest = MessageDigest::sha1()),
            "cert.weak-signature",
        ),
        chain(
            served(|r| r.alternative = Some("bücher.example")),
            "cert.name-not-ascii",
        ),
        chain(issuer_of((-100, -1)), "cert.issuer-expired"),
        chain(issuer_of((1, 100)), "cert.issuer-not-yet-valid"),
        chain(own((-10, 300), "mx.example"), "cert.self-signed"),
        chain(own((-10, 3_600), "mx.example"), "cert.system-certificate"),
    ]
}

/// A good certificate behind an intermediate that is valid from and until these days from now.
fn issuer_of(days: (i64, i64)) -> FileLook {
    let mut recipe = Recipe::leaf("Old CA");
    recipe.ca = true;
    recipe.days = days;
    let old = recipe.make();
    let leaf = issued(&old, |_| {});
    file([leaf.chain_file(), old.cert()].concat())
}

fn permissions(good: &Pair) -> Vec<Case> {
    let mode = |mode| with_mode(good.chain_file(), mode);
    vec![
        chain(mode(0o644), "cert.key-readable"),
        chain(mode(0o640), "cert.key-readable"),
        chain(mode(0o400), None),
        // A certificate alone may be read by anyone.
        Case {
            main: LEGACY,
            files: vec![
                ("/c.pem", with_mode(good.cert(), 0o644)),
                ("/k.pem", file(good.key())),
            ],
            fires: None,
        },
    ]
}

fn trust(authority: &Pair) -> Vec<Case> {
    let case = |main, files, fires| Case { main, files, fires };
    let good = || ("/ca.pem", file(authority.cert()));
    vec![
        case(
            TRUST,
            vec![("/ca.pem", FileLook::Missing)],
            Some("trust.ca-file"),
        ),
        case(
            TRUST,
            vec![("/ca.pem", file(authority.key()))],
            Some("trust.ca-file"),
        ),
        case(
            TRUST,
            vec![good(), ("/ca", FileLook::Missing)],
            Some("trust.ca-path"),
        ),
        case(TRUST, vec![good(), ("/ca", FileLook::Directory)], None),
    ]
}

fn tables() -> Vec<Case> {
    let case = |main, files, fires| Case { main, files, fires };
    let policy = "smtp_tls_policy_maps = hash:/policy\n";
    let there = || ("/policy.db", file(Vec::new()));
    vec![
        case(
            policy,
            vec![("/policy.db", FileLook::Missing)],
            Some("maps.missing"),
        ),
        case(policy, vec![there()], None),
        case(
            "tls_server_sni_maps = hash:/sni\n",
            vec![
                ("/sni", file(b"# names\na.example /a.pem,/b.pem\n".to_vec())),
                ("/sni.db", file(b"\0a.example\0/a.pem,/b.pem\0".to_vec())),
            ],
            Some("maps.without-keys"),
        ),
        case(
            "tls_server_sni_maps = hash:/sni\n",
            vec![
                ("/sni", file(b"a.example /a.pem\n".to_vec())),
                ("/sni.db", file(b"\0a.example\0LS0tLS1CRUdJTiBQ\0".to_vec())),
            ],
            None,
        ),
        case(
            "smtp_tls_policy_maps = proxy:texthash:/p\n",
            vec![("/p", FileLook::Missing)],
            Some("maps.missing"),
        ),
        case(
            "smtp_tls_policy_maps = mongodb:/p\n",
            vec![],
            Some("maps.type-not-built"),
        ),
        case(
            "smtp_tls_session_cache_database = lmdb:/s\n",
            vec![],
            Some("cache.type-not-built"),
        ),
        case("smtp_tls_session_cache_database = btree:/s\n", vec![], None),
        case(
            "smtp_tls_session_cache_database = btree:/s/smtp\n",
            vec![("/s", FileLook::Missing)],
            Some("cache.folder-missing"),
        ),
        case(
            "data_directory = /s\nsmtp_tls_session_cache_database = btree:${data_directory}/smtp\n",
            vec![("/s", FileLook::Missing)],
            None,
        ),
        case(
            "my = /s\nsmtp_tls_session_cache_database = proxy:btree:$my/smtp\nproxy_write_maps = proxy:btree:/s/smtp\n",
            vec![("/s", FileLook::Missing)],
            Some("cache.folder-missing"),
        ),
        case(
            "smtp_tls_session_cache_database = btree:/s/smtp\n",
            vec![("/s", FileLook::Directory)],
            None,
        ),
        case(
            "tls_random_source = dev:/r\n",
            vec![("/r", FileLook::Missing)],
            Some("cache.random-source-missing"),
        ),
        case(
            "tls_random_exchange_name = /r/exch\n",
            vec![("/r", FileLook::Missing)],
            Some("cache.exchange-folder-missing"),
        ),
        case(
            "tls_random_exchange_name = /r/exch\n",
            vec![("/r", FileLook::Directory)],
            None,
        ),
        case(
            "tls_config_file = /r\n",
            vec![("/r", FileLook::Missing)],
            Some("library.config-file-missing"),
        ),
        case(
            "tls_config_file = /r\n",
            vec![("/r", file(b"[openssl_init]\n".to_vec()))],
            None,
        ),
        case(
            "tls_random_source = dev:/r\n",
            vec![("/r", FileLook::Special)],
            None,
        ),
        case(
            "tls_random_source = dev:/r\n",
            vec![("/r", file(b"the same bytes each time".to_vec()))],
            Some("cache.random-source-not-random"),
        ),
        case(
            "tls_random_source = /r\n",
            vec![("/r", file(b"bytes of a collector".to_vec()))],
            None,
        ),
        case(
            "tls_random_source = dev:/dev/zero\n",
            vec![("/dev/zero", FileLook::Special)],
            Some("cache.random-source-not-random"),
        ),
        case(
            "tls_random_source = dev:/dev/hwrng\n",
            vec![("/dev/hwrng", FileLook::Special)],
            None,
        ),
    ]
}

fn policies() -> Vec<Case> {
    let rows = |text: &str, fires: &'static str| Case {
        main: "smtp_tls_policy_maps = hash:/policy\n",
        files: vec![
            ("/policy.db", file(Vec::new())),
            ("/policy", file(text.as_bytes().to_vec())),
        ],
        fires: (!fires.is_empty()).then_some(fires),
    };
    let good = "# Partners.\nexample.org encrypt\n.example.org encrypt\n\
                [mx.example.net]:587 secure match=nexthop\n  protocols=>=TLSv1.2\n\
                192.0.2.1:25 may\n[192.0.2.1] none\nb\u{fc}cher.example may\n\
                xn--bcher-kva.example may\n";
    vec![
        rows(good, ""),
        rows("example.org encrypt mach=x\n", "policy.row-refused"),
        rows(
            "example.org encrypt protocols=TLSv1.2,TLSv1.3\n",
            "policy.row-refused",
        ),
        rows("example.org encrypt enable_rpk=yes\n", "policy.row-refused"),
        rows("example.org bogus\n", "policy.row-refused"),
        rows("a.example may\n b.example may=\n", "policy.row-refused"),
        rows("a.example may\n b.example encrypt\n", "policy.joined-row"),
        rows(
            "Example.ORG may\nexample.org encrypt\n",
            "policy.duplicate-key",
        ),
        rows("*.example.org encrypt\n", "policy.key-never-matches"),
        rows("user@example.org encrypt\n", "policy.key-never-matches"),
        rows("example.org. encrypt\n", "policy.key-never-matches"),
        rows("example.org\n", "policy.no-policy"),
        rows(
            "example.org encrypt protocols=TLSv1\n",
            "policy.old-protocols",
        ),
        rows("example.org encrypt protocols=>=TLSv1\n", ""),
        rows(
            "example.org encrypt protocols=>=TLSv9\n",
            "policy.row-refused",
        ),
        rows("example.org encrypt ciphers=hihg\n", "policy.row-refused"),
        rows("example.org encrypt ciphers=high\n", ""),
        rows("b\u{fc}cher.example may\n", "policy.one-form-of-name"),
    ]
}

#[test]
fn a_row_that_begins_with_a_blank_spoils_the_one_before() {
    let table = file(b"a.example may\n b.example encrypt\nc.example may\n".to_vec());
    let files = vec![("/policy.db", file(Vec::new())), ("/policy", table)];
    let found = findings("smtp_tls_policy_maps = hash:/policy\n", files);
    let of = |code: &str| {
        let found = found.iter().find(|finding| finding.code == code).unwrap();
        (
            found.evidence[0].file.clone().unwrap(),
            found.evidence[0].line.unwrap(),
        )
    };
    assert_eq!(of("policy.joined-row"), ("/policy".into(), 2));
    assert_eq!(of("policy.row-refused"), ("/policy".into(), 1));
}

fn cases() -> Vec<Case> {
    let authority = ca();
    let good = issued(&authority, |_| {});
    let other = issued(&authority, |recipe| recipe.name = "other.example");
    let pair = issued(&authority, |recipe| recipe.key = rsa(2048));
    let mut cases = unusable(&good, &other);
    cases.extend(doubtful(&authority));
    cases.extend(permissions(&good));
    cases.extend(trust(&authority));
    cases.extend(tables());
    cases.extend(policies());
    cases.extend(crate::borrowed::cases());
    cases.push(chain(file(good.chain_file()), None));
    cases.push(legacy(good.cert(), good.key(), None));
    let both = [good.chain_file(), authority.cert(), pair.chain_file()].concat();
    cases.push(chain(file(both), None));
    cases
}

pub(crate) fn facts(main: &str, files: Vec<(&'static str, FileLook)>) -> Facts {
    let cf = |bytes: &[u8]| CfFile::of("/etc/postfix/main.cf".into(), bytes.to_vec());
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
    Facts {
        config_directory: "/etc/postfix".into(),
        main_cf: cf(main.as_bytes()),
        master_cf: cf(b""),
        version: PostfixVersion::new(3, 7, 11),
        openssl: "OpenSSL 3.0.19".into(),
        values: BTreeMap::new(),
        defaults: BTreeMap::new(),
        map_types: words(&["btree", "hash", "proxy", "texthash"]),
        touched: Default::default(),
        unmade: None,
        server_names: Default::default(),
        sasl_types: Vec::new(),
        addresses: Vec::new(),
        files: files
            .into_iter()
            .map(|(p, look)| (PathBuf::from(p), look))
            .collect(),
        certificates: Vec::new(),
        master: MasterState::Stopped,
        dns: Default::default(),
    }
}

/// On a host that tells which parameters are Postfix's own.
pub(crate) fn findings_where_defaults_are_known(main: &str) -> Vec<Finding> {
    let mut facts = facts(main, Vec::new());
    let known = ("myhostname".to_owned(), "mx.example".to_owned());
    facts.defaults = BTreeMap::from([known]);
    let main = MainCf::parse(main.as_bytes());
    lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        facts: Some(&facts),
        ..LintInput::default()
    })
}

fn findings(main: &str, files: Vec<(&'static str, FileLook)>) -> Vec<Finding> {
    let facts = facts(main, files);
    let main = MainCf::parse(main.as_bytes());
    lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        facts: Some(&facts),
        now_unix: Some(NOW),
        ..LintInput::default()
    })
}

/// Rules that only a host makes fire.
fn of_host(code: &str) -> bool {
    [
        "cert.",
        "trust.",
        "maps.",
        "policy.",
        "cache.type",
        "cache.random",
        "cache.exchange",
        "cache.folder",
        "library.",
    ]
    .iter()
    .any(|family| code.starts_with(family))
}

pub(crate) fn firing_codes() -> BTreeSet<String> {
    let fires = cases().into_iter().filter_map(|case| case.fires);
    fires.map(str::to_owned).collect()
}

#[test]
fn files_of_a_host_are_judged() {
    let mut faults = Vec::new();
    for (i, case) in cases().into_iter().enumerate() {
        let found = findings(case.main, case.files);
        let codes: Vec<&str> = found
            .iter()
            .map(|f| &*f.code)
            .filter(|c| of_host(c))
            .collect();
        let wanted: Vec<&str> = case.fires.into_iter().collect();
        let good = match case.fires {
            // A fault may bring another with it (a CA as leaf, a name that does not match).
            Some(code) => codes.contains(&code),
            None => codes.is_empty(),
        };
        if !good {
            faults.push(format!("case {i}: wanted {wanted:?}, got {codes:?}"));
        }
        for finding in found.iter().filter(|f| of_host(&f.code)) {
            let place = match finding.code.starts_with("policy.") {
                true => "/policy",
                false => "main.cf",
            };
            let file = finding.evidence[0].file.as_deref();
            assert_eq!(file, Some(Path::new(place)));
            assert!(
                finding.message.ends_with('.') && finding.remedy.ends_with(['.', ')', 'm', 'r']),
                "{finding:?}"
            );
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_key_for_everyone_is_worse_than_for_a_group() {
    let good = Recipe::leaf("mx.example").make();
    let severity = |mode| {
        let files = vec![("/c.pem", with_mode(good.chain_file(), mode))];
        let found = findings(CHAIN, files);
        found
            .iter()
            .find(|f| f.code == "cert.key-readable")
            .map(|f| f.severity)
    };
    assert_eq!(severity(0o644), Some(Severity::Error));
    assert_eq!(severity(0o640), Some(Severity::Info));
    assert_eq!(severity(0o600), None);
}

/// Nobody waits for a certificate that is not there before the key is told.
#[test]
fn an_open_key_is_told_where_its_certificate_is_missing() {
    let good = Recipe::leaf("mx.example").make();
    let files = vec![
        ("/c.pem", FileLook::Missing),
        ("/k.pem", with_mode(good.key(), 0o644)),
    ];
    let found = findings(LEGACY, files);
    let codes: BTreeSet<&str> = found.iter().map(|f| &*f.code).collect();
    assert!(codes.is_superset(&BTreeSet::from(["cert.missing", "cert.key-readable"])));
}

/// Of what only root may read, whoever else looks knows nothing; what stands beside it is judged.
#[test]
fn what_another_user_may_not_read_is_undetermined() {
    let denied = || FileLook::Denied("Permission denied".to_owned());
    let mut old = Recipe::leaf("mx.example");
    old.days = (-90, -1);
    let cases = [
        (CHAIN, vec![("/c.pem", denied())]),
        (LEGACY, vec![("/c.pem", denied()), ("/k.pem", denied())]),
        (
            LEGACY,
            vec![("/c.pem", file(old.make().cert())), ("/k.pem", denied())],
        ),
        (TRUST, vec![("/ca.pem", denied()), ("/ca", denied())]),
    ];
    let told = cases.map(|(main, files)| {
        let found = findings(main, files).into_iter();
        let certificates =
            found.filter(|f| f.code.starts_with("cert.") || f.code == "trust.ca-path");
        let told: BTreeSet<_> = certificates
            .map(|f| (f.code.to_string(), f.severity))
            .collect();
        told
    });
    let info = ("cert.undetermined".to_owned(), Severity::Info);
    let expired = ("cert.expired".to_owned(), Severity::Error);
    assert_eq!(told[0], BTreeSet::from([info.clone()]));
    assert_eq!(told[1], BTreeSet::from([info.clone()]));
    assert!(
        told[2].contains(&info) && told[2].contains(&expired),
        "{:?}",
        told[2]
    );
    assert_eq!(told[3], BTreeSet::from([info]));
}

/// No mail waits for a table of the server's names.
#[test]
fn a_table_of_names_that_is_missing_is_said_to_cost_names_alone() {
    let message = |main: &'static str, path| {
        let found = findings(main, vec![(path, FileLook::Missing)]);
        let found = found.into_iter().find(|f| f.code == "maps.missing");
        found.unwrap().message
    };
    let names = message("tls_server_sni_maps = hash:/sni\n", "/sni.db");
    assert!(
        names.contains("get the default certificate") && !names.contains("deferred"),
        "{names}"
    );
    let policy = message("smtp_tls_policy_maps = hash:/policy\n", "/policy.db");
    assert!(policy.contains("deferred"), "{policy}");
}

#[test]
fn groups_of_a_newer_library_are_named() {
    let curves = "tls_eecdh_auto_curves = X25519MLKEM768 X25519\n";
    let found = findings(curves, Vec::new());
    let group = found
        .iter()
        .find(|f| f.code == "ciphers.unknown-group")
        .unwrap();
    assert!(group.message.contains("OpenSSL 3.5"), "{}", group.message);
}

#[test]
fn no_private_key_in_any_finding() {
    let good = Recipe::leaf("mx.example").make();
    let key = String::from_utf8(ec().private_key_to_pem_pkcs8().unwrap()).unwrap();
    let secret = key.lines().nth(1).unwrap().to_owned();
    let file = with_mode([key.into_bytes(), good.cert()].concat(), 0o644);
    for finding in findings(CHAIN, vec![("/c.pem", file)]) {
        assert!(!format!("{finding:?}").contains(&secret), "{finding:?}");
    }
}

/// Postfix expands a parameter of a user's own only where another value names it.
#[test]
fn a_broken_expression_kills_only_where_it_is_read() {
    let severity = |main: &str, master: &str| {
        let mut facts = facts(main, Vec::new());
        facts.defaults = [("myorigin", "$myhostname"), ("virtual_maps", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let (main, master) = (
            MainCf::parse(main.as_bytes()),
            postfix_cf::MasterCf::parse(master.as_bytes()),
        );
        let findings = lint(&LintInput {
            main: Some((Path::new("main.cf"), &main)),
            master: Some((Path::new("master.cf"), &master)),
            facts: Some(&facts),
            ..LintInput::default()
        });
        let found = findings.into_iter();
        let mut found = found.filter(|f| f.code == "syntax.bad-expansion");
        found.next().expect("it is said").severity
    };
    assert_eq!(severity("mine = ${x\n", ""), Severity::Warning);
    assert_eq!(severity("mine = ${x\n# see $mine\n", ""), Severity::Fatal);
    assert_eq!(
        severity("mine = ${x\nmyorigin = ${mine}\n", ""),
        Severity::Fatal
    );
    assert_eq!(severity("myorigin = ${x\n", ""), Severity::Fatal);
    let of = "slow_destination_concurrency_limit = ${x\n";
    assert_eq!(severity(of, ""), Severity::Warning);
    assert_eq!(severity(of, "slow unix - - n - - smtp\n"), Severity::Fatal);
    let named = "smtp inet n - n - - smtpd -o myorigin=$mine\n";
    assert_eq!(severity("mine = ${x\n", named), Severity::Fatal);
}

/// Of several files the one in which the certificate stands, and which of its certificates it is.
#[test]
fn a_fault_is_told_of_the_file_and_the_certificate_that_have_it() {
    let authority = ca();
    let good = issued(&authority, |_| {});
    let mut old = Recipe::leaf("Old CA");
    (old.ca, old.days) = (true, (-900, -1));
    let old = old.make();
    let late = issued(&old, |recipe| recipe.key = rsa(2048));
    let main = "myhostname = mx.example\nsmtpd_tls_security_level = may\n\
                smtpd_tls_chain_files = /a.pem, /b.pem /c.pem\n";
    let files = vec![
        ("/a.pem", file(good.chain_file())),
        ("/b.pem", file(late.key())),
        ("/c.pem", file([late.cert(), old.cert()].concat())),
    ];
    let told = findings(main, files);
    let told = told.iter().filter(|one| one.code.starts_with("cert."));
    let told: Vec<&str> = told.map(|one| one.message.as_str()).collect();
    assert!(
        matches!(told[..], [one] if one.starts_with("/c.pem (certificate 2): ") && one.contains("CN=Old CA ")),
        "{told:?}"
    );
}

/// What is named by a relative path is looked up by it, of tables and groups as of certificates.
#[test]
fn files_of_relative_names_are_to_be_looked_at() {
    let main = "smtp_tls_policy_maps = proxy:hash:maps/tls, regexp:{{/a/ b}}\n\
                smtpd_tls_dh1024_param_file = dh.pem\nsmtp_sasl_password_maps = hash:sasl\n\
                smtpd_tls_CApath = no\nsmtpd_tls_eecdh_grade = auto\n";
    let looks = postseal_planner::looks(&facts(main, Vec::new()));
    let relative = looks.iter().filter(|path| path.is_relative());
    let relative: Vec<&str> = relative.filter_map(|path| path.to_str()).collect();
    assert_eq!(relative, ["dh.pem", "maps/tls", "maps/tls.db", "sasl"]);
}
