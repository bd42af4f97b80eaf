//! Bounds: of bodies, of heads, of time, of places to listen.

use crate::served::Served;
use crate::wire::Ask;
use postseal_console::{Console, Options};
use postseal_store::desk::Role;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_body_beyond_its_bound_is_refused_on_every_route() {
    let served = Served::new();
    let session = served.signed_in(Role::Admin);
    let token = served.form_token(&session);
    let large = "x".repeat(65 * 1024);
    for path in ["/sign-in", "/welcome/x", "/smtp-tls", "/api/v1/jobs"] {
        let ask = Ask::form(path, &[]).cookie(&session).by_page(served.at);
        let answer = served.ask(&ask.with("x-form-token", &token).body(&large));
        assert_eq!(answer.status, 413, "{path}");
    }
}

#[test]
fn a_head_beyond_its_bound_is_refused() {
    let served = Served::new();
    let ask = Ask::get("/sign-in").with("x-much", &"x".repeat(300 * 1024));
    let mut stream = ask.open(served.at);
    let mut answer = Vec::new();
    // It may be cut off in the middle of being sent.
    let _cut = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

#[test]
fn who_sends_a_head_forever_is_hung_up_on() {
    let served = Served::new();
    let mut stream = TcpStream::connect(served.at).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(40)))
        .unwrap();
    stream
        .write_all(b"GET /sign-in HTTP/1.1\r\nhost: loc")
        .unwrap();
    let mut rest = Vec::new();
    // Without a deadline this read would time out, which is an error.
    stream.read_to_end(&mut rest).unwrap();
    // Others are served meanwhile and after.
    assert_eq!(served.ask(&Ask::get("/sign-in")).status, 200);
}

#[test]
fn a_request_that_could_be_two_is_refused() {
    let served = Served::new();
    let mut stream = TcpStream::connect(served.at).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(40)))
        .unwrap();
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {}\r\norigin: http://{}\r\ncontent-length: 5\r\ncontent-length: 60\r\n\r\n",
        served.at, served.at
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .write_all(b"a=b&cGET /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("HTTP/1.1 400"), "{rest}");
    assert_eq!(rest.matches("HTTP/1.1").count(), 1, "{rest}");
}

#[test]
fn it_listens_to_this_machine_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let opened = Console::open(Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        desk: folder.path().to_owned(),
        instance: "/etc/postfix".to_owned(),
        hosts: Vec::new(),
    });
    let refused = opened.err().map(|error| error.code());
    assert_eq!(refused, Some("console.exposed"));
}

#[test]
fn it_ends_when_it_is_told_to() {
    let folder = tempfile::TempDir::new().unwrap();
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = free.local_addr().unwrap();
    drop(free);
    let options = Options {
        listen: at,
        desk: folder.path().to_owned(),
        instance: "/etc/postfix".to_owned(),
        hosts: Vec::new(),
    };
    let serving = std::thread::spawn(move || postseal_console::serve(options));
    while TcpStream::connect(at).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Whoever is answered knows that signals are waited for.
    assert_eq!(Ask::get("/sign-in").send(at).status, 200);
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::TERM).unwrap();
    serving.join().unwrap().unwrap();
    assert!(TcpStream::connect(at).is_err());
}
