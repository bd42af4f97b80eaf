//! Tests of `greet_wait`: what is said of a wait, and where nothing is.

use super::*;
use crate::report::{Judgement, Outcome, Stage, StageOutcome};
use crate::view::tests::facts;
use std::net::SocketAddr;

const BEHIND: &str = "25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n";
const PLAIN: &str = "25 inet n - n - - smtpd\n";

fn said(main: &str, master: &str, greeted: Option<Duration>) -> Vec<String> {
    let address: SocketAddr = ([127, 0, 0, 1], 25).into();
    let report = Report {
        stages: vec![Stage {
            name: StageName::Banner,
            outcome: StageOutcome::Ok,
            micros: greeted.map_or(0, |took| took.as_micros() as u64),
        }],
        banner: greeted.map(|_| "220 mx".to_owned()),
        ..Report::unseen("25/inet", address)
    };
    let mut verdict = Verdict {
        judgements: vec![Judgement {
            service: "25/inet".to_owned(),
            address,
            outcome: Outcome::Pass,
            sentences: Vec::new(),
            findings: Vec::new(),
        }],
    };
    add_greet_wait(&mut verdict, &[report], &facts(main, master));
    assert_eq!(verdict.outcome(), Outcome::Pass);
    verdict.judgements.remove(0).sentences
}

#[test]
fn a_look_that_waited_and_one_that_did_not_are_told_apart() {
    let main = "postscreen_greet_wait = ${stress?{2}:{6}}s\n";
    let waited = said(main, BEHIND, Some(Duration::from_millis(6100)));
    assert!(waited[0].contains("let this look wait"), "{waited:?}");
    assert!(
        waited[0].contains("postscreen_greet_wait = 6s"),
        "{waited:?}"
    );
    let known = said(main, BEHIND, Some(Duration::from_millis(3)));
    assert!(
        known[0].contains("handed this look on at once"),
        "{known:?}"
    );
}

#[test]
fn nothing_is_said_of_smtpd_or_of_what_did_not_greet() {
    let main = "postscreen_greet_wait = 6s\n";
    assert!(said(main, PLAIN, Some(Duration::from_secs(7))).is_empty());
    assert!(said(main, BEHIND, None).is_empty());
}

#[test]
fn the_longest_wait_is_bounded() {
    let longest = |text: &str, master: &str| {
        let main = format!("postscreen_greet_wait = {text}\n");
        longest_greet_wait(&facts(&main, master)).as_secs()
    };
    assert_eq!(longest("4s", BEHIND), 4);
    assert_eq!(longest("3", BEHIND), 3);
    assert_eq!(longest("9w", BEHIND), 60);
    assert_eq!(longest("99999999999999999999w", BEHIND), 0);
    assert_eq!(longest("nonsense", BEHIND), 0);
    assert_eq!(longest("6s", PLAIN), 0);
}
