//! What goes wrong on purpose, per provider and, where asked, per account.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use crate::brain::Misbehaviour;

/// How a call to Meta's send endpoints fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MetaFailure {
    /// Refused with this Graph error; nothing is delivered.
    Error {
        /// HTTP status; left out, the documented one of the code.
        #[serde(default)]
        status: Option<u16>,
        /// `error.code`.
        code: i64,
        /// `error.error_subcode`.
        #[serde(default)]
        subcode: Option<i64>,
        /// `error.message`; left out, a fitting one.
        #[serde(default)]
        message: Option<String>,
    },
    /// Never answered; nothing is delivered.
    Hang,
    /// Delivered, but never answered: the caller cannot know.
    HangAfterAccept,
    /// The connection breaks in the middle of the answer; nothing is delivered.
    Cut,
    /// Delivered, and the connection breaks in the middle of the answer.
    CutAfterAccept,
    /// 502 with an HTML page.
    HtmlPage,
    /// Accepted, then reported as failed by a status webhook with this code (WhatsApp only).
    LateFailed {
        /// The code in the status, such as 131047.
        code: i64,
    },
}

impl MetaFailure {
    /// Whether a call meets this failure at all: some strike only once a message has been taken.
    fn strikes(&self, is_message: bool) -> bool {
        is_message || !matches!(self, Self::HangAfterAccept | Self::CutAfterAccept | Self::LateFailed { .. })
    }
}

/// Faults of Meta's send endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaFaults {
    /// Every call takes at least this long, ms.
    pub latency_ms: u64,
    /// Up to this much more, at random, ms.
    pub jitter_ms: u64,
    /// How calls fail.
    pub failure: Option<MetaFailure>,
    /// The failure applies to that many calls only, then ends. What strikes after a message was taken counts messages, not typing and the like.
    pub times: Option<u32>,
    /// Status webhooks, receipts and echoes are not sent.
    pub no_receipts: bool,
    /// `read` comes without `delivered` before it.
    pub read_without_delivered: bool,
    /// Statuses and echoes are delivered before the send call is answered.
    pub receipts_before_answer: bool,
    /// Calls without a right `appsecret_proof` are refused ("Require App Secret" is on).
    pub require_appsecret_proof: bool,
}

/// Faults of webhook delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Each POST is delivered this many times more, all at once.
    pub duplicates: u32,
    /// Updates wait this long before delivery, ms.
    pub delay_ms: u64,
    /// Up to this much more, at random, ms.
    pub jitter_ms: u64,
    /// Updates of this many ms are collected and put into as few POSTs as may be, over all shops.
    pub batch_window_ms: u64,
    /// Collected updates are shuffled.
    pub reorder: bool,
    /// Each POST also carries an entry nobody can read.
    pub bad_entry: bool,
    /// Updates are lost on the way.
    pub drop: bool,
    /// The signature is made with another secret.
    pub wrong_signature: bool,
    /// These faults apply to that many POSTs only, then end.
    pub times: Option<u32>,
}

/// How a call to a model fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ModelFailure {
    /// Never answered.
    Hang,
    /// 429, too many requests.
    RateLimit {
        /// Said to be over in this many ms; left out, nothing is said.
        #[serde(default)]
        retry_after_ms: Option<u64>,
    },
    /// 429, the quota of the day (Gemini) or the account's credit (OpenAI) is used up.
    QuotaExhausted,
    /// 500.
    Internal,
    /// 503 (with Gemini inside a one-element array).
    Unavailable,
    /// 401 (OpenAI) or 400 (Gemini): the key is not valid.
    InvalidKey,
    /// 404: the model is gone.
    ModelGone,
    /// 200 without any candidate or choice.
    NoCandidates,
    /// 200 with an answer that has no parts (Gemini) or null content (OpenAI).
    NoParts,
    /// 200, cut short by the token limit.
    MaxTokens,
    /// 200 with half of a JSON document.
    HalfJson,
    /// 200 with 5 MB that are no JSON.
    Garbage,
    /// The connection breaks in the middle of the answer.
    Cut,
    /// The answer comes at one byte a second.
    Drip,
    /// Function calls with arguments that are not valid (OpenAI: broken JSON; Gemini: `MALFORMED_FUNCTION_CALL`).
    BrokenArguments,
}

/// Faults of a model endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelFaults {
    /// Every call takes this long, ms; left out, the sandbox's default.
    pub latency_ms: Option<u64>,
    /// Up to this much more, at random, ms; left out, the sandbox's default.
    pub jitter_ms: Option<u64>,
    /// How calls fail.
    pub failure: Option<ModelFailure>,
    /// The failure applies to that many calls only, then ends.
    pub times: Option<u32>,
}

/// How the scripted model misbehaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrainFaults {
    /// What it does wrong.
    pub misbehaviour: Misbehaviour,
    /// For that many calls only, then it behaves.
    pub times: Option<u32>,
}

/// How the mail server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpFailure {
    /// 421 instead of a greeting.
    Refuse,
    /// 451 after the message: try again.
    Temporary,
    /// 550 for every recipient.
    Reject,
    /// No greeting at all.
    Hang,
}

/// Faults of the mail server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpFaults {
    /// How connections fail.
    pub failure: Option<SmtpFailure>,
    /// The failure applies to that many connections only, then ends.
    pub times: Option<u32>,
}

/// How a call to Google fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum GoogleFailure {
    /// This status; nothing is done.
    Error {
        /// HTTP status.
        status: u16,
        /// `errors[0].reason`; left out, the usual one.
        #[serde(default)]
        reason: Option<String>,
        /// Left out, a fitting one.
        #[serde(default)]
        message: Option<String>,
    },
    /// 429 `rateLimitExceeded`.
    RateLimit {
        /// `Retry-After`, seconds; left out, nothing is said.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// 403 `userRateLimitExceeded`.
    UserRateLimit,
    /// 403 `quotaExceeded`.
    QuotaExceeded,
    /// 500 `backendError`.
    Internal,
    /// 503.
    Unavailable,
    /// 400 `invalid_grant`, for the token endpoint.
    InvalidGrant,
    /// Never answered; nothing is done.
    Hang,
    /// The connection breaks; nothing is done.
    Cut,
    /// Done, but never answered.
    HangAfterWork,
    /// Done, and the connection breaks in the middle of the answer.
    CutAfterWork,
}

/// Faults of Google.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GoogleFaults {
    /// Every call takes at least this long, ms.
    pub latency_ms: u64,
    /// Up to this much more, at random, ms.
    pub jitter_ms: u64,
    /// How calls fail.
    pub failure: Option<GoogleFailure>,
    /// Only calls of this service fail: `oauth`, `token`, `calendar` or `sheets`.
    pub service: Option<String>,
    /// The failure applies to that many calls only, then ends.
    pub times: Option<u32>,
    /// Access tokens given out live that long, ms.
    pub access_token_ms: Option<i64>,
    /// Notifications are not sent.
    pub push_drop: bool,
    /// Each notification is sent this many times more.
    pub push_duplicates: u32,
}

/// How a call to Stripe fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum StripeFailure {
    /// This status; nothing is done, and nothing is kept under the idempotency key.
    Error {
        /// HTTP status.
        status: u16,
        /// `error.code`.
        #[serde(default)]
        code: Option<String>,
        /// `error.message`.
        #[serde(default)]
        message: Option<String>,
    },
    /// 429 `rate_limit`.
    RateLimit,
    /// 500 `api_error`, kept under the idempotency key as Stripe does: the same key gets it again.
    Internal,
    /// 503; nothing is kept.
    Unavailable,
    /// 402 `card_declined`, kept under the idempotency key.
    CardError,
    /// Never answered; nothing is done.
    Hang,
    /// The connection breaks; nothing is done.
    Cut,
    /// Done, but never answered.
    HangAfterWork,
    /// Done, and the connection breaks in the middle of the answer.
    CutAfterWork,
}

/// Faults of Stripe's API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripeFaults {
    /// Every call takes at least this long, ms.
    pub latency_ms: u64,
    /// Up to this much more, at random, ms.
    pub jitter_ms: u64,
    /// How calls fail.
    pub failure: Option<StripeFailure>,
    /// Only calls whose path contains this fail, such as `checkout/sessions`.
    pub path: Option<String>,
    /// The failure applies to that many calls only, then ends.
    pub times: Option<u32>,
}

/// Faults of Stripe's webhooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripeWebhookFaults {
    /// Each event is delivered this many times more, all at once.
    pub duplicates: u32,
    /// Each fact comes a second time, as an event with another id.
    pub twins: bool,
    /// Events of this many ms are collected and shuffled.
    pub reorder_window_ms: u64,
    /// Events wait this long before delivery, ms.
    pub delay_ms: u64,
    /// Up to this much more, at random, ms.
    pub jitter_ms: u64,
    /// Events are lost on the way; `/v1/events` has them.
    pub drop: bool,
    /// The signature is made with another secret.
    pub wrong_signature: bool,
    /// The signature's `t` is an hour old.
    pub stale_timestamp: bool,
    /// These faults, all but the shuffling, apply to that many events only, then end.
    pub times: Option<u32>,
}

/// All faults set at present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Send endpoints of all accounts without an entry of their own.
    pub meta: MetaFaults,
    /// Send endpoints, by account id.
    pub meta_by_account: HashMap<String, MetaFaults>,
    /// Webhooks of all accounts without an entry of their own.
    pub webhooks: WebhookFaults,
    /// Webhooks, by account id.
    pub webhooks_by_account: HashMap<String, WebhookFaults>,
    /// Gemini.
    pub gemini: ModelFaults,
    /// OpenAI.
    pub openai: ModelFaults,
    /// Google.
    pub google: GoogleFaults,
    /// Stripe's API.
    pub stripe: StripeFaults,
    /// Stripe's webhooks.
    pub stripe_webhooks: StripeWebhookFaults,
    /// The scripted model behind both.
    pub brain: BrainFaults,
    /// The mail server.
    pub smtp: SmtpFaults,
    /// Files that customers send.
    pub media: MediaFaults,
}

/// How fetching a customer's file fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MediaFailure {
    /// 500.
    Unavailable,
    /// The id and the link are dead.
    Gone,
    /// It is said to be, and is, larger than anybody wants.
    Oversized,
    /// Other bytes than the ones whose hash was told.
    WrongBytes,
}

/// Faults of fetching customers' files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaFaults {
    /// How it fails.
    pub failure: Option<MediaFailure>,
    /// The failure applies to that many downloads only, then ends.
    pub times: Option<u32>,
}

/// Counts a limited fault down; `true` while it applies.
fn spend(times: &mut Option<u32>) -> bool {
    match times {
        None => true,
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}

/// The faults in force, shared by all endpoints.
#[derive(Default)]
pub(crate) struct FaultBoard(Mutex<Faults>);

impl FaultBoard {
    /// Reads or changes the faults.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Faults) -> T) -> T {
        self.look(|faults| {
            let out = f(faults);
            // An account whose faults were cleared falls back to the general ones.
            faults.meta_by_account.retain(|_, own| *own != MetaFaults::default());
            faults.webhooks_by_account.retain(|_, own| *own != WebhookFaults::default());
            out
        })
    }

    fn look<T>(&self, f: impl FnOnce(&mut Faults) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The faults for one send call, which spends one of a limited failure if it meets it.
    pub(crate) fn meta_send(&self, account: &str, is_message: bool) -> MetaFaults {
        self.meta(account, |failure| failure.strikes(is_message))
    }

    /// How fetching a file fails now; a download spends one of a limited set.
    pub(crate) fn media(&self, is_download: bool) -> Option<MediaFailure> {
        self.look(|f| {
            let failure = f.media.failure?;
            match f.media.times {
                Some(0) => None,
                _ if is_download => spend(&mut f.media.times).then_some(failure),
                _ => Some(failure),
            }
        })
    }

    /// The faults in force, to look at.
    pub(crate) fn meta_now(&self, account: &str) -> MetaFaults {
        self.meta(account, |_| false)
    }

    fn meta(&self, account: &str, spends: impl FnOnce(&MetaFailure) -> bool) -> MetaFaults {
        self.look(|f| {
            let faults = match f.meta_by_account.get_mut(account) {
                Some(own) => own,
                None => &mut f.meta,
            };
            let mut taken = faults.clone();
            if faults.failure.as_ref().is_some_and(spends) && !spend(&mut faults.times) {
                taken.failure = None;
            }
            taken
        })
    }

    /// The faults for one update or POST; spends one of a limited set when `spend_one`.
    pub(crate) fn webhooks(&self, account: &str, spend_one: bool) -> WebhookFaults {
        self.look(|f| {
            let faults = match f.webhooks_by_account.get_mut(account) {
                Some(own) => own,
                None => &mut f.webhooks,
            };
            let taken = faults.clone();
            if spend_one && !spend(&mut faults.times) || faults.times == Some(0) && !spend_one {
                return WebhookFaults::default();
            }
            taken
        })
    }

    pub(crate) fn gemini(&self) -> ModelFaults {
        self.look(|f| take_model(&mut f.gemini))
    }

    pub(crate) fn openai(&self) -> ModelFaults {
        self.look(|f| take_model(&mut f.openai))
    }

    /// The faults for one call of this service, which spends one of a limited failure if it meets it.
    pub(crate) fn google(&self, service: &str) -> GoogleFaults {
        self.look(|f| {
            let mut taken = f.google.clone();
            let strikes = service != "push" && f.google.service.as_deref().is_none_or(|s| s == service);
            if f.google.failure.is_some() && !(strikes && spend(&mut f.google.times)) {
                taken.failure = None;
            }
            taken
        })
    }

    /// The faults for one call of this path, which spends one of a limited failure if it meets it.
    pub(crate) fn stripe(&self, path: &str) -> StripeFaults {
        self.look(|f| {
            let mut taken = f.stripe.clone();
            let strikes = f.stripe.path.as_deref().is_none_or(|p| path.contains(p));
            if f.stripe.failure.is_some() && !(strikes && spend(&mut f.stripe.times)) {
                taken.failure = None;
            }
            taken
        })
    }

    /// The faults for one event, which spends one of a limited set.
    pub(crate) fn stripe_webhooks(&self) -> StripeWebhookFaults {
        self.look(|f| {
            let taken = f.stripe_webhooks.clone();
            if spend(&mut f.stripe_webhooks.times) { taken } else { StripeWebhookFaults::default() }
        })
    }

    pub(crate) fn misbehaviour(&self) -> Misbehaviour {
        self.look(|f| {
            if f.brain.misbehaviour != Misbehaviour::None && spend(&mut f.brain.times) { f.brain.misbehaviour } else { Misbehaviour::None }
        })
    }

    pub(crate) fn smtp(&self) -> Option<SmtpFailure> {
        self.look(|f| f.smtp.failure.filter(|_| spend(&mut f.smtp.times)))
    }
}

fn take_model(faults: &mut ModelFaults) -> ModelFaults {
    let mut taken = faults.clone();
    if faults.failure.is_some() && !spend(&mut faults.times) {
        taken.failure = None;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_failure_ends_after_its_count() {
        let board = FaultBoard::default();
        board.with(|f| {
            f.gemini = ModelFaults { failure: Some(ModelFailure::Internal), times: Some(2), ..Default::default() };
        });
        let seen: Vec<_> = (0..3).map(|_| board.gemini().failure).collect();
        assert_eq!(seen, [Some(ModelFailure::Internal), Some(ModelFailure::Internal), None]);
    }

    #[test]
    fn account_with_its_own_faults_does_not_see_the_general_ones() {
        let board = FaultBoard::default();
        board.with(|f| {
            f.meta.latency_ms = 5;
            f.meta_by_account.insert("1".into(), MetaFaults { latency_ms: 9, ..Default::default() });
        });
        assert_eq!((board.meta_send("1", true).latency_ms, board.meta_send("2", true).latency_ms), (9, 5));
    }
}
