//! Days: weekdays, weeks, months and dates.

use chrono::{Datelike as _, Days, Months, NaiveDate, TimeDelta, Weekday};

use super::super::clock::clock;
use super::super::words::{Case, DUTCH, ENGLISH, GERMAN, Piece, Sense, TURKISH, Unit};
use super::{Day, Item, Joint, Lead, Length, Part, Reader, What, Which, week_of};

impl Reader<'_> {
    pub(super) fn morgen(&mut self, at: usize) -> usize {
        let after_day = self.end == at && self.last().is_some_and(What::is_day);
        if after_day || self.every {
            self.every = false;
            self.push(What::Part(Part::Morning), at, at + 1);
            at + 1
        } else {
            self.day(Day::Near(self.days_on(1)), at, at + 1)
        }
    }

    /// Noon stands beside a day, and nothing counts from it.
    pub(super) fn lunches(&self, at: usize) -> bool {
        let counts =
            matches!(self.sense(at + 1), Sense::Plus(_) | Sense::At | Sense::Until | Sense::Dash | Sense::Minus | Sense::Number(_));
        self.beside(at) && self.last().is_some_and(What::is_day) && !counts
    }

    /// Letters are a weekday only beside what goes with one.
    pub(super) fn short(&self, at: usize) -> bool {
        let (before, after) = (at.checked_sub(1).map(|before| self.sense(before)), self.sense(at + 1));
        let joint =
            |sense: Sense| matches!(sense, Sense::Dash | Sense::Slash | Sense::And | Sense::Or | Sense::Until | Sense::Comma | Sense::At);
        let chained = before.is_some_and(joint) && self.last().is_some_and(What::is_day) && self.end + 1 == at
            || joint(after) && matches!(self.sense(at + 2), Sense::Short(_) | Sense::Weekday(_));
        let two_letters = matches!(self.language(at), Some(GERMAN | DUTCH));
        let numbered = matches!(
            after,
            Sense::Number(_)
                | Sense::Dotted(_)
                | Sense::Clock(..)
                | Sense::Pair(..)
                | Sense::DayMonth(..)
                | Sense::Part(_)
                | Sense::Ordinal(_)
                | Sense::Date(_)
        ) || matches!(after, Sense::At | Sense::From | Sense::After | Sense::Before | Sense::Between | Sense::Until);
        // German "so" is rather "so".
        let numbered = numbered && !(two_letters && self.sense(at) == Sense::Short(Weekday::Sun));
        let alone = self.atoms.len() <= 2;
        let free = !matches!(after, Sense::Other | Sense::The | Sense::Counted | Sense::Unit(_));
        chained || numbered || alone || self.which.is_some() || !two_letters && free
    }

    pub(super) fn weekday(&mut self, at: usize, weekday: Weekday) -> usize {
        let mut which = self.which.or_else(|| self.chained_which()).unwrap_or(Which::First);
        let mut end = at + 1;
        let after = self.skip(end);
        match self.sense(after) {
            Sense::Past if self.language(after) != Some(TURKISH) => return after + 1,
            Sense::Coming if self.sense(self.skip(after + 1)) != Sense::Week => (which, end) = (Which::Coming, after + 1),
            // "Friday week".
            Sense::Week if self.language(after) == Some(ENGLISH) && self.which.is_none() && end == after => {
                return self.day(Day::Weekday(weekday, Which::First, 1), at, after + 1);
            }
            _ => {}
        }
        if self.every {
            return self.day(Day::Each(weekday), at, end);
        }
        let end = self.day(Day::Weekday(weekday, which, 0), at, end);
        self.numbered_weekday(weekday, end)
    }

    /// "Next Tuesday or Thursday": both.
    pub(super) fn chained_which(&self) -> Option<Which> {
        let last = self.items.list.last().filter(|_| self.joint > Joint::Close)?;
        match last.what {
            What::Day(Day::Weekday(_, which @ Which::WeeksOn(_), _)) => Some(which),
            _ => None,
        }
    }

    /// "Friday 27": the day of the month, if that is a Friday.
    pub(super) fn numbered_weekday(&mut self, weekday: Weekday, at: usize) -> usize {
        let number_at = self.skip(at);
        let (Sense::Number(number) | Sense::Dotted(number)) = self.sense(number_at) else { return at };
        let after = self.skip(number_at + 1);
        let taken = matches!(
            self.sense(after),
            Sense::Month(_)
                | Sense::ShortMonth(_)
                | Sense::Unit(_)
                | Sense::Counted
                | Sense::HourWord
                | Sense::Case(_)
                | Sense::Part(_)
                | Sense::Until
                | Sense::Dash
                | Sense::To
        );
        let plain = clock(self.atoms, number_at, false).is_some_and(|clock| clock.plain);
        let fits = (0..3).filter_map(|months| self.of_month(number, months)).any(|date| date.weekday() == weekday);
        if taken || plain || !fits { at } else { self.day(Day::OfMonth(number), number_at, number_at + 1) }
    }

    pub(super) fn weekend(&mut self, at: usize) -> usize {
        let after = self.skip(at + 1);
        let which = self.which.take().unwrap_or(Which::First);
        match self.sense(after) {
            Sense::Past if self.language(after) != Some(TURKISH) => after + 1,
            Sense::Coming => self.day(Day::Weekend(Which::Coming), at, after + 1),
            _ => self.day(Day::Weekend(which), at, at + 1),
        }
    }

    pub(super) fn which(&mut self, at: usize) -> Option<usize> {
        let weeks = match self.sense(at) {
            Sense::Next => Some(1),
            Sense::AfterNext => Some(2),
            Sense::Coming => None,
            _ => Some(0),
        };
        let noun = self.skip(at + 1);
        match self.sense(noun) {
            Sense::Week => return self.span(self.week(weeks.unwrap_or(1)), at, noun + 1),
            Sense::Unit(Unit::Months) => return self.span(self.whole_month(self.today(), u32::from(weeks != Some(0)))?, at, noun + 1),
            // "The next two weeks".
            Sense::Number(_) if weeks != Some(0) => {
                if let Some((length @ (Length::Days(_) | Length::Weeks(_)), end)) = self.length(noun) {
                    return Some(self.day(Day::Span(self.today(), self.after(length)), at, end));
                }
            }
            _ => {}
        }
        self.which = Some(match weeks {
            Some(0) => Which::First,
            Some(weeks) => Which::WeeksOn(weeks),
            None => Which::Coming,
        });
        Some(at + 1)
    }

    /// What is over is no wish: "I was there last Friday".
    pub(super) fn past(&self, at: usize) -> usize {
        let noun = self.skip(at + 1);
        let over = matches!(
            self.sense(noun),
            Sense::Weekday(_) | Sense::Week | Sense::Weekend | Sense::Unit(_) | Sense::Month(_) | Sense::Part(_)
        );
        if over { noun + 1 } else { at + 1 }
    }

    pub(super) fn week_word(&mut self, at: usize) -> Option<usize> {
        let after = self.skip(at + 1);
        match self.sense(after) {
            Sense::Coming => return self.span(self.week(1), at, after + 1),
            Sense::Past if self.language(after) != Some(TURKISH) => return Some(after + 1),
            Sense::Number(1..=53) if matches!(self.language(at), Some(ENGLISH | DUTCH)) && after == at + 1 => {
                return self.numbered_week(at);
            }
            // "In der Woche vom 7.12."
            Sense::DayMonth(..) | Sense::Date(_) | Sense::Pair(..) => self.week_of = true,
            _ => {}
        }
        Some(at + 1)
    }

    pub(super) fn numbered_week(&mut self, at: usize) -> Option<usize> {
        let Sense::Number(week @ 1..=53) = self.sense(at + 1) else { return Some(at + 1) };
        let year = self.today().iso_week().year();
        let monday = (year..=year + 1)
            .filter_map(|year| NaiveDate::from_isoywd_opt(year, week, Weekday::Mon))
            .find(|monday| week_of(*monday).1 >= self.today())?;
        Some(self.day(Day::Span(monday.max(self.today()), week_of(monday).1), at, at + 2))
    }

    /// "Vendredi en huit": so many weeks after the day before it.
    pub(super) fn weeks_after(&mut self, weeks: u64) {
        if let Some(Item { what: What::Day(day), .. }) = self.items.list.last_mut() {
            match day {
                Day::Weekday(_, _, on) => *on += weeks,
                Day::Date(date) | Day::Near(date) => *date = date.checked_add_days(Days::new(7 * weeks)).unwrap_or(*date),
                _ => {}
            }
        }
    }

    /// The next such date, today at the earliest.
    pub(super) fn next_date(&self, day: u32, month: u32) -> Option<NaiveDate> {
        let year = self.today().year();
        (year..=year + 8).filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).find(|date| *date >= self.today())
    }

    /// A day of the month so many months on.
    pub(super) fn of_month(&self, day: u32, months: u32) -> Option<NaiveDate> {
        self.today().with_day(1)?.checked_add_months(Months::new(months))?.with_day(day).filter(|date| *date >= self.today())
    }

    /// The month so many months after that of a day, without what is over of it.
    pub(super) fn whole_month(&self, day: NaiveDate, on: u32) -> Option<Day> {
        let first = day.with_day(1)?.checked_add_months(Months::new(on))?;
        let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
        let piece = self.piece.is_some();
        Some(Day::Span(if piece || last < self.today() { first } else { first.max(self.today()) }, last))
    }

    /// A year behind a date, and the atom after it.
    pub(super) fn year(&self, at: usize) -> Option<(i32, usize)> {
        let at = if self.sense(at) == Sense::Comma { at + 1 } else { self.skip(at) };
        match self.sense(at) {
            Sense::Number(year @ 1900..=2100) => Some((i32::try_from(year).ok()?, at + 1)),
            _ => None,
        }
    }

    pub(super) fn dated(&self, day: u32, month: u32, at: usize) -> Option<(NaiveDate, usize)> {
        match self.year(at) {
            Some((year, end)) => Some((NaiveDate::from_ymd_opt(year, month, day)?, end)),
            None => Some((self.next_date(day, month)?, at)),
        }
    }

    pub(super) fn month(&mut self, at: usize, month: u32, name: bool) -> Option<usize> {
        let number_at = self.skip(at + 1);
        let clocked =
            matches!(self.sense(number_at + 1), Sense::OClock | Sense::Am | Sense::Pm | Sense::HourWord | Sense::Counted | Sense::Unit(_));
        if let Sense::Number(day @ 1..=31) | Sense::Ordinal(day @ 1..=31) | Sense::Dotted(day @ 1..=31) = self.sense(number_at)
            && !clocked
            && self.before(at) != Some(Sense::In)
        {
            let (date, end) = self.dated(day, month, number_at + 1)?;
            return Some(self.day(Day::Date(date), at, end));
        }
        if let Some((year, end)) = self.year(at + 1) {
            let first = NaiveDate::from_ymd_opt(year, month, 1)?;
            let span = self.whole_month(first, 0)?;
            return self.span(span, at, end);
        }
        let before = self.before(at);
        // "March" and "may" are months, too, where nothing else can be.
        let placed = matches!(before, Some(Sense::In | Sense::Piece(_)))
            || before == Some(Sense::At) && self.romance(at)
            || self.piece.is_some()
            || self.which.is_some();
        let led = matches!(self.lead, Some(Lead::To(_) | Lead::Between))
            || matches!(before, None | Some(Sense::Or | Sense::And | Sense::Stop | Sense::Comma));
        if !placed && !(name && (led || self.the_month(at))) {
            self.other();
            return Some(at + 1);
        }
        let this = NaiveDate::from_ymd_opt(self.today().year(), month, 1).filter(|_| month == self.today().month());
        let first = this.or_else(|| self.next_date(1, month))?;
        let span = self.whole_month(first, 0)?;
        self.span(span, at, at + 1)
    }

    /// An article or a weekday before a month.
    pub(super) fn the_month(&self, at: usize) -> bool {
        at > 0
            && (matches!(self.sense(at - 1), Sense::The | Sense::Of | Sense::TheDay)
                || self.end == at
                || matches!(self.sense(at + 1), Sense::Case(Case::At)))
    }

    /// "27 March", "27. März", "3 al 5 de diciembre": the month of a number, where it stands, and the joint that led there.
    pub(super) fn month_of(&self, number_at: usize) -> Option<(u32, usize, Option<usize>)> {
        let next = self.skip(number_at + 1);
        if let Sense::Month(month) | Sense::ShortMonth(month) = self.sense(next) {
            return Some((month, next, None));
        }
        let joint = matches!(
            self.sense(number_at + 1),
            Sense::Dash | Sense::Until | Sense::To | Sense::And | Sense::Or | Sense::At | Sense::TheDay | Sense::Slash
        );
        let other = self.skip(number_at + 2);
        let numbered = matches!(self.sense(other), Sense::Number(1..=31) | Sense::Ordinal(_) | Sense::Dotted(_));
        let month_at = self.skip(other + 1);
        match self.sense(month_at) {
            Sense::Month(month) | Sense::ShortMonth(month) if joint && numbered => Some((month, month_at, Some(number_at + 1))),
            _ => None,
        }
    }

    /// A date that begins with a number; `None` if it does not exist, the place itself if there is none.
    pub(super) fn dated_number(&mut self, at: usize, number: u32) -> Option<usize> {
        if !(1..=31).contains(&number) {
            return Some(at);
        }
        let Some((month, month_at, joint)) = self.month_of(at) else { return Some(at) };
        let Some(joint) = joint else {
            let (date, end) = self.dated(number, month, month_at + 1)?;
            return Some(self.day(Day::Date(date), at, end));
        };
        let (date, _) = self.dated(number, month, month_at + 1)?;
        self.day(Day::Date(date), at, at + 1);
        if matches!(self.sense(joint), Sense::At | Sense::TheDay) {
            self.range();
            return Some(joint + 1);
        }
        Some(joint)
    }

    pub(super) fn ordinal(&mut self, at: usize, number: u32) -> Option<usize> {
        let feira = if self.sense(at + 1) == Sense::Dash { at + 2 } else { at + 1 };
        if self.sense(feira) == Sense::Feira {
            let day = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
            let day = number.checked_sub(2).and_then(|number| usize::try_from(number).ok()).and_then(|number| day.get(number));
            return Some(day.map_or(feira + 1, |day| self.day(Day::Weekday(*day, Which::First, 0), at, feira + 1)));
        }
        let end = self.dated_number(at, number)?;
        if end > at {
            return Some(end);
        }
        let article = at.checked_sub(1).is_some_and(|before| matches!(self.sense(before), Sense::The | Sense::TheDay | Sense::Of));
        let led = article || self.lead.is_some() || self.second || self.beside(at);
        let free = !matches!(self.sense(at + 1), Sense::Counted | Sense::Unit(_));
        let digits = self.language(at).is_none();
        if digits && free && (led || !matches!(self.sense(at + 1), Sense::Other)) {
            return Some(self.day(Day::OfMonth(number), at, at + 1));
        }
        self.other();
        Some(at + 1)
    }

    /// "Am 27.", "um 17." at the end.
    pub(super) fn dotted(&mut self, at: usize, number: u32) -> Option<usize> {
        let end = self.dated_number(at, number)?;
        if end > at {
            return Some(end);
        }
        if clock(self.atoms, at, true).is_some_and(|clock| clock.plain) {
            return self.number(at, number);
        }
        let article = at.checked_sub(1).is_some_and(|before| self.sense(before) == Sense::TheDay);
        let last = at + 1 >= self.atoms.len();
        let led = matches!(self.lead, Some(Lead::To(_) | Lead::Between)) && (!last || number > 24 || self.last_is_of_month());
        if article || led {
            return Some(self.day(Day::OfMonth(number), at, at + 1));
        }
        let end = self.number(at, number)?;
        self.lead = None;
        self.clause += 1;
        Some(end)
    }

    pub(super) fn last_is_of_month(&self) -> bool {
        matches!(self.last(), Some(What::Day(Day::OfMonth(_))))
    }
}

/// The days of a piece of a week or a month.
pub(super) fn pieces(from: NaiveDate, to: NaiveDate, piece: Piece) -> Option<(NaiveDate, NaiveDate)> {
    let month = to.signed_duration_since(from) > TimeDelta::days(7);
    let first = if month { from.with_day(1)? } else { week_of(to).0 };
    let (start, end) = match (month, piece) {
        (true, Piece::Begin) => (0, 9),
        (true, Piece::Middle) => (10, 19),
        (true, Piece::End) => (20, 30),
        (false, Piece::Begin) => (0, 1),
        (false, Piece::Middle) => (1, 3),
        (false, Piece::End) => (3, 5),
    };
    let on = |days: u64| first.checked_add_days(Days::new(days));
    Some((on(start)?, on(end)?.min(to)))
}
