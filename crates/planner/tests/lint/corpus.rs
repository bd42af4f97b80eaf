//! Configurations of the world: no panic, and no finding that cannot be true.

use postfix_cf::{MainCf, MasterCf};
use postseal_planner::lint::{self, LintInput};
use std::path::{Path, PathBuf};

fn files(kind: &str) -> Option<Vec<PathBuf>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let Ok(folder) = std::fs::read_dir(corpus.join(kind)) else {
        eprintln!("NOT TESTED: there is no corpus of {kind} files beside the project");
        return None;
    };
    Some(folder.flatten().map(|entry| entry.path()).collect())
}

#[test]
fn every_main_cf_of_the_corpus_is_linted_without_nonsense() {
    for path in files("main.cf").unwrap_or_default() {
        let main = MainCf::parse(&std::fs::read(&path).expect("a file of the corpus"));
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
    for path in files("master.cf").unwrap_or_default() {
        let master = MasterCf::parse(&std::fs::read(&path).expect("a file of the corpus"));
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
