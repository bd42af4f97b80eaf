//! What this host lacks for a policy, told by whatever looks: `check`, `explain`, `plan`; and what
//! Postfix does then.

use crate::managed::{delivery, findings, submit};
use crate::place::{Place, builder};
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use serde_json::Value;
use std::net::TcpListener;

/// What `policy check` says of a policy towards a server that cannot be seen.
fn checked(place: &Place, exit: i32, policy: &str) -> Value {
    let policy = policy.replace(' ', "%20");
    let words = format!("--resolver none policy check a.example --policy {policy}");
    place.ends(exit, &words).json
}

#[test]
fn check_fails_for_what_this_host_lacks_though_no_server_is_seen() {
    let lonely = Place::of(builder().set("tls_append_default_CA", "no"));
    for (policy, code) in [
        ("fingerprint", "policy.no-fingerprint"),
        ("secure", "policy.nobody-trusted"),
        ("verify match=mx.a.example", "policy.nobody-trusted"),
        ("dane-only", "policy.dane-without-dnssec"),
        ("secure tafile=/nowhere.pem", "policy.tafile-missing"),
    ] {
        let told = checked(&lonely, 2, policy);
        let seen = &told["checked"][0]["preflight"];
        assert_eq!(seen["outcome"], "fail", "{policy}: {told}");
        let all = told["findings"].as_array().unwrap();
        assert_eq!(all[0]["code"], code, "{policy}: {told}");
        assert!(all[0]["remedy"].as_str().unwrap().len() > 20, "{told}");
        // It is not said beside that nothing could be told.
        let undetermined = findings(&told, "policy.preflight-undetermined");
        assert!(undetermined.is_empty(), "{policy}: {told}");
    }
    for policy in ["encrypt", "fingerprint match=AA:BB"] {
        let told = checked(&lonely, 3, policy);
        let seen = &told["checked"][0]["preflight"];
        assert_eq!(seen["outcome"], "undetermined", "{policy}: {told}");
    }
    // In force, in a table of somebody's own: told once.
    let rows = "a.example fingerprint\n";
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", rows);
    let told = place.ends(2, "--resolver none policy check a.example").json;
    assert_eq!(
        findings(&told, "policy.no-fingerprint").len(),
        1,
        "{told:#}"
    );
}

#[test]
fn check_and_add_tell_of_a_client_that_overlooks_starttls() {
    const CODE: &str = "policy.starttls-overlooked";
    for (name, value) in [
        ("smtp_never_send_ehlo", "yes"),
        ("smtp_discard_ehlo_keywords", "starttls"),
    ] {
        let place = Place::of(builder().set(name, value));
        let told = checked(&place, 2, "encrypt");
        let seen = &told["checked"][0]["preflight"];
        assert_eq!(seen["outcome"], "fail", "{name}: {told}");
        assert_eq!(findings(&told, CODE).len(), 1, "{name}: {told}");
        let refused = place.ends(65, "policy add a.example encrypt --no-preflight");
        assert_eq!(refused.code(), CODE, "{name}: {}", refused.stdout);
        checked(&place, 3, "may");
    }
}

/// A server without TLS that goes no further than the envelope.
fn plain(listener: TcpListener) -> ScriptedServer {
    SmtpScript::new()
        .say("220 relay.example ESMTP\r\n")
        .hear("EHLO")
        .say("250 relay.example\r\n")
        .hear("MAIL")
        .say("550 5.1.0 enough\r\n")
        .on(listener)
}

#[test]
fn with_hosts_by_the_system_alone_postfix_does_no_dane() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hop = format!("[127.0.0.1]:{}", listener.local_addr().unwrap().port());
    let place = Place::of(
        builder()
            .set("relayhost", &hop)
            .set("smtp_dns_support_level", "dnssec")
            .set("smtp_host_lookup", "native"),
    );
    let code = "policy.dane-without-dnssec";
    let add = format!("policy add {hop} dane --no-preflight");
    let refused = place.ends(65, &add);
    assert_eq!(refused.code(), code);
    assert!(
        refused.stdout.contains("smtp_host_lookup = dns"),
        "{}",
        refused.stdout
    );
    place.must(&format!("{add} --force --reason to%20see"));
    place.must("apply --yes");
    // In clear, as `explain` says, and smtp(8) does.
    let told = place.ends(2, "explain somebody@a.example").json;
    assert_eq!(told["hops"][0]["level"], "may", "{told}");
    assert_eq!(findings(&told, code).len(), 1, "{told}");
    let server = plain(listener);
    submit(&place, "somebody@a.example");
    let line = delivery(&place, "somebody@a.example");
    assert!(line.contains("status=bounced"), "{line}");
    assert!(server.finish().remove(0).is_ok());
    let log = place.scene.postfix.log();
    let warned = "dane configured with dnssec lookups disabled";
    assert!(log.contains(warned), "{log}");

    let only = format!("policy check {hop} --policy dane-only");
    let told = place.ends(2, &only).json;
    assert_eq!(told["checked"][0]["preflight"]["outcome"], "fail", "{told}");

    // The same for all destinations; and the remedy works.
    place.must("set outbound=dane");
    let refused = place.ends(65, "plan");
    assert_eq!(refused.code(), "outbound.dane-without-dnssec");
    let main = place.main_cf();
    let without = main.replace("smtp_host_lookup = native\n", "");
    assert_ne!(main, without);
    place.write("main.cf", &without);
    place.must("plan");
}

#[test]
fn hosts_of_the_systems_file_are_looked_at() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = Place::of(builder().set("smtp_host_lookup", "native"));
    // Of the jail's: smtp(8) runs there.
    let etc = place.scene.postfix.queue_directory().join("etc");
    std::fs::create_dir_all(&etc).unwrap();
    std::fs::write(etc.join("hosts"), "127.0.0.1 Relay.inside # ours\n").unwrap();
    let known = format!("policy check [relay.inside]:{port} --policy none");
    let server = SmtpScript::new()
        .say("220 relay.example ESMTP\r\n")
        .hear("EHLO")
        .say("250 relay.example\r\n")
        .on(listener);
    let told = place.run(&known).json;
    let seen = &told["checked"][0]["preflight"];
    let addresses = seen["hosts"][0]["addresses"].to_string();
    assert!(addresses.contains("127.0.0.1"), "{told}");
    drop(server);
    let told = place
        .ends(3, "policy check [nowhere.invalid]:26 --policy encrypt")
        .json;
    assert!(told.to_string().contains("/etc/hosts"), "{told}");
}

#[test]
fn check_of_all_rules_says_which_mail_never_comes_to() {
    let place = Place::of(builder().set("relayhost", "[relay.example]:587"));
    let add = "policy add a.example encrypt --no-preflight --force --reason for%20later";
    place.must(add);
    let told = place.ends(2, "--resolver none policy check").json;
    let one = &told["checked"][0];
    assert_eq!(one["destination"], "a.example", "{told}");
    assert!(one["preflight"].is_null(), "{told}");
    let said = findings(&told, "policy.never-matches").concat();
    assert!(said.contains("for later"), "{told}");
    assert!(said.contains("[relay.example]:587"), "{told}");
}

#[test]
fn verify_tells_of_an_edited_table_that_nobody_asks() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\nb.example may\n");
    place.must("init");
    place.must("policy edit b.example encrypt --no-preflight");
    place.must("apply --yes");
    let code = "policy.replaced-table-edited";
    let before = place.run("verify");
    assert!(findings(&before.json, code).is_empty(), "{}", before.stdout);
    place.table("own", "a.example encrypt\nb.example may\nc.example may\n");
    let after = place.run("verify");
    assert_eq!(after.exit, before.exit);
    assert_eq!(findings(&after.json, code).len(), 1, "{}", after.stdout);
    let text = place.scene.say(&["verify"]).stdout;
    assert!(!text.contains("Everything is as it should be"), "{text}");
}

#[test]
fn a_next_hop_on_465_is_looked_at_by_the_client_that_begins_with_tls() {
    let wrapped = "smtps-out unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n";
    let place = Place::new();
    let master = place.config().join("master.cf");
    let text = std::fs::read_to_string(&master).unwrap();
    std::fs::write(&master, format!("{text}{wrapped}")).unwrap();
    place.must("policy add [127.0.0.9]:465 encrypt --no-preflight");
    // Nobody listens there: nothing is known, and nothing is wrong here.
    let told = place.ends(3, "policy check").json;
    assert!(
        findings(&told, "policy.no-wrappermode").is_empty(),
        "{told}"
    );
}
