//! Changes the password of somebody who is logged in; the ingress has compared the old one. Every session of theirs ends.

use frontdesk_core::db::{DbError, TxKind, audit, users};
use frontdesk_core::jobs::{Answer, ChangePassword};
use serde_json::json;

use super::end_sessions;
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ChangePassword {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let Self { user, password_hash } = self;
        let write = async move |mut tx| {
            if users::set_password(&mut tx, user, &password_hash).await? {
                let who = format!("user:{user}");
                audit::add(&mut tx, &who, "change_password", &who, &json!({})).await?;
            }
            Ok::<_, DbError>(())
        };
        cx.app.db.shop_tx(&cx.scope()?, TxKind::Command, write).await?;
        end_sessions(&cx.app, user).await?;
        Ok(Answer::Empty)
    }
}
