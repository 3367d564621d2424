//! Notes that somebody's address is theirs. Setting a state twice changes nothing.

use frontdesk_core::jobs::{Answer, ConfirmEmail};

use super::invalid;
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ConfirmEmail {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let stands = cx.app.db.confirm_email(self.user, &self.email).await?;
        Ok(if stands { Answer::Empty } else { invalid("token", "This link is for another address. Ask for a new one.") })
    }
}
