//! Conversations: who may speak in them, and the fence that keeps a worker out which has lost its lease.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::outbox::{self, Pending};
use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, ConversationId, CustomerId, MessageId, UserId};
use crate::inbound::Platform;
use crate::jobs::ResumeConversation;

/// Meta's window after a customer's last message, with a margin: what leaves at its very end may arrive too late. After it only templates go out.
pub const WINDOW: TimeDelta = TimeDelta::minutes(24 * 60 - 5);

/// How long a person may answer on Messenger and Instagram, tagged as a human agent (PROVIDERS 3), with the same margin.
const HUMAN_AGENT_WINDOW: TimeDelta = TimeDelta::minutes(7 * 24 * 60 - 5);

/// How long after a customer's last message a person may answer in their own words.
#[must_use]
pub const fn person_window(platform: Platform) -> TimeDelta {
    match platform {
        Platform::Whatsapp => WINDOW,
        Platform::Messenger | Platform::Instagram => HUMAN_AGENT_WINDOW,
    }
}

/// A conversation as a turn sees it.
#[derive(Debug, Clone, QueryableByName)]
pub struct ConversationRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    customer_id: i64,
    #[diesel(sql_type = Integer)]
    channel_id: i32,
    /// The AI is silent.
    #[diesel(sql_type = Bool)]
    pub paused: bool,
    /// Grows with every human takeover.
    #[diesel(sql_type = BigInt)]
    pub human_epoch: i64,
    /// Grows with every turn begun.
    #[diesel(sql_type = BigInt)]
    pub turn_fence: i64,
    /// The customer's language, as last seen.
    #[diesel(sql_type = Nullable<Text>)]
    pub language: Option<String>,
    /// When the customer last wrote, by the platform's clock: Meta's 24-hour window counts from here.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_customer_at: Option<DateTime<Utc>>,
}

impl ConversationRow {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> ConversationId {
        ConversationId(self.id)
    }

    /// The customer.
    #[must_use]
    pub fn customer(&self) -> CustomerId {
        CustomerId(self.customer_id)
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        ChannelId(self.channel_id)
    }

    /// Until when anything but a template may be sent to the customer; `None` if they never wrote.
    #[must_use]
    pub fn window_open_until(&self) -> Option<DateTime<Utc>> {
        self.last_customer_at.map(|wrote| wrote + WINDOW)
    }
}

/// Whether the AI is silent. A pause that has an end is over when its time has come, whoever notes it when.
const PAUSED: &str = "(paused AND coalesce(resume_at > now(), true))";

fn columns() -> String {
    format!("id, customer_id, channel_id, {PAUSED} AS paused, human_epoch, turn_fence, language, last_customer_at")
}

/// The conversation with a customer, made if new. `begin_turn` takes the fence: whoever held it before can write nothing any more.
///
/// # Errors
/// See [`DbError`].
pub async fn open(
    tx: &mut ShopTx,
    channel: ChannelId,
    customer: CustomerId,
    customer_wrote_at: Option<DateTime<Utc>>,
    begin_turn: bool,
) -> Result<ConversationRow, DbError> {
    Ok(sql(format!(
        "INSERT INTO conversations (shop_id, channel_id, customer_id, last_customer_at, turn_fence) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (shop_id, channel_id, customer_id) DO UPDATE SET turn_fence = conversations.turn_fence + $5, \
         last_customer_at = greatest(conversations.last_customer_at, excluded.last_customer_at), last_activity_at = now() \
         RETURNING {}",
        columns()
    ))
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<BigInt, _>(customer.0)
    .bind::<Nullable<Timestamptz>, _>(customer_wrote_at)
    .bind::<BigInt, _>(i64::from(begin_turn))
    .get_result(tx.conn())
    .await?)
}

/// Locks the conversation for a write of the turn that holds `fence`; `None` if another turn has begun since.
///
/// # Errors
/// See [`DbError`].
pub async fn hold(tx: &mut ShopTx, conversation: ConversationId, fence: i64) -> Result<Option<ConversationRow>, DbError> {
    Ok(sql(format!("SELECT {} FROM conversations WHERE shop_id = $1 AND id = $2 AND turn_fence = $3 FOR UPDATE", columns()))
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .bind::<BigInt, _>(fence)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Finds one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, conversation: ConversationId) -> Result<Option<ConversationRow>, DbError> {
    Ok(sql(format!("SELECT {} FROM conversations WHERE shop_id = $1 AND id = $2", columns()))
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// The conversation with a customer, if there is one.
///
/// # Errors
/// See [`DbError`].
pub async fn with_customer(tx: &mut ShopTx, channel: ChannelId, customer: CustomerId) -> Result<Option<ConversationRow>, DbError> {
    Ok(sql(format!("SELECT {} FROM conversations WHERE shop_id = $1 AND channel_id = $2 AND customer_id = $3", columns()))
        .bind::<Integer, _>(tx.shop().0)
        .bind::<Integer, _>(channel.0)
        .bind::<BigInt, _>(customer.0)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// The conversation in which a customer wrote last, if there is one.
///
/// # Errors
/// See [`DbError`].
pub async fn latest_with(tx: &mut ShopTx, customer: CustomerId) -> Result<Option<ConversationRow>, DbError> {
    Ok(sql(format!(
        "SELECT {} FROM conversations WHERE shop_id = $1 AND channel_id IN (SELECT c.id FROM channels c WHERE c.shop_id = $1) AND customer_id = $2 \
         ORDER BY last_customer_at DESC NULLS LAST, id DESC LIMIT 1",
        columns()
    ))
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(customer.0)
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// Who or what silenced the AI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PausedBy {
    /// The customer asked for a human.
    Customer,
    /// Somebody of the shop, here.
    Staff,
    /// Somebody of the shop, by answering elsewhere.
    Echo,
    /// Two machines were talking; nobody is to be expected, so this has no end of its own.
    Loop,
}

impl PausedBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Echo => "echo",
            Self::Loop => "loop",
        }
    }
}

/// A pause that has begun.
#[derive(Debug)]
pub struct Paused {
    /// The takeover count: an answer begun under a smaller one is not sent any more.
    pub human_epoch: i64,
    /// The job that ends it, if it ends by itself.
    pub ends: Option<Pending>,
}

/// Pauses the AI: until `resume_at`, or for as long as the shop has set, or until somebody resumes it. Answers begun before are not sent any more.
/// Pausing again changes the epoch, and the end if one is asked for or the shop's own would be later. `None` if there is no such conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn pause(
    tx: &mut ShopTx,
    conversation: ConversationId,
    by: PausedBy,
    resume_at: Option<DateTime<Utc>>,
) -> Result<Option<Paused>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        human_epoch: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        resume_at: Option<DateTime<Utc>>,
    }
    let usual = if by == PausedBy::Loop { "NULL::timestamptz" } else { "now() + pause_minutes * interval '1 minute'" };
    let row: Option<Row> = sql(format!(
        "UPDATE conversations SET paused = true, paused_by = $3, paused_at = CASE WHEN {PAUSED} THEN paused_at ELSE now() END, \
         resume_at = CASE WHEN $4::timestamptz IS NOT NULL THEN $4 WHEN NOT {PAUSED} THEN {usual} \
            WHEN resume_at IS NULL THEN NULL ELSE greatest(resume_at, {usual}) END, \
         human_epoch = human_epoch + 1, last_activity_at = now() \
         FROM (SELECT pause_minutes FROM shops WHERE id = $1) AS shop WHERE shop_id = $1 AND id = $2 RETURNING human_epoch, resume_at"
    ))
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Text, _>(by.as_str())
    .bind::<Nullable<Timestamptz>, _>(resume_at)
    .get_result(tx.conn())
    .await
    .optional()?;
    let Some(Row { human_epoch, resume_at }) = row else { return Ok(None) };
    let ends = if resume_at.is_some() {
        let job = ResumeConversation { conversation, human_epoch };
        Some(outbox::add(tx, &job, &format!("resume:{conversation}:{human_epoch}")).await?)
    } else {
        None
    };
    Ok(Some(Paused { human_epoch, ends }))
}

/// Lets the AI answer again; false if there is no such conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn resume(tx: &mut ShopTx, conversation: ConversationId) -> Result<bool, DbError> {
    let changed =
        sql("UPDATE conversations SET paused = false, paused_by = NULL, paused_at = NULL, resume_at = NULL, last_activity_at = now() \
         WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}

/// How a pause that is to end by itself stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseEnd {
    /// It has just been ended.
    Ended,
    /// Its time has not come yet: this much is left.
    Later(TimeDelta),
    /// There is none: it was ended before, or another has begun since.
    None,
}

/// Ends the pause with this takeover count if its time has come, by the database's clock; the conversation stays where it is among the others, as
/// nobody has done anything in it.
///
/// # Errors
/// See [`DbError`].
pub async fn end_pause(tx: &mut ShopTx, conversation: ConversationId, human_epoch: i64) -> Result<PauseEnd, DbError> {
    #[derive(QueryableByName)]
    struct Left {
        #[diesel(sql_type = BigInt)]
        left_ms: i64,
    }
    let left: Option<Left> = sql("SELECT ceil(extract(epoch FROM resume_at - now()) * 1000)::bigint AS left_ms FROM conversations \
         WHERE shop_id = $1 AND id = $2 AND human_epoch = $3 AND paused AND resume_at IS NOT NULL FOR UPDATE")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(conversation)
    .bind::<BigInt, _>(human_epoch)
    .get_result(tx.conn())
    .await
    .optional()?;
    match left {
        None => Ok(PauseEnd::None),
        Some(Left { left_ms }) if left_ms > 0 => Ok(PauseEnd::Later(TimeDelta::milliseconds(left_ms))),
        Some(_) => {
            sql("UPDATE conversations SET paused = false, paused_by = NULL, paused_at = NULL, resume_at = NULL WHERE shop_id = $1 AND id = $2")
                .bind::<Integer, _>(tx.shop())
                .bind::<BigInt, _>(conversation)
                .execute(tx.conn())
                .await?;
            Ok(PauseEnd::Ended)
        }
    }
}

/// Locks a conversation for what a person does in it.
///
/// # Errors
/// See [`DbError`].
pub async fn lock(tx: &mut ShopTx, conversation: ConversationId) -> Result<Option<ConversationRow>, DbError> {
    Ok(sql(format!("SELECT {} FROM conversations WHERE shop_id = $1 AND id = $2 FOR UPDATE", columns()))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Makes a conversation somebody's, or nobody's; false if there is no such conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn assign(tx: &mut ShopTx, conversation: ConversationId, user: Option<UserId>) -> Result<bool, DbError> {
    let changed = sql("UPDATE conversations SET assigned_to = $3 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .bind::<Nullable<Integer>, _>(user)
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}

/// What was a colleague's is nobody's.
///
/// # Errors
/// See [`DbError`].
pub async fn release(tx: &mut ShopTx, user: UserId) -> Result<(), DbError> {
    sql("UPDATE conversations SET assigned_to = NULL WHERE shop_id = $1 AND assigned_to = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(user)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// An answer was stored: the conversation waits for none, unless the customer writes again.
///
/// # Errors
/// See [`DbError`].
pub async fn note_answer(tx: &mut ShopTx, conversation: ConversationId, message: MessageId) -> Result<(), DbError> {
    sql("UPDATE conversations SET last_answer_id = greatest(last_answer_id, $3), last_activity_at = now() WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .bind::<BigInt, _>(message.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// An answer will not arrive: what the latest one is, is looked up anew.
///
/// # Errors
/// See [`DbError`].
pub async fn recount_answers(tx: &mut ShopTx, conversation: ConversationId) -> Result<(), DbError> {
    sql("UPDATE conversations SET last_answer_id = coalesce((SELECT id FROM messages WHERE shop_id = $1 AND conversation_id = $2 \
         AND author IN ('ai', 'human') AND kind <> 'holding' AND status NOT IN ('failed', 'superseded') ORDER BY id DESC LIMIT 1), 0) \
         WHERE shop_id = $1 AND id = $2")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Staff have read up to a message; what they had read stays read. False if there is no such conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn mark_seen(tx: &mut ShopTx, conversation: ConversationId, message: MessageId) -> Result<bool, DbError> {
    let changed =
        sql("UPDATE conversations SET seen_message_id = greatest(seen_message_id, least($3, last_in_id)) WHERE shop_id = $1 AND id = $2")
            .bind::<Integer, _>(tx.shop().0)
            .bind::<BigInt, _>(conversation.0)
            .bind::<BigInt, _>(message.0)
            .execute(tx.conn())
            .await?;
    Ok(changed > 0)
}

/// Remembers the customer's language.
///
/// # Errors
/// See [`DbError`].
pub async fn set_language(tx: &mut ShopTx, conversation: ConversationId, language: &str) -> Result<(), DbError> {
    sql("UPDATE conversations SET language = $3 WHERE shop_id = $1 AND id = $2 AND language IS DISTINCT FROM $3")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .bind::<Text, _>(language)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whether a fixed text (`inactive`, `quota`, `unreadable`) may go out now: at most once an hour per conversation. Notes that it does.
///
/// # Errors
/// See [`DbError`].
pub async fn note_hourly(tx: &mut ShopTx, conversation: ConversationId, text: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let changed =
        sql("UPDATE conversations SET notes = jsonb_set(notes, ARRAY[$3], to_jsonb($4::timestamptz)) WHERE shop_id = $1 AND id = $2 \
         AND coalesce((notes->>$3)::timestamptz <= $4 - interval '1 hour', true)")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .bind::<Text, _>(text)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}
