//! Every message with its fault: as observed one by one, and in the real logs.

use super::*;
use Weight::{Degrades, Kills, Latent, Peer};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Messages of Postfix 3.7.11 (OpenSSL 3.0), each made by the fault that it names.
const OBSERVED: &[(&str, &str, &str, Weight)] = &[
    (
        "smtpd",
        "fatal: bad boolean configuration: smtpd_tls_auth_only = yes # note",
        "log.bad-boolean",
        Kills,
    ),
    (
        "smtpd",
        "fatal: Invalid TLS level \"ecnrypt\"",
        "log.bad-level",
        Kills,
    ),
    (
        "smtpd",
        "fatal: Invalid TLS level \"dane-only\"",
        "log.bad-level",
        Kills,
    ),
    (
        "smtpd",
        "fatal: bad numerical configuration: smtpd_tls_ccert_verifydepth = abc",
        "log.bad-number",
        Kills,
    ),
    (
        "smtpd",
        "fatal: parameter smtpd_starttls_timeout: bad time value or unit: 10x",
        "log.bad-time",
        Kills,
    ),
    (
        "smtpd",
        "fatal: /etc/postfix/main.cf, line 16: missing '=' after attribute name: \"foo\"",
        "log.bad-main-cf",
        Kills,
    ),
    (
        "smtp",
        "fatal: unknown service: smtp/tcp",
        "log.fatal",
        Kills,
    ),
    ("smtpd", "panic: something", "log.fatal", Kills),
    (
        "master",
        "warning: process /usr/lib/postfix/sbin/smtpd pid 1391 exit status 1",
        "log.process-died",
        Kills,
    ),
    (
        "master",
        "warning: process /usr/lib/postfix/sbin/smtpd pid 1391 killed by signal 11",
        "log.process-died",
        Kills,
    ),
    (
        "master",
        "warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling",
        "log.throttled",
        Kills,
    ),
    (
        "master",
        "fatal: bind 192.0.2.1 port 25: Cannot assign requested address",
        "log.cannot-listen",
        Kills,
    ),
    (
        "tlsmgr",
        "warning: cannot open entropy device /nonexist: No such file or directory",
        "log.entropy",
        Kills,
    ),
    (
        "tlsmgr",
        "exiting to reopen external entropy source dev:/nonexist",
        "log.entropy",
        Kills,
    ),
    (
        "smtpd",
        "warning: key at index 1 in /k.pem does not match next certificate",
        "log.key-mismatch",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:05800074:x509 certificate routines::key values mismatch:../crypto/x509/x509_cmp.c:403:",
        "log.key-mismatch",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0A000120:SSL routines::private key mismatch:../ssl/ssl_rsa.c:983:",
        "log.key-mismatch",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:03000065:digital envelope routines::different key types:../crypto/evp/keymgmt_lib.c:388:",
        "log.key-mismatch",
        Degrades,
    ),
    (
        "smtpd",
        "warning: RSA private key in /k.pem does not match public key in /c.pem: disabling TLS support",
        "log.key-mismatch",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0A000121:SSL routines::not replacing certificate:../ssl/ssl_rsa.c:994:",
        "log.two-of-a-kind",
        Degrades,
    ),
    (
        "smtpd",
        "warning: error loading private keys and certificates from: /k.pem: disabling TLS support",
        "log.chain-unloadable",
        Degrades,
    ),
    (
        "smtpd",
        "warning: error loading chain from /f.pem: key not first",
        "log.key-not-first",
        Degrades,
    ),
    (
        "smtpd",
        "warning: error loading certificate chain: key at index 1 in /k.pem not followed by a certificate",
        "log.key-alone",
        Degrades,
    ),
    (
        "smtpd",
        "warning: No certs for key at index 1 in /k.pem",
        "log.key-alone",
        Degrades,
    ),
    (
        "smtpd",
        "warning: No private key found in /c.pem",
        "log.key-missing",
        Degrades,
    ),
    (
        "smtpd",
        "warning: No PEM data in /c.der",
        "log.no-pem",
        Degrades,
    ),
    (
        "smtpd",
        "warning: error opening chain file: /none.pem: No such file or directory",
        "log.chain-missing",
        Degrades,
    ),
    (
        "smtpd",
        "warning: cannot get RSA certificate from file \"/c.pem\": disabling TLS support",
        "log.cert-unreadable",
        Degrades,
    ),
    (
        "smtpd",
        "warning: cannot get RSA private key from file \"/k.pem\": disabling TLS support",
        "log.key-unreadable",
        Degrades,
    ),
    (
        "smtpd",
        "warning: error loading private key (PEM object number 1) from /k.pem",
        "log.key-unreadable",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:04800066:PEM routines::bad end line:../crypto/pem/pem_lib.c:828:",
        "log.pem-damaged",
        Degrades,
    ),
    (
        "smtpd",
        "warning: loading /k.pem: ignoring PEM type: ENCRYPTED PRIVATE KEY",
        "log.key-encrypted",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0480006D:PEM routines::problems getting password:../crypto/pem/pem_lib.c:62:",
        "log.key-encrypted",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:1C80009F:Provider routines::unable to get passphrase:../providers/implementations/encode_decode/decode_epki2pki.c:96:",
        "log.key-encrypted",
        Degrades,
    ),
    (
        "smtpd",
        "warning: No server certs available. TLS won't be enabled",
        "log.no-certificate",
        Degrades,
    ),
    (
        "smtpd",
        "warning: Wrapper-mode request dropped from a[1] for service 465. TLS context initialization failed. For details see earlier warnings in your logs.",
        "log.tls-disabled",
        Degrades,
    ),
    (
        "smtpd",
        "cannot load Certification Authority data, CAfile=\"/nonexist.pem\": disabling TLS support",
        "log.ca-file",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:05880002:x509 certificate routines::system lib:../crypto/x509/by_file.c:229:",
        "log.ca-file",
        Degrades,
    ),
    (
        "smtpd",
        "warning: Invalid TLS protocol list \">=TLSv1.9\": disabling TLS support",
        "log.bad-protocols",
        Degrades,
    ),
    (
        "smtp",
        "warning: mx[192.0.2.1]:25: Invalid TLS protocol list \"TLSv9\": aborting TLS session",
        "log.bad-protocols",
        Degrades,
    ),
    (
        "smtp",
        "warning: mx[192.0.2.1]:25: error setting minimum TLS version to: 0x7fffffff",
        "log.bad-protocols",
        Degrades,
    ),
    (
        "smtpd",
        "warning: localhost[127.0.0.1]: invalid cipher grade: \"hihg\"",
        "log.bad-grade",
        Degrades,
    ),
    (
        "smtpd",
        "warning: localhost[127.0.0.1]: error setting cipher grade: \"medium\"",
        "log.no-cipher",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0A0000B9:SSL routines::no cipher match:../ssl/ssl_lib.c:2759:",
        "log.no-cipher",
        Degrades,
    ),
    (
        "smtpd",
        "warning: localhost[127.0.0.1]: invalid unary '!+-@' in cipher exclusion: !foo",
        "log.bad-exclusion",
        Degrades,
    ),
    (
        "smtpd",
        "warning: Digest algorithm \"sha9\" not found",
        "log.bad-digest",
        Degrades,
    ),
    (
        "smtpd",
        "warning: disabling TLS support",
        "log.tls-disabled",
        Degrades,
    ),
    (
        "smtpd",
        "warning: error loading the 'global' settings from the /nonexist OpenSSL configuration file, disabling TLS support",
        "log.tls-config-file",
        Degrades,
    ),
    (
        "tlsproxy",
        "warning: TLS server role is disabled with tlsproxy_tls_security_level or tlsproxy_use_tls",
        "log.server-role-off",
        Degrades,
    ),
    (
        "smtpd",
        "error: open database /nonexist.db: No such file or directory",
        "log.map-unavailable",
        Degrades,
    ),
    (
        "smtpd",
        "error: unsupported dictionary type: hahs",
        "log.map-unavailable",
        Degrades,
    ),
    (
        "smtp",
        "warning: hash:/nonexist lookup error for \"example.com\"",
        "log.map-unavailable",
        Degrades,
    ),
    (
        "smtp",
        "warning: smtp_tls_policy_maps, next-hop destination \"a.test\": invalid security level \"bogus\"",
        "log.policy-row",
        Degrades,
    ),
    (
        "smtp",
        "warning: smtp_tls_policy_maps, next-hop destination \"a.test\": malformed attribute/value pair \"ciphers\": missing '=' after attribute name",
        "log.policy-row",
        Degrades,
    ),
    (
        "smtp",
        "warning: TLS policy lookup for a.test/mx.a.test: client TLS configuration problem",
        "log.policy-row",
        Degrades,
    ),
    (
        "smtp",
        "warning: TLS policy lookup for a.test/mx.a.test: no TLSA records found",
        "log.no-tlsa",
        Peer,
    ),
    (
        "smtp",
        "warning: nexthop domain a.test: configured at fingerprint security level, but with no fingerprints to match.",
        "log.policy-row",
        Degrades,
    ),
    (
        "smtp",
        "warning: error opening trust anchor file: /nonexist: No such file or directory",
        "log.trust-anchor",
        Degrades,
    ),
    (
        "smtp",
        "warning: a.test: dane configured with dnssec lookups disabled",
        "log.dane-without-dnssec",
        Degrades,
    ),
    (
        "smtp",
        "warning: MX name 'mx.a.test' does not match STS MX pattern for 'a.test'",
        "log.sts-mx-mismatch",
        Degrades,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:80000002:system library::No such file or directory:../crypto/bio/bss_file.c:297:calling fopen(/k.pem, r):",
        "log.tls-library",
        Degrades,
    ),
    (
        "tlsmgr",
        "error: open database /nonexist/x.db: No such file or directory",
        "log.session-cache",
        Latent,
    ),
    (
        "tlsmgr",
        "warning: btree:/nonexist/x is unavailable. open database /nonexist/x.db: No such file or directory",
        "log.session-cache",
        Latent,
    ),
    (
        "smtpd",
        "warning: smtpd_tls_security_level: unsupported TLS level \"secure\", using \"encrypt\"",
        "log.level-as-encrypt",
        Latent,
    ),
    (
        "smtpd",
        "warning: Both smtpd_tls_chain_files and one or more of the legacy  smtpd_tls_cert_file, smtpd_tls_eccert_file or smtpd_tls_dcert_file are non-empty; the legacy  parameters will be ignored",
        "log.both-forms",
        Latent,
    ),
    (
        "smtpd",
        "warning: loading /k.pem: ignoring PEM type: EC PARAMETERS",
        "log.pem-object",
        Latent,
    ),
    (
        "smtpd",
        "warning: ignoring unknown ECDHE curve \"X25519MLKEM768\"",
        "log.unknown-curve",
        Latent,
    ),
    (
        "smtpd",
        "warning: error opening DH parameter file \"/nonexist\": No such file or directory -- using compiled-in defaults",
        "log.dh-file",
        Latent,
    ),
    (
        "smtpd",
        "warning: unknown tls_ssl_options value \"NOPE\" in \"NOPE\"",
        "log.unknown-value",
        Latent,
    ),
    (
        "smtpd",
        "warning: unknown tls_disable_workarounds value \"NOPE\" in \"NOPE\"",
        "log.unknown-value",
        Latent,
    ),
    (
        "smtpd",
        "warning: unknown smtpd_tls_loglevel value \"abc\" in \"abc\"",
        "log.unknown-value",
        Latent,
    ),
    (
        "smtpd",
        "warning: Can't require client certs unless TLS is required",
        "log.client-certs",
        Latent,
    ),
    (
        "smtpd",
        "warning: Need a server cert to request client certs",
        "log.client-certs",
        Latent,
    ),
    (
        "smtpd",
        "warning: /etc/postfix/main.cf, line 17: overriding earlier entry: smtpd_tls_loglevel=1",
        "log.duplicate-parameter",
        Latent,
    ),
    (
        "postconf",
        "warning: /etc/postfix/main.cf: unused parameter: smtpd_tls_nosuch=1",
        "log.unused-parameter",
        Latent,
    ),
    (
        "master",
        "warning: to change inet_interfaces, stop and start Postfix",
        "log.needs-restart",
        Latent,
    ),
    (
        "smtp",
        "warning: Could not report TLS handshake result to tlsrpt library: Connection refused (errno 111)",
        "log.tlsrpt",
        Latent,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2226:",
        "log.peer-handshake",
        Peer,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1664:",
        "log.peer-handshake",
        Peer,
    ),
    (
        "smtp",
        "warning: TLS library problem: error:0A00010B:SSL routines::wrong version number:../ssl/record/ssl3_record.c:350:",
        "log.peer-handshake",
        Peer,
    ),
    (
        "smtpd",
        "warning: TLS library problem: error:0A000412:SSL routines::sslv3 alert bad certificate:../ssl/record/rec_layer_s3.c:1601:SSL alert number 42:",
        "log.peer-handshake",
        Peer,
    ),
];

const NOT_TLS: &[&str] = &[
    "warning: hostname a.test does not resolve to address 192.0.2.1",
    "warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: authentication failure",
    "warning: 4D49F9A8503: undeliverable postmaster notification discarded",
    "connect from unknown[192.0.2.1]",
    "Anonymous TLS connection established from a[192.0.2.1]: TLSv1.3 with cipher X (256/256 bits)",
    "4D49F9A8503: to=<a@b>, relay=none, delay=0, delays=0/0/0/0, dsn=4.7.5, status=deferred (disabling TLS support)",
    "4D49F9A8503: warning: header Subject: disabling TLS support from a[192.0.2.1]",
];

fn line(service: &str, text: &str) -> String {
    format!("Nov 21 03:15:49 mx postfix/{service}[7]: {text}\n")
}

#[test]
fn every_observed_message_has_its_code_and_weight() {
    for (service, text, code, weight) in OBSERVED {
        let log = line(service, text);
        let found: Vec<_> = tls_warnings(log.as_bytes()).collect();
        let [warning] = found.as_slice() else {
            panic!("{text}: {found:?}")
        };
        assert_eq!((warning.code, warning.weight), (*code, *weight), "{text}");
        assert_eq!(warning.message, *text);
        assert_eq!(warning.service, format!("postfix/{service}"));
        assert_eq!(warning.line, 1);
    }
}

#[test]
fn other_lines_are_not_warnings() {
    for text in NOT_TLS {
        let log = line("smtpd", text);
        assert_eq!(tls_warnings(log.as_bytes()).next(), None, "{text}");
    }
}

#[test]
fn what_commands_print_without_a_stamp_is_read_too() {
    let text =
        b"postconf: warning: /etc/postfix/main.cf: unused parameter: a=b\npostfix: fatal: x\n";
    let codes: Vec<_> = tls_warnings(text).map(|warning| warning.code).collect();
    assert_eq!(codes, ["log.unused-parameter", "log.fatal"]);
}

#[test]
fn weights_are_ordered_by_what_they_do() {
    assert!(Peer < Latent && Latent < Degrades && Degrades < Kills);
}

#[test]
fn a_message_that_is_no_text_is_shown_as_well_as_it_can_be() {
    let log = b"Nov 21 03:15:49 mx postfix/smtpd[7]: fatal: \xff\n";
    let warning = tls_warnings(log).next().unwrap();
    assert_eq!(warning.message, "fatal: \u{fffd}");
}

/// Each broken set-up of the samples is named in the service's tag; this is what its log must
/// amount to.
#[test]
fn the_broken_setups_of_the_samples_are_all_noticed() {
    let expected = [
        ("mismatch", "log.key-mismatch", Degrades),
        ("enckey", "log.key-encrypted", Degrades),
        ("missingcert", "log.cert-unreadable", Degrades),
        ("missingkey", "log.key-unreadable", Degrades),
        ("certfirst", "log.key-not-first", Degrades),
        ("certonlychain", "log.key-not-first", Degrades),
        ("wrongorder", "log.key-mismatch", Degrades),
        ("rsachain-mismatch", "log.key-mismatch", Degrades),
        ("nocertset", "log.no-certificate", Degrades),
        ("badgrade", "log.bad-grade", Degrades),
        ("badcipherlist", "log.no-cipher", Degrades),
        ("badproto", "log.bad-protocols", Degrades),
        ("badca", "log.ca-file", Degrades),
        ("badlevel", "log.bad-level", Kills),
        ("badcurve", "log.unknown-curve", Latent),
        ("dhmissing", "log.dh-file", Latent),
        ("sslopt", "log.unknown-value", Latent),
        ("lvlverify", "log.level-as-encrypt", Latent),
        ("both", "log.both-forms", Latent),
    ];
    for (name, log) in crate::samples::logs() {
        if !name.contains("3.7") {
            continue;
        }
        let mut found: BTreeMap<&str, Vec<TlsWarning<'_>>> = BTreeMap::new();
        for warning in tls_warnings(&log) {
            let setup = warning.service.split('/').nth(1).unwrap_or_default();
            found.entry(setup).or_default().push(warning);
        }
        for (setup, code, weight) in expected {
            let of_setup = found
                .get(setup)
                .unwrap_or_else(|| panic!("{name}: {setup}"));
            assert!(
                of_setup.iter().any(|w| w.code == code),
                "{setup}: {of_setup:?}"
            );
            let worst = of_setup.iter().map(|warning| warning.weight).max();
            assert_eq!(worst, Some(weight), "{setup}: {of_setup:?}");
        }
    }
}

/// A fault elsewhere must not be invented: the good set-ups of the samples are free of any.
#[test]
fn the_good_setups_of_the_samples_have_no_faults_of_their_own() {
    for (name, log) in crate::samples::logs() {
        for warning in tls_warnings(&log) {
            let good = [
                "postfix-b/smtpd",
                "postfix-b/smtps/smtpd",
                "postfix-b/encrypt/smtpd",
            ];
            if good.contains(&warning.service) {
                assert!(warning.weight < Degrades, "{name}: {warning:?}");
            }
        }
    }
}

#[test]
fn every_line_of_the_corpus_that_says_tls_is_off_is_noticed() {
    for (name, log) in crate::samples::corpus() {
        let noticed: Vec<usize> = tls_warnings(&log).map(|warning| warning.line).collect();
        for record in records(&log) {
            let text = String::from_utf8_lossy(record.text);
            let must = text.starts_with("warning: ")
                && (text.contains("disabling TLS") || text.contains("TLS library problem: "))
                || text.starts_with("fatal: ");
            assert!(!must || noticed.contains(&record.number), "{name}: {text}");
        }
    }
}

proptest! {
    #[test]
    fn never_panics(log in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = tls_warnings(&log).count();
    }
}
