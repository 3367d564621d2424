//! What owners, order managers and accountants see of how the shop does.

use serde_json::{Value, json};
use system_tests::{ACCOUNTANT, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack};

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_follows_an_order_and_each_role_sees_its_part() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let product = owner.post("/products", &json!({"name": "Lamp", "price": "5000.00", "cost": "2000.00", "stock": 5}), 201).await.unwrap();
    let before = owner.get("/dashboard/summary?period=today", 200).await.unwrap();
    let line = json!({"lines": [{"product_id": product["id"], "quantity": 2}], "customer_name": "Kim"});
    let order = owner.post("/orders", &line, 201).await.unwrap()["order_no"].clone();
    let after = owner.get("/dashboard/summary?period=today", 200).await.unwrap();
    assert!((number(&after["totals"]["profit"]) - number(&before["totals"]["profit"]) - 6000.0).abs() < 0.001, "{after}");
    assert_eq!(after["fulfilment"]["pending"].as_i64().unwrap(), before["fulfilment"]["pending"].as_i64().unwrap() + 1);
    assert_eq!(
        after["fulfilment"]["open"],
        after["fulfilment"]["pending"].as_i64().unwrap() + after["fulfilment"]["confirmed"].as_i64().unwrap()
    );
    assert_eq!(after["period"]["from"], after["period"]["to"]);

    let charts = owner.get("/dashboard/charts?period=30d", 200).await.unwrap();
    assert_eq!(charts["daily"].as_array().unwrap().len(), 30);
    assert_eq!(charts["best_sellers"][0]["product_id"], product["id"]);
    let month = owner.get("/dashboard/summary", 200).await.unwrap();
    let sum: f64 = charts["daily"].as_array().unwrap().iter().map(|day| number(&day["revenue"])).sum();
    assert!((sum - number(&month["totals"]["revenue"])).abs() < 0.001);
    assert!(month["change"]["revenue"].is_string(), "the sample shop sold something in the month before: {month}");

    for path in ["/dashboard/summary?period=7d", "/dashboard/charts?period=7d"] {
        let seen = stack.log_in(ORDER_MANAGER).await.unwrap().get(path, 200).await.unwrap().to_string();
        assert!(seen.contains("revenue") && !seen.contains("cost") && !seen.contains("profit"), "{seen}");
        assert!(stack.log_in(ACCOUNTANT).await.unwrap().get(path, 200).await.unwrap().to_string().contains("profit"));
    }

    owner.patch(&format!("/orders/{order}"), &json!({"status": "fulfilled"}), 200).await.unwrap();
    owner.patch(&format!("/orders/{order}"), &json!({"status": "refunded"}), 200).await.unwrap();
    let refunded = owner.get("/dashboard/summary?period=today", 200).await.unwrap();
    assert!((number(&refunded["totals"]["revenue"]) - number(&before["totals"]["revenue"])).abs() < 0.001);
    assert_eq!(stack.count(&format!("SELECT stock::bigint FROM products WHERE id = {}", product["id"])).await.unwrap(), 5);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_analytics_is_refused_by_name_and_keeps_the_totals_of_orders() {
    let stack = TestStack::start().await.unwrap();
    let look = stack.database.look().await.unwrap();
    look.batch_execute("UPDATE shops SET plan = 'starter'").await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    for path in ["/dashboard/summary", "/dashboard/charts?period=7d"] {
        let refused = owner.get(path, 402).await.unwrap();
        assert_eq!(refused["code"], "plan_analytics");
        assert!(
            refused["detail"].as_str().unwrap().contains("starter plan")
                && refused["detail"].as_str().unwrap().contains("Pro and Business")
        );
    }
    owner.get("/orders/summary", 200).await.unwrap();
    look.batch_execute("UPDATE shops SET plan = 'business'").await.unwrap();
    assert_eq!(owner.get("/dashboard/summary", 200).await.unwrap()["period"].as_object().unwrap().len(), 2);
    let problem = owner.get("/dashboard/charts?period=custom&from=2020-01-01&to=2026-01-01", 422).await.unwrap();
    assert_eq!(problem["fields"][0]["field"], "to");
    // Another shop has its own days.
    let theirs = stack.log_in(OTHER_OWNER).await.unwrap().get("/dashboard/summary", 200).await.unwrap();
    assert_eq!(theirs["totals"]["orders"], 0);
    stack.stop().await.unwrap();
}
