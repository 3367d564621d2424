//! Shops are kept apart: by the API, and by Postgres whatever the API does.

use serde_json::json;
use system_tests::{ACCOUNTANT, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack};

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_another_shop_is_404_in_the_same_words_as_what_is_missing() {
    let stack = TestStack::start().await.unwrap();
    let (owner, other) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    let product = owner.get("/products", 200).await.unwrap()["items"][0]["id"].clone();
    let order = owner.get("/orders", 200).await.unwrap()["items"][0]["order_no"].clone();
    let channel = owner.get("/channels", 200).await.unwrap()["items"][0]["id"].clone();
    let look = stack.database.look().await.unwrap();
    look.batch_execute(
        "INSERT INTO customers (shop_id, channel_id) SELECT shop_id, id FROM channels WHERE external_id = '204411225588002'; \
        INSERT INTO conversations (shop_id, channel_id, customer_id) SELECT shop_id, channel_id, id FROM customers",
    )
    .await
    .unwrap();
    let conversation = stack.count("SELECT id FROM conversations").await.unwrap();

    let missing = other.get("/orders/99999999", 404).await.unwrap();
    assert_eq!(strip(other.get(&format!("/orders/{order}"), 404).await.unwrap()), strip(missing));
    other.patch(&format!("/orders/{order}"), &json!({"status": "cancelled"}), 404).await.unwrap();
    other.delete(&format!("/products/{product}"), 404).await.unwrap();
    other.delete(&format!("/channels/{channel}"), 404).await.unwrap();
    other.post("/products", &json!({"id": product, "name": "x", "price": "1.00", "cost": "1.00", "stock": 1}), 404).await.unwrap();
    other.post("/orders", &json!({"lines": [{"product_id": product, "quantity": 1}], "customer_name": "x"}), 404).await.unwrap();
    for verb in ["pause", "resume"] {
        other.post(&format!("/conversations/{conversation}/{verb}"), &json!({}), 404).await.unwrap();
    }
    assert!(other.get("/products", 200).await.unwrap()["items"].as_array().unwrap().is_empty());
    assert!(other.get("/orders", 200).await.unwrap()["items"].as_array().unwrap().is_empty());
    stack.stop().await.unwrap();
}

/// The path and the request's id may differ; nothing else.
fn strip(mut problem: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = problem.as_object_mut() {
        fields.remove("instance");
        fields.remove("request_id");
    }
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_see_and_do_what_the_table_says() {
    let stack = TestStack::start().await.unwrap();
    let (manager, books) = (stack.log_in(ORDER_MANAGER).await.unwrap(), stack.log_in(ACCOUNTANT).await.unwrap());
    let order = &manager.get("/orders", 200).await.unwrap()["items"][0];
    let text = order.to_string();
    assert!(!text.contains("cost") && !text.contains("profit"), "{text}");
    assert!(books.get("/orders", 200).await.unwrap()["items"][0].to_string().contains("profit"));
    manager.get("/orders/summary", 403).await.unwrap();
    manager.post("/products", &json!({"name": "x", "price": "1.00", "cost": "1.00", "stock": 1}), 403).await.unwrap();
    books.post("/orders", &json!({"lines": [{"product_id": 1, "quantity": 1}], "customer_name": "x"}), 403).await.unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gives_the_same_answer_and_another_body_is_refused() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let product = owner.get("/products", 200).await.unwrap()["items"][0]["id"].clone();
    let body = json!({"lines": [{"product_id": product, "quantity": 1}], "customer_name": "Kim"});
    let first = owner.post_with_key("/orders", "key-1", &body, 201).await.unwrap();
    let again = owner.post_with_key("/orders", "key-1", &body, 201).await.unwrap();
    assert_eq!(first, again);
    let other = json!({"lines": [{"product_id": product, "quantity": 2}], "customer_name": "Kim"});
    owner.post_with_key("/orders", "key-1", &other, 409).await.unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM orders WHERE request_key = 'key-1'").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_restocks_and_takes_the_sale_out_of_the_figures() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let product = owner.post("/products", &json!({"name": "Once 40", "price": "10.00", "cost": "4.00", "stock": 5}), 201).await.unwrap();
    let id = &product["id"];
    let before = owner.get("/orders/summary", 200).await.unwrap();
    let body = json!({"lines": [{"product_id": id, "quantity": 3}], "customer_name": "Kim"});
    let order = owner.post("/orders", &body, 201).await.unwrap()["order_no"].clone();
    owner.patch(&format!("/orders/{order}"), &json!({"status": "cancelled"}), 200).await.unwrap();
    assert_eq!(stack.count(&format!("SELECT stock::bigint FROM products WHERE id = {id}")).await.unwrap(), 5);
    let after = owner.get("/orders/summary", 200).await.unwrap();
    assert_eq!((&before["revenue"], &before["profit"]), (&after["revenue"], &after["profit"]));
    owner.patch(&format!("/orders/{order}"), &json!({"status": "fulfilled"}), 409).await.unwrap();
    stack.stop().await.unwrap();
}
