//! The guard of times: a time of day that nobody looked up is not said, as a customer would take it for one that is free.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{NaiveTime, Timelike as _};
use regex::Regex;

use super::{Finding, plain_text};

/// A time of day as it is written in any of our languages: 17:00, 17h30, 5:30 p.m.; 17 Uhr, 17.30 Uhr, 17h, 5 pm.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let digits = r"\b(?P<hour>[01]?\d|2[0-4])\s?[:h]\s?(?P<minute>[0-5]\d)\b(?:\s?(?P<half>[ap])\.?\s?m\b)?";
    let named = r"\b(?P<hour2>[01]?\d|2[0-4])(?:\.(?P<minute2>[0-5]\d))?(?:\s?uhr\b|h\b|\s?(?P<half2>[ap])\.?\s?m\b)";
    Regex::new(&format!("{digits}|{named}")).ok()
});

/// Times of day that may be said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    minutes: BTreeSet<u32>,
}

impl Times {
    /// Allows one.
    pub fn allow(&mut self, time: NaiveTime) {
        self.minutes.insert(time.hour() * 60 + time.minute());
    }

    /// Allows all that a text names which is the shop's own, or was written by code.
    pub fn allow_text(&mut self, text: &str) {
        self.minutes.extend(read(text).into_iter().map(|(minute, _)| minute));
    }

    /// Whether a reply names no other times.
    ///
    /// # Errors
    /// Those that it does name.
    pub fn check(&self, reply: &str) -> Result<(), Vec<Finding>> {
        // Without am or pm, five is also seventeen o'clock: the shop may write one, and the model the other.
        let known = |minute: u32| self.minutes.contains(&minute) || minute < 12 * 60 && self.minutes.contains(&(minute + 12 * 60));
        let findings: Vec<Finding> = read(reply)
            .into_iter()
            .filter(|(minute, _)| !known(*minute))
            .map(|(_, text)| Finding { range: 0..0, value: None, text })
            .collect();
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }
}

/// The times of day that a text names, in minutes after midnight, with their words.
fn read(text: &str) -> Vec<(u32, String)> {
    let plain = plain_text(text);
    let Some(pattern) = TIME.as_ref() else { return Vec::new() };
    pattern
        .captures_iter(&plain)
        .filter_map(|found| {
            let number = |one: &str, other: &str| {
                found.name(one).or_else(|| found.name(other)).and_then(|digits| digits.as_str().parse::<u32>().ok())
            };
            let half = found.name("half").or_else(|| found.name("half2")).map(|half| half.as_str());
            let (hour, minute) = (number("hour", "hour2")?, number("minute", "minute2").unwrap_or(0));
            let hour = match half {
                Some("p") if hour < 12 => hour + 12,
                Some("a") if hour == 12 => 0,
                _ => hour,
            };
            Some((hour * 60 + minute, found[0].to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(texts: &[&str]) -> Times {
        let mut times = Times::default();
        texts.iter().for_each(|text| times.allow_text(text));
        times
    }

    #[test]
    fn a_time_that_was_looked_up_may_be_said_in_any_way() {
        let times = allowed(&[r#"{"mon":["09:00-18:00"]}"#, "Friday: 17:00, 17:30"]);
        for text in
            ["We are open from 9:00 to 18:00.", "Um 17 Uhr oder 17.30 Uhr?", "à 17h30", "at 5 pm or 5:30 p.m.", "9 AM", "No time at all."]
        {
            assert_eq!(times.check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_time_that_nobody_looked_up_is_found() {
        let times = allowed(&["09:00-18:00"]);
        for text in ["15:00 is free, see you then!", "Um 15 Uhr ist frei", "à 15h", "3 pm works", "15h30 est libre", "a las 15:30"] {
            assert!(times.check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let times = Times::default();
        for text in ["It costs 35.00 EUR.", "Size 42, 2 pieces", "Order #1042", "It takes 45 minutes.", "24/7", "+49 170 1234567"] {
            assert_eq!(times.check(text), Ok(()), "{text}");
        }
    }
}
