//! What a customer's words say of a time: "next Friday after work", "Samstag früh", "mañana a las 5", in eight languages at once. A pure reader: it knows
//! the shop's clock and calendar, not its diary. Where words may mean two things the likelier is taken, since what comes of it is shown with its date
//! before anything is booked; what cannot be (30 February, a Friday that is a Thursday) is nothing.
//!
//! Days:
//! - A bare weekday, and one with "this" or "coming", is the first ahead. Today counts as long as the time named is still to come; without a time, until
//!   six in the evening.
//! - "Next Friday", "nächsten Freitag", "volgende vrijdag", "gelecek cuma" is the Friday of the next calendar week (from Monday), as most speakers of these
//!   four languages mean it. "Vendredi prochain", "el próximo viernes", "venerdì prossimo", "sexta que vem" is the first Friday after today.
//! - "Next week" is Monday to Sunday, "this week" what is left of it, "in two weeks" the calendar week fourteen days on, "today in two weeks" that day.
//! - A date without its year, or a day without its month, is the next such one; one with its year stays as it is, also if it is over.
//! - "From Monday on" and "after the 3rd" are two weeks long: a wish has an end.
//! - Several weekdays, also as a range ("Mo–Fr") or a plural ("Tuesdays"), are a choice in `weekdays`; a refused weekday leaves the other six.
//!
//! Times:
//! - Hours from one to seven without am, pm or a part of the day are after noon, unless written as `07:00`: shops are open then.
//! - Early is before 10, morning before 12, lunch time 12 to 14, afternoon 12 to 18, evening, after work and late from 17 on; "noon" is 12:00.
//! - "Around three" is at three; of "at nine or ten" the first is taken.
//! - A bare number is a time only where something says so: a word before it ("at", "um", "a las"), a day or a part of the day beside it.

mod atoms;
mod clock;
mod items;
mod resolve;
mod words;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// What words say of a time, on the shop's own calendar and clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The first and the last day that are meant; `None`: no day was named.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Only these days of the week, from Monday on, if some were named as a choice ("Tuesdays or Thursdays", "on a weekday"); empty: any.
    pub weekdays: Vec<Weekday>,
    /// The time of day; `None`: none was named.
    pub time: Option<TimeOfDay>,
    /// The same weekday and time, or only the time, as an appointment they had.
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
    /// From one up to and without another; midnight as the second is the end of the day.
    Between(NaiveTime, NaiveTime),
    /// Then or later.
    From(NaiveTime),
    /// Before then.
    Until(NaiveTime),
}

/// What is to be as it was at an earlier appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeLast {
    /// Weekday and time: "as last time".
    DayAndTime,
    /// The time: "the same time".
    Time,
}

/// A step from what is on the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Later; else earlier.
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

/// Characters of a message that are read; who says more than that says it elsewhere, too.
const MOST_CHARS: usize = 500;

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Early,
    Morning,
    Lunch,
    Afternoon,
    Evening,
    AfterWork,
    Late,
    BeforeWork,
}

/// Reads what words say of a time; `month_first` is for shops where 3/12 is 12 March. `None` if they say nothing of a time, or contradict themselves or the
/// calendar.
#[must_use]
pub fn read(words: &str, now: NaiveDateTime, month_first: bool) -> Option<Wish> {
    let text: String = words.chars().take(MOST_CHARS).collect();
    let atoms = atoms::atoms(&text, month_first)?;
    let items = items::items(&atoms, now)?;
    let wish = resolve::wish(&items, now)?;
    (wish != Wish::default()).then_some(wish)
}

#[cfg(test)]
mod tests;
