//! The control API and the phone page.

use frontdesk_sandbox::Customer;
use serde_json::{Value, json};

use crate::bench::*;

async fn get(bench: &Bench, path: &str) -> Value {
    bench.client.get(bench.url(path)).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn customer_message_over_the_control_api_reaches_the_product() {
    let bench = Bench::new().await;
    let body = json!({ "account": WHATSAPP, "customer": { "phone": "+1 650 555 0199", "name": "Élodie" },
        "message": { "type": "text", "text": "hi over http" } });
    let (status, answer) = bench.post("/control/messages", "", &body).await;
    assert_eq!(status, 200, "{answer}");
    let seen = bench.wait_for_webhooks(1, "hi over http").await;
    assert_eq!(seen[0]["entry"][0]["changes"][0]["value"]["messages"][0]["id"], answer["id"]);
    let chat = get(&bench, &format!("/control/transcript?account={WHATSAPP}&customer={PHONE}")).await;
    assert_eq!(chat["entries"][0]["text"], "hi over http");
    let (status, answer) =
        bench.post("/control/messages", "", &json!({ "account": "1", "customer": {}, "message": { "type": "audio" } })).await;
    assert_eq!((status, &answer["error"]), (422, &json!("no such account")));
}

#[tokio::test]
async fn waiting_for_a_send_ends_when_it_comes() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let url = bench.url(&format!("/control/sends?account={WHATSAPP}&customer={PHONE}&after=0&wait_ms=20000"));
    let waiting = tokio::spawn(bench.client.get(url).send());
    let body = json!({ "messaging_product": "whatsapp", "to": format!("+{PHONE}"), "type": "text", "text": { "body": "here" } });
    bench.send_whatsapp(&body).await;
    let found: Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!((found["items"][0]["text"].as_str(), found["items"].as_array().unwrap().len()), (Some("here"), 1));
    assert!(found["items"][0]["received_at_ms"].as_i64().unwrap() > 0);
    let later = get(&bench, &format!("/control/sends?account={WHATSAPP}&after={}", found["last"])).await;
    assert_eq!(later["items"], json!([]));
}

#[tokio::test]
async fn batch_puts_many_messages_into_one_post_and_copies_it() {
    let bench = Bench::new().await;
    let messages: Vec<Value> = (0..40)
        .map(|i| {
            json!({ "account": WHATSAPP, "customer": { "phone": format!("1650555{i:04}") }, "message": { "type": "text", "text": "batch" } })
        })
        .collect();
    let body = json!({ "messages": messages, "copies": 3, "shuffle": true, "bad_entry": true, "wait": true });
    let (status, answer) = bench.post("/control/batch", "", &body).await;
    assert_eq!((status, answer["ids"].as_array().unwrap().len()), (200, 40));
    let arrived = bench.arrived();
    assert_eq!(arrived.len(), 3);
    let changes: usize = arrived[0].json()["entry"].as_array().unwrap().iter().filter_map(|e| Some(e["changes"].as_array()?.len())).sum();
    assert_eq!(changes, 40);
}

#[tokio::test]
async fn faults_are_set_and_cleared_per_target_and_account() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let put = |path: &str, body: Value| bench.client.put(bench.url(path)).json(&body).send();
    let path = format!("/control/faults/meta?account={WHATSAPP}");
    let error = json!({ "failure": { "kind": "error", "code": 130_429 }, "times": 1 });
    assert_eq!(put(&path, error).await.unwrap().status(), 200);
    let body = json!({ "messaging_product": "whatsapp", "to": format!("+{PHONE}"), "type": "text", "text": { "body": "x" } });
    let (status, answer) = bench.send_whatsapp(&body).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(130_429)));
    assert_eq!(bench.send_whatsapp(&body).await.0, 200);
    assert_eq!(put("/control/faults/brain", json!({ "misbehaviour": "answer_nothing" })).await.unwrap().status(), 200);
    assert_eq!(get(&bench, "/control/faults").await["brain"]["misbehaviour"], "answer_nothing");
    assert_eq!(put("/control/faults/gemini", json!({ "latencyms": 4 })).await.unwrap().status(), 422);
    assert_eq!(put("/control/faults/moon", json!({})).await.unwrap().status(), 422);
    bench.client.delete(bench.url("/control/faults")).send().await.unwrap();
    assert_eq!(get(&bench, "/control/faults").await["brain"]["misbehaviour"], "none");
}

#[tokio::test]
async fn verification_call_succeeds_only_with_the_challenge_as_answer() {
    let bench = Bench::new().await;
    let (_, answer) = bench.post("/control/verify", "", &json!({})).await;
    assert_eq!((&answer["verified"], &answer["answer"]), (&json!(true), &answer["challenge"]));
}

#[tokio::test]
async fn new_account_can_be_registered_and_used() {
    let bench = Bench::new().await;
    let account = json!({ "platform": "messenger", "id": "5551", "shop": "Third", "token": "t3" });
    assert_eq!(bench.post("/control/accounts", "", &account).await.0, 200);
    bench.says("5551", &Customer::with_psid("77", "Bo"), "hello third");
    bench.wait_for_webhooks(1, "hello third").await;
    let body = json!({ "recipient": { "id": "77" }, "message": { "text": "hello Bo" } });
    assert_eq!(bench.post("/graph/v26.0/me/messages", "t3", &body).await.0, 200);
    assert_eq!(get(&bench, "/control/accounts").await.as_array().unwrap().len(), 7);
    assert_eq!(bench.post("/control/reset", "", &json!({})).await.0, 200);
    assert!(bench.sandbox.state().sends().is_empty());
}

#[tokio::test]
async fn phone_page_and_its_parts_are_served_and_events_tell_of_a_reply() {
    use futures_util::StreamExt as _;
    let bench = Bench::new().await;
    for (path, kind) in
        [("/", "text/html"), ("/phone/phone.css", "text/css"), ("/phone/phone.js", "text/javascript"), ("/phone/sample.png", "image/png")]
    {
        let response = bench.client.get(bench.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
    bench.open_whatsapp();
    let events = bench.client.get(bench.url(&format!("/phone/events?account={WHATSAPP}"))).send().await.unwrap();
    let mut events = events.bytes_stream();
    let body = json!({ "messaging_product": "whatsapp", "to": format!("+{PHONE}"), "type": "text", "text": { "body": "live" } });
    bench.send_whatsapp(&body).await;
    let mut seen = String::new();
    while !seen.contains("\"live\"") {
        let chunk = tokio::time::timeout(LONG, events.next()).await.unwrap().unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(seen.contains("\"change\":\"entry\""));
}

#[tokio::test]
async fn sandbox_stops_at_once_although_a_call_hangs() {
    let bench = Bench::new().await;
    bench.sandbox.state().faults(|f| f.openai.failure = Some(frontdesk_sandbox::faults::ModelFailure::Hang));
    let url = bench.url("/openai/v1/chat/completions");
    let hung = tokio::spawn(bench.client.post(url).json(&json!({ "model": "gpt-6-luna" })).send());
    let arrived = tokio::time::timeout(LONG, async {
        while bench.sandbox.state().model_calls().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    arrived.await.unwrap();
    tokio::time::timeout(LONG, bench.sandbox.stop()).await.unwrap();
    assert_eq!(hung.await.unwrap().unwrap().status(), 503);
}
