//! Appointments by proposal: nothing is booked, moved or cancelled for a customer but what they were shown, at the price they were shown, and said yes to
//! later.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Making, Proposal, close, make, open_in};
use crate::availability::Slot;
use crate::db::appointments::{self, BookError, Booking, Busy, By, ChangeError, Changed, Rescheduling, look};
use crate::db::{DbError, ShopTx};
use crate::ids::{AppointmentId, ConversationId, CustomerId, ProposalId, ServiceId, StaffId, TurnId};
use crate::money::Money;

/// An appointment as the customer sees it before it is booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedBooking {
    /// What for.
    pub service_id: ServiceId,
    /// What it is called.
    pub service_name: String,
    /// With whom.
    pub staff_id: StaffId,
    /// What they are called.
    pub staff_name: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// What it costs.
    pub price: Money,
}

/// What a customer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A new appointment.
    Book {
        /// What for.
        service: ServiceId,
        /// With whom; absent: with whoever is free.
        staff: Option<StaffId>,
        /// When.
        starts_at: DateTime<Utc>,
    },
    /// Another time for an appointment of theirs.
    Move {
        /// Which.
        appointment: AppointmentId,
        /// With whom; absent: with the same.
        staff: Option<StaffId>,
        /// When.
        starts_at: DateTime<Utc>,
    },
    /// An appointment of theirs is not to take place.
    Cancel {
        /// Which.
        appointment: AppointmentId,
    },
}

/// In which conversation, and whose.
#[derive(Debug, Clone, Copy)]
pub struct Within {
    /// The conversation.
    pub conversation: ConversationId,
    /// The turn that proposes.
    pub turn: TurnId,
    /// Who asks.
    pub customer: CustomerId,
}

/// A proposal that was made, to be shown: for a cancellation `booking` is the appointment as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The proposal.
    pub id: ProposalId,
    /// What the customer is to see.
    pub booking: ProposedBooking,
    /// The appointment it moves or cancels.
    pub appointment: Option<AppointmentId>,
}

/// Why nothing was proposed, or nothing came of it. The transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// There is no open proposal of this kind, or it is another one by now.
    #[error("the proposal is gone")]
    Gone,
    /// The customer has not seen it, or agreed before they saw it.
    #[error("the proposal was not shown before it was agreed to")]
    NotShown,
    /// Price or length are others now: it must be proposed anew. The proposal is closed.
    #[error("the service has changed since")]
    ServiceChanged,
    /// It cannot be booked. A proposal that was to be confirmed is closed.
    #[error(transparent)]
    Book(BookError),
    /// It cannot be moved or cancelled. A proposal that was to be confirmed is closed.
    #[error(transparent)]
    Change(ChangeError),
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<BookError> for BookingError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Db(error) => Self::Db(error),
            error => Self::Book(error),
        }
    }
}

impl From<ChangeError> for BookingError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Db(error) => Self::Db(error),
            error => Self::Change(error),
        }
    }
}

impl BookingError {
    /// What is free instead, if the time was the reason.
    #[must_use]
    pub fn next(&self) -> &[Slot] {
        match self {
            Self::Book(BookError::SlotTaken { next } | BookError::NotBookable { next, .. })
            | Self::Change(ChangeError::SlotTaken { next } | ChangeError::NotBookable { next, .. }) => next,
            _ => &[],
        }
    }
}

/// Proposes what a customer asks for, if it is possible at this moment; the open proposal is replaced. Nothing is held: whoever confirms first has it.
/// `busy` is as for [`Booking`].
///
/// # Errors
/// See [`BookingError`]; then no proposal was made, and the open one stands.
pub async fn propose_booking(
    tx: &mut ShopTx,
    within: &Within,
    asked: Asked,
    busy: &[Busy],
    now: DateTime<Utc>,
) -> Result<Proposed, BookingError> {
    let (kind, booking, appointment) = match asked {
        Asked::Book { service, staff, starts_at } => {
            ("booking", appointments::quote(tx, service, staff, starts_at, By::Customer, busy, now).await?, None)
        }
        Asked::Move { appointment, staff, starts_at } => {
            let to = Rescheduling { staff, starts_at, by: By::Customer, customer: Some(within.customer), actor: "agent", busy, now };
            ("move_booking", appointments::quote_move(tx, appointment, &to).await?, Some(appointment))
        }
        Asked::Cancel { appointment } => {
            let standing = appointments::may_cancel(tx, appointment, By::Customer, Some(within.customer), now).await?;
            ("cancel_booking", ProposedBooking::of(&standing), Some(appointment))
        }
    };
    let shown = (kind != "cancel_booking").then(|| serde_json::to_value(&booking)).transpose().map_err(DbError::odd)?;
    let making = Making { kind, lines: serde_json::json!([]), total: booking.price, order_no: None, booking: shown, appointment };
    let id = make(tx, within.conversation, within.turn, making).await?;
    Ok(Proposed { id, booking, appointment })
}

impl ProposedBooking {
    /// An appointment as it stands.
    pub(in crate::db) fn of(appointment: &appointments::Appointment) -> Self {
        Self {
            service_id: appointment.service_id,
            service_name: appointment.service_name.clone(),
            staff_id: appointment.staff_id,
            staff_name: appointment.staff_name.clone(),
            starts_at: appointment.starts_at,
            ends_at: appointment.ends_at,
            price: appointment.price,
        }
    }
}

/// Who says yes to a proposal, and when.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// In which conversation.
    pub conversation: ConversationId,
    /// To which proposal: the one that was judged.
    pub proposal: ProposalId,
    /// Who.
    pub customer: CustomerId,
    /// Their name.
    pub customer_name: String,
    /// How to reach them.
    pub contact: Option<String>,
    /// When the message that says yes was accepted, by Redis's clock: later than the proposal was shown, or it means nothing.
    pub accepted_at: DateTime<Utc>,
}

/// Does what was proposed, shown and agreed to, at the time and price that were shown, or nothing. For the time of the proposal, see [`look`].
///
/// # Errors
/// See [`BookingError`].
pub async fn confirm_booking(tx: &mut ShopTx, agreement: &Agreement, busy: &[Busy], now: DateTime<Utc>) -> Result<Changed, BookingError> {
    let open = open_in(tx, agreement.conversation).await?;
    let proposal = open.filter(|open| open.id == agreement.proposal && open.is_of_booking()).ok_or(BookingError::Gone)?;
    if proposal.shown_at.is_none_or(|shown_at| agreement.accepted_at <= shown_at) {
        return Err(BookingError::NotShown);
    }
    match run(tx, agreement, &proposal, busy, now).await {
        Ok(changed) => {
            super::close_booking(tx, proposal.id, changed.appointment.id).await?;
            Ok(changed)
        }
        Err(BookingError::Db(error)) => Err(error.into()),
        Err(refused) => {
            close(tx, proposal.id, "failed", None).await?;
            Err(refused)
        }
    }
}

async fn run(
    tx: &mut ShopTx,
    agreement: &Agreement,
    proposal: &Proposal,
    busy: &[Busy],
    now: DateTime<Utc>,
) -> Result<Changed, BookingError> {
    match (proposal.kind.as_str(), &proposal.booking, proposal.appointment_id) {
        ("booking", Some(shown), _) => {
            let booking = Booking {
                service: shown.service_id,
                staff: Some(shown.staff_id),
                starts_at: shown.starts_at,
                by: By::Customer,
                customer: Some(agreement.customer),
                conversation: Some(agreement.conversation),
                customer_name: agreement.customer_name.clone(),
                contact: agreement.contact.clone(),
                note: String::new(),
                source: "agent",
                actor: "agent".to_owned(),
                proposal: Some(proposal.id),
                request_key: None,
                shown: Some((shown.price, shown.ends_at)),
                busy,
                now,
            };
            match appointments::book(tx, &booking).await {
                Err(BookError::ServiceChanged) => Err(BookingError::ServiceChanged),
                other => Ok(other?),
            }
        }
        ("move_booking", Some(shown), Some(appointment)) => {
            let customer = Some(agreement.customer);
            let to = Rescheduling {
                staff: Some(shown.staff_id),
                starts_at: shown.starts_at,
                by: By::Customer,
                customer,
                actor: "agent",
                busy,
                now,
            };
            Ok(appointments::reschedule(tx, appointment, &to).await?)
        }
        ("cancel_booking", _, Some(appointment)) => {
            Ok(appointments::cancel(tx, appointment, By::Customer, Some(agreement.customer), "agent", now).await?)
        }
        _ => Err(BookingError::Gone),
    }
}

/// The stretch for which busy times must be known to confirm this proposal.
#[must_use]
pub fn look_for(proposal: &Proposal) -> Option<crate::availability::Interval> {
    proposal.booking.as_ref().map(|booking| look(booking.starts_at))
}
