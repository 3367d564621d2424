//! Orders: placed at today's prices, never beyond the stock; moved through their states; taken back once. Rows are locked in one order everywhere:
//! the order's lines, products by id, the shop's next number, the day's figures.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

mod reading;

pub use super::sales::{Summary, summary};
use super::{DbError, ShopTx, products, sales, shops, sql::sql, stock};
use crate::ids::{CustomerId, OrderId, OrderNo, ProductId, ProposalId};
use crate::inbound::Platform;
use crate::jobs::WantedLine;
use crate::money::Money;
pub use reading::{OrderEvent, OrderFilter, OrderSort, conversation, find, for_customer, history, list};

/// Lines of one order at most: a chat is not a bulk trade.
pub const MAX_LINES: usize = 50;
/// Pieces of one line at most.
pub const MAX_QUANTITY: i32 = 10_000;
/// Orders per page at most.
const MAX_PAGE: i64 = 200;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed; the shop has not looked at it yet.
    Pending,
    /// The shop has taken it on.
    Confirmed,
    /// Handed over or sent.
    Fulfilled,
    /// Taken back before it was handed over.
    Cancelled,
    /// Taken back after.
    Refunded,
}

impl OrderStatus {
    /// Every state.
    pub const ALL: &[Self] = &[Self::Pending, Self::Confirmed, Self::Fulfilled, Self::Cancelled, Self::Refunded];

    /// The name used in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == name)
    }

    /// Whether the sale counts and the pieces are gone.
    #[must_use]
    pub const fn stands(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Refunded)
    }

    /// The table of moves.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Confirmed | Self::Fulfilled | Self::Cancelled)
                | (Self::Confirmed, Self::Fulfilled | Self::Cancelled)
                | (Self::Fulfilled, Self::Refunded)
        )
    }
}

impl std::fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The line's own id.
    pub id: OrderId,
    /// The product.
    pub product_id: ProductId,
    /// Its name when ordered.
    pub product_name: String,
    /// Pieces.
    pub quantity: i32,
    /// Price per piece when ordered.
    pub price: Money,
    /// Cost per piece when ordered.
    pub cost: Money,
    /// Price times quantity.
    pub revenue: Money,
    /// Revenue less cost times quantity.
    pub profit: Money,
}

/// One purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The number customers see.
    pub order_no: OrderNo,
    /// Where it stands.
    pub status: OrderStatus,
    /// Who ordered, if they are a customer of a channel.
    pub customer_id: Option<CustomerId>,
    /// Their name.
    pub customer_name: String,
    /// How to reach them.
    pub contact: Option<String>,
    /// Where they ordered.
    pub platform: Option<String>,
    /// `agent` or `staff`.
    pub source: String,
    /// All lines' revenue.
    pub revenue: Money,
    /// All lines' cost.
    pub cost: Money,
    /// All lines' profit.
    pub profit: Money,
    /// The day in the shop's calendar on which it counts.
    pub sale_date: NaiveDate,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When its state last changed.
    pub updated_at: DateTime<Utc>,
    /// What was ordered.
    pub lines: Vec<OrderLine>,
}

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = BigInt)]
    id: OrderId,
    #[diesel(sql_type = BigInt)]
    order_no: OrderNo,
    #[diesel(sql_type = Integer)]
    product_id: ProductId,
    #[diesel(sql_type = Text)]
    product_name: String,
    #[diesel(sql_type = Integer)]
    quantity: i32,
    #[diesel(sql_type = Numeric)]
    price: Money,
    #[diesel(sql_type = Numeric)]
    cost: Money,
    #[diesel(sql_type = Numeric)]
    revenue: Money,
    #[diesel(sql_type = Numeric)]
    profit: Money,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    customer_id: Option<CustomerId>,
    #[diesel(sql_type = Text)]
    customer_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    contact: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    platform: Option<String>,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Date)]
    sale_date: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, order_no, product_id, product_name, quantity, price, cost, revenue, profit, status, customer_id, customer_name, contact, \
                       platform, source, sale_date, created_at, updated_at";

/// Lines that follow one another by order make orders.
fn group(rows: Vec<LineRow>) -> Result<Vec<Order>, DbError> {
    let mut orders: Vec<Order> = Vec::new();
    for row in rows {
        let line = OrderLine {
            id: row.id,
            product_id: row.product_id,
            product_name: row.product_name,
            quantity: row.quantity,
            price: row.price,
            cost: row.cost,
            revenue: row.revenue,
            profit: row.profit,
        };
        let cost = line.cost.times(line.quantity);
        match orders.last_mut() {
            Some(order) if order.order_no == row.order_no => {
                order.revenue += line.revenue;
                order.cost += cost;
                order.profit += line.profit;
                order.lines.push(line);
            }
            _ => orders.push(Order {
                order_no: row.order_no,
                status: OrderStatus::from_name(&row.status).ok_or_else(|| DbError::odd("an order in an unknown state"))?,
                customer_id: row.customer_id,
                customer_name: row.customer_name,
                contact: row.contact,
                platform: row.platform,
                source: row.source,
                revenue: line.revenue,
                cost,
                profit: line.profit,
                sale_date: row.sale_date,
                created_at: row.created_at,
                updated_at: row.updated_at,
                lines: vec![line],
            }),
        }
    }
    Ok(orders)
}

/// Who orders, where, and what makes a repeat recognisable.
#[derive(Debug, Clone)]
pub struct Placement {
    /// The customer, if they wrote on a channel.
    pub customer: Option<CustomerId>,
    /// Their name.
    pub customer_name: String,
    /// How to reach them.
    pub contact: Option<String>,
    /// Where they wrote.
    pub platform: Option<Platform>,
    /// `agent` or `staff`.
    pub source: &'static str,
    /// The proposal it comes from: one order each.
    pub proposal: Option<ProposalId>,
    /// The request it comes from: one order each.
    pub request_key: Option<String>,
    /// When; its day in the shop's zone is the day it counts on.
    pub now: DateTime<Utc>,
}

/// Why an order was not placed. Nothing was changed, and the transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Less is left than is wanted.
    #[error("only {left} of {name} left")]
    OutOfStock {
        /// The product.
        product: ProductId,
        /// Its name.
        name: String,
        /// Pieces left.
        left: i32,
        /// Pieces wanted.
        wanted: i32,
    },
    /// It is not in the catalogue (any more).
    #[error("no such product")]
    NoSuchProduct {
        /// The product.
        product: ProductId,
    },
    /// Postgres failed, or the lines make no order.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Places an order at today's prices and takes the pieces out of stock, or changes nothing. The same proposal or request again answers with the
/// order that stands. Lines of one product are taken together.
///
/// # Errors
/// See [`PlaceError`].
pub async fn place(tx: &mut ShopTx, wanted: &[WantedLine], placement: &Placement) -> Result<Order, PlaceError> {
    let lines = merged(wanted)?;
    if let Some(standing) = standing(tx, placement).await? {
        return Ok(standing);
    }
    let day = shops::day_at(tx, placement.now).await?;
    let ids: Vec<ProductId> = lines.iter().map(|line| line.product).collect();
    let stocked = products::lock(tx, &ids).await?;
    let mut taken: Vec<(&products::ProductRow, i32)> = Vec::with_capacity(lines.len());
    for line in &lines {
        let product = stocked
            .iter()
            .find(|product| product.id == line.product && product.active)
            .ok_or(PlaceError::NoSuchProduct { product: line.product })?;
        if product.stock < line.quantity {
            let name = product.name.clone();
            return Err(PlaceError::OutOfStock { product: product.id, name, left: product.stock, wanted: line.quantity });
        }
        let revenue = product.price.times(line.quantity);
        Money::new(revenue.amount()).and(Money::new(product.cost.times(line.quantity).amount())).map_err(DbError::odd)?;
        taken.push((product, line.quantity));
    }
    take(tx, &lines).await?;
    let low = |product: &products::ProductRow, taken: i32| product.low_stock_at.is_some_and(|at| product.stock - taken <= at);
    if taken.iter().any(|(product, quantity)| !product.low_stock && low(product, *quantity)) {
        // The relay pushes the notice: nobody waits for it.
        stock::watch(tx, &ids).await?;
    }
    let order_no = next_no(tx).await?;
    let rows = insert(tx, order_no, day, &taken, placement).await?;
    let order = group(rows)?.pop().ok_or_else(|| DbError::odd("an order without lines"))?;
    let actor = placement.source;
    note(tx, order_no, OrderStatus::Pending, actor, placement.now).await?;
    sales::count(tx, &order).await?;
    Ok(order)
}

/// One line per product, in id order.
fn merged(wanted: &[WantedLine]) -> Result<Vec<WantedLine>, DbError> {
    let mut lines: Vec<WantedLine> = Vec::with_capacity(wanted.len());
    for line in wanted {
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            return Err(DbError::odd(format!("a quantity is between 1 and {MAX_QUANTITY}")));
        }
        match lines.iter_mut().find(|known| known.product == line.product) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => lines.push(*line),
        }
    }
    if lines.is_empty() || lines.len() > MAX_LINES {
        return Err(DbError::odd(format!("an order has 1 to {MAX_LINES} lines")));
    }
    lines.sort_by_key(|line| line.product);
    Ok(lines)
}

/// The order that the same proposal or request made before. A repeat at the same moment waits here for the first one to end.
pub(crate) async fn standing(tx: &mut ShopTx, placement: &Placement) -> Result<Option<Order>, DbError> {
    if let Some(proposal) = placement.proposal {
        super::one_at_a_time(tx, "order:proposal", &proposal.to_string()).await?;
    }
    if let Some(key) = &placement.request_key {
        super::one_at_a_time(tx, "order:request", key).await?;
    }
    if placement.proposal.is_none() && placement.request_key.is_none() {
        return Ok(None);
    }
    let rows: Vec<LineRow> = sql(format!(
        "SELECT {COLUMNS} FROM orders WHERE shop_id = $1 AND order_no = (SELECT order_no FROM orders WHERE shop_id = $1 AND (proposal_id = $2 OR request_key = $3) LIMIT 1) \
         ORDER BY line_no"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<BigInt>, _>(placement.proposal)
    .bind::<Nullable<Text>, _>(&placement.request_key)
    .load(tx.conn())
    .await?;
    Ok(group(rows)?.pop())
}

/// The rows are locked and were looked at; the condition stands all the same, so that no change above can ever oversell.
async fn take(tx: &mut ShopTx, lines: &[WantedLine]) -> Result<(), DbError> {
    let (ids, quantities): (Vec<i32>, Vec<i32>) = lines.iter().map(|line| (line.product.0, line.quantity)).unzip();
    let changed = sql(
        "UPDATE products p SET stock = p.stock - wanted.quantity, updated_at = now() FROM unnest($2::int[], $3::int[]) AS wanted (id, quantity) \
         WHERE p.shop_id = $1 AND p.id = wanted.id AND p.active AND p.stock >= wanted.quantity",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Integer>, _>(ids)
    .bind::<Array<Integer>, _>(quantities)
    .execute(tx.conn())
    .await?;
    if changed == lines.len() { Ok(()) } else { Err(DbError::Conflict) }
}

/// Taken late in the transaction: from here to the commit, the shop's other orders wait.
async fn next_no(tx: &mut ShopTx) -> Result<OrderNo, DbError> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = BigInt)]
        order_no: OrderNo,
    }
    let row: Next = sql("UPDATE order_numbers SET next_no = next_no + 1 WHERE shop_id = $1 RETURNING next_no - 1 AS order_no")
        .bind::<Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await?;
    Ok(row.order_no)
}

async fn insert(
    tx: &mut ShopTx,
    order_no: OrderNo,
    day: NaiveDate,
    taken: &[(&products::ProductRow, i32)],
    placement: &Placement,
) -> Result<Vec<LineRow>, DbError> {
    let ids: Vec<i32> = taken.iter().map(|(product, _)| product.id.0).collect();
    let names: Vec<&str> = taken.iter().map(|(product, _)| product.name.as_str()).collect();
    let quantities: Vec<i32> = taken.iter().map(|(_, quantity)| *quantity).collect();
    let prices: Vec<Money> = taken.iter().map(|(product, _)| product.price).collect();
    let costs: Vec<Money> = taken.iter().map(|(product, _)| product.cost).collect();
    let mut rows: Vec<LineRow> = sql(format!(
        "INSERT INTO orders (shop_id, order_no, line_no, product_id, product_name, quantity, price, cost, revenue, profit, status, customer_id, customer_name, \
             contact, platform, source, proposal_id, request_key, sale_date, created_at, updated_at) \
         SELECT $1, $2, line.no, line.product_id, line.name, line.quantity, line.price, line.cost, line.price * line.quantity, (line.price - line.cost) * line.quantity, \
             'pending', $8, $9, $10, $11, $12, $13, $14, $15, $16, $16 \
         FROM unnest($3::int[], $4::text[], $5::int[], $6::numeric[], $7::numeric[]) WITH ORDINALITY AS line (product_id, name, quantity, price, cost, no) \
         RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(order_no)
    .bind::<Array<Integer>, _>(ids)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Integer>, _>(quantities)
    .bind::<Array<Numeric>, _>(prices)
    .bind::<Array<Numeric>, _>(costs)
    .bind::<Nullable<BigInt>, _>(placement.customer)
    .bind::<Text, _>(&placement.customer_name)
    .bind::<Nullable<Text>, _>(&placement.contact)
    .bind::<Nullable<Text>, _>(placement.platform.map(Platform::as_str))
    .bind::<Text, _>(placement.source)
    .bind::<Nullable<BigInt>, _>(placement.proposal)
    .bind::<Nullable<Text>, _>(&placement.request_key)
    .bind::<Date, _>(day)
    .bind::<Timestamptz, _>(placement.now)
    .load(tx.conn())
    .await?;
    rows.sort_by_key(|row| row.id);
    Ok(rows)
}

async fn note(tx: &mut ShopTx, order: OrderNo, status: OrderStatus, actor: &str, at: DateTime<Utc>) -> Result<(), DbError> {
    sql("INSERT INTO order_events (shop_id, order_no, status, actor, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(order)
        .bind::<Text, _>(status.as_str())
        .bind::<Text, _>(actor)
        .bind::<Timestamptz, _>(at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Why an order's state was not changed. The transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such order.
    #[error("no such order")]
    NotFound,
    /// It is in another state than it was when it was read.
    #[error("the order has changed since")]
    Changed,
    /// The order's state does not allow it.
    #[error("an order that is {from} cannot become that")]
    NotAllowed {
        /// Where it stands.
        from: OrderStatus,
    },
    /// There is no such state.
    #[error("no such state")]
    NoSuchStatus,
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Moves an order. Cancelling and refunding put the pieces back and take the sale out of its day's figures, once: the lines are locked, and an order
/// that is there already stays as it is. `from` is the state it was in when the change was decided, if that matters. `actor` is `user:<id>`, `agent` or `system`.
///
/// # Errors
/// See [`ChangeError`].
pub async fn change_status(
    tx: &mut ShopTx,
    order_no: OrderNo,
    status: &str,
    from: Option<&str>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Order, ChangeError> {
    let next = OrderStatus::from_name(status).ok_or(ChangeError::NoSuchStatus)?;
    let locked: Vec<LineRow> =
        sql(format!("SELECT {COLUMNS} FROM orders WHERE shop_id = $1 AND order_no = $2 ORDER BY line_no FOR UPDATE"))
            .bind::<Integer, _>(tx.shop())
            .bind::<BigInt, _>(order_no)
            .load(tx.conn())
            .await
            .map_err(DbError::from)?;
    let mut order = group(locked)?.pop().ok_or(ChangeError::NotFound)?;
    if order.status == next {
        return Ok(order);
    }
    if from.is_some_and(|seen| seen != order.status.as_str()) {
        return Err(ChangeError::Changed);
    }
    if !order.status.may_become(next) {
        return Err(ChangeError::NotAllowed { from: order.status });
    }
    sql("UPDATE orders SET status = $3, updated_at = $4 WHERE shop_id = $1 AND order_no = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(order_no)
        .bind::<Text, _>(next.as_str())
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    if order.status.stands() && !next.stands() {
        put_back(tx, &order).await?;
    }
    sales::move_on(tx, &order, next).await?;
    note(tx, order_no, next, actor, now).await?;
    (order.status, order.updated_at) = (next, now);
    Ok(order)
}

async fn put_back(tx: &mut ShopTx, order: &Order) -> Result<(), DbError> {
    let ids: Vec<ProductId> = order.lines.iter().map(|line| line.product_id).collect();
    let was_low = products::lock(tx, &ids).await?.iter().any(|product| product.low_stock);
    sql(
        "UPDATE products p SET stock = p.stock + back.quantity, updated_at = now() \
         FROM (SELECT product_id, sum(quantity)::int AS quantity FROM orders WHERE shop_id = $1 AND order_no = $2 GROUP BY product_id) AS back \
         WHERE p.shop_id = $1 AND p.id = back.product_id",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(order.order_no)
    .execute(tx.conn())
    .await?;
    if was_low {
        stock::watch(tx, &ids).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_stays_so() {
        for from in [OrderStatus::Cancelled, OrderStatus::Refunded] {
            assert!(OrderStatus::ALL.iter().all(|next| !from.may_become(*next)));
        }
        assert!(OrderStatus::ALL.iter().all(|from| !from.may_become(OrderStatus::Pending)));
        assert!(!OrderStatus::Fulfilled.may_become(OrderStatus::Cancelled) && OrderStatus::Fulfilled.may_become(OrderStatus::Refunded));
    }

    #[test]
    fn lines_of_one_product_are_taken_together_in_id_order() {
        let line = |product, quantity| WantedLine { product: ProductId(product), quantity };
        assert_eq!(merged(&[line(9, 1), line(2, 1), line(9, 3)]).unwrap(), [line(2, 1), line(9, 4)]);
        for bad in [vec![], vec![line(1, 0)], vec![line(1, -2)], vec![line(1, MAX_QUANTITY + 1)], (0..51).map(|id| line(id, 1)).collect()] {
            assert!(merged(&bad).is_err());
        }
    }
}
