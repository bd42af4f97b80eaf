//! Folders, files and words that are not what they should be: each is refused with its code, at
//! once, and nothing of it enters the store.

use crate::scene::{Scene, run};
use crate::site::{Site, builder};
use postseal_issue::KeyType;
use std::fs;
use std::os::unix::fs::symlink;

fn fifo(path: &str) {
    run("/usr/bin/mkfifo", &[path]);
}

/// A folder as certbot keeps it, and what is done to it.
fn folder(site: &Site, name: &str, change: impl Fn(&str)) -> String {
    let text = fs::read_to_string(site.scene.named("good.both")).unwrap();
    let (key, cert) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
    let folder = site.scene.named(name);
    fs::create_dir(&folder).unwrap();
    fs::write(format!("{folder}/privkey.pem"), key).unwrap();
    fs::write(format!("{folder}/fullchain.pem"), cert).unwrap();
    change(&folder);
    folder
}

fn replace(path: &str, with: impl Fn(&str)) {
    fs::remove_file(path).unwrap();
    with(path);
}

#[test]
fn folders_are_read_within_bounds_and_never_waited_for() {
    let site = Site::adopted();
    site.make("good", KeyType::EcdsaP256, &["mx.box.test"]);
    type Change<'c> = &'c dyn Fn(&str);
    let cases: [(&str, Change<'_>, &str); 8] = [
        (
            "pipe",
            &|at| replace(&format!("{at}/privkey.pem"), fifo),
            "cert.unreadable",
        ),
        (
            "pipes",
            &|at| replace(&format!("{at}/fullchain.pem"), fifo),
            "cert.unreadable",
        ),
        (
            "dangling",
            &|at| {
                replace(&format!("{at}/fullchain.pem"), |path| {
                    symlink("nowhere", path).unwrap()
                })
            },
            "cert.missing",
        ),
        (
            "loop",
            &|at| {
                replace(&format!("{at}/privkey.pem"), |path| {
                    symlink("privkey.pem", path).unwrap()
                })
            },
            "cert.unreadable",
        ),
        (
            "directory",
            &|at| {
                replace(&format!("{at}/privkey.pem"), |path| {
                    fs::create_dir(path).unwrap()
                })
            },
            "cert.is-directory",
        ),
        (
            "zero",
            &|at| {
                replace(&format!("{at}/privkey.pem"), |path| {
                    symlink("/dev/zero", path).unwrap()
                })
            },
            "cert.unreadable",
        ),
        (
            "many",
            &|at| (0..10_001).for_each(|n| fs::write(format!("{at}/{n}"), "").unwrap()),
            "layout.too-many",
        ),
        (
            "utf16",
            &|at| {
                let text = fs::read_to_string(format!("{at}/fullchain.pem")).unwrap();
                let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
                let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
                fs::write(format!("{at}/fullchain.pem"), bytes).unwrap();
            },
            "cert.utf16",
        ),
    ];
    for (name, change, code) in cases {
        let at = folder(&site, name, change);
        let ran = site.ends(65, &format!("cert import bad --dir {at}"));
        assert_eq!(ran.code(), code, "{name}: {ran:#?}");
        assert!(ran.json["error"]["hint"].is_string(), "{name}");
        let hint = ran.json["error"]["hint"].to_string();
        assert!(!hint.contains("as root"), "this is root: {hint}");
        // A watch waits for it to become good, tells, and takes nothing.
        if name == "pipe" {
            let ran = site.ends(65, &format!("cert watch bad --dir {at} --once"));
            assert_eq!(
                ran.json["findings"][0]["code"], code,
                "{name}: {}",
                ran.stdout
            );
            site.must("cert watch bad --forget");
        }
    }
    // What is named as a folder, and is none.
    let pipe = site.scene.named("a-pipe");
    fifo(&pipe);
    let ran = site.ends(65, &format!("cert import bad --dir {pipe}"));
    assert_eq!(ran.code(), "layout.no-folder");
    let ran = site.ends(65, &format!("cert watch bad --dir {pipe} --once"));
    let finding = &ran.json["findings"][0];
    assert_eq!(finding["code"], "layout.no-folder", "{}", ran.stdout);
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("Name the folder"), "{remedy}");
    site.must("cert watch bad --forget");
    assert_eq!(
        site.must("cert list").json["certificates"],
        serde_json::json!([])
    );
}

#[test]
fn a_password_that_does_not_open_or_is_no_text() {
    let site = Site::adopted();
    let both = site.make("good", KeyType::EcdsaP256, &["mx.box.test"]);
    let [file, right, wrong, bytes, pipe] =
        ["good.p12", "right", "wrong", "bytes", "pipe"].map(|name| site.scene.named(name));
    let export = [
        "pkcs12",
        "-export",
        "-in",
        &both,
        "-out",
        &file,
        "-passout",
        "pass:secret",
    ];
    run("/usr/bin/openssl", &export);
    fs::write(&right, "secret\n").unwrap();
    fs::write(&wrong, "Secret\n").unwrap();
    fs::write(&bytes, b"caf\xe9\n").unwrap();
    fifo(&pipe);
    for (password, code) in [
        (&wrong, "cert.password-wrong"),
        (&bytes, "cert.password-not-text"),
        (&pipe, "cert.unreadable"),
    ] {
        let words = format!("cert import p12 --cert {file} --password-file {password}");
        let ran = site.ends(65, &words);
        assert_eq!(ran.code(), code, "{ran:#?}");
        assert!(!ran.stdout.contains("ecret"), "{}", ran.stdout);
    }
    let none = site.ends(65, &format!("cert import p12 --cert {file}"));
    assert_eq!(none.code(), "cert.password-missing");
    site.must(&format!(
        "cert import p12 --cert {file} --password-file {right}"
    ));
}

#[test]
fn words_that_name_nothing_or_nobody() {
    let scene = Scene::bare(builder());
    scene.must(&["init"]);
    for (exit, code, words) in [
        (64, "cert.nothing-named", &["cert", "import", "x"][..]),
        (64, "cert.no-names", &["cert", "self-signed", "x"]),
        (64, "cert.no-names", &["cert", "request", "x"]),
        (
            65,
            "cert.bad-host-name",
            &["cert", "self-signed", "x", "--domain", "a b"],
        ),
        (
            65,
            "cert.bad-host-name",
            &["cert", "request", "x", "--domain", "*.*.example.org"],
        ),
        (
            65,
            "cert.bad-name",
            &["cert", "watch", "../x", "--dir", "/tmp"],
        ),
        (64, "watch.nothing", &["cert", "watch"]),
        (64, "watch.nothing", &["cert", "watch", "x"]),
    ] {
        let ran = scene.ends(exit, words);
        assert_eq!(ran.code(), code, "{words:?}: {ran:#?}");
    }
    let list = scene.must(&["cert", "list"]);
    assert_eq!(list.json["certificates"], serde_json::json!([]));
    assert_eq!(list.json["requests"], serde_json::json!([]));
}
