//! Times as Calendar writes them, and the instances of recurring events.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::reply::Refused;

/// Most instances one event is expanded into.
const MAX_INSTANCES: usize = 730;

/// A time zone by its IANA name; UTC when unknown.
pub(super) fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// Unix ms as `2026-11-28T09:00:00.000Z`.
pub(super) fn stamp(ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Unix seconds in a zone, with its offset (`Z` for UTC).
pub(super) fn local(seconds: i64, zone: Tz) -> String {
    let at = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A moment in an HTTP header.
pub(super) fn http_date(ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A query or body parameter that must carry an offset, as Unix seconds.
pub(super) fn bound(name: &str, text: &str) -> Result<i64, Refused> {
    let refused = || Refused::new(400, "badRequest", "Bad Request").parameter(name);
    DateTime::parse_from_rfc3339(text).map(|at| at.timestamp()).map_err(|_| refused())
}

fn at_wall(wall: NaiveDateTime, zone: Tz) -> i64 {
    // A time that the clock skips is taken an hour later.
    zone.from_local_datetime(&wall)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(wall + Duration::hours(1))).earliest())
        .map_or(0, |at| at.timestamp())
}

/// One end of an event.
#[derive(Clone, Copy)]
pub(super) struct When {
    pub(super) seconds: i64,
    pub(super) all_day: bool,
    /// The wall clock and the zone it was read in.
    wall: NaiveDateTime,
    zone: Tz,
}

/// Reads `start` or `end` of an event; `usual` is the calendar's zone.
pub(super) fn when(name: &str, value: &Value, usual: Tz) -> Result<When, Refused> {
    let zone = match value["timeZone"].as_str() {
        Some(named) => named.parse().map_err(|_| Refused::invalid(format!("Invalid time zone definition for {name} time.")))?,
        None => usual,
    };
    match (value["date"].as_str(), value["dateTime"].as_str()) {
        (Some(date), None) => {
            let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| Refused::invalid("Invalid value for: Invalid format"))?;
            let wall = date.and_time(NaiveTime::MIN);
            Ok(When { seconds: at_wall(wall, usual), all_day: true, wall, zone: usual })
        }
        (None, Some(text)) => {
            if let Ok(at) = DateTime::parse_from_rfc3339(text) {
                let wall = at.with_timezone(&zone).naive_local();
                return Ok(When { seconds: at.timestamp(), all_day: false, wall, zone });
            }
            let wall =
                NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map_err(|_| Refused::new(400, "parseError", "Parse Error"))?;
            // Without an offset the zone must be said.
            if value["timeZone"].as_str().is_none() {
                return Err(Refused::required(format!("Missing time zone definition for {name} time.")));
            }
            Ok(When { seconds: at_wall(wall, zone), all_day: false, wall, zone })
        }
        (Some(_), Some(_)) => Err(Refused::invalid("Invalid start or end time: date and dateTime exclude each other.")),
        (None, None) => Err(Refused::required(format!("Missing {name} time."))),
    }
}

/// An event as stored: from and to, Unix seconds.
pub(super) fn span(resource: &Value, usual: Tz) -> (i64, i64) {
    let read = |name: &str| when(name, &resource[name], usual).map_or(0, |w| w.seconds);
    (read("start"), read("end"))
}

struct Rule {
    weekly: bool,
    interval: i64,
    count: Option<usize>,
    until: Option<i64>,
    days: Vec<Weekday>,
}

fn weekday(name: &str) -> Option<Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    Some(match name {
        "MO" => Mon,
        "TU" => Tue,
        "WE" => Wed,
        "TH" => Thu,
        "FR" => Fri,
        "SA" => Sat,
        "SU" => Sun,
        _ => return None,
    })
}

fn until(text: &str, zone: Tz) -> Option<i64> {
    if let Ok(at) = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ") {
        return Some(at.and_utc().timestamp());
    }
    let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
    Some(at_wall(date.and_hms_opt(23, 59, 59)?, zone))
}

fn rule(lines: &Value, zone: Tz) -> Result<Option<Rule>, Refused> {
    let refused = || Refused::invalid("Invalid recurrence rule.").parameter("recurrence");
    let Some(lines) = lines.as_array() else { return Ok(None) };
    let Some(line) = lines.iter().filter_map(Value::as_str).find_map(|l| l.strip_prefix("RRULE:")) else { return Ok(None) };
    let mut read = Rule { weekly: false, interval: 1, count: None, until: None, days: Vec::new() };
    let mut frequency = false;
    for part in line.split(';') {
        let (key, value) = part.split_once('=').ok_or_else(refused)?;
        match key {
            "FREQ" => {
                frequency = matches!(value, "DAILY" | "WEEKLY");
                read.weekly = value == "WEEKLY";
            }
            "INTERVAL" => read.interval = value.parse().ok().filter(|n| *n > 0).ok_or_else(refused)?,
            "COUNT" => read.count = Some(value.parse().map_err(|_| refused())?),
            "UNTIL" => read.until = Some(until(value, zone).ok_or_else(refused)?),
            "BYDAY" => read.days = value.split(',').map(weekday).collect::<Option<_>>().ok_or_else(refused)?,
            "WKST" => {}
            _ => return Err(refused()),
        }
    }
    if frequency { Ok(Some(read)) } else { Err(refused()) }
}

/// Refuses a recurrence that cannot be expanded.
pub(super) fn check_recurrence(resource: &Value, usual: Tz) -> Result<(), Refused> {
    rule(&resource["recurrence"], usual).map(drop)
}

/// The instances of a recurring event that begin before `to` (Unix seconds): `start`, `end` and the id's suffix.
pub(super) fn instances(resource: &Value, usual: Tz, to: i64) -> Vec<(Value, Value, String)> {
    let (Ok(start), Ok(end)) = (when("start", &resource["start"], usual), when("end", &resource["end"], usual)) else { return Vec::new() };
    let Ok(Some(rule)) = rule(&resource["recurrence"], start.zone) else { return Vec::new() };
    let length = end.seconds - start.seconds;
    let days_long = (end.wall.date() - start.wall.date()).num_days();
    let first = start.wall.date();
    let monday = first - Duration::days(i64::from(first.weekday().num_days_from_monday()));
    let mut found = Vec::new();
    for day in 0..20_000 {
        let date = first + Duration::days(day);
        let fits = if rule.weekly {
            let week = (date - monday).num_days() / 7;
            let on_day = if rule.days.is_empty() { date.weekday() == first.weekday() } else { rule.days.contains(&date.weekday()) };
            week % rule.interval == 0 && on_day
        } else {
            day % rule.interval == 0 && (rule.days.is_empty() || rule.days.contains(&date.weekday()))
        };
        if !fits {
            continue;
        }
        let begins = at_wall(date.and_time(start.wall.time()), start.zone);
        let over = begins >= to || rule.until.is_some_and(|last| begins > last) || rule.count.is_some_and(|n| found.len() >= n);
        if over || found.len() >= MAX_INSTANCES {
            break;
        }
        if start.all_day {
            let last = date + Duration::days(days_long);
            found.push((json!({ "date": date.to_string() }), json!({ "date": last.to_string() }), date.format("%Y%m%d").to_string()));
        } else {
            let name = start.zone.name();
            let suffix = DateTime::<Utc>::from_timestamp(begins, 0).unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string();
            let write = |seconds| json!({ "dateTime": local(seconds, start.zone), "timeZone": name });
            found.push((write(begins), write(begins + length), suffix));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_event_keeps_its_hour_over_the_change_of_clocks() {
        let event = json!({
            "start": { "dateTime": "2026-10-22T10:00:00+02:00", "timeZone": "Europe/Paris" },
            "end": { "dateTime": "2026-10-22T11:00:00+02:00", "timeZone": "Europe/Paris" },
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"],
        });
        let starts: Vec<String> =
            instances(&event, Tz::UTC, i64::MAX).iter().map(|(start, _, _)| start["dateTime"].as_str().unwrap().to_owned()).collect();
        assert_eq!(starts, ["2026-10-22T10:00:00+02:00", "2026-10-29T10:00:00+01:00"]);
    }
}
