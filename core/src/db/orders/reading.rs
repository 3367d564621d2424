//! Reading orders: one with its history, lists by filter.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{COLUMNS, LineRow, MAX_PAGE, Order, OrderStatus, group};
use crate::db::{DbError, ShopTx, sql::sql};
use crate::ids::{ConversationId, CustomerId, OrderNo, ProductId};
use crate::inbound::Platform;

/// Moves of one order that are shown at most; the table of moves allows four.
const MAX_EVENTS: i64 = 100;

/// Finds an order by its number.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, order_no: OrderNo) -> Result<Option<Order>, DbError> {
    let rows: Vec<LineRow> = sql(format!("SELECT {COLUMNS} FROM orders WHERE shop_id = $1 AND order_no = $2 ORDER BY line_no"))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(order_no)
        .load(tx.conn())
        .await?;
    Ok(group(rows)?.pop())
}

/// A move of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct OrderEvent {
    /// Where it stood from then on.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// `user:<id>`, `agent`, `staff` or `system`.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// An order's moves, the oldest first.
///
/// # Errors
/// See [`DbError`].
pub async fn history(tx: &mut ShopTx, order_no: OrderNo) -> Result<Vec<OrderEvent>, DbError> {
    Ok(sql("SELECT status, actor, created_at FROM order_events WHERE shop_id = $1 AND order_no = $2 ORDER BY id LIMIT $3")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(order_no)
        .bind::<BigInt, _>(MAX_EVENTS)
        .load(tx.conn())
        .await?)
}

/// The conversation in which an order was made, or else that of its customer.
///
/// # Errors
/// See [`DbError`].
pub async fn conversation(tx: &mut ShopTx, order_no: OrderNo) -> Result<Option<ConversationId>, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Nullable<BigInt>)]
        id: Option<ConversationId>,
    }
    let row: Option<Found> = sql("SELECT coalesce(p.conversation_id, c.id) AS id FROM orders o \
         LEFT JOIN proposals p ON p.shop_id = $1 AND p.id = o.proposal_id \
         LEFT JOIN customers u ON u.shop_id = $1 AND u.id = o.customer_id \
         LEFT JOIN conversations c ON c.shop_id = $1 AND c.channel_id = u.channel_id AND c.customer_id = u.id \
         WHERE o.shop_id = $1 AND o.order_no = $2 AND o.line_no = 1")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(order_no)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.and_then(|row| row.id))
}

/// In which order to list orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrderSort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
}

/// Which orders to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderFilter {
    /// Only those that stand there.
    pub status: Option<OrderStatus>,
    /// Only those that count on this day of the shop's calendar or later.
    pub from: Option<NaiveDate>,
    /// Only those that count on this day of the shop's calendar or earlier.
    pub to: Option<NaiveDate>,
    /// Only those that were ordered there.
    pub platform: Option<Platform>,
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only those with a line of this product.
    pub product: Option<ProductId>,
    /// In which order.
    pub sort: OrderSort,
    /// Only those after this one: the last of the page before.
    pub after: Option<OrderNo>,
}

impl OrderFilter {
    /// What is not asked for is left out of the text, so that each text has a plan of its own; there are some hundred texts at most.
    fn text(&self) -> String {
        let (after, direction) = match self.sort {
            OrderSort::Newest => ("o.order_no < $2", "DESC"),
            OrderSort::Oldest => ("o.order_no > $2", "ASC"),
        };
        let only = |asked: bool, condition: &'static str, absent: &'static str| if asked { condition } else { absent };
        let conditions = [
            only(self.status.is_some(), "o.status = $3", "$3::text IS NULL"),
            only(self.from.is_some(), "o.sale_date >= $4", "$4::date IS NULL"),
            only(self.to.is_some(), "o.sale_date <= $5", "$5::date IS NULL"),
            only(self.platform.is_some(), "o.platform = $6", "$6::text IS NULL"),
            only(self.customer.is_some(), "o.customer_id = $7", "$7::bigint IS NULL"),
            only(
                self.product.is_some(),
                "o.order_no IN (SELECT l.order_no FROM orders l WHERE l.shop_id = $1 AND l.product_id = $8)",
                "$8::int IS NULL",
            ),
            only(self.after.is_some(), after, "$2::bigint IS NULL"),
        ]
        .join(" AND ");
        format!(
            "SELECT {COLUMNS} FROM orders WHERE shop_id = $1 AND order_no = ANY (ARRAY(SELECT o.order_no FROM orders o WHERE o.shop_id = $1 AND o.line_no = 1 \
             AND {conditions} ORDER BY o.order_no {direction} LIMIT $9)) ORDER BY order_no {direction}, line_no"
        )
    }
}

/// A page of orders, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, filter: OrderFilter, limit: i64) -> Result<Vec<Order>, DbError> {
    let rows: Vec<LineRow> = sql(filter.text())
        .bind::<Integer, _>(tx.shop())
        .bind::<Nullable<BigInt>, _>(filter.after)
        .bind::<Nullable<Text>, _>(filter.status.map(OrderStatus::as_str))
        .bind::<Nullable<Date>, _>(filter.from)
        .bind::<Nullable<Date>, _>(filter.to)
        .bind::<Nullable<Text>, _>(filter.platform.map(Platform::as_str))
        .bind::<Nullable<BigInt>, _>(filter.customer)
        .bind::<Nullable<Integer>, _>(filter.product)
        .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
        .load(tx.conn())
        .await?;
    group(rows)
}

/// A customer's own orders: the one with this number, or the latest ones.
///
/// # Errors
/// See [`DbError`].
pub async fn for_customer(tx: &mut ShopTx, customer: CustomerId, order_no: Option<OrderNo>, limit: i64) -> Result<Vec<Order>, DbError> {
    let rows: Vec<LineRow> = sql(format!(
        "SELECT {COLUMNS} FROM orders WHERE shop_id = $1 AND order_no = ANY (ARRAY(SELECT order_no FROM orders WHERE shop_id = $1 AND customer_id = $2 \
         AND line_no = 1 AND ($3::bigint IS NULL OR order_no = $3) ORDER BY order_no DESC LIMIT $4)) ORDER BY order_no DESC, line_no"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .bind::<Nullable<BigInt>, _>(order_no)
    .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
    .load(tx.conn())
    .await?;
    group(rows)
}
