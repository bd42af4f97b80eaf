//! `lint`: what is wrong today.
//!
//! Owns: reading the named files, or the instance, and the output formats. Never: needs a store,
//! root, or an installed Postfix; rules that would need one say so themselves. What was
//! adopted is asked of the store, where it can be read.

mod fix;
mod form;
mod gather;
mod ignore;
mod stored;

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::{self, DEFAULT_INSTANCE, Session};
use form::Form;
pub(crate) use gather::expand;
use postfix_cf::{MainCf, MasterCf};
use postseal_engine::{Clock, EngineError, SystemClock};
use postseal_host::HostError;
use postseal_planner::finding::Taken;
use postseal_planner::lint::{self, LintInput, UNREADABLE};
use postseal_planner::{Facts, Finding, PostfixVersion, Severity};
use serde_json::json;
use std::cmp::Reverse;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files larger than this are not configuration.
const LIMIT: u64 = 64 << 20;

/// Arguments of `lint`.
#[derive(Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Configuration directories, main.cf or master.cf files [default: the instance]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Exit 2 when a finding is at least this bad
    #[arg(long, value_name = "LEVEL", default_value = "error", value_parser = severity)]
    fail_on: Severity,
    /// Judge for this Postfix version [default: the installed one, if any]
    #[arg(long, value_name = "V")]
    postfix_version: Option<PostfixVersion>,
    /// The form of the answer: `sarif` for code scanning, `github` for annotations of a workflow
    #[arg(long, value_name = "FORM", value_enum, conflicts_with = "fix")]
    format: Option<Form>,
    /// Wish for what mends the findings, and show the plan of that; with PATH only show it
    #[arg(long, conflicts_with = "explain")]
    fix: bool,
    /// With --fix: mend findings of this code too, though that changes what is promised or who is served
    #[arg(long, value_name = "CODE", requires = "fix")]
    with: Vec<String>,
    /// With --fix: store no wish; exit 2 when there is something to mend
    #[arg(long, requires = "fix")]
    check: bool,
    /// What a code means, and what to do
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

pub(crate) fn run(args: &LintArgs, global: &Global) -> Result<Answer, Failure> {
    if let Some(code) = &args.explain {
        return explain(code);
    }
    if args.fix {
        return fix::run(args, global);
    }
    let mut findings = Vec::new();
    for path in targets(args, global)? {
        findings.extend(lint_path(&path, args.postfix_version, global)?);
    }
    if args.paths.is_empty() {
        findings.extend(stored::findings(global));
    }
    let told = ignore::sort(findings, global)?;
    let worst = told.findings.iter().map(|finding| finding.severity).max();
    let exit = if worst >= Some(args.fail_on) {
        Exit::Pending
    } else {
        Exit::Done
    };
    Ok(form::answer(&told, args.format, global)?.exit(exit))
}

fn targets(args: &LintArgs, global: &Global) -> Result<Vec<PathBuf>, Failure> {
    if !args.paths.is_empty() {
        return Ok(args.paths.clone());
    }
    match &global.instance {
        Some(instance) => Ok(vec![instance.clone()]),
        None if Path::new(DEFAULT_INSTANCE).join("main.cf").exists() => {
            Ok(vec![PathBuf::from(DEFAULT_INSTANCE)])
        }
        None => Err(Failure::new(
            Exit::Usage,
            "lint.no-path",
            format!("there is no {DEFAULT_INSTANCE} here"),
        )
        .hint("Name a configuration directory or a main.cf.")),
    }
}

/// One directory or file. A directory is looked at as an instance too, where Postfix is installed:
/// then the rules about certificates and other named files can speak.
fn lint_path(
    path: &Path,
    version: Option<PostfixVersion>,
    global: &Global,
) -> Result<Vec<Finding>, Failure> {
    let Observed { facts, asked, here } = if path.is_dir() {
        observe(path, global)
    } else {
        Observed::default()
    };
    let [main_path, master_path] = files(path)?;
    let main = main_path.as_deref().map(read).transpose()?;
    let master = master_path.as_deref().map(read).transpose()?;
    let main = main.as_deref().map(MainCf::parse);
    let master = master.as_deref().map(MasterCf::parse);
    let mut input = LintInput {
        main: main_path.as_deref().zip(main.as_ref()),
        master: master_path.as_deref().zip(master.as_ref()),
        version: version.or(facts.as_ref().map(|facts| facts.version)),
        facts: facts.as_ref(),
        now_unix: Some(SystemClock::default().now_unix()),
        surroundings: None,
    };
    let surroundings = gather::surroundings(&input, here, global);
    input.surroundings = Some(&surroundings);
    Ok(with_asked(lint::lint(&input), asked))
}

/// main.cf and master.cf, as far as the path leads to them. A file of another name is what it reads as.
fn files(path: &Path) -> Result<[Option<PathBuf>; 2], Failure> {
    if path.is_dir() {
        let master = Some(path.join("master.cf")).filter(|p| p.exists());
        return Ok([Some(path.join("main.cf")), master]);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let master = match () {
        () if name.starts_with("master.cf") => true,
        () if name.starts_with("main.cf") => false,
        () => MasterCf::is_likely(&read(path)?),
    };
    let file = Some(path.to_path_buf());
    Ok(if master { [None, file] } else { [file, None] })
}

/// What an installed Postfix says of a directory.
#[derive(Default)]
struct Observed {
    /// The picture, if Postfix is here and can read it.
    facts: Option<Facts>,
    /// What its tables answer, or why it cannot be read.
    asked: Vec<Finding>,
    /// Whether that is the machine that Postseal runs on.
    here: Here,
}

/// Whether an instance's machine is this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Here {
    /// A file, or a Postfix in a container.
    #[default]
    Elsewhere,
    /// Its files, ports and resolver are this machine's.
    Here,
}

/// Looks at the instance.
fn observe(path: &Path, global: &Global) -> Observed {
    let host = session::host(&Global {
        instance: Some(path.to_path_buf()),
        prefix: global.prefix.clone(),
        root: global.root.clone(),
        ..Global::default()
    });
    let Ok(host) = host else {
        return Observed::default();
    };
    match postseal_engine::observe_unadopted(&host) {
        Ok(facts) => {
            let mut asked = remembered(path, &facts, global)
                .unwrap_or_else(|| postseal_engine::idle_rows(&host, &facts).findings());
            asked.extend(postseal_engine::touched_findings(&host, &facts));
            let routes = postseal_engine::bad_routes(&host, &facts, &asked, &lint::KNOWN_ROUTES);
            asked.extend(routes);
            Observed {
                asked,
                facts: Some(facts),
                here: here(global),
            }
        }
        Err(EngineError::Host(HostError::Unreadable(said))) => {
            let finding = Finding::new(
                UNREADABLE.code,
                UNREADABLE.severity,
                UNREADABLE.why,
                UNREADABLE.remedy,
            );
            Observed {
                asked: vec![finding.seen(said)],
                ..Observed::default()
            }
        }
        Err(_) => Observed::default(),
    }
}

fn here(global: &Global) -> Here {
    match global.is_elsewhere() {
        true => Here::Elsewhere,
        false => Here::Here,
    }
}

/// With what others than lint's rules find, the worst first. Why Postfix cannot read the files is told
/// once.
fn with_asked(mut findings: Vec<Finding>, asked: Vec<Finding>) -> Vec<Finding> {
    let told = findings
        .iter()
        .any(|finding| finding.severity == Severity::Fatal);
    let news = |finding: &Finding| !(told && finding.code == UNREADABLE.code);
    findings.extend(asked.into_iter().filter(news));
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}

/// What is said of rules of an instance that was adopted, where its store can be read: those that were
/// put down although it was known are left out.
fn remembered(path: &Path, facts: &Facts, global: &Global) -> Option<Vec<Finding>> {
    let mut session = Session::as_it_is(&Global {
        instance: Some(path.to_path_buf()),
        store: global.store.clone(),
        prefix: global.prefix.clone(),
        root: global.root.clone(),
        ..Global::default()
    })
    .ok()?;
    let told = session.engine().told_of_rules(facts).ok()?;
    Some(told.findings())
}

/// A configuration file, of bounded size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Data,
            "lint.unreadable",
            format!("cannot read {}: {error}", path.display()),
        )
        .hint("Name a configuration directory, a main.cf or a master.cf that you may read.")
    };
    // Asked of the path, before the open: opening a FIFO waits for a writer for ever.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(std::io::Error::other("not a regular file")));
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LIMIT {
        return Err(failed(std::io::Error::other("larger than 64 MiB")));
    }
    Ok(bytes)
}

fn explain(code: &str) -> Result<Answer, Failure> {
    let Some(rule) = lint::explained(code) else {
        return Err(Failure::new(
            Exit::Usage,
            "lint.unknown-code",
            format!("there is no rule {code:?}"),
        )
        .hint("The codes stand in brackets after each finding."));
    };
    let mut text = format!(
        "{} ({:?})\n{}\n\nWhy: {}\nRemedy: {}\n",
        rule.code, rule.severity, rule.title, rule.why, rule.remedy
    );
    if !rule.references.is_empty() {
        text += &format!("See: {}\n", rule.references.join("; "));
    }
    match lint::fixable(rule.code) {
        Some(Taken::ByItself) => text += "Fix: `postseal lint --fix`, where it is safe.\n",
        Some(Taken::ByName) => {
            text += &format!("Fix: `postseal lint --fix --with {}`.\n", rule.code);
        }
        None => {}
    }
    let document = json!({
        "changed": false, "code": rule.code, "severity": rule.severity, "title": rule.title,
        "why": rule.why, "remedy": rule.remedy, "references": rule.references,
        "fix": lint::fixable(rule.code),
    });
    Ok(Answer::new(text, document))
}

pub(crate) fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "info" => Ok(Severity::Info),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        "fatal" => Ok(Severity::Fatal),
        _ => Err("expected info, warning, error or fatal".to_owned()),
    }
}
