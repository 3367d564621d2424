//! Reads atoms as the days, times and bounds they name, in the order they were said.

mod days;
mod refusals;
mod times;

use chrono::{Days, NaiveDate, NaiveDateTime, Weekday};

use super::atoms::Atom;
use super::clock::clock;
use super::words::{Case, ENGLISH, FRENCH, PORTUGUESE, Piece, SPANISH, Sense};
use super::{Amount, LikeLast, Part, Shift};
use days::pieces;

/// Which day of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The first ahead, today if that may be.
    First,
    /// The first after today.
    Coming,
    /// Of so many calendar weeks on.
    WeeksOn(u64),
}

/// Days, as they were named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    Date(NaiveDate),
    /// A day by how far it is: "tomorrow".
    Near(NaiveDate),
    /// A day of a month that was not named.
    OfMonth(u32),
    /// A weekday, and how many weeks after it.
    Weekday(Weekday, Which, u64),
    Each(Weekday),
    Weekend(Which),
    Weekends,
    WorkDays,
    Span(NaiveDate, NaiveDate),
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Day(Day),
    /// Minutes since midnight, and whether the half of the day is certain.
    Time(u32, bool),
    Part(Part),
    /// A part of the day that only tells the half of the day of the time before it.
    Half(Part),
}

impl What {
    fn is_day(self) -> bool {
        matches!(self, Self::Day(_))
    }
}

/// How a wish lies to a day or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    On,
    From,
    After,
    Before,
    Until,
}

/// What stands between two items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Joint {
    /// Nothing: they are of one wish.
    Close,
    /// A comma, or the end of a sentence: they may be.
    Comma,
    /// "Or", "and": each is a wish.
    Or,
}

/// A day or a time that was named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) what: What,
    pub(super) bound: Bound,
    /// What stands between it and the one before.
    pub(super) joint: Joint,
    pub(super) refused: bool,
    pub(super) clause: usize,
    at: usize,
}

/// All that was said.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) list: Vec<Item>,
    pub(super) like_last: Option<LikeLast>,
    pub(super) shift: Option<Shift>,
    pub(super) soonest: bool,
}

/// What a word leads to, if a day or a time comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    At,
    About,
    Between,
    To(Bound),
}

/// A length of time.
#[derive(Debug, Clone, Copy)]
enum Length {
    Minutes(u32),
    Days(u32),
    Weeks(u32),
    Months(u32),
}

/// Reads the items; `None` if what was named does not exist.
pub(super) fn items(atoms: &[Atom], now: NaiveDateTime) -> Option<Items> {
    let reader = Reader {
        atoms,
        now,
        items: Items::default(),
        lead: None,
        second: false,
        joint: Joint::Close,
        clause: 0,
        refusals: Vec::new(),
        which: None,
        every: false,
        drop: false,
        piece: None,
        moved: false,
        week_of: false,
        end: 0,
    };
    reader.read()
}

#[expect(clippy::struct_excessive_bools, reason = "each is one word that waits for what it belongs to")]
struct Reader<'a> {
    atoms: &'a [Atom],
    now: NaiveDateTime,
    items: Items,
    lead: Option<Lead>,
    /// The second of two that something is between is to come.
    second: bool,
    joint: Joint,
    clause: usize,
    /// Where a "not" stands, and in which clause.
    refusals: Vec<(usize, usize)>,
    which: Option<Which>,
    every: bool,
    /// The next day is named only to say what it is not.
    drop: bool,
    piece: Option<Piece>,
    /// An appointment is to be moved.
    moved: bool,
    week_of: bool,
    /// The atom after the last item.
    end: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Option<Items> {
        let mut at = 0;
        while at < self.atoms.len() {
            at = self.step(at)?.max(at + 1);
        }
        self.refuse();
        if self.moved {
            self.arrive();
        }
        Some(self.items)
    }

    fn sense(&self, at: usize) -> Sense {
        self.atoms.get(at).map_or(Sense::Stop, |atom| atom.sense)
    }

    fn language(&self, at: usize) -> Option<usize> {
        self.atoms.get(at).and_then(|atom| atom.language)
    }

    /// The first atom from a place on that is not an article or a filler.
    fn skip(&self, mut at: usize) -> usize {
        while matches!(self.sense(at), Sense::The | Sense::TheDay | Sense::Of | Sense::Filler | Sense::Around) && at < self.atoms.len() {
            at += 1;
        }
        at
    }

    /// The last sense before a place that is not an article or a filler.
    fn before(&self, at: usize) -> Option<Sense> {
        let skipped = |sense: &Sense| matches!(sense, Sense::The | Sense::TheDay | Sense::Of | Sense::Filler | Sense::Around);
        self.atoms.get(..at)?.iter().rev().map(|atom| atom.sense).find(|sense| !skipped(sense))
    }

    /// Nothing but articles and fillers stands between the last item and a place.
    fn beside(&self, at: usize) -> bool {
        let between = self.atoms.get(self.end..at).unwrap_or_default();
        !self.items.list.is_empty()
            && between.iter().all(|atom| {
                matches!(atom.sense, Sense::The | Sense::TheDay | Sense::Of | Sense::Filler | Sense::Comma | Sense::Case(_) | Sense::Around)
            })
    }

    fn last(&self) -> Option<What> {
        self.items.list.last().map(|item| item.what)
    }

    fn push(&mut self, what: What, at: usize, end: usize) {
        let bound = match self.lead.take() {
            None | Some(Lead::At | Lead::About) => Bound::On,
            Some(Lead::Between) => {
                self.second = true;
                Bound::From
            }
            Some(Lead::To(bound)) => bound,
        };
        self.end = end;
        self.which = None;
        if what.is_day() && std::mem::take(&mut self.drop) {
            return;
        }
        let joint = std::mem::replace(&mut self.joint, Joint::Close);
        self.items.list.push(Item { what, bound, joint, refused: false, clause: self.clause, at });
    }

    fn day(&mut self, day: Day, at: usize, end: usize) -> usize {
        self.every = false;
        let day = match day {
            Day::Date(date) if std::mem::take(&mut self.week_of) => {
                let (monday, sunday) = week_of(date);
                Day::Span(if sunday < self.today() { monday } else { monday.max(self.today()) }, sunday)
            }
            day => day,
        };
        self.push(What::Day(day), at, end);
        end
    }

    fn today(&self) -> NaiveDate {
        self.now.date()
    }

    fn days_on(&self, days: u64) -> NaiveDate {
        self.today().checked_add_days(Days::new(days)).unwrap_or(self.today())
    }

    /// The calendar week so many weeks on, without what is over of it.
    fn week(&self, on: u64) -> Day {
        let (monday, sunday) = week_of(self.days_on(7 * on));
        Day::Span(monday.max(self.today()), sunday)
    }

    /// A week or a month, or the piece of it that is meant; `None` if that is over.
    fn span(&mut self, day: Day, at: usize, end: usize) -> Option<usize> {
        let piece = self.piece.take();
        let (Day::Span(from, to), Some(piece)) = (day, piece) else { return Some(self.day(day, at, end)) };
        let (first, last) = pieces(from, to, piece)?;
        if last < self.today() {
            return None;
        }
        Some(self.day(Day::Span(first.max(self.today()), last), at, end))
    }

    /// Takes what stands at a place; where to go on.
    fn step(&mut self, at: usize) -> Option<usize> {
        let next = at + 1;
        match self.sense(at) {
            Sense::Day(days) => return Some(self.day(Day::Near(self.days_on(days)), at, next)),
            Sense::DayPart(days, part) => {
                self.day(Day::Near(self.days_on(days)), at, next);
                self.push(What::Part(part), at, next);
            }
            Sense::Morgen => return Some(self.morgen(at)),
            Sense::Weekday(weekday) => return Some(self.weekday(at, weekday)),
            Sense::Short(weekday) => {
                if self.short(at) {
                    return Some(self.weekday(at, weekday));
                }
                if self.language(at) == Some(ENGLISH) {
                    self.other();
                }
            }
            Sense::Each(weekday) => return Some(self.day(Day::Each(weekday), at, next)),
            Sense::Weekend => return Some(self.weekend(at)),
            Sense::Weekends => return Some(self.day(Day::Weekends, at, next)),
            Sense::WorkDays => return Some(self.day(Day::WorkDays, at, next)),
            Sense::FewDays => return Some(self.day(Day::Span(self.today(), self.days_on(6)), at, next)),
            Sense::Month(month) => return self.month(at, month, true),
            Sense::ShortMonth(month) => return self.month(at, month, false),
            Sense::Next | Sense::AfterNext | Sense::Coming | Sense::This => return self.which(at),
            Sense::Past => return Some(self.past(at)),
            Sense::Every => self.every = true,
            Sense::Week => return self.week_word(at),
            Sense::NumberedWeek => return self.numbered_week(at),
            Sense::NextWeek => {
                if matches!(self.sense(next), Sense::Weekday(_)) {
                    self.which = Some(Which::WeeksOn(1));
                } else {
                    return self.span(self.week(1), at, next);
                }
            }
            Sense::WeekOn(weeks) => return self.span(self.week(weeks), at, next),
            Sense::Piece(piece) => self.piece = Some(piece),
            Sense::WeeksOn(weeks) => self.weeks_after(weeks),
            // "Until six in the afternoon": of the time before it.
            Sense::Part(part) if matches!(self.last(), Some(What::Time(..))) && self.lead.is_none() && self.beside(at) => {
                self.push(What::Half(part), at, next);
            }
            Sense::Part(part) => {
                match self.piece.take() {
                    Some(Piece::Begin) => self.push(What::Part(Part::Early), at, next),
                    Some(Piece::End) => self.push(What::Part(Part::Late), at, next),
                    _ => {}
                }
                self.push(What::Part(part), at, next);
            }
            Sense::DayMonth(day, month) => return Some(self.day(Day::Date(self.next_date(day, month)?), at, next)),
            Sense::Date(date) => return Some(self.day(Day::Date(date), at, next)),
            Sense::Ordinal(number) => return self.ordinal(at, number),
            Sense::Dotted(number) => return self.dotted(at, number),
            Sense::Number(number) => return self.number(at, number),
            Sense::Pair(one, two, dot) => return self.pair(at, one, two, dot),
            // "Lundi midi" is lunch time; "à midi" is not.
            Sense::Noon if self.language(at) == Some(FRENCH) && self.lead.is_none() && self.lunches(at) => {
                self.push(What::Part(Part::Lunch), at, next);
            }
            Sense::Clock(..) | Sense::Noon | Sense::Midnight | Sense::Fraction(_) => {
                if let Some(clock) = clock(self.atoms, at, true) {
                    return Some(self.clock(at, clock));
                }
            }
            Sense::One | Sense::Span(_) | Sense::Hours(..) => return Some(self.length_or_clock(at)),
            Sense::MinutesPast => self.push(What::Part(Part::Evening), at, next),
            sense => self.sign(at, sense),
        }
        Some(next)
    }

    /// Takes a word that names no day and no time itself.
    fn sign(&mut self, at: usize, sense: Sense) {
        match sense {
            Sense::After | Sense::Before if self.ends(at) && self.romance(at) => {
                self.items.shift = self.items.shift.or(Some(Shift { later: sense == Sense::After, by: None }));
            }
            Sense::After => self.lead = Some(Lead::To(Bound::After)),
            Sense::Before => self.lead = Some(Lead::To(Bound::Before)),
            Sense::From => self.lead = Some(Lead::To(Bound::From)),
            Sense::Between => self.lead = Some(Lead::Between),
            Sense::Until | Sense::To | Sense::Dash => self.until(at, sense),
            Sense::At => self.at(at),
            Sense::TheDay if self.weekdays_around(at) => self.range(),
            Sense::HourWord if clock(self.atoms, at + 1, false).is_some() => self.at(at),
            Sense::Around => self.lead = self.lead.or(Some(Lead::About)),
            Sense::And | Sense::Or | Sense::Slash => {
                self.joint = Joint::Or;
                if std::mem::take(&mut self.second) {
                    self.lead = Some(Lead::To(Bound::Until));
                }
            }
            Sense::Comma => {
                self.joint = self.joint.max(Joint::Comma);
                self.clause += 1;
            }
            Sense::Stop | Sense::But => {
                self.other();
                self.second = false;
                self.joint = self.joint.max(Joint::Comma);
                self.clause += 1;
            }
            Sense::Not | Sense::Minus => self.refusals.push((at, self.clause)),
            Sense::No if self.ends(at) => self.refusals.push((at, self.clause)),
            Sense::Instead => self.drop = true,
            Sense::InsteadOfThat if self.last().is_some_and(What::is_day) && self.beside(at) => {
                self.items.list.pop();
            }
            Sense::Case(case) => self.case(at, case),
            Sense::FromThat | Sense::BeforeThat | Sense::UntilThat => self.case(at - usize::from(at > 0), Case::Other),
            Sense::AfterThat => self.of_last_time(Bound::From),
            Sense::Move => {
                self.moved = true;
                self.other();
            }
            Sense::BetweenThose => {
                if let [.., first, second] = self.items.list.as_mut_slice() {
                    (first.bound, second.bound) = (Bound::From, Bound::Until);
                }
            }
            Sense::Later | Sense::Earlier => self.shift(at, sense == Sense::Later),
            Sense::LikeLast => self.items.like_last = Some(LikeLast::DayAndTime),
            Sense::SameTime => self.items.like_last = self.items.like_last.or(Some(LikeLast::Time)),
            Sense::Soonest => self.items.soonest = true,
            Sense::Other | Sense::Counted | Sense::For | Sense::Unit(_) => self.other(),
            _ => {}
        }
    }

    /// Another word: what stood before it leads to nothing.
    fn other(&mut self) {
        if self.lead != Some(Lead::Between) {
            self.lead = None;
        }
        self.which = None;
        self.every = false;
        self.piece = None;
    }

    /// Nothing of the clause comes after a word.
    fn ends(&self, at: usize) -> bool {
        let next = self.sense(self.skip(at + 1));
        self.sense(at + 1) == Sense::Filler || matches!(next, Sense::Stop | Sense::Comma | Sense::But | Sense::Or | Sense::And | Sense::For)
    }

    fn romance(&self, at: usize) -> bool {
        self.language(at).is_some_and(|language| (SPANISH..=PORTUGUESE).contains(&language))
    }

    /// Makes the last item the start of a range that ends with the next.
    fn range(&mut self) {
        let last = self.items.list.iter_mut().rev().find(|item| !matches!(item.what, What::Half(_)));
        if let Some(last) = last.filter(|last| last.bound == Bound::On) {
            last.bound = Bound::From;
        }
        self.lead = Some(Lead::To(Bound::Until));
        self.second = false;
    }

    /// What follows is a time, or a day, as the last item is.
    fn alike(&self, at: usize) -> bool {
        let next = self.skip(at + 1);
        match self.last() {
            Some(What::Time(..) | What::Half(_)) => clock(self.atoms, next, false).is_some() && self.beside(at),
            Some(What::Day(_)) => self.names_day(next) && self.beside(at),
            Some(What::Part(_)) => matches!(self.sense(next), Sense::Part(_)) && self.beside(at),
            None => false,
        }
    }

    fn names_day(&self, at: usize) -> bool {
        match self.sense(at) {
            Sense::Day(_)
            | Sense::Weekday(_)
            | Sense::Short(_)
            | Sense::Ordinal(_)
            | Sense::Dotted(_)
            | Sense::DayMonth(..)
            | Sense::Date(_)
            | Sense::Morgen
            | Sense::Month(_)
            | Sense::Pair(_, _, true) => true,
            Sense::Number(number) => {
                number <= 31
                    && (matches!(self.sense(self.skip(at + 1)), Sense::Month(_) | Sense::ShortMonth(_))
                        || matches!(self.last(), Some(What::Day(Day::OfMonth(_))))
                            && matches!(self.sense(at - 1), Sense::TheDay | Sense::Until))
            }
            _ => false,
        }
    }

    fn until(&mut self, at: usize, sense: Sense) {
        if self.alike(at) {
            self.range();
        } else if sense == Sense::Until {
            self.lead = Some(Lead::To(Bound::Until));
            self.second = false;
        } else if sense == Sense::Dash {
            self.joint = self.joint.max(Joint::Comma);
        }
    }

    fn at(&mut self, at: usize) {
        let from = self.items.list.last().is_some_and(|last| matches!(last.bound, Bound::On | Bound::From));
        let timed = matches!(self.last(), Some(What::Time(..) | What::Half(_))) && self.end == at;
        if from && timed && clock(self.atoms, self.skip(at + 1), false).is_some() || self.weekdays_around(at) {
            self.range();
        } else {
            self.lead = self.lead.filter(|lead| *lead != Lead::About).or(Some(Lead::At));
        }
    }

    /// "Lunes a viernes", "lundi au vendredi".
    fn weekdays_around(&self, at: usize) -> bool {
        self.end == at
            && matches!(self.last(), Some(What::Day(Day::Weekday(..))))
            && matches!(self.sense(self.skip(at + 1)), Sense::Weekday(_))
    }

    /// A Turkish ending and what stands after it.
    fn case(&mut self, at: usize, case: Case) {
        let follows = self.end == at || self.end == at + 1;
        let next = self.sense(at + 1);
        let Some(last) = self.items.list.last_mut().filter(|_| follows) else { return };
        let day = last.what.is_day();
        last.bound = match (case, next) {
            (Case::At, _) => return,
            (Case::From, Sense::FromThat) if day => Bound::After,
            (_, Sense::BeforeThat) => Bound::Before,
            (_, Sense::UntilThat) => Bound::Until,
            (_, Sense::FromThat) | (Case::From, Sense::Number(_) | Sense::Clock(..) | Sense::Weekday(_)) => Bound::From,
            (Case::To, _) if matches!(self.items.list.as_slice(), [.., first, _] if first.bound == Bound::From) => {
                if let Some(last) = self.items.list.last_mut() {
                    last.bound = Bound::Until;
                }
                self.end = at + 1;
                return;
            }
            _ => {
                self.end = at + 1;
                return;
            }
        };
        self.end = at + 1;
    }
}

/// Monday and Sunday of a day's week.
pub(super) fn week_of(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let week = day.week(Weekday::Mon);
    (week.checked_first_day().unwrap_or(day), week.checked_last_day().unwrap_or(day))
}
