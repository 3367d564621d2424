//! Finds the tool for a purpose among those declared, and fills its parameters as its schema asks.

use serde_json::{Map, Value, json};

use super::ToolDecl;

/// What a tool is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Search,
    Propose,
    Confirm,
    Status,
    Cancel,
    Info,
    Human,
}

impl Purpose {
    /// Words that a fitting tool has in its name, and words it may have in its description.
    fn words(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Search => {
                (&["search", "find_product", "lookup", "catalog", "list_products"], &["search", "catalogue", "catalog", "products"])
            }
            Self::Propose => (&["propose", "draft", "prepare", "offer"], &["propose", "proposal", "summary", "order"]),
            Self::Confirm => (&["confirm", "finalize", "finalise", "place_order", "checkout"], &["confirm", "agreed", "agrees", "order"]),
            Self::Status => (&["status", "track", "find_order", "get_order", "order_info"], &["status", "track", "order"]),
            Self::Cancel => (&["cancel", "storno"], &["cancel", "order"]),
            Self::Info => (&["info", "faq", "about", "hours"], &["hours", "address", "policies", "information", "business"]),
            Self::Human => {
                (&["human", "handoff", "hand_over", "handover", "escalate", "agent", "staff"], &["human", "person", "staff", "colleague"])
            }
        }
    }
}

/// The declared tool that serves a purpose best; none when nothing fits.
pub(super) fn tool_for(tools: &[ToolDecl], purpose: Purpose) -> Option<&ToolDecl> {
    let (names, descriptions) = purpose.words();
    let score = |tool: &ToolDecl| {
        let name = tool.name.to_lowercase();
        let description = tool.description.to_lowercase();
        let named = names.iter().filter(|word| name.contains(*word)).count() * 10;
        let described = descriptions.iter().filter(|word| description.contains(*word)).count();
        let orders = usize::from(name.contains("order") || name.contains("product"));
        named + described + orders
    };
    // A shop may also take bookings, with tools of nearly the same names.
    let booking = |tool: &&ToolDecl| {
        ["booking", "appointment", "slot", "_services", "reschedul"].iter().any(|word| tool.name.to_lowercase().contains(word))
    };
    let best = tools.iter().rev().filter(|tool| !booking(tool)).max_by_key(|tool| score(tool))?;
    (score(best) >= 4).then_some(best)
}

/// What the model has to say to a tool.
#[derive(Default)]
pub(super) struct Facts<'a> {
    pub(super) query: &'a str,
    pub(super) lines: &'a [(i64, u32)],
    pub(super) order_no: Option<&'a str>,
    pub(super) topic: &'a str,
    pub(super) reason: &'a str,
}

/// Arguments for a tool, property by property of its schema.
pub(super) fn arguments(tool: &ToolDecl, facts: &Facts<'_>) -> Value {
    let mut filled = Map::new();
    let required = required(&tool.parameters);
    for (name, schema) in properties(&tool.parameters) {
        let value = fill(name, schema, facts).or_else(|| {
            // A required property is never left out: better a plain guess that the tool can refuse.
            required.contains(&name.as_str()).then(|| fallback(schema, facts))
        });
        if let Some(value) = value {
            filled.insert(name.clone(), value);
        }
    }
    Value::Object(filled)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The type a schema asks for; Gemini writes it in capitals, OpenAI as a list when null is allowed.
fn kind(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(kind)) => kind.to_lowercase(),
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| !kind.eq_ignore_ascii_case("null")).unwrap_or_default().to_lowercase()
        }
        _ => String::new(),
    }
}

fn fill(name: &str, schema: &Value, facts: &Facts<'_>) -> Option<Value> {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let lower = name.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if kind(schema) == "array" {
        let item = schema.get("items")?;
        return (!facts.lines.is_empty()).then(|| facts.lines.iter().map(|line| line_of(item, *line)).collect());
    }
    if is(&["order"]) || (is(&["number", "reference"]) && description.contains("order")) {
        return facts.order_no.map(|number| typed(schema, number));
    }
    if is(&["query", "search", "keyword", "text", "words"]) {
        return (!facts.query.is_empty()).then(|| json!(facts.query));
    }
    if is(&["topic", "subject", "about", "question", "kind"]) {
        return (!facts.topic.is_empty()).then(|| choice(schema, facts.topic));
    }
    if is(&["reason", "why"]) {
        return (!facts.reason.is_empty()).then(|| json!(facts.reason));
    }
    // A single line, spread over the tool's own parameters.
    let (id, quantity) = *facts.lines.first()?;
    if is(&["quantity", "qty", "count", "amount", "pieces"]) {
        return Some(typed(schema, &quantity.to_string()));
    }
    (is(&["product", "item", "sku"]) || lower == "id").then(|| typed(schema, &id.to_string()))
}

fn line_of(item: &Value, (id, quantity): (i64, u32)) -> Value {
    let one = [(id, quantity)];
    let facts = Facts { lines: &one, ..Facts::default() };
    let fields: Map<String, Value> =
        properties(item).filter_map(|(name, schema)| fill(name, schema, &facts).map(|value| (name.clone(), value))).collect();
    if fields.is_empty() { json!({"product_id": id, "quantity": quantity}) } else { Value::Object(fields) }
}

/// A number as a number where the schema wants one.
fn typed(schema: &Value, text: &str) -> Value {
    match kind(schema).as_str() {
        "integer" | "number" => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
        }
        _ => match (kind(schema).is_empty(), text.parse::<i64>()) {
            (true, Ok(number)) => json!(number),
            _ => json!(text),
        },
    }
}

/// The allowed value that is nearest to a word.
fn choice(schema: &Value, word: &str) -> Value {
    let allowed: Vec<&str> = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let synonyms: &[&str] = match word {
        "hours" => &["open", "time"],
        "address" => &["location", "place", "where"],
        "delivery" => &["ship", "polic"],
        "payment" => &["pay", "polic"],
        "returns" => &["return", "refund", "polic"],
        _ => &[],
    };
    let fits = |value: &&&str| value.to_lowercase().contains(word) || synonyms.iter().any(|synonym| value.to_lowercase().contains(synonym));
    let fallback = || allowed.iter().find(|value| ["faq", "other", "general"].contains(&value.to_lowercase().as_str())).or(allowed.last());
    json!(allowed.iter().find(fits).or_else(fallback).unwrap_or(&word))
}

fn fallback(schema: &Value, facts: &Facts<'_>) -> Value {
    let text = [facts.query, facts.topic, facts.reason].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    match kind(schema).as_str() {
        "integer" | "number" => json!(0),
        "boolean" => json!(false),
        "array" => json!([]),
        "object" => json!({}),
        _ => choice(schema, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, description: &str, parameters: Value) -> ToolDecl {
        ToolDecl { name: name.to_owned(), description: description.to_owned(), parameters }
    }

    #[test]
    fn tools_are_found_under_other_names() {
        let tools = [
            tool("confirm_booking", "Confirms a booking.", json!({})),
            tool("catalog_lookup", "Looks through the catalogue of products.", json!({})),
            tool("finalize_order", "Places the order the customer agreed to.", json!({})),
        ];
        assert_eq!(tool_for(&tools, Purpose::Search).map(|tool| tool.name.as_str()), Some("catalog_lookup"));
        assert_eq!(tool_for(&tools, Purpose::Confirm).map(|tool| tool.name.as_str()), Some("finalize_order"));
        assert!(tool_for(&tools, Purpose::Human).is_none());
    }

    #[test]
    fn parameters_are_filled_as_their_schema_names_and_types_them() {
        let facts = Facts { lines: &[(17, 2)], ..Facts::default() };
        let lines = json!({"type": "OBJECT", "properties": {"items": {"type": "ARRAY", "items": {"type": "OBJECT",
            "properties": {"sku": {"type": "STRING"}, "qty": {"type": "INTEGER"}}}}, "note": {"type": "STRING"}}});
        assert_eq!(arguments(&tool("draft", "", lines), &facts), json!({"items": [{"sku": "17", "qty": 2}]}));
        let flat = json!({"properties": {"product_id": {"type": "integer"}, "quantity": {"type": ["integer", "null"]}}});
        assert_eq!(arguments(&tool("draft", "", flat), &facts), json!({"product_id": 17, "quantity": 2}));
    }

    #[test]
    fn a_topic_is_one_of_those_allowed_and_an_order_number_keeps_its_form() {
        let info = tool("info", "", json!({"properties": {"topic": {"type": "string", "enum": ["opening_times", "location", "faq"]}}}));
        let topic = |topic| arguments(&info, &Facts { topic, ..Facts::default() });
        assert_eq!(topic("hours"), json!({"topic": "opening_times"}));
        assert_eq!(topic("payment"), json!({"topic": "faq"}));
        let cancel = tool("cancel_order", "", json!({"properties": {"order_no": {"type": "string"}}}));
        assert_eq!(arguments(&cancel, &Facts { order_no: Some("1042"), ..Facts::default() }), json!({"order_no": "1042"}));
        assert_eq!(arguments(&cancel, &Facts::default()), json!({}));
    }
}
