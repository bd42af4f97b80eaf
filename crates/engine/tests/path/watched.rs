//! Folders that are watched, in a world where time passes only by waiting.

use crate::bench::{Bench, certificate};
use crate::clock::START;
use postseal_engine::{CheckNews, Clock, EngineError, Folders, Found, Import, Until, Watched};
use postseal_planner::{Finding, Severity};
use postseal_store::Watch;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// When the guard of an operation that awaits confirmation is gone.
const GUARDED: u64 = 600;

/// Folders in memory, by the certificate's name, with what happens in them at which second.
struct Story<'b> {
    bench: &'b Bench,
    now: BTreeMap<String, Import>,
    /// What comes at a second; `None`: the folder is gone.
    later: Vec<(u64, &'static str, Option<Import>)>,
    /// How long the loop goes on.
    end: u64,
    looks: usize,
}

impl<'b> Story<'b> {
    fn new(bench: &'b Bench, end: u64) -> Self {
        Self {
            bench,
            now: BTreeMap::new(),
            later: Vec::new(),
            end,
            looks: 0,
        }
    }

    fn seconds(&self) -> u64 {
        u64::try_from((self.bench.clock.now_ms() - START) / 1000).unwrap()
    }

    fn happen(&mut self) {
        let now = self.seconds();
        if now >= GUARDED {
            self.bench.guardian.die();
        }
        let (due, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(second, ..)| *second <= now);
        self.later = later;
        for (_, name, files) in due {
            match files {
                Some(files) => self.now.insert(name.to_owned(), files),
                None => self.now.remove(name),
            };
        }
    }
}

impl Folders for Story<'_> {
    fn read(&self, watch: &Watch) -> Result<Found, Finding> {
        let Some(files) = self.now.get(&watch.name) else {
            return Err(Finding::new(
                "cert.missing",
                Severity::Error,
                "gone",
                "wait",
            ));
        };
        Ok(Found {
            cert: files.cert.clone(),
            key: files.key.clone(),
            chain: files.chain.clone(),
            password: None,
            source: "a folder".to_owned(),
            access: Vec::new(),
        })
    }

    fn wait(&mut self, _: &[PathBuf], at_most: Duration) {
        assert!(at_most > Duration::ZERO, "a tight loop");
        self.looks += 1;
        // An event wakes at once; else the time passes.
        let now = self.seconds();
        let next = self.later.iter().map(|(second, ..)| *second).min();
        let event = next.map(|second| Duration::from_secs(second.saturating_sub(now)));
        let pause = event.map_or(at_most, |event| event.min(at_most));
        self.bench.clock.pass(pause.max(Duration::from_millis(1)));
        self.happen();
        if self.seconds() >= self.end {
            self.bench.interrupted.store(true, Ordering::Relaxed);
        }
    }
}

fn remember(bench: &Bench, name: &str) {
    let watch = Watch {
        name: name.to_owned(),
        dir: format!("/etc/letsencrypt/live/{name}").into(),
        domain: None,
        password_file: None,
        taken: None,
    };
    bench.run(|engine| engine.remember_watch(watch)).unwrap();
}

/// What was told, a line each.
fn kept(story: &mut Story<'_>, until: Until) -> Vec<String> {
    let bench = story.bench;
    let mut told = Vec::new();
    let mut tell = |event: Watched<'_>| {
        told.push(match event {
            Watched::Renewed { name, .. } => format!("{name} renewed"),
            Watched::Unusable { name, finding } => format!("{name} unusable {}", finding.code),
            Watched::Failed { name, error } => format!("{name} failed {}", error.code()),
            Watched::Relieved { name } => format!("{name} relieved"),
            Watched::Checked(CheckNews::Appeared { name, finding }) => {
                format!("{name} appeared {}", finding.code)
            }
            Watched::Checked(CheckNews::Gone { name, code }) => format!("{name} gone {code}"),
            Watched::Blind { error } => format!("blind {}", error.code()),
        });
    };
    bench
        .run(|engine| engine.keep_watch(None, until, story, &mut tell))
        .unwrap();
    bench.interrupted.store(false, Ordering::Relaxed);
    told
}

/// `mx` in force, and watched.
fn serving() -> Bench {
    let bench = Bench::new();
    bench.turn_on();
    bench.apply().unwrap();
    remember(&bench, "mx");
    bench
}

fn presented(bench: &Bench) -> u32 {
    let listed = bench.run(|engine| engine.list_certificates()).unwrap();
    let mx = listed.into_iter().find(|one| one.name == "mx").unwrap();
    match mx.used_by.iter().any(|used| used.contains("[version")) {
        true => mx.version - 1,
        false => mx.version,
    }
}

#[test]
fn a_renewal_is_taken_when_it_has_settled_and_nothing_happens_at_rest() {
    let bench = serving();
    let mut story = Story::new(&bench, 3000);
    story.now.insert("mx".to_owned(), certificate("renewed"));
    story.later.push((1000, "mx", Some(certificate("again"))));
    let told = kept(&mut story, Until::Interrupted);
    let renewals = told.iter().filter(|line| *line == "mx renewed").count();
    assert_eq!(renewals, 2, "{told:?}");
    assert_eq!(presented(&bench), 3);
    assert!(story.looks < 80, "{} looks in fifty minutes", story.looks);
}

#[test]
fn a_folder_that_vanishes_or_holds_half_is_told_once_and_its_return_too() {
    let bench = serving();
    let mut story = Story::new(&bench, 2000);
    story.now.insert("mx".to_owned(), certificate("renewed"));
    let half = Import {
        key: certificate("other").key,
        ..certificate("half")
    };
    story.later.push((100, "mx", Some(half)));
    story.later.push((110, "mx", Some(certificate("whole"))));
    story.later.push((500, "mx", None));
    story.later.push((1500, "mx", Some(certificate("back"))));
    let told = kept(&mut story, Until::Interrupted);
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let told: Vec<&str> = told
        .into_iter()
        .filter(|line| !line.contains("appeared"))
        .collect();
    let told: Vec<&str> = told
        .into_iter()
        .filter(|line| !line.contains(" gone "))
        .collect();
    assert_eq!(
        told,
        [
            "mx renewed",
            "mx renewed",
            "mx unusable cert.missing",
            "mx renewed"
        ]
    );
    assert_eq!(presented(&bench), 4);
}

#[test]
fn one_trouble_holds_back_no_other_folder() {
    let bench = serving();
    bench
        .run(|engine| engine.import_certificate(certificate("alt")))
        .unwrap();
    remember(&bench, "alt");
    let mut story = Story::new(&bench, 300);
    let broken = Import {
        cert: b"no certificate".to_vec(),
        ..certificate("alt")
    };
    story.now.insert("alt".to_owned(), broken);
    story.now.insert("mx".to_owned(), certificate("renewed"));
    let told = kept(&mut story, Until::Settled);
    assert!(told.contains(&"mx renewed".to_owned()), "{told:?}");
    assert!(
        told.iter().any(|line| line.starts_with("alt unusable")),
        "{told:?}"
    );
    assert_eq!(presented(&bench), 2);
}

#[test]
fn what_fails_is_tried_again_and_the_old_one_stays_meanwhile() {
    let bench = serving();
    let before = bench.files();
    let mut story = Story::new(&bench, 2000);
    story.now.insert("mx".to_owned(), certificate("renewed"));
    // Another one holds the instance: an operation awaits its confirmation.
    bench.set(&[("loglevel.inbound", "1")]);
    let keep = postseal_engine::Keep::Within(Duration::from_secs(GUARDED));
    bench.run(|engine| engine.apply(None, &[], keep)).unwrap();
    let told = kept(&mut story, Until::Interrupted);
    let failures = told.iter().filter(|line| line.contains("failed")).count();
    assert_eq!(failures, 1, "told once: {told:?}");
    assert!(told.contains(&"mx renewed".to_owned()), "{told:?}");
    assert_eq!(presented(&bench), 2);
    assert_ne!(bench.files(), before);
    let level = String::from_utf8(bench.files().main).unwrap();
    assert!(
        !level.contains("smtpd_tls_loglevel = 1"),
        "the wish was not confirmed"
    );
}

#[test]
fn a_store_that_is_full_at_any_write_loses_nothing() {
    let mut at = 0;
    loop {
        let bench = serving();
        let mut story = Story::new(&bench, 60);
        let renewed = || Import {
            private_ca: None,
            ..certificate("renewed")
        };
        let files = renewed();
        let again = Import {
            cert: files.cert.clone(),
            key: files.key.clone(),
            ..renewed()
        };
        story.now.insert("mx".to_owned(), files);
        let full = bench.run_full(at, |engine| {
            engine.keep_watch(None, Until::Settled, &mut story, &mut |_| {})
        });
        let ended = full.result;
        assert!(ended.is_ok(), "a failure is told, and no end: {ended:?}");
        // The next one, on a disk with room, ends in the new world.
        let mut story = Story::new(&bench, 100_000);
        story.now.insert("mx".to_owned(), again);
        drop(kept(&mut story, Until::Settled));
        assert_eq!(presented(&bench), 2, "write {at}");
        if full.writes <= at {
            return;
        }
        at += 1;
        assert!(at < 60, "it ends");
    }
}

#[test]
fn an_instance_that_was_given_back_is_watched_no_more() {
    let bench = serving();
    bench.run(|engine| engine.release()).unwrap();
    let watches = bench.run(|engine| engine.watches(None)).unwrap();
    assert_eq!(watches, []);
    let refused = bench.run(|engine| {
        engine.remember_watch(Watch {
            name: "mx".to_owned(),
            dir: "/somewhere".into(),
            domain: None,
            password_file: None,
            taken: None,
        })
    });
    assert!(
        matches!(refused, Err(EngineError::NotAdopted { .. })),
        "{refused:?}"
    );
}
