//! Renewals as time passes, and as clocks jump: the real engine and store, a CA by script, and a
//! clock that says what a test wants. A timer starts the engine every hour.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../path/clock.rs"]
mod clock;
#[path = "../path/store.rs"]
mod store;

use clock::{FixedClock, START};
use postseal_engine::{
    Answerers, Engine, EngineError, Force, Guardian, Issue, Means, RenewalEnd, Renewed, Terms, Wire,
};
use postseal_issue::{Bounds, Challenge, ChallengeKind, Solver, SolverError};
use postseal_planner::renewal::{Method, NextKey, Progress, Way};
use postseal_planner::report::Report;
use postseal_probe::Target;
use postseal_store::{AcmeStore as _, SqliteStore, Store, Succession};
use postseal_testkit::fake_host::FakeHost;
use postseal_testkit::scripted_ca::ScriptedCa;
use std::cell::Cell;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use store::FullStore;
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const ALLOWED: Duration = Duration::from_secs(60);

/// Who is never asked: the CA takes every name for proved.
struct Nobody;

impl Solver for Nobody {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, _: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        Err(SolverError::Unusable("nobody".into()))
    }

    fn clean_up(&mut self, _: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        Ok(())
    }
}

impl Answerers for Nobody {
    fn answerer(&self, _: &Way) -> Result<Box<dyn Solver>, SolverError> {
        Ok(Box::new(Self))
    }
}

impl Guardian for Nobody {
    fn start(&self, _: u64) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

impl Wire for Nobody {
    fn probe(&self, _: &[Target], _: Duration) -> Vec<Report> {
        Vec::new()
    }
}

/// A host with a clock, and a CA with another.
struct World {
    host: FakeHost,
    clock: FixedClock,
    ca: ScriptedCa,
    folder: TempDir,
    interrupted: AtomicBool,
    chance: Cell<u64>,
}

impl World {
    /// Both clocks are right; `mx` has been issued for 90 days.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let world = Self {
            host: FakeHost::new(b"myhostname = mx.fake.test\n", b""),
            clock: FixedClock::new(),
            ca: ScriptedCa::new(),
            folder,
            interrupted: AtomicBool::new(false),
            chance: Cell::new(1),
        };
        world.ca.set(|ca| ca.now = START / 1000);
        world
            .run(|engine, means| engine.issue(world.wish(), means))
            .unwrap();
        world
    }

    fn wish(&self) -> Issue {
        Issue {
            name: "mx".to_owned(),
            method: Method {
                directory: self.ca.directory(),
                roots_pem: Some(self.ca.root_pem().to_owned()),
                names: vec!["mx.box.test".to_owned()],
                key_type: "ecdsa-p256".to_owned(),
                key: NextKey::New,
                way: Way::Http {
                    addresses: Vec::new(),
                },
            },
            succession: Succession::First,
            terms: Terms::Agreed,
            contacts: Vec::new(),
            private_ca: None,
            external: None,
        }
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.folder.path().join("store")).unwrap()
    }

    /// One start of the program.
    fn run<T>(&self, work: impl FnOnce(&mut Engine<'_>, &Means<'_>) -> T) -> T {
        self.with(&mut self.store(), work)
    }

    fn with<T>(
        &self,
        store: &mut dyn Store,
        work: impl FnOnce(&mut Engine<'_>, &Means<'_>) -> T,
    ) -> T {
        let mut engine = Engine {
            host: &self.host,
            store,
            wire: &Nobody,
            clock: &self.clock,
            guards: self.folder.path().to_owned(),
            guardian: &Nobody,
            actor: "timer".to_owned(),
            instance: "/etc/postfix".to_owned(),
            interrupted: &self.interrupted,
            listener: &|_| {},
            only_while: None,
        };
        let chance = || {
            self.chance.set(self.chance.get() + 1);
            self.chance.get()
        };
        let means = Means {
            answerers: &Nobody,
            chance: &chance,
            allowed: ALLOWED,
        };
        work(&mut engine, &means)
    }

    fn renew(&self) -> RenewalEnd {
        let renewed = self.run(|engine, means| engine.renew(&[], Force::No, means));
        let [Renewed { end, .. }] = <[Renewed; 1]>::try_from(renewed.unwrap()).unwrap();
        end
    }

    /// So many starts of the timer; how often a CA was asked for a certificate.
    fn hours(&self, hours: u32) -> usize {
        let before = self.tries();
        for _ in 0..hours {
            self.clock.pass(HOUR);
            self.renew();
        }
        self.tries() - before
    }

    fn tries(&self) -> usize {
        self.ca.mood().tries
    }

    fn version(&self) -> u32 {
        self.run(|engine, _| engine.certificate("mx"))
            .unwrap()
            .version
    }

    fn progress(&self) -> Progress {
        self.store().renewals().unwrap().remove(0).progress
    }

    /// The host's clock jumps; that of the CA does not.
    fn jump(&self, days: i64) {
        self.clock.jump(days * 86_400_000);
    }

    /// Time passes for both.
    fn pass(&self, days: u32) {
        self.clock.pass(DAY * days);
        self.ca.set(|ca| ca.now += i64::from(days) * 86_400);
    }
}

#[test]
fn a_year_of_a_timer_renews_as_often_as_it_should() {
    let world = World::new();
    for _ in 0..73 {
        world.pass(5);
        world.renew();
    }
    // Each lives for 90 days, and is renewed after 56 to 60 of them.
    let orders = world.ca.mood().orders.len();
    assert_eq!(orders, 1 + 6);
    assert_eq!(world.version(), 7);
}

#[test]
fn a_failure_is_tried_less_and_less_often_and_overcome() {
    let world = World::new();
    world.pass(65);
    world.ca.set(|ca| ca.refuses = true);
    // At once, after 1, 2, 4, 8 and 16 hours: six times in two days, not 48.
    let tries = world.hours(48);
    assert!((5..=7).contains(&tries), "{tries}");
    assert_eq!(world.version(), 1);
    let progress = world.progress();
    assert_eq!(progress.failure.unwrap().code, "acme.refused");
    world.ca.set(|ca| ca.refuses = false);
    assert_eq!(world.hours(36), 1);
    assert_eq!(world.version(), 2);
    assert_eq!(
        (world.progress().failures, world.progress().failure),
        (0, None)
    );
}

#[test]
fn a_clock_years_ahead_calls_the_ca_rarely_and_back_again_at_once() {
    let world = World::new();
    // To this host everything has expired, also what the CA issues.
    world.jump(3650);
    let tries = world.hours(48);
    assert!((1..=7).contains(&tries), "{tries}");
    assert_eq!(world.version(), 1);
    let failure = world.progress().failure.unwrap();
    assert_eq!(failure.code, "acme.wrong-chain");
    // Put right: nothing is due, and nothing holds back what will be.
    world.jump(-3652);
    assert!(matches!(world.renew(), RenewalEnd::NotDue { .. }));
    assert_eq!(world.progress().failure, None);
    world.pass(65);
    assert!(matches!(world.renew(), RenewalEnd::Renewed { .. }));
}

#[test]
fn a_clock_some_weeks_ahead_takes_what_is_issued_but_not_all_day() {
    let world = World::new();
    world.jump(70);
    // What comes has ten weeks less to live than it should: old as soon as it is there.
    let tries = world.hours(48);
    assert!((1..=3).contains(&tries), "{tries}");
    world.jump(-72);
    let before = world.version();
    assert_eq!(world.hours(24), 0);
    assert_eq!(world.version(), before);
}

#[test]
fn a_clock_in_the_past_neither_renews_nor_forgets() {
    let world = World::new();
    world.pass(65);
    world.jump(-20_000);
    assert!(matches!(world.renew(), RenewalEnd::NotDue { .. }));
    world.jump(20_000);
    assert!(matches!(world.renew(), RenewalEnd::Renewed { .. }));
    // A failure whose time lies in the future was a wrong clock's.
    world.pass(65);
    world.ca.set(|ca| ca.refuses = true);
    world.jump(1000);
    assert!(matches!(world.renew(), RenewalEnd::Failed { .. }));
    world.jump(-1000);
    world.ca.set(|ca| ca.refuses = false);
    assert!(matches!(world.renew(), RenewalEnd::Renewed { .. }));
}

#[test]
fn an_interrupted_run_ends_without_a_failure() {
    let world = World::new();
    world.pass(65);
    world
        .interrupted
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(world.renew(), RenewalEnd::Interrupted));
    let stopped = world.run(|engine, means| {
        let wish = Issue {
            name: "other".to_owned(),
            ..world.wish()
        };
        engine.issue(wish, means)
    });
    assert!(
        matches!(stopped, Err(EngineError::Interrupted)),
        "{stopped:?}"
    );
    assert_eq!(world.progress().failures, 0);
    world
        .interrupted
        .store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(world.renew(), RenewalEnd::Renewed { .. }));
}

#[test]
fn what_could_not_be_stored_is_not_ordered_and_holds_back_no_other() {
    let world = World::new();
    let second = Issue {
        name: "second".to_owned(),
        ..world.wish()
    };
    world
        .run(|engine, means| engine.issue(second, means))
        .unwrap();
    world.pass(65);
    let tries = world.tries();
    for left in 0..2 {
        let mut inner = world.store();
        let mut full = FullStore {
            inner: &mut inner,
            left,
            writes: 0,
        };
        let renewed = world.with(&mut full, |engine, means| {
            engine.renew(&[], Force::Yes, means)
        });
        let renewed = renewed.unwrap();
        assert_eq!(renewed.len(), 2, "one does not hold back the other");
        for one in renewed {
            assert!(matches!(one.end, RenewalEnd::Failed { .. }), "{one:?}");
            assert_eq!(one.findings[0].evidence[0].text, "store.failed");
        }
    }
    assert_eq!(world.tries(), tries);
    assert_eq!(world.version(), 1);
    let renewed = world.run(|engine, means| engine.renew(&[], Force::No, means));
    for one in renewed.unwrap() {
        assert!(matches!(one.end, RenewalEnd::Renewed { .. }), "{one:?}");
    }
}
