//! Puts an archived product back into the catalogue. Restoring twice changes nothing.

use frontdesk_core::db::{audit, products, stock};
use frontdesk_core::jobs::{Answer, RefusalKind, RestoreProduct};
use serde_json::json;

use super::{Wrote, actor, not_found, once, refused, sku_taken};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for RestoreProduct {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (product, by) = (self.product, actor(&self.request));
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                let row = match products::restore(tx, product).await {
                    Ok(Some(row)) => row,
                    Ok(None) => return Ok(Wrote::answer(not_found())),
                    Err(error) if error.is_unique("products_sku") => return Ok(Wrote::answer(sku_taken())),
                    Err(error) if error.is_unique("products_variant") => {
                        let detail = "Another variant of this product has these options by now. Archive that one first.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "variant_taken", detail)));
                    }
                    Err(error) => return Err(error),
                };
                // Orders may have changed its stock while nobody watched.
                let notice = stock::watch(tx, &[product]).await?;
                audit::add(tx, &by, "restore", &format!("product:{product}"), &json!({})).await?;
                let event = json!({"product_id": product, "stock": row.stock});
                Ok(Wrote::answer(Answer::Done(serde_json::to_value(&row).unwrap_or_default())).then(notice).event("stock", event))
            })
        })
        .await
    }
}
