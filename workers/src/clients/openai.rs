//! OpenAI's `chat/completions`, or any server that speaks its form (PROVIDERS 5).

use std::time::Duration;

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::models::{Completion, ModelStep, Prompt, Provider, Step, Tokens, ToolCall};
use super::{ClientError, exchange};

const NAME: &str = "openai";

/// A client for one model.
#[derive(Debug, Clone)]
pub struct OpenAi {
    http: reqwest::Client,
    url: String,
    key: SecretString,
    model: String,
}

impl OpenAi {
    /// `url` is the base with version, e.g. `https://api.openai.com/v1`.
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
    /// See [`ClientError`]; an answer without text and calls is [`ClientError::Useless`].
    pub async fn complete(&self, prompt: &Prompt, deadline: Duration) -> Result<Completion, ClientError> {
        let request =
            self.http.post(format!("{}/chat/completions", self.url)).bearer_auth(self.key.expose_secret()).json(&self.encode(prompt));
        let (status, headers, body) = exchange(NAME, request, deadline).await?;
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &headers, &body));
        }
        self.decode(&body)
    }

    fn encode(&self, prompt: &Prompt) -> Value {
        let mut messages = vec![json!({"role": "system", "content": prompt.system})];
        for step in &prompt.steps {
            match step {
                Step::User(text) => messages.push(json!({"role": "user", "content": text})),
                Step::Model(ModelStep { text, calls, .. }) => {
                    let mut message = json!({"role": "assistant", "content": text});
                    if !calls.is_empty() {
                        let calls: Vec<Value> = calls
                            .iter()
                            .map(|call| {
                                json!({"id": call.id, "type": "function",
                                    "function": {"name": call.name, "arguments": call.args.to_string()}})
                            })
                            .collect();
                        message["tool_calls"] = Value::Array(calls);
                    }
                    messages.push(message);
                }
                Step::Tools(outcomes) => messages.extend(
                    outcomes
                        .iter()
                        .map(|outcome| json!({"role": "tool", "tool_call_id": outcome.id, "content": outcome.result.to_string()})),
                ),
            }
        }
        let mut body = json!({"model": self.model, "messages": messages, "max_completion_tokens": prompt.max_tokens});
        if !prompt.tools.is_empty() {
            let tools: Vec<Value> = prompt
                .tools
                .iter()
                .map(|tool| {
                    json!({"type": "function",
                        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
                })
                .collect();
            body["tools"] = Value::Array(tools);
            body["tool_choice"] = json!("auto");
        }
        body
    }

    fn decode(&self, body: &[u8]) -> Result<Completion, ClientError> {
        let answer: Value =
            serde_json::from_slice(body).map_err(|_| ClientError::Unknown { provider: NAME, reason: "answer is not JSON".to_owned() })?;
        let message = &answer["choices"][0]["message"];
        let text = message["content"].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let calls: Vec<ToolCall> = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|call| ToolCall {
                id: call["id"].as_str().unwrap_or_default().to_owned(),
                name: call["function"]["name"].as_str().unwrap_or_default().to_owned(),
                // `arguments` is a string, and not always JSON.
                args: call["function"]["arguments"].as_str().and_then(|args| serde_json::from_str(args).ok()).unwrap_or(Value::Null),
            })
            .collect();
        if text.is_none() && calls.is_empty() {
            return Err(ClientError::Useless { provider: NAME, reason: "neither text nor calls" });
        }
        Ok(Completion {
            step: ModelStep { text, calls, gemini_content: None },
            tokens: Tokens {
                input: answer["usage"]["prompt_tokens"].as_i64().unwrap_or(0),
                output: answer["usage"]["completion_tokens"].as_i64().unwrap_or(0),
            },
            provider: Provider::Openai,
            model: answer["model"].as_str().unwrap_or(&self.model).to_owned(),
            also_asked: None,
        })
    }
}

fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> ClientError {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = parsed["error"]["code"].as_str().map_or_else(|| status.to_string(), str::to_owned);
    let number = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<u64>().ok());
    let after = number("retry-after-ms").map(Duration::from_millis).or_else(|| number("retry-after").map(Duration::from_secs));
    match status {
        429 if code == "insufficient_quota" => ClientError::Refused { provider: NAME, code },
        408 | 409 | 429 | 500..=599 => ClientError::Busy { provider: NAME, code, after },
        _ => ClientError::Refused { provider: NAME, code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_arguments_are_null_not_an_error() {
        let openai = OpenAi::new(super::super::http_client().unwrap(), "http://localhost", "k".to_owned().into(), "m");
        let body = br#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c","function":{"name":"a","arguments":"{\"x\":"}}]}}]}"#;
        let answer = openai.decode(body).unwrap();
        assert_eq!(answer.step.calls[0].args, Value::Null);
    }

    #[test]
    fn an_empty_wallet_is_not_retried() {
        let refused = refusal(429, &HeaderMap::new(), br#"{"error":{"code":"insufficient_quota"}}"#);
        assert!(matches!(refused, ClientError::Refused { .. }));
    }
}
