//! Policies by servers: each in a row of its own towards a server of its own, what `policy check`
//! says of it beside what smtp(8) does.

use crate::letters::{self, Fate, Letter, lines, submit};
use crate::peers::{Chains, Peer};
use crate::scene::Scene;
use postseal_probe::Sink;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
/// smtp(8) and the check wait as long for a server.
const LOOK: &str = "4";

/// A server that mail is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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

/// A policy towards a server.
pub(crate) struct Case {
    pub(crate) row: &'static str,
    pub(crate) kind: Kind,
    /// None where the server is an odd one.
    sink: Vec<Sink>,
    pub(crate) nexthop: String,
    pub(crate) recipient: String,
}

/// Every row towards every kind of server; the addresses are 127.`net`.x.y.
pub(crate) fn cases(chains: &Chains, net: u8, rows: &[&'static str], kinds: &[Kind]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (r, row) in (0_u8..).zip(rows) {
        for (k, kind) in (0_u8..).zip(kinds) {
            let address: SocketAddr = (Ipv4Addr::new(127, net, r, k + 1), 0).into();
            let (sink, at) = match kind {
                Kind::Sink(peer) => {
                    let sink = chains.sink_at(*peer, address);
                    let at = sink.address();
                    (vec![sink], at)
                }
                odd => (Vec::new(), play(*odd, address)),
            };
            cases.push(Case {
                row,
                kind: *kind,
                sink,
                nexthop: format!("[{}]:{}", at.ip(), at.port()),
                recipient: format!("user@r{r}k{k}.test"),
            });
        }
    }
    cases
}

/// What became of the mail of each case.
pub(crate) fn fates(scene: &Scene, cases: &[Case]) -> Vec<Fate> {
    let letters: Vec<Letter<'_>> = cases
        .iter()
        .map(|case| Letter {
            recipient: &case.recipient,
            sinks: &case.sink,
        })
        .collect();
    for letter in &letters {
        submit(scene, letter.recipient);
    }
    letters::fates(scene, &letters, PATIENCE)
}

/// Fails where `policy check` says something else than becomes of the mail.
pub(crate) fn must_agree(scene: &Scene, cases: &[Case]) {
    let mut words = vec!["policy", "check", "--timeout", LOOK];
    words.extend(cases.iter().map(|case| case.nexthop.as_str()));
    let ran = scene.run(&words);
    assert!(matches!(ran.exit, Some(0 | 2)), "{ran:?}");
    let checked = ran.json["checked"].as_array().unwrap();
    assert_eq!(checked.len(), cases.len());
    let mut wrong = Vec::new();
    for ((case, said), fate) in cases.iter().zip(checked).zip(fates(scene, cases)) {
        let said = &said["preflight"];
        if !said.is_null() {
            assert_eq!(said["nexthop"], case.nexthop.as_str());
        }
        if !agrees(case, said, fate) {
            let log = lines(&scene.postfix.log(), &case.recipient);
            let Case { row, kind, .. } = case;
            wrong.push(format!("{row} towards {kind:?}: {fate:?}\n{said:#}\n{log}"));
        }
    }
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} wrong\n{}", wrong.join("\n"));
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

/// A Postfix that sends each recipient's mail to a server of its own. In rows `{self}` is the
/// fingerprint of the server that signs its own certificate, `{tafile}` the CA's file as a process
/// in the jail names it, `{outside}` one that it does not see.
pub(crate) fn scene(cases: &[Case], chains: &Chains, main: &[(&str, &str)]) -> Scene {
    let builder = PostfixBox::builder()
        .set("default_transport", "smtp")
        .set("smtp_tls_fingerprint_digest", "sha256")
        .set("smtp_tls_CAfile", "{base}/config/ca.pem")
        .set("smtp_connect_timeout", LOOK)
        .set("smtp_helo_timeout", LOOK)
        .set("transport_maps", "texthash:{base}/config/transport")
        .set("smtp_tls_policy_maps", "texthash:{base}/config/policy");
    let set = main.iter();
    let scene =
        Scene::stopped(set.fold(builder, |builder, (name, value)| builder.set(name, value)));
    let config = scene.postfix.config_directory();
    fs::write(config.join("ca.pem"), &chains.ca).unwrap();
    // A process in the jail sees the one, and not the other.
    let outside = config.join("ca.pem").display().to_string();
    let inside = scene.postfix.queue_directory().join("anchors.pem");
    fs::write(inside, &chains.ca).unwrap();
    let (mut transport, mut policy) = (String::new(), String::new());
    for case in cases {
        let domain = case.recipient.split_once('@').unwrap().1;
        let row = case
            .row
            .replace("{tafile}", "/anchors.pem")
            .replace("{outside}", &outside)
            .replace("{self}", &chains.fingerprint);
        transport.push_str(&format!("{domain} smtp:{}\n", case.nexthop));
        policy.push_str(&format!("{} {}\n", case.nexthop, row));
    }
    fs::write(config.join("transport"), transport).unwrap();
    fs::write(config.join("policy"), policy).unwrap();
    scene.postfix.start().unwrap();
    scene
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
