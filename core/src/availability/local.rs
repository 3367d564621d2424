//! From a time on the shop's clock to an instant. Some times come twice, when the clock is put back, and some never, when it is put forward.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// No clock was ever put forward by more than a day (Samoa, 2011).
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// `minute` minutes after midnight of a day, up to 1440; of a time that comes twice the first, and of one that never comes the instant at which the
/// clock jumps over it.
#[must_use]
pub fn first(zone: Tz, day: NaiveDate, minute: u16) -> DateTime<Utc> {
    resolve(zone, wall(day, minute)).0
}

/// The same, but of a time that comes twice the second.
#[must_use]
pub fn last(zone: Tz, day: NaiveDate, minute: u16) -> DateTime<Utc> {
    resolve(zone, wall(day, minute)).1
}

/// From midnight to midnight.
#[must_use]
pub fn days(zone: Tz, from: NaiveDate, days: u64) -> (DateTime<Utc>, DateTime<Utc>) {
    let to = from.checked_add_days(Days::new(days)).unwrap_or(from);
    (first(zone, from, 0), first(zone, to, 0))
}

fn wall(day: NaiveDate, minute: u16) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute))
}

fn resolve(zone: Tz, wall: NaiveDateTime) -> (DateTime<Utc>, DateTime<Utc>) {
    for later in 0..=LONGEST_GAP_MINUTES {
        match zone.from_local_datetime(&(wall + TimeDelta::minutes(later))) {
            LocalResult::None => {}
            LocalResult::Single(at) => return (at.to_utc(), at.to_utc()),
            LocalResult::Ambiguous(first, last) => return (first.to_utc(), last.to_utc()),
        }
    }
    (wall.and_utc(), wall.and_utc())
}
