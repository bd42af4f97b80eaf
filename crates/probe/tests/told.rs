//! Stages are told as they end, of each of many targets; and HTTPS gives up in words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;

use common::{PATIENT, target};
use postseal_planner::report::{StageName as N, StageOutcome};
use postseal_probe::https::{Get, fetch};
use postseal_probe::{Budget, News, Start, probe_each, probe_told};
use postseal_testkit::smtp_script::SmtpScript;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::time::Duration;

fn greeted() -> SmtpScript {
    SmtpScript::new()
        .say("220 mx.example ESMTP\r\n")
        .hear("EHLO ")
        .say("250-mx.example\r\n250-SIZE 1\r\n250 8BITMIME\r\n")
}

#[test]
fn each_stage_is_told_once_with_what_it_showed() {
    let server = greeted().serve();
    let mut heard = Vec::new();
    let report = probe_told(
        &target(server.address(), Start::StartTls),
        PATIENT,
        &mut |seen| heard.push((seen.stage.clone(), seen.words.to_owned())),
    );
    let stages: Vec<_> = heard.iter().map(|(stage, _)| stage.clone()).collect();
    assert_eq!(stages, report.stages);
    let words: Vec<&str> = heard.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(words, ["", "220 mx.example ESMTP", "SIZE 1, 8BITMIME", ""]);
    assert!(matches!(stages[3].outcome, StageOutcome::Refused(_)));
}

#[test]
fn of_many_each_hears_its_own() {
    let servers: Vec<_> = (0..5).map(|_| greeted().serve()).collect();
    let targets: Vec<_> = servers
        .iter()
        .map(|server| target(server.address(), Start::StartTls))
        .collect();
    let budget = Budget {
        at_once: 3,
        per_address: 3,
        deadline: PATIENT,
    };
    let heard = Mutex::new(vec![(Vec::new(), 0); targets.len()]);
    let reports = probe_each(&targets, budget, &|place, news| {
        let (stages, done) = &mut heard.lock().unwrap()[place];
        match news {
            News::Stage(seen) => stages.push(seen.stage.name),
            News::Done(report) => {
                assert_eq!(report.address, targets[place].address);
                *done += 1;
            }
        }
    });
    assert_eq!(reports.len(), 5);
    for (stages, done) in heard.into_inner().unwrap() {
        assert_eq!(
            (stages, done),
            (vec![N::Connect, N::Banner, N::Ehlo, N::StartTls], 1)
        );
    }
}

#[test]
fn where_no_web_server_is_the_cause_is_told() {
    let get = |addresses: &[std::net::IpAddr]| {
        let get = Get {
            host: "mta-sts.example.org",
            addresses,
            path: "/",
            cas: None,
        };
        fetch(&get, Duration::from_secs(5)).unwrap_err()
    };
    assert_eq!(get(&[]), "it has no address");
    // Nobody listens at an address of a test's own.
    let nobody = get(&[Ipv4Addr::new(127, 83, 1, 9).into()]);
    assert!(nobody.starts_with("127.83.1.9: "), "{nobody}");
}
