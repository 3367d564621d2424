//! Gemini's endpoint: what it insists on, what it answers, how it breaks.

use frontdesk_sandbox::faults::{Misbehaviour, ModelFailure, ModelFaults};
use serde_json::{Value, json};

use crate::bench::*;

const PATH: &str = "/gemini/v1beta/models/gemini-3.8-flash:generateContent";

async fn ask_with_key(bench: &Bench, key: &str, body: &Value) -> (u16, Value) {
    let response = bench.client.post(bench.url(PATH)).header("x-goog-api-key", key).json(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

async fn ask(bench: &Bench, body: &Value) -> (u16, Value) {
    ask_with_key(bench, "key", body).await
}

fn search() -> Value {
    json!([{ "functionDeclarations": [{
        "name": "search_products",
        "description": "Searches the shop's products",
        "parameters": { "type": "OBJECT", "properties": { "query": { "type": "STRING" } }, "required": ["query"] },
    }] }])
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "parts": [{ "text": text }] })
}

fn call(signature: Option<&str>) -> Value {
    let mut part = json!({ "functionCall": { "id": "fc1", "name": "search_products", "args": { "query": "red" } } });
    if let Some(signature) = signature {
        part["thoughtSignature"] = signature.into();
    }
    json!({ "role": "model", "parts": [part] })
}

fn result() -> Value {
    let response = json!({ "output": { "products": [] } });
    json!({ "role": "user", "parts": [{ "functionResponse": { "id": "fc1", "name": "search_products", "response": response } }] })
}

#[tokio::test]
async fn answer_has_the_real_shape() {
    let bench = Bench::new().await;
    let (status, answer) = ask(&bench, &json!({ "contents": [user("hello")] })).await;
    assert_eq!(status, 200, "{answer}");
    let candidate = &answer["candidates"][0];
    assert_eq!((&candidate["finishReason"], &candidate["content"]["role"]), (&json!("STOP"), &json!("model")));
    assert!(!candidate["content"]["parts"][0]["text"].as_str().unwrap().is_empty());
    let usage = &answer["usageMetadata"];
    let sum: i64 = ["promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"].iter().map(|k| usage[k].as_i64().unwrap()).sum();
    assert_eq!(usage["totalTokenCount"], sum);
    let call = &bench.sandbox.state().model_calls()[0];
    assert_eq!((call.provider.as_str(), call.status), ("gemini", Some(200)));
    assert!(call.answered_at_ms.unwrap() >= call.received_at_ms);
}

#[tokio::test]
async fn missing_or_invalid_key_is_400() {
    let bench = Bench::new().await;
    let body = json!({ "contents": [user("hello")] });
    for key in ["", "invalid-key"] {
        let (status, answer) = ask_with_key(&bench, key, &body).await;
        assert_eq!((status, &answer["error"]["details"][0]["reason"]), (400, &json!("API_KEY_INVALID")));
    }
}

#[tokio::test]
async fn malformed_conversations_are_refused_with_the_real_words() {
    let bench = Bench::new().await;
    let wrong = [
        (json!({ "contents": [] }), "not specified"),
        (json!({ "contents": [{ "role": "model", "parts": [{ "text": "hi" }] }] }), "first turn is a user turn"),
        (json!({ "contents": [{ "role": "assistant", "parts": [{ "text": "hi" }] }] }), "first turn is a user turn"),
        (json!({ "contents": [user("a"), { "role": "assistant", "parts": [{ "text": "hi" }] }] }), "valid role"),
        (json!({ "contents": [user("a"), result()], "tools": search() }), "immediately after a function call turn"),
        (json!({ "contents": [user("a"), call(Some("skip_thought_signature_validator"))] }), "number of function response parts"),
        (json!({ "contents": [user("a")], "tools": [search()[0], search()[0]] }), "Multiple tools"),
        (json!({ "contents": [user("a")], "messages": [] }), "Unknown name"),
        (json!({ "contents": [{ "role": "user", "parts": [] }] }), "must not be empty"),
        (
            json!({ "contents": [user("a")], "tools": [{ "functionDeclarations": [{ "name": "f", "parameters":
                { "type": "OBJECT", "properties": {}, "additionalProperties": false } }] }] }),
            "additionalProperties",
        ),
    ];
    for (body, words) in wrong {
        let (status, answer) = ask(&bench, &body).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{body}");
        assert!(message.contains(words), "{message:?} should say {words:?}");
    }
}

#[tokio::test]
async fn replayed_call_needs_its_own_signature_or_the_word_that_skips_the_check() {
    let bench = Bench::new().await;
    let with = |signature| json!({ "contents": [user("red ones?"), call(signature), result()], "tools": search() });
    let (status, answer) = ask(&bench, &with(None)).await;
    assert_eq!(status, 400);
    assert!(answer["error"]["message"].as_str().unwrap().contains("missing a thought_signature"));
    assert_eq!(ask(&bench, &with(Some("bWFkZSB1cA=="))).await.0, 400);
    assert_eq!(ask(&bench, &with(Some("skip_thought_signature_validator"))).await.0, 200);
}

#[tokio::test]
async fn call_that_the_model_made_itself_can_be_replayed_unchanged_but_not_altered() {
    let bench = Bench::new().await;
    bench.sandbox.state().faults(|f| f.brain.misbehaviour = Misbehaviour::Loop);
    let system = json!({ "parts": [{ "text": "You answer for a shop. Search before you answer." }] });
    let ask_body = |contents: Value| json!({ "systemInstruction": system, "contents": contents, "tools": search() });
    let (status, answer) = ask(&bench, &ask_body(json!([user("do you have red sneakers in 42?")]))).await;
    assert_eq!(status, 200, "{answer}");
    let content = answer["candidates"][0]["content"].clone();
    let made = content["parts"][0]["functionCall"].clone();
    assert!(made["name"].is_string(), "the looping model calls a tool: {answer}");
    let response = json!({ "role": "user", "parts": [{ "functionResponse": { "id": made["id"], "name": made["name"], "response": {} } }] });
    let replay = |content: &Value| ask_body(json!([user("do you have red sneakers in 42?"), content, response]));
    assert_eq!(ask(&bench, &replay(&content)).await.0, 200);
    let mut altered = content.clone();
    altered["parts"][0]["functionCall"]["args"] = json!({ "query": "something else" });
    assert_eq!(ask(&bench, &replay(&altered)).await.0, 400);
}

#[tokio::test]
async fn of_parallel_calls_only_the_first_needs_a_signature() {
    let bench = Bench::new().await;
    let part = |id: &str| json!({ "functionCall": { "id": id, "name": "search_products", "args": {} } });
    let answer = |id: &str| json!({ "functionResponse": { "id": id, "name": "search_products", "response": {} } });
    let mut first = part("a");
    first["thoughtSignature"] = "skip_thought_signature_validator".into();
    let body = |results: Value| {
        json!({ "contents": [user("x"), { "role": "model", "parts": [first, part("b")] }, { "role": "user", "parts": results }],
            "tools": search() })
    };
    assert_eq!(ask(&bench, &body(json!([answer("a"), answer("b")]))).await.0, 200);
    assert_eq!(ask(&bench, &body(json!([answer("a")]))).await.0, 400);
    assert_eq!(ask(&bench, &body(json!([answer("b"), answer("a")]))).await.0, 400);
}

#[tokio::test]
async fn errors_have_the_real_bodies() {
    let bench = Bench::new().await;
    let body = json!({ "contents": [user("hello")] });
    let fail = |failure| {
        bench.sandbox.state().faults(|f| f.gemini = ModelFaults { failure: Some(failure), ..Default::default() });
        ask(&bench, &body)
    };
    let (status, answer) = fail(ModelFailure::RateLimit { retry_after_ms: Some(38_200) }).await;
    assert_eq!((status, &answer["error"]["status"]), (429, &json!("RESOURCE_EXHAUSTED")));
    assert_eq!(answer["error"]["details"][2]["retryDelay"], "38.200s");
    let (_, answer) = fail(ModelFailure::RateLimit { retry_after_ms: None }).await;
    assert!(!answer.to_string().contains("RetryInfo"));
    let (_, answer) = fail(ModelFailure::QuotaExhausted).await;
    assert!(answer["error"]["details"][0]["violations"][0]["quotaId"].as_str().unwrap().contains("PerDay"));
    let (status, answer) = fail(ModelFailure::Unavailable).await;
    assert_eq!((status, &answer[0]["error"]["status"]), (503, &json!("UNAVAILABLE")));
    let (status, answer) = fail(ModelFailure::NoCandidates).await;
    assert_eq!((status, answer.get("candidates")), (200, None));
    let (_, answer) = fail(ModelFailure::NoParts).await;
    assert_eq!(answer["candidates"][0]["content"], json!({ "role": "model" }));
    let (_, answer) = fail(ModelFailure::MaxTokens).await;
    assert_eq!(answer["candidates"][0]["finishReason"], "MAX_TOKENS");
}

#[tokio::test]
async fn broken_answers_break_in_their_own_way() {
    let bench = Bench::new().await;
    let body = json!({ "contents": [user("hello")] });
    let get = |failure| {
        bench.sandbox.state().faults(|f| f.gemini = ModelFaults { failure: Some(failure), ..Default::default() });
        bench.client.post(bench.url(PATH)).header("x-goog-api-key", "key").json(&body).send()
    };
    let half = get(ModelFailure::HalfJson).await.unwrap().text().await.unwrap();
    assert!(half.starts_with('{') && serde_json::from_str::<Value>(&half).is_err());
    let garbage = get(ModelFailure::Garbage).await.unwrap().bytes().await.unwrap();
    assert_eq!(garbage.len(), 5 << 20);
    let cut = get(ModelFailure::Cut).await.unwrap().bytes().await;
    assert!(cut.is_err(), "the connection breaks before the promised length");
    let hung = bench.client.post(bench.url(PATH)).header("x-goog-api-key", "key").timeout(std::time::Duration::from_millis(200));
    bench.sandbox.state().faults(|f| f.gemini.failure = Some(ModelFailure::Hang));
    assert!(hung.json(&body).send().await.unwrap_err().is_timeout());
    let calls = bench.sandbox.state().model_calls();
    assert_eq!(calls.last().unwrap().answered_at_ms, None);
}
