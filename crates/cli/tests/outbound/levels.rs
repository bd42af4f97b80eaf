//! Every level towards every kind of peer: what becomes of the mail is what `explain` promised.

use crate::peers::{Chains, Peer};
use crate::scene::Scene;
use postseal_probe::Sink;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);

const PEERS: [Peer; 5] = [
    Peer::Cleartext,
    Peer::SelfSigned,
    Peer::Trusted,
    Peer::WrongName,
    Peer::Expired,
];

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    UnderTls,
    InClear,
    Held,
}

/// What a level, as `explain` names it, promises towards a peer (TLS_README; RFC 7672 §2.2).
fn promise(level: Option<&str>, row: &str, peer: Peer) -> Fate {
    let offers = peer != Peer::Cleartext;
    let kept = match level {
        None => return Fate::Held,
        Some("none") => return Fate::InClear,
        Some("may") => {
            return if offers {
                Fate::UnderTls
            } else {
                Fate::InClear
            };
        }
        Some("encrypt") => offers,
        Some("fingerprint") => peer == Peer::SelfSigned && row.contains("match={self}"),
        Some("verify" | "secure") => peer == Peer::Trusted,
        Some(other) => panic!("{other} has no place in this story"),
    };
    if kept { Fate::UnderTls } else { Fate::Held }
}

const ROWS: [&str; 13] = [
    "none",
    "may",
    "encrypt",
    "encrypt protocols=>=TLSv1.2 ciphers=high",
    "fingerprint match={self}",
    "fingerprint match=AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99",
    "verify match=mx.peer.test",
    "secure match=mx.peer.test",
    "secure match=mx.peer.test tafile={in the jail}",
    "secure match=mx.peer.test tafile={outside of it}",
    "dane",
    "dane-only",
    "encrypt mach=x",
];

/// One row towards one peer.
struct Case {
    row: &'static str,
    peer: Peer,
    sink: Sink,
    recipient: String,
    nexthop: String,
}

#[test]
fn what_becomes_of_mail_is_what_explain_says_for_every_level_and_peer() {
    let chains = Chains::new();
    let mut cases = Vec::new();
    for (r, row) in ROWS.into_iter().enumerate() {
        for (p, peer) in PEERS.into_iter().enumerate() {
            let sink = chains.sink(peer);
            cases.push(Case {
                row,
                peer,
                recipient: format!("user@r{r}p{p}.test"),
                nexthop: format!("[127.0.0.1]:{}", sink.address().port()),
                sink,
            });
        }
    }
    let scene = scene(&cases, &chains);
    for case in &cases {
        submit(&scene, &case.recipient);
    }
    let fates = fates(&scene, &cases);
    let mut table = String::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let said = scene.run(&["--json", "explain", &case.recipient]);
        let hop = &said.json["hops"][0];
        assert_eq!(hop["nexthop"], case.nexthop.as_str(), "{}", said.stdout);
        let promised = promise(hop["level"].as_str(), case.row, case.peer);
        let fate = fates[&case.recipient];
        table.push_str(&format!("{:?}\t{:?}\t{}\n", case.peer, fate, case.row));
        if fate != promised {
            wrong.push(format!(
                "{} towards {:?}: {fate:?}, promised {promised:?} ({})\n{}",
                case.row,
                case.peer,
                hop["level"],
                lines(&scene, &case.recipient)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
}

/// A Postfix that sends each recipient's mail to a peer of its own.
fn scene(cases: &[Case], chains: &Chains) -> Scene {
    let scene = Scene::stopped(
        PostfixBox::builder()
            .set("default_transport", "smtp")
            .set("smtp_host_lookup", "native")
            .set("smtp_dns_support_level", "enabled")
            .set("smtp_tls_fingerprint_digest", "sha256")
            .set("smtp_tls_CAfile", "{base}/config/ca.pem")
            .set("smtp_tls_loglevel", "1")
            .set("transport_maps", "texthash:{base}/config/transport")
            .set("smtp_tls_policy_maps", "texthash:{base}/config/policy"),
    );
    let config = scene.postfix.config_directory();
    fs::write(config.join("ca.pem"), &chains.ca).unwrap();
    let outside = config.join("other.pem").display().to_string();
    fs::write(&outside, &chains.ca).unwrap();
    // As the process sees it that runs in the jail.
    fs::create_dir_all(scene.postfix.queue_directory().join("anchors")).unwrap();
    let inside = scene.postfix.queue_directory().join("anchors/ca.pem");
    fs::write(inside, &chains.ca).unwrap();
    let (mut transport, mut policy) = (String::new(), String::new());
    for case in cases {
        let domain = case.recipient.split_once('@').unwrap().1;
        let row = case
            .row
            .replace("{in the jail}", "/anchors/ca.pem")
            .replace("{outside of it}", &outside)
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
        let found: BTreeMap<String, Fate> = cases
            .iter()
            .filter_map(|case| Some((case.recipient.clone(), fate(scene, case)?)))
            .collect();
        if found.len() == cases.len() {
            return found;
        }
        assert!(
            Instant::now() < end,
            "{} of {}\n{}",
            found.len(),
            cases.len(),
            scene.postfix.log()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn fate(scene: &Scene, case: &Case) -> Option<Fate> {
    let log = lines(scene, &case.recipient);
    if log.contains("status=deferred") || log.contains("status=bounced") {
        return Some(Fate::Held);
    }
    // The peer says how it came, not the log.
    let message = case.sink.delivered().pop()?;
    Some(match message.tls {
        Some(_) => Fate::UnderTls,
        None => Fate::InClear,
    })
}

fn lines(scene: &Scene, recipient: &str) -> String {
    let log = scene.postfix.log();
    let of = log
        .lines()
        .filter(|line| line.contains(&format!("to=<{recipient}>")));
    of.collect::<Vec<_>>().join("\n")
}
