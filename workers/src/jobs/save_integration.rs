//! Picks the Google calendar into which appointments go. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::{DbError, audit, integrations, outbox};
use frontdesk_core::jobs::{Answer, PullCalendar, RefusalKind, SaveIntegration};
use serde_json::json;

use super::{Wrote, actor, invalid, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveIntegration {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (by, key) = (actor(&self.request), self.request.key.clone());
        let Self { request, calendar_id, tell_customers } = self;
        once(cx, request, move |tx| {
            Box::pin(async move {
                let Some(calendars) = integrations::calendars(tx).await? else {
                    let detail = "No Google account is connected. Connect one: GET /integrations/google/connect.";
                    return Ok(Wrote::answer(refused(RefusalKind::Conflict, "google_not_connected", detail)));
                };
                let Some(calendar) = calendars.iter().find(|calendar| calendar.id == calendar_id) else {
                    let message = "is none of the account's calendars; see GET /integrations/google/calendars";
                    return Ok(Wrote::answer(invalid("calendar_id", message)));
                };
                integrations::pick(tx, calendar, tell_customers).await?;
                audit::add(tx, &by, "update", "integration:google", &json!({"tell_customers": tell_customers})).await?;
                let pull = outbox::add(tx, &PullCalendar {}, &format!("picked:{key}")).await?;
                let shown = integrations::shown(tx).await?.ok_or(DbError::NotFound)?;
                let wrote = Wrote::answer(Answer::Done(serde_json::to_value(shown).unwrap_or_default())).then(Some(pull));
                Ok(wrote.event("integration", json!({"provider": "google", "state": "picked"})))
            })
        })
        .await
    }
}
