//! Why another certificate is served than is bound: each cause made by hand on a real Postfix, and
//! told by `verify` and `status` with its code.

use crate::scene::run;
use crate::site::{Site, all, by_name};
use postseal_issue::KeyType;
use postseal_planner::report::{Ask, KeyAlgorithm};
use serde_json::Value;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The findings `served.…` of one port, code and message, as `verify` and `status` tell them.
fn causes(site: &Site, port: u16) -> Vec<(String, String)> {
    let verified = site.ends(1, "verify").json;
    let told = served(&verified["judgements"], port);
    let status = site.must("status").json;
    assert_eq!(served(&status["observed"]["judgements"], port), told);
    told
}

fn served(judgements: &Value, port: u16) -> Vec<(String, String)> {
    let place = format!(":{port}");
    let judged = judgements.as_array().unwrap().iter();
    let there = judged.filter(|judged| judged["address"].as_str().unwrap().ends_with(&place));
    let all = there.flat_map(|judged| judged["findings"].as_array().unwrap());
    let all = all.map(|finding| {
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    });
    all.filter(|(code, _)| code.starts_with("served."))
        .collect()
}

/// One cause, with these words in it.
pub(crate) fn is(site: &Site, port: u16, code: &str, words: &[&str]) {
    let told = causes(site, port);
    let [(found, message)] = told.as_slice() else {
        panic!("{code}: {told:#?}");
    };
    assert_eq!(found, code, "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} in {message}");
    }
}

/// One that keeps its idle processes for the length of a test.
pub(crate) fn serving() -> Site {
    let site = Site::serving();
    site.scene
        .edit("main.cf", |text| text + "max_idle = 900s\n");
    site.reload_until(&Ask::default(), all("mx"));
    site
}

#[test]
fn a_file_that_somebody_wrote_and_then_a_process_that_has_read_it() {
    let site = serving();
    site.make("evil", KeyType::Rsa2048, &["mx.box.test"]);
    let path = site.key_file("mx");
    let good = fs::read(&path).unwrap();
    fs::write(&path, fs::read(site.scene.named("evil.both")).unwrap()).unwrap();
    site.reload_until(&Ask::default(), all("evil"));
    let name = path.display().to_string();
    is(
        &site,
        25,
        "served.file-differs",
        &[&name, "another certificate"],
    );
    // Put right by hand, and nobody has reloaded.
    fs::write(&path, good).unwrap();
    is(
        &site,
        25,
        "served.not-reloaded",
        &["no longer configured", "max_idle = 900s", "max_use = 100"],
    );
    site.reload_until(&Ask::default(), all("mx"));
    site.must("verify");
}

#[test]
fn a_process_that_shows_an_older_version_tells_which_one() {
    let site = serving();
    let before = site.main_cf();
    let newer = site.make("newer", KeyType::Rsa2048, &["mx.box.test"]);
    site.must(&format!("cert deploy mx --cert {newer}"));
    let after = site.main_cf();
    assert_ne!(before, after);
    site.scene.edit("main.cf", |_| before.clone());
    site.reload_until(&Ask::default(), all("mx"));
    site.scene.edit("main.cf", |_| after.clone());
    is(
        &site,
        25,
        "served.not-reloaded",
        &["version 1 of mx (valid until "],
    );
}

#[test]
fn another_process_on_the_port_is_named() {
    let site = Site::serving();
    site.make("evil", KeyType::Rsa2048, &["mx.box.test"]);
    // The administrator gave the port away.
    let config = site.scene.config();
    let said = run("/usr/sbin/postconf", &["-c", &config, "-M"]);
    let name = said
        .lines()
        .find(|line| line.starts_with("smtps") || line.starts_with("submissions"));
    let name = name.unwrap().split_ascii_whitespace().next().unwrap();
    run(
        "/usr/sbin/postconf",
        &["-c", &config, "-MX", &format!("{name}/inet")],
    );
    run("/usr/sbin/postfix", &["-c", &config, "reload"]);
    let _other = Other::on(&site, 465);
    is(
        &site,
        465,
        "served.other-process",
        &["\"openssl\" (process ", "port 465"],
    );
    assert_eq!(causes(&site, 465).len(), 1);
}

#[test]
fn the_default_for_a_name_and_a_foreign_map() {
    let site = Site::serving();
    site.import("b", KeyType::EcdsaP256, &["b.box.test"]);
    site.must("cert bind b --sni b.box.test");
    site.must("apply");
    let [source, _] = site.maps().try_into().unwrap();
    let rows = fs::read_to_string(&source).unwrap();
    let compile = || {
        let table = format!("hash:{}", source.display());
        run(
            "/usr/sbin/postmap",
            &["-c", &site.scene.config(), "-F", &table],
        );
    };
    let asks = by_name("b.box.test");

    fs::write(&source, rows.replace("b.box.test", "c.box.test")).unwrap();
    compile();
    site.reload_until(&asks, all("mx"));
    is(
        &site,
        25,
        "served.default-for-name",
        &["ask for b.box.test", "other rows"],
    );
    site.must("apply");
    assert_eq!(site.shown(&asks), all("b"));

    // The rows are right, and what was compiled of them is another key: `plan` knows it too.
    let key = site.key_file("b");
    let good = fs::read(&key).unwrap();
    site.make("evil", KeyType::EcdsaP256, &["b.box.test"]);
    fs::write(&key, fs::read(site.scene.named("evil.both")).unwrap()).unwrap();
    compile();
    fs::write(&key, good).unwrap();
    site.reload_until(&asks, all("evil"));
    is(
        &site,
        25,
        "served.foreign-map",
        &["ask for b.box.test", "somebody else"],
    );
    let plan = site.must("plan").json;
    assert_eq!(plan["steps"][0]["step"], "install-sni-map", "{plan:#}");
    site.must("apply");
    assert_eq!(site.shown(&asks), all("b"));
    assert_eq!(site.must("plan").json["pending"], false);
    site.must("verify");
}

#[test]
fn a_map_that_was_compiled_to_other_rows_is_the_cause_on_every_port() {
    let site = Site::serving();
    for name in ["b", "c"] {
        site.import(name, KeyType::Rsa2048, &["b.box.test", "mx.box.test"]);
    }
    site.must("cert bind b --sni b.box.test");
    site.must("cert bind c --service 587");
    site.must("apply");
    let [source, _] = site.maps().try_into().unwrap();
    let good = fs::read(&source).unwrap();
    // The certificate that port 587 shows without a name, in the compiled map alone.
    let other = format!("b.box.test {}\n", site.key_file("c").display());
    fs::write(&source, other).unwrap();
    let table = format!("hash:{}", source.display());
    let config = site.scene.config();
    run("/usr/sbin/postmap", &["-c", &config, "-F", &table]);
    fs::write(&source, good).unwrap();
    let asks = by_name("b.box.test");
    site.reload_until(&asks, all("c"));
    let map = source.display().to_string();
    for port in crate::site::PORTS {
        is(&site, port, "served.foreign-map", &[&map, "somebody else"]);
    }
    site.must("apply");
    assert_eq!(site.shown(&asks), all("b"));
    site.must("verify");
}

/// Another server, which only knows TLS.
struct Other(Child);

impl Other {
    fn on(site: &Site, port: u16) -> Self {
        let file = site.scene.named("evil.both");
        let address = site.scene.postfix.at(port).to_string();
        let mut command = Command::new("/usr/bin/openssl");
        command.args(["s_server", "-quiet", "-accept", &address]);
        command.args(["-cert", &file, "-key", &file]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let other = Self(command.spawn().unwrap());
        while std::net::TcpStream::connect(&address).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
        other
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Somebody writes into master.cf that smtps presents a certificate called `own`.
fn present_another_on_465(site: &Site) {
    let own = site.make("own", KeyType::Rsa2048, &["mx.box.test"]);
    site.scene.edit("master.cf", |text| {
        let wrapper = "-o smtpd_tls_wrappermode=yes\n";
        let line = format!("{wrapper}  -o smtpd_tls_chain_files={own}\n");
        text.replacen(wrapper, &line, 1)
    });
}

/// The files say what is shown: no process is from before anything.
#[test]
fn a_line_that_somebody_edited_is_the_cause() {
    let site = serving();
    present_another_on_465(&site);
    let wanted = ["mx", "mx", "own"].map(str::to_owned);
    site.reload_until(&Ask::default(), wanted);
    is(
        &site,
        465,
        "served.edited",
        &["smtpd_tls_chain_files", "edited"],
    );
    let told = site.scene.say(&["verify"]).stdout;
    assert!(
        told.contains("drift --restore") && !told.contains("postfix reload"),
        "{told}"
    );
    assert!(!told.contains("wait or reload"), "{told}");
}

/// New processes get the options that Postfix has read, however old the one before was.
#[test]
fn an_option_of_master_cf_that_nobody_reloaded_is_no_process_that_ends() {
    let site = serving();
    present_another_on_465(&site);
    site.must("drift --adopt");
    is(
        &site,
        465,
        "served.not-reloaded",
        &["-o smtpd_tls_chain_files", "until Postfix is reloaded"],
    );
    let told = site.scene.say(&["verify"]).stdout;
    assert!(!told.contains("max_idle"), "{told}");
    site.reload_until(&Ask::default(), ["mx", "mx", "own"].map(str::to_owned));
    site.must("verify");
}

/// Of two kinds of keys one is left: clients that take the other are turned away, and the log has
/// nothing of a file that could not be used.
#[test]
fn a_kind_of_key_that_is_gone_is_told_with_its_cause() {
    let site = serving();
    site.import("ec", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind ec");
    site.must("apply");
    let both = site.main_cf();
    let line = both
        .lines()
        .find(|line| line.starts_with("smtpd_tls_chain_files"));
    let line = line.unwrap().to_owned();
    let rsa = format!("smtpd_tls_chain_files = {}", site.key_file("mx").display());
    site.scene.edit("main.cf", |text| text.replace(&line, &rsa));
    let only = Ask {
        name: None,
        algorithm: Some(KeyAlgorithm::Rsa),
    };
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    site.reload_until(&Ask::default(), all("mx"));
    assert_eq!(site.shown(&only), all("mx"));
    let words = [
        "take only ECDSA",
        "somebody edited",
        "smtpd_tls_chain_files",
    ];
    is(&site, 25, "served.edited", &words);
    site.scene.edit("main.cf", |_| both.clone());
    is(
        &site,
        25,
        "served.not-reloaded",
        &["take only ECDSA", "max_idle = 900s"],
    );
    let told = site.scene.say(&["verify"]).stdout;
    assert!(!told.contains("Postfix's log names"), "{told}");
}

/// What says nothing has no certificate that could differ: its process is named all the same.
#[test]
fn another_process_that_never_greets_is_named() {
    let site = Site::serving();
    let config = site.scene.config();
    let said = run("/usr/sbin/postconf", &["-c", &config, "-M"]);
    assert!(said.contains("submission"), "{said}");
    run(
        "/usr/sbin/postconf",
        &["-c", &config, "-MX", "submission/inet"],
    );
    run("/usr/sbin/postfix", &["-c", &config, "reload"]);
    let end = std::time::Instant::now() + Duration::from_secs(8);
    let _silent = loop {
        match std::net::TcpListener::bind(site.scene.postfix.at(587)) {
            Ok(silent) => break silent,
            Err(error) => assert!(std::time::Instant::now() < end, "{error}"),
        }
        thread::sleep(Duration::from_millis(50));
    };
    let pid = format!("process {}", std::process::id());
    is(&site, 587, "served.other-process", &[&pid, "port 587"]);
    // Nothing that is done to Postfix would help: it would go, and not come back.
    let told = site.scene.say(&["verify"]).stdout;
    assert!(told.contains("move it to another port"), "{told}");
    assert!(!told.contains("postfix stop"), "{told}");
}

/// `postmap` without `-F`: the map holds the names of files in place of keys, and smtpd(8) ends every
/// handshake for a name that it lists.
#[test]
fn a_map_that_was_compiled_without_its_files_is_the_cause() {
    let site = Site::serving();
    site.import("b", KeyType::EcdsaP256, &["b.box.test"]);
    site.must("cert bind b --sni b.box.test");
    site.must("apply");
    let [source, _] = site.maps().try_into().unwrap();
    let table = format!("hash:{}", source.display());
    let config = site.scene.config();
    run("/usr/sbin/postmap", &["-c", &config, &table]);
    run("/usr/sbin/postfix", &["-c", &config, "reload"]);
    let asks = by_name("b.box.test");
    let refused = |seen: &[String]| seen.iter().all(|one| one.starts_with("Refused"));
    let end = std::time::Instant::now() + Duration::from_secs(8);
    while !refused(&site.shown(&asks)) {
        assert!(std::time::Instant::now() < end, "{:?}", site.shown(&asks));
    }
    for port in [25, 587, 465] {
        let words = ["ask for b.box.test", "without `-F`"];
        is(&site, port, "served.foreign-map", &words);
    }
    let linted = site.ends(2, &format!("lint {config}")).json.to_string();
    assert!(linted.contains("maps.without-keys"), "{linted}");
    site.must("apply");
    assert_eq!(site.shown(&asks), all("b"));
    site.must(&format!("lint {config}"));
}
