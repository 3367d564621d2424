//! What customers write, on Wednesday, 25 November 2026, at ten.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

fn now() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 25).unwrap().and_hms_opt(10, 0, 0).unwrap()
}

/// A wish in short: days, weekdays, time and the rest, as far as they are there.
fn short(wish: &Wish) -> String {
    let mut said = Vec::new();
    if let Some((from, to)) = wish.days {
        said.push(if from == to { from.format("%m-%d").to_string() } else { format!("{}..{}", from.format("%m-%d"), to.format("%m-%d")) });
    }
    if !wish.weekdays.is_empty() {
        said.push(wish.weekdays.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"));
    }
    let hm = |time: NaiveTime| time.format("%H:%M").to_string();
    match wish.time {
        Some(TimeOfDay::At(at)) => said.push(hm(at)),
        Some(TimeOfDay::Between(from, to)) => said.push(format!("{}-{}", hm(from), hm(to))),
        Some(TimeOfDay::From(from)) => said.push(format!("{}-", hm(from))),
        Some(TimeOfDay::Until(to)) => said.push(format!("-{}", hm(to))),
        None => {}
    }
    match wish.like_last {
        Some(LikeLast::DayAndTime) => said.push("as last".to_owned()),
        Some(LikeLast::Time) => said.push("same time".to_owned()),
        None => {}
    }
    if let Some(Shift { later, by }) = wish.shift {
        let by = by.map_or_else(String::new, |by| match by {
            Amount::Minutes(minutes) => format!(" {minutes}m"),
            Amount::Days(days) => format!(" {days}d"),
        });
        said.push(format!("{}{by}", if later { "later" } else { "earlier" }));
    }
    if wish.soonest {
        said.push("soonest".to_owned());
    }
    said.join(" ")
}

#[test]
fn customers_are_understood_in_eight_languages() {
    let mut wrong = Vec::new();
    let lines: Vec<&str> =
        include_str!("../../../corpora/when.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(lines.len() >= 150, "{}", lines.len());
    for line in lines {
        let (text, expected) = line.split_once(" => ").unwrap();
        let read = read(text, now(), false).map_or_else(|| "nothing".to_owned(), |wish| short(&wish));
        if read != expected {
            wrong.push(format!("{text}: {read}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn americans_write_the_month_first() {
    let read = |text| short(&read(text, now(), true).unwrap());
    assert_eq!(read("12/3 at 5pm"), "12-03 17:00");
    assert_eq!(read("3.12."), "12-03");
}

proptest! {
    #[test]
    fn any_words_are_read_or_not(words in "\\PC{0,80}") {
        if let Some(Wish { days: Some((from, to)), .. }) = read(&words, now(), false) {
            prop_assert!(from <= to);
        }
    }

    #[test]
    fn what_code_itself_writes_is_read_back(days in 0_u64..3_650, minute in 0_u32..1_440) {
        let day = now().date() + Days::new(days);
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let wish = read(&format!("{day} {}", time.format("%H:%M")), now(), false).unwrap();
        prop_assert_eq!((wish.days, wish.time), (Some((day, day)), Some(TimeOfDay::At(time))));
    }
}
