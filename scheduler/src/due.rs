//! When a job is due: its cron expression, on the clock of its zone.
//!
//! Where clocks are changed, an expression that names hours fires once for each time on the wall: of an hour that comes twice in the first one, of an hour
//! that is left out as long after midnight as ever. One that fires in every hour goes by the hours that pass.

use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use cron::TimeUnitSpec as _;
use frontdesk_core::config::Schedule;
use frontdesk_core::jobs::JobName;

/// Clocks are changed by less.
const CHANGE: Duration = Duration::hours(3);
/// Times that one look goes through: more than a second's expression has within [`CHANGE`] to both sides.
const LOOKS: usize = 25_000;
/// Missed times are counted up to here.
const MOST_MISSED: u32 = 10_000;

/// The times of one job.
#[derive(Debug)]
pub(crate) struct Timetable {
    pub(crate) job: JobName,
    pub(crate) expression: String,
    pub(crate) zone: Tz,
    cron: cron::Schedule,
}

impl Timetable {
    /// `None` for an expression that cannot be read; settings have none such.
    pub(crate) fn read(schedule: &Schedule) -> Option<Self> {
        match cron::Schedule::from_str(&schedule.expression) {
            Ok(cron) => Some(Self { job: schedule.job, expression: schedule.expression.clone(), zone: schedule.zone, cron }),
            Err(error) => {
                tracing::error!(job.name = schedule.job.as_str(), %error, "a schedule that cannot be read fires never");
                None
            }
        }
    }

    /// The first time after an instant.
    pub(crate) fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.goes_by_the_hour() {
            let first = self.hourly(after, after);
            // Beyond a change of clocks another offset holds.
            let beyond = first.and_then(|first| self.hourly(after, first));
            return first.into_iter().chain(beyond).min();
        }
        let from = (self.wall(after) - CHANGE).and_utc();
        let mut found: Option<(NaiveDateTime, DateTime<Utc>)> = None;
        for wall in self.cron.after(&from).map(|wall| wall.naive_utc()).take(LOOKS) {
            if found.is_some_and(|(first, _)| wall > first + CHANGE) {
                break;
            }
            let at = self.instant(wall);
            if at > after && found.is_none_or(|(_, best)| at < best) {
                found = Some((wall, at));
            }
        }
        found.map(|(_, at)| at)
    }

    /// The latest time in (`last`, `now`]; earlier ones in between are made up for by it.
    pub(crate) fn latest(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // The iterator gives what lies before its start, so the start is a second later.
        if self.goes_by_the_hour() {
            let from = (now + Duration::seconds(1)).with_timezone(&self.offset(now));
            let mut times = self.cron.after(&from).rev().map(|at| at.to_utc()).take(LOOKS).take_while(|at| *at > last);
            return times.find(|at| *at <= now && self.cron.includes(at.with_timezone(&self.zone)));
        }
        let from = (self.wall(now) + CHANGE).and_utc();
        let mut found: Option<(NaiveDateTime, DateTime<Utc>)> = None;
        for wall in self.cron.after(&from).rev().map(|wall| wall.naive_utc()).take(LOOKS) {
            if found.is_some_and(|(first, _)| wall < first - CHANGE) {
                break;
            }
            let at = self.instant(wall);
            if at <= now && found.is_none_or(|(_, best)| at > best) {
                found = Some((wall, at));
            }
        }
        found.map(|(_, at)| at).filter(|at| *at > last)
    }

    /// How many times lie between the two, both left out.
    pub(crate) fn missed(&self, last: DateTime<Utc>, at: DateTime<Utc>) -> u32 {
        let (mut count, mut now) = (0, last);
        while count < MOST_MISSED {
            match self.next(now).filter(|next| *next < at) {
                Some(next) => now = next,
                None => break,
            }
            count += 1;
        }
        count
    }

    fn goes_by_the_hour(&self) -> bool {
        self.cron.hours().is_all()
    }

    fn offset(&self, at: DateTime<Utc>) -> chrono::FixedOffset {
        self.zone.offset_from_utc_datetime(&at.naive_utc()).fix()
    }

    /// The first time after `after`, by the offset that holds at `around`.
    fn hourly(&self, after: DateTime<Utc>, around: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let from = after.with_timezone(&self.offset(around));
        let mut times = self.cron.after(&from).map(|at| at.to_utc()).take(LOOKS);
        times.find(|at| *at > after && self.cron.includes(at.with_timezone(&self.zone)))
    }

    fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    /// When a time on the wall is.
    fn instant(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        match self.zone.from_local_datetime(&wall).earliest() {
            Some(at) => at.to_utc(),
            None => {
                let before =
                    self.zone.offset_from_local_datetime(&(wall - CHANGE)).earliest().map_or(0, |offset| offset.fix().local_minus_utc());
                (wall - Duration::seconds(before.into())).and_utc()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(expression: &str, zone: Tz) -> Timetable {
        Timetable::read(&Schedule { job: JobName::DropOldLogs, expression: expression.to_owned(), zone }).unwrap()
    }

    #[test]
    fn what_is_due_now_fires_now_and_not_again() {
        let minutely = schedule("0 * * * * *", Tz::UTC);
        let noon = at("2026-05-01T12:00:00Z");
        assert_eq!(minutely.latest(noon - Duration::minutes(1), noon), Some(noon));
        assert_eq!(minutely.latest(noon, noon + Duration::seconds(59)), None);
        assert_eq!(minutely.latest(noon, noon + Duration::milliseconds(60_001)), Some(noon + Duration::minutes(1)));
        assert_eq!(minutely.next(noon), Some(noon + Duration::minutes(1)));
        assert_eq!(minutely.next(noon - Duration::milliseconds(1)), Some(noon));
    }

    #[test]
    fn many_missed_firings_are_made_up_for_by_the_latest() {
        let minutely = schedule("0 * * * * *", Tz::UTC);
        let (last, latest) = (at("2026-05-01T00:00:00Z"), at("2026-05-03T07:30:00Z"));
        assert_eq!(minutely.latest(last, latest + Duration::seconds(20)), Some(latest));
        assert_eq!(minutely.missed(last, latest), 55 * 60 + 30 - 1);
        assert_eq!(minutely.missed(latest - Duration::minutes(1), latest), 0);
    }

    #[test]
    fn a_daily_firing_keeps_its_local_hour_across_summer_time() {
        let daily = schedule("0 10 3 * * *", chrono_tz::Europe::Berlin);
        // CET until 2026-03-29, CEST after.
        for (from, to, due) in [
            ("2026-03-27T12:00:00Z", "2026-03-28T12:00:00Z", "2026-03-28T02:10:00Z"),
            ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z", "2026-03-29T01:10:00Z"),
            ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z", "2026-10-25T02:10:00Z"),
        ] {
            assert_eq!(daily.latest(at(from), at(to)), Some(at(due)));
            assert_eq!(daily.next(at(from)), Some(at(due)));
        }
    }

    #[test]
    fn every_night_of_two_years_fires_once_in_zones_where_clocks_are_changed() {
        // 2:30 does not exist on one night a year and exists twice on another.
        for zone in [chrono_tz::America::New_York, chrono_tz::Europe::Berlin, chrono_tz::Australia::Lord_Howe] {
            let nightly = schedule("0 30 2 * * *", zone);
            let (mut last, mut now) = (at("2026-01-01T12:00:00Z"), at("2026-01-01T12:00:00Z"));
            let mut fired = Vec::new();
            for _ in 0..730 * 24 {
                now += Duration::hours(1);
                assert_eq!(nightly.latest(last, now).is_some(), nightly.next(last).unwrap() <= now);
                if let Some(due) = nightly.latest(last, now) {
                    fired.push(due.with_timezone(&zone).date_naive());
                    last = due;
                }
            }
            let days = fired.len();
            fired.dedup();
            assert_eq!((days, fired.len()), (730, 730), "{zone}");
        }
    }

    #[test]
    fn what_fires_every_five_minutes_does_so_through_the_hour_that_comes_twice() {
        let often = schedule("0 */5 * * * *", chrono_tz::Europe::Berlin);
        let (mut last, end) = (at("2026-10-24T22:00:00Z"), at("2026-10-25T04:00:00Z"));
        while last < end {
            assert_eq!(often.next(last), Some(last + Duration::minutes(5)));
            let now = last + Duration::seconds(301);
            assert_eq!(often.latest(last, now), Some(last + Duration::minutes(5)));
            last += Duration::minutes(5);
        }
        let half = schedule("0 0 * * * *", chrono_tz::Asia::Kolkata);
        assert_eq!(half.next(at("2026-10-25T04:00:00Z")), Some(at("2026-10-25T04:30:00Z")));
    }
}
