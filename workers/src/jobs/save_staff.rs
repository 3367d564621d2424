//! Adds somebody, or a room, who performs services, or changes them. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::audit;
use frontdesk_core::db::staff::{self, SaveError};
use frontdesk_core::jobs::{Answer, RefusalKind, SaveStaff};
use serde_json::json;

use super::{Wrote, actor, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveStaff {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, staff: id, name, kind, hours } = self;
        once(cx, request, move |tx| {
            Box::pin(async move {
                let row = match staff::save(tx, id, &name, &kind, hours.as_ref()).await {
                    Ok(row) => row,
                    Err(SaveError::NameTaken) => {
                        let detail = "Somebody else of this shop has this name, and customers could not tell them apart. Choose another.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "name_taken", detail)));
                    }
                    Err(SaveError::NotFound | SaveError::Booked { .. }) => return Ok(Wrote::answer(not_found())),
                    Err(SaveError::Db(error)) => return Err(error),
                };
                audit::add(tx, &by, if id.is_some() { "update" } else { "add" }, &format!("staff:{}", row.id), &json!({})).await?;
                let event = json!({"staff_id": row.id});
                let view = serde_json::to_value(&row).unwrap_or_default();
                let answer = if id.is_some() { Answer::Done(view) } else { Answer::Created(view) };
                Ok(Wrote::answer(answer).event("service", event))
            })
        })
        .await
    }
}
