//! In which order files are published: never a state between that would not work.
//!
//! `main, master, reload` turns TLS on: daemons that start before the reload read the new main.cf
//! with the old services. `master, reload, await, main, reload` turns it off.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::Plan;
use postseal_planner::plan::{Cf, Step};
use support::{Host, data, script, text};

const FILTER: &str = "smtp inet n - y - - smtpd
127.0.0.1:10025 inet n - y - - smtpd
tlsmgr unix - - y 1000? 1 tlsmgr
";

fn stock() -> Host {
    let read = |name: &str| std::fs::read(data("plans/stock").join(name)).expect("a stock file");
    Host::new(&read("main.cf"), &read("master.cf"))
}

fn filter() -> Host {
    Host::new(b"myhostname = mx.example.com\n", FILTER.as_bytes())
}

fn steps(plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| match step {
        Step::InstallChain { .. } | Step::InstallSniMap(_) | Step::InstallPolicyMap(_) => "install",
        Step::Publish { file: Cf::Main } => "main",
        Step::Publish { file: Cf::Master } => "master",
        Step::Reload => "reload",
        Step::Restart => "restart",
        Step::Await => "await",
    });
    steps.collect::<Vec<_>>().join(" ")
}

fn ordered(mut host: Host, wish: &str) -> String {
    match script::run(&mut host, wish) {
        Ok(plan) => steps(&plan),
        Err(refusal) => panic!("{wish}\n{}", text::of(&Err(refusal))),
    }
}

#[test]
fn turning_on() {
    for (wish, order) in [
        ("set outbound=may", "main reload"),
        ("bind mx", "install main reload"),
        ("bind mx\nset inbound=may", "install main reload"),
        (
            "bind mx\nset inbound=may\nset submission=on",
            "install main master reload",
        ),
        ("bind mx\napply\nset submission=on", "master reload"),
        (
            "bind mx\nset smtps=on\nset submission=on",
            "install main master reload",
        ),
        ("import mx", ""),
    ] {
        assert_eq!(ordered(stock(), wish), order, "{wish}");
    }
}

#[test]
fn turning_off() {
    let on = "bind mx\nset inbound=may\nset submission=on\nset smtps=on\napply\n";
    for (wish, order) in [
        ("set submission=off", "master reload"),
        ("unset submission\nunset smtps", "master reload"),
        ("set inbound=off", "main reload"),
        (
            "unset submission\nunset smtps\nset inbound=off\nunbind mx",
            "master reload await main reload",
        ),
        ("rollback", "master reload await main reload"),
    ] {
        assert_eq!(ordered(stock(), &format!("{on}{wish}")), order, "{wish}");
    }
}

#[test]
fn a_filters_listener_is_kept_in_clear_before_tls_is_demanded_and_after() {
    let on = "bind mx\napply\nset inbound=encrypt\nset loopback-cleartext=yes";
    assert_eq!(ordered(filter(), on), "master reload await main reload");
    let off = format!("{on}\napply\nunset inbound\nunset loopback-cleartext");
    assert_eq!(ordered(filter(), &off), "main master reload");
}

#[test]
fn a_new_certificate_is_on_disk_before_main_cf_names_it() {
    assert_eq!(
        ordered(
            stock(),
            "bind mx\nset inbound=may\napply\nbind next\nunbind mx"
        ),
        "install main reload"
    );
    // Gone from the disk, it is written again though no file changes.
    let lost =
        "bind mx\nset inbound=may\napply\nfile /etc/postfix/postseal.d/mx-9ef5d4b4.pem missing";
    assert_eq!(ordered(stock(), lost), "install reload");
}

/// Applying what a refusal says, in its order, reaches what was wished at once.
#[test]
fn two_applies_reach_what_one_cannot() {
    let at_once = "bind mx\nset inbound=encrypt\nset loopback-cleartext=yes\nset submission=on";
    let mut host = filter();
    let refusal = script::run(&mut host, at_once).expect_err("no order is safe");
    let finding = &refusal.findings[0];
    assert_eq!(finding.code, "plan.two-steps-needed");
    let quoted: Vec<&str> = finding.remedy.split('`').skip(1).step_by(2).collect();
    assert_eq!(
        quoted,
        [
            "postseal unset inbound",
            "postseal apply",
            "postseal set 'inbound=encrypt'",
            "postseal apply",
        ]
    );
    for command in quoted {
        let command = command.trim_start_matches("postseal ").replace('\'', "");
        script::run(&mut host, &command).unwrap_or_else(|refusal| panic!("{command}: {refusal}"));
    }
    let plan = host.plan().expect("a plan");
    assert!(plan.is_empty(), "{}", text::of(&Ok(plan)));
    assert_eq!(host.desired.settings.len(), 3);
    assert_eq!(host.desired.bindings.len(), 1);
}

#[test]
fn the_way_back_is_never_barred() {
    // Both orders would be unsound; undoing goes the careful way all the same.
    let mut host = filter();
    let both = "bind mx\nset loopback-cleartext=yes\nset submission=on\napply\nset inbound=encrypt\napply\nrollback";
    let plan = script::run(&mut host, both).expect("a plan");
    host.apply(&plan);
    assert!(host.facts.main_cf.bytes.ends_with(b".pem\n"));
}
