//! Gives a colleague another role, or removes them. Their sessions end: what they may do is written in the token. Setting a state twice changes nothing.

use frontdesk_core::auth::{Permission, Role};
use frontdesk_core::db::{audit, conversations, shops, users};
use frontdesk_core::jobs::{Answer, ChangeColleague, RefusalKind};
use serde_json::json;

use super::invite_colleague::no_team;
use super::{Wrote, actor, end_sessions, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ChangeColleague {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let app = &cx.app;
        let by = actor(&self.request);
        let (user, role) = (self.user, self.role);
        let answer = once(cx, self.request, move |tx| {
            Box::pin(async move {
                // The owners are locked first: two who remove each other at once cannot both succeed.
                let owners = users::hold_owners(tx).await?;
                let Some(standing) = users::find(tx, user).await?.filter(|standing| standing.active) else {
                    return Ok(Wrote::answer(not_found()));
                };
                if standing.role() == Some(Role::Owner) && !standing.invited && role != Some(Role::Owner) && owners <= 1 {
                    let detail = "This is the shop's only owner. Make somebody else an owner first.";
                    return Ok(Wrote::answer(refused(RefusalKind::Conflict, "last_owner", detail)));
                }
                if role.is_some_and(|role| role != Role::Owner) && !shops::profile(tx).await?.plan().allows().team {
                    return Ok(Wrote::answer(no_team()));
                }
                let row = users::change(tx, user, role).await?;
                if !role.is_some_and(|role| role.may(Permission::ConversationsWrite)) {
                    conversations::release(tx, user).await?;
                }
                let action = if role.is_some() { "update" } else { "remove" };
                audit::add(tx, &by, action, &format!("user:{user}"), &json!({"role": role})).await?;
                let view = serde_json::to_value(&row).unwrap_or_default();
                let answer = if role.is_some() { Answer::Done(view) } else { Answer::Empty };
                Ok(Wrote::answer(answer).event("team", json!({"user_id": user})))
            })
        })
        .await?;
        if matches!(answer, Answer::Done(_) | Answer::Empty) {
            end_sessions(app, user).await?;
        }
        Ok(answer)
    }
}
