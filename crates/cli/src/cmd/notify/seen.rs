//! What is looked at before anything is told.
//!
//! Owns: the judgement of now, the operations that ended since, and that nothing is told of a moment. Never: decides
//! what is told.

use crate::cmd::status::judged;
use crate::config::Global;
use crate::session::Session;
use postseal_planner::notice::{Decision, Note, Notices, Seen, State, Why, decide};
use postseal_store::{Operation, OperationKind, OperationOutcome, Phase};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What is worse is looked at again after so long: a restart of Postfix is over by then.
const AGAIN: Duration = Duration::from_secs(3);
/// So many operations are looked at for those that ended since.
const OPERATIONS: usize = 50;

/// What is told where every look meets a change.
const WITHOUT_END: &str = "a change has been under way at every look for half an hour or more (`postseal history`), and what is \
                           seen may be its doing";

/// What is seen; none where a change is under way, or somebody wants this to end.
pub(super) fn look(session: &mut Session, global: &Global, notices: &mut Notices) -> Option<Seen> {
    let first = once(session, global, notices)?;
    let now = session.engine().clock.now_ms();
    match decide(notices, &first, now) {
        Decision::Tell(telling) if matches!(telling.why, Why::Worse | Why::Cause) => {
            session.engine().clock.sleep(AGAIN);
            once(session, global, notices)
        }
        _ => Some(first),
    }
}

fn once(session: &mut Session, global: &Global, notices: &mut Notices) -> Option<Seen> {
    let warnings = global.warnings.borrow().clone();
    let (status, mut causes) = judged::look(session, global);
    let is_hindered = !warnings.is_empty();
    global.warnings.replace(warnings);
    let open = status.as_ref().and_then(|status| status.open.as_ref());
    let is_at_work = |open: &Operation| open.journal.last() != Some(&Phase::AwaitingConfirmation);
    // Whoever opens the store ends what was left half-way. Where it is open all the same, and nothing was said
    // against that, somebody is at it.
    let changing = open.filter(|open| is_at_work(open) && !is_hindered);
    let now = session.engine().clock.now_ms();
    let counts = match changing {
        Some(_) => notices.meet_change(now),
        None => {
            notices.meet_rest();
            true
        }
    };
    if !counts || session.interrupted().load(Ordering::Relaxed) {
        return None;
    }
    if let Some(open) = changing {
        // It was not interrupted, and each look may meet another.
        causes.retain(|cause| *cause != judged::unended(open));
        causes.push(Note::new(State::Unknown, "changes", WITHOUT_END));
    }
    let since = notices.base.as_ref().map_or(0, |base| base.operation);
    let operations = session.engine().history(OPERATIONS).unwrap_or_default();
    let ended = operations.iter().filter(|one| one.outcome.is_some());
    let operation = ended.clone().map(|one| one.id).max().unwrap_or(since);
    let mut news: Vec<String> = ended
        .filter(|one| one.id > since)
        .filter_map(told)
        .collect();
    news.reverse();
    if operations.len() == OPERATIONS && operations.iter().all(|one| one.id > since) {
        news.push(format!(
            "there were {OPERATIONS} operations or more, and no others than these were looked at: `postseal history` has them"
        ));
    }
    Some(Seen {
        causes,
        news,
        operation: operation.max(since),
    })
}

/// What somebody should know of who did not do it, though nothing is wrong any more. Neither who did it nor what was
/// wished: whoever owned the console could write a sentence of theirs there, and `history` has it.
fn told(operation: &Operation) -> Option<String> {
    let id = operation.id;
    match (&operation.new.kind, operation.outcome.as_ref()?) {
        (OperationKind::Renewal { certificate }, OperationOutcome::Kept) => Some(format!(
            "the renewal of {certificate} is in force and proved (operation {id})"
        )),
        (OperationKind::Rollback { of }, OperationOutcome::Kept) => {
            Some(format!("operation {of} was rolled back by operation {id}"))
        }
        (_, OperationOutcome::RolledBack { reason }) => {
            Some(format!("operation {id} was rolled back: {reason}"))
        }
        (OperationKind::Renewal { certificate }, OperationOutcome::Failed { reason }) => {
            Some(format!(
                "the renewal of {certificate} could not be put in force (operation {id}): {reason}"
            ))
        }
        _ => None,
    }
}
