//! Configurations of the world: no panic, and no finding that cannot be true.

use postfix_cf::{MainCf, MasterCf};
use postseal_planner::lint::{self, LintInput};
use postseal_testkit::beside::samples;

#[test]
fn every_main_cf_of_the_corpus_is_linted_without_nonsense() {
    for sample in samples("corpus/main.cf", 84) {
        let path = sample.path;
        let main = MainCf::parse(&sample.bytes);
        let findings = lint::lint(&LintInput {
            main: Some((&path, &main)),
            ..LintInput::default()
        });
        for finding in findings {
            assert!(lint::rule(&finding.code).is_some(), "{path:?}: {finding:?}");
            assert!(!finding.evidence.is_empty(), "{path:?}: {finding:?}");
            // Files in the wild are stock names and old names, not slips of the hand.
            assert!(!finding.code.starts_with("name."), "{path:?}: {finding:?}");
        }
    }
}

#[test]
fn every_master_cf_of_the_corpus_is_linted_without_a_guess_about_main_cf() {
    for sample in samples("corpus/master.cf", 49) {
        let path = sample.path;
        let master = MasterCf::parse(&sample.bytes);
        let findings = lint::lint(&LintInput {
            master: Some((&path, &master)),
            ..LintInput::default()
        });
        for finding in findings {
            assert!(lint::rule(&finding.code).is_some(), "{path:?}: {finding:?}");
            assert_ne!(
                finding.code, "level.no-certificate",
                "{path:?}: {finding:?}"
            );
            assert!(
                !finding.code.starts_with("logging."),
                "{path:?}: {finding:?}"
            );
        }
    }
}
