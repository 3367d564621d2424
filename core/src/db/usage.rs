//! What a shop has used: answers per calendar month, model costs per day. `today` is the shop's own calendar day.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Numeric};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::MessageId;

/// The first day of a day's month.
#[must_use]
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// Counts the answer that a message is (part of), once per turn, however often and in however many parts it was sent. Gives the month's count if this
/// one counted.
///
/// # Errors
/// See [`DbError`].
pub async fn count_reply(tx: &mut ShopTx, today: NaiveDate, message: MessageId) -> Result<Option<i32>, DbError> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = Integer)]
        messages: i32,
    }
    let counted: Option<Counted> = sql("WITH fresh AS (UPDATE turns SET counted = true WHERE shop_id = $1 AND NOT counted \
                        AND id = (SELECT turn_id FROM messages WHERE shop_id = $1 AND id = $2) RETURNING 1) \
         INSERT INTO usage (shop_id, month, messages) SELECT $1, $3, 1 FROM fresh \
         ON CONFLICT (shop_id, month) DO UPDATE SET messages = usage.messages + 1 RETURNING messages")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(message)
    .bind::<Date, _>(month_of(today))
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(counted.map(|counted| counted.messages))
}

/// See [`as_of`].
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Used {
    /// Answers counted in the calendar month.
    #[diesel(sql_type = Integer)]
    pub replies_this_month: i32,
    /// What the day's models cost, US dollars.
    #[diesel(sql_type = Numeric)]
    pub model_cost_today: Decimal,
}

/// What the shop has used by `today`.
///
/// # Errors
/// See [`DbError`].
pub async fn as_of(tx: &mut ShopTx, today: NaiveDate) -> Result<Used, DbError> {
    Ok(sql("SELECT coalesce((SELECT messages FROM usage WHERE shop_id = $1 AND month = $2), 0) AS replies_this_month, \
         coalesce((SELECT cost FROM model_usage WHERE shop_id = $1 AND day = $3), 0) AS model_cost_today")
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(month_of(today))
    .bind::<Date, _>(today)
    .get_result(tx.conn())
    .await?)
}

/// Whether the owner is to be told now that the month's answers are used up: true once a month. Notes that they are.
///
/// # Errors
/// See [`DbError`].
pub async fn tell_quota_once(tx: &mut ShopTx, today: NaiveDate, now: DateTime<Utc>) -> Result<bool, DbError> {
    note_once(tx, "quota_told_at", today, now).await
}

/// Whether the owner is to be told now that the month's answers are nearly used up: true once a month. Notes that they are.
///
/// # Errors
/// See [`DbError`].
pub async fn warn_of_quota_once(tx: &mut ShopTx, today: NaiveDate, now: DateTime<Utc>) -> Result<bool, DbError> {
    note_once(tx, "warned_at", today, now).await
}

async fn note_once(tx: &mut ShopTx, column: &str, today: NaiveDate, now: DateTime<Utc>) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Told {
        #[diesel(sql_type = Bool)]
        #[expect(dead_code, reason = "the row's being there is the answer")]
        told: bool,
    }
    let row: Option<Told> = sql(format!(
        "INSERT INTO usage (shop_id, month, {column}) VALUES ($1, $2, $3) ON CONFLICT (shop_id, month) \
         DO UPDATE SET {column} = excluded.{column} WHERE usage.{column} IS NULL RETURNING true AS told"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(month_of(today))
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
    today: NaiveDate,
    input_tokens: impl Into<i64> + Send,
    output_tokens: impl Into<i64> + Send,
    cost: Decimal,
) -> Result<(), DbError> {
    let (input_tokens, output_tokens): (i64, i64) = (input_tokens.into(), output_tokens.into());
    if input_tokens == 0 && output_tokens == 0 && cost.is_zero() {
        return Ok(());
    }
    sql(
        "INSERT INTO model_usage (shop_id, day, calls, input_tokens, output_tokens, cost) VALUES ($1, $2, 1, $3, $4, $5) \
         ON CONFLICT (shop_id, day) DO UPDATE SET calls = model_usage.calls + 1, input_tokens = model_usage.input_tokens + excluded.input_tokens, \
         output_tokens = model_usage.output_tokens + excluded.output_tokens, cost = model_usage.cost + excluded.cost",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(today)
    .bind::<BigInt, _>(input_tokens)
    .bind::<BigInt, _>(output_tokens)
    .bind::<Numeric, _>(cost)
    .execute(tx.conn())
    .await?;
    Ok(())
}
