//! Opens a turn: the customer, the conversation, the messages stored once, the fence taken.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::channels::ChannelRef;
use frontdesk_core::db::messages::{InboundRow, NewInbound};
use frontdesk_core::db::shops::{self, ShopProfile};
use frontdesk_core::db::{DbError, ShopTx, TxKind, channels, conversations, customers, logs, messages, outbox, proposals, turns, usage};
use frontdesk_core::ids::ConversationId;
use frontdesk_core::inbound::{Content, InboundEvent, Platform};
use frontdesk_core::jobs::Notice;
use frontdesk_core::mailbox::Mail;

use super::{Said, Standing, Turn, TurnClock, message_event, tell};
use crate::App;
use crate::agent::texts::{self, Language};
use crate::crash::{self, Point};
use crate::runner::JobError;

/// How the mail stands.
pub(super) enum Opened {
    /// Stored; nothing to answer (paused, too old, answered before).
    Stored,
    /// A worker died after deciding: its answer waits to be sent, and covers the first `handled` of the mail.
    Decided {
        /// That turn.
        turn: Box<Turn>,
        /// How many of the mail it answers.
        handled: usize,
    },
    /// A turn to run.
    Turn(Box<Turn>),
}

pub(super) async fn log_unknown_channel(app: &App, mail: &[Mail]) -> Result<(), JobError> {
    let events: Vec<&InboundEvent> = mail.iter().map(|mail| &mail.event).collect();
    tracing::warn!(events = events.len(), "messages for an unknown channel");
    Ok(app.db.log_unknown_channel(&events).await?)
}

/// A message in the form that is stored.
pub(crate) fn to_store(event: &InboundEvent, message: &frontdesk_core::inbound::CustomerMessage) -> NewInbound {
    let kind = match &message.content {
        Content::Text { .. } => "text",
        Content::Button { .. } => "button",
        Content::Media { kind, .. } | Content::Unreadable { kind } => kind,
        Content::Location { .. } => "location",
    };
    NewInbound {
        provider_id: message.message_id.clone(),
        kind: kind.to_owned(),
        body: message.content.text().unwrap_or_default().to_owned(),
        content: serde_json::to_value(&message.content).unwrap_or_default(),
        occurred_at: event.occurred_at,
    }
}

/// Safe to repeat: messages are stored once, and a turn left behind is taken over.
pub(super) async fn open(app: &App, channel: &ChannelRef, mail: &[Mail], clock: TurnClock) -> Result<Opened, JobError> {
    let (channel, mail, now) = (channel.clone(), mail.to_vec(), app.clock.now());
    let scope = channel.scope();
    let (opened, after) =
        app.db.shop_tx(&scope, TxKind::Turn, async move |mut tx| open_in(&mut tx, channel, &mail, clock, now).await).await?;
    crash::at(Point::AfterOpen);
    if let Some(arrived) = after.arrived {
        app.announce(&scope, "message", &arrived).await;
    }
    app.push_outbox(&scope, after.pending).await;
    Ok(opened)
}

/// What follows the commit.
#[derive(Default)]
struct After {
    /// To be pushed.
    pending: Vec<outbox::Pending>,
    /// What open dashboards are told: which messages are new in which conversation.
    arrived: Option<serde_json::Value>,
}

async fn open_in(
    tx: &mut ShopTx,
    channel: ChannelRef,
    mail: &[Mail],
    clock: TurnClock,
    now: DateTime<Utc>,
) -> Result<(Opened, After), DbError> {
    let mut after = After::default();
    let incoming: Vec<(&Mail, &frontdesk_core::inbound::CustomerMessage)> = super::messages(mail).collect();
    let Some(sender) = mail.iter().rev().find_map(|mail| mail.event.customer.as_ref()) else {
        return Ok((Opened::Stored, after));
    };
    let shop = shops::profile(tx).await?;
    let customer_name = sender.name.clone().unwrap_or_default();
    let customer = customers::resolve(tx, channel.id(), sender).await?;
    let wrote_at = mail.iter().map(|mail| mail.event.occurred_at).max();
    let conversation = conversations::open(tx, channel.id(), customer, wrote_at, true).await?;
    let to_store: Vec<NewInbound> = incoming.iter().map(|(mail, message)| to_store(&mail.event, message)).collect();
    let stored = messages::store_inbound(tx, conversation.id(), channel.id(), &to_store).await?;
    after.pending.extend(crate::media::expect(tx, &stored, incoming.iter().map(|(_, message)| *message)).await?);
    let is_new = |id: &str| stored.iter().any(|row| row.is_new && row.provider_id == id);
    let fresh: Vec<&InboundEvent> =
        incoming.iter().filter(|(_, message)| is_new(&message.message_id)).map(|(mail, _)| &mail.event).collect();
    logs::insert_inbound(tx, &fresh).await?;
    if let Some(latest) = stored.iter().filter(|row| row.is_new).map(InboundRow::id).max() {
        after.arrived = Some(message_event(conversation.id(), latest));
    }

    let left_behind = turns::unfinished(tx, conversation.id()).await?;
    if let Some(row) = left_behind.clone().filter(turns::TurnRow::is_decided) {
        let row_of = |id: &str| stored.iter().find(|stored| stored.provider_id == id);
        let covered = |id: &str| row_of(id).is_some_and(|stored| answered(stored) || stored.turn() == Some(row.id()));
        let handled = mail
            .iter()
            .take_while(|mail| super::messages(std::slice::from_ref(mail)).all(|(_, message)| covered(&message.message_id)))
            .count();
        let to = customers::aliases(tx, customer).await?;
        let language = language(&shop, &conversation, &[]);
        let standing = standing(tx, conversation.id(), clock, &shop, channel.platform(), now).await?;
        let turn = Turn {
            scope: channel.scope(),
            channel,
            conversation,
            row,
            shop,
            to,
            customer_name,
            said: Vec::new(),
            language,
            clock,
            standing,
        };
        return Ok((Opened::Decided { turn: Box::new(turn), handled }, after));
    }

    // Answered before: Redis forgot that, Postgres did not.
    let open: Vec<(&Mail, &frontdesk_core::inbound::CustomerMessage, &InboundRow)> = incoming
        .iter()
        .filter_map(|(mail, message)| Some((*mail, *message, stored.iter().find(|row| row.provider_id == message.message_id)?)))
        .filter(|(_, _, row)| !answered(row))
        .collect();
    let (timely, late): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|(mail, _, _)| mail.event.occurred_at > clock.now() - conversations::WINDOW);
    if let Some((_, message, _)) = late.first() {
        let notice = Notice::Missed { conversation: conversation.id(), count: late.len() };
        let notice_key = format!("missed:{}:{}", conversation.id(), message.message_id);
        after.pending.push(tell(tx, notice_key, notice).await?);
    }
    let Some(first) = timely.first() else {
        return Ok((Opened::Stored, after));
    };
    if conversation.paused {
        // A turn that a human has overtaken: nothing of it stands.
        if let Some(overtaken) = left_behind {
            turns::finish(tx, overtaken.id()).await?;
        }
        return Ok((Opened::Stored, after));
    }
    let accepted_at = DateTime::<Utc>::from_timestamp_millis(first.0.accepted_at_ms).unwrap_or_default();
    let row = turns::begin(tx, conversation.id(), conversation.turn_fence, conversation.human_epoch, accepted_at).await?;
    let ids: Vec<_> = timely.iter().map(|(_, _, stored)| stored.id()).collect();
    turns::attach(tx, row.id(), &ids).await?;
    let to = customers::aliases(tx, customer).await?;
    let mut said: Vec<Said> = Vec::with_capacity(timely.len());
    let mut ordered = timely;
    // Meta delivers out of order and tells clients to go by the event's time (PROVIDERS 1.3).
    ordered.sort_by_key(|(mail, _, _)| mail.event.occurred_at);
    for (mail, message, _) in ordered {
        if !said.iter().any(|known| known.message.message_id == message.message_id) {
            said.push(Said { accepted_at_ms: mail.accepted_at_ms, message: message.clone() });
        }
    }
    let language = language(&shop, &conversation, &said);
    let standing = standing(tx, conversation.id(), clock, &shop, channel.platform(), now).await?;
    if conversation.language.as_deref() != Some(language.code()) {
        conversations::set_language(tx, conversation.id(), language.code()).await?;
    }
    let turn = Turn { scope: channel.scope(), channel, conversation, row, shop, to, customer_name, said, language, clock, standing };
    Ok((Opened::Turn(Box::new(turn)), after))
}

/// A proposal older than this is not confirmed any more: prices and stock have moved on.
const PROPOSAL_LIFE: TimeDelta = TimeDelta::hours(24);

async fn standing(
    tx: &mut ShopTx,
    conversation: ConversationId,
    clock: TurnClock,
    shop: &ShopProfile,
    platform: Platform,
    now: DateTime<Utc>,
) -> Result<Standing, DbError> {
    let (today, allowance) = (shop.local_date(now), shop.plan().allows());
    let left_out = !allowance.all_platforms() && {
        let connected = channels::platforms(tx).await?;
        connected.contains(&platform) && !allowance.answered(&connected).contains(&platform)
    };
    let recent_turns = turns::in_last_minute(tx, conversation).await?;
    let usage::Used { replies_this_month: used, model_cost_today: spent } = usage::as_of(tx, today).await?;
    let mut proposal = proposals::open_in(tx, conversation).await?;
    if let Some(stale) = proposal.take_if(|proposal| clock.now() - proposal.created_at > PROPOSAL_LIFE) {
        proposals::close(tx, stale.id, "expired", None).await?;
    }
    Ok(Standing { recent_turns, used, spent, left_out, proposal })
}

fn answered(row: &InboundRow) -> bool {
    row.turn_state.as_deref() == Some("done")
}

/// The customer's own language if it can be told, else as before, else the shop's.
fn language(shop: &ShopProfile, conversation: &conversations::ConversationRow, said: &[Said]) -> Language {
    let words: String = said.iter().filter_map(|said| said.message.content.text()).collect::<Vec<_>>().join(" ");
    let known = conversation.language.as_deref().and_then(Language::from_code);
    texts::detect(&words).or(known).unwrap_or_else(|| shop.language())
}
