//! Turns of the agent. A turn is `open` until its effects and its answer are decided in one transaction, `decided` until the answer is out, then
//! `done`. A worker that dies leaves a turn that the next one finishes; it never makes a second one for the same messages.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ConversationId, MessageId, TurnId};

/// A turn that is not done.
#[derive(Debug, Clone, QueryableByName)]
pub struct TurnRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    /// `open`, `decided` or `done`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// The takeover count when it began.
    #[diesel(sql_type = BigInt)]
    pub human_epoch: i64,
    /// When its first message was accepted.
    #[diesel(sql_type = Timestamptz)]
    pub accepted_at: DateTime<Utc>,
}

impl TurnRow {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> TurnId {
        TurnId(self.id)
    }

    /// Its effects stand; only sending is left.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.state == "decided"
    }
}

/// The turn that a worker left behind, if any.
///
/// # Errors
/// See [`DbError`].
pub async fn unfinished(tx: &mut ShopTx, conversation: ConversationId) -> Result<Option<TurnRow>, DbError> {
    Ok(sql("SELECT id, state, human_epoch, accepted_at FROM turns WHERE shop_id = $1 AND conversation_id = $2 AND state <> 'done'")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Begins a turn, or takes over an open one: the fence is ours, and the epoch is as of now.
///
/// # Errors
/// See [`DbError`].
pub async fn begin(
    tx: &mut ShopTx,
    conversation: ConversationId,
    fence: i64,
    human_epoch: i64,
    accepted_at: DateTime<Utc>,
) -> Result<TurnRow, DbError> {
    Ok(sql("INSERT INTO turns (shop_id, conversation_id, fence, human_epoch, accepted_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (shop_id, conversation_id) WHERE state <> 'done' \
         DO UPDATE SET fence = excluded.fence, human_epoch = excluded.human_epoch \
         RETURNING id, state, human_epoch, accepted_at")
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<BigInt, _>(fence)
    .bind::<BigInt, _>(human_epoch)
    .bind::<Timestamptz, _>(accepted_at)
    .get_result(tx.conn())
    .await?)
}

/// Makes the messages part of the turn.
///
/// # Errors
/// See [`DbError`].
pub async fn attach(tx: &mut ShopTx, turn: TurnId, messages: &[MessageId]) -> Result<(), DbError> {
    let ids: Vec<i64> = messages.iter().map(|message| message.0).collect();
    sql("UPDATE messages SET turn_id = $2 WHERE shop_id = $1 AND id = ANY($3) AND turn_id IS DISTINCT FROM $2")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(turn.0)
        .bind::<Array<BigInt>, _>(ids)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// What a turn came to.
#[derive(Debug, Clone)]
pub struct Decision {
    /// `reply`, `proposal`, `order`, `handoff`, `inactive`, …
    pub outcome: &'static str,
    /// The takeover count under which the answer may go out.
    pub human_epoch: i64,
    /// Model calls, tool calls, tokens, times.
    pub trace: serde_json::Value,
    /// Prompt tokens of all calls.
    pub input_tokens: i32,
    /// Answer tokens of all calls.
    pub output_tokens: i32,
    /// In US dollars.
    pub cost: Decimal,
}

/// Decides an open turn; false if it was decided before.
///
/// # Errors
/// See [`DbError`].
pub async fn decide(tx: &mut ShopTx, turn: TurnId, decision: &Decision) -> Result<bool, DbError> {
    let changed =
        sql("UPDATE turns SET state = 'decided', decided_at = now(), outcome = $3, human_epoch = $4, trace = $5, input_tokens = $6, \
         output_tokens = $7, cost = $8 WHERE shop_id = $1 AND id = $2 AND state = 'open'")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(turn.0)
        .bind::<Text, _>(decision.outcome)
        .bind::<BigInt, _>(decision.human_epoch)
        .bind::<Jsonb, _>(&decision.trace)
        .bind::<Integer, _>(decision.input_tokens)
        .bind::<Integer, _>(decision.output_tokens)
        .bind::<Numeric, _>(decision.cost)
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}

/// Closes a turn whose answer is out (or was withheld).
///
/// # Errors
/// See [`DbError`].
pub async fn finish(tx: &mut ShopTx, turn: TurnId) -> Result<(), DbError> {
    sql("UPDATE turns SET state = 'done', done_at = now() WHERE shop_id = $1 AND id = $2 AND state <> 'done'")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(turn.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// How many turns of a conversation began in the last minute: a bot that answers our bot shows here.
///
/// # Errors
/// See [`DbError`].
pub async fn in_last_minute(tx: &mut ShopTx, conversation: ConversationId) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        turns: i64,
    }
    let row: Count = sql(
        "SELECT count(*) AS turns FROM (SELECT created_at FROM turns WHERE shop_id = $1 AND conversation_id = $2 ORDER BY id DESC LIMIT 100) AS latest \
         WHERE created_at > now() - interval '1 minute'",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .get_result(tx.conn())
    .await?;
    Ok(row.turns)
}

/// The takeover count under which a turn's answer may go out.
///
/// # Errors
/// See [`DbError`].
pub async fn epoch(tx: &mut ShopTx, turn: TurnId) -> Result<i64, DbError> {
    #[derive(QueryableByName)]
    struct Epoch {
        #[diesel(sql_type = BigInt)]
        human_epoch: i64,
    }
    let row: Epoch = sql("SELECT human_epoch FROM turns WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(turn.0)
        .get_result(tx.conn())
        .await?;
    Ok(row.human_epoch)
}
