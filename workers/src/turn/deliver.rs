//! Sends what a turn has decided. Meta's sends take no idempotency key, so each is claimed in Postgres first; one whose outcome is unknown is left
//! to settle (status webhooks and echoes carry our key) before it is sent again.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use frontdesk_core::db::messages::OutboundRow;
use frontdesk_core::db::{DbError, ShopTx, TxKind, channels, conversations, logs, messages, outbox, proposals, turns, usage};
use frontdesk_core::jobs::Notice;
use frontdesk_core::memory::Exchange;

use super::{Reply, Turn, tell};
use crate::App;
use crate::agent::texts::{self, Text};
use crate::clients::meta::{Account, Action, Button, Outgoing, Sent};
use crate::crash::{self, Point};
use crate::runner::JobError;

/// How long the platform may take to tell us that an unknown send arrived, before it is sent again.
const SETTLE: TimeDelta = TimeDelta::seconds(5);
/// Kinds that count as an answer of the AI.
const COUNTED: [&str; 3] = ["reply", "proposal", "order"];
/// A throttled number or app is left alone this long.
const SLOW_DOWN: Duration = Duration::from_secs(15);

/// The holding reply, once per turn; it does not decide the turn.
pub(super) async fn hold_the_line(app: &App, turn: &Turn) -> Result<(), JobError> {
    let reply = Reply::ai("holding", texts::render(&Text::Holding, turn.language));
    let (conversation, channel, row, fence) = (turn.conversation.id(), turn.channel.id(), turn.row.id(), turn.fence());
    let outbound = reply.into_outbound(row, turn.channel.platform());
    let pending = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            if conversations::hold(&mut tx, conversation, fence).await?.is_none() {
                return Ok(None);
            }
            for message in &outbound {
                messages::store_outbound(&mut tx, conversation, channel, Some(row), message).await?;
            }
            messages::unsent_of(&mut tx, row).await.map(Some)
        })
        .await?;
    let pending = pending.ok_or_else(JobError::lost)?;
    metrics::counter!("frontdesk_holding_replies_total").increment(1);
    for message in pending.iter().filter(|message| message.kind == "holding" && message.status == "pending") {
        // A holding reply that fails is not worth a retry: the answer follows.
        if let Err(error) = send(app, turn, message).await {
            tracing::warn!(%error, "holding reply not sent");
        }
    }
    Ok(())
}

/// Sends everything that the turn still has to send, in order.
pub(super) async fn deliver(app: &App, turn: &Turn) -> Result<(), JobError> {
    let row = turn.row.id();
    let waiting = app.db.shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| messages::unsent_of(&mut tx, row).await).await?;
    for message in waiting.iter().filter(|message| message.kind != "holding") {
        send(app, turn, message).await?;
    }
    Ok(())
}

/// Claims and sends one message and records the outcome.
async fn send(app: &App, turn: &Turn, message: &OutboundRow) -> Result<(), JobError> {
    let now = app.clock.now();
    if message.status != "pending"
        && let Some(attempted) = message.attempted_at
        && attempted + SETTLE > now
    {
        let wait = (attempted + SETTLE - now).to_std().unwrap_or_default();
        return Err(JobError::snooze(wait.min(Duration::from_secs(1)).max(Duration::from_millis(50))));
    }
    match claim(app, turn, message, now).await? {
        Claim::Lost => return Err(JobError::lost()),
        Claim::Withheld | Claim::Settled => return Ok(()),
        Claim::Ours => {}
    }
    if message.status != "pending" {
        metrics::counter!("frontdesk_sends_repeated_total").increment(1);
    }
    let Some(account) = app.account(&turn.channel) else {
        return fail(app, turn, message, 190, Action::Disconnected).await;
    };
    crash::at(Point::AfterClaim);
    let sent = transmit(app, &account, turn, message).await;
    crash::at(Point::AfterSend);
    record(app, turn, message, sent).await?;
    crash::at(Point::AfterRecord);
    Ok(())
}

async fn transmit(app: &App, account: &Account, turn: &Turn, message: &OutboundRow) -> Sent {
    let buttons: Vec<Button> = serde_json::from_value(message.content["buttons"].clone()).unwrap_or_default();
    let outgoing = Outgoing { to: &turn.to, text: &message.body, buttons: &buttons, send_key: &message.send_key };
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
                return Ok(Claim::Withheld);
            }
            Ok::<_, DbError>(if messages::claim(&mut tx, id, now - SETTLE, now).await? { Claim::Ours } else { Claim::Settled })
        })
        .await?)
}

async fn record(app: &App, turn: &Turn, message: &OutboundRow, sent: Sent) -> Result<(), JobError> {
    let (id, shown_at) = (message.id(), turn.clock.now());
    match sent {
        Sent::Accepted(provider_id) => {
            let (kind, now) = (message.kind.clone(), app.clock.now());
            let (channel, body) = (turn.channel.clone(), message.body.clone());
            app.db
                .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
                    messages::mark_sent(&mut tx, id, &provider_id).await?;
                    proposals::mark_shown(&mut tx, id, shown_at).await?;
                    logs::insert_outbound(&mut tx, &channel, &kind, &provider_id, &body).await?;
                    // Last: all answers of a shop meet in this row, and its lock lasts until the commit.
                    if COUNTED.contains(&kind.as_str()) {
                        usage::count_reply(&mut tx, now, id).await?;
                    }
                    Ok::<_, DbError>(())
                })
                .await?;
            let event = serde_json::json!({"conversation_id": turn.conversation.id(), "message_id": id});
            app.announce(&turn.scope, "message", &event).await;
            Ok(())
        }
        Sent::NotSent => {
            mark(app, turn, message, "pending", None).await?;
            Err(JobError::retry("meta_unreachable"))
        }
        Sent::Unknown => {
            mark(app, turn, message, "unknown", None).await?;
            Err(JobError::snooze(Duration::from_secs(1)))
        }
        Sent::Refused { code, action } => match action {
            Action::Retry => {
                mark(app, turn, message, "pending", Some(code)).await?;
                Err(JobError::retry("meta_transient"))
            }
            Action::SlowDown => {
                mark(app, turn, message, "pending", Some(code)).await?;
                Err(JobError::retry_after("meta_throttled", SLOW_DOWN))
            }
            Action::PairLimit => {
                mark(app, turn, message, "pending", Some(code)).await?;
                Err(JobError::retry_after("meta_pair_limit", Duration::from_secs(4)))
            }
            Action::Disconnected | Action::Blocked | Action::WindowClosed | Action::Give => fail(app, turn, message, code, action).await,
        },
    }
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

/// Closes the turn and remembers the exchange.
pub(super) async fn finish(app: &App, turn: &Turn) -> Result<(), JobError> {
    let (row, conversation) = (turn.row.id(), turn.conversation.id());
    let said = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            let said = messages::said_in(&mut tx, row).await?;
            turns::finish(&mut tx, row).await?;
            Ok::<_, DbError>(said)
        })
        .await?;
    let join = |direction: &str| {
        said.iter().filter(|line| line.direction == direction).map(|line| line.body.as_str()).collect::<Vec<_>>().join("\n")
    };
    let exchange = Exchange { customer: join("in"), reply: join("out"), at_ms: turn.clock.now().timestamp_millis() };
    // Lost memory is rebuilt from Postgres; a turn is not repeated for it.
    if let Err(error) = app.memory.append(&turn.scope, conversation, &exchange).await {
        tracing::warn!(%error, "exchange not remembered");
    }
    let answered_ms = turn.clock.now().timestamp_millis() - turn.accepted_ms();
    metrics::histogram!("frontdesk_reply_seconds").record(answered_ms as f64 / 1_000.0);
    Ok(())
}
