//! Scratch instances of a real Postfix.

use postseal_host::{Host, HostError, HostOptions, PostfixHost, Scratch, Staged};
use postseal_planner::plan::Cf;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn host(made: &PostfixBox) -> PostfixHost {
    PostfixHost::new(HostOptions {
        lock_directory: made.path().join("lock"),
        ..HostOptions::new(made.config_directory())
    })
    .unwrap()
}

fn staged(host: &PostfixHost) -> Staged {
    let look = host.look().unwrap();
    Staged {
        main_cf: look.main_cf.bytes,
        master_cf: look.master_cf.bytes,
        private: BTreeMap::new(),
        transports: BTreeMap::new(),
    }
}

/// A key with a self-signed certificate, key first.
fn chain(folder: &Path) -> Vec<u8> {
    let (key, cert) = (folder.join("key.pem"), folder.join("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args(["-subj", "/CN=mx.box.test", "-days", "2", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    [std::fs::read(key).unwrap(), std::fs::read(cert).unwrap()].concat()
}

/// Says EHLO and STARTTLS; the server's last answer.
fn starttls(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = answer(&mut stream);
    for line in ["EHLO client.test\r\n", "STARTTLS\r\n"] {
        stream.write_all(line.as_bytes()).unwrap();
        answer = self::answer(&mut stream);
    }
    answer
}

fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|length| length == 1) {
        text.push(byte[0]);
        let line = text.split(|b| *b == b'\n').rev().nth(1);
        if byte[0] == b'\n' && line.is_some_and(|line| line.get(3) == Some(&b' ')) {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn handshake(address: SocketAddr) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-brief", "-connect"])
        .arg(address.to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn text(scratch: &dyn Scratch) -> String {
    String::from_utf8_lossy(&scratch.log()).into_owned()
}

#[test]
fn a_good_configuration_completes_a_handshake_and_leaves_nothing() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let mut staged = staged(&host);
    staged.main_cf.extend_from_slice(
        b"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/postseal-test/mx.pem\n",
    );
    staged.private.insert(
        "/etc/postseal-test/mx.pem".into(),
        chain(made.path()).into(),
    );
    let scratch = host.rehearse(&staged).unwrap();
    let address = scratch.endpoints()["smtp/inet"];
    assert!(address.ip().is_loopback());
    let shown = handshake(address);
    assert!(shown.contains("Protocol version: TLSv1.3"), "{shown}");
    assert!(shown.contains("CN = mx.box.test"), "{shown}");
    assert!(!text(&*scratch).contains("warning"), "{}", text(&*scratch));
    assert!(
        scratch.not_rehearsed().is_empty(),
        "{:?}",
        scratch.not_rehearsed()
    );
    scratch.stop().unwrap();
    assert_no_scratch(&made);
}

fn assert_no_scratch(made: &PostfixBox) {
    let left: Vec<_> = std::fs::read_dir(made.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with("postseal-scratch-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(made.processes().is_empty());
}

#[test]
fn a_configuration_that_postfix_cannot_read_says_so() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let mut staged = staged(&host);
    staged.main_cf.extend_from_slice(b"no equals sign\n");
    let error = host.rehearse(&staged).map(drop).unwrap_err();
    let HostError::Scratch { reason, .. } = &error else {
        panic!("{error}")
    };
    assert!(reason.contains("missing '='"), "{reason}");
    assert_no_scratch(&made);
}

#[test]
fn between_two_renames() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let staged = staged(&host);
    let mut scratch = host.rehearse(&staged).unwrap();
    let address = scratch.endpoints()["smtp/inet"];
    assert!(!starttls(address).starts_with("220"));
    let mut main_cf = staged.main_cf.clone();
    main_cf.extend_from_slice(b"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /nowhere\n");
    scratch.replace(Cf::Main, &main_cf).unwrap();
    scratch.reload().unwrap();
    assert_eq!(scratch.endpoints()["smtp/inet"], address);
    let said = starttls(address);
    assert!(said.starts_with("454 4.7.0 TLS not available"), "{said}");
    assert!(text(&*scratch).contains("/nowhere"), "{}", text(&*scratch));
}
