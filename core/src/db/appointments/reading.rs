//! Reading appointments: one with its history, lists by filter.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{Appointment, AppointmentState, COLUMNS};
use crate::availability::local;
use crate::db::{DbError, ShopTx, shops, sql::sql};
use crate::ids::{AppointmentId, CustomerId, ServiceId, StaffId};

/// Appointments per page at most.
const MAX_PAGE: i64 = 200;
/// Changes of one appointment that are shown at most.
const MAX_EVENTS: i64 = 200;

/// Finds one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, id: AppointmentId) -> Result<Option<Appointment>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM appointments WHERE shop_id = $1 AND id = $2"))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(id)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// A change of an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct AppointmentEvent {
    /// `booked`, `moved`, `cancelled`, `done`, `no_show` or `confirmed`.
    #[diesel(sql_type = Text)]
    pub action: String,
    /// `user:<id>`, `agent`, `customer`, `google` or `system`.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// When it began before; absent when booked.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub from_starts_at: Option<DateTime<Utc>>,
    /// With whom it was before; absent when booked.
    #[diesel(sql_type = Nullable<Integer>)]
    pub from_staff_id: Option<StaffId>,
    /// When it begins from then on.
    #[diesel(sql_type = Timestamptz)]
    pub to_starts_at: DateTime<Utc>,
    /// With whom it is from then on.
    #[diesel(sql_type = Integer)]
    pub to_staff_id: StaffId,
    /// When it was changed.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// An appointment's changes, the oldest first.
///
/// # Errors
/// See [`DbError`].
pub async fn history(tx: &mut ShopTx, id: AppointmentId) -> Result<Vec<AppointmentEvent>, DbError> {
    Ok(sql("SELECT action, actor, from_starts_at, from_staff_id, to_starts_at, to_staff_id, created_at FROM appointment_events \
         WHERE shop_id = $1 AND appointment_id = $2 ORDER BY id LIMIT $3")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(MAX_EVENTS)
    .load(tx.conn())
    .await?)
}

/// Which appointments to list.
#[derive(Debug, Clone, Default)]
pub struct AppointmentFilter {
    /// Only those that begin on this day of the shop's calendar or later.
    pub from: Option<NaiveDate>,
    /// Only those that begin on this day or earlier.
    pub to: Option<NaiveDate>,
    /// Only theirs.
    pub staff: Option<StaffId>,
    /// Only those of this service.
    pub service: Option<ServiceId>,
    /// Only those in this state.
    pub state: Option<AppointmentState>,
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// The latest first.
    pub descending: bool,
    /// Only those after this one: the last of the page before. Where it stands is looked up anew, as it may have moved.
    pub after: Option<AppointmentId>,
}

/// A page of appointments, in order of time, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, filter: &AppointmentFilter, limit: i64) -> Result<Vec<Appointment>, DbError> {
    let zone = if filter.from.is_some() || filter.to.is_some() { shops::booking(tx).await?.zone } else { chrono_tz::Tz::UTC };
    let from = filter.from.map(|day| local::days(zone, day, 1).0);
    let before = filter.to.map(|day| local::days(zone, day, 1).1);
    let (beyond, direction) = if filter.descending { ("<", "DESC") } else { (">", "ASC") };
    Ok(sql(format!(
        "SELECT {COLUMNS} FROM appointments WHERE shop_id = $1 AND ($2::timestamptz IS NULL OR starts_at >= $2) AND ($3::timestamptz IS NULL OR starts_at < $3) \
         AND ($4::int IS NULL OR staff_id = $4) AND ($5::int IS NULL OR service_id = $5) AND ($6::text IS NULL OR state = $6) \
         AND ($7::bigint IS NULL OR customer_id = $7) \
         AND ($8::bigint IS NULL OR (starts_at, id) {beyond} (SELECT starts_at, id FROM appointments WHERE shop_id = $1 AND id = $8)) \
         ORDER BY starts_at {direction}, id {direction} LIMIT $9"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Timestamptz>, _>(from)
    .bind::<Nullable<Timestamptz>, _>(before)
    .bind::<Nullable<Integer>, _>(filter.staff)
    .bind::<Nullable<Integer>, _>(filter.service)
    .bind::<Nullable<Text>, _>(filter.state.map(AppointmentState::as_str))
    .bind::<Nullable<BigInt>, _>(filter.customer)
    .bind::<Nullable<BigInt>, _>(filter.after)
    .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
    .load(tx.conn())
    .await?)
}

/// A customer's own appointments that are ahead, the next one first; or all, the latest first.
///
/// # Errors
/// See [`DbError`].
pub async fn for_customer(
    tx: &mut ShopTx,
    customer: CustomerId,
    ahead_of: Option<DateTime<Utc>>,
    limit: i64,
) -> Result<Vec<Appointment>, DbError> {
    let (ahead, direction) = if ahead_of.is_some() { (true, "ASC") } else { (false, "DESC") };
    Ok(sql(format!(
        "SELECT {COLUMNS} FROM appointments WHERE shop_id = $1 AND customer_id = $2 AND (NOT $3 OR (state = 'booked' AND starts_at > $4)) \
         ORDER BY starts_at {direction}, id {direction} LIMIT $5"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .bind::<Bool, _>(ahead)
    .bind::<Nullable<Timestamptz>, _>(ahead_of)
    .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
    .load(tx.conn())
    .await?)
}
