//! A shop's catalogue.

pub mod import;
pub mod variants;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, search_words, sql::sql};
use crate::ids::ProductId;
use crate::jobs::WantedLine;
use crate::money::Money;

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct ProductRow {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: ProductId,
    /// The shop's own number for it.
    #[diesel(sql_type = Nullable<Text>)]
    pub sku: Option<String>,
    /// The name customers see.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// What it is.
    #[diesel(sql_type = Text)]
    pub description: String,
    /// Price per piece.
    #[diesel(sql_type = Numeric)]
    pub price: Money,
    /// What it costs the shop; never for customers.
    #[diesel(sql_type = Numeric)]
    pub cost: Money,
    /// Pieces in stock.
    #[diesel(sql_type = Integer)]
    pub stock: i32,
    /// Where its picture is.
    #[diesel(sql_type = Nullable<Text>)]
    pub image_url: Option<String>,
    /// In the catalogue; false once archived.
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// At this stock or less it is low; `None`: never.
    #[diesel(sql_type = Nullable<Integer>)]
    #[serde(default)]
    pub low_stock_at: Option<i32>,
    /// Whether the stock is low.
    #[diesel(sql_type = Bool)]
    #[serde(default)]
    pub low_stock: bool,
    /// When it was added.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    /// Grows with every change by a person; sales leave it alone. A change may name the one it was made from.
    #[diesel(sql_type = Integer)]
    #[serde(default)]
    pub version: i32,
    /// Of a variant: its name without the options.
    #[diesel(sql_type = Nullable<Text>)]
    #[serde(default)]
    pub title: Option<String>,
    /// What makes it this variant, by name: `{"size": "42"}`; empty, if it has no variants.
    #[diesel(sql_type = Jsonb)]
    #[serde(default)]
    pub options: serde_json::Value,
    /// Shared by the variants of one product: the id of the one that was there first.
    #[diesel(sql_type = Nullable<Integer>)]
    #[serde(default)]
    pub variant_group: Option<ProductId>,
}

const COLUMNS: &str = "id, sku, name, description, price, cost, stock, image_url, active, low_stock_at, low_stock, created_at, updated_at, version, title, options, variant_group";
/// Products per page at most.
const MAX_PAGE: i64 = 200;

/// Products by id, archived ones too, in id order; what is not there is left out.
///
/// # Errors
/// See [`DbError`].
pub async fn find_many(tx: &mut ShopTx, ids: &[ProductId]) -> Result<Vec<ProductRow>, DbError> {
    let ids: Vec<i32> = ids.iter().map(|id| id.0).collect();
    Ok(sql(format!("SELECT {COLUMNS} FROM products WHERE shop_id = $1 AND id = ANY($2) ORDER BY id"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Array<Integer>, _>(ids)
        .load(tx.conn())
        .await?)
}

/// As [`find_many`], locked in id order until the transaction ends: stock and price stay as they are.
///
/// # Errors
/// See [`DbError`].
pub async fn lock(tx: &mut ShopTx, ids: &[ProductId]) -> Result<Vec<ProductRow>, DbError> {
    let ids: Vec<i32> = ids.iter().map(|id| id.0).collect();
    Ok(sql(format!("SELECT {COLUMNS} FROM products WHERE shop_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Array<Integer>, _>(ids)
        .load(tx.conn())
        .await?)
}

/// Finds one, archived or not.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, id: ProductId) -> Result<Option<ProductRow>, DbError> {
    Ok(find_many(tx, &[id]).await?.pop())
}

/// By what a list of products is sorted; equal ones by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProductSort {
    /// In the order in which they were added.
    #[default]
    Id,
    /// By name, without regard to case and accents.
    Name,
    /// By price.
    Price,
    /// By stock.
    Stock,
}

impl ProductSort {
    const fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "fold(name)",
            Self::Price => "price",
            Self::Stock => "stock",
        }
    }
}

/// Which products to list.
#[derive(Debug, Clone, Default)]
pub struct ProductFilter {
    /// Only those whose name, sku or description holds all these words, or the start of them.
    pub text: Option<String>,
    /// Archived ones instead of the catalogue.
    pub archived: bool,
    /// Only those whose stock is low, or is not.
    pub low_stock: Option<bool>,
    /// Only the variants of this group.
    pub variant_group: Option<ProductId>,
    /// Only those that cost customers at least this.
    pub min_price: Option<Money>,
    /// Only those that cost customers at most this.
    pub max_price: Option<Money>,
    /// By what they are sorted.
    pub sort: ProductSort,
    /// The other way round.
    pub descending: bool,
    /// Only those after this one: the last of the page before. Where it stands is looked up anew, as its price may have changed.
    pub after: Option<ProductId>,
}

/// A page of products, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, filter: &ProductFilter, limit: i64) -> Result<Vec<ProductRow>, DbError> {
    let words: Vec<String> = search_words::typed(filter.text.as_deref().unwrap_or_default());
    let key = filter.sort.key();
    let (beyond, direction) = if filter.descending { ("<", "DESC") } else { (">", "ASC") };
    Ok(sql(format!(
        "SELECT {COLUMNS} FROM products WHERE shop_id = $1 AND active = $2 AND ($3::bool IS NULL OR low_stock = $3) \
         AND ($4::numeric IS NULL OR price >= $4) AND ($5::numeric IS NULL OR price <= $5) \
         AND ($6::int IS NULL OR ({key}, id) {beyond} (SELECT {key}, id FROM products WHERE shop_id = $1 AND id = $6)) \
         AND NOT EXISTS (SELECT FROM unnest($7::text[]) AS word WHERE NOT search_words @@ (quote_literal(fold(word)) || ':*')::tsquery) \
         AND ($9::int IS NULL OR variant_group = $9) \
         ORDER BY {key} {direction}, id {direction} LIMIT $8"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Bool, _>(!filter.archived)
    .bind::<Nullable<Bool>, _>(filter.low_stock)
    .bind::<Nullable<Numeric>, _>(filter.min_price)
    .bind::<Nullable<Numeric>, _>(filter.max_price)
    .bind::<Nullable<Integer>, _>(filter.after)
    .bind::<Array<Text>, _>(words)
    .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
    .bind::<Nullable<Integer>, _>(filter.variant_group)
    .load(tx.conn())
    .await?)
}

/// Products that fit what a customer said, best first, at most `limit` (50). Each word counts as often as it is rare in this catalogue; a word that
/// stands nowhere is looked for in names by likeness, so typing errors do little harm; colours and a few things are known in eight languages.
///
/// # Errors
/// See [`DbError`].
pub async fn search_for_agent(tx: &mut ShopTx, said: &str, limit: i64) -> Result<Vec<ProductRow>, DbError> {
    let wanted = search_words::wanted(said);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let groups: Vec<i32> = wanted.iter().map(|(group, _)| *group).collect();
    let words: Vec<&str> = wanted.iter().map(|(_, word)| word.as_str()).collect();
    let columns = COLUMNS.split(", ").map(|column| format!("p.{column}")).collect::<Vec<_>>().join(", ");
    Ok(sql(format!(include_str!("search_for_agent.sql"), columns = columns))
        .bind::<Integer, _>(tx.shop())
        .bind::<Array<Integer>, _>(groups)
        .bind::<Array<Text>, _>(words)
        .bind::<BigInt, _>(limit.clamp(0, 50))
        .load(tx.conn())
        .await?)
}

/// A product to add or to change.
#[derive(Debug, Clone)]
pub struct ProductInput {
    /// The name customers see.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The shop's own number for it, unique in its catalogue.
    pub sku: Option<String>,
    /// Price per piece.
    pub price: Money,
    /// What it costs the shop.
    pub cost: Money,
    /// Pieces in stock.
    pub stock: i32,
    /// Where its picture is.
    pub image_url: Option<String>,
    /// At this stock or less staff are told; `None`: never.
    pub low_stock_at: Option<i32>,
}

fn sku_taken() -> DbError {
    DbError::Unique("products_sku".to_owned())
}

/// Adds a product. [`DbError::Unique`] with `products_sku` says that another one has the sku; the transaction stays usable.
///
/// # Errors
/// See [`DbError`].
pub async fn insert(tx: &mut ShopTx, input: &ProductInput) -> Result<ProductRow, DbError> {
    sql(format!(
        "INSERT INTO products (shop_id, sku, name, description, price, cost, stock, image_url, low_stock_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (shop_id, sku) WHERE sku IS NOT NULL AND active DO NOTHING RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Text>, _>(&input.sku)
    .bind::<Text, _>(&input.name)
    .bind::<Text, _>(&input.description)
    .bind::<Numeric, _>(input.price)
    .bind::<Numeric, _>(input.cost)
    .bind::<Integer, _>(input.stock)
    .bind::<Nullable<Text>, _>(&input.image_url)
    .bind::<Nullable<Integer>, _>(input.low_stock_at)
    .get_result(tx.conn())
    .await
    .optional()?
    .ok_or_else(sku_taken)
}

/// The title that a variant gets with the name `$4`: the name as it stands, options included, changes nothing.
const TITLE: &str = "CASE WHEN title IS NULL OR name = $4 THEN title ELSE $4 END";

/// Changes a product of the catalogue; `None` if there is none. The sku as in [`insert`]. A variant's new name is the title of all variants beside it.
///
/// # Errors
/// See [`DbError`].
pub async fn update(tx: &mut ShopTx, id: ProductId, input: &ProductInput) -> Result<Option<ProductRow>, DbError> {
    #[derive(QueryableByName)]
    struct Other {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let other: Other = sql("SELECT EXISTS (SELECT FROM products WHERE shop_id = $1 AND sku = $2 AND active AND id <> $3) AS taken")
        .bind::<Integer, _>(tx.shop())
        .bind::<Nullable<Text>, _>(&input.sku)
        .bind::<Integer, _>(id)
        .get_result(tx.conn())
        .await?;
    if other.taken {
        return Err(sku_taken());
    }
    let changed: Option<ProductRow> = sql(format!(
        "UPDATE products SET sku = $3, title = {TITLE}, name = coalesce(product_name({TITLE}, options), $4), description = $5, price = $6, cost = $7, stock = $8, image_url = $9, low_stock_at = $10, version = version + 1, updated_at = now() \
         WHERE shop_id = $1 AND id = $2 AND active RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(id)
    .bind::<Nullable<Text>, _>(&input.sku)
    .bind::<Text, _>(&input.name)
    .bind::<Text, _>(&input.description)
    .bind::<Numeric, _>(input.price)
    .bind::<Numeric, _>(input.cost)
    .bind::<Integer, _>(input.stock)
    .bind::<Nullable<Text>, _>(&input.image_url)
    .bind::<Nullable<Integer>, _>(input.low_stock_at)
    .get_result(tx.conn())
    .await
    .optional()?;
    if let Some(variant) = changed.as_ref().filter(|row| row.variant_group.is_some()) {
        variants::retitle(tx, variant).await?;
    }
    Ok(changed)
}

/// Sets the other words under which customers look for a product; never shown.
///
/// # Errors
/// See [`DbError`].
pub async fn set_keywords(tx: &mut ShopTx, id: ProductId, keywords: &str) -> Result<(), DbError> {
    sql("UPDATE products SET keywords = $3 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(id)
        .bind::<Text, _>(keywords)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Adds pieces to what is in stock, for the past that sample data tells.
pub(crate) async fn restock(tx: &mut ShopTx, lines: &[WantedLine]) -> Result<(), DbError> {
    add_stock(tx, lines, 1).await
}

/// The opposite of [`restock`].
pub(crate) async fn unstock(tx: &mut ShopTx, lines: &[WantedLine]) -> Result<(), DbError> {
    add_stock(tx, lines, -1).await
}

async fn add_stock(tx: &mut ShopTx, lines: &[WantedLine], sign: i32) -> Result<(), DbError> {
    let ids: Vec<ProductId> = lines.iter().map(|line| line.product).collect();
    lock(tx, &ids).await?;
    let (ids, pieces): (Vec<i32>, Vec<i32>) = lines.iter().map(|line| (line.product.0, sign * line.quantity)).unzip();
    sql("UPDATE products p SET stock = p.stock + more.pieces \
         FROM (SELECT id, sum(pieces)::int AS pieces FROM unnest($2::int[], $3::int[]) AS line (id, pieces) GROUP BY id) AS more \
         WHERE p.shop_id = $1 AND p.id = more.id")
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Integer>, _>(ids)
    .bind::<Array<Integer>, _>(pieces)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a product out of the catalogue; orders keep it. True also if it was out before; false if there is none.
///
/// # Errors
/// See [`DbError`].
pub async fn archive(tx: &mut ShopTx, id: ProductId) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE products SET active = false, version = version + active::int, updated_at = CASE WHEN active THEN now() ELSE updated_at END WHERE shop_id = $1 AND id = $2",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(id)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// Puts an archived product back into the catalogue; `None` if there is none. One that is there is left alone. The sku as in [`insert`];
/// [`DbError::Unique`] with `products_variant` says that another variant has its options.
///
/// # Errors
/// See [`DbError`].
pub async fn restore(tx: &mut ShopTx, id: ProductId) -> Result<Option<ProductRow>, DbError> {
    let restored: Option<ProductRow> = sql(format!(
        "UPDATE products p SET active = true, version = p.version + (NOT p.active)::int, updated_at = CASE WHEN p.active THEN p.updated_at ELSE now() END WHERE p.shop_id = $1 AND p.id = $2 \
         AND NOT EXISTS (SELECT FROM products other WHERE other.shop_id = $1 AND other.sku = p.sku AND other.active AND other.id <> p.id) \
         AND NOT EXISTS (SELECT FROM products other WHERE other.shop_id = $1 AND other.variant_group = p.variant_group AND other.options = p.options \
         AND other.active AND other.id <> p.id) RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(id)
    .get_result(tx.conn())
    .await
    .optional()?;
    if restored.is_none()
        && let Some(archived) = find(tx, id).await?
    {
        let taken = match archived.variant_group {
            Some(group) => variants::of_group(tx, group).await?.iter().any(|other| other.options == archived.options),
            None => false,
        };
        return Err(if taken { DbError::Unique("products_variant".to_owned()) } else { sku_taken() });
    }
    Ok(restored)
}
