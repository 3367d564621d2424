//! The owner tries the agent: everything as it would be, and nothing of it stays.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use system_tests::{ORDER_MANAGER, OTHER_OWNER, OWNER, Plan, TestStack};

/// Every table with a digest of all that it holds. The request's answer and the models' cost are kept, as with every write.
async fn everything(stack: &TestStack) -> BTreeMap<String, String> {
    let look = stack.database.look().await.unwrap();
    let tables = look.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", &[]).await.unwrap();
    let mut all = BTreeMap::new();
    for table in tables.iter().map(|row| row.get::<_, String>(0)).filter(|table| !["requests", "model_usage"].contains(&table.as_str())) {
        let query = format!("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{table}\" AS t");
        all.insert(table, look.query_one(&query, &[]).await.unwrap().get(0));
    }
    all
}

fn said(tried: &Value) -> (&str, &str) {
    let last = tried["messages"].as_array().unwrap().last().unwrap();
    (last["kind"].as_str().unwrap(), last["text"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_shows_what_would_happen_and_nothing_happens() {
    // Nothing else may change anything meanwhile: no schedule, no customer.
    let stack = TestStack::planned(Plan { scheduler: false, ..Plan::default() }).await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let before = everything(&stack).await;
    let mut dashboard = owner.dashboard("").await.unwrap();
    dashboard.hears().await.unwrap();
    let attempt = async |body: Value| owner.post("/shop/agent/try", &body, 200).await.unwrap();

    let question = "do you have red sneakers in 42? I'd take two";
    let asked = attempt(json!({"said": question})).await;
    assert_eq!(said(&asked).0, "proposal", "{asked}");
    assert_eq!(asked["messages"][0]["buttons"].as_array().unwrap().len(), 2);
    assert_eq!(asked["proposal"][0]["quantity"], 2);
    assert!(asked["trace"].as_array().unwrap().iter().any(|event| event["type"] == "model"), "{asked}");
    let exchanges = json!([{"customer": question, "reply": said(&asked).1}]);
    for yes in [json!({"said": "yes please"}), json!({"tap": "confirm"})] {
        let mut body = yes;
        body["exchanges"] = exchanges.clone();
        body["proposal"] = asked["proposal"].clone();
        let ordered = attempt(body).await;
        assert_eq!((said(&ordered).0, &ordered["proposal"]), ("order", &json!([])), "{ordered}");
    }
    // What was open may have changed its price: the new one is shown, as a customer would see it.
    let mut old = asked["proposal"].clone();
    old[0]["price"] = json!("1.00");
    let anew = attempt(json!({"said": "yes please", "exchanges": exchanges, "proposal": old})).await;
    assert_eq!((said(&anew).0, &anew["proposal"]), ("proposal", &asked["proposal"]));
    let declined = attempt(json!({"tap": "decline", "proposal": asked["proposal"]})).await;
    assert_eq!(declined["proposal"], json!([]));
    assert_eq!(said(&attempt(json!({"said": "I want to talk to a human"})).await).0, "handoff");
    // Instructions are tried before they are saved.
    let about = "We deliver on Saturdays by balloon.";
    let informed = attempt(json!({"said": "how do you deliver?", "about": about})).await;
    assert!(!informed["messages"].as_array().unwrap().is_empty());

    let key = json!({"said": "hello"});
    let once = owner.post_with_key("/shop/agent/try", "try-1", &key, 200).await.unwrap();
    assert_eq!(owner.post_with_key("/shop/agent/try", "try-1", &key, 200).await.unwrap(), once);
    assert_eq!(everything(&stack).await, before, "a trial has left something behind");
    assert!(stack.sandbox.state().sends().is_empty() && stack.sandbox.state().mails().is_empty(), "a trial was sent to somebody");
    assert!(stack.count("SELECT sum(input_tokens)::bigint FROM model_usage").await.unwrap() > 0, "the models' cost counts");

    for (body, field) in [
        (json!({}), "said"),
        (json!({"said": "x".repeat(2001)}), "said"),
        (json!({"tap": "maybe"}), "tap"),
        (json!({"said": "x", "exchanges": [{"customer": "x"}]}), "exchanges[0].reply"),
        (json!({"said": "x", "proposal": [{"product_id": 1, "quantity": 0, "price": "1.00"}]}), "proposal[0].quantity"),
    ] {
        let problem = owner.post("/shop/agent/try", &body, 422).await.unwrap();
        assert_eq!(problem["fields"][0]["field"], field, "{problem}");
    }
    manager.post("/shop/agent/try", &json!({"said": "hello"}), 403).await.unwrap();
    let spent = "INSERT INTO model_usage (shop_id, day, input_tokens, output_tokens, cost) SELECT id, (now() AT TIME ZONE timezone)::date, 0, 0, 1000 \
        FROM shops ON CONFLICT (shop_id, day) DO UPDATE SET cost = 1000";
    stack.database.look().await.unwrap().batch_execute(spent).await.unwrap();
    assert_eq!(owner.post("/shop/agent/try", &json!({"said": "hello"}), 409).await.unwrap()["code"], "model_budget");

    // Open dashboards heard nothing of it: the first thing they hear is what comes now.
    let product = json!({"name": "Lamp", "price": "5.00", "cost": "1.00", "stock": 1});
    owner.post("/products", &product, 201).await.unwrap();
    assert_eq!(dashboard.hears().await.unwrap()["kind"], "stock");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_shows_an_appointment_and_books_none() {
    let stack = TestStack::planned(Plan { scheduler: false, ..Plan::default() }).await.unwrap();
    let owner = stack.log_in(OTHER_OWNER).await.unwrap();
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day.to_owned(), json!(["00:00-24:00"])));
    let staff = owner.post("/staff", &json!({"name": "Zoé", "hours": Value::Object(days.into_iter().collect())}), 201).await.unwrap();
    let service = json!({"name": "Massage", "duration_minutes": 60, "price": "80.00", "lead_minutes": 0, "staff_ids": [staff["id"]]});
    let service = owner.post("/services", &service, 201).await.unwrap();
    let before = everything(&stack).await;
    let attempt = async |body: Value| owner.post("/shop/agent/try", &body, 200).await.unwrap();

    let shown = attempt(json!({"said": "when do you have time for a massage tomorrow?"})).await;
    assert_eq!((said(&shown).0, &shown["booking"]), ("slots", &Value::Null), "{shown}");
    let question = "I'd like to book a massage tomorrow at 17:00 please";
    let asked = attempt(json!({"said": question})).await;
    assert_eq!((said(&asked).0, &asked["booking"]["service_id"]), ("proposal", &service["id"]), "{asked}");
    let exchanges = json!([{"customer": question, "reply": said(&asked).1}]);
    for yes in [json!({"said": "yes please"}), json!({"tap": "confirm"})] {
        let mut body = yes;
        body["exchanges"] = exchanges.clone();
        body["booking"] = asked["booking"].clone();
        let booked = attempt(body).await;
        assert_eq!((said(&booked).0, &booked["booking"]), ("booking", &Value::Null), "{booked}");
        assert!(said(&booked).1.contains("17:00"), "{booked}");
    }
    assert_eq!(everything(&stack).await, before, "a trial has left something behind");
    let wrong = json!({"said": "yes", "booking": {"service_id": 1, "staff_id": 1, "starts_at": "soon"}});
    assert_eq!(owner.post("/shop/agent/try", &wrong, 422).await.unwrap()["fields"][0]["field"], "booking.starts_at");
    stack.stop().await.unwrap();
}
