//! What `policy check` says of a policy and a server is what smtp(8) does with mail for it: every
//! level towards every kind of server, healthy, wrong and odd.

use crate::peers::{Chains, NAME, Peer};
use crate::scene::Scene;
use postseal_probe::Sink;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
/// smtp(8) and the check wait as long for a server.
const LOOK: &str = "4";

/// A server that mail is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sink(Peer),
    /// 421 in place of a greeting.
    Busy,
    /// 554 in place of a greeting.
    Unwelcoming,
    /// The greeting comes after the others would have gone, but in time.
    Slow,
    /// Accepts the connection and says nothing, as behind a firewall.
    Silent,
    /// Nothing listens.
    Closed,
    /// Offers STARTTLS and answers 454.
    Refuses,
    /// Says 220 to STARTTLS and then no TLS.
    Breaks,
    /// Knows no EHLO.
    Ancient,
}

const KINDS: [Kind; 15] = [
    Kind::Sink(Peer::Cleartext),
    Kind::Sink(Peer::SelfSigned),
    Kind::Sink(Peer::Trusted),
    Kind::Sink(Peer::WrongName),
    Kind::Sink(Peer::Expired),
    Kind::Sink(Peer::Wildcard),
    Kind::Sink(Peer::Old),
    Kind::Busy,
    Kind::Unwelcoming,
    Kind::Slow,
    Kind::Silent,
    Kind::Closed,
    Kind::Refuses,
    Kind::Breaks,
    Kind::Ancient,
];

const ROWS: [&str; 17] = [
    "none",
    "may",
    "encrypt",
    "encrypt protocols=>=TLSv1.3",
    "encrypt protocols=!TLSv1.3",
    "secure match=mx.peer.test protocols=TLSv1.2",
    "fingerprint match={self}",
    "fingerprint match=AA:BB",
    "verify",
    "secure",
    "secure match=mx.peer.test",
    "secure match=nexthop:other.peer.test",
    "secure match=.peer.test",
    "secure match=.test",
    "secure match=a.b.peer.test",
    "secure match=mx.peer.test servername=mx.peer.test tafile={tafile}",
    "dane",
];

/// What becomes of a message at the first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    UnderTls,
    InClear,
    Held,
    /// 5xx: the sender gets it back.
    Returned,
}

struct Case {
    row: &'static str,
    kind: Kind,
    server: Server,
    nexthop: String,
    recipient: String,
}

enum Server {
    Sink(Sink),
    Odd,
}

impl Case {
    fn new(chains: &Chains, row: u8, kind: u8) -> Self {
        let (text, what) = (ROWS[usize::from(row)], KINDS[usize::from(kind)]);
        let address: SocketAddr = (Ipv4Addr::new(127, 81, row, kind + 1), 0).into();
        let (server, at) = match what {
            Kind::Sink(peer) => {
                let sink = chains.sink_at(peer, address);
                let at = sink.address();
                (Server::Sink(sink), at)
            }
            odd => (Server::Odd, play(odd, address)),
        };
        Self {
            row: text,
            kind: what,
            server,
            nexthop: format!("[{}]:{}", at.ip(), at.port()),
            recipient: format!("user@r{row}k{kind}.test"),
        }
    }
}

/// A server that plays its part for everybody who comes.
fn play(kind: Kind, address: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let at = listener.local_addr().unwrap();
    if kind != Kind::Closed {
        thread::spawn(move || {
            for guest in listener.incoming().map_while(Result::ok) {
                // Whoever leaves in the middle is no error.
                thread::spawn(move || converse(kind, guest).ok());
            }
        });
    }
    at
}

fn converse(kind: Kind, mut guest: TcpStream) -> std::io::Result<()> {
    let greeting: &[u8] = match kind {
        Kind::Busy => b"421 4.3.2 come back later\r\n",
        Kind::Unwelcoming => b"554 5.7.1 not you\r\n",
        Kind::Silent => return guest.read(&mut [0; 64]).map(|_| ()),
        Kind::Slow => {
            thread::sleep(Duration::from_secs(2));
            b"220 slow ESMTP\r\n"
        }
        _ => b"220 odd ESMTP\r\n",
    };
    guest.write_all(greeting)?;
    let mut buffer = [0; 4096];
    loop {
        let length = guest.read(&mut buffer)?;
        let said = String::from_utf8_lossy(&buffer[..length]).to_uppercase();
        let answer: &[u8] = match said.split_whitespace().next() {
            None => return Ok(()),
            Some("EHLO") if kind == Kind::Ancient => b"502 5.5.1 what is that?\r\n",
            Some("EHLO") if kind == Kind::Slow => b"250 slow\r\n",
            Some("EHLO") => b"250-odd\r\n250 STARTTLS\r\n",
            Some("STARTTLS") if kind == Kind::Refuses => b"454 4.7.0 not today\r\n",
            Some("STARTTLS") => {
                guest.write_all(b"220 go on\r\n")?;
                let _ = guest.read(&mut buffer)?;
                return guest.write_all(b"250 this is no TLS\r\n");
            }
            Some("DATA") => b"354 go on\r\n",
            Some("QUIT") => return guest.write_all(b"221 bye\r\n"),
            _ => b"250 2.0.0 ok\r\n",
        };
        guest.write_all(answer)?;
    }
}

#[test]
fn what_a_check_says_is_what_becomes_of_mail_for_every_level_and_server() {
    let chains = Chains::new();
    let cases: Vec<Case> = (0..17)
        .flat_map(|row| (0..15).map(move |kind| (row, kind)))
        .map(|(row, kind)| Case::new(&chains, row, kind))
        .collect();
    let scene = scene(&cases, &chains);
    let said = check(&scene, &cases);
    for case in &cases {
        submit(&scene, &case.recipient);
    }
    let fates = fates(&scene, &cases);
    let mut wrong = Vec::new();
    for (case, said) in cases.iter().zip(&said) {
        assert_eq!(said["nexthop"], case.nexthop.as_str());
        let fate = fates[&case.recipient];
        if !agrees(case, said, fate) {
            wrong.push(format!(
                "{} towards {:?}: {fate:?}\n{said:#}",
                case.row, case.kind
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whether the check foretold this fate.
fn agrees(case: &Case, said: &Value, fate: Fate) -> bool {
    let address = &said["hosts"][0]["addresses"][0];
    let delivery = address["delivery"].as_str().unwrap_or_default();
    match said["outcome"].as_str() {
        Some("pass") => match delivery {
            "verified" | "encrypted" => fate == Fate::UnderTls,
            "clear" => fate == Fate::InClear,
            "clear-later" => fate == Fate::Held,
            _ => false,
        },
        Some("fail") => fate == Fate::Held,
        // Of these nothing can be said beforehand.
        Some("undetermined") => match case.kind {
            Kind::Busy | Kind::Silent | Kind::Closed => fate == Fate::Held,
            Kind::Unwelcoming => fate == Fate::Held || fate == Fate::Returned,
            _ => false,
        },
        _ => false,
    }
}

/// What the check says of each, in one go.
fn check(scene: &Scene, cases: &[Case]) -> Vec<Value> {
    let mut words = vec!["policy", "check", "--timeout", LOOK];
    words.extend(cases.iter().map(|case| case.nexthop.as_str()));
    let ran = scene.run(&words);
    assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
    let checked = ran.json["checked"].as_array().unwrap();
    checked.iter().map(|one| one["preflight"].clone()).collect()
}

/// A Postfix that sends each recipient's mail to a server of its own.
fn scene(cases: &[Case], chains: &Chains) -> Scene {
    let scene = Scene::stopped(
        PostfixBox::builder()
            .set("default_transport", "smtp")
            .set("smtp_tls_fingerprint_digest", "sha256")
            .set("smtp_tls_CAfile", "{base}/config/ca.pem")
            .set("smtp_connect_timeout", LOOK)
            .set("smtp_helo_timeout", LOOK)
            .set("transport_maps", "texthash:{base}/config/transport")
            .set("smtp_tls_policy_maps", "texthash:{base}/config/policy"),
    );
    let config = scene.postfix.config_directory();
    fs::write(config.join("ca.pem"), &chains.ca).unwrap();
    let inside = scene.postfix.queue_directory().join("anchors.pem");
    fs::write(inside, &chains.ca).unwrap();
    let (mut transport, mut policy) = (String::new(), String::new());
    for case in cases {
        let domain = case.recipient.split_once('@').unwrap().1;
        let row = case
            .row
            .replace("{tafile}", "/anchors.pem")
            .replace("{self}", &chains.fingerprint);
        transport.push_str(&format!("{domain} smtp:{}\n", case.nexthop));
        policy.push_str(&format!("{} {row}\n", case.nexthop));
    }
    fs::write(config.join("transport"), transport).unwrap();
    fs::write(config.join("policy"), policy).unwrap();
    scene.postfix.start().unwrap();
    scene
}

fn submit(scene: &Scene, recipient: &str) {
    let mut sendmail = Command::new("/usr/sbin/sendmail");
    sendmail
        .args(["-C", &scene.config(), "-f", "sender@box.test", recipient])
        .stdin(Stdio::null());
    assert!(sendmail.status().unwrap().success(), "{recipient}");
}

/// What became of every message, once the log says it of all.
fn fates(scene: &Scene, cases: &[Case]) -> BTreeMap<String, Fate> {
    let end = Instant::now() + PATIENCE;
    loop {
        let log = scene.postfix.log();
        let found: BTreeMap<String, Fate> = cases
            .iter()
            .filter_map(|case| Some((case.recipient.clone(), fate(&log, case)?)))
            .collect();
        if found.len() == cases.len() {
            return found;
        }
        assert!(
            Instant::now() < end,
            "{} of {}\n{log}",
            found.len(),
            cases.len()
        );
        thread::sleep(Duration::from_millis(500));
    }
}

fn fate(log: &str, case: &Case) -> Option<Fate> {
    let to = format!("to=<{}>", case.recipient);
    let line = log
        .lines()
        .find(|line| line.contains(&to) && line.contains("status="))?;
    if line.contains("status=deferred") {
        return Some(Fate::Held);
    }
    if line.contains("status=bounced") {
        return Some(Fate::Returned);
    }
    let Server::Sink(sink) = &case.server else {
        // The odd ones speak no TLS.
        return Some(Fate::InClear);
    };
    Some(match sink.delivered().pop()?.tls {
        Some(_) => Fate::UnderTls,
        None => Fate::InClear,
    })
}

#[test]
fn what_is_suggested_works_and_why_nothing_stronger_is_said() {
    let chains = Chains::new();
    let peers = [
        Peer::Cleartext,
        Peer::SelfSigned,
        Peer::Trusted,
        Peer::WrongName,
        Peer::Wildcard,
    ];
    let sinks = peers.map(|peer| chains.sink(peer));
    let scene = scene(&[], &chains);
    let strongest = |sink: &Sink, policy: &str| {
        let hop = format!("[127.0.0.1]:{}", sink.address().port());
        let ran = scene.run(&["policy", "check", &hop, "--policy", policy]);
        (
            ran.json["checked"][0]["preflight"]["strongest"].clone(),
            ran,
        )
    };
    let wanted = [
        "may",
        "encrypt",
        &format!("secure match={NAME}"),
        "secure match=other.peer.test",
        "secure match=.peer.test",
    ];
    for (sink, wanted) in sinks.iter().zip(wanted) {
        let (seen, _) = strongest(sink, "secure match=no.test");
        assert_eq!(seen["policy"], *wanted, "{seen:#}");
        for one in seen["stronger"].as_array().unwrap() {
            assert!(one["why"].as_str().unwrap().ends_with('.'), "{one}");
        }
        // It works, and the one that was asked for does not.
        let (again, ran) = strongest(sink, wanted);
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert_eq!(again["policy"], *wanted);
        let (_, ran) = strongest(sink, "secure match=no.test");
        assert_eq!(ran.exit, Some(2), "{ran:#?}");
    }
}
