//! A certificate that comes from afar: its key is nowhere in clear.

use crate::scene::run;
use crate::site::Site;
use postseal_store::desk::Desk as _;
use rustix::process::Pid;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

/// A pass phrase, and a line of the key: whoever finds one of them has found the whole.
const PHRASE: &str = "correct horse battery staple";

/// A certificate whose key is encrypted with it.
fn encrypted(site: &Site) -> [String; 3] {
    let [cert, key, phrase] =
        ["locked.pem", "locked.key", "phrase"].map(|name| site.scene.named(name));
    fs::write(&phrase, PHRASE).unwrap();
    let by = format!("file:{phrase}");
    let made = format!(
        "req -x509 -newkey rsa:2048 -passout {by} -keyout {key} -out {cert} -days 30 -subj /CN=mx.box.test \
         -addext subjectAltName=DNS:mx.box.test"
    );
    run("/usr/bin/openssl", &made.split(' ').collect::<Vec<_>>());
    [cert, key, phrase]
}

/// Every file below a folder, with what is in it.
fn whole(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => whole(&path, into),
            false => into.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn a_key_that_was_sent_lies_in_no_file_in_clear() {
    let site = Site::up();
    let (cert, key) = (site.scene.named("ec.pem"), site.scene.named("ec.key"));
    let clear = fs::read_to_string(&key).unwrap();
    let line = clear.lines().nth(1).unwrap();
    let done = site.remote(&["cert", "import", "sent", "--cert", &cert, "--key", &key]);
    assert_eq!(done.exit, Some(0), "{done:#?}");
    let [cert, key, phrase] = encrypted(&site);
    let words = ["cert", "import", "locked", "--cert", &cert, "--key", &key];
    let without = site.remote(&words);
    assert_eq!(without.code(), "cert.key-encrypted", "{without:#?}");
    let with = site.remote(&[&words[..], &["--password-file", &phrase]].concat());
    assert_eq!(with.exit, Some(0), "{with:#?}");
    let listed = site.local(&["cert", "list"]);
    let sources = listed.json["certificates"].as_array().unwrap().iter();
    let sent = sources.filter(|one| one["source"] == "upload" && one["has_key"] == true);
    assert_eq!(sent.count(), 2, "{listed:#?}");
    let jobs = site.at_desk(|desk, instance| desk.jobs(instance, None, 100).unwrap());
    let sent = jobs.iter().filter(|job| job.task.contains("cert-import"));
    let sealed = sent.map(|job| {
        let task: serde_json::Value = serde_json::from_str(&job.task).unwrap();
        task["sealed"].as_str().unwrap().len()
    });
    let digests = vec![64; 3];
    assert_eq!(
        sealed.collect::<Vec<_>>(),
        digests,
        "nothing sealed stays at the desk"
    );
    let mut files = Vec::new();
    whole(&site.scene.folder().join("store"), &mut files);
    files.push(("the log".to_owned(), site.log().into_bytes()));
    assert!(files.len() > 4, "{}", files.len());
    for (path, bytes) in files {
        for secret in [line, PHRASE, "PRIVATE KEY"] {
            assert!(!holds(&bytes, secret), "{path} holds {secret}");
        }
    }
}

#[test]
fn what_was_sealed_to_another_store_is_refused() {
    let site = Site::up();
    let job = site.ended(site.file(r#"{"task": "cert-import", "name": "x", "sealed": "YWdl"}"#));
    let answer = job.end.unwrap().answer;
    assert!(answer.contains("cert.not-sealed-to-this-store"), "{answer}");
    let clear = site.ended(site.file(r#"{"task": "cert-import", "name": "x", "sealed": "-----"}"#));
    let answer = clear.end.unwrap().answer;
    assert!(answer.contains("task.unreadable"), "{answer}");
}

/// Whether a process has this in its memory, freed memory included (proc(5), `mem`).
fn has_in_memory(pid: Pid, text: &str) -> bool {
    let of = pid.as_raw_nonzero();
    let maps = fs::read_to_string(format!("/proc/{of}/maps")).unwrap();
    let memory = File::open(format!("/proc/{of}/mem")).unwrap();
    maps.lines().any(|line| {
        let (range, rest) = line.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).unwrap());
        if !rest.starts_with('r') || rest.contains("[v") {
            return false;
        }
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // A page that cannot be read holds nothing.
        let read = memory.read_at(&mut bytes, from).unwrap_or(0);
        holds(&bytes[..read], text)
    })
}

/// The connection's own buffer is not the console's to wipe: there what is sent first is written over by what follows.
#[test]
fn a_key_that_was_sealed_is_in_the_consoles_memory_no_more() {
    const SECRET: &str = "what-only-the-store-may-read-8f3a1c77d2";
    let site = Site::up();
    site.wait("a copy", |site| {
        site.at_desk(|desk, instance| desk.copy(instance, "certificates").unwrap().is_some())
    });
    let filler = "f".repeat(45 * 1024);
    let mut body = String::new();
    for (name, value) in [
        ("key_text", SECRET),
        ("cert_text", "no certificate"),
        ("name", "sent"),
        ("filler", &filler),
    ] {
        body.push_str(&format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--xyz--\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
    let head = format!(
        "POST /certificates/import HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=xyz\r\ncontent-length: {}\r\n\r\n",
        site.token(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    for piece in body.as_bytes().chunks(1024) {
        std::thread::sleep(Duration::from_millis(5));
        stream.write_all(piece).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(answer.contains("location: /jobs/"), "{answer}");
    let consoles = site.children("console");
    assert_eq!(consoles.len(), 1);
    for console in consoles {
        assert!(
            has_in_memory(console, "__Host-postseal"),
            "nothing was looked at"
        );
        assert!(!has_in_memory(console, SECRET));
    }
}
