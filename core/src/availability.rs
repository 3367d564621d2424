//! When an appointment may be. Pure: what is known goes in, free slots come out. Hours and closures are in the shop's zone, everything else is an instant;
//! [`local`] is the only place that goes from one to the other.

mod interval;
pub mod local;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::hours::{Hours, Span};
use crate::ids::StaffId;
pub use interval::Interval;
use interval::{Taken, merge, subtract};

/// Days that one look covers at most.
pub const MOST_DAYS: u16 = 62;
/// An appointment lasts a day at most, so it ends no later than the second day after.
const DAYS_BEYOND: u64 = 2;

/// What a service asks of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Minutes that it takes.
    pub duration_minutes: i32,
    /// Minutes before it in which nobody else is served.
    pub buffer_before_minutes: i32,
    /// Minutes after it in which nobody else is served.
    pub buffer_after_minutes: i32,
    /// Customers book so many minutes ahead at least.
    pub lead_minutes: i32,
    /// And so many days of the shop's calendar ahead at most.
    pub horizon_days: i32,
    /// Slots begin so many minutes apart, counted from the beginning of the opening hours.
    pub slot_minutes: i32,
}

impl Terms {
    /// From the beginning to the end.
    #[must_use]
    pub fn of(&self, starts_at: DateTime<Utc>) -> Interval {
        Interval { from: starts_at, to: starts_at + minutes(self.duration_minutes) }
    }

    /// The same with the buffers: what nobody else may have.
    #[must_use]
    pub fn blocked(&self, starts_at: DateTime<Utc>) -> Interval {
        let Interval { from, to } = self.of(starts_at);
        Interval { from: from - minutes(self.buffer_before_minutes), to: to + minutes(self.buffer_after_minutes) }
    }
}

fn minutes(number: i32) -> TimeDelta {
    TimeDelta::minutes(i64::from(number))
}

/// Days on which nobody can be booked, or a time of day on each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// The first day.
    pub from_day: NaiveDate,
    /// The last day.
    pub to_day: NaiveDate,
    /// Absent: all day.
    pub span: Option<Span>,
}

/// What is known of somebody, or a room, who performs a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffCalendar {
    /// Who.
    pub staff: StaffId,
    /// Their own week, or the shop's.
    pub hours: Hours,
    /// The shop's closures and their own.
    pub closures: Vec<Closure>,
    /// Their appointments with their buffers, and when they are busy elsewhere; in any order.
    pub taken: Vec<Interval>,
}

/// A free slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends; buffers come on top.
    pub ends_at: DateTime<Utc>,
    /// Who is free then.
    #[serde(rename = "staff_id")]
    pub staff: StaffId,
}

/// Why a time cannot be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFree {
    /// It is over, or less ahead than the service asks for.
    #[error("too soon")]
    TooSoon,
    /// It is further ahead than the service allows.
    #[error("too far ahead")]
    TooFar,
    /// Outside of the hours, or within a closure.
    #[error("closed")]
    Closed,
    /// Somebody else has it, or its buffers.
    #[error("taken")]
    Taken,
}

/// The free slots that begin on `days` days of the shop's calendar from `from` on, at most `most` of them: in order of time, then of staff. At most
/// [`MOST_DAYS`] are looked at.
#[must_use]
pub fn slots(zone: Tz, terms: &Terms, staff: &[StaffCalendar], from: NaiveDate, days: u16, now: DateTime<Utc>, most: usize) -> Vec<Slot> {
    let (earliest, last_day) = window(zone, terms, now);
    let first = from.max(earliest.with_timezone(&zone).date_naive());
    let asked = from.checked_add_days(Days::new(u64::from(days.min(MOST_DAYS)))).unwrap_or(from);
    let calendars: Vec<_> =
        staff.iter().map(|calendar| (calendar, open(zone, calendar, first, asked), Taken::new(&calendar.taken))).collect();
    let mut found = Vec::new();
    for day in first.iter_days().take_while(|day| *day < asked && *day <= last_day) {
        let mut today = Vec::new();
        for (calendar, open, taken) in &calendars {
            for starts_at in grid(zone, terms, &calendar.hours, day).filter(|starts_at| *starts_at >= earliest) {
                let slot = terms.of(starts_at);
                if open.iter().any(|open| open.contains(slot)) && !taken.meets(terms.blocked(starts_at)) {
                    today.push(Slot { starts_at, ends_at: slot.to, staff: calendar.staff });
                }
            }
        }
        today.sort_unstable();
        found.append(&mut today);
        if found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    found
}

/// Whether a customer may book this time with somebody; it need not be one of the [`slots`].
///
/// # Errors
/// The first reason against it.
pub fn check(zone: Tz, terms: &Terms, calendar: &StaffCalendar, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), NotFree> {
    let (earliest, last_day) = window(zone, terms, now);
    if starts_at < earliest {
        return Err(NotFree::TooSoon);
    }
    if starts_at.with_timezone(&zone).date_naive() > last_day {
        return Err(NotFree::TooFar);
    }
    check_calendar(zone, terms, calendar, starts_at)
}

/// Whether somebody works at this time and has nothing else to do; staff may book it at any notice.
///
/// # Errors
/// The first reason against it.
pub fn check_calendar(zone: Tz, terms: &Terms, calendar: &StaffCalendar, starts_at: DateTime<Utc>) -> Result<(), NotFree> {
    let day = starts_at.with_timezone(&zone).date_naive();
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    if !open(zone, calendar, day, next).iter().any(|open| open.contains(terms.of(starts_at))) {
        return Err(NotFree::Closed);
    }
    if Taken::new(&calendar.taken).meets(terms.blocked(starts_at)) {
        return Err(NotFree::Taken);
    }
    Ok(())
}

/// The first instant and the last day on which a customer's appointment may begin.
fn window(zone: Tz, terms: &Terms, now: DateTime<Utc>) -> (DateTime<Utc>, NaiveDate) {
    let today = now.with_timezone(&zone).date_naive();
    let horizon = u64::try_from(terms.horizon_days).unwrap_or_default();
    (now + minutes(terms.lead_minutes.max(0)), today.checked_add_days(Days::new(horizon)).unwrap_or(today))
}

/// When slots may begin on a day.
fn grid(zone: Tz, terms: &Terms, hours: &Hours, day: NaiveDate) -> impl Iterator<Item = DateTime<Utc>> {
    let step = minutes(terms.slot_minutes.max(1));
    let spans: Vec<Interval> = hours.of(day).iter().filter_map(|span| open_span(zone, day, *span)).collect();
    spans.into_iter().flat_map(move |span| {
        std::iter::successors(Some(span.from), move |at| at.checked_add_signed(step)).take_while(move |at| *at < span.to)
    })
}

fn open_span(zone: Tz, day: NaiveDate, span: Span) -> Option<Interval> {
    Interval::new(local::first(zone, day, span.from()), local::first(zone, day, span.to()))
}

/// Hours less closures from the day before `from` until a little after `to`; spans that touch are one, also over midnight.
fn open(zone: Tz, calendar: &StaffCalendar, from: NaiveDate, to: NaiveDate) -> Vec<Interval> {
    let from = from.checked_sub_days(Days::new(1)).unwrap_or(from);
    let to = to.checked_add_days(Days::new(DAYS_BEYOND)).unwrap_or(to);
    let days = || from.iter_days().take_while(move |day| *day <= to);
    let open = days().flat_map(|day| calendar.hours.of(day).iter().filter_map(move |span| open_span(zone, day, *span)));
    let closed = days().flat_map(|day| {
        calendar.closures.iter().filter(move |closure| (closure.from_day..=closure.to_day).contains(&day)).filter_map(move |closure| {
            let (from, to) = closure.span.map_or((0, 24 * 60), |span| (span.from(), span.to()));
            // An hour that comes twice is closed both times.
            Interval::new(local::first(zone, day, from), local::last(zone, day, to))
        })
    });
    subtract(&merge(open.collect()), &merge(closed.collect()))
}
