//! A talk with the AI in which nothing happens, for the owner to try their settings.

use chrono::{DateTime, Utc};
use frontdesk_core::ids::{ProductId, ServiceId, StaffId};
use frontdesk_core::jobs::{self, TrialBooking, TrialLine, TrialTalk, TrialTap};
use frontdesk_core::memory::Exchange;
use frontdesk_core::money::Money;
use utoipa::ToSchema;

use super::{TIME, time};
use crate::call::CommandCx;
use crate::command::Asked;
use crate::form::{Form, Request};
use crate::reply::HttpError;

/// Exchanges that the AI remembers.
const EXCHANGES: usize = 10;
/// Characters of one message.
const WORDS: usize = 2000;
/// Lines of one proposal.
const LINES: usize = 20;

/// What a customer might say, and what was said before. All of it comes with each call: nothing is kept.
#[derive(ToSchema)]
pub struct TryAgent {
    /// The customer's words, up to 2,000 characters; absent for a tap.
    #[schema(required = false, example = "do you have red sneakers in 42?")]
    pub said: String,
    /// `confirm` or `decline`: the customer taps a button under the proposal.
    #[schema(value_type = Option<String>, required = false)]
    pub tap: Option<TrialTap>,
    /// The exchanges before, the oldest first, up to 10.
    #[schema(value_type = Vec<TrialExchange>, required = false)]
    pub exchanges: Vec<Exchange>,
    /// The proposal that the call before answered, if one is open.
    #[schema(value_type = Vec<TrialProposed>, required = false)]
    pub proposal: Vec<TrialLine>,
    /// The appointment that the call before proposed, if that is open.
    #[schema(value_type = Option<TrialAppointment>, required = false)]
    pub booking: Option<TrialBooking>,
    /// The AI's name, instead of the one that is saved.
    #[schema(required = false)]
    pub agent_name: Option<String>,
    /// Instructions, instead of those that are saved: try them before customers hear them.
    #[schema(required = false)]
    pub agent_instructions: Option<String>,
    /// What is known of the shop, instead of what is saved.
    #[schema(required = false)]
    pub about: Option<String>,
}

/// What was said and answered before.
#[derive(ToSchema)]
pub struct TrialExchange {
    /// The customer's words.
    #[schema(example = "hello")]
    pub customer: String,
    /// The AI's answer.
    #[schema(example = "Hello! What are you looking for?")]
    pub reply: String,
}

/// A line of the open proposal.
#[derive(ToSchema)]
pub struct TrialProposed {
    /// The product.
    pub product_id: i32,
    /// Pieces.
    pub quantity: i32,
    /// Price per piece as shown, a decimal string.
    #[schema(example = "59.90")]
    pub price: String,
}

/// The open proposal of an appointment.
#[derive(ToSchema)]
pub struct TrialAppointment {
    /// What for.
    pub service_id: i32,
    /// With whom.
    pub staff_id: i32,
    /// When it would begin.
    pub starts_at: DateTime<Utc>,
}

/// What would happen.
#[derive(ToSchema)]
pub struct Tried {
    /// What the customer would get.
    pub messages: Vec<TrialMessage>,
    /// The proposal that would be open then; pass it to the next call.
    pub proposal: Vec<TrialProposed>,
    /// The appointment that would be proposed then; pass it to the next call.
    pub booking: Option<TrialAppointment>,
    /// Model calls, tool calls, arguments, results, times, in order.
    #[schema(value_type = Vec<Object>)]
    pub trace: serde_json::Value,
    /// What the models took in US dollars, a decimal string. It counts towards the day's budget, and nothing else does.
    pub model_cost: String,
}

/// A message that would go out.
#[derive(ToSchema)]
pub struct TrialMessage {
    /// `reply`, `proposal`, `order`, `handoff`, …
    pub kind: String,
    /// The words.
    pub text: String,
    /// What stands on the buttons under it.
    pub buttons: Vec<String>,
}

impl Request for TryAgent {
    fn read(form: &mut Form) -> Option<Self> {
        let said = form.maybe_text("said", 1..=WORDS);
        let tap = form.maybe_parsed("tap", "must be confirm or decline", |word| match word {
            "confirm" => Some(TrialTap::Confirm),
            "decline" => Some(TrialTap::Decline),
            _ => None,
        });
        let exchanges = form.maybe_list("exchanges", EXCHANGES, |one| {
            let (customer, reply) = (one.text("customer", 1..=WORDS), one.text("reply", 1..=2 * WORDS));
            Some(Exchange { customer: customer?, reply: reply?, at_ms: 0 })
        });
        let proposal = form.maybe_list("proposal", LINES, |line| {
            let product: Option<i32> = line.integer("product_id", 1..=i64::from(i32::MAX));
            let (quantity, price): (_, Option<Money>) = (line.integer("quantity", 1..=999), line.money("price"));
            Some(TrialLine { product: ProductId(product?), quantity: quantity?, price: price? })
        });
        let booking = form.maybe_object("booking", |one| {
            let (service, staff) = (one.integer("service_id", 1..=i64::from(i32::MAX)), one.integer("staff_id", 1..=i64::from(i32::MAX)));
            let starts_at = one.parsed("starts_at", TIME, time);
            Some(TrialBooking { service: ServiceId(service?), staff: StaffId(staff?), starts_at: starts_at? })
        });
        let agent_name = form.maybe_text("agent_name", 0..=60);
        let agent_instructions = form.maybe_text("agent_instructions", 0..=4000);
        let about = form.maybe_text("about", 0..=8000);
        if said.is_none() && tap.is_none() {
            form.refuse_unless_refused("said", "must say something, unless `tap` does");
            return None;
        }
        let said = said.unwrap_or_default();
        Some(Self { said, tap, exchanges, proposal, booking, agent_name, agent_instructions, about })
    }
}

pub(crate) async fn ask(cx: CommandCx) -> Result<Asked, HttpError> {
    let TryAgent { said, tap, exchanges, proposal, booking, agent_name, agent_instructions, about } = cx.json()?;
    let talk = TrialTalk { said, tap, exchanges, proposal, booking, agent_name, agent_instructions, about };
    Asked::job(jobs::TryAgent { request: cx.request, talk })
}
