//! Sends what a turn has decided. Meta's sends take no idempotency key, so each is claimed in Postgres first; one whose outcome is unknown is left
//! to settle (status webhooks and echoes carry our key) before it is sent again.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use frontdesk_core::db::messages::{OutboundRow, SpokenRow};
use frontdesk_core::db::{DbError, ShopTx, TxKind, channels, conversations, logs, messages, outbox, proposals, turns, usage};
use frontdesk_core::ids::TurnId;
use frontdesk_core::jobs::Notice;
use frontdesk_core::memory::Exchange;

use super::{Reply, Turn, message_event, tell};
use crate::App;
use crate::agent::texts::{self, Text};
use crate::clients::meta::{Account, Action, Button, Outgoing, Sent};
use crate::crash::{self, Point};
use crate::runner::JobError;

/// How long the platform may take to tell us that an unknown send arrived, before it is sent again.
pub(crate) const SETTLE: TimeDelta = TimeDelta::seconds(5);
/// Kinds that count as an answer of the AI.
const COUNTED: [&str; 3] = ["reply", "proposal", "order"];
/// A throttled number or app is left alone this long.
const SLOW_DOWN: Duration = Duration::from_secs(15);

/// The holding reply, once per turn; it does not decide the turn.
pub(super) async fn hold_the_line(app: &App, turn: &Turn) -> Result<(), JobError> {
    let reply = Reply::ai("holding", texts::for_shop(&turn.shop, &Text::Holding, turn.language));
    let (conversation, channel, row, fence) = (turn.conversation.id(), turn.channel.id(), turn.row.id(), turn.fence());
    let outbound = reply.into_outbound(row, turn.channel.platform());
    let pending = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            if conversations::hold(&mut tx, conversation, fence).await?.is_none() {
                return Ok(None);
            }
            for message in &outbound {
                messages::store_outbound(&mut tx, conversation, channel, Some(row), message, None).await?;
            }
            messages::unsent_of(&mut tx, row).await.map(Some)
        })
        .await?;
    let pending = pending.ok_or_else(JobError::lost)?;
    metrics::counter!("frontdesk_holding_replies_total").increment(1);
    for message in pending.iter().filter(|message| message.kind == "holding" && message.status == "pending") {
        // A holding reply that fails is not worth a retry: the answer follows.
        if let Err(error) = send(app, turn, message, Then::GoOn).await {
            tracing::warn!(%error, "holding reply not sent");
        }
    }
    Ok(())
}

/// Sends what a turn says, the first part of which is claimed already, and closes the turn.
pub(super) async fn deliver(app: &App, turn: &Turn, parts: Vec<OutboundRow>) -> Result<(), JobError> {
    if parts.is_empty() {
        return resume(app, turn).await;
    }
    let mut closed = None;
    for (part, message) in parts.iter().enumerate() {
        let then = if part + 1 == parts.len() { Then::Close } else { Then::GoOn };
        // Claimed by the decision itself.
        closed =
            if message.status == "sending" { dispatch(app, turn, message, then).await? } else { send(app, turn, message, then).await? };
    }
    match closed {
        Some(said) => remember(app, turn, &said).await,
        None => close_and_remember(app, turn).await?,
    }
    Ok(())
}

/// What comes after a message is recorded as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// More is to be sent.
    GoOn,
    /// It was the last one: the turn is closed in the same transaction.
    Close,
}

/// Sends whatever a decided turn still has to send, in order, and closes it: its worker died on the way, or there is nothing to say.
pub(super) async fn resume(app: &App, turn: &Turn) -> Result<(), JobError> {
    let row = turn.row.id();
    let waiting = app.db.shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| messages::unsent_of(&mut tx, row).await).await?;
    for message in waiting.iter().filter(|message| message.kind != "holding") {
        send(app, turn, message, Then::GoOn).await?;
    }
    close_and_remember(app, turn).await
}

/// Claims and sends one message and records the outcome; what was said in the turn, if that closed it.
async fn send(app: &App, turn: &Turn, message: &OutboundRow, then: Then) -> Result<Option<Vec<SpokenRow>>, JobError> {
    let now = app.clock.now();
    if message.status == "sending" {
        // Its worker died, maybe together with the job that would have recorded the platform's status: that one gets its time from now on.
        let id = message.id();
        app.db.shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| messages::doubt(&mut tx, id, now).await).await?;
        return Err(JobError::snooze(Duration::from_secs(1)));
    }
    if let Some(wait) = unsettled(message, now) {
        return Err(JobError::snooze(wait));
    }
    match claim(app, turn, message, now).await? {
        Claim::Lost => return Err(JobError::lost()),
        Claim::Withheld | Claim::Settled => return Ok(None),
        Claim::Ours => {}
    }
    if message.status != "pending" {
        metrics::counter!("frontdesk_sends_repeated_total").increment(1);
    }
    dispatch(app, turn, message, then).await
}

/// Sends a claimed message and records the outcome, as [`send`].
async fn dispatch(app: &App, turn: &Turn, message: &OutboundRow, then: Then) -> Result<Option<Vec<SpokenRow>>, JobError> {
    let Some(account) = app.account(&turn.channel) else {
        fail(app, turn, message, 190, Action::Disconnected).await?;
        return Ok(None);
    };
    crash::at(Point::AfterClaim);
    let sent = transmit(app, &account, turn, message).await;
    crash::at(Point::AfterSend);
    let closed = record(app, turn, message, sent, then).await?;
    crash::at(Point::AfterRecord);
    Ok(closed)
}

async fn transmit(app: &App, account: &Account, turn: &Turn, message: &OutboundRow) -> Sent {
    let buttons: Vec<Button> = serde_json::from_value(message.content["buttons"].clone()).unwrap_or_default();
    let outgoing = Outgoing { to: &turn.to, text: &message.body, buttons: &buttons, human_agent: false, send_key: &message.send_key };
    app.meta.send(account, &outgoing).await
}

enum Claim {
    /// Send it.
    Ours,
    /// A status or an echo has settled it meanwhile.
    Settled,
    /// A human has taken over: the AI never talks over a person.
    Withheld,
    /// Another turn has begun: our lease is gone.
    Lost,
}

async fn claim(app: &App, turn: &Turn, message: &OutboundRow, now: chrono::DateTime<Utc>) -> Result<Claim, JobError> {
    let (conversation, fence, id, ai, row) = (turn.conversation.id(), turn.fence(), message.id(), message.author == "ai", turn.row.id());
    Ok(app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            let Some(held) = conversations::hold(&mut tx, conversation, fence).await? else { return Ok(Claim::Lost) };
            if ai && turns::epoch(&mut tx, row).await? != held.human_epoch {
                messages::mark(&mut tx, id, "superseded", None).await?;
                conversations::recount_answers(&mut tx, conversation).await?;
                return Ok(Claim::Withheld);
            }
            Ok::<_, DbError>(if messages::claim(&mut tx, id, now - SETTLE, now).await? { Claim::Ours } else { Claim::Settled })
        })
        .await?)
}

async fn record(app: &App, turn: &Turn, message: &OutboundRow, sent: Sent, then: Then) -> Result<Option<Vec<SpokenRow>>, JobError> {
    let (id, shown_at) = (message.id(), turn.clock.now());
    match sent.into() {
        Outcome::Sent(provider_id) => {
            let (kind, today) = (message.kind.clone(), turn.shop.local_date(app.clock.now()));
            let (channel, body, row) = (turn.channel.clone(), message.body.clone(), turn.row.id());
            let (allowance, now) = (turn.shop.plan().allows(), app.clock.now());
            let (closed, warning) = app
                .db
                .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
                    messages::mark_sent(&mut tx, id, &provider_id).await?;
                    proposals::mark_shown(&mut tx, id, shown_at).await?;
                    logs::insert_outbound(&mut tx, &channel, &kind, &provider_id, &body).await?;
                    let closed = if then == Then::Close { Some(close(&mut tx, row).await?) } else { None };
                    // Last: all answers of a shop meet in this row, and its lock lasts until the commit.
                    let mut warning = None;
                    if COUNTED.contains(&kind.as_str())
                        && let Some(used) = usage::count_reply(&mut tx, today, id).await?
                        && let Some(of) = allowance.monthly_messages.filter(|_| allowance.is_nearly_used(used))
                        && usage::warn_of_quota_once(&mut tx, today, now).await?
                    {
                        let key = format!("quota_warning:{}", today.format("%Y-%m"));
                        warning = Some(tell(&mut tx, key, Notice::QuotaNearlyUsed { used, of }).await?);
                    }
                    Ok::<_, DbError>((closed, warning))
                })
                .await?;
            app.push_outbox(&turn.scope, warning.into_iter().collect()).await;
            app.announce(&turn.scope, "message", &message_event(turn.conversation.id(), id)).await;
            Ok(closed)
        }
        Outcome::Again { status, code, error } => {
            mark(app, turn, message, status, code).await?;
            Err(error)
        }
        Outcome::Refused { code, action } => {
            fail(app, turn, message, code, action).await?;
            Ok(None)
        }
    }
}

/// What a try came to, and what follows.
pub(crate) enum Outcome {
    /// The platform has it, under this id.
    Sent(String),
    /// It is to be tried again, and stands like this until then.
    Again {
        /// `pending` (it never left) or `unknown`.
        status: &'static str,
        /// The platform's code.
        code: Option<i64>,
        /// When.
        error: JobError,
    },
    /// It will never go out.
    Refused {
        /// The platform's code.
        code: i64,
        /// What must be done about it.
        action: Action,
    },
}

impl From<Sent> for Outcome {
    fn from(sent: Sent) -> Self {
        let again = |code, error| Self::Again { status: "pending", code: Some(code), error };
        match sent {
            Sent::Accepted(provider_id) => Self::Sent(provider_id),
            Sent::NotSent => Self::Again { status: "pending", code: None, error: JobError::retry("meta_unreachable") },
            Sent::Unknown => Self::Again { status: "unknown", code: None, error: JobError::snooze(Duration::from_secs(1)) },
            Sent::Refused { code, action } => match action {
                Action::Retry => again(code, JobError::retry("meta_transient")),
                Action::SlowDown => again(code, JobError::retry_after("meta_throttled", SLOW_DOWN)),
                Action::PairLimit => again(code, JobError::retry_after("meta_pair_limit", Duration::from_secs(4))),
                Action::Disconnected | Action::Blocked | Action::WindowClosed | Action::Give => Self::Refused { code, action },
            },
        }
    }
}

/// How long a try whose outcome is unknown is still left to settle; `None`: it may be tried now.
pub(crate) fn unsettled(message: &OutboundRow, now: chrono::DateTime<Utc>) -> Option<Duration> {
    let attempted = message.attempted_at.filter(|attempted| message.status != "pending" && *attempted + SETTLE > now)?;
    let wait = (attempted + SETTLE - now).to_std().unwrap_or_default();
    Some(wait.min(Duration::from_secs(1)).max(Duration::from_millis(50)))
}

async fn mark(app: &App, turn: &Turn, message: &OutboundRow, status: &'static str, code: Option<i64>) -> Result<(), JobError> {
    let id = message.id();
    Ok(app.db.shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| messages::mark(&mut tx, id, status, code).await).await?)
}

/// It will never go out: staff are told, and a dead token disconnects the channel.
async fn fail(app: &App, turn: &Turn, message: &OutboundRow, code: i64, action: Action) -> Result<(), JobError> {
    let (id, conversation, channel) = (message.id(), turn.conversation.id(), turn.channel.id());
    let pending = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            messages::mark(&mut tx, id, "failed", Some(code)).await?;
            undeliverable(&mut tx, channel, conversation, id, code, action).await
        })
        .await?;
    app.push_outbox(&turn.scope, pending).await;
    app.channels.forget(turn.channel.key()).await;
    tracing::warn!(code, ?action, "message not delivered");
    Ok(())
}

/// What follows from a final refusal, whether it came as an answer or later as a status.
pub(crate) async fn undeliverable(
    tx: &mut ShopTx,
    channel: frontdesk_core::ids::ChannelId,
    conversation: frontdesk_core::ids::ConversationId,
    message: frontdesk_core::ids::MessageId,
    code: i64,
    action: Action,
) -> Result<Vec<outbox::Pending>, DbError> {
    conversations::recount_answers(tx, conversation).await?;
    let (notice_key, notice) = if action == Action::Disconnected {
        if !channels::disconnect(tx, channel, code).await? {
            return Ok(Vec::new());
        }
        (format!("disconnected:{channel}:{message}"), Notice::ChannelDisconnected { channel, code })
    } else {
        (format!("undeliverable:{message}"), Notice::Undeliverable { conversation, code: Some(code) })
    };
    Ok(vec![tell(tx, notice_key, notice).await?])
}

/// Closes the turn; gives what was said in it.
async fn close(tx: &mut ShopTx, row: TurnId) -> Result<Vec<SpokenRow>, DbError> {
    let said = messages::said_in(tx, row).await?;
    turns::finish(tx, row).await?;
    Ok(said)
}

async fn close_and_remember(app: &App, turn: &Turn) -> Result<(), JobError> {
    let row = turn.row.id();
    let said = app.db.shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| close(&mut tx, row).await).await?;
    remember(app, turn, &said).await;
    Ok(())
}

/// Adds the exchange to the memory. If it is lost it is rebuilt from Postgres; a turn is not repeated for it.
async fn remember(app: &App, turn: &Turn, said: &[SpokenRow]) {
    let join = |direction: &str| {
        said.iter().filter(|line| line.direction == direction).map(|line| line.body.as_str()).collect::<Vec<_>>().join("\n")
    };
    let exchange = Exchange { customer: join("in"), reply: join("out"), at_ms: turn.clock.now().timestamp_millis() };
    if let Err(error) = app.memory.append(&turn.scope, turn.conversation.id(), &exchange).await {
        tracing::warn!(%error, "exchange not remembered");
    }
    let answered_ms = turn.clock.now().timestamp_millis() - turn.accepted_ms();
    metrics::histogram!("frontdesk_reply_seconds").record(answered_ms as f64 / 1_000.0);
}
