//! Expires results and dead letters, and readies mailboxes that have messages but no job. Sweeping twice changes nothing.

use frontdesk_core::jobs::SweepQueues;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SweepQueues {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        cx.app.queue.sweep().await?;
        cx.app.db.drop_old_requests(cx.app.clock.now()).await?;
        Ok(())
    }
}
