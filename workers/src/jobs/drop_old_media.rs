//! Gives up customers' files past their retention. Doing it twice changes nothing.

use chrono::TimeDelta;
use frontdesk_core::db::{TxKind, media};
use frontdesk_core::jobs::{DropOldMedia, JobName};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::media::remove;
use crate::runner::{Handle, JobContext, JobError};

/// Files given up in one transaction.
const PAGE: i64 = 500;

impl Handle<App> for DropOldMedia {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            // The firing's own key: should it run twice, the queue drops the second row of each shop.
            let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
            cx.app.db.enqueue_for_every_shop(JobName::DropOldMedia, &key).await?;
            return Ok(());
        };
        let before = cx.app.clock.now() - TimeDelta::days(cx.app.settings.media_retention_days.into());
        // Ends with the shop's last old file; the job's time limit bounds it too, and a run that was cut off goes on where it stopped.
        loop {
            let give_up = async move |mut tx| {
                let keys = media::expire(&mut tx, before, PAGE).await?;
                remove(&mut tx, &keys).await
            };
            let pending = cx.app.db.shop_tx(&scope, TxKind::Command, give_up).await?;
            if pending.is_empty() {
                return Ok(());
            }
            cx.app.push_outbox(&scope, pending).await;
        }
    }
}
