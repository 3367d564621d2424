//! What a message says about appointments and times: `bookings.txt`, days, times of day, places in a list that was shown.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex::Regex;

use super::language::{Language, fold, split, tokens};
use super::lexicon::lexicon;

/// The longest that the words about a time may be, characters.
const MAX_WHEN: usize = 200;
const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Words that may stand between those of one day: "Friday the 27th of November".
const GLUE: [&str; 29] = [
    "the", "of", "de", "le", "la", "el", "les", "las", "du", "do", "di", "del", "den", "der", "dem", "am", "um", "a", "o", "ca", "circa",
    "van", "ten", "das", "dos", "da", "feira", "to", "or",
];

type Entries = HashMap<(&'static str, &'static str), Vec<Vec<(String, bool)>>>;

/// `bookings.txt`: phrases by language and name; of each word, whether it may end in any way.
fn entries() -> &'static Entries {
    static ENTRIES: OnceLock<Entries> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let mut entries = Entries::new();
        let mut code = "";
        for line in include_str!("bookings.txt").lines().filter(|line| !line.starts_with('#')) {
            if let Some(tag) = line.strip_prefix('[') {
                code = tag.trim_end_matches(']');
            } else if let Some((name, phrases)) = line.split_once(':') {
                let words = |phrase: &str| {
                    let word = |word: &str| {
                        let any_ending = word.ends_with('*');
                        tokens(word.trim_end_matches('*')).into_iter().map(move |token| (token, any_ending)).collect::<Vec<_>>()
                    };
                    phrase.split_whitespace().flat_map(word).collect::<Vec<_>>()
                };
                entries.insert((code, name), phrases.split('|').map(words).filter(|words| !words.is_empty()).collect());
            }
        }
        entries
    })
}

/// A time of day that was named: hour and minute.
pub(super) type Clock = (u32, u32);

/// The words of a message about appointments and times.
pub(super) struct Words {
    /// As the customer wrote it, on one line.
    pub(super) text: String,
    folded: Vec<String>,
    /// Which of the words between blanks each token is of.
    word: Vec<usize>,
    languages: Vec<Language>,
    /// Each phrase that was found: its name, where it starts, how many tokens it takes.
    found: Vec<(&'static str, usize, usize)>,
    /// The words that name a day, as written.
    pub(super) day: Option<String>,
    /// The days of the week among them, Monday 0.
    pub(super) weekdays: Vec<usize>,
    /// The times of day that are named outright.
    pub(super) clocks: Vec<Clock>,
    /// Whether an exact time of day is named, be it in words that are no clock.
    pub(super) exact: bool,
}

impl Words {
    pub(super) fn of(text: &str, languages: &[Language]) -> Self {
        let text = text.replace(['’', '`', '´'], "'").split_whitespace().collect::<Vec<_>>().join(" ");
        let mut folded = Vec::new();
        let mut word = Vec::new();
        for (at, part) in text.split(' ').enumerate() {
            for token in split(part) {
                folded.push(token.folded);
                word.push(at);
            }
        }
        let mut words = Self {
            text,
            folded,
            word,
            languages: languages.to_vec(),
            found: Vec::new(),
            day: None,
            weekdays: Vec::new(),
            clocks: Vec::new(),
            exact: false,
        };
        words.find();
        words.read_day();
        words.read_clocks();
        words
    }

    fn find(&mut self) {
        let mut found = Vec::new();
        for ((code, name), phrases) in entries() {
            if !self.languages.iter().any(|language| language.code() == *code) {
                continue;
            }
            for at in 0..self.folded.len() {
                let fits = |words: &&Vec<(String, bool)>| {
                    at + words.len() <= self.folded.len()
                        && words
                            .iter()
                            .zip(&self.folded[at..])
                            .all(|((word, any), token)| word == token || (*any && token.starts_with(word.as_str())))
                };
                if let Some(length) = phrases.iter().filter(fits).map(Vec::len).max() {
                    found.push((*name, at, length));
                }
            }
        }
        // "après midi" is no noon, "pazartesi" no Sunday.
        found.sort_unstable();
        found.dedup();
        let longer = |name: &str, at: usize, length: usize| {
            found.iter().any(|(other, start, long)| *other != name && *long > length && *start <= at && at + length <= start + long)
        };
        let turkish = self.languages.contains(&Language::Tr);
        let misled = |name: &str, at: usize| {
            let token = self.folded[at].as_str();
            turkish && ((name == "sun" && token.starts_with("pazartesi")) || (name == "fri" && token.starts_with("cumartesi")))
        };
        let kept = found.iter().filter(|(name, at, length)| {
            let single = matches!(*name, "exact" | "bound" | "later" | "next" | "at" | "part" | "rel");
            !(misled(name, *at) || (single && longer(name, *at, *length)))
        });
        self.found = kept.copied().collect();
    }

    /// Whether a phrase of that name is in the message.
    pub(super) fn has(&self, name: &str) -> bool {
        self.found.iter().any(|(found, ..)| *found == name)
    }

    fn is_at(&self, name: &str, at: usize) -> bool {
        self.found.iter().any(|(found, start, length)| *found == name && *start <= at && at < start + length)
    }

    /// Whether anything is said about when.
    pub(super) fn any_time(&self) -> bool {
        self.day.is_some() || self.exact || self.is_vague()
    }

    /// Whether a time is spoken of without a time of day.
    pub(super) fn is_vague(&self) -> bool {
        ["part", "same", "later"].iter().any(|name| self.has(name)) || self.bounded()
    }

    /// "After five", "between ten and twelve".
    fn bounded(&self) -> bool {
        self.has("bound") && self.folded.iter().any(|token| token.starts_with(|c: char| c.is_ascii_digit()))
    }

    fn read_day(&mut self) {
        let count = self.text.split(' ').count();
        let mut core = vec![false; count];
        for (at, index) in self.word.iter().enumerate() {
            let weekday = WEEK.iter().position(|day| self.is_at(day, at));
            self.weekdays.extend(weekday);
            // "a second one" is no Monday, unless it is in a language that counts its days.
            if weekday.is_some() || self.is_at("rel", at) {
                core[*index] = true;
            }
            if self.is_at("month", at) {
                let near = |other: &usize| self.folded[*other].starts_with(|c: char| c.is_ascii_digit());
                if (at.saturating_sub(3)..(at + 3).min(self.folded.len())).any(|other| near(&other)) {
                    core[*index] = true;
                }
            }
        }
        self.weekdays.dedup();
        let parts: Vec<&str> = self.text.split(' ').collect();
        for (index, part) in parts.iter().enumerate() {
            core[index] |= is_date(part);
        }
        let mut marked = core.clone();
        for index in 0..count {
            let near = (index > 0 && core[index - 1]) || core.get(index + 1) == Some(&true);
            let tokens: Vec<usize> = (0..self.word.len()).filter(|at| self.word[*at] == index).collect();
            let next = tokens.iter().any(|at| self.is_at("next", *at));
            let next_to_month = (index.saturating_sub(2)..(index + 3).min(count))
                .any(|other| (0..self.word.len()).any(|at| self.word[at] == other && self.is_at("month", at) && core[other]));
            let number = parts[index].trim_matches(|c: char| !c.is_alphanumeric());
            let number = number.len() <= 4 && number.starts_with(|c: char| c.is_ascii_digit()) && !parts[index].contains(':');
            marked[index] |= (near && next) || (number && next_to_month);
        }
        // "El próximo viernes", "na próxima sexta".
        for index in (0..count.saturating_sub(1)).rev() {
            marked[index] |=
                marked[index + 1] && !core[index] && (0..self.word.len()).any(|at| self.word[at] == index && self.is_at("next", at));
        }
        let Some(first) = marked.iter().position(|marked| *marked) else { return };
        let mut last = first;
        for index in first + 1..count {
            let glued = parts[last + 1..index].iter().all(|part| GLUE.contains(&fold(part).as_str()));
            if marked[index] && index - last <= 3 && glued {
                last = index;
            }
        }
        let only_next = (first..=last).all(|index| !core[index]);
        let day = parts[first..=last].join(" ");
        self.day =
            (!only_next).then(|| day.trim_matches(|c: char| !c.is_alphanumeric() && c != '.').trim_end_matches(['.', '?', '!']).to_owned());
    }

    fn read_clocks(&mut self) {
        let text = fold(&self.text);
        // "two hours later" names no time of day.
        let shifted = self.shift().is_some() && !text.contains(':');
        for found in clock_patterns().iter().flat_map(|pattern| pattern.captures_iter(&text)) {
            let (Some(whole), Some(hour)) = (found.get(0), found.name("h")) else { continue };
            let minute = found.name("m").map_or("0", |minute| minute.as_str());
            let (Ok(mut hour), Ok(minute)) = (hour.as_str().parse::<u32>(), minute.parse::<u32>()) else { continue };
            let rest = &text[whole.end()..];
            let dotted = whole.as_str().contains('.') && !whole.as_str().contains(':');
            let at = is_after(&text[..whole.start()], &["at", "um", "gegen", "las", "la", "alle", "as", "om", "rond", "a", "saat", "@"]);
            let counted = ["min", "eur", "€", "$", "%", "pers", "pax", "jahr", "year", "tag", "day", "stund", "hour"];
            let counted = counted.iter().any(|unit| rest.trim_start().starts_with(unit));
            if hour > 24 || minute > 59 || counted || (dotted && !at && (minute % 15 != 0 || rest.starts_with('.'))) {
                continue;
            }
            // "le 27.11" and "5/12" are dates, "17:00" is none.
            if rest.starts_with(['.', '/', '-']) && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let half = whole.as_str().trim_end_matches('.').to_owned() + rest.get(..4).unwrap_or(rest);
            if hour < 12 && (half.contains("pm") || half.contains("p.m")) {
                hour += 12;
            }
            if self.is_bound(&text[..whole.start()], rest) {
                continue;
            }
            if !shifted && !self.clocks.contains(&(hour, minute)) {
                self.clocks.push((hour, minute));
            }
        }
        let spelt = self.spelt_clock();
        self.clocks.extend(spelt.filter(|_| self.clocks.is_empty()));
        let halves = self.has_half();
        let later = self.has("later");
        self.exact = !self.clocks.is_empty() || halves || (!later && self.has("exact") && !self.has("bound"));
    }

    /// "at five", "um fünf", "a las cinco", "beşte".
    fn spelt_clock(&self) -> Option<Clock> {
        if self.shift().is_some() {
            return None;
        }
        (0..self.folded.len()).find_map(|at| {
            let (value, length) = self.hour_in_words(at)?;
            let led = at > 0
                && self.is_at("at", at - 1)
                && !matches!(self.folded[at - 1].as_str(), "a" | "auf" | "pour" | "para" | "vers" | "as");
            let led = led || (at > 0 && value > 1 && matches!(self.folded[at - 1].as_str(), "as" | "vers"));
            let followed = self
                .folded
                .get(at + length)
                .is_some_and(|token| matches!(token.as_str(), "uhr" | "uur" | "heure" | "heures" | "horas" | "o"));
            let before = self.folded[..at].join(" ");
            let after = self.folded[(at + length).min(self.folded.len())..].join(" ");
            ((led || followed) && (value > 1 || followed || self.folded[at] == "one") && !self.is_bound(&before, &after))
                .then_some((value, 0))
        })
    }

    fn hour_in_words(&self, at: usize) -> Option<(u32, usize)> {
        let token = self.folded.get(at)?;
        if token.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let bare = token
            .strip_suffix("te")
            .or_else(|| token.strip_suffix("ta"))
            .or_else(|| token.strip_suffix("de"))
            .or_else(|| token.strip_suffix("da"));
        let turkish = self.languages.contains(&Language::Tr);
        let read = |word: &str| lexicon().number_at(&self.languages, &[word.to_owned()], 0).filter(|(value, _)| (1..=12).contains(value));
        read(token).or_else(|| bare.filter(|_| turkish).and_then(read))
    }

    /// "halb sechs", "half past five", "half zes".
    fn has_half(&self) -> bool {
        self.folded.windows(2).enumerate().any(|(at, pair)| {
            let number = pair[1].chars().all(|c| c.is_ascii_digit()) || self.hour_in_words(at + 1).is_some_and(|(value, _)| value > 1);
            matches!(pair[0].as_str(), "halb" | "half") && number
        })
    }

    /// Whether a time of day is only where a span begins or ends.
    fn is_bound(&self, before: &str, after: &str) -> bool {
        let words: Vec<String> = tokens(before);
        let mut led = words.iter().rev().skip_while(|word| GLUE.contains(&word.as_str()) || matches!(word.as_str(), "uhr" | "at"));
        let bounds = [
            "after", "before", "until", "till", "than", "from", "between", "nach", "vor", "ab", "bis", "zwischen", "apres", "avant",
            "partir", "des", "jusqu", "entre", "despues", "antes", "desde", "hasta", "dopo", "prima", "dalle", "entro", "tra", "fra",
            "depois", "ate", "apos", "na", "voor", "vanaf", "tot", "tussen",
        ];
        if led.next().is_some_and(|word| bounds.contains(&word.as_str())) {
            return true;
        }
        let between = ["between", "zwischen", "entre", "tra", "fra", "tussen"];
        if words.iter().rev().take(4).any(|word| between.contains(&word.as_str())) {
            return true;
        }
        let next: Vec<String> = tokens(after).into_iter().take(2).collect();
        next.iter().any(|word| matches!(word.as_str(), "sonra" | "once" | "arasi" | "arasinda" | "kadar"))
    }

    /// The place in a list that is named ("the second"), from 0; the last is `usize::MAX`.
    pub(super) fn ordinal(&self) -> Option<usize> {
        let named = ["first", "second", "third", "fourth"].iter().position(|name| self.has(name) && !self.is_a_day(name));
        named.or_else(|| self.has("last").then_some(usize::MAX))
    }

    /// In Portuguese the second is also a Monday.
    fn is_a_day(&self, name: &str) -> bool {
        self.found
            .iter()
            .filter(|(found, ..)| *found == name)
            .all(|(_, at, length)| *length == 1 && WEEK.iter().any(|day| self.is_at(day, *at)))
    }

    /// A number that is all that was said, or nearly so.
    pub(super) fn bare_number(&self) -> Option<u32> {
        let words: Vec<&String> = self.folded.iter().filter(|token| token.chars().any(char::is_alphanumeric)).collect();
        (words.len() <= 2).then(|| words.iter().find_map(|token| token.parse().ok()))?
    }

    /// By how many minutes later (or, negative, earlier) it shall be: "an hour later".
    pub(super) fn shift(&self) -> Option<i64> {
        if !self.has("later") {
            return None;
        }
        let text = fold(&self.text);
        let hour = ["hour", "stunde", "heure", "hora", "ora", "uur", "saat"]
            .iter()
            .any(|word| self.folded.iter().any(|token| token.starts_with(word)));
        let half =
            ["half an", "halbe", "demi", "media", "mezz", "meia", "half uur", "halfuur", "yarim"].iter().any(|word| text.contains(word));
        let number =
            (0..self.folded.len()).find_map(|at| lexicon().number_at(&self.languages, &self.folded, at)).map(|(value, _)| i64::from(value));
        let minutes = self.folded.iter().any(|token| token.starts_with("min") || token.starts_with("dakika"));
        let size = match (half, hour, minutes) {
            (true, ..) => 30,
            (_, _, true) => number?,
            (_, true, _) => 60 * number.unwrap_or(1),
            _ => return None,
        };
        let earlier = [
            "earlier",
            "sooner",
            "fruher",
            "plus tot",
            "antes",
            "temprano",
            "prima",
            "presto",
            "mais cedo",
            "eerder",
            "vroeger",
            "once",
            "erken",
        ];
        Some(if earlier.iter().any(|word| text.contains(word)) { -size } else { size })
    }

    /// The number of one of the customer's appointments, if they name it.
    pub(super) fn appointment_no(&self) -> Option<i64> {
        static NUMBER: OnceLock<Option<Regex>> = OnceLock::new();
        let number = NUMBER
            .get_or_init(|| {
                Regex::new(
                    r"(?:appointment|booking|termin|rendez-?vous|rdv|cita|appuntamento|agendamento|marcacao|afspraak|randevu)\s*(?:no\.?|nr\.?|n°|id|number|nummer|numero)?\s*#?\s*(\d{1,9})\b|#\s?(\d{1,9})\b",
                )
                .ok()
            })
            .as_ref()?;
        let text = fold(&self.text);
        let found = number.captures(&text)?;
        let digits = found.get(1).or_else(|| found.get(2))?;
        let rest = text[digits.end()..].trim_start();
        let clock = rest.starts_with([':', 'h', '.', '/']) || ["uhr", "uur", "am", "pm", "saat"].iter().any(|unit| rest.starts_with(unit));
        if clock { None } else { digits.as_str().parse().ok() }
    }

    /// The customer's words as a tool takes them.
    pub(super) fn when(&self) -> String {
        cut(&self.text)
    }

    /// Tokens, folded.
    pub(super) fn tokens(&self) -> &[String] {
        &self.folded
    }
}

/// No longer than a tool takes.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_WHEN).collect()
}

fn clock_patterns() -> &'static Vec<Regex> {
    static PATTERNS: OnceLock<Vec<Regex>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        [
            r"\b(?P<h>[01]?\d|2[0-4])\s?[:h]\s?(?P<m>[0-5]\d)\b(?:\s?[ap]\.?m)?",
            r"\b(?P<h>[01]?\d|2[0-3])\.(?P<m>[0-5]\d)\b",
            r"\b(?P<h>\d{1,2})\s*(?:am|pm|a\.m|p\.m|uhr|uur|o'?clock|heures?|h|hs|hrs|horas?|ore)\b",
            r"(?:\b(?:at|um|gegen|a las?|as|alle|om|rond|saat|a|vers|around|sobre las|pelas|verso le)|@)\s+(?P<h>\d{1,2})\b(?:\s?[ap]\.?m)?",
            r"\b(?P<h>\d{1,2})'(?:de|da|te|ta|ye|ya|e|a|i|u|yi|yu)\b",
        ]
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
    })
}

fn is_after(before: &str, words: &[&str]) -> bool {
    before.trim_end().rsplit(' ').next().is_some_and(|word| words.contains(&word))
}

/// "27.11.", "27/11/2026", "2026-11-27", "27th".
fn is_date(word: &str) -> bool {
    static DATE: OnceLock<Option<Regex>> = OnceLock::new();
    let date = DATE.get_or_init(|| {
        Regex::new(r"^(?:(?:[0-2]?\d|3[01])[./-](?:0?[1-9]|1[0-2])(?:[.](?:\d{2,4})?|[/-]\d{2,4})|(?:[0-2]?\d|3[01])/(?:0?[1-9]|1[0-2])|(?:2[4-9]|3[01])\.(?:0?[1-9]|1[0-2])|\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th))$").ok()
    });
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '.').to_lowercase();
    date.as_ref().is_some_and(|date| date.is_match(&word) || date.is_match(word.trim_end_matches('.')))
}

/// A time that a text offers, with the day it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) day: Option<String>,
    pub(super) weekdays: Vec<usize>,
    pub(super) clock: Clock,
    pub(super) typed: String,
}

/// The times that a text offers, in order.
pub(super) fn shown(text: &str, languages: &[Language]) -> Vec<Shown> {
    static CLOCK: OnceLock<Option<Regex>> = OnceLock::new();
    let Some(clock) = CLOCK.get_or_init(|| Regex::new(r"\b([01]?\d|2[0-3])[:.h]([0-5]\d)\b(?:\s?([ap])\.?m)?").ok()) else {
        return Vec::new();
    };
    let mut day: (Option<String>, Vec<usize>) = (None, Vec::new());
    let mut found = Vec::new();
    for line in text.lines() {
        let words = Words::of(line, languages);
        if words.day.is_some() {
            day = (words.day.clone(), words.weekdays.clone());
        }
        for time in clock.captures_iter(line) {
            let Some(whole) = time.get(0) else { continue };
            let before = line[..whole.start()].trim_end();
            let after = &line[whole.end()..];
            let date = after.starts_with(['.', '/']) && whole.as_str().contains('.');
            // Where a span ends, or a date.
            if before.ends_with(['-', '–', '—']) && before.trim_end_matches(['-', '–', '—', ' ']).ends_with(|c: char| c.is_ascii_digit())
                || date
            {
                continue;
            }
            let (Ok(hour), Ok(minute)) = (time[1].parse::<u32>(), time[2].parse::<u32>()) else { continue };
            let hour = if time.get(3).is_some_and(|half| half.as_str() == "p") && hour < 12 { hour + 12 } else { hour };
            found.push(Shown { day: day.0.clone(), weekdays: day.1.clone(), clock: (hour, minute), typed: whole.as_str().to_owned() });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, language: Language) -> Words {
        Words::of(text, &[language, Language::En])
    }

    #[test]
    fn every_language_has_every_word() {
        let names: Vec<&str> = entries().keys().filter(|(code, _)| *code == "en").map(|(_, name)| *name).collect();
        assert!(names.len() >= 30);
        for language in Language::ALL {
            for name in &names {
                assert!(entries().contains_key(&(language.code(), *name)), "{language:?} lacks {name}");
            }
        }
    }

    #[test]
    fn times_of_day_are_read_and_bounds_dates_and_durations_are_none() {
        for (text, language, clocks) in [
            ("Friday at 17:00", Language::En, vec![(17, 0)]),
            ("friday 5pm pls", Language::En, vec![(17, 0)]),
            ("at five", Language::En, vec![(5, 0)]),
            ("after 5pm", Language::En, vec![]),
            ("between 10 and 12:00", Language::En, vec![]),
            ("an hour later", Language::En, vec![]),
            ("am Freitag um 17 Uhr", Language::De, vec![(17, 0)]),
            ("am 27.11. um 9.30", Language::De, vec![(9, 30)]),
            ("ab 17 Uhr", Language::De, vec![]),
            ("vendredi à 17h30", Language::Fr, vec![(17, 30)]),
            ("après 17h", Language::Fr, vec![]),
            ("el viernes a las 17", Language::Es, vec![(17, 0)]),
            ("a las cinco", Language::Es, vec![(5, 0)]),
            ("venerdì alle 10", Language::It, vec![(10, 0)]),
            ("sexta às 10h", Language::Pt, vec![(10, 0)]),
            ("vrijdag om 10 uur", Language::Nl, vec![(10, 0)]),
            ("cuma 17'de", Language::Tr, vec![(17, 0)]),
            ("cuma saat 10", Language::Tr, vec![(10, 0)]),
            ("17:00'den sonra", Language::Tr, vec![]),
            ("27/11", Language::En, vec![]),
        ] {
            assert_eq!(read(text, language).clocks, clocks, "{text}");
        }
        assert!(
            read("halb sechs", Language::De).exact
                && read("à midi", Language::Fr).exact
                && !read("vendredi après-midi", Language::Fr).exact
        );
    }

    #[test]
    fn days_are_taken_as_they_were_written() {
        for (text, language, day) in [
            ("a haircut next Friday after work", Language::En, Some("next Friday")),
            ("the 27th of November please", Language::En, Some("the 27th of November")),
            ("kommenden Freitag, gern abends", Language::De, Some("kommenden Freitag")),
            ("am 27.11. hätte ich Zeit", Language::De, Some("am 27.11")),
            ("vendredi prochain à 17h", Language::Fr, Some("vendredi prochain")),
            ("el próximo viernes por la tarde", Language::Es, Some("el próximo viernes")),
            ("17:30", Language::En, None),
            ("Friday 2026-11-27 17:00", Language::En, Some("Friday 2026-11-27")),
        ] {
            assert_eq!(read(text, language).day.as_deref(), day, "{text}");
        }
        assert_eq!(read("pazartesi", Language::Tr).weekdays, [0]);
    }

    #[test]
    fn shown_times_stand_under_their_day() {
        let text = "These are free:\nFriday 27 November: 17:00, 17:30\nSaturday 28 November\n• 9:00–9:45\n• 10:00";
        let found = shown(text, &[Language::En]);
        let short: Vec<_> = found.iter().map(|shown| (shown.clock, shown.weekdays.first().copied())).collect();
        assert_eq!(short, [((17, 0), Some(4)), ((17, 30), Some(4)), ((9, 0), Some(5)), ((10, 0), Some(5))]);
        assert_eq!(found[0].day.as_deref(), Some("Friday 27 November"));
    }
}
