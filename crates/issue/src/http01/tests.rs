//! The answerer over real sockets, the child's protocol, and webroots that try to lead astray.

use super::*;
use crate::{Bounds, Solver};
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const LIFE: Duration = Duration::from_secs(120);

fn challenge(token: &str) -> Challenge {
    Challenge {
        name: "mx.example.com".into(),
        token: token.into(),
        key_authorization: format!("{token}.print"),
        dns_value: "value".into(),
    }
}

fn ask(server: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // It may have answered and left before a long request was sent whole.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn get(server: SocketAddr, token: &str) -> String {
    ask(
        server,
        format!("GET {PREFIX}{token} HTTP/1.1\r\nHost: mx\r\n\r\n").as_bytes(),
    )
}

#[test]
fn only_the_token_is_answered_and_only_while_the_order_lasts() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let mut listener = Http01Listener::start(socket, LIFE);
    assert!(get(server, "abc").starts_with("HTTP/1.1 404 "));
    listener.present(&challenge("abc"), &bounds).unwrap();
    let answer = get(server, "abc");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nabc.print"), "{answer}");
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "POST /.well-known/acme-challenge/abc HTTP/1.1\r\n\r\n",
        "HEAD /.well-known/acme-challenge/abc HTTP/1.1\r\n\r\n",
        "GET /.well-known/acme-challenge/../acme-challenge/abc HTTP/1.1\r\n\r\n",
        "GET /.well-known/acme-challenge/abd HTTP/1.1\r\n\r\n",
        "GET /.well-known/acme-challenge/abc\r\n\r\n",
        "\r\n\r\n",
        "\u{0}\u{ff}\r\n\r\n",
    ] {
        assert!(
            ask(server, request.as_bytes()).starts_with("HTTP/1.1 404 "),
            "{request:?}"
        );
    }
    listener.clean_up(&challenge("abc"), &bounds).unwrap();
    assert!(get(server, "abc").starts_with("HTTP/1.1 404 "));
    drop(listener);
    assert!(TcpStream::connect(server).is_err());
}

#[test]
fn slow_and_endless_clients_keep_nobody_waiting() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let mut listener = Http01Listener::start(socket, LIFE);
    listener.present(&challenge("abc"), &bounds).unwrap();
    let slow: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(server).unwrap())
        .collect();
    let endless = vec![b'a'; 1 << 20];
    assert!(!ask(server, &endless).contains("200"));
    assert!(get(server, "abc").contains("200 OK"));
    drop(slow);
}

#[test]
fn a_token_that_is_no_token_is_refused() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let folder = tempfile::tempdir().unwrap();
    let mut webroot = Webroot::new(folder.path());
    for token in [
        "",
        "../../etc/passwd",
        "a/b",
        "a b",
        "a\nadd",
        "ä",
        &"a".repeat(2000),
    ] {
        let error = webroot.present(&challenge(token), &bounds).unwrap_err();
        assert_eq!(error.code(), "acme.unusable", "{token:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_child_answers_what_its_parent_says_and_ends_with_it() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let (commands, to_child) = std::io::pipe().unwrap();
    let (from_child, replies) = std::io::pipe().unwrap();
    let child =
        std::thread::spawn(move || serve_commands(socket, BufReader::new(commands), replies, LIFE));
    let mut solver = CommandSolver::new(to_child, BufReader::new(from_child));
    solver.present(&challenge("abc"), &bounds).unwrap();
    assert!(get(server, "abc").ends_with("abc.print"));
    solver.clean_up(&challenge("abc"), &bounds).unwrap();
    assert!(get(server, "abc").contains("404"));
    drop(solver);
    child.join().unwrap().unwrap();
}

#[test]
fn a_child_that_ended_is_an_error_and_nonsense_ends_it() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    for nonsense in ["add one\n", "sing\n", &"a".repeat(10_000)] {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let input = std::io::Cursor::new(nonsense.to_owned());
        serve_commands(socket, input, std::io::sink(), LIFE).unwrap();
    }
    let mut solver = CommandSolver::new(Vec::new(), std::io::empty());
    let error = solver.present(&challenge("abc"), &bounds).unwrap_err();
    assert_eq!(error.code(), "http01.listener");
}

#[test]
fn a_webroot_shows_the_token_and_is_left_as_it_was() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let folder = tempfile::tempdir().unwrap();
    let mut webroot = Webroot::new(folder.path());
    webroot.present(&challenge("abc"), &bounds).unwrap();
    webroot.present(&challenge("def"), &bounds).unwrap();
    let tokens = folder.path().join(".well-known/acme-challenge");
    assert_eq!(fs::read(tokens.join("abc")).unwrap(), b"abc.print");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&tokens), mode(&tokens.join("abc"))), (0o755, 0o644));
    assert_eq!(fs::read_dir(&tokens).unwrap().count(), 2);
    // Again, as after a crash.
    webroot.present(&challenge("abc"), &bounds).unwrap();
    webroot.clean_up(&challenge("abc"), &bounds).unwrap();
    assert!(tokens.join("def").exists());
    webroot.clean_up(&challenge("def"), &bounds).unwrap();
    webroot.clean_up(&challenge("def"), &bounds).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // What was there before stays.
    fs::create_dir_all(&tokens).unwrap();
    let mut webroot = Webroot::new(folder.path());
    webroot.present(&challenge("abc"), &bounds).unwrap();
    webroot.clean_up(&challenge("abc"), &bounds).unwrap();
    assert!(tokens.exists());
}

#[test]
fn a_webroot_is_never_left_by_a_symbolic_link() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let outside = tempfile::tempdir().unwrap();
    let links = [".well-known", ".well-known/acme-challenge"];
    for (link, target) in links.iter().flat_map(|link| [(link, "abs"), (link, "rel")]) {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        let name = outside.path().file_name().unwrap();
        match target {
            "abs" => symlink(outside.path(), &at).unwrap(),
            _ if *link == ".well-known" => symlink(format!("../{}", name.display()), &at).unwrap(),
            _ => symlink(format!("../../{}", name.display()), &at).unwrap(),
        }
        let error = Webroot::new(folder.path()).present(&challenge("abc"), &bounds);
        assert_eq!(
            error.unwrap_err().code(),
            "http01.webroot-outside",
            "{link} {target}"
        );
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }
    // Within it a link is the administrator's business, and so is the webroot itself.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("real/tokens")).unwrap();
    fs::create_dir(folder.path().join("real/.well-known")).unwrap();
    symlink(
        "../tokens",
        folder.path().join("real/.well-known/acme-challenge"),
    )
    .unwrap();
    symlink("real", folder.path().join("www")).unwrap();
    let mut webroot = Webroot::new(&folder.path().join("www"));
    webroot.present(&challenge("abc"), &bounds).unwrap();
    assert!(folder.path().join("real/tokens/abc").exists());
    let missing = Webroot::new(&folder.path().join("none")).present(&challenge("abc"), &bounds);
    assert_eq!(missing.unwrap_err().code(), "http01.webroot");
}
