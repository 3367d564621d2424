//! What the system prompt tells: the shop, hits of the catalogue, an open proposal, the customer's language.

use regex::Regex;
use serde_json::Value;
use std::sync::OnceLock;

use super::catalogue::Product;
use super::language::Language;
use super::{Conversation, Turn};

/// The prompt and the tools' answers, read.
pub(super) struct Knowledge {
    pub(super) shop: String,
    /// Every product told of so far; what was told last counts.
    pub(super) products: Vec<Product>,
    /// Lines of the proposal that waits for the customer's word.
    pub(super) proposal: Option<Vec<(Product, u32)>>,
    pub(super) language: Option<Language>,
    /// What a customer who returns has ordered last.
    pub(super) last_ordered: Option<String>,
}

impl Knowledge {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let system = &conversation.system;
        let mut products = Vec::new();
        for value in objects(section(system, &["catalogue", "catalog", "products", "hits"]).unwrap_or_default()) {
            learn(&mut products, &value);
        }
        for turn in &conversation.turns {
            if let Turn::ToolResults(results) = turn {
                results.iter().for_each(|result| learn(&mut products, &result.result));
            }
        }
        let proposal = section(system, &["open_proposal", "proposal"]).map(objects).and_then(|values| {
            let lines = values.iter().flat_map(|value| match value.get("lines").or_else(|| value.get("items")) {
                Some(Value::Array(lines)) => lines.clone(),
                _ => vec![value.clone()],
            });
            let lines: Vec<_> = lines.filter_map(|line| read_line(&line, &products)).collect();
            (!lines.is_empty()).then_some(lines)
        });
        let language = section(system, &["language", "customer_language", "locale"]).and_then(Language::from_tag);
        let last_ordered = section(system, &["returning_customer"]).map(objects).and_then(|facts| {
            let products = facts.first()?.get("last_order")?.get("products")?.as_array()?;
            products.first()?.as_str().map(str::to_owned)
        });
        Self { last_ordered, shop: section(system, &["shop", "business"]).unwrap_or_default().to_owned(), products, proposal, language }
    }
}

fn read_line(line: &Value, products: &[Product]) -> Option<(Product, u32)> {
    let told = Product::read(line)?;
    let quantity = ["quantity", "qty"].iter().find_map(|key| line.get(key)?.as_u64()).unwrap_or(1);
    let product = products.iter().find(|product| product.id == told.id).cloned().unwrap_or(told);
    Some((product, u32::try_from(quantity).ok()?))
}

/// Adds every product found in a tool's answer, however it is wrapped (two levels deep).
fn learn(products: &mut Vec<Product>, value: &Value) {
    let candidates: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(fields) => {
            let lists = fields.values().filter_map(Value::as_array).flatten();
            // A line of a proposal has a quantity: its price may be the line's, not the product's.
            lists.chain([value]).filter(|value| value.get("quantity").is_none()).collect()
        }
        _ => Vec::new(),
    };
    for product in candidates.into_iter().filter_map(Product::read) {
        products.retain(|known| known.id != product.id);
        products.push(product);
    }
}

/// What stands between `<name …>` and `</name>`, for the first of the names there is.
pub(super) fn section<'s>(system: &'s str, names: &[&str]) -> Option<&'s str> {
    names.iter().find_map(|name| {
        let opening = system.match_indices(&format!("<{name}")).map(|(at, _)| at).find_map(|at| {
            let rest = &system[at + 1 + name.len()..];
            let attributes = rest.find('>')?;
            (rest.starts_with(['>', ' ', '\n'])).then(|| &rest[attributes + 1..])
        })?;
        opening.find(&format!("</{name}>")).map(|end| opening[..end].trim()).filter(|text| !text.is_empty())
    })
}

/// JSON objects: one a line, one alone over many lines, or an array of them.
pub(super) fn objects(text: &str) -> Vec<Value> {
    let by_line = text.lines().filter_map(|line| serde_json::from_str(line.trim().trim_end_matches(',')).ok());
    let mut values: Vec<Value> = by_line.filter(|value: &Value| value.is_object() || value.is_array()).collect();
    if values.is_empty() {
        values = serde_json::Deserializer::from_str(text).into_iter().map_while(Result::ok).collect();
    }
    values.into_iter().flat_map(|value| if let Value::Array(values) = value { values } else { vec![value] }).collect()
}

/// The line of the shop's profile that tells of a topic, without its label.
pub(super) fn told_of(shop: &str, labels: &[&str]) -> Option<String> {
    static LABEL: OnceLock<Option<Regex>> = OnceLock::new();
    let label = LABEL.get_or_init(|| Regex::new(r#"^[\s"*-]*([\p{L}_ ]{3,30})"?\s*:\s*"?(.+?)"?,?\s*$"#).ok()).as_ref()?;
    shop.lines().filter_map(|line| label.captures(line)).find_map(|found| {
        let name = found[1].to_lowercase();
        let words: Vec<&str> = name.split([' ', '_']).collect();
        let value = found[2].trim();
        let empty = value.is_empty() || matches!(value, "null" | "{" | "[" | "-" | "unknown");
        (!empty && labels.iter().any(|label| words.contains(label))).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(system: &str) -> Conversation {
        Conversation { system: system.to_owned(), tools: Vec::new(), turns: Vec::new() }
    }

    #[test]
    fn sections_are_read_in_lines_arrays_and_with_attributes() {
        let lines =
            "<catalogue note=\"x\">\n{\"product_id\":17,\"name\":\"Belt\",\"price\":\"5.00\",\"currency\":\"EUR\"}\nnot json\n</catalogue>";
        let told = Knowledge::of(&conversation(lines));
        assert_eq!(told.products[0].with_price(), "Belt (5.00 EUR)");
        let array = "<catalogue>[{\"id\":\"3\",\"name\":\"Mug\"},{\"id\":4,\"name\":\"Cup\"}]</catalogue><language>de-AT</language>";
        let told = Knowledge::of(&conversation(array));
        assert_eq!(told.products.iter().map(|product| product.id).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(told.language, Some(Language::De));
    }

    #[test]
    fn a_proposal_is_open_only_when_it_has_lines() {
        let open = "<open_proposal>{\"lines\":[{\"product_id\":17,\"name\":\"Belt\",\"quantity\":2}],\"total\":\"10.00\"}</open_proposal>";
        assert_eq!(Knowledge::of(&conversation(open)).proposal.map(|lines| (lines[0].0.id, lines[0].1)), Some((17, 2)));
        for closed in
            ["", "<open_proposal></open_proposal>", "<open_proposal>{\"lines\":[]}</open_proposal>", "<open_proposal>none</open_proposal>"]
        {
            assert!(Knowledge::of(&conversation(closed)).proposal.is_none(), "{closed}");
        }
    }

    #[test]
    fn a_shops_profile_answers_by_its_labels() {
        assert_eq!(told_of("Name: Corner\nOpening hours: Mon-Fri 9-18", &["hours"]).as_deref(), Some("Mon-Fri 9-18"));
        assert_eq!(told_of("Hours: \nAddress: null", &["hours", "address"]), None);
    }
}
