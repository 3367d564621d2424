//! The money guard: a reply that names an amount which no tool returned in this conversation is
//! not sent, whatever script, locale, decimal style or number word it is written in.

mod bare;
mod claims;
mod context;
mod currency;
mod fold;
mod lexicons;
mod masks;
mod numbers;
mod times;
mod tokens;
mod vocabulary;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use rust_decimal::Decimal;

use claims::Claim;
use context::Reading;

/// A text in lower case, without accents and invisible characters, with ASCII digits.
pub(crate) use fold::fold_text as plain_text;
pub use times::Times;

/// Longest reply that is read, in bytes; no platform takes a longer one. What is beyond is refused.
const MAX_REPLY: usize = 20_000;

/// Amounts the tools and the database returned in this conversation.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    amounts: BTreeSet<Decimal>,
    percents: BTreeSet<Decimal>,
    free: bool,
    names: Vec<String>,
}

impl Allowed {
    /// Nothing is allowed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows one amount, in the shop's currency: a price, a total, a shipping cost. `59.9` and
    /// `59.90` are the same; nothing is derived from it (twice the price must be added too).
    pub fn add(&mut self, amount: Decimal) {
        self.amounts.insert(amount.normalize());
    }

    /// Allows a discount of so many percent.
    pub fn allow_percent(&mut self, percent: Decimal) {
        self.percents.insert(percent.normalize());
    }

    /// Allows to say that something is free of charge.
    pub fn allow_free(&mut self) {
        self.free = true;
    }

    /// Lets a product's name through where it stands whole, digits and all ("Air Max 90", "Nike Free").
    pub fn allow_name(&mut self, name: &str) {
        let name = fold::fold_text(name.trim());
        if name.chars().filter(|c| c.is_alphabetic()).count() >= 2 && !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Allows every amount, discount and "free" that a text of the shop itself names: its policies,
    /// delivery terms and answers, as a tool returned them.
    pub fn allow_text(&mut self, text: &str, currency: &str) {
        let folded = fold::fold(text);
        let masks = masks::masks(&folded.text, &self.names);
        let tokens = tokens::cut(&folded, &masks, currency::has_thousandths(currency));
        let reading = Reading { tokens: &tokens, shop: currency };
        for amount in reading.amounts(&|_| false) {
            if amount.unit.is_none_or(|u| u.is(currency)) {
                amount.values.first().into_iter().for_each(|a| self.add(*a));
            }
        }
        for claim in claims::claims(&reading, &folded.text, &masks) {
            match claim {
                Claim::Percent(Some(p), _) => self.allow_percent(p),
                Claim::Percent(None, _) => {}
                Claim::Bargain(_) => self.allow_percent(Decimal::from(50)),
                Claim::Free(_) => self.allow_free(),
            }
        }
    }

    fn has(&self, amount: Decimal) -> bool {
        self.amounts.contains(&amount.normalize()) || amount.is_zero() && self.free
    }
}

impl FromIterator<Decimal> for Allowed {
    fn from_iter<I: IntoIterator<Item = Decimal>>(amounts: I) -> Self {
        let mut allowed = Self::new();
        amounts.into_iter().for_each(|a| allowed.add(a));
        allowed
    }
}

impl Extend<Decimal> for Allowed {
    fn extend<I: IntoIterator<Item = Decimal>>(&mut self, amounts: I) {
        amounts.into_iter().for_each(|a| self.add(a));
    }
}

/// An amount, discount or "free" that nothing in the conversation backs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The words of the reply.
    pub text: String,
    /// What they say, where it can be read as one number (percent for a discount).
    pub value: Option<Decimal>,
    /// Where they stand in the reply, in bytes.
    pub range: Range<usize>,
}

/// Whether a reply may be sent to a customer of a shop with this currency (ISO 4217).
///
/// # Errors
/// Every amount that is not allowed, in the order of the reply.
pub fn check(reply: &str, allowed: &Allowed, currency: &str) -> Result<(), Vec<Finding>> {
    if reply.len() > MAX_REPLY {
        return Err(vec![Finding { text: String::new(), value: None, range: 0..reply.len() }]);
    }
    let folded = fold::fold(reply);
    let masks = masks::masks(&folded.text, &allowed.names);
    let tokens = tokens::cut(&folded, &masks, currency::has_thousandths(currency));
    let reading = Reading { tokens: &tokens, shop: currency };
    let mut findings: Vec<(Range<usize>, Option<Decimal>)> = Vec::new();
    for amount in reading.amounts(&|a| allowed.has(a)) {
        let ours = amount.unit.is_none_or(|u| u.is(currency));
        if !(ours && amount.values.iter().any(|v| allowed.has(*v))) {
            findings.push((folded.original(amount.range), amount.values.first().copied()));
        }
    }
    for claim in claims::claims(&reading, &folded.text, &masks) {
        match claim {
            Claim::Percent(p, at) if !p.is_some_and(|p| allowed.percents.contains(&p.normalize())) => {
                findings.push((folded.original(at), p));
            }
            Claim::Bargain(at) if !allowed.percents.contains(&Decimal::from(50)) => findings.push((folded.original(at), None)),
            Claim::Free(at) if !allowed.free => findings.push((folded.original(at), Some(Decimal::ZERO))),
            _ => {}
        }
    }
    findings.extend(folded.reversing.clone().map(|at| (at, None)));
    findings.sort_by_key(|(at, _)| (at.start, at.end));
    findings.dedup_by(|b, a| b.0.start < a.0.end && b.0.start >= a.0.start);
    if findings.is_empty() {
        return Ok(());
    }
    let finding = |(range, value): (Range<usize>, Option<Decimal>)| Finding {
        text: reply.get(range.clone()).unwrap_or_default().to_owned(),
        value,
        range,
    };
    Err(findings.into_iter().map(finding).collect())
}
