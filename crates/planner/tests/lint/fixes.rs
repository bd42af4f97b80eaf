//! What mends findings: `fixes.txt`, and every case of the other tests.

use crate::cases;
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::facts::CfFile;
use postseal_planner::finding::Taken;
use postseal_planner::lint::{self, FIXABLE, Surroundings};
use postseal_planner::mend::{Known, Mended, Mending, mend};
use postseal_planner::{Facts, Finding, Intent, PostfixVersion, Refusal, Wish, owned, settings};
use std::collections::BTreeSet;

/// `### NAME [with CODE…] [VERSION]`, main.cf, `--- master`, master.cf, `--- wishes`, a wish a line.
const STORIES: &str = include_str!("fixes.txt");

/// Two files and what is known of their Postfix.
pub(crate) struct Story {
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
    pub(crate) version: PostfixVersion,
}

impl Story {
    /// What comes of it.
    pub(crate) fn mended(&self, with: &BTreeSet<&str>) -> Mended {
        let intent = self.adopted();
        self.mend(&intent, &intent, with)
    }

    /// What stood there before anything was wished.
    pub(crate) fn adopted(&self) -> Intent {
        let (main, master) = (MainCf::parse(&self.main), MasterCf::parse(&self.master));
        Intent {
            adopted: owned::read(&main, &master),
            ..Intent::default()
        }
    }

    fn mend(&self, intent: &Intent, in_force: &Intent, with: &BTreeSet<&str>) -> Mended {
        self.try_mend(intent, in_force, with).unwrap()
    }

    /// The same, where files may be such that they cannot be edited.
    pub(crate) fn try_mend(
        &self,
        intent: &Intent,
        in_force: &Intent,
        with: &BTreeSet<&str>,
    ) -> Result<Mended, Refusal> {
        let file = |name: &str, bytes: &[u8]| CfFile::of(name.into(), bytes.to_vec());
        let [main, master] = [file("main.cf", &self.main), file("master.cf", &self.master)];
        let takes = |finding: &Finding| {
            let fix = finding.fix.as_ref().unwrap();
            fix.taken == Taken::ByItself || with.contains(&*finding.code)
        };
        mend(&Mending {
            intent,
            in_force,
            facts: &Facts::of_files(main, master, Some(self.version)),
            known: Known::Files,
            surroundings: &Surroundings::default(),
            expand: &|_| Vec::new(),
            takes: &takes,
            now_unix: 0,
        })
    }
}

fn words(wishes: &[Wish]) -> BTreeSet<String> {
    let set = |wish: &Wish| match wish {
        Wish::Set(key, setting) => format!("{}={}", key.name(), setting.text(key)),
        other => panic!("{other:?}"),
    };
    wishes.iter().map(set).collect()
}

#[test]
fn each_configuration_is_mended_by_these_wishes_and_by_no_others() {
    let mut faults = Vec::new();
    for text in STORIES.split("### ").skip(1) {
        let (head, body) = text.split_once('\n').unwrap();
        let (files, wanted) = body.split_once("--- wishes\n").unwrap();
        let (main, master) = files.split_once("--- master\n").unwrap_or((files, ""));
        let wanted: BTreeSet<String> = wanted.lines().map(str::to_owned).collect();
        let (_, with) = head.split_once(" with ").unwrap_or_default();
        let version = head.rsplit(' ').next().and_then(|word| word.parse().ok());
        let story = Story {
            main: main.into(),
            master: master.into(),
            version: version.unwrap_or(PostfixVersion::new(3, 7, 11)),
        };
        let mended = story.mended(&with.split(' ').collect());
        let got = words(&mended.wishes);
        if got != wanted {
            faults.push(format!("{head}: {got:#?}"));
        }
        assert_eq!(mended.fixed().count() > 0, !wanted.is_empty(), "{head}");
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_second_time_there_is_nothing_to_mend() {
    for text in STORIES.split("### ").skip(1) {
        let (head, body) = text.split_once('\n').unwrap();
        let (files, _) = body.split_once("--- wishes\n").unwrap();
        let (main, master) = files.split_once("--- master\n").unwrap_or((files, ""));
        let story = Story {
            main: main.into(),
            master: master.into(),
            version: PostfixVersion::new(3, 7, 11),
        };
        let adopted = story.adopted();
        let mended = story.mended(&BTreeSet::new());
        let wished = adopted.with_all(&mended.wishes);
        let again = story.mend(&wished, &adopted, &BTreeSet::new());
        assert_eq!(again.wishes, [], "{head}");
        assert_eq!(again.diff, mended.diff, "{head}");
        let open = again.after.iter().filter(|finding| {
            let fix = finding.fix.as_ref();
            fix.is_some_and(|fix| fix.taken == Taken::ByItself)
        });
        assert_eq!(open.count(), 0, "{head}: {:#?}", again.after);
    }
}

#[test]
fn what_is_fixed_says_so_in_the_table_and_can_be_said_to_set() {
    let mut seen = BTreeSet::new();
    for (head, finding, version) in cases::all_findings() {
        let Some(fix) = &finding.fix else { continue };
        let taken = lint::fixable(&finding.code);
        assert_eq!(taken, Some(fix.taken), "{head}: {finding:?}");
        assert_eq!(fix.says.is_empty(), fix.taken == Taken::ByItself, "{head}");
        for wish in &fix.set {
            let (key, value) = wish.split_once('=').unwrap();
            settings::parse(key, value, version).unwrap_or_else(|r| panic!("{wish}: {r}"));
        }
        seen.insert(finding.code.to_string());
    }
    seen.extend(OF_A_HOST.map(str::to_owned));
    let table: BTreeSet<String> = FIXABLE.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(table, seen);
    assert!(FIXABLE.is_sorted_by_key(|(code, _)| code));
}

/// Found only by who looks at a host's files.
const OF_A_HOST: [&str; 7] = [
    "cache.exchange-folder-missing",
    "cache.folder-missing",
    "cache.random-source-missing",
    "cache.random-source-not-random",
    "ciphers.small-dh-group",
    "library.config-file-missing",
    "level.certificate-unused",
];
