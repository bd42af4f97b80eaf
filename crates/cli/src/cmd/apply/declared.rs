//! `apply -f`: a declarative file.
//!
//! Owns: reading it once, and naming it in what is said of its lines. Never: another path than
//! `apply`.

use super::ChangeArgs;
use crate::answer::Answer;
use crate::cmd::policy::input::Input;
use crate::cmd::policy::rule::installed;
use crate::cmd::{document, plan};
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use postseal_engine::EngineError;
use std::path::Path;

pub(super) fn apply(file: &Path, change: &ChangeArgs, global: &Global) -> Result<Answer, Failure> {
    let dialect = installed(global)?;
    let mut session = Session::existing(global)?;
    session.heed_interrupts()?;
    let named = |error: EngineError| Failure::from(in_file(error, file));
    let bytes = Input::open(file, &session)?.within(document::MOST)?;
    let declared = document::declared(&bytes, dialect);
    let declared = declared.map_err(|refusal| named(EngineError::Refused(refusal)))?;
    drop(bytes);
    if change.is_check() {
        let proposal = session.engine().propose_declared(&declared);
        return Ok(plan::checked(&proposal.map_err(named)?, change.only_diff()));
    }
    let mut engine = session.engine();
    let accepted = change.consent(global, || {
        let proposal = engine.propose_declared(&declared);
        proposal.map_err(|error| in_file(error, file))
    })?;
    let changed = engine.apply_declared(&declared, &accepted, change.keep());
    Ok(change.answer(&changed.map_err(named)?))
}

fn in_file(error: EngineError, file: &Path) -> EngineError {
    match error {
        EngineError::Refused(refusal) => EngineError::Refused(document::in_file(refusal, file)),
        error => error,
    }
}
