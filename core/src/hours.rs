//! Opening hours: per weekday the times at which a shop is open, in its own zone.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// From one time of the day to a later one, written `09:30-18:00`. The end may be `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    from: u16,
    to: u16,
}

impl Span {
    /// When it begins, in minutes after midnight.
    #[must_use]
    pub const fn from(self) -> u16 {
        self.from
    }

    /// When it ends, in minutes after midnight.
    #[must_use]
    pub const fn to(self) -> u16 {
        self.to
    }
}

/// Why a text is no span of opening hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from one time of the day to a later one, e.g. 09:30-18:00")]
pub struct NoSpan;

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    let whole = hour * 60 + minute;
    (minute < 60 && whole <= DAY).then_some(whole)
}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, NoSpan> {
        let (from, to) = text.split_once('-').ok_or(NoSpan)?;
        let (from, to) = (minutes(from).ok_or(NoSpan)?, minutes(to).ok_or(NoSpan)?);
        if from < to { Ok(Self { from, to }) } else { Err(NoSpan) }
    }
}

impl TryFrom<String> for Span {
    type Error = NoSpan;

    fn try_from(text: String) -> Result<Self, NoSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, self.to / 60, self.to % 60)
    }
}

/// A week; a day without spans is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hours {
    /// Monday.
    pub mon: Vec<Span>,
    /// Tuesday.
    pub tue: Vec<Span>,
    /// Wednesday.
    pub wed: Vec<Span>,
    /// Thursday.
    pub thu: Vec<Span>,
    /// Friday.
    pub fri: Vec<Span>,
    /// Saturday.
    pub sat: Vec<Span>,
    /// Sunday.
    pub sun: Vec<Span>,
}

impl Hours {
    /// The spans of a day.
    #[must_use]
    pub fn of(&self, day: NaiveDate) -> &[Span] {
        match day.weekday() {
            Weekday::Mon => &self.mon,
            Weekday::Tue => &self.tue,
            Weekday::Wed => &self.wed,
            Weekday::Thu => &self.thu,
            Weekday::Fri => &self.fri,
            Weekday::Sat => &self.sat,
            Weekday::Sun => &self.sun,
        }
    }
}

/// Whether each span of a day begins after the one before has ended.
#[must_use]
pub fn in_order(day: &[Span]) -> bool {
    day.windows(2).all(|pair| matches!(pair, [one, next] if one.to <= next.from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_and_nonsense_does_not_read() {
        for text in ["09:30-18:00", "00:00-24:00", "22:00-23:59"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for text in ["", "9:30-18:00", "18:00-09:30", "10:00-10:00", "10:60-11:00", "23:00-24:01", "10:00", "10:00-+1:00", "10:00 - 11:00"]
        {
            assert_eq!(text.parse::<Span>(), Err(NoSpan), "{text}");
        }
    }

    #[test]
    fn a_week_reads_with_days_left_out_and_refuses_nonsense() {
        let week: Hours = serde_json::from_str(r#"{"mon": ["09:00-12:00", "13:00-18:00"], "sun": []}"#).unwrap();
        assert_eq!((week.mon.len(), week.tue.len()), (2, 0));
        assert!(serde_json::from_str::<Hours>(r#"{"mon": ["late"]}"#).is_err());
    }

    #[test]
    fn breaks_lie_between_spans() {
        let day = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Span>>();
        assert!(in_order(&[]) && in_order(&day(&["09:00-12:00", "12:00-18:00"])));
        assert!(!in_order(&day(&["09:00-12:30", "12:00-18:00"])) && !in_order(&day(&["13:00-18:00", "09:00-12:00"])));
    }
}
