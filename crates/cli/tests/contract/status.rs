//! What the administrator reads: `status`, `history`, and the one line for a monitor.

use crate::scene::{Ran, Scene};
use crate::{adopted, in_force};
use std::fs;

/// The rows of a piped table.
fn rows(ran: &Ran) -> Vec<Vec<String>> {
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect();
    ran.stdout.lines().map(cells).collect()
}

fn row(ran: &Ran, first: &str) -> Vec<String> {
    let mut rows = rows(ran).into_iter();
    rows.find(|row| row[0] == first)
        .unwrap_or_else(|| panic!("no row {first}: {ran:#?}"))
}

/// One line, whatever it says.
fn nagios(scene: &Scene, exit: i32) -> String {
    let ran = scene.say(&["status", "--nagios"]);
    assert_eq!(
        (ran.exit, ran.stderr.as_str()),
        (Some(exit), ""),
        "{ran:#?}"
    );
    assert_eq!(ran.stdout.lines().count(), 1, "{ran:#?}");
    ran.stdout
}

#[test]
fn a_wish_is_not_shown_as_if_it_were_in_force() {
    let scene = adopted();
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&["set", "inbound=may", "submission=on"]);
    let wished = scene.say(&["status"]);
    assert_eq!(
        row(&wished, "smtp/inet")[1..4],
        ["may (pending)", "-", "none"]
    );
    assert_eq!(row(&wished, "submission")[1..4], ["on (pending)", "-", "-"]);
    assert!(row(&wished, "outbound")[1].ends_with(|c: char| c != ')'));
    for told in [
        "Pending, not in force",
        "  inbound = may (in force: ",
        "  certificate = mx (",
    ] {
        assert!(wished.stdout.contains(told), "{told}: {}", wished.stdout);
    }
    let json = scene.must(&["status"]).json;
    let keys: Vec<&str> = json["wishes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wish| wish["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["inbound", "submission", "certificate"]);
    let service = &json["services"][0];
    assert_eq!(
        (&service["desired"], &service["pending"]),
        (&"may".into(), &true.into())
    );
    assert_ne!(service["in_force"], "may");
    scene.must(&["apply"]);
    let applied = scene.say(&["status"]);
    assert!(!applied.stdout.contains("ending"), "{}", applied.stdout);
    assert_eq!(row(&applied, "smtp/inet")[1..4], ["may", "may", "may"]);
    assert_eq!(row(&applied, "smtp/inet")[4], "ok, TLSv1.3");
    let history = scene.say(&["history"]);
    let [told, noted] = rows(&history).try_into().unwrap();
    assert_eq!((noted[0].as_str(), noted[4].as_str()), ("-", "noted"));
    assert_eq!(
        (told[2].as_str(), told[3].as_str(), told[4].as_str()),
        ("root", "inbound=may submission=on certificate=mx", "kept")
    );
}

#[test]
fn an_operation_that_waits_is_named_with_its_deadline_and_its_way_back() {
    let scene = adopted();
    let before = scene.files();
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&["set", "inbound=may"]);
    let applied = scene.say(&["apply", "--confirm-within", "1h"]);
    assert_eq!(applied.exit, Some(0), "{applied:#?}");
    assert!(
        applied.stdout.contains("Operation 1 is in force until 2"),
        "{}",
        applied.stdout
    );
    assert!(
        scene
            .say(&["status"])
            .stdout
            .contains("Operation 1 (inbound=may certificate=mx) awaits confirmation until 2")
    );
    let open = &scene.must(&["status"]).json["open_operation"];
    assert!(
        applied
            .stdout
            .contains(open["confirm_by"].as_str().unwrap())
    );
    assert!(nagios(&scene, 1).starts_with("POSTSEAL WARNING: operation 1 awaits confirmation |"));
    let used = scene.must(&["cert", "show", "mx"]).json;
    assert_eq!(used["certificate"]["used_by"][0], "smtpd");
    let after = scene.files();
    let check = scene.ends(2, &["rollback", "--check"]);
    assert_eq!(check.json["undoes"], 1);
    assert!(
        check.text("diff").contains("-smtpd_tls_security_level"),
        "{:#}",
        check.json
    );
    assert_eq!(scene.files(), after);
    assert_eq!(
        scene.ends(75, &["rollback", "77", "--check"]).code(),
        "operation.awaiting-confirmation"
    );
    let back = scene.must(&["rollback"]);
    assert_eq!(
        (&back.json["outcome"], &back.json["undone"]),
        (&"rolled-back".into(), &1.into())
    );
    assert_eq!(back.json["diff"], check.json["diff"]);
    assert_eq!(scene.files(), before);
    let status = scene.say(&["status"]).stdout;
    assert!(
        status.contains("Operation 1 at 2")
            && status.contains("did not hold; rolled back: by `rollback`"),
        "{status}"
    );
    let failed = &scene.must(&["status"]).json["failed_operation"];
    assert_eq!(failed["operation"], 1);
    assert!(failed["confirm_by"].is_null(), "{failed}");
    assert!(!status.contains("Last operation"), "{status}");
    assert!(nagios(&scene, 1).contains("operation 1 did not hold; its wishes are pending"));
    scene.must(&["discard"]);
    assert!(scene.must(&["status"]).json["failed_operation"].is_null());
}

#[test]
fn a_monitor_gets_one_line_and_four_exit_codes() {
    let scene = in_force();
    let good = nagios(&scene, 0);
    assert!(
        good.starts_with("POSTSEAL OK: every service as it should be | ports_ok=3;;;0;3 "),
        "{good}"
    );
    assert!(
        good.trim_end().ends_with("'mx_days'=90;30:;7:") || good.contains("'mx_days'=89;"),
        "{good}"
    );
    assert_eq!(scene.must(&["status", "--nagios"]).json["state"], "OK");
    scene.edit("main.cf", |text| {
        text.replace(
            "smtp_tls_security_level = may",
            "smtp_tls_security_level = none",
        )
    });
    assert!(nagios(&scene, 1).starts_with("POSTSEAL WARNING: owned keys were edited by hand |"));
    scene.postfix.stop().unwrap();
    assert!(nagios(&scene, 2).starts_with("POSTSEAL CRITICAL: Postfix does not run; "));
    fs::remove_dir_all(scene.named("store")).unwrap();
    let unknown = nagios(&scene, 3);
    assert!(
        unknown.starts_with("POSTSEAL UNKNOWN: ") && unknown.contains("[instance.not-adopted]"),
        "{unknown}"
    );
}

#[test]
fn of_a_stopped_postfix_each_port_is_told_once() {
    let scene = in_force();
    scene.postfix.stop().unwrap();
    let told = scene.say(&["verify"]);
    assert_eq!(told.exit, Some(1), "{told:#?}");
    for port in ["Port 25 ", "Port 465 ", "Port 587 "] {
        assert_eq!(told.stdout.matches(port).count(), 1, "{}", told.stdout);
    }
}
