//! Appointments moved, cancelled, ended. The same row stays, so that nobody is ever booked in two places.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{Appointment, AppointmentState, Before, Busy, By, COLUMNS, Changed, Offer, announce, look, offer, record};
use crate::availability::{NotFree, Slot};
use crate::db::proposals::ProposedBooking;
use crate::db::{DbError, ShopTx, one_at_a_time, shops, sql::sql};
use crate::ids::{AppointmentId, CustomerId, StaffId};

/// Why an appointment was not changed. Nothing was changed, and the transaction stays usable.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such appointment, or it is another customer's.
    #[error("no such appointment")]
    NotFound,
    /// Its state does not allow it.
    #[error("an appointment that is {from} cannot become that")]
    NotAllowed {
        /// Where it stands.
        from: String,
    },
    /// It is too late for a customer; staff still can.
    #[error("customers may change it until {until}")]
    TooLate {
        /// Until then it was possible.
        until: DateTime<Utc>,
    },
    /// Whoever is asked for does not work here, or does not perform it.
    #[error("no such staff")]
    NoSuchStaff,
    /// Somebody else has the time.
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

/// Another time for an appointment.
#[derive(Debug, Clone)]
pub struct Rescheduling<'a> {
    /// With whom; absent: with the same.
    pub staff: Option<StaffId>,
    /// When.
    pub starts_at: DateTime<Utc>,
    /// For whom it is asked.
    pub by: By,
    /// Only if it is this customer's.
    pub customer: Option<CustomerId>,
    /// Who moves it: `user:<id>` or `agent`.
    pub actor: &'a str,
    /// When staff are busy elsewhere, for the time that [`look`] says. It must not name the appointment itself.
    pub busy: &'a [Busy],
    /// When it is moved.
    pub now: DateTime<Utc>,
}

/// Moves an appointment, or changes nothing: it keeps its length and its price. One that is there already stays as it is.
///
/// # Errors
/// See [`ChangeError`].
pub async fn reschedule(tx: &mut ShopTx, id: AppointmentId, to: &Rescheduling<'_>) -> Result<Changed, ChangeError> {
    let (standing, staff, offer) = prepare(tx, id, to).await?;
    let Some(offer) = offer else { return Ok(Changed::nothing(standing)) };
    let length = standing.ends_at - standing.starts_at;
    let blocked = offer.terms.blocked(to.starts_at);
    // A booking of this very moment may still be in the way: then the constraint ends this transaction, and run anew it sees why.
    let moved: Appointment = sql(format!(
        "UPDATE appointments SET staff_id = $3, starts_at = $4, ends_at = $5, blocked = tstzrange($6, $7), version = version + 1, updated_at = $8, \
             confirmed_at = CASE WHEN starts_at = $4 THEN confirmed_at END \
         WHERE shop_id = $1 AND id = $2 RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(id)
    .bind::<Integer, _>(staff)
    .bind::<Timestamptz, _>(to.starts_at)
    .bind::<Timestamptz, _>(to.starts_at + length)
    .bind::<Timestamptz, _>(blocked.from)
    .bind::<Timestamptz, _>(blocked.to)
    .bind::<Timestamptz, _>(to.now)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?;
    let before = Before { starts_at: standing.starts_at, staff: standing.staff_id };
    Ok(announce(tx, moved, "moved", Some(before), to.actor, to.now).await?)
}

/// The appointment, locked, and with whom it is to be at a time that is free; no offer if it is there already.
async fn prepare(tx: &mut ShopTx, id: AppointmentId, to: &Rescheduling<'_>) -> Result<(Appointment, StaffId, Option<Offer>), ChangeError> {
    let standing = lock(tx, id, to.customer).await?;
    if !standing.is_booked() {
        return Err(ChangeError::NotAllowed { from: standing.state });
    }
    let staff = to.staff.unwrap_or(standing.staff_id);
    if standing.starts_at == to.starts_at && standing.staff_id == staff {
        return Ok((standing, staff, None));
    }
    in_time(tx, &standing, to.by, to.now).await?;
    // Two that move to one time would wait for one another in a circle; they come one by one, and the second sees the first.
    one_at_a_time(tx, "staff", &staff.to_string()).await?;
    let mut offer = offer(tx, standing.service_id, Some(staff), look(to.starts_at), Some(id)).await?.ok_or(ChangeError::NotFound)?;
    if offer.staff.is_empty() {
        return Err(ChangeError::NoSuchStaff);
    }
    offer.add_busy(to.busy);
    let length = standing.ends_at - standing.starts_at;
    offer.terms.duration_minutes = i32::try_from(length.num_minutes()).map_err(DbError::odd)?;
    if let Err(why) = offer.check(staff, to.starts_at, to.by, to.now) {
        let next = offer.next(to.starts_at, to.now);
        return Err(if why == NotFree::Taken { ChangeError::SlotTaken { next } } else { ChangeError::NotBookable { why, next } });
    }
    Ok((standing, staff, Some(offer)))
}

/// What an appointment would be, if it were moved now.
///
/// # Errors
/// See [`ChangeError`].
pub async fn quote_move(tx: &mut ShopTx, id: AppointmentId, to: &Rescheduling<'_>) -> Result<ProposedBooking, ChangeError> {
    let (standing, staff, offer) = prepare(tx, id, to).await?;
    Ok(match offer {
        None => ProposedBooking::of(&standing),
        Some(offer) => ProposedBooking { service_name: standing.service_name, ..offer.proposed(staff, to.starts_at, standing.price) },
    })
}

/// The appointment, if it may be cancelled now.
///
/// # Errors
/// See [`ChangeError`].
pub async fn may_cancel(
    tx: &mut ShopTx,
    id: AppointmentId,
    by: By,
    customer: Option<CustomerId>,
    now: DateTime<Utc>,
) -> Result<Appointment, ChangeError> {
    let standing = lock(tx, id, customer).await?;
    if !standing.is_booked() {
        return Err(ChangeError::NotAllowed { from: standing.state });
    }
    in_time(tx, &standing, by, now).await?;
    Ok(standing)
}

/// Cancels an appointment: its time is free again. One that is cancelled stays so.
///
/// # Errors
/// See [`ChangeError`].
pub async fn cancel(
    tx: &mut ShopTx,
    id: AppointmentId,
    by: By,
    customer: Option<CustomerId>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    let standing = lock(tx, id, customer).await?;
    if standing.is_booked() {
        in_time(tx, &standing, by, now).await?;
    }
    set(tx, standing, AppointmentState::Cancelled, actor, now).await
}

/// Notes that a customer comes to an appointment of theirs that is ahead; saying it twice changes nothing. Its version stays, as nothing changes that a
/// calendar elsewhere shows.
///
/// # Errors
/// See [`ChangeError`]; an appointment whose time has come is not found.
pub async fn confirm(tx: &mut ShopTx, id: AppointmentId, customer: CustomerId, now: DateTime<Utc>) -> Result<Changed, ChangeError> {
    let standing = lock(tx, id, Some(customer)).await?;
    if !standing.is_booked() {
        return Err(ChangeError::NotAllowed { from: standing.state });
    }
    if standing.starts_at <= now {
        return Err(ChangeError::NotFound);
    }
    if standing.confirmed_at.is_some() {
        return Ok(Changed::nothing(standing));
    }
    let appointment: Appointment =
        sql(format!("UPDATE appointments SET confirmed_at = $3 WHERE shop_id = $1 AND id = $2 RETURNING {COLUMNS}"))
            .bind::<Integer, _>(tx.shop())
            .bind::<BigInt, _>(id)
            .bind::<Timestamptz, _>(now)
            .get_result(tx.conn())
            .await
            .map_err(DbError::from)?;
    let before = Before { starts_at: standing.starts_at, staff: standing.staff_id };
    let event = record(tx, &appointment, "confirmed", Some(before), "customer", now).await?;
    Ok(Changed { appointment, pending: Vec::new(), event: Some(event) })
}

/// How an appointment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It took place.
    Done,
    /// Nobody came.
    NoShow,
}

/// Says how an appointment ended, which only staff do. Saying it twice changes nothing.
///
/// # Errors
/// See [`ChangeError`].
pub async fn end(tx: &mut ShopTx, id: AppointmentId, end: End, actor: &str, now: DateTime<Utc>) -> Result<Changed, ChangeError> {
    let standing = lock(tx, id, None).await?;
    let state = match end {
        End::Done => AppointmentState::Done,
        End::NoShow => AppointmentState::NoShow,
    };
    set(tx, standing, state, actor, now).await
}

async fn set(
    tx: &mut ShopTx,
    standing: Appointment,
    state: AppointmentState,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Changed, ChangeError> {
    if standing.state == state.as_str() {
        return Ok(Changed::nothing(standing));
    }
    if !standing.is_booked() {
        return Err(ChangeError::NotAllowed { from: standing.state });
    }
    let changed: Appointment = sql(format!(
        "UPDATE appointments SET state = $3, version = version + 1, updated_at = $4 WHERE shop_id = $1 AND id = $2 RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(standing.id)
    .bind::<Text, _>(state.as_str())
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .map_err(DbError::from)?;
    let before = Before { starts_at: standing.starts_at, staff: standing.staff_id };
    Ok(announce(tx, changed, state.as_str(), Some(before), actor, now).await?)
}

async fn lock(tx: &mut ShopTx, id: AppointmentId, customer: Option<CustomerId>) -> Result<Appointment, ChangeError> {
    let found: Option<Appointment> = sql(format!(
        "SELECT {COLUMNS} FROM appointments WHERE shop_id = $1 AND id = $2 AND ($3::bigint IS NULL OR customer_id = $3) FOR NO KEY UPDATE"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(id)
    .bind::<Nullable<BigInt>, _>(customer)
    .get_result(tx.conn())
    .await
    .optional()
    .map_err(DbError::from)?;
    found.ok_or(ChangeError::NotFound)
}

/// Customers may change an appointment until the shop's notice before it.
async fn in_time(tx: &mut ShopTx, standing: &Appointment, by: By, now: DateTime<Utc>) -> Result<(), ChangeError> {
    if by != By::Customer {
        return Ok(());
    }
    let notice = TimeDelta::minutes(i64::from(shops::booking(tx).await?.change_minutes));
    let until = standing.starts_at - notice;
    if now > until { Err(ChangeError::TooLate { until }) } else { Ok(()) }
}
