//! Sessions that have ended: written here when they have been silent for a day, read when their customer returns.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ConversationId, CustomerId, OrderNo};
use crate::memory::Exchange;

/// Archives deleted in one call.
const MOST_DROPPED: i64 = 500;

/// What a shop knows of a customer who returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Returning {
    /// When they were last here.
    pub last_here_at: DateTime<Utc>,
    /// The last exchanges of that session, the oldest first.
    pub exchanges: Vec<Exchange>,
    /// What they last ordered.
    pub order: Option<LastOrder>,
    /// Their latest appointment.
    pub appointment: Option<LastAppointment>,
}

/// A customer's latest order.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct LastOrder {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub order_no: OrderNo,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// When it was placed.
    #[diesel(sql_type = Timestamptz)]
    pub placed_at: DateTime<Utc>,
    /// What was ordered, in the order of its lines.
    #[diesel(sql_type = Array<Text>)]
    pub products: Vec<String>,
}

/// A customer's latest appointment.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct LastAppointment {
    /// What for.
    #[diesel(sql_type = Text)]
    pub service: String,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// `booked`, `done`, `cancelled` or `no_show`.
    #[diesel(sql_type = Text)]
    pub state: String,
}

fn instant(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default()
}

/// When the latest archived session of a conversation ended.
///
/// # Errors
/// See [`DbError`].
pub async fn archived_until(tx: &mut ShopTx, conversation: ConversationId) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        until_at: Option<DateTime<Utc>>,
    }
    let row: Row = sql("SELECT max(until_at) AS until_at FROM archives WHERE shop_id = $1 AND conversation_id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .get_result(tx.conn())
        .await?;
    Ok(row.until_at)
}

/// Writes a session: what of it no archive holds yet. Once is as good as often. A conversation that is gone, or whose customer was erased, leaves nothing.
/// Says whether a row was written.
///
/// # Errors
/// See [`DbError`].
pub async fn store(tx: &mut ShopTx, conversation: ConversationId, exchanges: &[Exchange]) -> Result<bool, DbError> {
    let until = archived_until(tx, conversation).await?;
    let fresh: Vec<&Exchange> = exchanges.iter().filter(|exchange| until.is_none_or(|until| instant(exchange.at_ms) > until)).collect();
    let (Some(from), Some(to)) = (fresh.iter().map(|exchange| exchange.at_ms).min(), fresh.iter().map(|exchange| exchange.at_ms).max())
    else {
        return Ok(false);
    };
    // Both are locked: whoever is being erased at this moment is looked at once more when that is done.
    let written = sql("INSERT INTO archives (shop_id, conversation_id, from_at, until_at, exchanges) \
         SELECT c.shop_id, c.id, $3, $4, $5 FROM customers k JOIN conversations c ON c.shop_id = $1 AND c.customer_id = k.id \
         WHERE k.shop_id = $1 AND c.id = $2 AND k.erased_at IS NULL FOR SHARE OF k, c ON CONFLICT (shop_id, conversation_id, until_at) DO NOTHING")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(conversation)
    .bind::<Timestamptz, _>(instant(from))
    .bind::<Timestamptz, _>(instant(to))
    .bind::<Jsonb, _>(super::logs::storable(&serde_json::json!(fresh)))
    .execute(tx.conn())
    .await?;
    Ok(written > 0)
}

/// What is known of a customer whose last session in this conversation was archived; the last `most` exchanges of it. `None` for one who was never away.
///
/// # Errors
/// See [`DbError`].
pub async fn returning(
    tx: &mut ShopTx,
    conversation: ConversationId,
    customer: CustomerId,
    most: usize,
) -> Result<Option<Returning>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        until_at: DateTime<Utc>,
        #[diesel(sql_type = Jsonb)]
        exchanges: Value,
    }
    let row: Option<Row> =
        sql("SELECT until_at, exchanges FROM archives WHERE shop_id = $1 AND conversation_id = $2 ORDER BY until_at DESC LIMIT 1")
            .bind::<Integer, _>(tx.shop())
            .bind::<BigInt, _>(conversation)
            .get_result(tx.conn())
            .await
            .optional()?;
    let Some(Row { until_at, exchanges }) = row else { return Ok(None) };
    // An entry of another time is not worth failing for.
    let mut exchanges: Vec<Exchange> = serde_json::from_value(exchanges).unwrap_or_default();
    exchanges.drain(..exchanges.len().saturating_sub(most));
    let order = sql("SELECT o.order_no, min(o.status) AS status, min(o.created_at) AS placed_at, array_agg(o.product_name ORDER BY o.line_no) AS products \
         FROM orders o WHERE o.shop_id = $1 AND o.order_no = (SELECT max(l.order_no) FROM orders l WHERE l.shop_id = $1 AND l.customer_id = $2 AND l.line_no = 1) \
         GROUP BY o.order_no")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .get_result(tx.conn())
    .await
    .optional()?;
    let appointment = sql("SELECT service_name AS service, starts_at, state FROM appointments WHERE shop_id = $1 AND customer_id = $2 \
         ORDER BY starts_at DESC, id DESC LIMIT 1")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(Some(Returning { last_here_at: until_at, exchanges, order, appointment }))
}

/// Gives up archives of sessions that ended before an instant, some of them; says how many.
///
/// # Errors
/// See [`DbError`].
pub async fn expire(tx: &mut ShopTx, before: DateTime<Utc>) -> Result<usize, DbError> {
    Ok(sql("DELETE FROM archives WHERE shop_id = $1 AND id IN \
         (SELECT id FROM archives WHERE shop_id = $1 AND until_at < $2 ORDER BY until_at LIMIT $3)")
    .bind::<Integer, _>(tx.shop())
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(MOST_DROPPED)
    .execute(tx.conn())
    .await?)
}
