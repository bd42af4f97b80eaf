//! What stands around every page: the instance, the agent, the drafts, who one is.
//!
//! Owns: these, and what a page reads from the desk, in one go. Never: what a page shows of it.

use super::doc::Doc;
use super::glance::NOT_ADOPTED;
use super::when::When;
use crate::app::App;
use crate::approval::is_by;
use crate::caller::Caller;
use crate::clock;
use crate::filing::{LOOKED_AT, have_changed};
use crate::matrix::Right;
use crate::problem::Problem;
use postseal_planner::task::Effect;
use postseal_store::desk::{Job, JobState, Pulse};
use std::collections::BTreeMap;

/// How old a sign of the agent's life may be, in seconds: fresh, and late.
const AGES: (i64, i64) = (10, 60);

/// What stands around a page.
pub(crate) struct Frame {
    /// The mail server's name (`myhostname`); its configuration's folder where that was not told.
    pub(crate) host: String,
    /// The folder of its configuration.
    pub(crate) instance: String,
    /// Whether this desk serves other instances, too: names of hosts alone would not tell them apart.
    pub(crate) is_one_of_several: bool,
    pub(crate) user: String,
    pub(crate) form_token: String,
    /// The page's place in the navigation.
    pub(crate) here: &'static str,
    pub(crate) agent: Agent,
    /// Whether something was changed, or is being changed, since the agent looked.
    pub(crate) is_over: bool,
    /// Whether Postseal has not adopted this Postfix yet.
    pub(crate) is_unadopted: bool,
    /// How many wishes are not in force.
    pub(crate) drafts: usize,
    /// A job that one may approve.
    pub(crate) proposed: Option<u64>,
    /// Whether one may wish, and put in force.
    pub(crate) may_wish: bool,
    pub(crate) may_change: bool,
}

impl Frame {
    /// Whether the page is fetched again until it shows what is so now: one on which nobody types.
    pub(crate) fn refreshes(&self) -> bool {
        self.is_over && ["overview", "plan", "history", "findings"].contains(&self.here)
    }
}

impl Frame {
    /// Whether the page has something to show of a Postfix that was not adopted.
    pub(crate) fn is_of_use(&self) -> bool {
        let adopted = ["smtp-tls", "policies", "domains", "plan", "history"];
        !(self.is_unadopted && adopted.contains(&self.here))
    }
}

/// The agent, as far as it was seen.
pub(crate) struct Agent {
    /// `alive`, `late`, `gone`.
    pub(crate) state: &'static str,
    pub(crate) seen: When,
}

/// A copy that pages show.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) doc: Doc,
    pub(crate) copied: When,
}

/// What a page is made of.
pub(crate) struct View {
    pub(crate) frame: Frame,
    copies: BTreeMap<&'static str, Seen>,
    pub(crate) now_ms: i64,
}

impl View {
    /// Reads what a page needs.
    pub(crate) async fn of(
        app: &App,
        caller: &Caller,
        here: &'static str,
        wanted: &'static [&'static str],
    ) -> Result<Self, Problem> {
        let now_ms = clock::now_ms();
        let instance = app.instance.clone();
        let read = app.desks.at(move |desk| {
            let mut copies = BTreeMap::new();
            let mut seen_ms = now_ms;
            for what in wanted.iter().chain(&["status"]) {
                if let Some(copy) = desk.copy(&instance, what)? {
                    let doc = Doc::read(&copy.document);
                    seen_ms = seen_ms.min(copy.copied_ms);
                    let copied = When::at(copy.copied_ms, now_ms);
                    copies.insert(*what, Seen { doc, copied });
                }
            }
            let jobs = desk.jobs_since(&instance, seen_ms, LOOKED_AT)?;
            let pulse = desk.pulse(&instance)?;
            let mut instances = desk.instances()?.into_iter();
            let others = instances.any(|other| other != instance);
            Ok((copies, (pulse, others), jobs))
        });
        let (copies, (pulse, others), jobs) = read.await?;
        let approves = app.two_persons && caller.may(Right::Approve);
        let proposed =
            |job: &&Job| approves && job.state == JobState::Proposed && !is_by(job, &caller.user);
        let status: Option<&Seen> = copies.get("status");
        let wishes = status.map_or(0, |seen| seen.doc.list("wishes").len());
        let host = status.map(|seen| own_name(&seen.doc));
        let frame = Frame {
            host: host.flatten().unwrap_or_else(|| app.instance.clone()),
            is_one_of_several: others,
            instance: app.instance.clone(),
            user: caller.user.clone(),
            form_token: caller.form_token().unwrap_or_default(),
            here,
            agent: agent(pulse.as_ref(), now_ms),
            is_over: have_changed(&jobs),
            is_unadopted: is_unadopted(copies.get("status")),
            drafts: wishes,
            proposed: jobs.iter().rev().find(proposed).map(|job| job.id),
            may_wish: caller.may(Right::File(Effect::Wish)),
            may_change: caller.may(Right::File(Effect::Change)),
        };
        Ok(Self {
            frame,
            copies,
            now_ms,
        })
    }

    /// A copy; an empty one where the agent has made none.
    pub(crate) fn take(&mut self, what: &str) -> Seen {
        self.copies.remove(what).unwrap_or_default()
    }
}

/// The host's name, where `status` told it.
fn own_name(status: &Doc) -> Option<String> {
    let names = status.at("asked_for").list("names");
    let own = names
        .iter()
        .find(|one| one.text("asked_as") == "host-name")?;
    Some(own.text("name")).filter(|name| !name.is_empty())
}

fn is_unadopted(status: Option<&Seen>) -> bool {
    status.is_some_and(|seen| seen.doc.at("error").text("code") == NOT_ADOPTED)
}

fn agent(pulse: Option<&Pulse>, now_ms: i64) -> Agent {
    let Some(pulse) = pulse else {
        return Agent {
            state: "gone",
            seen: When::default(),
        };
    };
    // A sign from a time that has not come is as old: the clock was put back, and nobody has given one since.
    let age = now_ms.saturating_sub(pulse.seen_ms).saturating_abs() / 1000;
    Agent {
        state: match age {
            _ if age < AGES.0 => "alive",
            _ if age < AGES.1 => "late",
            _ => "gone",
        },
        seen: When::at(pulse.seen_ms, now_ms),
    }
}
