//! Forgets a customer who asked for it. What is left in raw events is emptied by a job of its own, which may take long.

use frontdesk_core::db::{audit, outbox, personal_data};
use frontdesk_core::jobs::{Answer, EraseCustomer, EraseTraces};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for EraseCustomer {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (customer, by) = (self.customer, actor(&self.request));
        let key = format!("erase:{customer}:{}", self.request.key);
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                let Some(mut traces) = personal_data::erase(tx, customer).await? else { return Ok(Wrote::answer(not_found())) };
                audit::add(tx, &by, "erase", &format!("customer:{customer}"), &json!({})).await?;
                let conversations = traces.conversations.clone();
                let mut pending = crate::media::remove(tx, &std::mem::take(&mut traces.files)).await?;
                pending.push(outbox::add(tx, &EraseTraces { traces }, &key).await?);
                let wrote = Wrote { pending, ..Wrote::answer(Answer::Empty) };
                Ok(conversations.iter().fold(wrote, |wrote, id| wrote.event("conversation", json!({"id": id}))))
            })
        })
        .await
    }
}
