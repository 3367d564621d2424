//! Disconnects a channel: its token goes, its conversations stay. Removing twice changes nothing.

use frontdesk_core::db::{audit, channels};
use frontdesk_core::jobs::{Answer, RemoveChannel};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for RemoveChannel {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (channel, by) = (self.channel, actor(&self.request));
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                if !channels::remove(tx, channel).await? {
                    return Ok(Wrote::answer(not_found()));
                }
                audit::add(tx, &by, "remove", &format!("channel:{channel}"), &json!({})).await?;
                Ok(Wrote::answer(Answer::Empty))
            })
        })
        .await
    }
}
