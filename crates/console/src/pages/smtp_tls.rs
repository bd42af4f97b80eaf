//! The page for SMTP TLS: modes, services, profile, certificate.
//!
//! Owns: the form as it is shown, and what follows when it is saved. Never: says that something is in force; the job's
//! page says what was seen.

use super::advanced::{Key, Parameter};
use super::certificate::Shown;
use super::doc::Doc;
use super::frame::{Frame, Seen, View};
use super::picker::{Asked, narrowed};
use super::planned::Planned;
use super::saved::{self, Refused, Store};
use super::typed::Typed;
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::matrix::Right;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postseal_planner::task::{Effect, Task};

/// What a mode promises, and when one uses it.
struct Choice {
    value: &'static str,
    meaning: &'static str,
}

impl Choice {
    fn is(&self, value: &str) -> bool {
        self.value == value
    }
}

const INBOUND: [Choice; 3] = [
    Choice {
        value: "off",
        meaning: "STARTTLS is not offered; all mail comes in clear.",
    },
    Choice {
        value: "may",
        meaning: "STARTTLS is offered, and mail without it is taken. Right for a public port 25.",
    },
    Choice {
        value: "encrypt",
        meaning: "Mail without TLS is refused. On a public port 25 that loses mail of senders without TLS.",
    },
];

const OUTBOUND: [Choice; 7] = [
    Choice {
        value: "off",
        meaning: "Mail leaves in clear.",
    },
    Choice {
        value: "may",
        meaning: "TLS where the other side offers it, else in clear. Right for most.",
    },
    Choice {
        value: "encrypt",
        meaning: "TLS or no delivery; the other side is not authenticated. Mail to servers without TLS waits.",
    },
    Choice {
        value: "dane",
        meaning: "Authenticated where the other side publishes TLSA records, else as may. Needs a resolver that validates DNSSEC.",
    },
    Choice {
        value: "dane-only",
        meaning: "Only to servers with TLSA records; all other mail waits.",
    },
    Choice {
        value: "verify",
        meaning: "Only to servers with a trusted certificate for a name that DNS gave.",
    },
    Choice {
        value: "secure",
        meaning: "Only to servers with a trusted certificate for the recipient's domain.",
    },
];

/// How master.cf names the services of mail clients.
const SUBMISSION: [&str; 2] = ["submission/inet", "587/inet"];
const SMTPS: [&str; 3] = ["submissions/inet", "smtps/inet", "465/inet"];

#[derive(Template)]
#[template(path = "smtp_tls.html")]
struct Page {
    frame: Frame,
    copied: When,
    is_there: bool,
    was: Levels,
    now: Levels,
    /// Whether mail that leaves takes the mode of mail that comes in.
    linked: bool,
    profile: String,
    certificate: String,
    /// What is searched for among the certificates.
    search: String,
    others: String,
    unset: String,
    profiles: Vec<Profile>,
    certificates: Vec<Shown>,
    /// Which names that are asked for are not known.
    unknown: Vec<String>,
    keys: Vec<Key>,
    /// The catalogue, as this Postfix has it.
    parameters: Vec<Parameter>,
    /// What is wished already and not in force.
    planned: Planned,
    /// What the wire showed of AUTH on 587, and on 465.
    auth: [Vec<String>; 2],
    /// What was refused of what was typed.
    refused: Vec<Refused>,
}

/// What the page says by one word each.
#[derive(Clone, Default)]
struct Levels {
    inbound: String,
    outbound: String,
    submission: String,
    smtps: String,
}

/// A service of mail clients.
struct Switch<'a> {
    key: &'static str,
    value: &'a str,
    meaning: &'static str,
    /// What the wire showed of its AUTH, which it cannot do without; nothing where nobody has seen that.
    auth: &'a [String],
}

/// What the plan would be, beside the form.
#[derive(Template)]
#[template(path = "live.html")]
struct Live {
    planned: Planned,
    /// Why there is none now.
    none: &'static str,
}

impl Page {
    fn inbound_choices(&self) -> &'static [Choice] {
        &INBOUND
    }

    fn outbound_choices(&self) -> &'static [Choice] {
        &OUTBOUND
    }

    /// The two services of mail clients.
    fn switches(&self) -> [Switch<'_>; 2] {
        let [submission, smtps] = &self.auth;
        [
            Switch {
                key: "submission",
                value: &self.now.submission,
                meaning: "Port 587: mail clients, STARTTLS and AUTH required",
                auth: submission,
            },
            Switch {
                key: "smtps",
                value: &self.now.smtps,
                meaning: "Port 465: mail clients, TLS from the first byte, AUTH required",
                auth: smtps,
            },
        ]
    }

    /// What was refused of a field.
    fn at(&self, field: &str) -> Vec<&Refused> {
        let own = self.refused.iter().filter(|one| one.field == field);
        own.collect()
    }

    /// With what somebody has typed, and what is wrong with it.
    fn with(mut self, typed: &Typed, refused: Vec<Refused>) -> Self {
        let word = |key: &str, shown: &str| match saved::value(typed, key) {
            "" => shown.to_owned(),
            value => value.to_owned(),
        };
        self.now = Levels {
            inbound: word("inbound", &self.was.inbound),
            outbound: word("outbound", &self.was.outbound),
            submission: word("submission", &self.was.submission),
            smtps: word("smtps", &self.was.smtps),
        };
        self.linked = typed.is_on("linked");
        self.profile = typed.text("profile").to_owned();
        self.certificate = typed.text("certificate").to_owned();
        self.others = typed.text("others").to_owned();
        self.unset = typed.text("unset").to_owned();
        self.refused = refused;
        // The one that is chosen stays among those that a search leaves.
        self.search = typed.text("search").chars().take(200).collect();
        let (chosen, others) = self
            .certificates
            .into_iter()
            .partition(|one| one.is_bound_by(&self.certificate));
        let mut left: Vec<Shown> = chosen;
        left.extend(narrowed(others, &self.search));
        self.certificates = left;
        self
    }
}

struct Profile {
    name: String,
    meaning: String,
    /// The directions in which it is wished.
    wished: String,
    unfit: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let shown = read(&app, &caller).await?;
    Ok(page(StatusCode::OK, &shown))
}

async fn read(app: &App, caller: &Caller) -> Result<Page, Problem> {
    let copies = &[
        "certificates",
        "checks",
        "profiles",
        "keys",
        "parameters",
        "plan",
    ];
    let mut view = View::of(app, caller, "smtp-tls", copies).await?;
    let status = view.take("status");
    let (profiles, certificates, keys) = (
        view.take("profiles"),
        view.take("certificates"),
        view.take("keys"),
    );
    let parameters = view.take("parameters").doc.list("values");
    let (asked, checks) = (Asked::of(&status.doc), view.take("checks"));
    let was = Levels {
        inbound: service(&status.doc, &["smtp/inet"]).map_or_else(String::new, mode),
        outbound: mode(wanted(&status.doc.at("outbound"))),
        submission: switch(&status.doc, &SUBMISSION),
        smtps: switch(&status.doc, &SMTPS),
    };
    Ok(Page {
        is_there: status.doc.is_there(),
        now: was.clone(),
        was,
        linked: false,
        profile: String::new(),
        certificate: String::new(),
        search: String::new(),
        others: String::new(),
        unset: String::new(),
        profiles: all_profiles(&profiles),
        certificates: Shown::judged(&certificates.doc, &checks.doc, &asked, view.now_ms),
        unknown: asked.unknown,
        keys: keys.doc.list("keys").iter().map(Key::of).collect(),
        parameters: parameters.iter().map(Parameter::of).collect(),
        planned: Planned::of(&view.take("plan").doc),
        auth: [
            seen_of_auth(&status.doc, &SUBMISSION),
            seen_of_auth(&status.doc, &SMTPS),
        ],
        refused: Vec::new(),
        copied: status.copied,
        frame: view.frame,
    })
}

/// Saves the form: all of it is one task, judged whole before any of it is stored. Then its plan is shown, or applied
/// where nothing has to be accepted in type. What is refused is shown in the form, and nothing of it is wished.
pub(crate) async fn save(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let applies = typed.text("do") == "apply";
    // Without scripts a search is a request: nothing is wished, and what was chosen stays.
    if typed.text("do") == "search" {
        let shown = read(&app, &caller).await?.with(&typed, Vec::new());
        return Ok(page(StatusCode::OK, &shown));
    }
    if applies && !caller.may(Right::File(Effect::Change)) {
        return Err(Problem::forbidden("putting it in force"));
    }
    let Some(task) = saved::task(&typed, Store::Yes) else {
        return match applies {
            true => applied(&app, &caller, None).await,
            false => Ok(Redirect::to("/plan").into_response()),
        };
    };
    let (job, end) = filing::await_end(&app, &caller, &task).await?;
    let Some(end) = end else {
        return Ok(led_to_job(job));
    };
    let answer = Doc::read(&end.answer);
    if end.exit != 0 {
        let shown = read(&app, &caller).await?;
        let shown = shown.with(&typed, Refused::all(&answer));
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    }
    let planned = Planned::of(&answer);
    match applies && planned.pending && planned.confirmations.is_empty() {
        true => applied(&app, &caller, Some(planned.id)).await,
        false => Ok(Redirect::to(&format!("/plan?job={job}")).into_response()),
    }
}

async fn applied(app: &App, caller: &Caller, plan: Option<String>) -> Result<Response, Problem> {
    let task = Task::Apply {
        plan,
        check: false,
        accept: Vec::new(),
        confirm_within: None,
    };
    let job = filing::file(app, caller, &task, None).await?;
    Ok(led_to_job(job))
}

/// What the plan would be if the form were saved. Nothing is stored.
pub(crate) async fn plan(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let live = |planned, none| page(StatusCode::OK, &Live { planned, none });
    let Some(task) = saved::task(&Typed::new(fields), Store::No) else {
        let mut view = View::of(&app, &caller, "smtp-tls", &["plan"]).await?;
        return Ok(live(Planned::of(&view.take("plan").doc), ""));
    };
    let (_, end) = filing::await_end(&app, &caller, &task).await?;
    Ok(match end {
        Some(end) => live(Planned::of(&Doc::read(&end.answer)), ""),
        None => live(Planned::default(), "The agent has not answered yet."),
    })
}

/// What is wanted of a service or of outgoing mail; where nothing was wished yet, what holds.
fn wanted(levels: &Doc) -> String {
    match levels.text("desired").as_str() {
        "" | "as adopted" => levels.text("effective"),
        desired => desired.to_owned(),
    }
}

/// The same of the first of these services that is there.
fn service(status: &Doc, names: &[&str]) -> Option<String> {
    let services = status.list("services");
    let mut own = services
        .iter()
        .filter(|one| names.contains(&one.text("service").as_str()));
    own.next().map(wanted)
}

/// A level as the choices name it: where Postfix has none, TLS is off.
fn mode(level: String) -> String {
    match level.as_str() {
        "" | "-" | "none" => "off".to_owned(),
        _ => level,
    }
}

/// The sentences about AUTH of a look that was good.
fn seen_of_auth(status: &Doc, names: &[&str]) -> Vec<String> {
    let judgements = status.at("observed").list("judgements");
    let good = judgements.iter().filter(|one| {
        one.text("outcome") == "pass" && names.contains(&one.text("service").as_str())
    });
    let sentences = good.flat_map(|one| one.words("sentences"));
    sentences.filter(|said| said.contains("AUTH")).collect()
}

fn switch(status: &Doc, names: &[&str]) -> String {
    match service(status, names).as_deref() {
        None | Some("off" | "-" | "") => "off",
        Some(_) => "on",
    }
    .to_owned()
}

fn all_profiles(seen: &Seen) -> Vec<Profile> {
    let profiles = seen.doc.list("profiles");
    let shown = profiles.iter().map(|doc| Profile {
        name: doc.text("name"),
        meaning: doc.text("meaning"),
        wished: doc.words("wished").join(", "),
        unfit: doc.text("unfit"),
    });
    shown.collect()
}
