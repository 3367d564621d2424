//! The figures: one row per shop and day, kept in the transaction of each order, so that a dashboard costs the same at any number of orders.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Numeric};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{DbError, ShopTx, sql::sql};
use crate::money::Money;

/// What a day's row changes by.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    /// Orders.
    pub(super) orders: i64,
    /// Pieces.
    pub(super) pieces: i64,
    /// Revenue.
    pub(super) revenue: Money,
    /// Cost.
    pub(super) cost: Money,
    /// Orders taken back.
    pub(super) cancelled: i64,
}

pub(super) async fn add(tx: &mut ShopTx, day: NaiveDate, change: Change) -> Result<(), DbError> {
    // The row is made first and changed then: an upsert would check the limits on the change alone, which may be negative.
    sql("INSERT INTO daily_sales (shop_id, day) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind::<Integer, _>(tx.shop())
        .bind::<Date, _>(day)
        .execute(tx.conn())
        .await?;
    sql(
        "UPDATE daily_sales SET orders = orders + $3, pieces = pieces + $4, revenue = revenue + $5, cost = cost + $6, profit = profit + $7, \
         cancelled = cancelled + $8 WHERE shop_id = $1 AND day = $2",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(day)
    .bind::<BigInt, _>(change.orders)
    .bind::<BigInt, _>(change.pieces)
    .bind::<Numeric, _>(change.revenue)
    .bind::<Numeric, _>(change.cost)
    .bind::<Numeric, _>(change.revenue - change.cost)
    .bind::<BigInt, _>(change.cancelled)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sums over days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct Summary {
    /// Orders that stand.
    #[diesel(sql_type = BigInt)]
    pub orders: i64,
    /// Their pieces.
    #[diesel(sql_type = BigInt)]
    pub pieces: i64,
    /// What customers pay for them.
    #[diesel(sql_type = Numeric)]
    pub revenue: Money,
    /// What they cost the shop.
    #[diesel(sql_type = Numeric)]
    pub cost: Money,
    /// Revenue less cost.
    #[diesel(sql_type = Numeric)]
    pub profit: Money,
    /// Orders cancelled or refunded.
    #[diesel(sql_type = BigInt)]
    pub cancelled: i64,
}

/// The sums over the days from `from` to `to`, both included, in the shop's calendar; open ends reach as far as there are orders.
///
/// # Errors
/// See [`DbError`].
pub async fn summary(tx: &mut ShopTx, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Summary, DbError> {
    Ok(sql(
        "SELECT coalesce(sum(orders), 0)::bigint AS orders, coalesce(sum(pieces), 0)::bigint AS pieces, coalesce(sum(revenue), 0) AS revenue, \
         coalesce(sum(cost), 0) AS cost, coalesce(sum(profit), 0) AS profit, coalesce(sum(cancelled), 0)::bigint AS cancelled \
         FROM daily_sales WHERE shop_id = $1 AND day BETWEEN coalesce($2, '-infinity'::date) AND coalesce($3, 'infinity'::date)",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<diesel::sql_types::Nullable<Date>, _>(from)
    .bind::<diesel::sql_types::Nullable<Date>, _>(to)
    .get_result(tx.conn())
    .await?)
}

/// One day's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct DayRow {
    /// The day in the shop's calendar.
    #[diesel(sql_type = Date)]
    pub day: NaiveDate,
    /// The sums.
    #[diesel(embed)]
    #[serde(flatten)]
    pub sums: Summary,
}

/// The figures of each day with sales, oldest first; at most 800 days.
///
/// # Errors
/// See [`DbError`].
pub async fn days(tx: &mut ShopTx, from: NaiveDate, to: NaiveDate) -> Result<Vec<DayRow>, DbError> {
    Ok(sql(
        "SELECT day, orders, pieces, revenue, cost, profit, cancelled FROM daily_sales WHERE shop_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day LIMIT 800",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .load(tx.conn())
    .await?)
}

/// The days whose figures are not what the orders say, counted anew: none, ever. Costs a pass over all orders of the shop.
///
/// # Errors
/// See [`DbError`].
pub async fn wrong_days(tx: &mut ShopTx) -> Result<Vec<NaiveDate>, DbError> {
    #[derive(QueryableByName)]
    struct Day {
        #[diesel(sql_type = Date)]
        day: NaiveDate,
    }
    let rows: Vec<Day> = sql(
        "WITH anew AS ( \
             SELECT sale_date AS day, count(DISTINCT order_no) FILTER (WHERE stands) AS orders, coalesce(sum(quantity) FILTER (WHERE stands), 0) AS pieces, \
                    coalesce(sum(revenue) FILTER (WHERE stands), 0) AS revenue, coalesce(sum(cost * quantity) FILTER (WHERE stands), 0) AS cost, \
                    coalesce(sum(profit) FILTER (WHERE stands), 0) AS profit, count(DISTINCT order_no) FILTER (WHERE NOT stands) AS cancelled \
             FROM (SELECT *, status NOT IN ('cancelled', 'refunded') AS stands FROM orders WHERE shop_id = $1) AS lines GROUP BY sale_date), \
         kept AS (SELECT day, orders, pieces, revenue, cost, profit, cancelled FROM daily_sales WHERE shop_id = $1) \
         SELECT coalesce(anew.day, kept.day) AS day FROM anew FULL JOIN kept ON kept.day = anew.day \
         WHERE (anew.orders, anew.pieces, anew.revenue, anew.cost, anew.profit, anew.cancelled) \
               IS DISTINCT FROM (kept.orders, kept.pieces, kept.revenue, kept.cost, kept.profit, kept.cancelled) ORDER BY 1",
    )
    .bind::<Integer, _>(tx.shop())
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.day).collect())
}
