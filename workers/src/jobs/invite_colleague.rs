//! Adds somebody to the team and mails them a link by which they choose a password. Somebody who was removed comes back as they are invited now.

use frontdesk_core::auth::LinkPurpose;
use frontdesk_core::db::{audit, outbox, shops, users};
use frontdesk_core::jobs::{Answer, InviteColleague, RefusalKind, SendLink};
use frontdesk_core::plans::Plan;
use serde_json::json;

use super::{Wrote, actor, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for InviteColleague {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, email, name, role, password_hash } = self;
        let key = format!("invite:{}", request.key);
        once(cx, request, move |tx| {
            Box::pin(async move {
                let shop = shops::profile(tx).await?;
                if !shop.plan().allows().team {
                    return Ok(Wrote::answer(no_team()));
                }
                let row = match users::invite(tx, &email, &name, role, &password_hash).await {
                    Ok(row) => row,
                    Err(error) if error.is_unique("users_email") => {
                        let detail = "There is an account with this e-mail address. One address is one user of one shop; choose another.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "email_taken", detail)));
                    }
                    Err(error) => return Err(error),
                };
                audit::add(tx, &by, "invite", &format!("user:{}", row.id), &json!({"role": role})).await?;
                let link = SendLink { email, purpose: LinkPurpose::JoinTeam, shop_name: Some(shop.name) };
                let pending = outbox::add(tx, &link, &key).await?;
                let wrote = Wrote::answer(Answer::Created(serde_json::to_value(&row).unwrap_or_default()));
                Ok(Wrote { pending: vec![pending], ..wrote }.event("team", json!({"user_id": row.id})))
            })
        })
        .await
    }
}

pub(super) fn no_team() -> Answer {
    let plan = Plan::smallest(|allows| allows.team).map_or("larger", Plan::title);
    refused(
        RefusalKind::Plan,
        "plan_team",
        &format!("A team with roles is part of the {plan} plan. Upgrade to have colleagues: POST /subscriptions/change."),
    )
}
