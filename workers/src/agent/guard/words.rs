//! Reads numbers written as words in eight languages, compounds and hyphens included.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use super::lexicons;

/// One building block of a number word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Add(u32),
    Hundred,
    Scale(u32),
    And,
}

/// A language's building blocks and habits.
struct Lexicon {
    parts: Vec<(&'static str, Part)>,
    /// Units are said before the tens: neunundfünfzig.
    units_first: bool,
    /// Sixty and ten: soixante-dix, quatre-vingts.
    by_twenties: bool,
    /// Ten takes units: dieciséis, on bir.
    tens_open: bool,
    /// A block that may only stand inside one written word.
    inner_and: &'static str,
}

use Part::{Add, And, Hundred, Scale};

fn lexicon(lines: &'static [&'static str]) -> Lexicon {
    let part = |value: &str| match value {
        "H" => Some(Hundred),
        "&" => Some(And),
        v => match v.strip_prefix('x') {
            Some(scale) => scale.parse().ok().map(Scale),
            None => v.parse().ok().map(Add),
        },
    };
    let parts = lines.iter().flat_map(|l| l.split(' ')).filter_map(|e| e.split_once('=')).filter_map(|(w, v)| Some((w, part(v)?)));
    Lexicon { parts: parts.collect(), units_first: false, by_twenties: false, tens_open: false, inner_and: "" }
}

static LEXICONS: LazyLock<Vec<Lexicon>> = LazyLock::new(|| {
    vec![
        lexicon(lexicons::ENGLISH),
        Lexicon { units_first: true, inner_and: "und", ..lexicon(lexicons::GERMAN) },
        Lexicon { units_first: true, inner_and: "en", ..lexicon(lexicons::DUTCH) },
        Lexicon { by_twenties: true, ..lexicon(lexicons::FRENCH) },
        Lexicon { tens_open: true, inner_and: "y", ..lexicon(lexicons::SPANISH) },
        lexicon(lexicons::ITALIAN),
        lexicon(lexicons::PORTUGUESE),
        Lexicon { tens_open: true, ..lexicon(lexicons::TURKISH) },
        lexicon(lexicons::OTHERS),
    ]
});

/// Number words that mostly mean something else, at least in a neighbour language.
pub(super) fn is_everyday(word: &str) -> bool {
    matches!(
        word,
        "one"
            | "a"
            | "ein"
            | "eine"
            | "einen"
            | "einem"
            | "eins"
            | "een"
            | "un"
            | "une"
            | "uno"
            | "una"
            | "um"
            | "uma"
            | "bir"
            | "on"
            | "bin"
            | "dort"
            | "sei"
            | "due"
            | "once"
            | "elf"
            | "dos"
            | "onze"
            | "six"
            | "sept"
            | "neuf"
            | "nove"
            | "sette"
            | "alti"
            | "yuz"
            | "kirk"
            | "cent"
            | "cents"
            | "mil"
            | "mille"
            | "tres"
            | "tre"
            | "acht"
            | "null"
            | "vier"
            | "drie"
            | "bes"
            | "cem"
            | "dez"
            | "दो"
            | "एक"
            | "सौ"
            | "دو"
            | "سه"
            | "ده"
            | "سی"
            | "یک"
            | "نود"
            | "два"
            | "три"
            | "dwa"
    )
}

/// A number found in a row of words: how many words it took and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) words: usize,
    pub(super) values: Vec<Decimal>,
}

/// Reads the longest number that begins with the first of these folded words (words of one row,
/// with only spaces or hyphens between them).
pub(super) fn read(words: &[&str]) -> Option<Spoken> {
    let mut best: Option<Spoken> = None;
    for lexicon in LEXICONS.iter() {
        let Some((taken, value)) = lexicon.read(words) else { continue };
        let value = Decimal::from(value);
        match &mut best {
            Some(b) if b.words > taken => {}
            Some(b) if b.words == taken => b.values.push(value),
            _ => best = Some(Spoken { words: taken, values: vec![value] }),
        }
    }
    best
}

impl Lexicon {
    fn read(&self, words: &[&str]) -> Option<(usize, u32)> {
        let mut state = State::default();
        let mut taken = 0;
        let mut at = 0;
        while let Some(word) = words.get(at).filter(|_| at < 16) {
            let Some(parts) = self.split(word) else { break };
            let mut next = state;
            if !parts.iter().all(|p| next.take(*p, self)) {
                break;
            }
            at += 1;
            state = next;
            if !state.open {
                taken = at;
            }
        }
        (taken > 0).then(|| (taken, state.value()))
    }

    /// Splits one written word wholly into building blocks.
    fn split(&self, word: &str) -> Option<Vec<Part>> {
        if word.len() > 60 {
            return None;
        }
        if let Some((_, part)) = self.parts.iter().find(|(w, _)| *w == word) {
            return Some(vec![*part]);
        }
        let mut steps = 0;
        let mut parts = Vec::new();
        (word.chars().count() > 4 && self.split_rest(word, &mut parts, &mut steps)).then_some(parts)
    }

    fn split_rest(&self, rest: &str, parts: &mut Vec<Part>, steps: &mut usize) -> bool {
        *steps += 1;
        if rest.is_empty() {
            return true;
        }
        if *steps > 400 || parts.len() > 10 {
            return false;
        }
        // Longest block first: "dreizehn" before "drei".
        let mut fits: Vec<_> = self.parts.iter().filter(|(w, _)| rest.starts_with(w)).collect();
        fits.sort_by_key(|(w, _)| std::cmp::Reverse(w.len()));
        for (w, part) in fits {
            if *part == And && (*w != self.inner_and || parts.is_empty()) {
                continue;
            }
            parts.push(*part);
            if self.split_rest(&rest[w.len()..], parts, steps) {
                return true;
            }
            parts.pop();
        }
        false
    }
}

/// A number being put together.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    thousands: u32,
    hundreds: u32,
    rest: u32,
    any: bool,
    scale: Option<u32>,
    /// An "and" waits for what it joins.
    open: bool,
}

impl State {
    fn value(&self) -> u32 {
        self.thousands.saturating_add(self.hundreds + self.rest)
    }

    fn take(&mut self, part: Part, lexicon: &Lexicon) -> bool {
        let was_open = self.open;
        match part {
            And => {
                if was_open || !self.any {
                    return false;
                }
                self.open = true;
                return true;
            }
            Add(v) if v >= 100 => {
                if self.hundreds != 0 || self.rest != 0 {
                    return false;
                }
                self.hundreds = v;
            }
            Add(v) => {
                let tens_then_unit = self.rest >= 20 && self.rest.is_multiple_of(10) && (1..10).contains(&v);
                let sixty_ten = lexicon.by_twenties && matches!(self.rest, 60 | 80) && (10..20).contains(&v);
                let after_ten = self.rest == 10 && (7..10).contains(&v) && lexicon.by_twenties;
                let sixty_seventeen = lexicon.by_twenties && matches!(self.rest, 70 | 90) && (7..10).contains(&v);
                let ten_and_unit = self.rest == 10 && (1..10).contains(&v) && lexicon.tens_open;
                let unit_then_tens = lexicon.units_first && was_open && (1..10).contains(&self.rest) && v >= 20 && v.is_multiple_of(10);
                let nothing_yet = self.rest == 0 && !(self.any && self.value() == 0);
                if lexicon.by_twenties && self.rest == 4 && v == 20 {
                    self.rest = 80;
                } else if nothing_yet
                    || sixty_ten
                    || after_ten
                    || sixty_seventeen
                    || ten_and_unit
                    || unit_then_tens
                    || (tens_then_unit && !lexicon.units_first)
                {
                    self.rest += v;
                } else {
                    return false;
                }
            }
            Hundred => {
                if self.hundreds != 0 || self.rest >= 20 || was_open && self.rest != 0 {
                    return false;
                }
                self.hundreds = self.rest.max(1) * 100;
                self.rest = 0;
            }
            Scale(n) => {
                // Scales fall: two million three thousand.
                if self.scale.is_some_and(|s| s <= n) {
                    return false;
                }
                self.thousands = self.thousands.saturating_add((self.hundreds + self.rest).max(1).saturating_mul(n));
                self.hundreds = 0;
                self.rest = 0;
                self.scale = Some(n);
            }
        }
        self.open = false;
        self.any = true;
        true
    }
}

const CJK: &[(char, u64)] = &[
    ('零', 0),
    ('〇', 0),
    ('一', 1),
    ('二', 2),
    ('两', 2),
    ('兩', 2),
    ('三', 3),
    ('四', 4),
    ('五', 5),
    ('六', 6),
    ('七', 7),
    ('八', 8),
    ('九', 9),
    ('十', 10),
    ('百', 100),
    ('千', 1_000),
    ('万', 10_000),
    ('萬', 10_000),
];

/// Reads Chinese numerals from the start of the text: the bytes they take and their value.
pub(super) fn read_cjk(text: &str) -> Option<(usize, Decimal)> {
    let (mut len, mut total, mut group, mut digit) = (0, 0_u64, 0_u64, 0_u64);
    for c in text.chars().take(20) {
        let Some((_, v)) = CJK.iter().find(|(k, _)| *k == c) else { break };
        match v {
            0..=9 => digit = *v,
            10..=1_000 => {
                group += digit.max(1) * v;
                digit = 0;
            }
            _ => {
                total += (group + digit) * v;
                group = 0;
                digit = 0;
            }
        }
        len += c.len_utf8();
    }
    (len > 0).then(|| (len, Decimal::from(total + group + digit)))
}
