//! Channels: does one work, and what is wrong with it.

use serde_json::{Value, json};
use system_tests::{INSTAGRAM, MESSENGER, ORDER_MANAGER, OTHER_OWNER, OWNER, PATIENCE, TestStack, WHATSAPP};

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
