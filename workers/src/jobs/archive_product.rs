//! Takes a product out of the catalogue; orders keep it. Archiving twice changes nothing.

use frontdesk_core::db::{audit, products};
use frontdesk_core::jobs::{Answer, ArchiveProduct};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ArchiveProduct {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (product, by) = (self.product, actor(&self.request));
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                if !products::archive(tx, product).await? {
                    return Ok(Wrote::answer(not_found()));
                }
                audit::add(tx, &by, "archive", &format!("product:{product}"), &json!({})).await?;
                Ok(Wrote::answer(Answer::Empty).event("stock", json!({"product_id": product, "archived": true})))
            })
        })
        .await
    }
}
