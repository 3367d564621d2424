//! Channels: does one work, and what is wrong with it.

use chrono::TimeDelta;
use frontdesk_core::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use system_tests::{INSTAGRAM, MESSENGER, ORDER_MANAGER, OTHER_OWNER, OWNER, PATIENCE, Plan, TestStack, WHATSAPP, until};

async fn channel(stack: &TestStack, external_id: &str) -> String {
    let id = stack.count(&format!("SELECT id::bigint FROM channels WHERE external_id = '{external_id}'")).await.unwrap();
    format!("/channels/{id}")
}

fn wrong(checked: &Value) -> Vec<&str> {
    let findings = checked["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["ok"] == false).map(|finding| finding["check"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_is_wrong_and_what_to_do() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager, other) =
        (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    for account in [WHATSAPP, MESSENGER, INSTAGRAM] {
        let path = format!("{}/check", channel(&stack, account).await);
        let checked = owner.post(&path, &json!({}), 200).await.unwrap();
        assert_eq!((&checked["ok"], wrong(&checked).len()), (&json!(true), 0), "{checked}");
        assert!(checked["name"].is_string(), "{checked}");
        manager.post(&path, &json!({}), 403).await.unwrap();
        other.post(&path, &json!({}), 404).await.unwrap();
    }
    // Nobody is subscribed to the Page's messages any more.
    stack.sandbox.state().unsubscribe(MESSENGER);
    let page = format!("{}/check", channel(&stack, MESSENGER).await);
    let checked = owner.post_with_key(&page, "look-1", &json!({}), 200).await.unwrap();
    assert_eq!(wrong(&checked), ["subscription"]);
    assert_eq!(owner.post_with_key(&page, "look-1", &json!({}), 200).await.unwrap(), checked);

    // A dead token marks the channel, and staff are told once.
    let path = channel(&stack, WHATSAPP).await;
    let token = stack.sandbox.state().account(WHATSAPP).unwrap().token.clone();
    stack.sandbox.state().revoke_token(&token);
    let checked = owner.post(&format!("{path}/check"), &json!({}), 200).await.unwrap();
    assert_eq!((&checked["ok"], wrong(&checked)), (&json!(false), vec!["token"]));
    let listed = owner.get("/channels", 200).await.unwrap();
    let row = listed["items"].as_array().unwrap().iter().find(|row| path.ends_with(&format!("/{}", row["id"]))).unwrap().clone();
    assert_eq!(row["status"], "disconnected");
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.subject.to_lowercase().contains("disconnected")).await;
    assert_eq!(mails.len(), 1, "{:?}", stack.sandbox.state().mails());
    let checked = owner.post(&format!("{path}/check"), &json!({}), 200).await.unwrap();
    assert_eq!(wrong(&checked), ["token"]);
    owner.delete(&path, 204).await.unwrap();
    owner.post(&format!("{path}/check"), &json!({}), 404).await.unwrap();
    owner.post("/channels/999999/check", &json!({}), 404).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_will_end_is_told_in_time_and_once() {
    let stack = TestStack::planned(Plan::default().with("SCHEDULE_WATCH_CHANNELS", "* * * * * *")).await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let path = channel(&stack, WHATSAPP).await;
    let listed = async || {
        let all = owner.get("/channels", 200).await.unwrap();
        all["items"].as_array().unwrap().iter().find(|row| path.ends_with(&format!("/{}", row["id"]))).unwrap().clone()
    };
    let token = stack.sandbox.state().account(WHATSAPP).unwrap().token.clone();
    let end = SystemClock.now() + TimeDelta::days(3);
    stack.sandbox.state().end_token(&token, end.timestamp());
    let told =
        async |words: &'static str| stack.sandbox.state().wait_for_mails(1, PATIENCE, move |mail| mail.subject.contains(words)).await;
    let mails = told("will end soon").await;
    assert_eq!(mails.len(), 1, "{:?}", stack.sandbox.state().mails());
    let seen = listed().await;
    assert_eq!(seen["token_expires_at"], json!(end.format("%Y-%m-%dT%H:%M:%SZ").to_string()));
    let checked = owner.post(&format!("{path}/check"), &json!({}), 200).await.unwrap();
    assert_eq!(wrong(&checked), ["expiry"]);
    // It is looked at again and again; what is known is not told again.
    let looked = until("two more looks", async || Ok((listed().await["checked_at"] != seen["checked_at"]).then_some(()))).await;
    looked.unwrap();
    let soon = stack.sandbox.state().mails().into_iter().filter(|mail| mail.subject.contains("will end soon")).count();
    assert_eq!(soon, 1);

    stack.sandbox.state().end_token(&token, 1);
    assert_eq!(told("disconnected").await.len(), 1);
    assert_eq!(listed().await["status"], "disconnected");
    stack.stop().await.unwrap();
}
