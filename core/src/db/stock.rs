//! Stock changed by hand, with its history; and which stock has become low, told once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use uuid::Uuid;

use super::outbox::{self, Pending};
use super::{DbError, ShopTx, products, sql::sql};
use crate::ids::ProductId;
use crate::jobs::{Notice, NotifyStaff};

/// Pieces of one product at most.
pub const MAX_STOCK: i32 = 10_000_000;
/// Products that one notice names.
const NAMED: usize = 20;

/// A change of a product's stock by hand. What orders take and give back stands with the orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct StockChange {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The product.
    #[diesel(sql_type = Integer)]
    pub product_id: ProductId,
    /// Pieces more; below zero: less.
    #[diesel(sql_type = Integer)]
    pub change: i32,
    /// What was there afterwards.
    #[diesel(sql_type = Integer)]
    pub stock: i32,
    /// `adjusted`, `saved` (with the product) or `imported`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Why, as staff put it.
    #[diesel(sql_type = Text)]
    pub reason: String,
    /// `user:<id>` or `system`.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Why a stock was not changed. The transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum AdjustError {
    /// There is no such product in the catalogue.
    #[error("no such product")]
    NotFound,
    /// The stock would leave 0 to [`MAX_STOCK`].
    #[error("there are {stock} pieces")]
    OutOfRange {
        /// What is there.
        stock: i32,
    },
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Adds `change` pieces to a product's stock.
///
/// # Errors
/// See [`AdjustError`].
pub async fn adjust(tx: &mut ShopTx, product: ProductId, change: i32, reason: &str, actor: &str) -> Result<StockChange, AdjustError> {
    let found = products::lock(tx, &[product]).await?.pop().filter(|found| found.active).ok_or(AdjustError::NotFound)?;
    let stock = found.stock.checked_add(change).filter(|stock| (0..=MAX_STOCK).contains(stock));
    let stock = stock.ok_or(AdjustError::OutOfRange { stock: found.stock })?;
    sql("UPDATE products SET stock = $3, updated_at = now() WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(product)
        .bind::<Integer, _>(stock)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    Ok(note(tx, &[(product, change, stock)], "adjusted", reason, actor)
        .await?
        .pop()
        .ok_or_else(|| DbError::odd("a change without a row"))?)
}

/// Notes changes that were made: product, pieces more, what is there now.
///
/// # Errors
/// See [`DbError`].
pub async fn note(
    tx: &mut ShopTx,
    changes: &[(ProductId, i32, i32)],
    kind: &str,
    reason: &str,
    actor: &str,
) -> Result<Vec<StockChange>, DbError> {
    Ok(sql("INSERT INTO stock_changes (shop_id, product_id, change, stock, kind, reason, actor) \
         SELECT $1, product_id, change, stock, $5, $6, $7 FROM unnest($2::int[], $3::int[], $4::int[]) AS made (product_id, change, stock) \
         RETURNING id, product_id, change, stock, kind, reason, actor, created_at")
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Integer>, _>(changes.iter().map(|(product, ..)| product.0).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(changes.iter().map(|(_, change, _)| *change).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(changes.iter().map(|(.., stock)| *stock).collect::<Vec<_>>())
    .bind::<Text, _>(kind)
    .bind::<Text, _>(reason)
    .bind::<Text, _>(actor)
    .load(tx.conn())
    .await?)
}

/// A product's changes by hand, the latest first, those before `before`, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn history(tx: &mut ShopTx, product: ProductId, before: Option<i64>, limit: i64) -> Result<Vec<StockChange>, DbError> {
    Ok(sql("SELECT id, product_id, change, stock, kind, reason, actor, created_at FROM stock_changes \
         WHERE shop_id = $1 AND product_id = $2 AND id < coalesce($3, 9223372036854775807) ORDER BY id DESC LIMIT $4")
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(product)
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<BigInt, _>(limit.clamp(0, 200))
    .load(tx.conn())
    .await?)
}

/// Leaves a notice about those of `products` that have become low since they were last restocked: staff are told once per fall. Those that were
/// restocked may be told of again. For products whose rows this transaction has changed or locked.
///
/// # Errors
/// See [`DbError`].
pub async fn watch(tx: &mut ShopTx, products: &[ProductId]) -> Result<Option<Pending>, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        id: ProductId,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        low_stock: bool,
    }
    let changed: Vec<Found> = sql(
        "UPDATE products SET low_stock_told = low_stock WHERE shop_id = $1 AND id = ANY ($2) AND low_stock_told <> low_stock AND active RETURNING id, low_stock",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Integer>, _>(products.iter().map(|product| product.0).collect::<Vec<_>>())
    .load(tx.conn())
    .await?;
    let mut low: Vec<ProductId> = changed.into_iter().filter(|found| found.low_stock).map(|found| found.id).collect();
    if low.is_empty() {
        return Ok(None);
    }
    low.sort_unstable();
    let count = low.len();
    low.truncate(NAMED);
    // The flag above makes it once; the key only has to be its own.
    let key = format!("low_stock:{}", Uuid::new_v4());
    let job = NotifyStaff { notice_key: key.clone(), notice: Notice::LowStock { products: low, count } };
    Ok(Some(outbox::add(tx, &job, &key).await?))
}
