//! `cert watch`: renewals in the folders of ACME clients.
//!
//! Owns: the words of what happens while folders are watched, and reading them. Never: decides
//! what is done about it (the engine does).

use crate::answer::{Answer, findings_text, printable};
use crate::change::Change;
use crate::config::{Global, Talk};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{Changed, CheckNews, EngineError, Folders, Found, Outcome, Until, Watched};
use postseal_host::{
    SourceError, Watcher, chosen_by, read_folder, read_password, source_access, source_written,
};
use postseal_planner::facts::MasterState;
use postseal_planner::{Finding, Severity, whole_chain};
use postseal_store::Watch;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `cert watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// The certificate; without it, everything that is remembered is watched
    name: Option<String>,
    /// The folder of an ACME client (certbot, dehydrated, lego, acme.sh, Caddy), or the one where it keeps
    /// them all; it is remembered
    #[arg(long, value_name = "DIR", requires = "name")]
    dir: Option<PathBuf>,
    /// Which certificate, where the folder holds several [default: the one that NAME fits]
    #[arg(long, value_name = "NAME", requires = "dir")]
    domain: Option<String>,
    /// Holds the password of the key, in its first line
    #[arg(long, value_name = "FILE", requires = "dir")]
    password_file: Option<PathBuf>,
    /// Look once, take what is new, and end (for cron)
    #[arg(long)]
    once: bool,
    /// Forget the folder; the certificate stays as it is
    #[arg(long, requires = "name", conflicts_with_all = ["dir", "once"])]
    forget: bool,
}

pub(super) fn watch(args: &WatchArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    if let (Some(name), true) = (&args.name, args.forget) {
        session.engine().forget_watch(name)?;
        let gone = Change::default().of(name.clone(), "watched", None::<String>);
        let text = format!("The folder of {name} is watched no more.\n");
        return Ok(Answer::new(text, gone.document(json!({}))));
    }
    if let (Some(name), Some(dir)) = (&args.name, &args.dir) {
        session
            .engine()
            .remember_watch(remembered(args, name, dir)?)?;
    }
    let only = args.name.as_deref();
    let watches = session.engine().watches(only)?;
    if watches.is_empty() {
        return Err(nothing(only));
    }
    let mut told = Told::new(global, args);
    told.begin(&watches, args);
    keep(&mut session, args, &mut told)?;
    let exit = if args.once { told.exit } else { Exit::Done };
    Ok(told.answer(&watches).exit(exit))
}

fn keep(session: &mut Session, args: &WatchArgs, told: &mut Told) -> Result<(), Failure> {
    let mut folders = OnDisk::new()?;
    session.heed_interrupts()?;
    session.wake_by_interrupts(&folders.watcher)?;
    let until = if args.once {
        Until::Settled
    } else {
        Until::Interrupted
    };
    let only = args.name.as_deref();
    let mut tell = |event: Watched<'_>| told.tell(&event);
    let mut engine = session.engine();
    Ok(engine.keep_watch(only, until, &mut folders, &mut tell)?)
}

fn remembered(args: &WatchArgs, name: &str, dir: &PathBuf) -> Result<Watch, Failure> {
    let absolute = |path: &PathBuf| {
        std::path::absolute(path)
            .map_err(|error| Failure::new(Exit::Usage, "watch.bad-path", error.to_string()))
    };
    Ok(Watch {
        name: name.to_owned(),
        dir: absolute(dir)?,
        domain: args.domain.clone(),
        password_file: args.password_file.as_ref().map(absolute).transpose()?,
        taken: None,
    })
}

fn nothing(only: Option<&str>) -> Failure {
    let message = match only {
        Some(name) => format!("no folder is remembered for {name}"),
        None => "no folder is remembered".to_owned(),
    };
    Failure::new(Exit::Usage, "watch.nothing", message)
        .hint("Say which one: `postseal cert watch NAME --dir DIR`.")
}

/// Folders as they are on disk.
struct OnDisk {
    watcher: Watcher,
}

impl OnDisk {
    fn new() -> Result<Self, Failure> {
        let watcher = Watcher::new();
        let failed =
            |error: std::io::Error| Failure::new(Exit::Failed, "host.local", error.to_string());
        Ok(Self {
            watcher: watcher.map_err(failed)?,
        })
    }
}

/// The same to who does not wait.
pub(crate) struct AtOnce;

impl Folders for AtOnce {
    fn read(&self, watch: &Watch) -> Result<Found, Finding> {
        read(watch)
    }

    fn written_unix(&self, watch: &Watch) -> Option<i64> {
        let domain = chosen_by(&watch.dir, watch.domain.as_deref(), &watch.name);
        source_written(&watch.dir, domain.as_deref())
    }

    fn wait(&mut self, _: &[PathBuf], _: Duration) {}
}

fn read(watch: &Watch) -> Result<Found, Finding> {
    let domain = chosen_by(&watch.dir, watch.domain.as_deref(), &watch.name);
    let domain = domain.as_deref();
    let files = read_folder(&watch.dir, domain).map_err(finding)?;
    let password = watch.password_file.as_deref().map(read_password);
    Ok(Found {
        cert: files.cert,
        key: files.key,
        chain: files.chain,
        password: password.transpose().map_err(finding)?,
        source: files.source,
        access: source_access(&watch.dir, domain).map_err(finding)?,
    })
}

impl Folders for OnDisk {
    fn read(&self, watch: &Watch) -> Result<Found, Finding> {
        read(watch)
    }

    fn wait(&mut self, folders: &[PathBuf], at_most: Duration) {
        self.watcher.wait(folders, at_most);
    }
}

fn finding(error: SourceError) -> Finding {
    Finding::new(
        error.code(),
        Severity::Error,
        error.to_string(),
        error.remedy(),
    )
}

/// What was told, and what it comes to.
struct Told {
    talk: Talk,
    again: &'static str,
    findings: Vec<Value>,
    renewed: Vec<Value>,
    exit: Exit,
}

/// What a service tells in a year is not kept for its last word.
const KEPT: usize = 1000;

impl Told {
    fn new(global: &Global, args: &WatchArgs) -> Self {
        Self {
            talk: global.talk,
            again: match args.once {
                true => "the next run tries again",
                false => "it is tried again",
            },
            findings: Vec::new(),
            renewed: Vec::new(),
            exit: Exit::Done,
        }
    }

    fn begin(&self, watches: &[Watch], args: &WatchArgs) {
        if args.once {
            return;
        }
        for watch in watches {
            self.say(&format!(
                "watching {} for {}",
                watch.dir.display(),
                watch.name
            ));
        }
    }

    /// A line on standard error; a service's journal has it.
    fn say(&self, line: &str) {
        if self.talk != Talk::Quiet {
            let _ = writeln!(std::io::stderr(), "postseal: {}", printable(line));
        }
    }

    fn tell(&mut self, event: &Watched<'_>) {
        match event {
            Watched::Renewed {
                name,
                leaf,
                changed,
            } => {
                self.say(&format!("{name}: {}", renewed(changed)));
                for finding in changed.brought() {
                    self.found(name, finding, Exit::Done);
                }
                let renewed = json!({"certificate": name, "fingerprint": leaf,
                    "operation": operation(changed)});
                keep_some(&mut self.renewed, renewed);
            }
            Watched::Unusable { name, finding } => {
                self.say(&format!(
                    "{name}: the folder holds nothing to take; what is in force stays"
                ));
                self.found(name, finding, Exit::Data);
            }
            Watched::Failed { name, error } => self.failed(name, error),
            Watched::Relieved { name } => {
                self.say(&format!("{name}: the folder is in order again"))
            }
            Watched::Checked(CheckNews::Appeared { name, finding }) => {
                self.found(name, finding, Exit::Done);
            }
            Watched::Checked(CheckNews::Gone { name, code }) => {
                self.say(&format!("{name}: no longer [{code}]"));
            }
            Watched::Blind { error } => {
                self.say(&format!(
                    "the store cannot be asked: {}",
                    whole_chain(error)
                ));
                self.worse(Exit::Failed);
            }
        }
    }

    fn failed(&mut self, name: &str, error: &EngineError) {
        let code = error.code();
        let then = match error.passes() {
            true => self.again,
            false => "somebody has to look",
        };
        self.say(&format!(
            "{name}: the renewal is not in force, what was stays; {then}: {} [{code}]",
            whole_chain(error)
        ));
        let refused: &[Finding] = match error {
            EngineError::Refused(refusal) => &refusal.findings,
            EngineError::Rehearsal { findings } => findings,
            _ => &[],
        };
        for finding in refused {
            self.say(&format!("{name}: remedy: {}", finding.remedy));
        }
        let failed = json!({"certificate": name, "code": code, "severity": "error",
            "message": whole_chain(error), "remedy": refused.first().map(|first| &first.remedy),
            "passes": error.passes()});
        keep_some(&mut self.findings, failed);
        self.worse(error.kind().into());
    }

    fn found(&mut self, name: &str, finding: &Finding, exit: Exit) {
        for line in findings_text([finding]).lines() {
            self.say(&format!("{name}: {line}"));
        }
        keep_some(&mut self.findings, super::check::named(name, finding));
        self.worse(exit);
    }

    fn worse(&mut self, exit: Exit) {
        if self.exit == Exit::Done {
            self.exit = exit;
        }
    }

    /// The last word. To be told to end is a good end.
    fn answer(self, watches: &[Watch]) -> Answer {
        let folders: Vec<Value> = watches
            .iter()
            .map(|watch| json!({"certificate": watch.name, "dir": watch.dir}))
            .collect();
        let text = match self.renewed.len() {
            0 => "Nothing was renewed.\n".to_owned(),
            1 => "1 certificate was renewed.\n".to_owned(),
            n => format!("{n} certificates were renewed.\n"),
        };
        let document = json!({"changed": !self.renewed.is_empty(), "watched": folders,
            "renewed": self.renewed, "findings": self.findings});
        Answer::new(text, document)
    }
}

fn keep_some(list: &mut Vec<Value>, value: Value) {
    if list.len() < KEPT {
        list.push(value);
    }
}

fn renewed(changed: &Changed) -> String {
    let what = match changed.outcome {
        Outcome::Nothing => return "in the store; nothing presents an older one".to_owned(),
        Outcome::Kept { operation } => format!("renewed and in force (operation {operation})"),
        Outcome::Undone { operation } | Outcome::Awaiting { operation, .. } => {
            format!("renewed (operation {operation})")
        }
    };
    match changed.master {
        MasterState::Stopped => format!("{what}; Postfix does not run"),
        MasterState::Running(_) => what,
    }
}

fn operation(changed: &Changed) -> Option<u64> {
    match changed.outcome {
        Outcome::Nothing => None,
        Outcome::Kept { operation }
        | Outcome::Undone { operation }
        | Outcome::Awaiting { operation, .. } => Some(operation),
    }
}
