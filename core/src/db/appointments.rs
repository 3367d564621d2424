//! Appointments: booked, moved, cancelled, and never two of one person at once. That is decided by the constraint `appointments_no_overlap`, under any
//! concurrency; what is looked at before only serves to say why, and what is free instead. Rows are locked in one order everywhere: the appointment, then
//! the staff it moves to.

mod changing;
pub mod elsewhere;
mod offer;
mod reading;
pub mod reminders;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::outbox::Pending;
use super::proposals::ProposedBooking;
use super::{DbError, ShopTx, sql::sql};
use crate::availability::{self, Interval, NotFree, Slot, Terms};
use crate::ids::{AppointmentId, ConversationId, CustomerId, ProposalId, ServiceId, StaffId};
use crate::money::Money;
pub use changing::{ChangeError, End, Rescheduling, cancel, confirm, end, may_cancel, quote_move, reschedule};
pub use offer::{Busy, Offer, look, offer};
pub use reading::{AppointmentEvent, AppointmentFilter, find, for_customer, history, list};

/// Free slots that a refusal names.
const NEXT_SLOTS: usize = 5;

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentState {
    /// It is to take place: its time is nobody else's.
    Booked,
    /// It does not take place.
    Cancelled,
    /// It took place.
    Done,
    /// Nobody came.
    NoShow,
}

impl AppointmentState {
    /// Every state.
    pub const ALL: &[Self] = &[Self::Booked, Self::Cancelled, Self::Done, Self::NoShow];

    /// The name used in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
            Self::NoShow => "no_show",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == name)
    }
}

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Appointment {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: AppointmentId,
    /// What for.
    #[diesel(sql_type = Integer)]
    pub service_id: ServiceId,
    /// As it was called when booked.
    #[diesel(sql_type = Text)]
    pub service_name: String,
    /// With whom.
    #[diesel(sql_type = Integer)]
    pub staff_id: StaffId,
    /// As they are called.
    #[diesel(sql_type = Text)]
    pub staff_name: String,
    /// Whose, if they are a customer of a channel.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub customer_id: Option<CustomerId>,
    /// Where it was booked, if that was in a conversation.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub conversation_id: Option<ConversationId>,
    /// Their name.
    #[diesel(sql_type = Text)]
    pub customer_name: String,
    /// How to reach them.
    #[diesel(sql_type = Nullable<Text>)]
    pub contact: Option<String>,
    /// When it begins.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    /// The service's price when booked.
    #[diesel(sql_type = Numeric)]
    pub price: Money,
    /// `booked`, `cancelled`, `done` or `no_show`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// `agent` or `staff`.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// What staff should know.
    #[diesel(sql_type = Text)]
    pub note: String,
    /// Grows with every change.
    #[diesel(sql_type = Integer)]
    pub version: i32,
    /// `none`, `pending`, `synced` or `failed`: whether a calendar elsewhere has it.
    #[diesel(sql_type = Text)]
    pub sync_state: String,
    /// What was done to it in a calendar elsewhere and cannot be done here: `<from>/<to>`, a time that somebody else has, or `odd`, whole days or a
    /// repetition. The next change here overwrites it there.
    #[diesel(sql_type = Nullable<Text>)]
    pub calendar_conflict: Option<String>,
    /// When it was booked.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    /// When the customer said that they come at this time.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[serde(default)]
    pub confirmed_at: Option<DateTime<Utc>>,
}

impl Appointment {
    /// Whether it is to take place.
    #[must_use]
    pub fn is_booked(&self) -> bool {
        self.state == AppointmentState::Booked.as_str()
    }
}

const COLUMNS: &str = "id, service_id, service_name, staff_id, \
     (SELECT w.name FROM staff w WHERE w.shop_id = appointments.shop_id AND w.id = appointments.staff_id) AS staff_name, customer_id, conversation_id, \
     customer_name, contact, starts_at, ends_at, price, state, source, note, version, sync_state, calendar_conflict, created_at, updated_at, confirmed_at";

/// What was changed, and what follows from it.
#[derive(Debug, Clone)]
pub struct Changed {
    /// As it stands now.
    pub appointment: Appointment,
    /// Jobs to push after the commit.
    pub pending: Vec<Pending>,
    /// For open dashboards, kind `appointment`; none if nothing changed.
    pub event: Option<serde_json::Value>,
}

impl Changed {
    /// It stood like this before: a repeat.
    fn nothing(appointment: Appointment) -> Self {
        Self { appointment, pending: Vec::new(), event: None }
    }
}

/// Where an appointment was before a change.
#[derive(Debug, Clone, Copy)]
struct Before {
    starts_at: DateTime<Utc>,
    staff: StaffId,
}

/// The one place where a change is announced: its history, and what follows from it. `action` is `booked`, `moved`, `cancelled`, `done` or `no_show`.
async fn announce(
    tx: &mut ShopTx,
    mut appointment: Appointment,
    action: &str,
    before: Option<Before>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Changed, DbError> {
    let event = record(tx, &appointment, action, before, actor, now).await?;
    let pending = elsewhere::announce(tx, &mut appointment).await?.into_iter().collect();
    Ok(Changed { appointment, pending, event: Some(event) })
}

/// Its history, and what open dashboards are told.
async fn record(
    tx: &mut ShopTx,
    appointment: &Appointment,
    action: &str,
    before: Option<Before>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<serde_json::Value, DbError> {
    sql("INSERT INTO appointment_events (shop_id, appointment_id, action, actor, from_starts_at, from_staff_id, to_starts_at, to_staff_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(appointment.id)
        .bind::<Text, _>(action)
        .bind::<Text, _>(actor)
        .bind::<Nullable<Timestamptz>, _>(before.map(|before| before.starts_at))
        .bind::<Nullable<Integer>, _>(before.map(|before| before.staff))
        .bind::<Timestamptz, _>(appointment.starts_at)
        .bind::<Integer, _>(appointment.staff_id)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
    Ok(
        json!({"id": appointment.id, "action": action, "state": appointment.state, "starts_at": appointment.starts_at, "staff_id": appointment.staff_id}),
    )
}

/// For whom a time is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A customer: within the hours, in time, and neither too soon nor too far ahead; changes in time, too.
    Customer,
    /// Staff: at any notice. `anyway`: outside of the hours, and whatever a calendar elsewhere says; never over another appointment.
    Staff {
        /// See above.
        anyway: bool,
    },
}

/// An appointment to book.
#[derive(Debug, Clone)]
pub struct Booking<'a> {
    /// What for.
    pub service: ServiceId,
    /// With whom; absent: with whoever is free, the first of them by id.
    pub staff: Option<StaffId>,
    /// When.
    pub starts_at: DateTime<Utc>,
    /// For whom it is asked.
    pub by: By,
    /// Whose, if they are a customer of a channel.
    pub customer: Option<CustomerId>,
    /// The conversation in which it is booked.
    pub conversation: Option<ConversationId>,
    /// Their name.
    pub customer_name: String,
    /// How to reach them.
    pub contact: Option<String>,
    /// What staff should know.
    pub note: String,
    /// `agent` or `staff`.
    pub source: &'static str,
    /// Who books: `user:<id>` or `agent`.
    pub actor: String,
    /// The proposal it comes from: one appointment each.
    pub proposal: Option<ProposalId>,
    /// The request it comes from: one appointment each.
    pub request_key: Option<String>,
    /// The price and the end that the customer was shown: if they are others now, nothing is booked.
    pub shown: Option<(Money, DateTime<Utc>)>,
    /// When staff are busy elsewhere, for the time that [`look`] says.
    pub busy: &'a [Busy],
    /// When it is booked.
    pub now: DateTime<Utc>,
}

/// Why nothing was booked. Nothing was changed, and the transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// It is not on offer, or nobody performs it.
    #[error("no such service")]
    NoSuchService,
    /// Whoever is asked for does not work here, or does not perform it.
    #[error("no such staff")]
    NoSuchStaff,
    /// There is no such customer.
    #[error("no such customer")]
    NoSuchCustomer,
    /// Its price or its length are not those that were shown.
    #[error("the service has changed since")]
    ServiceChanged,
    /// Somebody else has it.
    #[error("the slot is taken")]
    SlotTaken {
        /// What is free instead, soonest first.
        next: Vec<Slot>,
    },
    /// It cannot be booked by anybody.
    #[error("not bookable: {why}")]
    NotBookable {
        /// Why.
        why: NotFree,
        /// What is free instead, soonest first.
        next: Vec<Slot>,
    },
    /// Postgres failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Books a time, or changes nothing. The same proposal or request again answers with the appointment that stands.
///
/// # Errors
/// See [`BookError`].
pub async fn book(tx: &mut ShopTx, booking: &Booking<'_>) -> Result<Changed, BookError> {
    if let Some(standing) = standing(tx, booking).await? {
        return Ok(Changed::nothing(standing));
    }
    if let Some(customer) = booking.customer {
        known(tx, customer).await?;
    }
    let mut offer = load(tx, booking.service, booking.staff, booking.starts_at, booking.busy).await?;
    if booking.shown.is_some_and(|shown| shown != (offer.service.price, offer.terms.of(booking.starts_at).to)) {
        return Err(BookError::ServiceChanged);
    }
    let mut why = NotFree::Taken;
    let candidates: Vec<StaffId> = offer.staff.iter().map(|calendar| calendar.staff).collect();
    for staff in candidates {
        match offer.check(staff, booking.starts_at, booking.by, booking.now) {
            Ok(()) => {
                if let Some(appointment) = insert(tx, &offer, staff, booking).await? {
                    return Ok(announce(tx, appointment, "booked", None, &booking.actor, booking.now).await?);
                }
                // Somebody was quicker: what is free is another now.
                why = NotFree::Taken;
                offer = load(tx, booking.service, booking.staff, booking.starts_at, booking.busy).await?;
            }
            Err(not) => why = not,
        }
    }
    Err(refusal(&offer, why, booking.starts_at, booking.now))
}

fn refusal(offer: &Offer, why: NotFree, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> BookError {
    let next = offer.next(starts_at, now);
    match why {
        NotFree::Taken => BookError::SlotTaken { next },
        why => BookError::NotBookable { why, next },
    }
}

/// What an appointment would be, if it were booked now: with whom, until when, at what price.
///
/// # Errors
/// See [`BookError`].
pub async fn quote(
    tx: &mut ShopTx,
    service: ServiceId,
    staff: Option<StaffId>,
    starts_at: DateTime<Utc>,
    by: By,
    busy: &[Busy],
    now: DateTime<Utc>,
) -> Result<ProposedBooking, BookError> {
    let offer = load(tx, service, staff, starts_at, busy).await?;
    let mut why = NotFree::Taken;
    for calendar in &offer.staff {
        match offer.check(calendar.staff, starts_at, by, now) {
            Ok(()) => return Ok(offer.proposed(calendar.staff, starts_at, offer.service.price)),
            Err(not) => why = not,
        }
    }
    Err(refusal(&offer, why, starts_at, now))
}

async fn load(
    tx: &mut ShopTx,
    service: ServiceId,
    staff: Option<StaffId>,
    starts_at: DateTime<Utc>,
    busy: &[Busy],
) -> Result<Offer, BookError> {
    let mut offer = offer(tx, service, staff, look(starts_at), None).await?.ok_or(BookError::NoSuchService)?;
    if !offer.service.active {
        return Err(BookError::NoSuchService);
    }
    if offer.staff.is_empty() {
        return Err(if staff.is_some() { BookError::NoSuchStaff } else { BookError::NoSuchService });
    }
    offer.add_busy(busy);
    Ok(offer)
}

async fn known(tx: &mut ShopTx, customer: CustomerId) -> Result<(), BookError> {
    let known = sql("SELECT FROM customers WHERE shop_id = $1 AND id = $2 AND erased_at IS NULL FOR KEY SHARE")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(customer)
        .execute(tx.conn())
        .await
        .map_err(DbError::from)?;
    if known == 0 { Err(BookError::NoSuchCustomer) } else { Ok(()) }
}

/// The appointment that the same proposal or request made before. A repeat at the same moment waits here for the first one to end.
async fn standing(tx: &mut ShopTx, booking: &Booking<'_>) -> Result<Option<Appointment>, DbError> {
    if let Some(proposal) = booking.proposal {
        super::one_at_a_time(tx, "appointment:proposal", &proposal.to_string()).await?;
    }
    if let Some(key) = &booking.request_key {
        super::one_at_a_time(tx, "appointment:request", key).await?;
    }
    if booking.proposal.is_none() && booking.request_key.is_none() {
        return Ok(None);
    }
    Ok(sql(format!("SELECT {COLUMNS} FROM appointments WHERE shop_id = $1 AND (proposal_id = $2 OR request_key = $3) LIMIT 1"))
        .bind::<Integer, _>(tx.shop())
        .bind::<Nullable<BigInt>, _>(booking.proposal)
        .bind::<Nullable<Text>, _>(&booking.request_key)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// `None`: the constraint says that somebody else has the time. Whoever is about to take it is waited for.
async fn insert(tx: &mut ShopTx, offer: &Offer, staff: StaffId, booking: &Booking<'_>) -> Result<Option<Appointment>, DbError> {
    let (time, blocked) = (offer.terms.of(booking.starts_at), offer.terms.blocked(booking.starts_at));
    Ok(sql(format!(
        "INSERT INTO appointments (shop_id, service_id, service_name, staff_id, customer_id, conversation_id, customer_name, contact, starts_at, ends_at, blocked, \
             price, state, source, note, proposal_id, request_key, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, tstzrange($11, $12), $13, 'booked', $14, $15, $16, $17, $18, $18) ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(offer.service.id)
    .bind::<Text, _>(&offer.service.name)
    .bind::<Integer, _>(staff)
    .bind::<Nullable<BigInt>, _>(booking.customer)
    .bind::<Nullable<BigInt>, _>(booking.conversation)
    .bind::<Text, _>(&booking.customer_name)
    .bind::<Nullable<Text>, _>(&booking.contact)
    .bind::<Timestamptz, _>(time.from)
    .bind::<Timestamptz, _>(time.to)
    .bind::<Timestamptz, _>(blocked.from)
    .bind::<Timestamptz, _>(blocked.to)
    .bind::<Numeric, _>(offer.service.price)
    .bind::<Text, _>(booking.source)
    .bind::<Text, _>(&booking.note)
    .bind::<Nullable<BigInt>, _>(booking.proposal)
    .bind::<Nullable<Text>, _>(&booking.request_key)
    .bind::<Timestamptz, _>(booking.now)
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// The free slots from `starts_at` on, for a refusal.
fn next(offer: &Offer, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Slot> {
    let day = |at: DateTime<Utc>| at.with_timezone(&offer.zone).date_naive();
    let earliest = starts_at.max(now + TimeDelta::minutes(i64::from(offer.terms.lead_minutes)));
    let left = i64::from(offer.terms.horizon_days) - (day(earliest) - day(now)).num_days();
    let Some(horizon_days) = i32::try_from(left).ok().filter(|left| *left >= 0) else { return Vec::new() };
    // As if it were asked then: the notice is kept by the time itself.
    let terms = Terms { lead_minutes: 0, horizon_days, ..offer.terms };
    availability::slots(offer.zone, &terms, &offer.staff, day(earliest), offer::DAYS_AFTER, earliest, NEXT_SLOTS)
}

/// Where something lies, as Postgres has it.
#[derive(QueryableByName)]
struct Stretch {
    #[diesel(sql_type = Integer)]
    staff_id: StaffId,
    #[diesel(sql_type = Timestamptz)]
    from_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    to_at: DateTime<Utc>,
}

impl Stretch {
    const fn interval(&self) -> Interval {
        Interval { from: self.from_at, to: self.to_at }
    }
}
