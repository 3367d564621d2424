//! Customers who ask what is known of them, and to be forgotten.

use frontdesk_core::clock::Clock as _;
use serde_json::{Value, json};
use system_tests::{ACCOUNTANT, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack, WHATSAPP, buttons, until};

const NUMBER: &str = "491750000042";
/// What this customer alone has said.
const WORDS: &str = "my aunt Philomena lives in Zwickau";

/// Every table that holds this text anywhere, partitions included.
async fn tables_with(stack: &TestStack, text: &str) -> Vec<String> {
    let look = stack.database.look().await.unwrap();
    let tables = look.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", &[]).await.unwrap();
    let mut found = Vec::new();
    for table in tables.iter().map(|row| row.get::<_, String>(0)) {
        let query = format!("SELECT count(*) FROM \"{table}\" AS t WHERE position($1 IN t::text) > 0");
        if look.query_one(&query, &[&text]).await.unwrap().get::<_, i64>(0) > 0 {
            found.push(table);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_told_what_is_known_and_then_forgotten_everywhere_but_in_the_figures() {
    let stack = TestStack::start().await.unwrap();
    let (owner, other) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    let (customer, bystander) = (stack.customer(WHATSAPP, NUMBER), stack.customer(WHATSAPP, "491750000043"));
    bystander.says("do you have red sneakers in 42?").unwrap();
    bystander.hears_answer().await.unwrap();
    customer.says("do you have red sneakers in 42? I'd take two").unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    customer.taps(&buttons(&proposal)[0]).unwrap();
    customer.hears_answer().await.unwrap();
    customer.says(WORDS).unwrap();
    customer.hears_answer().await.unwrap();
    stack.quiet().await.unwrap();
    let id = stack.count(&format!("SELECT customer_id FROM customer_aliases WHERE value = '{NUMBER}'")).await.unwrap();
    let conversation = stack.count(&format!("SELECT id FROM conversations WHERE customer_id = {id}")).await.unwrap();
    owner.post(&format!("/conversations/{conversation}/notes"), &json!({"text": "knows Philomena"}), 201).await.unwrap();
    let path = format!("/customers/{id}");

    let export = owner.get(&format!("{path}/export"), 200).await.unwrap();
    let text = export.to_string();
    assert!(text.contains(NUMBER) && text.contains(WORDS) && text.contains("knows Philomena") && !text.contains("491750000043"), "{text}");
    assert_eq!((&export["orders"][0]["quantity"], &export["truncated"]), (&json!(2), &json!(false)));
    let figures = async || owner.get("/dashboard/summary", 200).await.unwrap()["total_revenue"].clone();
    let before = figures().await;

    for (api, expected) in
        [(&other, 404), (&stack.log_in(ORDER_MANAGER).await.unwrap(), 403), (&stack.log_in(ACCOUNTANT).await.unwrap(), 403)]
    {
        api.get(&format!("{path}/export"), expected).await.unwrap();
        api.delete(&path, expected).await.unwrap();
    }
    assert!(tables_with(&stack, WORDS).await.contains(&"messages".to_owned()));
    owner.delete(&path, 204).await.unwrap();
    owner.delete("/customers/999999", 404).await.unwrap();
    for trace in [NUMBER, WORDS, "Philomena"] {
        until("it is forgotten", async || {
            let tables = tables_with(&stack, trace).await;
            Ok(tables.is_empty().then_some(()).or_else(|| {
                eprintln!("{trace} is still in {tables:?}");
                None
            }))
        })
        .await
        .unwrap();
    }
    assert!(!tables_with(&stack, "491750000043").await.is_empty(), "others are remembered");
    assert_eq!(figures().await, before, "what was sold was sold");
    let export = owner.get(&format!("{path}/export"), 200).await.unwrap();
    assert_eq!((&export["customer"]["name"], &export["customer"]["ids"]), (&Value::Null, &json!([])));
    assert!(export["customer"]["erased_at"].is_string());
    let order = export["orders"][0]["order_no"].as_i64().unwrap();
    assert_eq!(owner.get(&format!("/orders/{order}"), 200).await.unwrap()["customer_name"], "");

    // What the platform still tells of them names them no more.
    let nameless =
        async || stack.count("SELECT count(*) FROM logs WHERE kind = 'status' AND payload = '{}' AND dedupe_key IS NULL").await.unwrap();
    let emptied = nameless().await;
    let status =
        json!({"id": "wamid.late", "status": "read", "timestamp": stack.clock.now().timestamp().to_string(), "recipient_id": NUMBER});
    let value = json!({"messaging_product": "whatsapp", "metadata": {"display_phone_number": "4915112345678", "phone_number_id": WHATSAPP}, "statuses": [status]});
    let late = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
    assert_eq!(stack.webhook(late.to_string().as_bytes()).await.unwrap(), 200);
    until("the status is recorded", async || Ok((nameless().await > emptied).then_some(()))).await.unwrap();
    assert_eq!(tables_with(&stack, NUMBER).await, Vec::<String>::new());

    // Who writes again is somebody new, of whom the agent remembers nothing.
    customer.says("hello again").unwrap();
    customer.hears_answer().await.unwrap();
    assert_ne!(stack.count(&format!("SELECT customer_id FROM customer_aliases WHERE value = '{NUMBER}'")).await.unwrap(), id);
    let calls = stack.sandbox.state().model_calls();
    assert!(!serde_json::to_string(&calls.last().unwrap()).unwrap().contains("Philomena"));
    stack.stop().await.unwrap();
}
