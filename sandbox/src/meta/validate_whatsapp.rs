//! Checks a WhatsApp send as Meta does (PROVIDERS 2.1).

use serde_json::Value;

use super::errors::MetaError;
use super::templates;
use super::validate::{Message, chars_within, required_text};
use crate::book::{Button, text_of};
use crate::customers::{digits, is_bsuid};

/// Whom a message is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// Phone digits, and the country code that had to be put before them.
    Phone(String),
    /// Business-scoped user id.
    Bsuid(String),
}

/// A WhatsApp call that is well formed.
#[derive(Debug)]
pub(crate) enum WhatsappCall {
    Read { message_id: String, typing: bool },
    Message { recipient: Recipient, input: String, message: Message, template: bool },
}

pub(crate) fn whatsapp_call(body: &Value, country_code: &str) -> Result<WhatsappCall, MetaError> {
    match body.get("messaging_product").and_then(Value::as_str) {
        Some("whatsapp") => {}
        Some(_) => {
            return Err(MetaError::parameter("Param messaging_product must be one of {WHATSAPP} - got a different value."));
        }
        None => return Err(MetaError::parameter("The parameter messaging_product is required.")),
    }
    if let Some(status) = body.get("status") {
        return mark_read(body, status);
    }
    let (recipient, input) = recipient(body, country_code)?;
    if body.get("recipient_type").is_some_and(|t| t != "individual") {
        return Err(MetaError::parameter("Param recipient_type must be one of {INDIVIDUAL}."));
    }
    let callback_data = match body.get("biz_opaque_callback_data") {
        None => None,
        Some(Value::String(data)) => {
            chars_within(data, 512, "biz_opaque_callback_data")?;
            Some(data.clone())
        }
        Some(_) => return Err(MetaError::parameter("Param biz_opaque_callback_data must be a string.")),
    };
    let kind = body.get("type").map_or(Some("text"), Value::as_str).unwrap_or_default();
    let mut message = match kind {
        "text" => {
            let text = required_text(body, "/text/body", "text['body']")?;
            chars_within(&text, 4096, "text['body']")?;
            Message::new("text", Some(text))
        }
        "interactive" => interactive(body)?,
        "template" => Message::new("template", Some(templates::render(body)?)),
        "image" | "audio" | "video" | "document" | "sticker" => media(body, kind)?,
        "reaction" => {
            required_text(body, "/reaction/message_id", "reaction['message_id']")?;
            Message::new("reaction", text_of(body, "/reaction/emoji"))
        }
        "location" => {
            let number = |key: &str| body.pointer(&format!("/location/{key}")).is_some_and(Value::is_number);
            if !number("latitude") || !number("longitude") {
                return Err(MetaError::whatsapp(131_008, "location['latitude'] and location['longitude'] are required"));
            }
            Message::new("location", None)
        }
        "contacts" => Message::new("contacts", None),
        other => {
            let known = "{TEXT, AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, TEMPLATE, VIDEO}";
            return Err(MetaError::parameter(format!("Param type must be one of {known} - got \"{other}\".")));
        }
    };
    message.callback_data = callback_data;
    message.about = text_of(body, "/context/message_id");
    Ok(WhatsappCall::Message { recipient, input, message, template: kind == "template" })
}

fn mark_read(body: &Value, status: &Value) -> Result<WhatsappCall, MetaError> {
    if status != "read" {
        return Err(MetaError::parameter("Param status must be one of {READ}."));
    }
    let message_id = required_text(body, "/message_id", "message_id")?;
    let typing = match body.get("typing_indicator") {
        None => false,
        Some(indicator) if indicator.get("type").is_some_and(|t| t == "text") => true,
        Some(_) => return Err(MetaError::parameter("Param typing_indicator['type'] must be one of {TEXT}.")),
    };
    Ok(WhatsappCall::Read { message_id, typing })
}

/// The phone wins when both are given; without `+` Meta puts the business number's country code first.
fn recipient(body: &Value, country_code: &str) -> Result<(Recipient, String), MetaError> {
    match (body.get("to"), body.get("recipient")) {
        (Some(Value::String(to)), _) => {
            let number = digits(to).map_err(|_| MetaError::whatsapp(131_009, "to is not a valid phone number"))?;
            let number = if to.trim_start().starts_with('+') { number } else { format!("{country_code}{number}") };
            Ok((Recipient::Phone(number), to.clone()))
        }
        (None, Some(Value::String(id))) if is_bsuid(id) => Ok((Recipient::Bsuid(id.clone()), id.clone())),
        (None, Some(_)) => Err(MetaError::whatsapp(131_009, "recipient is not a business-scoped user id")),
        (Some(_), _) => Err(MetaError::parameter("Param to must be a string.")),
        (None, None) => Err(MetaError::parameter("The parameter to is required.")),
    }
}

fn media(body: &Value, kind: &str) -> Result<Message, MetaError> {
    let object = body.get(kind).cloned().unwrap_or_default();
    let link = text_of(&object, "/link");
    match (&link, object.get("id")) {
        (Some(link), None) => {
            let ok = url::Url::parse(link).is_ok_and(|u| matches!(u.scheme(), "http" | "https"));
            if !ok {
                return Err(MetaError::parameter(format!("Param {kind}['link'] is not a valid URI.")));
            }
        }
        (None, Some(Value::String(_))) => {}
        _ => return Err(MetaError::parameter(format!("{kind} needs exactly one of id and link."))),
    }
    let caption = text_of(&object, "/caption");
    if let Some(caption) = &caption {
        if matches!(kind, "audio" | "sticker") {
            return Err(MetaError::parameter(format!("{kind} takes no caption.")));
        }
        chars_within(caption, 1024, &format!("{kind}['caption']"))?;
    }
    let mut message = Message::new(kind, caption);
    message.link = link;
    Ok(message)
}

fn interactive(body: &Value) -> Result<Message, MetaError> {
    let object = body.get("interactive").cloned().unwrap_or_default();
    let text = required_text(&object, "/body/text", "interactive['body']['text']")?;
    if let Some(footer) = text_of(&object, "/footer/text") {
        chars_within(&footer, 60, "interactive['footer']['text']")?;
    }
    if let Some(header) = text_of(&object, "/header/text") {
        chars_within(&header, 60, "interactive['header']['text']")?;
    }
    let mut message = Message::new("interactive", Some(text.clone()));
    match object.get("type").and_then(Value::as_str) {
        Some("button") => {
            chars_within(&text, 1024, "interactive['body']['text']")?;
            message.buttons = buttons(&object)?;
        }
        Some("list") => {
            chars_within(&text, 4096, "interactive['body']['text']")?;
            message.buttons = list(&object)?;
        }
        Some("cta_url") => chars_within(&text, 1024, "interactive['body']['text']")?,
        _ => return Err(MetaError::parameter("Param interactive['type'] must be one of {BUTTON, LIST, CTA_URL}.")),
    }
    Ok(message)
}

fn buttons(object: &Value) -> Result<Vec<Button>, MetaError> {
    let list = object.pointer("/action/buttons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !(1..=3).contains(&list.len()) {
        let details = "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3";
        return Err(MetaError::whatsapp(131_009, details));
    }
    let mut buttons: Vec<Button> = Vec::new();
    for button in list {
        if button.get("type").is_none_or(|t| t != "reply") {
            return Err(MetaError::whatsapp(131_009, "Button type must be reply"));
        }
        let id = required_text(button, "/reply/id", "button['reply']['id']")?;
        let title = required_text(button, "/reply/title", "button['reply']['title']")?;
        chars_within(&id, 256, "button['reply']['id']")?;
        if title.chars().count() > 20 {
            return Err(MetaError::whatsapp(131_009, "Button title length invalid. Min length: 1, Max length: 20"));
        }
        if buttons.iter().any(|b| b.title == title) {
            return Err(MetaError::whatsapp(131_009, "Duplicate button titles are not allowed"));
        }
        if buttons.iter().any(|b| b.id == id) {
            return Err(MetaError::whatsapp(131_009, "Duplicate button ids are not allowed"));
        }
        buttons.push(Button { id, title });
    }
    Ok(buttons)
}

fn list(object: &Value) -> Result<Vec<Button>, MetaError> {
    let label = required_text(object, "/action/button", "interactive['action']['button']")?;
    chars_within(&label, 20, "interactive['action']['button']")?;
    let sections = object.pointer("/action/sections").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !(1..=10).contains(&sections.len()) {
        return Err(MetaError::whatsapp(131_009, "A list message has 1 to 10 sections"));
    }
    let mut rows: Vec<Button> = Vec::new();
    for section in sections {
        match text_of(section, "/title") {
            Some(title) => chars_within(&title, 24, "section['title']")?,
            None if sections.len() > 1 => {
                return Err(MetaError::whatsapp(131_008, "section['title'] is required with more than one section"));
            }
            None => {}
        }
        for row in section.get("rows").and_then(Value::as_array).map_or(&[][..], Vec::as_slice) {
            let id = required_text(row, "/id", "row['id']")?;
            let title = required_text(row, "/title", "row['title']")?;
            chars_within(&id, 200, "row['id']")?;
            chars_within(&title, 24, "row['title']")?;
            if let Some(description) = text_of(row, "/description") {
                chars_within(&description, 72, "row['description']")?;
            }
            if rows.iter().any(|r| r.id == id) {
                return Err(MetaError::whatsapp(131_009, "Duplicate row ids are not allowed"));
            }
            rows.push(Button { id, title });
        }
    }
    if !(1..=10).contains(&rows.len()) {
        let details = format!("Total row count exceed max allowed count: 10 - got {}", rows.len());
        return Err(MetaError::whatsapp(131_009, details));
    }
    Ok(rows)
}
