//! `cert renew`: what is due, and what became of it.
//!
//! Owns: its words, and how a renewal looks in `cert show` and `cert list`. Never: decides when.

use super::date;
use super::issue::OrderArgs;
use super::list::{date_time, from_now};
use crate::answer::{Answer, findings_text, printable};
use crate::change::Change;
use crate::config::{Global, Output, Talk};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use jiff::Timestamp;
use postseal_engine::{
    CertificateView, Changed, EngineError, Force, Kind, Listed, Outcome, Presented, RenewalEnd,
    RenewalView, Renewed,
};
use postseal_planner::Finding;
use postseal_planner::renewal::{Decision, Mend, NextKey};
use postseal_planner::report::Outcome as Judged;
use serde_json::{Value, json};
use std::io::Write as _;

/// Arguments of `cert renew`.
#[derive(Debug, clap::Args)]
pub(crate) struct RenewArgs {
    /// Only these certificates
    name: Vec<String>,
    /// Order now, whether or not it is due or an earlier failure holds it back; a version that
    /// waits and may still come in force is tried instead
    #[arg(long, conflicts_with_all = ["check", "stop"])]
    force: bool,
    /// Only say what is due and when, by the CA's word where it has one; exit 2 when something is
    #[arg(long, conflicts_with = "stop")]
    check: bool,
    /// Renew these no more; they stay as they are
    #[arg(long, requires = "name")]
    stop: bool,
    #[command(flatten)]
    order: OrderArgs,
}

pub(super) fn run(args: &RenewArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    if args.stop {
        return stop(&args.name, &mut session);
    }
    if args.check {
        session.heed_interrupts()?;
        let mut engine = session.engine();
        args.order
            .with(global, |means| Ok(engine.ask_windows(&args.name, means)?))?;
        return check(&args.name, &mut session);
    }
    session.heed_interrupts()?;
    let force = match args.force {
        true => Force::Yes,
        false => Force::No,
    };
    let mut engine = session.engine();
    let waited = engine.names_of_next_keys()?;
    let renewed = args
        .order
        .with(global, |means| Ok(engine.renew(&args.name, force, means)?))?;
    let wait = engine.names_of_next_keys()?;
    let came = waited.into_iter().filter(|name| !wait.contains(name));
    Ok(answer(&renewed, &came.collect::<Vec<_>>(), global))
}

fn stop(names: &[String], session: &mut Session) -> Result<Answer, Failure> {
    let mut change = Change::default();
    for name in names {
        session.engine().stop_renewing(name)?;
        change = change.of(name.clone(), "renewed", "not renewed");
    }
    let text = format!("Renewed no more: {}.\n", names.join(", "));
    Ok(Answer::new(text, change.document(json!({}))))
}

fn check(names: &[String], session: &mut Session) -> Result<Answer, Failure> {
    let engine = session.engine();
    let views = match names {
        [] => engine.renewed_certificates()?,
        named => named
            .iter()
            .map(|name| engine.certificate(name))
            .collect::<Result<_, EngineError>>()?,
    };
    let renewals = || views.iter().filter_map(|view| view.renewal.as_ref());
    let mut text = String::new();
    for renewal in renewals() {
        text.push_str(&checked(renewal));
        let newest = views.iter().find(|view| view.name == renewal.renewal.name);
        if let (Some(view), Decision::NotDue { .. }) = (newest, renewal.decision) {
            text.push_str(&instead(&view.name, view.in_force_instead));
        }
        text.push_str(&findings_text(renewal.failure.as_slice()));
    }
    if text.is_empty() {
        text.push_str(NOTHING);
    }
    let due = renewals().any(|one| matches!(one.decision, Decision::Order | Decision::Deploy));
    let documents: Vec<_> = views
        .iter()
        .filter_map(|view| Some((view, view.renewal.as_ref()?)))
        .map(|(view, renewal)| json!({"name": view.name, "renewal": document(renewal)}))
        .collect();
    let failed: Vec<_> = renewals().filter_map(|one| one.failure.clone()).collect();
    let own = json!({"changed": false, "certificates": documents, "findings": failed});
    let exit = if due { Exit::Pending } else { Exit::Done };
    Ok(Answer::new(text, own).exit(exit))
}

/// Two days, in seconds.
const SOON: i64 = 2 * 86_400;

const NOTHING: &str = "Nothing to renew: no certificate is issued by ACME.\n";

fn checked(renewal: &RenewalView) -> String {
    let name = &renewal.renewal.name;
    let failure = renewal.renewal.progress.failure.as_ref();
    match renewal.decision {
        Decision::Order if failure.is_some_and(|failure| failure.mend == Mend::Order) => {
            format!("{name}: to be ordered again, because what came cannot be put in force\n")
        }
        Decision::Order => format!("{name}: due since {}\n", date_time(renewal.due_at)),
        Decision::Deploy => format!("{name}: renewed, to be put in force\n"),
        Decision::NotDue { at } => not_due(name, at),
        Decision::HeldBack { until } => held_back(name, until),
    }
}

fn not_due(name: &str, at: i64) -> String {
    // A day is too coarse where it is the same or the next one.
    let when = match at.saturating_sub(Timestamp::now().as_second()) {
        ..SOON => date_time(at),
        _ => date(at),
    };
    format!("{name}: not due before {when} ({})\n", from_now(at))
}

/// Somebody went back to an older version than the newest.
fn instead(name: &str, older: Option<u32>) -> String {
    older.map_or_else(String::new, |older| {
        format!(
            "    version {older}, an older one, is in force; `postseal cert deploy {name}` presents \
             the newest\n"
        )
    })
}

fn held_back(name: &str, until: i64) -> String {
    format!("{name}: failed, held back until {}\n", date_time(until))
}

/// `came`: the names whose next keys have got their certificates.
fn answer(renewed: &[Renewed], came: &[String], global: &Global) -> Answer {
    let mut text = String::new();
    let mut change = Change::default();
    let mut findings = Vec::new();
    for one in renewed {
        text.push_str(&told(one));
        if came.contains(&one.name) {
            text.push_str("    it is made for the next key, which waited for it\n");
        }
        findings.extend(one.findings.clone());
        if let RenewalEnd::Renewed { before, after, .. } = &one.end {
            change = change.of(one.name.clone(), before.to_string(), after.to_string());
        }
    }
    if renewed.is_empty() {
        text.push_str(NOTHING);
    }
    // On standard error, so that cron writes when something fails, and not while it is held back.
    let now = renewed
        .iter()
        .filter(|one| !matches!(one.end, RenewalEnd::HeldBack { .. }));
    let now: Vec<Finding> = now.flat_map(|one| one.findings.clone()).collect();
    warn(&now, global);
    let documents: Vec<Value> = renewed.iter().map(of_one).collect();
    let own = json!({"certificates": documents, "for_next_key": came});
    let mut document = change.findings(&findings).document(own);
    if renewed.iter().any(|one| changed_by(one).is_some()) {
        document["changed"] = json!(true);
    }
    Answer::new(text, document).exit(exit(renewed))
}

/// The kind of failure, where all failures are of one kind.
fn exit(renewed: &[Renewed]) -> Exit {
    let mut kinds = renewed.iter().filter_map(|one| match one.end {
        RenewalEnd::Failed { kind } => Some(kind),
        RenewalEnd::Interrupted => Some(Kind::Failed),
        _ => None,
    });
    let Some(first) = kinds.next() else {
        return Exit::Done;
    };
    if kinds.all(|kind| kind == first) {
        first.into()
    } else {
        Exit::Failed
    }
}

fn told(one: &Renewed) -> String {
    let name = &one.name;
    match &one.end {
        RenewalEnd::NotDue { at, older } => {
            format!("{}{}", not_due(name, *at), instead(name, *older))
        }
        RenewalEnd::HeldBack { until } => held_back(name, *until),
        RenewalEnd::Renewed { presented, .. } => format!("{name}: renewed, {}\n", force(presented)),
        RenewalEnd::Deployed { presented } => format!("{name}: {}\n", force(presented)),
        RenewalEnd::Failed { .. } => format!("{name}: failed\n"),
        RenewalEnd::Interrupted => format!("{name}: interrupted, nothing was changed\n"),
    }
}

/// How the newest version came in force.
fn force(presented: &Presented) -> String {
    let changed = match presented {
        Presented::Nowhere => return "in the store (nothing presents it)".to_owned(),
        Presented::Pending => {
            return "in the store; nothing presents it yet: it is bound by a pending wish, which \
                    `postseal apply` puts in force"
                .to_owned();
        }
        Presented::By(changed) => changed,
    };
    match changed.outcome {
        Outcome::Kept { operation } if changed.proved.judgements.is_empty() => {
            format!("in the files (operation {operation}); Postfix does not run")
        }
        Outcome::Kept { operation } => match changed.proved.outcome() {
            Judged::Pass => format!("in force and proved on the wire (operation {operation})"),
            Judged::Undetermined => format!(
                "in force (operation {operation}); not everything could be seen on the wire, \
                 `postseal verify` looks again"
            ),
            Judged::Fail => format!(
                "in force (operation {operation}); the wire has faults that were there before, \
                 `postseal verify` tells them"
            ),
        },
        _ => "in force".to_owned(),
    }
}

fn presented(one: &Renewed) -> Option<&Presented> {
    match &one.end {
        RenewalEnd::Renewed { presented, .. } | RenewalEnd::Deployed { presented } => {
            Some(presented)
        }
        _ => None,
    }
}

fn changed_by(one: &Renewed) -> Option<&Changed> {
    presented(one)?.changed()
}

fn of_one(one: &Renewed) -> Value {
    let (outcome, at) = match &one.end {
        RenewalEnd::NotDue { at, .. } => ("not-due", Some(*at)),
        RenewalEnd::HeldBack { until } => ("held-back", Some(*until)),
        RenewalEnd::Renewed { .. } => ("renewed", None),
        RenewalEnd::Deployed { .. } => ("deployed", None),
        RenewalEnd::Failed { .. } => ("failed", None),
        RenewalEnd::Interrupted => ("interrupted", None),
    };
    let operation = changed_by(one).and_then(|changed| match changed.outcome {
        Outcome::Kept { operation } => Some(operation),
        _ => None,
    });
    let fingerprints = match &one.end {
        RenewalEnd::Renewed { before, after, .. } => json!({"before": before, "after": after}),
        _ => Value::Null,
    };
    let in_force_instead = match &one.end {
        RenewalEnd::NotDue { older, .. } => *older,
        _ => None,
    };
    json!({
        "name": one.name,
        "outcome": outcome,
        "next": at.map(date_time),
        "fingerprints": fingerprints,
        "presented": presented(one).map(|presented| match presented {
            Presented::Nowhere => "nowhere",
            Presented::Pending => "pending",
            Presented::By(_) => "in-force",
        }),
        "operation": operation,
        "in_force_instead": in_force_instead,
        "findings": one.findings,
    })
}

/// What is wrong with the renewal of a certificate.
pub(super) fn failure(listed: &Listed) -> Option<Finding> {
    listed.renewal.as_ref()?.failure.clone()
}

/// Says findings on standard error, where people read.
pub(super) fn warn(findings: &[Finding], global: &Global) {
    if global.output == Output::Text && global.talk != Talk::Quiet {
        for finding in findings {
            let text = format!(
                "postseal: warning: {} [{}]\n    remedy: {}\n",
                finding.message, finding.code, finding.remedy
            );
            let _ = std::io::stderr().write_all(printable(&text).as_bytes());
        }
    }
}

/// How a certificate is renewed, as a line of `cert show`.
pub(super) fn shown(view: &CertificateView) -> String {
    let Some(RenewalView {
        renewal, due_at, ..
    }) = &view.renewal
    else {
        return String::new();
    };
    let method = &renewal.method;
    let key = match method.key {
        NextKey::New => format!("a new {} key each time", method.key_type),
        NextKey::Reused => "the same key each time".to_owned(),
    };
    let asked = renewal.progress.asked.as_ref();
    let window = asked.filter(|asked| asked.of == view.chain[0].fingerprint());
    let by = match window.and_then(|asked| asked.window) {
        Some(_) => ", as the CA asks",
        None => "",
    };
    let why = window.and_then(|asked| asked.explanation.as_ref());
    format!(
        "renewed by {}, {}, {key}\n  due        {} ({}){by}{}\n",
        method.directory,
        method.way,
        date_time(*due_at),
        from_now(*due_at),
        why.map(|url| format!(", see {url}")).unwrap_or_default(),
    )
}

/// How a certificate is renewed, for programs.
pub(super) fn document(shown: &RenewalView) -> Value {
    let (method, progress) = (&shown.renewal.method, &shown.renewal.progress);
    let (state, next) = match shown.decision {
        Decision::Order => ("due", None),
        Decision::Deploy => ("to-deploy", None),
        Decision::NotDue { at } => ("not-due", Some(at)),
        Decision::HeldBack { until } => ("held-back", Some(until)),
    };
    let window = progress.asked.as_ref().and_then(|asked| {
        let window = asked.window?;
        Some(json!({
            "start": date_time(window.start),
            "end": date_time(window.end),
            "explanation": asked.explanation,
        }))
    });
    let failure = progress.failure.as_ref().map(|failure| {
        json!({
            "code": failure.code,
            "message": failure.message,
            "remedy": failure.remedy,
            "at": date_time(failure.at),
        })
    });
    json!({
        "ca": method.directory,
        "names": method.names,
        "key_type": method.key_type,
        "reuse_key": method.key == NextKey::Reused,
        "challenge": method.way,
        "due_at": date_time(shown.due_at),
        "state": state,
        "next": next.map(date_time),
        "last_attempt": progress.last_attempt.map(date_time),
        "failures": progress.failures,
        "failure": failure,
        "window": window,
    })
}
