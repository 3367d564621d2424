//! Every text that code itself writes to a customer, in eight languages; nothing here comes from a model.

pub mod bookings;
pub mod dates;
mod language;
mod money;
pub mod reminders;
mod table;

use frontdesk_core::db::shops::ShopProfile;
use rust_decimal::Decimal;

pub use frontdesk_core::language::Language;
pub use language::detect;
pub use money::money;

use table::Row;

/// Longest product name in a text, in characters; longer ones are cut, so that a summary fits a message.
const MAX_NAME: usize = 80;

/// A line of an order, ready to be shown.
#[derive(Debug, Clone, Copy)]
pub struct SummaryLine<'a> {
    /// How many.
    pub quantity: i32,
    /// Of what.
    pub name: &'a str,
    /// Price of one.
    pub price: Decimal,
    /// Price of the line.
    pub amount: Decimal,
}

/// A kind of message that the agent cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// A picture.
    Image,
    /// A voice message or other sound.
    Voice,
    /// A sticker.
    Sticker,
    /// A place on the map.
    Location,
    /// A video or document.
    File,
    /// Contacts, polls and whatever comes.
    Other,
}

impl Unreadable {
    /// The kind for the platforms' own word (`image`, `audio`, `document`, …).
    #[must_use]
    pub fn from_kind(kind: &str) -> Self {
        match kind {
            "image" | "photo" => Self::Image,
            "audio" | "voice" => Self::Voice,
            "sticker" => Self::Sticker,
            "location" => Self::Location,
            "video" | "document" | "file" => Self::File,
            _ => Self::Other,
        }
    }
}

/// What there is to say.
#[derive(Debug, Clone, Copy)]
pub enum Text<'a> {
    /// The proposal: lines, total, the question.
    OrderSummary {
        /// The lines, in order.
        lines: &'a [SummaryLine<'a>],
        /// Their sum.
        total: Decimal,
        /// ISO 4217.
        currency: &'a str,
    },
    /// The button that accepts (at most 20 characters).
    ConfirmButton,
    /// The button that refuses (at most 20 characters).
    DeclineButton,
    /// The order stands.
    OrderPlaced {
        /// Its number.
        order_no: i64,
        /// What was ordered.
        lines: &'a [SummaryLine<'a>],
        /// Its sum.
        total: Decimal,
        /// ISO 4217.
        currency: &'a str,
    },
    /// Not enough of it to order.
    OutOfStock {
        /// The product.
        name: &'a str,
        /// How many there are.
        left: i32,
    },
    /// The customer refused the proposal.
    ProposalDeclined,
    /// The proposal is no longer open: expired, replaced or already decided.
    ProposalGone,
    /// Prices or stock changed; a new summary follows.
    PricesChanged,
    /// The answer to the proposal was not clear.
    ConfirmAgain,
    /// Where an order stands.
    OrderStatus {
        /// Its number.
        order_no: i64,
        /// As in the database: pending, confirmed, fulfilled, cancelled, refunded.
        state: &'a str,
    },
    /// Whether to cancel an order.
    CancelQuestion {
        /// Its number.
        order_no: i64,
    },
    /// The order is cancelled.
    OrderCancelled {
        /// Its number.
        order_no: i64,
    },
    /// The order can not be cancelled (any more).
    CancelImpossible {
        /// Its number.
        order_no: i64,
    },
    /// An appointment was moved by the shop.
    AppointmentMoved {
        /// What for.
        service: &'a str,
        /// When it is now, in the shop's zone.
        at: &'a str,
    },
    /// An appointment was cancelled by the shop.
    AppointmentCancelled {
        /// What for.
        service: &'a str,
        /// When it was to be, in the shop's zone.
        at: &'a str,
    },
    /// The answer takes a little longer.
    Holding,
    /// The shop has no active subscription.
    Inactive,
    /// The shop's messages of the month are used up.
    Quota,
    /// A human takes over.
    Handoff,
    /// The agent stops, since it seems to talk to a machine.
    LoopStopped,
    /// A message that can not be read.
    CannotRead(Unreadable),
    /// In place of a model's answer that may not be sent: what code found, with its prices.
    Fallback {
        /// Names and prices.
        products: &'a [(String, Decimal)],
        /// ISO 4217.
        currency: &'a str,
    },
}

/// The text as this shop says it: in its own words if it has some in this language, else in ours.
#[must_use]
pub fn for_shop(shop: &ShopProfile, text: &Text<'_>, language: Language) -> String {
    let own = shop.own_texts();
    let said = match text {
        Text::Handoff => own.handoff.get(&language).map(String::as_str),
        Text::Quota => own.quota.get(&language).map(String::as_str),
        Text::Holding => own.holding.get(&language).map(String::as_str),
        Text::CannotRead(_) => own.unreadable.get(&language).map(String::as_str),
        Text::Inactive => own.inactive_in(language, shop.language()),
        _ => None,
    };
    said.map_or_else(|| render(text, language), str::to_owned)
}

/// The text in a language.
#[must_use]
pub fn render(text: &Text<'_>, language: Language) -> String {
    let say = |row: &Row| row[language.index()].to_owned();
    let numbered = |row: &Row, order_no: i64| say(row).replace("{n}", &order_no.to_string());
    match *text {
        Text::OrderSummary { lines, total, currency } => {
            format!("{}\n\n{}\n\n{}", say(&table::SUMMARY), sums(lines, total, currency, language), say(&table::ASK))
        }
        Text::ConfirmButton => say(&table::CONFIRM),
        Text::DeclineButton => say(&table::DECLINE),
        Text::OrderPlaced { order_no, lines, total, currency } => {
            format!("{}\n\n{}", numbered(&table::PLACED, order_no), sums(lines, total, currency, language))
        }
        // The name comes last: a product called "{left}" must not be filled in.
        Text::OutOfStock { name, left } if left > 0 => {
            say(&table::FEW_LEFT).replace("{left}", &left.to_string()).replace("{name}", &one_line(name))
        }
        Text::OutOfStock { name, .. } => say(&table::SOLD_OUT).replace("{name}", &one_line(name)),
        Text::ProposalDeclined => say(&table::DECLINED),
        Text::ProposalGone => say(&table::GONE),
        Text::PricesChanged => say(&table::CHANGED),
        Text::ConfirmAgain => say(&table::AGAIN),
        Text::OrderStatus { order_no, state } => {
            let state = match state {
                "pending" => say(&table::PENDING),
                "confirmed" => say(&table::CONFIRMED),
                "fulfilled" => say(&table::FULFILLED),
                "cancelled" => say(&table::CANCELLED),
                "refunded" => say(&table::REFUNDED),
                other => one_line(other),
            };
            numbered(&table::STATUS, order_no).replace("{state}", &state)
        }
        Text::CancelQuestion { order_no } => numbered(&table::CANCEL_ASK, order_no),
        Text::OrderCancelled { order_no } => numbered(&table::CANCEL_DONE, order_no),
        Text::CancelImpossible { order_no } => numbered(&table::CANCEL_NOT, order_no),
        // The name comes last, as above.
        Text::AppointmentMoved { service, at } => say(&table::SHOP_MOVED).replace("{at}", at).replace("{service}", &one_line(service)),
        Text::AppointmentCancelled { service, at } => {
            say(&table::SHOP_CANCELLED).replace("{at}", at).replace("{service}", &one_line(service))
        }
        Text::Holding => say(&table::HOLDING),
        Text::Inactive => say(&table::INACTIVE),
        Text::Quota => say(&table::QUOTA),
        Text::Handoff => say(&table::HANDOFF),
        Text::LoopStopped => say(&table::STOPPED),
        Text::CannotRead(kind) => say(match kind {
            Unreadable::Image => &table::IMAGE,
            Unreadable::Voice => &table::VOICE,
            Unreadable::Sticker => &table::STICKER,
            Unreadable::Location => &table::LOCATION,
            Unreadable::File => &table::FILE,
            Unreadable::Other => &table::OTHER,
        }),
        Text::Fallback { products: [], .. } => say(&table::FALLBACK_NONE),
        Text::Fallback { products, currency } => {
            let list: Vec<String> =
                products.iter().map(|(name, price)| format!("• {} — {}", one_line(name), money(*price, currency, language))).collect();
            format!("{}\n\n{}\n\n{}", say(&table::FALLBACK), list.join("\n"), say(&table::FALLBACK_ASK))
        }
    }
}

/// The lines of an order and its total.
fn sums(lines: &[SummaryLine<'_>], total: Decimal, currency: &str, language: Language) -> String {
    let say = |row: &Row| row[language.index()];
    let mut out: Vec<String> = lines
        .iter()
        .map(|line| {
            let (price, amount) = (money(line.price, currency, language), money(line.amount, currency, language));
            format!("{} × {} — {price} {} = {amount}", line.quantity, one_line(line.name), say(&table::EACH))
        })
        .collect();
    let colon = if language == Language::French { "\u{a0}:" } else { ":" };
    out.push(format!("{}{colon} {}", say(&table::TOTAL), money(total, currency, language)));
    out.join("\n")
}

/// A name on one line, without control characters, cut to its limit.
fn one_line(name: &str) -> String {
    let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let name = words.join(" ");
    if name.chars().count() <= MAX_NAME {
        return name;
    }
    let cut: String = name.chars().take(MAX_NAME - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests;
