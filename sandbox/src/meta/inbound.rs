//! What customers and people at the shop send, as the webhook items Meta makes of it (PROVIDERS 1.5-1.7).

use std::sync::Arc;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::media;
use super::webhooks::Update;
use crate::accounts::{Account, Platform};
use crate::book::{Author, Change, ConversationId, Entry};
use crate::customers::{Customer, Identity};
use crate::ids::{self, Direction};
use crate::state::State;

/// Longest text a customer may send, characters.
const MAX_TEXT: usize = 65_536;
/// `app_id` of answers typed in the Page inbox.
const PAGE_INBOX_APP: u64 = 26_390_203_743_090;

/// What a customer sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum Inbound {
    /// Words.
    Text {
        /// What it says.
        text: String,
        /// The id of the message it answers.
        #[serde(default)]
        reply_to: Option<String>,
    },
    /// A tap on a reply button (WhatsApp) or quick reply (Messenger, Instagram).
    Button {
        /// The button's id or payload.
        id: String,
        /// What the button says.
        title: String,
        /// The message the button was under.
        #[serde(default)]
        reply_to: Option<String>,
    },
    /// A choice from a list message (WhatsApp).
    ListChoice {
        /// The row's id.
        id: String,
        /// The row's title.
        title: String,
    },
    /// A tap on a template's or persistent menu's button (Messenger, Instagram).
    Postback {
        /// The button's title.
        title: String,
        /// Its payload.
        payload: String,
    },
    /// A picture.
    Image {
        /// Words under it (WhatsApp).
        #[serde(default)]
        caption: Option<String>,
    },
    /// A voice note.
    Audio,
    /// A film.
    Video,
    /// A file.
    Document,
    /// A sticker.
    Sticker,
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// An emoji put on a message; empty takes it away.
    Reaction {
        /// The message it is on.
        message_id: String,
        /// The emoji.
        emoji: String,
    },
    /// Something Meta cannot pass on.
    Unsupported,
    /// The customer took a message back.
    Deleted {
        /// The message.
        message_id: String,
    },
    /// Anything else: merged over the common keys of the webhook's message (WhatsApp) or item.
    Raw {
        /// The keys.
        value: Map<String, Value>,
    },
}

impl Inbound {
    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), reply_to: None }
    }
}

/// A customer's message, ready to be delivered.
pub(crate) struct Prepared {
    pub(crate) message_id: String,
    pub(crate) update: Update,
}

/// Notes a customer's message in the chat and makes its webhook item.
pub(crate) fn prepare(state: &Arc<State>, account: &str, customer: &Customer, message: &Inbound) -> anyhow::Result<Prepared> {
    let account = state.account(account).context("no such account")?;
    check(message)?;
    let (conversation, who) = state.book.open(&account, customer)?;
    let at_ms = state.wire_ms();
    let message_id = ids::message_id(account.platform, &who.key, Direction::ToShop);
    let item = match account.platform {
        Platform::Whatsapp => whatsapp(state, &account, &who, &message_id, at_ms, message)?,
        Platform::Messenger | Platform::Instagram => messaging(state, &account, &who, &message_id, at_ms, message)?,
    };
    let entry = entry(&message_id, at_ms, message);
    let opens_window = !matches!(message, Inbound::Deleted { .. });
    state.take_number_slot(&account.id, at_ms);
    state.book.customer_wrote(&conversation, entry.clone(), opens_window);
    state.tell(&conversation, || Change::Entry { entry: Box::new(entry) });
    Ok(Prepared { message_id, update: Update { account, item } })
}

fn check(message: &Inbound) -> anyhow::Result<()> {
    let words = match message {
        Inbound::Text { text, .. } => {
            if text.is_empty() {
                bail!("a text message needs a text");
            }
            text.chars().count()
        }
        Inbound::Button { id, title, .. } | Inbound::ListChoice { id, title } => id.len() + title.len(),
        Inbound::Postback { title, payload } => title.len() + payload.len(),
        Inbound::Image { caption } => caption.as_deref().map_or(0, str::len),
        _ => 0,
    };
    if words > MAX_TEXT {
        bail!("the message is longer than {MAX_TEXT}");
    }
    Ok(())
}

fn entry(id: &str, at_ms: i64, message: &Inbound) -> Entry {
    let (kind, text, about) = match message {
        Inbound::Text { text, reply_to } => ("text", Some(text.clone()), reply_to.clone()),
        Inbound::Button { title, reply_to, .. } => ("button", Some(title.clone()), reply_to.clone()),
        Inbound::ListChoice { title, .. } => ("button", Some(title.clone()), None),
        Inbound::Postback { title, .. } => ("button", Some(title.clone()), None),
        Inbound::Image { caption } => ("image", caption.clone(), None),
        Inbound::Audio => ("audio", None, None),
        Inbound::Video => ("video", None, None),
        Inbound::Document => ("document", None, None),
        Inbound::Sticker => ("sticker", None, None),
        Inbound::Location { latitude, longitude } => ("location", Some(format!("{latitude}, {longitude}")), None),
        Inbound::Reaction { message_id, emoji } => ("reaction", Some(emoji.clone()), Some(message_id.clone())),
        Inbound::Unsupported => ("unsupported", None, None),
        Inbound::Deleted { message_id } => ("deleted", None, Some(message_id.clone())),
        Inbound::Raw { .. } => ("raw", None, None),
    };
    Entry {
        at_ms,
        id: id.to_owned(),
        author: Author::Customer,
        kind: kind.to_owned(),
        text,
        link: None,
        buttons: Vec::new(),
        receipt: None,
        answered_after_ms: None,
        about,
    }
}

/// `value.contacts[0]` for this customer.
pub(crate) fn contact(who: &Identity) -> Value {
    let mut contact = json!({ "profile": { "name": who.name } });
    if let Some(username) = &who.username {
        contact["profile"]["username"] = username.clone().into();
    }
    if let Some(phone) = &who.phone {
        contact["wa_id"] = phone.clone().into();
    }
    if let Some(bsuid) = &who.bsuid {
        contact["user_id"] = bsuid.clone().into();
    }
    contact
}

/// A WhatsApp `changes` element; `content` goes into `value` beside the metadata.
pub(crate) fn change(account: &Account, field: &str, content: Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.display_phone,
            "phone_number_id": account.id,
        },
    });
    if let (Some(value), Value::Object(content)) = (value.as_object_mut(), content) {
        value.extend(content);
    }
    json!({ "value": value, "field": field })
}

fn whatsapp(state: &State, account: &Account, who: &Identity, id: &str, at_ms: i64, message: &Inbound) -> anyhow::Result<Value> {
    let shop_phone = account.display_phone.as_deref();
    let file = |kind: &str| media::attach(state, kind);
    let (kind, content) = match message {
        Inbound::Text { text, .. } => ("text", json!({ "body": text })),
        Inbound::Button { id, title, .. } => {
            ("interactive", json!({ "type": "button_reply", "button_reply": { "id": id, "title": title } }))
        }
        Inbound::ListChoice { id, title } => ("interactive", json!({ "type": "list_reply", "list_reply": { "id": id, "title": title } })),
        Inbound::Image { caption } => {
            let mut image = file("image");
            if let Some(caption) = caption {
                image["caption"] = caption.clone().into();
            }
            ("image", image)
        }
        Inbound::Audio => {
            let mut audio = file("audio");
            audio["voice"] = true.into();
            ("audio", audio)
        }
        Inbound::Video => ("video", file("video")),
        Inbound::Document => {
            let mut document = file("document");
            document["filename"] = "note.pdf".into();
            ("document", document)
        }
        Inbound::Sticker => {
            let mut sticker = file("sticker");
            sticker["animated"] = false.into();
            ("sticker", sticker)
        }
        Inbound::Location { latitude, longitude } => ("location", json!({ "latitude": latitude, "longitude": longitude })),
        Inbound::Reaction { message_id, emoji } => ("reaction", json!({ "message_id": message_id, "emoji": emoji })),
        Inbound::Unsupported => ("unsupported", json!({ "type": "poll" })),
        Inbound::Deleted { message_id } => ("revoke", json!({ "original_message_id": message_id })),
        Inbound::Raw { .. } => ("unknown", Value::Null),
        Inbound::Postback { .. } => bail!("WhatsApp has no postbacks; send a button"),
    };
    let mut item = json!({ "id": id, "timestamp": (at_ms / 1000).to_string(), "type": kind });
    if let Some(phone) = &who.phone {
        item["from"] = phone.clone().into();
    }
    if let Some(bsuid) = &who.bsuid {
        item["from_user_id"] = bsuid.clone().into();
    }
    match message {
        Inbound::Raw { value } => merge(&mut item, value),
        _ => item[kind] = content,
    }
    match message {
        Inbound::Text { reply_to: Some(about), .. } | Inbound::Button { reply_to: Some(about), .. } => {
            item["context"] = json!({ "from": shop_phone, "id": about });
        }
        Inbound::Unsupported => {
            item["errors"] = json!([{
                "code": 131_051,
                "title": "Message type unknown",
                "message": "Message type unknown",
                "error_data": { "details": "Message type is currently not supported." },
            }]);
        }
        _ => {}
    }
    Ok(change(account, "messages", json!({ "contacts": [contact(who)], "messages": [item] })))
}

fn messaging(state: &State, account: &Account, who: &Identity, id: &str, at_ms: i64, message: &Inbound) -> anyhow::Result<Value> {
    let instagram = account.platform == Platform::Instagram;
    let attachment = |kind: &str| {
        let url = media::public_link(state, kind);
        json!({ "mid": id, "attachments": [{ "type": kind, "payload": { "url": url } }] })
    };
    let (key, content) = match message {
        Inbound::Text { text, reply_to } => {
            let mut content = json!({ "mid": id, "text": text });
            if let Some(about) = reply_to {
                content["reply_to"] = json!({ "mid": about });
                if !instagram {
                    content["reply_to"]["is_self_reply"] = false.into();
                }
            }
            ("message", content)
        }
        Inbound::Button { id: payload, title, .. } => {
            ("message", json!({ "mid": id, "text": title, "quick_reply": { "payload": payload } }))
        }
        Inbound::Postback { title, payload } => ("postback", json!({ "mid": id, "title": title, "payload": payload })),
        Inbound::Image { .. } => ("message", attachment("image")),
        Inbound::Audio => ("message", attachment("audio")),
        Inbound::Video => ("message", attachment("video")),
        Inbound::Document => ("message", attachment("file")),
        Inbound::Sticker if instagram => ("message", json!({ "mid": id, "attachments": [{ "type": "like_heart" }] })),
        Inbound::Sticker => {
            let mut content = attachment("sticker");
            content["attachments"][0]["payload"]["sticker_id"] = json!(369_239_263_222_822_u64);
            ("message", content)
        }
        Inbound::Location { .. } if instagram => ("message", json!({ "mid": id, "is_unsupported": true })),
        Inbound::Location { latitude, longitude } => (
            "message",
            json!({ "mid": id, "attachments": [{
                "type": "location",
                "payload": { "coordinates": { "lat": latitude, "long": longitude } },
            }] }),
        ),
        Inbound::Reaction { message_id, emoji } if emoji.is_empty() => ("reaction", json!({ "mid": message_id, "action": "unreact" })),
        Inbound::Reaction { message_id, emoji } => {
            ("reaction", json!({ "mid": message_id, "action": "react", "reaction": "other", "emoji": emoji }))
        }
        Inbound::Unsupported if instagram => ("message", json!({ "mid": id, "is_unsupported": true })),
        Inbound::Unsupported => ("message", json!({ "mid": id, "attachments": [{ "type": "fallback", "payload": null }] })),
        Inbound::Deleted { message_id } if instagram => ("message", json!({ "mid": message_id, "is_deleted": true })),
        Inbound::Raw { .. } => ("message", Value::Null),
        Inbound::Deleted { .. } => bail!("Messenger does not report deleted messages"),
        Inbound::ListChoice { .. } => bail!("only WhatsApp has list messages"),
    };
    let mut item = json!({
        "sender": { "id": who.key },
        "recipient": { "id": account.id },
        "timestamp": at_ms,
    });
    match message {
        Inbound::Raw { value } => merge(&mut item, value),
        _ => item[key] = content,
    }
    Ok(item)
}

fn merge(item: &mut Value, over: &Map<String, Value>) {
    if let Some(item) = item.as_object_mut() {
        item.extend(over.clone());
    }
}

/// A person at the shop answered by hand: gives the message's id and its echo.
pub(crate) fn human_echo(
    state: &State,
    account: &Arc<Account>,
    conversation: &ConversationId,
    text: &str,
) -> anyhow::Result<(String, Update)> {
    let who = state.book.identity(conversation).context("no such customer")?;
    let message_id = ids::message_id(account.platform, &who.key, Direction::ToCustomer);
    let at_ms = state.wire_ms();
    let item = match account.platform {
        Platform::Whatsapp => {
            let mut echo = json!({
                "from": account.display_phone,
                "id": message_id,
                "timestamp": (at_ms / 1000).to_string(),
                "type": "text",
                "text": { "body": text },
            });
            if let Some(phone) = &who.phone {
                echo["to"] = phone.clone().into();
            }
            if let Some(bsuid) = &who.bsuid {
                echo["to_user_id"] = bsuid.clone().into();
            }
            change(account, "smb_message_echoes", json!({ "message_echoes": [echo] }))
        }
        Platform::Messenger | Platform::Instagram => {
            let mut message = json!({ "mid": message_id, "text": text, "is_echo": true });
            if account.platform == Platform::Messenger {
                message["app_id"] = PAGE_INBOX_APP.into();
            }
            json!({
                "sender": { "id": account.id },
                "recipient": { "id": who.key },
                "timestamp": at_ms,
                "message": message,
            })
        }
    };
    Ok((message_id, Update { account: account.clone(), item }))
}
