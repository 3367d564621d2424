//! Open dashboards learn at once what changes, by role, and miss nothing while their line is down.

use serde_json::{Value, json};
use system_tests::{ACCOUNTANT, Api, Dashboard, ORDER_MANAGER, OTHER_OWNER, OWNER, TestStack, WHATSAPP};

async fn product(owner: &Api<'_>, name: &str) -> Value {
    let body = json!({"name": name, "price": "10.00", "cost": "4.00", "stock": 50});
    owner.post("/products", &body, 201).await.unwrap()["id"].clone()
}

async fn order(owner: &Api<'_>, product: &Value) -> Value {
    let body = json!({"lines": [{"product_id": product, "quantity": 1}], "customer_name": "Kim"});
    owner.post("/orders", &body, 201).await.unwrap()["order_no"].clone()
}

/// Reads until an event of this kind.
async fn next(dashboard: &mut Dashboard, kind: &str) -> Value {
    loop {
        let frame = dashboard.hears().await.unwrap();
        if frame["kind"] == kind {
            return frame;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_sees_its_own_shops_events_and_no_more_on_any_replica() {
    let mut stack = TestStack::start().await.unwrap();
    let second = stack.start_ingress().await.unwrap();
    let (owner, manager) = (stack.log_in(OWNER).await.unwrap(), stack.log_in(ORDER_MANAGER).await.unwrap());
    let (books, other) = (stack.log_in(ACCOUNTANT).await.unwrap(), stack.log_in(OTHER_OWNER).await.unwrap());
    let bearer = [("authorization", format!("Bearer {}", manager.token))];
    let mut elsewhere = Dashboard::open(&second, "", &bearer).await.unwrap().unwrap();
    let mut dashboards = Vec::new();
    for user in [&owner, &books, &other] {
        let mut dashboard = user.dashboard("").await.unwrap();
        assert_eq!(dashboard.hears().await.unwrap()["type"], "ready");
        dashboards.push(dashboard);
    }
    assert_eq!(elsewhere.hears().await.unwrap()["type"], "ready");

    let customer = stack.customer(WHATSAPP, "4915112345678");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    customer.hears_answer().await.unwrap();
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    for dashboard in [&mut dashboards[0], &mut elsewhere] {
        let message = next(dashboard, "message").await;
        assert!(message["data"]["conversation_id"].is_i64(), "{message}");
        assert!(next(dashboard, "order").await["data"]["order_no"].is_i64());
    }
    // The accountant's first event is the order: messages are not theirs. The other shop's first is its own.
    assert_eq!(dashboards[1].hears().await.unwrap()["kind"], "order");
    let own = product(&other, "Cut and colour").await;
    let first = dashboards[2].hears().await.unwrap();
    assert_eq!((&first["kind"], &first["data"]["product_id"]), (&json!("stock"), &own));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_line_misses_nothing_or_is_told_to_read_everything_anew() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let shoes = product(&owner, "Once 40").await;
    let mut dashboard = owner.dashboard("").await.unwrap();
    let ready = dashboard.hears().await.unwrap();
    let first = order(&owner, &shoes).await;
    let seen = next(&mut dashboard, "order").await;
    assert_eq!(seen["data"]["order_no"], first);
    drop(dashboard);

    let (second, third) = (order(&owner, &shoes).await, order(&owner, &shoes).await);
    let after = |frame: &Value| format!("?after={}", frame["id"].as_str().unwrap());
    for (from, expected) in [(&seen, vec![&second, &third]), (&ready, vec![&first, &second, &third])] {
        let mut again = owner.dashboard(&after(from)).await.unwrap();
        assert_eq!(again.hears().await.unwrap()["type"], "ready");
        for order_no in expected {
            assert_eq!(next(&mut again, "order").await["data"]["order_no"], *order_no);
        }
    }

    // The stream forgets its beginning: what a client saw then is no longer a place to go on from.
    let mut redis = redis::Client::open(stack.redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("fd:live:*").query_async(&mut redis).await.unwrap();
    redis::cmd("XTRIM").arg(&keys[0]).arg("MAXLEN").arg("=").arg(1).query_async::<()>(&mut redis).await.unwrap();
    let mut again = owner.dashboard(&after(&seen)).await.unwrap();
    let reload = again.hears().await.unwrap();
    assert_eq!(reload["type"], "reload");
    let fourth = order(&owner, &shoes).await;
    assert_eq!(next(&mut again, "order").await["data"]["order_no"], fourth);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_logged_in_listens_and_only_from_our_own_pages() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let cookie = ("cookie", format!("frontdesk={}", owner.token));
    let open = async |headers: &[(&'static str, String)]| Dashboard::open(&stack.base_url, "", headers).await.unwrap().map(|_| ());
    assert_eq!(open(&[]).await, Err(401));
    assert_eq!(open(std::slice::from_ref(&cookie)).await, Err(403), "a browser always tells where it comes from");
    assert_eq!(open(&[cookie.clone(), ("origin", "https://elsewhere.example".to_owned())]).await, Err(403));
    assert_eq!(open(&[cookie, ("origin", "http://localhost:8080".to_owned())]).await, Ok(()));
    owner.get("/events", 426).await.unwrap();
    owner.get("/events?after=soon", 422).await.unwrap();

    let mut dashboard = owner.dashboard("").await.unwrap();
    dashboard.hears().await.unwrap();
    owner.post("/auth/logout", &json!({}), 204).await.unwrap();
    assert_eq!(dashboard.frame().await.unwrap(), Err(4401), "a session that ended hears no more");
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_says_so() {
    let stack = TestStack::start().await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let mut dashboard = owner.dashboard("").await.unwrap();
    dashboard.hears().await.unwrap();
    let (stopped, goodbye) = tokio::join!(stack.stop(), dashboard.frame());
    stopped.unwrap();
    assert_eq!(goodbye.unwrap(), Err(1001));
}
