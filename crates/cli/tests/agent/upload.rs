//! A certificate that comes from afar: its key is nowhere in clear.

use crate::scene::run;
use crate::site::Site;
use std::fs;
use std::path::Path;

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
