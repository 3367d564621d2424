//! People at a shop look into their inbox, take over, answer, and hand back.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_sandbox::ReceivedSend;
use frontdesk_sandbox::faults::MetaFailure;
use frontdesk_workers::crash::Point;
use serde_json::{Value, json};
use system_tests::{
    ACCOUNTANT, Api, INSTAGRAM, MESSENGER, ORDER_MANAGER, OTHER_OWNER, OWNER, PATIENCE, Plan, Talk, TestStack, WHATSAPP, until,
};

const HOUR_MS: i64 = 3_600_000;

/// A customer writes, and the shop's only conversation with them is paused.
async fn paused_conversation(stack: &TestStack, customer: &Talk<'_>) -> i64 {
    customer.says("I want to talk to a human").unwrap();
    customer.hears_answer().await.unwrap();
    stack.count("SELECT max(id) FROM conversations").await.unwrap()
}

async fn message_is(api: &Api<'_>, conversation: i64, id: &Value, status: &[&str]) -> Value {
    until("the message stands there", async || {
        let page = api.get(&format!("/conversations/{conversation}/messages"), 200).await?;
        let found = page["items"].as_array().unwrap().iter().find(|message| message["id"] == *id).cloned();
        Ok(found.filter(|message| status.contains(&message["status"].as_str().unwrap_or_default())))
    })
    .await
    .unwrap()
}

/// So much time has passed since the customer wrote, for us and for Meta.
async fn ages(stack: &TestStack, account: &str, customer: &str, by: TimeDelta) {
    assert!(stack.sandbox.state().age_conversation(account, customer, by.num_milliseconds()));
    let look = stack.database.look().await.unwrap();
    look.batch_execute(&format!("UPDATE conversations SET last_customer_at = last_customer_at - interval '{} seconds'", by.num_seconds()))
        .await
        .unwrap();
}

fn texts(sends: &[ReceivedSend]) -> Vec<&str> {
    sends.iter().filter(|send| send.refusal.is_none()).filter_map(|send| send.text.as_deref()).collect()
}

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_shows_what_waits_and_finds_it() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let (kim, lee) = (stack.customer(WHATSAPP, "491730000001"), stack.customer(INSTAGRAM, "900001"));
    kim.says("do you have red sneakers in 42?").unwrap();
    kim.hears_answer().await.unwrap();
    let answered = stack.count("SELECT max(id) FROM conversations").await.unwrap();
    lee.says("I want to talk to a human").unwrap();
    lee.hears_answer().await.unwrap();
    let waiting = stack.count("SELECT max(id) FROM conversations").await.unwrap();

    let all = manager.get("/conversations", 200).await.unwrap();
    assert_eq!(ids(&all), [waiting, answered], "the latest activity first");
    let (second, first) = (&all["items"][0], &all["items"][1]);
    assert_eq!((&first["platform"], &first["customer"]["phone"]), (&json!("whatsapp"), &json!("+491730000001")));
    assert_eq!((&first["unanswered"], &first["paused"], &first["unread"]), (&json!(false), &json!(false), &json!(1)));
    assert_eq!((&second["unanswered"], &second["paused"], &second["paused_by"]), (&json!(true), &json!(true), &json!("customer")));
    assert_eq!(second["last_message"]["author"], "system");
    for (query, found) in [
        ("paused=true", vec![waiting]),
        ("paused=false", vec![answered]),
        ("unanswered=true", vec![waiting]),
        ("unread=true", vec![waiting, answered]),
        ("platform=instagram", vec![waiting]),
        ("platform=messenger", vec![]),
        ("assigned=anyone", vec![]),
        ("assigned=nobody", vec![waiting, answered]),
        ("q=k%C3%ADm", vec![answered]),
        ("q=human", vec![waiting]),
        ("q=%2B49+173+0000001", vec![answered]),
        ("q=red+SNEAKERS", vec![answered]),
        ("q=%25", vec![]),
        ("q=nothing+like+it", vec![]),
    ] {
        let page = owner.get(&format!("/conversations?{query}"), 200).await.unwrap();
        assert_eq!(ids(&page), found, "{query}");
    }
    let page = owner.get("/conversations?limit=1", 200).await.unwrap();
    let next = owner.get(&format!("/conversations?limit=1&cursor={}", page["next_cursor"].as_str().unwrap()), 200).await.unwrap();
    assert_eq!((ids(&page), ids(&next)), (vec![waiting], vec![answered]));
    assert!(next.get("next_cursor").is_none());
    let counts = owner.get("/conversations/counts", 200).await.unwrap();
    assert_eq!(counts, json!({"unread": 2, "unanswered": 1, "paused": 1, "mine": 0}));

    let problem = owner.get("/conversations?paused=maybe&assigned=him&cursor=1&shop_id=1", 422).await.unwrap();
    let fields: Vec<&str> = problem["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["paused", "assigned", "cursor", "shop_id"]);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_tells_its_window_its_messages_and_what_the_agent_did() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let customer = stack.customer(WHATSAPP, "491730000002");
    customer.says("do you have red sneakers in 42?").unwrap();
    customer.hears_answer().await.unwrap();
    let id = stack.count("SELECT id FROM conversations").await.unwrap();
    let path = format!("/conversations/{id}");
    let whole = owner.get(&path, 200).await.unwrap();
    let time = |field: &str| whole[field].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let open_for = time("window_open_until") - time("last_customer_at");
    assert!(open_for > TimeDelta::hours(23) && open_for < TimeDelta::hours(24), "{open_for}");
    assert_eq!(whole["window_open_until"], whole["answer_until"], "on WhatsApp a person has no longer");
    assert_eq!((&whole["notes"], &whole["assigned_to"], &whole["channel"]["status"]), (&json!([]), &Value::Null, &json!("connected")));

    let messages = owner.get(&format!("{path}/messages"), 200).await.unwrap();
    let [answer, question] = messages["items"].as_array().unwrap().as_slice() else { panic!("{messages}") };
    assert_eq!((&question["direction"], &question["status"]), (&json!("in"), &json!("received")));
    let answer = message_is(&owner, id, &answer["id"], &["delivered", "read"]).await;
    assert_eq!((&answer["author"], &answer["user"]), (&json!("ai"), &Value::Null));
    let page = owner.get(&format!("{path}/messages?limit=1"), 200).await.unwrap();
    let next = owner.get(&format!("{path}/messages?limit=1&cursor={}", page["next_cursor"].as_str().unwrap()), 200).await.unwrap();
    assert_eq!((ids(&page)[0], ids(&next)[0]), (answer["id"].as_i64().unwrap(), question["id"].as_i64().unwrap()));

    let turn = format!("{path}/turns/{}", answer["turn_id"]);
    let trace = owner.get(&turn, 200).await.unwrap();
    assert_eq!((&trace["state"], &trace["outcome"]), (&json!("done"), &json!("reply")));
    assert!(!trace["trace"].as_array().unwrap().is_empty() && trace["input_tokens"].as_i64().unwrap() > 0, "{trace}");
    manager.get(&turn, 200).await.unwrap();
    owner.get(&format!("{path}/turns/999999"), 404).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_answers_once_per_key_and_the_ai_is_silent() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let customer = stack.customer(WHATSAPP, "491730000003");
    customer.says("do you have red sneakers in 42?").unwrap();
    customer.hears_answer().await.unwrap();
    let id = stack.count("SELECT id FROM conversations").await.unwrap();
    let path = format!("/conversations/{id}/messages");
    let body = json!({"text": "Hello, Jonas here. Shall I put a pair aside?"});
    let sent = manager.post_with_key(&path, "answer-1", &body, 201).await.unwrap();
    assert_eq!(manager.post_with_key(&path, "answer-1", &body, 201).await.unwrap(), sent);
    let problem = manager.post_with_key(&path, "answer-1", &json!({"text": "another"}), 409).await.unwrap();
    assert_eq!(problem["code"], "idempotency_key_reused");
    assert_eq!(customer.hears_text().await.unwrap(), body["text"].as_str().unwrap());
    assert_eq!((&sent["author"], &sent["kind"]), (&json!("human"), &json!("reply")));
    assert!(sent["user"]["id"].is_i64(), "{sent}");
    message_is(&owner, id, &sent["id"], &["delivered", "read"]).await;
    let standing = owner.get(&format!("/conversations/{id}"), 200).await.unwrap();
    assert_eq!((&standing["paused"], &standing["paused_by"], &standing["unread"]), (&json!(true), &json!("staff"), &json!(0)));

    // In order, however quickly they follow one another.
    for n in 1..=4 {
        manager.post(&path, &json!({"text": format!("Part {n}")}), 201).await.unwrap();
    }
    for n in 1..=4 {
        assert_eq!(customer.hears_text().await.unwrap(), format!("Part {n}"));
    }
    customer.says("yes please").unwrap();
    let stored = "SELECT count(*) FROM messages WHERE direction = 'in'";
    until("it is stored", async || Ok((stack.count(stored).await? == 2).then_some(()))).await.unwrap();
    stack.quiet().await.unwrap();
    assert_eq!(texts(&customer.heard()).len(), 6, "one answer of the AI, five of a person");
    let standing = owner.get(&format!("/conversations/{id}"), 200).await.unwrap();
    assert_eq!((&standing["unanswered"], &standing["unread"]), (&json!(true), &json!(1)));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_of_the_ai_crosses_a_persons() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000004");
    customer.says("hello").unwrap();
    customer.hears_answer().await.unwrap();
    let id = stack.count("SELECT id FROM conversations").await.unwrap();
    stack.sandbox.state().faults(|faults| {
        faults.gemini.latency_ms = Some(1_500);
        faults.openai.latency_ms = Some(1_500);
    });
    customer.says("do you have red sneakers in 42?").unwrap();
    let under_way = "SELECT count(*) FROM turns WHERE state = 'open'";
    until("the agent is at it", async || Ok((stack.count(under_way).await? == 1).then_some(()))).await.unwrap();
    owner.post(&format!("/conversations/{id}/messages"), &json!({"text": "Let me see to this."}), 201).await.unwrap();
    stack.quiet().await.unwrap();
    until("it is out", async || Ok(texts(&customer.heard()).contains(&"Let me see to this.").then_some(()))).await.unwrap();
    let after: Vec<String> = texts(&customer.heard()).into_iter().map(str::to_owned).skip(1).collect();
    assert!(after.iter().all(|text| text == "Let me see to this." || text.contains("One moment")), "{after:?}");
    let crossing = "SELECT count(*) FROM messages WHERE author = 'ai' AND kind <> 'holding' AND status NOT IN ('superseded') AND id > \
                    (SELECT max(id) FROM messages WHERE direction = 'in')";
    assert_eq!(stack.count(crossing).await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_window_whatsapp_takes_templates_alone() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000005");
    let id = paused_conversation(&stack, &customer).await;
    ages(&stack, WHATSAPP, "491730000005", TimeDelta::hours(25)).await;
    let path = format!("/conversations/{id}/messages");
    let problem = owner.post(&path, &json!({"text": "Are you still there?"}), 409).await.unwrap();
    assert_eq!(problem["code"], "window_closed");
    let template = json!({"template": {"name": "order_ready", "language": "en", "parameters": ["Kim", "1001"]}});
    let sent = owner.post(&path, &template, 201).await.unwrap();
    assert_eq!((&sent["kind"], &sent["text"]), (&json!("template"), &json!("[order_ready] Kim · 1001")));
    let heard = customer.hears().await.unwrap();
    assert_eq!(heard.body["template"]["components"][0]["parameters"][1]["text"], "1001");
    message_is(&owner, id, &sent["id"], &["sent", "delivered", "read"]).await;

    // One that Meta does not know fails visibly, and staff are told.
    let unknown = json!({"template": {"name": "no_such_template", "language": "en"}});
    let sent = owner.post(&path, &unknown, 201).await.unwrap();
    let failed = message_is(&owner, id, &sent["id"], &["failed"]).await;
    assert_eq!(failed["error_code"], 132_001);
    let mails = stack.sandbox.state().wait_for_mails(1, PATIENCE, |mail| mail.subject.contains("could not be delivered")).await;
    assert_eq!(mails.len(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn messenger_and_instagram_take_a_persons_answer_for_seven_days() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    for (account, name) in [(MESSENGER, "700001"), (INSTAGRAM, "900002")] {
        let customer = stack.customer(account, name);
        let id = paused_conversation(&stack, &customer).await;
        let path = format!("/conversations/{id}/messages");
        owner.post(&path, &json!({"text": "Within a day"}), 201).await.unwrap();
        let heard = customer.hears().await.unwrap();
        assert_eq!((heard.text.as_deref(), heard.body.get("tag")), (Some("Within a day"), None));
        ages(&stack, account, name, TimeDelta::hours(25)).await;
        owner.post(&path, &json!({"text": "A day later"}), 201).await.unwrap();
        let heard = customer.hears().await.unwrap();
        assert_eq!((heard.text.as_deref(), &heard.body["tag"]), (Some("A day later"), &json!("HUMAN_AGENT")));
        let problem = owner.post(&path, &json!({"template": {"name": "x", "language": "en"}}), 422).await.unwrap();
        assert_eq!(problem["fields"][0]["field"], "template");
        ages(&stack, account, name, TimeDelta::milliseconds(6 * 24 * HOUR_MS)).await;
        let problem = owner.post(&path, &json!({"text": "Too late"}), 409).await.unwrap();
        assert_eq!(problem["code"], "window_closed");
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_as_long_as_its_platform_takes() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    for (account, name, fits, too_long) in [
        (WHATSAPP, "491730000006", "x".repeat(4096), "x".repeat(4097)),
        (MESSENGER, "700002", "ä".repeat(2000), "x".repeat(2001)),
        (INSTAGRAM, "900003", "ä".repeat(500), "ä".repeat(501)),
    ] {
        let customer = stack.customer(account, name);
        let id = paused_conversation(&stack, &customer).await;
        let path = format!("/conversations/{id}/messages");
        let problem = owner.post(&path, &json!({"text": too_long}), 422).await.unwrap();
        assert_eq!(problem["fields"][0]["field"], "text", "{account}");
        owner.post(&path, &json!({"text": fits}), 201).await.unwrap();
        assert_eq!(customer.hears_text().await.unwrap(), fits);
    }
    for body in [json!({}), json!({"text": " "}), json!({"text": 7}), json!({"text": "x", "template": {"name": "x", "language": "en"}})] {
        owner.post("/conversations/1/messages", &body, 422).await.unwrap();
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_meta_took_without_saying_so_is_not_sent_twice() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000007");
    let id = paused_conversation(&stack, &customer).await;
    stack.sandbox.state().faults(|faults| {
        faults.meta.failure = Some(MetaFailure::CutAfterAccept);
        faults.meta.times = Some(1);
    });
    let sent = owner.post(&format!("/conversations/{id}/messages"), &json!({"text": "Once only"}), 201).await.unwrap();
    message_is(&owner, id, &sent["id"], &["sent", "delivered", "read"]).await;
    // One more in its wake shows that nothing of the first is left to be sent.
    owner.post(&format!("/conversations/{id}/messages"), &json!({"text": "And this"}), 201).await.unwrap();
    until("the second is out", async || Ok(texts(&customer.heard()).contains(&"And this").then_some(()))).await.unwrap();
    assert_eq!(texts(&customer.heard()).iter().filter(|text| **text == "Once only").count(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_sender_is_killed_arrives_once() {
    let stack = TestStack::planned(Plan { workers: 0, ..Plan::default() }).await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000008");
    let mut healthy = stack.spawn_worker(None).unwrap();
    let id = paused_conversation(&stack, &customer).await;
    for (n, point) in [Point::AfterClaim, Point::AfterSend, Point::AfterRecord].into_iter().enumerate() {
        healthy.kill().await.unwrap();
        let mut crashing = stack.spawn_worker(Some(point.name())).unwrap();
        let text = format!("Answer {n}");
        let (path, key, body) = (format!("/conversations/{id}/messages"), format!("killed-{n}"), json!({"text": text}));
        // The worker may die before it has told the result of what it has taken: then this is a 202, and the repeat tells.
        let _ = owner.post_with_key(&path, &key, &body, 201).await;
        assert!(!crashing.wait().await.unwrap().success(), "{point:?} was reached");
        healthy = stack.spawn_worker(None).unwrap();
        let sent = owner.post_with_key(&path, &key, &body, 201).await.unwrap();
        message_is(&owner, id, &sent["id"], &["sent", "delivered", "read"]).await;
        assert_eq!(texts(&customer.heard()).iter().filter(|heard| **heard == text).count(), 1, "{point:?}");
    }
    drop(healthy);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disconnected_account_is_said_so() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000009");
    let id = paused_conversation(&stack, &customer).await;
    let token = stack.sandbox.state().account(WHATSAPP).unwrap().token.clone();
    stack.sandbox.state().revoke_token(&token);
    let path = format!("/conversations/{id}/messages");
    let sent = owner.post(&path, &json!({"text": "Hello"}), 201).await.unwrap();
    let failed = message_is(&owner, id, &sent["id"], &["failed"]).await;
    assert_eq!(failed["error_code"], 190);
    let problem = owner.post(&path, &json!({"text": "Hello again"}), 409).await.unwrap();
    assert_eq!(problem["code"], "channel_disconnected");
    assert_eq!(owner.get(&format!("/conversations/{id}"), 200).await.unwrap()["unanswered"], true, "a failed answer is none");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_by_itself_and_the_ai_knows_what_was_said() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000010");
    customer.says("hello").unwrap();
    customer.hears_answer().await.unwrap();
    let id = stack.count("SELECT id FROM conversations").await.unwrap();
    let (path, pause) = (format!("/conversations/{id}"), format!("/conversations/{id}/pause"));
    for wrong in
        [json!({"minutes": 0}), json!({"minutes": 50_000}), json!({"resume_at": "2020-01-01T00:00:00Z"}), json!({"resume_at": "soon"})]
    {
        owner.post(&pause, &wrong, 422).await.unwrap();
    }
    owner.post(&pause, &json!({"minutes": 5, "resume_at": "2030-01-01T00:00:00Z"}), 422).await.unwrap();
    let half_an_hour = owner.post(&pause, &json!({"minutes": 30}), 200).await.unwrap();
    let left = half_an_hour["resume_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap()
        - half_an_hour["paused_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!((left - TimeDelta::minutes(30)).abs() < TimeDelta::minutes(1), "{left}");
    owner.post(&format!("{path}/messages"), &json!({"text": "The password of the day is heron."}), 201).await.unwrap();
    assert!(customer.hears_text().await.unwrap().contains("heron"));

    // By its job, soon.
    let soon = stack.database.look().await.unwrap().query_one("SELECT now() + interval '2 seconds'", &[]).await.unwrap();
    let soon: std::time::SystemTime = soon.get(0);
    owner.post(&pause, &json!({"resume_at": DateTime::<Utc>::from(soon)}), 200).await.unwrap();
    let noted = format!("SELECT count(*) FROM conversations WHERE id = {id} AND NOT paused");
    until("the pause is over", async || Ok((stack.count(&noted).await? == 1).then_some(()))).await.unwrap();
    assert_eq!(owner.get(&path, 200).await.unwrap()["paused"], false);
    customer.says("do you have red sneakers in 42?").unwrap();
    customer.hears_answer().await.unwrap();
    let calls = stack.sandbox.state().model_calls();
    assert!(serde_json::to_string(&calls.last().unwrap()).unwrap().contains("heron"), "what a person said is in the prompt");

    // And without it, if it was lost.
    owner.post(&pause, &json!({"minutes": 30}), 200).await.unwrap();
    let look = stack.database.look().await.unwrap();
    look.batch_execute("UPDATE conversations SET resume_at = now() - interval '1 second'").await.unwrap();
    assert_eq!(owner.get(&path, 200).await.unwrap()["paused"], false);
    customer.says("and in blue?").unwrap();
    customer.hears_answer().await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_own_time_ends_the_pauses_that_nobody_gave_an_end() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    stack.database.look().await.unwrap().batch_execute("UPDATE shops SET pause_minutes = 120").await.unwrap();
    let customer = stack.customer(WHATSAPP, "491730000011");
    let id = paused_conversation(&stack, &customer).await;
    let standing = owner.get(&format!("/conversations/{id}"), 200).await.unwrap();
    assert!(standing["resume_at"].is_string(), "{standing}");
    let resumed = owner.post(&format!("/conversations/{id}/resume"), &json!({}), 200).await.unwrap();
    assert_eq!((&resumed["paused"], &resumed["resume_at"]), (&json!(false), &Value::Null));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_share_the_work() {
    let stack = TestStack::start().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let customer = stack.customer(WHATSAPP, "491730000012");
    let id = paused_conversation(&stack, &customer).await;
    let path = format!("/conversations/{id}");
    let user = async |email: &str| stack.count(&format!("SELECT id::bigint FROM users WHERE email = '{email}'")).await.unwrap();
    let (jonas, books, stranger) = (user(ORDER_MANAGER.0).await, user(ACCOUNTANT.0).await, user(OTHER_OWNER.0).await);

    let takers = manager.get("/conversations/colleagues", 200).await.unwrap();
    assert!(ids(&takers).contains(&jonas) && !ids(&takers).contains(&books) && !ids(&takers).contains(&stranger), "{takers}");
    let body = json!({"user_id": jonas});
    let assigned = owner.post_with_key(&format!("{path}/assign"), "assign-1", &body, 200).await.unwrap();
    assert_eq!(assigned["assigned_to"]["id"], jonas);
    assert_eq!(owner.post_with_key(&format!("{path}/assign"), "assign-1", &body, 200).await.unwrap(), assigned);
    assert_eq!(ids(&manager.get("/conversations?assigned=me", 200).await.unwrap()), [id]);
    assert_eq!(ids(&owner.get("/conversations?assigned=me", 200).await.unwrap()), [0_i64; 0]);
    assert_eq!(ids(&owner.get(&format!("/conversations?assigned={jonas}"), 200).await.unwrap()), [id]);
    assert_eq!(manager.get("/conversations/counts", 200).await.unwrap()["mine"], 1);
    for other in [books, stranger, 999_999] {
        let problem = owner.post(&format!("{path}/assign"), &json!({"user_id": other}), 422).await.unwrap();
        assert_eq!(problem["fields"][0]["field"], "user_id");
    }
    let nobodys = owner.post(&format!("{path}/assign"), &json!({"user_id": null}), 200).await.unwrap();
    assert_eq!(nobodys["assigned_to"], Value::Null);

    let notes = format!("{path}/notes");
    let note = json!({"text": "Wants the blue ones back in stock."});
    let first = owner.post_with_key(&notes, "note-1", &note, 201).await.unwrap();
    assert_eq!(owner.post_with_key(&notes, "note-1", &note, 201).await.unwrap(), first);
    let second = manager.post(&notes, &json!({"text": "Called them."}), 201).await.unwrap();
    owner.post(&notes, &json!({"text": ""}), 422).await.unwrap();
    let both = [second["id"].as_i64().unwrap(), first["id"].as_i64().unwrap()];
    assert_eq!(ids(&owner.get(&notes, 200).await.unwrap()), both);
    assert_eq!(owner.get(&path, 200).await.unwrap()["notes"][1], first);
    let problem = manager.delete(&format!("{notes}/{}", first["id"]), 403).await.unwrap();
    assert_eq!(problem["code"], "not_your_note");
    owner.delete(&format!("{notes}/{}", first["id"]), 204).await.unwrap();
    owner.delete(&format!("{notes}/{}", first["id"]), 404).await.unwrap();
    assert!(!texts(&customer.heard()).iter().any(|text| text.contains("blue") || text.contains("Called")), "customers see no notes");

    customer.says("hello?").unwrap();
    let unread = "SELECT count(*) FROM messages WHERE direction = 'in'";
    until("it is stored", async || Ok((stack.count(unread).await? == 2).then_some(()))).await.unwrap();
    let messages = owner.get(&format!("{path}/messages"), 200).await.unwrap();
    let oldest = messages["items"].as_array().unwrap().last().unwrap()["id"].clone();
    let part = owner.post(&format!("{path}/read"), &json!({"message_id": oldest}), 200).await.unwrap();
    assert_eq!(part["unread"], 1);
    assert_eq!(owner.post(&format!("{path}/read"), &json!({}), 200).await.unwrap()["unread"], 0);
    assert_eq!(owner.post(&format!("{path}/read"), &json!({"message_id": oldest}), 200).await.unwrap()["unread"], 0, "read stays read");
    owner.post(&format!("{path}/read"), &json!({"message_id": "x"}), 422).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_is_for_those_who_may_and_for_their_shop_alone() {
    let stack = TestStack::start().await.unwrap();
    let (owner, books, other) =
        (stack.log_in(OWNER).await.unwrap(), stack.log_in(ACCOUNTANT).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    let customer = stack.customer(WHATSAPP, "491730000013");
    let id = paused_conversation(&stack, &customer).await;
    let note = owner.post(&format!("/conversations/{id}/notes"), &json!({"text": "ours"}), 201).await.unwrap()["id"].clone();
    let turn = stack.count("SELECT max(id) FROM turns").await.unwrap();
    let reads = ["".to_owned(), "/messages".to_owned(), "/notes".to_owned(), format!("/turns/{turn}")];
    let writes = [
        ("messages", json!({"text": "hello"})),
        ("read", json!({})),
        ("pause", json!({})),
        ("resume", json!({})),
        ("assign", json!({"user_id": null})),
        ("notes", json!({"text": "theirs"})),
    ];
    for (api, expected, ids) in [(&books, 403, vec![id]), (&other, 404, vec![id, 999_999]), (&owner, 404, vec![999_999])] {
        for id in ids {
            for read in &reads {
                api.get(&format!("/conversations/{id}{read}"), expected).await.unwrap();
            }
            for (write, body) in &writes {
                api.post(&format!("/conversations/{id}/{write}"), body, expected).await.unwrap();
            }
            api.delete(&format!("/conversations/{id}/notes/{note}"), expected).await.unwrap();
        }
    }
    books.get("/conversations", 403).await.unwrap();
    books.get("/conversations/counts", 403).await.unwrap();
    assert_eq!(ids(&other.get("/conversations", 200).await.unwrap()), [0_i64; 0]);
    assert_eq!(ids(&other.get("/conversations?q=human", 200).await.unwrap()), [0_i64; 0]);
    owner.get("/conversations/x", 404).await.unwrap();
    stack.stop().await.unwrap();
}
