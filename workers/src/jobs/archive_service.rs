//! Offers a service no longer; appointments keep it. Archiving twice changes nothing.

use frontdesk_core::db::{audit, services};
use frontdesk_core::jobs::{Answer, ArchiveService};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ArchiveService {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (service, by) = (self.service, actor(&self.request));
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                if !services::archive(tx, service).await? {
                    return Ok(Wrote::answer(not_found()));
                }
                audit::add(tx, &by, "archive", &format!("service:{service}"), &json!({})).await?;
                Ok(Wrote::answer(Answer::Empty).event("service", json!({"service_id": service, "archived": true})))
            })
        })
        .await
    }
}
