//! Changes a product's stock by hand and keeps the reason. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::audit;
use frontdesk_core::db::stock::{self, AdjustError, MAX_STOCK};
use frontdesk_core::jobs::{AdjustStock, Answer, RefusalKind};
use serde_json::json;

use super::{Wrote, actor, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for AdjustStock {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, product, change, reason } = self;
        once(cx, request, move |tx| {
            Box::pin(async move {
                let row = match stock::adjust(tx, product, change, &reason, &by).await {
                    Ok(row) => row,
                    Err(AdjustError::NotFound) => return Ok(Wrote::answer(not_found())),
                    Err(AdjustError::OutOfRange { stock }) => {
                        let detail = format!("There are {stock} pieces; a stock is 0 to {MAX_STOCK}. Change it by less.");
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "stock_out_of_range", &detail)));
                    }
                    Err(AdjustError::Db(error)) => return Err(error),
                };
                let notice = stock::watch(tx, &[product]).await?;
                audit::add(tx, &by, "adjust", &format!("product:{product}"), &json!({"change": change, "reason": reason})).await?;
                let event = json!({"product_id": product, "stock": row.stock});
                let view = serde_json::to_value(&row).unwrap_or_default();
                Ok(Wrote::answer(Answer::Created(view)).then(notice).event("stock", event))
            })
        })
        .await
    }
}
