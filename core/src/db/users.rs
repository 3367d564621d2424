//! The people of a shop. Log-in crosses shops and is in [`super::system`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{DbError, ShopTx, sql::sql};
use crate::auth::Role;
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
    /// When they joined.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl UserRow {
    /// The role; `None` if this version does not know it, which may do nothing.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        Role::from_name(&self.role)
    }
}

/// Finds one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, user: UserId) -> Result<Option<UserRow>, DbError> {
    Ok(sql("SELECT id, email, name, role, active, created_at FROM users WHERE shop_id = $1 AND id = $2")
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
    Ok(sql("SELECT id, email, name, role, active, created_at FROM users WHERE shop_id = $1 ORDER BY id LIMIT 500")
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
    sql("INSERT INTO users (shop_id, email, name, role, password_hash) VALUES ($1, lower($2), $3, $4, $5) ON CONFLICT (email) DO NOTHING \
         RETURNING id, email, name, role, active, created_at")
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

/// Gives a user a new password hash.
///
/// # Errors
/// See [`DbError`].
pub async fn set_password(tx: &mut ShopTx, user: UserId, password_hash: &str) -> Result<(), DbError> {
    sql("UPDATE users SET password_hash = $3 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(user)
        .bind::<Text, _>(password_hash)
        .execute(tx.conn())
        .await?;
    Ok(())
}
