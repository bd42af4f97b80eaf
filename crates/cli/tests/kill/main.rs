//! The process killed at any step, on a real Postfix that takes mail all the while.
//!
//! A stream of messages through ports 25 and 587 while applies and rollbacks run, many of them
//! killed with SIGKILL as soon as they say how far they are. Afterwards both files must be one of
//! the two whole worlds, nothing may be left behind, every accepted message must arrive, and
//! Postfix must never have been stopped. Needs root and Postfix; takes minutes.
//! `cargo nextest run -p postseal --test kill --no-capture` shows what was found.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: the panic is the message"
)]

mod cut;
mod site;
mod stream;
mod tally;

use cut::{CUTS_OFF, CUTS_ON, CUTS_RECOVER, Cut, Ended, kill_at};
use site::{Site, World};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use stream::{Slow, Stream};
use tally::{Found, Tally};

/// Applies and rollbacks, the killed ones included.
const OPERATIONS: usize = 100;
const KILLS: usize = 44;
/// How often each gap between two file steps must have been hit.
const EACH_GAP: usize = 2;
/// The counts are reached long before, or something is wrong.
const MOST: usize = 170;
/// A slow session lasts so many operations.
const SLOW: usize = 8;
const DRAIN: Duration = Duration::from_secs(60);

/// One of the two worlds: the files' digests, and which files there are.
struct Whole {
    world: World,
    files: BTreeSet<PathBuf>,
}

struct Story {
    site: Site,
    /// Before the change, and after it.
    worlds: [Whole; 2],
    master: u32,
    tally: Tally,
}

#[test]
fn killed_at_any_step_under_load() {
    assert!(
        rustix::process::geteuid().is_root(),
        "this test starts a Postfix and needs root"
    );
    let mut story = Story::begin();
    let (smtp, submission) = (story.site.postfix.at(25), story.site.postfix.at(587));
    let stream = Stream::start(smtp, submission);
    let begun = Instant::now();
    let mut slow: Vec<Slow> = Vec::new();
    while !story.tally.enough() {
        let number = story.tally.operations;
        assert!(
            number < MOST,
            "the counts are not reached: {}",
            story.tally.table()
        );
        if number.is_multiple_of(SLOW) {
            slow.drain(..)
                .for_each(|session| session.finish(&stream.ledger));
            slow.push(Slow::clear(smtp, number));
            slow.push(Slow::submission(submission, number));
        }
        story.operate();
    }
    slow.drain(..)
        .for_each(|session| session.finish(&stream.ledger));
    let lasted = begun.elapsed();
    let ledger = stream.stop();
    let ledger = ledger.lock().unwrap();
    let queue = story.site.drained(DRAIN);
    let arrived = tally::arrived(&story.site.sink);
    println!("{}", story.tally.table());
    println!("{}", tally::mail(&ledger, &arrived, lasted));
    assert_eq!(
        ledger.refused,
        Vec::<String>::new(),
        "nothing is refused for good"
    );
    let lost: Vec<_> = ledger
        .accepted
        .iter()
        .filter(|id| !arrived.contains_key(*id))
        .collect();
    assert!(
        lost.is_empty(),
        "accepted, and lost: {lost:?}; queue: {queue}"
    );
    assert!(queue.contains("Mail queue is empty"), "{queue}");
    assert_eq!(
        story.site.postfix.master(),
        Some(story.master),
        "Postfix was stopped"
    );
}

impl Story {
    /// Both worlds seen once, unharmed.
    fn begin() -> Self {
        let site = Site::build();
        let master = site.postfix.master().unwrap();
        let whole = |site: &Site| Whole {
            world: site.world(),
            files: site.files(),
        };
        let pristine = whole(&site);
        site.wish();
        site.expect(&["apply", "--yes"]);
        let second = whole(&site);
        site.expect(&["rollback", "--yes"]);
        assert_eq!(site.world(), pristine.world);
        let story = Self {
            site,
            worlds: [pristine, second],
            master,
            tally: Tally::default(),
        };
        story.check_whole();
        story
    }

    fn is_on(&self) -> bool {
        self.site.world() == self.worlds[1].world
    }

    /// One apply or rollback, to the other world, perhaps killed.
    fn operate(&mut self) {
        let on = self.is_on();
        let words = if on {
            ["rollback", "--yes"]
        } else {
            ["apply", "--yes"]
        };
        if !on {
            self.site.wish();
        }
        self.tally.operations += 1;
        match self.tally.next_cut(if on { &CUTS_OFF } else { &CUTS_ON }) {
            None => {
                self.site.expect(&words);
            }
            Some(cut) => self.kill(&words, &cut, usize::from(on)),
        }
        self.check_whole();
    }

    fn kill(&mut self, words: &[&str], cut: &Cut, from: usize) {
        let before = self.site.newest_number();
        match kill_at(self.site.command(words), cut) {
            Ended::Killed => {}
            Ended::ByItself(exit) => {
                assert_eq!(
                    exit,
                    Some(0),
                    "{words:?} should have been killed at {cut:?}"
                );
                self.tally.escaped += 1;
                return;
            }
        }
        let files = self.site.world();
        let scratches = self.site.scratch_folders().len();
        let again = self.kill_recovery();
        // Every second time nobody says `recover`: the next apply must find its way by itself.
        let by_hand = self.tally.kills.is_multiple_of(2);
        let recovered = self.site.expect(if by_hand {
            &["recover"]
        } else {
            &["apply", "--yes"]
        });
        let open = recovered.told.contains("was interrupted");
        let killed = self.site.operation_after(before);
        let found = Found::of(open, killed.as_ref(), files, &self.worlds, from);
        if by_hand && open && !again {
            assert_eq!(found.journal.as_ref(), recovered.json.get("found"));
        }
        if !by_hand {
            self.tally.by_themselves += 1;
            self.tally.operations += usize::from(recovered.json["changed"] == true);
        }
        self.tally.kill(cut, &found, scratches);
    }

    /// Now and then the recovery is killed as well; whether it was.
    fn kill_recovery(&mut self) -> bool {
        let cut = CUTS_RECOVER[self.tally.kills % CUTS_RECOVER.len()];
        if self.tally.kills % 4 != 1 {
            return false;
        }
        let killed = matches!(
            kill_at(self.site.command(&["recover"]), &cut),
            Ended::Killed
        );
        self.tally.recoveries += usize::from(killed);
        killed
    }

    /// Nothing between the worlds, nothing open, nothing left.
    fn check_whole(&self) {
        let newest = self.site.newest();
        let world = self.site.world();
        let whole = self.worlds.iter().find(|whole| whole.world == world);
        let whole = whole.unwrap_or_else(|| panic!("between the worlds: {newest}"));
        let files = self.site.files();
        assert_eq!(files, whole.files, "files beside main.cf after {newest}");
        assert!(!newest["outcome"].is_null(), "still open: {newest}");
        assert_eq!(
            self.site.scratch_folders(),
            Vec::<PathBuf>::new(),
            "{newest}"
        );
        assert_eq!(self.site.scratch_processes(), 0, "{newest}");
        assert_eq!(
            self.site.postfix.master(),
            Some(self.master),
            "Postfix was stopped"
        );
    }
}
