//! Pauses or resumes the AI in a conversation. Setting a state twice changes nothing.

use frontdesk_core::db::conversations::{self, PausedBy};
use frontdesk_core::db::{audit, inbox};
use frontdesk_core::jobs::{Answer, PauseConversation};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for PauseConversation {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (conversation, paused, resume_at, by) = (self.conversation, self.paused, self.resume_at, actor(&self.request));
        let answer = once(cx, self.request, move |tx| {
            Box::pin(async move {
                let Some(standing) = conversations::lock(tx, conversation).await? else { return Ok(Wrote::answer(not_found())) };
                let mut pending = Vec::new();
                if paused && (!standing.paused || resume_at.is_some()) {
                    let begun = conversations::pause(tx, conversation, PausedBy::Staff, resume_at).await?;
                    pending.extend(begun.and_then(|paused| paused.ends));
                } else if !paused {
                    conversations::resume(tx, conversation).await?;
                }
                let detail = json!({"resume_at": resume_at});
                audit::add(tx, &by, if paused { "pause" } else { "resume" }, &format!("conversation:{conversation}"), &detail).await?;
                let view = inbox::find(tx, conversation).await?;
                let event = json!({"id": conversation, "paused": paused});
                let answer = Answer::Done(serde_json::to_value(&view).unwrap_or_default());
                Ok(Wrote { pending, ..Wrote::answer(answer).event("conversation", event) })
            })
        })
        .await?;
        if !paused {
            cx.app.forget_exchanges(&cx.scope()?, conversation).await;
        }
        Ok(answer)
    }
}
