//! Takes a text apart into atoms: words and phrases by their sense, numbers by their form.

use chrono::NaiveDate;

use super::words::{Case, LANGUAGES, MOST_WORDS, Meaning, Sense, TURKISH, WORDS, ending_case};
use crate::agent::guard::plain_text;

/// A sense, and the language it was found in; numbers in digits have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) sense: Sense,
    pub(super) language: Option<usize>,
}

#[derive(Debug, Clone)]
enum Token {
    Word(String),
    /// A hyphen inside of a word.
    Hyphen,
    Known(Sense),
}

/// The atoms of a text; `None` if a date or a time in it does not exist.
pub(super) fn atoms(text: &str, month_first: bool) -> Option<Vec<Atom>> {
    let plain: Vec<char> = plain_text(text).chars().collect();
    let tokens = Scanner { text: &plain, at: 0, month_first, tokens: Vec::new() }.scan()?;
    Some(phrases(&tokens))
}

struct Scanner<'a> {
    text: &'a [char],
    at: usize,
    month_first: bool,
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn known(&mut self, sense: Sense, taken: usize) {
        self.tokens.push(Token::Known(sense));
        self.at += taken;
    }

    fn scan(mut self) -> Option<Vec<Token>> {
        while let Some(c) = self.peek(0) {
            match c {
                c if c.is_ascii_digit() => self.number()?,
                c if c.is_alphabetic() || c == '@' => self.word(),
                '+' | '€' | '$' | '£' | '₺' | '#' if self.digit_follows() => self.other_number(),
                '.' => self.dot(),
                ',' | ':' => self.known(Sense::Comma, 1),
                '!' | '?' | ';' | '(' | ')' | '\n' | '"' | '¿' | '¡' => self.known(Sense::Stop, 1),
                '-' if self.between_letters() => {
                    self.tokens.push(Token::Hyphen);
                    self.at += 1;
                }
                '-' => self.known(Sense::Dash, 1),
                '/' => self.known(Sense::Slash, 1),
                '&' => self.known(Sense::And, 1),
                _ => self.at += 1,
            }
        }
        Some(self.tokens)
    }

    fn digit_follows(&self) -> bool {
        let next = self.text.iter().skip(self.at + 1).find(|c| !c.is_whitespace());
        next.is_some_and(char::is_ascii_digit)
    }

    fn between_letters(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|before| self.text.get(before));
        before.is_some_and(|c| c.is_alphabetic()) && self.peek(1).is_some_and(char::is_alphabetic)
    }

    fn word(&mut self) {
        let word: String = self.text.iter().skip(self.at).take_while(|c| c.is_alphabetic() || **c == '@').collect();
        self.at += word.chars().count();
        // Dutch "t/m".
        if word == "t" && self.peek(0) == Some('/') && self.peek(1) == Some('m') && !self.peek(2).is_some_and(char::is_alphanumeric) {
            self.at += 2;
            self.tokens.push(Token::Word("tm".to_owned()));
            return;
        }
        self.tokens.push(Token::Word(word));
    }

    /// A dot ends a sentence, unless it ends a short word before more of the sentence: "ca. 5", "Fr. 27.11.", "a.m.".
    fn dot(&mut self) {
        let short = matches!(self.tokens.last(), Some(Token::Word(word)) if word.chars().count() <= 4);
        let next = self.text.iter().skip(self.at + 1).find(|c| !c.is_whitespace());
        let abbreviated = matches!(self.tokens.last(), Some(Token::Word(word)) if WORDS.abbreviates(word)) && next.is_some();
        if abbreviated || short && (self.peek(1).is_some_and(char::is_alphabetic) || next.is_some_and(char::is_ascii_digit)) {
            self.at += 1;
        } else {
            self.known(Sense::Stop, 1);
        }
    }

    /// A number that is an amount of money or a phone number.
    fn other_number(&mut self) {
        let rest = self.text.iter().skip(self.at + 1);
        let taken = rest.take_while(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | ',' | '-' | '(' | ')' | '/' | '\u{a0}')).count();
        self.known(Sense::Other, taken + 1);
    }

    /// The digits at a place, at most four of them: their value and how many they are.
    fn digits(&self, ahead: usize) -> Option<(u32, usize)> {
        let digits: String = self.text.iter().skip(self.at + ahead).take_while(|c| c.is_ascii_digit()).take(5).collect();
        if digits.len() > 4 { None } else { digits.parse().ok().map(|value| (value, digits.len())) }
    }

    fn number(&mut self) -> Option<()> {
        if self.full_date()? || self.long() {
            return Some(());
        }
        let Some((first, length)) = self.digits(0) else {
            self.other_number();
            return Some(());
        };
        if length <= 2 {
            let next = self.peek(length);
            if next == Some(':') && self.clock(first, length, length + 1)? {
                return Some(());
            }
            if matches!(next, Some('/' | '-' | '.')) && self.pair(first, length)? {
                return Some(());
            }
            if self.hours(first, length) {
                return Some(());
            }
        }
        // Decimals and thousands.
        if self.peek(length) == Some(',') && self.peek(length + 1).is_some_and(|c| c.is_ascii_digit()) {
            self.other_number();
            return Some(());
        }
        self.plain(first, length);
        Some(())
    }

    /// "2027-03-27", "27.03.2027", "3/27/27". A date that does not exist ends it all.
    fn full_date(&mut self) -> Option<bool> {
        let Some((one, first)) = self.digits(0) else { return Some(false) };
        let Some(sign) = self.peek(first).filter(|c| matches!(c, '.' | '/' | '-')) else { return Some(false) };
        let Some((two, second)) = self.digits(first + 1).filter(|(_, length)| *length <= 2) else { return Some(false) };
        if self.peek(first + 1 + second) != Some(sign) {
            return Some(false);
        }
        let at = first + second + 2;
        let at =
            if sign == '.' && self.peek(at) == Some(' ') && matches!(self.digits(at + 1), Some((2020..=2100, 4))) { at + 1 } else { at };
        let Some((three, third)) = self.digits(at) else { return Some(false) };
        let end = at + third;
        // "06.12.34.56.78" is no date.
        if self.peek(end) == Some(sign) && self.peek(end + 1).is_some_and(|c| c.is_ascii_digit()) {
            return Some(false);
        }
        let (year, month, day) = match (first, third) {
            (4, 1..=2) => (one, two, three),
            (1..=2, 2 | 4) => {
                let (day, month) = self.day_and_month(one, two, sign);
                (if third == 2 { 2000 + three } else { three }, month, day)
            }
            _ => return Some(false),
        };
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        self.known(Sense::Date(date), end);
        // "2027-03-27T17:00".
        if self.peek(0) == Some('t') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        Some(true)
    }

    fn day_and_month(&self, one: u32, two: u32, sign: char) -> (u32, u32) {
        let month_leads = sign != '.' && one <= 12 && (self.month_first || two > 12);
        if month_leads { (two, one) } else { (one, two) }
    }

    /// Phone and order numbers: seven digits or more, with single signs between them.
    fn long(&mut self) -> bool {
        let (mut digits, mut taken, mut sign) = (0, 0, false);
        for c in self.text.iter().skip(self.at) {
            if c.is_ascii_digit() {
                digits += 1;
                sign = false;
            } else if sign || !matches!(c, ' ' | '-' | '/' | '.' | '(' | ')' | '\u{a0}') {
                break;
            } else {
                sign = true;
            }
            taken += 1;
        }
        if digits >= 7 {
            self.known(Sense::Other, taken);
        }
        digits >= 7
    }

    /// "17:30", "17h30".
    fn clock(&mut self, hour: u32, length: usize, minutes_at: usize) -> Option<bool> {
        let Some((minute, 2)) = self.digits(minutes_at) else { return Some(false) };
        if hour > 24 || minute > 59 || hour == 24 && minute > 0 {
            return None;
        }
        let sure = length == 2 && self.peek(0) == Some('0') || hour > 12;
        let mut taken = minutes_at + 2;
        if self.peek(taken) == Some(':') && matches!(self.digits(taken + 1), Some((_, 2))) {
            taken += 3;
        }
        self.known(Sense::Clock(hour % 24, minute, sure), taken);
        self.ending();
        Some(true)
    }

    /// "17h30", "17 h 30", "17u30".
    fn hours(&mut self, hour: u32, length: usize) -> bool {
        let blank = |at: usize| usize::from(self.peek(at) == Some(' '));
        let sign = length + blank(length);
        if !matches!(self.peek(sign), Some('h' | 'u')) {
            return false;
        }
        let minutes = sign + 1 + blank(sign + 1);
        let Some((minute, 2)) = self.digits(minutes) else { return false };
        let close = self.peek(minutes + 2).is_none_or(|c| !c.is_alphabetic() && c != ':' && c != '/');
        if !close || hour > 24 || minute > 59 {
            return false;
        }
        let sense =
            if hour < 7 && self.peek(0) != Some('0') { Sense::Hours(hour, minute) } else { Sense::Clock(hour % 24, minute, hour > 12) };
        self.known(sense, minutes + 2);
        true
    }

    /// "27/3", "27.3.", "17.30", "9-11".
    fn pair(&mut self, one: u32, length: usize) -> Option<bool> {
        let Some(sign) = self.peek(length) else { return Some(false) };
        let Some((two, second)) = self.digits(length + 1).filter(|(_, length)| *length <= 2) else { return Some(false) };
        let end = length + 1 + second;
        if sign == '.' {
            let dot = self.peek(end) == Some('.') && !self.peek(end + 1).is_some_and(|c| c.is_ascii_digit());
            self.known(Sense::Pair(one, two, dot), end + usize::from(dot));
            if second == 1 && !dot {
                // A decimal: "1.5 hours".
                self.tokens.pop();
                self.tokens.push(Token::Known(Sense::Other));
            }
            self.ending();
            return Some(true);
        }
        let dashed = sign == '-' && (13..=31).contains(&one) && (1..=12).contains(&two);
        if sign == '-' && !dashed {
            return Some(false);
        }
        let (day, month) = self.day_and_month(one, two, sign);
        if (one, two) == (24, 7) || !(1..=31).contains(&day) || !(1..=12).contains(&month) {
            self.known(Sense::Other, end);
            return Some(true);
        }
        // The 29th of February is there now and then.
        NaiveDate::from_ymd_opt(2024, month, day)?;
        self.known(Sense::DayMonth(day, month), end);
        Some(true)
    }

    /// A number of its own, with what is written right behind it.
    fn plain(&mut self, value: u32, length: usize) {
        let after = self.text.iter().skip(self.at + length).find(|c| !c.is_whitespace());
        if after.is_some_and(|c| matches!(c, '%' | '€' | '$' | '£' | '₺')) {
            self.known(Sense::Other, length);
            return;
        }
        let letters: String = self.text.iter().skip(self.at + length).take_while(|c| c.is_alphabetic()).collect();
        let ordinal =
            matches!(letters.as_str(), "st" | "nd" | "rd" | "th" | "ste" | "er" | "e" | "de" | "o" | "a") && (1..=31).contains(&value);
        if ordinal {
            self.known(Sense::Ordinal(value), length + letters.len());
        } else if letters == "x" {
            self.known(Sense::Other, length + 1);
        } else if self.peek(length) == Some('.') && self.peek(length + 1).is_none_or(char::is_whitespace) && (1..=31).contains(&value) {
            self.known(Sense::Dotted(value), length + 1);
        } else {
            self.known(Sense::Number(value), length);
            self.ending();
        }
    }

    /// Am, pm, or a Turkish ending behind a number.
    fn ending(&mut self) {
        let apostrophe = usize::from(self.peek(0) == Some('\''));
        let letters: String = self.text.iter().skip(self.at + apostrophe).take_while(|c| c.is_alphabetic()).collect();
        if let Some((case, _)) = ending_case(&letters).filter(|_| apostrophe == 1 || letters.len() > 1 && letters != "in") {
            self.known(Sense::Case(case), apostrophe + letters.len());
            return;
        }
        let mut at = usize::from(self.peek(0).is_some_and(char::is_whitespace));
        let glued = at == 0;
        let sense = match self.peek(at) {
            Some('a') => Sense::Am,
            Some('p') => Sense::Pm,
            _ => return,
        };
        let dotted = self.peek(at + 1) == Some('.');
        at += 1 + usize::from(dotted);
        at += usize::from(dotted && self.peek(at) == Some(' '));
        if self.peek(at) != Some('m') || self.peek(at + 1).is_some_and(char::is_alphabetic) {
            return;
        }
        at += 1 + usize::from(dotted && self.peek(at + 1) == Some('.'));
        // "Um 5 am Freitag" is German.
        let next: String =
            self.text.iter().skip(self.at + at).skip_while(|c| c.is_whitespace()).take_while(|c| c.is_alphanumeric()).collect();
        let article =
            ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "sams", "sonn", "abend", "morgen", "nach", "vor", "mittag"];
        if sense == Sense::Am && !glued && !dotted && article.iter().any(|day| next.starts_with(day)) {
            return;
        }
        self.known(sense, at);
    }
}

/// The longest known phrases, each with the sense it has in the language that the text seems to be in.
fn phrases(tokens: &[Token]) -> Vec<Atom> {
    let mut found: Vec<Found> = Vec::new();
    let mut votes = [0_u32; LANGUAGES];
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let word = match token {
            Token::Word(word) => word,
            Token::Known(sense) => {
                found.push(Found::Sure(*sense, None));
                at += 1;
                continue;
            }
            Token::Hyphen => {
                found.push(Found::Sure(Sense::Dash, None));
                at += 1;
                continue;
            }
        };
        for language in WORDS.chat(word) {
            votes[*language] += 1;
        }
        if let Some((taken, meanings)) = longest(&tokens[at..]) {
            let weight = match meanings.len() {
                1 => 3,
                2 => 2,
                _ => 1,
            };
            for (_, language) in meanings {
                votes[*language] += weight;
            }
            found.push(Found::Open(meanings));
            at += taken;
            continue;
        }
        apart(word, &mut found);
        at += 1;
    }
    let mut atoms: Vec<Atom> = Vec::with_capacity(found.len());
    for found in found {
        let atom = found.atom(&votes);
        match (atoms.last_mut(), atom.sense) {
            // "On birde": ten and one with an ending.
            (Some(Atom { sense: Sense::Number(tens @ (10 | 20)), language: Some(TURKISH) }), Sense::Number(ones @ 1..=9))
                if atom.language == Some(TURKISH) =>
            {
                *tens += ones;
            }
            _ => atoms.push(atom),
        }
    }
    atoms
}

enum Found {
    Sure(Sense, Option<usize>),
    Open(&'static [Meaning]),
}

impl Found {
    fn atom(self, votes: &[u32; LANGUAGES]) -> Atom {
        match self {
            Self::Sure(sense, language) => Atom { sense, language },
            Self::Open(meanings) => {
                let best = meanings.iter().max_by_key(|(_, language)| (votes[*language], LANGUAGES - language));
                best.map_or(Atom { sense: Sense::Other, language: None }, |(sense, language)| Atom {
                    sense: *sense,
                    language: Some(*language),
                })
            }
        }
    }
}

/// The longest phrase at the start, and how many tokens it is.
fn longest(tokens: &[Token]) -> Option<(usize, &'static [Meaning])> {
    let mut phrase = String::new();
    let (mut best, mut words) = (None, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) => {
                if words > 0 {
                    phrase.push(' ');
                }
                phrase.push_str(word);
            }
            // "Lo + pronto possibile" and "1/2" are not taken for phrases; "entre midi et 2" is.
            Token::Known(Sense::Number(number)) if words > 0 => {
                phrase.push(' ');
                phrase.push_str(&number.to_string());
            }
            Token::Hyphen => continue,
            Token::Known(_) => break,
        }
        words += 1;
        if let Some(meanings) = WORDS.meanings(&phrase) {
            best = Some((at + 1, meanings));
        }
        if words == MOST_WORDS {
            break;
        }
    }
    best
}

/// A word that no phrase begins with: two words in one ("Freitagabend"), one with a Turkish ending, one with a slip, or another.
fn apart(word: &str, found: &mut Vec<Found>) {
    let day = |sense: &Sense| matches!(sense, Sense::Weekday(_) | Sense::Morgen | Sense::Day(_));
    let part = |sense: &Sense| matches!(sense, Sense::Part(_) | Sense::Morgen);
    for (at, _) in word.char_indices().skip(4) {
        let (head, tail) = word.split_at(at);
        let Some(head) = WORDS.meanings(head).filter(|meanings| meanings.iter().any(|(sense, _)| day(sense))) else { continue };
        if let Some(tail) = WORDS.meanings(tail).filter(|meanings| meanings.iter().any(|(sense, _)| part(sense))) {
            found.push(Found::Open(head));
            found.push(Found::Open(tail));
            return;
        }
    }
    if let Some((sense, case)) = WORDS.with_ending(word) {
        found.push(Found::Sure(sense, Some(TURKISH)));
        if case != Case::Other {
            found.push(Found::Sure(Sense::Case(case), None));
        }
    } else if let Some((sense, language)) = WORDS.slip(word) {
        found.push(Found::Sure(sense, Some(language)));
    } else {
        found.push(Found::Sure(Sense::Other, None));
    }
}
