//! The connection: how the database is opened, asked, and understood when it fails.
//!
//! Owns: connection options, transactions, errors. Never: a table.

use super::folder;
use crate::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};
use std::path::Path;
use std::time::Duration;

/// How long another process may hold the database before [`StoreError::Locked`].
const PATIENCE: Duration = Duration::from_secs(5);

/// Begins, works, commits; or takes everything back.
///
/// Not sqlx's own transactions: where SQLite has rolled back by itself (a full disk), sqlx 0.9
/// goes on counting the transaction as open, and the connection never begins another one.
pub(super) async fn transaction<T>(
    db: &mut SqliteConnection,
    words: Words,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.execute(words.begin).await.doing("begin a transaction")?;
    let worked = match work(&mut *db).await {
        Ok(value) => db
            .execute(words.commit)
            .await
            .doing("commit")
            .map(|_| value),
        Err(error) => Err(error),
    };
    if worked.is_err() {
        // What failed is told; that nothing was left to roll back is not worth a word.
        drop(db.execute(words.roll_back).await);
    }
    worked
}

/// How a transaction begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Words {
    pub(super) begin: &'static str,
    pub(super) commit: &'static str,
    pub(super) roll_back: &'static str,
}

/// What is read belongs together.
pub(super) const READ: Words = Words {
    begin: "BEGIN",
    commit: "COMMIT",
    roll_back: "ROLLBACK",
};

/// It takes the write lock at once: a lock taken in the middle could not be waited for.
pub(super) const WRITE: Words = Words {
    begin: "BEGIN IMMEDIATE",
    ..READ
};

/// A step within a transaction that is open.
pub(super) const STEP: Words = Words {
    begin: "SAVEPOINT step",
    commit: "RELEASE step",
    roll_back: "ROLLBACK TO step; RELEASE step",
};

/// Writes nothing: that the log is a WAL is set once, at creation, and stays.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    connect_with(path, options(path)).await
}

/// For a disk that takes nothing. SQLite cannot make the files beside a database that its log
/// wants, so it is told that nobody else writes. A log with something in it has those files, or
/// cannot be read.
pub(super) async fn connect_to_read(path: &Path) -> Result<SqliteConnection, StoreError> {
    let log = path.with_extension("db-wal");
    let is_whole = log.metadata().map_or(true, |log| log.len() == 0);
    let options = options(path).read_only(true).immutable(is_whole);
    connect_with(path, options).await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        // A deleted key is sealed, but gone is better than sealed.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
}

async fn connect_with(
    path: &Path,
    options: SqliteConnectOptions,
) -> Result<SqliteConnection, StoreError> {
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| opening(path, error))
}

/// An error of opening the database at `path`.
pub(super) fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    if is_locked(&error) {
        return StoreError::Locked;
    }
    folder::cannot("open", path, std::io::Error::other(cause(error)))
}

/// Says what was being done when the database failed.
pub(super) trait Doing<T> {
    fn doing(self, action: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| match is_locked(&error) {
            true => StoreError::Locked,
            false => StoreError::Database {
                action,
                source: cause(error),
            },
        })
    }
}

/// What SQLite said, without sqlx saying it twice.
fn cause(error: sqlx::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        sqlx::Error::Database(said) => said.into_error(),
        other => other.into(),
    }
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    // The low byte of an extended code is the primary one: SQLITE_BUSY, SQLITE_LOCKED.
    let code: Option<i32> = code.and_then(|code| code.parse().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// A limit as the database takes it.
pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
