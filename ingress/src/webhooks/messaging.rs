//! Messenger's and Instagram's form (PROVIDERS 1.4 and 1.7).

use chrono::{DateTime, Utc};
use frontdesk_core::inbound::{Attached, Content, CustomerMessage, Happening, Sender};
use serde_json::Value;

use super::read::{Event, Found, id, kind, scoped, text, time};
use super::whatsapp::{button, coordinate, list};

/// Files of one message beside the first (PROVIDERS 2.3: up to ten in all).
const MOST_ATTACHMENTS: usize = 9;

/// One entry: a page or an Instagram account.
pub(super) fn entry(entry: &Value, found: &mut Found) {
    let account = id(&entry["id"]).unwrap_or_default();
    for item in list(&entry["messaging"]) {
        self::item(&account, item, found);
    }
    for item in list(&entry["standby"]) {
        // Another app owns the thread: stay silent.
        let customer = scoped(&item["sender"]["id"]).filter(|_| id(&item["sender"]["id"]).as_deref() != Some(&account));
        found.other(&account, "standby", customer, time(&item["timestamp"], found.received_at), item);
    }
    for change in list(&entry["changes"]) {
        // The test button's form, and updates about the account: nobody's message (PROVIDERS 1.4).
        let field = kind(&change["field"]).unwrap_or_else(|| "change".to_owned());
        found.other(&account, &field, None, time(&change["value"]["timestamp"], found.received_at), change);
    }
}

fn item(account: &str, item: &Value, found: &mut Found) {
    let (from, to) = (&item["sender"]["id"], &item["recipient"]["id"]);
    let echo = item["message"]["is_echo"].as_bool() == Some(true);
    let own = if echo { from } else { to };
    if account.is_empty() || id(own).as_deref() != Some(account) {
        return found.dropped();
    }
    let at = time(&item["timestamp"], found.received_at);
    let customer = scoped(if echo { to } else { from });
    let here = Here { account, item, at, customer };
    let Some(sender) = here.customer.clone().map(|sender| sender.aliases.first().map(|alias| alias.value.clone()).unwrap_or_default())
    else {
        return here.other(found, event_name(item));
    };
    let message = &item["message"];
    if message.is_object() {
        self::message(here, message, echo, found);
    } else if item["postback"].is_object() {
        postback(here, &sender, found);
    } else if item["reaction"].is_object() {
        reaction(here, &sender, found);
    } else if item["read"].is_object() {
        receipt(here, "read", &sender, found);
    } else if item["delivery"].is_object() {
        receipt(here, "delivery", &sender, found);
    } else {
        here.other(found, event_name(item));
    }
}

/// The item at hand.
struct Here<'a> {
    account: &'a str,
    item: &'a Value,
    at: Option<DateTime<Utc>>,
    customer: Option<Sender>,
}

impl Here<'_> {
    fn push(self, found: &mut Found, key: &[&str], what: Happening) {
        found.push(Event { channel: self.account, key, occurred_at: self.at, customer: self.customer, what, raw: self.item });
    }

    fn other(self, found: &mut Found, kind: &str) {
        found.other(self.account, kind, self.customer, self.at, self.item);
    }
}

fn message(here: Here<'_>, message: &Value, echo: bool, found: &mut Found) {
    let Some(mid) = id(&message["mid"]) else { return here.other(found, "message") };
    if echo {
        let (app_id, metadata) = (id(&message["app_id"]), text(&message["metadata"]));
        let what = Happening::Echo { message_id: mid.clone(), app_id, metadata, text: text(&message["text"]) };
        return here.push(found, &["echo", &mid], what);
    }
    if message["is_deleted"].as_bool() == Some(true) {
        return here.push(found, &["deleted", &mid], Happening::Deleted { message_id: mid.clone() });
    }
    let message_id = mid.clone();
    let what = Happening::Message(CustomerMessage { message_id, content: content(message), reply_to: id(&message["reply_to"]["mid"]) });
    here.push(found, &["message", &mid], what);
}

fn content(message: &Value) -> Content {
    let unreadable = |kind: &str| Content::Unreadable { kind: kind.to_owned() };
    if message["is_unsupported"].as_bool() == Some(true) {
        return unreadable("unsupported");
    }
    if let Some(tap) = Some(&message["quick_reply"]).filter(|tap| tap.is_object()).and_then(|tap| button(&tap["payload"], &message["text"]))
    {
        return tap;
    }
    let words = text(&message["text"]);
    let attachments = list(&message["attachments"]);
    let Some(attachment) = attachments.first() else {
        return words.map_or_else(|| unreadable("message"), |text| Content::Text { text });
    };
    let (kind, payload) = (kind(&attachment["type"]).unwrap_or_else(|| "attachment".to_owned()), &attachment["payload"]);
    let sticker = id(&payload["sticker_id"]).is_some();
    let media = |kind: &str| Content::Media {
        kind: kind.to_owned(),
        reference: text(&payload["url"]),
        mime_type: None,
        caption: words.clone(),
        sha256: None,
        file_name: None,
        others: attachments.iter().skip(1).take(MOST_ATTACHMENTS).filter_map(another).collect(),
    };
    match kind.as_str() {
        "image" if sticker => media("sticker"),
        "sticker" | "like_heart" => media("sticker"),
        "file" => media("document"),
        "image" | "video" | "audio" => media(&kind),
        "location" => {
            let place = &payload["coordinates"];
            match (coordinate(&place["lat"]), coordinate(&place["long"])) {
                (Some(latitude), Some(longitude)) => Content::Location { latitude, longitude, name: text(&attachment["title"]) },
                _ => unreadable("location"),
            }
        }
        // A link or a shared post beside words: the words count.
        _ => words.map_or_else(|| unreadable(&kind), |text| Content::Text { text }),
    }
}

/// A further attachment, if it is a file.
fn another(attachment: &Value) -> Option<Attached> {
    let kind = match attachment["type"].as_str()? {
        "file" => "document",
        known @ ("image" | "video" | "audio" | "sticker") => known,
        _ => return None,
    };
    let reference = Some(text(&attachment["payload"]["url"])?);
    Some(Attached { kind: kind.to_owned(), reference, mime_type: None, sha256: None, file_name: None })
}

fn postback(here: Here<'_>, sender: &str, found: &mut Found) {
    let postback = &here.item["postback"];
    let Some(content) = button(&postback["payload"], &postback["title"]) else { return here.other(found, "postback") };
    let Content::Button { payload, .. } = &content else { return here.other(found, "postback") };
    let payload = payload.clone();
    let stamp = here.item["timestamp"].to_string();
    let mid = id(&postback["mid"]);
    let key: Vec<&str> = match &mid {
        Some(mid) => vec!["postback", mid],
        None => vec!["postback", sender, &stamp, &payload],
    };
    // Without an id of Meta's the tap still needs one, the same whenever it is delivered again.
    let message_id = mid.clone().unwrap_or_else(|| super::read::made_id(&key));
    here.push(found, &key, Happening::Message(CustomerMessage { message_id, content, reply_to: None }));
}

fn reaction(here: Here<'_>, sender: &str, found: &mut Found) {
    let reaction = &here.item["reaction"];
    let Some(mid) = id(&reaction["mid"]) else { return here.other(found, "reaction") };
    let action = kind(&reaction["action"]).unwrap_or_default();
    let emoji = text(&reaction["emoji"]).or_else(|| text(&reaction["reaction"])).filter(|_| action != "unreact");
    let stamp = here.item["timestamp"].to_string();
    here.push(found, &["reaction", &mid, sender, &action, &stamp], Happening::Reaction { message_id: mid.clone(), emoji });
}

fn receipt(here: Here<'_>, name: &str, sender: &str, found: &mut Found) {
    let receipt = &here.item[name];
    let mut message_ids: Vec<String> = list(&receipt["mids"]).iter().filter_map(id).collect();
    message_ids.extend(id(&receipt["mid"]));
    let watermark_ms = match &receipt["watermark"] {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_i64(),
    }
    .map(|mark: i64| if mark < 1_000_000_000_000 { mark.saturating_mul(1000) } else { mark });
    if message_ids.is_empty() && watermark_ms.is_none() {
        return here.other(found, name);
    }
    let (ids, mark) = (message_ids.join(","), watermark_ms.unwrap_or_default().to_string());
    let what = Happening::Receipt { read: name == "read", message_ids, watermark_ms };
    here.push(found, &[name, sender, &mark, &ids], what);
}

/// The key beside sender, recipient and timestamp names what happened.
fn event_name(item: &Value) -> &str {
    let known = ["sender", "recipient", "timestamp"];
    let name = item.as_object().and_then(|fields| fields.keys().find(|name| !known.contains(&name.as_str())));
    name.map_or("messaging", |name| &name[..name.floor_char_boundary(64)])
}
