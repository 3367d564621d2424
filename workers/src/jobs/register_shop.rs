//! Opens a shop with its owner. The unique e-mail makes it safe to repeat: a repeat under the same key finds the shop it opened.

use frontdesk_core::auth::LinkPurpose;
use frontdesk_core::jobs::{Answer, RefusalKind, RegisterShop, SendLink};
use frontdesk_core::queue::{From as Origin, Push};
use serde_json::json;

use super::refused;
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for RegisterShop {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let app = &cx.app;
        match app.db.register_shop(&self, app.settings.trial_days, app.clock.now()).await {
            Ok(registered) => {
                // Under one key: a repeat of this job mails nothing twice.
                let link = SendLink { email: self.email, purpose: LinkPurpose::ConfirmEmail, shop_name: None };
                let push = Push { key: Some(format!("confirm:{}", registered.owner)), ..Push::default() };
                app.queue.push(Origin::System, &link, push).await?;
                Ok(Answer::Created(json!({"shop_id": registered.scope.shop(), "user_id": registered.owner})))
            }
            Err(error) if error.is_unique("users_email") => {
                let detail = "There is an account with this e-mail address. Log in, or register with another address.";
                Ok(refused(RefusalKind::Conflict, "email_taken", detail))
            }
            Err(error) => Err(error.into()),
        }
    }
}
