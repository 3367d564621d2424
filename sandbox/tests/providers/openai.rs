//! OpenAI's endpoint: what it insists on, what it answers, how it breaks.

use frontdesk_sandbox::faults::{Misbehaviour, ModelFailure, ModelFaults};
use serde_json::{Value, json};

use crate::bench::*;

const PATH: &str = "/openai/v1/chat/completions";

async fn ask(bench: &Bench, body: &Value) -> (u16, Value) {
    bench.post(PATH, "sk-test", body).await
}

fn tools() -> Value {
    json!([{ "type": "function", "function": {
        "name": "search_products",
        "description": "Searches the shop's products",
        "parameters": { "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] },
    } }])
}

fn body(messages: Value) -> Value {
    json!({ "model": "gpt-6-luna", "messages": messages, "tools": tools(), "max_completion_tokens": 512 })
}

fn called(arguments: Value) -> Value {
    json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": "call_1", "type": "function", "function": { "name": "search_products", "arguments": arguments } },
        { "id": "call_2", "type": "function", "function": { "name": "search_products", "arguments": arguments } },
    ] })
}

fn tool(id: &str) -> Value {
    json!({ "role": "tool", "tool_call_id": id, "content": "{\"products\":[]}" })
}

#[tokio::test]
async fn answer_has_the_real_shape() {
    let bench = Bench::new().await;
    let (status, answer) = ask(&bench, &body(json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "hello" }]))).await;
    assert_eq!(status, 200, "{answer}");
    let choice = &answer["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["role"]), (&json!("stop"), &json!("assistant")));
    assert!(!choice["message"]["content"].as_str().unwrap().is_empty());
    let usage = &answer["usage"];
    assert_eq!(usage["total_tokens"], usage["prompt_tokens"].as_i64().unwrap() + usage["completion_tokens"].as_i64().unwrap());
}

#[tokio::test]
async fn every_tool_call_must_be_answered_before_the_next_turn() {
    let bench = Bench::new().await;
    let user = json!({ "role": "user", "content": "red?" });
    let arguments = json!("{\"query\":\"red\"}");
    let (status, answer) = ask(&bench, &body(json!([user, called(arguments.clone()), tool("call_1")]))).await;
    assert_eq!(status, 400);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("did not have response messages: call_2"), "{message}");
    assert_eq!(ask(&bench, &body(json!([user, called(arguments.clone()), tool("call_1"), user, tool("call_2")]))).await.0, 400);
    assert_eq!(ask(&bench, &body(json!([user, tool("call_1")]))).await.0, 400);
    assert_eq!(ask(&bench, &body(json!([user, called(json!({ "query": "red" })), tool("call_1"), tool("call_2")]))).await.0, 400);
    assert_eq!(ask(&bench, &body(json!([user, called(arguments), tool("call_2"), tool("call_1")]))).await.0, 200);
}

#[tokio::test]
async fn key_and_parameters_are_checked() {
    let bench = Bench::new().await;
    let good = body(json!([{ "role": "user", "content": "hello" }]));
    let (status, answer) = bench.post(PATH, "invalid", &good).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!("invalid_api_key")));
    let mut old = good.clone();
    old["max_tokens"] = 5.into();
    let (status, answer) = ask(&bench, &old).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("unsupported_parameter")));
    let mut dotted = good;
    dotted["tools"][0]["function"]["name"] = "search.products".into();
    let (status, answer) = ask(&bench, &dotted).await;
    assert_eq!(status, 400);
    let keys: Vec<&String> = answer["error"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "message", "param", "type"]);
}

#[tokio::test]
async fn arguments_are_a_string_and_broken_on_command() {
    let bench = Bench::new().await;
    bench.sandbox.state().faults(|f| f.brain.misbehaviour = Misbehaviour::Loop);
    let asked = body(json!([
        { "role": "system", "content": "You answer for a shop. Search before you answer." },
        { "role": "user", "content": "do you have red sneakers in 42?" },
    ]));
    let (_, answer) = ask(&bench, &asked).await;
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls", "the looping model calls a tool: {answer}");
    assert!(serde_json::from_str::<Value>(call["function"]["arguments"].as_str().unwrap()).unwrap().is_object());
    bench.sandbox.state().faults(|f| f.openai.failure = Some(ModelFailure::BrokenArguments));
    let (_, answer) = ask(&bench, &asked).await;
    let broken = answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(broken).is_err(), "{broken}");
}

#[tokio::test]
async fn both_kinds_of_429_can_be_told_apart() {
    let bench = Bench::new().await;
    let good = body(json!([{ "role": "user", "content": "hello" }]));
    let fail = |failure| {
        bench.sandbox.state().faults(|f| f.openai = ModelFaults { failure: Some(failure), ..Default::default() });
        bench.client.post(bench.url(PATH)).bearer_auth("sk-test").json(&good).send()
    };
    let limited = fail(ModelFailure::RateLimit { retry_after_ms: Some(1_500) }).await.unwrap();
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after-ms"], &limited.headers()["retry-after"]),
        (429, &"1500".parse().unwrap(), &"2".parse().unwrap())
    );
    assert_eq!(limited.json::<Value>().await.unwrap()["error"]["code"], "rate_limit_exceeded");
    let broke = fail(ModelFailure::QuotaExhausted).await.unwrap();
    assert_eq!((broke.status().as_u16(), broke.headers().get("retry-after")), (429, None));
    assert_eq!(broke.json::<Value>().await.unwrap()["error"]["type"], "insufficient_quota");
}
