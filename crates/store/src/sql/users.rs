//! Users and invitations.
//!
//! Owns: the tables `users` and `invitations`. Never: a password or the secret of a link in clear.

use super::{Db, DbRow, Doing, sessions};
use crate::StoreError;
use crate::desk::{Invitation, Secret, User};
use sqlx::{FromRow, Row};

pub(super) async fn all(db: &mut Db) -> Result<Vec<User>, StoreError> {
    sqlx::query_as("SELECT name, role, password, totp, added_ms FROM users ORDER BY name")
        .fetch_all(db)
        .await
        .doing("list users")
}

pub(super) async fn find(db: &mut Db, name: &str) -> Result<Option<User>, StoreError> {
    sqlx::query_as("SELECT name, role, password, totp, added_ms FROM users WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await
        .doing("find a user")
}

pub(super) async fn add(db: &mut Db, user: &User) -> Result<bool, StoreError> {
    let sql = "INSERT INTO users (name, role, password, totp, added_ms) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING";
    let added = sqlx::query(sql)
        .bind(&user.name)
        .bind(user.role.name())
        .bind(&user.password)
        .bind(&user.totp)
        .bind(user.added_ms)
        .execute(db)
        .await
        .doing("add a user")?;
    Ok(added.rows_affected() > 0)
}

pub(super) async fn change(db: &mut Db, user: &User) -> Result<bool, StoreError> {
    let Some(before) = find(&mut *db, &user.name).await? else {
        return Ok(false);
    };
    sqlx::query("UPDATE users SET role = $2, password = $3, totp = $4 WHERE name = $1")
        .bind(&user.name)
        .bind(user.role.name())
        .bind(&user.password)
        .bind(&user.totp)
        .execute(&mut *db)
        .await
        .doing("change a user")?;
    if before.password != user.password {
        sessions::remove_of_user(db, &user.name).await?;
    }
    Ok(true)
}

pub(super) async fn remove(db: &mut Db, name: &str) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM users WHERE name = $1")
        .bind(name)
        .execute(db)
        .await
        .doing("remove a user")?;
    Ok(removed.rows_affected() > 0)
}

pub(super) async fn take_totp_step(db: &mut Db, user: &str, step: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE users SET totp_step = $2 \
               WHERE name = $1 AND (totp_step IS NULL OR totp_step < $2)";
    let taken = sqlx::query(sql)
        .bind(user)
        .bind(step)
        .execute(db)
        .await
        .doing("take a time step")?;
    Ok(taken.rows_affected() > 0)
}

pub(super) async fn invite(db: &mut Db, invitation: &Invitation) -> Result<(), StoreError> {
    end_invitations(&mut *db, &invitation.user).await?;
    sqlx::query("INSERT INTO invitations (digest, \"user\", ends_ms) VALUES ($1, $2, $3)")
        .bind(invitation.digest.as_slice())
        .bind(&invitation.user)
        .bind(invitation.ends_ms)
        .execute(db)
        .await
        .doing("invite a user")?;
    Ok(())
}

pub(super) async fn invited(
    db: &mut Db,
    digest: &Secret,
    now_ms: i64,
) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar("SELECT \"user\" FROM invitations WHERE digest = $1 AND ends_ms > $2")
        .bind(digest.as_slice())
        .bind(now_ms)
        .fetch_optional(db)
        .await
        .doing("find an invitation")
}

pub(super) async fn take_invitation(
    db: &mut Db,
    digest: &Secret,
    password: &str,
    now_ms: i64,
) -> Result<Option<String>, StoreError> {
    let Some(name) = invited(&mut *db, digest, now_ms).await? else {
        return Ok(None);
    };
    end_invitations(&mut *db, &name).await?;
    let Some(user) = find(&mut *db, &name).await? else {
        return Ok(None);
    };
    let password = Some(password.to_owned());
    change(db, &User { password, ..user }).await?;
    Ok(Some(name))
}

async fn end_invitations(db: &mut Db, user: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM invitations WHERE \"user\" = $1")
        .bind(user)
        .execute(db)
        .await
        .doing("end invitations")?;
    Ok(())
}

impl FromRow<'_, DbRow> for User {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        let role: String = row.try_get("role")?;
        Ok(Self {
            name: row.try_get("name")?,
            role: role
                .parse()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            password: row.try_get("password")?,
            totp: row.try_get("totp")?,
            added_ms: row.try_get("added_ms")?,
        })
    }
}
