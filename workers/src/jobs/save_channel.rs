//! Connects a channel, or changes its token and name. Safe to repeat: one row per platform and account. A plan allows so many platforms.

use frontdesk_core::db::channels::{self, ChannelInput};
use frontdesk_core::db::{audit, shops};
use frontdesk_core::inbound::ChannelKey;
use frontdesk_core::jobs::{Answer, RefusalKind, SaveChannel};
use frontdesk_core::plans::Plan;
use serde_json::json;

use super::{Wrote, actor, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveChannel {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let key = ChannelKey { platform: self.platform, external_id: self.external_id };
        let input = ChannelInput {
            key: key.clone(),
            name: self.name,
            phone: self.phone,
            instagram_login: self.login.as_deref() == Some("instagram"),
            sealed_token: self.sealed_token,
        };
        let answer = once(cx, self.request, move |tx| {
            Box::pin(async move {
                let (plan, platforms) = (shops::profile(tx).await?.plan(), channels::platforms(tx).await?);
                if !platforms.contains(&input.key.platform) && platforms.len() >= plan.allows().platforms {
                    return Ok(Wrote::answer(refused(RefusalKind::Plan, "plan_platforms", &too_many(plan))));
                }
                let (row, created) = match channels::save(tx, &input).await {
                    Ok(saved) => saved,
                    Err(error) if error.is_unique("channels_external") => {
                        let detail = "This account is connected to another shop. Disconnect it there first.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "channel_taken", detail)));
                    }
                    Err(error) => return Err(error),
                };
                audit::add(tx, &by, if created { "connect" } else { "update" }, &format!("channel:{}", row.id), &json!({})).await?;
                let view = serde_json::to_value(&row).unwrap_or_default();
                Ok(Wrote::answer(if created { Answer::Created(view) } else { Answer::Done(view) }))
            })
        })
        .await?;
        cx.app.channels.forget(&key).await;
        Ok(answer)
    }
}

fn too_many(plan: Plan) -> String {
    let most = plan.allows().platforms;
    format!("The plan {} allows {most} platform(s). Pro and Business allow all of them.", plan.as_str())
}
