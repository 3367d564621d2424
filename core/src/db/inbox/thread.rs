//! A conversation's messages, and the agent's trace behind them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Colleague, MAX_PAGE};
use crate::db::{DbError, ShopTx, sql::sql};
use crate::ids::{ConversationId, MediaId, MessageId, TurnId, UserId};

/// A message as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// `in` or `out`.
    pub direction: String,
    /// `customer`, `ai`, `human` or `system`.
    pub author: String,
    /// Who of the shop wrote it here; a person who answered elsewhere is not known.
    pub user: Option<Colleague>,
    /// In: `text`, `button`, `image`, …; out: `reply`, `template`, `proposal`, `handoff`, …
    pub kind: String,
    /// The words.
    pub text: String,
    /// What is more than words: buttons, a caption, a place.
    pub content: serde_json::Value,
    /// The files that came with it, in order.
    pub media: Vec<Media>,
    /// In: `received` or `deleted`. Out: `pending`, `sending`, `unknown`, `sent`, `delivered`, `read`, `failed` or `superseded`.
    pub status: String,
    /// Meta's code, if it failed.
    pub error_code: Option<i64>,
    /// The agent's turn that made it, or that answers it.
    pub turn_id: Option<TurnId>,
    /// When it was said; of the customer's, by the platform's clock.
    pub occurred_at: DateTime<Utc>,
    /// When the platform took it.
    pub sent_at: Option<DateTime<Utc>>,
}

/// A file of a message as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// `image`, `voice`, `audio`, `video`, `document`, `sticker`, …
    pub kind: String,
    /// `waiting`, `kept`, `gone`, `failed` or `too_large`.
    pub state: String,
    /// What it is, if anybody can tell.
    pub mime_type: Option<String>,
    /// Bytes, once it is kept.
    pub size: Option<i64>,
    /// What the customer calls it.
    pub file_name: Option<String>,
    /// Where it is, once it is kept.
    pub url: Option<String>,
}

#[derive(QueryableByName)]
struct MessageRow {
    #[diesel(sql_type = BigInt)]
    id: MessageId,
    #[diesel(sql_type = Text)]
    direction: String,
    #[diesel(sql_type = Text)]
    author: String,
    #[diesel(sql_type = Nullable<Integer>)]
    user_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Text>)]
    user_name: Option<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Jsonb)]
    content: serde_json::Value,
    #[diesel(sql_type = Jsonb)]
    media: serde_json::Value,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    error_code: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    turn_id: Option<TurnId>,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    sent_at: Option<DateTime<Utc>>,
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            direction: row.direction,
            author: row.author,
            user: row.user_id.zip(row.user_name).map(|(id, name)| Colleague { id, name }),
            kind: row.kind,
            text: row.text,
            content: row.content,
            media: serde_json::from_value(row.media).unwrap_or_default(),
            status: row.status,
            error_code: row.error_code,
            turn_id: row.turn_id,
            occurred_at: row.occurred_at,
            sent_at: row.sent_at,
        }
    }
}

const MESSAGE: &str = "SELECT m.id, m.direction, m.author, m.user_id, coalesce(nullif(u.name, ''), u.email) AS user_name, m.kind, m.body AS text, m.content, \
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.id, 'kind', f.kind, 'state', f.state, 'mime_type', f.mime_type, 'size', f.size, \
        'file_name', f.file_name, 'url', CASE WHEN f.state = 'kept' THEN '/media/' || f.id END) ORDER BY f.part) \
        FROM media f WHERE f.shop_id = $1 AND f.message_id = m.id), '[]') AS media, \
    m.status, m.error_code, m.turn_id, m.occurred_at, m.sent_at FROM messages m LEFT JOIN users u ON u.shop_id = $1 AND u.id = m.user_id \
    WHERE m.shop_id = $1 AND m.conversation_id = $2";

/// A page of a conversation's messages, the newest first, at most `limit` (200), before `before`.
///
/// # Errors
/// See [`DbError`].
pub async fn messages(
    tx: &mut ShopTx,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    let rows: Vec<MessageRow> = sql(format!("{MESSAGE} AND m.id < $3 ORDER BY m.id DESC LIMIT $4"))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .bind::<BigInt, _>(before.map_or(i64::MAX, |message| message.0))
        .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
        .load(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// Finds one message of a conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn message(tx: &mut ShopTx, conversation: ConversationId, message: MessageId) -> Result<Option<Message>, DbError> {
    let row: Option<MessageRow> = sql(format!("{MESSAGE} AND m.id = $3"))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .bind::<BigInt, _>(message)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(Message::from))
}

/// One turn of the agent, with its trace.
#[derive(Debug, Clone, PartialEq, Serialize, QueryableByName)]
pub struct TurnTrace {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: TurnId,
    /// `open`, `decided` or `done`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// `reply`, `proposal`, `order`, `handoff`, …, once it is decided.
    #[diesel(sql_type = Nullable<Text>)]
    pub outcome: Option<String>,
    /// When the first of its messages was accepted.
    #[diesel(sql_type = Timestamptz)]
    pub accepted_at: DateTime<Utc>,
    /// When it was decided.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
    /// When its answer was out.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub done_at: Option<DateTime<Utc>>,
    /// Prompt tokens of all calls.
    #[diesel(sql_type = Integer)]
    pub input_tokens: i32,
    /// Answer tokens of all calls.
    #[diesel(sql_type = Integer)]
    pub output_tokens: i32,
    /// What the models took, US dollars.
    #[diesel(sql_type = Numeric)]
    pub model_cost: Decimal,
    /// Model calls, tool calls, arguments, results, times, in order.
    #[diesel(sql_type = Jsonb)]
    pub trace: serde_json::Value,
}

/// A turn of a conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn turn(tx: &mut ShopTx, conversation: ConversationId, turn: TurnId) -> Result<Option<TurnTrace>, DbError> {
    Ok(sql(
        "SELECT id, state, outcome, accepted_at, decided_at, done_at, input_tokens, output_tokens, cost AS model_cost, trace FROM turns \
         WHERE shop_id = $1 AND conversation_id = $2 AND id = $3",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(conversation)
    .bind::<BigInt, _>(turn)
    .get_result(tx.conn())
    .await
    .optional()?)
}
