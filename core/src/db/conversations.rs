//! Conversations: who may speak in them, and the fence that keeps a worker out which has lost its lease.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, ConversationId, CustomerId};

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
}

const COLUMNS: &str = "id, customer_id, channel_id, paused, human_epoch, turn_fence, language, last_customer_at";

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
         RETURNING {COLUMNS}"
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
    Ok(sql(format!("SELECT {COLUMNS} FROM conversations WHERE shop_id = $1 AND id = $2 AND turn_fence = $3 FOR UPDATE"))
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
    Ok(sql(format!("SELECT {COLUMNS} FROM conversations WHERE shop_id = $1 AND id = $2"))
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
    Ok(sql(format!("SELECT {COLUMNS} FROM conversations WHERE shop_id = $1 AND channel_id = $2 AND customer_id = $3"))
        .bind::<Integer, _>(tx.shop().0)
        .bind::<Integer, _>(channel.0)
        .bind::<BigInt, _>(customer.0)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Pauses the AI. Answers begun before are not sent any more. Pausing twice changes nothing but the epoch.
///
/// # Errors
/// See [`DbError`].
pub async fn pause(tx: &mut ShopTx, conversation: ConversationId, by: &str) -> Result<Option<i64>, DbError> {
    #[derive(QueryableByName)]
    struct Epoch {
        #[diesel(sql_type = BigInt)]
        human_epoch: i64,
    }
    let row: Option<Epoch> = sql(
        "UPDATE conversations SET paused = true, paused_by = $3, paused_at = coalesce(paused_at, now()), human_epoch = human_epoch + 1, \
         last_activity_at = now() WHERE shop_id = $1 AND id = $2 RETURNING human_epoch",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
    .bind::<Text, _>(by)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(row.map(|row| row.human_epoch))
}

/// Lets the AI answer again; false if there is no such conversation.
///
/// # Errors
/// See [`DbError`].
pub async fn resume(tx: &mut ShopTx, conversation: ConversationId) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE conversations SET paused = false, paused_by = NULL, paused_at = NULL, last_activity_at = now() WHERE shop_id = $1 AND id = $2",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(conversation.0)
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
