//! Real worker processes die, at each step of a turn and at random; nothing is lost, nothing is ordered twice. The oracle reads Postgres and what
//! the sandbox received.

use frontdesk_workers::crash::Point;
use system_tests::{Plan, TestStack, WHATSAPP, buttons, until};

const ORDERED: &str =
    "SELECT count(*) FROM orders WHERE source = 'agent' AND proposal_id IS NOT NULL AND created_at > now() - interval '1 hour'";

async fn dies_at(point: Point) {
    let stack = TestStack::planned(Plan { workers: 0, ..Plan::default() }).await.unwrap();
    let in_proposal = matches!(point, Point::AfterModel | Point::AfterTake | Point::AfterOpen);
    let customer = stack.customer(WHATSAPP, "491770000001");
    let mut healthy = None;

    let mut crashing = stack.spawn_worker(in_proposal.then_some(point.name())).unwrap();
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    if in_proposal {
        assert!(!crashing.wait().await.unwrap().success(), "{point:?} was reached");
        healthy = Some(stack.spawn_worker(None).unwrap());
    }
    let proposal = customer.hears_answer().await.unwrap();
    let done = "SELECT count(*) FROM turns WHERE state = 'done'";
    until("the proposal's turn is done", async || Ok((stack.count(done).await? == 1).then_some(()))).await.unwrap();
    if !in_proposal {
        crashing.kill().await.unwrap();
        let mut crashing = stack.spawn_worker(Some(point.name())).unwrap();
        customer.taps(&buttons(&proposal)[0]).unwrap();
        assert!(!crashing.wait().await.unwrap().success(), "{point:?} was reached");
        healthy = Some(stack.spawn_worker(None).unwrap());
    } else {
        customer.taps(&buttons(&proposal)[0]).unwrap();
    }
    until("both turns are done", async || Ok((stack.count(done).await? == 2).then_some(()))).await.unwrap();
    assert_eq!(stack.count(ORDERED).await.unwrap(), 1, "one order");
    let held = |text: &String| text.contains("One moment");
    let texts = customer.heard().into_iter().filter(|send| send.text.as_ref().is_some_and(|text| !held(text))).count();
    assert_eq!(texts, 2, "one proposal, one confirmation");
    let unsold = "SELECT count(*) FROM products p WHERE p.stock < 0";
    assert_eq!(stack.count(unsold).await.unwrap(), 0);
    drop(healthy);
    stack.stop().await.unwrap();
}

macro_rules! dies_at {
    ($($name:ident: $point:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            dies_at(Point::$point).await;
        }
    )*};
}

dies_at! {
    a_worker_that_dies_after_taking_the_mail_loses_nothing: AfterTake;
    a_worker_that_dies_after_opening_the_turn_loses_nothing: AfterOpen;
    a_worker_that_dies_after_the_model_answered_loses_nothing: AfterModel;
    a_worker_that_dies_after_the_decision_orders_once: AfterDecide;
    a_worker_that_dies_after_claiming_the_send_orders_once: AfterClaim;
    a_worker_that_dies_after_sending_orders_once_and_sends_once: AfterSend;
    a_worker_that_dies_after_recording_the_send_orders_once: AfterRecord;
    a_worker_that_dies_before_acknowledging_orders_once: BeforeAck;
    a_worker_that_dies_after_acknowledging_orders_once: AfterAck;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_kills_under_load_lose_nothing_and_order_nothing_twice() {
    const CUSTOMERS: usize = 30;
    let stack = TestStack::planned(Plan { workers: 0, ..Plan::default() }).await.unwrap();
    stack
        .database
        .look()
        .await
        .unwrap()
        .batch_execute("UPDATE shops SET plan = 'business'; UPDATE products SET stock = 1000")
        .await
        .unwrap();
    let mut workers: Vec<_> = (0..3).map(|_| stack.spawn_worker(None).unwrap()).collect();
    let customers: Vec<_> =
        (0..CUSTOMERS).map(|n| stack.customer(WHATSAPP, Box::leak(format!("4917800{n:05}").into_boxed_str()))).collect();
    for customer in &customers {
        customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    }
    for (n, customer) in customers.iter().enumerate() {
        let proposal = loop {
            let send = customer.hears().await.unwrap();
            if !buttons(&send).is_empty() {
                break send;
            }
        };
        customer.taps(&buttons(&proposal)[0]).unwrap();
        if n % 5 == 0 {
            let victim = n / 5 % workers.len();
            workers[victim].kill().await.unwrap();
            workers[victim] = stack.spawn_worker(None).unwrap();
        }
    }
    let all = i64::try_from(CUSTOMERS).unwrap();
    until("every customer has an order", async || Ok((stack.count(ORDERED).await? >= all).then_some(()))).await.unwrap();
    until("every turn is done", async || Ok((stack.count("SELECT count(*) FROM turns WHERE state <> 'done'").await? == 0).then_some(())))
        .await
        .unwrap();
    assert_eq!(stack.count(ORDERED).await.unwrap(), all, "one order each");
    let twice = "SELECT count(*) FROM (SELECT customer_id FROM orders WHERE source = 'agent' AND proposal_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1) AS twice";
    assert_eq!(stack.count(twice).await.unwrap(), 0);
    stack.stop().await.unwrap();
}
