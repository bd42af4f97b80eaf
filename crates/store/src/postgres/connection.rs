//! The connection: what the server is told at its beginning, and how an error keeps what was being done.
//!
//! Owns: the session's settings. Never: a table, or what an error means (`trouble`).

use super::place::PostgresPlace;
use crate::StoreError;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::time::Duration;
use tokio::time::timeout;

/// How long a server may take to answer a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// What holds in every session (PostgreSQL 15, §20).
const SETTINGS: [(&str, &str); 9] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "30s"),
    // A client that is gone without a word keeps its locks no longer than a minute.
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    // A plan for every word that is searched: of one all rules have it, of another none.
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "off"),
    ("client_min_messages", "warning"),
];

pub(super) async fn connect(place: &PostgresPlace) -> Result<PgConnection, StoreError> {
    let options = place.options()?;
    let options = options
        .application_name("postseal")
        .options(SETTINGS)
        .disable_statement_logging();
    let doing = "connect";
    match timeout(PATIENCE, PgConnection::connect_with(&options)).await {
        Ok(connected) => connected.doing(doing),
        Err(late) => Err(StoreError::Database {
            action: doing,
            source: late.into(),
        }),
    }
}

/// Says what was being done when the database failed.
pub(super) trait Doing<T> {
    fn doing(self, action: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Database {
            action,
            source: match error {
                // What PostgreSQL said, without sqlx saying it twice.
                sqlx::Error::Database(said) => said.into_error(),
                other => other.into(),
            },
        })
    }
}
