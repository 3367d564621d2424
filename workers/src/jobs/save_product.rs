//! Adds a product, or changes it. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::products::{self, ProductInput, variants};
use frontdesk_core::db::{audit, stock};
use frontdesk_core::jobs::{Answer, SaveProduct};
use serde_json::json;

use super::{Wrote, actor, changed_meanwhile, not_found, once, sku_taken};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveProduct {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, product, version, name, description, sku, price, cost, stock: wanted, image_url, low_stock_at } = self;
        once(cx, request, move |tx| {
            Box::pin(async move {
                // Locked first: what is sold meanwhile is not lost, and the history says from where to where.
                let standing = match product {
                    None => None,
                    Some(id) => variants::lock_with_variants(tx, id).await?,
                };
                if let (Some(seen), Some(standing)) = (version, &standing)
                    && seen != standing.version
                {
                    return Ok(Wrote::answer(changed_meanwhile("the product")));
                }
                let before = standing.map_or(0, |row| row.stock);
                let stock = wanted.unwrap_or(before);
                let input = ProductInput { name, description, sku, price, cost, stock, image_url, low_stock_at };
                let saved = match product {
                    None => products::insert(tx, &input).await.map(Some),
                    Some(id) => products::update(tx, id, &input).await,
                };
                let row = match saved {
                    Ok(Some(row)) => row,
                    Ok(None) => return Ok(Wrote::answer(not_found())),
                    Err(error) if error.is_unique("products_sku") => return Ok(Wrote::answer(sku_taken())),
                    Err(error) => return Err(error),
                };
                if row.stock != before {
                    stock::note(tx, &[(row.id, row.stock - before, row.stock)], "saved", "", &by).await?;
                }
                let notice = stock::watch(tx, &[row.id]).await?;
                audit::add(tx, &by, if product.is_some() { "update" } else { "add" }, &format!("product:{}", row.id), &json!({})).await?;
                let event = json!({"product_id": row.id, "stock": row.stock});
                let view = serde_json::to_value(&row).unwrap_or_default();
                let answer = if product.is_some() { Answer::Done(view) } else { Answer::Created(view) };
                Ok(Wrote::answer(answer).then(notice).event("stock", event))
            })
        })
        .await
    }
}
