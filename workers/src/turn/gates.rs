//! What settles a turn before the agent is asked: an inactive shop, a loop of bots, a wish for a human, a message that cannot be read, a quota.

use frontdesk_core::db::conversations::PausedBy;
use frontdesk_core::db::messages::OutboundRow;
use frontdesk_core::db::{DbError, TxKind, conversations, turns, usage};
use frontdesk_core::inbound::Content;
use frontdesk_core::jobs::Notice;
use rust_decimal::Decimal;

use super::course::decision;
use super::decide::store;
use super::{Reply, Turn, tell};
use crate::App;
use crate::agent::handoff;
use crate::agent::texts::{self, Text, Unreadable};
use crate::runner::JobError;

/// More turns than this of one conversation within a minute: two machines are talking.
const TURNS_PER_MINUTE: i64 = 12;

/// Why a turn needs no agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Inactive,
    Loop,
    Handoff,
    Unreadable(Unreadable),
    LeftOut,
    Quota,
    Budget,
}

/// The first gate that the turn does not get through.
pub(super) fn first_shut(turn: &Turn) -> Option<Gate> {
    let shop = &turn.shop;
    if !shop.is_active() {
        return Some(Gate::Inactive);
    }
    let standing = &turn.standing;
    if standing.recent_turns > TURNS_PER_MINUTE {
        return Some(Gate::Loop);
    }
    if turn.said.iter().filter_map(|said| said.message.content.text()).any(|text| handoff::wanted(shop, text)) {
        return Some(Gate::Handoff);
    }
    // Nobody is cut off in the middle of an order, here and below.
    if standing.left_out && standing.proposal.is_none() {
        return Some(Gate::LeftOut);
    }
    if let Some(kind) = all_unreadable(turn) {
        return Some(Gate::Unreadable(kind));
    }
    if standing.proposal.is_none() && shop.plan().allows().monthly_messages.is_some_and(|most| standing.used >= most) {
        return Some(Gate::Quota);
    }
    if standing.spent >= shop.daily_model_budget && shop.daily_model_budget > Decimal::ZERO {
        return Some(Gate::Budget);
    }
    None
}

fn all_unreadable(turn: &Turn) -> Option<Unreadable> {
    let mut kinds = turn.said.iter().map(|said| match &said.message.content {
        Content::Text { .. } | Content::Button { .. } | Content::Media { caption: Some(_), .. } => None,
        Content::Media { kind, .. } => Some(Unreadable::from_kind(kind)),
        Content::Location { .. } => Some(Unreadable::Location),
        Content::Unreadable { .. } => Some(Unreadable::Other),
    });
    let first = kinds.next()??;
    kinds.all(|kind| kind.is_some()).then_some(first)
}

/// Settles the turn as the gate demands; gives what it says, the first part claimed. One transaction; a repeat finds it decided.
pub(super) async fn shut(app: &App, turn: &Turn, gate: Gate) -> Result<Vec<OutboundRow>, JobError> {
    let conversation = turn.conversation.id();
    let (fence, row, platform) = (turn.fence(), turn.row.clone(), turn.channel.platform());
    let (now, language, shop) = (app.clock.now(), turn.language, turn.shop.clone());
    let day = shop.local_date(now);
    let key = |what: &str| format!("{what}:{conversation}:{}", turn.row.id());
    let (loop_key, handoff_key) = (key("loop"), key("handoff"));
    let settled = app
        .db
        .shop_tx(&turn.scope, TxKind::Turn, async move |mut tx| {
            let mut pending = Vec::new();
            let Some(held) = conversations::hold(&mut tx, conversation, fence).await? else {
                return Ok(None);
            };
            let mut epoch = held.human_epoch;
            let (outcome, reply) = match gate {
                Gate::Inactive => {
                    pending.push(tell(&mut tx, format!("inactive:{day}"), Notice::Inactive).await?);
                    let text = texts::for_shop(&shop, &Text::Inactive, language);
                    let due = conversations::note_hourly(&mut tx, conversation, "inactive", now).await?;
                    ("inactive", due.then(|| Reply::system("inactive", text)))
                }
                Gate::Loop => {
                    let paused = conversations::pause(&mut tx, conversation, PausedBy::Loop, None).await?.ok_or(DbError::NotFound)?;
                    epoch = paused.human_epoch;
                    pending.extend(paused.ends);
                    pending.push(tell(&mut tx, loop_key, Notice::LoopStopped { conversation }).await?);
                    ("loop", None)
                }
                Gate::Handoff => {
                    let paused = conversations::pause(&mut tx, conversation, PausedBy::Customer, None).await?.ok_or(DbError::NotFound)?;
                    epoch = paused.human_epoch;
                    pending.extend(paused.ends);
                    pending.push(tell(&mut tx, handoff_key, Notice::Handoff { conversation, message: None }).await?);
                    ("handoff", Some(Reply::system("handoff", texts::for_shop(&shop, &Text::Handoff, language))))
                }
                Gate::Unreadable(kind) => {
                    let due = conversations::note_hourly(&mut tx, conversation, "unreadable", now).await?;
                    ("unreadable", due.then(|| Reply::system("unreadable", texts::for_shop(&shop, &Text::CannotRead(kind), language))))
                }
                Gate::LeftOut => {
                    pending.push(
                        tell(
                            &mut tx,
                            format!("left_out:{platform}:{day}", platform = platform.as_str()),
                            Notice::PlatformLeftOut { platform },
                        )
                        .await?,
                    );
                    let due = conversations::note_hourly(&mut tx, conversation, "quota", now).await?;
                    ("left_out", due.then(|| Reply::system("quota", texts::for_shop(&shop, &Text::Quota, language))))
                }
                Gate::Quota => {
                    if usage::tell_quota_once(&mut tx, day, now).await? {
                        pending.push(tell(&mut tx, format!("quota:{}", day.format("%Y-%m")), Notice::QuotaReached).await?);
                    }
                    let due = conversations::note_hourly(&mut tx, conversation, "quota", now).await?;
                    ("quota", due.then(|| Reply::system("quota", texts::for_shop(&shop, &Text::Quota, language))))
                }
                Gate::Budget => {
                    pending.push(tell(&mut tx, format!("budget:{day}"), Notice::ModelBudgetReached).await?);
                    let due = conversations::note_hourly(&mut tx, conversation, "budget", now).await?;
                    ("budget", due.then(|| Reply::system("quota", texts::for_shop(&shop, &Text::Quota, language))))
                }
            };
            let decided = decision(outcome, epoch, &crate::agent::Trace::default());
            let mut said = Vec::new();
            if let (true, Some(reply)) = (turns::decide(&mut tx, row.id(), &decided).await?, reply) {
                said = store(&mut tx, &held, &row, reply.into_outbound(row.id(), platform), Some(now)).await?;
            }
            Ok::<_, DbError>(Some((said, pending)))
        })
        .await?;
    let (said, pending) = settled.ok_or_else(JobError::lost)?;
    app.push_outbox(&turn.scope, pending).await;
    Ok(said)
}
