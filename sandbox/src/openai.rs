//! OpenAI's chat completions (PROVIDERS 5).

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::brain::{Thought, think};
use crate::clock::now_ms;
use crate::faults::ModelFailure;
use crate::ids;
use crate::model::{self, Open};
use crate::openai_request::{self as request, Refused};
use crate::state::State;

/// `/openai/v1/…`
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new().route("/openai/v1/chat/completions", post(complete)).layer(DefaultBodyLimit::max(model::MAX_BODY))
}

async fn complete(AxumState(state): AxumState<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let parsed: Result<Value, _> = serde_json::from_slice(&body);
    let named = parsed.as_ref().ok().and_then(|b| b.get("model")?.as_str()).unwrap_or_default().to_owned();
    let open = Open::new(&state, "openai", &named, parsed.as_ref().ok().cloned());
    let faults = state.faults.openai();
    model::take_time(&state, &faults).await;
    if let Some(failure) = faults.failure {
        if failure == ModelFailure::Hang {
            return open.hang().await;
        }
        if let Some(refused) = failed(failure, &named) {
            let retry = match failure {
                ModelFailure::RateLimit { retry_after_ms } => retry_after_ms,
                _ => None,
            };
            let response = open.answer(refused.status, "error", refused.body(), Some(failure));
            return with_headers(response, refused.status, retry);
        }
    }
    let header = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let key = header.split_once(' ').filter(|(s, _)| s.eq_ignore_ascii_case("bearer")).map_or("", |(_, k)| k.trim());
    let asked = if model::key_fits(&state.config.openai_keys, key) {
        parsed.map_err(|_| Refused::invalid("We could not parse the JSON body of your request.", None)).and_then(|b| request::read(&b))
    } else {
        Err(Refused::invalid_key())
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(refused) => {
            let response = open.answer(refused.status, "refused", refused.body(), None);
            return with_headers(response, refused.status, None);
        }
    };
    let thought = think(&asked.conversation, state.faults.misbehaviour());
    let outcome = model::in_words(&thought);
    let body = answer(&named, &asked, thought, faults.failure);
    with_headers(open.answer(200, &outcome, body, faults.failure), 200, None)
}

fn with_headers(mut response: Response, status: u16, retry_after_ms: Option<u64>) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set("x-request-id", format!("req_{}", hex::encode(ids::random_text::<8>())));
    set("openai-processing-ms", "300".to_owned());
    set("x-ratelimit-limit-requests", "10000".to_owned());
    set("x-ratelimit-remaining-requests", if status == 429 { "0" } else { "9999" }.to_owned());
    if let Some(ms) = retry_after_ms {
        set("retry-after-ms", ms.to_string());
        set("retry-after", ms.div_ceil(1000).to_string());
    }
    response
}

/// Answers that are errors by themselves.
fn failed(failure: ModelFailure, model: &str) -> Option<Refused> {
    let refused = |status, message: &str, kind, code| Some(Refused { status, message: message.to_owned(), kind, param: None, code });
    match failure {
        ModelFailure::RateLimit { .. } => {
            let message = format!("Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1.");
            refused(429, &message, "requests", Some("rate_limit_exceeded"))
        }
        ModelFailure::QuotaExhausted => {
            let message = "You exceeded your current quota, please check your plan and billing details.";
            refused(429, message, "insufficient_quota", Some("insufficient_quota"))
        }
        ModelFailure::Internal => {
            let message = "The server had an error while processing your request. Sorry about that!";
            refused(500, message, "server_error", None)
        }
        ModelFailure::Unavailable => refused(503, "The engine is currently overloaded, please try again later.", "server_error", None),
        ModelFailure::InvalidKey => Some(Refused::invalid_key()),
        ModelFailure::ModelGone => {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            refused(404, &message, "invalid_request_error", Some("model_not_found"))
        }
        _ => None,
    }
}

fn answer(model: &str, asked: &request::Asked, thought: Thought, failure: Option<ModelFailure>) -> Value {
    let mut finish = "stop";
    let mut output = 0;
    let mut message = json!({ "role": "assistant", "content": null, "refusal": null, "annotations": [] });
    match thought {
        Thought::Say(mut text) => {
            if let Some(limit) = asked.max_tokens.filter(|limit| model::tokens(&text) > *limit) {
                text = text.chars().take(usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX)).collect();
                finish = "length";
            }
            output = model::tokens(&text);
            message["content"] = text.into();
        }
        Thought::Call(calls) => {
            output = model::call_tokens(&calls);
            finish = "tool_calls";
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| {
                    let id = if call.id.is_empty() { format!("call_{}", ids::random_text::<12>()) } else { call.id.clone() };
                    let mut arguments = call.args.to_string();
                    if failure == Some(ModelFailure::BrokenArguments) {
                        // As a model breaks it: the end is missing.
                        arguments.truncate(arguments.char_indices().nth(arguments.chars().count() / 2).map_or(0, |(i, _)| i));
                        arguments.push_str(", \"");
                    }
                    json!({ "id": id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
                })
                .collect();
            message["tool_calls"] = calls.into();
        }
        Thought::Nothing => message["content"] = "".into(),
    }
    match failure {
        Some(ModelFailure::NoParts) => {
            message["content"] = Value::Null;
            if let Some(message) = message.as_object_mut() {
                message.remove("tool_calls");
            }
            finish = "stop";
        }
        Some(ModelFailure::MaxTokens) => {
            message["content"] = "".into();
            if let Some(message) = message.as_object_mut() {
                message.remove("tool_calls");
            }
            finish = "length";
        }
        _ => {}
    }
    let choices = match failure {
        Some(ModelFailure::NoCandidates) => json!([]),
        _ => json!([{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }]),
    };
    json!({
        "id": format!("chatcmpl-{}", ids::random_text::<12>()),
        "object": "chat.completion",
        "created": now_ms() / 1000,
        "model": model,
        "choices": choices,
        "usage": {
            "prompt_tokens": asked.prompt_tokens,
            "completion_tokens": output,
            "total_tokens": asked.prompt_tokens + output,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 },
        },
        "service_tier": "default",
    })
}
