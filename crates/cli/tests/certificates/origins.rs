//! Where a certificate came from: who else could read its key there, and a path that means the same
//! from everywhere.

use crate::scene::Ran;
use crate::site::Site;
use postseal_issue::KeyType;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// Code and severity of what is told of the key's file.
fn of_key(ran: &Ran) -> Vec<String> {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    let text = |finding: &serde_json::Value| {
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        format!("{} {}", text("code"), text("severity"))
    };
    findings
        .map(text)
        .filter(|found| found.starts_with("cert.key-"))
        .collect()
}

fn with(path: &str, mode: u32, owner: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    chown(path, Some(owner), None).unwrap();
}

#[test]
fn who_could_read_or_replace_an_imported_key_is_told() {
    const READABLE: &str = "cert.key-readable";
    let site = Site::adopted();
    let both = site.make("mx", KeyType::EcdsaP256, &["mx.box.test"]);
    let cases: [(u32, u32, &[&str]); 5] = [
        (0o600, 0, &[]),
        (0o640, 0, &["cert.key-readable info"]),
        (0o644, 0, &["cert.key-readable warning"]),
        (0o620, 0, &["cert.key-writable warning"]),
        (
            0o644,
            65_534,
            &["cert.key-readable warning", "cert.key-owner info"],
        ),
    ];
    for (n, (mode, owner, told)) in cases.iter().enumerate() {
        with(&both, *mode, *owner);
        let imported = site.must(&format!("cert import c{n} --cert {both}"));
        assert_eq!(of_key(&imported), *told, "{mode:o} {owner}");
        let text = imported.json["findings"].to_string();
        assert_eq!(text.contains(&both), !told.is_empty(), "{text}");
    }

    // A key in a file of its own, and in the folder of a client.
    let [chain, key] = ["rsa.pem", "rsa.key"].map(|name| site.scene.named(name));
    let quiet = site.must(&format!("cert import own --cert {chain} --key {key}"));
    assert_eq!(of_key(&quiet), [""; 0]);
    let folder = site.scene.named("live");
    fs::create_dir(&folder).unwrap();
    for (from, to) in [(&chain, "fullchain.pem"), (&key, "privkey.pem")] {
        fs::copy(from, format!("{folder}/{to}")).unwrap();
    }
    fs::copy(&chain, format!("{folder}/cert.pem")).unwrap();
    fs::copy(&chain, format!("{folder}/chain.pem")).unwrap();
    with(&format!("{folder}/privkey.pem"), 0o644, 0);
    let told = site.must(&format!("cert import live --dir {folder}"));
    assert_eq!(of_key(&told), [format!("{READABLE} warning")]);
    // A file without a key may be read by all.
    with(&chain, 0o644, 0);
    let known = site.must(&format!(
        "cert import own --cert {chain} --key {key} --renew"
    ));
    assert_eq!(of_key(&known), [""; 0]);
}

#[test]
fn a_source_is_remembered_by_its_whole_path() {
    let site = Site::adopted();
    let both = site.make("mx", KeyType::EcdsaP256, &["mx.box.test"]);
    let name = Path::new(&both).file_name().unwrap().to_str().unwrap();
    let mut command = site
        .scene
        .command(&["cert", "import", "mx", "--cert", name]);
    let ran = command.current_dir(site.scene.folder()).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let listed = site.must("cert list").json["certificates"][0]["source"].clone();
    assert_eq!(listed, both.as_str());
    let stdin = site.scene.fed(
        &["cert", "import", "in", "--cert", "-"],
        &fs::read(&both).unwrap(),
    );
    assert_eq!(stdin.exit, Some(0));
    assert_eq!(stdin.json["certificate"]["source"], "-");
}
