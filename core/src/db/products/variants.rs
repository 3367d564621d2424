//! Variants of one product: products of their own that share a title and a group.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Numeric, Text};
use diesel_async::RunQueryDsl;

use super::{COLUMNS, ProductRow, lock};
use crate::db::{DbError, ShopTx, sql::sql};
use crate::ids::ProductId;
use crate::jobs::NewVariant;

/// Variants of one product at most; as many as several sizes and colours make.
pub const MAX_VARIANTS: usize = 200;

/// What makes a variant this one, by name: `{"size": "42"}`.
pub type Options = BTreeMap<String, String>;

/// Why variants were not added. The transaction stays usable.
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

/// Adds variants beside `product`, which becomes one itself: the one with `own` options, if it has none yet. What a variant does not say is as the
/// product has it. Gives those that were added.
///
/// # Errors
/// See [`VariantError`].
pub async fn add(tx: &mut ShopTx, product: ProductId, own: &Options, new: &[NewVariant]) -> Result<Vec<ProductRow>, VariantError> {
    let first = lock(tx, &[product]).await?.pop().filter(|found| found.active).ok_or(VariantError::NotFound)?;
    let group = first.variant_group.unwrap_or(first.id);
    // The group's first product stands for it: who adds to a group waits here for whoever else does.
    lock(tx, &[group]).await?;
    let first = as_variant(tx, first, own).await?;
    let names: BTreeSet<String> = options(&first).into_keys().collect();
    let mut known: Vec<Options> = of_group(tx, group).await?.iter().map(options).collect();
    if known.len() + new.len() > MAX_VARIANTS {
        return Err(VariantError::TooMany);
    }
    let mut added = Vec::with_capacity(new.len());
    for (at, variant) in new.iter().enumerate() {
        if !variant.options.keys().eq(names.iter()) {
            return Err(VariantError::OtherNames { at, names: names.into_iter().collect() });
        }
        if known.contains(&variant.options) {
            return Err(VariantError::Taken { at });
        }
        known.push(variant.options.clone());
        added.push(insert(tx, &first, group, variant).await?.ok_or(VariantError::SkuTaken)?);
    }
    Ok(added)
}

/// The product as a variant of its group.
async fn as_variant(tx: &mut ShopTx, product: ProductRow, own: &Options) -> Result<ProductRow, VariantError> {
    let standing = options(&product);
    match (standing.is_empty(), own.is_empty()) {
        (true, true) => return Err(VariantError::NoOptions),
        (false, false) if standing != *own => return Err(VariantError::OtherOptions),
        (false, _) => return Ok(product),
        (true, false) => {}
    }
    let own = serde_json::to_value(own).map_err(|error| DbError::odd(format!("options: {error}")))?;
    Ok(sql(format!(
        "UPDATE products SET title = name, options = $3, name = product_name(name, $3), variant_group = id, version = version + 1, updated_at = now() \
         WHERE shop_id = $1 AND id = $2 RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(product.id)
    .bind::<Jsonb, _>(own)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?)
}

/// `None` if another product has the sku.
async fn insert(tx: &mut ShopTx, like: &ProductRow, group: ProductId, new: &NewVariant) -> Result<Option<ProductRow>, DbError> {
    let options = serde_json::to_value(&new.options).map_err(|error| DbError::odd(format!("options: {error}")))?;
    Ok(sql(format!(
        "INSERT INTO products (shop_id, sku, title, options, name, variant_group, description, keywords, price, cost, stock, image_url, low_stock_at) \
         SELECT $1, $4, p.title, $5, product_name(p.title, $5), $3, p.description, p.keywords, coalesce($6, p.price), coalesce($7, p.cost), $8, p.image_url, \
         coalesce($9, p.low_stock_at) FROM products p WHERE p.shop_id = $1 AND p.id = $2 \
         ON CONFLICT (shop_id, sku) WHERE sku IS NOT NULL AND active DO NOTHING RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(like.id)
    .bind::<Integer, _>(group)
    .bind::<Nullable<Text>, _>(&new.sku)
    .bind::<Jsonb, _>(options)
    .bind::<Nullable<Numeric>, _>(new.price)
    .bind::<Nullable<Numeric>, _>(new.cost)
    .bind::<Integer, _>(new.stock)
    .bind::<Nullable<Integer>, _>(new.low_stock_at)
    .get_result(tx.conn())
    .await
    .optional()?)
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
