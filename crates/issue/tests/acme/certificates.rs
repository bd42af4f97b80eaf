//! What works: both challenges in each of their ways, accounts that come back, keys that stay.

use crate::scene::{Scene, ZONE, bounds, listening, names, order};
use mailtls::KeyKind;
use postseal_issue::acme::{Account, ExternalAccount};
use postseal_issue::dns01::{Hook, HookVariable};
use postseal_issue::http01::Webroot;
use postseal_issue::{Key, KeyType};
use postseal_testkit::pebble::Pebble;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[test]
fn an_rsa_and_an_ecdsa_certificate_for_several_names_by_http01() {
    let mut listening = listening();
    let scene = Scene::with(Pebble::builder().http_port(listening.port));
    let account = scene.account();
    let names = names(&["mx.mail.test", "smtp.mail.test", "mail.test"]);
    for key_type in [KeyType::EcdsaP256, KeyType::Rsa2048] {
        let key = Key::generate(key_type).unwrap();
        let ordered = order(&account, &names, &key, &mut listening.solver).unwrap();
        assert!(ordered.left_behind.is_empty());
        let chain = scene.judged(&ordered.issued, &names);
        assert_eq!(chain.len(), 2);
        let rsa = key_type == KeyType::Rsa2048;
        assert_eq!(matches!(chain[0].key, KeyKind::Rsa { .. }), rsa);
    }
}

/// A web server with one folder, for as long as the test lives.
fn web_server(folder: PathBuf) -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let path = head
                .split(' ')
                .nth(1)
                .unwrap_or("/")
                .trim_start_matches('/');
            let body = fs::read(folder.join(path)).unwrap_or_default();
            let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    port
}

#[test]
fn a_certificate_through_the_folder_of_a_web_server() {
    let folder = tempfile::tempdir().unwrap();
    let port = web_server(folder.path().to_owned());
    let scene = Scene::with(Pebble::builder().http_port(port));
    let names = names(&["mx.mail.test"]);
    let key = Key::generate(KeyType::EcdsaP384).unwrap();
    let mut webroot = Webroot::new(folder.path());
    let ordered = order(&scene.account(), &names, &key, &mut webroot).unwrap();
    scene.judged(&ordered.issued, &names);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_wildcard_and_its_base_by_dynamic_update() {
    let scene = Scene::new();
    let names = names(&["mail.test", "*.mail.test"]);
    let key = Key::generate(KeyType::EcdsaP256).unwrap();
    let mut update = scene.update();
    let ordered = order(&scene.account(), &names, &key, &mut update).unwrap();
    assert!(ordered.left_behind.is_empty(), "{:?}", ordered.left_behind);
    let chain = scene.judged(&ordered.issued, &names);
    assert!(chain[0].dns_names.contains(&"*.mail.test".to_owned()));
}

/// A hook as administrators write them, with knsupdate(1) or nsupdate(1) in place of an API.
fn hook(folder: &Path, scene: &Scene) -> Hook {
    let program = folder.join("hook");
    let script = r#"#!/bin/sh
set -eu
case $1 in present) verb=add ;; cleanup) verb=del ;; esac
printf '%s %s\n' "$verb" "$2" >>"$0.log"
knsupdate -v <<END
server $SERVER
zone $ZONE
key $KEY
$verb $2 1 TXT "$3"
send
END
"#;
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let server = scene.dns.address();
    let key = format!(
        "hmac-sha256:postseal-test {}",
        "YSBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcy4uLi8="
    );
    let variable = |name: &str, value: String| HookVariable {
        name: name.into(),
        value: value.into(),
    };
    Hook {
        program,
        keeper: Vec::new(),
        arguments: Vec::new(),
        environment: vec![
            variable(
                "SERVER",
                format!("{}#{}", server.ip(), server.port()).replace('#', " "),
            ),
            variable("ZONE", ZONE.into()),
            variable("KEY", key),
        ],
        allowed: Duration::from_secs(60),
        settle: Duration::ZERO,
    }
}

#[test]
fn a_certificate_through_a_hook_of_the_administrator() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let names = names(&["mx.mail.test"]);
    let key = Key::generate(KeyType::EcdsaP256).unwrap();
    let mut hook = hook(folder.path(), &scene);
    let ordered = order(&scene.account(), &names, &key, &mut hook).unwrap();
    assert!(ordered.left_behind.is_empty(), "{:?}", ordered.left_behind);
    scene.judged(&ordered.issued, &names);
    let log = fs::read_to_string(folder.path().join("hook.log")).unwrap();
    let record = "_acme-challenge.mx.mail.test.";
    assert_eq!(log, format!("add {record}\ndel {record}\n"));
}

#[test]
fn an_account_comes_back_and_the_key_of_a_certificate_stays() {
    let mut listening = listening();
    let scene = Scene::with(Pebble::builder().http_port(listening.port));
    let registered = Account::register(&scene.ca, &[], None, &bounds()).unwrap();
    let id = registered.account.id().to_owned();
    assert!(!format!("{registered:?}").contains("key_pkcs8"));
    drop(registered.account);
    let kept = registered.credentials.0;
    let account = Account::restore(&scene.ca, &kept, &bounds()).unwrap();
    assert_eq!(account.id(), id);
    let names = names(&["mx.mail.test"]);
    let first = Key::generate(KeyType::EcdsaP256).unwrap();
    let old = order(&account, &names, &first, &mut listening.solver)
        .unwrap()
        .issued;
    let again = Key::read(old.key_pem.as_bytes()).unwrap();
    let new = order(&account, &names, &again, &mut listening.solver)
        .unwrap()
        .issued;
    assert_eq!(old.key_pem, new.key_pem);
    assert_ne!(old.cert_pem, new.cert_pem);
    scene.judged(&new, &names);
    // Pebble 2.4 knows nothing of renewal information.
    assert_eq!(
        account.renewal_info(&new.cert_pem, &bounds()).unwrap(),
        None
    );
}

#[test]
fn an_external_account_where_the_ca_needs_one() {
    const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let scene = Scene::with(Pebble::builder().external_account("kid-1", KEY));
    let refused = Account::register(&scene.ca, &[], None, &bounds()).unwrap_err();
    assert_eq!(refused.code(), "acme.eab-required", "{refused}");
    let mut external = ExternalAccount {
        key_id: "kid-1".into(),
        hmac_key: KEY.to_owned().into(),
    };
    assert!(!format!("{external:?}").contains(KEY));
    Account::register(&scene.ca, &[], Some(&external), &bounds()).unwrap();
    external.hmac_key = KEY.replace('z', "y").into();
    let refused = Account::register(&scene.ca, &[], Some(&external), &bounds()).unwrap_err();
    assert_eq!(refused.code(), "acme.eab-refused", "{refused}");
    assert!(refused.remedy().contains("--eab-kid"), "{refused}");
    for key in ["no base64 !", ""] {
        external.hmac_key = key.to_owned().into();
        let refused = Account::register(&scene.ca, &[], Some(&external), &bounds()).unwrap_err();
        assert_eq!(refused.code(), "acme.unusable");
        assert!(refused.to_string().contains("--eab-hmac-key-file"));
    }
    // A key id that the CA does not know, and none.
    external.hmac_key = KEY.to_owned().into();
    for (id, code) in [("kid-2", "acme.eab-refused"), ("", "acme.unusable")] {
        external.key_id = id.into();
        let refused = Account::register(&scene.ca, &[], Some(&external), &bounds()).unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
}
