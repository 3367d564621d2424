//! Sets the password of somebody who holds a link. The link names the password it replaces, so it works once; the same job again finds its own work done.

use frontdesk_core::jobs::{Answer, ResetPassword};

use super::{end_sessions, invalid};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ResetPassword {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        if !cx.app.db.reset_password(self.user, &self.replaces, &self.password_hash).await? {
            return Ok(invalid("token", "This link was used, or a newer one was. Ask for a new one."));
        }
        // Whoever knew the old password is out.
        end_sessions(&cx.app, self.user).await?;
        Ok(Answer::Empty)
    }
}
