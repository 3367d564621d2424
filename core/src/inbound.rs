//! What a customer or a platform told us, in our own words. The ingress translates Meta's webhooks into these; nobody else reads Meta's form.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where the customer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// WhatsApp Business.
    Whatsapp,
    /// Instagram messaging.
    Instagram,
    /// Facebook Messenger.
    Messenger,
}

impl Platform {
    /// The name used in SQL, JSON and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Instagram => "instagram",
            Self::Messenger => "messenger",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "whatsapp" => Some(Self::Whatsapp),
            "instagram" => Some(Self::Instagram),
            "messenger" => Some(Self::Messenger),
            _ => None,
        }
    }
}

/// A shop's account on a platform, by Meta's id: `phone_number_id`, page id or Instagram account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelKey {
    /// The platform.
    pub platform: Platform,
    /// Meta's id of the account.
    pub external_id: String,
}

impl std::fmt::Display for ChannelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.platform.as_str(), self.external_id)
    }
}

/// The key of a conversation in Redis: channel and the first alias under which the customer was seen, e.g. `whatsapp:2044…:16505550199`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationKey(pub String);

/// The kinds of id by which a customer may be known (PROVIDERS 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasKind {
    /// A phone number, digits only.
    Phone,
    /// WhatsApp's business-scoped user id.
    UserId,
    /// WhatsApp's parent business-scoped user id.
    ParentUserId,
    /// Messenger's PSID or Instagram's IGSID.
    ScopedId,
}

impl AliasKind {
    /// The name used in SQL, JSON and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::UserId => "user_id",
            Self::ParentUserId => "parent_user_id",
            Self::ScopedId => "scoped_id",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Phone, Self::UserId, Self::ParentUserId, Self::ScopedId].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One id of a customer on one channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// What kind of id it is.
    pub kind: AliasKind,
    /// The id itself.
    pub value: String,
}

/// Who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Every id the event carried, best first; never empty.
    pub aliases: Vec<Alias>,
    /// The profile name, if given.
    #[serde(default)]
    pub name: Option<String>,
    /// The username, if given; it changes, so it is never a key.
    #[serde(default)]
    pub username: Option<String>,
}

/// One thing that happened on a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundEvent {
    /// The shop's account it happened on.
    pub channel: ChannelKey,
    /// Unique per thing that happened, however often it is delivered (PROVIDERS 1.8).
    pub dedupe_key: String,
    /// When it happened, by the platform's clock.
    pub occurred_at: DateTime<Utc>,
    /// The customer; absent where the platform names none.
    #[serde(default)]
    pub customer: Option<Sender>,
    /// What happened.
    pub what: Happening,
    /// The event as the platform sent it, for the log; never a whole batch.
    #[serde(default)]
    pub raw: serde_json::Value,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happening {
    /// The customer wrote: this alone leads to a turn.
    Message(CustomerMessage),
    /// The delivery state of a message we sent changed (WhatsApp).
    Status(DeliveryStatus),
    /// Everything up to `watermark_ms` (or the named messages) was delivered or read (Messenger, Instagram).
    Receipt {
        /// Whether it was read, not only delivered.
        read: bool,
        /// The messages, where the platform names them.
        #[serde(default)]
        message_ids: Vec<String>,
        /// Unix milliseconds; everything sent before is covered.
        #[serde(default)]
        watermark_ms: Option<i64>,
    },
    /// A message from the shop's side: our own send, or a human's from the shop's phone or inbox.
    Echo {
        /// The platform's id of the message.
        message_id: String,
        /// The app that sent it; absent on Instagram and for the shop's phone.
        #[serde(default)]
        app_id: Option<String>,
        /// What our send put into `metadata`.
        #[serde(default)]
        metadata: Option<String>,
        /// The text, if it has one.
        #[serde(default)]
        text: Option<String>,
    },
    /// The customer reacted to a message; `emoji` is absent when the reaction was taken back.
    Reaction {
        /// The message reacted to.
        message_id: String,
        /// The emoji.
        #[serde(default)]
        emoji: Option<String>,
    },
    /// The customer deleted a message.
    Deleted {
        /// The deleted message.
        message_id: String,
    },
    /// Anything else: recorded, never answered (group messages, standby, account updates, unknown kinds).
    Other {
        /// The platform's name for it.
        kind: String,
    },
}

impl Happening {
    /// The name used in the log.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Message(_) => "message",
            Self::Status(_) => "status",
            Self::Receipt { .. } => "receipt",
            Self::Echo { .. } => "echo",
            Self::Reaction { .. } => "reaction",
            Self::Deleted { .. } => "deleted",
            Self::Other { kind } => kind,
        }
    }
}

/// A message of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMessage {
    /// The platform's id.
    pub message_id: String,
    /// What it holds.
    pub content: Content,
    /// The message it answers, if it quotes one.
    #[serde(default)]
    pub reply_to: Option<String>,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A tap on a button, a quick reply or a list row.
    Button {
        /// The payload we gave it.
        payload: String,
        /// What the customer saw.
        title: String,
    },
    /// Image, video, audio, document or sticker.
    Media {
        /// `image`, `video`, `audio`, `document`, `sticker`, …
        kind: String,
        /// Meta's media id or link.
        #[serde(default)]
        reference: Option<String>,
        /// MIME type, if told.
        #[serde(default)]
        mime_type: Option<String>,
        /// What the customer wrote beside it.
        #[serde(default)]
        caption: Option<String>,
        /// Its SHA-256, if told: base64 in webhooks, hex elsewhere (PROVIDERS 1.6, 2.1).
        #[serde(default)]
        sha256: Option<String>,
        /// What the customer calls it, if told.
        #[serde(default)]
        file_name: Option<String>,
        /// What came with it in the same message.
        #[serde(default)]
        others: Vec<Attached>,
    },
    /// A place.
    Location {
        /// Degrees.
        latitude: String,
        /// Degrees.
        longitude: String,
        /// The place's name, if it has one.
        #[serde(default)]
        name: Option<String>,
    },
    /// Something the agent cannot read (contacts, polls, orders from a catalogue, unsupported kinds).
    Unreadable {
        /// The platform's name for it.
        kind: String,
    },
}

/// One file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// `image`, `video`, `audio`, `document`, `sticker`, …
    pub kind: String,
    /// Meta's media id or link.
    #[serde(default)]
    pub reference: Option<String>,
    /// MIME type, if told.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// Its SHA-256, if told.
    #[serde(default)]
    pub sha256: Option<String>,
    /// What the customer calls it, if told.
    #[serde(default)]
    pub file_name: Option<String>,
}

impl Content {
    /// The files that came with it and can be fetched, in order.
    #[must_use]
    pub fn files(&self) -> Vec<Attached> {
        let Self::Media { kind, reference, mime_type, sha256, file_name, others, .. } = self else { return Vec::new() };
        let first = Attached {
            kind: kind.clone(),
            reference: reference.clone(),
            mime_type: mime_type.clone(),
            sha256: sha256.clone(),
            file_name: file_name.clone(),
        };
        std::iter::once(first).chain(others.iter().cloned()).filter(|file| file.reference.is_some()).collect()
    }

    /// What the customer said in words, if anything.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Button { title, .. } => Some(title),
            Self::Media { caption, .. } => caption.as_deref(),
            Self::Location { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// A WhatsApp status webhook about a message we sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryStatus {
    /// The platform's id of the message.
    pub message_id: String,
    /// `sent`, `delivered`, `read`, `played`, `failed`, `deleted`.
    pub status: String,
    /// What our send put into `biz_opaque_callback_data`.
    #[serde(default)]
    pub callback_data: Option<String>,
    /// Meta's error code for `failed`.
    #[serde(default)]
    pub error_code: Option<i64>,
}
