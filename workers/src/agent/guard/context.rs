//! Decides which numbers of a reply are money, from the signs and words around them.

use std::ops::Range;

use rust_decimal::Decimal;

use super::currency::{self, Unit};
use super::tokens::{Kind, Number, Token};
use super::vocabulary as v;

/// A sum of money that the reply names.
#[derive(Debug, Clone)]
pub(super) struct Amount {
    /// What it may mean, in whole units; empty when unreadable.
    pub(super) values: Vec<Decimal>,
    /// The currency it claims, if it claims one.
    pub(super) unit: Option<Unit>,
    /// Its place in the folded text.
    pub(super) range: Range<usize>,
}

/// A reply in pieces, read for a shop's currency.
pub(super) struct Reading<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) shop: &'a str,
}

/// A unit beside a number, and the token where the pair ends.
#[derive(Clone, Copy)]
struct Beside {
    unit: Unit,
    end: usize,
    /// Also readable as belonging to the number after it.
    shared: bool,
}

impl Reading<'_> {
    /// Every sum of money. `allowed` settles which neighbour a shared currency sign belongs to.
    pub(super) fn amounts(&self, allowed: &dyn Fn(Decimal) -> bool) -> Vec<Amount> {
        let unit = |i: usize| self.number(i).filter(|n| !n.masked).and_then(|_| self.unit_of(i, allowed));
        let mut units: Vec<Option<Beside>> = (0..self.tokens.len()).map(unit).collect();
        self.spread_over_ranges(&mut units);
        let mut out = Vec::new();
        let mut i = 0;
        while i < self.tokens.len() {
            let mut next = i + 1;
            if let Some(n) = self.number(i) {
                if let Some(beside) = units[i] {
                    let (amount, after) = self.with_unit(i, n, beside);
                    out.push(amount);
                    next = after;
                } else if self.is_bare_amount(i, n) {
                    out.push(Amount { values: n.values.clone(), unit: None, range: self.tokens[i].range.clone() });
                }
            }
            if let Some(value) = self.word(i).and_then(currency::of_banknote) {
                out.push(Amount { values: vec![Decimal::from(value)], unit: None, range: self.tokens[i].range.clone() });
            }
            i = next;
        }
        out
    }

    pub(super) fn number(&self, i: usize) -> Option<&Number> {
        self.tokens.get(i)?.number()
    }

    pub(super) fn word(&self, i: usize) -> Option<&str> {
        self.tokens.get(i)?.word()
    }

    pub(super) fn sign(&self, i: usize) -> Option<char> {
        self.tokens.get(i)?.sign()
    }

    fn glued(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|t| t.glued)
    }

    fn ends(&self, i: usize) -> bool {
        self.tokens.get(i).is_none_or(|t| t.kind == Kind::End)
    }

    fn unit_of(&self, i: usize, allowed: &dyn Fn(Decimal) -> bool) -> Option<Beside> {
        let after = self.unit_after(i);
        let fits = |beside: &Beside| self.number(i).is_some_and(|n| n.values.iter().any(|v| allowed(scaled(*v, beside.unit.minor))));
        match after {
            Some(a) if !a.shared || fits(&a) => Some(a),
            Some(a) => {
                // "42 € 59.90": the sign belongs to the number that makes sense of it.
                let right = self.number(a.end).filter(|n| n.values.iter().any(|v| allowed(*v)));
                if right.is_some() { self.unit_before(i) } else { Some(a) }
            }
            None => self.unit_before(i),
        }
    }

    /// The unit that follows number `i`.
    fn unit_after(&self, i: usize) -> Option<Beside> {
        let mut j = i + 1;
        if self.sign(j) == Some('(') || matches!(self.word(j), Some("in" | "en" | "em")) && self.number(i)?.decimals != 1 {
            let inner = self.tokens.get(j + 1)?;
            if !super::tokens::is_money_word(inner) || self.number(j + 2).is_some() {
                return None;
            }
            j += 1;
        }
        let slang = || self.word(j).and_then(currency::of_slang).filter(|_| self.looks_like_price(i));
        let (unit, end) = self.unit_at(j).or_else(|| slang().map(|u| (u, j + 1)))?;
        let number_follows = self.number(end).is_some_and(|n| !n.masked);
        if number_follows && self.glued(end) && !self.glued(j) && unit.leads {
            return None;
        }
        let shared = number_follows && !self.glued(j) && unit.leads && self.number(end).is_some_and(|n| n.digits.len() != 2);
        (!unit.everyday || self.means_money(i, &unit)).then_some(Beside { unit, end, shared })
    }

    /// The unit that stands at token `j`, and the token after it.
    fn unit_at(&self, j: usize) -> Option<(Unit, usize)> {
        let token = self.tokens.get(j)?;
        match &token.kind {
            Kind::Sign(c) => {
                let unit = currency::of_sign(*c)?;
                let narrowed = self.word(j + 1).filter(|_| *c == '$' && self.glued(j + 1)).and_then(currency::of_dollar_prefix);
                Some(match narrowed {
                    Some(codes) => (Unit { codes, ..unit }, j + 2),
                    None => (unit, j + 1),
                })
            }
            Kind::Word(w) => {
                if self.sign(j + 1) == Some('$') && self.glued(j + 1) {
                    let codes = currency::of_dollar_prefix(w)?;
                    return Some((Unit { codes, minor: false, everyday: false, leads: true }, j + 2));
                }
                // "90 Euro-Cent", "US-Dollar"
                if matches!(w.as_str(), "us" | "euro") && self.sign(j + 1) == Some('-') {
                    let inner = self.word(j + 2).and_then(|w| currency::of_word(w, false));
                    if let Some(unit) = inner {
                        return Some((unit, j + 3));
                    }
                }
                // "only 99c": a cent where a price is meant, else part of a name.
                let cents =
                    w == "c" && token.glued && j > 1 && (self.price_before(j - 1) || self.word(j - 2).is_some_and(|w| v::is(v::ONLY, w)));
                if cents {
                    return Some((Unit { codes: &[], minor: true, everyday: false, leads: false }, j + 1));
                }
                if matches!(w.as_str(), "p") && token.glued && self.shop.eq_ignore_ascii_case("GBP") {
                    return Some((Unit { codes: &["GBP"], minor: true, everyday: false, leads: false }, j + 1));
                }
                let adjective = matches!(
                    w.as_str(),
                    "us" | "american" | "british" | "canadian" | "australian" | "turk" | "schweizer" | "mexican" | "indian"
                );
                if adjective {
                    return self.word(j + 1).and_then(|w| currency::of_word(w, false)).map(|u| (u, j + 2));
                }
                // Small change on its own word is too short to trust before a name: "59 fr".
                currency::of_word(w, token.capitals).map(|u| (u, j + 1))
            }
            _ => None,
        }
    }

    /// The unit that leads number `i`: `€ 59`, `EUR: 59`, `R$ 59`.
    fn unit_before(&self, i: usize) -> Option<Beside> {
        let mut j = i.checked_sub(1)?;
        while matches!(self.sign(j), Some(':' | '.' | '-' | '(' | '=')) {
            j = j.checked_sub(1)?;
        }
        let token = self.tokens.get(j)?;
        let unit = match &token.kind {
            Kind::Sign(c) => {
                let unit = currency::of_sign(*c).filter(|u| u.leads)?;
                let prefix = j.checked_sub(1).and_then(|p| self.word(p)).filter(|_| token.glued && *c == '$');
                match prefix.and_then(currency::of_dollar_prefix) {
                    Some(codes) => Unit { codes, ..unit },
                    None => unit,
                }
            }
            Kind::Word(w) if self.sign(j.wrapping_sub(1)) == Some('$') && token.glued => {
                Unit { codes: currency::of_dollar_prefix(w)?, minor: false, everyday: false, leads: true }
            }
            Kind::Word(w) => currency::of_word(w, token.capitals).filter(|u| u.leads)?,
            _ => return None,
        };
        let taken = j
            .checked_sub(1)
            .is_some_and(|p| self.number(p).is_some_and(|n| !n.masked && !self.is_excluded(p, n)) && (token.glued || !self.glued(i)));
        let everyday = unit.everyday && !self.means_money(i, &unit);
        (!taken && !everyday).then_some(Beside { unit, end: i + 1, shared: false })
    }

    fn means_money(&self, i: usize, unit: &Unit) -> bool {
        let weighed = self.tokens[self.sentence(i)].iter().any(|t| t.word().is_some_and(|w| v::is(v::WEIGHT, w)));
        !weighed && (unit.is(self.shop) || self.price_is_near(i))
    }

    /// "50-60 €", "€50-60", "between 50 and 60 €": both ends are money.
    fn spread_over_ranges(&self, units: &mut [Option<Beside>]) {
        for i in 0..self.tokens.len() {
            let (Some(left), Some(right)) = (self.number(i), self.number(i + 2)) else { continue };
            if left.masked || right.masked {
                continue;
            }
            let close = self.glued(i + 1) && self.glued(i + 2);
            let between = i.checked_sub(1).and_then(|p| self.word(p)).is_some_and(|w| {
                matches!(w, "between" | "zwischen" | "entre" | "tra" | "fra" | "tussen" | "von" | "de" | "da" | "van" | "from" | "dal")
            });
            let dash = matches!(self.sign(i + 1), Some('-'));
            let linked =
                self.word(i + 1).is_some_and(|w| v::is(v::RANGE, w)) || between && self.word(i + 1).is_some_and(|w| v::is(v::LINK, w));
            let start = i == 0 || self.ends(i - 1) || between || self.price_before(i) || self.sign(i - 1) == Some(':');
            let range = (dash || self.sign(i + 1) == Some('/')) && close || dash && start || linked;
            if !range {
                continue;
            }
            if units[i].is_none() && !self.is_excluded_by_left(i) {
                units[i] = units[i + 2].map(|b| Beside { end: i + 1, ..b });
            } else if units[i + 2].is_none() && !self.is_excluded(i + 2, right) {
                units[i + 2] = units[i].map(|b| Beside { end: i + 3, ..b });
            }
        }
    }

    /// The amount of number `i` with its unit, cents that follow included; and the next token.
    fn with_unit(&self, i: usize, n: &Number, beside: Beside) -> (Amount, usize) {
        let start = self.tokens[i].range.start;
        let unit_start = if beside.end == i + 1 && i > 0 { self.tokens[i - 1].range.start.min(start) } else { start };
        let end = |t: usize| self.tokens[t.saturating_sub(1).max(i)].range.end;
        let values: Vec<Decimal> = n.values.iter().map(|v| scaled(*v, beside.unit.minor)).collect();
        let whole = n.decimals == 0 && !beside.unit.minor && beside.end > i + 1;
        if whole && let Some((cents, after)) = self.cents_after(beside.end, n.spoken) {
            let values = values.iter().map(|v| *v + cents).collect();
            return (Amount { values, unit: Some(beside.unit), range: start..end(after) }, after);
        }
        (Amount { values, unit: Some(beside.unit), range: unit_start..end(beside.end) }, beside.end.max(i + 1))
    }

    /// Cents after "59 euros": "and 90 cents", "90", "con noventa"; `59€90`.
    fn cents_after(&self, at: usize, spoken: bool) -> Option<(Decimal, usize)> {
        let joined = self.word(at).is_some_and(|w| matches!(w, "and" | "und" | "et" | "y" | "e" | "en" | "ve" | "con" | "com" | "mit"));
        let j = at + usize::from(joined || self.sign(at) == Some(','));
        let n = self.number(j).filter(|n| !n.masked && n.decimals == 0)?;
        let value = n.values.first().copied().filter(|v| *v < Decimal::ONE_HUNDRED)?;
        let cents = Some((value / Decimal::ONE_HUNDRED, j + 1));
        if let Some((unit, end)) = self.unit_at(j + 1) {
            return if unit.minor { cents.map(|(c, _)| (c, end)) } else { None };
        }
        let two = n.digits.len() == 2 || n.spoken && value >= Decimal::TEN;
        let plain_end = self.ends(j + 1) || self.sign(j + 1).is_some() && !matches!(self.sign(j + 1), Some('%' | '-'));
        let direct = j == at && (self.glued(j) || spoken && n.spoken || plain_end);
        let with_word =
            joined && self.word(at).is_some_and(|w| matches!(w, "e" | "con" | "com" | "y" | "en" | "et")) && self.tail_is_plain(j);
        if two && (direct || with_word) { cents } else { None }
    }

    /// Whether a number without any unit is an amount all the same.
    fn is_bare_amount(&self, i: usize, n: &Number) -> bool {
        let strong = self.price_before(i) && !self.is_small_count(i, n);
        if n.masked {
            return strong && n.decimals == 2 && !n.spoken && self.sign(i + 1) != Some('/');
        }
        if n.priced {
            return n.digits.is_empty() || self.tail_is_plain(i);
        }
        if self.is_excluded(i, n) {
            return false;
        }
        strong || (n.decimals == 2 && !self.is_name(i)) || self.is_weak_amount(i, n)
    }

    fn is_small_count(&self, i: usize, n: &Number) -> bool {
        let small = n.decimals == 0 && n.values.first().is_some_and(|v| *v < Decimal::from(20));
        let noun = self.word(i + 1).is_some_and(|w| !v::is(v::AFTER, w));
        small && noun
    }
}

/// Cents as parts of a whole.
pub(super) fn scaled(value: Decimal, minor: bool) -> Decimal {
    if minor { value / Decimal::ONE_HUNDRED } else { value }
}
