//! Webhooks: signatures, repeats, batches, senders without a number, and what Redis's absence means.

use frontdesk_core::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use system_tests::{Plan, SERVICE_WHATSAPP, TestStack, WHATSAPP, until};

/// A text message of a customer, as Meta sends it.
fn text(account: &str, id: &str, from: &str, body: &str) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "390011223344777", "changes": [change(account, id, from, body)]}]})
}

fn change(account: &str, id: &str, from: &str, body: &str) -> Value {
    json!({"field": "messages", "value": {"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100022", "phone_number_id": account},
        "contacts": [{"profile": {"name": "Sam"}, "wa_id": from}],
        "messages": [{"from": from, "id": id, "timestamp": SystemClock.now().timestamp().to_string(), "type": "text", "text": {"body": body}}]}})
}

/// A fixture of Meta's, its messages as of now: an old one is stored, not answered.
fn fixture(raw: &str) -> Vec<u8> {
    let mut body: Value = serde_json::from_str(raw).unwrap();
    for change in body["entry"][0]["changes"].as_array_mut().unwrap() {
        for message in change["value"]["messages"].as_array_mut().unwrap() {
            message["timestamp"] = json!(SystemClock.now().timestamp().to_string());
        }
    }
    serde_json::to_vec(&body).unwrap()
}

async fn replies_to(stack: &TestStack, account: &str, customer: &str) -> usize {
    let state = stack.sandbox.state();
    state.sends().iter().filter(|send| send.account == account && send.customer.as_deref() == Some(customer) && send.text.is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_fixture_is_answered_and_a_wrong_signature_is_401() {
    let stack = TestStack::start().await.unwrap();
    let body = fixture(include_str!("fixtures/whatsapp_inbound_text.json"));
    let wrong = format!("sha256={}", "0".repeat(64));
    assert_eq!(stack.webhook_signed(&body, &wrong).await.unwrap(), 401);
    assert_eq!(stack.webhook(&body).await.unwrap(), 200);
    let sends = stack.sandbox.state().wait_for_sends(SERVICE_WHATSAPP, "16505550199", 0, 1, system_tests::PATIENCE).await;
    assert_eq!(sends.len(), 1, "the reply reaches Meta");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_a_phone_number_is_answered() {
    let stack = TestStack::start().await.unwrap();
    let body = fixture(include_str!("fixtures/whatsapp_inbound_text_username_only.json"));
    assert_eq!(stack.webhook(&body).await.unwrap(), 200);
    let answered = until("the customer is answered", async || {
        Ok(stack.sandbox.state().sends().into_iter().find(|send| send.body.get("recipient").is_some()))
    });
    let send = answered.await.unwrap();
    assert!(send.body.get("to").is_none());
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_changes_number_stays_the_same_person() {
    let stack = TestStack::start().await.unwrap();
    let (old, new) = ("491700000011", "491700000012");
    let says = async |id: &str, from: &str| {
        assert_eq!(stack.webhook(&serde_json::to_vec(&text(WHATSAPP, id, from, "hello")).unwrap()).await.unwrap(), 200);
        assert!(!stack.sandbox.state().wait_for_sends(WHATSAPP, from, 0, 1, system_tests::PATIENCE).await.is_empty());
    };
    says("wamid.before", old).await;
    let mut changed = text(WHATSAPP, "wamid.changed", old, "");
    let value = &mut changed["entry"][0]["changes"][0]["value"];
    value.as_object_mut().unwrap().remove("contacts");
    let message = value["messages"][0].as_object_mut().unwrap();
    message.remove("text");
    message.insert("type".to_owned(), json!("system"));
    message.insert("system".to_owned(), json!({"type": "user_changed_number", "body": "changed number", "wa_id": new}));
    assert_eq!(stack.webhook(&serde_json::to_vec(&changed).unwrap()).await.unwrap(), 200);
    let linked = format!("SELECT count(*) FROM customer_aliases WHERE value = '{new}'");
    until("the new number is known", async || Ok((stack.count(&linked).await? == 1).then_some(()))).await.unwrap();
    says("wamid.after", new).await;
    assert_eq!(stack.count("SELECT count(DISTINCT conversation_id) FROM messages WHERE direction = 'in'").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_webhook_fifty_times_shuffled_and_batched_gives_one_reply() {
    let stack = TestStack::planned(Plan { workers: 2, ..Plan::default() }).await.unwrap();
    let one = text(WHATSAPP, "wamid.same", "491700000001", "hello");
    let both = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        change(WHATSAPP, "wamid.same", "491700000001", "hello"), json!({"field": "messages", "value": "nonsense"}),
        change(WHATSAPP, "wamid.same", "491700000001", "hello")]}]});
    let posts = (0..50).map(|n| {
        let body = serde_json::to_vec(if n % 2 == 0 { &one } else { &both }).unwrap();
        let stack = &stack;
        async move { stack.webhook(&body).await.unwrap() }
    });
    let statuses = futures_util::future::join_all(posts).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    // A message of somebody else, accepted after all of these and answered, says that they had their time.
    assert_eq!(stack.webhook(&serde_json::to_vec(&text(WHATSAPP, "wamid.other", "491700000002", "hello")).unwrap()).await.unwrap(), 200);
    for customer in ["491700000001", "491700000002"] {
        assert!(!stack.sandbox.state().wait_for_sends(WHATSAPP, customer, 0, 1, system_tests::PATIENCE).await.is_empty());
    }
    assert_eq!(replies_to(&stack, WHATSAPP, "491700000001").await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM messages WHERE provider_id = 'wamid.same'").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_turn() {
    let stack = TestStack::start().await.unwrap();
    for (n, words) in ["hi", "do you have", "red sneakers in 42?"].iter().enumerate() {
        let body = text(WHATSAPP, &format!("wamid.burst{n}"), "491700000003", words);
        assert_eq!(stack.webhook(&serde_json::to_vec(&body).unwrap()).await.unwrap(), 200);
    }
    assert_eq!(stack.sandbox.state().wait_for_sends(WHATSAPP, "491700000003", 0, 1, system_tests::PATIENCE).await.len(), 1);
    until("the turn is done", async || Ok((stack.count("SELECT count(*) FROM turns WHERE state = 'done'").await? > 0).then_some(())))
        .await
        .unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM turns").await.unwrap(), 1);
    assert_eq!(stack.count("SELECT count(*) FROM messages WHERE direction = 'in' AND turn_id IS NOT NULL").await.unwrap(), 3);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_asked_while_the_rest_of_a_burst_is_awaited_and_a_dropped_call_counts() {
    // A long window, so that the test and not the machine's speed says what falls into it.
    let mut plan = Plan::default().with("REPLY_DEADLINE_MS", "20000").with("REPLY_QUIET_MS", "8000").with("HEDGE_AFTER_MS", "15000");
    plan.sandbox.speed.model_latency_ms = 4_000;
    let stack = TestStack::planned(plan).await.unwrap();
    let say = async |id: &str, words: &str| {
        assert_eq!(stack.webhook(&serde_json::to_vec(&text(WHATSAPP, id, "491700000021", words)).unwrap()).await.unwrap(), 200);
    };
    let said = std::time::Instant::now();
    say("wamid.early", "do you have red sneakers").await;
    until("the model is asked", async || Ok((!stack.sandbox.state().model_calls().is_empty()).then_some(()))).await.unwrap();
    assert!(said.elapsed() < std::time::Duration::from_secs(7), "asked within the window");
    say("wamid.late", "in 42?").await;
    assert!(!stack.sandbox.state().wait_for_sends(WHATSAPP, "491700000021", 0, 1, system_tests::PATIENCE).await.is_empty());
    stack.quiet().await.unwrap();
    assert_eq!(replies_to(&stack, WHATSAPP, "491700000021").await, 1);
    assert_eq!(stack.count("SELECT count(*) FROM turns").await.unwrap(), 1);
    let dropped = "SELECT count(*) FROM turns, jsonb_array_elements(trace) AS step WHERE step->>'type' = 'given_up'";
    assert_eq!(stack.count(dropped).await.unwrap(), 1);
    let counted = "SELECT input_tokens - (SELECT sum((step->'tokens'->>'input')::bigint)::bigint FROM turns, jsonb_array_elements(trace) AS step \
                   WHERE step->>'type' = 'model') FROM model_usage";
    assert!(stack.count(counted).await.unwrap() > 100, "the dropped call's prompt is counted on top");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_conversation_is_answered_in_order_whatever_its_length() {
    let stack = TestStack::planned(Plan { workers: 2, ..Plan::default() }).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491700000004");
    for words in ["hello", "what are your opening hours?", "thanks"] {
        customer.says(words).unwrap();
        customer.hears().await.unwrap();
    }
    let overlapping =
        "SELECT count(*) FROM turns a JOIN turns b ON a.conversation_id = b.conversation_id AND a.id < b.id AND b.created_at < a.done_at";
    assert_eq!(stack.count(overlapping).await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_webhook_survives_the_death_of_redis() {
    let mut stack = TestStack::planned(Plan { workers: 0, ..Plan::default() }).await.unwrap();
    let body = serde_json::to_vec(&text(WHATSAPP, "wamid.kept", "491700000005", "hello")).unwrap();
    assert_eq!(stack.webhook(&body).await.unwrap(), 200);
    stack.redis.kill_and_restart().await.unwrap();
    stack.start_worker().unwrap();
    assert_eq!(stack.sandbox.state().wait_for_sends(WHATSAPP, "491700000005", 0, 1, system_tests::PATIENCE).await.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_503_and_never_200_while_redis_is_away() {
    let mut stack = TestStack::planned(Plan { workers: 0, scheduler: false, ..Plan::default() }).await.unwrap();
    let body = serde_json::to_vec(&text(WHATSAPP, "wamid.refused", "491700000006", "hello")).unwrap();
    stack.redis.kill().unwrap();
    assert_eq!(stack.webhook(&body).await.unwrap(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_redis_forgot_is_not_answered_again() {
    let stack = TestStack::start().await.unwrap();
    let body = serde_json::to_vec(&text(WHATSAPP, "wamid.forgotten", "491700000007", "hello")).unwrap();
    assert_eq!(stack.webhook(&body).await.unwrap(), 200);
    assert!(!stack.sandbox.state().wait_for_sends(WHATSAPP, "491700000007", 0, 1, system_tests::PATIENCE).await.is_empty());
    stack.quiet().await.unwrap();
    let mut redis = redis::Client::open(stack.redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").query_async::<()>(&mut redis).await.unwrap();

    assert_eq!(stack.webhook(&body).await.unwrap(), 200);
    let after = serde_json::to_vec(&text(WHATSAPP, "wamid.after", "491700000007", "thanks")).unwrap();
    assert_eq!(stack.webhook(&after).await.unwrap(), 200);
    until("the later message is answered", async || {
        Ok((stack.count("SELECT count(*) FROM turns WHERE state = 'done'").await? == 2).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(replies_to(&stack, WHATSAPP, "491700000007").await, 2);
    // Neither by a reply of its own, nor along with what came after.
    let first = "SELECT count(*) FROM messages WHERE provider_id = 'wamid.forgotten' AND turn_id = (SELECT min(id) FROM turns)";
    assert_eq!(stack.count(first).await.unwrap(), 1);
    stack.stop().await.unwrap();
}
