//! The message templates that are approved for every WhatsApp number here, and what is wrong with a call that uses one (PROVIDERS 3).

use serde_json::Value;

use super::errors::MetaError;
use super::validate::required_text;

/// Name, language, and the body with its placeholders.
const APPROVED: &[(&str, &str, &str)] = &[
    ("reminder", "en_US", "We look forward to seeing you."),
    ("order_ready", "en", "Hello {{1}}, your order {{2}} is ready."),
    ("order_ready", "de", "Hallo {{1}}, Ihre Bestellung {{2}} ist fertig."),
    ("appointment_reminder", "en", "Hello {{1}}, this is to remind you of {{2}} on {{3}} at {{4}}. Do you come?"),
    ("appointment_reminder", "de", "Hallo {{1}}, wir erinnern an {{2}} am {{3}} um {{4}} Uhr. Kommen Sie?"),
    ("appointment_reminder", "fr", "Bonjour {{1}}, nous vous rappelons {{2}} le {{3}} à {{4}}. Venez-vous ?"),
    ("frontdesk_staff_notice", "en", "{{1}}"),
];

/// What the customer reads.
pub(crate) fn render(body: &Value) -> Result<String, MetaError> {
    let name = required_text(body, "/template/name", "template['name']")?;
    let language = required_text(body, "/template/language/code", "template['language']['code']")?;
    let Some((_, _, text)) = APPROVED.iter().find(|(known, code, _)| *known == name && *code == language) else {
        return Err(MetaError::whatsapp(132_001, format!("template name ({name}) does not exist in {language}")));
    };
    let components = body.pointer("/template/components").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let of_body = components.iter().find(|component| component.get("type").is_some_and(|kind| kind == "body"));
    let parameters = of_body.and_then(|component| component.get("parameters")?.as_array()).map_or(&[][..], Vec::as_slice);
    let expected = text.matches("{{").count();
    if parameters.len() != expected {
        let details =
            format!("body: number of localizable_params ({}) does not match the expected number of params ({expected})", parameters.len());
        return Err(MetaError::whatsapp(132_000, details));
    }
    let mut text = (*text).to_owned();
    for (at, parameter) in parameters.iter().enumerate() {
        let value = required_text(parameter, "/text", "parameter['text']")?;
        text = text.replace(&format!("{{{{{}}}}}", at + 1), &value);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(template: Value) -> i64 {
        render(&json!({ "template": template })).unwrap_err().code
    }

    #[test]
    fn a_template_is_approved_by_name_and_language_and_wants_its_values() {
        let body = |texts: &[&str]| {
            let parameters: Vec<Value> = texts.iter().map(|text| json!({ "type": "text", "text": text })).collect();
            json!({ "name": "order_ready", "language": { "code": "de" }, "components": [{ "type": "body", "parameters": parameters }] })
        };
        assert_eq!(render(&json!({ "template": body(&["Kim", "1001"]) })).unwrap(), "Hallo Kim, Ihre Bestellung 1001 ist fertig.");
        assert_eq!(code(body(&["Kim"])), 132_000);
        assert_eq!(code(json!({ "name": "order_ready", "language": { "code": "fr" } })), 132_001);
        assert_eq!(code(json!({ "name": "other", "language": { "code": "de" } })), 132_001);
        assert_eq!(code(json!({ "language": { "code": "de" } })), 100);
    }
}
