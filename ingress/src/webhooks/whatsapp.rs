//! WhatsApp's form (PROVIDERS 1.4 to 1.6).

use chrono::{DateTime, Utc};
use frontdesk_core::inbound::{Alias, AliasKind, Content, CustomerMessage, DeliveryStatus, Happening, Sender};
use serde_json::Value;

use super::read::{Event, Found, id, kind, text, time};

/// One entry: a WABA, which may hold numbers of several shops.
pub(super) fn entry(entry: &Value, found: &mut Found) {
    let account = id(&entry["id"]).unwrap_or_default();
    for change in list(&entry["changes"]) {
        let (field, value) = (kind(&change["field"]).unwrap_or_default(), &change["value"]);
        // The number, not the WABA, tells the shop; updates about the whole account carry none.
        let number = id(&value["metadata"]["phone_number_id"]);
        match (field.as_str(), number) {
            ("messages", Some(number)) => messages(&number, value, found),
            ("smb_message_echoes", Some(number)) => {
                for echo in list(&value["message_echoes"]) {
                    business_echo(&number, echo, found);
                }
            }
            (field, number) => {
                found.other(&number.unwrap_or_else(|| account.clone()), if field.is_empty() { "change" } else { field }, None, None, change)
            }
        }
    }
}

fn messages(number: &str, value: &Value, found: &mut Found) {
    for message in list(&value["messages"]) {
        self::message(number, &value["contacts"], message, found);
    }
    for status in list(&value["statuses"]) {
        self::status(number, status, found);
    }
    for error in list(&value["errors"]) {
        found.other(number, "error", None, None, error);
    }
}

fn message(number: &str, contacts: &Value, message: &Value, found: &mut Found) {
    let kind = kind(&message["type"]).unwrap_or_else(|| "message".to_owned());
    let at = time(&message["timestamp"], found.received_at);
    let customer = sender(contacts, message);
    if id(&message["group_id"]).is_some() {
        return found.other(number, "group", customer, at, message);
    }
    let (Some(message_id), Some(sender)) = (id(&message["id"]), customer.clone()) else {
        return found.other(number, &kind, customer, at, message);
    };
    let what = match kind.as_str() {
        "reaction" => match id(&message["reaction"]["message_id"]) {
            Some(target) => Happening::Reaction { message_id: target, emoji: text(&message["reaction"]["emoji"]) },
            None => return found.other(number, "reaction", customer, at, message),
        },
        "revoke" => match id(&message["revoke"]["original_message_id"]) {
            Some(target) => Happening::Deleted { message_id: target },
            None => return found.other(number, "revoke", customer, at, message),
        },
        "system" => return system(number, message, sender, at, found),
        // The chat was opened, nothing was said.
        "request_welcome" => return found.other(number, &kind, customer, at, message),
        // The corrected text is what the customer now says: a message of its own that quotes the first.
        "edit" => Happening::Message(CustomerMessage {
            message_id: message_id.clone(),
            content: content(&message["edit"]["message"]),
            reply_to: id(&message["edit"]["original_message_id"]),
        }),
        _ => Happening::Message(CustomerMessage {
            message_id: message_id.clone(),
            content: content(message),
            reply_to: id(&message["context"]["id"]),
        }),
    };
    found.push(Event { channel: number, key: &["message", &message_id], occurred_at: at, customer, what, raw: message });
}

/// What a message holds: `type` decides, whatever else lies beside it.
fn content(message: &Value) -> Content {
    let kind = kind(&message["type"]).unwrap_or_else(|| "message".to_owned());
    let body = &message[kind.as_str()];
    let unreadable = |kind: &str| Content::Unreadable { kind: kind.to_owned() };
    match kind.as_str() {
        "text" => text(&body["body"]).map_or_else(|| unreadable("text"), |text| Content::Text { text }),
        "button" => button(&body["payload"], &body["text"]).unwrap_or_else(|| unreadable("button")),
        "interactive" => match body["type"].as_str() {
            Some(reply @ ("button_reply" | "list_reply")) => {
                button(&body[reply]["id"], &body[reply]["title"]).unwrap_or_else(|| unreadable(reply))
            }
            Some("nfm_reply") => unreadable("nfm_reply"),
            _ => unreadable("interactive"),
        },
        "image" | "video" | "document" | "sticker" | "audio" => Content::Media {
            kind: if body["voice"].as_bool() == Some(true) { "voice".to_owned() } else { kind },
            reference: id(&body["id"]),
            mime_type: text(&body["mime_type"]),
            caption: text(&body["caption"]),
            sha256: text(&body["sha256"]),
            file_name: text(&body["filename"]),
            others: Vec::new(),
        },
        "location" => match (coordinate(&body["latitude"]), coordinate(&body["longitude"])) {
            (Some(latitude), Some(longitude)) => Content::Location { latitude, longitude, name: text(&body["name"]) },
            _ => unreadable("location"),
        },
        "unsupported" | "unknown" => unreadable(
            body["type"].as_str().filter(|kind| !kind.is_empty()).map_or("unsupported", |kind| &kind[..kind.floor_char_boundary(64)]),
        ),
        other => unreadable(other),
    }
}

/// A tap; what was seen stands in for a payload that is missing, and the other way round.
pub(super) fn button(payload: &Value, title: &Value) -> Option<Content> {
    let (payload, title) = (text(payload), text(title));
    let seen = title.clone().or_else(|| payload.clone())?;
    Some(Content::Button { payload: payload.or(title)?, title: seen })
}

/// Degrees, as a number or as text.
pub(super) fn coordinate(value: &Value) -> Option<String> {
    let degrees = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (degrees.abs() <= 180.0).then(|| degrees.to_string())
}

/// A customer changed number or id: recorded with the old and the new one, so that both lead to the same person.
fn system(number: &str, message: &Value, mut sender: Sender, at: Option<DateTime<Utc>>, found: &mut Found) {
    let what = &message["system"];
    let kind = kind(&what["type"]).unwrap_or_else(|| "system".to_owned());
    add(&mut sender.aliases, &what["wa_id"]);
    add(&mut sender.aliases, &what["user_id"]);
    sort(&mut sender.aliases);
    found.other(number, &kind, Some(sender), at, message);
}

fn status(number: &str, status: &Value, found: &mut Found) {
    let at = time(&status["timestamp"], found.received_at);
    let group = status["recipient_type"].as_str() == Some("group");
    let customer =
        if group { None } else { aliases(&[&status["recipient_id"], &status["recipient_user_id"], &status["recipient_parent_user_id"]]) };
    let (Some(message_id), Some(state)) = (id(&status["id"]), kind(&status["status"])) else {
        return found.other(number, "status", customer, at, status);
    };
    let participant = id(&status["recipient_participant_id"]).unwrap_or_default();
    let what = Happening::Status(DeliveryStatus {
        message_id: message_id.clone(),
        status: state.clone(),
        callback_data: text(&status["biz_opaque_callback_data"]),
        error_code: list(&status["errors"]).iter().find_map(|error| error["code"].as_i64()),
    });
    found.push(Event {
        channel: number,
        key: &["status", &message_id, &state, &participant],
        occurred_at: at,
        customer,
        what,
        raw: status,
    });
}

/// A person at the shop answered from the business app.
fn business_echo(number: &str, echo: &Value, found: &mut Found) {
    let at = time(&echo["timestamp"], found.received_at);
    let customer = aliases(&[&echo["to"], &echo["to_user_id"], &echo["to_parent_user_id"]]);
    let Some(message_id) = id(&echo["id"]) else {
        return found.other(number, "smb_message_echoes", customer, at, echo);
    };
    let text = content(echo).text().map(str::to_owned);
    let what = Happening::Echo { message_id: message_id.clone(), app_id: None, metadata: None, text };
    found.push(Event { channel: number, key: &["echo", &message_id], occurred_at: at, customer, what, raw: echo });
}

/// Who wrote, by every id that the message and its contact carry. Contacts are matched by id: their order says nothing.
fn sender(contacts: &Value, message: &Value) -> Option<Sender> {
    let own = [&message["from"], &message["from_user_id"], &message["from_parent_user_id"]];
    let mut sender = aliases(&own)?;
    let contact = list(contacts).iter().find(|contact| {
        let theirs = aliases(&[&contact["wa_id"], &contact["user_id"]]);
        theirs.is_some_and(|theirs| theirs.aliases.iter().any(|alias| sender.aliases.contains(alias)))
    });
    if let Some(contact) = contact {
        for value in [&contact["wa_id"], &contact["user_id"], &contact["parent_user_id"]] {
            add(&mut sender.aliases, value);
        }
        sort(&mut sender.aliases);
        sender.name = text(&contact["profile"]["name"]);
        sender.username = text(&contact["profile"]["username"]).map(|name| name.trim_start_matches('@').to_owned());
    }
    Some(sender)
}

fn aliases(values: &[&Value]) -> Option<Sender> {
    let mut aliases = Vec::new();
    for value in values {
        add(&mut aliases, value);
    }
    sort(&mut aliases);
    (!aliases.is_empty()).then_some(Sender { aliases, name: None, username: None })
}

/// Adds an id under the kind it has, wherever it stood: business-scoped ids have been seen in `from` and `wa_id` (PROVIDERS 1.5).
fn add(aliases: &mut Vec<Alias>, value: &Value) {
    let Some(value) = id(value) else { return };
    let digits: String = value.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')')).collect();
    let alias = if (5..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Alias { kind: AliasKind::Phone, value: digits }
    } else if value.get(2..7) == Some(".ENT.") {
        Alias { kind: AliasKind::ParentUserId, value }
    } else {
        Alias { kind: AliasKind::UserId, value }
    };
    if !aliases.contains(&alias) {
        aliases.push(alias);
    }
}

/// Best first: the phone number, by which the shop knows its customers too.
fn sort(aliases: &mut [Alias]) {
    aliases.sort_by_key(|alias| match alias.kind {
        AliasKind::Phone => 0,
        AliasKind::UserId => 1,
        AliasKind::ParentUserId => 2,
        AliasKind::ScopedId => 3,
    });
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
