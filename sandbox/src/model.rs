//! What both model endpoints share: latency, broken answers, and the record of each call.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::time::sleep;

use crate::brain::{Call, Thought};
use crate::clock::now_ms;
use crate::faults::{ModelFailure, ModelFaults};
use crate::meta::webhooks::random_up_to;
use crate::records::ModelCall;
use crate::state::State;

/// Largest request a model takes, bytes.
pub(crate) const MAX_BODY: usize = 8 << 20;
/// A hang ends after that long, so that forgotten callers do not pile up.
const MAX_HANG: Duration = Duration::from_secs(300);
/// Size of the garbage answer, bytes.
const GARBAGE: usize = 5 << 20;

/// Never answers (for a test's purposes).
pub(crate) async fn hang() -> Response {
    sleep(MAX_HANG).await;
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

/// Promises a whole body, sends half of it and breaks the connection.
pub(crate) fn cut_short(body: String) -> Response {
    let promised = body.len().max(2);
    let half = Bytes::from(body).slice(..promised / 2);
    // The half must be on the wire before the break, or nothing of the answer is seen at all.
    let broken = stream::once(async {
        sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("cut on command"))
    });
    let parts = stream::iter([Ok(half)]).chain(broken);
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_LENGTH, promised.to_string())];
    (headers, Body::from_stream(parts)).into_response()
}

fn drip(body: String) -> Response {
    let bytes = Bytes::from(body);
    let drops = stream::unfold((bytes, 0), |(bytes, at)| async move {
        let next = bytes.slice(at..bytes.len().min(at + 1));
        if next.is_empty() {
            return None;
        }
        sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, Infallible>(next), (bytes, at + 1)))
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(drops)).into_response()
}

/// Waits as long as this call shall take.
pub(crate) async fn take_time(state: &State, faults: &ModelFaults) {
    let speed = &state.config.speed;
    let latency = faults.latency_ms.unwrap_or(speed.model_latency_ms);
    // Jitter belongs to the latency it was set with.
    let jitter = faults.jitter_ms.unwrap_or(if faults.latency_ms.is_some() { 0 } else { speed.model_jitter_ms });
    let wait = latency + random_up_to(jitter);
    if wait > 0 {
        sleep(Duration::from_millis(wait)).await;
    }
}

/// A call being answered.
pub(crate) struct Open {
    state: Arc<State>,
    seq: u64,
}

impl Open {
    pub(crate) fn new(state: &Arc<State>, provider: &str, model: &str, request: Option<Value>) -> Self {
        let seq = state.model_called(ModelCall {
            seq: 0,
            provider: provider.to_owned(),
            model: model.to_owned(),
            received_at_ms: now_ms(),
            answered_at_ms: None,
            status: None,
            outcome: None,
            request,
            response: None,
        });
        Self { state: state.clone(), seq }
    }

    /// Notes the outcome and gives the response, broken if the fault says so.
    pub(crate) fn answer(self, status: u16, outcome: &str, body: Value, failure: Option<ModelFailure>) -> Response {
        let text = body.to_string();
        let named = match failure {
            Some(failure) => format!("{failure:?}"),
            None => outcome.to_owned(),
        };
        self.state.calls.update(self.seq, |call| {
            call.answered_at_ms = Some(now_ms());
            call.status = Some(status);
            call.outcome = Some(named);
            call.response = Some(body);
        });
        let json = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
        match failure {
            Some(ModelFailure::HalfJson) => {
                let half = text.chars().take(text.chars().count() / 2).collect::<String>();
                (json, half).into_response()
            }
            Some(ModelFailure::Garbage) => (json, vec![b'\xb7'; GARBAGE]).into_response(),
            Some(ModelFailure::Cut) => cut_short(text),
            Some(ModelFailure::Drip) => drip(text),
            _ => (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), json, text).into_response(),
        }
    }

    pub(crate) async fn hang(self) -> Response {
        self.state.calls.update(self.seq, |call| call.outcome = Some("Hang".to_owned()));
        hang().await
    }
}

/// A thought in words, for the record.
pub(crate) fn in_words(thought: &Thought) -> String {
    match thought {
        Thought::Say(_) => "text".to_owned(),
        Thought::Call(calls) => {
            let names: Vec<&str> = calls.iter().map(|c| c.name.as_str()).collect();
            format!("calls {}", names.join(", "))
        }
        Thought::Nothing => "nothing".to_owned(),
    }
}

/// Rough token count: four characters each, as the providers advise.
pub(crate) fn tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

pub(crate) fn call_tokens(calls: &[Call]) -> u64 {
    calls.iter().map(|c| tokens(&c.name) + tokens(&c.args.to_string()) + 4).sum()
}

/// Whether a key opens the endpoint: one of the configured ones, or any that does not begin with `invalid`.
pub(crate) fn key_fits(keys: &[String], given: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    if keys.is_empty() {
        return !given.is_empty() && !given.starts_with("invalid");
    }
    keys.iter().any(|key| key.as_bytes().ct_eq(given.as_bytes()).into())
}

/// Names both providers take: letters, digits, `_` and `-`, at most 64; Gemini also takes `.` and `:` up to 128.
pub(crate) fn tool_name_fits(name: &str, extra: &[char], max: usize) -> bool {
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || extra.contains(&c);
    !name.is_empty() && name.len() <= max && name.chars().all(ok)
}
