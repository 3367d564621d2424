//! Gemini's `generateContent` (PROVIDERS 4): strict about what it is asked, real in what it answers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State as AxumState};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::brain::{Thought, think};
use crate::faults::ModelFailure;
use crate::gemini_request::{self as request, Refused};
use crate::ids;
use crate::model::{self, Open};
use crate::state::State;

/// `/gemini/…`
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/gemini/v1beta/models/{model_and_method}", post(generate).get(model_info))
        .layer(DefaultBodyLimit::max(model::MAX_BODY))
}

#[derive(Default, Deserialize)]
struct KeyQuery {
    key: Option<String>,
}

async fn model_info(Path(model): Path<String>) -> axum::Json<Value> {
    axum::Json(json!({
        "name": format!("models/{model}"),
        "version": "001",
        "displayName": model,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
    }))
}

async fn generate(
    AxumState(state): AxumState<Arc<State>>,
    Path(path): Path<String>,
    Query(query): Query<KeyQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (model, method) = path.split_once(':').unwrap_or((&path, ""));
    let parsed: Result<Value, _> = serde_json::from_slice(&body);
    let open = Open::new(&state, "gemini", model, parsed.as_ref().ok().cloned());
    let header = headers.get("x-goog-api-key").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let key = header.or(query.key).unwrap_or_default();
    let faults = state.faults.gemini();
    model::take_time(&state, &faults).await;
    if let Some(failure) = faults.failure {
        if failure == ModelFailure::Hang {
            return open.hang().await;
        }
        if let Some((status, body)) = failed(failure, model) {
            return open.answer(status, "error", body, Some(failure));
        }
    }
    let asked = if key.is_empty() || !model::key_fits(&state.config.gemini_keys, &key) {
        Err(Refused::invalid_key())
    } else if method != "generateContent" || !model.starts_with("gemini-") {
        Err(Refused::not_found(model))
    } else {
        parsed.map_err(|e| Refused::invalid(format!("Invalid JSON payload received. {e}"))).and_then(|b| request::read(&b, model))
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(refused) => return open.answer(refused.status, "refused", refused.body(), None),
    };
    let thought = think(&asked.conversation, state.faults.misbehaviour());
    let outcome = model::in_words(&thought);
    let body = answer(model, &asked, thought, faults.failure);
    open.answer(200, &outcome, body, faults.failure)
}

/// Answers that are errors by themselves.
fn failed(failure: ModelFailure, model: &str) -> Option<(u16, Value)> {
    let error = |code: u16, status: &str, message: &str| json!({ "error": { "code": code, "message": message, "status": status } });
    let quota = |period: &str, retry: Option<u64>| {
        let mut body = error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.");
        let mut details = vec![
            json!({
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{
                    "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
                    "quotaId": format!("GenerateRequestsPer{period}PerProjectPerModel-FreeTier"),
                    "quotaDimensions": { "location": "global", "model": model },
                    "quotaValue": "10",
                }],
            }),
            json!({
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [{
                    "description": "Learn more about Gemini API quotas",
                    "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
                }],
            }),
        ];
        if let Some(ms) = retry {
            let delay = format!("{}.{:03}s", ms / 1000, ms % 1000);
            details.push(json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }));
        }
        body["error"]["details"] = details.into();
        body
    };
    Some(match failure {
        ModelFailure::RateLimit { retry_after_ms } => (429, quota("Minute", retry_after_ms)),
        // The day's quota is gone, and yet a short wait is suggested: that is what it looks like.
        ModelFailure::QuotaExhausted => (429, quota("Day", Some(2_000))),
        ModelFailure::Internal => (500, error(500, "INTERNAL", "An internal error has occurred. Please retry.")),
        ModelFailure::Unavailable => (503, json!([error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")])),
        ModelFailure::InvalidKey => (400, Refused::invalid_key().body()),
        ModelFailure::ModelGone => (404, Refused::not_found(model).body()),
        ModelFailure::NoCandidates => (
            200,
            json!({
                "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" },
                "usageMetadata": { "promptTokenCount": 812, "totalTokenCount": 812 },
                "modelVersion": model,
                "responseId": ids::random_text::<15>(),
            }),
        ),
        _ => return None,
    })
}

fn answer(model: &str, asked: &request::Asked, thought: Thought, failure: Option<ModelFailure>) -> Value {
    let mut finish = "STOP";
    let mut output = 0;
    let mut parts = Vec::new();
    match thought {
        Thought::Say(mut text) => {
            if let Some(limit) = asked.max_output_tokens.filter(|limit| model::tokens(&text) > *limit) {
                text = text.chars().take(usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX)).collect();
                finish = "MAX_TOKENS";
            }
            output = model::tokens(&text);
            parts.push(json!({ "text": text, "thoughtSignature": request::signature("", &json!(text)) }));
        }
        Thought::Call(calls) => {
            output = model::call_tokens(&calls);
            for (place, call) in calls.iter().enumerate() {
                let id = if call.id.is_empty() { format!("fc_{}", ids::random_text::<6>()) } else { call.id.clone() };
                let mut part = json!({ "functionCall": { "id": id, "name": call.name, "args": call.args } });
                // Of parallel calls only the first is signed.
                if place == 0 {
                    part["thoughtSignature"] = request::signature(&call.name, &call.args).into();
                }
                parts.push(part);
            }
        }
        Thought::Nothing => {}
    }
    match failure {
        Some(ModelFailure::NoParts) => parts.clear(),
        Some(ModelFailure::MaxTokens) => {
            parts.clear();
            finish = "MAX_TOKENS";
        }
        Some(ModelFailure::BrokenArguments) => {
            parts.clear();
            finish = "MALFORMED_FUNCTION_CALL";
        }
        _ => {}
    }
    let mut content = json!({ "role": "model" });
    if !parts.is_empty() {
        content["parts"] = parts.into();
    }
    let thoughts = 24;
    json!({
        "candidates": [{ "content": content, "finishReason": finish, "index": 0 }],
        "usageMetadata": {
            "promptTokenCount": asked.prompt_tokens,
            "candidatesTokenCount": output,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": asked.prompt_tokens + output + thoughts,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": asked.prompt_tokens }],
        },
        "modelVersion": model,
        "responseId": ids::random_text::<15>(),
    })
}
