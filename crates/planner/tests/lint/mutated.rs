//! Ten thousand configurations that nobody wrote: real ones, damaged by a generator that makes the
//! same damage in each run.

use crate::fixes::Story;
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::PostfixVersion;
use postseal_planner::lint::{LintInput, Surroundings, lint};
use postseal_testkit::beside::samples;
use postseal_testkit::dice::Dice;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const COUNT: usize = 10_000;
/// So many of them are mended, too.
const MENDED: u64 = 300;
/// Not a measurement (`cargo xtask bench lint` is): it ends, on any machine.
const END: Duration = Duration::from_secs(20);

/// What there is to damage; where the corpus is not beside the project, the stock files.
fn seeds() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let of = |folder: &str, count: usize, stock: &str| {
        let stock = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/plans/stock")
            .join(stock);
        let mut seeds = vec![std::fs::read(stock).expect("a stock file")];
        seeds.extend(samples(folder, count).into_iter().map(|one| one.bytes));
        seeds
    };
    (
        of("corpus/main.cf", 84, "main.cf"),
        of("corpus/master.cf", 49, "master.cf"),
    )
}

/// One of them, damaged.
fn damaged(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let seed = dice.pick(seeds);
    dice.damaged(seed)
}

#[test]
fn ten_thousand_damaged_configurations_are_linted_to_the_end() {
    let (mains, masters) = seeds();
    let (said, hear) = mpsc::channel();
    thread::spawn(move || {
        let around = Surroundings::default();
        for number in 0..COUNT {
            let mut dice = Dice::new(number as u64);
            let main = damaged(&mut dice, &mains);
            let master = damaged(&mut dice, &masters);
            let (main, master) = (MainCf::parse(&main), MasterCf::parse(&master));
            let found = lint(&LintInput {
                main: Some((Path::new("main.cf"), &main)),
                master: Some((Path::new("master.cf"), &master)),
                surroundings: Some(&around),
                ..LintInput::default()
            });
            let sound = found
                .iter()
                .all(|one| !one.message.is_empty() && !one.remedy.is_empty());
            if said.send((number, sound)).is_err() {
                return;
            }
        }
    });
    for wanted in 0..COUNT {
        match hear.recv_timeout(END) {
            Ok((number, sound)) => {
                assert_eq!(number, wanted);
                assert!(sound, "configuration {number}: a finding without words");
            }
            Err(_) => panic!("configuration {wanted}: no end, or a panic"),
        }
    }
}

/// What cannot be edited is refused; what is mended needs no mending again.
#[test]
fn damaged_configurations_are_mended_once() {
    let (mains, masters) = seeds();
    let (mut mended, mut refused) = (0, 0);
    for number in 0..MENDED {
        let mut dice = Dice::new(number);
        let story = Story {
            main: damaged(&mut dice, &mains),
            master: damaged(&mut dice, &masters),
            version: PostfixVersion::new(3, 7, 11),
        };
        let (adopted, nobody) = (story.adopted(), BTreeSet::new());
        let Ok(once) = story.try_mend(&adopted, &adopted, &nobody) else {
            refused += 1;
            continue;
        };
        let wished = adopted.with_all(&once.wishes);
        let again = story.try_mend(&wished, &adopted, &nobody).unwrap();
        assert_eq!(again.wishes, [], "configuration {number}");
        mended += usize::from(!once.wishes.is_empty());
    }
    assert!(
        mended > 100 && refused < 100,
        "{mended} mended, {refused} refused"
    );
}

/// A rule is silent where its parameter is absent: an empty file, and one of comments and
/// parameters that have nothing to do with TLS, say the same.
#[test]
fn what_is_not_there_is_not_looked_at() {
    let codes = |main: &str| {
        let main = MainCf::parse(main.as_bytes());
        let found = lint(&LintInput {
            main: Some((Path::new("main.cf"), &main)),
            ..LintInput::default()
        });
        let codes = found.into_iter().map(|one| one.code.into_owned());
        codes.collect::<Vec<_>>()
    };
    let others = "# smtpd_tls_security_level = x\nmyhostname = a.example\nmessage_size_limit = 1\n\
        smtpd_recipient_restrictions = reject_unauth_destination\nmynetworks = 127.0.0.0/8\n";
    assert_eq!(codes(""), codes(others));
    assert_eq!(codes(""), ["outbound.cleartext", "level.inbound-off"]);
}
