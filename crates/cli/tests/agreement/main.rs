//! What `probe --full`, posttls-finger(1) and testssl.sh say of the same private Postfix servers, side
//! by side: `docs/reference/agreement.md`, written with `BLESS=1`.
//!
//! Owns: asking all three, and the document. A difference that nobody has explained fails, and so
//! does an explanation of a difference that is gone. Needs root, Postfix and Debian's `testssl.sh`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod explained;
mod finger;
mod ours;
#[path = "../scene/mod.rs"]
mod scene;
mod servers;
mod table;
mod testssl;

use postseal_testkit::beside;
use servers::{Running, SERVERS, Server};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What the programs are compared by, in the order of the tables.
const FACTS: [&str; 20] = [
    "TLS",
    "versions",
    "suites of TLS 1.0",
    "suites of TLS 1.1",
    "suites of TLS 1.2",
    "suites of TLS 1.3",
    "anonymous suites",
    "who chooses the suite",
    "groups",
    "finite-field bits",
    "certificates",
    "client certificate",
    "session tickets up to TLS 1.2",
    "session numbers up to TLS 1.2",
    "sessions again in TLS 1.3",
    "secure renegotiation",
    "client renegotiates",
    "compression",
    "extended master secret",
    "stapled OCSP answer",
];

/// What one program says of one server, by fact. Of what it does not tell there is no entry.
type Said = BTreeMap<&'static str, BTreeSet<String>>;

/// One server, and what each program says of it.
struct Seen {
    server: &'static Server,
    ours: Said,
    finger: Said,
    testssl: Said,
}

/// So many servers are looked at at once: testssl.sh mostly waits for its own processes.
const AT_ONCE: usize = 2;

#[test]
fn what_three_programs_say_of_the_same_servers() {
    if !Path::new(testssl::PROGRAM).exists() {
        beside::missing("testssl.sh (Debian package testssl.sh)");
        return;
    }
    let (text, faults) = table::document(&looked_at());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/agreement.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden, text, "{}", path.display());
}

/// All servers, in their order.
fn looked_at() -> Vec<Seen> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Seen)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(server) = SERVERS.get(place) else {
                        return;
                    };
                    let seen = look(server);
                    done.lock().unwrap().push((place, seen));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, seen)| seen).collect()
}

fn look(server: &'static Server) -> Seen {
    let running = Running::start(server);
    let ours = ours::ask(&running);
    running.again();
    let finger = finger::ask(&running);
    running.again();
    Seen {
        server,
        ours,
        finger,
        testssl: testssl::ask(&running),
    }
}

/// Puts one word down.
fn word(said: &mut Said, fact: &'static str, word: &str) {
    said.insert(fact, BTreeSet::from([word.to_owned()]));
}

/// Puts a yes or no down.
fn yes_no(said: &mut Said, fact: &'static str, yes: bool) {
    word(said, fact, if yes { "yes" } else { "no" });
}

/// Puts the suites of a version down, and what follows of all of them: which are anonymous.
fn suites(said: &mut Said, version: &str, names: BTreeSet<String>) {
    let anonymous = names
        .iter()
        .any(|name| name.contains("ADH-") || name.contains("AECDH-"));
    let before = said
        .get("anonymous suites")
        .is_some_and(|set| set.contains("yes"));
    yes_no(said, "anonymous suites", anonymous || before);
    let fact = FACTS
        .iter()
        .find(|fact| fact.strip_prefix("suites of TLS ") == Some(version));
    said.insert(fact.expect("a version"), names);
}
