//! The model proposes, the code decides: whatever a model does, nothing is ordered unasked and no invented amount is sent.

use frontdesk_sandbox::brain::Misbehaviour;
use system_tests::{TestStack, WHATSAPP, buttons, until};

async fn misbehaving(misbehaviour: Misbehaviour) -> TestStack {
    let stack = TestStack::start().await.unwrap();
    stack.sandbox.state().faults(|faults| faults.brain.misbehaviour = misbehaviour);
    stack
}

const ORDERED: &str = "SELECT count(*) FROM orders WHERE source = 'agent' AND created_at > now() - interval '1 hour'";

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_price_is_not_sent() {
    let stack = misbehaving(Misbehaviour::InventPrice).await;
    let customer = stack.customer(WHATSAPP, "491750000001");
    customer.says("how much are the red sneakers in 42?").unwrap();
    let answer = customer.hears_text().await.unwrap();
    let prices: Vec<String> = {
        let rows = stack.database.look().await.unwrap().query("SELECT DISTINCT price::text FROM products", &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0).replace('.', ",")).collect()
    };
    let amounts = answer
        .split_whitespace()
        .filter(|word| word.contains(',') || word.contains('.'))
        .filter(|word| word.bytes().any(|b| b.is_ascii_digit()));
    for amount in amounts {
        let plain = amount.trim_matches(|c: char| !c.is_ascii_digit()).replace('.', ",");
        assert!(prices.contains(&plain), "{amount} in {answer}");
    }
    assert_eq!(stack.count("SELECT count(*) FROM turns WHERE trace::text LIKE '%amount_refused%'").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_wait_orders_nothing_even_if_the_model_confirms() {
    let stack = TestStack::start().await.unwrap();
    let customer = stack.customer(WHATSAPP, "491750000002");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    assert_eq!(buttons(&customer.hears_answer().await.unwrap()).len(), 2);
    stack.sandbox.state().faults(|faults| faults.brain.misbehaviour = Misbehaviour::ConfirmUnasked);
    for words in ["no, wait", "yes but in 43", "ok how long does delivery take?"] {
        customer.says(words).unwrap();
        customer.hears().await.unwrap();
        assert_eq!(stack.count(ORDERED).await.unwrap(), 0, "{words}");
    }
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_and_other_customers_ids_lead_nowhere() {
    for misbehaviour in [Misbehaviour::WrongArguments, Misbehaviour::OtherCustomersIds, Misbehaviour::AnswerNothing, Misbehaviour::Loop] {
        let stack = misbehaving(misbehaviour).await;
        let before = stack.count("SELECT count(*) FROM orders WHERE status = 'cancelled'").await.unwrap();
        let customer = stack.customer(WHATSAPP, "491750000003");
        customer.says("cancel my order please, or two red sneakers in 42").unwrap();
        customer.hears().await.unwrap();
        customer.says("yes").unwrap();
        customer.hears().await.unwrap();
        assert_eq!(stack.count("SELECT count(*) FROM orders WHERE status = 'cancelled'").await.unwrap(), before, "{misbehaviour:?}");
        stack.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_changed_after_the_proposal_is_shown_again_before_anything_is_ordered() {
    let stack = TestStack::start().await.unwrap();
    let customer = stack.customer(WHATSAPP, "491750000004");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    stack.database.look().await.unwrap().batch_execute("UPDATE products SET price = price + 1").await.unwrap();
    customer.taps(&buttons(&proposal)[0]).unwrap();
    let again = customer.hears_answer().await.unwrap();
    assert_eq!(buttons(&again).len(), 2, "{:?}", again.text);
    assert_eq!(stack.count(ORDERED).await.unwrap(), 0);
    customer.says("yes").unwrap();
    customer.hears().await.unwrap();
    until("the order stands", async || Ok((stack.count(ORDERED).await? == 1).then_some(()))).await.unwrap();
    stack.stop().await.unwrap();
}
