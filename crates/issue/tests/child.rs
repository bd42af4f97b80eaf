//! The answerer as another process and another user: this program starts itself again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use postseal_issue::http01::{ListenerChild, serve_as_child};
use postseal_issue::{Bounds, Challenge, Solver};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const LIFE: Duration = Duration::from_secs(120);
const NOBODY: u32 = 65_534;
const NAME: &str = "a_child_of_another_user_answers_and_ends_with_its_parent";

/// What a test runner asks of a program of tests, and the child.
fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|one| one == word);
    if has("serve") {
        serve_as_child(LIFE).unwrap();
    } else if has("--ignored") {
    } else if has("--list") {
        println!("{NAME}: test");
    } else {
        story();
        println!("test {NAME} ... ok");
    }
}

fn story() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, LIFE, &flag);
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("child");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(&program);
    command
        .arg("serve")
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = socket.local_addr().unwrap();
    let mut child = ListenerChild::spawn(&mut command, socket).unwrap_or_else(|error| {
        panic!("{error}: a child of another user needs root");
    });
    let challenge = Challenge {
        name: "mx.example.com".into(),
        token: "abc".into(),
        key_authorization: "abc.print".into(),
        dns_value: "value".into(),
    };
    child.present(&challenge, &bounds).unwrap();
    assert!(get(server).ends_with("abc.print"));
    let status = running(&program).unwrap();
    assert!(status.contains(&format!("Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}")));
    child.clean_up(&challenge, &bounds).unwrap();
    assert!(get(server).starts_with("HTTP/1.1 404 "));
    let began = Instant::now();
    drop(child);
    assert!(began.elapsed() < LIFE && running(&program).is_none());
    assert!(TcpStream::connect(server).is_err());
}

/// The status of the process that runs a program.
fn running(program: &std::path::Path) -> Option<String> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|process| {
            let runs = fs::read_link(process.path().join("exe")).ok()?;
            (runs == program).then(|| fs::read_to_string(process.path().join("status")).ok())?
        })
}

fn get(server: SocketAddr) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(LIFE)).unwrap();
    let request = "GET /.well-known/acme-challenge/abc HTTP/1.1\r\nHost: mx\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
