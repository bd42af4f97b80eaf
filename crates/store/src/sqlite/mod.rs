//! The store on SQLite.
//!
//! Owns: the door, and that it is closed. Never: SQL of a table; that is in the file named after what the table remembers. Another backend is another
//! folder beside this one, with files of the same names.
//!
//! sqlx is asynchronous, the store is not: a runtime of one thread is hidden in here. So no
//! method may be called from asynchronous code.

mod acme;
mod audit;
mod certificates;
mod connection;
mod create;
mod desk;
mod disk;
mod folder;
mod history;
mod instances;
mod leaves;
mod next_keys;
mod notices;
mod operations;
mod plans;
mod policies;
mod preflights;
mod requests;
mod rule_counts;
mod rule_history;
mod rule_list;
mod rule_news;
mod rule_policies;
mod rule_stage;
mod rule_wishes;
mod rules;
mod schema;
mod snapshots;
mod trial;
mod upload;
mod watches;

pub use desk::SqliteDesk;

use crate::identity::Identity;
use crate::{
    Certificate, Close, Hindrance, InstanceState, NewCertificate, NewOperation, NextKey, Operation,
    PendingRequest, Phase, Store, StoreError, TrialEnd, Watch,
};
use connection::{READ, WRITE, Words, connect, connect_to_read, transaction};
use mailtls::Fingerprint;
use postseal_planner::{Intent, Plan};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Runtime;
use trial::Trial;
use zeroize::Zeroizing;

/// The store in a folder.
pub struct SqliteStore {
    folder: PathBuf,
    hindrance: Option<Hindrance>,
    runtime: Runtime,
    /// Taken only by `drop`.
    db: Mutex<Option<SqliteConnection>>,
    /// Whether what is written now is only tried.
    trial: Trial,
}

impl SqliteStore {
    /// Opens the store in `folder`, and makes both where they are missing.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let folder = folder::make(folder)?;
        let runtime = runtime()?;
        if !folder::holds_store(&folder)? {
            let created = runtime.block_on(create::create(&folder));
            created.map_err(|error| disk::explained(error, &folder))?;
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

    /// Why nothing can be stored, where that was known when it was opened: it can be read all the
    /// same.
    pub fn hindrance(&self) -> Option<Hindrance> {
        self.hindrance
    }

    fn connected(folder: PathBuf, runtime: Runtime) -> Result<Self, StoreError> {
        let path = folder.join(folder::AGENT);
        folder::check_private(&path)?;
        let opened = runtime.block_on(current(&path));
        let (db, hindrance) = match opened.map_err(|error| disk::explained(error, &folder)) {
            Ok(db) => (db, disk::read_only(&folder)),
            // Where it cannot be read either, why it takes no change is the reason for that too.
            Err(StoreError::Disk {
                path: disk,
                hindrance,
            }) => {
                let read = runtime.block_on(as_it_is(&path));
                let unread = |_| StoreError::Disk {
                    path: disk,
                    hindrance,
                };
                (read.map_err(unread)?, Some(hindrance))
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            folder,
            hindrance,
            runtime,
            db: Mutex::new(Some(db)),
            trial: Trial::default(),
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
        let words = self.trial.words(READ)?;
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(live(&mut db), words, work))
            .map_err(|error| disk::explained(error, &self.folder))
    }

    /// Writes in one transaction; while something is tried, as a step of that.
    fn write<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let words = self.trial.words(WRITE)?;
        let worked = self.work(words, work);
        if worked.is_err() {
            self.trial.fail();
        }
        worked
    }

    fn work<T>(
        &mut self,
        words: Words,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(live(db), words, work))
            .map_err(|error| disk::explained(error, &self.folder))
    }
}

impl Store for SqliteStore {
    fn begin_trial(&mut self) -> Result<(), StoreError> {
        self.trial_begins()
    }

    fn end_trial(&mut self, end: TrialEnd) -> Result<(), StoreError> {
        self.trial_ends(end)
    }

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

    fn newest_certificates(
        &self,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Certificate>, StoreError> {
        self.read(async |db| certificates::newest(db, after, limit).await)
    }

    fn certificate_versions(&self, name: &str) -> Result<Vec<Certificate>, StoreError> {
        self.read(async |db| certificates::of_name(db, name).await)
    }

    fn certificates_of_leaf(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<Certificate>, StoreError> {
        self.read(async |db| leaves::find(db, fingerprint).await)
    }

    fn private_key(
        &self,
        name: &str,
        version: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.read(async |db| certificates::sealed_key(db, name, version).await)? {
            Some(sealed) => self.identity()?.open(&sealed).map(Some),
            None => Ok(None),
        }
    }

    fn put_request(&mut self, request: &PendingRequest, key: &[u8]) -> Result<bool, StoreError> {
        let sealed = self.identity()?.seal(key)?;
        self.write(async |db| requests::put(db, request, sealed).await)
    }

    fn requests(&self) -> Result<Vec<PendingRequest>, StoreError> {
        self.read(async |db| requests::all(db).await)
    }

    fn request_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.read(async |db| requests::sealed_key(db, name).await)? {
            Some(sealed) => self.identity()?.open(&sealed).map(Some),
            None => Ok(None),
        }
    }

    fn delete_request(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| requests::delete(db, name).await)
    }

    fn put_next_key(&mut self, next: &NextKey, key: &[u8]) -> Result<bool, StoreError> {
        let sealed = self.identity()?.seal(key)?;
        self.write(async |db| next_keys::put(db, next, sealed).await)
    }

    fn next_keys(&self) -> Result<Vec<NextKey>, StoreError> {
        self.read(async |db| next_keys::all(db).await)
    }

    fn next_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.read(async |db| next_keys::sealed_key(db, name).await)? {
            Some(sealed) => self.identity()?.open(&sealed).map(Some),
            None => Ok(None),
        }
    }

    fn delete_next_key(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| next_keys::delete(db, name).await)
    }

    fn delete_certificate(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| {
            next_keys::delete(db, name).await?;
            certificates::delete(db, name).await
        })
    }

    fn delete_version(&mut self, name: &str, version: u32) -> Result<bool, StoreError> {
        self.write(async |db| certificates::delete_version(db, name, version).await)
    }

    fn put_watch(&mut self, instance: &str, watch: &Watch) -> Result<(), StoreError> {
        self.write(async |db| watches::put(db, instance, watch).await)
    }

    fn watches(&self, instance: &str) -> Result<Vec<Watch>, StoreError> {
        self.read(async |db| watches::all(db, instance).await)
    }

    fn delete_watch(&mut self, instance: &str, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| watches::delete(db, instance, name).await)
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
fn live(db: &mut Option<SqliteConnection>) -> &mut SqliteConnection {
    db.as_mut()
        .expect("the connection lives as long as the store")
}

/// The database, brought up to date.
async fn current(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut db = connect(path).await?;
    schema::bring_up_to_date(&mut db, path).await?;
    Ok(db)
}

/// The database, to be read only.
async fn as_it_is(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut db = connect_to_read(path).await?;
    schema::must_be_up_to_date(&mut db, path).await?;
    Ok(db)
}

fn runtime() -> Result<Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| StoreError::Database {
            action: "start",
            source: error.into(),
        })
}

fn identity_error(error: &StoreError) -> StoreError {
    match error {
        StoreError::Folder { path, source, .. } => {
            StoreError::Identity(format!("{}: {source}", path.display()))
        }
        other => StoreError::Identity(other.to_string()),
    }
}
