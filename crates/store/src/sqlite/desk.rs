//! The desk on SQLite: `console.db` in a folder of its own.
//!
//! Owns: opening it, its transactions, and that the folder belongs to whoever opens it. Never: SQL of a table; that is in
//! `sql`, in the file named after what the table keeps.
//!
//! What is opened here may have been written by an attacker, so nothing in the schema is trusted to run
//! anything (`trusted_schema`, sqlite.org/security.html §4), and pages are checked as they are read.

mod rule_indexes;
mod rule_sets;
#[path = "../sql/mod.rs"]
mod sql;

use super::connection::{Doing, READ, WRITE, connect, transaction};
use super::{create, disk, folder, live, runtime, schema};
use crate::StoreError;
use SqliteDesk as Door;
use sqlx::sqlite::{SqliteConnection as Db, SqliteRow as DbRow};
use sqlx::{Connection, Executor};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Runtime;

/// The desk in a folder.
pub struct SqliteDesk {
    folder: PathBuf,
    runtime: Runtime,
    /// Taken only by `drop`.
    db: Mutex<Option<Db>>,
}

impl SqliteDesk {
    /// Opens the desk in `folder`, which is there and belongs to whoever runs this, and makes it where it is
    /// missing.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let gone = || folder::cannot("use", folder, std::io::ErrorKind::NotFound.into());
        let folder = folder::find(folder)?.ok_or_else(gone)?;
        let runtime = runtime()?;
        let opened = runtime.block_on(opened(&folder));
        let db = opened.map_err(|error| disk::explained(error, &folder))?;
        Ok(Self {
            folder,
            runtime,
            db: Mutex::new(Some(db)),
        })
    }

    fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(live(&mut db), READ, work))
            .map_err(|error| disk::explained(error, &self.folder))
    }

    fn write<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(live(db), WRITE, work))
            .map_err(|error| disk::explained(error, &self.folder))
    }
}

/// The store's folder has one agent: whoever starts one holds a lock there.
async fn only_agent(_: &mut Db) -> Result<(), StoreError> {
    Ok(())
}

/// A transaction that writes is the only one.
async fn in_turn(_: &mut Db, _: &'static str) -> Result<(), StoreError> {
    Ok(())
}

async fn opened(folder: &Path) -> Result<Db, StoreError> {
    let path = folder.join(folder::CONSOLE);
    if !folder::holds_desk(folder)? {
        create::desk(folder).await?;
    }
    folder::check_private(&path)?;
    let mut db = connect(&path).await?;
    for pragma in [
        "PRAGMA trusted_schema = OFF",
        "PRAGMA cell_size_check = ON",
        // A million rules are forgotten without being written over; keys and tokens are here as digests.
        "PRAGMA secure_delete = FAST",
        // What is lost by a power cut is a job that nobody was told is filed.
        "PRAGMA synchronous = NORMAL",
    ] {
        db.execute(pragma).await.doing("set up the connection")?;
    }
    schema::bring_desk_up_to_date(&mut db, &path).await?;
    Ok(db)
}

impl Drop for SqliteDesk {
    fn drop(&mut self) {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = db.take() {
            // What could fail is the tidying; everything stored is on disk.
            drop(self.runtime.block_on(db.close()));
        }
    }
}
