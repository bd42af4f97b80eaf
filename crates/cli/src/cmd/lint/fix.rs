//! `lint --fix`: the remedies that can be wished for, and the plan of them.
//!
//! Owns: whose files are mended (an adopted instance gets a draft, other files are only shown what it
//! would be), and the words. Never: knows a remedy (each rule does), or carries a plan out.

use super::gather;
use super::ignore;
use super::{Here, LintArgs, Observed, targets};
use crate::answer::{Answer, findings_text, named};
use crate::cmd::plan;
use crate::config::{Global, Talk};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postfix_cf::{MainCf, MasterCf};
use postseal_engine::{Clock, Draft, Fixed, Fixing, SystemClock};
use postseal_planner::facts::CfFile;
use postseal_planner::finding::Taken;
use postseal_planner::lint::{self, LintInput, Surroundings};
use postseal_planner::mend::{Known, Mended, Mending, mend};
use postseal_planner::{Digest, Facts, Finding, Intent, Severity, Wish, owned};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Stops the look for a store.
const NOT_ADOPTED: &str = "instance.not-adopted";
const NO_ROOT: &str = "host.permission";

pub(super) fn run(args: &LintArgs, global: &Global) -> Result<Answer, Failure> {
    for code in &args.with {
        known(code)?;
    }
    let [path] = &targets(args, global)?[..] else {
        return Err(Failure::new(
            Exit::Usage,
            "lint.fix-one-path",
            "--fix mends one configuration at a time".to_owned(),
        )
        .hint("Name one directory, or one main.cf."));
    };
    if !args.paths.is_empty() {
        return shown(path, NAMED, args, global);
    }
    match Session::existing(global).map(|mut session| fixed(&mut session, args, global)) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(failure)) | Err(failure) => match failure.code() {
            NOT_ADOPTED => shown(path, UNADOPTED, args, global),
            NO_ROOT => shown(path, UNPRIVILEGED, args, global),
            _ => Err(failure),
        },
    }
}

const NAMED: &str = "Nothing is stored or changed, because a PATH was named. Without one, `postseal lint --fix` \
    plans this for the instance itself.\n";
const UNADOPTED: &str = "Nothing is stored or changed: this instance is not adopted. `postseal init` adopts it \
    and changes no byte of it; then `postseal lint --fix` plans this, and `postseal apply` carries it out.\n";
const UNPRIVILEGED: &str = "Nothing is stored or changed: that takes root.\n";

fn known(code: &str) -> Result<(), Failure> {
    let hint = "`postseal lint` names the codes and says which have a fix that is taken by name.";
    let text = match (lint::rule(code), lint::fixable(code)) {
        (_, Some(_)) => return Ok(()),
        (Some(_), None) => format!("--with {code}: this finding has no fix that can be wished for"),
        (None, None) => format!("--with {code}: there is no such rule"),
    };
    Err(Failure::new(Exit::Usage, "lint.no-fix", text).hint(hint))
}

/// Whether a fix is taken: not of a finding that somebody wants to keep.
fn takes<'a>(args: &'a LintArgs, global: &'a Global) -> impl Fn(&Finding) -> bool + 'a {
    move |finding| {
        let by_itself = finding
            .fix
            .as_ref()
            .is_some_and(|fix| fix.taken == Taken::ByItself);
        let wanted = by_itself || args.with.iter().any(|code| *code == finding.code);
        wanted && !ignore::is_ignored(finding, global)
    }
}

fn expand(list: &str) -> Vec<String> {
    postseal_probe::cipher_list(list).unwrap_or_default()
}

/// An adopted instance: the wishes are a draft, and the answer is its plan.
fn fixed(session: &mut Session, args: &LintArgs, global: &Global) -> Result<Answer, Failure> {
    let around = |facts: &Facts| around(facts, global);
    let fixed = session.engine().fix(&Fixing {
        around: &around,
        expand: &expand,
        takes: &takes(args, global),
        draft: match args.check {
            true => Draft::Shown,
            false => Draft::Stored,
        },
    })?;
    let Fixed { mended, proposal } = &fixed;
    let mut text = words(mended, global)?;
    text.push_str(&plan::whole_diff(proposal));
    text.push_str(match (mended.wishes.is_empty(), args.check) {
        (true, _) => "",
        (false, true) => "Nothing is stored: `postseal lint --fix` without --check stores the wishes.\n",
        (false, false) => {
            "The wishes are stored, and nothing of Postfix has changed: `postseal apply` puts them in force, \
             `postseal discard` drops all that is pending.\n"
        }
    });
    let mut document = plan::document(proposal);
    document["changed"] = json!(!args.check && !mended.wishes.is_empty());
    extend(&mut document, mended, global)?;
    let pending = args.check && proposal.has_news();
    Ok(Answer::new(text, document).exit(exit(mended, args, pending, global)?))
}

fn around(facts: &Facts, global: &Global) -> Surroundings {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let input = LintInput {
        main: Some((&facts.main_cf.path, &main)),
        master: Some((&facts.master_cf.path, &master)),
        version: Some(facts.version),
        facts: Some(facts),
        ..LintInput::default()
    };
    gather::surroundings(&input, super::here(global), global)
}

/// Files, and what is known of their Postfix.
struct Seen {
    facts: Facts,
    known: Known,
    here: Here,
}

fn look(path: &Path, args: &LintArgs, global: &Global) -> Result<Seen, Failure> {
    let observed = match path.is_dir() {
        true => super::observe(path, global),
        false => Observed::default(),
    };
    if let Some(mut facts) = observed.facts {
        facts.version = args.postfix_version.unwrap_or(facts.version);
        return Ok(Seen {
            facts,
            known: Known::Host,
            here: observed.here,
        });
    }
    let [main, master] = super::files(path);
    let version = args.postfix_version.unwrap_or(lint::NEWEST);
    let facts = Facts::of_files(read(main)?, read(master)?, version);
    Ok(Seen {
        facts,
        known: Known::Files,
        here: Here::Elsewhere,
    })
}

/// A file that is not there is empty.
fn read(path: Option<PathBuf>) -> Result<CfFile, Failure> {
    let bytes = path.as_deref().map(super::read).transpose()?;
    let bytes = bytes.unwrap_or_default();
    Ok(CfFile {
        path: path.unwrap_or_default(),
        digest: Digest::of(&bytes),
        bytes,
    })
}

/// Files without a store: what it would come to.
fn shown(path: &Path, why: &str, args: &LintArgs, global: &Global) -> Result<Answer, Failure> {
    let Seen { facts, known, here } = look(path, args, global)?;
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let input = LintInput {
        main: Some((&facts.main_cf.path, &main)),
        master: Some((&facts.master_cf.path, &master)),
        version: Some(facts.version),
        facts: (known == Known::Host).then_some(&facts),
        ..LintInput::default()
    };
    let surroundings = gather::surroundings(&input, here, global);
    let intent = Intent {
        adopted: owned::read(&main, &master),
        ..Intent::default()
    };
    let mended = mend(&Mending {
        intent: &intent,
        in_force: &intent,
        facts: &facts,
        known,
        surroundings: &surroundings,
        expand: &expand,
        takes: &takes(args, global),
        now_unix: SystemClock::default().now_unix(),
    })
    .map_err(postseal_engine::EngineError::Refused)?;
    let mut text = words(&mended, global)?;
    text.push_str(&mended.diff);
    if !mended.diff.is_empty() {
        text.push_str(why);
    }
    let mut document = json!({
        "changed": false, "pending": !mended.diff.is_empty(), "diff": mended.diff,
    });
    extend(&mut document, &mended, global)?;
    let pending = !mended.diff.is_empty();
    Ok(Answer::new(text, document).exit(exit(&mended, args, pending, global)?))
}

fn exit(mended: &Mended, args: &LintArgs, pending: bool, global: &Global) -> Result<Exit, Failure> {
    let left = ignore::sort(mended.after.clone(), global)?.findings;
    let worst = left.iter().map(|finding| finding.severity).max();
    Ok(match pending || worst >= Some(args.fail_on) {
        true => Exit::Pending,
        false => Exit::Done,
    })
}

fn wished(wishes: &[Wish]) -> Vec<String> {
    let set = |wish: &Wish| match wish {
        Wish::Set(key, setting) => Some(format!("{}={}", key.name(), setting.text(key))),
        _ => None,
    };
    wishes.iter().filter_map(set).collect()
}

fn extend(document: &mut Value, mended: &Mended, global: &Global) -> Result<(), Failure> {
    let left = ignore::sort(mended.after.clone(), global)?;
    document["wishes"] = json!(wished(&mended.wishes));
    document["fixed"] = json!(mended.fixed().collect::<Vec<_>>());
    document["left"] = json!(left.findings);
    Ok(())
}

/// What is fixed and by which wishes, and what is left and why.
fn words(mended: &Mended, global: &Global) -> Result<String, Failure> {
    let mut text = String::new();
    let fixed: Vec<&Finding> = mended.fixed().collect();
    // Writing to a String cannot fail.
    let _ = match (mended.before.len(), fixed.len()) {
        (0, _) => writeln!(text, "Nothing found."),
        (_, 0) => writeln!(text, "Nothing to fix by itself."),
        (all, count) => writeln!(text, "Fixes {count} of {all} findings:"),
    };
    for finding in fixed {
        let severity = named(finding.severity);
        let _ = writeln!(text, "  {severity}: {} [{}]", finding.message, finding.code);
    }
    if !mended.wishes.is_empty() {
        let wishes = wished(&mended.wishes);
        let _ = writeln!(text, "by these wishes:");
        wishes.iter().for_each(|wish| {
            let _ = writeln!(text, "  {wish}");
        });
    }
    text.push_str(&left(mended, global)?);
    Ok(text)
}

/// Findings that stay: those that only inform are counted, for there is nothing to decide.
fn left(mended: &Mended, global: &Global) -> Result<String, Failure> {
    let told = ignore::sort(mended.after.clone(), global)?.findings;
    let (notes, grave): (Vec<Finding>, Vec<Finding>) = told
        .into_iter()
        .partition(|finding| finding.severity == Severity::Info);
    let mut text = String::new();
    if !grave.is_empty() {
        text.push_str("Left, because somebody has to decide or to do something:\n");
        text.push_str(&findings_text(&grave));
    }
    // Writing to a String cannot fail.
    let _ = match (notes.len(), global.talk == Talk::Verbose) {
        (0, _) => Ok(()),
        (_, true) => write!(text, "Left as it is:\n{}", findings_text(&notes)),
        (1, false) => writeln!(text, "1 note is left as it is (`postseal lint` shows it)."),
        (count, false) => writeln!(
            text,
            "{count} notes are left as they are (`postseal lint` shows them)."
        ),
    };
    Ok(text)
}
