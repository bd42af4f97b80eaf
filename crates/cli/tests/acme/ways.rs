//! The ways to prove a name, and the kinds of keys: dynamic updates, a hook, a web server's folder,
//! an external account; RSA beside ECDSA; a key that stays.

use crate::site::{all, only};
use crate::world::{World, base64_of, until};
use mailtls::pem_certificates;
use postseal_planner::report::KeyAlgorithm;
use postseal_testkit::dns_server::DnsServer;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

#[test]
fn a_wildcard_by_dynamic_updates_and_its_renewal() {
    let world = World::new();
    let site = &world.site;
    let words = format!(
        "cert issue wild --domain box.test,*.box.test {} --dns-update {} --tsig-key-file {}",
        world.ca(),
        world.dns.address(),
        world.key_file()
    );
    let issued = site.must(&words);
    let names = issued.json["certificates"][0]["names"].to_string();
    assert!(names.contains("*.box.test"), "{names}");
    // Nobody trusts Pebble's root; nothing else is amiss.
    let findings = issued.json["findings"].as_array().unwrap();
    let codes: Vec<&str> = findings
        .iter()
        .filter_map(|one| one["code"].as_str())
        .collect();
    assert_eq!(codes, ["cert.issuer-unknown"]);
    let renewed = site.must("cert renew wild --force");
    assert_eq!(renewed.json["changed"], true, "{renewed:#?}");
    assert_eq!(world.renewal("wild")["challenge"]["by"], "update");
    // The key file went away: said at once, and the secret is not in it.
    fs::remove_file(site.scene.named("tsig.key")).unwrap();
    let failed = site.ends(1, "cert renew wild --force");
    assert_eq!(
        failed.json["findings"][0]["evidence"][0]["text"],
        "dns01.key-file"
    );
    assert!(!failed.stdout.contains(&base64_of(world.dns.secret())));
}

#[test]
fn a_key_of_the_name_server_that_does_not_fit_is_told() {
    let world = World::new();
    let site = &world.site;
    let file = world.key_file();
    let right = fs::read_to_string(&file).unwrap();
    let words = format!(
        "cert issue mx --domain mx.box.test {} --dns-update {} --tsig-key-file {file}",
        world.ca(),
        world.dns.address()
    );
    let powerless = right.replace(DnsServer::KEY_NAME, DnsServer::POWERLESS_KEY_NAME);
    let secret = base64_of(world.dns.secret());
    let other = base64_of(b"some other secret of 32 bytes..!");
    for (text, code) in [
        (powerless, "dns01.refused"),
        (right.replace(&secret, &other), "dns01.refused"),
        (right.replace(&secret, "!!"), "dns01.key-file"),
        (secret.clone(), "dns01.key-file"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = site.ends(1, &words);
        assert_eq!(refused.code(), code, "{refused:#?}");
        for output in [&refused.stdout, &refused.stderr] {
            assert!(!output.contains(&secret) && !output.contains(&other));
        }
    }
}

#[test]
fn a_hook_of_the_administrator() {
    let mut world = World::new();
    let hook = world.site.scene.named("hook");
    let server = world.dns.address();
    let script = format!(
        "#!/bin/sh\nset -eu\ncase $1 in present) verb=add ;; cleanup) verb=del ;; esac\n\
         printf '%s\\n' \"$1\" >>\"$0.log\"\n\
         knsupdate -v <<END\nserver {} {}\nzone box.test\nkey hmac-sha256:{} {}\n\
         $verb $2 1 TXT \"$3\"\nsend\nEND\n",
        server.ip(),
        server.port(),
        DnsServer::KEY_NAME,
        base64_of(world.dns.secret())
    );
    fs::write(&hook, script).unwrap();
    let words = format!(
        "cert issue mx --domain mx.box.test {} --dns-hook {hook}",
        world.ca()
    );
    // Not executable yet: said before the CA is asked.
    assert_eq!(world.site.ends(1, &words).code(), "dns01.hook-missing");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    world.site.must(&words);
    let log = || fs::read_to_string(format!("{hook}.log")).unwrap();
    assert_eq!(log(), "present\ncleanup\n");
    // One that says no is quoted.
    world.forget();
    fs::write(&hook, "#!/bin/sh\necho the API is down\nexit 3\n").unwrap();
    let failed = world.site.ends(1, "cert renew mx --force");
    let message = failed.json["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains("the API is down"), "{message}");
}

#[test]
fn a_hook_ends_with_the_program_whatever_ends_that() {
    let world = World::new();
    let site = &world.site;
    let hook = site.scene.named("hook");
    let script = "#!/bin/sh\nsleep 1000 &\necho $! >\"$0.pids\"\necho $$ >>\"$0.pids\"\nwait\n";
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let words = format!(
        "cert issue mx --domain mx.box.test {} --dns-hook {hook}",
        world.ca()
    );
    let pids = || fs::read_to_string(format!("{hook}.pids")).unwrap_or_default();
    let alive = |pid: &str| {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
    };
    let mut words_of: Vec<&str> = words.split(' ').collect();
    words_of.push("--json");
    let mut program = site.scene.command(&words_of).spawn().unwrap();
    until("the hook's start", || pids().lines().count() == 2);
    program.kill().unwrap();
    program.wait().unwrap();
    until("the hook's end", || !pids().lines().any(alive));

    // One that hangs is ended when the time is up, and that is said so.
    let _ = fs::remove_file(format!("{hook}.pids"));
    let stuck = site.ends(1, &format!("{words} --timeout 2s"));
    assert_eq!(stuck.code(), "dns01.hook-failed");
    let message = stuck.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("s and was killed"), "{message}");
    let hint = stuck.json["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--timeout"), "{hint}");
    assert!(!pids().lines().any(alive));
}

/// A web server with one folder, for as long as the test lives.
fn web_server(at: std::net::SocketAddr, folder: PathBuf) {
    let socket = TcpListener::bind(at).unwrap();
    std::thread::spawn(move || {
        for mut stream in socket.incoming().flatten() {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("/");
            let body = fs::read(folder.join(path.trim_start_matches('/'))).unwrap_or_default();
            let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
}

#[test]
fn the_folder_of_a_web_server() {
    let world = World::new();
    let site = &world.site;
    let folder = PathBuf::from(site.scene.named("www"));
    let words = format!(
        "cert issue mx --domain mx.box.test {} --webroot {}",
        world.ca(),
        folder.display()
    );
    assert_eq!(site.ends(1, &words).code(), "http01.webroot");
    fs::create_dir(&folder).unwrap();
    web_server(world.http(), folder.clone());
    site.must(&words);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "all taken away");
    site.must("cert renew mx --force");
}

#[test]
fn an_external_account() {
    const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let world = World::with(World::pebble().external_account("kid-1", KEY));
    let site = &world.site;
    let words = format!("cert issue mx --domain mx.box.test {}", world.by_http());
    let refused = site.ends(65, &words);
    assert_eq!(refused.code(), "acme.eab-required", "{refused:#?}");
    let file = site.scene.named("eab.key");
    fs::write(&file, format!("{}\n", KEY.replace('z', "y"))).unwrap();
    let words = format!("{words} --eab-kid kid-1 --eab-hmac-key-file {file}");
    let refused = site.ends(1, &words);
    assert_eq!(refused.code(), "acme.eab-refused", "{refused:#?}");
    assert!(!refused.stdout.contains(&KEY[1..]));
    fs::write(&file, format!("{KEY}\n")).unwrap();
    let unused = "acme.external-account-unused";
    let first = site.must(&format!("{words} --key-type ecdsa-p256,rsa-2048"));
    assert!(!first.stdout.contains(unused), "{}", first.stdout);
    let again = site.must(&format!("{words} --renew"));
    assert!(again.stdout.contains(unused), "{}", again.stdout);
    // The account is there: neither terms nor key are asked for again.
    let [ca, root] = [world.pebble.directory(), site.scene.named("ca-server.pem")];
    let http = world.http();
    site.must(&format!(
        "cert issue other --domain other.box.test --ca {ca} --ca-root {root} --http {http}"
    ));
}

#[test]
fn rsa_beside_ecdsa_and_each_client_gets_its_kind() {
    let world = World::new();
    let site = &world.site;
    let pair = " --key-type rsa-2048,ecdsa-p256";
    let issued = world.issue("mx", "mx.box.test", pair, "ecdsa 1");
    world.know("mx-rsa", "rsa 1");
    assert_eq!(issued.json["certificates"].as_array().unwrap().len(), 2);
    site.must("cert bind mx");
    site.must("cert bind mx-rsa");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    assert_eq!(site.shown(&only(KeyAlgorithm::Rsa)), all("rsa 1"));
    assert_eq!(site.shown(&only(KeyAlgorithm::Ecdsa)), all("ecdsa 1"));
    site.must("cert renew mx-rsa --force");
    world.know("mx-rsa", "rsa 2");
    assert_eq!(site.shown(&only(KeyAlgorithm::Rsa)), all("rsa 2"));
    assert_eq!(site.shown(&only(KeyAlgorithm::Ecdsa)), all("ecdsa 1"));
}

#[test]
fn a_key_that_is_reused_stays_and_another_does_not() {
    let world = World::new();
    let key = |name: &str| {
        let pem = world.site.scene.say(&["cert", "export", name]).stdout;
        let leaf = &pem_certificates(pem.as_bytes()).unwrap()[0];
        leaf.key_fingerprint()
    };
    world.issue("stays", "a.box.test", " --reuse-key", "a 1");
    world.issue("goes", "b.box.test", "", "b 1");
    let before = ["stays", "goes"].map(key);
    world.site.must("cert renew --force");
    let after = ["stays", "goes"].map(key);
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    assert_eq!(world.renewal("stays")["reuse_key"], true);
    let shown = world.site.scene.say(&["cert", "show", "stays"]).stdout;
    assert!(shown.contains("the same key each time"), "{shown}");
}
