//! The rehearsal alone, with bytes that no planner has seen.
//!
//! Owns: staging the broken files of the stories in `crates/cli/tests/broken` as plans whose
//! expectations are those of the good files, and demanding that the rehearsal stops each with the
//! story's code — or says, in the story, why it cannot see it. Never: asks the planner for a plan.
//! Needs root and Postfix.

use super::*;
use crate::propose::Proposal;
use crate::{Guardian, Import, Keep, Network, SystemClock};
use mailtls::Fingerprint;
use postfix_cf::{MainCf, MasterCf};
use postseal_host::{HostOptions, PostfixHost};
use postseal_planner::Digest;
use postseal_planner::intent::Binding;
use postseal_planner::plan::Step;
use postseal_planner::plan::{Cf, Edit};
use postseal_planner::report::Report;
use postseal_probe::dns::Named;
use postseal_probe::{Start, Target, probe_all};
use postseal_store::{OperationKind, SqliteStore};
use postseal_testkit::broken::{BrokenFiles, Rehearsed as Told, Story};
use postseal_testkit::postfix_box::PostfixBox;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// Rehearsals mostly wait, so that a few at once cost no more than one.
const AT_ONCE: usize = 5;

/// A server with a good certificate, kept by Postseal.
struct Server {
    postfix: PostfixBox,
    files: BrokenFiles,
    store: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::with_prefix("postseal-rehearse-").unwrap();
        let server = Self {
            postfix: PostfixBox::builder()
                .sasl_user("alice", "a password")
                .build()
                .unwrap(),
            files: BrokenFiles::make(&folder.path().join("files"), "mx.box.test").unwrap(),
            store: folder,
        };
        server.postfix.start().unwrap();
        server.with(|engine| {
            engine.init().unwrap();
            let import = Import {
                name: "mx".to_owned(),
                cert: server.files.fullchain_pem.clone().into_bytes(),
                key: Some(Zeroizing::new(server.files.key_pem.clone().into_bytes())),
                chain: None,
                private_ca: None,
                password: None,
                succession: postseal_store::Succession::First,
                source: "a test".to_owned(),
            };
            engine.import_certificate(import).unwrap();
            let binding = Binding {
                name: "mx".to_owned(),
                fingerprint: server.fingerprint(),
                allow_self_signed: false,
                place: postseal_planner::intent::Place::Server,
            };
            engine.bind(vec![binding]).unwrap();
            let wishes = [
                "mode=may",
                "profile=recommended",
                "submission=on",
                "smtps=on",
            ];
            let pairs = wishes.map(|wish| {
                let (key, value) = wish.split_once('=').unwrap();
                (key.to_owned(), value.to_owned())
            });
            engine.set(&pairs).unwrap();
            engine.apply(None, &[], Keep::Now).unwrap();
        });
        server
    }

    fn fingerprint(&self) -> Fingerprint {
        let bundle = mailtls::Bundle::read(self.files.fullchain_pem.as_bytes(), None, None);
        bundle.unwrap().chain[0].fingerprint()
    }

    /// An engine of its own: many may look at once.
    fn with<T>(&self, work: impl FnOnce(&mut Engine<'_>) -> T) -> T {
        let directory = self.postfix.config_directory();
        let host = PostfixHost::new(HostOptions::new(directory.clone())).unwrap();
        let mut store = SqliteStore::open(self.store.path()).unwrap();
        work(&mut Engine {
            host: &host,
            store: &mut store,
            wire: &Network {
                resolver: Named::Nobody,
                for_afar: false,
            },
            clock: &SystemClock::default(),
            guards: self.store.path().to_owned(),
            guardian: &NoGuardian,
            actor: "a test".to_owned(),
            instance: directory.display().to_string(),
            interrupted: &AtomicBool::new(false),
            listener: &|_| {},
            only_while: None,
        })
    }

    /// The certificates that 25, 587 and 465 serve.
    fn served(&self) -> Vec<Option<Fingerprint>> {
        let ports = [
            (25, Start::StartTls),
            (587, Start::StartTls),
            (465, Start::Implicit),
        ];
        let targets = ports.map(|(port, start)| {
            let address = SocketAddr::new(self.postfix.address(), port);
            Target::new(port.to_string(), address, start)
        });
        let reports = probe_all(&targets, Duration::from_secs(10));
        let shown = |report: &Report| report.handshake.as_ref()?.fingerprint;
        reports.iter().map(shown).collect()
    }
}

/// Nothing here waits for a word.
struct NoGuardian;

impl Guardian for NoGuardian {
    fn start(&self, _: u64) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn what_no_planner_has_seen_is_stopped_by_the_rehearsal() {
    let server = Server::start();
    let good = vec![Some(server.fingerprint()); 3];
    assert_eq!(server.served(), good);
    let (facts, state) = server.with(|engine| (engine.observe().unwrap(), engine.state().unwrap()));
    let stories = Mutex::new(Story::all().into_iter());
    let misses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(story) = stories.lock().unwrap().next() else {
                        break;
                    };
                    let proposal = proposal(&story, &server.files, &facts, &state);
                    let seen = server.with(|engine| rehearsed(engine, proposal));
                    misses.lock().unwrap().extend(miss(&story, &seen));
                }
            });
        }
    });
    let mut misses = misses.into_inner().unwrap();
    misses.sort();
    assert!(misses.is_empty(), "{}\n", misses.join("\n"));
    assert_eq!(server.served(), good);
    let after = server.with(|engine| engine.observe().unwrap());
    assert_eq!(after.main_cf.bytes, facts.main_cf.bytes);
    assert_eq!(after.master_cf.bytes, facts.master_cf.bytes);
    assert_eq!(leftovers(server.postfix.path()), Vec::<String>::new());
}

/// What the rehearsal said.
struct Seen {
    /// The code it stopped with, if it did.
    code: Option<String>,
    said: String,
}

fn rehearsed(engine: &Engine<'_>, proposal: Proposal) -> Seen {
    let approved = engine.approve(proposal, &[]).unwrap();
    match engine.rehearse(approved) {
        Ok(rehearsed) => Seen {
            code: None,
            said: format!("{:?}", rehearsed.not_rehearsed),
        },
        Err(error) => Seen {
            code: Some(error.code()),
            said: postseal_planner::whole_chain(&error),
        },
    }
}

fn miss(story: &Story, seen: &Seen) -> Option<String> {
    let (name, code, said) = (&story.name, &seen.code, &seen.said);
    match &story.rehearsal {
        Told::Stops(wanted) if code.as_ref() == Some(wanted) => None,
        Told::CannotSee { .. } | Told::Harmless { .. } if code.is_none() => None,
        told => Some(format!("{name}: {code:?} ({said}), not {told:?}")),
    }
}

/// A plan that a planner would not make: these bytes, and the wire as it is now.
fn proposal(
    story: &Story,
    files: &BrokenFiles,
    facts: &Facts,
    state: &postseal_store::InstanceState,
) -> Proposal {
    let edit = |file, before: &postseal_planner::facts::CfFile, bytes: Vec<u8>| Edit {
        file,
        before: before.digest,
        after: Digest::of(&bytes),
        diff: String::new(),
        bytes,
    };
    let edits: Vec<Edit> = [
        edit(
            Cf::Main,
            &facts.main_cf,
            story.main_cf(&facts.main_cf.bytes, files),
        ),
        edit(
            Cf::Master,
            &facts.master_cf,
            story.master_cf(&facts.master_cf.bytes, files),
        ),
    ]
    .into_iter()
    .filter(|edit| edit.before != edit.after)
    .collect();
    let publish = edits.iter().map(|edit| Step::Publish { file: edit.file });
    let steps: Vec<Step> = publish.chain([Step::Reload]).collect();
    let touches = |name: &&String| name.starts_with("smtp_") || name.starts_with("tls_");
    let outbound = if story.main.set.keys().any(|name| touches(&name)) {
        OutboundChange::Rehearse {
            level: Outbound::May,
        }
    } else {
        OutboundChange::None
    };
    let expectations = postseal_planner::expect(
        &MainCf::parse(&facts.main_cf.bytes),
        &MasterCf::parse(&facts.master_cf.bytes),
        facts,
        &state.desired,
    );
    let plan = Plan {
        format: 1,
        id: Digest::of(story.name.as_bytes()),
        parent: state.head,
        intent: state.desired.clone(),
        earlier: state.desired.clone(),
        base: crate::adopt::base(facts),
        edits,
        steps,
        expectations,
        outbound,
        confirmations: Vec::new(),
        findings: Vec::new(),
        sentences: Vec::new(),
    };
    Proposal {
        rules: crate::RuleChanges::default(),
        plan,
        facts: facts.clone(),
        state: state.clone(),
        kind: OperationKind::Apply,
    }
}

/// Scratch folders that were left behind.
fn leftovers(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("postseal")).collect()
}
