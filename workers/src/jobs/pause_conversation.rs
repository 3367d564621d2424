//! Pauses or resumes the AI in a conversation. Setting a state twice changes nothing.

use frontdesk_core::db::{audit, conversations};
use frontdesk_core::jobs::{Answer, PauseConversation};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for PauseConversation {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (conversation, paused, by) = (self.conversation, self.paused, actor(&self.request));
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                let Some(standing) = conversations::find(tx, conversation).await? else { return Ok(Wrote::answer(not_found())) };
                if paused && !standing.paused {
                    conversations::pause(tx, conversation, "staff").await?;
                } else if !paused {
                    conversations::resume(tx, conversation).await?;
                }
                audit::add(tx, &by, if paused { "pause" } else { "resume" }, &format!("conversation:{conversation}"), &json!({})).await?;
                let view = json!({"id": conversation, "paused": paused});
                Ok(Wrote::answer(Answer::Done(view.clone())).event("conversation", view))
            })
        })
        .await
    }
}
