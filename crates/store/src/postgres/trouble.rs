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

/// The error, as one of the server at `place` where it is one.
pub(super) fn explained(error: StoreError, place: &PostgresPlace) -> StoreError {
    let StoreError::Database { action, source } = error else {
        return error;
    };
    if is_contended(&*source) {
        return StoreError::Locked;
    }
    match of(&*source) {
        Some(trouble) => StoreError::Server {
            desk: place.to_string(),
            trouble,
            source,
        },
        None => StoreError::Database { action, source },
    }
}

/// Whether the same transaction may well succeed if it is done again now: it met another one. One of the two that did the same is a
/// second time (unique_violation); a set of rules is gone that was just shown (undefined_table).
pub(super) fn passes(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else {
        return false;
    };
    matches!(code(&**source), Some("40001" | "40P01" | "23505" | "42P01"))
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
