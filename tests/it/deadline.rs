//! A customer gets an answer within 3 s, also when Gemini is slow or down; with both models down a holding reply, and then the answer.

use std::time::Duration;

use frontdesk_sandbox::faults::{Faults, ModelFailure};
use system_tests::{Plan, TestStack, WHATSAPP};

const CUSTOMERS: usize = 100;

/// 100 customers within a second, whatever the answers do; gives the slowest answer in ms, and how many holding replies there were.
async fn rush(break_models: impl FnOnce(&mut Faults)) -> (i64, i64) {
    let mut plan = Plan::default();
    plan.sandbox.speed.model_latency_ms = 1_000;
    let stack = TestStack::planned(plan).await.unwrap();
    stack.database.look().await.unwrap().batch_execute("UPDATE shops SET plan = 'business'").await.unwrap();
    // As in a shop that has been open for a while: connections are made, statements prepared.
    let early: Vec<_> = (0..10).map(|n| stack.customer(WHATSAPP, Box::leak(format!("4917199{n:05}").into_boxed_str()))).collect();
    for customer in &early {
        customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    }
    for customer in &early {
        customer.hears().await.unwrap();
    }
    stack.quiet().await.unwrap();
    stack.sandbox.state().faults(break_models);
    let customers: Vec<_> =
        (0..CUSTOMERS).map(|n| stack.customer(WHATSAPP, Box::leak(format!("4917200{n:05}").into_boxed_str()))).collect();
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    for customer in &customers {
        tick.tick().await;
        customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    }
    let mut slowest = 0;
    for customer in &customers {
        slowest = slowest.max(customer.hears().await.unwrap().answered_after_ms.unwrap());
    }
    eprintln!("slowest {slowest}");
    eprintln!("slowest answer: {slowest} ms");
    let holding = stack.count("SELECT count(*) FROM messages WHERE kind = 'holding'").await.unwrap();
    stack.stop().await.unwrap();
    (slowest, holding)
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_holds_for_a_hundred_customers_at_once() {
    let (slowest, holding) = rush(|_| {}).await;
    assert!(slowest <= 3_000, "{slowest} ms");
    assert_eq!(holding, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_holds_with_gemini_failing() {
    let (slowest, holding) = rush(|faults| faults.gemini.failure = Some(ModelFailure::Internal)).await;
    assert!(slowest <= 3_000, "{slowest} ms");
    assert_eq!(holding, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_holds_with_gemini_hanging() {
    let (slowest, holding) = rush(|faults| faults.gemini.failure = Some(ModelFailure::Hang)).await;
    assert!(slowest <= 3_000, "{slowest} ms");
    assert_eq!(holding, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadline_with_both_models_hanging_gives_a_holding_reply_then_the_answer() {
    let stack = TestStack::start().await.unwrap();
    stack.sandbox.state().faults(|faults| {
        faults.gemini.failure = Some(ModelFailure::Hang);
        faults.openai.failure = Some(ModelFailure::Hang);
    });
    let customer = stack.customer(WHATSAPP, "491730000001");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    let holding = customer.hears().await.unwrap();
    assert!(holding.answered_after_ms.unwrap() <= 3_000);
    assert!(holding.text.unwrap().contains("One moment"));
    stack.sandbox.state().faults(|faults| *faults = Faults::default());
    let answer = customer.hears_text().await.unwrap();
    assert!(answer.contains("2 × "), "{answer}");
    assert_eq!(customer.heard().iter().filter(|send| send.text.is_some()).count(), 2);
    stack.stop().await.unwrap();
}
