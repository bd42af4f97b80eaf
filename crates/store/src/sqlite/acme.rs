//! Accounts with CAs, and renewals.
//!
//! Owns: the tables `acme_accounts` and `renewals`. Never: an account's key in clear.

use super::connection::Doing;
use super::{SqliteStore, certificates};
use crate::{AcmeAccount, AcmeStore, NewCertificate, StoreError, document};
use postseal_planner::renewal::Renewal;
use sqlx::sqlite::SqliteConnection;
use zeroize::Zeroizing;

const ACCOUNT: &str = "ACME account";
const RENEWAL: &str = "renewal";

impl AcmeStore for SqliteStore {
    fn acme_account(&self, directory: &str) -> Result<Option<AcmeAccount>, StoreError> {
        self.read(async |db| account(db, directory).await)
    }

    fn acme_credentials(&self, directory: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.read(async |db| sealed(db, directory).await)? {
            Some(sealed) => self.identity()?.open(&sealed).map(Some),
            None => Ok(None),
        }
    }

    fn put_acme_account(
        &mut self,
        account: &AcmeAccount,
        credentials: &[u8],
    ) -> Result<(), StoreError> {
        let sealed = self.identity()?.seal(credentials)?;
        self.write(async |db| put_account(db, account, sealed).await)
    }

    fn renewals(&self) -> Result<Vec<Renewal>, StoreError> {
        self.read(async |db| all(db).await)
    }

    fn put_issued(&mut self, new: &NewCertificate, renewal: &Renewal) -> Result<(), StoreError> {
        let sealed = match &new.key {
            Some(key) => Some(self.identity()?.seal(key)?),
            None => None,
        };
        self.write(async |db| {
            certificates::put(db, new, sealed).await?;
            put(db, renewal).await
        })
    }

    fn update_renewal(&mut self, renewal: &Renewal) -> Result<bool, StoreError> {
        self.write(async |db| update(db, renewal).await)
    }

    fn delete_renewal(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| delete(db, name).await)
    }
}

async fn account(
    db: &mut SqliteConnection,
    directory: &str,
) -> Result<Option<AcmeAccount>, StoreError> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT document FROM acme_accounts WHERE directory = $1")
            .bind(directory)
            .fetch_optional(db)
            .await
            .doing("look for an account")?;
    found.map(|text| document::read(ACCOUNT, &text)).transpose()
}

async fn sealed(db: &mut SqliteConnection, directory: &str) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar("SELECT sealed_credentials FROM acme_accounts WHERE directory = $1")
        .bind(directory)
        .fetch_optional(db)
        .await
        .doing("read an account's credentials")
}

async fn put_account(
    db: &mut SqliteConnection,
    account: &AcmeAccount,
    sealed: Vec<u8>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO acme_accounts (directory, document, sealed_credentials)
         VALUES ($1, $2, $3)",
    )
    .bind(&account.directory)
    .bind(document::write(ACCOUNT, account)?)
    .bind(sealed)
    .execute(db)
    .await
    .doing("store an account")?;
    Ok(())
}

async fn all(db: &mut SqliteConnection) -> Result<Vec<Renewal>, StoreError> {
    let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM renewals ORDER BY name")
        .fetch_all(db)
        .await
        .doing("list renewals")?;
    let read = documents.iter().map(|text| document::read(RENEWAL, text));
    read.collect()
}

async fn put(db: &mut SqliteConnection, renewal: &Renewal) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO renewals (name, document) VALUES ($1, $2)")
        .bind(&renewal.name)
        .bind(document::write(RENEWAL, renewal)?)
        .execute(db)
        .await
        .doing("store a renewal")?;
    Ok(())
}

async fn update(db: &mut SqliteConnection, renewal: &Renewal) -> Result<bool, StoreError> {
    let updated = sqlx::query("UPDATE renewals SET document = $2 WHERE name = $1")
        .bind(&renewal.name)
        .bind(document::write(RENEWAL, renewal)?)
        .execute(db)
        .await
        .doing("store a renewal")?;
    Ok(updated.rows_affected() > 0)
}

pub(super) async fn delete(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM renewals WHERE name = $1")
        .bind(name)
        .execute(db)
        .await
        .doing("forget a renewal")?;
    Ok(deleted.rows_affected() > 0)
}
