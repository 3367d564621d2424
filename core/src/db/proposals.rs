//! What the agent proposed: nothing is ordered, booked or cancelled but from one of these, shown to the customer and confirmed later.

mod bookings;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{AppointmentId, ConversationId, MessageId, OrderNo, ProductId, ProposalId, TurnId};
use crate::money::Money;
pub use bookings::{Agreement, Asked, BookingError, Proposed, ProposedBooking, Within, confirm_booking, look_for, propose_booking};

/// One line as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name when proposed.
    pub name: String,
    /// Pieces.
    pub quantity: i32,
    /// Price per piece when proposed.
    pub price: Money,
}

/// An open proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// `order`, `cancel_order`, `booking`, `move_booking` or `cancel_booking`.
    pub kind: String,
    /// Its lines.
    pub lines: Vec<ProposedLine>,
    /// Their total.
    pub total: Money,
    /// The order to cancel.
    pub order_no: Option<OrderNo>,
    /// The appointment to book, or where one is to be moved.
    pub booking: Option<ProposedBooking>,
    /// The appointment to move or to cancel.
    pub appointment_id: Option<AppointmentId>,
    /// When the platform took the message that shows it, by Redis's clock; before that it cannot be confirmed.
    pub shown_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Proposal {
    /// Whether it is about an appointment; else it is about an order.
    #[must_use]
    pub fn is_of_booking(&self) -> bool {
        matches!(self.kind.as_str(), "booking" | "move_booking" | "cancel_booking")
    }
}

#[derive(QueryableByName)]
struct ProposalRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Jsonb)]
    lines: serde_json::Value,
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Nullable<BigInt>)]
    order_no: Option<i64>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    booking: Option<serde_json::Value>,
    #[diesel(sql_type = Nullable<BigInt>)]
    appointment_id: Option<AppointmentId>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    shown_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// The conversation's open proposal, locked.
///
/// # Errors
/// See [`DbError`].
pub async fn open_in(tx: &mut ShopTx, conversation: ConversationId) -> Result<Option<Proposal>, DbError> {
    let row: Option<ProposalRow> =
        sql("SELECT id, kind, lines, total, order_no, booking, appointment_id, shown_at, created_at FROM proposals \
         WHERE shop_id = $1 AND conversation_id = $2 AND state = 'open' FOR UPDATE")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(|row| Proposal {
        id: ProposalId(row.id),
        kind: row.kind,
        lines: serde_json::from_value(row.lines).unwrap_or_default(),
        total: Money::from_numeric(row.total),
        order_no: row.order_no.map(OrderNo),
        booking: row.booking.and_then(|booking| serde_json::from_value(booking).ok()),
        appointment_id: row.appointment_id,
        shown_at: row.shown_at,
        created_at: row.created_at,
    }))
}

/// What a new proposal says.
#[derive(Debug, Clone)]
pub struct NewProposal<'a> {
    /// `order` or `cancel_order`.
    pub kind: &'a str,
    /// Its lines.
    pub lines: &'a [ProposedLine],
    /// Their total.
    pub total: Money,
    /// The order to cancel.
    pub order_no: Option<OrderNo>,
}

/// Makes a proposal; the open one is replaced.
///
/// # Errors
/// See [`DbError`].
pub async fn insert(
    tx: &mut ShopTx,
    conversation: ConversationId,
    turn: TurnId,
    proposal: &NewProposal<'_>,
) -> Result<ProposalId, DbError> {
    let lines = serde_json::to_value(proposal.lines).map_err(DbError::odd)?;
    let NewProposal { kind, total, order_no, .. } = *proposal;
    make(tx, conversation, turn, Making { kind, lines, total, order_no, booking: None, appointment: None }).await
}

/// A row to make.
struct Making<'a> {
    kind: &'a str,
    lines: serde_json::Value,
    total: Money,
    order_no: Option<OrderNo>,
    booking: Option<serde_json::Value>,
    appointment: Option<AppointmentId>,
}

async fn make(tx: &mut ShopTx, conversation: ConversationId, turn: TurnId, making: Making<'_>) -> Result<ProposalId, DbError> {
    #[derive(QueryableByName)]
    struct IdRow {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    sql("UPDATE proposals SET state = 'replaced', closed_at = now() WHERE shop_id = $1 AND conversation_id = $2 AND state = 'open'")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .execute(tx.conn())
        .await?;
    let row: IdRow =
        sql("INSERT INTO proposals (shop_id, conversation_id, turn_id, kind, lines, total, order_no, booking, appointment_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(conversation.0)
        .bind::<BigInt, _>(turn.0)
        .bind::<Text, _>(making.kind)
        .bind::<Jsonb, _>(making.lines)
        .bind::<Numeric, _>(making.total.amount())
        .bind::<Nullable<BigInt>, _>(making.order_no.map(|order| order.0))
        .bind::<Nullable<Jsonb>, _>(making.booking)
        .bind::<Nullable<BigInt>, _>(making.appointment)
        .get_result(tx.conn())
        .await?;
    Ok(ProposalId(row.id))
}

/// Says which message shows the proposal.
///
/// # Errors
/// See [`DbError`].
pub async fn shown_by(tx: &mut ShopTx, proposal: ProposalId, message: MessageId) -> Result<(), DbError> {
    sql("UPDATE proposals SET message_id = $3 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(proposal.0)
        .bind::<BigInt, _>(message.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The message that shows a proposal is out: from now on it may be confirmed.
///
/// # Errors
/// See [`DbError`].
pub async fn mark_shown(tx: &mut ShopTx, message: MessageId, at: DateTime<Utc>) -> Result<(), DbError> {
    sql("UPDATE proposals SET shown_at = $3 WHERE shop_id = $1 AND message_id = $2 AND state = 'open' AND shown_at IS NULL")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(message.0)
        .bind::<Timestamptz, _>(at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A proposal that was out before it was stored, as in a trial.
///
/// # Errors
/// See [`DbError`].
pub async fn was_shown(tx: &mut ShopTx, proposal: ProposalId, at: DateTime<Utc>) -> Result<(), DbError> {
    sql("UPDATE proposals SET shown_at = $3 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(proposal.0)
        .bind::<Timestamptz, _>(at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Closes an open proposal as `confirmed`, `declined`, `expired` or `failed`; false if it was closed before.
///
/// # Errors
/// See [`DbError`].
pub async fn close(tx: &mut ShopTx, proposal: ProposalId, state: &str, order: Option<OrderNo>) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE proposals SET state = $3, order_no = coalesce($4, order_no), closed_at = now() WHERE shop_id = $1 AND id = $2 AND state = 'open'",
    )
    .bind::<Integer, _>(tx.shop().0)
    .bind::<BigInt, _>(proposal.0)
    .bind::<Text, _>(state)
    .bind::<Nullable<BigInt>, _>(order.map(|order| order.0))
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// Closes an open proposal as confirmed, with the appointment that it made or changed.
async fn close_booking(tx: &mut ShopTx, proposal: ProposalId, appointment: AppointmentId) -> Result<(), DbError> {
    sql("UPDATE proposals SET state = 'confirmed', appointment_id = $3, closed_at = now() WHERE shop_id = $1 AND id = $2 AND state = 'open'")
        .bind::<Integer, _>(tx.shop().0)
        .bind::<BigInt, _>(proposal.0)
        .bind::<BigInt, _>(appointment)
        .execute(tx.conn())
        .await?;
    Ok(())
}
