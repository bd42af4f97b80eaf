//! Dynamic updates against a real name server, good and refused.

use crate::scene::{ZONE, bounds, short, tsig};
use postseal_issue::dns01::{DynamicUpdate, TsigAlgorithm};
use postseal_issue::{Bounds, Challenge, Solver, SolverError};
use postseal_testkit::dns_server::DnsServer;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn challenge(name: &str) -> Challenge {
    Challenge {
        name: name.into(),
        token: "token".into(),
        key_authorization: "token.print".into(),
        dns_value: "the-value".into(),
    }
}

fn server() -> DnsServer {
    DnsServer::start(ZONE, Ipv4Addr::LOCALHOST).unwrap()
}

fn update(dns: &DnsServer, key: &str, secret: &[u8]) -> DynamicUpdate {
    DynamicUpdate {
        server: dns.address(),
        zone: Some(ZONE.into()),
        key: tsig(key, secret),
        secondaries: Vec::new(),
    }
}

fn refusal(update: &mut DynamicUpdate, name: &str, bounds: &Bounds<'_>) -> String {
    match update.present(&challenge(name), bounds).unwrap_err() {
        SolverError::DnsRefused { rcode, .. } => rcode,
        other => other.code().to_owned(),
    }
}

#[test]
fn what_the_server_refuses_is_told_in_its_words() {
    let dns = server();
    let known = dns.secret();
    let refused = |key: &str, secret: &[u8], name: &str| {
        refusal(&mut update(&dns, key, secret), name, &bounds())
    };
    assert_eq!(refused("unknown", known, "mx.mail.test"), "BADKEY");
    assert_eq!(
        refused(DnsServer::KEY_NAME, b"guess", "mx.mail.test"),
        "BADSIG"
    );
    // Knot DNS does not tell an unknown key from one that may not.
    assert_eq!(
        refused(DnsServer::POWERLESS_KEY_NAME, known, "mx.mail.test"),
        "BADKEY"
    );
    assert_eq!(
        refused(DnsServer::KEY_NAME, known, "mx.elsewhere.test"),
        "dns01.no-zone"
    );
    assert_eq!(
        refused(DnsServer::KEY_NAME, known, "mx..test"),
        "acme.unusable"
    );
    let mut other_hash = update(&dns, DnsServer::KEY_NAME, known);
    other_hash.key.algorithm = TsigAlgorithm::HmacSha512;
    assert_eq!(
        refusal(&mut other_hash, "mx.mail.test", &bounds()),
        "BADKEY"
    );
    other_hash.key.name = DnsServer::KEY_512_NAME.into();
    other_hash
        .present(&challenge("mx.mail.test"), &bounds())
        .unwrap();
    let flag = AtomicBool::new(false);
    let slow_clock = Bounds::new(1_000_000_000, Duration::from_secs(60), &flag);
    let mut good = update(&dns, DnsServer::KEY_NAME, known);
    assert_eq!(refusal(&mut good, "mx.mail.test", &slow_clock), "BADTIME");
    // Every refusal has a remedy of its own.
    let error = good
        .present(&challenge("mx.mail.test"), &slow_clock)
        .unwrap_err();
    assert!(error.remedy().contains("clocks"), "{}", error.remedy());
    good.present(&challenge("mx.mail.test"), &bounds()).unwrap();
    good.clean_up(&challenge("mx.mail.test"), &bounds())
        .unwrap();
}

#[test]
fn the_zone_is_found_and_a_server_without_it_is_told() {
    let dns = server();
    let mut update = update(&dns, DnsServer::KEY_NAME, dns.secret());
    update.zone = None;
    update
        .present(&challenge("a.b.mail.test"), &bounds())
        .unwrap();
    update
        .clean_up(&challenge("a.b.mail.test"), &bounds())
        .unwrap();
    assert_eq!(
        refusal(&mut update, "mx.elsewhere.test", &bounds()),
        "dns01.no-zone"
    );
    // Only its own value goes: the other is somebody else's.
    let mut other = challenge("mx.mail.test");
    other.dns_value = "another-value".into();
    update
        .present(&challenge("mx.mail.test"), &bounds())
        .unwrap();
    update.present(&other, &bounds()).unwrap();
    update
        .clean_up(&challenge("mx.mail.test"), &bounds())
        .unwrap();
    update.secondaries = vec![dns.address()];
    update.present(&other, &bounds()).unwrap();
}

#[test]
fn a_server_that_is_silent_away_or_never_shows_is_given_up() {
    let dns = server();
    let mut update = update(&dns, DnsServer::KEY_NAME, dns.secret());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    update.secondaries = vec![silent.local_addr().unwrap()];
    let soon = short(Duration::from_secs(2));
    let error = update
        .present(&challenge("mx.mail.test"), &soon)
        .unwrap_err();
    assert_eq!(error.code(), "acme.deadline");
    update.server = silent.local_addr().unwrap();
    let soon = short(Duration::from_secs(1));
    let error = update
        .present(&challenge("mx.mail.test"), &soon)
        .unwrap_err();
    assert_eq!(error.code(), "dns01.unreachable");
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    update.server = nobody;
    let error = update
        .present(&challenge("mx.mail.test"), &bounds())
        .unwrap_err();
    assert_eq!(error.code(), "dns01.unreachable");
    assert!(error.remedy().contains(&nobody.to_string()));
}

/// A server of one answer, made from the request.
fn forger(answer: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut request).unwrap();
            let answer = answer(request);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            let _ = stream.write_all(&[length.as_slice(), &answer].concat());
        }
    });
    address
}

/// An answer of `rcode` to the request, without records.
fn header(request: &[u8], rcode: u8) -> Vec<u8> {
    vec![
        request[0],
        request[1],
        0x80 | 0x28,
        rcode,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]
}

#[test]
fn an_acceptance_is_believed_only_if_the_key_signed_it() {
    let dns = server();
    let mut update = update(&dns, DnsServer::KEY_NAME, dns.secret());
    update.server = forger(|request| header(&request, 0));
    assert_eq!(
        refusal(&mut update, "mx.mail.test", &bounds()),
        "dns01.bad-answer"
    );
    // Its own request, sent back as an answer, is signed, but as a request.
    update.server = forger(|mut request| {
        request[2] |= 0x80;
        request
    });
    assert_eq!(
        refusal(&mut update, "mx.mail.test", &bounds()),
        "dns01.bad-answer"
    );
    update.server = forger(|request| header(&request, 5));
    assert_eq!(refusal(&mut update, "mx.mail.test", &bounds()), "REFUSED");
    update.server = forger(|request| header(&request, 10));
    assert_eq!(refusal(&mut update, "mx.mail.test", &bounds()), "NOTZONE");
    update.server = forger(|request| {
        let mut other = header(&request, 0);
        other[0] ^= 1;
        other
    });
    assert_eq!(
        refusal(&mut update, "mx.mail.test", &bounds()),
        "dns01.bad-answer"
    );
    for garbage in [vec![], vec![0], vec![0xff; 12], vec![0xc0; 60_000]] {
        update.server = forger(move |_| garbage.clone());
        let code = refusal(&mut update, "mx.mail.test", &bounds());
        assert_eq!(code, "dns01.bad-answer");
    }
}

#[test]
fn a_server_that_says_nothing_is_left_as_soon_as_somebody_wants_to_stop() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let dns = server();
    let mut update = DynamicUpdate {
        server: mute.local_addr().unwrap(),
        ..update(&dns, DnsServer::KEY_NAME, dns.secret())
    };
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let theirs = std::sync::Arc::clone(&stop);
    std::thread::spawn(move || {
        // The question has come: now nobody waits for its answer any more.
        let asked = mute.accept();
        theirs.store(true, std::sync::atomic::Ordering::Relaxed);
        std::thread::sleep(Duration::from_secs(60));
        drop(asked);
    });
    let bounds = Bounds::new(crate::scene::now(), Duration::from_secs(60), &stop);
    let stopped = update.present(&challenge("mx.mail.test"), &bounds);
    assert!(
        matches!(stopped, Err(SolverError::Interrupted)),
        "{stopped:?}"
    );
}
