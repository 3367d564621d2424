//! Sessions that have been silent for a day go to Postgres and leave Redis; who returns weeks later is greeted with the right context.

use serde_json::json;
use system_tests::{Plan, TestStack, WHATSAPP, buttons, until};

const NUMBER: &str = "491750000088";

/// Everything, running; silent sessions are looked for every second.
async fn stack() -> TestStack {
    TestStack::planned(Plan::default().with("SCHEDULE_ARCHIVE_SESSIONS", "* * * * * *")).await.unwrap()
}

/// Where the session of a customer lies in Redis: shop and conversation.
async fn session(stack: &TestStack) -> (i64, i64) {
    let of = |column: &str| {
        format!(
            "SELECT {column}::bigint FROM conversations c JOIN customer_aliases a ON a.shop_id = c.shop_id AND a.customer_id = c.customer_id WHERE a.value = '{NUMBER}'"
        )
    };
    (stack.count(&of("c.shop_id")).await.unwrap(), stack.count(&of("c.id")).await.unwrap())
}

async fn redis(stack: &TestStack) -> redis::aio::MultiplexedConnection {
    redis::Client::open(stack.redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// As if nothing had been said in the session for a day.
async fn a_day_passes(stack: &TestStack, (shop, conversation): (i64, i64)) {
    let mut conn = redis(stack).await;
    let mut back = redis::cmd("ZINCRBY");
    back.arg(format!("fd:memory:activity:{shop}")).arg(-86_460_000).arg(conversation);
    back.query_async::<f64>(&mut conn).await.unwrap();
}

async fn is_in_redis(stack: &TestStack, (shop, conversation): (i64, i64)) -> bool {
    let mut conn = redis(stack).await;
    redis::cmd("EXISTS").arg(format!("fd:memory:{shop}:{conversation}")).query_async(&mut conn).await.unwrap()
}

/// Whether the session waits for its day of silence. Its exchanges may still be Postgres's alone: they are read from there when they are needed.
async fn is_indexed(stack: &TestStack, (shop, conversation): (i64, i64)) -> bool {
    let mut conn = redis(stack).await;
    let mut score = redis::cmd("ZSCORE");
    score.arg(format!("fd:memory:activity:{shop}")).arg(conversation);
    score.query_async::<Option<f64>>(&mut conn).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_returns_after_weeks_is_greeted_with_what_they_ordered() {
    let stack = stack().await;
    let customer = stack.customer(WHATSAPP, NUMBER);
    customer.says("do you have red sneakers in 42? I'd take two").unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    customer.taps(&buttons(&proposal)[0]).unwrap();
    customer.hears_answer().await.unwrap();
    let place = session(&stack).await;
    until("the session is known to be active", async || Ok(is_indexed(&stack, place).await.then_some(()))).await.unwrap();
    a_day_passes(&stack, place).await;
    until("the session has left Redis", async || Ok((!is_indexed(&stack, place).await).then_some(()))).await.unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM archives").await.unwrap(), 1);
    assert_eq!(stack.count("SELECT count(*) FROM archives WHERE exchanges::text LIKE '%red sneakers%'").await.unwrap(), 1);

    // Weeks later.
    let look = stack.database.look().await.unwrap();
    look.batch_execute(
        "UPDATE archives SET from_at = from_at - interval '3 weeks', until_at = until_at - interval '3 weeks'; \
         UPDATE messages SET created_at = created_at - interval '3 weeks'; UPDATE orders SET created_at = created_at - interval '3 weeks'",
    )
    .await
    .unwrap();
    customer.says("hello").unwrap();
    let greeting = customer.hears_answer().await.unwrap().text.unwrap();
    let product: String = look.query_one("SELECT product_name FROM orders ORDER BY id DESC LIMIT 1", &[]).await.unwrap().get(0);
    assert!(greeting.contains("Welcome back") && greeting.contains(&product), "{greeting}");
    let call = serde_json::to_string(&json!(stack.sandbox.state().model_calls().last().unwrap())).unwrap();
    assert!(call.contains("<returning_customer>") && call.contains("last_here") && call.contains("[earlier, no longer valid]"), "{call}");

    // The next session is archived without what the first archive holds.
    until("the greeting is remembered", async || {
        customer.says("thank you").unwrap();
        customer.hears_answer().await.unwrap();
        Ok(is_indexed(&stack, place).await.then_some(()))
    })
    .await
    .unwrap();
    a_day_passes(&stack, place).await;
    until("the second session has left Redis", async || Ok((!is_indexed(&stack, place).await).then_some(()))).await.unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM archives").await.unwrap(), 2);
    assert_eq!(stack.count("SELECT count(*) FROM archives WHERE exchanges::text LIKE '%red sneakers%'").await.unwrap(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stays_in_redis_until_postgres_has_it() {
    let stack = stack().await;
    let customer = stack.customer(WHATSAPP, NUMBER);
    customer.says("do you have red sneakers in 42?").unwrap();
    customer.hears_answer().await.unwrap();
    customer.says("and in 43?").unwrap();
    customer.hears_answer().await.unwrap();
    let place = session(&stack).await;
    until("the session is in Redis", async || Ok(is_in_redis(&stack, place).await.then_some(()))).await.unwrap();
    let look = stack.database.look().await.unwrap();
    look.batch_execute("ALTER TABLE archives ADD CONSTRAINT away CHECK (false) NOT VALID").await.unwrap();
    a_day_passes(&stack, place).await;
    // The job has tried, and waits to try again.
    let mut conn = redis(&stack).await;
    until("the archiving has failed", async || {
        let delayed: i64 = redis::cmd("ZCARD").arg("fd:{archive_sessions}:delayed").query_async(&mut conn).await?;
        let dead: i64 = redis::cmd("ZCARD").arg("fd:{archive_sessions}:dead").query_async(&mut conn).await?;
        Ok((delayed + dead > 0).then_some(()))
    })
    .await
    .unwrap();
    assert!(is_in_redis(&stack, place).await, "it was removed before Postgres had it");
    look.batch_execute("ALTER TABLE archives DROP CONSTRAINT away").await.unwrap();
    until("the session has left Redis", async || Ok((!is_in_redis(&stack, place).await).then_some(()))).await.unwrap();
    assert_eq!(stack.count("SELECT count(*) FROM archives").await.unwrap(), 1);
    stack.stop().await.unwrap();
}
