//! What Stripe has on record: customers, subscriptions, invoices, schedules, and the events they made.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Letters of ids after their number.
const ID_LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// First version in which the fields have moved (basil).
const MOVED_IN: &str = "2025-03-31";

pub(crate) type Metadata = Map<String, Value>;

/// A monthly price in US dollars.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) id: &'static str,
    /// Cents a month.
    pub(crate) amount: i64,
    pub(crate) product: &'static str,
    pub(crate) name: &'static str,
    pub(crate) lookup_key: &'static str,
}

pub(crate) static PRICES: [Price; 3] = [
    Price { id: "price_starter", amount: 2900, product: "prod_starter", name: "Starter", lookup_key: "starter_monthly" },
    Price { id: "price_pro", amount: 5900, product: "prod_pro", name: "Pro", lookup_key: "pro_monthly" },
    Price { id: "price_business", amount: 9900, product: "prod_business", name: "Business", lookup_key: "business_monthly" },
];

pub(crate) fn price(id: &str) -> Option<&'static Price> {
    PRICES.iter().find(|p| p.id == id)
}

/// In which shape objects are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Before 2025-03-31.
    Old,
    /// From 2025-03-31 (basil) on.
    New,
}

impl Shape {
    pub(crate) fn of(version: &str) -> Self {
        if version.get(..10).unwrap_or(version) < MOVED_IN { Self::Old } else { Self::New }
    }
}

/// What the bank says to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// Every charge goes through.
    Works,
    /// Every charge is declined.
    Declines,
    /// The bank asks for 3-D Secure, and the customer goes through with it.
    ThreeDSecure,
    /// The bank asks for 3-D Secure, and nobody answers.
    ThreeDSecureAbandoned,
}

/// What becomes of a subscription when every retry of an invoice has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndOfRetries {
    /// It is canceled.
    #[default]
    Cancel,
    /// It becomes `unpaid`.
    Unpaid,
    /// It stays `past_due`.
    PastDue,
}

#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) card: Option<Card>,
    pub(crate) payment_method: Option<String>,
    /// Cents; below zero is the customer's credit.
    pub(crate) balance: i64,
    pub(crate) prefix: String,
    pub(crate) invoices: u32,
    pub(crate) deleted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    PastDue,
    Unpaid,
    Canceled,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Unpaid => "unpaid",
            Self::Canceled => "canceled",
        }
    }
}

/// A change of plan that waits for its payment (`pending_if_incomplete`).
#[derive(Clone, Debug)]
pub(crate) struct PendingUpdate {
    pub(crate) price: &'static Price,
    pub(crate) quantity: i64,
    pub(crate) invoice: String,
    pub(crate) expires_at: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) item: String,
    pub(crate) customer: String,
    pub(crate) created: i64,
    pub(crate) anchor: i64,
    /// Periods since the anchor, the present one included.
    pub(crate) cycle: u32,
    pub(crate) status: Status,
    pub(crate) price: &'static Price,
    pub(crate) quantity: i64,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) cancel_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) cancel_reason: Option<&'static str>,
    pub(crate) metadata: Metadata,
    pub(crate) latest_invoice: Option<String>,
    pub(crate) payment_method: Option<String>,
    pub(crate) schedule: Option<String>,
    pub(crate) pending_update: Option<PendingUpdate>,
    /// Prorations that go onto the next invoice.
    pub(crate) pending_lines: Vec<Line>,
}

impl Subscription {
    pub(crate) fn ended(&self) -> bool {
        self.status == Status::Canceled
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) description: String,
    pub(crate) price: &'static Price,
    pub(crate) quantity: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// The invoice item behind a proration.
    pub(crate) proration: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Void,
}

impl InvoiceStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) subscription: String,
    pub(crate) reason: &'static str,
    pub(crate) lines: Vec<Line>,
    pub(crate) period_start: i64,
    pub(crate) period_end: i64,
    pub(crate) status: InvoiceStatus,
    pub(crate) starting_balance: i64,
    pub(crate) ending_balance: Option<i64>,
    pub(crate) amount_paid: i64,
    pub(crate) attempt_count: u32,
    pub(crate) attempted: bool,
    pub(crate) auto_advance: bool,
    pub(crate) finalize_at: Option<i64>,
    pub(crate) next_payment_attempt: Option<i64>,
    pub(crate) number: Option<String>,
    pub(crate) finalized_at: Option<i64>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) voided_at: Option<i64>,
    pub(crate) charge: Option<String>,
    pub(crate) payment_intent: Option<String>,
    /// Of the subscription, when the invoice was made.
    pub(crate) metadata: Metadata,
}

impl Invoice {
    pub(crate) fn total(&self) -> i64 {
        self.lines.iter().map(|l| l.amount).sum()
    }

    /// What is to be paid, with the customer's balance taken into account.
    pub(crate) fn amount_due(&self) -> i64 {
        (self.total() + self.starting_balance).max(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) expires_at: i64,
    pub(crate) status: SessionStatus,
    pub(crate) price: &'static Price,
    pub(crate) quantity: i64,
    pub(crate) customer: Option<String>,
    pub(crate) customer_email: Option<String>,
    pub(crate) client_reference_id: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) subscription_metadata: Metadata,
    pub(crate) success_url: String,
    pub(crate) cancel_url: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) invoice: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Portal {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) return_url: Option<String>,
    pub(crate) flow: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) refunded: i64,
    pub(crate) customer: Option<String>,
    pub(crate) invoice: Option<String>,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: Option<String>,
    pub(crate) failure: Option<&'static str>,
    pub(crate) disputed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) metadata: Metadata,
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) status: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) price: &'static Price,
    pub(crate) quantity: i64,
    pub(crate) proration: Proration,
    pub(crate) metadata: Metadata,
}

#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) subscription: String,
    pub(crate) status: &'static str,
    pub(crate) phases: Vec<Phase>,
    /// The phase whose items the subscription has.
    pub(crate) current: usize,
    /// `release` or `cancel`.
    pub(crate) end_behavior: String,
    pub(crate) metadata: Metadata,
    pub(crate) released_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) completed_at: Option<i64>,
}

/// What a change in the middle of a period costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proration {
    OnNextInvoice,
    InvoiceNow,
    None,
}

impl Proration {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "create_prorations" => Self::OnNextInvoice,
            "always_invoice" => Self::InvoiceNow,
            "none" => Self::None,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OnNextInvoice => "create_prorations",
            Self::InvoiceNow => "always_invoice",
            Self::None => "none",
        }
    }
}

/// Something that happened, as it goes to the endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) created: i64,
    pub(crate) body: Value,
}

/// The first answer to an idempotency key.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) asked: String,
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) at: i64,
}

/// What the account is set to.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The endpoint's version.
    pub(crate) api_version: String,
    pub(crate) end_of_retries: EndOfRetries,
    /// A renewal's invoice stays a draft this long, seconds.
    pub(crate) draft_s: i64,
    pub(crate) webhook_secrets: Vec<String>,
    pub(crate) webhook_url: Option<String>,
    /// Where the pages are.
    pub(crate) base: String,
}

pub(crate) struct World {
    pub(crate) customers: BTreeMap<String, Customer>,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) portals: BTreeMap<String, Portal>,
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
    pub(crate) invoices: BTreeMap<String, Invoice>,
    pub(crate) schedules: BTreeMap<String, Schedule>,
    pub(crate) charges: BTreeMap<String, Charge>,
    pub(crate) refunds: BTreeMap<String, Refund>,
    pub(crate) disputes: BTreeMap<String, Dispute>,
    pub(crate) events: VecDeque<Event>,
    /// Events that have not been sent on their way.
    pub(crate) outbox: Vec<Event>,
    pub(crate) done: HashMap<String, Done>,
    pub(crate) running: HashSet<String>,
    /// The call whose work is being done: request id and idempotency key.
    pub(crate) request: Option<(String, Option<String>)>,
    /// The time at which things happen now, Unix seconds.
    pub(crate) now: i64,
    pub(crate) settings: Settings,
    serial: u64,
}

impl World {
    pub(crate) fn new(settings: Settings, now: i64) -> Self {
        Self {
            customers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            portals: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            invoices: BTreeMap::new(),
            schedules: BTreeMap::new(),
            charges: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            events: VecDeque::new(),
            outbox: Vec::new(),
            done: HashMap::new(),
            running: HashSet::new(),
            request: None,
            now,
            settings,
            serial: 0,
        }
    }

    /// A fresh id. Ids of one kind sort in the order they were made.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        self.serial += 1;
        let letter = || char::from(ID_LETTERS[usize::from(rand::random::<u8>()) % ID_LETTERS.len()]);
        let tail: String = std::iter::repeat_with(letter).take(10).collect();
        format!("{prefix}_1S{:08}{tail}", self.serial)
    }

    /// The shape of the endpoint's version.
    pub(crate) fn shape(&self) -> Shape {
        Shape::of(&self.settings.api_version)
    }
}
