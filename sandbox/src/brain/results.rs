//! What the model says once its tools have answered.

use serde_json::Value;

use super::answer::Mind;
use super::tools::{Purpose, tool_for};
use super::{Thought, ToolResult, bookings};

/// Goes on from the tools' answers; the first that is not about a search decides.
pub(super) fn follow_up(mind: &Mind<'_>, answers: &[ToolResult]) -> Thought {
    if let Some(thought) = bookings::follow_up(mind, answers) {
        return thought;
    }
    let purpose = |answer: &ToolResult| {
        [Purpose::Propose, Purpose::Confirm, Purpose::Status, Purpose::Cancel, Purpose::Info, Purpose::Human, Purpose::Search]
            .into_iter()
            .find(|purpose| tool_for(&mind.conversation.tools, *purpose).is_some_and(|tool| tool.name == answer.name))
    };
    let decisive = answers.iter().find(|answer| purpose(answer) != Some(Purpose::Search)).or(answers.first());
    let Some(answer) = decisive else { return mind.say("unclear", &[]) };
    let purpose = purpose(answer);
    if let Some(error) = error_of(&answer.result) {
        return match purpose {
            Some(Purpose::Status | Purpose::Cancel) => mind.say("no_order", &[]),
            Some(Purpose::Info) => mind.say("info_unknown", &[]),
            Some(Purpose::Human) => mind.say("human", &[]),
            Some(Purpose::Search) => mind.say("nothing", &[]),
            _ => refused(mind, &answer.result, &error),
        };
    }
    let order = text_at(&answer.result, &["order_no", "order_number", "number"]).or_else(|| mind.reading.order_no.clone());
    let order = order.unwrap_or_default();
    match purpose {
        Some(Purpose::Search) => mind.answer_from_search(),
        Some(Purpose::Propose) => mind.say("check", &[]),
        Some(Purpose::Confirm) => mind.say("ordered", &[("order", &order)]),
        Some(Purpose::Cancel) => mind.say("cancelled", &[("order", &order)]),
        Some(Purpose::Status) => match text_at(&answer.result, &["status", "state"]) {
            Some(status) => mind.say("status", &[("order", &order), ("status", &status)]),
            None => mind.say("no_order", &[]),
        },
        Some(Purpose::Human) => mind.say("human", &[]),
        Some(Purpose::Info) | None => {
            let told = texts(&answer.result).join("\n");
            if told.is_empty() { mind.say("info_unknown", &[]) } else { Thought::Say(told) }
        }
    }
}

/// Tells what is left where the refusal says so, else its reason as given.
fn refused(mind: &Mind<'_>, result: &Value, error: &str) -> Thought {
    let left = ["available", "stock", "in_stock", "left"].iter().find_map(|key| number_at(result, key));
    let product = text_at(result, &["name", "product", "product_name"]).unwrap_or_default();
    match left {
        Some(0) => mind.say("sold_out", &[("product", &product)]),
        Some(count) => mind.say("few_left", &[("product", &product), ("count", &count.to_string())]),
        // A code is for programs, a sentence for people.
        None => mind.say("failed", &[("reason", if error.contains(' ') { error } else { "" })]),
    }
}

fn error_of(result: &Value) -> Option<String> {
    let failed = result.get("ok").or_else(|| result.get("success")).and_then(Value::as_bool) == Some(false);
    match result.get("error") {
        None | Some(Value::Null) => failed.then(|| text_at(result, &["message", "reason"]).unwrap_or_default()),
        Some(Value::String(error)) => Some(error.clone()),
        Some(other) => Some(text_at(other, &["message", "detail", "reason"]).unwrap_or_default()),
    }
}

/// The first text or number under one of the names, at any depth.
fn text_at(value: &Value, names: &[&str]) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let here = names.iter().find_map(|name| match fields.get(*name)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            here.or_else(|| fields.values().find_map(|value| text_at(value, names)))
        }
        Value::Array(values) => values.iter().find_map(|value| text_at(value, names)),
        _ => None,
    }
}

fn number_at(value: &Value, name: &str) -> Option<i64> {
    match value {
        Value::Object(fields) => {
            fields.get(name).and_then(Value::as_i64).or_else(|| fields.values().find_map(|value| number_at(value, name)))
        }
        Value::Array(values) => values.iter().find_map(|value| number_at(value, name)),
        _ => None,
    }
}

/// Every text of an answer, but for the topic it repeats.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "topic" | "id" | "type"));
            told.flat_map(|(_, value)| texts(value)).collect()
        }
        _ => Vec::new(),
    }
}
