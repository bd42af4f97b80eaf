//! What a server's refusals mean.
//!
//! Owns: telling by SQLSTATE (PostgreSQL 15, Appendix A) what somebody can do about, and what passes by itself. Never: tries
//! anything again.

use super::place::PostgresPlace;
use crate::{StoreError, Trouble};
use sqlx::postgres::PgDatabaseError;
use std::error::Error;
use tokio::time::error::Elapsed;

/// The agent of another store works at the same desk.
#[derive(Debug, thiserror::Error)]
#[error("it holds the desk since it began")]
pub(super) struct SecondAgent;

/// The desk has a version that is not known here.
#[derive(Debug, thiserror::Error)]
#[error("its version is {version}, known is {known}")]
pub(super) struct Newer {
    pub(super) version: i64,
    pub(super) known: i64,
}

/// The database is in another encoding.
#[derive(Debug, thiserror::Error)]
#[error("it is in {0}")]
pub(super) struct NoUtf8(pub(super) String);

/// The error, as one of the server at `place` where it is one.
pub(super) fn explained(error: StoreError, place: &PostgresPlace) -> StoreError {
    let StoreError::Database { action, source } = error else {
        return error;
    };
    if is_contended(&*source) {
        return StoreError::Locked;
    }
    let trouble = of(&*source);
    // What PostgreSQL said, without the line of its own source.
    let source = match source.downcast::<PgDatabaseError>() {
        Ok(said) => said.message().into(),
        Err(other) => other,
    };
    match trouble {
        Some(trouble) => StoreError::Server {
            desk: place.to_string(),
            trouble,
            source,
        },
        None => StoreError::Database { action, source },
    }
}

/// Whether the same transaction may well succeed if it is done again now: it met another one. One of the two that did the same is a
/// second time (unique_violation).
pub(super) fn passes(error: &StoreError) -> bool {
    matches!(code_of(error), Some("40001" | "40P01" | "23505"))
}

/// Whether a set of rules is gone that was shown when the transaction began (undefined_table): whoever reads finds another.
pub(super) fn is_gone(error: &StoreError) -> bool {
    code_of(error) == Some("42P01")
}

/// It met others for longer than anybody waits: serialization_failure, deadlock_detected, lock_not_available, query_canceled.
fn is_contended(source: &(dyn Error + 'static)) -> bool {
    matches!(code(source), Some("40001" | "40P01" | "55P03" | "57014"))
}

fn of(source: &(dyn Error + 'static)) -> Option<Trouble> {
    if source.is::<Elapsed>()
        || source
            .downcast_ref::<sqlx::Error>()
            .is_some_and(is_of_the_way)
    {
        return Some(Trouble::Away);
    }
    if source.is::<SecondAgent>() {
        return Some(Trouble::SecondAgent);
    }
    if source.is::<Newer>() {
        return Some(Trouble::Newer);
    }
    if source.is::<NoUtf8>() {
        return Some(Trouble::Encoding);
    }
    let said = source.downcast_ref::<PgDatabaseError>()?;
    match said.code() {
        // It cannot be made, or is not there when an index is.
        _ if said.message().contains("pg_trgm") => Some(Trouble::Trigrams),
        "42704" => Some(Trouble::Trigrams),
        // cannot_connect_now, admin_shutdown, crash_shutdown; too_many_connections
        "57P01" | "57P02" | "57P03" | "53300" => Some(Trouble::Away),
        "3D000" | "42501" => Some(Trouble::Rights),
        "53100" => Some(Trouble::Full),
        "25006" => Some(Trouble::ReadOnly),
        code if code.starts_with("08") => Some(Trouble::Away),
        code if code.starts_with("28") => Some(Trouble::Rights),
        _ => None,
    }
}

/// Between here and the server.
fn is_of_the_way(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)
    )
}

fn code<'a>(source: &'a (dyn Error + 'static)) -> Option<&'a str> {
    source
        .downcast_ref::<PgDatabaseError>()
        .map(PgDatabaseError::code)
}

fn code_of(error: &StoreError) -> Option<&str> {
    match error {
        StoreError::Database { source, .. } => code(&**source),
        _ => None,
    }
}
