//! What customers write, on Wednesday, 25 November 2026, at ten.

use chrono::Days;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A line of a corpus.
#[derive(Deserialize)]
struct Line {
    text: String,
    lang: String,
    expect: Option<Expected>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    days: Option<(String, String)>,
    weekdays: Vec<String>,
    /// `17:00`, `14:00-16:00`, `17:00-`, `-10:00`.
    time: Option<String>,
    like_last: Option<String>,
    shift: Option<ExpectedShift>,
    soonest: bool,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct ExpectedShift {
    later: bool,
    minutes: Option<i64>,
    days: Option<i64>,
}

fn now() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 25).unwrap().and_hms_opt(10, 0, 0).unwrap()
}

fn told(wish: &Wish) -> Expected {
    let hm = |time: NaiveTime| time.format("%H:%M").to_string();
    Expected {
        days: wish.days.map(|(from, to)| (from.to_string(), to.to_string())),
        weekdays: wish.weekdays.iter().map(ToString::to_string).collect(),
        time: wish.time.map(|time| match time {
            TimeOfDay::At(at) => hm(at),
            TimeOfDay::Between(from, to) => format!("{}-{}", hm(from), hm(to)),
            TimeOfDay::From(from) => format!("{}-", hm(from)),
            TimeOfDay::Until(to) => format!("-{}", hm(to)),
        }),
        like_last: wish.like_last.map(|like| match like {
            LikeLast::DayAndTime => "day_and_time".to_owned(),
            LikeLast::Time => "time".to_owned(),
        }),
        shift: wish.shift.map(|Shift { later, by }| ExpectedShift {
            later,
            minutes: by.and_then(|by| if let Amount::Minutes(minutes) = by { Some(minutes) } else { None }),
            days: by.and_then(|by| if let Amount::Days(days) = by { Some(days) } else { None }),
        }),
        soonest: wish.soonest,
    }
}

/// The lines of a corpus, and what was read otherwise than it was meant.
fn wrong(corpus: &str) -> (usize, Vec<String>) {
    let lines: Vec<Line> = corpus.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let wrong = lines.iter().filter_map(|line| {
        let read = read(&line.text, now(), false).as_ref().map(told);
        (read != line.expect).then(|| format!("{} {}\n  read {read:?}\n  not  {:?}", line.lang, line.text, line.expect))
    });
    (lines.len(), wrong.collect())
}

#[test]
fn customers_are_understood_in_eight_languages() {
    let (lines, wrong) = wrong(include_str!("../../../corpora/when.jsonl"));
    assert!(lines >= 320, "{lines}");
    assert!(wrong.is_empty(), "{} of {lines}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn customers_nobody_had_in_mind_are_understood_too() {
    let (lines, wrong) = wrong(include_str!("../../../corpora/when_chatty.jsonl"));
    assert!(lines >= 80, "{lines}");
    assert!(wrong.is_empty(), "{} of {lines}:\n{}", wrong.len(), wrong.join("\n"));
}
fn days(wish: Option<Wish>) -> Option<(String, String)> {
    told(&wish?).days
}

fn single(text: &str, now: NaiveDateTime) -> Option<String> {
    days(read(text, now, false)).filter(|(from, to)| from == to).map(|(from, _)| from)
}

#[test]
fn a_month_comes_first_where_it_is_written_first() {
    assert_eq!(days(read("3/12 at 5pm", now(), true)).unwrap().0, "2027-03-12");
    assert_eq!(days(read("3/12 at 5pm", now(), false)).unwrap().0, "2026-12-03");
    // Only one order can be meant.
    assert_eq!(days(read("3/27/2027", now(), false)).unwrap().0, "2027-03-27");
    assert_eq!(days(read("27/3", now(), true)).unwrap().0, "2027-03-27");
    // With dots the day is always first.
    assert_eq!(days(read("3.12.", now(), true)).unwrap().0, "2026-12-03");
}

#[test]
fn a_weekday_is_today_while_its_time_is_to_come() {
    let at = |hour| now().date().and_hms_opt(hour, 0, 0).unwrap();
    for (text, hour, expected) in [
        ("Wednesday", 10, "2026-11-25"),
        ("Wednesday", 18, "2026-12-02"),
        ("Wednesday at 9", 10, "2026-12-02"),
        ("Wednesday at 11", 10, "2026-11-25"),
        ("mercredi matin", 13, "2026-12-02"),
        ("Mittwoch nach der Arbeit", 10, "2026-11-25"),
        ("this Wednesday", 10, "2026-11-25"),
        ("next Wednesday", 10, "2026-12-02"),
        ("mercoledì prossimo", 10, "2026-12-02"),
    ] {
        assert_eq!(single(text, at(hour)).as_deref(), Some(expected), "{text}, at {hour}");
    }
}

#[test]
fn next_is_of_the_next_calendar_week_or_the_first_ahead() {
    let on = |date: &str| date.parse::<NaiveDate>().unwrap().and_hms_opt(9, 0, 0).unwrap();
    for (text, now, expected) in [
        ("next Friday", "2026-11-25", "2026-12-04"),
        ("next Friday", "2026-11-28", "2026-12-04"),
        ("nächsten Montag", "2026-11-25", "2026-11-30"),
        ("nächsten Montag", "2026-11-29", "2026-11-30"),
        ("volgende vrijdag", "2026-11-25", "2026-12-04"),
        ("gelecek cuma", "2026-11-25", "2026-12-04"),
        ("vendredi prochain", "2026-11-25", "2026-11-27"),
        ("vendredi prochain", "2026-11-27", "2026-12-04"),
        ("el próximo viernes", "2026-11-25", "2026-11-27"),
        ("venerdì prossimo", "2026-11-25", "2026-11-27"),
        ("sexta que vem", "2026-11-25", "2026-11-27"),
        ("kommenden Freitag", "2026-11-25", "2026-11-27"),
    ] {
        assert_eq!(single(text, on(now)).as_deref(), Some(expected), "{text}, on {now}");
    }
}

#[test]
fn what_contradicts_itself_or_the_calendar_is_nothing() {
    for text in [
        "30 February",
        "31.04.",
        "2027-02-29",
        "29.02.2027",
        "32/13/2027",
        "at 25:00",
        "Friday, 26 November",
        "tomorrow, 30 November",
        "this week on Monday",
        "not tomorrow",
        "before today",
    ] {
        assert_eq!(read(text, now(), false), None, "{text}");
    }
    assert_eq!(single("29 February", now()).as_deref(), Some("2028-02-29"));
}

#[test]
fn numbers_that_are_no_times_are_left_alone() {
    for text in [
        "for 2",
        "knippen voor 2",
        "corte pra 2",
        "un taglio per due",
        "ein Tisch für vier",
        "2 haircuts please",
        "+49 170 123456",
        "0170 1234567",
        "06.12.34.56.78",
        "35 euros",
        "€20",
        "20 %",
        "size 42",
        "30 minutes",
        "Schuhgröße 42, 2 Paar",
        "nous sommes 4",
        "24/7",
        "Nike Air Max 90",
        "order 1045",
        "me quedo con la segunda opción",
        "fico com a segunda opção",
        "I'll take the second option",
        "mon adresse est le 12 rue de la Paix",
        "guten Morgen",
        "boa tarde",
        "3x",
        "may I?",
        "see you",
        "👍",
        "",
    ] {
        assert_eq!(read(text, now(), false), None, "{text}");
    }
}

#[test]
fn only_the_first_characters_are_read() {
    let long = format!("{} tomorrow", "x ".repeat(260));
    assert_eq!(read(&long, now(), false), None);
}

#[test]
fn no_phrase_hides_behind_another_of_its_language() {
    assert_eq!(words::doubled(), Vec::<String>::new());
}

/// Phrases of the tables and numbers in any order: far nearer to the reader's branches than letters by chance.
fn chatter() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => proptest::sample::select(words::phrases()).prop_map(str::to_owned),
        1 => (0_u32..60).prop_map(|number| number.to_string()),
        1 => (0_u32..32, 0_u32..14).prop_map(|(one, two)| format!("{one}.{two}.")),
        1 => (0_u32..26, 0_u32..60).prop_map(|(hour, minute)| format!("{hour}:{minute:02}")),
        1 => proptest::sample::select(vec![",", ".", "-", "/", "?", "'", "\n"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

fn sound(text: &str, now: NaiveDateTime, month_first: bool) -> Result<(), TestCaseError> {
    let Some(wish) = read(text, now, month_first) else { return Ok(()) };
    if let Some((from, to)) = wish.days {
        prop_assert!(from <= to, "{text}: {wish:?}");
        prop_assert!(from >= now.date(), "{text}: {wish:?}");
    }
    prop_assert!(wish.weekdays.is_sorted_by_key(Weekday::num_days_from_monday), "{text}: {wish:?}");
    prop_assert!(wish.weekdays.len() < 7);
    prop_assert_ne!(wish, Wish::default());
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_not(text in "\\PC{0,600}", month_first: bool) {
        let _ = read(&text, now(), month_first);
    }

    #[test]
    fn any_words_are_a_sound_wish_or_none(text in chatter(), on in 0_u64..800, hour in 0_u32..24, month_first: bool) {
        let now = (now().date() + Days::new(on)).and_hms_opt(hour, 30, 0).unwrap();
        sound(&text, now, month_first)?;
    }

    #[test]
    fn dates_and_times_of_machines_are_read_back(on in 0_u64..3_653, minute in 0_u32..1_440, sign in "[ T]", month_first: bool) {
        let day = now().date() + Days::new(on);
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let wish = read(&format!("{day}{sign}{}", time.format("%H:%M")), now(), month_first);
        prop_assert_eq!(wish, Some(Wish { days: Some((day, day)), time: Some(TimeOfDay::At(time)), ..Wish::default() }));
    }

    #[test]
    fn written_dates_are_read_back(on in 0_u64..3_653) {
        let day = now().date() + Days::new(on);
        for form in ["%d.%m.%Y", "%-d.%-m.%Y", "%-d %B %Y", "%B %-d, %Y", "%A, %-d %B %Y"] {
            let wish = read(&day.format(form).to_string(), now(), false);
            prop_assert_eq!(wish.and_then(|wish| wish.days), Some((day, day)), "{}", day.format(form));
        }
    }
}
