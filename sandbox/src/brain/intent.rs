//! What a customer's message asks for, judged from its words and from whether a proposal is open.

use std::sync::OnceLock;

use regex::Regex;

use super::catalogue::{Product, meant, names_goods};
use super::language::{Language, Token, detect, is_filler, split};
use super::lexicon::{Meaning, lexicon};

/// What the customer wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Intent {
    Greet,
    Smalltalk,
    Ask,
    Order,
    Confirm,
    Decline,
    Change,
    CancelOrder,
    OrderStatus,
    BusinessInfo(Topic),
    Human,
    Unclear,
}

/// What the customer wants to know of the shop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Topic {
    Hours,
    Address,
    Delivery,
    Payment,
    Returns,
}

impl Topic {
    /// As a tool's argument.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Address => "address",
            Self::Delivery => "delivery",
            Self::Payment => "payment",
            Self::Returns => "returns",
        }
    }
}

/// A message, read.
pub(super) struct Reading {
    pub(super) tokens: Vec<Token>,
    pub(super) languages: Vec<Language>,
    folded: Vec<String>,
    /// Each phrase that was found: what it means, where it starts, how many tokens it takes.
    found: Vec<(Meaning, usize, usize)>,
    numbers: Vec<Number>,
    /// The number of an order, as typed.
    pub(super) order_no: Option<String>,
}

/// An order number with letters or dashes in it, such as `FD-1042`.
fn order_code(text: &str) -> Option<String> {
    static CODE: OnceLock<Option<Regex>> = OnceLock::new();
    let code = CODE.get_or_init(|| Regex::new(r"\b(?:[A-Za-z]{1,5}-?\d[\d-]{2,18}|\d{2,8}-\d[\d-]{1,18})\b").ok()).as_ref()?;
    code.find(text).map(|found| found.as_str().to_owned())
}

struct Number {
    at: usize,
    value: u32,
    use_: Use,
}

#[derive(PartialEq)]
enum Use {
    Quantity,
    /// An article, or a one that may be one.
    Article,
    Size,
}

impl Reading {
    /// Reads a message of a customer who may speak `told`, about goods that come in `sizes`.
    pub(super) fn of(text: &str, told: Option<Language>, sizes: &[String]) -> Self {
        let tokens = split(text);
        let folded: Vec<String> = tokens.iter().map(|token| token.folded.clone()).collect();
        let mut languages = detect(&folded);
        languages.truncate(3);
        for language in told.into_iter().chain([Language::En]) {
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        if told.is_none() && languages.len() == 1 {
            languages = Language::ALL.to_vec();
        }
        let mistyped: Vec<bool> = folded.iter().map(|token| lexicon().may_be_mistyped(&languages, token)).collect();
        let mut found = Vec::new();
        for at in 0..folded.len() {
            for (_, meaning) in Meaning::NAMES {
                if let Some(length) = lexicon().length_at(&languages, meaning, &folded, &mistyped, at) {
                    found.push((meaning, at, length));
                }
            }
        }
        let covered = |at: usize, length: usize| {
            found.iter().any(|(_, start, long)| *long > length.max(1) && *start <= at && at + length <= start + long)
        };
        // "doch nicht", "not yet", "no problem": the phrase decides, not its single words.
        let weak = [Meaning::Yes, Meaning::No, Meaning::Go, Meaning::Greet, Meaning::Have, Meaning::Instead];
        let found =
            found.iter().filter(|(meaning, at, length)| !(weak.contains(meaning) && *length == 1 && covered(*at, 1))).copied().collect();
        let mut reading = Self { tokens, languages, folded, found, numbers: Vec::new(), order_no: None };
        reading.order_no = order_code(text);
        reading.read_numbers(sizes);
        reading
    }

    fn read_numbers(&mut self, sizes: &[String]) {
        let mut at = 0;
        while at < self.folded.len() {
            let Some((value, length)) = lexicon().number_at(&self.languages, &self.folded, at) else {
                at += 1;
                continue;
            };
            let token = &self.folded[at];
            let digits = token.starts_with(|c: char| c.is_ascii_digit());
            let next = self.folded.get(at + length).map_or("", String::as_str);
            let before = |word: &str| at > 0 && self.folded[at - 1] == word;
            let sized = self.near(Meaning::Size, at, 2);
            let counted = next == "x" || before("x") || self.means(Meaning::Pieces, at + length);
            let of_order = before("#")
                || (digits && value >= 100 && (self.has(Meaning::Order) || self.has(Meaning::Cancel) || self.has(Meaning::Status)));
            if matches!(next, "eur" | "euro" | "euros" | "usd" | "tl" | "lira" | "uhr" | "h" | "am" | "pm" | "€" | "$" | "%") {
            } else if of_order || (digits && value >= 1000) {
                self.order_no.get_or_insert_with(|| self.tokens[at].typed.clone());
            } else if digits && !counted && (sized || sizes.contains(token) || (sizes.is_empty() && (15..=60).contains(&value))) {
                self.numbers.push(Number { at, value, use_: Use::Size });
            } else if !digits && value == 1 {
                self.numbers.push(Number { at, value, use_: Use::Article });
            } else if value > 0 {
                self.numbers.push(Number { at, value, use_: Use::Quantity });
            }
            at += length;
        }
    }

    fn means(&self, meaning: Meaning, at: usize) -> bool {
        self.found.iter().any(|(found, start, length)| *found == meaning && *start <= at && at < start + length)
    }

    fn near(&self, meaning: Meaning, at: usize, reach: usize) -> bool {
        (at.saturating_sub(reach)..=at + 1).any(|at| self.means(meaning, at))
    }

    /// Whether a meaning is anywhere in the message.
    pub(super) fn has(&self, meaning: Meaning) -> bool {
        self.found.iter().any(|(found, ..)| *found == meaning)
    }

    fn any(&self, meanings: &[Meaning]) -> bool {
        meanings.iter().any(|meaning| self.has(*meaning))
    }

    pub(super) fn is_question(&self) -> bool {
        self.folded.iter().any(|token| matches!(token.as_str(), "?" | "¿"))
    }

    /// How many, where the customer said it outright ("two", "3x").
    pub(super) fn quantity(&self) -> Option<u32> {
        self.numbers.iter().find(|number| number.use_ == Use::Quantity).map(|number| number.value)
    }

    /// How many, also from an article ("a belt").
    pub(super) fn any_quantity(&self) -> Option<u32> {
        self.quantity().or_else(|| self.numbers.iter().find(|number| number.use_ == Use::Article).map(|number| number.value))
    }

    /// Sizes asked for: numbers that are sizes, and letters where a size is spoken of.
    pub(super) fn sizes(&self) -> Vec<String> {
        let numbers = self.numbers.iter().filter(|number| number.use_ == Use::Size).map(|number| number.value.to_string());
        let letters = self.tokens.iter().enumerate().filter(|(at, token)| {
            let certain = matches!(token.folded.as_str(), "xs" | "xl" | "xxl");
            let letter = matches!(token.folded.as_str(), "s" | "m" | "l");
            certain || (letter && (self.near(Meaning::Size, *at, 2) || token.typed.chars().all(char::is_uppercase)))
        });
        numbers.chain(letters.map(|(_, token)| token.folded.clone())).collect()
    }

    /// Words that carry the subject: neither filler, nor numbers, nor words of asking and answering.
    pub(super) fn subject(&self) -> Vec<&Token> {
        const TALK: [Meaning; 22] = [
            Meaning::Greet,
            Meaning::Thanks,
            Meaning::Small,
            Meaning::Yes,
            Meaning::Go,
            Meaning::No,
            Meaning::Wait,
            Meaning::Forget,
            Meaning::Instead,
            Meaning::Only,
            Meaning::Want,
            Meaning::Have,
            Meaning::Price,
            Meaning::Asking,
            Meaning::Some,
            Meaning::Size,
            Meaning::And,
            Meaning::Pieces,
            Meaning::Stop,
            Meaning::Cancel,
            Meaning::Order,
            Meaning::Where,
        ];
        let tokens = self.tokens.iter().enumerate().filter(|(at, token)| {
            let number = self.numbers.iter().any(|number| number.at == *at) || token.folded == "x";
            let talk = TALK.iter().any(|meaning| self.means(*meaning, *at));
            let goods = names_goods(&token.folded);
            !number
                && !is_filler(&self.languages, &token.folded)
                && (!talk || goods)
                && (token.folded.chars().count() > 1 || !token.folded.is_ascii())
        });
        tokens.map(|(_, token)| token).collect()
    }

    /// What to search for: the subject as typed, with the size.
    pub(super) fn query(&self) -> String {
        let subject = self.subject().into_iter().map(|token| token.typed.clone());
        subject.chain(self.sizes().into_iter().map(|size| size.to_uppercase())).collect::<Vec<_>>().join(" ")
    }

    /// The products that the message speaks of.
    pub(super) fn products<'p>(&self, known: &'p [Product]) -> Vec<&'p Product> {
        meant(known, &self.folded, &self.sizes(), &self.languages)
    }

    /// The products that it would speak of, had it named no size.
    pub(super) fn products_in_any_size<'p>(&self, known: &'p [Product]) -> Vec<&'p Product> {
        meant(known, &self.folded, &[], &self.languages)
    }

    /// The parts of a list: "two of these, a candle and a belt".
    pub(super) fn parts(&self, sizes: &[String]) -> Vec<Self> {
        let mut parts = vec![String::new()];
        for (at, token) in self.tokens.iter().enumerate() {
            let ends = matches!(token.folded.as_str(), "," | "+" | "&" | "\n" | ";" | "." | "?" | "!") || self.means(Meaning::And, at);
            if ends {
                parts.push(String::new());
            } else if let Some(part) = parts.last_mut() {
                part.push_str(&token.typed);
                part.push(' ');
            }
        }
        let told = self.languages.first().copied();
        parts.iter().filter(|part| !part.trim().is_empty()).map(|part| Self::of(part, told, sizes)).collect()
    }

    pub(super) fn topic(&self) -> Option<Topic> {
        let shop_asked = self.has(Meaning::Where) && self.has(Meaning::Shop);
        [
            (self.has(Meaning::Returns), Topic::Returns),
            (self.has(Meaning::Payment), Topic::Payment),
            (self.has(Meaning::Delivery) && !self.has(Meaning::Where), Topic::Delivery),
            (self.has(Meaning::Address) || shop_asked, Topic::Address),
            (self.has(Meaning::Hours), Topic::Hours),
        ]
        .into_iter()
        .find(|(asked, _)| *asked)
        .map(|(_, topic)| topic)
    }

    pub(super) fn names_goods(&self) -> bool {
        self.subject().iter().any(|token| names_goods(&token.folded))
    }

    /// What is wanted, given what is known and proposed.
    pub(super) fn intent(&self, known: &[Product], proposal: Option<&[(Product, u32)]>) -> Intent {
        let products = self.products(known);
        let about_goods = !products.is_empty() || self.names_goods();
        let short = self.subject().len() <= 1;
        let shouts = self.has(Meaning::Human) && !about_goods && (short && !self.is_statement_of_want_for_other());
        if self.has(Meaning::RealHuman) || (self.has(Meaning::Human) && self.any(&[Meaning::Talk, Meaning::Bot])) || shouts {
            return Intent::Human;
        }
        let about_order = self.any(&[Meaning::Order, Meaning::Parcel]);
        let numbered = self.order_no.is_some();
        let against = self.any(&[Meaning::Cancel, Meaning::Forget]) || (self.has(Meaning::No) && !self.is_question());
        if (self.has(Meaning::Cancel) && (about_order || numbered)) || (numbered && about_order && against) {
            return if proposal.is_some() && !numbered { Intent::Decline } else { Intent::CancelOrder };
        }
        if let Some(lines) = proposal {
            return self.intent_on(lines, &products);
        }
        if self.has(Meaning::Cancel) && !about_goods {
            return Intent::CancelOrder;
        }
        let asks_where = self.any(&[Meaning::Status, Meaning::Where]);
        if !about_goods
            && ((about_order && (asks_where || numbered)) || (self.has(Meaning::Parcel) && self.is_question()) || (numbered && asks_where))
        {
            return Intent::OrderStatus;
        }
        if let Some(topic) = self.topic().filter(|_| !about_goods && self.quantity().is_none()) {
            return Intent::BusinessInfo(topic);
        }
        let subject = about_goods || !self.subject().is_empty();
        self.intent_on_goods(subject, about_goods)
    }

    /// "I need someone's present": a person is spoken of, but something is wanted.
    fn is_statement_of_want_for_other(&self) -> bool {
        self.any(&[Meaning::Have, Meaning::Price]) || self.subject().len() > 1
    }

    fn intent_on_goods(&self, subject: bool, about_goods: bool) -> Intent {
        let counted = self.quantity().is_some();
        let asks = self.has(Meaning::Have) || self.is_question();
        let wants = self.has(Meaning::Want) && !self.has(Meaning::Asking);
        if !about_goods && !wants && !self.any(&[Meaning::Have, Meaning::Price]) {
            let words = self.subject().len();
            if self.any(&[Meaning::Thanks, Meaning::Small]) {
                return Intent::Smalltalk;
            }
            if self.has(Meaning::Greet) && words <= 1 {
                return Intent::Greet;
            }
            if self.any(&[Meaning::No, Meaning::Forget, Meaning::Wait]) && words <= 1 {
                return Intent::Decline;
            }
            if self.any(&[Meaning::Yes, Meaning::Go]) && words <= 1 {
                return Intent::Confirm;
            }
        }
        match (subject, wants, counted) {
            (_, true, true) => Intent::Order,
            (true, true, false) if self.has(Meaning::Price) => Intent::Ask,
            (true, true, false) if asks && self.has(Meaning::Have) && self.any_quantity().is_none() => Intent::Ask,
            (true, true, false) => Intent::Order,
            (_, false, true) if !asks && !self.has(Meaning::Price) => Intent::Order,
            (true, ..) if about_goods || self.any(&[Meaning::Have, Meaning::Price]) || self.subject().len() > 1 => Intent::Ask,
            (false, true, false) => Intent::Order,
            (false, false, _) if self.any(&[Meaning::Have, Meaning::Price]) || !self.sizes().is_empty() => Intent::Ask,
            _ => Intent::Unclear,
        }
    }

    /// What an answer to a proposal means. A yes with a condition is no yes.
    fn intent_on(&self, lines: &[(Product, u32)], products: &[&Product]) -> Intent {
        let proposed = |product: &Product| lines.iter().any(|(line, _)| line.id == product.id);
        let other_size = self.sizes().iter().any(|size| !lines.iter().any(|(line, _)| line.sizes().contains(size)));
        let another = !products.is_empty() && !products.iter().any(|product| proposed(product));
        let counts = |quantity: u32| !lines.iter().any(|(_, line)| *line == quantity);
        let recounted = self.quantity().is_some_and(counts)
            || (self.any(&[Meaning::Only, Meaning::Instead]) && self.any_quantity().is_some_and(counts));
        let refuses = self.any(&[Meaning::No, Meaning::Forget, Meaning::Wait]);
        let agrees = self.any(&[Meaning::Yes, Meaning::Go]);
        if recounted || other_size {
            return Intent::Change;
        }
        if let Some(topic) = self.topic().filter(|_| self.is_question() || !(agrees || refuses)) {
            return Intent::BusinessInfo(topic);
        }
        if another {
            let asks = (self.is_question() || self.any(&[Meaning::Have, Meaning::Price])) && !self.has(Meaning::Instead);
            return if asks && !self.has(Meaning::Want) { Intent::Ask } else { Intent::Change };
        }
        if refuses {
            return Intent::Decline;
        }
        if self.has(Meaning::Price) && !agrees {
            return Intent::Ask;
        }
        if self.has(Meaning::Instead) {
            return Intent::Change;
        }
        if agrees || (self.has(Meaning::Want) && !self.is_question()) {
            return Intent::Confirm;
        }
        match (self.any(&[Meaning::Thanks, Meaning::Small]), self.has(Meaning::Greet)) {
            (true, _) => Intent::Smalltalk,
            (_, true) => Intent::Greet,
            _ if self.is_question() && !products.is_empty() => Intent::Ask,
            _ => Intent::Unclear,
        }
    }
}
