//! What is a target, what posttls-finger(1) says, and what counts as a change.

use super::second::arguments;
use super::*;
use crate::preflight::{Lookup, Opening};
use crate::report::{Handshake, Stage, StageName, StageOutcome};
use mailtls::{Fingerprint, TlsVersion};
use std::path::Path;

fn target(text: &str) -> (String, u16, Lookup, Opening) {
    let found = ProbeTarget::parse(text, None).unwrap();
    (
        found.hop.host,
        found.hop.port,
        found.hop.lookup,
        found.opening,
    )
}

#[test]
fn targets_are_domains_hosts_and_addresses() {
    use Lookup::{Addresses, Literal, Mx};
    use Opening::{StartTls, Wrapper};
    let v4 = Literal([192, 0, 2, 1].into());
    let v6 = Literal("2001:db8::1".parse().unwrap());
    let table = [
        ("example.org", "example.org", 25, Mx, StartTls),
        ("Example.ORG.", "example.org", 25, Mx, StartTls),
        ("ingrid@example.org", "example.org", 25, Mx, StartTls),
        (
            "mx.example.org:25",
            "mx.example.org",
            25,
            Addresses,
            StartTls,
        ),
        (
            "mx.example.org:465",
            "mx.example.org",
            465,
            Addresses,
            Wrapper,
        ),
        (
            "mx.example.org:submission",
            "mx.example.org",
            587,
            Addresses,
            StartTls,
        ),
        (
            "[mx.example.org]",
            "mx.example.org",
            25,
            Addresses,
            StartTls,
        ),
        (
            "[mx.example.org]:587",
            "mx.example.org",
            587,
            Addresses,
            StartTls,
        ),
        ("192.0.2.1", "192.0.2.1", 25, v4, StartTls),
        ("192.0.2.1:465", "192.0.2.1", 465, v4, Wrapper),
        ("[192.0.2.1]:25", "192.0.2.1", 25, v4, StartTls),
        ("2001:db8::1", "2001:db8::1", 25, v6, StartTls),
        ("[2001:db8::1]:587", "2001:db8::1", 587, v6, StartTls),
        ("localhost", "localhost", 25, Mx, StartTls),
    ];
    for (text, host, port, lookup, opening) in table {
        assert_eq!(
            target(text),
            (host.to_owned(), port, lookup, opening),
            "{text}"
        );
    }
    let smtps = ProbeTarget::parse("mx.example.org", Some(Wrapper)).unwrap();
    assert_eq!(
        (smtps.hop.port, smtps.hop.lookup, smtps.opening),
        (465, Addresses, Wrapper)
    );
    let odd = ProbeTarget::parse("mx.example.org:2525", Some(Wrapper)).unwrap();
    assert_eq!((odd.hop.port, odd.opening), (2525, Wrapper));
}

/// A server that was seen with this certificate.
fn seen() -> AddressProbed {
    let stage = |name| Stage {
        name,
        outcome: StageOutcome::Ok,
        micros: 1,
    };
    let address: SocketAddr = "192.0.2.1:25".parse().unwrap();
    AddressProbed {
        address,
        sni: Some("mx.example.org".to_owned()),
        report: Some(Report {
            stages: vec![stage(StageName::Connect), stage(StageName::Handshake)],
            banner: Some("220 mx".to_owned()),
            handshake: Some(Handshake {
                version: TlsVersion::Tls1_2,
                cipher: "ECDHE-RSA-AES256-GCM-SHA384".to_owned(),
                group: Some("prime256v1".to_owned()),
                chain: Vec::new(),
                fingerprint: Some(Fingerprint::of(b"leaf")),
            }),
            ..Report::unseen("", address)
        }),
        certificate: None,
        dane: Judgement {
            outcome: None,
            words: String::new(),
        },
        second_opinion: None,
    }
}

fn printed(line: &str) -> String {
    let fingerprint = Fingerprint::of(b"leaf");
    format!(
        "posttls-finger: Connected to mx[192.0.2.1]:25\n\
         posttls-finger: mx[192.0.2.1]:25: subject_CN=mx, issuer_CN=CA, fingerprint={fingerprint}, pkey_fingerprint=AA\n\
         {line}\n"
    )
}

const OLD: &str = "posttls-finger: Untrusted TLS connection established to mx[192.0.2.1]:25: TLSv1.2 with cipher \
                   ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)";

#[test]
fn agreement_is_told_stage_by_stage() {
    let same = second_opinion(&seen(), &printed(OLD));
    assert_eq!(same.outcome, Outcome::Pass, "{same:#?}");
    // Below TLS 1.3 it does not tell the group.
    let group = same.stages.iter().find(|one| one.stage == "group").unwrap();
    assert_eq!((group.same, &*group.theirs), (None, "-"));
    let ecdhe =
        format!("{OLD} key-exchange ECDHE (prime256v1) server-signature RSA-PSS (2048 bits)");
    let same = second_opinion(&seen(), &printed(&ecdhe));
    assert!(
        same.stages.iter().all(|one| one.same == Some(true)),
        "{same:#?}"
    );
    for (from, to, stage) in [
        ("TLSv1.2", "TLSv1", "version"),
        ("AES256", "AES128", "cipher"),
        ("(prime256v1)", "(secp384r1)", "group"),
    ] {
        let other = second_opinion(&seen(), &printed(&ecdhe.replace(from, to)));
        assert_eq!(other.outcome, Outcome::Fail, "{stage}");
        let differing = other.stages.iter().filter(|one| one.same == Some(false));
        assert_eq!(
            differing.map(|one| &*one.stage).collect::<Vec<_>>(),
            [stage]
        );
    }
}

#[test]
fn a_servers_own_words_are_no_second_opinion() {
    let claimed = printed(&format!("posttls-finger: < 250 {OLD}"));
    let second = second_opinion(&seen(), &claimed);
    let tls = second.stages.iter().find(|one| one.stage == "tls").unwrap();
    assert_eq!((&*tls.theirs, tls.same), ("no", Some(false)), "{second:#?}");
    for odd in [
        "",
        "\0\u{1b}[31m",
        " TLS connection established to ",
        "posttls-finger: x TLS connection established to : with cipher ",
    ] {
        second_opinion(&seen(), odd);
    }
}

#[test]
fn posttls_finger_is_asked_for_the_same() {
    let words = arguments(
        &seen(),
        "mx.example.org",
        Opening::Wrapper,
        (Some(Path::new("/ca")), 9),
    );
    let wanted =
        "-l verify -d sha256 -t 9 -T 9 -F /ca -s mx.example.org -w [192.0.2.1]:25 mx.example.org";
    assert_eq!(words.join(" "), wanted);
}

#[test]
fn queue_ids_are_read_as_servers_say_them() {
    for (reply, id) in [
        ("250 2.0.0 Ok: queued as 4F1B2C3D", Some("4F1B2C3D")),
        ("250 OK id=1tE5Xp-0001Ab-2C", Some("1tE5Xp-0001Ab-2C")),
        ("250 2.0.0 4AM1 Message accepted for delivery", None),
        ("250 2.0.0 Ok: queued as ", None),
        ("250 OK", None),
    ] {
        assert_eq!(queue_id(reply).as_deref(), id, "{reply}");
    }
}

fn probed(address: AddressProbed) -> Probed {
    Probed {
        target: "mx".to_owned(),
        at: 0,
        outcome: Outcome::Pass,
        reached: Reach::Reached,
        dns: DnsSeen {
            outcome: Outcome::Pass,
            words: "1 address".to_owned(),
            micros: 7,
        },
        hosts: vec![HostProbed {
            name: "mx".to_owned(),
            preference: Some(10),
            tlsa: Vec::new(),
            addresses: vec![address],
            trouble: None,
        }],
        mta_sts: MtaStsSeen {
            judged: Judgement {
                outcome: None,
                words: String::new(),
            },
            micros: None,
            id: None,
            mode: None,
            max_age: None,
            mx: Vec::new(),
        },
        levels: Vec::new(),
        strongest: Strongest::default(),
        sent: None,
        findings: Vec::new(),
    }
}

#[test]
fn times_are_no_change_and_what_servers_say_is_one() {
    let before = probed(seen());
    let mut after = probed(seen());
    after.at = 5;
    after.dns.micros = 9;
    if let Some(report) = &mut after.hosts[0].addresses[0].report {
        report.stages[0].micros = 77;
    }
    let all = |before: &Probed, after: &Probed| {
        changes(std::slice::from_ref(before), std::slice::from_ref(after))
    };
    assert_eq!(all(&before, &after), []);
    if let Some(report) = &mut after.hosts[0].addresses[0].report {
        report.banner = Some("220 other".to_owned());
    }
    let [change] = all(&before, &after).try_into().unwrap();
    assert_eq!(
        (&*change.about, &*change.fact),
        ("mx 192.0.2.1:25", "banner")
    );
    // What only one of them asked about is no change.
    after.target = "other".to_owned();
    assert_eq!(all(&before, &after), []);
    // A report is read again as it was written.
    let text = serde_json::to_string(&before).unwrap();
    assert_eq!(serde_json::from_str::<Probed>(&text).unwrap(), before);
}
