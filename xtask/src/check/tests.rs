//! The list of steps: complete, in order, tests last.

use super::{Offer, Step, Tool, User, steps};

const FULL: Offer = Offer {
    nextest: Tool::Here,
    deny: Tool::Here,
    user: User::Root,
    cores: 2,
};

fn titles(list: &[Step]) -> Vec<&str> {
    list.iter().map(|step| step.title).collect()
}

#[test]
fn the_tests_come_last() {
    let wanted = ["format", "clippy", "tidy", "deny", "doc tests", "tests"];
    assert_eq!(titles(&steps(FULL)), wanted);
}

#[test]
fn without_tools_only_deny_is_missing() {
    let offer = Offer {
        nextest: Tool::Missing,
        deny: Tool::Missing,
        ..FULL
    };
    let list = steps(offer);
    assert_eq!(
        titles(&list),
        ["format", "clippy", "tidy", "doc tests", "tests"]
    );
    assert_eq!(list[4].cargo[0], "test");
}

#[test]
fn clippy_covers_all_and_warnings_fail() {
    let clippy = steps(FULL).remove(1).cargo.join(" ");
    assert_eq!(clippy, "clippy --workspace --all-targets -- -D warnings");
}

#[test]
fn no_test_runner_stops_at_the_first_failure() {
    for nextest in [Tool::Here, Tool::Missing] {
        let list = steps(Offer { nextest, ..FULL });
        let last = list.last().unwrap();
        assert!(
            last.cargo.contains(&"--no-fail-fast".to_owned()),
            "{last:?}"
        );
    }
}

#[test]
fn cores_do_not_wait_with_tests_that_wait() {
    for (cores, threads) in [(1, "2"), (2, "3"), (8, "12")] {
        let last = steps(Offer { cores, ..FULL }).pop().unwrap().cargo;
        let at = last.iter().position(|word| word == "--test-threads");
        assert_eq!(last[at.unwrap() + 1], threads, "{last:?}");
    }
}

#[test]
fn not_root_runs_only_the_tests_by_sudo() {
    for nextest in [Tool::Here, Tool::Missing] {
        let user = User::Other;
        let mut list = steps(Offer {
            nextest,
            user,
            ..FULL
        });
        let last = list.pop().unwrap().cargo;
        let at = last.iter().position(|word| word == "--config").unwrap();
        assert!(last[at + 1].contains("'sudo', '-n'"), "{last:?}");
        assert!(
            list.iter()
                .all(|step| !step.cargo.join(" ").contains("sudo"))
        );
    }
}
