//! Edits by hand: what was written, what stands there now, and the two ways out.
//!
//! Owns: these as they are shown, and asking for either way. Never: compares anything; `status` does.

use super::doc::Doc;
use super::led_to_job;
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use axum::Extension;
use axum::extract::{Form, State};
use axum::response::Response;
use postseal_planner::task::Task;
use serde::Deserialize;

/// All that was edited, as the agent saw it last.
pub(crate) struct Edits {
    pub(crate) keys: Vec<Edit>,
    /// Files and tables: which, and what is the matter with it.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) tables: Vec<(String, String)>,
}

/// A parameter that was edited.
pub(crate) struct Edit {
    pub(crate) place: String,
    pub(crate) parameter: String,
    /// Empty where it was not there.
    pub(crate) written: String,
    pub(crate) now: String,
}

impl Edits {
    pub(crate) fn of(status: &Doc) -> Self {
        let named = |key: &str| {
            let all = status.list(key);
            let pairs = all.iter().map(|one| (one.text("path"), one.text("what")));
            pairs.collect()
        };
        let keys = status.list("drift");
        let keys = keys.iter().map(|one| Edit {
            place: one.text("place"),
            parameter: one.text("parameter"),
            written: one.text("written"),
            now: one.text("now"),
        });
        Self {
            keys: keys.collect(),
            files: named("drift_files"),
            tables: named("drift_tables"),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.keys.len() + self.files.len() + self.tables.len()
    }

    /// Whether any of it can be taken over: files follow the store.
    pub(crate) fn can_be_adopted(&self) -> bool {
        !(self.keys.is_empty() && self.tables.is_empty())
    }

    /// Whether any of it can be put back: a table of the administrator's own is not Postseal's to write.
    pub(crate) fn can_be_restored(&self) -> bool {
        !(self.keys.is_empty() && self.files.is_empty())
    }
}

#[derive(Deserialize)]
pub(crate) struct Way {
    r#do: String,
}

/// Takes edits over, or puts back what was written.
pub(crate) async fn end(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(way): Form<Way>,
) -> Result<Response, Problem> {
    let (adopt, restore) = match way.r#do.as_str() {
        "adopt" => (true, false),
        "restore" => (false, true),
        _ => return Err(Problem::malformed("it says neither adopt nor restore")),
    };
    let task = Task::Drift {
        adopt,
        restore,
        check: false,
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}
