//! No oversell, under any concurrency.

use serde_json::json;
use system_tests::{OWNER, Plan, TestStack, WHATSAPP, buttons};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_customers_for_fifty_pieces_exactly_fifty_buy() {
    let stack = TestStack::planned(Plan { workers: 2, ..Plan::default() }).await.unwrap();
    // The trial's 200 messages would end before the rush does.
    stack.database.look().await.unwrap().batch_execute("UPDATE shops SET plan = 'business'").await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let product =
        owner.post("/products", &json!({"name": "Zephyr Limited 44", "price": "80.00", "cost": "30.00", "stock": 50}), 201).await.unwrap();
    let before = owner.get("/orders/summary", 200).await.unwrap();

    let customers: Vec<_> = (0..200).map(|n| stack.customer(WHATSAPP, Box::leak(format!("4917100{n:05}").into_boxed_str()))).collect();
    for customer in &customers {
        customer.says("hi, do you have Zephyr Limited in 44? I'd take one").unwrap();
    }
    let mut proposals = Vec::new();
    for customer in &customers {
        proposals.push(loop {
            let send = customer.hears().await.unwrap();
            if !buttons(&send).is_empty() {
                break send;
            }
        });
    }
    for (customer, proposal) in customers.iter().zip(&proposals) {
        customer.taps(&buttons(proposal)[0]).unwrap();
    }
    let mut told_so = 0;
    for customer in &customers {
        let answer = customer.hears_text().await.unwrap();
        told_so += usize::from(!answer.contains('#') && !answer.contains("80.00"));
    }
    let id = &product["id"];
    assert_eq!(stack.count(&format!("SELECT count(*) FROM orders WHERE product_id = {id}")).await.unwrap(), 50);
    assert_eq!(stack.count(&format!("SELECT stock::bigint FROM products WHERE id = {id}")).await.unwrap(), 0);
    assert_eq!(told_so, 150, "each of the others is told");
    let after = owner.get("/orders/summary", 200).await.unwrap();
    let revenue = |summary: &serde_json::Value| summary["revenue"].as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap();
    assert_eq!(revenue(&after) - revenue(&before), rust_decimal::Decimal::from(50 * 80));
    stack.stop().await.unwrap();
}
