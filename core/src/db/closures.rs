//! Holidays and other times at which nobody, or one of the staff, can be booked.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, sql::sql};
use crate::availability::Closure;
use crate::hours::Span;
use crate::ids::{ClosureId, StaffId};

/// Closures that one look reads at most: more than anybody types in.
const MOST: i64 = 2_000;

/// A closure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct ClosureRow {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: ClosureId,
    /// Whose; absent: the whole shop's.
    #[diesel(sql_type = Nullable<Integer>)]
    pub staff_id: Option<StaffId>,
    /// The first day, in the shop's zone.
    #[diesel(sql_type = Date)]
    pub from_day: NaiveDate,
    /// The last day.
    #[diesel(sql_type = Date)]
    pub to_day: NaiveDate,
    /// A time of day on each of them, see [`Span`]; absent: all day.
    #[diesel(sql_type = Nullable<Text>)]
    pub span: Option<String>,
    /// What for.
    #[diesel(sql_type = Text)]
    pub note: String,
    /// When it was added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl ClosureRow {
    /// As availability sees it. A span that cannot be read closes all day.
    #[must_use]
    pub fn closure(&self) -> Closure {
        Closure { from_day: self.from_day, to_day: self.to_day, span: self.span.as_ref().and_then(|span| span.parse().ok()) }
    }
}

const COLUMNS: &str = "id, staff_id, from_day, to_day, span, note, created_at";

/// Closures that touch these days, of the shop and of everybody.
///
/// # Errors
/// See [`DbError`].
pub async fn between(tx: &mut ShopTx, from: NaiveDate, to: NaiveDate) -> Result<Vec<ClosureRow>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM closures WHERE shop_id = $1 AND to_day >= $2 AND from_day <= $3 ORDER BY id LIMIT {MOST}"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .load(tx.conn())
        .await?)
}

/// A page of the closures that are not over before `from` (all, if absent): those after an id, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, from: Option<NaiveDate>, after: Option<ClosureId>, limit: i64) -> Result<Vec<ClosureRow>, DbError> {
    Ok(sql(format!(
        "SELECT {COLUMNS} FROM closures WHERE shop_id = $1 AND ($2::date IS NULL OR to_day >= $2) AND id > coalesce($3, 0) ORDER BY id LIMIT $4"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Date>, _>(from)
    .bind::<Nullable<Integer>, _>(after)
    .bind::<BigInt, _>(limit.clamp(0, 200))
    .load(tx.conn())
    .await?)
}

/// Adds a closure; `None` if nobody like this works here.
///
/// # Errors
/// See [`DbError`].
pub async fn insert(
    tx: &mut ShopTx,
    staff: Option<StaffId>,
    days: (NaiveDate, NaiveDate),
    span: Option<Span>,
    note: &str,
) -> Result<Option<ClosureRow>, DbError> {
    Ok(sql(format!(
        "INSERT INTO closures (shop_id, staff_id, from_day, to_day, span, note) SELECT $1, $2, $3, $4, $5, $6 \
         WHERE $2::int IS NULL OR EXISTS (SELECT FROM staff WHERE shop_id = $1 AND id = $2 AND active) RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Integer>, _>(staff)
    .bind::<Date, _>(days.0)
    .bind::<Date, _>(days.1)
    .bind::<Nullable<Text>, _>(span.map(|span| span.to_string()))
    .bind::<Text, _>(note)
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// Takes a closure away; false if there is none.
///
/// # Errors
/// See [`DbError`].
pub async fn delete(tx: &mut ShopTx, id: ClosureId) -> Result<bool, DbError> {
    let gone = sql("DELETE FROM closures WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .execute(tx.conn())
        .await?;
    Ok(gone > 0)
}
