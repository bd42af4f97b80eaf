//! The store on SQLite.
//!
//! Owns: the connection, transactions, and how an error of the database reads. Never: SQL of a
//! table; that is in the file named after what the table remembers. Another backend is another
//! folder beside this one, with files of the same names.
//!
//! sqlx is asynchronous, the store is not: a runtime of one thread is hidden in here. So no
//! method may be called from asynchronous code.

mod audit;
mod certificates;
mod create;
mod folder;
mod history;
mod instances;
mod operations;
mod plans;
mod schema;
mod snapshots;

use crate::identity::Identity;
use crate::{
    AuditEntry, Certificate, Close, InstanceState, NewCertificate, NewOperation, Operation, Phase,
    Store, StoreError,
};
use postseal_planner::{Intent, Plan};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// How long another process may hold the database before [`StoreError::Locked`].
const PATIENCE: Duration = Duration::from_secs(5);

/// The store in a folder.
pub struct SqliteStore {
    folder: PathBuf,
    runtime: Runtime,
    /// Taken only by `drop`.
    db: Mutex<Option<SqliteConnection>>,
}

impl SqliteStore {
    /// Opens the store in `folder`, and makes both where they are missing.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let folder = folder::make(folder)?;
        let runtime = runtime()?;
        if !folder::holds_store(&folder)? {
            runtime.block_on(create::create(&folder))?;
        }
        Self::connected(folder, runtime)
    }

    /// Opens the store in `folder`; `None` when there is none. Makes nothing.
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, StoreError> {
        match folder::find(folder)? {
            Some(folder) if folder::holds_store(&folder)? => {
                Self::connected(folder, runtime()?).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The folder it lies in, without symbolic links.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn connected(folder: PathBuf, runtime: Runtime) -> Result<Self, StoreError> {
        let path = folder.join(folder::AGENT);
        folder::check_private(&path)?;
        let db = runtime.block_on(async {
            let mut db = connect(&path).await?;
            schema::bring_up_to_date(&mut db, &path).await?;
            Ok::<_, StoreError>(db)
        })?;
        Ok(Self {
            folder,
            runtime,
            db: Mutex::new(Some(db)),
        })
    }

    /// The identity, checked to be the one that this store's keys are sealed to.
    fn identity(&self) -> Result<Identity, StoreError> {
        let path = self.folder.join(folder::IDENTITY);
        folder::check_private(&path).map_err(|error| identity_error(&error))?;
        let identity = Identity::read(&path)?;
        let sealed_to = self.read(async |db| certificates::recipient(db).await)?;
        if identity.recipient() == sealed_to {
            return Ok(identity);
        }
        let path = path.display();
        Err(StoreError::Identity(format!(
            "{path} is not the one of this store, {sealed_to}"
        )))
    }

    /// Reads in one transaction, so that what is read belongs together.
    fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(connection(&mut db), "BEGIN", work))
    }

    /// Writes in one transaction. It takes the write lock at once: a lock taken in the middle
    /// could not be waited for.
    fn write<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(connection(db), "BEGIN IMMEDIATE", work))
    }
}

impl Store for SqliteStore {
    fn instance(&self, instance: &str) -> Result<Option<InstanceState>, StoreError> {
        self.read(async |db| instances::get(db, instance).await)
    }

    fn adopt(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError> {
        self.write(async |db| instances::adopt(db, instance, state).await)
    }

    fn release(&mut self, instance: &str) -> Result<(), StoreError> {
        self.write(async |db| instances::release(db, instance).await)
    }

    fn set_draft(&mut self, instance: &str, draft: Option<&Intent>) -> Result<(), StoreError> {
        self.write(async |db| instances::set_draft(db, instance, draft).await)
    }

    fn put_plan(&mut self, instance: &str, plan: &Plan) -> Result<(), StoreError> {
        self.write(async |db| plans::put(db, instance, plan).await)
    }

    fn plan(&self, instance: &str, id: &str) -> Result<Option<Plan>, StoreError> {
        self.read(async |db| plans::get(db, instance, id).await)
    }

    fn open_operation(&mut self, new: &NewOperation) -> Result<u64, StoreError> {
        self.write(async |db| operations::open(db, new).await)
    }

    fn journal(&mut self, operation: u64, phase: &Phase) -> Result<(), StoreError> {
        self.write(async |db| operations::journal(db, operation, phase).await)
    }

    fn close_operation(&mut self, operation: u64, close: &Close) -> Result<(), StoreError> {
        self.write(async |db| operations::close(db, operation, close).await)
    }

    fn open(&self, instance: &str) -> Result<Option<Operation>, StoreError> {
        self.read(async |db| history::find_open(db, instance).await)
    }

    fn operation(&self, id: u64) -> Result<Option<Operation>, StoreError> {
        self.read(async |db| history::find(db, id).await)
    }

    fn history(&self, instance: &str, limit: usize) -> Result<Vec<Operation>, StoreError> {
        self.read(async |db| history::newest(db, instance, limit).await)
    }

    fn put_certificate(&mut self, new: &NewCertificate) -> Result<(), StoreError> {
        let sealed = match &new.key {
            Some(key) => Some(self.identity()?.seal(key)?),
            None => None,
        };
        self.write(async |db| certificates::put(db, new, sealed).await)
    }

    fn certificates(&self) -> Result<Vec<Certificate>, StoreError> {
        self.read(async |db| certificates::all(db).await)
    }

    fn private_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.read(async |db| certificates::sealed_key(db, name).await)? {
            Some(sealed) => self.identity()?.open(&sealed).map(Some),
            None => Ok(None),
        }
    }

    fn delete_certificate(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| certificates::delete(db, name).await)
    }

    fn audit(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError> {
        self.write(async |db| audit::add(db, actor, at_ms, what).await)
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(async |db| audit::newest(db, limit).await)
    }
}

/// Closes before it returns: the log is moved into the database and its files are gone, so that
/// what is copied or mounted read-only next is whole.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = db.take() {
            // What could fail is the tidying; everything stored is on disk.
            drop(self.runtime.block_on(db.close()));
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "only drop takes it, and nothing comes after drop"
)]
fn connection(db: &mut Option<SqliteConnection>) -> &mut SqliteConnection {
    db.as_mut()
        .expect("the connection lives as long as the store")
}

/// Begins, works, commits; or takes everything back.
///
/// Not sqlx's own transactions: where SQLite has rolled back by itself (a full disk), sqlx 0.9
/// goes on counting the transaction as open, and the connection never begins another one.
async fn transaction<T>(
    db: &mut SqliteConnection,
    begin: &'static str,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    db.execute(begin).await.doing("begin a transaction")?;
    let worked = match work(&mut *db).await {
        Ok(value) => db.execute("COMMIT").await.doing("commit").map(|_| value),
        Err(error) => Err(error),
    };
    if worked.is_err() {
        // What failed is told; that nothing was left to roll back is not worth a word.
        drop(db.execute("ROLLBACK").await);
    }
    worked
}

/// Writes nothing: that the log is a WAL is set once, at creation, and stays.
async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        // A deleted key is sealed, but gone is better than sealed.
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|error| opening(path, error))
}

fn runtime() -> Result<Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| StoreError::Database {
            action: "start",
            source: error.into(),
        })
}

/// An error of opening the database at `path`.
fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    if is_locked(&error) {
        return StoreError::Locked;
    }
    folder::cannot("open", path, std::io::Error::other(cause(error)))
}

fn identity_error(error: &StoreError) -> StoreError {
    match error {
        StoreError::Folder { path, source, .. } => {
            StoreError::Identity(format!("{}: {source}", path.display()))
        }
        other => StoreError::Identity(other.to_string()),
    }
}

/// Says what was being done when the database failed.
trait Doing<T> {
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
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
