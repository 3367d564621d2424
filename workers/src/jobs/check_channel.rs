//! Asks Meta whether a channel works, and says what is wrong and what to do about it. A token that Meta refuses marks the channel, as a refused message
//! would.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::channels::{self, ChannelRef};
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::{DbError, ShopTx, TxKind, audit};
use frontdesk_core::ids::ChannelId;
use frontdesk_core::jobs::{Answer, CheckChannel, Notice};
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::clients::meta::{Checked, EXPIRES_SOON, Finding, TokenEnd};
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::tell;

impl Handle<App> for CheckChannel {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope, id) = (&cx.app, cx.scope()?, self.channel);
        let find = async move |mut tx| channels::find(&mut tx, id).await.map_err(|error: DbError| error);
        let Some(channel) = app.db.shop_tx(&scope, TxKind::Command, find).await?.filter(|channel| !channel.is_removed()) else {
            return Ok(not_found());
        };
        let (checked, now) = (look(app, &channel).await?, app.clock.now());
        let (by, key) = (actor(&self.request), channel.key().clone());
        let notice_key = format!("checked:{id}:{}", self.request.key);
        let answer = once(cx, self.request, move |tx| {
            Box::pin(async move {
                let ok = checked.findings.iter().all(|finding| finding.ok);
                let mut wrote = Wrote::answer(Answer::Done(json!({"ok": ok, "name": checked.name, "findings": checked.findings})));
                wrote.pending = note(tx, id, &checked, &notice_key, now).await?;
                wrote = wrote.event("channel", json!({"id": id}));
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

/// Asks Meta about a channel.
pub(super) async fn look(app: &App, channel: &ChannelRef) -> Result<Checked, JobError> {
    match app.account(channel) {
        Some(account) => Ok(app.meta.check(&account, app.clock.now()).await?),
        None => Ok(Checked::without_token()),
    }
}

/// Notes what Meta says: a dead token marks the channel, and staff are told of that, and of an end that has come near since the look before.
pub(super) async fn note(
    tx: &mut ShopTx,
    channel: ChannelId,
    checked: &Checked,
    notice_key: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Pending>, DbError> {
    let told = match checked.token_end {
        TokenEnd::Never => Some(None),
        TokenEnd::At(end) => Some(Some(end)),
        TokenEnd::Untold => None,
    };
    let Some(seen) = channels::note_look(tx, channel, told, now).await? else { return Ok(Vec::new()) };
    let notice = match (checked.dead_token, seen.token_expires_at) {
        (Some(code), _) => channels::disconnect(tx, channel, code).await?.then_some(Notice::ChannelDisconnected { channel, code }),
        (None, Some(at)) if nearness(at, now) > seen.before.map_or(0, |before| nearness(at, before)) => {
            Some(Notice::TokenExpires { name: seen.name, at })
        }
        _ => None,
    };
    match notice {
        Some(notice) => Ok(vec![tell(tx, notice_key.to_owned(), notice).await?]),
        None => Ok(Vec::new()),
    }
}

/// Staff are told a week and a day before a token ends.
fn nearness(end: DateTime<Utc>, now: DateTime<Utc>) -> u8 {
    match end - now {
        left if left <= TimeDelta::days(1) => 2,
        left if left <= EXPIRES_SOON => 1,
        _ => 0,
    }
}

impl Checked {
    fn without_token() -> Self {
        let remedy = "There is no token that opens. Paste a new one.";
        Self { name: None, findings: vec![Finding::wrong("token", remedy)], dead_token: None, token_end: TokenEnd::Untold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_are_told_a_week_and_a_day_before() {
        let end: DateTime<Utc> = "2026-05-20T12:00:00Z".parse().unwrap();
        let days = |days: i64| nearness(end, end - TimeDelta::days(days));
        assert_eq!((days(30), days(8), days(7), days(2), days(1), days(-1)), (0, 0, 1, 1, 2, 2));
    }
}
