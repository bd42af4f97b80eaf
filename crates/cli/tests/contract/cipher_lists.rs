//! `show --cipher-list` against handshakes: what a real smtpd(8) accepts and refuses, suite by suite and
//! version by version, and what a real smtp(8) offers.

use crate::scene::{Scene, run};
use mailtls::TlsVersion;
use postseal_probe::suites;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const STEP: usize = 4;
const WORKERS: usize = 6;
const OLD: [TlsVersion; 3] = [TlsVersion::Tls1_0, TlsVersion::Tls1_1, TlsVersion::Tls1_2];
/// Everything, with and without encryption and certificate.
const EVERYTHING: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

/// Servers by port; `{f}` is the folder of the certificates.
const SERVERS: [(u16, &str); 8] = [
    (25, ""),
    (
        587,
        "-o smtpd_tls_security_level=encrypt -o smtpd_tls_mandatory_ciphers=high \
           -o smtpd_tls_mandatory_exclude_ciphers=aNULL,kRSA -o smtpd_tls_exclude_ciphers=CAMELLIA",
    ),
    (2601, "-o smtpd_tls_cert_file=none"),
    (
        2602,
        "-o smtpd_tls_ask_ccert=yes -o smtpd_tls_protocols=!TLSv1.1",
    ),
    (
        2603,
        "-o smtpd_tls_eccert_file={f}/ec.pem -o smtpd_tls_eckey_file={f}/ec.key",
    ),
    (
        2604,
        "-o smtpd_tls_cert_file={f}/ec.pem -o smtpd_tls_key_file={f}/ec.key \
            -o tls_medium_cipherlist=ECDHE:AES256-SHA -o smtpd_tls_protocols=TLSv1.2",
    ),
    (2605, "-o smtpd_tls_ciphers=null"),
    (2606, "-o tls_medium_cipherlist=HIGH:@SECLEVEL=2"),
];

fn scene() -> Scene {
    let scene = Scene::stopped(PostfixBox::builder().set("smtpd_tls_security_level", "may"));
    let folder = scene.folder().display().to_string();
    scene.edit("main.cf", |main| {
        main + &format!(
            "smtpd_tls_cert_file = {folder}/rsa.pem\nsmtpd_tls_key_file = {folder}/rsa.key\n"
        )
    });
    scene.edit("master.cf", |master| {
        let kept = master
            .lines()
            .filter(|line| !line.starts_with("smtp ") || !line.contains("inet"));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        let service = |(port, options): &(u16, &str)| {
            format!(
                "{port} inet n - n - - smtpd {}\n",
                options.replace("{f}", &folder)
            )
        };
        kept + &SERVERS.iter().map(service).collect::<String>()
    });
    scene.postfix.start().unwrap();
    scene
}

/// The only use of a service.
fn shown(scene: &Scene, port: u16) -> Value {
    let json = scene
        .run(&["show", "--cipher-list", "--service", &port.to_string()])
        .json;
    assert_eq!(json["uses"].as_array().unwrap().len(), 1, "{json:#}");
    json["uses"][0].clone()
}

fn listed(shown: &Value, version: TlsVersion) -> BTreeSet<String> {
    let suites = shown["suites"][version.name()]
        .as_array()
        .into_iter()
        .flatten();
    suites.map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Whether a handshake by `openssl s_client` succeeds.
fn shakes(address: SocketAddr, words: &[&str]) -> bool {
    let status = Command::new("openssl")
        .args([
            "s_client",
            "-starttls",
            "smtp",
            "-connect",
            &address.to_string(),
        ])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap().success()
}

fn flag(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls1_0 => "-tls1",
        TlsVersion::Tls1_1 => "-tls1_1",
        TlsVersion::Tls1_2 => "-tls1_2",
        _ => "-tls1_3",
    }
}

/// Which of these suites a server takes, each offered alone.
fn accepted(address: SocketAddr, version: TlsVersion, all: &[String]) -> BTreeSet<String> {
    let queue = Mutex::new(all.iter());
    let taken = Mutex::new(BTreeSet::new());
    let work = || {
        loop {
            let next = queue.lock().unwrap().next();
            let Some(suite) = next else { return };
            let cipher = format!("{suite}:@SECLEVEL=0");
            if shakes(address, &[flag(version), "-cipher", &cipher]) {
                taken.lock().unwrap().insert(suite.clone());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(work);
        }
    });
    taken.into_inner().unwrap()
}

#[test]
fn a_server_takes_the_suites_that_are_listed_and_no_others() {
    let scene = scene();
    let mut count = 0;
    for (turn, (port, options)) in SERVERS.into_iter().enumerate() {
        let (shown, address) = (shown(&scene, port), scene.postfix.at(port));
        for version in OLD {
            // Others at each server: all of them at some.
            let all = suites(EVERYTHING, version, 0).unwrap();
            let some: Vec<String> = all.into_iter().skip(turn % STEP).step_by(STEP).collect();
            assert!(some.len() > 5, "{version}: {some:?}");
            let accepted = accepted(address, version, &some);
            let place = format!("{port} {options} {version}");
            let mut listed = listed(&shown, version);
            listed.retain(|suite| some.contains(suite));
            assert_eq!(listed, accepted, "{place}: {}", shown["list"]);
            count += accepted.len();
        }
        let newest = listed(&shown, TlsVersion::Tls1_3);
        let shaken = shakes(address, &[flag(TlsVersion::Tls1_3)]);
        assert_eq!(!newest.is_empty(), shaken, "{port} {options}: {newest:?}");
    }
    assert!(count > 40, "{count}");
}

#[test]
fn a_list_that_leaves_nothing_ends_with_2_and_says_why() {
    let scene = scene();
    scene.edit("main.cf", |main| {
        main + "smtpd_tls_exclude_ciphers = !RC4\n"
    });
    let said = scene.say(&["show", "--cipher-list", "--service", "25"]);
    assert_eq!(said.exit, Some(2), "{said:#?}");
    assert!(
        said.stdout.contains("Postfix refuses the exclusion !RC4"),
        "{said:#?}"
    );
    assert!(!shakes(scene.postfix.at(25), &["-tls1_2"]));
}

/// Codes of suites, by `openssl ciphers -V`.
fn codes() -> BTreeMap<[u8; 2], String> {
    let text = run("openssl", &["ciphers", "-V", "ALL:COMPLEMENTOFALL"]);
    let code = |line: &str| {
        let (code, rest) = line.trim().split_once(" - ")?;
        let mut bytes = code
            .split(',')
            .map(|byte| u8::from_str_radix(&byte[2..], 16).unwrap());
        let code = [bytes.next()?, bytes.next()?];
        Some((code, rest.split_whitespace().next()?.to_owned()))
    };
    text.lines().filter_map(code).collect()
}

/// Takes one connection up to the ClientHello; its suites, in order (RFC 8446 §4.1.2).
fn hello(listener: &TcpListener) -> Vec<[u8; 2]> {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut out = stream.try_clone().unwrap();
    let mut input = BufReader::new(stream);
    out.write_all(b"220 peer.test ESMTP\r\n").unwrap();
    loop {
        let mut line = String::new();
        assert!(input.read_line(&mut line).unwrap() > 0, "it left");
        match line.trim_end() {
            "STARTTLS" => break,
            word if word.starts_with("EHLO") => {
                out.write_all(b"250-peer.test\r\n250 STARTTLS\r\n").unwrap();
            }
            word => panic!("{word}"),
        }
    }
    out.write_all(b"220 go\r\n").unwrap();
    let mut head = [0; 5];
    input.read_exact(&mut head).unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    input.read_exact(&mut body).unwrap();
    // Handshake header 4, version 2, random 32, session id.
    let at = 38 + 1 + usize::from(body[38]);
    let length = usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    let suites = &body[at + 2..at + 2 + length];
    suites
        .chunks_exact(2)
        .map(|code| [code[0], code[1]])
        .collect()
}

#[test]
fn a_client_offers_the_suites_that_are_listed_in_their_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let scene = Scene::bare(
        PostfixBox::builder()
            .set("default_transport", "smtp")
            .set("transport_maps", "")
            .set("relayhost", &format!("[127.0.0.1]:{port}"))
            .set("smtp_tls_exclude_ciphers", "CAMELLIA, SEED")
            .set("smtp_tls_mandatory_ciphers", "high")
            .set("smtp_tls_mandatory_protocols", ">=TLSv1.1"),
    );
    let codes = codes();
    for (turn, level) in ["may", "encrypt", "verify"].into_iter().enumerate() {
        scene.edit("main.cf", |main| {
            format!("{main}smtp_tls_security_level = {level}\n")
        });
        run("/usr/sbin/postfix", &["-c", &scene.config(), "reload"]);
        let recipient = format!("a{turn}@peer.test");
        run(
            "/usr/sbin/sendmail",
            &["-C", &scene.config(), "-f", "b@box.test", &recipient],
        );
        let offered = hello(&listener);
        let offered: Vec<&str> = offered
            .iter()
            .filter_map(|code| Some(codes.get(code)?.as_str()))
            .collect();
        let json = scene
            .run(&["show", "--cipher-list", "--service", "smtp/unix"])
            .json;
        let uses = json["uses"].as_array().unwrap();
        let in_force: Vec<&Value> = uses
            .iter()
            .filter(|one| one["standing"] == "in-force")
            .collect();
        assert_eq!(in_force.len(), 1, "{json:#}");
        assert_eq!(in_force[0]["level"], level);
        let suites = |kind: &str, version: &str| -> Vec<String> {
            let list = in_force[0][kind][version].as_array().into_iter().flatten();
            list.map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let expected = [suites("suites", "TLSv1.3"), suites("suites", "TLSv1.2")].concat();
        assert_eq!(offered, expected, "{level}");
        // Offered to servers that are older, and then refused for their signature.
        let fits = |suite: &String| suite == "AES256-SHA";
        assert!(
            suites("suites", "TLSv1.1").iter().any(fits),
            "{level}: {json:#}"
        );
        assert_eq!(
            suites("unsigned", "TLSv1.1").is_empty(),
            level != "verify",
            "{level}"
        );
        // It is sent no more.
        run("/usr/sbin/postsuper", &["-c", &scene.config(), "-d", "ALL"]);
    }
}
