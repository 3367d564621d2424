//! A customer's message becomes an answer, and an order: stock down, revenue and profit right.

use rust_decimal::Decimal;
use serde_json::Value;
use system_tests::{INSTAGRAM, MESSENGER, OWNER, TestStack, WHATSAPP, buttons};

async fn orders_as_customers_do(account: &str, id: &str, yes: &str) -> anyhow::Result<()> {
    let stack = TestStack::start().await?;
    let owner = stack.log_in(OWNER).await?;
    let before = owner.get("/orders/summary", 200).await?;
    let product = owner.get("/products?q=Red%2042", 200).await?["items"][0].clone();

    let customer = stack.customer(account, id);
    customer.says("hi, do you have red sneakers in 42? I'd take two")?;
    let proposal = customer.hears_answer().await?;
    assert!(proposal.answered_after_ms.unwrap() < 3_000, "answered after {:?} ms", proposal.answered_after_ms);
    assert_eq!(buttons(&proposal).len(), 2, "the summary asks: {:?}", proposal.text);
    assert!(proposal.text.as_deref().unwrap().contains("2 × "), "{:?}", proposal.text);

    if yes == "(tap)" {
        customer.taps(&buttons(&proposal)[0])?
    } else {
        customer.says(yes)?
    };
    let placed = customer.hears_text().await?;
    let orders = owner.get("/orders", 200).await?;
    let order = &orders["items"][0];
    assert!(placed.contains(&order["order_no"].to_string()), "{placed}");
    let line = &order["lines"][0];
    assert_eq!(line["quantity"], 2);

    let sold = owner.get(&format!("/products?q={}", urlencode(line["product_name"].as_str().unwrap())), 200).await?["items"][0].clone();
    let (price, cost) = (money(&line["price"]), money(&line["cost"]));
    assert_eq!(price, money(&sold["price"]));
    let after = owner.get("/orders/summary", 200).await?;
    let two = Decimal::TWO;
    assert_eq!(money(&after["revenue"]) - money(&before["revenue"]), price * two);
    assert_eq!(money(&after["profit"]) - money(&before["profit"]), (price - cost) * two);
    if product["id"] == sold["id"] {
        assert_eq!(product["stock"].as_i64().unwrap() - 2, sold["stock"].as_i64().unwrap());
    }
    stack.stop().await
}

fn money(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn urlencode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_whatsapp_is_confirmed_in_words() {
    orders_as_customers_do(WHATSAPP, "491701234567", "yes please").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_whatsapp_is_confirmed_by_a_tap() {
    orders_as_customers_do(WHATSAPP, "491701234567", "(tap)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_instagram_is_confirmed_in_words() {
    orders_as_customers_do(INSTAGRAM, "918273645546399", "ok, go ahead").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_messenger_is_confirmed_by_a_tap() {
    orders_as_customers_do(MESSENGER, "7400112233445599", "(tap)").await.unwrap();
}
