//! The people of a shop. Log-in crosses shops and is in [`super::system`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{DbError, ShopTx, sql::sql};
use crate::auth::{Permission, Role};
use crate::ids::UserId;

/// A user, without the password.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct UserRow {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: UserId,
    /// Lower case; one user in all shops.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// What colleagues call them.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    role: String,
    /// May log in.
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// Whether they showed that they read this address.
    #[diesel(sql_type = Bool)]
    pub email_confirmed: bool,
    /// Whether they were invited and have not chosen a password yet.
    #[diesel(sql_type = Bool)]
    pub invited: bool,
    /// When they were added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "id, email, name, role, active, email_confirmed_at IS NOT NULL AS email_confirmed, invited_at IS NOT NULL AS invited, created_at";

impl UserRow {
    /// The role; `None` if this version does not know it, which may do nothing.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        Role::from_name(&self.role)
    }

    /// Whether conversations may be assigned to them: they answer customers, and may log in.
    #[must_use]
    pub fn may_take_conversations(&self) -> bool {
        self.active && self.role().is_some_and(|role| role.may(Permission::ConversationsWrite))
    }
}

/// Finds one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, user: UserId) -> Result<Option<UserRow>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM users WHERE shop_id = $1 AND id = $2"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(user)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Everybody, at most 500: a team, not a list.
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx) -> Result<Vec<UserRow>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM users WHERE shop_id = $1 ORDER BY id LIMIT 500"))
        .bind::<Integer, _>(tx.shop())
        .load(tx.conn())
        .await?)
}

/// The first active owner's address.
///
/// # Errors
/// See [`DbError`].
pub async fn owner_email(tx: &mut ShopTx) -> Result<Option<String>, DbError> {
    #[derive(QueryableByName)]
    struct Email {
        #[diesel(sql_type = Text)]
        email: String,
    }
    let row: Option<Email> = sql("SELECT email FROM users WHERE shop_id = $1 AND role = 'owner' AND active ORDER BY id LIMIT 1")
        .bind::<Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(|row| row.email))
}

/// Adds a user. The e-mail must be free in all shops: [`DbError::Unique`] with `users_email` says it is not, and the transaction stays usable.
///
/// # Errors
/// See [`DbError`].
pub async fn insert(tx: &mut ShopTx, email: &str, name: &str, role: Role, password_hash: &str) -> Result<UserRow, DbError> {
    sql(format!(
        "INSERT INTO users (shop_id, email, name, role, password_hash) VALUES ($1, lower($2), $3, $4, $5) ON CONFLICT (email) DO NOTHING \
         RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(email)
    .bind::<Text, _>(name)
    .bind::<Text, _>(role.as_str())
    .bind::<Text, _>(password_hash)
    .get_result(tx.conn())
    .await
    .optional()?
    .ok_or_else(|| DbError::Unique("users_email".to_owned()))
}

/// Adds somebody who is to choose a password. Somebody who was removed, or has not joined yet, is invited anew as they are invited now; for anybody
/// else the e-mail is taken, as in [`insert`].
///
/// # Errors
/// See [`DbError`].
pub async fn invite(tx: &mut ShopTx, email: &str, name: &str, role: Role, password_hash: &str) -> Result<UserRow, DbError> {
    let standing: Option<UserRow> = sql(format!(
        "UPDATE users SET name = $3, role = $4, password_hash = $5, active = true WHERE shop_id = $1 AND email = lower($2) \
         AND (NOT active OR invited_at IS NOT NULL) RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(email)
    .bind::<Text, _>(name)
    .bind::<Text, _>(role.as_str())
    .bind::<Text, _>(password_hash)
    .get_result(tx.conn())
    .await
    .optional()?;
    let user = match standing {
        Some(user) => user.id,
        None => insert(tx, email, name, role, password_hash).await?.id,
    };
    Ok(sql(format!("UPDATE users SET invited_at = now() WHERE shop_id = $1 AND id = $2 RETURNING {COLUMNS}"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(user)
        .get_result(tx.conn())
        .await?)
}

/// How many owners may log in, locked until the end of the transaction: two who remove each other at once cannot both succeed.
///
/// # Errors
/// See [`DbError`].
pub async fn hold_owners(tx: &mut ShopTx) -> Result<usize, DbError> {
    let owners: Vec<UserRow> = sql(format!(
        "SELECT {COLUMNS} FROM users WHERE shop_id = $1 AND role = 'owner' AND active AND invited_at IS NULL ORDER BY id FOR UPDATE"
    ))
    .bind::<Integer, _>(tx.shop())
    .load(tx.conn())
    .await?;
    Ok(owners.len())
}

/// Gives somebody another role; without one they may not log in any more.
///
/// # Errors
/// See [`DbError`].
pub async fn change(tx: &mut ShopTx, user: UserId, role: Option<Role>) -> Result<UserRow, DbError> {
    Ok(sql(format!(
        "UPDATE users SET role = coalesce($3, role), active = $3 IS NOT NULL WHERE shop_id = $1 AND id = $2 RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(user)
    .bind::<Nullable<Text>, _>(role.map(Role::as_str))
    .get_result(tx.conn())
    .await?)
}

/// Gives a user a new password hash; false if it is theirs already, or there is no such user.
///
/// # Errors
/// See [`DbError`].
pub async fn set_password(tx: &mut ShopTx, user: UserId, password_hash: &str) -> Result<bool, DbError> {
    let changed = sql("UPDATE users SET password_hash = $3 WHERE shop_id = $1 AND id = $2 AND active AND password_hash <> $3")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(user)
        .bind::<Text, _>(password_hash)
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}
