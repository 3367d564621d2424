//! What holds of every slot, in every zone, also when the clock is changed.

use std::collections::BTreeSet;

use chrono::{LocalResult, NaiveDate, TimeZone as _, Timelike as _};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn all_week(spans: &[&str]) -> Hours {
    let day: Vec<Span> = spans.iter().map(|span| span.parse().unwrap()).collect();
    Hours { mon: day.clone(), tue: day.clone(), wed: day.clone(), thu: day.clone(), fri: day.clone(), sat: day.clone(), sun: day }
}

const HOUR: Terms =
    Terms { duration_minutes: 60, buffer_before_minutes: 0, buffer_after_minutes: 0, lead_minutes: 0, horizon_days: 365, slot_minutes: 30 };

fn calendar(hours: Hours) -> StaffCalendar {
    StaffCalendar { staff: StaffId(1), hours, closures: Vec::new(), taken: Vec::new() }
}

fn starts(zone: Tz, terms: &Terms, calendar: &StaffCalendar, on: &str, now: &str) -> Vec<String> {
    let found = slots(zone, terms, std::slice::from_ref(calendar), day(on), 1, at(now), 1000);
    found.iter().map(|slot| slot.starts_at.with_timezone(&zone).format("%H:%M%:z").to_string()).collect()
}

const BERLIN: Tz = Tz::Europe__Berlin;

#[test]
fn a_day_is_cut_into_slots_that_end_within_the_hours() {
    let calendar = calendar(all_week(&["09:00-11:00", "13:00-14:00"]));
    let found = starts(BERLIN, &HOUR, &calendar, "2026-11-24", "2026-11-20T08:00:00Z");
    assert_eq!(found, ["09:00+01:00", "09:30+01:00", "10:00+01:00", "13:00+01:00"]);
}

#[test]
fn slots_count_from_the_opening_and_run_on_where_spans_touch_also_over_midnight() {
    let calendar = calendar(all_week(&["00:00-01:00", "23:10-24:00"]));
    assert_eq!(starts(BERLIN, &HOUR, &calendar, "2026-11-24", "2026-11-20T08:00:00Z"), ["00:00+01:00", "23:10+01:00", "23:40+01:00"]);
}

#[test]
fn appointments_keep_their_distance_by_the_buffers_of_both() {
    let terms = Terms { buffer_before_minutes: 15, buffer_after_minutes: 10, ..HOUR };
    let mut calendar = calendar(all_week(&["09:00-14:00"]));
    // Another's buffers included: 10:50 to 12:00.
    calendar.taken = vec![Interval { from: at("2026-11-24T09:50:00Z"), to: at("2026-11-24T11:00:00Z") }];
    assert_eq!(
        starts(BERLIN, &terms, &calendar, "2026-11-24", "2026-11-20T08:00:00Z"),
        ["09:00+01:00", "09:30+01:00", "12:30+01:00", "13:00+01:00"]
    );
    assert_eq!(check(BERLIN, &terms, &calendar, at("2026-11-24T08:41:00Z"), at("2026-11-20T08:00:00Z")), Err(NotFree::Taken));
    assert_eq!(check(BERLIN, &terms, &calendar, at("2026-11-24T08:40:00Z"), at("2026-11-20T08:00:00Z")), Ok(()));
}

#[test]
fn closures_close_a_day_or_a_part_of_it() {
    let mut calendar = calendar(all_week(&["09:00-12:00"]));
    calendar.closures = vec![
        Closure { from_day: day("2026-12-24"), to_day: day("2026-12-26"), span: None },
        Closure { from_day: day("2026-12-23"), to_day: day("2026-12-23"), span: Some("10:15-24:00".parse().unwrap()) },
    ];
    let now = "2026-12-01T00:00:00Z";
    assert_eq!(starts(BERLIN, &HOUR, &calendar, "2026-12-23", now), ["09:00+01:00"]);
    for closed in ["2026-12-24", "2026-12-25", "2026-12-26"] {
        assert!(starts(BERLIN, &HOUR, &calendar, closed, now).is_empty());
    }
    assert_eq!(starts(BERLIN, &HOUR, &calendar, "2026-12-27", now).len(), 5);
    assert_eq!(check(BERLIN, &HOUR, &calendar, at("2026-12-24T09:00:00Z"), at(now)), Err(NotFree::Closed));
}

#[test]
fn notice_and_horizon_are_kept() {
    let terms = Terms { lead_minutes: 90, horizon_days: 3, ..HOUR };
    let calendar = calendar(all_week(&["09:00-12:00"]));
    let now = "2026-11-24T08:00:00Z";
    assert_eq!(starts(BERLIN, &terms, &calendar, "2026-11-24", now), ["10:30+01:00", "11:00+01:00"]);
    assert_eq!(starts(BERLIN, &terms, &calendar, "2026-11-27", now).len(), 5);
    assert!(starts(BERLIN, &terms, &calendar, "2026-11-28", now).is_empty());
    assert!(starts(BERLIN, &terms, &calendar, "2026-11-23", now).is_empty());
    let ask = |starts_at: &str| check(BERLIN, &terms, &calendar, at(starts_at), at(now));
    assert_eq!(ask("2026-11-24T09:29:00Z"), Err(NotFree::TooSoon));
    assert_eq!(ask("2026-11-28T09:00:00Z"), Err(NotFree::TooFar));
    assert_eq!(check_calendar(BERLIN, &terms, &calendar, at("2026-11-28T09:00:00Z")), Ok(()), "staff may");
}

#[test]
fn when_the_clock_is_put_forward_the_missing_hour_is_no_time() {
    // 2026-03-29: 02:00 is followed by 03:00.
    let night = calendar(all_week(&["01:00-04:00"]));
    let now = "2026-03-20T00:00:00Z";
    assert_eq!(starts(BERLIN, &HOUR, &night, "2026-03-29", now), ["01:00+01:00", "01:30+01:00", "03:00+02:00"]);
    assert!(starts(BERLIN, &HOUR, &calendar(all_week(&["02:00-03:00"])), "2026-03-29", now).is_empty(), "it never comes");
    let morning = calendar(all_week(&["09:00-10:00"]));
    assert_eq!(starts(BERLIN, &HOUR, &morning, "2026-03-28", now), ["09:00+01:00"]);
    assert_eq!(starts(BERLIN, &HOUR, &morning, "2026-03-29", now), ["09:00+02:00"]);
}

#[test]
fn when_the_clock_is_put_back_the_hour_that_comes_twice_is_longer_and_closed_both_times() {
    // 2026-10-25: 03:00+02:00 is 02:00+01:00.
    let mut night = calendar(all_week(&["01:00-04:00"]));
    let now = "2026-10-20T00:00:00Z";
    let found = starts(BERLIN, &HOUR, &night, "2026-10-25", now);
    assert_eq!(found, ["01:00+02:00", "01:30+02:00", "02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00", "03:00+01:00"]);
    night.closures = vec![Closure { from_day: day("2026-10-25"), to_day: day("2026-10-25"), span: Some("02:00-02:30".parse().unwrap()) }];
    assert_eq!(starts(BERLIN, &HOUR, &night, "2026-10-25", now), ["01:00+02:00", "02:30+01:00", "03:00+01:00"]);
}

#[test]
fn a_midnight_that_never_comes_is_the_first_instant_of_its_day() {
    // Cairo, 2026-04-24: the day begins at 01:00.
    let (from, to) = local::days(Tz::Africa__Cairo, day("2026-04-24"), 1);
    assert_eq!((from, to), (at("2026-04-23T22:00:00Z"), at("2026-04-24T21:00:00Z")));
}

#[test]
fn slots_of_several_are_in_order_and_bounded() {
    let both = [calendar(all_week(&["09:00-11:00"])), StaffCalendar { staff: StaffId(2), ..calendar(all_week(&["09:30-11:00"])) }];
    let found = slots(BERLIN, &HOUR, &both, day("2026-11-24"), 62, at("2026-11-20T00:00:00Z"), 4);
    let seen: Vec<_> = found.iter().map(|slot| (slot.starts_at.with_timezone(&BERLIN).format("%H:%M").to_string(), slot.staff.0)).collect();
    assert_eq!(seen, [("09:00".to_owned(), 1), ("09:30".to_owned(), 1), ("09:30".to_owned(), 2), ("10:00".to_owned(), 1)]);
}

const ZONES: [Tz; 9] = [
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kathmandu,
    Tz::Africa__Cairo,
    Tz::America__Santiago,
    Tz::Pacific__Chatham,
    Tz::America__St_Johns,
    Tz::UTC,
];

/// Days around which clocks are changed somewhere among the zones.
const CHANGES: [&str; 9] =
    ["2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2026-04-23", "2026-09-05", "2026-10-29"];

fn quarters(most: i32) -> impl Strategy<Value = i32> {
    (0..=most).prop_map(|quarter| quarter * 15)
}

fn a_day() -> impl Strategy<Value = NaiveDate> {
    prop_oneof![
        (0..CHANGES.len(), 0_u64..3).prop_map(|(which, later)| day(CHANGES[which]) + Days::new(later)),
        (0_u64..365).prop_map(|later| day("2026-01-01") + Days::new(later)),
    ]
}

/// Up to three spans in order, at quarters of an hour.
fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::btree_set(0_u16..=96, 0..=6).prop_map(|ends| {
        let ends: Vec<u16> = ends.into_iter().map(|quarter| quarter * 15).collect();
        ends.chunks_exact(2)
            .map(|pair| format!("{:02}:{:02}-{:02}:{:02}", pair[0] / 60, pair[0] % 60, pair[1] / 60, pair[1] % 60).parse().unwrap())
            .collect()
    })
}

prop_compose! {
    fn week()(mon in spans(), tue in spans(), wed in spans(), thu in spans(), fri in spans(), sat in spans(), sun in spans()) -> Hours {
        Hours { mon, tue, wed, thu, fri, sat, sun }
    }
}

prop_compose! {
    fn terms()(duration in 1..=20, before in quarters(4), after in quarters(4), lead in 0..=3000, horizon in 1..=20) -> Terms {
        Terms { duration_minutes: duration * 15, buffer_before_minutes: before, buffer_after_minutes: after, lead_minutes: lead, horizon_days: horizon, slot_minutes: 15 }
    }
}

prop_compose! {
    fn someone(from: NaiveDate)(
        hours in week(),
        closures in prop::collection::vec((0_u64..6, 0_u64..3, prop::option::of(spans())), 0..3),
        taken in prop::collection::vec((0_i64..7 * 24 * 60, 1_i64..300), 0..12),
    ) -> StaffCalendar {
        let closures = closures.into_iter().map(|(first, more, span)| Closure {
            from_day: from + Days::new(first),
            to_day: from + Days::new(first + more),
            span: span.and_then(|spans| spans.first().copied()),
        }).collect();
        let midnight = from.and_time(chrono::NaiveTime::MIN).and_utc();
        let taken = taken.into_iter().map(|(begin, length)| {
            let begin = midnight + TimeDelta::minutes(begin);
            Interval { from: begin, to: begin + TimeDelta::minutes(length) }
        }).collect();
        StaffCalendar { staff: StaffId(1), hours, closures, taken }
    }
}

fn minute_of_day(at: &DateTime<Tz>) -> u16 {
    u16::try_from(at.hour() * 60 + at.minute()).unwrap()
}

/// By the clock on the wall, a minute at a time: nothing of the code under test.
fn works_at(zone: Tz, calendar: &StaffCalendar, instant: DateTime<Utc>) -> bool {
    let wall = instant.with_timezone(&zone);
    let (day, minute) = (wall.date_naive(), minute_of_day(&wall));
    let within = |span: &Span| (span.from()..span.to()).contains(&minute);
    // In an hour that comes twice the wall does not say which one it is.
    let twice = matches!(zone.from_local_datetime(&wall.naive_local()), LocalResult::Ambiguous(..));
    let open = twice || calendar.hours.of(day).iter().any(within);
    let closed = calendar
        .closures
        .iter()
        .any(|closure| (closure.from_day..=closure.to_day).contains(&day) && closure.span.as_ref().is_none_or(within));
    open && !closed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_slot_is_open_free_and_in_time(
        zone in prop::sample::select(&ZONES[..]), terms in terms(), days in 1_u16..5, ahead in 0_i64..5000,
        (from, calendar) in a_day().prop_flat_map(|day| (Just(day), someone(day))),
    ) {
        let now = from.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::minutes(ahead);
        let found = slots(zone, &terms, std::slice::from_ref(&calendar), from, days, now, 10_000);
        let today = now.with_timezone(&zone).date_naive();
        prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        for slot in &found {
            let on = slot.starts_at.with_timezone(&zone).date_naive();
            prop_assert!(from <= on && on < from + Days::new(u64::from(days)), "{on} was not asked for");
            prop_assert!(slot.starts_at >= now + minutes(terms.lead_minutes));
            prop_assert!(on <= today + Days::new(u64::try_from(terms.horizon_days).unwrap()));
            prop_assert_eq!(slot.ends_at - slot.starts_at, minutes(terms.duration_minutes));
            for minute in 0..i64::from(terms.duration_minutes) {
                let instant = slot.starts_at + TimeDelta::minutes(minute);
                prop_assert!(works_at(zone, &calendar, instant), "{instant} of {slot:?} is closed");
            }
            let blocked = (slot.starts_at - minutes(terms.buffer_before_minutes), slot.ends_at + minutes(terms.buffer_after_minutes));
            for taken in &calendar.taken {
                prop_assert!(blocked.1 <= taken.from || taken.to <= blocked.0, "{slot:?} meets {taken:?}");
            }
            prop_assert_eq!(check(zone, &terms, &calendar, slot.starts_at, now), Ok(()));
        }
    }

    #[test]
    fn no_quarter_of_an_hour_that_could_be_booked_is_kept_back(
        zone in prop::sample::select(&ZONES[..]), terms in terms(),
        (from, calendar) in a_day().prop_flat_map(|day| (Just(day), someone(day))),
    ) {
        let now = from.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::days(1);
        let found: BTreeSet<_> = slots(zone, &terms, std::slice::from_ref(&calendar), from, 1, now, 10_000).into_iter().map(|slot| slot.starts_at).collect();
        let (midnight, next) = local::days(zone, from, 1);
        let every = std::iter::successors(Some(midnight), |at| Some(*at + TimeDelta::minutes(15))).take_while(|at| *at < next);
        let free: BTreeSet<_> = every.filter(|at| check(zone, &terms, &calendar, *at, now).is_ok()).collect();
        prop_assert_eq!(found, free);
    }
}
