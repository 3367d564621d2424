//! What the agent may read: the shop's catalogue, and the orders of the customer it talks to.

use frontdesk_core::db::{Db, DbError, ShopTx, TxKind, orders, products};
use frontdesk_core::ids::{CustomerId, OrderNo, ProductId};
use frontdesk_core::money::Money;
use frontdesk_core::tenancy::ShopScope;
use serde_json::{Value, json};

use crate::agent::Hit;

/// Products returned by one search.
const HITS: i64 = 8;
/// Orders a customer hears about at once.
const ORDERS: i64 = 5;

/// Reads within one shop.
#[derive(Debug, Clone)]
pub struct Catalogue {
    db: Db,
    scope: ShopScope,
}

/// An order as its customer may know it.
#[derive(Debug, Clone)]
pub struct OrderCard {
    /// Its number.
    pub order_no: OrderNo,
    /// Where it stands.
    pub status: String,
    /// Its total.
    pub total: Money,
    /// Its lines.
    pub lines: Vec<OrderCardLine>,
    /// The day it was placed.
    pub placed_on: String,
}

/// A line of it.
#[derive(Debug, Clone)]
pub struct OrderCardLine {
    /// The product's name.
    pub name: String,
    /// Pieces.
    pub quantity: i32,
    /// Price per piece.
    pub price: Money,
}

impl OrderCard {
    /// What has not left the shop may still be cancelled.
    #[must_use]
    pub fn is_cancellable(&self) -> bool {
        matches!(self.status.as_str(), "pending" | "confirmed")
    }

    /// For the model.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let lines: Vec<Value> =
            self.lines.iter().map(|line| json!({"name": line.name, "quantity": line.quantity, "price": line.price.to_string()})).collect();
        json!({"order_no": self.order_no.0, "status": self.status, "total": self.total.to_string(), "placed_on": self.placed_on, "lines": lines})
    }
}

impl Catalogue {
    /// For one shop.
    #[must_use]
    pub fn new(db: Db, scope: ShopScope) -> Self {
        Self { db, scope }
    }

    /// Products that fit a customer's words, best first.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn search(&self, words: &str) -> Result<Vec<Hit>, DbError> {
        let words = words.to_owned();
        self.db.shop_tx(&self.scope, TxKind::Turn, async move |mut tx| search(&mut tx, &words).await).await
    }

    /// Products by id; archived ones are not there.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find(&self, ids: &[ProductId]) -> Result<Vec<Hit>, DbError> {
        let ids = ids.to_vec();
        let rows = self.db.shop_tx(&self.scope, TxKind::Turn, async move |mut tx| products::find_many(&mut tx, &ids).await).await?;
        Ok(rows.into_iter().filter(|row| row.active).map(hit).collect())
    }

    /// The customer's order with this number, or the latest ones.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn orders_of(&self, customer: CustomerId, order: Option<OrderNo>) -> Result<Vec<OrderCard>, DbError> {
        let found = self
            .db
            .shop_tx(&self.scope, TxKind::Turn, async move |mut tx| orders::for_customer(&mut tx, customer, order, ORDERS).await)
            .await?;
        Ok(found
            .into_iter()
            .map(|order| OrderCard {
                order_no: order.order_no,
                status: order.status.to_string(),
                total: order.revenue,
                placed_on: order.created_at.date_naive().to_string(),
                lines: order
                    .lines
                    .into_iter()
                    .map(|line| OrderCardLine { name: line.product_name, quantity: line.quantity, price: line.price })
                    .collect(),
            })
            .collect())
    }
}

/// Products that fit a customer's words, best first.
///
/// # Errors
/// See [`DbError`].
pub async fn search(tx: &mut ShopTx, words: &str) -> Result<Vec<Hit>, DbError> {
    let words: String = words.chars().take(400).collect();
    if words.trim().is_empty() {
        return Ok(Vec::new());
    }
    Ok(products::search_for_agent(tx, &words, HITS).await?.into_iter().map(hit).collect())
}

fn hit(row: products::ProductRow) -> Hit {
    Hit { id: row.id, name: row.name, description: row.description, price: row.price, stock: row.stock }
}
