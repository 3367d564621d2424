//! Adds a service, or changes it. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::audit;
use frontdesk_core::db::services::{self, SaveError};
use frontdesk_core::jobs::{Answer, RefusalKind, SaveService};
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveService {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, service, input } = self;
        once(cx, request, move |tx| {
            Box::pin(async move {
                let row = match services::save(tx, service, &input).await {
                    Ok(row) => row,
                    Err(SaveError::NotFound) => return Ok(Wrote::answer(not_found())),
                    Err(SaveError::NameTaken) => {
                        let detail = "Another service of this shop has this name. Choose another, or change that service.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "name_taken", detail)));
                    }
                    Err(SaveError::NoSuchStaff(stranger)) => {
                        let at = input.staff_ids.iter().position(|staff| *staff == stranger).unwrap_or_default();
                        return Ok(Wrote::answer(invalid(
                            &format!("staff_ids[{at}]"),
                            "Nobody like this works in this shop. See GET /staff.",
                        )));
                    }
                    Err(SaveError::Db(error)) => return Err(error),
                };
                audit::add(tx, &by, if service.is_some() { "update" } else { "add" }, &format!("service:{}", row.id), &json!({})).await?;
                let event = json!({"service_id": row.id});
                let view = serde_json::to_value(&row).unwrap_or_default();
                let answer = if service.is_some() { Answer::Done(view) } else { Answer::Created(view) };
                Ok(Wrote::answer(answer).event("service", event))
            })
        })
        .await
    }
}
