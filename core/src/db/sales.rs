//! The figures: rows per day, per day and product, and per state, kept in the transaction of each order, so that a dashboard costs the same at any
//! number of orders.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Numeric, Text};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::orders::{Order, OrderStatus};
use super::{DbError, ShopTx, sql::sql};
use crate::ids::ProductId;
use crate::money::Money;

/// A new order counts: on its day, for its products, among the pending ones.
pub(super) async fn count(tx: &mut ShopTx, order: &Order) -> Result<(), DbError> {
    change(tx, order, 1).await?;
    sql(
        "INSERT INTO order_counts (shop_id, pending) VALUES ($1, 1) ON CONFLICT (shop_id) DO UPDATE SET pending = order_counts.pending + 1",
    )
    .bind::<Integer, _>(tx.shop())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An order moves on from where it stands; taken back, it counts no more.
pub(super) async fn move_on(tx: &mut ShopTx, order: &Order, next: OrderStatus) -> Result<(), DbError> {
    if order.status.stands() && !next.stands() {
        change(tx, order, -1).await?;
    }
    let (from, to) = (order.status, next);
    sql(format!(
        "INSERT INTO order_counts (shop_id, {from}, {to}) VALUES ($1, -1, 1) \
         ON CONFLICT (shop_id) DO UPDATE SET {from} = order_counts.{from} - 1, {to} = order_counts.{to} + 1"
    ))
    .bind::<Integer, _>(tx.shop())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The rows of its products are changed by whoever holds the products' locks, so their order does not matter; then the day's row.
async fn change(tx: &mut ShopTx, order: &Order, sign: i32) -> Result<(), DbError> {
    let products: Vec<i32> = order.lines.iter().map(|line| line.product_id.0).collect();
    let pieces: Vec<i64> = order.lines.iter().map(|line| i64::from(sign * line.quantity)).collect();
    let revenues: Vec<Money> = order.lines.iter().map(|line| line.revenue.times(sign)).collect();
    let profits: Vec<Money> = order.lines.iter().map(|line| line.profit.times(sign)).collect();
    sql(
        "INSERT INTO product_sales (shop_id, day, product_id, pieces, revenue, cost, profit) \
         SELECT $1, $2, product_id, sum(pieces), sum(revenue), sum(revenue - profit), sum(profit) \
         FROM unnest($3::int[], $4::bigint[], $5::numeric[], $6::numeric[]) AS line (product_id, pieces, revenue, profit) GROUP BY product_id \
         ON CONFLICT (shop_id, day, product_id) DO UPDATE SET pieces = product_sales.pieces + excluded.pieces, \
             revenue = product_sales.revenue + excluded.revenue, cost = product_sales.cost + excluded.cost, profit = product_sales.profit + excluded.profit",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(order.sale_date)
    .bind::<Array<Integer>, _>(products)
    .bind::<Array<BigInt>, _>(&pieces)
    .bind::<Array<Numeric>, _>(revenues)
    .bind::<Array<Numeric>, _>(profits)
    .execute(tx.conn())
    .await?;
    // The row is made first and changed then: an upsert would check the limits on the change alone, which may be negative.
    sql("INSERT INTO daily_sales (shop_id, day) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind::<Integer, _>(tx.shop())
        .bind::<Date, _>(order.sale_date)
        .execute(tx.conn())
        .await?;
    sql(
        "UPDATE daily_sales SET orders = orders + $3, pieces = pieces + $4, revenue = revenue + $5, cost = cost + $6, profit = profit + $7, \
         cancelled = cancelled + $8 WHERE shop_id = $1 AND day = $2",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(order.sale_date)
    .bind::<BigInt, _>(i64::from(sign))
    .bind::<BigInt, _>(pieces.iter().sum::<i64>())
    .bind::<Numeric, _>(order.revenue.times(sign))
    .bind::<Numeric, _>(order.cost.times(sign))
    .bind::<Numeric, _>(order.profit.times(sign))
    .bind::<BigInt, _>(i64::from(sign < 0))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sums over days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, QueryableByName)]
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

/// What a product brought in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct ProductSales {
    /// The product.
    #[diesel(sql_type = Integer)]
    pub product_id: ProductId,
    /// Its name today.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Pieces sold.
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
}

/// The products that brought in most over the days from `from` to `to`, at most `limit` (100).
///
/// # Errors
/// See [`DbError`].
pub async fn best_sellers(tx: &mut ShopTx, from: NaiveDate, to: NaiveDate, limit: i64) -> Result<Vec<ProductSales>, DbError> {
    Ok(sql("WITH best AS (SELECT product_id, sum(pieces)::bigint AS pieces, sum(revenue) AS revenue, sum(cost) AS cost, sum(profit) AS profit \
             FROM product_sales WHERE shop_id = $1 AND day BETWEEN $2 AND $3 GROUP BY product_id HAVING sum(pieces) > 0 \
             ORDER BY sum(revenue) DESC, product_id LIMIT $4) \
         SELECT b.product_id, p.name, b.pieces, b.revenue, b.cost, b.profit FROM best b JOIN products p ON p.shop_id = $1 AND p.id = b.product_id \
         ORDER BY b.revenue DESC, b.product_id")
    .bind::<Integer, _>(tx.shop())
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .bind::<BigInt, _>(limit.clamp(0, 100))
    .load(tx.conn())
    .await?)
}

/// How many orders stand where, of all days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, QueryableByName)]
pub struct OrderCounts {
    /// Placed, and not looked at yet.
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    /// Taken on, and not handed over yet.
    #[diesel(sql_type = BigInt)]
    pub confirmed: i64,
    /// Handed over.
    #[diesel(sql_type = BigInt)]
    pub fulfilled: i64,
    /// Taken back before that.
    #[diesel(sql_type = BigInt)]
    pub cancelled: i64,
    /// Taken back after.
    #[diesel(sql_type = BigInt)]
    pub refunded: i64,
}

/// How many orders stand where.
///
/// # Errors
/// See [`DbError`].
pub async fn order_counts(tx: &mut ShopTx) -> Result<OrderCounts, DbError> {
    let row: Option<OrderCounts> = sql("SELECT pending, confirmed, fulfilled, cancelled, refunded FROM order_counts WHERE shop_id = $1")
        .bind::<Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// Where the figures differ from the orders: nowhere, ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Days with wrong totals.
    pub days: Vec<NaiveDate>,
    /// Days on which the sales of some product are wrong.
    pub product_days: Vec<NaiveDate>,
    /// Whether the number of orders of some state is wrong.
    pub counts: bool,
}

impl Differences {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.len() + self.product_days.len() + usize::from(self.counts)
    }

    /// Whether all is well.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Counts every figure anew, each kind as one snapshot. Costs three passes over all orders of the shop.
///
/// # Errors
/// See [`DbError`].
pub async fn differences(tx: &mut ShopTx) -> Result<Differences, DbError> {
    let days = wrong_days(tx).await?;
    let product_days: Vec<Day> = sql(
        "WITH anew AS (SELECT sale_date AS day, product_id, sum(quantity) AS pieces, sum(revenue) AS revenue, sum(cost * quantity) AS cost, sum(profit) AS profit \
             FROM orders WHERE shop_id = $1 AND status NOT IN ('cancelled', 'refunded') GROUP BY sale_date, product_id), \
         kept AS (SELECT day, product_id, pieces, revenue, cost, profit FROM product_sales WHERE shop_id = $1 \
             AND (pieces, revenue, cost, profit) IS DISTINCT FROM (0, 0, 0, 0)) \
         SELECT DISTINCT coalesce(anew.day, kept.day) AS day FROM anew FULL JOIN kept ON kept.day = anew.day AND kept.product_id = anew.product_id \
         WHERE (anew.pieces, anew.revenue, anew.cost, anew.profit) IS DISTINCT FROM (kept.pieces, kept.revenue, kept.cost, kept.profit) ORDER BY 1",
    )
    .bind::<Integer, _>(tx.shop())
    .load(tx.conn())
    .await?;
    let counts: Wrong = sql(
        "WITH anew AS (SELECT count(*) FILTER (WHERE status = 'pending') AS pending, count(*) FILTER (WHERE status = 'confirmed') AS confirmed, \
             count(*) FILTER (WHERE status = 'fulfilled') AS fulfilled, count(*) FILTER (WHERE status = 'cancelled') AS cancelled, \
             count(*) FILTER (WHERE status = 'refunded') AS refunded FROM orders WHERE shop_id = $1 AND line_no = 1) \
         SELECT (pending, confirmed, fulfilled, cancelled, refunded) IS DISTINCT FROM \
             (SELECT (coalesce(sum(c.pending), 0)::bigint, coalesce(sum(c.confirmed), 0)::bigint, coalesce(sum(c.fulfilled), 0)::bigint, \
                 coalesce(sum(c.cancelled), 0)::bigint, coalesce(sum(c.refunded), 0)::bigint) FROM order_counts c WHERE c.shop_id = $1) AS wrong FROM anew",
    )
    .bind::<Integer, _>(tx.shop())
    .get_result(tx.conn())
    .await?;
    Ok(Differences { days, product_days: product_days.into_iter().map(|row| row.day).collect(), counts: counts.wrong })
}

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
}

#[derive(QueryableByName)]
struct Wrong {
    #[diesel(sql_type = Bool)]
    wrong: bool,
}

/// The days whose figures are not what the orders say, counted anew: none, ever. Costs a pass over all orders of the shop.
///
/// # Errors
/// See [`DbError`].
pub async fn wrong_days(tx: &mut ShopTx) -> Result<Vec<NaiveDate>, DbError> {
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
