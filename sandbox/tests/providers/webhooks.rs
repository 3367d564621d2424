//! Delivery: exact bytes and signatures, retries, duplicates, batches.

use frontdesk_sandbox::faults::WebhookFaults;
use frontdesk_sandbox::signature::hub_signature;
use frontdesk_sandbox::{Customer, Inbound, SandboxConfig, Speed};
use serde_json::{Value, json};

use crate::bench::*;

#[tokio::test]
async fn webhook_is_escaped_and_signed_over_its_exact_bytes() {
    let bench = Bench::new().await;
    bench.says(WHATSAPP, &Customer::with_phone(PHONE, "Élodie"), "rouge 👟 https://x.y?");
    bench.wait_for_webhooks(1, "rouge").await;
    let arrived = &bench.arrived()[0];
    assert!(arrived.body.contains(r"rouge \ud83d\udc5f https:\/\/x.y?"), "{}", arrived.body);
    assert!(arrived.body.contains(r"\u00c9lodie"));
    assert_eq!(arrived.signature, hub_signature(&SandboxConfig::default().app_secret, arrived.body.as_bytes()));
    let value = &arrived.json()["entry"][0]["changes"][0]["value"];
    assert_eq!(value["metadata"], json!({ "display_phone_number": "15550100022", "phone_number_id": WHATSAPP }));
    assert_eq!(value["contacts"][0]["wa_id"], PHONE);
    assert_eq!(value["messages"][0]["text"]["body"], "rouge 👟 https://x.y?");
    assert!(value["messages"][0]["timestamp"].is_string());
}

#[tokio::test]
async fn instagram_login_is_signed_with_the_instagram_secret() {
    let bench = Bench::new().await;
    bench.open_instagram();
    bench.wait_for_webhooks(1, "\"hi\"").await;
    let arrived = &bench.arrived()[0];
    assert_eq!(arrived.signature, hub_signature(&SandboxConfig::default().instagram_app_secret, arrived.body.as_bytes()));
    assert_eq!(arrived.json()["object"], "instagram");
}

#[tokio::test]
async fn anything_but_200_is_retried_with_the_same_bytes_until_accepted() {
    let config = SandboxConfig { speed: Speed { retry_first_ms: 5, ..Speed::default() }, ..SandboxConfig::default() };
    let bench = Bench::with(config).await;
    bench.answer_webhooks_with(&[503, 204, 500]);
    bench.open_whatsapp();
    bench.wait_for_webhooks(1, "\"hi\"").await;
    let deliveries = bench.sandbox.state().deliveries();
    let statuses: Vec<_> = deliveries.iter().map(|d| (d.attempt, d.status)).collect();
    assert_eq!(statuses, [(1, Some(503)), (2, Some(204)), (3, Some(500)), (4, Some(200))]);
    let arrived = bench.arrived();
    assert!(arrived.iter().all(|a| a.body == arrived[0].body && a.signature == arrived[0].signature));
    assert!(deliveries.iter().all(|d| d.delivery == deliveries[0].delivery && !d.lost));
}

#[tokio::test]
async fn update_that_cannot_be_delivered_in_time_is_recorded_as_lost() {
    let speed = Speed { retry_first_ms: 5, give_up_ms: 30, ..Speed::default() };
    let bench = Bench::with(SandboxConfig { speed, ..SandboxConfig::default() }).await;
    bench.sandbox.set_webhook_url("http://127.0.0.1:1/nobody");
    bench.open_whatsapp();
    let lost = bench.sandbox.state().wait_for_deliveries(1, LONG, |d| d.lost).await;
    assert!(lost[0].attempt > 1 && lost[0].error.is_some());
}

#[tokio::test]
async fn page_whose_webhooks_fail_too_long_is_unsubscribed_until_it_subscribes_again() {
    let speed = Speed { retry_first_ms: 5, unsubscribe_ms: Some(10), give_up_ms: 60, ..Speed::default() };
    let bench = Bench::with(SandboxConfig { speed, ..SandboxConfig::default() }).await;
    bench.answer_webhooks_with(&[500; 100]);
    bench.open_messenger();
    bench.sandbox.state().wait_for_deliveries(1, LONG, |d| d.lost).await;
    let before = bench.arrived().len();
    bench.says(MESSENGER, &Customer::with_psid(PSID, "Ana"), "anybody?");
    let path = format!("/graph/v26.0/{MESSENGER}/subscribed_apps");
    assert_eq!(bench.post(&path, MESSENGER_TOKEN, &json!({})).await, (200, json!({ "success": true })));
    assert_eq!(bench.arrived().len(), before);
}

#[tokio::test]
async fn duplicates_carry_the_same_message_id() {
    let bench = Bench::new().await;
    bench.sandbox.state().faults(|f| f.webhooks.duplicates = 4);
    let id = bench.open_whatsapp();
    let seen = bench.wait_for_webhooks(5, &id).await;
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|w| w == &seen[0]));
}

#[tokio::test]
async fn updates_of_two_shops_travel_in_one_post_with_a_bad_entry_between_them() {
    let bench = Bench::new().await;
    let faults = WebhookFaults { batch_window_ms: 50, bad_entry: true, reorder: true, ..Default::default() };
    bench.sandbox.state().faults(|f| f.webhooks = faults);
    let customer = Customer::with_phone(PHONE, "Élodie");
    bench.says(WHATSAPP, &customer, "for northwind");
    bench.says("204411225588001", &customer, "for elodie");
    let seen = bench.wait_for_webhooks(1, "for northwind").await;
    let entries = seen[0]["entry"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1]["id"], 7);
    assert!(seen[0].to_string().contains("for elodie"));
}

#[tokio::test]
async fn wrong_signature_and_drop_happen_on_command_and_for_as_often_as_asked() {
    let bench = Bench::new().await;
    let state = bench.sandbox.state();
    state.faults(|f| f.webhooks = WebhookFaults { wrong_signature: true, times: Some(1), ..Default::default() });
    bench.open_whatsapp();
    bench.wait_for_webhooks(1, "\"hi\"").await;
    bench.says(WHATSAPP, &Customer::with_phone(PHONE, "Élodie"), "second");
    bench.wait_for_webhooks(1, "second").await;
    let right: Vec<bool> =
        bench.arrived().iter().map(|a| a.signature == hub_signature(&SandboxConfig::default().app_secret, a.body.as_bytes())).collect();
    assert_eq!(right, [false, true]);
    state.faults(|f| f.webhooks = WebhookFaults { drop: true, ..Default::default() });
    bench.says(WHATSAPP, &Customer::with_phone(PHONE, "Élodie"), "third");
    let lost = state.wait_for_deliveries(1, LONG, |d| d.lost).await;
    assert_eq!((lost.len(), bench.arrived().len()), (1, 2));
}

#[tokio::test]
async fn every_kind_of_message_has_the_shape_of_its_platform() {
    let bench = Bench::new().await;
    let state = bench.sandbox.state();
    let whatsapp = |w: &Value| w["entry"][0]["changes"][0]["value"]["messages"][0].clone();
    let customer = Customer::with_phone(PHONE, "Élodie");
    let button = Inbound::Button { id: "yes-1".into(), title: "Yes".into(), reply_to: Some("wamid.x".into()) };
    let id = state.customer_says(WHATSAPP, &customer, &button).unwrap();
    let message = whatsapp(&bench.wait_for_webhooks(1, &id).await[0]);
    assert_eq!(message["interactive"], json!({ "type": "button_reply", "button_reply": { "id": "yes-1", "title": "Yes" } }));
    assert_eq!(message["context"]["id"], "wamid.x");
    let place = Inbound::Location { latitude: 48.85, longitude: 2.35 };
    let id = state.customer_says(WHATSAPP, &customer, &place).unwrap();
    let message = whatsapp(&bench.wait_for_webhooks(1, &id).await[0]);
    assert_eq!(message["location"], json!({ "latitude": 48.85, "longitude": 2.35 }));
    let id = state.customer_says(WHATSAPP, &customer, &Inbound::Unsupported).unwrap();
    assert_eq!(whatsapp(&bench.wait_for_webhooks(1, &id).await[0])["errors"][0]["code"], 131_051);

    let ana = Customer::with_psid(PSID, "Ana");
    let tap = Inbound::Button { id: "slot:1".into(), title: "Sat".into(), reply_to: None };
    let id = state.customer_says(MESSENGER, &ana, &tap).unwrap();
    let item = bench.wait_for_webhooks(1, &id).await[0]["entry"][0]["messaging"][0].clone();
    assert_eq!(item["message"], json!({ "mid": id, "text": "Sat", "quick_reply": { "payload": "slot:1" } }));
    assert_eq!((&item["sender"]["id"], &item["recipient"]["id"]), (&json!(PSID), &json!(MESSENGER)));
    let first = bench.open_instagram();
    let gone = Inbound::Deleted { message_id: first.clone() };
    state.customer_says(INSTAGRAM, &ana, &gone).unwrap();
    let item = bench.wait_for_webhooks(1, "is_deleted").await[0]["entry"][0]["messaging"][0].clone();
    assert_eq!(item["message"], json!({ "mid": first, "is_deleted": true }));
}

#[tokio::test]
async fn human_answer_comes_as_a_foreign_echo() {
    let bench = Bench::new().await;
    let state = bench.sandbox.state();
    bench.open_whatsapp();
    bench.open_messenger();
    state.human_answers(WHATSAPP, PHONE, "I am on it").unwrap();
    state.human_answers(MESSENGER, PSID, "me too").unwrap();
    let change = bench.wait_for_webhooks(1, "I am on it").await[0]["entry"][0]["changes"][0].clone();
    assert_eq!((&change["field"], &change["value"]["message_echoes"][0]["to"]), (&json!("smb_message_echoes"), &json!(PHONE)));
    let item = bench.wait_for_webhooks(1, "me too").await[0]["entry"][0]["messaging"][0].clone();
    assert_eq!(item["message"]["app_id"], 26_390_203_743_090_u64);
    assert!(state.human_answers(WHATSAPP, "nobody", "hello?").is_err());
}
