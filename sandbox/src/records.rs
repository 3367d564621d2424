//! What the sandbox remembers of each call it got or made.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounts::Platform;
use crate::log::Numbered;

/// What a call to a send endpoint asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendKind {
    /// A message to a customer.
    Message,
    /// A message marked as read.
    MarkRead,
    /// A typing indicator (on WhatsApp always with a mark as read).
    Typing,
    /// A typing indicator taken away.
    TypingOff,
}

/// Why a send was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// HTTP status of the answer.
    pub status: u16,
    /// `error.code`.
    pub code: i64,
    /// `error.error_subcode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subcode: Option<i64>,
    /// `error.message`.
    pub message: String,
}

/// A call to one of Meta's send endpoints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReceivedSend {
    /// Its number; grows by one with every call of any account.
    pub seq: u64,
    /// When the whole request was there, Unix ms.
    pub received_at_ms: i64,
    /// The platform of the account.
    pub platform: Platform,
    /// The account it was sent from.
    pub account: String,
    /// The customer as the sandbox knows them (phone digits, business-scoped id, or page- or
    /// Instagram-scoped id); `None` when nobody was named or the name is unknown.
    pub customer: Option<String>,
    /// What was asked.
    pub kind: SendKind,
    /// Readable text of a message, or its caption or body.
    pub text: Option<String>,
    /// The id the sandbox gave it; `None` when refused.
    pub provider_id: Option<String>,
    /// `biz_opaque_callback_data` (WhatsApp) or `message.metadata` (Messenger, Instagram).
    pub callback_data: Option<String>,
    /// Why it was refused; `None` when accepted.
    pub refusal: Option<Refusal>,
    /// Whether the caller got the answer (a fault can withhold it).
    pub answered: bool,
    /// ms since the customer's last message, for messages.
    pub answered_after_ms: Option<i64>,
    /// The request body as it came.
    pub body: Value,
}

/// A call to a model endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelCall {
    /// Its number.
    pub seq: u64,
    /// `gemini` or `openai`.
    pub provider: String,
    /// The model asked.
    pub model: String,
    /// When the whole request was there, Unix ms.
    pub received_at_ms: i64,
    /// When the answer began to be sent, Unix ms; `None` while open, or when the caller left first.
    pub answered_at_ms: Option<i64>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// In words: `text`, `calls search_products`, `nothing`, or the failure.
    pub outcome: Option<String>,
    /// The request body; kept for the newest calls only.
    pub request: Option<Value>,
    /// The answer's body; kept for the newest calls only.
    pub response: Option<Value>,
}

/// One attempt to deliver a webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Its number.
    pub seq: u64,
    /// The same for all attempts at one POST.
    pub delivery: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// `object` of the payload.
    pub object: String,
    /// The accounts whose updates are in it.
    pub accounts: Vec<String>,
    /// How many updates are in it.
    pub updates: usize,
    /// When the attempt began, Unix ms.
    pub sent_at_ms: i64,
    /// How long it took, ms.
    pub took_ms: i64,
    /// The receiver's status; `None` if there was no answer.
    pub status: Option<u16>,
    /// What happened, if it did not succeed.
    pub error: Option<String>,
    /// No further attempt will be made, and it was not delivered.
    pub lost: bool,
    /// The exact body that was sent.
    pub body: String,
}

/// A call to Google.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GoogleCall {
    /// Its number.
    pub seq: u64,
    /// When the whole request was there, Unix ms.
    pub received_at_ms: i64,
    /// `oauth`, `token`, `calendar` or `sheets`.
    pub service: String,
    /// HTTP method.
    pub method: String,
    /// Decoded path below `/google`.
    pub path: String,
    /// The query; secrets are left out.
    pub query: Vec<(String, String)>,
    /// Whose token was shown, if it was ever given out.
    pub account: Option<String>,
    /// The body; secrets are left out.
    pub body: Value,
    /// HTTP status of the answer; `None` while open.
    pub status: Option<u16>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Whether the caller got the answer (a fault can withhold it).
    pub answered: bool,
}

/// An attempt to tell a channel that its calendar changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GooglePush {
    /// Its number.
    pub seq: u64,
    /// When it was answered or given up, Unix ms.
    pub sent_at_ms: i64,
    /// `X-Goog-Channel-ID`.
    pub channel: String,
    /// The calendar.
    pub calendar: String,
    /// `X-Goog-Resource-State`: `sync` or `exists`.
    pub state: String,
    /// `X-Goog-Message-Number`.
    pub message_number: u64,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The receiver's status; `None` if there was no answer.
    pub status: Option<u16>,
}

/// A call to Stripe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StripeCall {
    /// Its number.
    pub seq: u64,
    /// When the whole request was there, Unix ms of the real clock.
    pub received_at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// The path below `/stripe`, such as `/v1/checkout/sessions`.
    pub path: String,
    /// Query and form, decoded, keys as they came (`items[0][price]`).
    pub form: Vec<(String, String)>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// `Stripe-Version`.
    pub version: Option<String>,
    /// HTTP status of the answer; `None` while open.
    pub status: Option<u16>,
    /// `error.code`, or `error.type` where there is no code.
    pub reason: Option<String>,
    /// Whether it was the first answer to the key once more.
    pub replayed: bool,
    /// Whether the caller got the answer (a fault can withhold it).
    pub answered: bool,
}

/// An attempt to deliver an event of Stripe's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StripeDelivery {
    /// Its number.
    pub seq: u64,
    /// The event's id.
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// 1 for the first attempt; 0 when it was lost before.
    pub attempt: u32,
    /// When the attempt began, Unix ms of the real clock.
    pub sent_at_ms: i64,
    /// How long it took, ms.
    pub took_ms: i64,
    /// The receiver's status; `None` if there was no answer.
    pub status: Option<u16>,
    /// What happened, if it did not succeed.
    pub error: Option<String>,
    /// No further attempt will be made, and it was not delivered.
    pub lost: bool,
    /// `Stripe-Signature`.
    pub signature: String,
    /// The exact body that was sent.
    pub body: String,
}

/// An e-mail the sandbox received.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// Its number.
    pub seq: u64,
    /// When it was complete, Unix ms.
    pub received_at_ms: i64,
    /// Sender of the envelope.
    pub envelope_from: String,
    /// Recipients of the envelope.
    pub envelope_to: Vec<String>,
    /// `From` header.
    pub from: String,
    /// `To` header.
    pub to: Vec<String>,
    /// `Subject` header.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part as source, if there is one.
    pub html: Option<String>,
}

macro_rules! numbered {
    ($($t:ty),+) => {$(
        impl Numbered for $t {
            fn set_seq(&mut self, seq: u64) { self.seq = seq; }
            fn seq(&self) -> u64 { self.seq }
        }
    )+};
}
numbered!(ReceivedSend, ModelCall, Delivery, Mail, GoogleCall, GooglePush, StripeCall, StripeDelivery);
