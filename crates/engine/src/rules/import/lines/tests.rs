//! Lines for one destination.

use super::{Earlier, Fate, Lines, RuleRequest};
use mailtls::policy::Dialect;
use postseal_planner::policy::{About, Given, Rule};

fn line(line: usize, policy: &str, note: &str, given: Given) -> RuleRequest {
    let dialect = Dialect { major: 3, minor: 7 };
    let about = About {
        note: Some(note.to_owned()),
        ..About::default()
    };
    let rule = Rule::new("a.example", None, policy, dialect).unwrap();
    RuleRequest {
        rule: rule.with(about).unwrap(),
        given,
        line: Some(line),
    }
}

/// What the lines meet: `new`, `same`, or the first line and what had become of it.
fn met(requests: &[RuleRequest]) -> Vec<String> {
    let mut lines = Lines::default();
    let word = |request| match lines.meets(request) {
        Earlier::Not => "new".to_owned(),
        Earlier::Same => "same".to_owned(),
        Earlier::Another(first) => {
            let fate = match first.fate {
                Fate::Staged => "staged",
                Fate::Refused => "refused",
                Fate::Contradicted => "contradicted",
            };
            format!("{} {fate}", first.line().unwrap())
        }
    };
    requests.iter().map(word).collect()
}

#[test]
fn a_line_that_contradicts_the_first_one_is_told_with_it() {
    let all = Given::ALL;
    let lines = [
        line(3, "may", "", all),
        line(4, "may", "", all),
        line(7, "encrypt", "", all),
        // Even what the first one said cannot be known to be meant.
        line(9, "may", "", all),
    ];
    assert_eq!(met(&lines), ["new", "same", "3 staged", "3 contradicted"]);
}

#[test]
fn notes_contradict_each_other_only_where_more_can_be_said() {
    let all = Given::ALL;
    let lines = [line(1, "may", "one", all), line(2, "may", "other", all)];
    assert_eq!(met(&lines), ["new", "1 staged"]);
    let bare = Given::NOTE.and(Given::SCOPE);
    let lines = [
        line(1, "may", "one", bare),
        line(2, "may", "", Given::SCOPE),
    ];
    assert_eq!(met(&lines), ["new", "same"]);
}

#[test]
fn a_refused_line_stays_refused() {
    let mut lines = Lines::default();
    let first = line(1, "may", "", Given::ALL);
    lines.meets(&first);
    lines.refuse(&first.rule.id);
    let Earlier::Another(met) = lines.meets(&line(2, "encrypt", "", Given::ALL)) else {
        panic!("it contradicts");
    };
    assert!(met.fate == Fate::Refused);
}
