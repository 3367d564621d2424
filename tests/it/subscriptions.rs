//! What shops pay: a year of it, whatever order Stripe tells it in, and what each plan allows where it happens.

mod stripe;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::clock::Clock as _;
use frontdesk_core::jobs::JobName;
use frontdesk_sandbox::{Account, Platform};
use serde_json::{Value, json};
use system_tests::{ACCOUNTANT, Api, INSTAGRAM, MESSENGER, ORDER_MANAGER, OWNER, PATIENCE, Plan, TestStack, WHATSAPP, until};

const EMAIL: &str = "ada@kite.example";
const PASSWORD: &str = "kites-are-fun";
const PAGE: &str = "555000111222333";
const INACTIVE: &str = "Your AI assistant is currently inactive. Please renew your subscription.";

/// No schedule but those of money: a year has many minutes.
fn plan() -> Plan {
    let never = "0 0 0 1 1 * 2099";
    ["SWEEP_QUEUES", "CHECK_FIGURES", "WATCH_CHANNELS", "REMIND_CUSTOMERS", "PULL_CALENDAR", "DROP_OLD_LOGS", "DROP_OLD_MEDIA"]
        .into_iter()
        .fold(Plan::default(), |plan, job| plan.with(&format!("SCHEDULE_{job}"), never))
}

/// A shop that has just registered, with a page on Messenger.
async fn open_shop(stack: &TestStack) {
    let account = Account {
        platform: Platform::Messenger,
        id: PAGE.to_owned(),
        shop: "Kite & Co".to_owned(),
        token: "EAAB-kite".to_owned(),
        display_phone: None,
        waba_id: None,
        page_id: None,
        login: frontdesk_sandbox::Login::Facebook,
    };
    stack.sandbox.state().register(account).unwrap();
    let shop = json!({"shop_name": "Kite & Co", "email": EMAIL, "password": PASSWORD, "currency": "USD", "timezone": "Europe/Berlin"});
    stack.nobody().post("/auth/register", &shop, 201).await.unwrap();
    let owner = ada(stack).await;
    let channel = json!({"platform": "messenger", "external_id": PAGE, "name": "Page", "token": "EAAB-kite"});
    owner.post("/channels", &channel, 201).await.unwrap();
    owner.post("/products", &json!({"name": "Red kite", "price": "49.00", "cost": "20.00", "stock": 500}), 201).await.unwrap();
}

async fn ada(stack: &TestStack) -> Api<'_> {
    stack.still_logged_in((EMAIL, PASSWORD)).await.unwrap()
}

async fn status(stack: &TestStack) -> Value {
    ada(stack).await.get("/subscriptions/status", 200).await.unwrap()
}

async fn becomes(stack: &TestStack, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, async || Ok(Some(status(stack).await).filter(|status| is(status)))).await.unwrap()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Subscribes through the checkout, with a card that works.
async fn subscribe(stack: &TestStack, plan: &str) {
    let page = ada(stack).await.post("/subscriptions/create-checkout", &json!({"plan": plan}), 200).await.unwrap();
    stripe::pay(stack, page["session_id"].as_str().unwrap());
    becomes(stack, "the plan is there", |status| status["plan"] == plan).await;
}

/// What the customer of the new shop hears.
async fn asks(stack: &TestStack, who: &str, words: &str) -> String {
    let customer = stack.customer(PAGE, who);
    customer.says(words).unwrap();
    customer.hears_answer().await.unwrap().text.unwrap()
}

async fn mails(stack: &TestStack, subject: &str, count: usize) {
    let got = stack.sandbox.state().wait_for_mails(count, PATIENCE, |mail| mail.subject.contains(subject)).await;
    assert_eq!(got.len(), count, "mails about: {subject}");
}

/// Moves Stripe's clock and ours, Stripe's first, and waits until everything that was due has been done.
async fn pass(stack: &TestStack, by: TimeDelta) {
    stripe::advance(stack, by);
    stripe::told(stack).await;
    stack.clock.advance(by);
    settled(stack).await;
}

/// Waits until the day's looks at money have been made for every shop.
async fn settled(stack: &TestStack) {
    let now = stack.clock.now();
    for (job, hour) in [(JobName::RemindRenewals, 5), (JobName::DeactivateExpired, 6)] {
        let today = now.date_naive().and_hms_opt(hour, 0, 0).unwrap().and_utc();
        let due = if today > now { today - TimeDelta::days(1) } else { today };
        until("the day's firing", async || Ok(stack.fired(job).await?.filter(|at| *at >= due))).await.unwrap();
    }
    idle(stack).await;
}

/// Waits until no job about money waits or runs.
async fn idle(stack: &TestStack) {
    until("money is at rest", async || {
        let waiting = stack.waiting(&[JobName::HandleStripeEvent, JobName::RemindRenewals, JobName::DeactivateExpired]).await?;
        let outbox = stack.count("SELECT count(*) FROM outbox").await?;
        Ok((waiting == 0 && outbox == 0).then_some(()))
    })
    .await
    .unwrap();
}

/// Until noon of a day in UTC, so that a story does not depend on when it is told.
async fn begin_at(stack: &TestStack, date: &str) {
    let noon = date.parse::<chrono::NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let by = noon - stack.clock.now();
    stripe::advance(stack, by);
    stack.clock.advance(by);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_pays_for_a_year_without_one_inactive_hour_then_fails_and_comes_back() {
    let stack = TestStack::planned(plan()).await.unwrap();
    // A month that most others are shorter than.
    begin_at(&stack, "2027-01-31").await;
    open_shop(&stack).await;
    let trial = status(&stack).await;
    assert_eq!((&trial["plan"], &trial["state"], &trial["active"]), (&json!("trial"), &json!("trial"), &json!(true)));
    assert_eq!(trial["allows"]["monthly_messages"], 200);

    // Starter, whose messages are soon used up.
    subscribe(&stack, "starter").await;
    mails(&stack, "Your assistant is active", 1).await;
    let used = "INSERT INTO usage (shop_id, month, messages) SELECT id, '2027-01-01', 198 FROM shops WHERE name = 'Kite & Co'";
    stack.database.look().await.unwrap().batch_execute(used).await.unwrap();
    asks(&stack, "61001", "do you have red kites?").await;
    mails(&stack, "nearly used up", 1).await;
    asks(&stack, "61002", "do you have red kites?").await;
    assert!(asks(&stack, "61003", "do you have red kites?").await.contains("get back to you personally"));
    mails(&stack, "answers are used up", 1).await;
    assert_eq!(status(&stack).await["usage"]["messages"], 200);

    // A larger plan, at once.
    let upgraded = ada(&stack).await.post("/subscriptions/change", &json!({"plan": "pro"}), 200).await.unwrap();
    assert_eq!((&upgraded["plan"], &upgraded["allows"]["monthly_messages"]), (&json!("pro"), &Value::Null));
    assert!(!asks(&stack, "61004", "do you have red kites?").await.contains("get back to you personally"));
    let begun = becomes(&stack, "both are paid", |status| status["payments"].as_array().unwrap().len() == 2).await;
    // The difference was charged, and extends nothing.
    assert_eq!(begun["payments"].as_array().unwrap().iter().filter(|paid| paid["period_end"].is_null()).count(), 1);

    // A year: the day before each renewal, shortly after it (Stripe keeps the invoice a draft for an hour), and between.
    let mut ends = vec![time(&begun["next_invoice"]["at"])];
    for month in 1..=12 {
        let renewal = *ends.last().unwrap();
        let day_before = renewal - TimeDelta::days(1) - stack.clock.now();
        pass(&stack, day_before / 2).await;
        assert_eq!(status(&stack).await["active"], true, "month {month}, in the middle");
        pass(&stack, renewal - TimeDelta::days(1) - stack.clock.now()).await;
        assert_eq!(status(&stack).await["active"], true, "month {month}, the day before");
        pass(&stack, renewal + TimeDelta::hours(2) - stack.clock.now()).await;
        let renewed = becomes(&stack, "the renewal is paid", |status| {
            status["payments"][0]["period_end"] != json!(renewal) && time(&status["payments"][0]["period_end"]) > renewal
        })
        .await;
        assert_eq!((&renewed["active"], &renewed["state"], &renewed["plan"]), (&json!(true), &json!("active"), &json!("pro")));
        let next = time(&renewed["next_invoice"]["at"]);
        // 30 days at least, and the period if that is longer.
        let least = time(&renewed["payments"][0]["paid_at"]) + TimeDelta::days(30);
        assert_eq!(time(&renewed["expires_at"]), next.max(least), "month {month}");
        ends.push(next);
    }
    let days: Vec<_> = ends.iter().map(|end| end.format("%m-%d").to_string()).collect();
    assert_eq!(days, ["02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31", "01-31", "02-29"]);
    assert_eq!(stack.count("SELECT count(*) FROM payments WHERE pays_until IS NOT NULL").await.unwrap(), 13);
    assert_eq!(stack.count("SELECT count(*) FROM audit WHERE subject = 'subscription' AND detail->>'active' = 'false'").await.unwrap(), 0);
    let reminders = stack.sandbox.state().mails().iter().filter(|mail| mail.subject.contains("renews soon")).count();
    assert!(reminders >= 12, "{reminders}");

    // The card fails: dunning, grace, inactive.
    let renewal = *ends.last().unwrap();
    stripe::set_card(&stack, EMAIL, false);
    pass(&stack, renewal + TimeDelta::hours(2) - stack.clock.now()).await;
    mails(&stack, "A payment did not succeed", 1).await;
    let owed = becomes(&stack, "it is past due", |status| status["status"] == "past_due").await;
    assert_eq!((&owed["active"], owed["owed_url"].is_string()), (&json!(true), true));
    pass(&stack, time(&owed["expires_at"]) + TimeDelta::hours(19) - stack.clock.now()).await;
    let grace = status(&stack).await;
    assert_eq!((&grace["state"], &grace["active"]), (&json!("grace"), &json!(true)));
    mails(&stack, "has not been paid", 1).await;
    let stops = time(&grace["stops_at"]);
    pass(&stack, stops - TimeDelta::hours(1) - stack.clock.now()).await;
    assert_eq!(status(&stack).await["active"], true, "to the last hour of its grace");
    pass(&stack, TimeDelta::hours(26)).await;
    let ended = status(&stack).await;
    assert_eq!((&ended["state"], &ended["active"]), (&json!("inactive"), &json!(false)));
    mails(&stack, "Your assistant is inactive", 1).await;
    assert_eq!(asks(&stack, "61005", "do you have red kites?").await, INACTIVE);

    // It pays, and is active at once: no schedule has fired.
    stripe::set_card(&stack, EMAIL, true);
    stripe::pay_what_is_owed(&stack, EMAIL);
    let back = becomes(&stack, "the shop is active again", |status| status["active"] == true).await;
    assert_eq!((&back["state"], &back["plan"]), (&json!("active"), &json!("pro")));
    mails(&stack, "Your assistant is active", 2).await;
    assert_ne!(asks(&stack, "61006", "do you have red kites?").await, INACTIVE);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_orders_of_a_script_of_events_end_in_one_state() {
    let stack = TestStack::planned(Plan { scheduler: false, ..plan() }).await.unwrap();
    open_shop(&stack).await;
    // The script is played with the line cut, so that each order can be told by hand.
    stripe::lose_webhooks(&stack, true);
    let page = ada(&stack).await.post("/subscriptions/create-checkout", &json!({"plan": "pro"}), 200).await.unwrap();
    stripe::pay(&stack, page["session_id"].as_str().unwrap());
    stripe::advance(&stack, TimeDelta::days(32));
    stack.clock.advance(TimeDelta::days(32));
    let script = ["checkout.session.completed", "customer.subscription.created", "invoice.paid", "customer.subscription.updated"];
    let mut events: Vec<Value> = Vec::new();
    for kind in script {
        events.extend(stripe::events(&stack).into_iter().filter(|event| event["type"] == kind).take(2));
    }
    let renewals = events.iter().filter(|event| event["type"] == "invoice.paid").count();
    assert_eq!(renewals, 2, "the first payment and a renewal");
    events.truncate(5);

    let shop = "(SELECT id FROM shops WHERE name = 'Kite & Co')";
    let mut states = std::collections::BTreeSet::new();
    for (n, order) in permutations(events.len()).into_iter().enumerate() {
        // As before anything was told; each order has ids of its own, as Redis remembers them.
        let anew = format!(
            "DELETE FROM payments; DELETE FROM billing_notices; DELETE FROM billing_events; \
             UPDATE subscriptions SET subscription_id = NULL, item_id = NULL, plan = NULL, status = NULL, period_end = NULL, expiry_date = NULL, next_amount = NULL; \
             UPDATE shops SET plan = 'trial', status = 'inactive' WHERE id = {shop}"
        );
        stack.database.look().await.unwrap().batch_execute(&anew).await.unwrap();
        for at in &order {
            let mut event = events[*at].clone();
            event["id"] = json!(format!("evt_{n}_{at}"));
            for _ in 0..2 {
                assert_eq!(stripe::deliver(&stack, &event).await, 200);
            }
        }
        idle(&stack).await;
        assert_eq!(stack.count("SELECT count(*) FROM payments").await.unwrap(), 2, "{order:?}");
        let state = format!(
            "SELECT s.plan || ' ' || s.status || ' ' || p.plan || ' ' || p.status || ' ' || p.expiry_date || ' ' || p.period_end || ' ' || \
             (SELECT string_agg(invoice_id || ' ' || coalesce(pays_until::text, ''), ', ' ORDER BY invoice_id) FROM payments) \
             FROM shops s JOIN subscriptions p ON p.shop_id = s.id WHERE s.id = {shop}"
        );
        let row: String = stack.database.look().await.unwrap().query_one(&state, &[]).await.unwrap().get(0);
        states.insert(row);
    }
    assert_eq!(states.len(), 1, "{states:#?}");
    assert!(states.first().unwrap().starts_with("pro active pro active"));
    stack.stop().await.unwrap();
}

/// Every order of `n` things.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    let insert = |order: &Vec<usize>, at: usize| order[..at].iter().copied().chain([n - 1]).chain(order[at..].iter().copied()).collect();
    shorter.iter().flat_map(|order| (0..n).map(move |at| insert(order, at))).collect()
}

/// As good as chance, and the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_told_late_twice_or_never_while_life_goes_on_end_in_what_stripe_says() {
    for seed in 1..=3 {
        let mut dice = Dice(seed);
        let stack = TestStack::planned(plan()).await.unwrap();
        begin_at(&stack, "2027-04-15").await;
        open_shop(&stack).await;
        stripe::lose_webhooks(&stack, true);
        let page = ada(&stack).await.post("/subscriptions/create-checkout", &json!({"plan": "starter"}), 200).await.unwrap();
        stripe::pay(&stack, page["session_id"].as_str().unwrap());
        let mut told = 0;
        let mut held: Vec<Value> = Vec::new();
        for step in 0..8 {
            match step {
                1 => drop(ada(&stack).await.post("/subscriptions/change", &json!({"plan": "business"}), 200).await.unwrap()),
                2 | 6 => {
                    stripe::advance(&stack, TimeDelta::days(31));
                    stack.clock.advance(TimeDelta::days(31));
                }
                3 => stripe::cancel(&stack, EMAIL, true),
                4 => stripe::cancel(&stack, EMAIL, false),
                5 => stripe::set_card(&stack, EMAIL, false),
                7 => {
                    stripe::set_card(&stack, EMAIL, true);
                    stripe::pay_what_is_owed(&stack, EMAIL);
                }
                _ => {}
            }
            let all = stripe::events(&stack);
            held.extend(all[told..].iter().cloned());
            told = all.len();
            // Some now, some twice, some later, and some never.
            for _ in 0..held.len() / 2 {
                let event = held.swap_remove(dice.below(held.len()));
                for _ in 0..dice.below(3) {
                    assert_eq!(stripe::deliver(&stack, &event).await, 200);
                }
            }
        }
        settled(&stack).await;
        let paid: std::collections::BTreeSet<_> = stripe::events(&stack)
            .iter()
            .filter(|event| event["type"] == "invoice.paid")
            .map(|event| event["data"]["object"]["id"].to_string())
            .collect();
        // What was never told is found by the next day's look.
        pass(&stack, TimeDelta::days(1)).await;
        let end = status(&stack).await;
        assert_eq!(
            (&end["plan"], &end["state"], &end["status"]),
            (&json!("business"), &json!("active"), &json!("active")),
            "seed {seed}: {end:#}"
        );
        let known: std::collections::BTreeSet<_> =
            end["payments"].as_array().unwrap().iter().map(|paid| paid["invoice_id"].to_string()).collect();
        assert_eq!(known, paid, "seed {seed}");
        assert_eq!(
            stack.count("SELECT count(*) FROM audit WHERE subject = 'subscription' AND detail->>'active' = 'false'").await.unwrap(),
            0
        );
        stack.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_lost_for_days_turn_no_paying_shop_off() {
    let stack = TestStack::planned(plan()).await.unwrap();
    begin_at(&stack, "2027-04-15").await;
    open_shop(&stack).await;
    subscribe(&stack, "pro").await;
    let begun = status(&stack).await;
    let renewal = time(&begun["next_invoice"]["at"]);
    pass(&stack, renewal - TimeDelta::hours(1) - stack.clock.now()).await;
    // Two days without webhooks, the renewal in them.
    stripe::lose_webhooks(&stack, true);
    for _ in 0..2 {
        pass(&stack, TimeDelta::days(1)).await;
        assert_eq!(status(&stack).await["active"], true);
    }
    let reconciled = status(&stack).await;
    assert_eq!((reconciled["payments"].as_array().unwrap().len(), &reconciled["state"]), (2, &json!("active")));
    assert!(time(&reconciled["expires_at"]) > renewal + TimeDelta::days(29));

    // Weeks without them, and no daily look either until the very moment in which it would be turned off.
    stripe::advance(&stack, TimeDelta::days(70));
    stack.clock.advance(TimeDelta::days(70));
    settled(&stack).await;
    let kept = status(&stack).await;
    assert_eq!((&kept["active"], &kept["state"]), (&json!(true), &json!("active")));
    let off = "SELECT count(*) FROM audit WHERE subject = 'subscription' AND detail->>'active' = 'false'";
    assert_eq!(stack.count(off).await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_turned_off_while_stripe_cannot_be_asked() {
    let stack = TestStack::planned(plan()).await.unwrap();
    begin_at(&stack, "2027-04-15").await;
    open_shop(&stack).await;
    subscribe(&stack, "starter").await;
    stripe::lose_webhooks(&stack, true);
    stripe::fail_calls(&stack, true);
    stack.clock.advance(TimeDelta::days(40));
    until("the day's firing was tried", async || Ok((stack.waiting(&[JobName::DeactivateExpired]).await? > 0).then_some(())))
        .await
        .unwrap();
    assert_eq!(status(&stack).await["active"], true);
    stripe::fail_calls(&stack, false);
    stripe::set_card(&stack, EMAIL, false);
    stripe::advance(&stack, TimeDelta::days(40));
    becomes(&stack, "it is turned off once Stripe has said that nothing was paid", |status| status["active"] == false).await;
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_plan_comes_at_the_periods_end_and_can_be_taken_back() {
    let stack = TestStack::planned(plan()).await.unwrap();
    begin_at(&stack, "2027-04-15").await;
    open_shop(&stack).await;
    subscribe(&stack, "pro").await;
    let owner = ada(&stack).await;
    let problem = owner.post("/subscriptions/create-checkout", &json!({"plan": "business"}), 409).await.unwrap();
    assert_eq!(problem["code"], "subscription_live");
    let later = owner.post("/subscriptions/change", &json!({"plan": "starter"}), 200).await.unwrap();
    assert_eq!((&later["plan"], &later["next_plan"]), (&json!("pro"), &json!("starter")));
    let back = owner.post("/subscriptions/change", &json!({"plan": "pro"}), 200).await.unwrap();
    assert_eq!((&back["plan"], &back["next_plan"]), (&json!("pro"), &Value::Null));

    // A card that is declined changes nothing.
    stripe::set_card(&stack, EMAIL, false);
    let declined = owner.post("/subscriptions/change", &json!({"plan": "business"}), 409).await.unwrap();
    assert_eq!(declined["code"], "payment_declined");
    assert_eq!(status(&stack).await["plan"], "pro");
    stripe::set_card(&stack, EMAIL, true);

    let renewal = time(&status(&stack).await["next_invoice"]["at"]);
    owner.post("/subscriptions/change", &json!({"plan": "starter"}), 200).await.unwrap();
    pass(&stack, renewal - TimeDelta::hours(1) - stack.clock.now()).await;
    assert_eq!(status(&stack).await["plan"], "pro");
    pass(&stack, TimeDelta::hours(3)).await;
    let smaller = becomes(&stack, "the smaller plan is there", |status| status["plan"] == "starter").await;
    assert_eq!((&smaller["next_plan"], &smaller["payments"][0]["amount"]), (&Value::Null, &json!("29.00")));
    mails(&stack, "Your plan has changed", 1).await;
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_subscription_runs_to_the_end_of_what_was_paid_without_grace() {
    let stack = TestStack::planned(plan()).await.unwrap();
    begin_at(&stack, "2027-05-15").await;
    open_shop(&stack).await;
    let nothing = ada(&stack).await.post("/subscriptions/portal", &json!({}), 409).await.unwrap();
    assert_eq!(nothing["code"], "subscription_absent");
    subscribe(&stack, "pro").await;
    assert!(ada(&stack).await.post("/subscriptions/portal", &json!({}), 200).await.unwrap()["url"].is_string());
    stripe::cancel(&stack, EMAIL, true);
    becomes(&stack, "it is ending", |status| status["state"] == "ending").await;
    stripe::cancel(&stack, EMAIL, false);
    becomes(&stack, "it goes on", |status| status["state"] == "active").await;
    stripe::cancel(&stack, EMAIL, true);
    let ending = becomes(&stack, "it is ending again", |status| status["state"] == "ending").await;
    assert_eq!(ending["next_invoice"], Value::Null);
    let end = time(&ending["expires_at"]);
    pass(&stack, end - TimeDelta::hours(20) - stack.clock.now()).await;
    mails(&stack, "ends soon", 1).await;
    assert_eq!(status(&stack).await["active"], true);
    // The next firing after the end: no grace.
    pass(&stack, TimeDelta::hours(40)).await;
    let over = status(&stack).await;
    assert_eq!((&over["state"], &over["active"], &over["status"]), (&json!("inactive"), &json!(false), &json!("canceled")));
    // Who comes back subscribes anew.
    subscribe(&stack, "business").await;
    assert_eq!(status(&stack).await["active"], true);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_reminded_of_its_end_and_ends() {
    let stack = TestStack::planned(plan()).await.unwrap();
    begin_at(&stack, "2027-05-01").await;
    open_shop(&stack).await;
    for (days, sent) in [(6, 0), (2, 1), (4, 2), (1, 3)] {
        pass(&stack, TimeDelta::days(days)).await;
        assert_eq!(status(&stack).await["active"], true);
        mails(&stack, "Your trial ends soon", sent).await;
    }
    pass(&stack, TimeDelta::days(2)).await;
    assert_eq!(status(&stack).await["state"], "inactive");
    mails(&stack, "Your assistant is inactive", 1).await;
    assert_eq!(asks(&stack, "61010", "do you have red kites?").await, INACTIVE);
    subscribe(&stack, "starter").await;
    assert_eq!(status(&stack).await["active"], true);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_pays_twice_by_two_pages_and_an_abandoned_one_costs_nothing() {
    let stack = TestStack::planned(Plan { scheduler: false, ..plan() }).await.unwrap();
    open_shop(&stack).await;
    let owner = ada(&stack).await;
    let choose = async |plan: &str| {
        let page = owner.post("/subscriptions/create-checkout", &json!({"plan": plan}), 200).await.unwrap();
        page["session_id"].as_str().unwrap().to_owned()
    };
    let first = choose("pro").await;
    assert_eq!(choose("pro").await, first, "a page that is open is opened again");
    let other = choose("business").await;
    assert_ne!(other, first);
    assert!(!stripe::can_be_paid(&stack, &first), "the page of another plan is closed");
    stripe::decline(&stack, &other);
    stripe::abandon(&stack, &other);
    assert_eq!(status(&stack).await["state"], "trial");
    stripe::pay(&stack, &other);
    becomes(&stack, "it is paid", |status| status["plan"] == "business").await;
    // Asked twice under one key.
    let again = owner.post_with_key("/subscriptions/portal", "portal-1", &json!({}), 200).await.unwrap();
    assert_eq!(owner.post_with_key("/subscriptions/portal", "portal-1", &json!({}), 200).await.unwrap(), again);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_believed_by_its_signature_alone() {
    let stack =
        TestStack::planned(Plan { scheduler: false, ..plan() }.with("STRIPE_WEBHOOK_SECRET", "whsec_rotated,whsec_sandbox")).await.unwrap();
    let event = json!({"id": "evt_x", "object": "event", "type": "invoice.paid", "livemode": false, "created": 1_795_342_361,
        "data": {"object": {"id": "in_x", "object": "invoice", "customer": "cus_nobody"}}});
    let body = event.to_string();
    let post = async |signature: &str| {
        let request = stack.http.post(format!("{}/subscriptions/webhook", stack.base_url)).header("stripe-signature", signature);
        request.body(body.clone()).send().await.unwrap().status().as_u16()
    };
    let now = stack.clock.now().timestamp();
    let sign = |at: i64, secret: &str| format!("t={at},v1={}", stripe::signature(secret, at, &body));
    assert_eq!(post(&sign(now, "whsec_other")).await, 401);
    assert_eq!(post(&sign(now - 301, "whsec_sandbox")).await, 401);
    assert_eq!(post("").await, 401);
    for secret in ["whsec_sandbox", "whsec_rotated"] {
        assert_eq!(post(&sign(now, secret)).await, 200);
    }
    assert_eq!(post(&format!("{},v1={}", sign(now, "whsec_other"), stripe::signature("whsec_sandbox", now, &body))).await, 200);
    // What is none of ours to hear is taken, and leads to nothing.
    for other in [
        json!({"id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"}),
        json!({"object": "event", "type": "customer.updated"}),
    ] {
        assert_eq!(stripe::deliver(&stack, &other).await, 200);
    }
    assert_eq!(stripe::deliver(&stack, &json!({"object": "event"})).await, 400);
    idle(&stack).await;
    assert_eq!(stack.count("SELECT count(*) FROM billing_events").await.unwrap(), 0);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_and_disputes_are_noted_and_events_of_both_versions_are_read() {
    for version in ["2024-06-20", "2026-10-28.endive"] {
        let stack = TestStack::planned(Plan { scheduler: false, ..plan() }).await.unwrap();
        stripe::speak(&stack, version);
        open_shop(&stack).await;
        subscribe(&stack, "pro").await;
        stripe::refund(&stack, EMAIL, 1000);
        stripe::dispute(&stack, EMAIL);
        let noted = becomes(&stack, "both are noted", |status| status["adjustments"].as_array().unwrap().len() == 2).await;
        let mut kinds: Vec<_> = noted["adjustments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| (of["kind"].as_str().unwrap(), of["amount"].as_str().unwrap()))
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [("dispute", "59.00"), ("refund", "10.00")], "{version}");
        assert_eq!(noted["active"], true);
        stack.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_smaller_plan_leaves_out_is_answered_politely_and_kept() {
    let stack = TestStack::planned(Plan { scheduler: false, ..Plan::default() }).await.unwrap();
    let owner = stack.log_in(OWNER).await.unwrap();
    let manager = stack.log_in(ORDER_MANAGER).await.unwrap();
    manager.get("/orders", 200).await.unwrap();
    let plan = async |plan: &str| {
        let set = format!("UPDATE shops SET plan = '{plan}' WHERE id = (SELECT shop_id FROM users WHERE email = '{}')", OWNER.0);
        stack.database.look().await.unwrap().batch_execute(&set).await.unwrap();
    };
    plan("starter").await;
    // The first that was connected is answered, the others are not.
    let connected = owner.get("/channels", 200).await.unwrap();
    let first = connected["items"][0]["external_id"].as_str().unwrap().to_owned();
    for (account, who) in [(WHATSAPP, "491740000061"), (MESSENGER, "918273640000061"), (INSTAGRAM, "918273640000062")] {
        let customer = stack.customer(account, who);
        customer.says("do you have red sneakers in 42?").unwrap();
        let answer = customer.hears_answer().await.unwrap().text.unwrap();
        assert_eq!(answer.contains("get back to you personally"), account != first, "{account}: {answer}");
    }
    mails(&stack, "where your plan does not answer", 2).await;
    let problem = owner.get("/dashboard/summary", 402).await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("Pro"));
    // Colleagues are kept, and cannot log in.
    for (email, password) in [ORDER_MANAGER, ACCOUNTANT] {
        let problem = stack.nobody().post("/auth/login", &json!({"email": email, "password": password}), 402).await.unwrap();
        assert_eq!(problem["code"], "plan_team");
        assert!(problem["detail"].as_str().unwrap().contains("Business"));
    }
    let team = owner.get("/team", 200).await.unwrap();
    let manager = team["items"].as_array().unwrap().iter().find(|of| of["email"] == ORDER_MANAGER.0).unwrap()["id"].to_string();
    let problem = owner.patch(&format!("/team/{manager}"), &json!({"role": "accountant"}), 402).await.unwrap();
    assert_eq!(problem["code"], "plan_team");
    plan("business").await;
    stack.log_in(ORDER_MANAGER).await.unwrap();
    let customer = stack.customer(MESSENGER, "918273640000061");
    customer.says("do you have red sneakers in 42?").unwrap();
    until("every platform is answered again", async || {
        Ok(customer.heard().iter().any(|send| send.text.as_deref().is_some_and(|text| !text.contains("personally"))).then_some(()))
    })
    .await
    .unwrap();
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_the_middle_of_an_order_is_served_to_its_end() {
    let stack = TestStack::planned(Plan { scheduler: false, ..Plan::default() }).await.unwrap();
    let shop = format!("(SELECT shop_id FROM users WHERE email = '{}')", OWNER.0);
    let last_but_one = format!(
        "UPDATE shops SET plan = 'trial' WHERE id = {shop}; INSERT INTO usage (shop_id, month, messages) \
         SELECT id, date_trunc('month', now() AT TIME ZONE timezone)::date, 199 FROM shops WHERE id = {shop} \
         ON CONFLICT (shop_id, month) DO UPDATE SET messages = 199"
    );
    stack.database.look().await.unwrap().batch_execute(&last_but_one).await.unwrap();
    let customer = stack.customer(WHATSAPP, "491740000071");
    customer.says("hi, do you have red sneakers in 42? I'd take two").unwrap();
    let proposal = customer.hears_answer().await.unwrap();
    assert_eq!(system_tests::buttons(&proposal).len(), 2, "the month's last answer: {:?}", proposal.text);
    customer.says("yes please").unwrap();
    customer.hears_answer().await.unwrap();
    let placed =
        format!("SELECT count(*) FROM orders WHERE shop_id = {shop} AND source = 'agent' AND created_at > now() - interval '1 minute'");
    assert_eq!(stack.count(&placed).await.unwrap(), 1);
    // Others, and who begins anew, are told that somebody will answer.
    customer.says("do you have blue sneakers?").unwrap();
    assert!(customer.hears_answer().await.unwrap().text.unwrap().contains("personally"));
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_the_owners_affair_and_only_of_their_own_shop() {
    let stack = TestStack::planned(Plan { scheduler: false, ..Plan::default() }).await.unwrap();
    for user in [ORDER_MANAGER, ACCOUNTANT] {
        let colleague = stack.log_in(user).await.unwrap();
        colleague.get("/subscriptions/status", 403).await.unwrap();
        colleague.post("/subscriptions/create-checkout", &json!({"plan": "pro"}), 403).await.unwrap();
    }
    let owner = stack.log_in(OWNER).await.unwrap();
    let bad = owner.post("/subscriptions/create-checkout", &json!({"plan": "gold"}), 422).await.unwrap();
    assert_eq!(bad["fields"][0]["field"], "plan");
    let absent = owner.post("/subscriptions/change", &json!({"plan": "pro"}), 409).await.unwrap();
    assert_eq!(absent["code"], "subscription_absent");
    assert_eq!(owner.get("/subscriptions/status", 200).await.unwrap()["state"], "given");
    stack.stop().await.unwrap();
}
