//! What was told by mail.
//!
//! Owns: the column `notices` of `instances`. Never: decides what is told.

use super::SqliteStore;
use super::connection::Doing;
use crate::{StoreError, document};
use postseal_planner::notice::Notices;

const NOTICES: &str = "record of what was told by mail";

impl SqliteStore {
    /// What was told of an instance; nothing where it is not adopted.
    pub fn notices(&self, instance: &str) -> Result<Notices, StoreError> {
        let text: Option<Option<String>> = self.read(async |db| {
            sqlx::query_scalar("SELECT notices FROM instances WHERE path = $1")
                .bind(instance)
                .fetch_optional(db)
                .await
                .doing("read what was told by mail")
        })?;
        let read = text.flatten().map(|text| document::read(NOTICES, &text));
        Ok(read.transpose()?.unwrap_or_default())
    }

    /// Remembers it; [`StoreError::NotAdopted`] where there is no such instance.
    pub fn put_notices(&mut self, instance: &str, notices: &Notices) -> Result<(), StoreError> {
        let text = document::write(NOTICES, notices)?;
        let done = self.write(async |db| {
            sqlx::query("UPDATE instances SET notices = $2 WHERE path = $1")
                .bind(instance)
                .bind(text)
                .execute(db)
                .await
                .doing("remember what was told by mail")
        })?;
        match done.rows_affected() {
            0 => Err(StoreError::NotAdopted(instance.to_owned())),
            _ => Ok(()),
        }
    }
}
