//! Certificates and keys as people have them: each mistake has its own code and remedy, nothing
//! of it enters the store, and no key is ever printed.
//!
//! Owns: the verbs of `cert` on a real server. Never: knows how a mistake is found (mailtls has
//! tables for that). Needs root and Postfix.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "bad_certificates/forge.rs"]
mod forge;
mod server;

use forge::{Days, Forged, Names, Role, forge};
use postseal_store::{AuditStore, SqliteStore};
use postseal_testkit::broken::Wire;
use server::{Ran, Server};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const GOOD: Days = Days { from: -1, to: 60 };
const HOST: &str = "mx.box.test";

/// The server, and a folder of bad files.
struct Room {
    server: Server,
    folder: PathBuf,
}

impl Room {
    fn of(server: Server) -> Self {
        let folder = server.folder().join("bad");
        fs::create_dir(&folder).unwrap();
        Self { server, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.folder.join(name), bytes).unwrap();
        self.path(name)
    }

    fn good(&self, name: &str) -> String {
        self.server.files.named(&format!("{{files}}/{name}"))
    }

    fn import(&self, cert: &str, more: &[&str]) -> Ran {
        let words = [&["cert", "import", "bad", "--cert", cert], more].concat();
        let ran = self.server.run(&words);
        self.no_key_in(&ran);
        ran
    }

    /// Every mistake is refused (65) under its code, with a remedy, and the store stays empty.
    #[track_caller]
    fn refuses(&self, code: &str, cert: &str, more: &[&str]) {
        let ran = self.import(cert, more);
        assert_eq!((ran.exit, ran.code()), (Some(65), code), "{}", ran.said());
        let remedied =
            ran.json["error"]["hint"].is_string() || ran.json["findings"][0]["remedy"].is_string();
        assert!(remedied, "{code} has no remedy: {}", ran.said());
        let list = self.server.must(&["cert", "list"]);
        assert_eq!(list.json["certificates"], serde_json::json!([]), "{code}");
    }

    /// No line of any private key of these folders was printed.
    fn no_key_in(&self, ran: &Ran) {
        for folder in [&self.folder, self.server.files.folder()] {
            for line in key_lines(folder) {
                assert!(!ran.said().contains(&line), "a private key was printed");
            }
        }
    }
}

/// The base64 lines of all private keys in a folder.
fn key_lines(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if !fs::metadata(entry.path()).is_ok_and(|meta| meta.is_file() && meta.len() < 100_000) {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with("-----") {
                inside = line.starts_with("-----BEGIN") && line.contains("PRIVATE KEY");
            } else if inside && line.len() > 20 {
                lines.push(line.to_owned());
            }
        }
    }
    lines
}

fn both(forged: &Forged) -> String {
    format!("{}{}", forged.key, forged.cert)
}

#[test]
fn bad_certificate_files_are_refused_each_under_its_own_code() {
    let room = Room::of(Server::adopted());
    let (cert, key) = (room.good("fullchain.pem"), room.good("key.pem"));
    let with_key: &[&str] = &["--key", &key];
    assert!(!key_lines(room.server.files.folder()).is_empty());

    room.refuses("cert.missing", &room.path("nothing.pem"), with_key);
    symlink("nowhere", room.folder.join("dangling.pem")).unwrap();
    room.refuses("cert.missing", &room.path("dangling.pem"), with_key);
    room.refuses("cert.is-directory", &room.path(""), with_key);
    Command::new("mkfifo")
        .arg(room.path("fifo"))
        .status()
        .unwrap();
    room.refuses("cert.unreadable", &room.path("fifo"), with_key);
    room.refuses("cert.unreadable", "/proc/self/mem", with_key);
    let huge = fs::File::create(room.folder.join("huge.pem")).unwrap();
    huge.set_len(10 << 20).unwrap();
    room.refuses("cert.too-large", &room.path("huge.pem"), with_key);
    room.refuses("cert.empty", &room.put("empty.pem", "\n"), with_key);
    room.refuses("cert.not-pem", &room.put("text.pem", "hello\n"), with_key);
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("-----BEGIN".bytes().flat_map(|b| [b, 0]))
        .collect();
    room.refuses("cert.utf16", &room.put("utf16.pem", utf16), with_key);
    let half = fs::read_to_string(&cert).unwrap();
    room.refuses(
        "cert.truncated",
        &room.put("half.pem", &half[..half.len() / 2]),
        with_key,
    );
    let damaged = half.replacen("MII", "!!!", 1);
    room.refuses("cert.damaged", &room.put("damaged.pem", damaged), with_key);
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n";
    room.refuses(
        "cert.is-request",
        &room.put("request.pem", request),
        with_key,
    );
    let many = half.repeat(20);
    room.refuses("cert.too-many", &room.put("many.pem", many), with_key);
    room.refuses("cert.no-certificate", &key, &[]);
    let name = room
        .server
        .run(&["cert", "import", "../mx", "--cert", &cert, "--key", &key]);
    assert_eq!((name.exit, name.code()), (Some(65), "cert.bad-name"));
}

#[test]
fn bad_keys_and_bad_times_are_refused_each_under_its_own_code() {
    let room = Room::of(Server::adopted());
    let (cert, key) = (room.good("fullchain.pem"), room.good("key.pem"));
    room.refuses("cert.key-missing", &cert, &[]);
    room.refuses("cert.key-missing", &cert, &["--key", &cert]);
    room.refuses(
        "cert.key-mismatch",
        &cert,
        &["--key", &room.good("other-key.pem")],
    );
    room.refuses("cert.key-encrypted", &room.good("encrypted.pem"), &[]);
    let two =
        [key.as_str(), &room.good("other-key.pem")].map(|path| fs::read_to_string(path).unwrap());
    room.refuses(
        "cert.two-keys",
        &cert,
        &["--key", &room.put("two.pem", two.concat())],
    );
    let broken = "-----BEGIN PRIVATE KEY-----\nMEECAQAwEwYHKoZIzj0C\n-----END PRIVATE KEY-----\n";
    room.refuses(
        "cert.damaged",
        &cert,
        &["--key", &room.put("broken-key.pem", broken)],
    );

    let at = |from, to| both(&forge(&Names::Dns(HOST), &Days { from, to }, &Role::Server));
    room.refuses("cert.expired", &room.put("expired.pem", at(-90, -1)), &[]);
    room.refuses("cert.not-yet-valid", &room.put("early.pem", at(1, 90)), &[]);
    let nul = both(&forge(&Names::Nul, &GOOD, &Role::Server));
    room.refuses("cert.nul-in-name", &room.put("nul.pem", nul), &[]);

    // An intermediate that has nothing to do with it, in place of its own.
    let leaf = first_block(&fs::read_to_string(&cert).unwrap());
    let leaf = room.put("leaf.pem", leaf);
    let stranger = room.put(
        "stranger.pem",
        forge(&Names::Dns("A CA"), &GOOD, &Role::Ca).cert,
    );
    room.refuses(
        "cert.chain-broken",
        &leaf,
        &["--key", &key, "--chain", &stranger],
    );
}

/// The leaf of a chain.
fn first_block(pem: &str) -> String {
    const END: &str = "-----END CERTIFICATE-----\n";
    let end = pem.find(END).unwrap() + END.len();
    pem[..end].to_owned()
}

#[test]
fn what_can_be_mended_is_taken_with_a_note() {
    let room = Room::of(Server::adopted());
    let key = room.good("key.pem");
    let told = |cert: &str, more: &[&str]| {
        let ran = room.import(cert, &[&["--key", key.as_str()], more].concat());
        assert_eq!(ran.exit, Some(0), "{}", ran.said());
        let notes = ran.json["notes"].to_string();
        let codes: Vec<String> = ran.findings().iter().map(|f| f.0.to_owned()).collect();
        let shown = room.server.must(&["cert", "show", "bad"]);
        let length = shown.json["certificate"]["chain_length"].as_u64().unwrap();
        room.server.must(&["cert", "delete", "bad"]);
        (notes, codes, length)
    };
    let (notes, _, length) = told(&room.good("intermediate-first.pem"), &[]);
    assert!(notes.contains("put in order"), "{notes}");
    assert_eq!(length, 2);

    let chain = fs::read_to_string(room.good("fullchain.pem")).unwrap();
    let leaf = first_block(&chain);
    let (_, codes, length) = told(&room.put("leaf.pem", &leaf), &[]);
    assert!(
        codes.contains(&"cert.chain-incomplete".to_owned()),
        "{codes:?}"
    );
    assert_eq!(length, 1);

    let der = openssl::x509::X509::from_pem(leaf.as_bytes())
        .unwrap()
        .to_der()
        .unwrap();
    let (notes, _, _) = told(
        &room.put("leaf.der", der),
        &["--chain", &room.good("fullchain.pem")],
    );
    assert!(notes.contains("DER was converted"), "{notes}");

    let windows = chain.replace('\n', "\r\n");
    let (_, _, length) = told(&room.put("windows.pem", windows), &[]);
    assert_eq!(length, 2);
}

#[test]
fn a_self_signed_certificate_is_for_optional_tls_only_and_only_when_said() {
    let room = Room::of(Server::adopted());
    let server = &room.server;
    let days = Days { from: -1, to: 3650 };
    let system = both(&forge(&Names::Dns("debian"), &days, &Role::Server));
    let ca = both(&forge(&Names::Dns(HOST), &GOOD, &Role::Ca));
    let own = both(&forge(&Names::Dns(HOST), &GOOD, &Role::Server));
    for (name, pem) in [("system", system), ("ca", ca), ("own", own)] {
        let path = room.put(name, pem);
        let ran = server.must(&["cert", "import", name, "--cert", &path]);
        room.no_key_in(&ran);
    }
    server.must(&["set", "inbound=may"]);
    let refused = |code: &str| {
        for verb in ["plan", "apply"] {
            let ran = server.run(&[verb]);
            assert_eq!((ran.exit, ran.code()), (Some(65), code), "{}", ran.said());
            let remedy = ran.json["findings"][0]["remedy"].as_str().unwrap();
            assert!(!remedy.is_empty());
        }
    };
    for (name, code) in [
        ("system", "cert.system-certificate"),
        ("ca", "cert.self-signed"),
        ("own", "cert.self-signed"),
    ] {
        server.must(&["cert", "bind", name]);
        refused(code);
        server.must(&["discard"]);
        server.must(&["set", "inbound=may"]);
    }
    server.must(&["cert", "bind", "own", "--allow-self-signed"]);
    server.must(&["apply"]);
    assert_eq!(server.wire()[0], Wire::ServesAnother);

    // Mail clients must use TLS, and they verify.
    server.must(&["set", "submission=on", "smtps=on"]);
    refused("cert.self-signed");
    server.must(&["discard"]);
    server.must(&["set", "inbound=encrypt"]);
    refused("cert.self-signed");
    server.must(&["discard"]);
    assert_eq!(server.wire()[0], Wire::ServesAnother);
}

#[test]
fn a_bound_certificate_stays_and_its_key_leaves_only_when_said() {
    let room = Room::of(Server::start());
    let server = &room.server;
    let before = server.pair();
    let ran = server.run(&["cert", "delete", "mx"]);
    assert_eq!((ran.exit, ran.code()), (Some(65), "cert.bound"));
    let ran = server.run(&["cert", "unbind", "mx"]);
    assert_eq!((ran.exit, ran.code()), (Some(65), "level.no-certificate"));
    let ran = server.run(&["cert", "delete", "mx"]);
    assert_eq!((ran.exit, ran.code()), (Some(65), "cert.bound"));
    server.must(&["discard"]);
    assert_eq!(server.pair(), before);
    assert_eq!(server.wire(), [Wire::Serves; 3]);

    let chain = server.run_as_text(&["cert", "export", "mx"]);
    room.no_key_in(&chain);
    assert!(
        chain.stdout.contains("BEGIN CERTIFICATE"),
        "{}",
        chain.said()
    );
    let unsaid = server.run_as_text(&["cert", "export", "mx", "--key"]);
    assert_eq!(unsaid.exit, Some(64), "{}", unsaid.said());
    room.no_key_in(&unsaid);
    let words = ["cert", "export", "mx", "--key", "--yes-export-private-key"];
    let json = server.run(&words);
    assert_eq!((json.exit, json.code()), (Some(64), "cert.no-key-in-json"));
    room.no_key_in(&json);
    assert!(exported(server).is_empty(), "audited before it left");
    let said = server.run_as_text(&words);
    assert_eq!(said.exit, Some(0));
    let key = fs::read_to_string(room.good("key.pem")).unwrap();
    assert!(
        key.lines().all(|line| said.stdout.contains(line)),
        "another key"
    );
    let log = exported(server);
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(
        log[0].contains("of version 1 of certificate mx ("),
        "{log:?}"
    );
    no_key_in_files(server, &["store"]);
}

/// What the audit log says of keys that went out.
fn exported(server: &Server) -> Vec<String> {
    let store = SqliteStore::open(&server.folder().join("store")).unwrap();
    let entries = store.audit_log(10).unwrap();
    let what = entries.into_iter().map(|entry| entry.what);
    what.filter(|what| what.contains("private key")).collect()
}

/// No file of the store holds a private key in clear.
fn no_key_in_files(server: &Server, folders: &[&str]) {
    let lines = key_lines(server.files.folder());
    for folder in folders {
        for entry in fs::read_dir(server.folder().join(folder))
            .unwrap()
            .flatten()
        {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let leaked = lines.iter().any(|line| text.contains(line));
            assert!(!leaked, "{} holds a key in clear", entry.path().display());
        }
    }
}
