//! Variants of one product: products of their own that share a title and a group.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Integer, Jsonb, Nullable, Numeric, Text};
use diesel_async::RunQueryDsl;

use super::import::with_skus;
use super::{COLUMNS, ProductRow};
use crate::db::{DbError, ShopTx, sql::sql};
use crate::ids::ProductId;
use crate::jobs::NewVariant;

/// Variants of one product at most; as many as several sizes and colours make.
pub const MAX_VARIANTS: usize = 200;

/// What makes a variant this one, by name: `{"size": "42"}`.
pub type Options = BTreeMap<String, String>;

/// Why variants were not added. Nothing has changed then, unless Postgres failed.
#[derive(Debug, thiserror::Error)]
pub enum VariantError {
    /// There is no such product in the catalogue.
    #[error("no such product")]
    NotFound,
    /// Nobody says which variant the product itself is.
    #[error("the product has no options of its own")]
    NoOptions,
    /// The product has other options than that already.
    #[error("the product has options already")]
    OtherOptions,
    /// A variant's options have other names than the product's.
    #[error("variant {at} has options of other names")]
    OtherNames {
        /// Which of those to add.
        at: usize,
        /// What they must be called.
        names: Vec<String>,
    },
    /// There is such a variant.
    #[error("variant {at} is there already")]
    Taken {
        /// Which of those to add.
        at: usize,
    },
    /// There would be more than [`MAX_VARIANTS`].
    #[error("too many variants")]
    TooMany,
    /// Another product has the sku.
    #[error("a sku is taken")]
    SkuTaken,
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A product's options.
#[must_use]
pub fn options(product: &ProductRow) -> Options {
    serde::Deserialize::deserialize(&product.options).unwrap_or_default()
}

/// The variants of a group in the catalogue, in the order in which they were added, at most [`MAX_VARIANTS`].
///
/// # Errors
/// See [`DbError`].
pub async fn of_group(tx: &mut ShopTx, group: ProductId) -> Result<Vec<ProductRow>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM products WHERE shop_id = $1 AND variant_group = $2 AND active ORDER BY id LIMIT {MAX_VARIANTS}"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(group)
        .load(tx.conn())
        .await?)
}

/// Locks a product and all variants beside it, in id order: who changes a group waits here for whoever else does. Gives the product.
///
/// # Errors
/// See [`DbError`].
pub async fn lock_with_variants(tx: &mut ShopTx, product: ProductId) -> Result<Option<ProductRow>, DbError> {
    let rows: Vec<ProductRow> = sql(format!(
        "SELECT {COLUMNS} FROM products WHERE shop_id = $1 \
         AND (id = $2 OR variant_group = (SELECT variant_group FROM products WHERE shop_id = $1 AND id = $2)) ORDER BY id FOR NO KEY UPDATE"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(product)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().find(|row| row.id == product))
}

/// Adds variants beside `product`, which becomes one itself: the one with `own` options, if it has none yet. What a variant does not say is as the
/// product has it. Gives those that were added.
///
/// # Errors
/// See [`VariantError`].
pub async fn add(tx: &mut ShopTx, product: ProductId, own: &Options, new: &[NewVariant]) -> Result<Vec<ProductRow>, VariantError> {
    let first = lock_with_variants(tx, product).await?.filter(|found| found.active).ok_or(VariantError::NotFound)?;
    let group = first.variant_group.unwrap_or(first.id);
    let standing = options(&first);
    let own = match (standing.is_empty(), own.is_empty()) {
        (true, true) => return Err(VariantError::NoOptions),
        (false, false) if standing != *own => return Err(VariantError::OtherOptions),
        (false, _) => standing,
        (true, false) => own.clone(),
    };
    let mut known: Vec<Options> = of_group(tx, group).await?.iter().map(options).collect();
    known.extend((first.variant_group.is_none()).then(|| own.clone()));
    if known.len() + new.len() > MAX_VARIANTS {
        return Err(VariantError::TooMany);
    }
    for (at, variant) in new.iter().enumerate() {
        if !variant.options.keys().eq(own.keys()) {
            return Err(VariantError::OtherNames { at, names: own.into_keys().collect() });
        }
        if known.contains(&variant.options) {
            return Err(VariantError::Taken { at });
        }
        known.push(variant.options.clone());
    }
    let skus: Vec<&str> = new.iter().filter_map(|variant| variant.sku.as_deref()).collect();
    if skus.iter().collect::<BTreeSet<_>>().len() < skus.len() || !with_skus(tx, &skus, false).await?.is_empty() {
        return Err(VariantError::SkuTaken);
    }
    // From here on all of it stands, or the transaction fails: a sku that was taken this very moment has the job run again.
    if first.variant_group.is_none() {
        become_variant(tx, first.id, &own).await?;
    }
    let mut added = Vec::with_capacity(new.len());
    for variant in new {
        added.push(insert(tx, first.id, group, variant).await?);
    }
    Ok(added)
}

/// Makes the product the first variant of a group of its own.
async fn become_variant(tx: &mut ShopTx, product: ProductId, own: &Options) -> Result<(), DbError> {
    let own = serde_json::to_value(own).map_err(|error| DbError::odd(format!("options: {error}")))?;
    sql("UPDATE products SET title = name, options = $3, name = product_name(name, $3), variant_group = id, version = version + 1, updated_at = now() \
         WHERE shop_id = $1 AND id = $2")
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(product)
    .bind::<Jsonb, _>(own)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert(tx: &mut ShopTx, like: ProductId, group: ProductId, new: &NewVariant) -> Result<ProductRow, DbError> {
    let options = serde_json::to_value(&new.options).map_err(|error| DbError::odd(format!("options: {error}")))?;
    Ok(sql(format!(
        "INSERT INTO products (shop_id, sku, title, options, name, variant_group, description, keywords, price, cost, stock, image_url, low_stock_at) \
         SELECT $1, $4, p.title, $5, product_name(p.title, $5), $3, p.description, p.keywords, coalesce($6, p.price), coalesce($7, p.cost), $8, p.image_url, \
         coalesce($9, p.low_stock_at) FROM products p WHERE p.shop_id = $1 AND p.id = $2 RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(like)
    .bind::<Integer, _>(group)
    .bind::<Nullable<Text>, _>(&new.sku)
    .bind::<Jsonb, _>(options)
    .bind::<Nullable<Numeric>, _>(new.price)
    .bind::<Nullable<Numeric>, _>(new.cost)
    .bind::<Integer, _>(new.stock)
    .bind::<Nullable<Integer>, _>(new.low_stock_at)
    .get_result(tx.conn())
    .await?)
}

/// Gives a group's other variants the title that one of them has got.
pub(super) async fn retitle(tx: &mut ShopTx, product: &ProductRow) -> Result<(), DbError> {
    sql("UPDATE products SET title = $4, name = product_name($4, options), version = version + 1, updated_at = now() \
         WHERE shop_id = $1 AND variant_group = $2 AND id <> $3 AND title <> $4")
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Integer>, _>(product.variant_group)
    .bind::<Integer, _>(product.id)
    .bind::<Nullable<Text>, _>(&product.title)
    .execute(tx.conn())
    .await?;
    Ok(())
}
