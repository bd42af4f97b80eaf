//! Bounds: of bodies, of heads, of time, of places to listen.

use crate::served::{HOUR_MS, Served, now, options};
use crate::wire::Ask;
use postseal_console::{Console, Options};
use postseal_store::desk::Role;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_body_beyond_its_bound_is_refused_on_every_route() {
    let (served, session) = Served::to(Role::Admin);
    let token = served.form_token(&session);
    let large = "x".repeat(65 * 1024);
    // A list of rules: 8 MiB, as JSON or a form makes of them.
    let longest = "x".repeat(25 << 20);
    let all = ["/sign-in", "/welcome/x", "/smtp-tls", "/api/v1/users"].map(|path| (path, &large));
    for (path, large) in all.into_iter().chain([("/api/v1/jobs", &longest)]) {
        let ask = Ask::form(path, &[]).cookie(&session).by_page(served.at);
        let answer = served.ask(&ask.with("x-form-token", &token).body(large));
        assert_eq!(answer.status, 413, "{path}");
    }
}

#[test]
fn a_list_of_rules_may_be_long_for_who_may_wish() {
    let (served, token) = Served::to_program(Role::Operator);
    let list = "a.example may\\n".repeat(20_000);
    let task = format!(r#"{{"task": "policy-import", "format": "map", "text": "{list}"}}"#);
    // More at once than are in memory at once.
    std::thread::scope(|scope| {
        let file = || served.call(&token, "POST", "/api/v1/jobs", &task);
        let asked: Vec<_> = (0..5).map(|_| scope.spawn(file)).collect();
        for one in asked {
            assert_eq!(one.join().unwrap().status, 202);
        }
    });
    // Nobody is told all of them at once, and nothing is left out.
    let mut seen = Vec::new();
    let mut path = "/api/v1/jobs?limit=500".to_owned();
    loop {
        let page = served.call(&token, "GET", &path, "");
        assert!(page.body.len() < 2 * 1024 * 1024, "{}", page.body.len());
        let page = page.json();
        seen.extend(
            page["jobs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|job| job["id"].as_u64().unwrap()),
        );
        match page["next"].as_u64() {
            Some(next) => path = format!("/api/v1/jobs?limit=500&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let (served, token) = Served::to_program(Role::Auditor);
    let answer = served.call(&token, "POST", "/api/v1/jobs", &task);
    assert_eq!(answer.status, 413, "{}", answer.body);
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
        ..options(folder.path())
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
        ..options(folder.path())
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

#[test]
fn who_sends_a_body_forever_is_told_so_and_holds_nobody_up() {
    let served = Served::new();
    let at = served.at;
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\ncontent-length: 100\r\n\r\nna"
    );
    let mut slow = TcpStream::connect(at).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    slow.write_all(head.as_bytes()).unwrap();
    assert_eq!(served.ask(&Ask::get("/sign-in")).status, 200);
    let mut answer = [0; 12];
    // Without a deadline this read would time out, which is an error.
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}

/// Sends bytes as they are and reads to the end of the connection.
fn said(served: &Served, bytes: &str) -> String {
    let mut stream = TcpStream::connect(served.at).unwrap();
    let patience = Some(Duration::from_secs(40));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut rest = Vec::new();
    // What was not read any more may break the connection off.
    let _cut = stream.read_to_end(&mut rest);
    String::from_utf8_lossy(&rest).into_owned()
}

/// Shapes that two readers may cut differently (RFC 9112 §5, §6, §11.2): a proxy before the console would take what is
/// hidden in one request for a body, and the console for another's request.
#[test]
fn no_request_is_hidden_in_another() {
    let served = Served::new();
    let session = served.signed_in(Role::Admin);
    let at = served.at;
    let hidden = format!("GET /api/v1/users HTTP/1.1\r\nhost: {at}\r\ncookie: {session}\r\n\r\n");
    let length = hidden.len();
    let first = format!("POST /sign-in HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\n");
    for head in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding:\u{b}chunked\r\n\r\n0\r\n\r\n",
        "content-length: 0\r\ncontent-length: 5\r\n\r\n",
        "content-length: 0, 5\r\n\r\n",
        "content-length: +0\r\n\r\n",
        "content-length : 0\r\n\r\n",
        "x-folded: a\r\n content-length: 0\r\n\r\n",
        " content-length: 0\r\n\r\n",
        "content-length: 0x0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n0x5\r\na=b&c\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
    ] {
        let answers = said(&served, &format!("{first}{head}{hidden}"));
        // At most the first is answered, and the connection ends with it.
        assert!(
            answers.matches("HTTP/1.1 ").count() <= 1,
            "{head:?} {answers}"
        );
        assert!(!answers.contains("\"users\""), "{head:?} {answers}");
    }
    // What says its length once is one request, whatever stands in its body; and the next one is the next.
    let whole = format!("{first}content-length: {length}\r\n\r\n{hidden}");
    let next = format!("GET /sign-in HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n");
    let answers = said(&served, &format!("{whole}{next}"));
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{answers}");
    assert!(!answers.contains("\"users\""), "{answers}");
}

#[test]
fn a_path_leads_nowhere_but_to_a_route() {
    let (served, session) = Served::to(Role::Admin);
    for path in [
        "/assets/../../etc/passwd",
        "/assets/..%2f..%2fetc/passwd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/assets/x/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/x/%00",
        "/welcome/..%2f..%2fetc%2fpasswd",
        "/api/v1/copies/..%2fconsole.db",
        "/api/v1/copies/%2e%2e",
        "/api/v1/users/..%2f..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/\\..\\etc\\passwd",
    ] {
        let answer = served.ask(&Ask::get(path).cookie(&session));
        assert!(
            matches!(answer.status, 400 | 404),
            "{path} {}",
            answer.status
        );
        assert!(!answer.body.contains("root:"), "{path}");
    }
}

/// How many files this process may have open.
fn may_open(files: Option<u64>) {
    let all = getrlimit(Resource::Nofile);
    let current = files.or(all.maximum);
    setrlimit(Resource::Nofile, Rlimit { current, ..all }).unwrap();
}

#[test]
fn bodies_without_end_keep_nobody_out() {
    may_open(Some(400));
    let served = Served::new();
    // Once it answers it knows how many.
    assert_eq!(served.ask(&Ask::get("/sign-in")).status, 200);
    may_open(None);
    let at = served.at;
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\ncontent-length: 100\r\n\r\nna"
    );
    let begin = |_| {
        let mut stream = TcpStream::connect(at).unwrap();
        // The oldest may be gone by then.
        let _sent = stream.write_all(head.as_bytes());
        stream
    };
    let slow: Vec<TcpStream> = (0..300).map(begin).collect();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(served.ask(&Ask::get("/sign-in")).status, 200);
    drop(slow);
}

#[test]
fn idle_connections_without_end_keep_nobody_out() {
    // A console that may open so many files takes half as many connections.
    may_open(Some(400));
    let served = Served::new();
    let session = served.signed_in(Role::Admin);
    // Both ends are in this process.
    may_open(None);
    let idle: Vec<TcpStream> = (0..600)
        .map(|_| TcpStream::connect(served.at).unwrap())
        .collect();
    let answer = served.ask(&Ask::get("/").cookie(&session));
    assert_eq!(answer.status, 200);
    // The oldest went for the newer ones, sooner than all that rest are hung up on; the last ones are still there.
    let is_open = |mut stream: &TcpStream| {
        let patience = Some(Duration::from_millis(500));
        stream.set_read_timeout(patience).unwrap();
        let read = stream.read(&mut [0; 1]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    assert!(is_open(&idle[599]));
    assert!(!is_open(&idle[0]) && !is_open(&idle[300]));
}

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1024
}

#[test]
fn what_is_short_on_its_way_is_not_long_in_memory() {
    let (served, session) = Served::to(Role::Operator);
    let form_token = served.form_token(&session);
    let token = served.token("operator", Role::Operator, now() + HOUR_MS);
    let form = "&a".repeat(12 << 20);
    let list = "\"\",".repeat(8 << 20);
    let task = format!(r#"{{"task":"policy-remove","destinations":[{list}""]}}"#);
    // What the test itself holds is counted, too.
    let before = peak();
    for path in ["/policies/bulk", "/policies/import"] {
        let ask = Ask::form(path, &[]).cookie(&session).by_page(served.at);
        let answer = served.ask(&ask.with("x-form-token", &form_token).body(&form));
        assert!((400..500).contains(&answer.status), "{path}");
    }
    let answer = served.call(&token, "POST", "/api/v1/jobs", &task);
    assert_eq!(answer.code(), "task.too-long", "{}", answer.body);
    assert!(peak() - before < 250, "{before} MiB became {} MiB", peak());
}

#[test]
fn who_sends_long_lists_slowly_keeps_nobody_else_waiting() {
    let (served, token) = Served::to_program(Role::Operator);
    served.user("bernd", Role::Operator);
    let others = served.token("bernd", Role::Operator, now() + HOUR_MS);
    let list = "a.example may\\n".repeat(10_000);
    let task = format!(r#"{{"task": "policy-import", "format": "map", "text": "{list}"}}"#);
    let head = |token: &str, length: usize| {
        format!(
            "POST /api/v1/jobs HTTP/1.1\r\nhost: {}\r\nauthorization: {token}\r\ncontent-length: {length}\r\n\r\n",
            served.at
        )
    };
    let begin = |head: &str| {
        let mut stream = TcpStream::connect(served.at).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let slow: Vec<TcpStream> = (0..5).map(|_| begin(&head(&token, 100_000))).collect();
    std::thread::sleep(Duration::from_millis(500));
    let mut stream = begin(&head(&others, task.len()));
    // Shorter than whoever is slow may take.
    let patience = Some(Duration::from_secs(15));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(task.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 202");
    drop(slow);
}
