//! Each broken setting, tried by wishing for it and by an editor, on a real Postfix that serves a
//! good certificate on ports 25, 587 and 465.
//!
//! Owns: playing the stories of `broken/NN-name/story.toml` one after the other on one server, and
//! listing every point where the story and the world differ. Never: knows a setting. The third way,
//! as bytes that no planner has seen, is played by the engine's own tests. Needs root and Postfix.

mod server;

use postseal_testkit::broken::{ByHand, ByIntent, HandState, Linted, Story, Wire, Wished};
use server::{Pair, Server};
use std::fmt::Debug;
use std::sync::Mutex;

const GOOD: [Wire; 3] = [Wire::Serves; 3];
/// A wish that has nothing to do with any story.
const OTHER: &str = "received-header=yes";

/// Servers side by side: a story mostly waits for a dead port.
const AT_ONCE: usize = 4;

#[test]
fn broken_settings_end_in_a_clear_error_and_the_old_certificate_is_served() {
    let stories = Mutex::new(Story::all().into_iter());
    let misses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut server = Server::start();
                let mut good = server.pair();
                assert_eq!(server.wire_until(GOOD), GOOD, "no fair start");
                loop {
                    let Some(story) = stories.lock().unwrap().next() else {
                        break;
                    };
                    let play = Play::of(&server, &story, &good);
                    let healed = play.healed;
                    misses.lock().unwrap().extend(play.misses);
                    if !healed {
                        server = Server::start();
                        good = server.pair();
                    }
                }
            });
        }
    });
    let mut misses = misses.into_inner().unwrap();
    misses.sort();
    assert!(misses.is_empty(), "{}\n", misses.join("\n"));
}

/// One story on the server.
struct Play<'a> {
    server: &'a Server,
    story: &'a Story,
    good: &'a Pair,
    misses: Vec<String>,
    told_restart: bool,
    healed: bool,
}

impl<'a> Play<'a> {
    /// Plays it; where the world differs from the story.
    fn of(server: &'a Server, story: &'a Story, good: &'a Pair) -> Self {
        let mut play = Self {
            server,
            story,
            good,
            misses: Vec::new(),
            told_restart: false,
            healed: true,
        };
        play.by_intent();
        play.by_hand();
        play
    }

    fn by_intent(&mut self) {
        match &self.story.intent {
            ByIntent::Unsayable { .. } => return,
            ByIntent::Set(wished) => self.refused_at_once(wished),
            ByIntent::Plan(wished) => self.refused_later(wished, &["plan", "apply"]),
            ByIntent::Rehearsal(wished) => self.refused_later(wished, &["apply"]),
            ByIntent::Kept(wished) => self.kept(wished),
        }
        self.same_files("the wish", self.good);
        self.is("wire after the wish", &self.server.wire(), &GOOD);
        let pending = self.server.run(&["discard"]);
        let expected = matches!(
            self.story.intent,
            ByIntent::Plan(_) | ByIntent::Rehearsal(_)
        );
        self.is(
            "a wish was pending",
            &pending.json["changed"],
            &expected.into(),
        );
    }

    fn wish(&self, wished: &Wished) -> server::Ran {
        let wishes: Vec<String> = wished
            .wish
            .iter()
            .map(|wish| self.server.files.named(wish))
            .collect();
        let mut words = vec!["set"];
        words.extend(wishes.iter().map(String::as_str));
        self.server.run(&words)
    }

    fn refused_at_once(&mut self, wished: &Wished) {
        let ran = self.wish(wished);
        self.refused("set", &ran, wished);
    }

    fn refused_later(&mut self, wished: &Wished, by: &[&str]) {
        let ran = self.wish(wished);
        self.is(&format!("exit of set {}", ran.said()), &ran.exit, &Some(0));
        for verb in by {
            let ran = self.server.run(&[verb]);
            self.refused(verb, &ran, wished);
        }
    }

    fn refused(&mut self, verb: &str, ran: &server::Ran, wished: &Wished) {
        self.is(&format!("exit of {verb}"), &ran.exit, &Some(65));
        self.is(
            &format!("code of {verb} ({})", ran.json["error"]["message"]),
            &ran.code(),
            &wished.code.as_str(),
        );
        self.says(verb, ran, &wished.says);
        self.is("changed", &ran.json["changed"], &false.into());
    }

    /// Harmless: applied, told about, and rolled back.
    fn kept(&mut self, wished: &Wished) {
        let ran = self.wish(wished);
        self.is("exit of set", &ran.exit, &Some(0));
        let ran = self.server.run(&["apply"]);
        self.is(
            &format!("exit of apply {}", ran.code()),
            &ran.exit,
            &Some(0),
        );
        if ran.exit != Some(0) {
            return;
        }
        let codes: Vec<&str> = ran.findings().iter().map(|found| found.0).collect();
        if !wished.code.is_empty() && !codes.contains(&wished.code.as_str()) {
            self.miss(format!("apply finds {codes:?}, not {}", wished.code));
        }
        self.is("wire", &self.server.wire_until(GOOD), &GOOD);
        let ran = self.server.run(&["rollback"]);
        self.is(
            &format!("exit of rollback {}", ran.code()),
            &ran.exit,
            &Some(0),
        );
        self.is("wire", &self.server.wire_until(GOOD), &GOOD);
    }

    fn by_hand(&mut self) {
        let hand = &self.story.hand;
        let server = self.server;
        let broken = Pair {
            main: self.story.main_cf(&self.good.main, &server.files),
            master: self.story.master_cf(&self.good.master, &server.files),
        };
        // Processes that have read the good files are there, as on any server.
        server.wire();
        server.edit(&broken);
        server.reload();
        std::thread::sleep(std::time::Duration::from_millis(200));
        self.is(
            "wire after the edit",
            &server.wire_until(hand.wire),
            &hand.wire,
        );
        self.linted(hand);
        match &hand.state {
            HandState::Drift { keys, restarts } => {
                self.drifted(keys, &broken);
                let told = self.told_restart;
                self.is("a stop and start is told", &told, restarts);
            }
            HandState::News { exit, code } => self.news(*exit, code, &broken),
            HandState::Unreadable => self.unreadable(&broken),
        }
        if server.pair() != *self.good || server.wire_until(GOOD) != GOOD {
            self.healed = false;
        }
    }

    fn linted(&mut self, hand: &ByHand) {
        let ran = self.server.run(&["lint"]);
        let found = ran.findings();
        let bad: Vec<_> = found
            .iter()
            .filter(|found| found.1 != "info" || matches!(hand.lint, Linted::Names { .. }))
            .collect();
        match &hand.lint {
            Linted::Names { code, severity }
                if !found.contains(&(code.as_str(), severity.as_str())) =>
            {
                self.miss(format!("lint finds {bad:?}, not {code} ({severity})"));
            }
            Linted::CannotSee { .. } if !bad.is_empty() => {
                self.miss(format!("lint finds {bad:?}"));
            }
            _ => {}
        }
    }

    fn drifted(&mut self, keys: &[String], broken: &Pair) {
        let ran = self.server.run(&["drift"]);
        self.is(
            &format!("exit of drift {}", ran.code()),
            &ran.exit,
            &Some(2),
        );
        let drift = ran.json["drift"].as_array().cloned().unwrap_or_default();
        let seen: Vec<String> = drift
            .iter()
            .map(|edit| {
                let text = |key: &str| edit[key].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", text("place"), text("parameter"))
            })
            .collect();
        self.is("drift", &seen.as_slice(), &keys);
        self.other_wish(65, "drift.unresolved");
        self.same_files("the refusal", broken);
        let ran = self.server.run_as_text(&["drift", "--restore"]);
        self.is(
            &format!("exit of drift --restore: {}", ran.said()),
            &ran.exit,
            &Some(0),
        );
        self.is(
            "files after drift --restore",
            &self.server.pair(),
            self.good,
        );
        let wire = self.server.wire_until(GOOD);
        self.is("wire after drift --restore", &wire, &GOOD);
        self.told_restart = ran.stderr.contains("stopping and starting Postfix");
    }

    fn news(&mut self, exit: i32, code: &str, broken: &Pair) {
        let ran = self.server.run(&["drift"]);
        self.is(
            &format!("exit of drift {}", ran.code()),
            &ran.exit,
            &Some(0),
        );
        self.is(
            "other bytes",
            &ran.json["other_bytes_changed"],
            &true.into(),
        );
        self.other_wish(exit, code);
        // 2: kept, beside what was broken before.
        let refused = !matches!(exit, 0 | 2);
        if refused {
            self.same_files("the refusal", broken);
        }
        // What was carried out builds on the edit.
        self.healed = refused;
        self.server.force(self.good);
        self.is("wire when put back", &self.server.wire_until(GOOD), &GOOD);
    }

    fn unreadable(&mut self, broken: &Pair) {
        for words in [
            &["drift"][..],
            &["plan"],
            &["apply"],
            &["drift", "--restore"],
        ] {
            let ran = self.server.run(words);
            self.is(
                &format!("{words:?}"),
                &(ran.exit, ran.code()),
                &(Some(65), "instance.unreadable"),
            );
        }
        let ran = self.server.run_with("fresh", &["init"]);
        self.is(
            "init",
            &(ran.exit, ran.code()),
            &(Some(65), "instance.unreadable"),
        );
        let ran = self.server.run_with("fresh", &["discard"]);
        self.is(
            "discard",
            &(ran.exit, ran.code()),
            &(Some(65), "instance.not-adopted"),
        );
        self.same_files("the refusals", broken);
        self.server.force(self.good);
        self.is("wire when put back", &self.server.wire_until(GOOD), &GOOD);
    }

    /// Wishes for something else, and drops the wish.
    fn other_wish(&mut self, exit: i32, code: &str) {
        self.server.run(&["set", OTHER]);
        let ran = self.server.run(&["apply"]);
        self.is(
            &format!("apply of another wish ({})", ran.json["error"]["message"]),
            &(ran.exit, ran.code()),
            &(Some(exit), code),
        );
        self.server.run(&["discard"]);
    }

    fn says(&mut self, verb: &str, ran: &server::Ran, words: &str) {
        let message = ran.json["error"]["message"].as_str().unwrap_or_default();
        if !message.contains(&self.server.files.named(words)) {
            self.miss(format!("{verb} says {message:?}, not {words:?}"));
        }
    }

    fn is<T: PartialEq + Debug>(&mut self, what: &str, seen: &T, wanted: &T) {
        if seen != wanted {
            let (seen, wanted) = (short(seen), short(wanted));
            self.miss(format!("{what}: {seen}, not {wanted}"));
        }
    }

    fn same_files(&mut self, after: &str, wanted: &Pair) {
        let seen = self.server.pair();
        for (seen, wanted) in [(&seen.main, &wanted.main), (&seen.master, &wanted.master)] {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (seen, wanted) = (text(seen), text(wanted));
            let pairs = seen
                .lines()
                .chain(["(end)"])
                .zip(wanted.lines().chain(["(end)"]));
            if let Some((seen, wanted)) = pairs.into_iter().find(|(seen, wanted)| seen != wanted) {
                self.miss(format!("after {after} a line is {seen:?}, not {wanted:?}"));
            }
        }
    }

    fn miss(&mut self, what: String) {
        self.misses.push(format!("{}: {what}", self.story.name));
    }
}

fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.chars().take(300).collect()
}
