//! Every file of a kind through the whole program: `init`, `set`, `apply`, `rollback`.
//!
//! Owns: the walk of one file, several files at a time, and the reckoning: each file comes back
//! whole, and the change was in force in between; or it stands in the table of exceptions with the
//! exit code, the stable code and the reason that the program gives, and nothing was changed.
//! Never: starts the instances. The users, certificates and maps of those servers are not here, so
//! their services could not run; the rehearsal runs what it can.

use crate::place::{Placed, Whole, corpus};
use crate::scene::{Ran, Scene, postseal};
use postseal_planner::plan::Cf;
use postseal_testkit::beside::Sample;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Most of the time goes into waiting for services that were dead before, so that more than there
/// are cores work side by side.
const WORKERS: usize = 6;
/// The owner Postfix wants, and a group of the administrator's own.
pub(crate) const OWNER: [u32; 2] = [0, 1234];

/// A file that the program refuses.
pub(crate) struct Refused {
    pub(crate) name: &'static str,
    /// The command that is refused.
    pub(crate) command: &'static str,
    pub(crate) exit: i32,
    pub(crate) code: &'static str,
    /// Words of the message.
    pub(crate) reason: &'static str,
}

/// Refused at `init`, because Postfix itself cannot read it.
pub(crate) const fn unreadable(name: &'static str, reason: &'static str) -> Refused {
    Refused {
        name,
        command: "init",
        exit: 65,
        code: "instance.unreadable",
        reason,
    }
}

/// What one file ends in.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Back,
    Refused(Refusal),
}

#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    command: &'static str,
    exit: i32,
    code: String,
    /// The whole answer.
    told: String,
}

/// Both files of an instance that is not started, and the store of one trial.
pub(crate) struct Trial<'a> {
    pub(crate) scene: &'a Scene,
    /// main.cf and master.cf.
    pub(crate) placed: [Placed; 2],
    /// Which of the two is the corpus's.
    pub(crate) of: Cf,
    /// What to `set`: the first that this file takes, and that changes it.
    pub(crate) wishes: Vec<Wish>,
    /// The store's name.
    pub(crate) store: String,
}

/// Words for `set`, and how `postconf` shows that they are in force.
pub(crate) struct Wish {
    pub(crate) words: Vec<&'static str>,
    pub(crate) in_force: fn(&Scene, &[&str]) -> bool,
}

impl Trial<'_> {
    fn run(&self, words: &[&str]) -> Ran {
        let config = self.scene.config();
        let store = format!("sqlite:{}", self.scene.named(&self.store));
        let mut command = postseal(&["--instance", &config, "--store", &store, "--json"]);
        Ran::of(&command.args(words).output().unwrap())
    }

    fn whole(&self) -> [Whole; 2] {
        self.placed.each_ref().map(Placed::whole)
    }

    fn own(&self) -> Whole {
        match self.of {
            Cf::Main => self.placed[0].whole(),
            Cf::Master => self.placed[1].whole(),
        }
    }

    fn walk(&self) -> End {
        let before = self.whole();
        if let Some(end) = refusal("init", &self.run(&["init"])) {
            assert_eq!(self.whole(), before, "init was refused");
            return end;
        }
        let mut end = None;
        for wish in &self.wishes {
            let changed = self.change(wish);
            assert_eq!(self.whole(), before, "after {:?}", wish.words);
            match changed {
                Ok(()) => return End::Back,
                Err(refused) => end = refused.or(end),
            }
            self.run(&["discard"]);
        }
        end.expect("one of the wishes changes the file")
    }

    /// One wish, there and back; none where it does not change the file.
    fn change(&self, wish: &Wish) -> Result<(), Option<End>> {
        let old = self.own();
        let set = [&["set"], wish.words.as_slice()].concat();
        for (name, words) in [("set", set.as_slice()), ("apply", &["apply"])] {
            if let Some(end) = refusal(name, &self.run(words)) {
                return Err(Some(end));
            }
        }
        let new = self.own();
        let changed = new.bytes != old.bytes;
        if changed {
            let shown = (wish.in_force)(self.scene, &wish.words);
            assert!(shown, "{:?} is not in force", wish.words);
        }
        let all_but_bytes = Whole {
            bytes: new.bytes.clone(),
            ..old
        };
        assert_eq!(new, all_but_bytes, "after apply");
        let ran = self.run(&["rollback"]);
        assert!(matches!(ran.exit, Some(0 | 3)), "rollback: {ran:#?}");
        if changed { Ok(()) } else { Err(None) }
    }
}

/// What a command is refused for, if it is. 3 is none: Postfix does not run, so nothing could be
/// proved on the wire.
fn refusal(command: &'static str, ran: &Ran) -> Option<End> {
    let exit = ran.exit.expect("it ends by itself");
    (!matches!(exit, 0 | 3)).then(|| {
        End::Refused(Refusal {
            command,
            exit,
            code: ran.code().to_owned(),
            told: ran.stdout.clone(),
        })
    })
}

impl Refusal {
    fn is(&self, told: &Refused) -> bool {
        let code = self.exit == told.exit && self.code == told.code;
        code && self.command == told.command && self.told.contains(told.reason)
    }
}

/// Walks every file of a kind, each worker with an instance of its own, and reckons.
pub(crate) fn walk_all(
    of: Cf,
    exceptions: &[Refused],
    trial: impl Fn(&Scene, &Sample, usize) -> ([Placed; 2], Vec<Wish>) + Sync,
) {
    let samples = corpus(of);
    let next = AtomicUsize::new(0);
    let ends: Mutex<BTreeMap<&str, Result<End, String>>> = Mutex::default();
    let work = || {
        let scene = Scene::stopped(PostfixBox::builder().sasl_user("alice", "in the jail"));
        scene.write_chain();
        while let Some((n, sample)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            samples.get(n).map(|sample| (n, sample))
        } {
            // One file's failure must not hide the others'.
            let end = catch_unwind(AssertUnwindSafe(|| {
                let (placed, wishes) = trial(&scene, sample, n);
                let store = format!("store-{n}");
                let scene = &scene;
                let trial = Trial {
                    scene,
                    placed,
                    of,
                    wishes,
                    store,
                };
                trial.walk()
            }));
            let end = end.map_err(|_| "see its panic above".to_owned());
            ends.lock().unwrap().insert(&sample.name, end);
        }
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS.min(samples.len()) {
            scope.spawn(work);
        }
    });
    reckon(&ends.into_inner().unwrap(), samples.len(), exceptions);
}

fn reckon(ends: &BTreeMap<&str, Result<End, String>>, all: usize, exceptions: &[Refused]) {
    assert_eq!(ends.len(), all, "not every file was walked");
    let mut wrong = Vec::new();
    for (name, end) in ends {
        let exception = exceptions.iter().find(|told| told.name == *name);
        let as_told = match (end, exception) {
            (Ok(End::Back), None) => true,
            (Ok(End::Refused(refused)), Some(told)) => refused.is(told),
            _ => false,
        };
        if !as_told {
            wrong.push(format!("{name}: {end:?}"));
        }
    }
    for told in exceptions.iter().filter(|_| all > 0) {
        assert!(ends.contains_key(told.name), "{} is gone", told.name);
    }
    let back = ends.values().filter(|end| **end == Ok(End::Back)).count();
    eprintln!("{back} of {all} files changed and came back whole");
    assert!(wrong.is_empty(), "{back} came back:\n{}", wrong.join("\n"));
}
