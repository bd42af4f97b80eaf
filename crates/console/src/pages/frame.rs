//! What stands around every page: the instance, the agent, the drafts, who one is.
//!
//! Owns: these, and what a page reads from the desk, in one go. Never: what a page shows of it.

use super::doc::Doc;
use super::when::When;
use crate::app::App;
use crate::approval::is_by;
use crate::caller::Caller;
use crate::clock;
use crate::filing::has_changed_since;
use crate::matrix::Right;
use crate::problem::Problem;
use postseal_planner::task::Effect;
use postseal_store::desk::{Job, JobState, Pulse};
use std::collections::BTreeMap;

/// How old a sign of the agent's life may be, in seconds: fresh, and late.
const AGES: (i64, i64) = (10, 60);

/// So many jobs are looked at for one that waits for an approver.
const LOOKED_AT: usize = 100;

/// What stands around a page.
pub(crate) struct Frame {
    pub(crate) instance: String,
    pub(crate) user: String,
    pub(crate) form_token: String,
    /// The page's place in the navigation.
    pub(crate) here: &'static str,
    pub(crate) agent: Agent,
    /// Whether something was changed, or is being changed, since the agent looked.
    pub(crate) is_over: bool,
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
        let approves = app.two_persons && caller.may(Right::Approve);
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
            let is_over = has_changed_since(desk, &instance, seen_ms)?;
            let open = match approves {
                true => desk.jobs_since(&instance, now_ms, LOOKED_AT)?,
                false => Vec::new(),
            };
            Ok((copies, desk.pulse(&instance)?, is_over, open))
        });
        let (copies, pulse, is_over, jobs) = read.await?;
        let proposed = |job: &&Job| job.state == JobState::Proposed && !is_by(job, &caller.user);
        let wishes = copies
            .get("status")
            .map_or(0, |seen: &Seen| seen.doc.list("wishes").len());
        let frame = Frame {
            instance: app.instance.clone(),
            user: caller.user.clone(),
            form_token: caller.form_token().unwrap_or_default(),
            here,
            agent: agent(pulse.as_ref(), now_ms),
            is_over,
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

fn agent(pulse: Option<&Pulse>, now_ms: i64) -> Agent {
    let Some(pulse) = pulse else {
        return Agent {
            state: "gone",
            seen: When::default(),
        };
    };
    let age = (now_ms - pulse.seen_ms) / 1000;
    Agent {
        state: match age {
            _ if age < AGES.0 => "alive",
            _ if age < AGES.1 => "late",
            _ => "gone",
        },
        seen: When::at(pulse.seen_ms, now_ms),
    }
}
