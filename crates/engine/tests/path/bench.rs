//! An engine on a host in memory, with a real store in a temporary folder.
//!
//! Owns: [`Bench`], and copies of one that has come to some point. A command is one
//! [`Bench::run`]: a new engine on a newly opened store, as a new process would have it.

use crate::clock::FixedClock;
use crate::store::FullStore;
use crate::wire::{FakeWire, SCRATCH};
use mailtls::policy::Dialect;
use postseal_engine::{
    Added, Changed, Engine, EngineError, Forced, Guardian, Import, Keep, Look, Recovery,
    RuleRequest,
};
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::facts::MasterState;
use postseal_planner::intent::Binding;
use postseal_planner::policy::Rule;
use postseal_store::{Operation, OperationOutcome, SqliteStore, Store};
use postseal_testkit::fake_host::FakeHost;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(crate) const INSTANCE: &str = "/etc/postfix";
const DAY: i64 = 86_400;

/// A plain main.cf with an administrator's own words in it.
pub(crate) const MAIN: &[u8] = b"# Ask Ingrid first.\n\
    myhostname = mx.fake.test\n\
    mynetworks = 127.0.0.0/8,\n    # the old office\n    198.51.100.0/24\n\
    our_note   =   kept exactly like this\n";

/// The stock master.cf's relevant lines, templates included.
pub(crate) const MASTER: &[u8] = b"\
smtp      inet  n       -       y       -       -       smtpd\n\
#submission inet n       -       y       -       -       smtpd\n\
#  -o syslog_name=postfix/submission\n\
#  -o smtpd_tls_security_level=encrypt\n\
#  -o smtpd_sasl_auth_enable=yes\n\
#  -o smtpd_tls_auth_only=yes\n\
#  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n\
#smtps     inet  n       -       y       -       -       smtpd\n\
#  -o syslog_name=postfix/smtps\n\
#  -o smtpd_tls_wrappermode=yes\n\
#  -o smtpd_sasl_auth_enable=yes\n\
#  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n\
tlsmgr    unix  -       -       y       1000?   1       tlsmgr\n\
smtp      unix  -       -       y       -       -       smtp\n";

/// Both files and the private ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) main: Vec<u8>,
    pub(crate) master: Vec<u8>,
    pub(crate) private: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
}

pub(crate) struct Bench {
    pub(crate) host: FakeHost,
    pub(crate) wire: FakeWire,
    pub(crate) clock: FixedClock,
    pub(crate) interrupted: AtomicBool,
    pub(crate) guardian: FakeGuardian,
    folder: TempDir,
}

/// Starts a guard that only holds its lock.
pub(crate) struct FakeGuardian {
    folder: PathBuf,
    host: FakeHost,
    guard: RefCell<Option<File>>,
    /// No process can be started.
    pub(crate) refuses: Cell<bool>,
    /// Whether the instance was locked whenever a guard was started.
    pub(crate) locked: Cell<bool>,
}

impl FakeGuardian {
    pub(crate) fn die(&self) {
        self.guard.take();
    }
}

impl Guardian for FakeGuardian {
    fn start(&self, operation: u64) -> std::io::Result<()> {
        self.locked.set(self.host.world().is_locked());
        if self.refuses.get() {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        let lock = File::create(self.folder.join(format!("guard-{operation}.lock")))?;
        lock.try_lock()?;
        self.guard.replace(Some(lock));
        Ok(())
    }
}

impl Bench {
    /// A host just adopted, with a certificate `mx` in the store.
    pub(crate) fn new() -> Self {
        let bench = Self::with_main(MAIN);
        bench.adopt();
        bench
    }

    /// A host with this main.cf, not adopted yet.
    pub(crate) fn with_main(main: &[u8]) -> Self {
        Self::on(FakeHost::new(main, MASTER))
    }

    pub(crate) fn adopt(&self) {
        self.run(|engine| {
            engine.init()?;
            engine.import_certificate(certificate("mx"))
        })
        .unwrap();
    }

    fn on(host: FakeHost) -> Self {
        {
            let mut world = host.world();
            let smtpd_conf = Zeroizing::new(b"pwcheck_method: auxprop\n".to_vec());
            world
                .files
                .insert("/etc/postfix/sasl/smtpd.conf".into(), smtpd_conf);
            let scratch = [("smtp/inet", 0), ("submission/inet", 1), ("smtps/inet", 2)];
            world.rehearsal.endpoints = scratch
                .map(|(id, n)| (id.to_owned(), ([127, 0, 0, 1], SCRATCH + n).into()))
                .into();
        }
        let folder = folder();
        Self {
            guardian: FakeGuardian {
                folder: folder.path().to_owned(),
                host: host.clone(),
                guard: RefCell::default(),
                refuses: Cell::new(false),
                locked: Cell::new(false),
            },
            wire: FakeWire {
                host: host.clone(),
                deaf: AtomicBool::new(false),
            },
            host,
            clock: FixedClock::new(),
            interrupted: AtomicBool::new(false),
            folder,
        }
    }

    /// Another host that has come to the same point.
    pub(crate) fn copy(&self) -> Self {
        let files = self.files();
        let copy = Self::on(FakeHost::new(&files.main, &files.master));
        copy.host.world().files = files.private;
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, copy.folder.path().join(from.file_name().unwrap())).unwrap();
        }
        copy
    }

    /// One command.
    pub(crate) fn run<T>(&self, work: impl FnOnce(&mut Engine<'_>) -> T) -> T {
        self.with(&mut self.store(), work)
    }

    /// One command with a store that is full from the n-th write on; how many it tried.
    pub(crate) fn run_full<T>(
        &self,
        left: usize,
        work: impl FnOnce(&mut Engine<'_>) -> T,
    ) -> Full<T> {
        let mut inner = self.store();
        let mut store = FullStore {
            inner: &mut inner,
            left,
            writes: 0,
        };
        let result = self.with(&mut store, work);
        Full {
            result,
            writes: store.writes,
        }
    }

    fn with<T>(&self, store: &mut dyn Store, work: impl FnOnce(&mut Engine<'_>) -> T) -> T {
        work(&mut Engine {
            host: &self.host,
            store,
            wire: &self.wire,
            clock: &self.clock,
            guards: self.folder.path().to_owned(),
            guardian: &self.guardian,
            actor: "test".to_owned(),
            instance: INSTANCE.to_owned(),
            interrupted: &self.interrupted,
            listener: &|_| {},
            only_while: None,
        })
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open(self.folder.path()).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn set(&self, pairs: &[(&str, &str)]) {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        self.run(|engine| engine.set(&pairs)).unwrap();
    }

    pub(crate) fn bind(&self, name: &str) {
        self.run(|engine| {
            let fingerprint = engine.certificate(name)?.chain[0].fingerprint();
            engine.bind(vec![Binding {
                name: name.to_owned(),
                fingerprint,
                allow_self_signed: false,
                place: postseal_planner::intent::Place::Server,
            }])
        })
        .unwrap();
    }

    pub(crate) fn apply(&self) -> Result<Changed, EngineError> {
        self.run(|engine| engine.apply(None, &[], Keep::Now))
    }

    pub(crate) fn rollback(&self) -> Result<Changed, EngineError> {
        self.run(|engine| engine.rollback(None, &[], Keep::Now))
    }

    pub(crate) fn recover(&self) -> Result<Recovery, EngineError> {
        self.run(|engine| engine.recover())
    }

    /// TLS on port 25 and both services of mail clients.
    pub(crate) fn turn_on(&self) {
        self.bind("mx");
        self.set(&[
            ("inbound", "may"),
            ("submission", "on"),
            ("smtps", "on"),
            ("auth-only", "yes"),
        ]);
    }

    pub(crate) fn turn_off(&self) {
        self.set(&[("inbound", "off"), ("submission", "off"), ("smtps", "off")]);
        self.run(|engine| engine.unbind("mx", &[])).unwrap();
    }

    /// Wishes for rules: `DESTINATION POLICY`.
    pub(crate) fn rules(&self, rules: &[&str]) {
        let dialect = Dialect { major: 3, minor: 7 };
        let request = |text: &&str| {
            let (destination, policy) = text.split_once(' ').unwrap();
            let rule = Rule::new(destination, None, policy, dialect).unwrap();
            RuleRequest::from(rule)
        };
        let requests: Vec<RuleRequest> = rules.iter().map(request).collect();
        let wished = self
            .run(|engine| engine.add_rules(requests, Added::New, &Forced::No, Look::Never))
            .unwrap();
        assert!(wished.refusal().is_none(), "{:?}", wished.refusal());
    }

    /// Maps of policies that nothing names answer nobody, and go with the next one.
    pub(crate) fn files(&self) -> Files {
        let world = self.host.world();
        let main = String::from_utf8_lossy(&world.main_cf).into_owned();
        let counts = |path: &PathBuf| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            !name.starts_with("policy-") || main.contains(&*name)
        };
        let mut private = world.files.clone();
        private.retain(|path, _| counts(path));
        Files {
            main: world.main_cf.clone(),
            master: world.master_cf.clone(),
            private,
        }
    }

    /// What the running master has read is what is on the disk.
    pub(crate) fn is_effective(&self) -> bool {
        let world = self.host.world();
        world.master == MasterState::Stopped || world.effective_master_cf == world.master_cf
    }

    pub(crate) fn open(&self) -> Option<Operation> {
        self.store().open(INSTANCE).unwrap()
    }

    pub(crate) fn newest(&self) -> Option<Operation> {
        self.store().history(INSTANCE, 1).unwrap().pop()
    }

    pub(crate) fn outcome(&self) -> Option<OperationOutcome> {
        self.newest()?.outcome
    }
}

/// What came of a command on a full disk.
pub(crate) struct Full<T> {
    pub(crate) result: T,
    pub(crate) writes: usize,
}

/// Hundreds of stores are made here: in memory, where there is such a folder.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = TempDir::with_prefix_in("postseal-engine-", memory);
    made.or_else(|_| TempDir::with_prefix("postseal-engine-"))
        .unwrap()
}

/// A sound key with its certificate, as a file of the administrator's.
pub(crate) fn own_file() -> Zeroizing<Vec<u8>> {
    let import = certificate("own");
    let mut bytes = import.key.unwrap();
    bytes.extend(import.cert);
    bytes
}

/// Whoever has issued the first one renews it.
static CA: OnceLock<PrivateCa> = OnceLock::new();

/// A sound certificate of a private CA.
pub(crate) fn certificate(name: &str) -> Import {
    let now = crate::clock::START / 1000;
    let validity = Validity {
        not_before: now - DAY,
        not_after: now + 90 * DAY,
    };
    let root = || PrivateCa::new("Fake Root", KeyType::EcdsaP256, validity).unwrap();
    let ca = CA.get_or_init(root);
    let leaf = ca
        .issue(&LeafRequest {
            names: vec!["mx.fake.test".to_owned()],
            key_type: KeyType::EcdsaP256,
            validity,
        })
        .unwrap();
    Import {
        name: name.to_owned(),
        cert: leaf.cert_pem.clone().into_bytes(),
        key: Some(Zeroizing::new(leaf.key_pem.as_bytes().to_vec())),
        chain: None,
        private_ca: Some(ca.certificate_pem().into_bytes()),
        password: None,
        succession: postseal_store::Succession::First,
        source: "test".to_owned(),
    }
}
