//! Records what leads to no turn: delivery states, receipts, echoes, reactions, deletions, the overflow of a mailbox. Safe to repeat: an event that
//! is in the log already is skipped, and states only move forward.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::channels::ChannelRef;
use frontdesk_core::db::conversations::PausedBy;
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::{DbError, ShopTx, TxKind, conversations, customers, logs, media, messages, proposals};
use frontdesk_core::ids::ConversationId;
use frontdesk_core::inbound::{DeliveryStatus, Happening, InboundEvent, Sender};
use frontdesk_core::jobs::RecordEvents;
use serde_json::Value;

use crate::App;
use crate::clients::meta;
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::{message_event, to_store, undeliverable};

/// An echo that may be our own send's waits this long for that send's answer (Instagram's echoes can overtake it).
const HOLD_ECHO: TimeDelta = TimeDelta::seconds(8);

impl Handle<App> for RecordEvents {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let accepted_at = DateTime::from_timestamp_millis(cx.envelope.enqueued_at_ms).unwrap_or_default();
        let may_hold = app.clock.now() - accepted_at < HOLD_ECHO;
        let mut held = false;
        for event in &self.events {
            let Some(channel) = app.channels.find(&event.channel).await? else {
                app.db.log_unknown_channel(&[event]).await?;
                continue;
            };
            let (owned, own_app, reference) = (event.clone(), app.settings.meta_app_id.clone(), channel.clone());
            let now = app.clock.now();
            let recorded = app
                .db
                .shop_tx(&channel.scope(), TxKind::Turn, async move |mut tx| {
                    record(&mut tx, &reference, &owned, &own_app, may_hold, now).await
                })
                .await?;
            match recorded {
                Recorded::Done(After { pending, arrived }) => {
                    if let Some(arrived) = arrived {
                        app.announce(&channel.scope(), "message", &arrived).await;
                    }
                    app.push_outbox(&channel.scope(), pending).await;
                }
                Recorded::Held => held = true,
            }
        }
        if held { Err(JobError::snooze(Duration::from_secs(1))) } else { Ok(()) }
    }
}

enum Recorded {
    /// With what follows the commit.
    Done(After),
    /// It may be our own: wait and see.
    Held,
}

/// What follows the commit.
#[derive(Default)]
struct After {
    /// To be pushed.
    pending: Vec<Pending>,
    /// What open dashboards are told: the message that is new.
    arrived: Option<Value>,
}

async fn record(
    tx: &mut ShopTx,
    channel: &ChannelRef,
    event: &InboundEvent,
    own_app: &str,
    may_hold: bool,
    now: DateTime<Utc>,
) -> Result<Recorded, DbError> {
    if logs::is_logged(tx, &event.dedupe_key).await? {
        return Ok(Recorded::Done(After::default()));
    }
    let mut after = After::default();
    match &event.what {
        Happening::Message(message) => {
            if let Some(sender) = &event.customer {
                let customer = customers::resolve(tx, channel.id(), sender).await?;
                let conversation = conversations::open(tx, channel.id(), customer, Some(event.occurred_at), false).await?;
                let stored = messages::store_inbound(tx, conversation.id(), channel.id(), &[to_store(event, message)]).await?;
                after.arrived = stored.iter().find(|row| row.is_new).map(|row| message_event(conversation.id(), row.id()));
                after.pending = crate::media::expect(tx, &stored, std::iter::once(message)).await?;
            }
        }
        Happening::Status(status) => after.pending = move_forward(tx, channel, status, now).await?,
        Happening::Receipt { read, message_ids, watermark_ms } => {
            let status = if *read { "read" } else { "delivered" };
            for id in message_ids.iter().take(200) {
                messages::advance(tx, channel.id(), id, None, status, None).await?;
            }
            let until = watermark_ms.and_then(DateTime::from_timestamp_millis);
            if let (Some(until), Some(conversation)) = (until, conversation_of(tx, channel, event.customer.as_ref()).await?) {
                messages::advance_until(tx, conversation, until, status).await?;
            }
        }
        Happening::Echo { message_id, app_id, metadata, text } => {
            let ours = app_id.as_deref() == Some(own_app);
            let settled = messages::advance(tx, channel.id(), message_id, metadata.as_deref(), "sent", None).await?;
            if let Some((message, _)) = settled {
                proposals::mark_shown(tx, message, now).await?;
            } else if !ours && !messages::is_known(tx, channel.id(), message_id).await? {
                let echo = Echo { message_id, from_an_app: app_id.is_some(), text: text.as_deref() };
                match heard_elsewhere(tx, channel, event, &echo, may_hold, now).await? {
                    Recorded::Done(more) => after = more,
                    Recorded::Held => return Ok(Recorded::Held),
                }
            }
        }
        Happening::Deleted { message_id } => {
            let files = media::forget_message(tx, channel.id(), message_id).await?;
            after.pending = crate::media::remove(tx, &files).await?;
            messages::mark_deleted(tx, channel.id(), message_id).await?;
        }
        // Old and new ids come together here and nowhere else: from now on they lead to one person (PROVIDERS 1.6).
        Happening::Other { kind } if matches!(kind.as_str(), "user_changed_number" | "user_changed_user_id") => {
            if let Some(sender) = &event.customer {
                customers::resolve(tx, channel.id(), sender).await?;
            }
        }
        Happening::Reaction { .. } | Happening::Other { .. } => {}
    }
    // Last, as a customer's messages are locked before their ids when they are forgotten, too. What comes of them later names them no more.
    match (&event.what, &event.customer) {
        (Happening::Status(_) | Happening::Receipt { .. }, Some(customer)) if !customers::hold(tx, channel.id(), customer).await? => {
            logs::insert_nameless(tx, event).await?;
        }
        _ => logs::insert_inbound(tx, &[event]).await?,
    }
    Ok(Recorded::Done(after))
}

async fn move_forward(tx: &mut ShopTx, channel: &ChannelRef, status: &DeliveryStatus, now: DateTime<Utc>) -> Result<Vec<Pending>, DbError> {
    let to = if status.status == "played" { "read" } else { &status.status };
    let key = status.callback_data.as_deref();
    let Some((message, conversation)) = messages::advance(tx, channel.id(), &status.message_id, key, to, status.error_code).await? else {
        return Ok(Vec::new());
    };
    if to != "failed" {
        proposals::mark_shown(tx, message, now).await?;
        return Ok(Vec::new());
    }
    let code = status.error_code.unwrap_or(0);
    undeliverable(tx, channel.id(), conversation, message, code, meta::action(code, 0, false)).await
}

async fn conversation_of(tx: &mut ShopTx, channel: &ChannelRef, sender: Option<&Sender>) -> Result<Option<ConversationId>, DbError> {
    let Some(sender) = sender else { return Ok(None) };
    let Some(customer) = customers::find(tx, channel.id(), sender).await? else { return Ok(None) };
    Ok(conversations::with_customer(tx, channel.id(), customer).await?.map(|conversation| conversation.id()))
}

struct Echo<'a> {
    message_id: &'a str,
    from_an_app: bool,
    text: Option<&'a str>,
}

/// Somebody wrote from the shop's side. Instagram does not say who: our own open send with this text, or a human.
async fn heard_elsewhere(
    tx: &mut ShopTx,
    channel: &ChannelRef,
    event: &InboundEvent,
    echo: &Echo<'_>,
    may_hold: bool,
    now: DateTime<Utc>,
) -> Result<Recorded, DbError> {
    let Some(customer) = &event.customer else { return Ok(Recorded::Done(After::default())) };
    let customer = customers::resolve(tx, channel.id(), customer).await?;
    let conversation = conversations::open(tx, channel.id(), customer, None, false).await?.id();
    if !echo.from_an_app {
        let text = echo.text.unwrap_or_default();
        if let Some(message) = messages::settle_by_text(tx, conversation, echo.message_id, text).await? {
            proposals::mark_shown(tx, message, now).await?;
            return Ok(Recorded::Done(After::default()));
        }
        if may_hold && messages::has_open_send(tx, conversation).await? {
            return Ok(Recorded::Held);
        }
    }
    let body = echo.text.unwrap_or_default();
    if let Some(message) = messages::store_human(tx, conversation, channel.id(), echo.message_id, body, event.occurred_at).await? {
        conversations::note_answer(tx, conversation, message).await?;
        let paused = conversations::pause(tx, conversation, PausedBy::Echo, None).await?;
        let pending = paused.and_then(|paused| paused.ends).into_iter().collect();
        return Ok(Recorded::Done(After { pending, arrived: Some(message_event(conversation, message)) }));
    }
    Ok(Recorded::Done(After::default()))
}
