//! One turn of the agent: context in, course out. The model proposes; what it may cause is decided here and in the turn's transaction.

mod bookings;
pub mod guard;
pub mod handoff;
pub mod judge;
pub mod prompt;
pub mod texts;
pub mod tools;
pub mod when;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use frontdesk_core::db::appointments::Busy;
use frontdesk_core::db::archives::Returning;
use frontdesk_core::db::proposals::{Asked, Proposal, ProposedLine};
use frontdesk_core::db::shops::ShopProfile;
use frontdesk_core::ids::{AppointmentId, CustomerId, OrderNo, ProductId};
use frontdesk_core::memory::Exchange;
use frontdesk_core::money::Money;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use self::guard::Allowed;
use self::tools::Call;
use crate::catalogue::Catalogue;
use crate::clients::ClientError;
use crate::clients::models::{Completion, ModelPrice, ModelStep, Models, Prompt, Step, Tokens, ToolCall, ToolOutcome};
use crate::diary::{Book, Diary, Offered, Subject};

/// Model calls of one turn, repairs included.
const MAX_ROUNDS: usize = 5;
/// Calls taken from one answer.
const MAX_CALLS: usize = 6;
/// The longest a traced argument or result may be, in characters.
const MAX_TRACED: usize = 4_000;

/// What the agent knows of the shop.
#[derive(Debug, Clone)]
pub struct ShopCard {
    /// Its name.
    pub name: String,
    /// What the agent is called.
    pub agent_name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA.
    pub timezone: String,
    /// Now, on the shop's wall.
    pub local_time: String,
    /// Address, policies, questions and answers.
    pub about: String,
    /// Opening hours.
    pub hours: Value,
    /// The owner's own instructions.
    pub instructions: String,
    /// Whether it has a catalogue.
    pub sells_products: bool,
    /// Whether it takes appointments.
    pub takes_appointments: bool,
    /// Whether its people write the month before the day.
    pub month_first: bool,
}

impl ShopCard {
    /// The card of a shop, with its local time.
    #[must_use]
    pub fn of(shop: &ShopProfile, now: DateTime<Utc>) -> Self {
        Self {
            name: shop.name.clone(),
            agent_name: shop.agent_name.clone(),
            currency: shop.currency.clone(),
            timezone: shop.timezone().name().to_owned(),
            local_time: now.with_timezone(&shop.timezone()).format("%A %Y-%m-%d %H:%M").to_string(),
            about: shop.about.clone(),
            hours: shop.hours.clone(),
            instructions: shop.agent_instructions.clone(),
            sells_products: shop.sells_products(),
            takes_appointments: shop.takes_appointments(),
            month_first: shop.locale.ends_with("-US"),
        }
    }
}

/// A product that code found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Today's price.
    pub price: Money,
    /// Pieces left.
    pub stock: i32,
}

/// What a turn starts from.
#[derive(Debug)]
pub struct Context<'a> {
    /// The shop.
    pub shop: &'a ShopCard,
    /// Who asks: their orders, and nobody else's, are within reach.
    pub customer: CustomerId,
    /// The language to answer in.
    pub language: texts::Language,
    /// The last exchanges.
    pub history: &'a [Exchange],
    /// What is known of somebody who was away. None of it counts as said today: neither its amounts nor its times may be repeated.
    pub returning: Option<&'a Returning>,
    /// What the customer just said, all messages of the turn.
    pub said: &'a str,
    /// What code found for it.
    pub hits: &'a [Hit],
    /// What is known of appointments, if the shop takes any.
    pub book: Option<&'a Book>,
    /// What is open.
    pub proposal: Option<&'a Proposal>,
    /// Whether code judged what was said a clear yes to it.
    pub agreed: bool,
}

/// Which course the turn takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// Say this; every amount in it is true.
    Say(String),
    /// The model said nothing that may be sent: code answers, with these products at hand.
    Fallback(Vec<Hit>),
    /// Show this order and ask.
    ProposeOrder(Vec<ProposedLine>),
    /// Ask whether to cancel this order.
    ProposeCancel(OrderNo),
    /// Show these free times and ask which.
    OfferTimes(Offered),
    /// Show this appointment, as it would be or as it stands, and ask whether to book, move or cancel it.
    ProposeBooking {
        /// What the customer asks for.
        asked: Asked,
        /// Of what.
        subject: Subject,
        /// When staff are busy elsewhere around that time.
        busy: Vec<Busy>,
    },
    /// A connected calendar cannot be read, so nothing is offered.
    CalendarUnreachable,
    /// Note that the customer comes to this appointment of theirs.
    ConfirmAppointment(AppointmentId),
    /// Do what the open proposal says.
    Confirm,
    /// Drop the open proposal.
    Decline,
    /// Hand over to a human.
    Handoff,
}

/// What happened in a turn, for the owner to open from the message.
#[derive(Debug, Default)]
pub struct Trace {
    /// Model calls, tool calls and refusals, in order.
    pub events: Vec<Value>,
    /// Tokens of all calls.
    pub tokens: Tokens,
    /// In US dollars.
    pub cost: Decimal,
    /// The call under way: its prompt tokens, and what they cost.
    asked: Option<(i64, Decimal)>,
}

impl Trace {
    fn asks(&mut self, prompt: &Prompt, price: Option<ModelPrice>) {
        let tokens = prompt.estimated_tokens();
        self.asked = Some((tokens, cost(price, Tokens { input: tokens, output: 0 })));
    }

    /// The call under way is dropped. Its provider has read the prompt all the same, and the shop's budget is to know.
    pub fn give_up(&mut self) {
        if let Some((tokens, cost)) = self.asked.take() {
            self.tokens.input += tokens;
            self.cost += cost;
            self.note("given_up", json!({"estimated_tokens": tokens}));
        }
    }

    fn model(&mut self, completion: &Completion, took: Duration, price: Option<ModelPrice>) {
        // Whoever lost the race has read the prompt, too.
        if let (Some(_), Some((tokens, cost))) = (completion.also_asked, self.asked.take()) {
            self.tokens.input += tokens;
            self.cost += cost;
        }
        self.tokens.input += completion.tokens.input;
        self.tokens.output += completion.tokens.output;
        let cost = cost(price, completion.tokens);
        self.cost += cost;
        self.events.push(json!({"type": "model", "provider": completion.provider, "model": completion.model, "also_asked": completion.also_asked, "took_ms": took.as_millis(),
            "tokens": completion.tokens, "cost": cost, "text": completion.step.text, "calls": completion.step.calls}));
    }

    fn tool(&mut self, name: &str, result: &Value) {
        let result: String = result.to_string().chars().take(MAX_TRACED).collect();
        self.events.push(json!({"type": "tool", "name": name, "result": result}));
    }

    /// Notes anything else.
    pub fn note(&mut self, what: &str, detail: Value) {
        self.events.push(json!({"type": what, "detail": detail}));
    }
}

fn cost(price: Option<ModelPrice>, tokens: Tokens) -> Decimal {
    let million = Decimal::from(1_000_000);
    price.map_or(Decimal::ZERO, |price| (price.input * Decimal::from(tokens.input) + price.output * Decimal::from(tokens.output)) / million)
}

/// Prices by model name; the longest prefix counts.
pub type Prices = std::collections::BTreeMap<String, ModelPrice>;

fn price_of(prices: &Prices, model: &str) -> Option<ModelPrice> {
    prices.iter().filter(|(name, _)| model.starts_with(name.as_str())).max_by_key(|(name, _)| name.len()).map(|(_, price)| *price)
}

/// Where a turn may look things up.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Products, and the customer's orders.
    pub catalogue: &'a Catalogue,
    /// Free times.
    pub diary: &'a Diary,
}

/// Runs the model to a course.
///
/// # Errors
/// When no model answered, or the database did not.
pub async fn think(
    models: &Models,
    prices: &Prices,
    sources: &Sources<'_>,
    context: &Context<'_>,
    hedge_after: impl Fn() -> Duration + Sync,
    trace: &mut Trace,
) -> Result<Course, ThinkError> {
    let mut prompt = prompt::build(context);
    let mut known = Known::new(context);
    let mut repaired = false;
    for _ in 0..MAX_ROUNDS {
        let asked = Instant::now();
        trace.asks(&prompt, price_of(prices, models.model()));
        let completion = match models.ask(&prompt, hedge_after()).await {
            Ok(completion) => completion,
            Err(ClientError::Useless { reason, .. }) => {
                trace.note("useless_answer", json!(reason));
                if std::mem::replace(&mut repaired, true) {
                    break;
                }
                continue;
            }
            Err(error) => return Err(ThinkError::Models(error)),
        };
        trace.model(&completion, asked.elapsed(), price_of(prices, &completion.model));
        let step = completion.step;
        if step.calls.is_empty() {
            let text = step.text.clone().unwrap_or_default();
            match guard::check(&text, &known.allowed, &context.shop.currency).and_then(|()| known.check_times(&text)) {
                Ok(()) if !text.trim().is_empty() => return Ok(Course::Say(text.trim().to_owned())),
                Ok(()) => {}
                Err(findings) => {
                    let found: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
                    trace.note("amount_refused", json!(found));
                    metrics::counter!("frontdesk_replies_refused_total").increment(1);
                }
            }
            if std::mem::replace(&mut repaired, true) {
                break;
            }
            prompt.steps.push(Step::Model(step));
            prompt.steps.push(Step::User(CORRECTION.to_owned()));
            continue;
        }
        match act(sources, context, &step, &mut known, trace).await? {
            Acted::Course(course) => return Ok(course),
            Acted::Results(results) => answer_calls(&mut prompt, step, results),
        }
    }
    Ok(Course::Fallback(known.hits))
}

const CORRECTION: &str = "(System: that answer was not sent, because it was empty, or named an amount or a time of day that no tool returned. \
Answer the customer again. Use only amounts and times from the sections above, the open proposal or tool results, exactly as written there, or none. \
To tell which times are free, call find_slots.)";

/// Why a turn came to no course.
#[derive(Debug, thiserror::Error)]
pub enum ThinkError {
    /// No model answered.
    #[error(transparent)]
    Models(ClientError),
    /// Postgres did not.
    #[error(transparent)]
    Db(#[from] frontdesk_core::db::DbError),
}

/// What the turn has learnt: these products may be proposed, these amounts may be said.
struct Known {
    hits: Vec<Hit>,
    allowed: Allowed,
    /// Times of day that may be said; `None`: the shop takes no appointments, and any may.
    times: Option<guard::Times>,
}

impl Known {
    fn new(context: &Context<'_>) -> Self {
        let times = context.book.map(|book| bookings::times(context, book));
        let mut known = Self { hits: Vec::new(), allowed: Allowed::new(), times };
        known.learn(context.hits, &context.shop.currency);
        for service in context.book.iter().flat_map(|book| &book.services) {
            known.allowed.add(service.price.amount());
            known.allowed.allow_name(&service.name);
            known.allowed.allow_text(&service.description, &context.shop.currency);
        }
        if let Some(proposal) = context.proposal {
            known.allowed.add(proposal.total.amount());
            for line in &proposal.lines {
                known.allowed.add(line.price.amount());
                known.allowed.add(line.price.times(line.quantity).amount());
            }
        }
        // What the owner wrote about the shop (delivery costs, free returns) is the shop's own word.
        known.allowed.allow_text(&context.shop.about, &context.shop.currency);
        known.allowed.allow_text(&context.shop.instructions, &context.shop.currency);
        known
    }

    /// A time that was not looked up is not said: it might be taken for one that is free.
    fn check_times(&self, text: &str) -> Result<(), Vec<guard::Finding>> {
        self.times.as_ref().map_or(Ok(()), |times| times.check(text))
    }

    fn learn(&mut self, hits: &[Hit], currency: &str) {
        for hit in hits {
            self.allowed.add(hit.price.amount());
            self.allowed.allow_name(&hit.name);
            self.allowed.allow_text(&hit.description, currency);
            if !self.hits.iter().any(|known| known.id == hit.id) {
                self.hits.push(hit.clone());
            }
        }
    }
}

enum Acted {
    Course(Course),
    Results(Vec<ToolOutcome>),
}

/// Runs the calls of one answer. The first call that decides the turn ends it; reading calls return to the model.
async fn act(
    sources: &Sources<'_>,
    context: &Context<'_>,
    step: &ModelStep,
    known: &mut Known,
    trace: &mut Trace,
) -> Result<Acted, ThinkError> {
    let mut results = Vec::with_capacity(step.calls.len());
    for (index, call) in step.calls.iter().enumerate() {
        let result = if index >= MAX_CALLS {
            json!({"error": "too many calls at once"})
        } else {
            match tools::parse(call) {
                Err(reason) => json!({"error": reason}),
                Ok(parsed) => match run(sources, context, parsed, known).await? {
                    Ran::Course(course) => {
                        trace.tool(&call.name, &json!({"course": format!("{course:?}")}));
                        return Ok(Acted::Course(course));
                    }
                    Ran::Result(result) => result,
                },
            }
        };
        trace.tool(&call.name, &result);
        results.push(outcome(call, result));
    }
    Ok(Acted::Results(results))
}

fn outcome(call: &ToolCall, result: Value) -> ToolOutcome {
    ToolOutcome { id: call.id.clone(), name: call.name.clone(), result }
}

fn answer_calls(prompt: &mut Prompt, step: ModelStep, results: Vec<ToolOutcome>) {
    prompt.steps.push(Step::Model(step));
    prompt.steps.push(Step::Tools(results));
}

enum Ran {
    Course(Course),
    Result(Value),
}

async fn run(sources: &Sources<'_>, context: &Context<'_>, call: Call, known: &mut Known) -> Result<Ran, ThinkError> {
    let catalogue = sources.catalogue;
    Ok(match call {
        Call::SearchProducts { query } => {
            let hits = catalogue.search(&query).await?;
            known.learn(&hits, &context.shop.currency);
            let products: Vec<Value> = hits.iter().map(|hit| prompt::hit_json(hit, &context.shop.currency)).collect();
            Ran::Result(json!({"products": products}))
        }
        Call::ProposeOrder { lines } => propose(catalogue, &context.shop.currency, &lines, known).await?,
        Call::Booking(call) => match context.book {
            Some(book) => bookings::run(sources.diary, context, book, call).await?,
            None => Ran::Result(json!({"error": "this shop takes no appointments"})),
        },
        Call::Confirm => match context.proposal {
            Some(proposal) if context.agreed && proposal.shown_at.is_some() => Ran::Course(Course::Confirm),
            Some(_) => Ran::Result(json!({"error": "the customer has not clearly agreed to the proposal as it stands; \
                nothing was done. Answer what they said, or ask whether it is right as shown."})),
            None => Ran::Result(json!({"error": "there is no open proposal; make one first"})),
        },
        Call::OrderStatus { order } => {
            let orders = catalogue.orders_of(context.customer, order).await?;
            for order in &orders {
                known.allowed.add(order.total.amount());
                for line in &order.lines {
                    known.allowed.add(line.price.amount());
                }
            }
            let orders: Vec<Value> = orders.iter().map(crate::catalogue::OrderCard::to_json).collect();
            Ran::Result(if orders.is_empty() { json!({"error": "this customer has no such order"}) } else { json!({"orders": orders}) })
        }
        Call::CancelOrder { order: None } if context.proposal.is_some() => Ran::Course(Course::Decline),
        Call::CancelOrder { order } => match catalogue.orders_of(context.customer, order).await?.into_iter().next() {
            Some(order) if order.is_cancellable() => Ran::Course(Course::ProposeCancel(order.order_no)),
            Some(order) => {
                Ran::Result(json!({"error": format!("order {} is {} and cannot be cancelled here", order.order_no, order.status)}))
            }
            None => Ran::Result(json!({"error": "this customer has no such order"})),
        },
        Call::BusinessInfo => Ran::Result(json!({"name": context.shop.name, "about": context.shop.about, "hours": context.shop.hours,
            "timezone": context.shop.timezone, "now": context.shop.local_time})),
        Call::RequestHuman => Ran::Course(Course::Handoff),
    })
}

/// Names, prices and stock come from the database, whatever the model thinks they are.
async fn propose(catalogue: &Catalogue, currency: &str, wanted: &[(ProductId, i32)], known: &mut Known) -> Result<Ran, ThinkError> {
    let ids: Vec<ProductId> = wanted.iter().map(|(id, _)| *id).collect();
    let found = catalogue.find(&ids).await?;
    known.learn(&found, currency);
    let mut lines = Vec::with_capacity(wanted.len());
    for (id, quantity) in wanted {
        let Some(hit) = found.iter().find(|hit| hit.id == *id) else {
            return Ok(Ran::Result(json!({"error": format!("there is no product {id}; use search_products")})));
        };
        if hit.stock < *quantity {
            return Ok(Ran::Result(
                json!({"error": format!("only {} of {} left", hit.stock, hit.name), "product_id": id.0, "stock": hit.stock}),
            ));
        }
        lines.push(ProposedLine { product_id: hit.id, name: hit.name.clone(), quantity: *quantity, price: hit.price });
    }
    Ok(Ran::Course(Course::ProposeOrder(lines)))
}
