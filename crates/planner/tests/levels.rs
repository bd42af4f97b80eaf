//! What `status` says of services.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::levels::{outbound, services};
use support::{Host, script, varied};

/// Desired, written and effective of each service, a line each.
fn lines(host: &Host) -> Vec<String> {
    let levels = services(&host.facts, &host.wanted);
    let line = |it: &postseal_planner::levels::ServiceLevels| {
        let levels = &it.levels;
        format!(
            "{}: {} / {} / {}",
            it.service, levels.desired, levels.written, levels.effective
        )
    };
    levels.iter().map(line).collect()
}

#[test]
fn right_after_adoption_nothing_is_wished() {
    assert_eq!(
        lines(&varied::host()),
        [
            "smtp/inet: as adopted / may / may",
            "587/inet: as adopted / encrypt (-o) / encrypt",
            "smtps/inet: as adopted / may / wrapper",
            "127.0.0.1:10025/inet: as adopted / none (-o) / none",
        ]
    );
}

#[test]
fn what_is_wished_shows_before_it_is_written() {
    let mut host = varied::host();
    script::run(
        &mut host,
        "bind mx\nset inbound=off\nset submission=on\nset smtps=off",
    )
    .expect("a plan");
    assert_eq!(
        lines(&host)[..3],
        [
            "smtp/inet: off / may / may",
            "587/inet: on / encrypt (-o) / encrypt",
            "smtps/inet: off / may / wrapper",
        ]
    );
    let plan = host.plan().expect("a plan");
    host.apply(&plan);
    assert_eq!(
        lines(&host),
        [
            "smtp/inet: off / none / none",
            "587/inet: on / encrypt (-o) / encrypt",
            "127.0.0.1:10025/inet: as adopted / none (-o) / none",
        ]
    );
}

#[test]
fn a_level_that_is_not_written_follows_its_predecessors() {
    let told = |main: &str| {
        let host = Host::new(main.as_bytes(), b"smtp inet n - n - - smtpd\n");
        lines(&host).join("")
    };
    assert_eq!(told(""), "smtp/inet: as adopted / - / none");
    assert_eq!(
        told("smtpd_use_tls = yes\n"),
        "smtp/inet: as adopted / - / may"
    );
    assert_eq!(
        told("smtpd_enforce_tls = yes\n"),
        "smtp/inet: as adopted / - / encrypt"
    );
    let both = "smtpd_enforce_tls = yes\nsmtpd_tls_security_level = MAY\n";
    assert_eq!(told(both), "smtp/inet: as adopted / MAY / may");
    let named = "level = encrypt\nsmtpd_tls_security_level = $level\n";
    assert_eq!(told(named), "smtp/inet: as adopted / $level / encrypt");
}

#[test]
fn outbound_has_the_same_three() {
    let told = |host: &Host| {
        let levels = outbound(&host.facts, &host.wanted);
        [levels.desired, levels.written, levels.effective].join(" / ")
    };
    let mut host = varied::host();
    // Empty: smtp_use_tls decides.
    assert_eq!(told(&host), "as adopted /  / may");
    let plan = script::run(&mut host, "set outbound=dane").expect("a plan");
    assert_eq!(told(&host), "dane /  / may");
    host.apply(&plan);
    assert_eq!(told(&host), "dane / dane / dane");
    assert_eq!(told(&Host::new(b"", b"")), "as adopted / - / none");
}
