//! How the model goes wrong on command. What it does wrong depends on the conversation alone.

use serde_json::{Value, json};

use super::answer::{self, Mind};
use super::intent::Intent;
use super::tools::{Purpose, tool_for};
use super::{Call, Conversation, Misbehaviour, Thought, Turn};

/// Thinks, and goes wrong as told.
pub(super) fn think(conversation: &Conversation, misbehaviour: Misbehaviour) -> Thought {
    let wrong = match misbehaviour {
        Misbehaviour::None => None,
        Misbehaviour::AnswerNothing => Some(Thought::Nothing),
        Misbehaviour::InventPrice => Some(invent_price(conversation)),
        Misbehaviour::ConfirmUnasked => unless_answered(conversation, || call(conversation, Purpose::Confirm, json!({}))),
        Misbehaviour::WrongArguments => {
            unless_answered(conversation, || call(conversation, Purpose::Propose, wrong_lines(conversation.turns.len())))
        }
        Misbehaviour::OtherCustomersIds => unless_answered(conversation, || reach_for_others(conversation)),
        Misbehaviour::Loop => {
            let query = json!({"query": format!("everything {}", conversation.turns.len())});
            call(conversation, Purpose::Search, query)
        }
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
