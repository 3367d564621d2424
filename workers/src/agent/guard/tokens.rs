//! Cuts a folded reply into numbers, words and signs.

use std::ops::Range;

use rust_decimal::Decimal;

use super::fold::{Folded, JOINING_SPACE};
use super::{numbers, words};

/// What a piece of the reply is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number, in digits or words.
    Number(Number),
    /// Letters.
    Word(String),
    /// Any other visible character.
    Sign(char),
    /// The end of a sentence or line.
    End,
}

/// A number and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// What it may mean; empty when it cannot be read as one number.
    pub(super) values: Vec<Decimal>,
    /// Digits after the decimal sign.
    pub(super) decimals: usize,
    /// Its digits, or nothing for words.
    pub(super) digits: String,
    /// Written out in words.
    pub(super) spoken: bool,
    /// A single number word that mostly means something else.
    pub(super) everyday: bool,
    /// Written as prices are: `59,-`, `1.2k`.
    pub(super) priced: bool,
    /// Inside a date, time, phone number, link or reference.
    pub(super) masked: bool,
}

/// A piece with its place in the folded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// No space before it.
    pub(super) glued: bool,
    /// Written with a capital letter somewhere.
    pub(super) capital: bool,
    /// Written all in capitals.
    pub(super) capitals: bool,
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        if let Kind::Word(w) = &self.kind { Some(w) } else { None }
    }
    pub(super) fn number(&self) -> Option<&Number> {
        if let Kind::Number(n) = &self.kind { Some(n) } else { None }
    }
    pub(super) fn sign(&self) -> Option<char> {
        if let Kind::Sign(c) = &self.kind { Some(*c) } else { None }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c as u32, 0x0900..=0x0965 | 0x0970..=0x0DFF | 0x064B..=0x065F | 0x0670 | 0x0E31..=0x0E4E)
}

/// Cuts the text; numbers within `masks` (ranges of the folded text) are marked.
pub(super) fn cut(folded: &Folded, masks: &[Range<usize>], thousandths: bool) -> Vec<Token> {
    let text = folded.text.as_str();
    let mut out: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut spaced = true;
    while let Some(c) = text[at..].chars().next() {
        let masked = |r: &Range<usize>| masks.iter().any(|m| m.start <= r.start && r.end <= m.end);
        if c == ' ' || c == '\t' || c == JOINING_SPACE {
            spaced = true;
            at += c.len_utf8();
            continue;
        }
        let glued = !spaced;
        let leading = matches!(c, '.' | ',') && !text[..at].ends_with(|p: char| p.is_alphanumeric() || p == c);
        let (kind, len) = if c.is_ascii_digit() || leading {
            match numbers::read(&text[at..], thousandths) {
                Some(w) => number(text, at, w, &masked),
                None => sign(text, at, c),
            }
        } else if let Some((len, value)) = cjk_amount(&text[at..]) {
            (Kind::Number(spoken(vec![value], false)), len)
        } else if is_letter(c) {
            let stop = |(i, x): &(usize, char)| !is_letter(*x) || cjk_amount(&text[at + i..]).is_some();
            let len = text[at..].char_indices().find(stop).map_or(text.len() - at, |(i, _)| i);
            (Kind::Word(text[at..at + len].to_owned()), len)
        } else {
            sign(text, at, c)
        };
        let range = at..at + len;
        out.push(Token { kind, glued, capital: folded.has_capital(range.clone()), capitals: folded.all_capitals(range.clone()), range });
        at += len;
        spaced = false;
    }
    join_cents(join_words(multiply(out)))
}

/// Chinese numerals right before a currency.
fn cjk_amount(text: &str) -> Option<(usize, Decimal)> {
    let found = words::read_cjk(text)?;
    super::currency::of_word(&text[found.0..], false).map(|_| found)
}

fn spoken(values: Vec<Decimal>, everyday: bool) -> Number {
    Number { values, decimals: 0, digits: String::new(), spoken: true, everyday, priced: false, masked: false }
}

fn sign(text: &str, at: usize, c: char) -> (Kind, usize) {
    let next = text[at + c.len_utf8()..].chars().next();
    let ends = match c {
        '\n' | '!' | '?' | ';' | '。' | '！' | '？' | '؟' | '।' | '…' => true,
        '.' => next.is_none_or(|n| n == '\n' || n == ' ' || n == '.') && !abbreviated(&text[..at]),
        _ => false,
    };
    (if ends { Kind::End } else { Kind::Sign(c) }, c.len_utf8())
}

/// Whether the dot after this text belongs to a shortened word.
fn abbreviated(before: &str) -> bool {
    let word = before.rsplit(|c: char| !is_letter(c)).next().unwrap_or("");
    matches!(
        word,
        "rs" | "fr"
            | "sfr"
            | "kr"
            | "nr"
            | "no"
            | "gr"
            | "ca"
            | "approx"
            | "inkl"
            | "incl"
            | "zzgl"
            | "ggf"
            | "ab"
            | "env"
            | "tel"
            | "art"
            | "st"
            | "num"
            | "ref"
            | "min"
            | "max"
            | "cad"
            | "aprox"
            | "bzw"
            | "mwst"
            | "str"
            | "bis"
            | "p"
            | "z"
            | "b"
            | "d"
            | "h"
            | "u"
            | "a"
            | "m"
    )
}

fn number(text: &str, at: usize, w: numbers::Written, masked: &dyn Fn(&Range<usize>) -> bool) -> (Kind, usize) {
    let mut len = w.len;
    let rest = &text[at + len..];
    // "59,-" and "59.--"
    let tail: String = rest.chars().take(3).collect();
    let dashed = match tail.as_bytes() {
        [b',' | b'.', b'-', b'-', ..] => 3,
        [b',' | b'.', b'-', ..] if !tail.ends_with(|c: char| c.is_ascii_digit()) => 2,
        _ => 0,
    };
    len += dashed;
    let number = Number {
        values: w.values,
        decimals: w.decimals,
        digits: w.digits,
        spoken: false,
        everyday: false,
        priced: dashed > 0,
        masked: masked(&(at..at + w.len)),
    };
    (Kind::Number(number), len)
}

/// `1.2k`, `2 tausend`, `5 mil`, `1 lakh`.
fn multiply(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let factor = match (token.word(), token.glued) {
            (Some("k"), _) => 1_000_u32,
            (
                Some(
                    "thousand" | "tausend" | "mille" | "mil" | "mila" | "duizend" | "bin" | "tys" | "тыс" | "हजार" | "हज़ार" | "ألف" | "千",
                ),
                _,
            ) => 1_000,
            (Some("lakh" | "lakhs" | "lac" | "लाख"), _) => 100_000,
            (Some("million" | "millions" | "millionen" | "milioni" | "milhoes" | "millones" | "miljoen" | "milyon" | "mio"), _) => {
                1_000_000
            }
            (Some("crore" | "crores" | "करोड़"), _) => 10_000_000,
            (Some("万" | "萬"), _) => 10_000,
            _ => 0,
        };
        if factor > 0
            && let Some(Token { kind: Kind::Number(n), range, .. }) = out.last_mut()
            && !n.masked
        {
            let factor = Decimal::from(factor);
            n.values = n.values.iter().filter_map(|v| v.checked_mul(factor)).collect();
            // "1.2k" is how people write prices; "4k" is a screen.
            n.priced = n.decimals > 0 && token.word() == Some("k");
            n.decimals = 0;
            range.end = token.range.end;
            continue;
        }
        out.push(token);
    }
    out
}

/// Replaces rows of number words by numbers.
fn join_words(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let Some(word) = tokens[at].word() else {
            out.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let (row, ends) = row(&tokens[at..]);
        // Glued to a digit it is a unit or a name, never a number word ("5e", "3 un").
        let named = tokens[at].glued && at > 0 && tokens[at - 1].number().is_some();
        match words::read(&row).filter(|_| !named) {
            Some(spoken) => {
                let everyday = spoken.words == 1 && words::is_everyday(word);
                let last = ends[spoken.words - 1];
                let number = self::spoken(spoken.values, everyday);
                let original = everyday.then(|| tokens[at].clone());
                out.push(Token {
                    kind: Kind::Number(number),
                    range: tokens[at].range.start..tokens[at + last].range.end,
                    glued: tokens[at].glued,
                    capital: tokens[at].capital,
                    capitals: false,
                });
                // A word that may be no number stays a word unless money follows at once.
                if let Some(word) = original
                    && !tokens.get(at + 1).is_some_and(is_money_word)
                {
                    out.pop();
                    out.push(word);
                }
                at += last + 1;
            }
            None => {
                out.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// The whole number of two digits at most that this token says in words.
fn spoken_below_hundred(token: Option<&Token>) -> Option<Decimal> {
    let n = token?.number()?;
    let value = n.values.first().copied().filter(|_| n.spoken)?;
    (value < Decimal::ONE_HUNDRED && value.is_integer()).then_some(value)
}

/// "fifty-nine ninety", "neunundfünfzig Komma neun", "cinquantanove e novanta": one amount.
fn join_cents(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let mut token = tokens[at].clone();
        let mut used = 1;
        if let Kind::Number(n) = &mut token.kind
            && n.spoken
            && !n.values.is_empty()
        {
            let point = tokens.get(at + 1).and_then(Token::word).is_some_and(|w| {
                matches!(w, "point" | "komma" | "virgule" | "coma" | "virgola" | "virgula" | "virgul" | "nokta" | "punto" | "dot")
            });
            let joined = tokens.get(at + 1).and_then(Token::word).is_some_and(|w| matches!(w, "e" | "con" | "com"));
            let from = at + 1 + usize::from(point || joined);
            let first = spoken_below_hundred(tokens.get(from));
            let second = spoken_below_hundred(tokens.get(from + 1)).filter(|v| *v < Decimal::TEN);
            let cents = match (first, second) {
                (Some(a), Some(b)) if a < Decimal::TEN && point => Some((a * Decimal::TEN + b, 2)),
                (Some(a), _) if a < Decimal::TEN && point => Some((a * Decimal::TEN, 1)),
                (Some(a), _) if a >= Decimal::TEN && (!n.everyday || point) => Some((a, 1)),
                _ => None,
            };
            if let Some((cents, taken)) = cents {
                n.values = n.values.iter().map(|v| *v + cents / Decimal::ONE_HUNDRED).collect();
                n.everyday = false;
                n.decimals = 2;
                used = from - at + taken;
                token.range.end = tokens[at + used - 1].range.end;
            }
        }
        out.push(token);
        at += used;
    }
    out
}

pub(super) fn is_money_word(token: &Token) -> bool {
    match &token.kind {
        Kind::Word(w) => super::currency::of_word(w, token.capitals).is_some(),
        Kind::Sign(c) => super::currency::of_sign(*c).is_some(),
        _ => false,
    }
}

/// The words from here on with only spaces and hyphens between them, and where each ends.
fn row(tokens: &[Token]) -> (Vec<&str>, Vec<usize>) {
    let (mut row, mut ends) = (Vec::new(), Vec::new());
    for (i, token) in tokens.iter().enumerate().take(32) {
        match &token.kind {
            Kind::Word(w) => {
                row.push(w.as_str());
                ends.push(i);
            }
            Kind::Sign('-') if token.glued => {}
            _ => break,
        }
    }
    (row, ends)
}
