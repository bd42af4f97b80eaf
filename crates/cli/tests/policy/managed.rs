//! Rules that keys of `smtp_sasl_password_maps` manage, on the wire.

use crate::place::{Place, builder};
use openssl::pkey::PKey;
use openssl::ssl::{SslContext, SslMethod};
use openssl::x509::X509;
use postseal_testkit::smtp_script::SmtpScript;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What nothing may ever show.
const PASSWORD: &str = "s3cret-of-relay";
const PATIENCE: Duration = Duration::from_secs(30);

/// It authenticates at a relay on loopback, whose port is not known before.
fn authenticating(port: u16) -> Place {
    let place = Place::of(
        builder()
            .set("relayhost", &format!("[127.0.0.1]:{port}"))
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set("smtp_sasl_password_maps", "hash:{base}/config/passwords"),
    );
    passwords(&place, &[&format!("[127.0.0.1]:{port}")]);
    place
}

fn passwords(place: &Place, keys: &[&str]) {
    let rows: Vec<String> = keys
        .iter()
        .map(|key| format!("{key} user:{PASSWORD}\n"))
        .collect();
    place.table("passwords", &rows.concat());
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn submit(place: &Place, recipient: &str) {
    let mut sendmail = Command::new("/usr/sbin/sendmail");
    sendmail
        .args([
            "-C",
            &place.scene.config(),
            "-f",
            "sender@box.test",
            recipient,
        ])
        .stdin(Stdio::null());
    assert!(sendmail.status().unwrap().success(), "{recipient}");
}

/// The log's line about a recipient's delivery.
pub(crate) fn delivery(place: &Place, recipient: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let log = place.scene.postfix.log();
        let mut lines = log.lines();
        if let Some(line) = lines
            .find(|line| line.contains(&format!("to=<{recipient}>")) && line.contains("status="))
        {
            return line.to_owned();
        }
        assert!(Instant::now() < end, "nothing became of {recipient}: {log}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A session up to the envelope, refused there: how far the client goes is what matters.
pub(crate) fn session(script: SmtpScript) -> SmtpScript {
    script
        .hear("AUTH PLAIN ")
        .say("235 2.7.0 welcome\r\n")
        .hear("MAIL")
        .say("550 5.1.0 enough\r\n")
}

pub(crate) fn greeting() -> SmtpScript {
    SmtpScript::new()
        .say("220 relay.example ESMTP\r\n")
        .hear("EHLO")
}

pub(crate) const CLEAR: &str = "250-relay.example\r\n250 AUTH PLAIN\r\n";
const WITH_TLS: &str = "250-relay.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n";

pub(crate) fn tls(place: &Place) -> SslContext {
    let read = |name| fs::read(place.scene.named(name)).unwrap();
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    let certificate = X509::from_pem(&read("rsa.pem")).unwrap();
    let key = PKey::private_key_from_pem(&read("rsa.key")).unwrap();
    context.set_certificate(&certificate).unwrap();
    context.set_private_key(&key).unwrap();
    context.build()
}

pub(crate) fn findings(document: &Value, code: &str) -> Vec<String> {
    let findings = document["findings"].as_array().into_iter().flatten();
    let texts = findings.filter(|one| {
        let finding = if one["finding"].is_object() {
            &one["finding"]
        } else {
            one
        };
        finding["code"] == code
    });
    texts.map(Value::to_string).collect()
}

#[test]
fn credentials_go_in_clear_before_and_never_after() {
    let port = free_port();
    let place = authenticating(port);
    let tls = tls(&place);
    // Where it does not listen, nothing can be seen of it beforehand.
    let peer = |script: SmtpScript| script.on(TcpListener::bind(("127.0.0.1", port)).unwrap());
    let hop = format!("[127.0.0.1]:{port}");

    // As it is: the relay offers no TLS, and gets the password.
    let listed = place.must("domain list");
    assert_eq!(listed.json["credentials"][0]["next_hop"], hop);
    assert_eq!(listed.json["credentials"][0]["level"], "may");
    let lint = place.ends(2, "lint");
    let found = findings(&lint.json, "outbound.credentials-in-clear");
    assert_eq!(found.len(), 1, "{}", lint.stdout);
    assert!(
        found[0].contains(&hop) && found[0].contains("fatal"),
        "{found:?}"
    );
    let status = place.must("status").json;
    assert_eq!(status["credentials_in_clear"].as_array().unwrap().len(), 1);
    // A plan for something else tells it, and is not barred by it.
    place.must("policy add [other.example]:587 encrypt");
    let plan = place.must("plan").json;
    assert_eq!(findings(&plan, "outbound.credentials-in-clear").len(), 1);
    place.must("discard");
    let server = peer(session(greeting().say(CLEAR)));
    submit(&place, "before@example.org");
    delivery(&place, "before@example.org");
    let heard = server.finish().remove(0).unwrap();
    assert!(heard[1].starts_with("AUTH PLAIN "), "{heard:?}");

    let synced = place.must("domain sync");
    assert_eq!(synced.json["added"], 1, "{}", synced.stdout);
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
    let lint = place.run("lint");
    let found = findings(&lint.json, "outbound.credentials-in-clear");
    assert!(found.is_empty(), "{found:?}");

    // The same relay gets nothing now.
    let server = peer(greeting().say(CLEAR).hear("QUIT"));
    submit(&place, "after@example.org");
    let line = delivery(&place, "after@example.org");
    assert!(
        line.contains("dsn=4.7.4") && line.contains("status=deferred"),
        "{line}"
    );
    let heard = server.finish().remove(0).unwrap();
    assert_eq!(heard.len(), 2, "{heard:?}");

    // One with TLS gets it there.
    let server = peer(session(
        greeting()
            .say(WITH_TLS)
            .hear("STARTTLS")
            .say("220 go\r\n")
            .accept_tls(&tls)
            .hear("EHLO")
            .say(CLEAR),
    ));
    submit(&place, "tls@example.org");
    delivery(&place, "tls@example.org");
    let heard = server.finish().remove(0).unwrap();
    assert!(heard[3].starts_with("AUTH PLAIN "), "{heard:?}");

    // What would bring it back is refused, and so is taking the rule away from `policy`.
    let refused = place.ends(65, &format!("policy remove {hop}"));
    assert_eq!(refused.code(), "policy.managed");
    let status = place.must("status").json;
    assert_eq!(status["credentials_in_clear"], Value::Array(vec![]));

    // A key that is gone takes its rule with it.
    passwords(&place, &[]);
    assert_eq!(place.must("domain sync").json["removed"], 1);
    place.must("apply --yes");
    assert_eq!(place.maps(), "");
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
}

#[test]
fn a_bare_name_is_looked_up_for_the_host_behind_a_relayhost() {
    let port = free_port();
    let place = authenticating(port);
    passwords(&place, &["127.0.0.1"]);
    let relay = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = session(greeting().say(CLEAR)).on(relay);
    submit(&place, "someone@example.org");
    delivery(&place, "someone@example.org");
    let heard = server.finish().remove(0).unwrap();
    assert!(heard[1].starts_with("AUTH PLAIN "), "{heard:?}");
    let synced = place.must("domain sync");
    assert_eq!(synced.json["added"], 1, "{}", synced.stdout);
    assert_eq!(
        place.listed("wanted"),
        [format!("[127.0.0.1]:{port} encrypt")]
    );
}

#[test]
fn the_relay_of_a_sender_gets_a_rule() {
    let place = Place::of(
        builder()
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set("smtp_sender_dependent_authentication", "yes")
            .set("smtp_sasl_password_maps", "hash:{base}/config/passwords")
            .set(
                "sender_dependent_relayhost_maps",
                "hash:{base}/config/senders",
            ),
    );
    passwords(&place, &["boss@box.test", "@shop.test", "lost@box.test"]);
    place.table(
        "senders",
        "boss@box.test [boss.example]:587\n@shop.test [shop.example]:587\n",
    );
    let synced = place.must("domain sync");
    assert_eq!(
        place.listed("wanted"),
        ["[boss.example]:587 encrypt", "[shop.example]:587 encrypt"]
    );
    let told = findings(&synced.json, "domain.credentials-for-any-host");
    assert!(
        told.len() == 1 && told[0].contains("lost@box.test"),
        "{told:?}"
    );
    // One seller has a relay of its own, and the credentials of its domain.
    place.table(
        "senders",
        "boss@box.test [boss.example]:587\n@shop.test [shop.example]:587\n\
         seller@shop.test [seller.example]:587\n",
    );
    let in_clear = |document: &Value| findings(document, "outbound.credentials-in-clear").len();
    assert_eq!(in_clear(&place.ends(2, "lint").json), 4);
    let status = place.must("status").json;
    assert_eq!(status["credentials_in_clear"].as_array().unwrap().len(), 4);
    let listed = place.must("domain list").json;
    // The fourth is any domain.
    assert_eq!(
        listed["credentials"].as_array().unwrap().len(),
        4,
        "{listed}"
    );
    assert_eq!(place.must("domain sync").json["added"], 1);
    place.must("apply --yes");
    // The one without a relay is nobody's rule.
    let lint = place.ends(2, "lint").json;
    let left = findings(&lint, "outbound.credentials-in-clear");
    assert!(
        left.len() == 1 && left[0].contains("lost@box.test"),
        "{left:?}"
    );
    assert!(
        left[0].contains("sender_dependent_relayhost_maps"),
        "{left:?}"
    );
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["manager"], "smtp_sasl_password_maps");
}

#[test]
fn nothing_shows_or_keeps_a_password() {
    let place = authenticating(free_port());
    passwords(
        &place,
        &["[127.0.0.1]:25", "relay.example", "someone@box.test"],
    );
    for words in [
        "lint",
        "domain list",
        "domain sync",
        "plan",
        "status",
        "apply --yes",
        "policy list",
        "policy export",
        "explain [127.0.0.1]:25",
    ] {
        let ran = place.run(words);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(PASSWORD), "{words}: {said}");
        assert!(!said.contains("user:"), "{words}: {said}");
    }
}

#[test]
fn a_table_that_cannot_be_read_takes_no_rule_away() {
    let port = free_port();
    let place = authenticating(port);
    place.must("domain sync");
    place.must("apply --yes");
    let source = place.config().join("passwords");
    fs::remove_file(&source).unwrap();
    let synced = place.ends(3, "domain sync");
    assert_eq!(synced.json["removed"], 0, "{}", synced.stdout);
    assert_eq!(
        findings(&synced.json, "domain.credentials-not-listed").len(),
        1
    );
    let said = place.scene.say(&["domain", "sync"]).stdout;
    assert!(said.contains("cannot be told: hash:"), "{said}");
    assert!(!said.contains("wished already"), "{said}");
    fs::create_dir(&source).unwrap();
    assert_eq!(place.ends(3, "domain sync").json["removed"], 0);
    fs::remove_dir(&source).unwrap();
    fs::write(&source, b"\xff\xfe\0 x\n  \nno-value\n\"odd x\n@ x\n[ x\n").unwrap();
    let synced = place.must("domain sync");
    assert!(
        !findings(&synced.json, "domain.key-is-no-next-hop").is_empty(),
        "{}",
        synced.stdout
    );
    place.must("domain list");
}
