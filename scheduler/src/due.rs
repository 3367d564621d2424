//! When a schedule was last due.

use std::str::FromStr;

use chrono::{DateTime, Duration, Utc};
use frontdesk_core::config::Schedule;

/// The latest time in (`last`, `now`] at which `schedule` is due; earlier ones in between are made up for by it.
pub(crate) fn latest(schedule: &Schedule, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let cron = match cron::Schedule::from_str(&schedule.expression) {
        Ok(cron) => cron,
        Err(error) => {
            tracing::error!(job.name = schedule.job.as_str(), %error, "a schedule that cannot be read fires never");
            return None;
        }
    };
    // The iterator gives what lies before its start, so the start is a second later.
    let from = (now + Duration::seconds(1)).with_timezone(&schedule.zone);
    cron.after(&from).rev().take(4).map(|at| at.to_utc()).find(|at| *at <= now).filter(|at| *at > last)
}

#[cfg(test)]
mod tests {
    use frontdesk_core::jobs::JobName;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(expression: &str, zone: chrono_tz::Tz) -> Schedule {
        Schedule { job: JobName::DropOldLogs, expression: expression.to_owned(), zone }
    }

    #[test]
    fn what_is_due_now_fires_now_and_not_again() {
        let minutely = schedule("0 * * * * *", chrono_tz::UTC);
        let noon = at("2026-05-01T12:00:00Z");
        assert_eq!(latest(&minutely, noon - Duration::minutes(1), noon), Some(noon));
        assert_eq!(latest(&minutely, noon, noon + Duration::seconds(59)), None);
        assert_eq!(latest(&minutely, noon, noon + Duration::milliseconds(60_001)), Some(noon + Duration::minutes(1)));
    }

    #[test]
    fn many_missed_firings_are_made_up_for_by_the_latest() {
        let minutely = schedule("0 * * * * *", chrono_tz::UTC);
        assert_eq!(latest(&minutely, at("2026-05-01T00:00:00Z"), at("2026-05-03T07:30:20Z")), Some(at("2026-05-03T07:30:00Z")));
    }

    #[test]
    fn a_daily_firing_keeps_its_local_hour_across_summer_time() {
        let daily = schedule("0 10 3 * * *", chrono_tz::Europe::Berlin);
        // CET until 2026-03-29, CEST after.
        assert_eq!(latest(&daily, at("2026-03-27T12:00:00Z"), at("2026-03-28T12:00:00Z")), Some(at("2026-03-28T02:10:00Z")));
        assert_eq!(latest(&daily, at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z")), Some(at("2026-03-29T01:10:00Z")));
        assert_eq!(latest(&daily, at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z")), Some(at("2026-10-25T02:10:00Z")));
    }

    #[test]
    fn every_day_of_two_years_fires_once_in_zones_with_gaps() {
        // 2:30 does not exist on one night a year and exists twice on another; that night's firing may be missing, never doubled.
        let nightly = schedule("0 30 2 * * *", chrono_tz::America::New_York);
        let (mut last, mut now) = (at("2026-01-01T12:00:00Z"), at("2026-01-01T12:00:00Z"));
        let mut fired = Vec::new();
        for _ in 0..730 * 24 {
            now += Duration::hours(1);
            if let Some(due) = latest(&nightly, last, now) {
                fired.push(due.with_timezone(&nightly.zone).date_naive());
                last = due;
            }
        }
        let days = fired.len();
        fired.dedup();
        assert!((728..=732).contains(&fired.len()), "{}", fired.len());
        assert!(days - fired.len() <= 2, "{days} firings on {} days", fired.len());
    }
}
