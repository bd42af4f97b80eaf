//! `lint --fix`: the remedies that can be wished for, and the plan of them.
//!
//! Owns: whose files are mended (an adopted instance gets a draft, other files are only shown what it
//! would be), and the words. Never: knows a remedy (each rule does), or carries a plan out.

mod told;

use super::{Here, LintArgs, Observed, gather, ignore, stored, targets};
use crate::answer::Answer;
use crate::cmd::plan;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postfix_cf::{MainCf, MasterCf};
use postseal_engine::{Clock, Draft, EngineError, Fixed, Fixing, SystemClock};
use postseal_planner::facts::CfFile;
use postseal_planner::finding::Taken;
use postseal_planner::lint::{self, LintInput, Surroundings};
use postseal_planner::mend::{Known, Mended, Mending, mend};
use postseal_planner::{Facts, Finding, Intent, owned};
use serde_json::json;
use std::path::{Path, PathBuf};
use told::Told;

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
const STORED: &str = "The wishes are stored, and nothing of Postfix has changed: `postseal apply` puts them in \
    force, `postseal discard` drops all that is pending.\n";
const UNSTORED: &str =
    "Nothing is stored: `postseal lint --fix` without --check stores the wishes.\n";
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

/// An adopted instance: the wishes are a draft, and the answer is its plan.
fn fixed(session: &mut Session, args: &LintArgs, global: &Global) -> Result<Answer, Failure> {
    let around = |facts: &Facts| around(facts, Known::Host, super::here(global), global);
    let fixed = session.engine().fix(&Fixing {
        around: &around,
        expand: &gather::expand,
        takes: &takes(args, global),
        draft: match args.check {
            true => Draft::Shown,
            false => Draft::Stored,
        },
    })?;
    let Fixed { mended, proposal } = &fixed;
    let mut asked = session.engine().told_of_rules(&proposal.facts)?.findings();
    asked.extend(stored::findings(global));
    let told = Told::of(mended, asked, global)?;
    let mut text = told.text(global);
    text.push_str(&plan::whole_diff(proposal));
    text.push_str(match (mended.wishes.is_empty(), args.check) {
        (true, _) => "",
        (false, true) => UNSTORED,
        (false, false) => STORED,
    });
    let mut document = plan::document(proposal);
    document["changed"] = json!(!args.check && !mended.wishes.is_empty());
    told.extend(&mut document);
    let pending = args.check && proposal.has_news();
    Ok(Answer::new(text, document).exit(exit(pending, &told, args)))
}

fn exit(pending: bool, told: &Told<'_>, args: &LintArgs) -> Exit {
    match pending || told.is_as_bad_as(args.fail_on) {
        true => Exit::Pending,
        false => Exit::Done,
    }
}

/// What is gathered of the machine beside its Postfix.
fn around(facts: &Facts, known: Known, here: Here, global: &Global) -> Surroundings {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let input = LintInput {
        main: Some((&facts.main_cf.path, &main)),
        master: Some((&facts.master_cf.path, &master)),
        version: Some(facts.version),
        facts: (known == Known::Host).then_some(facts),
        ..LintInput::default()
    };
    gather::surroundings(&input, here, global)
}

/// Files, and what is known of their Postfix.
struct Seen {
    asked: Vec<Finding>,
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
            asked: observed.asked,
            facts,
            known: Known::Host,
            here: observed.here,
        });
    }
    let [main, master] = super::files(path)?;
    let facts = Facts::of_files(read(main)?, read(master)?, args.postfix_version);
    Ok(Seen {
        asked: observed.asked,
        facts,
        known: Known::Files,
        here: Here::Elsewhere,
    })
}

/// A file that is not there is empty.
fn read(path: Option<PathBuf>) -> Result<CfFile, Failure> {
    let bytes = path.as_deref().map(super::read).transpose()?;
    let bytes = bytes.unwrap_or_default();
    Ok(CfFile::of(path.unwrap_or_default(), bytes))
}

/// Files without a store: what it would come to.
fn shown(path: &Path, why: &str, args: &LintArgs, global: &Global) -> Result<Answer, Failure> {
    let seen = look(path, args, global)?;
    let mended = mended(&seen, args, global)?;
    let told = Told::of(&mended, seen.asked, global)?;
    let pending = !mended.diff.is_empty();
    let mut text = told.text(global) + &mended.diff;
    if pending {
        text.push_str(why);
    }
    let mut document = json!({"changed": false, "pending": pending, "diff": mended.diff});
    told.extend(&mut document);
    Ok(Answer::new(text, document).exit(exit(pending, &told, args)))
}

fn mended(seen: &Seen, args: &LintArgs, global: &Global) -> Result<Mended, Failure> {
    let intent = Intent {
        adopted: owned::of(&seen.facts),
        ..Intent::default()
    };
    let mended = mend(&Mending {
        intent: &intent,
        in_force: &intent,
        facts: &seen.facts,
        known: seen.known,
        surroundings: &around(&seen.facts, seen.known, seen.here, global),
        expand: &gather::expand,
        takes: &takes(args, global),
        now_unix: SystemClock::default().now_unix(),
    });
    mended.map_err(|refusal| EngineError::Refused(refusal).into())
}
