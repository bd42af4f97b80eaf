//! The desk on PostgreSQL: a database of its own on a server.
//!
//! Owns: reaching it again after it was away, its transactions, and that those of others at the same time do them no harm. Never: SQL of
//! a table; that is in `sql`, in the file named after what the table keeps.
//!
//! Whoever owns the console can write there what they like, as in `console.db`; nothing in it decides.

mod rule_indexes;
mod rule_sets;
#[path = "../sql/mod.rs"]
mod sql;

use super::connection::{Doing, connect};
use super::place::PostgresPlace;
use super::schema;
use super::trouble::{self, SecondAgent};
use crate::StoreError;
use PostgresDesk as Door;
use sqlx::postgres::{PgConnection as Db, PgRow as DbRow};
use sqlx::{AssertSqlSafe, Executor};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

/// How long a transaction may take, with all its tries: less than the agent waits for its child.
const PATIENCE: Duration = Duration::from_secs(12);
/// One that met another is tried so often …
const TRIES: u32 = 20;
/// … after so long, then after twice that, and so on.
const PAUSE: Duration = Duration::from_millis(5);

/// What is read belongs together.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// As if it were the only one; else it fails, and is tried again.
const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

/// The lock that an agent holds while it is connected: any number, the same for all.
const AGENT: i64 = 0x706f_7374_7365_616c;

/// The desk in a database.
pub struct PostgresDesk {
    place: PostgresPlace,
    runtime: Runtime,
    /// None before it is first needed, and after it failed.
    db: Mutex<Option<Db>>,
}

impl PostgresDesk {
    /// The desk at `place`. The server is reached when it is first needed, and again whenever it was away: a console says
    /// so meanwhile, an agent waits.
    pub fn open(place: PostgresPlace) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Database {
                action: "start",
                source: error.into(),
            })?;
        Ok(Self {
            place,
            runtime,
            db: Mutex::new(None),
        })
    }

    fn read<T>(
        &self,
        work: impl AsyncFn(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.within(READ, work)
    }

    fn write<T>(
        &mut self,
        work: impl AsyncFn(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.within(WRITE, work)
    }

    fn within<T>(
        &self,
        begin: &'static str,
        work: impl AsyncFn(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut held = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = self.runtime.block_on(async {
            match timeout(PATIENCE, self.tried(&mut held, begin, &work)).await {
                Ok(tried) => tried,
                Err(late) => Err(StoreError::Database {
                    action: "wait for an answer",
                    source: late.into(),
                }),
            }
        });
        tried.map_err(|error| trouble::explained(error, &self.place))
    }

    /// The connection is held again only where nothing is left under way on it.
    async fn tried<T>(
        &self,
        held: &mut Option<Db>,
        begin: &'static str,
        work: &impl AsyncFn(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let passes = |error: &StoreError| {
            trouble::passes(error) || (begin == READ && trouble::is_gone(error))
        };
        let mut tries = 0;
        loop {
            let mut db = self.begun(held.take(), begin).await?;
            let worked = match work(&mut db).await {
                Ok(value) => db.execute("COMMIT").await.doing("commit").map(|_| value),
                Err(error) => Err(error),
            };
            if worked.is_ok() || db.execute("ROLLBACK").await.is_ok() {
                *held = Some(db);
            }
            tries += 1;
            match worked {
                Err(error) if tries < TRIES && passes(&error) => {
                    sleep(PAUSE * tries).await;
                }
                worked => return worked,
            }
        }
    }

    async fn begun(&self, held: Option<Db>, begin: &'static str) -> Result<Db, StoreError> {
        if let Some(mut db) = held
            && db.execute(begin).await.is_ok()
        {
            return Ok(db);
        }
        // There was none, or the server was stopped since; nothing was asked of it yet.
        let mut db = connect(&self.place).await?;
        schema::bring_up_to_date(&mut db).await?;
        db.execute(begin).await.doing("begin a transaction")?;
        Ok(db)
    }
}

/// Stores of several hosts may name the same database by mistake: a second agent would take the first one's jobs for abandoned.
async fn only_agent(db: &mut Db) -> Result<(), StoreError> {
    let is_only: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(AGENT)
        .fetch_one(db)
        .await
        .doing("look for another agent")?;
    match is_only {
        true => Ok(()),
        false => Err(StoreError::Database {
            action: "look for another agent",
            source: SecondAgent.into(),
        }),
    }
}

/// Whoever adds to a table does so one after another: the order of its numbers is the order in which others see them.
async fn in_turn(db: &mut Db, table: &'static str) -> Result<(), StoreError> {
    let sql = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
    db.execute(AssertSqlSafe(sql))
        .await
        .doing("wait for its turn")?;
    Ok(())
}
