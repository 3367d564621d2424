//! Makes one wish of the items that were said.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Weekday};

use super::items::{Bound, Day, Item, Items, Joint, What, Which, week_of};
use super::{Part, TimeOfDay, Wish};

/// Days of a wish that has a start and no end, less one.
const OPEN: u64 = 13;
/// From this hour on a bare weekday is not today.
const LATE: u32 = 18;
const WEEK: [Weekday; 7] = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// The wish; `None` if what was said contradicts itself or the calendar.
pub(super) fn wish(items: &Items, now: NaiveDateTime) -> Option<Wish> {
    let time = Times::of(&items.list).time();
    let over = match time {
        Some(TimeOfDay::At(at)) => at <= now.time(),
        Some(TimeOfDay::Between(_, to) | TimeOfDay::Until(to)) => to <= now.time() && to.num_seconds_from_midnight() > 0,
        _ => now.hour() >= LATE,
    };
    let (days, weekdays) = Calendar { today: now.date(), over, items: &items.list }.read()?;
    // "Later on Friday" is a day, no step from what is on the table.
    let shift = items.shift.filter(|shift| shift.by.is_some() || days.is_none() && time.is_none());
    Some(Wish { days, weekdays, time, like_last: items.like_last, shift, soonest: items.soonest })
}

/// The days that were said.
struct Calendar<'a> {
    today: NaiveDate,
    /// What was said of the time is over for today.
    over: bool,
    items: &'a [Item],
}

/// A weekday that was named for one day.
struct Single {
    weekday: Weekday,
    which: Which,
    weeks: u64,
    bound: Bound,
    joint: Joint,
}

/// A span of days.
type Span = (NaiveDate, NaiveDate);

impl Calendar<'_> {
    fn days(&self) -> impl Iterator<Item = (Day, &Item)> {
        self.items.iter().filter_map(|item| match item.what {
            What::Day(day) => Some((day, item)),
            _ => None,
        })
    }

    fn wanted(&self) -> impl Iterator<Item = (Day, &Item)> {
        self.days().filter(|(_, item)| !item.refused || item.bound != Bound::On)
    }

    fn read(&self) -> Option<(Option<Span>, Vec<Weekday>)> {
        let (mut days, mut weekdays) = self.named()?;
        let refused: Vec<(Day, Bound)> = self.days().filter(|(_, item)| item.refused).map(|(day, item)| (day, item.bound)).collect();
        let mut without: Vec<Weekday> = Vec::new();
        for (day, _) in refused.iter().filter(|(_, bound)| *bound == Bound::On) {
            match *day {
                Day::Weekday(weekday, ..) | Day::Each(weekday) => without.push(weekday),
                Day::Weekend(_) | Day::Weekends => without.extend([Weekday::Sat, Weekday::Sun]),
                Day::WorkDays => without.extend(&WEEK[..5]),
                // One day of a week is its weekday.
                Day::Date(date) | Day::Near(date)
                    if days.is_some_and(|(from, to)| from <= date && date <= to && to - from < chrono::TimeDelta::days(7)) =>
                {
                    without.push(date.weekday());
                }
                _ => {}
            }
        }
        if !without.is_empty() {
            let choice = if weekdays.is_empty() { WEEK.to_vec() } else { std::mem::take(&mut weekdays) };
            weekdays = choice.into_iter().filter(|day| !without.contains(day)).collect();
            let single = days.filter(|(from, to)| from == to);
            if weekdays.is_empty() {
                return None;
            }
            if let Some((day, _)) = single {
                if without.contains(&day.weekday()) {
                    days = None;
                } else {
                    weekdays.clear();
                }
            }
        }
        Some((days, weekdays))
    }

    /// What was named and not refused.
    fn named(&self) -> Option<(Option<Span>, Vec<Weekday>)> {
        let mut dates: Vec<(NaiveDate, Bound)> = Vec::new();
        let mut spans: Vec<(Span, Bound)> = Vec::new();
        let mut single: Vec<Single> = Vec::new();
        let mut choice: Vec<Weekday> = Vec::new();
        let mut weekend: Option<(Which, Bound)> = None;
        for (day, item) in self.wanted() {
            let bound = if item.refused { flipped(item.bound) } else { item.bound };
            match day {
                Day::Date(date) | Day::Near(date) => dates.push((date, bound)),
                Day::OfMonth(number) => dates.push((self.of_month(number)?, bound)),
                Day::Span(from, to) => spans.push(((from, to), bound)),
                Day::Weekday(weekday, which, weeks) => single.push(Single { weekday, which, weeks, bound, joint: item.joint }),
                Day::Each(weekday) => choice.push(weekday),
                Day::Weekends => choice.extend([Weekday::Sat, Weekday::Sun]),
                Day::WorkDays => choice.extend(&WEEK[..5]),
                Day::Weekend(which) => weekend = Some((which, bound)),
            }
        }
        let joint = self.wanted().skip(1).map(|(_, item)| item.joint).max().unwrap_or(Joint::Close);
        let or = joint == Joint::Or;
        let near = self.wanted().any(|(day, _)| matches!(day, Day::Near(_)));
        if let Some((which, bound)) = weekend {
            // "Next week, at the weekend"; "in April at the weekend".
            match spans.as_slice() {
                [((from, to), Bound::On)] if !or && *to - *from > chrono::TimeDelta::days(7) => choice.extend([Weekday::Sat, Weekday::Sun]),
                [((_, to), Bound::On)] if !or => {
                    let saturday = week_of(*to).1.pred_opt()?;
                    spans = vec![((saturday.max(self.today), week_of(*to).1), bound)];
                }
                _ => spans.push((self.weekend(which), bound)),
            }
        }
        if choice.is_empty() && dates.is_empty() && spans.is_empty() {
            return self.only_weekdays(&single);
        }
        let mut alternatives: Vec<NaiveDate> = Vec::new();
        for Single { weekday, which, weeks, bound, joint: own } in single {
            if dates.iter().any(|(date, _)| date.weekday() == weekday) && weeks == 0 {
                continue;
            }
            let date = self.weekday(weekday, which, weeks);
            match spans.as_slice() {
                [((from, to), Bound::On)] if !or || own < Joint::Or => {
                    if *to - *from < chrono::TimeDelta::days(7) {
                        let inside = from.iter_days().take_while(|day| day <= to).find(|day| day.weekday() == weekday)?;
                        alternatives.push(inside);
                    } else {
                        choice.push(weekday);
                    }
                }
                [((from, to), Bound::On)] if *to - *from < chrono::TimeDelta::days(7) && date >= *from || dates.is_empty() => {
                    // "Next week, Tuesday or Thursday".
                    match from.iter_days().take_while(|day| day <= to).find(|day| day.weekday() == weekday) {
                        Some(inside) => alternatives.push(inside),
                        None => alternatives.push(date),
                    }
                }
                _ if choice.is_empty() && or => dates.push((date, bound)),
                _ if !choice.is_empty() => choice.push(weekday),
                // A Friday that is a Thursday.
                _ => return None,
            }
        }
        let days = if let ([((from, to), Bound::On)], false) = (spans.as_slice(), alternatives.is_empty()) {
            let (first, last) = (*alternatives.iter().min()?, *alternatives.iter().max()?);
            if first == last && choice.is_empty() {
                return Some((Some((first, last)), Vec::new()));
            }
            choice.extend(alternatives.iter().map(Datelike::weekday));
            Some((first.min(*from), last.max(*to)))
        } else if dates.is_empty() && spans.is_empty() {
            None
        } else {
            Some(self.hull(&dates, &spans, joint, near)?)
        };
        if spans.is_empty() {
            choice.extend(gaps(&dates));
        }
        Some((days, sorted(&choice)))
    }

    /// Weekdays and nothing else: one is a day, several are a choice.
    fn only_weekdays(&self, single: &[Single]) -> Option<(Option<Span>, Vec<Weekday>)> {
        let Some(first) = single.first() else { return Some((None, Vec::new())) };
        let days: Vec<Weekday> = single.iter().map(|named| named.weekday).collect();
        Some(match single {
            [from, to] if from.bound == Bound::From && matches!(to.bound, Bound::Until | Bound::Before) => {
                let mut days = vec![from.weekday];
                while days.last() != Some(&to.weekday) {
                    days.push(days.last().map_or(to.weekday, Weekday::succ));
                }
                (self.common_week(first.which), sorted(&days))
            }
            _ if days.iter().all(|day| *day == first.weekday) => {
                let day = self.weekday(first.weekday, first.which, first.weeks);
                (Some(self.bounded(day, day, first.bound)?), Vec::new())
            }
            _ => (self.common_week(first.which), sorted(&days)),
        })
    }

    fn common_week(&self, which: Which) -> Option<Span> {
        match which {
            Which::WeeksOn(weeks) => Some(week_of(self.today.checked_add_days(Days::new(7 * weeks))?)),
            _ => None,
        }
    }

    /// The next such day of the month; if a weekday was named, the next that is one.
    fn of_month(&self, day: u32) -> Option<NaiveDate> {
        let weekdays: Vec<Weekday> =
            self.wanted().filter_map(|(day, _)| if let Day::Weekday(weekday, ..) = day { Some(weekday) } else { None }).collect();
        let month = self.wanted().find_map(|(day, _)| if let Day::Span(from, to) = day { Some((from, to)) } else { None });
        let fits = |date: &NaiveDate| {
            *date >= self.today
                && (weekdays.len() != 1 || weekdays.contains(&date.weekday()))
                && month.is_none_or(|(from, to)| to - from < chrono::TimeDelta::days(7) || from <= *date && *date <= to)
        };
        let first = self.today.with_day(1)?;
        (0..if weekdays.len() == 1 { 4 } else { 12 })
            .filter_map(|months| first.checked_add_months(chrono::Months::new(months))?.with_day(day))
            .find(fits)
    }

    fn weekday(&self, weekday: Weekday, which: Which, weeks: u64) -> NaiveDate {
        let from = match which {
            Which::First => self.today.checked_add_days(Days::new(u64::from(self.over))),
            Which::Coming => self.today.succ_opt(),
            Which::WeeksOn(on) => self.today.checked_add_days(Days::new(7 * on)).map(|day| week_of(day).0),
        };
        let from = from.unwrap_or(self.today);
        let day = from.iter_days().take(7).find(|day| day.weekday() == weekday).unwrap_or(from);
        day.checked_add_days(Days::new(7 * weeks)).unwrap_or(day)
    }

    fn weekend(&self, which: Which) -> Span {
        let weeks = match which {
            Which::WeeksOn(weeks) => weeks,
            Which::Coming if self.today.weekday().num_days_from_monday() >= 5 => 1,
            _ => 0,
        };
        let day = self.today.checked_add_days(Days::new(7 * weeks)).unwrap_or(self.today);
        let sunday = week_of(day).1;
        (sunday.pred_opt().unwrap_or(sunday).max(self.today), sunday)
    }

    /// What lies from a day on, after it, before it.
    fn bounded(&self, from: NaiveDate, to: NaiveDate, bound: Bound) -> Option<Span> {
        let on = |day: NaiveDate, days: u64| day.checked_add_days(Days::new(days)).unwrap_or(day);
        Some(match bound {
            Bound::On => (from, to),
            Bound::From => (from, to.max(on(from, OPEN))),
            Bound::After => (on(to, 1), on(to, 1 + OPEN)),
            Bound::Until => (self.today.min(to), to),
            Bound::Before => {
                // Before today is over, unless it was said with its year.
                let last = from.pred_opt().filter(|last| *last >= self.today || from < self.today)?;
                (self.today.min(last), last)
            }
        })
    }

    /// All that was named; a date within a named week or month is that date.
    fn hull(&self, dates: &[(NaiveDate, Bound)], spans: &[(Span, Bound)], joint: Joint, near: bool) -> Option<Span> {
        let all: Vec<(Span, Bound)> = dates.iter().map(|(date, bound)| ((*date, *date), *bound)).chain(spans.iter().copied()).collect();
        if let [((from, _), Bound::From), ((_, to), Bound::Until | Bound::Before)] = all.as_slice() {
            return (from <= to).then_some((*from, *to));
        }
        let spans_of = |list: &[(Span, Bound)]| -> Option<Span> {
            let bounded = list.iter().map(|((from, to), bound)| self.bounded(*from, *to, *bound)).collect::<Option<Vec<Span>>>()?;
            Some((bounded.iter().map(|(from, _)| *from).min()?, bounded.iter().map(|(_, to)| *to).max()?))
        };
        if !dates.is_empty() && !spans.is_empty() && joint < Joint::Or {
            let inside = dates.iter().all(|(date, _)| spans.iter().any(|((from, to), _)| from <= date && date <= to));
            return if inside { spans_of(&all[..dates.len()]) } else { None };
        }
        // Dates that exclude each other: "tomorrow, the 30th".
        let differ = dates.windows(2).any(|pair| pair[0].0 != pair[1].0);
        let listed = joint == Joint::Or || joint == Joint::Comma && !near;
        if differ && !listed && dates.iter().all(|(_, bound)| *bound == Bound::On) {
            return None;
        }
        spans_of(&all)
    }
}

/// The weekdays of dates with other days between them.
fn gaps(dates: &[(NaiveDate, Bound)]) -> Vec<Weekday> {
    if dates.len() < 2 || dates.iter().any(|(_, bound)| *bound != Bound::On) {
        return Vec::new();
    }
    let mut days: Vec<NaiveDate> = dates.iter().map(|(date, _)| *date).collect();
    days.sort_unstable();
    days.dedup();
    if days.windows(2).all(|pair| pair[0].succ_opt() == Some(pair[1])) { Vec::new() } else { days.iter().map(Datelike::weekday).collect() }
}

fn sorted(days: &[Weekday]) -> Vec<Weekday> {
    if WEEK.iter().all(|day| days.contains(day)) { Vec::new() } else { WEEK.into_iter().filter(|day| days.contains(day)).collect() }
}

/// "Not before" is from then on.
fn flipped(bound: Bound) -> Bound {
    match bound {
        Bound::Before => Bound::From,
        Bound::Until => Bound::After,
        Bound::From => Bound::Before,
        Bound::After => Bound::Until,
        Bound::On => Bound::On,
    }
}

/// Minutes since midnight, whether the half of the day is certain, and the bound.
type Said = (u32, bool, Bound);

/// The times that were said.
struct Times {
    clocks: Vec<Said>,
    /// The last bound stands in a later clause than the first time: it says more.
    mended: bool,
    parts: Vec<(Part, Bound)>,
    refused: Vec<Part>,
}

/// A stretch of a day, in minutes; without an end, or without a start.
type Stretch = (Option<u32>, Option<u32>);

impl Times {
    fn of(items: &[Item]) -> Self {
        let mut times = Self { clocks: Vec::new(), parts: Vec::new(), refused: Vec::new(), mended: false };
        let mut first = None;
        for item in items {
            let bound = if item.refused { flipped(item.bound) } else { item.bound };
            match item.what {
                What::Time(..) if item.refused && item.bound == Bound::On => {}
                What::Time(minutes, sure) => {
                    times.mended = *first.get_or_insert(item.clause) < item.clause && bound != Bound::On;
                    times.clocks.push((minutes, sure, bound));
                }
                What::Part(part) if item.refused && item.bound == Bound::On => times.refused.push(part),
                What::Part(part) => times.parts.push((part, bound)),
                What::Half(part) => {
                    if let Some((minutes, sure, _)) = times.clocks.last_mut() {
                        (*minutes, *sure) = (in_half(*minutes, *sure, &[part]), true);
                    }
                }
                What::Day(_) => {}
            }
        }
        times
    }

    fn time(&self) -> Option<TimeOfDay> {
        let part = self.part();
        let clocks: Vec<(u32, Bound)> = self.clocks.iter().map(|(minutes, sure, bound)| (self.likely(*minutes, *sure), *bound)).collect();
        let from = self.clocks.iter().position(|(.., bound)| matches!(bound, Bound::From | Bound::After));
        let until = self.clocks.iter().position(|(.., bound)| matches!(bound, Bound::Until | Bound::Before));
        let at = |index: usize| clocks.get(index).map(|(minutes, _)| *minutes);
        match (from, until) {
            (Some(from), Some(until)) => {
                let (from, until) = self.pair(*self.clocks.get(from)?, *self.clocks.get(until)?);
                Some(TimeOfDay::Between(clock(from)?, clock(until)?))
            }
            _ if !self.mended && clocks.iter().any(|(_, bound)| *bound == Bound::On) => {
                let (minutes, _) = clocks.iter().find(|(_, bound)| *bound == Bound::On)?;
                Some(TimeOfDay::At(clock(*minutes)?))
            }
            (Some(from), None) => within((at(from), None), part),
            (None, Some(until)) => within((None, at(until)), part),
            (None, None) => stretch(part?),
        }
    }

    /// An hour without its half of the day is one of opening hours.
    fn likely(&self, minutes: u32, sure: bool) -> u32 {
        let parts: Vec<Part> = self.parts.iter().filter(|(_, bound)| *bound == Bound::On).map(|(part, _)| *part).collect();
        in_half(minutes, sure, &parts)
    }

    /// From and until: each helps to tell the other's half of the day.
    fn pair(&self, from: Said, until: Said) -> (u32, u32) {
        let (likely_from, likely_until) = (self.likely(from.0, from.1), self.likely(until.0, until.1));
        let turned = |minutes: u32, sure: bool| if sure || minutes >= 720 { minutes } else { minutes + 720 };
        let tries = if until.1 && !from.1 && until.0 >= 720 {
            [(turned(from.0, from.1), until.0), (from.0, until.0), (likely_from, likely_until)]
        } else {
            [(likely_from, likely_until), (likely_from, turned(until.0, until.1)), (from.0, likely_until)]
        };
        tries.into_iter().find(|(from, until)| from < until).unwrap_or((likely_from, likely_until))
    }

    /// The part of the day that was said; of two that do not touch, none.
    fn part(&self) -> Option<Stretch> {
        let on: Vec<Part> = self.parts.iter().filter(|(_, bound)| *bound == Bound::On).map(|(part, _)| *part).collect();
        let combined = match on.as_slice() {
            [] => None,
            [Part::Late, part] | [part, Part::Late] => Some(finer(*part, true)),
            [Part::Early, part] | [part, Part::Early] => Some(finer(*part, false)),
            [first, rest @ ..] => {
                let mut all = bounds(*first);
                for part in rest {
                    all = touching(all, bounds(*part))?;
                }
                Some(all)
            }
        };
        let led = self.parts.iter().filter(|(_, bound)| *bound != Bound::On).fold((None, None), |(from, until), (part, bound)| {
            let (start, end) = bounds(*part);
            match bound {
                Bound::After => (end.or(start), until),
                Bound::Before => (from, start.or(end)),
                Bound::Until => (from, end.or(start)),
                _ => (start, until),
            }
        });
        let refused = self.refused.iter().fold((None, None), |(from, until), part| match part {
            Part::Early | Part::Morning | Part::BeforeWork => (bounds(*part).1, until),
            Part::Late | Part::Evening | Part::AfterWork => (from, bounds(*part).0),
            Part::Afternoon => (from, Some(720)),
            Part::Lunch => (from, until),
        });
        match combined {
            Some(stretch) => Some(stretch),
            None if led != (None, None) => Some(led),
            None => Some(refused).filter(|refused| *refused != (None, None)),
        }
    }
}

/// Moves an hour whose half of the day is not certain into the parts of the day that were said, or into opening hours.
fn in_half(minutes: u32, sure: bool, parts: &[Part]) -> u32 {
    let said = |some: &[Part]| parts.iter().any(|part| some.contains(part));
    match minutes / 60 {
        _ if sure => minutes,
        // "Twelve at night".
        12 if said(&[Part::Evening, Part::Late]) && !said(&[Part::Lunch]) => minutes - 720,
        1..=11 if said(&[Part::Early, Part::Morning, Part::BeforeWork]) => minutes,
        1..=11 if said(&[Part::Afternoon, Part::Evening, Part::AfterWork, Part::Late]) => minutes + 720,
        1..=7 => minutes + 720,
        _ => minutes,
    }
}

fn clock(minutes: u32) -> Option<NaiveTime> {
    NaiveTime::from_hms_opt(minutes / 60 % 24, minutes % 60, 0)
}

fn stretch(stretch: Stretch) -> Option<TimeOfDay> {
    match stretch {
        (Some(from), Some(until)) => Some(TimeOfDay::Between(clock(from)?, clock(until)?)),
        (Some(from), None) => Some(TimeOfDay::From(clock(from)?)),
        // Until midnight is any time.
        (None, Some(until)) => clock(until).filter(|_| until > 0).map(TimeOfDay::Until),
        (None, None) => None,
    }
}

/// A start or an end, with the other one of the part of the day.
fn within(said: Stretch, part: Option<Stretch>) -> Option<TimeOfDay> {
    let (start, end) = part.unwrap_or((None, None));
    match said {
        (Some(from), _) => stretch((Some(from), end.filter(|end| from < *end))),
        (_, until) => stretch((start.filter(|start| until.is_some_and(|until| *start < until)), until)),
    }
}

/// When a part of the day is.
fn bounds(part: Part) -> Stretch {
    let (from, until) = match part {
        Part::BeforeWork => (None, Some(9)),
        Part::Early => (None, Some(10)),
        Part::Morning => (None, Some(12)),
        Part::Lunch => (Some(12), Some(14)),
        Part::Afternoon => (Some(12), Some(18)),
        Part::Evening | Part::AfterWork | Part::Late => (Some(17), None),
    };
    (from.map(|hour| hour * 60), until.map(|hour| hour * 60))
}

/// "Late afternoon", "early evening".
fn finer(part: Part, late: bool) -> Stretch {
    let hours = |from: u32, until: u32| (Some(from * 60), Some(until * 60));
    match (part, late) {
        (Part::Morning, true) => hours(10, 12),
        (Part::Afternoon, true) => hours(16, 18),
        (Part::Afternoon, false) => hours(12, 15),
        (Part::Evening, false) => hours(17, 19),
        (Part::Evening, true) => (Some(19 * 60), None),
        (Part::Morning, false) => bounds(Part::Early),
        (Part::Lunch, _) => bounds(Part::Lunch),
        (other, _) => bounds(other),
    }
}

/// Two stretches as one, if they touch.
fn touching(one: Stretch, other: Stretch) -> Option<Stretch> {
    let start = |stretch: Stretch| stretch.0.unwrap_or(0);
    let end = |stretch: Stretch| stretch.1.unwrap_or(24 * 60);
    if start(one) > end(other) || start(other) > end(one) {
        return None;
    }
    let from = one.0.zip(other.0).map(|(one, other)| one.min(other));
    let until = one.1.zip(other.1).map(|(one, other)| one.max(other));
    Some((from, until))
}
