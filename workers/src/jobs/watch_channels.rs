//! Looks at a shop's channels once a day, so that a token which ends is replaced before customers notice. Safe to repeat: what was looked at since the
//! firing is left alone, and a look tells staff only what the one before did not know.

use chrono::DateTime;
use frontdesk_core::db::{DbError, TxKind, channels};
use frontdesk_core::jobs::{JobName, WatchChannels};
use frontdesk_core::tenancy::ShopScope;
use serde_json::json;

use super::check_channel::{look, note};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for WatchChannels {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            let shops = cx.app.db.enqueue_for_every_shop(JobName::WatchChannels, &key).await?;
            tracing::info!(shops, "the channels of every shop are looked at");
            return Ok(());
        };
        let app = &cx.app;
        let since = DateTime::from_timestamp_millis(cx.envelope.enqueued_at_ms).unwrap_or_default();
        let unseen = async move |mut tx| channels::unseen_since(&mut tx, since).await.map_err(|error: DbError| error);
        let mut unanswered = None;
        for channel in app.db.shop_tx(&scope, TxKind::Command, unseen).await? {
            let checked = match look(app, &channel).await {
                Ok(checked) => checked,
                // The others are looked at all the same; the next run looks at this one again.
                Err(error) => {
                    unanswered = Some(error);
                    continue;
                }
            };
            let (id, now) = (channel.id(), app.clock.now());
            let notice_key = format!("watched:{id}:{key}");
            let noted = async move |mut tx| note(&mut tx, id, &checked, &notice_key, now).await;
            let pending = app.db.shop_tx(&scope, TxKind::Command, noted).await?;
            app.channels.forget(channel.key()).await;
            app.announce(&scope, "channel", &json!({"id": id})).await;
            app.push_outbox(&scope, pending).await;
        }
        unanswered.map_or(Ok(()), Err)
    }
}
