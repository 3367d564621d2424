//! What is known of a service's time: everything that availability is worked out from, read in one transaction.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{By, Stretch};
use crate::availability::{self, Interval, NotFree, Slot, StaffCalendar, Terms};
use crate::db::proposals::ProposedBooking;
use crate::db::services::{self, Service};
use crate::db::{DbError, ShopTx, closures, shops, sql::sql, staff};
use crate::hours::Hours;
use crate::ids::{AppointmentId, ServiceId, StaffId};
use crate::money::Money;

/// Days after a time that is taken in which others are offered.
pub(super) const DAYS_AFTER: u16 = 14;
/// An appointment lasts a day at most, and its buffers eight hours each: what touches a time began no longer before it.
const LONGEST: TimeDelta = TimeDelta::days(2);
/// Appointments that one look reads at most: somebody has them every five minutes, day and night, for a week.
const MOST_TAKEN: i64 = 20_000;

/// A time at which somebody is busy elsewhere, in a calendar that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// Who; absent: everybody.
    pub staff: Option<StaffId>,
    /// When.
    pub at: Interval,
}

/// The time that must be known to book an appointment at an instant, or to say what is free instead.
#[must_use]
pub fn look(starts_at: DateTime<Utc>) -> Interval {
    Interval { from: starts_at - LONGEST, to: starts_at + TimeDelta::days(i64::from(DAYS_AFTER)) + LONGEST }
}

/// A service, and those who perform it, with all that is known of their time.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The service, archived or not.
    pub service: Service,
    /// The shop's zone.
    pub zone: Tz,
    /// What the service asks of a slot.
    pub terms: Terms,
    /// Who performs it, in id order.
    pub staff: Vec<StaffCalendar>,
    /// Their names.
    pub names: Vec<(StaffId, String)>,
    /// When our own calendar has them, without any other.
    own: Vec<(StaffId, Vec<Interval>)>,
    /// Until so many minutes before may customers change an appointment.
    pub change_minutes: i32,
}

impl Offer {
    /// Notes when they are busy elsewhere.
    pub fn add_busy(&mut self, busy: &[Busy]) {
        for calendar in &mut self.staff {
            calendar.taken.extend(busy.iter().filter(|busy| busy.staff.is_none_or(|staff| staff == calendar.staff)).map(|busy| busy.at));
        }
    }

    /// The free slots of `days` days from a day on, at most `most`.
    #[must_use]
    pub fn slots(&self, from: NaiveDate, days: u16, now: DateTime<Utc>, most: usize) -> Vec<Slot> {
        availability::slots(self.zone, &self.terms, &self.staff, from, days, now, most)
    }

    /// Whether somebody can be booked at this time.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(&self, staff: StaffId, starts_at: DateTime<Utc>, by: By, now: DateTime<Utc>) -> Result<(), NotFree> {
        let Some(calendar) = self.staff.iter().find(|calendar| calendar.staff == staff) else { return Err(NotFree::Closed) };
        match by {
            By::Customer => availability::check(self.zone, &self.terms, calendar, starts_at, now),
            By::Staff { anyway: false } => availability::check_calendar(self.zone, &self.terms, calendar, starts_at),
            By::Staff { anyway: true } => {
                let blocked = self.terms.blocked(starts_at);
                let ours = self.own.iter().filter(|(who, _)| *who == staff).flat_map(|(_, taken)| taken);
                if ours.into_iter().any(|taken| taken.overlaps(blocked)) { Err(NotFree::Taken) } else { Ok(()) }
            }
        }
    }

    /// An appointment as a customer is to see it.
    pub(super) fn proposed(&self, staff: StaffId, starts_at: DateTime<Utc>, price: Money) -> ProposedBooking {
        ProposedBooking {
            service_id: self.service.id,
            service_name: self.service.name.clone(),
            staff_id: staff,
            staff_name: self.name(staff).to_owned(),
            starts_at,
            ends_at: self.terms.of(starts_at).to,
            price,
        }
    }

    /// What is free at a time or after it, for a refusal.
    #[must_use]
    pub fn next(&self, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Slot> {
        super::next(self, starts_at, now)
    }

    /// What somebody is called.
    #[must_use]
    pub fn name(&self, staff: StaffId) -> &str {
        self.names.iter().find(|(known, _)| *known == staff).map_or("", |(_, name)| name)
    }
}

/// What is known of a service's time within a stretch, of everybody who performs it or of one; `None` if there is no such service. One appointment may be
/// left out: the one that is to be moved.
///
/// # Errors
/// See [`DbError`].
pub async fn offer(
    tx: &mut ShopTx,
    service: ServiceId,
    one: Option<StaffId>,
    within: Interval,
    except: Option<AppointmentId>,
) -> Result<Option<Offer>, DbError> {
    let Some(service) = services::find(tx, service).await? else { return Ok(None) };
    let shop = shops::booking(tx).await?;
    let performing = staff::performing(tx, service.id, one).await?;
    let day = |at: DateTime<Utc>| at.with_timezone(&shop.zone).date_naive();
    let closed = closures::between(tx, day(within.from - LONGEST), day(within.to + LONGEST)).await?;
    let taken = taken(tx, &performing.iter().map(|staff| staff.id.0).collect::<Vec<_>>(), within, except).await?;
    let own: Vec<(StaffId, Vec<Interval>)> = performing
        .iter()
        .map(|staff| (staff.id, taken.iter().filter(|taken| taken.staff_id == staff.id).map(Stretch::interval).collect()))
        .collect();
    let calendars = performing.iter().zip(&own).map(|(staff, (_, taken))| StaffCalendar {
        staff: staff.id,
        hours: match &staff.hours {
            None => shop.hours.clone(),
            // Hours that cannot be read count as closed.
            Some(own) => serde_json::from_value::<Hours>(own.clone()).unwrap_or_default(),
        },
        closures: closed.iter().filter(|row| row.staff_id.is_none_or(|id| id == staff.id)).map(closures::ClosureRow::closure).collect(),
        taken: taken.clone(),
    });
    let terms = Terms {
        duration_minutes: service.duration_minutes,
        buffer_before_minutes: service.buffer_before_minutes,
        buffer_after_minutes: service.buffer_after_minutes,
        lead_minutes: service.lead_minutes,
        horizon_days: service.horizon_days,
        slot_minutes: service.slot_minutes.unwrap_or(shop.slot_minutes),
    };
    Ok(Some(Offer {
        zone: shop.zone,
        terms,
        staff: calendars.collect(),
        names: performing.iter().map(|staff| (staff.id, staff.name.clone())).collect(),
        own,
        change_minutes: shop.change_minutes,
        service,
    }))
}

/// Appointments that stand, with their buffers.
async fn taken(tx: &mut ShopTx, staff: &[i32], within: Interval, except: Option<AppointmentId>) -> Result<Vec<Stretch>, DbError> {
    let rows: Vec<Stretch> = sql("SELECT staff_id, lower(blocked) AS from_at, upper(blocked) AS to_at FROM appointments \
         WHERE shop_id = $1 AND staff_id = ANY ($2) AND state = 'booked' AND starts_at >= $3 AND starts_at < $4 AND id <> coalesce($5, 0) LIMIT $6")
        .bind::<Integer, _>(tx.shop())
        .bind::<Array<Integer>, _>(staff)
        .bind::<Timestamptz, _>(within.from - LONGEST)
        .bind::<Timestamptz, _>(within.to + LONGEST)
        .bind::<Nullable<BigInt>, _>(except)
        .bind::<BigInt, _>(MOST_TAKEN + 1)
        .load(tx.conn())
        .await?;
    if i64::try_from(rows.len()).is_ok_and(|rows| rows > MOST_TAKEN) {
        return Err(DbError::odd("more appointments than one look can hold"));
    }
    Ok(rows)
}
