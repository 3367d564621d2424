//! Places an order for staff at today's prices. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::orders::{self, PlaceError, Placement};
use frontdesk_core::jobs::{Answer, PlaceOrder, RefusalKind};
use serde_json::json;

use super::{Wrote, invalid, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for PlaceOrder {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let placement = Placement {
            customer: None,
            customer_name: self.customer_name.clone(),
            contact: self.contact.clone(),
            platform: None,
            source: "staff",
            proposal: None,
            request_key: Some(self.request.key.clone()),
            now: cx.app.clock.now(),
        };
        let lines = self.lines;
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                match orders::place(tx, &lines, &placement).await {
                    Ok(order) => {
                        let event = json!({"order_no": order.order_no, "status": order.status});
                        Ok(Wrote::answer(Answer::Created(serde_json::to_value(&order).unwrap_or_default())).event("order", event))
                    }
                    Err(PlaceError::OutOfStock { name, left, .. }) => {
                        let detail = format!("Only {left} of {name} left. Lower the quantity or restock.");
                        Ok(Wrote::answer(refused(RefusalKind::Conflict, "out_of_stock", &detail)))
                    }
                    Err(PlaceError::NoSuchProduct { product }) => {
                        let line = lines.iter().position(|line| line.product == product).unwrap_or(0);
                        if lines.len() == 1 {
                            return Ok(Wrote::answer(not_found()));
                        }
                        let field = format!("lines[{line}].product_id");
                        Ok(Wrote::answer(invalid(&field, "There is no such product in this shop's catalogue.")))
                    }
                    Err(PlaceError::Db(error)) => Err(error),
                }
            })
        })
        .await
    }
}
