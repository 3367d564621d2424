//! Makes the log partitions of the coming months and drops those past their retention. Doing it twice changes nothing.

use frontdesk_core::jobs::DropOldLogs;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for DropOldLogs {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        cx.app.db.keep_logs(cx.app.settings.log_retention_days).await?;
        Ok(())
    }
}
