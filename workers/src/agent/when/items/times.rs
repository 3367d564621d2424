//! Numbers, times of the clock and lengths of time.

use chrono::{Datelike as _, Months, NaiveDate, TimeDelta, Timelike as _};

use super::super::clock::{Clock, clock};
use super::super::words::{Case, DUTCH, ENGLISH, PORTUGUESE, Sense, TURKISH, Unit};
use super::{Amount, Bound, Day, Lead, Length, Reader, Shift, What, Which, week_of};

impl Reader<'_> {
    pub(super) fn number(&mut self, at: usize, number: u32) -> Option<usize> {
        let end = self.dated_number(at, number)?;
        if end > at {
            return Some(end);
        }
        let hour_word = self.sense(at + 1) == Sense::HourWord;
        let reached = self.length(at).filter(|(length, end)| !hour_word || self.steps(*length, at, *end));
        if let Some((length, end)) = reached {
            return Some(self.take_length(at, length, end));
        }
        let the_day = at.checked_sub(1).is_some_and(|before| matches!(self.sense(before), Sense::TheDay | Sense::Unit(Unit::Days)));
        let counting = self.lead == Some(Lead::At) || self.lead.is_none() && self.language(at).is_some();
        let found = clock(self.atoms, at, counting);
        let next = self.sense(self.skip(at + 1));
        if the_day
            && (1..=31).contains(&number)
            && !found.is_some_and(|clock| clock.plain)
            && !matches!(next, Sense::Counted | Sense::Unit(_) | Sense::HourWord)
        {
            return Some(self.day(Day::OfMonth(number), at, at + 1));
        }
        match found {
            Some(clock) if self.is_time(at, clock) => Some(self.clock(at, clock)),
            _ => {
                self.other();
                Some(at + 1)
            }
        }
    }

    /// "17.30", "27.3.", or a price.
    pub(super) fn pair(&mut self, at: usize, one: u32, two: u32, dot: bool) -> Option<usize> {
        let found = clock(self.atoms, at, false);
        let date = (1..=31).contains(&one) && (1..=12).contains(&two);
        let timed = found.is_some_and(|clock| clock.plain || self.lead == Some(Lead::At));
        let weekday = match self.last() {
            Some(What::Day(Day::Weekday(weekday, ..))) if self.beside(at) => Some(weekday),
            _ => None,
        };
        if date && (dot || !timed) && self.sense(at + 1) != Sense::Counted {
            let named = self.next_date(one, two)?;
            // "Freitag 10.12" is a time, if the tenth is no Friday.
            if dot || found.is_none() || weekday.is_none_or(|weekday| weekday == named.weekday()) {
                return Some(self.day(Day::Date(named), at, at + 1));
            }
        }
        match found {
            Some(clock) if self.is_time(at, clock) => Some(self.clock(at, clock)),
            // "Um 17.30.": the dot ends the sentence.
            _ if dot && one <= 24 && two <= 59 && !date => {
                let clock = Clock { minutes: one % 24 * 60 + two, sure: one > 12, plain: true, end: at + 1 };
                Some(self.clock(at, clock))
            }
            _ => {
                self.other();
                Some(at + 1)
            }
        }
    }

    /// Something says that a number is a time.
    pub(super) fn is_time(&self, at: usize, clock: Clock) -> bool {
        let next = self.sense(clock.end);
        if matches!(next, Sense::Counted | Sense::Unit(_)) || matches!(self.sense(self.skip(clock.end)), Sense::Counted) {
            return false;
        }
        if clock.plain {
            return true;
        }
        let ranged = self.range_with(clock.end);
        match self.lead {
            // "I'd like one more massage": what is counted may come later.
            Some(Lead::About) => {
                let mut further = self.atoms.iter().skip(clock.end).map(|atom| atom.sense);
                return further.find(|sense| *sense != Sense::Filler).is_none_or(|sense| sense != Sense::Other);
            }
            // Dutch "voor" is "for", too.
            Some(Lead::To(Bound::Before)) if clock.minutes <= 6 * 60 && self.before(at) == Some(Sense::Before) && self.for_some(at) => {
                return false;
            }
            Some(_) => return true,
            None => {}
        }
        let before = at.checked_sub(1).map(|before| self.sense(before));
        let beside =
            self.beside(at) && !matches!(next, Sense::Other | Sense::For) && !matches!(self.last(), Some(What::Time(..) | What::Half(_)));
        let joined = matches!(before, Some(Sense::Or | Sense::And | Sense::Slash))
            && matches!(self.last(), Some(What::Time(..)))
            && next != Sense::Other;
        let turkish = match next {
            Sense::Case(Case::At) => true,
            Sense::Case(Case::From) => matches!(self.sense(clock.end + 1), Sense::FromThat | Sense::BeforeThat | Sense::Number(_)),
            Sense::Case(Case::To) => matches!(self.sense(clock.end + 1), Sense::UntilThat | Sense::Around),
            _ => false,
        };
        let parted = matches!(next, Sense::Part(_) | Sense::Around | Sense::BetweenThose) && before != Some(Sense::For);
        let alone = self
            .atoms
            .iter()
            .all(|atom| matches!(atom.sense, Sense::Number(_) | Sense::Pair(..) | Sense::Filler | Sense::Stop | Sense::The | Sense::Comma));
        beside || joined || turkish || parted || ranged || alone
    }

    /// "Voor 2" is for two, unless it is "niet voor 2".
    fn for_some(&self, at: usize) -> bool {
        let word = at.checked_sub(1);
        word.is_some_and(|word| self.language(word) == Some(DUTCH) && !matches!(self.before(word), Some(Sense::Not)))
    }

    /// A second time follows that is plainly one: "9-11 Uhr", "2 ile 4 arası", "de 3 a 5".
    pub(super) fn range_with(&self, at: usize) -> bool {
        let joint = self.sense(at);
        if !matches!(
            joint,
            Sense::Dash | Sense::Until | Sense::To | Sense::Or | Sense::And | Sense::At | Sense::Slash | Sense::Case(Case::From)
        ) {
            return false;
        }
        let Some(second) = clock(self.atoms, self.skip(at + 1), false) else { return false };
        let after = self.sense(second.end);
        if matches!(after, Sense::Counted | Sense::Unit(_)) {
            return false;
        }
        let said = second.plain
            || matches!(after, Sense::BetweenThose | Sense::Part(_))
            || self.names_day(self.skip(second.end))
            || after == Sense::Case(Case::To);
        said || joint == Sense::At && at >= 2 && matches!(self.sense(at - 2), Sense::Of | Sense::From)
    }

    pub(super) fn clock(&mut self, at: usize, clock: Clock) -> usize {
        // "De 3 a 5".
        let from = at > 0 && self.sense(at - 1) == Sense::Of && self.lead.is_none() && self.sense(clock.end) == Sense::At;
        if from {
            self.lead = Some(Lead::To(Bound::From));
        }
        self.push(What::Time(clock.minutes, clock.sure), at, clock.end);
        if self.second && matches!(self.sense(clock.end), Sense::Dash | Sense::Until | Sense::To | Sense::At) {
            self.second = false;
            self.lead = Some(Lead::To(Bound::Until));
            return clock.end + 1;
        }
        clock.end
    }

    /// A length at a place, and the atom after it.
    pub(super) fn length(&self, at: usize) -> Option<(Length, usize)> {
        let number = match self.sense(at) {
            Sense::Span(minutes) => return Some((Length::Minutes(minutes), at + 1)),
            Sense::Hours(hours, minutes) => return Some((Length::Minutes(hours * 60 + minutes), at + 1)),
            Sense::One => 1,
            Sense::Number(number @ 1..=999) => number,
            _ => return None,
        };
        if let (1, Sense::Span(minutes)) = (number, self.sense(at + 1)) {
            return Some((Length::Minutes(minutes), at + 2));
        }
        let half = match self.sense(at + 2) {
            Sense::Plus(30) => 30,
            _ => 0,
        };
        let length = match self.sense(at + 1) {
            Sense::Unit(Unit::Minutes) => Length::Minutes(number),
            Sense::Unit(Unit::Hours) | Sense::HourWord | Sense::OClock => Length::Minutes(number * 60 + half),
            Sense::Unit(Unit::Days) => Length::Days(number),
            // "Um dia depois".
            Sense::TheDay if self.language(at + 1) == Some(PORTUGUESE) && self.sense(at) == Sense::One => Length::Days(number),
            Sense::Fortnight => Length::Weeks(2 * number),
            Sense::Unit(Unit::Weeks) | Sense::Week => Length::Weeks(number),
            Sense::Unit(Unit::Months) => Length::Months(number),
            _ => return None,
        };
        // "5 o'clock" is no length, unless it is a step.
        if self.sense(at + 1) == Sense::OClock && !matches!(self.sense(self.skip(at + 2)), Sense::Later | Sense::Earlier) {
            return None;
        }
        Some((length, at + 2 + usize::from(half > 0 && matches!(length, Length::Minutes(_)))))
    }

    /// A length of hours leads somewhere: "in", "later"; else it is a time of the clock.
    pub(super) fn steps(&self, length: Length, at: usize, end: usize) -> bool {
        let after = self.sense(self.skip(end));
        let stepped = matches!(after, Sense::Later | Sense::Earlier | Sense::FromThat | Sense::BeforeThat)
            || matches!(after, Sense::After | Sense::Before) && self.ends(self.skip(end));
        let reached = matches!(self.before(at), Some(Sense::In | Sense::Over | Sense::Within | Sense::Earlier | Sense::Later));
        let turkish = self.language(at + 1) == Some(TURKISH);
        matches!(length, Length::Minutes(_)) && (stepped || reached || turkish)
    }

    pub(super) fn length_or_clock(&mut self, at: usize) -> usize {
        if let Sense::Hours(..) = self.sense(at) {
            let timed = self.lead.is_some() || self.beside(at);
            let steps = self.length(at).is_some_and(|(length, end)| self.steps(length, at, end));
            if let Some(clock) = clock(self.atoms, at, false).filter(|_| timed && !steps) {
                return self.clock(at, clock);
            }
        }
        match (self.length(at), clock(self.atoms, at, false)) {
            (Some((length, end)), _) => self.take_length(at, length, end),
            (None, Some(clock)) if self.lead.is_some() && self.sense(clock.end) != Sense::Other && self.is_time(at, clock) => {
                self.clock(at, clock)
            }
            _ => at + 1,
        }
    }

    /// Where a length leads from now.
    pub(super) fn after(&self, length: Length) -> NaiveDate {
        match length {
            Length::Minutes(_) => self.today(),
            Length::Days(days) => self.days_on(u64::from(days)),
            Length::Weeks(weeks) => self.days_on(7 * u64::from(weeks)),
            Length::Months(months) => self.today().checked_add_months(Months::new(months)).unwrap_or(self.today()),
        }
    }

    /// "In two weeks", "two hours later", "a week on Friday"; else a length says nothing of when.
    pub(super) fn take_length(&mut self, at: usize, length: Length, end: usize) -> usize {
        let after_at = self.skip(end);
        let after = self.sense(after_at);
        let step = match after {
            Sense::Later => Some(true),
            Sense::Earlier => Some(false),
            Sense::After if self.ends(after_at) => Some(true),
            Sense::Before if self.ends(after_at) => Some(false),
            Sense::FromThat if matches!(length, Length::Minutes(_)) && self.language(after_at) == Some(TURKISH) => Some(true),
            Sense::BeforeThat if matches!(length, Length::Minutes(_)) => Some(false),
            _ => None,
        };
        if let Some(later) = step {
            self.items.shift = Some(Shift { later, by: Some(amount(length)) });
            self.lead = None;
            return after_at + 1;
        }
        let before = self.before(at);
        // "A week on Friday".
        if let (Length::Weeks(weeks), Some(ENGLISH)) = (length, self.language(end - 1)) {
            let day_at = self.skip(if matches!(after, Sense::From) { after_at + 1 } else { after_at });
            if let (Sense::Weekday(weekday), true) = (self.sense(day_at), before != Some(Sense::In)) {
                return self.day(Day::Weekday(weekday, Which::First, u64::from(weeks)), at, day_at + 1);
            }
        }
        let within = matches!(before, Some(Sense::Within)) || self.lead == Some(Lead::To(Bound::Until));
        let reached = matches!(before, Some(Sense::In | Sense::Over | Sense::After | Sense::Within))
            || self.lead == Some(Lead::Between)
            || after == Sense::FromThat;
        if within && !matches!(length, Length::Minutes(_)) {
            self.lead = None;
            return self.day(Day::Span(self.today(), self.after(length)), at, end);
        }
        if !reached {
            self.other();
            return end;
        }
        self.lead = None;
        let end = if after == Sense::FromThat { after_at + 1 } else { end };
        self.reach(at, length, end)
    }

    pub(super) fn reach(&mut self, at: usize, length: Length, end: usize) -> usize {
        let before_in = self.atoms.get(..at).and_then(|atoms| atoms.iter().rposition(|atom| matches!(atom.sense, Sense::In | Sense::Over)));
        let follows_day = before_in.is_some_and(|before| self.beside(before)) && self.last().is_some_and(What::is_day);
        match length {
            Length::Minutes(minutes) => {
                let then = self.now.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(self.now);
                self.day(Day::Date(then.date()), at, end);
                self.push(What::Time(then.hour() * 60 + then.minute(), true), at, end);
                end
            }
            // "Freitag in acht Tagen" is a week on.
            Length::Days(days @ (7 | 8 | 14 | 15)) if follows_day => {
                self.weeks_after(u64::from(days / 7));
                self.end = end;
                end
            }
            Length::Weeks(weeks) if follows_day => {
                self.weeks_after(u64::from(weeks));
                self.end = end;
                end
            }
            Length::Days(_) => self.day(Day::Date(self.after(length)), at, end),
            Length::Weeks(_) | Length::Months(_) => {
                let (monday, sunday) = week_of(self.after(length));
                self.day(Day::Span(monday.max(self.today()), sunday), at, end)
            }
        }
    }

    pub(super) fn of_last_time(&mut self, bound: Bound) {
        if let Some(last) = self.items.list.iter_mut().rev().find(|item| matches!(item.what, What::Time(..))) {
            last.bound = bound;
        }
    }

    pub(super) fn shift(&mut self, at: usize, later: bool) {
        // "At five or later".
        let or = at.checked_sub(1).is_some_and(|before| self.sense(before) == Sense::Or) && self.end + 1 == at;
        if or && matches!(self.last(), Some(What::Time(..) | What::Half(_))) {
            self.of_last_time(if later { Bound::From } else { Bound::Until });
            return;
        }
        let mut length_at = self.skip(at + 1);
        if matches!(self.sense(length_at), Sense::At | Sense::Until | Sense::In | Sense::For) {
            length_at = self.skip(length_at + 1);
        }
        let by = self.length(length_at).map(|(length, _)| amount(length));
        let before = self.items.shift.and_then(|shift| shift.by);
        self.items.shift = Some(Shift { later, by: by.or(before) });
    }
}

fn amount(length: Length) -> Amount {
    match length {
        Length::Minutes(minutes) => Amount::Minutes(i64::from(minutes)),
        Length::Days(days) => Amount::Days(i64::from(days)),
        Length::Weeks(weeks) => Amount::Days(7 * i64::from(weeks)),
        Length::Months(months) => Amount::Days(28 * i64::from(months)),
    }
}
