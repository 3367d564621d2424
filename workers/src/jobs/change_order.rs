//! Moves an order through its states; cancelling and refunding restock and take the sale out of the figures. A state check makes it safe to repeat.

use frontdesk_core::db::orders::{self, ChangeError};
use frontdesk_core::jobs::{Answer, ChangeOrder, RefusalKind};
use serde_json::json;

use super::{Wrote, actor, changed_meanwhile, invalid, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ChangeOrder {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (order, status, from, by, now) = (self.order, self.status, self.from, actor(&self.request), cx.app.clock.now());
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                match orders::change_status(tx, order, &status, from.as_deref(), &by, now).await {
                    Ok(order) => {
                        let event = json!({"order_no": order.order_no, "status": order.status});
                        Ok(Wrote::answer(Answer::Done(serde_json::to_value(&order).unwrap_or_default())).event("order", event))
                    }
                    Err(ChangeError::NotFound) => Ok(Wrote::answer(not_found())),
                    Err(ChangeError::Changed) => Ok(Wrote::answer(changed_meanwhile("the order"))),
                    Err(ChangeError::NotAllowed { from }) => {
                        let detail = format!("An order that is {from} cannot become {status}.");
                        Ok(Wrote::answer(refused(RefusalKind::Conflict, "order_state", &detail)))
                    }
                    Err(ChangeError::NoSuchStatus) => {
                        Ok(Wrote::answer(invalid("status", "One of confirmed, fulfilled, cancelled, refunded.")))
                    }
                    Err(ChangeError::Db(error)) => Err(error),
                }
            })
        })
        .await
    }
}
