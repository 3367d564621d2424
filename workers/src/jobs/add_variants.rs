//! Adds variants of a product: sizes, colours. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::products::variants::{self, MAX_VARIANTS, VariantError};
use frontdesk_core::db::{DbError, audit, stock};
use frontdesk_core::ids::ProductId;
use frontdesk_core::jobs::{AddVariants, Answer};
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once, sku_taken};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for AddVariants {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, product, options, variants: new } = self;
        once(cx, request, move |tx| {
            Box::pin(async move {
                let added = match variants::add(tx, product, &options, &new).await {
                    Ok(added) => added,
                    Err(error) => return why_not(error).map(Wrote::answer),
                };
                let changes: Vec<(ProductId, i32, i32)> =
                    added.iter().filter(|row| row.stock > 0).map(|row| (row.id, row.stock, row.stock)).collect();
                stock::note(tx, &changes, "saved", "", &by).await?;
                let ids: Vec<ProductId> = added.iter().map(|row| row.id).collect();
                let notice = stock::watch(tx, &ids).await?;
                audit::add(tx, &by, "add_variants", &format!("product:{product}"), &json!({"added": ids})).await?;
                let wrote = Wrote::answer(Answer::Created(json!({"items": added}))).then(notice);
                Ok(added.iter().fold(wrote, |wrote, row| wrote.event("stock", json!({"product_id": row.id, "stock": row.stock}))))
            })
        })
        .await
    }
}

fn why_not(error: VariantError) -> Result<Answer, DbError> {
    let options = |at: usize, message: &str| invalid(&format!("variants[{at}].options"), message);
    Ok(match error {
        VariantError::NoOptions => invalid("options", "must say which variant the product itself is, e.g. {\"size\": \"41\"}"),
        VariantError::OtherOptions => invalid("options", "the product has other options already; leave this out"),
        VariantError::OtherNames { at, names } => options(at, &format!("must be called as the product's: {}", names.join(", "))),
        VariantError::Taken { at } => options(at, "there is such a variant already"),
        VariantError::TooMany => invalid("variants", &format!("a product has at most {MAX_VARIANTS} variants")),
        VariantError::SkuTaken => sku_taken(),
        VariantError::NotFound => not_found(),
        VariantError::Db(error) => return Err(error),
    })
}
