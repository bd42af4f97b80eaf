//! What the tests with a real Postfix share.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use postseal_host::{Host, HostOptions, PostfixHost, Scratch, Staged};
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// `\0ann\0secret` in base64.
pub(crate) const AUTH: &str = "AUTH PLAIN AGFubgBzZWNyZXQ=";

pub(crate) fn host(made: &PostfixBox) -> PostfixHost {
    host_at(made.path())
}

pub(crate) fn host_at(base: &Path) -> PostfixHost {
    PostfixHost::new(HostOptions {
        lock_directory: base.join("lock"),
        ..HostOptions::new(base.join("config"))
    })
    .unwrap()
}

/// The box's own files, with text appended to main.cf.
pub(crate) fn staged(host: &PostfixHost, more: &str) -> Staged {
    let look = host.look().unwrap();
    let mut main_cf = look.main_cf.bytes;
    main_cf.extend_from_slice(more.as_bytes());
    Staged {
        main_cf,
        master_cf: look.master_cf.bytes,
        private: BTreeMap::new(),
        sni_maps: Vec::new(),
        transports: BTreeMap::new(),
    }
}

/// A key with a self-signed certificate for `mx.box.test`, key first.
pub(crate) fn chain(folder: &Path) -> Vec<u8> {
    let (key, cert) = (folder.join("key.pem"), folder.join("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-subj", "/CN=mx.box.test", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    [std::fs::read(key).unwrap(), std::fs::read(cert).unwrap()].concat()
}

/// Says the lines one after another; the server's last answer.
pub(crate) fn say(address: SocketAddr, lines: &[&str]) -> String {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut last = answer(&mut stream);
    for line in lines {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        last = answer(&mut stream);
    }
    last
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

/// What `openssl s_client` shows of a handshake after STARTTLS.
pub(crate) fn handshake(address: SocketAddr) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-brief", "-connect"])
        .arg(address.to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let both = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The scratch instance's log as text.
pub(crate) fn text(scratch: &dyn Scratch) -> String {
    String::from_utf8_lossy(&scratch.log()).into_owned()
}

/// Waits until the log says so.
pub(crate) fn until_logged(scratch: &dyn Scratch, needle: &str) {
    let end = Instant::now() + PATIENCE;
    while !text(scratch).contains(needle) {
        assert!(Instant::now() < end, "no {needle:?} in:\n{}", text(scratch));
        thread::sleep(Duration::from_millis(10));
    }
}

/// The scratch folders of a box.
pub(crate) fn scratch_folders(base: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(base).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("postseal-scratch-"))
        .collect()
}

/// Takes one message without TLS and returns everything the client said.
pub(crate) fn sink() -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taking = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"220 sink ESMTP\r\n").unwrap();
        let mut said = String::new();
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut chunk) {
            said.push_str(&String::from_utf8_lossy(&chunk[..length]));
            let reply: &[u8] = match said.lines().last().unwrap_or_default() {
                "DATA" => b"354 go\r\n",
                "." => b"250 kept\r\n",
                "QUIT" => b"221 bye\r\n",
                _ if said.contains("\nDATA") => continue,
                _ => b"250 ok\r\n",
            };
            stream.write_all(reply).unwrap();
        }
        said
    });
    (address, taking)
}
