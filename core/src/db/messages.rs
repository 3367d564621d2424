//! Messages, in and out. The life of one that goes out: `pending` → `sending` → `sent` → `delivered` → `read`; `unknown` when no answer came;
//! `failed` when it will never arrive; `superseded` when a human took over before it left.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, ConversationId, MessageId, TurnId, UserId};

/// A customer's message to store.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// The platform's id.
    pub provider_id: String,
    /// `text`, `button`, `image`, …
    pub kind: String,
    /// What was said in words.
    pub body: String,
    /// All of it.
    pub content: serde_json::Value,
    /// By the platform's clock.
    pub occurred_at: DateTime<Utc>,
}

/// A customer's message as it stands.
#[derive(Debug, Clone, QueryableByName)]
pub struct InboundRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    /// The platform's id.
    #[diesel(sql_type = Text)]
    pub provider_id: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    turn_id: Option<i64>,
    /// The state of its turn, if it has one.
    #[diesel(sql_type = Nullable<Text>)]
    pub turn_state: Option<String>,
    /// Stored by this very statement, not before.
    #[diesel(sql_type = Bool)]
    pub is_new: bool,
}

impl InboundRow {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId(self.id)
    }

    /// The turn that answers it.
    #[must_use]
    pub fn turn(&self) -> Option<TurnId> {
        self.turn_id.map(TurnId)
    }
}

/// Stores customers' messages once each, whatever is delivered again, and says how they stand.
///
/// # Errors
/// See [`DbError`].
pub async fn store_inbound(
    tx: &mut ShopTx,
    conversation: ConversationId,
    channel: ChannelId,
    messages: &[NewInbound],
) -> Result<Vec<InboundRow>, DbError> {
    let provider_ids: Vec<&str> = messages.iter().map(|message| message.provider_id.as_str()).collect();
    let kinds: Vec<&str> = messages.iter().map(|message| message.kind.as_str()).collect();
    let bodies: Vec<&str> = messages.iter().map(|message| message.body.as_str()).collect();
    let contents: Vec<&serde_json::Value> = messages.iter().map(|message| &message.content).collect();
    let times: Vec<DateTime<Utc>> = messages.iter().map(|message| message.occurred_at).collect();
    Ok(sql(
        "WITH wanted AS (SELECT * FROM unnest($4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[]) WITH ORDINALITY \
              AS m (provider_id, kind, body, content, occurred_at, n)), \
         stored AS (INSERT INTO messages (shop_id, conversation_id, channel_id, direction, author, kind, provider_id, body, content, status, occurred_at) \
              SELECT $1, $2, $3, 'in', 'customer', kind, provider_id, body, content, 'received', occurred_at FROM wanted ORDER BY n \
              ON CONFLICT (shop_id, channel_id, provider_id) WHERE provider_id IS NOT NULL DO NOTHING RETURNING id, provider_id), \
         noted AS (UPDATE conversations SET last_in_id = greatest(last_in_id, (SELECT max(id) FROM stored)) \
              WHERE shop_id = $1 AND id = $2 AND EXISTS (SELECT FROM stored)) \
         SELECT id, provider_id, NULL::bigint AS turn_id, NULL::text AS turn_state, true AS is_new FROM stored \
         UNION ALL \
         SELECT m.id, m.provider_id, m.turn_id, t.state AS turn_state, false AS is_new FROM messages m \
              LEFT JOIN turns t ON t.shop_id = m.shop_id AND t.id = m.turn_id \
              WHERE m.shop_id = $1 AND m.channel_id = $3 AND m.provider_id = ANY($4) \
         ORDER BY id",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Integer, _>(channel.0)
    .bind::<Array<Text>, _>(provider_ids)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(bodies)
    .bind::<Array<Jsonb>, _>(contents)
    .bind::<Array<Timestamptz>, _>(times)
    .load(tx.conn())
    .await?)
}

/// A message to go out.
#[derive(Debug, Clone)]
pub struct NewOutbound {
    /// Unique per shop: turn, kind and part.
    pub send_key: String,
    /// `reply`, `proposal`, `holding`, `handoff`, …
    pub kind: &'static str,
    /// `ai`, `human` or `system`.
    pub author: &'static str,
    /// The text.
    pub body: String,
    /// Buttons.
    pub content: serde_json::Value,
}

/// A message that is to go out, or may have.
#[derive(Debug, Clone, QueryableByName)]
pub struct OutboundRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    /// Unique per shop.
    #[diesel(sql_type = Text)]
    pub send_key: String,
    /// `reply`, `proposal`, …
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// `ai`, `human` or `system`.
    #[diesel(sql_type = Text)]
    pub author: String,
    /// The text.
    #[diesel(sql_type = Text)]
    pub body: String,
    /// Buttons.
    #[diesel(sql_type = Jsonb)]
    pub content: serde_json::Value,
    /// See the module's head.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// When it was last tried.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub attempted_at: Option<DateTime<Utc>>,
}

impl OutboundRow {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId(self.id)
    }
}

/// Stores a message that is to go out, claimed already if its sender says when; one that stands under its key already is left as it is.
///
/// # Errors
/// See [`DbError`].
pub async fn store_outbound(
    tx: &mut ShopTx,
    conversation: ConversationId,
    channel: ChannelId,
    turn: Option<TurnId>,
    message: &NewOutbound,
    claimed_at: Option<DateTime<Utc>>,
) -> Result<OutboundRow, DbError> {
    Ok(sql(
        "INSERT INTO messages (shop_id, conversation_id, channel_id, turn_id, direction, author, kind, send_key, body, content, status, attempted_at, occurred_at) \
         VALUES ($1, $2, $3, $4, 'out', $5, $6, $7, $8, $9, CASE WHEN $10::timestamptz IS NULL THEN 'pending' ELSE 'sending' END, $10, now()) \
         ON CONFLICT (shop_id, send_key) WHERE send_key IS NOT NULL DO UPDATE SET send_key = excluded.send_key \
         RETURNING id, send_key, kind, author, body, content, status, attempted_at",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Integer, _>(channel.0)
    .bind::<Nullable<BigInt>, _>(turn.map(|turn| turn.0))
    .bind::<Text, _>(message.author)
    .bind::<Text, _>(message.kind)
    .bind::<Text, _>(&message.send_key)
    .bind::<Text, _>(&message.body)
    .bind::<Jsonb, _>(&message.content)
    .bind::<Nullable<Timestamptz>, _>(claimed_at)
    .get_result(tx.conn())
    .await?)
}

/// Says who of the shop wrote a message.
///
/// # Errors
/// See [`DbError`].
pub async fn set_author(tx: &mut ShopTx, message: MessageId, user: Option<UserId>) -> Result<(), DbError> {
    sql("UPDATE messages SET user_id = $3 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(message)
        .bind::<Nullable<Integer>, _>(user)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A message that is to go out, or may have, with its conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn unsent(tx: &mut ShopTx, message: MessageId) -> Result<Option<(OutboundRow, ConversationId)>, DbError> {
    #[derive(QueryableByName)]
    struct Unsent {
        #[diesel(embed)]
        message: OutboundRow,
        #[diesel(sql_type = BigInt)]
        conversation_id: ConversationId,
    }
    let found: Option<Unsent> =
        sql("SELECT id, send_key, kind, author, body, content, status, attempted_at, conversation_id FROM messages \
         WHERE shop_id = $1 AND id = $2 AND direction = 'out' AND status IN ('pending', 'sending', 'unknown')")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(message)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(found.map(|found| (found.message, found.conversation_id)))
}

/// Whether an earlier answer of a person in the same conversation, from the last two minutes, is still on its way.
///
/// # Errors
/// See [`DbError`].
pub async fn waits_for_another(tx: &mut ShopTx, conversation: ConversationId, message: MessageId) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Waits {
        #[diesel(sql_type = Bool)]
        waits: bool,
    }
    let row: Waits =
        sql("SELECT EXISTS (SELECT FROM messages WHERE shop_id = $1 AND conversation_id = $2 AND id < $3 AND direction = 'out' \
         AND author = 'human' AND status IN ('pending', 'sending', 'unknown') AND created_at > now() - interval '2 minutes') AS waits")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .bind::<BigInt, _>(message)
        .get_result(tx.conn())
        .await?;
    Ok(row.waits)
}

/// What a turn still has to send, in order.
///
/// # Errors
/// See [`DbError`].
pub async fn unsent_of(tx: &mut ShopTx, turn: TurnId) -> Result<Vec<OutboundRow>, DbError> {
    Ok(sql("SELECT id, send_key, kind, author, body, content, status, attempted_at FROM messages \
         WHERE shop_id = $1 AND turn_id = $2 AND direction = 'out' AND status IN ('pending', 'sending', 'unknown') ORDER BY id")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(turn.0)
    .load(tx.conn())
    .await?)
}

/// Marks a message as being sent. It was `pending`, or its last try was before `unsettled_before` and nothing has been heard of it.
///
/// # Errors
/// See [`DbError`].
pub async fn claim(tx: &mut ShopTx, message: MessageId, unsettled_before: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool, DbError> {
    let changed = sql("UPDATE messages SET status = 'sending', attempted_at = $4 WHERE shop_id = $1 AND id = $2 \
         AND (status = 'pending' OR (status IN ('sending', 'unknown') AND attempted_at <= $3))")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(message.0)
    .bind::<Timestamptz, _>(unsettled_before)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// Whoever was sending this has died: nobody knows whether it arrived. What settles it has its full time from `now`.
///
/// # Errors
/// See [`DbError`].
pub async fn doubt(tx: &mut ShopTx, message: MessageId, now: DateTime<Utc>) -> Result<(), DbError> {
    sql("UPDATE messages SET status = 'unknown', attempted_at = $3 WHERE shop_id = $1 AND id = $2 AND status = 'sending'")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(message.0)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Records that the platform took a message.
///
/// # Errors
/// See [`DbError`].
pub async fn mark_sent(tx: &mut ShopTx, message: MessageId, provider_id: &str) -> Result<(), DbError> {
    // An echo or a status webhook may have been quicker.
    sql("UPDATE messages SET provider_id = coalesce(provider_id, $3), sent_at = coalesce(sent_at, now()), \
         status = CASE WHEN status IN ('pending', 'sending', 'unknown') THEN 'sent' ELSE status END WHERE shop_id = $1 AND id = $2")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(message.0)
    .bind::<Text, _>(provider_id)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sets how a try ended: `pending` (it never left), `unknown`, `failed` or `superseded`.
///
/// # Errors
/// See [`DbError`].
pub async fn mark(tx: &mut ShopTx, message: MessageId, status: &str, error_code: Option<i64>) -> Result<(), DbError> {
    sql("UPDATE messages SET status = $3, error_code = coalesce($4, error_code) \
         WHERE shop_id = $1 AND id = $2 AND status IN ('pending', 'sending', 'unknown')")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(message.0)
    .bind::<Text, _>(status)
    .bind::<Nullable<BigInt>, _>(error_code)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Moves a sent message forward by a status webhook, found by the platform's id or by our own send key; never backward (PROVIDERS 1.6).
/// Returns the message if one was found.
///
/// # Errors
/// See [`DbError`].
pub async fn advance(
    tx: &mut ShopTx,
    channel: ChannelId,
    provider_id: &str,
    send_key: Option<&str>,
    status: &str,
    error_code: Option<i64>,
) -> Result<Option<(MessageId, ConversationId)>, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        conversation_id: i64,
    }
    let row: Option<Found> = sql("UPDATE messages SET provider_id = coalesce(provider_id, $3), error_code = coalesce($6, error_code), \
         sent_at = CASE WHEN $5 = 'failed' THEN sent_at ELSE coalesce(sent_at, now()) END, \
         status = CASE \
            WHEN $5 = 'failed' THEN CASE WHEN status IN ('pending', 'sending', 'unknown', 'sent') THEN 'failed' ELSE status END \
            WHEN $5 = 'deleted' THEN status \
            WHEN status = 'failed' THEN status \
            WHEN array_position(ARRAY['pending','sending','unknown','sent','delivered','read'], $5) > \
                 coalesce(array_position(ARRAY['pending','sending','unknown','sent','delivered','read'], status), 6) THEN $5 \
            ELSE status END \
         WHERE shop_id = $1 AND channel_id = $2 AND direction = 'out' \
           AND id = (SELECT id FROM messages WHERE shop_id = $1 AND channel_id = $2 AND direction = 'out' \
                     AND (provider_id = $3 OR (provider_id IS NULL AND send_key = $4)) ORDER BY provider_id NULLS LAST LIMIT 1) \
         RETURNING id, conversation_id")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<Text, _>(provider_id)
    .bind::<Nullable<Text>, _>(send_key)
    .bind::<Text, _>(status)
    .bind::<Nullable<BigInt>, _>(error_code)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.map(|row| (MessageId(row.id), ConversationId(row.conversation_id))))
}

/// Moves everything sent up to `until` forward to `status` (Messenger's and Instagram's watermarks).
///
/// # Errors
/// See [`DbError`].
pub async fn advance_until(tx: &mut ShopTx, conversation: ConversationId, until: DateTime<Utc>, status: &str) -> Result<(), DbError> {
    sql("UPDATE messages SET status = $4 WHERE shop_id = $1 AND conversation_id = $2 AND direction = 'out' AND sent_at <= $3 \
         AND (status = 'sent' OR (status = 'delivered' AND $4 = 'read'))")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Timestamptz, _>(until)
    .bind::<Text, _>(status)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A send to this customer that is not settled and has this text: an echo without our id settles it (Instagram).
///
/// # Errors
/// See [`DbError`].
pub async fn settle_by_text(
    tx: &mut ShopTx,
    conversation: ConversationId,
    provider_id: &str,
    text: &str,
) -> Result<Option<MessageId>, DbError> {
    #[derive(QueryableByName)]
    struct IdRow {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let row: Option<IdRow> = sql("UPDATE messages SET provider_id = $3, status = 'sent', sent_at = now() WHERE shop_id = $1 AND id = \
         (SELECT id FROM messages WHERE shop_id = $1 AND conversation_id = $2 AND direction = 'out' AND provider_id IS NULL \
          AND status IN ('sending', 'unknown') AND body = $4 ORDER BY id LIMIT 1) RETURNING id")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Text, _>(provider_id)
    .bind::<Text, _>(text)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.map(|row| MessageId(row.id)))
}

/// Whether a send to this customer is under way, so that an echo may be its own.
///
/// # Errors
/// See [`DbError`].
pub async fn has_open_send(tx: &mut ShopTx, conversation: ConversationId) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Open {
        #[diesel(sql_type = Bool)]
        open: bool,
    }
    let row: Open = sql("SELECT EXISTS (SELECT 1 FROM messages WHERE shop_id = $1 AND conversation_id = $2 AND direction = 'out' \
         AND status IN ('pending', 'sending', 'unknown')) AS open")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .get_result(tx.conn())
    .await?;
    Ok(row.open)
}

/// Whether a message with the platform's id is stored.
///
/// # Errors
/// See [`DbError`].
pub async fn is_known(tx: &mut ShopTx, channel: ChannelId, provider_id: &str) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = Bool)]
        known: bool,
    }
    let row: Known = sql("SELECT EXISTS (SELECT 1 FROM messages WHERE shop_id = $1 AND channel_id = $2 AND provider_id = $3) AS known")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<Integer, _>(channel.0)
        .bind::<Text, _>(provider_id)
        .get_result(tx.conn())
        .await?;
    Ok(row.known)
}

/// Records what a human at the shop wrote elsewhere; `None` if it stands already.
///
/// # Errors
/// See [`DbError`].
pub async fn store_human(
    tx: &mut ShopTx,
    conversation: ConversationId,
    channel: ChannelId,
    provider_id: &str,
    body: &str,
    at: DateTime<Utc>,
) -> Result<Option<MessageId>, DbError> {
    #[derive(QueryableByName)]
    struct IdRow {
        #[diesel(sql_type = BigInt)]
        id: MessageId,
    }
    let stored: Option<IdRow> = sql(
        "INSERT INTO messages (shop_id, conversation_id, channel_id, direction, author, kind, provider_id, body, status, occurred_at, sent_at) \
         VALUES ($1, $2, $3, 'out', 'human', 'reply', $4, $5, 'sent', $6, $6) \
         ON CONFLICT (shop_id, channel_id, provider_id) WHERE provider_id IS NOT NULL DO NOTHING RETURNING id",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Integer, _>(channel.0)
    .bind::<Text, _>(provider_id)
    .bind::<Text, _>(body)
    .bind::<Timestamptz, _>(at)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(stored.map(|row| row.id))
}

/// Marks a customer's message as deleted by the customer; its text goes.
///
/// # Errors
/// See [`DbError`].
pub async fn mark_deleted(tx: &mut ShopTx, channel: ChannelId, provider_id: &str) -> Result<(), DbError> {
    sql(
        "UPDATE messages SET status = 'deleted', body = '', content = '{}' WHERE shop_id = $1 AND channel_id = $2 AND provider_id = $3 AND direction = 'in'",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<Text, _>(provider_id)
    .execute(tx.conn())
    .await?;
    // An archived session may hold it; what else was said there is still in the messages.
    sql("DELETE FROM archives WHERE shop_id = $1 AND conversation_id IN \
         (SELECT conversation_id FROM messages WHERE shop_id = $1 AND channel_id = $2 AND provider_id = $3 AND direction = 'in')")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<Integer, _>(channel.0)
    .bind::<Text, _>(provider_id)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A line of the talk, for rebuilding the memory.
#[derive(Debug, Clone, QueryableByName)]
pub struct SpokenRow {
    /// `in` or `out`.
    #[diesel(sql_type = Text)]
    pub direction: String,
    /// The text.
    #[diesel(sql_type = Text)]
    pub body: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    turn_id: Option<i64>,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl SpokenRow {
    /// Its turn.
    #[must_use]
    pub fn turn(&self) -> Option<TurnId> {
        self.turn_id.map(TurnId)
    }
}

/// The latest words of a conversation before `before`'s messages, oldest first.
///
/// # Errors
/// See [`DbError`].
pub async fn spoken(tx: &mut ShopTx, conversation: ConversationId, before: TurnId, limit: i64) -> Result<Vec<SpokenRow>, DbError> {
    let mut rows: Vec<SpokenRow> = sql(
        "SELECT direction, body, turn_id, created_at FROM messages WHERE shop_id = $1 AND conversation_id = $2 AND body <> '' \
         AND turn_id IS DISTINCT FROM $3 AND kind <> 'holding' AND status NOT IN ('superseded', 'failed', 'deleted') ORDER BY id DESC LIMIT $4",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<BigInt, _>(before.0)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?;
    rows.reverse();
    Ok(rows)
}

/// The free times that were last offered in a conversation since an instant, as its message keeps them.
///
/// # Errors
/// See [`DbError`].
pub async fn last_offer(tx: &mut ShopTx, conversation: ConversationId, since: DateTime<Utc>) -> Result<Option<serde_json::Value>, DbError> {
    #[derive(QueryableByName)]
    struct OfferRow {
        #[diesel(sql_type = Jsonb)]
        offer: serde_json::Value,
    }
    let row: Option<OfferRow> =
        sql("SELECT content -> 'offer' AS offer FROM messages WHERE shop_id = $1 AND conversation_id = $2 AND direction = 'out' \
         AND created_at >= $3 AND content ? 'offer' AND status NOT IN ('superseded', 'failed', 'deleted') ORDER BY id DESC LIMIT 1")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .bind::<Timestamptz, _>(since)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(|row| row.offer))
}

/// What was said in a turn, both sides, without the holding reply and what was withheld.
///
/// # Errors
/// See [`DbError`].
pub async fn said_in(tx: &mut ShopTx, turn: TurnId) -> Result<Vec<SpokenRow>, DbError> {
    Ok(sql("SELECT direction, body, turn_id, created_at FROM messages WHERE shop_id = $1 AND turn_id = $2 AND body <> '' \
         AND kind <> 'holding' AND status NOT IN ('superseded', 'failed', 'deleted') ORDER BY id")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(turn.0)
    .load(tx.conn())
    .await?)
}
