//! One turn of one conversation: open, gates, agent, decision, delivery. Nothing is sent before it is decided in Postgres, and nothing is decided
//! by a worker whose fence is gone; so a kill between any two steps leaves a turn that the next worker finishes.

mod booking;
mod compose;
mod course;
mod decide;
mod deliver;
mod gates;
mod open;
mod reminded;
pub(crate) mod trial;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use frontdesk_core::db::channels::ChannelRef;
use frontdesk_core::db::conversations::ConversationRow;
use frontdesk_core::db::messages::OutboundRow;
use frontdesk_core::db::outbox::{self, Pending};
use frontdesk_core::db::proposals::Proposal;
use frontdesk_core::db::shops::ShopProfile;
use frontdesk_core::db::turns::TurnRow;
use frontdesk_core::db::{DbError, ShopTx};
use frontdesk_core::ids::{ConversationId, MessageId};
use frontdesk_core::inbound::{Alias, AliasKind, Content, ConversationKey, CustomerMessage, Happening};
use frontdesk_core::jobs::{Notice, NotifyStaff};
use frontdesk_core::mailbox::Mail;
use frontdesk_core::tenancy::ShopScope;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::App;
use crate::agent::Trace;
use crate::agent::texts::Language;
use crate::crash::{self, Point};
use crate::runner::{JobContext, JobError};

pub use compose::Reply;
pub(crate) use course::exchanges;
pub(crate) use deliver::{Outcome, SETTLE, undeliverable, unsettled};
pub(crate) use open::to_store;
pub(crate) use reminded::RemindedTap;

/// What is left of the deadline must suffice for a model call, or a turn does not start over for another message.
const RESTART_RESERVE: Duration = Duration::from_millis(1_500);
/// The holding reply leaves this long before the deadline.
const HOLDING_MARGIN: Duration = Duration::from_millis(250);

/// Redis's clock, read once and carried on by the machine's own steady one.
#[derive(Debug, Clone, Copy)]
pub struct TurnClock {
    redis_ms: i64,
    read_at: Instant,
}

impl TurnClock {
    fn new(redis_ms: i64) -> Self {
        Self { redis_ms, read_at: Instant::now() }
    }

    fn now_ms(&self) -> i64 {
        self.redis_ms + i64::try_from(self.read_at.elapsed().as_millis()).unwrap_or(i64::MAX / 2)
    }

    /// Redis's time as an instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms()).unwrap_or_default()
    }

    fn until(&self, at_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(at_ms - self.now_ms()).unwrap_or(0))
    }
}

/// A turn under way.
#[derive(Debug)]
pub struct Turn {
    /// The shop's scope.
    pub scope: ShopScope,
    /// The channel.
    pub channel: ChannelRef,
    /// The conversation as of the opening.
    pub conversation: ConversationRow,
    /// The turn's row.
    pub row: TurnRow,
    /// The shop.
    pub shop: ShopProfile,
    /// The customer's ids.
    pub to: Vec<Alias>,
    /// The customer's name, if known.
    pub customer_name: String,
    /// What the customer wrote, in order.
    pub said: Vec<Said>,
    /// The language to answer in.
    pub language: Language,
    /// Redis's clock.
    pub clock: TurnClock,
    /// What the gates look at, as of the opening.
    pub standing: Standing,
}

/// How the conversation and the shop stood when the turn was opened.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Turns of this conversation within the last minute.
    pub recent_turns: i64,
    /// Answers of the AI this month.
    pub used: i32,
    /// Model cost today, US dollars.
    pub spent: Decimal,
    /// Whether the plan allows fewer platforms than are connected, and leaves this one out.
    pub left_out: bool,
    /// The open proposal.
    pub proposal: Option<Proposal>,
}

/// One message of the turn.
#[derive(Debug, Clone)]
pub struct Said {
    /// When it was accepted, by Redis's clock.
    pub accepted_at_ms: i64,
    /// The message.
    pub message: CustomerMessage,
}

impl Turn {
    fn fence(&self) -> i64 {
        self.conversation.turn_fence
    }

    fn accepted_ms(&self) -> i64 {
        self.row.accepted_at.timestamp_millis()
    }

    /// How the shop can reach the customer outside of this chat: the phone number, if the platform tells it.
    #[must_use]
    pub fn contact(&self) -> Option<String> {
        self.to.iter().find(|alias| alias.kind == AliasKind::Phone).map(|phone| format!("+{}", phone.value))
    }

    /// All that was said, in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.said.iter().filter_map(|said| said.message.content.text()).collect::<Vec<_>>().join("\n")
    }
}

/// Runs one turn for the conversation's mailbox.
///
/// # Errors
/// See [`JobError`]; whatever is repeated is safe to repeat.
pub async fn run(cx: &JobContext<App>, key: &ConversationKey) -> Result<(), JobError> {
    let app = &cx.app;
    let taken = app.mailbox.take(&cx.envelope, key).await?;
    if taken.mail.is_empty() {
        return Ok(());
    }
    crash::at(Point::AfterTake);
    let clock = TurnClock::new(taken.now_ms);
    let mut mail = taken.mail;
    let Some(channel) = app.channels.find(&mail[0].event.channel).await? else {
        open::log_unknown_channel(app, &mail).await?;
        return acknowledge(cx, key, mail.len()).await;
    };

    // What models took that were asked too early, before the rest of a burst, counts all the same.
    let mut trace = Trace::default();
    let mut signalled = false;
    loop {
        let mut turn = match open::open(app, &channel, &mail, clock).await? {
            open::Opened::Stored => return acknowledge(cx, key, mail.len()).await,
            // A worker died after the decision: only the sending is left, and only that turn's messages are done with.
            open::Opened::Decided { turn, handled } => {
                deliver::resume(app, &turn).await?;
                return acknowledge(cx, key, handled).await;
            }
            open::Opened::Turn(turn) => *turn,
        };
        if !std::mem::replace(&mut signalled, true) {
            signal_typing(app, &turn);
        }
        let taken = match gates::first_shut(&turn) {
            Some(_) if more_within_quiet(cx, key, &turn, mail.len()).await? => Taken::StartOver,
            Some(gate) => Taken::Decided(gates::shut(app, &turn, gate).await?),
            None => course::take(cx, key, &mut turn, mail.len(), &mut trace).await?,
        };
        match taken {
            Taken::Decided(parts) => {
                deliver::deliver(app, &turn, parts).await?;
                return acknowledge(cx, key, mail.len()).await;
            }
            Taken::StartOver => mail = app.mailbox.take(&cx.envelope, key).await?.mail,
        }
    }
}

/// How far a turn came.
enum Taken {
    /// It is decided: these messages say so, the first of them claimed.
    Decided(Vec<OutboundRow>),
    /// Nothing was sent or changed, and more has arrived.
    StartOver,
}

async fn acknowledge(cx: &JobContext<App>, key: &ConversationKey, handled: usize) -> Result<(), JobError> {
    crash::at(Point::BeforeAck);
    cx.app.mailbox.acknowledge(&cx.envelope, key, handled).await?;
    crash::at(Point::AfterAck);
    Ok(())
}

/// What is left of the quiet window, in which the rest of a burst is awaited; less of it when time is short. A tap on a button is never the first
/// of a burst.
fn quiet_left(app: &App, turn: &Turn) -> Duration {
    if turn.said.iter().any(|said| matches!(said.message.content, Content::Button { .. })) {
        return Duration::ZERO;
    }
    let spare = app.settings.reply_deadline.saturating_sub(Duration::from_millis(2_400));
    let quiet_ms = i64::try_from(app.settings.reply_quiet.min(spare).as_millis()).unwrap_or(0);
    turn.clock.until(turn.accepted_ms() + quiet_ms)
}

/// Waits for the rest of a burst; whether more came. Once the window is over nothing is looked for: who never stops writing is answered all the same.
async fn more_within_quiet(cx: &JobContext<App>, key: &ConversationKey, turn: &Turn, seen: usize) -> Result<bool, JobError> {
    let left = quiet_left(&cx.app, turn);
    if left.is_zero() {
        return Ok(false);
    }
    tokio::time::sleep(left).await;
    Ok(cx.app.mailbox.take(&cx.envelope, key).await?.mail.len() > seen)
}

/// Best effort, beside the turn.
fn signal_typing(app: &App, turn: &Turn) {
    let Some(last) = turn.said.last() else { return };
    let (meta, account, to, message_id) = (app.meta.clone(), app.account(&turn.channel), turn.to.clone(), last.message.message_id.clone());
    let Some(account) = account else { return };
    tokio::spawn(async move { meta.signal_typing(&account, &to, &message_id).await });
}

/// The messages among the mail, in order.
fn messages(mail: &[Mail]) -> impl Iterator<Item = (&Mail, &CustomerMessage)> {
    mail.iter().filter_map(|mail| match &mail.event.what {
        Happening::Message(message) => Some((mail, message)),
        _ => None,
    })
}

/// What open dashboards are told of a message: to read it, with all before it.
pub(crate) fn message_event(conversation: ConversationId, message: MessageId) -> Value {
    json!({"conversation_id": conversation, "message_id": message})
}

/// Leaves a notice to staff in the outbox; one per key, however often it is told.
pub(crate) async fn tell(tx: &mut ShopTx, notice_key: String, notice: Notice) -> Result<Pending, DbError> {
    let key = notice_key.clone();
    outbox::add(tx, &NotifyStaff { notice_key, notice }, &key).await
}
