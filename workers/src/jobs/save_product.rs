//! Adds a product, or changes it. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::audit;
use frontdesk_core::db::products::{self, ProductInput};
use frontdesk_core::jobs::{Answer, RefusalKind, SaveProduct};
use serde_json::json;

use super::{Wrote, actor, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveProduct {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let (product, request) = (self.product, self.request);
        let input = ProductInput {
            name: self.name,
            description: self.description,
            sku: self.sku,
            price: self.price,
            cost: self.cost,
            stock: self.stock,
            image_url: self.image_url,
        };
        once(cx, request, move |tx| {
            Box::pin(async move {
                let saved = match product {
                    None => products::insert(tx, &input).await.map(Some),
                    Some(id) => products::update(tx, id, &input).await,
                };
                let row = match saved {
                    Ok(Some(row)) => row,
                    Ok(None) => return Ok(Wrote::answer(not_found())),
                    Err(error) if error.is_unique("products_sku") => {
                        let detail = "Another product of this shop has this sku. Choose another, or change that product.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "sku_taken", detail)));
                    }
                    Err(error) => return Err(error),
                };
                audit::add(tx, &by, if product.is_some() { "update" } else { "add" }, &format!("product:{}", row.id), &json!({})).await?;
                let event = json!({"product_id": row.id, "stock": row.stock});
                let view = serde_json::to_value(&row).unwrap_or_default();
                let answer = if product.is_some() { Answer::Done(view) } else { Answer::Created(view) };
                Ok(Wrote::answer(answer).event("stock", event))
            })
        })
        .await
    }
}
