//! A CA whose root signs certificates itself and is sent with them; and directories that are none.

use crate::scripted::Scripted;
use std::fs;

#[test]
fn a_root_that_issued_it_itself_is_left_out_where_it_is_trusted() {
    let world = Scripted::new();
    let site = &world.site;
    // Nobody vouches for it: without the root, an intermediate would seem to be missing.
    let issued = site.must(&world.words("alone"));
    let told = issued.json["findings"].to_string();
    assert!(told.contains("cert.issuer-unknown"), "{told}");
    assert!(!told.contains("cert.chain-incomplete"), "{told}");
    assert_eq!(world.shown("alone")["chain_length"], 2);
    let chain = site.must("cert export alone").json["chain"].clone();
    let chain = chain.as_str().unwrap();
    let root = &chain[chain.rfind("-----BEGIN").unwrap()..];
    let file = site.scene.named("root.pem");
    fs::write(&file, root).unwrap();
    let words = format!("{} --private-ca {file}", world.words("trusted"));
    let issued = site.must(&words).json["findings"].to_string();
    assert!(!issued.contains("cert.issuer-unknown"), "{issued}");
    assert_eq!(world.shown("trusted")["chain_length"], 1);
}

#[test]
fn a_directory_without_https_is_told_what_to_give() {
    let world = Scripted::new();
    let words = "cert issue mx --domain mx.box.test --agree-terms --ca http://127.0.0.1:9/dir";
    let refused = world.site.ends(65, words);
    assert_eq!(refused.code(), "acme.unusable");
    assert!(
        refused.stdout.contains("begins with https://"),
        "{}",
        refused.stdout
    );
    assert!(!refused.stdout.contains("A-labels"), "{}", refused.stdout);
}

/// What `openssl req -x509` makes says CA:TRUE, and is no server's certificate, whatever root is given.
#[test]
fn a_server_that_shows_its_root_is_told_what_is_wrong_with_it() {
    let world = Scripted::new();
    let named = |name: &str| world.site.scene.named(name);
    let (cert, key) = (named("ca-server.pem"), named("ca-server.key"));
    let made = "req -x509 -newkey rsa:2048 -nodes -days 90 -subj /CN=ca -addext subjectAltName=IP:127.0.0.1";
    let mut words: Vec<&str> = made.split(' ').collect();
    words.extend(["-keyout", &key, "-out", &cert]);
    crate::scene::run("/usr/bin/openssl", &words);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = free.local_addr().unwrap().to_string();
    drop(free);
    let mut server = std::process::Command::new("/usr/bin/openssl")
        .args([
            "s_server", "-accept", &at, "-cert", &cert, "-key", &key, "-www", "-quiet",
        ])
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(8);
    while std::net::TcpStream::connect(&at).is_err() {
        assert!(std::time::Instant::now() < end);
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    let words = format!(
        "cert issue mx --domain mx.box.test --agree-terms --ca https://{at}/dir --ca-root {cert}"
    );
    let words: Vec<&str> = words.split(' ').collect();
    let refused = world.site.scene.run(&words);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        refused.code(),
        "acme.untrusted-server",
        "{}",
        refused.stdout
    );
    for word in ["CA:TRUE", "CA:FALSE"] {
        assert!(refused.stdout.contains(word), "{}", refused.stdout);
    }
    assert!(
        !refused.stdout.contains("CaUsedAsEndEntity"),
        "{}",
        refused.stdout
    );
}
