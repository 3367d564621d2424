//! Answers a customer: one turn of one conversation. Safe to repeat: see [`crate::turn`].

use frontdesk_core::jobs::AnswerCustomer;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for AnswerCustomer {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        crate::turn::run(cx, &self.conversation).await
    }
}
