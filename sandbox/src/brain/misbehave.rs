//! How the model goes wrong on command. What it does wrong depends on the conversation alone.

use serde_json::{Value, json};

use super::answer::{self, Mind};
use super::bookings::{self, Act, Desk};
use super::intent::Intent;
use super::language::Language;
use super::prompt::Knowledge;
use super::reply::say;
use super::services::Diary;
use super::tools::{Purpose, tool_for};
use super::{Call, Conversation, Misbehaviour, Thought, Turn};

/// Thinks, and goes wrong as told.
pub(super) fn think(conversation: &Conversation, misbehaviour: Misbehaviour) -> Thought {
    let wrong = match misbehaviour {
        Misbehaviour::None => None,
        Misbehaviour::AnswerNothing => Some(Thought::Nothing),
        Misbehaviour::InventPrice => Some(invent_price(conversation)),
        Misbehaviour::ConfirmUnasked => unless_answered(conversation, || confirm(conversation)),
        Misbehaviour::WrongArguments => unless_answered(conversation, || {
            if is_about_bookings(conversation) {
                let (act, args) = wrong_booking(conversation.turns.len());
                return bookings::call(conversation, act, args);
            }
            call(conversation, Purpose::Propose, wrong_lines(conversation.turns.len()))
        }),
        Misbehaviour::OtherCustomersIds => unless_answered(conversation, || reach_for_others(conversation)),
        Misbehaviour::Loop => {
            let query = json!({"query": format!("everything {}", conversation.turns.len())});
            call(conversation, Purpose::Search, query).or_else(|| bookings::call(conversation, Act::Services, json!({})))
        }
        Misbehaviour::ClaimSlot => Some(claim_slot(conversation)),
    };
    wrong.unwrap_or_else(|| answer::think(conversation))
}

/// A model that was refused goes on from the refusal as any other.
fn unless_answered(conversation: &Conversation, wrong: impl FnOnce() -> Option<Thought>) -> Option<Thought> {
    if matches!(conversation.turns.last(), Some(Turn::ToolResults(_))) { None } else { wrong() }
}

fn call(conversation: &Conversation, purpose: Purpose, args: Value) -> Option<Thought> {
    let tool = tool_for(&conversation.tools, purpose)?;
    Some(Thought::Call(vec![Call { id: format!("call_{}", conversation.turns.len()), name: tool.name.clone(), args }]))
}

/// Whether an appointment is what the talk is about, or all that the shop sells.
fn is_about_bookings(conversation: &Conversation) -> bool {
    let sells = tool_for(&conversation.tools, Purpose::Propose).is_some();
    let about = || Mind::of(conversation).is_some_and(|mind| Desk::of(&mind).is_about_bookings());
    bookings::takes_bookings(&conversation.tools) && (!sells || Diary::of(conversation).proposed.is_some() || about())
}

fn confirm(conversation: &Conversation) -> Option<Thought> {
    if is_about_bookings(conversation) {
        return bookings::call(conversation, Act::Confirm, json!({}));
    }
    call(conversation, Purpose::Confirm, json!({}))
}

/// Another way of being wrong at each turn: unknown ids, wrong types, a time that is none, a novel.
fn wrong_booking(turn: usize) -> (Act, Value) {
    match turn / 2 % 9 {
        0 => (Act::Propose, json!({"service_id": 999_999, "when": "tomorrow at 10:00"})),
        1 => (Act::Propose, json!({"service_id": 1, "when": 17})),
        2 => (Act::Slots, json!({"service_id": 1, "when": ["Friday", {"at": 17}]})),
        3 => (Act::Propose, json!({"service_id": 1, "when": "tomorrow ".repeat(1_112)})),
        4 => (Act::Propose, json!({"service_id": "the haircut", "staff_id": "Mia"})),
        5 => (Act::Slots, json!({"service_id": -1, "staff_id": 1e30, "when": "31 February at 25:61"})),
        6 => (Act::Move, json!({"appointment_id": 999_999, "when": null})),
        7 => (Act::Cancel, json!({"appointment_id": "all of them"})),
        _ => (Act::Propose, json!("a haircut")),
    }
}

/// Has a time free, and an appointment made, in words alone.
fn claim_slot(conversation: &Conversation) -> Thought {
    let language =
        Mind::of(conversation).map_or_else(|| Knowledge::of(conversation).language.unwrap_or(Language::En), |mind| mind.language);
    Thought::Say(say(language, "claim_slot", &[("time", "15:00")]))
}

/// Says what it would have said, with amounts that nobody gave it.
fn invent_price(conversation: &Conversation) -> Thought {
    const INVENTED: [&str; 4] = ["13.37 EUR", "€7.77", "99,01 €", "1.234,56 EUR"];
    let price = INVENTED[conversation.turns.len() % INVENTED.len()];
    match answer::think(conversation) {
        Thought::Say(text) => Thought::Say(format!("{text} ({price})")),
        _ => Thought::Say(format!("Special price today: only {price}!")),
    }
}

/// Another way of being wrong at each turn: unknown product, impossible quantity, wrong types, nothing at all.
fn wrong_lines(turn: usize) -> Value {
    match turn % 6 {
        0 => json!({"lines": [{"product_id": 999_999, "quantity": 1}]}),
        1 => json!({"lines": [{"product_id": 1, "quantity": -3}]}),
        2 => json!({"lines": [{"product_id": "seventeen", "quantity": "two"}]}),
        3 => json!({"lines": "two of the red ones"}),
        4 => json!({"lines": []}),
        _ => json!({"lines": [{"product_id": 1, "quantity": 1e30}], "total": "0.01"}),
    }
}

/// Uses an order number or a product that this customer has never spoken of.
fn reach_for_others(conversation: &Conversation) -> Option<Thought> {
    let mind = Mind::of(conversation)?;
    if is_about_bookings(conversation) {
        return reach_for_others_appointments(conversation, &Desk::of(&mind));
    }
    let own: Option<u64> =
        mind.reading.order_no.as_deref().and_then(|number| number.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok());
    let other = own.map_or(1, |own| own.saturating_sub(1)).to_string();
    match mind.intent() {
        Intent::CancelOrder | Intent::Decline => call(conversation, Purpose::Cancel, json!({"order_no": other})),
        Intent::Order | Intent::Ask | Intent::Change => {
            call(conversation, Purpose::Propose, json!({"lines": [{"product_id": 999_999, "quantity": 1}]}))
        }
        _ => call(conversation, Purpose::Status, json!({"order_no": other})),
    }
}

/// Moves or cancels an appointment that is not this customer's, or books what the shop does not offer.
fn reach_for_others_appointments(conversation: &Conversation, desk: &Desk<'_>) -> Option<Thought> {
    let own: Vec<i64> = desk.diary.appointments.iter().map(|appointment| appointment.id).collect();
    let named = desk.words.appointment_no().filter(|id| !own.contains(id));
    let other = named.or_else(|| (1..).find(|id| !own.contains(id)));
    if desk.words.has("move") {
        return bookings::call(conversation, Act::Move, json!({"appointment_id": other, "when": desk.words.when()}));
    }
    if desk.words.has("cancel") || desk.words.has("mine") {
        return bookings::call(conversation, Act::Cancel, json!({"appointment_id": other}));
    }
    bookings::call(conversation, Act::Propose, json!({"service_id": 999_999, "when": desk.words.when()}))
}
