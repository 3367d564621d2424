//! Who changed what. Rows are only added.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{DbError, ShopTx, sql::sql};

/// Notes that `actor` (`user:7`, `agent`, `system`) did `action` to `subject` (`product:12`).
///
/// # Errors
/// See [`DbError`].
pub async fn add(tx: &mut ShopTx, actor: &str, action: &str, subject: &str, detail: &serde_json::Value) -> Result<(), DbError> {
    sql("INSERT INTO audit (shop_id, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(actor)
        .bind::<Text, _>(action)
        .bind::<Text, _>(subject)
        .bind::<Jsonb, _>(detail)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A change.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct AuditRow {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Who: `user:7`, `agent`, `system`.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// What was done.
    #[diesel(sql_type = Text)]
    pub action: String,
    /// To what: `product:12`.
    #[diesel(sql_type = Text)]
    pub subject: String,
    /// More about it.
    #[diesel(sql_type = Jsonb)]
    pub detail: serde_json::Value,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// The shop's changes, the latest first, before the id `before`; of one subject or of all.
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, subject: Option<&str>, before: Option<i64>, limit: i64) -> Result<Vec<AuditRow>, DbError> {
    Ok(sql("SELECT id, actor, action, subject, detail, created_at FROM audit \
         WHERE shop_id = $1 AND id < coalesce($2, 9223372036854775807) AND ($3 IS NULL OR subject = $3) ORDER BY id DESC LIMIT $4")
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<Nullable<Text>, _>(subject)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?)
}
