//! Who changed what. Rows are only added.

use diesel::sql_types::{Integer, Jsonb, Text};
use diesel_async::RunQueryDsl;

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
