//! The overview: is mail safe, what is about to change, what happened.
//!
//! Owns: the four states side by side. Never: paints what was not seen, or a wish as if it were in force.

use super::certificate::Shown;
use super::doc::Doc;
use super::edits::Edits;
use super::finding::{Found, counted};
use super::frame::{Frame, View};
use super::glance::{Looked, Said, glance, mark};
use super::history::Done;
use super::waits::Waits;
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::Task;
use postseal_store::desk::{RuleCounts, RuleMark, RuleQuery};

/// The row of outgoing mail.
const OUTBOUND: &str = "outbound";
/// Levels that stand in the files by the same word as in a wish.
const LEVELS: [&str; 6] = ["may", "encrypt", "dane", "dane-only", "verify", "secure"];

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    is_there: bool,
    copied: When,
    observed: When,
    /// What a glance tells, the worst first.
    glance: Vec<Said>,
    rows: Vec<Row>,
    certificates: Vec<Shown>,
    findings: Vec<String>,
    linted: When,
    /// The rules for destinations; none where the agent has not listed them.
    rules: Option<Rules>,
    /// How many edits by hand there are.
    edits: usize,
    last: Option<Done>,
    waits: Option<Waits>,
}

/// How many rules for destinations there are, and how many of them are not as they should be.
struct Rules {
    all: u64,
    of_note: Vec<OfNote>,
}

/// Rules of one kind.
struct OfNote {
    /// The word of their page for them.
    kind: &'static str,
    state: &'static str,
    mark: &'static str,
    number: u64,
    words: &'static str,
}

impl Rules {
    fn of(counts: &RuleCounts) -> Self {
        let kinds = [
            (
                RuleMark::Failing,
                "failing",
                "fail",
                "fail at their servers",
            ),
            (RuleMark::Idle, "idle", "warning", "never match"),
            (RuleMark::Hindered, "hindered", "warning", "do not hold"),
            (RuleMark::Pending, "pending", "undetermined", "pending"),
        ];
        let of_note = kinds.map(|(marked, kind, state, words)| OfNote {
            kind,
            state,
            mark: mark(state),
            number: counts.of(marked),
            words,
        });
        Self {
            all: counts.all,
            of_note: of_note.into_iter().filter(|one| one.number > 0).collect(),
        }
    }
}

/// A service, or all of outgoing mail.
struct Row {
    name: String,
    desired: String,
    pending: bool,
    written: String,
    effective: String,
    /// `pass`, `undetermined`, `fail`.
    outcome: &'static str,
    wire: Vec<String>,
    why: Vec<Found>,
}

impl Row {
    fn mark(&self) -> &'static str {
        mark(self.outcome)
    }

    /// Whether it is wished for, and no service of master.cf yet.
    fn is_to_come(&self) -> bool {
        self.pending && self.written == "-" && self.effective == "-"
    }

    /// Whether a level is another than the one that is desired and should be in force. What was adopted, and what has
    /// no level (a port that is on), is compared with nothing.
    fn differs(&self, level: &str) -> bool {
        let level = level.trim_end_matches(" (-o)");
        !self.pending && LEVELS.contains(&self.desired.as_str()) && self.desired != level
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let wanted = &["findings", "certificates", "plan"];
    let mut view = View::of(&app, &caller, "overview", wanted).await?;
    let (status, lint, certificates, plan) = (
        view.take("status"),
        view.take("findings"),
        view.take("certificates"),
        view.take("plan"),
    );
    let now = view.now_ms;
    let rows = rows(&status.doc);
    let rules = rules(&app).await?;
    let shown = Shown::all(&certificates.doc, now);
    let found = Found::all(&lint.doc, "findings");
    // What is only wished for is not there to be looked at.
    let services = rows
        .iter()
        .filter(|row| row.name != OUTBOUND && !row.is_to_come());
    let looked = Looked {
        status: &status.doc,
        outcomes: &services.map(|row| row.outcome).collect::<Vec<_>>(),
        certificates: (&certificates, &shown),
        findings: (&lint, &found),
        plan: &plan.doc,
        agent: &view.frame.agent,
        is_over: view.frame.is_over,
        now_ms: now,
    };
    let glance = glance(&looked);
    let last = status.doc.at("last_operation");
    let shown = Overview {
        is_there: status.doc.is_there(),
        observed: When::read(&status.doc.text("observed_at"), now),
        glance,
        rows,
        certificates: shown
            .into_iter()
            .chain(Shown::from_files(&status.doc, now))
            .collect(),
        findings: counted(&found),
        rules,
        linted: lint.copied,
        edits: Edits::of(&status.doc).count(),
        last: last.is_there().then(|| Done::of(&last, now)),
        waits: Waits::seen(&status.doc),
        copied: status.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn rules(app: &App) -> Result<Option<Rules>, Problem> {
    let (instance, query) = (
        app.instance.clone(),
        RuleQuery {
            limit: 1,
            ..RuleQuery::default()
        },
    );
    let found = app.desks.at(move |desk| desk.rule_page(&instance, &query));
    Ok(found.await?.map(|page| Rules::of(&page.counts)))
}

/// Adopts this Postfix: what it has now is what is wanted.
pub(crate) async fn adopt(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let job = filing::file(&app, &caller, &Task::Init {}, None).await?;
    Ok(led_to_job(job))
}

fn rows(status: &Doc) -> Vec<Row> {
    let judgements = status.at("observed").list("judgements");
    let services = status.list("services");
    let mut rows: Vec<Row> = services.iter().map(|one| row(one, &judgements)).collect();
    let outbound = status.at("outbound");
    if outbound.is_there() {
        rows.push(Row {
            name: OUTBOUND.to_owned(),
            wire: vec![
                match status.at("outbound_observed").text("outcome").as_str() {
                    "seen" => "deliveries were seen in the log".to_owned(),
                    _ => "no delivery seen yet".to_owned(),
                },
            ],
            ..row(&outbound, &[])
        });
    }
    rows
}

fn row(service: &Doc, judgements: &[Doc]) -> Row {
    let name = service.text("service");
    let own = judgements.iter().filter(|one| one.text("service") == name);
    let worst = own.max_by_key(|one| rank(&one.text("outcome")));
    let outcome = match worst.map(|one| one.text("outcome")).as_deref() {
        Some("pass") => "pass",
        Some("fail") => "fail",
        _ => "undetermined",
    };
    let why = worst.map_or_else(Vec::new, |one| Found::all(one, "findings"));
    let mut sentences = worst.map(|one| one.words("sentences")).unwrap_or_default();
    let is_judged = worst.is_some();
    // A finding says the same, with what to do.
    sentences.retain(|sentence| why.iter().all(|found| found.message != *sentence));
    Row {
        desired: service.text("desired"),
        pending: service.is_true("pending"),
        written: service.text("written"),
        effective: service.text("effective"),
        wire: match (is_judged, service.text("effective").as_str()) {
            (true, _) => sentences,
            (false, "-") => vec!["not there yet".to_owned()],
            (false, _) => vec!["not looked at".to_owned()],
        },
        why,
        outcome,
        name: port_and_name(&name),
    }
}

/// A line of master.cf as administrators speak of it: `smtp/inet` is `25 smtp`. The names are those of /etc/services;
/// another place or number stays as it is written.
fn port_and_name(service: &str) -> String {
    let Some(written) = service.strip_suffix("/inet") else {
        return service.to_owned();
    };
    match written {
        "25" | "smtp" => "25 smtp".to_owned(),
        "587" | "submission" => "587 submission".to_owned(),
        "465" => "465 smtps".to_owned(),
        "smtps" | "submissions" => format!("465 {written}"),
        other => other.to_owned(),
    }
}

fn rank(outcome: &str) -> usize {
    match outcome {
        "pass" => 0,
        "fail" => 2,
        _ => 1,
    }
}
