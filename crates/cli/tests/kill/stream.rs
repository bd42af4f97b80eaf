//! The mail: two senders that never stop, and sessions that hang in the middle of DATA.
//!
//! Owns: the ledger of what was accepted (250 to the final dot) and of what was said no to. A
//! sender does what every mail client does: what was not accepted is sent again, under the same
//! Message-ID.

use crate::site::{PASSWORD, USER};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use postseal_probe::{Credentials, Envelope, SendError, Session, Start, Target};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Each of the two senders sends one message in this time.
const PERIOD: Duration = Duration::from_millis(85);
/// Messages on one connection.
const SESSION: usize = 8;
const PATIENCE: Duration = Duration::from_secs(20);
/// A message that is not accepted after so many attempts will never be.
const LONGEST: Duration = Duration::from_secs(90);
const DRIP: Duration = Duration::from_millis(50);
pub(crate) const RECIPIENT: &str = "reader@elsewhere.test";
/// `\0alice\0in the jail` in Base64 (RFC 4616 §2).
const AUTH_PLAIN: &str = "AGFsaWNlAGluIHRoZSBqYWls";

/// What the senders know.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) accepted: BTreeSet<String>,
    /// 4xx, each sent again.
    pub(crate) deferred: Vec<String>,
    /// 5xx: there must be none.
    pub(crate) refused: Vec<String>,
    /// Connections that did not come about or broke; what was under way was sent again.
    pub(crate) broken: Vec<String>,
    /// The longest time from wanting a session to having it.
    pub(crate) longest_opening: Duration,
}

pub(crate) type Shared = Arc<Mutex<Ledger>>;

/// The senders, until they are stopped.
pub(crate) struct Stream {
    pub(crate) ledger: Shared,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Stream {
    pub(crate) fn start(smtp: SocketAddr, submission: SocketAddr) -> Self {
        let ledger = Shared::default();
        let stop = Arc::new(AtomicBool::new(false));
        let mut user = Target::new("submission/inet", submission, Start::StartTls);
        user.credentials = Some(Credentials {
            user: USER.to_owned(),
            password: Zeroizing::new(PASSWORD.to_owned()),
        });
        let targets = [Target::new("smtp/inet", smtp, Start::Clear), user];
        let threads = targets.map(|target| {
            let (ledger, stop) = (Arc::clone(&ledger), Arc::clone(&stop));
            thread::spawn(move || send(&target, &ledger, &stop))
        });
        Self {
            ledger,
            stop,
            threads: threads.into(),
        }
    }

    pub(crate) fn stop(self) -> Shared {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.ledger
    }
}

/// Sends on time, or as fast as it goes to catch up, until it is stopped and nothing is under way.
fn send(target: &Target, ledger: &Shared, stop: &AtomicBool) {
    let port = target.address.port();
    let start = Instant::now();
    let mut session: Option<Session> = None;
    let mut in_session = 0;
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        let id = format!("{port}-{number}@client.test");
        let due = start + PERIOD * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let give_up = Instant::now() + LONGEST;
        loop {
            assert!(
                Instant::now() < give_up,
                "{id} is not accepted: {:?}",
                ledger.lock().unwrap()
            );
            let Some(open) = opened(&mut session, target, ledger) else {
                continue;
            };
            match open.send(&envelope(), &message(&id)) {
                Ok(_) => break,
                Err(error) => note(ledger, &error),
            }
            session = None;
            thread::sleep(DRIP);
        }
        ledger.lock().unwrap().accepted.insert(id);
        number += 1;
        in_session += 1;
        if in_session == SESSION {
            in_session = 0;
            session.take().into_iter().for_each(Session::quit);
        }
    }
}

fn opened<'a>(
    session: &'a mut Option<Session>,
    target: &Target,
    ledger: &Shared,
) -> Option<&'a mut Session> {
    if session.is_none() {
        let start = Instant::now();
        match Session::open(target, PATIENCE) {
            Ok(open) => *session = Some(open),
            Err(error) => {
                note(ledger, &error);
                thread::sleep(DRIP);
            }
        }
        let mut ledger = ledger.lock().unwrap();
        ledger.longest_opening = ledger.longest_opening.max(start.elapsed());
    }
    session.as_mut()
}

fn note(ledger: &Shared, error: &SendError) {
    let mut ledger = ledger.lock().unwrap();
    match error {
        SendError::Refused { reply, .. } if reply.code / 100 == 5 => {
            ledger.refused.push(error.to_string());
        }
        SendError::Refused { .. } => ledger.deferred.push(error.to_string()),
        _ => ledger.broken.push(error.to_string()),
    }
}

fn envelope() -> Envelope {
    Envelope {
        mail_from: "writer@client.test".to_owned(),
        rcpt_to: vec![RECIPIENT.to_owned()],
    }
}

fn message(id: &str) -> Vec<u8> {
    format!("{}\r\nOne of many.\r\n", header(id)).into_bytes()
}

fn header(id: &str) -> String {
    format!(
        "From: <writer@client.test>\r\nTo: <{RECIPIENT}>\r\nSubject: under fire\r\n\
         Message-ID: <{id}>\r\n"
    )
}

trait ReadWrite: Read + Write + Send {}
impl<T: Read + Write + Send> ReadWrite for T {}

/// A session in the middle of DATA; its body drips until [`Slow::finish`].
pub(crate) struct Slow {
    id: String,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<String>,
}

impl Slow {
    /// On port 25 in clear.
    pub(crate) fn clear(address: SocketAddr, number: usize) -> Self {
        let mut stream = connect(address);
        hear(&mut stream, "220");
        say(&mut stream, "EHLO slow.client.test", "250");
        Self::drip(Box::new(stream), format!("slow-25-{number}@client.test"))
    }

    /// On port 587, under TLS and logged in.
    pub(crate) fn submission(address: SocketAddr, number: usize) -> Self {
        let mut stream = connect(address);
        hear(&mut stream, "220");
        say(&mut stream, "EHLO slow.client.test", "250");
        say(&mut stream, "STARTTLS", "220");
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let mut stream = connector.build().connect("mx.box.test", stream).unwrap();
        say(&mut stream, "EHLO slow.client.test", "250");
        say(&mut stream, &format!("AUTH PLAIN {AUTH_PLAIN}"), "235");
        Self::drip(Box::new(stream), format!("slow-587-{number}@client.test"))
    }

    fn drip(mut stream: Box<dyn ReadWrite>, id: String) -> Self {
        say(&mut stream, "MAIL FROM:<writer@client.test>", "250");
        say(&mut stream, &format!("RCPT TO:<{RECIPIENT}>"), "250");
        say(&mut stream, "DATA", "354");
        stream
            .write_all(format!("{}\r\n", header(&id)).as_bytes())
            .unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                if stream.write_all(b"drip\r\n").is_err() {
                    return "the connection broke".to_owned();
                }
                thread::sleep(DRIP);
            }
            say(&mut stream, ".", "")
        });
        Self { id, stop, thread }
    }

    /// Ends the message; the answer to the final dot must be 250.
    pub(crate) fn finish(self, ledger: &Shared) {
        self.stop.store(true, Ordering::Relaxed);
        let answer = self.thread.join().unwrap();
        assert!(
            answer.starts_with("250"),
            "{} in mid-DATA: {answer}",
            self.id
        );
        ledger.lock().unwrap().accepted.insert(self.id);
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn say(stream: &mut impl ReadWrite, line: &str, code: &str) -> String {
    stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    hear(stream, code)
}

/// A whole reply; it must begin with `code`.
fn hear(stream: &mut impl ReadWrite, code: &str) -> String {
    let mut reply = Vec::new();
    let mut byte = [0];
    loop {
        let from = reply.len();
        while byte != *b"\n" {
            match stream.read(&mut byte) {
                Ok(1) => reply.push(byte[0]),
                other => panic!("{other:?} instead of {code}"),
            }
        }
        byte = [0];
        if reply.get(from + 3) != Some(&b'-') {
            break;
        }
    }
    let reply = String::from_utf8_lossy(&reply).into_owned();
    assert!(reply.starts_with(code), "{reply:?} instead of {code}");
    reply
}
