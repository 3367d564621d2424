//! Gemini's `generateContent` (PROVIDERS 4).

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::models::{Completion, ModelStep, Prompt, Provider, Step, Tokens, ToolCall};
use super::{ClientError, exchange};

const NAME: &str = "gemini";
/// Stands for the signature of a call that Gemini did not make itself (PROVIDERS 4, thoughtSignature).
const FOREIGN_SIGNATURE: &str = "skip_thought_signature_validator";

/// A client for one model.
#[derive(Debug, Clone)]
pub struct Gemini {
    http: reqwest::Client,
    url: String,
    key: SecretString,
    model: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Option<Value>,
    #[serde(default)]
    usage_metadata: Usage,
    #[serde(default)]
    model_version: Option<String>,
}

#[derive(Deserialize)]
struct Candidate {
    #[serde(default)]
    content: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    prompt_token_count: i64,
    #[serde(default)]
    candidates_token_count: i64,
    #[serde(default)]
    thoughts_token_count: i64,
}

impl Gemini {
    /// `url` is the base without version, e.g. `https://generativelanguage.googleapis.com`.
    #[must_use]
    pub fn new(http: reqwest::Client, url: &str, key: SecretString, model: &str) -> Self {
        Self { http, url: url.trim_end_matches('/').to_owned(), key, model: model.to_owned() }
    }

    /// The model that is asked.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// One call.
    ///
    /// # Errors
    /// See [`ClientError`]; a blocked or empty answer is [`ClientError::Useless`].
    pub async fn generate(&self, prompt: &Prompt, deadline: Duration) -> Result<Completion, ClientError> {
        let request = self
            .http
            .post(format!("{}/v1beta/models/{}:generateContent", self.url, self.model))
            .header("x-goog-api-key", self.key.expose_secret())
            .json(&encode(prompt));
        let (status, _, body) = exchange(NAME, request, deadline).await?;
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &body));
        }
        self.decode(&body)
    }

    fn decode(&self, body: &[u8]) -> Result<Completion, ClientError> {
        let answer: Answer =
            serde_json::from_slice(body).map_err(|_| ClientError::Unknown { provider: NAME, reason: "answer is not JSON".to_owned() })?;
        let Some(content) = answer.candidates.into_iter().next().and_then(|candidate| candidate.content) else {
            let reason = if answer.prompt_feedback.is_some() { "prompt blocked" } else { "no candidate" };
            return Err(ClientError::Useless { provider: NAME, reason });
        };
        let (mut text, mut calls) = (String::new(), Vec::new());
        for part in content.get("parts").and_then(Value::as_array).into_iter().flatten() {
            if part.get("thought").and_then(Value::as_bool) == Some(true) {
                continue;
            }
            if let Some(call) = part.get("functionCall") {
                let name = call.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let id = call.get("id").and_then(Value::as_str).map_or_else(|| format!("call_{}", calls.len()), str::to_owned);
                calls.push(ToolCall { id, name, args: call.get("args").cloned().unwrap_or_else(|| json!({})) });
            } else if let Some(words) = part.get("text").and_then(Value::as_str) {
                text.push_str(words);
            }
        }
        if text.trim().is_empty() && calls.is_empty() {
            return Err(ClientError::Useless { provider: NAME, reason: "no parts" });
        }
        let usage = answer.usage_metadata;
        Ok(Completion {
            step: ModelStep { text: (!text.trim().is_empty()).then_some(text), calls, gemini_content: Some(content) },
            tokens: Tokens { input: usage.prompt_token_count, output: usage.candidates_token_count + usage.thoughts_token_count },
            provider: Provider::Gemini,
            model: answer.model_version.unwrap_or_else(|| self.model.clone()),
            also_asked: None,
        })
    }
}

fn encode(prompt: &Prompt) -> Value {
    let contents: Vec<Value> = prompt.steps.iter().map(encode_step).collect();
    let mut body = json!({
        "systemInstruction": {"parts": [{"text": prompt.system}]},
        "contents": contents,
        "generationConfig": {"temperature": 0.3, "maxOutputTokens": prompt.max_tokens},
    });
    if !prompt.tools.is_empty() {
        let declarations: Vec<Value> = prompt
            .tools
            .iter()
            .map(|tool| json!({"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}))
            .collect();
        body["tools"] = json!([{"functionDeclarations": declarations}]);
        body["toolConfig"] = json!({"functionCallingConfig": {"mode": "AUTO"}});
    }
    body
}

fn encode_step(step: &Step) -> Value {
    match step {
        Step::User(text) => json!({"role": "user", "parts": [{"text": text}]}),
        Step::Model(ModelStep { gemini_content: Some(content), .. }) => content.clone(),
        Step::Model(ModelStep { text, calls, .. }) => {
            let mut parts: Vec<Value> = text.iter().map(|text| json!({"text": text})).collect();
            for (index, call) in calls.iter().enumerate() {
                let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": as_object(&call.args)}});
                if index == 0 {
                    part["thoughtSignature"] = json!(FOREIGN_SIGNATURE);
                }
                parts.push(part);
            }
            json!({"role": "model", "parts": parts})
        }
        Step::Tools(outcomes) => {
            let parts: Vec<Value> = outcomes
                .iter()
                .map(
                    |outcome| json!({"functionResponse": {"id": outcome.id, "name": outcome.name, "response": as_object(&outcome.result)}}),
                )
                .collect();
            json!({"role": "user", "parts": parts})
        }
    }
}

fn as_object(value: &Value) -> Value {
    if value.is_object() { value.clone() } else { json!({"output": value}) }
}

fn refusal(status: u16, body: &[u8]) -> ClientError {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    // The body is sometimes a one-element array (PROVIDERS 4, Errors).
    let error = parsed.get(0).unwrap_or(&parsed).get("error").cloned().unwrap_or_default();
    let code = error.get("status").and_then(Value::as_str).map_or_else(|| status.to_string(), str::to_owned);
    let details = error.get("details").and_then(Value::as_array).cloned().unwrap_or_default();
    let retry_delay = details
        .iter()
        .find_map(|detail| detail.get("retryDelay").and_then(Value::as_str))
        .and_then(|delay| delay.trim_end_matches('s').parse::<f64>().ok())
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        .map(|seconds| Duration::from_secs_f64(seconds.min(86_400.0)));
    let per_day = details.iter().any(|detail| {
        detail.get("violations").and_then(Value::as_array).is_some_and(|violations| {
            violations.iter().any(|violation| violation.get("quotaId").and_then(Value::as_str).is_some_and(|id| id.contains("PerDay")))
        })
    });
    match status {
        429 if per_day => ClientError::Busy { provider: NAME, code: "quota_per_day".to_owned(), after: Some(Duration::from_mins(10)) },
        429 => ClientError::Busy { provider: NAME, code, after: retry_delay },
        408 | 500..=599 => ClientError::Busy { provider: NAME, code, after: None },
        _ => ClientError::Refused { provider: NAME, code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_answer_keeps_its_signature_and_a_foreign_call_gets_the_literal() {
        let original = json!({"role": "model", "parts": [{"functionCall": {"name": "a", "args": {}}, "thoughtSignature": "c2ln"}]});
        let own = Step::Model(ModelStep { gemini_content: Some(original.clone()), ..ModelStep::default() });
        assert_eq!(encode_step(&own), original);
        let call = ToolCall { id: "1".into(), name: "a".into(), args: Value::Null };
        let foreign = encode_step(&Step::Model(ModelStep { calls: vec![call.clone(), call], ..ModelStep::default() }));
        assert_eq!(foreign["parts"][0]["thoughtSignature"], FOREIGN_SIGNATURE);
        assert!(foreign["parts"][1].get("thoughtSignature").is_none());
    }

    #[test]
    fn an_error_in_an_array_and_its_retry_delay_are_read() {
        let body = br#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"38.2s"}]}}]"#;
        match refusal(429, body) {
            ClientError::Busy { after: Some(after), .. } => assert_eq!(after, Duration::from_millis(38_200)),
            other => panic!("{other:?}"),
        }
    }
}
