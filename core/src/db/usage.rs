//! What a shop has used: answers per calendar month, model costs per day, both in the shop's zone.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Numeric};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{DbError, ShopTx, shops, sql::sql};
use crate::ids::MessageId;

async fn month_at(tx: &mut ShopTx, at: DateTime<Utc>) -> Result<NaiveDate, DbError> {
    let day = shops::day_at(tx, at).await?;
    Ok(day.with_day(1).unwrap_or(day))
}

/// Counts the answer that a message is (part of), once per turn, however often and in however many parts it was sent.
///
/// # Errors
/// See [`DbError`].
pub async fn count_reply(tx: &mut ShopTx, now: DateTime<Utc>, message: MessageId) -> Result<(), DbError> {
    let month = month_at(tx, now).await?;
    sql("WITH fresh AS (UPDATE turns SET counted = true WHERE shop_id = $1 AND NOT counted \
                        AND id = (SELECT turn_id FROM messages WHERE shop_id = $1 AND id = $2) RETURNING 1) \
         INSERT INTO usage (shop_id, month, messages) SELECT $1, $3, 1 FROM fresh \
         ON CONFLICT (shop_id, month) DO UPDATE SET messages = usage.messages + 1")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(message)
    .bind::<Date, _>(month)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Answers counted in the shop's current calendar month.
///
/// # Errors
/// See [`DbError`].
pub async fn replies_this_month(tx: &mut ShopTx, now: DateTime<Utc>) -> Result<i32, DbError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = Integer)]
        messages: i32,
    }
    let month = month_at(tx, now).await?;
    let row: Option<Count> = sql("SELECT messages FROM usage WHERE shop_id = $1 AND month = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Date, _>(month)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map_or(0, |row| row.messages))
}

/// Whether the owner is to be told now that the month's answers are used up: true once a month. Notes that they are.
///
/// # Errors
/// See [`DbError`].
pub async fn tell_quota_once(tx: &mut ShopTx, now: DateTime<Utc>) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Told {
        #[diesel(sql_type = Bool)]
        #[expect(dead_code, reason = "the row's being there is the answer")]
        told: bool,
    }
    let month = month_at(tx, now).await?;
    let row: Option<Told> = sql("INSERT INTO usage (shop_id, month, quota_told_at) VALUES ($1, $2, $3) ON CONFLICT (shop_id, month) \
         DO UPDATE SET quota_told_at = excluded.quota_told_at WHERE usage.quota_told_at IS NULL RETURNING true AS told")
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(month)
    .bind::<diesel::sql_types::Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.is_some())
}

/// Adds what a turn's model calls took; `cost` in US dollars.
///
/// # Errors
/// See [`DbError`].
pub async fn add_model_cost(
    tx: &mut ShopTx,
    now: DateTime<Utc>,
    input_tokens: impl Into<i64> + Send,
    output_tokens: impl Into<i64> + Send,
    cost: Decimal,
) -> Result<(), DbError> {
    let (input_tokens, output_tokens): (i64, i64) = (input_tokens.into(), output_tokens.into());
    if input_tokens == 0 && output_tokens == 0 && cost.is_zero() {
        return Ok(());
    }
    let day = shops::day_at(tx, now).await?;
    sql(
        "INSERT INTO model_usage (shop_id, day, calls, input_tokens, output_tokens, cost) VALUES ($1, $2, 1, $3, $4, $5) \
         ON CONFLICT (shop_id, day) DO UPDATE SET calls = model_usage.calls + 1, input_tokens = model_usage.input_tokens + excluded.input_tokens, \
         output_tokens = model_usage.output_tokens + excluded.output_tokens, cost = model_usage.cost + excluded.cost",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(day)
    .bind::<BigInt, _>(input_tokens)
    .bind::<BigInt, _>(output_tokens)
    .bind::<Numeric, _>(cost)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the shop's models cost today, in US dollars.
///
/// # Errors
/// See [`DbError`].
pub async fn model_cost_today(tx: &mut ShopTx, now: DateTime<Utc>) -> Result<Decimal, DbError> {
    #[derive(QueryableByName)]
    struct Cost {
        #[diesel(sql_type = Numeric)]
        cost: Decimal,
    }
    let day = shops::day_at(tx, now).await?;
    let row: Option<Cost> = sql("SELECT cost FROM model_usage WHERE shop_id = $1 AND day = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Date, _>(day)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map_or(Decimal::ZERO, |row| row.cost))
}
