//! Mail exchangers of every kind in a real DNS, with and without DNSSEC: what `policy check` says is
//! what smtp(8) does, whose resolver is the same. Needs Knot DNS and Unbound.

use crate::letters::{self, Fate, Letter, submit};
use crate::peers::{Chains, Peer};
use crate::scene::{Ran, Scene};
use crate::table::{Cell, cells, must_be_explained, must_be_the_table};
use mailtls::tlsa::TlsaRecord;
use postseal_probe::Sink;
use postseal_testkit::postfix_box::PostfixBox;
use postseal_testkit::resolver::Resolver;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

/// The hosts of both zones; `gone` has an address where nothing listens.
const HOSTS: [(&str, Option<Peer>); 5] = [
    ("clear", Some(Peer::Cleartext)),
    ("own", Some(Peer::SelfSigned)),
    ("trusted", Some(Peer::Trusted)),
    ("expired", Some(Peer::Expired)),
    ("gone", None),
];

use Fate::{Held, InClear, Returned, UnderTls};

/// Label, zone, records below the label, policy, what becomes of mail, a code that is said of it.
type Story = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Fate,
    &'static str,
);

const SIGNED: &str = "signed.test";
const PLAIN: &str = "plain.test";

/// `{L}` is the label, `{own}` the TLSA data of the server `own`, `{bad}` other data.
#[rustfmt::skip]
const STORIES: &[Story] = &[
    // The next exchanger is tried where one does not do.
    ("next", PLAIN, "{L} MX 10 clear\n{L} MX 20 trusted", "encrypt", UnderTls, "policy.no-starttls"),
    ("back", PLAIN, "{L} MX 10 own\n{L} MX 20 clear", "encrypt", UnderTls, "policy.no-starttls"),
    ("same", PLAIN, "{L} MX 10 expired\n{L} MX 10 trusted", "secure match=mx.peer.test", UnderTls, "policy.certificate-expired"),
    ("dead", PLAIN, "{L} MX 10 gone\n{L} MX 20 own", "encrypt", UnderTls, "policy.preflight-undetermined"),
    ("none", PLAIN, "{L} MX 10 clear\n{L} MX 20 clear", "encrypt", Held, "policy.no-starttls"),
    ("lost", PLAIN, "{L} MX 10 clear\n{L} MX 20 gone", "encrypt", Held, "policy.preflight-undetermined"),
    // No more than five addresses.
    ("six", PLAIN, "{L} MX 1 clear\n{L} MX 2 clear1\n{L} MX 3 clear2\n{L} MX 4 clear3\n{L} MX 5 clear4\n{L} MX 6 trusted", "encrypt", Held, "policy.no-starttls"),
    ("five", PLAIN, "{L} MX 1 clear\n{L} MX 2 clear1\n{L} MX 3 clear2\n{L} MX 4 clear3\n{L} MX 5 trusted", "encrypt", UnderTls, "policy.no-starttls"),
    // A hundred, of which the answer does not fit into a datagram.
    ("many", PLAIN, "{100}", "encrypt", UnderTls, ""),
    // No exchanger: the domain itself.
    ("bare", PLAIN, "{L} A 127.82.0.3", "encrypt", UnderTls, ""),
    ("text", PLAIN, "{L} TXT hello", "encrypt", Returned, "policy.no-mx"),
    ("nobody", PLAIN, "", "encrypt", Returned, "policy.no-mx"),
    ("null", PLAIN, "{L} MX 0 .", "encrypt", Returned, "policy.null-mx"),
    ("empty", PLAIN, "{L} MX 10 nowhere", "encrypt", Returned, "policy.mx-without-address"),
    ("half", PLAIN, "{L} MX 10 nowhere\n{L} MX 20 own", "encrypt", UnderTls, "policy.mx-without-address"),
    // Aliases, and their ends.
    ("alias", PLAIN, "{L} CNAME bare", "encrypt", UnderTls, ""),
    ("through", PLAIN, "{L} MX 10 via\nvia CNAME trusted", "encrypt", UnderTls, ""),
    ("loop", PLAIN, "{L} CNAME pool\npool CNAME {L}", "encrypt", Held, "policy.preflight-undetermined"),
    ("maze", PLAIN, "{L} MX 10 amaze\namaze CNAME bmaze\nbmaze CNAME amaze", "encrypt", Held, "policy.preflight-undetermined"),
    ("lame", PLAIN, "{L} NS ns.{L}\nns.{L} A 127.82.0.5", "encrypt", Held, "policy.preflight-undetermined"),
    ("number", PLAIN, "{L} MX 10 127.82.0.3.", "encrypt", UnderTls, ""),
    // This host is an exchanger itself.
    ("self", PLAIN, "{L} MX 10 self1\nself1 A {me}\n{L} MX 20 trusted", "encrypt", Returned, "policy.mx-self"),
    ("spare", PLAIN, "{L} MX 10 clear\n{L} MX 20 spare1\nspare1 A {me}\n{L} MX 30 trusted", "encrypt", Held, "policy.no-starttls"),
    // Names of the domain in certificates.
    ("secure", PLAIN, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.9", "secure", UnderTls, ""),
    ("other", PLAIN, "{L} MX 10 mx.secure", "secure", Held, "policy.certificate-name"),
    ("verify", PLAIN, "{L} MX 10 mx.secure", "verify", UnderTls, ""),
    // DANE.
    ("d1", SIGNED, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.2\n_25._tcp.mx.{L} TLSA {own}", "dane-only", UnderTls, ""),
    ("d2", SIGNED, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.2\n_25._tcp.mx.{L} TLSA {bad}", "dane", Held, "policy.tlsa-mismatch"),
    ("d3", SIGNED, "{L} MX 10 clear", "dane", InClear, "policy.cleartext"),
    ("d4", SIGNED, "{L} MX 10 own", "dane-only", Held, "policy.no-tlsa"),
    ("d5", SIGNED, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.2\n_25._tcp.mx.{L} TLSA 1 1 1 {data}", "dane", UnderTls, ""),
    ("d6", SIGNED, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.2\n_25._tcp.mx.{L} TLSA 1 1 1 {data}", "dane-only", Held, "policy.tlsa-unusable"),
    ("d7", SIGNED, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.1\n_25._tcp.mx.{L} TLSA {own}", "dane", Held, "policy.no-starttls"),
    ("d8", SIGNED, "{L} A 127.82.0.2\n_25._tcp.{L} TLSA {own}", "dane-only", UnderTls, ""),
    ("p1", PLAIN, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.2\n_25._tcp.mx.{L} TLSA {bad}", "dane", UnderTls, "policy.dane-as-may"),
    ("p2", PLAIN, "{L} MX 10 mx.{L}\nmx.{L} A 127.82.0.2\n_25._tcp.mx.{L} TLSA {own}", "dane-only", Held, "policy.mx-insecure"),
    ("p3", PLAIN, "{L} MX 10 mx.d2.signed.test.", "dane", UnderTls, "policy.dane-as-may"),
    ("p4", PLAIN, "{L} MX 10 mx.d1.signed.test.", "dane", UnderTls, "policy.dane-as-may"),
    ("p5", PLAIN, "{L} MX 10 mx.d1.signed.test.", "dane-only", Held, "policy.mx-insecure"),
];

struct World {
    scene: Scene,
    dns: Resolver,
    sinks: Vec<Sink>,
}

impl World {
    fn new() -> Self {
        let chains = Chains::new();
        let sinks = sinks(&chains);
        let dns = Resolver::start("").unwrap();
        let scene = Scene::stopped(
            PostfixBox::builder()
                .set("default_transport", "smtp")
                .set("smtp_dns_support_level", "dnssec")
                .set("smtp_tls_fingerprint_digest", "sha256")
                .set("smtp_tls_CAfile", "{base}/config/ca.pem")
                .set("smtp_tls_policy_maps", "texthash:{base}/config/policy"),
        );
        let me = scene.postfix.address().to_string();
        for zone in [SIGNED, PLAIN] {
            let mut lines = lines(zone, &chains).replace("{me}", &me);
            if zone == SIGNED {
                let own = own(&chains);
                let cells = cells().into_iter();
                lines.extend(cells.map(|cell| cell.records().replace("{own}", &own)));
            }
            dns.publish(zone, &lines).unwrap();
        }
        let config = scene.postfix.config_directory();
        fs::write(config.join("ca.pem"), &chains.ca).unwrap();
        let rows = STORIES
            .iter()
            .map(|story| format!("{}.{} {}\n", story.0, story.1, story.3))
            .chain(cells().into_iter().map(Cell::row));
        let rows = rows
            .collect::<String>()
            .replace("{self}", &chains.fingerprint);
        fs::write(config.join("policy"), rows).unwrap();
        // smtp(8) reads it in its jail.
        let jail = scene.postfix.queue_directory().join("etc");
        fs::create_dir_all(&jail).unwrap();
        fs::write(jail.join("resolv.conf"), dns.resolv_conf()).unwrap();
        scene.postfix.start().unwrap();
        Self { scene, dns, sinks }
    }

    /// `policy check` with the test's resolver.
    fn check(&self, words: &[&str]) -> Ran {
        let resolver = self.dns.address().to_string();
        let first = [
            "policy",
            "check",
            "--timeout",
            "10",
            "--resolver",
            &resolver,
        ];
        self.scene.run(&[&first, words].concat())
    }

    fn fates(&self) -> Vec<Fate> {
        let stories = STORIES.iter().map(recipient);
        let cells = cells().into_iter().map(Cell::recipient);
        let recipients: Vec<String> = stories.chain(cells).collect();
        let letters: Vec<Letter<'_>> = recipients
            .iter()
            .map(|recipient| Letter {
                recipient,
                sinks: &self.sinks,
            })
            .collect();
        letters::fates(&self.scene, &letters, PATIENCE)
    }
}

fn recipient(story: &Story) -> String {
    format!("user@{}.{}", story.0, story.1)
}

fn sinks(chains: &Chains) -> Vec<Sink> {
    let at = |last: usize| -> SocketAddr {
        (Ipv4Addr::new(127, 82, 0, u8::try_from(last).unwrap()), 25).into()
    };
    let hosts = HOSTS.iter().zip(1..);
    let hosts = hosts.filter_map(|((_, peer), last)| Some(chains.sink_at((*peer)?, at(last))));
    let extra = (11..15).map(|last| chains.sink_at(Peer::Cleartext, at(last)));
    let named = chains.sink_named("mx.secure.plain.test", at(9));
    hosts.chain(extra).chain([named]).collect()
}

/// The TLSA data of the server `own`.
fn own(chains: &Chains) -> String {
    let leaf = mailtls::pem_certificates(chains.own_pem().as_bytes()).unwrap();
    TlsaRecord::for_certificate(&leaf[0]).to_string()
}

/// The records of a zone.
fn lines(zone: &str, chains: &Chains) -> String {
    let own = own(chains);
    let data = "ab".repeat(32);
    let mut text = String::new();
    for ((name, _), last) in HOSTS.iter().zip(1..) {
        let _ = writeln!(text, "{name} A 127.82.0.{last}");
    }
    for n in 1..5 {
        let _ = writeln!(text, "clear{n} A 127.82.0.{}", 10 + n);
    }
    for (label, at, records, ..) in STORIES {
        if *at != zone {
            continue;
        }
        let hundred: String = (0..100)
            .map(|n| format!("{{L}} MX 10 with-a-long-name-for-one-of-many-exchangers-{n}\nwith-a-long-name-for-one-of-many-exchangers-{n} A 127.82.0.3\n"))
            .collect();
        let records = records
            .replace("{100}", &hundred)
            .replace("{own}", &own)
            .replace("{bad}", &format!("3 1 1 {data}"))
            .replace("{data}", &data)
            .replace("{L}", label);
        let _ = writeln!(text, "{records}");
    }
    text
}

#[test]
fn what_a_check_says_of_exchangers_is_what_smtp_does_with_them() {
    let world = World::new();
    let domains: Vec<String> = STORIES
        .iter()
        .map(|one| format!("{}.{}", one.0, one.1))
        .chain(cells().into_iter().map(Cell::domain))
        .collect();
    let words: Vec<&str> = domains.iter().map(String::as_str).collect();
    let ran = world.check(&words);
    assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
    for story in STORIES {
        submit(&world.scene, &recipient(story));
    }
    for cell in cells() {
        submit(&world.scene, &cell.recipient());
    }
    let fates = world.fates();
    let (fates, of_cells) = fates.split_at(STORIES.len());
    let checked = ran.json["checked"].as_array().unwrap();
    let mut wrong = Vec::new();
    let (checked, of_table) = checked.split_at(STORIES.len());
    for ((cell, fate), said) in cells().iter().zip(of_cells).zip(of_table) {
        let said = &said["preflight"];
        if !agrees(said, *fate) {
            wrong.push(format!("{cell:?}: {fate:?}\n{said:#}"));
        }
    }
    for ((story, fate), said) in STORIES.iter().zip(fates.iter().copied()).zip(checked) {
        let said = &said["preflight"];
        if fate != story.4 || !agrees(said, fate) || !has(said, story.5) {
            wrong.push(format!("{story:?}: {fate:?}\n{said:#}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let maze = STORIES.iter().position(|story| story.0 == "maze").unwrap();
    let text = checked[maze]["preflight"].to_string();
    assert!(text.contains("loop of CNAME records"), "{text}");
    assert!(!text.contains("policy.mx-many"), "{text}");
    must_be_explained(&world.scene);
    must_be_the_table(of_cells);
}

fn agrees(said: &Value, fate: Fate) -> bool {
    let delivered = |wanted: &[&str]| {
        let hosts = said["hosts"].as_array().unwrap().iter();
        let mut addresses = hosts.flat_map(|host| host["addresses"].as_array().unwrap());
        addresses.any(|one| wanted.contains(&one["delivery"].as_str().unwrap_or_default()))
    };
    match (said["outcome"].as_str(), fate) {
        (Some("pass"), UnderTls) => delivered(&["verified", "encrypted"]),
        (Some("pass"), InClear) => delivered(&["clear"]),
        (Some("fail"), Held | Returned) | (Some("undetermined"), Held) => true,
        _ => false,
    }
}

/// Whether a code is among the findings; none at all where none is named.
fn has(said: &Value, code: &str) -> bool {
    let findings = said["findings"].as_array().unwrap();
    match code.is_empty() {
        true => findings.is_empty(),
        false => findings.iter().any(|finding| finding["code"] == code),
    }
}
