//! Raw events, one row each, partitioned by month. What came on an unknown channel is logged by [`super::system`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Jsonb, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx};
use super::{channels::ChannelRef, sql::sql};
use crate::inbound::InboundEvent;

/// Whether an event was logged before.
///
/// # Errors
/// See [`DbError`].
pub async fn is_logged(tx: &mut ShopTx, dedupe_key: &str) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Logged {
        #[diesel(sql_type = Bool)]
        logged: bool,
    }
    let row: Logged = sql("SELECT EXISTS (SELECT FROM logs WHERE shop_id = $1 AND dedupe_key = $2) AS logged")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(dedupe_key)
        .get_result(tx.conn())
        .await?;
    Ok(row.logged)
}

/// Logs what came in, a row per event.
///
/// # Errors
/// See [`DbError`].
pub async fn insert_inbound(tx: &mut ShopTx, events: &[&InboundEvent]) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let platforms: Vec<&str> = events.iter().map(|event| event.channel.platform.as_str()).collect();
    let accounts: Vec<&str> = events.iter().map(|event| event.channel.external_id.as_str()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event.what.name()).collect();
    let keys: Vec<&str> = events.iter().map(|event| event.dedupe_key.as_str()).collect();
    let payloads: Vec<serde_json::Value> = events.iter().map(|event| storable(&event.raw)).collect();
    sql("INSERT INTO logs (shop_id, direction, platform, external_id, kind, dedupe_key, payload) \
         SELECT $1, 'in', event.* FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) AS event")
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Text>, _>(platforms)
    .bind::<Array<Text>, _>(accounts)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Jsonb>, _>(payloads)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Logs that something came of somebody whom the shop does not know, or knows no more: not who, and not what.
///
/// # Errors
/// See [`DbError`].
pub async fn insert_nameless(tx: &mut ShopTx, event: &InboundEvent) -> Result<(), DbError> {
    sql("INSERT INTO logs (shop_id, direction, platform, external_id, kind, payload) VALUES ($1, 'in', $2, $3, $4, '{}')")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(event.channel.platform.as_str())
        .bind::<Text, _>(&event.channel.external_id)
        .bind::<Text, _>(event.what.name())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Logs what we sent.
///
/// # Errors
/// See [`DbError`].
pub async fn insert_outbound(tx: &mut ShopTx, channel: &ChannelRef, kind: &str, provider_id: &str, body: &str) -> Result<(), DbError> {
    sql("INSERT INTO logs (shop_id, direction, platform, external_id, kind, dedupe_key, payload) VALUES ($1, 'out', $2, $3, $4, $5, $6)")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(channel.platform().as_str())
        .bind::<Text, _>(&channel.key().external_id)
        .bind::<Text, _>(kind)
        .bind::<Text, _>(format!("out:{provider_id}"))
        .bind::<Jsonb, _>(serde_json::json!({"id": provider_id, "body": body.replace('\0', "")}))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// An entry of the log.
#[derive(Debug, Clone, serde::Serialize, QueryableByName)]
pub struct LogRow {
    /// When it was logged.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// `in` or `out`.
    #[diesel(sql_type = Text)]
    pub direction: String,
    /// What happened.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// As the platform sent it.
    #[diesel(sql_type = Jsonb)]
    pub payload: serde_json::Value,
}

/// The shop's latest entries, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn latest(tx: &mut ShopTx, limit: i64) -> Result<Vec<LogRow>, DbError> {
    Ok(sql(
        "SELECT created_at, direction, kind, payload FROM logs WHERE shop_id = $1 ORDER BY created_at DESC, id DESC LIMIT least($2, 200)",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<diesel::sql_types::BigInt, _>(limit)
    .load(tx.conn())
    .await?)
}

/// Postgres's jsonb refuses NUL in strings; hostile input may hold one.
pub(super) fn storable(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "")),
        Value::Array(items) => Value::Array(items.iter().map(storable).collect()),
        Value::Object(fields) => Value::Object(fields.iter().map(|(name, value)| (name.replace('\0', ""), storable(value))).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_taken_out_wherever_it_hides() {
        let hostile = serde_json::json!({"a\0": ["x\0y", 1], "b": {"c": "\0"}});
        assert_eq!(storable(&hostile), serde_json::json!({"a": ["xy", 1], "b": {"c": ""}}));
    }
}
