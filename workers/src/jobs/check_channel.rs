//! Asks Meta whether a channel works, and says what is wrong and what to do about it. A token that Meta refuses marks the channel, as a refused message
//! would.

use frontdesk_core::db::{DbError, TxKind, audit, channels};
use frontdesk_core::jobs::{Answer, CheckChannel, Notice};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::clients::meta::{Checked, Finding};
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::tell;

impl Handle<App> for CheckChannel {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope, id) = (&cx.app, cx.scope()?, self.channel);
        let find = async move |mut tx| channels::find(&mut tx, id).await.map_err(|error: DbError| error);
        let Some(channel) = app.db.shop_tx(&scope, TxKind::Command, find).await?.filter(|channel| !channel.is_removed()) else {
            return Ok(not_found());
        };
        let checked = match app.account(&channel) {
            Some(account) => app.meta.check(&account).await?,
            None => Checked::without_token(),
        };
        let (by, key) = (actor(&self.request), channel.key().clone());
        let notice_key = format!("checked:{id}:{}", self.request.key);
        let answer = once(cx, self.request, move |tx| {
            Box::pin(async move {
                let ok = checked.findings.iter().all(|finding| finding.ok);
                let mut wrote = Wrote::answer(Answer::Done(json!({"ok": ok, "name": checked.name, "findings": checked.findings})));
                if let Some(code) = checked.dead_token
                    && channels::disconnect(tx, id, code).await?
                {
                    let notice = tell(tx, notice_key, Notice::ChannelDisconnected { channel: id, code }).await?;
                    wrote = wrote.then(Some(notice)).event("channel", json!({"id": id}));
                }
                let wrong: Vec<&str> = checked.findings.iter().filter(|finding| !finding.ok).map(|finding| finding.check).collect();
                audit::add(tx, &by, "check", &format!("channel:{id}"), &json!({"wrong": wrong})).await?;
                Ok(wrote)
            })
        })
        .await?;
        app.channels.forget(&key).await;
        Ok(answer)
    }
}

impl Checked {
    fn without_token() -> Self {
        let remedy = "There is no token that opens. Paste a new one.";
        Self { name: None, findings: vec![Finding::wrong("token", remedy)], dead_token: None }
    }
}
