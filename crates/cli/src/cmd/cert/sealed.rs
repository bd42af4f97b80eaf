//! `cert import --sealed`: what was sealed to this store elsewhere.
//!
//! Owns: opening it, in this process's memory alone. Never: judges it (the engine does); says what is in it.

use super::import::{answer, read};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::Import;
use postseal_store::{StoreError, Succession};
use std::path::Path;

/// Where it comes from, as `cert list` says it.
const SOURCE: &str = "upload";

pub(super) fn import(
    name: &str,
    succession: Succession,
    global: &Global,
) -> Result<Answer, Failure> {
    let sealed = read(Path::new("-"))?;
    let mut session = Session::existing(global)?;
    let text = std::str::from_utf8(&sealed).map_err(|_| unreadable())?;
    let upload = session.opened(text).map_err(|error| match error {
        StoreError::Format { .. } => unreadable(),
        error => postseal_engine::EngineError::from(error).into(),
    })?;
    let imported = session.engine().import_certificate(Import {
        name: name.to_owned(),
        cert: upload.cert.to_vec(),
        key: upload.key,
        chain: upload.chain.as_deref().cloned(),
        private_ca: upload.private_ca.as_deref().cloned(),
        password: upload.password,
        source: SOURCE.to_owned(),
        succession,
    })?;
    Ok(answer(&imported, None))
}

fn unreadable() -> Failure {
    let text = "what was sent was not sealed to this store, or is damaged".to_owned();
    Failure::new(Exit::Data, "cert.not-sealed-to-this-store", text)
        .hint("Load the page again and send it once more: the store may have been put back.")
}
