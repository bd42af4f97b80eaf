//! A new store.
//!
//! Owns: that a store is either whole or not there. Never: touches a file that is there.
//!
//! Everything is made in a folder beside and then linked to its name; a link, unlike a rename,
//! does not replace. `agent.db` comes last: where it is, the rest is. Two processes may do this
//! at once; the first link of each file wins.

use super::connection::{Doing, connect};
use super::folder::{self, AGENT, CONSOLE, IDENTITY, cannot};
use super::schema;
use crate::StoreError;
use crate::identity::Identity;
use sqlx::migrate::Migrator;
use sqlx::{Connection, Executor, SqliteConnection};
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

/// Makes identity and database in `folder`, those that are missing.
pub(super) async fn create(folder: &Path) -> Result<(), StoreError> {
    let beside = beside(folder)?;
    let recipient = identity(beside.path(), folder)?;
    let mut agent = database(&beside.path().join(AGENT), &schema::agent()).await?;
    sqlx::query("INSERT INTO identity (one, recipient) VALUES (1, $1)")
        .bind(recipient)
        .execute(&mut agent)
        .await
        .doing("store the recipient")?;
    finish(agent).await?;
    publish(beside.path(), folder, AGENT)
}

/// Makes a desk in `folder`.
pub(super) async fn desk(folder: &Path) -> Result<(), StoreError> {
    let beside = beside(folder)?;
    let desk = database(&beside.path().join(CONSOLE), &schema::console()).await?;
    finish(desk).await?;
    publish(beside.path(), folder, CONSOLE)
}

/// A folder for what is not whole yet; taken away again when it is dropped.
fn beside(folder: &Path) -> Result<TempDir, StoreError> {
    let made = || {
        let beside = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(folder)?;
        std::fs::set_permissions(&beside, Permissions::from_mode(0o700))?;
        Ok(beside)
    };
    made().map_err(|source| cannot("create", folder, source))
}

/// The recipient of the folder's identity. One that is there is kept: it may open the keys of a
/// backup.
fn identity(beside: &Path, folder: &Path) -> Result<String, StoreError> {
    let path = folder.join(IDENTITY);
    if !folder::exists(folder, IDENTITY)? {
        let draft = beside.join(IDENTITY);
        folder::make_private_file(&draft)
            .and_then(Identity::write_new)
            .map_err(|source| cannot("create", &path, source))?;
        publish(beside, folder, IDENTITY)?;
    }
    folder::check_private(&path)?;
    Ok(Identity::read(&path)?.recipient())
}

async fn database(path: &Path, migrator: &Migrator) -> Result<SqliteConnection, StoreError> {
    // SQLite gives its logs the mode of the database.
    folder::make_private_file(path).map_err(|source| cannot("create", path, source))?;
    let mut db = connect(path).await?;
    // Kept in the file: readers and the one writer do not wait for each other.
    db.execute("PRAGMA journal_mode = WAL")
        .await
        .doing("set the journal mode")?;
    schema::run(&mut db, migrator, path).await?;
    Ok(db)
}

/// Closing moves the log into the database and removes it, so that one file is everything.
async fn finish(db: SqliteConnection) -> Result<(), StoreError> {
    db.close().await.doing("close a new database")
}

fn publish(beside: &Path, folder: &Path, name: &str) -> Result<(), StoreError> {
    let path = folder.join(name);
    let link = || {
        match std::fs::hard_link(beside.join(name), &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked?,
        }
        File::open(folder)?.sync_all()
    };
    link().map_err(|source| cannot("create", &path, source))
}
