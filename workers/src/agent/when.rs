//! What a customer's words say of a time: "next Friday after work", "Samstag früh", "mañana a las 5". A pure reader of words in eight languages; what they
//! come to in a shop's diary is [`crate::diary`]'s affair. Whatever is proposed of it is shown with its date in words before anything is booked, so a
//! reading may be the likelier of two.
//!
//! - A weekday is the first that comes, today if it is today. "Next Friday" is that of the week after this one, as most speakers of English, German, Dutch
//!   and Turkish mean it; "viernes próximo", "vendredi prochain" and the like are the first that comes.
//! - A day of the month without a month, or without a year, is the next such one.
//! - Hours from one to six without am or pm are after noon: shops are open then.

mod words;

use std::sync::LazyLock;

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use regex::Regex;

use crate::agent::guard::plain_text;
use words::KNOWN;

/// What words say of a time, on the shop's own calendar and clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The first and the last day that are meant; `None`: no day was named.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Only these days of the week; empty: any.
    pub weekdays: Vec<Weekday>,
    /// The time of day; `None`: none was named.
    pub time: Option<TimeOfDay>,
    /// As an appointment they had.
    pub like_last: Option<LikeLast>,
    /// Later or earlier than what is on the table.
    pub shift: Option<Shift>,
    /// As soon as possible.
    pub soonest: bool,
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOfDay {
    /// Then.
    At(NaiveTime),
    /// From one up to and without another; midnight is the end of the day.
    Between(NaiveTime, NaiveTime),
    /// Then or later.
    From(NaiveTime),
    /// Before then.
    Until(NaiveTime),
}

/// What is to be as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeLast {
    /// Weekday and time.
    DayAndTime,
    /// The time.
    Time,
}

/// From what is on the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Else earlier.
    pub later: bool,
    /// By how much, if that was said.
    pub by: Option<Amount>,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Minutes.
    Minutes(i64),
    /// Days of the calendar.
    Days(i64),
}

/// Characters that are read.
const MOST_CHARS: usize = 500;
/// Words of the longest phrase.
const MOST_WORDS: usize = 9;

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Early,
    Morning,
    Noon,
    Afternoon,
    Evening,
    AfterWork,
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
}

/// What a word or a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Atom {
    /// So many days from now.
    Day(u64),
    Morgen,
    Manana,
    Weekday(Weekday),
    Month(u32),
    Next,
    Coming,
    This,
    Week,
    NextWeek,
    ThisWeek,
    Weekend,
    WorkDays,
    Part(Part),
    TodayIn(Part),
    NotBefore,
    After,
    From,
    Before,
    Until,
    Between,
    And,
    Or,
    At,
    The,
    In,
    /// Turkish: "in" stands after the amount.
    Hence,
    /// Turkish: the word for hour is that for "at", too.
    HoursLater,
    HoursEarlier,
    /// The same for days.
    DaysHence,
    /// Turkish: "from" stands after the time.
    Onwards,
    /// So many minutes.
    Length(i64),
    Fortnight,
    /// Dutch: half an hour before this hour.
    HalfBefore(u32),
    Unit(Unit),
    OClock,
    Am,
    Pm,
    /// German and Dutch: half an hour before.
    HalfTo,
    /// English: half an hour after; Dutch: before.
    Half,
    HalfPast,
    QuarterPast,
    QuarterTo,
    Number(u32),
    /// A number of a day: "27th", "27.".
    Ordinal(u32),
    /// A day without its year.
    DayMonth(u32, u32),
    Date(NaiveDate),
    /// A time; whether the half of the day is certain.
    Clock(NaiveTime, bool),
    SameDayAndTime,
    SameTime,
    Later,
    Earlier,
    Soonest,
    Not,
    /// What numbers count that are no times.
    People,
    /// A date that does not exist.
    Impossible,
    /// Any other word.
    Other,
}

/// Reads them; `None` if they say nothing of a time, or name a day that does not exist.
#[must_use]
pub fn read(words: &str, now: NaiveDateTime, month_first: bool) -> Option<Wish> {
    let atoms = atoms(words, month_first);
    if atoms.contains(&Atom::Impossible) {
        return None;
    }
    let wish = Reader::new(now, &atoms).read()?;
    (wish != Wish::default()).then_some(wish)
}

static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let parts = [
        r"(?P<iso>\d{4}-\d{2}-\d{2})(?:[t ]+(?P<isotime>\d{2}:\d{2}))?(?::\d{2})?",
        // Lengths of digits that are phone numbers.
        r"(?P<long>\+?\d[\d ]{6,}\d)",
        r"(?P<hm>\b\d{1,2}\s?[:h]\s?\d{2})(?:\s?(?P<hmhalf>[ap])\.?\s?m\b\.?)?",
        r"(?P<half>\b\d{1,2}(?:\.\d{2})?)\s?(?P<which>[ap])\.?\s?m\b\.?",
        r"(?P<uhr>\b\d{1,2}(?:\.\d{2})?)(?:\s?(?:uhr|h|uur)|['’][td][ea])\b",
        r"(?P<dmy>\b\d{1,2}(?P<sep>[./])\d{1,2}(?:[./](?P<year>\d{4}|\d{2})\b|\.)?)",
        r"(?P<ord>\b\d{1,2})(?:st|nd|rd|th|er|\.(?:\s|$))",
        r"(?P<num>\d+)",
        r"(?P<word>[\p{L}@]+)",
    ];
    Regex::new(&parts.join("|")).ok()
});

/// The words of a text as phrases know them.
fn words_of(text: &str) -> Vec<String> {
    let plain = plain_text(text).replace('ı', "i");
    plain.split(|c: char| !(c.is_alphabetic() || c == '@')).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A word, or what a number is.
enum Token {
    Word(String),
    Known(Atom),
}

fn atoms(text: &str, month_first: bool) -> Vec<Atom> {
    let text: String = text.chars().take(MOST_CHARS).collect();
    let plain = plain_text(&text).replace('ı', "i");
    let Some(pattern) = TOKEN.as_ref() else { return Vec::new() };
    let mut tokens: Vec<Token> = Vec::new();
    for found in pattern.captures_iter(&plain) {
        if let Some(word) = found.name("word") {
            tokens.extend(apart(word.as_str()).into_iter().map(Token::Word));
        } else if let Some(iso) = found.name("iso") {
            tokens.push(Token::Known(iso.as_str().parse().map_or(Atom::Impossible, Atom::Date)));
            if let Some(time) = found.name("isotime").and_then(|time| clock(time.as_str())) {
                tokens.push(Token::Known(Atom::Clock(time, true)));
            }
        } else {
            tokens.push(Token::Known(number(&found, month_first)));
        }
    }
    phrases(&tokens)
}

fn number(found: &regex::Captures<'_>, month_first: bool) -> Atom {
    let group = |name: &str| found.name(name).map(|group| group.as_str());
    if let Some(time) = group("hm") {
        let exact = group("hmhalf").is_some() || time.starts_with('0');
        return clock(time).map_or(Atom::Other, |time| Atom::Clock(half(time, group("hmhalf")), exact));
    }
    if let Some(time) = group("half") {
        return clock(time).map_or(Atom::Other, |time| Atom::Clock(half(time, group("which")), true));
    }
    if let Some(time) = group("uhr") {
        return clock(time).map_or(Atom::Other, |time| Atom::Clock(time, false));
    }
    if let Some(date) = group("dmy") {
        return day_and_month(date, group("sep") == Some("."), group("year"), month_first);
    }
    let small = |text: &str| text.parse::<u32>().ok();
    match (group("ord").and_then(small), group("num").and_then(small)) {
        (Some(day @ 1..=31), _) => Atom::Ordinal(day),
        (_, Some(number @ 0..=31)) => Atom::Number(number),
        _ => Atom::Other,
    }
}

/// "27/3", "27.3.", "27.03.2027"; "17.30" is a time.
fn day_and_month(text: &str, dotted: bool, year: Option<&str>, month_first: bool) -> Atom {
    let numbers: Vec<u32> = text.split(['.', '/']).filter_map(|part| part.parse().ok()).collect();
    let (Some(&one), Some(&two)) = (numbers.first(), numbers.get(1)) else { return Atom::Other };
    let month_leads = !dotted && one <= 12 && (month_first || two > 12);
    let (day, month) = if month_leads { (two, one) } else { (one, two) };
    if dotted && year.is_none() && (month > 12 || text.ends_with(".00")) {
        return NaiveTime::from_hms_opt(one, two, 0).map_or(Atom::Other, |time| Atom::Clock(time, false));
    }
    let year = year.and_then(|year| year.parse::<i32>().ok()).map(|year| if year < 100 { 2000 + year } else { year });
    match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day).map_or(Atom::Impossible, Atom::Date),
        None if !(1..=31).contains(&day) || !(1..=12).contains(&month) => Atom::Other,
        // There is a 29th of February now and then.
        None => NaiveDate::from_ymd_opt(2024, month, day).map_or(Atom::Impossible, |_| Atom::DayMonth(day, month)),
    }
}

fn clock(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split([':', 'h', '.']).map(str::trim);
    let hour: u32 = parts.next()?.parse().ok()?;
    let minute: u32 = parts.next().map_or(Some(0), |minute| minute.parse().ok())?;
    NaiveTime::from_hms_opt(hour % 24, minute, 0).filter(|_| hour <= 24)
}

fn half(time: NaiveTime, which: Option<&str>) -> NaiveTime {
    use chrono::Timelike as _;
    let hour = match which {
        Some("p") if time.hour() < 12 => time.hour() + 12,
        Some("a") if time.hour() == 12 => 0,
        _ => time.hour(),
    };
    time.with_hour(hour).unwrap_or(time)
}

/// "freitagabend" is two words.
fn apart(word: &str) -> Vec<String> {
    const DAYS: [&str; 14] = [
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
        "maandag",
        "dinsdag",
        "woensdag",
        "donderdag",
        "vrijdag",
        "zaterdag",
        "zondag",
    ];
    let stem = DAYS.iter().copied().chain(["morgen", "heute"]).find_map(|day| {
        let rest = word.strip_prefix(day)?;
        matches!(KNOWN.get(rest), Some(Atom::Part(_) | Atom::Morgen)).then(|| vec![day.to_owned(), rest.to_owned()])
    });
    stem.unwrap_or_else(|| vec![word.to_owned()])
}

/// The longest known phrases; in long words one slip of the pen is forgiven.
fn phrases(tokens: &[Token]) -> Vec<Atom> {
    let mut atoms = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if let Token::Known(atom) = &tokens[at] {
            atoms.push(*atom);
            at += 1;
            continue;
        }
        let run: Vec<&str> = tokens[at..]
            .iter()
            .take(MOST_WORDS)
            .map_while(|token| if let Token::Word(word) = token { Some(word.as_str()) } else { None })
            .collect();
        let known = (1..=run.len()).rev().find_map(|many| KNOWN.get(&run[..many].join(" ")).map(|atom| (many, *atom)));
        let (many, atom) = known.or_else(|| close(run[0]).map(|atom| (1, atom))).unwrap_or((1, Atom::Other));
        atoms.push(atom);
        at += many;
    }
    atoms
}

fn close(word: &str) -> Option<Atom> {
    if word.chars().count() < 6 {
        return None;
    }
    let near = |known: &str| {
        known.chars().count() >= 6
            && !known.contains(' ')
            && known.chars().next() == word.chars().next()
            && strsim::osa_distance(known, word) <= 1
    };
    let mut found = KNOWN.iter().filter(|(known, _)| near(known)).map(|(_, atom)| *atom);
    let first = found.next()?;
    // Near to two of different meaning is near to none.
    found.all(|other| other == first).then_some(first)
}

/// What stands before a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    At,
    From,
    Until,
    Between,
}

struct Reader<'a> {
    now: NaiveDateTime,
    atoms: &'a [Atom],
    dates: Vec<NaiveDate>,
    weekdays: Vec<Weekday>,
    not_weekdays: Vec<Weekday>,
    range: Option<(NaiveDate, NaiveDate)>,
    weeks_on: u64,
    next: bool,
    parts: Vec<Part>,
    times: Vec<(Mode, NaiveTime, bool)>,
    mode: Option<Mode>,
    not: bool,
    wish: Wish,
}

impl<'a> Reader<'a> {
    fn new(now: NaiveDateTime, atoms: &'a [Atom]) -> Self {
        Self {
            now,
            atoms,
            dates: Vec::new(),
            weekdays: Vec::new(),
            not_weekdays: Vec::new(),
            range: None,
            weeks_on: 0,
            next: false,
            parts: Vec::new(),
            times: Vec::new(),
            mode: None,
            not: false,
            wish: Wish::default(),
        }
    }

    fn today(&self) -> NaiveDate {
        self.now.date()
    }

    fn day(&self, days: u64) -> NaiveDate {
        self.today().checked_add_days(Days::new(days)).unwrap_or(self.today())
    }

    /// What stands before, without articles.
    fn before(&self, at: usize) -> Option<Atom> {
        self.atoms[..at].iter().rev().copied().find(|atom| *atom != Atom::The)
    }

    fn after(&self, at: usize) -> Option<Atom> {
        self.atoms.get(at + 1..)?.iter().copied().find(|atom| *atom != Atom::The)
    }

    fn read(mut self) -> Option<Wish> {
        let mut at = 0;
        while at < self.atoms.len() {
            at += self.step(at)?;
        }
        Some(self.finish())
    }

    /// Takes what stands here; how many atoms that were.
    fn step(&mut self, at: usize) -> Option<usize> {
        let (before, after) = (self.before(at), self.after(at));
        match self.atoms[at] {
            Atom::Day(days) => self.dates.push(self.day(days)),
            // "Freitag morgen", "morgen früh", "am Morgen"; else tomorrow.
            Atom::Morgen if matches!(before, Some(Atom::Weekday(_) | Atom::Day(_) | Atom::Morgen)) => self.parts.push(Part::Morning),
            Atom::Manana if matches!(before, Some(Atom::Weekday(_) | Atom::Manana | Atom::Day(_))) => self.parts.push(Part::Morning),
            Atom::Morgen | Atom::Manana => self.dates.push(self.day(1)),
            Atom::Weekday(day) => {
                if std::mem::take(&mut self.not) {
                    self.not_weekdays.push(day);
                } else if !self.weekdays.contains(&day) {
                    self.weekdays.push(day);
                }
                self.mode = None;
            }
            Atom::Month(month) => self.month(at, month, before)?,
            Atom::Next if matches!(after, Some(Atom::Week | Atom::Unit(Unit::Weeks))) => self.range = Some(self.week(1)),
            Atom::Next => self.next = true,
            Atom::Week if matches!(before, Some(Atom::Coming)) || matches!(after, Some(Atom::Coming)) => self.range = Some(self.week(1)),
            Atom::Week if matches!(before, Some(Atom::This)) => self.range = Some(self.week(0)),
            // "A week on Friday".
            Atom::Week if matches!(after, Some(Atom::Weekday(_))) => self.weeks_on = 1,
            // "In a week", "Friday week", "une semaine plus tard".
            Atom::Week => self.amount(at, 1, Unit::Weeks),
            Atom::NextWeek => self.range = Some(self.week(1)),
            Atom::ThisWeek => self.range = Some(self.week(0)),
            Atom::Weekend => self.weekend(),
            Atom::WorkDays => self.weekdays = vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri],
            Atom::Part(Part::Noon) if matches!(self.mode, Some(Mode::From | Mode::Until | Mode::Between)) => {
                self.time(NaiveTime::from_hms_opt(12, 0, 0)?, true);
            }
            Atom::Part(part) => self.parts.push(part),
            Atom::TodayIn(part) => {
                self.dates.push(self.today());
                self.parts.push(part);
            }
            Atom::NotBefore | Atom::After | Atom::From => (self.mode, self.not) = (Some(Mode::From), false),
            Atom::Before if self.not => (self.mode, self.not) = (Some(Mode::From), false),
            Atom::Before | Atom::Until => self.mode = Some(Mode::Until),
            Atom::Between => self.mode = Some(Mode::Between),
            // "De 15h à 17h".
            Atom::At if self.mode.is_none() && self.timed(at) => self.mode = Some(Mode::Until),
            Atom::At => self.mode = self.mode.or(Some(Mode::At)),
            Atom::Number(number) => return self.number(at, number, before, after),
            // "Um 17." at the end of a sentence.
            Atom::Ordinal(hour @ 0..=24) if self.mode.is_some() && !matches!(after, Some(Atom::Month(_))) => {
                return Some(self.hour(at, hour));
            }
            Atom::Ordinal(day) => {
                if let Some(Atom::Month(month)) = before {
                    self.dates.push(self.date(day, month)?);
                    return Some(1);
                }
                if let Some(Atom::Month(month)) = after {
                    self.dates.push(self.date(day, month)?);
                    return Some(self.past(at, |atom| matches!(atom, Atom::Month(_))));
                }
                self.dates.push(self.day_of_month(day)?);
            }
            Atom::DayMonth(day, month) => self.dates.push(self.date(day, month)?),
            Atom::Date(date) => self.dates.push(date),
            Atom::Clock(time, exact) => self.time(time, exact),
            Atom::HalfTo | Atom::Half | Atom::HalfPast | Atom::QuarterPast | Atom::QuarterTo => return Some(self.fraction(at, after)),
            Atom::Length(minutes) if self.shifts(at) => self.wish.shift = Some(Shift { later: true, by: Some(Amount::Minutes(minutes)) }),
            Atom::Fortnight => self.weeks_on = 2,
            Atom::HalfBefore(hour) => {
                if let Some(time) = NaiveTime::from_hms_opt(hour, 0, 0) {
                    self.time(plus(time, -30), false);
                }
            }
            // "An hour later".
            Atom::Unit(unit @ (Unit::Hours | Unit::Days)) if !matches!(before, Some(Atom::Number(_))) => self.amount(at, 1, unit),
            Atom::SameDayAndTime => self.wish.like_last = Some(LikeLast::DayAndTime),
            Atom::SameTime => self.wish.like_last = self.wish.like_last.or(Some(LikeLast::Time)),
            Atom::Later | Atom::Earlier => {
                let later = self.atoms[at] == Atom::Later;
                let by = self.wish.shift.and_then(|shift| shift.by);
                self.wish.shift = Some(Shift { later, by });
            }
            Atom::Soonest => self.wish.soonest = true,
            Atom::Not => self.not = true,
            // What comes after another word is of that word: "a table for 2".
            Atom::Other if self.mode != Some(Mode::Between) => self.mode = None,
            _ => {}
        }
        Some(1)
    }

    /// Atoms up to and with the first that fits.
    fn past(&self, at: usize, fits: impl Fn(&Atom) -> bool) -> usize {
        self.atoms[at..].iter().position(fits).map_or(1, |further| further + 1)
    }

    fn week(&self, on: u64) -> (NaiveDate, NaiveDate) {
        let since_monday = u64::from(self.today().weekday().num_days_from_monday());
        let sunday = self.day(6 - since_monday + 7 * on);
        let monday = sunday.checked_sub_days(Days::new(6)).unwrap_or(sunday);
        (monday.max(self.today()), sunday)
    }

    fn weekend(&mut self) {
        let weeks_on = u64::from(std::mem::take(&mut self.next));
        let (_, sunday) = self.week(weeks_on);
        self.range = Some((sunday.pred_opt().unwrap_or(sunday).max(self.today()), sunday));
    }

    fn month(&mut self, at: usize, month: u32, before: Option<Atom>) -> Option<()> {
        match before {
            Some(Atom::Number(day @ 1..=31)) => self.dates.push(self.date(day, month)?),
            // "March 27": the number comes by itself, and finds the month.
            _ if matches!(self.after(at), Some(Atom::Number(1..=31) | Atom::Ordinal(_))) => {}
            // A month alone; without such a word before it "may" is no month.
            Some(Atom::In | Atom::Next | Atom::Coming | Atom::This | Atom::And) => {
                let first = self.date(1, month)?;
                let this = NaiveDate::from_ymd_opt(self.today().year(), month, 1).filter(|first| first.month() == self.today().month());
                let first = this.unwrap_or(first);
                let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
                self.range = Some((first.max(self.today()), last));
                self.next = false;
            }
            _ => {}
        }
        Some(())
    }

    fn number(&mut self, at: usize, number: u32, before: Option<Atom>, after: Option<Atom>) -> Option<usize> {
        match (before, after) {
            (_, Some(Atom::People)) => Some(self.past(at, |atom| *atom == Atom::People)),
            (_, Some(Atom::Unit(Unit::Hours))) if self.fraction_follows(at) => Some(self.hour(at, number)),
            (_, Some(Atom::DaysHence)) => {
                self.dates.push(self.day(u64::from(number)));
                Some(self.past(at, |atom| *atom == Atom::DaysHence))
            }
            (_, Some(Atom::Onwards)) => {
                self.mode = Some(Mode::From);
                Some(self.hour(at, number))
            }
            (_, Some(Atom::HoursLater | Atom::HoursEarlier)) => {
                let by = Some(Amount::Minutes(i64::from(number.max(1)) * 60));
                self.wish.shift = Some(Shift { later: after == Some(Atom::HoursLater), by });
                Some(self.past(at, |atom| matches!(atom, Atom::HoursLater | Atom::HoursEarlier)))
            }
            (_, Some(Atom::Unit(unit))) if !(unit == Unit::Hours && self.mode.is_some()) => {
                self.amount(at, number, unit);
                Some(self.past(at, |atom| matches!(atom, Atom::Unit(_))))
            }
            (_, Some(Atom::Week)) => {
                self.amount(at, number, Unit::Weeks);
                Some(self.past(at, |atom| *atom == Atom::Week))
            }
            // The month takes it.
            (_, Some(Atom::Month(_))) => Some(1),
            (Some(Atom::Month(month)), _) if (1..=31).contains(&number) => {
                self.dates.push(self.date(number, month)?);
                Some(1)
            }
            (_, Some(Atom::Am | Atom::Pm | Atom::OClock | Atom::HalfPast | Atom::QuarterPast | Atom::QuarterTo)) => {
                Some(self.hour(at, number))
            }
            _ if self.mode.is_some() || matches!(before, Some(Atom::And | Atom::Or)) && !self.times.is_empty() => {
                Some(self.hour(at, number))
            }
            // "Friday 27", unless that is none.
            (Some(Atom::Weekday(weekday)), _) if number > 0 => match self.day_of_month(number).filter(|day| day.weekday() == weekday) {
                Some(day) => {
                    self.dates.push(day);
                    Some(1)
                }
                None => Some(self.hour(at, number)),
            },
            // "The 27", "le 27".
            _ if at > 0 && self.atoms[at - 1] == Atom::The && (13..=31).contains(&number) => {
                self.dates.push(self.day_of_month(number)?);
                Some(1)
            }
            // Nothing else was said.
            _ if number <= 24 && self.atoms.iter().all(|atom| matches!(atom, Atom::The | Atom::Number(_))) => Some(self.hour(at, number)),
            _ => Some(1),
        }
    }

    /// Whether "later" or "earlier" follows.
    fn shifts(&self, at: usize) -> bool {
        self.atoms[at..].iter().take(4).any(|atom| matches!(atom, Atom::Later | Atom::Earlier))
    }

    /// "Cinq heures et demie".
    fn fraction_follows(&self, at: usize) -> bool {
        matches!(self.atoms.get(at + 2), Some(Atom::HalfPast | Atom::QuarterPast | Atom::QuarterTo))
    }

    /// Whether a time stands right before.
    fn timed(&self, at: usize) -> bool {
        !self.times.is_empty()
            && at.checked_sub(1).is_some_and(|before| matches!(self.atoms[before], Atom::Clock(..) | Atom::Number(_) | Atom::OClock))
    }

    /// An hour, with what is said of its half of the day and its minutes.
    fn hour(&mut self, at: usize, number: u32) -> usize {
        let Some(mut time) = NaiveTime::from_hms_opt(number % 24, 0, 0).filter(|_| number <= 24) else { return 1 };
        let (mut taken, mut exact) = (1, false);
        while let Some(atom) = self.atoms.get(at + taken) {
            match atom {
                Atom::OClock | Atom::Unit(Unit::Hours) => {}
                Atom::Am => (time, exact) = (half(time, Some("a")), true),
                Atom::Pm => (time, exact) = (half(time, Some("p")), true),
                Atom::HalfPast => time = plus(time, 30),
                Atom::QuarterPast => time = plus(time, 15),
                Atom::QuarterTo => time = plus(time, -15),
                _ => break,
            }
            taken += 1;
        }
        self.time(time, exact);
        taken
    }

    /// "Half past five", "halb sechs", "half zes", "quarter to five".
    fn fraction(&mut self, at: usize, after: Option<Atom>) -> usize {
        let Some(Atom::Number(hour @ 1..=24)) = after else { return 1 };
        // Dutch says "om half zes", and with a number of its own; English has "at".
        let minutes = match self.atoms[at] {
            Atom::HalfTo => -30,
            Atom::QuarterPast => 15,
            Atom::QuarterTo => -15,
            _ => 30,
        };
        if let Some(time) = NaiveTime::from_hms_opt(hour % 24, 0, 0) {
            self.time(plus(time, minutes), false);
        }
        self.past(at, |atom| matches!(atom, Atom::Number(_)))
    }

    fn time(&mut self, time: NaiveTime, exact: bool) {
        let mode = match self.mode {
            Some(Mode::Between) => Mode::Between,
            _ => self.mode.take().unwrap_or(Mode::At),
        };
        self.times.push((mode, time, exact));
    }

    /// "In two weeks", "a week later", "two hours earlier"; else a length that says nothing of when.
    fn amount(&mut self, at: usize, number: u32, unit: Unit) {
        let ahead = self.atoms[..at].iter().rev().take(3).any(|atom| matches!(atom, Atom::In | Atom::Between))
            || self.atoms[at..].iter().take(4).any(|atom| *atom == Atom::Hence);
        let many = i64::from(number.max(1));
        if self.shifts(at) {
            let by = match unit {
                Unit::Minutes => Amount::Minutes(many),
                Unit::Hours => Amount::Minutes(many * 60),
                Unit::Days => Amount::Days(many),
                Unit::Weeks => Amount::Days(many * 7),
            };
            self.wish.shift = Some(Shift { later: true, by: Some(by) });
            return;
        }
        let of_weekday = unit == Unit::Weeks && !self.weekdays.is_empty();
        match unit {
            Unit::Days if ahead => self.dates.push(self.day(u64::from(number))),
            Unit::Weeks if ahead || of_weekday => {
                self.weeks_on = u64::from(number);
            }
            _ => {}
        }
        self.mode = None;
    }

    /// The next such day, today at the earliest.
    fn date(&self, day: u32, month: u32) -> Option<NaiveDate> {
        (self.today().year()..=self.today().year() + 8)
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| *date >= self.today())
    }

    fn day_of_month(&self, day: u32) -> Option<NaiveDate> {
        let first = self.today().with_day(1)?;
        (0..=3).filter_map(|months| first.checked_add_months(Months::new(months))?.with_day(day)).find(|date| *date >= self.today())
    }

    /// The first such weekday from a day on.
    fn first(&self, from: NaiveDate, weekday: Weekday) -> NaiveDate {
        from.iter_days().take(7).find(|day| day.weekday() == weekday).unwrap_or(from)
    }

    fn finish(mut self) -> Wish {
        self.wish.time = self.time_of_day();
        let range = if self.weeks_on > 0 && self.weekdays.is_empty() { Some(self.week(self.weeks_on)) } else { self.range };
        // "Today in two weeks".
        let on = Days::new(7 * self.weeks_on);
        self.dates = self.dates.iter().filter_map(|date| date.checked_add_days(on)).collect();
        self.wish.days = match (self.dates.iter().min(), self.dates.iter().max(), range, self.weekdays.as_slice()) {
            // "Friday, 27 March": the date says more.
            (Some(first), Some(last), _, _) => Some((*first, *last)),
            (_, _, Some((from, to)), [one]) => {
                let day = self.first(from, *one);
                Some(if day <= to { (day, day) } else { (from, to) })
            }
            (_, _, Some(range), _) => Some(range),
            (_, _, None, [one]) => {
                let from = if self.next { self.week(1).0 } else { self.day(7 * self.weeks_on) };
                let day = self.first(from, *one);
                Some((day, day))
            }
            _ => None,
        };
        let one_day = self.wish.days.is_some_and(|(from, to)| from == to);
        if self.weekdays.len() > 1 && !one_day {
            self.wish.weekdays = std::mem::take(&mut self.weekdays);
        } else if !self.not_weekdays.is_empty() && !one_day {
            let all = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(7);
            self.wish.weekdays = all.filter(|day| !self.not_weekdays.contains(day)).collect();
        }
        // "Later on Friday" is a day, not a step from what is on the table.
        if self.wish.shift.is_some_and(|shift| shift.by.is_none()) && (self.wish.days.is_some() || self.wish.time.is_some()) {
            self.wish.shift = None;
        }
        self.wish
    }

    fn time_of_day(&self) -> Option<TimeOfDay> {
        let part = self.parts.last().copied();
        let times: Vec<(Mode, NaiveTime)> =
            self.times.iter().map(|(mode, time, exact)| (*mode, self.likely(*time, *exact, part))).collect();
        match times.as_slice() {
            [] => part.map(span),
            [(Mode::Between, from), (_, to), ..] => Some(between(*from, *to)),
            [(Mode::At | Mode::From, from), (Mode::Until, to), ..] if from < to => Some(TimeOfDay::Between(*from, *to)),
            [(Mode::From, from), ..] => Some(TimeOfDay::From(*from)),
            [(Mode::Until, to), ..] => Some(TimeOfDay::Until(*to)),
            // "At nine or ten": the first.
            [(_, at), ..] => Some(TimeOfDay::At(*at)),
        }
    }

    fn likely(&self, time: NaiveTime, exact: bool, part: Option<Part>) -> NaiveTime {
        use chrono::Timelike as _;
        let later = matches!(part, Some(Part::Afternoon | Part::Evening | Part::AfterWork | Part::Late));
        let early = matches!(part, Some(Part::Early | Part::Morning));
        let hour = time.hour();
        if exact || early || !(1..12).contains(&hour) || !(later || hour <= 6) { time } else { time.with_hour(hour + 12).unwrap_or(time) }
    }
}

fn plus(time: NaiveTime, minutes: i64) -> NaiveTime {
    time.overflowing_add_signed(chrono::TimeDelta::minutes(minutes)).0
}

fn between(one: NaiveTime, other: NaiveTime) -> TimeOfDay {
    if one <= other { TimeOfDay::Between(one, other) } else { TimeOfDay::Between(other, one) }
}

/// When a part of the day is.
fn span(part: Part) -> TimeOfDay {
    let hour = |hour: u32| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    match part {
        Part::Early => TimeOfDay::Until(hour(10)),
        Part::Morning => TimeOfDay::Until(hour(12)),
        Part::Noon => TimeOfDay::Between(hour(12), hour(14)),
        Part::Afternoon => TimeOfDay::Between(hour(12), hour(18)),
        Part::Evening | Part::AfterWork | Part::Late => TimeOfDay::From(hour(17)),
    }
}

#[cfg(test)]
mod tests;
