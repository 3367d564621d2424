//! Many products at once: found by sku, added and changed in batches.

use diesel::sql_types::{Array, Integer, Nullable, Numeric, Text};
use diesel_async::RunQueryDsl;

use super::{COLUMNS, ProductInput, ProductRow};
use crate::db::{DbError, ShopTx, one_at_a_time, sql::sql};
use crate::ids::ProductId;
use crate::money::Money;

/// Until the transaction ends no other import of this shop gets past here: two that add the same skus would wait for one another in a circle.
///
/// # Errors
/// See [`DbError`].
pub async fn alone(tx: &mut ShopTx) -> Result<(), DbError> {
    one_at_a_time(tx, "products", "import").await
}

/// The products of the catalogue with these skus, in id order; locked, where the transaction is to change them.
///
/// # Errors
/// See [`DbError`].
pub async fn with_skus(tx: &mut ShopTx, skus: &[&str], lock: bool) -> Result<Vec<ProductRow>, DbError> {
    let locked = if lock { "FOR NO KEY UPDATE" } else { "" };
    Ok(sql(format!("SELECT {COLUMNS} FROM products WHERE shop_id = $1 AND active AND sku = ANY ($2) ORDER BY id {locked}"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Array<Text>, _>(skus)
        .load(tx.conn())
        .await?)
}

/// Columns of a batch, as Postgres takes them.
struct Columns<'a> {
    skus: Vec<Option<&'a str>>,
    names: Vec<&'a str>,
    descriptions: Vec<&'a str>,
    prices: Vec<Money>,
    costs: Vec<Money>,
    stocks: Vec<i32>,
    images: Vec<Option<&'a str>>,
    thresholds: Vec<Option<i32>>,
}

impl<'a> Columns<'a> {
    fn of(inputs: impl Iterator<Item = &'a ProductInput> + Clone) -> Self {
        Self {
            skus: inputs.clone().map(|input| input.sku.as_deref()).collect(),
            names: inputs.clone().map(|input| input.name.as_str()).collect(),
            descriptions: inputs.clone().map(|input| input.description.as_str()).collect(),
            prices: inputs.clone().map(|input| input.price).collect(),
            costs: inputs.clone().map(|input| input.cost).collect(),
            stocks: inputs.clone().map(|input| input.stock).collect(),
            images: inputs.clone().map(|input| input.image_url.as_deref()).collect(),
            thresholds: inputs.map(|input| input.low_stock_at).collect(),
        }
    }
}

const UNNESTED: &str = "unnest($2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::int[], $8::text[], $9::int[])";

/// Adds products; some hundreds at a time. [`DbError::Unique`] if one of the skus has been taken meanwhile, and then the transaction is lost.
///
/// # Errors
/// See [`DbError`].
pub async fn insert_many(tx: &mut ShopTx, inputs: &[&ProductInput]) -> Result<Vec<ProductRow>, DbError> {
    let columns = Columns::of(inputs.iter().copied());
    Ok(sql(format!(
        "INSERT INTO products (shop_id, sku, name, description, price, cost, stock, image_url, low_stock_at) \
         SELECT $1, sku, name, description, price, cost, stock, image_url, low_stock_at \
         FROM {UNNESTED} WITH ORDINALITY AS line (sku, name, description, price, cost, stock, image_url, low_stock_at, no) ORDER BY no RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Nullable<Text>>, _>(columns.skus)
    .bind::<Array<Text>, _>(columns.names)
    .bind::<Array<Text>, _>(columns.descriptions)
    .bind::<Array<Numeric>, _>(columns.prices)
    .bind::<Array<Numeric>, _>(columns.costs)
    .bind::<Array<Integer>, _>(columns.stocks)
    .bind::<Array<Nullable<Text>>, _>(columns.images)
    .bind::<Array<Nullable<Integer>>, _>(columns.thresholds)
    .load(tx.conn())
    .await?)
}

/// Changes products that [`with_skus`] has locked; some hundreds at a time.
///
/// # Errors
/// See [`DbError`].
pub async fn update_many(tx: &mut ShopTx, changes: &[(ProductId, &ProductInput)]) -> Result<(), DbError> {
    let columns = Columns::of(changes.iter().map(|(_, input)| *input));
    sql(format!(
        "UPDATE products p SET version = p.version + 1, sku = line.sku, \
         title = CASE WHEN p.title IS NULL OR p.name = line.name THEN p.title ELSE line.name END, \
         name = coalesce(product_name(CASE WHEN p.name = line.name THEN p.title ELSE line.name END, nullif(p.options, '{{}}')), line.name), description = line.description, price = line.price, cost = line.cost, stock = line.stock, \
         image_url = line.image_url, low_stock_at = line.low_stock_at, updated_at = now() \
         FROM (SELECT * FROM {UNNESTED} WITH ORDINALITY) AS line (sku, name, description, price, cost, stock, image_url, low_stock_at, no) \
         JOIN unnest($10::int[]) WITH ORDINALITY AS known (id, no) ON known.no = line.no WHERE p.shop_id = $1 AND p.id = known.id"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Nullable<Text>>, _>(columns.skus)
    .bind::<Array<Text>, _>(columns.names)
    .bind::<Array<Text>, _>(columns.descriptions)
    .bind::<Array<Numeric>, _>(columns.prices)
    .bind::<Array<Numeric>, _>(columns.costs)
    .bind::<Array<Integer>, _>(columns.stocks)
    .bind::<Array<Nullable<Text>>, _>(columns.images)
    .bind::<Array<Nullable<Integer>>, _>(columns.thresholds)
    .bind::<Array<Integer>, _>(changes.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .execute(tx.conn())
    .await?;
    Ok(())
}
