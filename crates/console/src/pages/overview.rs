//! The overview: is mail safe, what is about to change, what happened.
//!
//! Owns: the four states side by side. Never: paints what was not seen, or a wish as if it were in force.

use super::certificate::Shown;
use super::doc::Doc;
use super::finding::{Found, counted};
use super::frame::{Frame, View};
use super::history::Done;
use super::when::When;
use super::{filters, page};
use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    is_there: bool,
    copied: When,
    observed: When,
    verdict: Verdict,
    rows: Vec<Row>,
    certificates: Vec<Shown>,
    findings: Vec<(&'static str, usize)>,
    linted: When,
    drift: usize,
    last: Option<Done>,
    open: Option<Done>,
}

/// What is said of all services in one sentence.
struct Verdict {
    /// `pass`, `undetermined`, `fail`.
    state: &'static str,
    words: String,
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
    wire: String,
    why: Vec<Found>,
}

impl Row {
    /// Whether the written value is another than what is in force.
    fn written_differs(&self) -> bool {
        self.written != self.effective
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let wanted = &["findings", "certificates"];
    let mut view = View::of(&app, &caller, "overview", wanted).await?;
    let (status, lint, certificates) = (
        view.take("status"),
        view.take("findings"),
        view.take("certificates"),
    );
    let now = view.now_ms;
    let rows = rows(&status.doc);
    let operation = |key| {
        let doc = status.doc.at(key);
        doc.is_there().then(|| Done::of(&doc, now))
    };
    let drifted = ["drift", "drift_files", "drift_tables"];
    let shown = Overview {
        is_there: status.doc.is_there(),
        observed: When::read(&status.doc.text("observed_at"), now),
        verdict: verdict(&status.doc, &rows),
        rows,
        certificates: Shown::all(&certificates.doc, now),
        findings: counted(&Found::all(&lint.doc, "findings")),
        linted: lint.copied,
        drift: drifted.map(|key| status.doc.list(key).len()).iter().sum(),
        last: operation("last_operation"),
        open: operation("open_operation"),
        copied: status.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn rows(status: &Doc) -> Vec<Row> {
    let judgements = status.at("observed").list("judgements");
    let services = status.list("services");
    let mut rows: Vec<Row> = services.iter().map(|one| row(one, &judgements)).collect();
    let outbound = status.at("outbound");
    if outbound.is_there() {
        rows.push(Row {
            name: "outbound".to_owned(),
            wire: match status.at("outbound_observed").text("outcome").as_str() {
                "seen" => "deliveries were seen in the log".to_owned(),
                _ => "no delivery seen yet".to_owned(),
            },
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
    let sentences = worst.map(|one| one.words("sentences")).unwrap_or_default();
    Row {
        desired: service.text("desired"),
        pending: service.is_true("pending"),
        written: service.text("written"),
        effective: service.text("effective"),
        wire: match (sentences.is_empty(), worst) {
            (false, _) => sentences.join(" "),
            (true, Some(_)) => String::new(),
            (true, None) => "not looked at".to_owned(),
        },
        why: worst.map_or_else(Vec::new, |one| Found::all(one, "findings")),
        outcome,
        name,
    }
}

fn rank(outcome: &str) -> usize {
    match outcome {
        "pass" => 0,
        "fail" => 2,
        _ => 1,
    }
}

fn verdict(status: &Doc, rows: &[Row]) -> Verdict {
    let services = rows.iter().filter(|row| row.name != "outbound");
    let count = |outcome| {
        services
            .clone()
            .filter(|row| row.outcome == outcome)
            .count()
    };
    let (state, words) = match (count("fail"), count("undetermined"), count("pass")) {
        _ if status.at("master_running").is_there() && !status.is_true("master_running") => {
            ("fail", "Postfix does not run.".to_owned())
        }
        (0, 0, 0) => ("undetermined", "Nothing was looked at yet.".to_owned()),
        (0, 0, _) => (
            "pass",
            "Every service showed on the wire what it should.".to_owned(),
        ),
        (0, unseen, _) => (
            "undetermined",
            format!("Not seen on the wire: {unseen} of the services."),
        ),
        (failing, _, _) => (
            "fail",
            format!("Not as it should be: {failing} of the services."),
        ),
    };
    Verdict { state, words }
}
