//! Postfix in every state in which an administrator may have left it.

use crate::site::{Site, run, wait_for};
use postseal_testkit::postfix_box::PostfixBox;
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpStream;

#[test]
fn not_running() {
    let site = Site::new();
    site.postfix.stop().unwrap();
    site.wish();
    let old = site.files();
    let ran = site.expect(3, &["apply"]);
    assert_eq!(ran.json["outcome"], "kept");
    assert_eq!(ran.json["master_running"], false);
    assert!(site.postfix.master().is_none());
    // Its port is closed, which is seen.
    site.expect(1, &["verify"]);
    site.expect(3, &["rollback"]);
    assert_eq!(site.files(), old);
    site.wish();
    site.expect(3, &["apply"]);
    site.postfix.start().unwrap();
    site.expect(0, &["verify"]);
    assert_eq!(site.serves_tls(), Some(true));
}

#[test]
fn stopped_in_the_middle() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let mut apply = site.start(&["apply"]);
    apply.until("rehearsing");
    apply.signal(Signal::STOP);
    site.postfix.stop().unwrap();
    apply.signal(Signal::CONT);
    let ran = apply.end();
    assert_eq!(ran.exit, Some(4), "{ran:?}");
    assert_eq!(ran.code(), "postfix.stopped");
    // Whoever stopped it starts it again.
    assert!(site.postfix.master().is_none());
    assert_eq!(site.files(), old);
    site.postfix.start().unwrap();
    site.is_as_before(&old);
}

#[test]
fn a_hand_edit_that_would_end_the_master_at_our_reload() {
    let site = Site::new();
    site.wish();
    site.append(&site.master_cf(), "192.0.2.77:2525 inet n - n - - smtpd\n");
    let old = site.files();
    let master = site.postfix.master();
    let ran = site.expect(1, &["apply"]);
    assert_eq!(ran.code(), "rehearsal.no-start");
    assert!(ran.message().contains("192.0.2.77"), "{ran:?}");
    site.is_as_before(&old);
    assert_eq!(site.postfix.master(), master);
}

#[test]
fn a_port_that_nobody_knows_is_refused_by_its_line() {
    let site = Site::new();
    site.wish();
    let before = std::fs::read(site.master_cf()).unwrap();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    site.append(
        &site.master_cf(),
        "127.0.0.1:submissionz inet n - n - - smtpd\n",
    );
    let old = site.files();
    let ran = site.expect(65, &["apply"]);
    assert_eq!(ran.code(), "rehearsal.unknown-port");
    for what in [&*format!("line {line}:"), "submissionz"] {
        assert!(ran.message().contains(what), "{what}: {ran:?}");
    }
    site.is_as_before(&old);
    std::fs::write(site.master_cf(), before).unwrap();
    site.expect(0, &["apply"]);
}

#[test]
fn a_service_behind_a_proxy_is_said_to_be_unproved_everywhere() {
    let site = Site::new();
    site.wish();
    let address = site.postfix.at(25).ip();
    let before = std::fs::read(site.master_cf()).unwrap();
    let proxied =
        format!("{address}:2526 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy\n");
    site.append(&site.master_cf(), &proxied);
    let named = |told: &serde_json::Value| {
        let told = told.to_string();
        told.contains("2526/inet is not proved") && told.contains("haproxy")
    };
    let plan = site.expect(0, &["plan"]);
    assert!(named(&plan.json["sentences"]), "{plan:?}");
    let applied = site.expect(3, &["apply"]);
    assert_eq!(applied.json["outcome"], "kept");
    assert!(named(&applied.json["not_rehearsed"]), "{applied:?}");
    assert!(named(&applied.json["proved"]), "{applied:?}");
    assert_eq!(site.serves_tls(), Some(true));
    let verified = site.expect(3, &["verify"]);
    assert_eq!(verified.json["outcome"], "undetermined");
    assert!(named(&verified.json["judgements"]), "{verified:?}");
    std::fs::write(site.master_cf(), before).unwrap();
    site.expect(0, &["verify"]);
}

#[test]
fn a_service_throttled_dead_before_we_came_is_healed() {
    let site =
        Site::unadopted(PostfixBox::builder().append_main_cf("smtpd_tls_received_header = abc\n"));
    site.postfix.start().unwrap();
    let _client = TcpStream::connect(site.postfix.at(25)).unwrap();
    wait_for("the throttling", || {
        site.postfix.log().contains("throttling")
    });
    site.adopt();
    site.wish();
    site.expect(0, &["set", "received-header=yes"]);
    let ran = site.expect(0, &["apply"]);
    assert!(
        ran.told.contains("stopping and starting Postfix"),
        "{}",
        ran.told
    );
    // The answer tells it, and so does the log of operations.
    assert_eq!(ran.json["restarted"][0]["code"], "postfix.restarted");
    let newest = site.newest().to_string();
    assert!(newest.contains("restarted"), "{newest}");
    for words in [["history", "-n1"], ["status", "-q"]] {
        let said = site.text(&words);
        assert!(said.contains("stopped and started"), "{said}");
        assert!(said.contains("throttled"), "{said}");
    }
    assert_eq!(site.serves_tls(), Some(true));
    site.expect(0, &["verify"]);
}

/// Silence says nothing of a certificate, on whichever port: only that nobody had time.
#[test]
fn a_port_that_gets_busy_during_the_change_takes_nothing_back() {
    for port in [465, 587] {
        let site = Site::new();
        site.wish();
        site.expect(0, &["set", "submission=on", "smtps=on"]);
        site.expect(0, &["apply"]);
        let config = site.postfix.config_directory().display().to_string();
        let said = std::fs::read_to_string(site.master_cf()).unwrap();
        let names = match port {
            465 => ["smtps", "submissions"],
            _ => ["submission", "submission"],
        };
        let name = names
            .iter()
            .find(|name| said.contains(&format!("\n{name} ")));
        let field = format!("{}/inet/process_limit=1", name.unwrap());
        run("/usr/sbin/postconf", &["-c", &config, "-F", &field]);
        run("/usr/sbin/postfix", &["-c", &config, "reload"]);
        site.expect(0, &["set", "loglevel.inbound=1"]);
        let mut apply = site.start(&["apply"]);
        apply.until("rehearsed: ");
        apply.signal(Signal::STOP);
        let told = || site.postfix.log().matches("]: connect from").count();
        let before = told();
        let _held = TcpStream::connect(site.postfix.at(port)).unwrap();
        wait_for("the connection", || told() > before);
        apply.signal(Signal::CONT);
        let ran = apply.end();
        assert_eq!(ran.exit, Some(3), "{port}: {ran:?}");
        assert_eq!(ran.json["outcome"], "kept", "{port}");
        let proved = ran.json["proved"]["judgements"].as_array().unwrap().iter();
        let place = format!(":{port}");
        let mut here = proved.filter(|one| one["address"].as_str().unwrap().ends_with(&place));
        let here = here.next().unwrap();
        assert_eq!(here["outcome"], "undetermined", "{here:#}");
    }
}

#[test]
fn inet_interfaces_edited_since_the_start_needs_a_stop_and_start() {
    let site = Site::new();
    site.wish();
    let address = site.postfix.address().to_string();
    let main = String::from_utf8(site.files().main).unwrap();
    let edited = main.replace(
        &format!("inet_interfaces = {address}"),
        &format!("inet_interfaces = {address}, 127.0.0.1"),
    );
    assert_ne!(main, edited);
    postseal_testkit::edited::write(site.main_cf(), edited).unwrap();
    let ran = site.expect(1, &["verify"]);
    let text = ran.json.to_string();
    assert!(text.contains("wire.closed"), "{:#}", ran.json);
    assert!(text.contains("postfix stop"), "{:#}", ran.json);
    // It was so before, and does not stand in the way; how the command ends tells that it is there.
    let applied = site.expect(2, &["apply"]);
    assert_eq!(applied.json["outcome"], "kept");
    assert_eq!(applied.json["still_broken"][0]["code"], "wire.closed");
    let newest = site.newest();
    assert_eq!(newest["outcome"]["outcome"], "kept");
    assert_eq!(site.serves_tls(), Some(true));
}

#[test]
fn a_master_that_is_gone_with_the_killed_change_is_started_again() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let mut apply = site.start(&["apply"]);
    // The reload may have begun.
    apply.until("replaced main.cf");
    apply.signal(Signal::KILL);
    apply.end();
    let master = pid(&site);
    kill_process(master, Signal::KILL).unwrap();
    wait_for("the end of the master", || site.postfix.master().is_none());
    let ran = site.expect(0, &["recover"]);
    assert_eq!(ran.json["recovery"], "undone", "{:#}", ran.json);
    assert!(ran.told.contains("stopping and starting"), "{}", ran.told);
    assert!(
        site.postfix
            .master()
            .is_some_and(|now| Some(now) != raw(master))
    );
    site.is_as_before(&old);
}

#[test]
fn a_master_that_takes_no_reload() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let mut apply = site.start(&["apply"]);
    apply.until("rehearsed: ");
    kill_process(pid(&site), Signal::STOP).unwrap();
    let ran = apply.end();
    // What was begun is put back; that it is in force again can only be seen when the master goes
    // on, and the operation stays open until then.
    assert_eq!(ran.code(), "postfix.stuck", "{ran:?}");
    assert_eq!(ran.exit, Some(1), "{ran:?}");
    assert_eq!(site.files(), old);
    assert_eq!(site.run(&["recover"]).code(), "postfix.stuck");
    kill_process(pid(&site), Signal::CONT).unwrap();
    let ran = site.expect(0, &["recover"]);
    assert_eq!(ran.json["recovery"], "undone", "{:#}", ran.json);
    site.is_as_before(&old);
}

fn pid(site: &Site) -> Pid {
    let master = site.postfix.master().unwrap();
    Pid::from_raw(i32::try_from(master).unwrap()).unwrap()
}

fn raw(pid: Pid) -> Option<u32> {
    u32::try_from(pid.as_raw_nonzero().get()).ok()
}
