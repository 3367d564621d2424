//! Removes files that nobody knows any more. Removing twice changes nothing.

use frontdesk_core::jobs::RemoveMedia;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for RemoveMedia {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        for key in &self.storage_keys {
            cx.app.media.remove(key).await?;
        }
        Ok(())
    }
}
