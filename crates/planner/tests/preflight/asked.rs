//! Next hops as they are read, what is asked of DNS and looked at for them, and whom a client trusts.

use crate::stage::Stage;
use postseal_planner::preflight::{self, Lookup, NextHop};
use postseal_planner::report::Limits;
use std::net::IpAddr;
use std::path::Path;

/// Host, port and lookup, in words.
fn read(text: &str) -> Option<String> {
    let hop = NextHop::parse(text, 25).ok()?;
    let lookup = match hop.lookup {
        Lookup::Mx => "mx",
        Lookup::Addresses => "a",
        Lookup::Literal(_) => "literal",
    };
    Some(format!("{} {} {lookup}", hop.host, hop.port))
}

#[test]
fn next_hops_are_read_as_smtp_reads_them() {
    for (text, wanted) in [
        ("example.org", "example.org 25 mx"),
        ("Example.ORG", "example.org 25 mx"),
        ("example.org:587", "example.org 587 mx"),
        ("[mx.example.org]", "mx.example.org 25 a"),
        ("[mx.example.org]:2525", "mx.example.org 2525 a"),
        ("[mx.example.org]:submission", "mx.example.org 587 a"),
        ("[192.0.2.1]", "192.0.2.1 25 literal"),
        ("[192.0.2.1]:465", "192.0.2.1 465 literal"),
        ("192.0.2.1:26", "192.0.2.1 26 literal"),
        ("[IPv6:2001:db8::1]", "2001:db8::1 25 literal"),
        ("[2001:db8::1]:587", "2001:db8::1 587 literal"),
        ("bücher.example", "xn--bcher-kva.example 25 mx"),
        ("[mx.bücher.example]:587", "mx.xn--bcher-kva.example 587 a"),
    ] {
        assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
    }
    for bad in [
        "",
        "[",
        "]",
        "[]",
        "[]:25",
        ":25",
        "a..b",
        "example.org:",
        "example.org:0",
        "example.org:70000",
        "[mx.example.org]x",
        "[mx.example.org]:",
        "a b",
        "a@b.example",
        "[mx.example.org]:nosuchservice",
        "\u{202e}",
        "example.org\n",
    ] {
        assert_eq!(read(bad), None, "{bad:?}");
    }
}

/// The questions that are left on a stage.
fn questions(text: &str) -> Vec<String> {
    let stage = Stage::read(text);
    let left = preflight::questions(&stage.wanted, &stage.host.facts.dns);
    left.iter()
        .map(|question| format!("{question:?}"))
        .collect()
}

#[test]
fn dns_is_asked_for_exchangers_then_addresses_then_records_of_vouched_for_hosts() {
    let mx = "Mx(\"example.com\")";
    let [a, tlsa] = [
        "Addresses(\"mx.example.com\")",
        "Tlsa { base: \"mx.example.com\", port: 25 }",
    ];
    assert_eq!(questions("hop example.com"), [mx]);
    let named = "hop example.com\ndns mx example.com mx.example.com\n";
    assert_eq!(questions(named), [a]);
    let located = format!("{named}dns a mx.example.com 192.0.2.1");
    assert_eq!(questions(&located), [tlsa]);
    assert_eq!(questions(&format!("{located} insecure")), [""; 0]);
    assert_eq!(
        questions(&format!("{located}\ndns tlsa mx.example.com 25")),
        [""; 0]
    );
    // Brackets: no exchanger. An address: nothing at all.
    assert_eq!(questions("hop [mx.example.com]"), [a]);
    assert_eq!(questions("hop [192.0.2.1]"), [""; 0]);
    // What the system is asked for instead: hosts, or everything.
    let native = "main smtp_host_lookup = native\n";
    assert_eq!(questions(&format!("{native}hop example.com")), [mx]);
    assert_eq!(questions(&format!("{native}{named}")), [""; 0]);
    let both = "main smtp_host_lookup = native, dns\n";
    assert_eq!(questions(&format!("{both}{named}")), [a]);
    assert_eq!(
        questions("hop example.com\nmain smtp_dns_support_level = disabled"),
        [""; 0]
    );
    // lmtp(8) looks no exchanger up.
    let lmtp = "hop example.com\ntransport store";
    assert_eq!(questions(lmtp), ["Addresses(\"example.com\")"]);
    // Without exchangers the domain itself; a null one is the end.
    assert_eq!(
        questions("hop example.com\ndns mx example.com"),
        ["Addresses(\"example.com\")"]
    );
    assert_eq!(
        questions("hop example.com\ndns mx example.com none"),
        [""; 0]
    );
    // Of more than a hundred the first hundred.
    let hundred: String = (0..110).map(|n| format!(" h{n}.example.com")).collect();
    assert_eq!(
        questions(&format!("hop example.com\ndns mx example.com{hundred}")).len(),
        100
    );
}

/// The looks of a stage.
fn looks(text: &str) -> Vec<String> {
    let stage = Stage::read(text);
    let visits = preflight::visits(&stage.wanted, &stage.host.facts.dns);
    let words = visits.iter().map(|visit| {
        let sni = visit.sni.as_deref().unwrap_or("-");
        let limits = visit.limits.iter().map(|limits| {
            let newest = limits.versions.last().expect("a version");
            let Limits {
                ciphers,
                security_level,
                ..
            } = limits;
            format!(" up to {newest}, {ciphers} at {security_level}")
        });
        format!("{} {sni}{}", visit.address, limits.collect::<String>())
    });
    words.collect()
}

#[test]
fn each_address_is_looked_at_once_and_with_the_name_that_dane_asks_for() {
    let one = "hop example.com\ndns mx example.com mx.example.com\n\
               dns a mx.example.com 192.0.2.1 2001:db8::1\n";
    // This host has an IPv4 address only; where it has both, both are tried.
    assert_eq!(looks(one), ["192.0.2.1:25 -"]);
    let both = format!("{one}own 2001:db8::25\n");
    assert_eq!(looks(&both), ["192.0.2.1:25 -", "[2001:db8::1]:25 -"]);
    assert_eq!(looks(&format!("{one}own fe80::1\n")), ["192.0.2.1:25 -"]);
    let lonely = "hop [mx.example.com]\ndns a mx.example.com 2001:db8::1\n";
    assert_eq!(looks(lonely), ["[2001:db8::1]:25 -"]);
    let more = |line: &str| looks(&format!("{one}{line}"));
    assert_eq!(more("main inet_protocols = ipv4"), ["192.0.2.1:25 -"]);
    assert_eq!(more("main inet_protocols = ipv6"), ["[2001:db8::1]:25 -"]);
    assert_eq!(
        more("main inet_protocols = ipv4\ndns tlsa mx.example.com 25 mx"),
        ["192.0.2.1:25 -", "192.0.2.1:25 mx.example.com"]
    );
    for (policy, name) in [
        ("encrypt servername=hostname", "mx.example.com"),
        ("encrypt servername=nexthop", "example.com"),
        ("encrypt servername=other.example.com", "other.example.com"),
    ] {
        let wanted = [format!("192.0.2.1:25 {name}")];
        assert_eq!(
            more(&format!("main inet_protocols = ipv4\npolicy {policy}")),
            wanted
        );
    }
    let general = "main inet_protocols = ipv4\nmain smtp_tls_servername = hostname";
    assert_eq!(more(general), ["192.0.2.1:25 mx.example.com"]);
    // A policy that forbids the newest version is tried without it, and what is suggested with it.
    let old = "main inet_protocols = ipv4\npolicy encrypt protocols=TLSv1.2";
    let medium = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH";
    let held = format!("192.0.2.1:25 - up to TLSv1.2, {medium}:!eNULL at 0");
    let both = ["192.0.2.1:25 -", &held];
    assert_eq!(more(old), both);
    // Where that goes for all mandatory levels, may alone is tried with it; who verifies leaves out
    // other ciphers than who does not.
    let general = "main inet_protocols = ipv4\nmain smtp_tls_mandatory_protocols = !TLSv1.3";
    let verified = format!("192.0.2.1:25 - up to TLSv1.2, {medium}:!aNULL at 1");
    assert_eq!(more(general), [both[0], &verified, both[1]]);
    let weaker = "main inet_protocols = ipv4\nmain tls_medium_cipherlist = $tls_high_cipherlist";
    let high = "192.0.2.1:25 - up to TLSv1.3, aNULL:-aNULL:HIGH:@STRENGTH";
    assert_eq!(
        more(weaker),
        [
            both[0],
            &format!("{high} at 0"),
            &format!("{high}:!aNULL at 1"),
            &format!("{high}:!eNULL at 0"),
        ]
    );
    // No server is asked for an address by name.
    assert_eq!(
        looks("hop [192.0.2.1]:26\npolicy encrypt servername=nexthop"),
        ["192.0.2.1:26 -"]
    );
    // However many addresses there are.
    let many: String = (0..=255).map(|n| format!(" 192.0.2.{n}")).collect();
    let text = format!("hop [mx.example.com]\ndns a mx.example.com{many}");
    assert!(looks(&text).len() <= 32);
}

#[test]
fn a_client_is_what_its_service_says() {
    let client = |text: &str| Stage::read(text).wanted.client;
    assert_eq!(client("").ehlo_name, "mx.example.com");
    assert_eq!(
        client("main smtp_helo_name = out.example.com").ehlo_name,
        "out.example.com"
    );
    assert_eq!(client("").address_limit, 5);
    assert_eq!(client("").opening, preflight::Opening::StartTls);
    assert_eq!(
        client("transport wrap").opening,
        preflight::Opening::Wrapper
    );
    assert_eq!(client("").matches.secure, ["nexthop", "dot-nexthop"]);
    assert_eq!(
        client("main smtp_tls_verify_cert_match = a.test, .b.test")
            .matches
            .verify,
        ["a.test", ".b.test"]
    );
}

/// The files of trust anchors of a stage.
fn trusted(text: &str) -> Vec<String> {
    let stage = Stage::read(&format!("hop [192.0.2.1]\nat 192.0.2.1 tls mx\n{text}"));
    let files = preflight::trust_files(&stage.wanted, &stage.host.facts.dns, &stage.visits());
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect()
}

#[test]
fn anchors_are_read_where_smtp_reads_them() {
    assert_eq!(trusted(""), [""; 0]);
    assert_eq!(
        trusted("main smtp_tls_CAfile = /etc/ca.pem"),
        ["/etc/ca.pem"]
    );
    // What the row names counts alone.
    let tafile = "main smtp_tls_CAfile = /etc/ca.pem\npolicy secure tafile=/etc/own.pem";
    assert_eq!(trusted(tafile), ["/etc/own.pem"]);
    let system = trusted("main tls_append_default_CA = yes");
    assert!(
        system
            .iter()
            .any(|file| file == "/etc/ssl/certs/ca-certificates.crt")
    );
    // Of a folder, the files that OpenSSL would open.
    let pem = crate::support::pem("root");
    let root = mailtls::pem_certificates(&pem).expect("a root");
    let name = format!("/etc/cas/{:08x}.0", root[0].subject_hash());
    assert!(trusted("main smtp_tls_CApath = /etc/cas").contains(&name));
    let jailed = trusted("transport jailed\nmain smtp_tls_CApath = /etc/cas\n");
    assert!(
        jailed
            .iter()
            .all(|file| Path::new(file).starts_with("/var/spool/postfix/etc/cas"))
    );
}

#[test]
fn a_literal_address_is_where_mail_goes() {
    let stage = Stage::read("hop [192.0.2.1]:26\nat 192.0.2.1:26 tls mx\n");
    let seen = stage.judged();
    assert_eq!(
        seen.hosts[0].name.parse::<IpAddr>().ok(),
        "192.0.2.1".parse().ok()
    );
    assert_eq!(
        seen.hosts[0].addresses[0].address.to_string(),
        "192.0.2.1:26"
    );
}
