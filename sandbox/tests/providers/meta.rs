//! Send endpoints: what Meta takes, and what it refuses with which code.

use std::time::Duration;

use frontdesk_sandbox::faults::{MetaFailure, MetaFaults};
use frontdesk_sandbox::signature::appsecret_proof;
use frontdesk_sandbox::{Customer, Receipt, SandboxConfig};
use serde_json::{Value, json};

use crate::bench::*;

fn text_to(to: &str, text: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text", "text": { "body": text } })
}

fn reply_to(psid: &str, text: &str) -> Value {
    json!({ "recipient": { "id": psid }, "messaging_type": "RESPONSE", "message": { "text": text } })
}

fn buttons(titles: &[&str]) -> Value {
    let list: Vec<Value> =
        titles.iter().enumerate().map(|(i, t)| json!({ "type": "reply", "reply": { "id": format!("b{i}"), "title": t } })).collect();
    json!({ "messaging_product": "whatsapp", "to": format!("+{PHONE}"), "type": "interactive",
        "interactive": { "type": "button", "body": { "text": "Shall I?" }, "action": { "buttons": list } } })
}

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap()
}

#[tokio::test]
async fn accepted_whatsapp_message_gets_a_wamid_and_three_statuses_with_the_callback_data() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let mut body = text_to("+16505550199", "Yes, in 42.");
    body["biz_opaque_callback_data"] = "out_1".into();
    let (status, answer) = bench.send_whatsapp(&body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"][0], json!({ "input": "+16505550199", "wa_id": PHONE }));
    let id = answer["messages"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("wamid."));
    let seen = bench.wait_for_webhooks(3, "\"statuses\"").await;
    let status = |w: &Value| w["entry"][0]["changes"][0]["value"]["statuses"][0].clone();
    let states: Vec<Value> = seen.iter().map(|w| status(w)["status"].clone()).collect();
    assert_eq!(states, ["sent", "delivered", "read"]);
    assert!(seen.iter().all(|w| status(w)["id"] == id && status(w)["biz_opaque_callback_data"] == "out_1"));
    let send = &bench.sandbox.state().sends()[0];
    assert_eq!((send.text.as_deref(), send.customer.as_deref()), (Some("Yes, in 42."), Some(PHONE)));
    let chat = bench.sandbox.state().transcript(WHATSAPP, PHONE).unwrap();
    assert_eq!(chat.last().unwrap().receipt, Some(Receipt::Read));
}

#[tokio::test]
async fn failed_status_comes_without_contacts_and_with_the_code() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    bench.sandbox.state().faults(|f| f.meta.failure = Some(MetaFailure::LateFailed { code: 131_047 }));
    assert_eq!(bench.send_whatsapp(&text_to("+16505550199", "hi")).await.0, 200);
    let seen = bench.wait_for_webhooks(1, "\"failed\"").await;
    let value = &seen[0]["entry"][0]["changes"][0]["value"];
    assert_eq!(value["statuses"][0]["errors"][0]["code"], 131_047);
    assert!(value.get("contacts").is_none());
}

#[tokio::test]
async fn window_closes_24_hours_after_the_customers_last_message_on_every_platform() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    bench.open_messenger();
    bench.open_instagram();
    let day = 24 * 3_600_000 + 1_000;
    for (account, customer) in [(WHATSAPP, PHONE), (MESSENGER, PSID), (INSTAGRAM, PSID)] {
        assert!(bench.sandbox.state().age_conversation(account, customer, day));
    }
    let (status, answer) = bench.send_whatsapp(&text_to("+16505550199", "still there?")).await;
    assert_eq!((status, code(&answer)), (400, 131_047));
    assert!(answer["error"]["error_data"]["details"].as_str().unwrap().contains("24 hours"));
    let (status, answer) = bench.send_messenger(&reply_to(PSID, "still there?")).await;
    assert_eq!((status, code(&answer), &answer["error"]["error_subcode"]), (403, 10, &json!(2_018_278)));
    let (status, answer) = bench.send_instagram(&reply_to(PSID, "still there?")).await;
    assert_eq!((status, code(&answer), &answer["error"]["error_subcode"]), (403, 10, &json!(2_534_022)));
    // A template goes through, and a person may answer on Messenger for 7 days.
    let template = json!({ "messaging_product": "whatsapp", "to": "+16505550199", "type": "template",
        "template": { "name": "reminder", "language": { "code": "en_US" } } });
    assert_eq!(bench.send_whatsapp(&template).await.0, 200);
    let mut human = reply_to(PSID, "Ana here");
    human["messaging_type"] = "MESSAGE_TAG".into();
    human["tag"] = "HUMAN_AGENT".into();
    assert_eq!(bench.send_messenger(&human).await.0, 200);
    human["tag"] = "ACCOUNT_UPDATE".into();
    assert_eq!(code(&bench.send_messenger(&human).await.1), 100);
}

#[tokio::test]
async fn customer_who_never_wrote_cannot_be_written_to() {
    let bench = Bench::new().await;
    assert_eq!(code(&bench.send_whatsapp(&text_to("+4915112345678", "hello")).await.1), 131_047);
    let answer = bench.send_messenger(&reply_to("999", "hello")).await.1;
    assert_eq!((code(&answer), &answer["error"]["error_subcode"]), (100, &json!(2_018_001)));
}

#[tokio::test]
async fn recipient_without_plus_gets_the_business_numbers_country_code_put_before_it() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    assert_eq!(bench.send_whatsapp(&text_to("6505550199", "hi")).await.0, 200);
    // 1 + 16505550199 is somebody else.
    assert_eq!(code(&bench.send_whatsapp(&text_to("16505550199", "hi")).await.1), 131_047);
}

#[tokio::test]
async fn username_only_customer_is_reached_by_the_business_scoped_id() {
    let bench = Bench::new().await;
    let noor = Customer::with_bsuid("US.90117422350081", "noor.h");
    bench.says(WHATSAPP, &noor, "how much?");
    let seen = bench.wait_for_webhooks(1, "how much?").await;
    let message = &seen[0]["entry"][0]["changes"][0]["value"]["messages"][0];
    assert!(message.get("from").is_none());
    assert_eq!(message["from_user_id"], "US.90117422350081");
    let body = json!({ "messaging_product": "whatsapp", "recipient": "US.90117422350081", "type": "text", "text": { "body": "20" } });
    let (status, answer) = bench.send_whatsapp(&body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"][0], json!({ "input": "US.90117422350081", "user_id": "US.90117422350081" }));
}

#[tokio::test]
async fn length_limits_are_met_to_the_character_and_on_instagram_to_the_byte() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    bench.open_messenger();
    bench.open_instagram();
    let long = |n: usize| "ä".repeat(n);
    assert_eq!(bench.send_whatsapp(&text_to("+16505550199", &long(4096))).await.0, 200);
    assert_eq!(code(&bench.send_whatsapp(&text_to("+16505550199", &long(4097))).await.1), 100);
    assert_eq!(bench.send_messenger(&reply_to(PSID, &long(2000))).await.0, 200);
    assert_eq!(code(&bench.send_messenger(&reply_to(PSID, &long(2001))).await.1), 100);
    assert_eq!(bench.send_instagram(&reply_to(PSID, &long(500))).await.0, 200);
    assert_eq!(code(&bench.send_instagram(&reply_to(PSID, &long(501))).await.1), 100);
}

#[tokio::test]
async fn reply_buttons_are_one_to_three_with_short_and_unique_titles() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    assert_eq!(bench.send_whatsapp(&buttons(&["Yes", "No"])).await.0, 200);
    for wrong in [&["Yes", "Yes"][..], &["a", "b", "c", "d"], &["a title of 21 letters"], &[]] {
        assert_eq!(code(&bench.send_whatsapp(&buttons(wrong)).await.1), 131_009, "{wrong:?}");
    }
    let chat = bench.sandbox.state().transcript(WHATSAPP, PHONE).unwrap();
    assert_eq!(chat.last().unwrap().buttons.len(), 2);
}

#[tokio::test]
async fn revoked_or_unknown_token_is_answered_with_190_until_it_is_restored() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let body = text_to("+16505550199", "hi");
    bench.sandbox.state().revoke_token(WHATSAPP_TOKEN);
    let (status, answer) = bench.send_whatsapp(&body).await;
    assert_eq!((status, code(&answer), &answer["error"]["error_subcode"]), (401, 190, &json!(460)));
    bench.sandbox.state().restore_token(WHATSAPP_TOKEN);
    assert_eq!(bench.send_whatsapp(&body).await.0, 200);
    let path = format!("/graph/v26.0/{WHATSAPP}/messages");
    assert_eq!(code(&bench.post(&path, "nonsense", &body).await.1), 190);
    let refused: Vec<i64> = bench.sandbox.state().send_calls().iter().filter_map(|s| Some(s.refusal.as_ref()?.code)).collect();
    assert_eq!(refused, [190, 190]);
}

#[tokio::test]
async fn another_shops_token_cannot_send() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let path = format!("/graph/v26.0/{WHATSAPP}/messages");
    let (status, answer) = bench.post(&path, "sandbox-wa-elodie", &text_to("+16505550199", "hi")).await;
    assert_eq!((status, code(&answer), &answer["error"]["error_subcode"]), (400, 100, &json!(33)));
    assert!(bench.sandbox.state().sends().is_empty());
}

#[tokio::test]
async fn appsecret_proof_must_be_right_and_when_switched_on_must_be_there() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let body = text_to("+16505550199", "hi");
    let path = |proof: &str| format!("/graph/v26.0/{WHATSAPP}/messages?appsecret_proof={proof}");
    let right = appsecret_proof(&SandboxConfig::default().app_secret, WHATSAPP_TOKEN);
    assert_eq!(bench.post(&path(&right), WHATSAPP_TOKEN, &body).await.0, 200);
    let (status, answer) = bench.post(&path(&"0".repeat(64)), WHATSAPP_TOKEN, &body).await;
    assert_eq!((status, code(&answer), &answer["error"]["type"]), (400, 100, &json!("GraphMethodException")));
    assert_eq!(bench.send_whatsapp(&body).await.0, 200);
    bench.sandbox.state().faults(|f| f.meta.require_appsecret_proof = true);
    assert_eq!(code(&bench.send_whatsapp(&body).await.1), 100);
    assert_eq!(bench.post(&path(&right), WHATSAPP_TOKEN, &body).await.0, 200);
}

#[tokio::test]
async fn pair_limit_bites_after_a_burst_of_45() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let body = text_to("+16505550199", "hi");
    for _ in 0..45 {
        assert_eq!(bench.send_whatsapp(&body).await.0, 200);
    }
    let (status, answer) = bench.send_whatsapp(&body).await;
    assert_eq!((status, code(&answer)), (400, 131_056));
}

#[tokio::test]
async fn mark_read_with_typing_needs_a_message_that_came_in() {
    let bench = Bench::new().await;
    let id = bench.open_whatsapp();
    let mut body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id, "typing_indicator": { "type": "text" } });
    assert_eq!(bench.send_whatsapp(&body).await, (200, json!({ "success": true })));
    body["message_id"] = "wamid.other".into();
    assert_eq!(code(&bench.send_whatsapp(&body).await.1), 100);
}

#[tokio::test]
async fn messenger_echo_carries_app_id_and_metadata_and_instagrams_does_not() {
    let bench = Bench::new().await;
    bench.open_messenger();
    bench.open_instagram();
    let mut body = reply_to(PSID, "on messenger");
    body["message"]["metadata"] = "out_7".into();
    assert_eq!(bench.send_messenger(&body).await.0, 200);
    let (status, answer) = bench.send_instagram(&reply_to(PSID, "on instagram")).await;
    assert_eq!(status, 200, "{answer}");
    let echo = &bench.wait_for_webhooks(1, "on messenger").await[0]["entry"][0]["messaging"][0];
    assert_eq!((&echo["message"]["metadata"], &echo["message"]["app_id"]), (&json!("out_7"), &json!(880_011_223_344_556_u64)));
    assert_eq!(echo["sender"]["id"], MESSENGER);
    let echo = &bench.wait_for_webhooks(1, "on instagram").await[0]["entry"][0]["messaging"][0]["message"];
    assert_eq!((&echo["mid"], echo.get("app_id")), (&answer["message_id"], None));
    assert_eq!(echo["is_echo"], true);
}

#[tokio::test]
async fn message_accepted_without_an_answer_is_delivered_all_the_same() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    let faults = MetaFaults { failure: Some(MetaFailure::HangAfterAccept), times: Some(1), ..Default::default() };
    bench.sandbox.state().faults(|f| f.meta = faults);
    let request = bench
        .client
        .post(bench.url(&format!("/graph/v26.0/{WHATSAPP}/messages")))
        .bearer_auth(WHATSAPP_TOKEN)
        .timeout(Duration::from_millis(300))
        .json(&text_to("+16505550199", "are you there"));
    assert!(request.send().await.unwrap_err().is_timeout());
    let sends = bench.sandbox.state().sends();
    assert_eq!((sends.len(), sends[0].answered), (1, false));
    assert_eq!(bench.send_whatsapp(&text_to("+16505550199", "again")).await.0, 200);
}

#[tokio::test]
async fn read_can_come_without_delivered() {
    let bench = Bench::new().await;
    bench.open_whatsapp();
    bench.sandbox.state().faults(|f| f.meta.read_without_delivered = true);
    bench.send_whatsapp(&text_to("+16505550199", "hi")).await;
    let seen = bench.wait_for_webhooks(2, "\"statuses\"").await;
    let states: Vec<&Value> = seen.iter().map(|w| &w["entry"][0]["changes"][0]["value"]["statuses"][0]["status"]).collect();
    assert_eq!(states, ["sent", "read"]);
}

#[tokio::test]
async fn channel_check_names_the_shop_and_media_needs_the_token() {
    let bench = Bench::new().await;
    let url = bench.url(&format!("/graph/v26.0/{WHATSAPP}?fields=verified_name,display_phone_number"));
    let answer: Value = bench.client.get(url).bearer_auth(WHATSAPP_TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "id": WHATSAPP, "verified_name": "Northwind Sneakers", "display_phone_number": "+15550100022" }));

    let customer = Customer::with_phone(PHONE, "Élodie");
    bench.sandbox.state().customer_says(WHATSAPP, &customer, &frontdesk_sandbox::Inbound::Image { caption: None }).unwrap();
    let seen = bench.wait_for_webhooks(1, "\"image\"").await;
    let image = &seen[0]["entry"][0]["changes"][0]["value"]["messages"][0]["image"];
    let url = bench.url(&format!("/graph/v26.0/{}", image["id"].as_str().unwrap()));
    let media: Value = bench.client.get(url).bearer_auth(WHATSAPP_TOKEN).send().await.unwrap().json().await.unwrap();
    let link = media["url"].as_str().unwrap();
    assert_eq!(bench.client.get(link).send().await.unwrap().status(), 401);
    let bytes = bench.client.get(link).bearer_auth(WHATSAPP_TOKEN).send().await.unwrap().bytes().await.unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
}
