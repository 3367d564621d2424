//! Adds a holiday or another closure, or takes one away. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::{audit, closures};
use frontdesk_core::jobs::{Answer, ChangeClosure, ClosureChange};
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ChangeClosure {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (by, change) = (actor(&self.request), self.change);
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                let (answer, action, id) = match change {
                    ClosureChange::Add { staff, from_day, to_day, span, note } => {
                        let Some(row) = closures::insert(tx, staff, (from_day, to_day), span, &note).await? else {
                            return Ok(Wrote::answer(invalid("staff_id", "Nobody like this works in this shop. See GET /staff.")));
                        };
                        (Answer::Created(serde_json::to_value(&row).unwrap_or_default()), "add", row.id)
                    }
                    ClosureChange::Remove { closure } => {
                        if !closures::delete(tx, closure).await? {
                            return Ok(Wrote::answer(not_found()));
                        }
                        (Answer::Empty, "remove", closure)
                    }
                };
                audit::add(tx, &by, action, &format!("closure:{id}"), &json!({})).await?;
                Ok(Wrote::answer(answer).event("service", json!({"closure_id": id})))
            })
        })
        .await
    }
}
