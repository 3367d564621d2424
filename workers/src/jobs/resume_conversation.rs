//! Ends a pause when its time has come, and waits in the queue until then. A state check makes it safe to repeat. Should it come late, or be lost, the
//! AI answers all the same: a pause that has an end is over when its time has come, whoever notes it.

use frontdesk_core::db::conversations::{self, PauseEnd};
use frontdesk_core::db::{DbError, TxKind, audit};
use frontdesk_core::jobs::ResumeConversation;
use serde_json::json;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ResumeConversation {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let (scope, conversation, human_epoch) = (cx.scope()?, self.conversation, self.human_epoch);
        let end = async move |mut tx| {
            let end = conversations::end_pause(&mut tx, conversation, human_epoch).await?;
            if end == PauseEnd::Ended {
                audit::add(&mut tx, "system", "resume", &format!("conversation:{conversation}"), &json!({})).await?;
            }
            Ok::<_, DbError>(end)
        };
        match cx.app.db.shop_tx(&scope, TxKind::Command, end).await? {
            PauseEnd::Ended => {
                cx.app.forget_exchanges(&scope, conversation).await;
                cx.app.announce(&scope, "conversation", &json!({"id": conversation, "paused": false})).await;
                Ok(())
            }
            PauseEnd::Later(left) => Err(JobError::snooze(left.to_std().unwrap_or_default())),
            PauseEnd::None => Ok(()),
        }
    }
}
