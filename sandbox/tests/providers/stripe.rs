//! Stripe's checkout, billing and webhooks, as the product meets them (PROVIDERS 9).

use std::time::Duration;

use frontdesk_sandbox::faults::{StripeFailure, StripeFaults, StripeWebhookFaults};
use frontdesk_sandbox::signature::stripe_signature;
use frontdesk_sandbox::{Card, EndOfRetries, Payment, SandboxConfig, StripeDelivery};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::bench::{Bench, LONG};

const KEY: &str = "sk_test_sandbox";
const DAY: u32 = 86_400;
const OLD: &str = "2024-06-20";

/// What a subscription began with.
struct Bought {
    customer: String,
    subscription: String,
    invoice: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        let error = &self.body["error"];
        error["code"].as_str().or(error["type"].as_str()).unwrap_or_default()
    }
}

impl Bench {
    async fn stripe(&self, method: reqwest::Method, path: &str, form: &[(&str, &str)], headers: &[(&'static str, &str)]) -> Answer {
        let mut request = self.client.request(method.clone(), self.url(&format!("/stripe{path}"))).bearer_auth(KEY);
        request = if method == reqwest::Method::GET { request.query(form) } else { request.form(form) };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.json().await.unwrap() }
    }

    async fn pay_post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.stripe(reqwest::Method::POST, path, form, &[]).await
    }

    async fn pay_get(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.stripe(reqwest::Method::GET, path, form, &[]).await
    }

    async fn session(&self, price: &str) -> Value {
        let answer = self.pay_post("/v1/checkout/sessions", &checkout(price)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn buy(&self, price: &str) -> Bought {
        let session = self.session(price).await;
        let paid = self.sandbox.state().stripe().pay(session["id"].as_str().unwrap(), Card::Works).unwrap();
        let Payment::Paid { customer, subscription, invoice, .. } = paid else { panic!("not paid: {paid:?}") };
        Bought { customer, subscription, invoice }
    }

    fn subscription(&self, id: &str) -> Value {
        self.sandbox.state().stripe().object(id).unwrap()
    }

    /// Types of the events about this, oldest first.
    fn kinds(&self) -> Vec<String> {
        self.sandbox.state().stripe_events().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Moves the clock to this time, Unix seconds.
    fn until(&self, at: i64) {
        let ahead = at - self.sandbox.state().wire_ms() / 1000;
        self.sandbox.state().advance_clock(u32::try_from(ahead).unwrap());
    }
}

fn checkout(price: &str) -> Vec<(&str, &str)> {
    vec![
        ("mode", "subscription"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
        ("client_reference_id", "shop_1"),
        ("customer_email", "owner@example.com"),
        ("metadata[shop_id]", "shop_1"),
        ("subscription_data[metadata][shop_id]", "shop_1"),
        ("success_url", "https://app.example.com/done?session_id={CHECKOUT_SESSION_ID}"),
        ("cancel_url", "https://app.example.com/billing"),
    ]
}

/// All keys of an example that what was sent lacks.
fn lacking(example: &Value, sent: &Value, path: &str) -> Vec<String> {
    match (example, sent) {
        (Value::Object(wanted), Value::Object(have)) => wanted
            .iter()
            .filter(|(key, _)| *key != "metadata")
            .flat_map(|(key, value)| match have.get(key) {
                None => vec![format!("{path}.{key}")],
                Some(found) => lacking(value, found, &format!("{path}.{key}")),
            })
            .collect(),
        (Value::Array(wanted), Value::Array(have)) => {
            wanted.iter().zip(have).flat_map(|(value, found)| lacking(value, found, &format!("{path}[]"))).collect()
        }
        _ => Vec::new(),
    }
}

fn seconds(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

#[tokio::test]
async fn checkout_is_paid_and_told_by_signed_webhooks() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let session = bench.session("price_pro").await;
    assert_eq!((&session["status"], &session["payment_status"], &session["customer"]), (&json!("open"), &json!("unpaid"), &Value::Null));
    let id = session["id"].as_str().unwrap();
    assert_eq!(state.stripe().pay(id, Card::Declines).unwrap(), Payment::Failed("card_declined".to_owned()));
    assert_eq!(state.stripe().pay(id, Card::ThreeDSecureAbandoned).unwrap(), Payment::Failed("authentication_required".to_owned()));
    let paid = state.stripe().pay(id, Card::ThreeDSecure).unwrap();
    let Payment::Paid { redirect, subscription, invoice, .. } = paid else { panic!("not paid") };
    assert_eq!(redirect, format!("https://app.example.com/done?session_id={id}"));
    assert!(state.stripe().pay(id, Card::Works).is_err());
    let found = bench.subscription(&subscription);
    assert_eq!((&found["status"], &found["metadata"]["shop_id"]), (&json!("active"), &json!("shop_1")));
    assert_eq!(found["latest_invoice"], json!(invoice));

    let told = state.wait_for_stripe_deliveries(9, LONG, |d| d.status == Some(200) && d.kind != "payment_method.attached").await;
    let kinds: Vec<&str> = told.iter().map(|d| d.kind.as_str()).collect();
    let wanted = [
        "charge.failed",
        "customer.created",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "charge.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ];
    assert_eq!(kinds, wanted);
    for delivery in &told {
        let at = delivery.signature.strip_prefix("t=").unwrap().split_once(',').unwrap().0.parse().unwrap();
        assert_eq!(delivery.signature, stripe_signature(&["whsec_sandbox".to_owned()], at, delivery.body.as_bytes()));
    }
    assert_eq!(bench.arrived().iter().find(|a| a.body == told[0].body).unwrap().signature, told[0].signature);
}

#[tokio::test]
async fn events_have_every_field_of_the_examples() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_pro").await;
    state.stripe().set_card(&bought.customer, Card::Declines).unwrap();
    state.advance_clock(60 * DAY);
    let examples = [
        ("checkout.session.completed", include_str!("stripe/checkout_session_completed.json")),
        ("invoice.paid", include_str!("stripe/invoice_paid.json")),
        ("invoice.payment_failed", include_str!("stripe/invoice_payment_failed.json")),
        ("customer.subscription.deleted", include_str!("stripe/subscription_deleted.json")),
    ];
    for (kind, example) in examples {
        let example: Value = serde_json::from_str(example).unwrap();
        let sent = state.stripe_events().into_iter().find(|e| e["type"] == kind).unwrap();
        assert_eq!(lacking(&example, &sent, kind), Vec::<String>::new());
    }
}

#[tokio::test]
async fn same_key_gives_the_first_answer_and_other_parameters_are_refused() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let key = [("idempotency-key", "checkout:shop_1:pro")];
    let post = async |form: &[(&str, &str)]| bench.stripe(reqwest::Method::POST, "/v1/checkout/sessions", form, &key).await;
    // A refusal is not kept: the call may be put right.
    assert_eq!(post(&[("mode", "subscription")]).await.code(), "parameter_missing");
    let first = post(&checkout("price_pro")).await;
    assert!(first.status == 200 && first.headers.get("idempotent-replayed").is_none());
    let second = post(&checkout("price_pro")).await;
    assert_eq!((second.status, &second.body), (200, &first.body));
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert!(second.headers.contains_key("request-id"));
    let other = post(&checkout("price_business")).await;
    assert_eq!((other.status, other.code()), (400, "idempotency_error"));
    assert_eq!(bench.sandbox.state().stripe().sessions().len(), 1);
    bench.sandbox.state().advance_clock(2 * DAY);
    assert_ne!(post(&checkout("price_pro")).await.body["id"], first.body["id"]);
    let calls = bench.sandbox.state().stripe_calls();
    assert_eq!(calls.iter().filter(|c| c.replayed).count(), 1);
    assert!(calls.iter().all(|c| c.idempotency_key.as_deref() == Some("checkout:shop_1:pro")));
}

#[tokio::test]
async fn work_done_although_the_answer_is_lost_is_not_done_again() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    state.faults(|f| f.stripe = StripeFaults { failure: Some(StripeFailure::CutAfterWork), times: Some(1), ..Default::default() });
    let url = bench.url("/stripe/v1/checkout/sessions");
    let request = bench.client.post(url).bearer_auth(KEY).header("idempotency-key", "k").form(&checkout("price_pro"));
    let broken = match request.send().await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    let again = bench.stripe(reqwest::Method::POST, "/v1/checkout/sessions", &checkout("price_pro"), &[("idempotency-key", "k")]).await;
    assert_eq!((again.status, again.headers["idempotent-replayed"].to_str().unwrap()), (200, "true"));
    assert_eq!(state.stripe().sessions().len(), 1);
}

#[tokio::test]
async fn api_fails_on_command_for_as_often_as_asked() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let key = [("idempotency-key", "k")];
    let post = async || bench.stripe(reqwest::Method::POST, "/v1/customers", &[("email", "a@example.com")], &key).await.status;
    let fail = |failure| state.faults(|f| f.stripe = StripeFaults { failure: Some(failure), times: Some(1), ..Default::default() });
    fail(StripeFailure::RateLimit);
    assert_eq!(post().await, 429);
    fail(StripeFailure::Unavailable);
    assert_eq!(post().await, 503);
    // As Stripe does, a 500 is kept under its key.
    fail(StripeFailure::Internal);
    assert_eq!((post().await, post().await), (500, 500));
}

#[tokio::test]
async fn what_stripe_refuses_is_refused() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let sessions = "/v1/checkout/sessions";
    let with = |more: &[(&'static str, &'static str)], without: &str| -> Vec<(&'static str, &'static str)> {
        checkout("price_pro").into_iter().filter(|(k, _)| *k != without).chain(more.iter().copied()).collect()
    };
    let refused = [
        (with(&[("foo[bar]", "1")], ""), 400, "parameter_unknown", "foo[bar]"),
        (with(&[("payment_method_types[0]", "card")], ""), 400, "parameter_unknown", "payment_method_types[0]"),
        (with(&[("customer_creation", "always")], ""), 400, "invalid_request_error", "customer_creation"),
        (with(&[("customer", "cus_1")], ""), 400, "invalid_request_error", "customer"),
        (with(&[("customer", "cus_1")], "customer_email"), 400, "resource_missing", "customer"),
        (with(&[("line_items[0][price]", "price_x")], "line_items[0][price]"), 400, "resource_missing", "line_items[0][price]"),
        (with(&[], "line_items[0][quantity]"), 400, "parameter_missing", "line_items[0][quantity]"),
        (with(&[], "mode"), 400, "parameter_missing", "mode"),
        (with(&[], "success_url"), 400, "parameter_missing", "success_url"),
        (with(&[("expand[]", "nonsense")], ""), 400, "invalid_request_error", "expand"),
        (with(&[("expires_at", "17")], ""), 400, "invalid_request_error", "expires_at"),
    ];
    for (form, status, code, param) in refused {
        let answer = bench.pay_post(sessions, &form).await;
        assert_eq!((answer.status, answer.code(), &answer.body["error"]["param"]), (status, code, &json!(param)), "{}", answer.body);
    }
    assert!(bench.sandbox.state().stripe().sessions().is_empty());
    let before_types_went = with(&[("payment_method_types[0]", "card")], "");
    let old = bench.stripe(reqwest::Method::POST, sessions, &before_types_went, &[("stripe-version", "2025-03-31.basil")]).await;
    assert_eq!(old.status, 200);

    let unknown = bench.pay_get("/v1/subscriptions/sub_1", &[]).await;
    assert_eq!((unknown.status, unknown.code()), (404, "resource_missing"));
    assert_eq!(bench.pay_get("/v1/nonsense", &[]).await.status, 404);
    let url = bench.url("/stripe/v1/customers");
    assert_eq!(bench.client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(bench.client.get(&url).bearer_auth("sk_test_wrong").send().await.unwrap().status(), 401);
    assert_eq!(bench.client.get(&url).basic_auth(KEY, None::<&str>).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn shapes_are_those_of_the_versions() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    state.stripe().set_api_version(OLD);
    let bought = bench.buy("price_pro").await;
    let of = |kind: &str| state.stripe_events().into_iter().rev().find(|e| e["type"] == kind).unwrap();
    let paid = of("invoice.paid");
    let invoice = &paid["data"]["object"];
    assert_eq!((&paid["api_version"], &invoice["subscription"]), (&json!(OLD), &json!(bought.subscription)));
    assert_eq!((&invoice["paid"], &invoice["subscription_details"]["metadata"]["shop_id"]), (&json!(true), &json!("shop_1")));
    assert_eq!(invoice["lines"]["data"][0]["price"]["id"], "price_pro");
    assert!(invoice["charge"].is_string() && invoice.get("parent").is_none());
    let made = of("customer.subscription.created")["data"]["object"].clone();
    assert!(made["current_period_end"].is_i64() && made["items"]["data"][0].get("current_period_end").is_none());

    // The client's own version decides what it is answered.
    let path = format!("/v1/invoices/{}", bought.invoice);
    let new = bench.pay_get(&path, &[("expand[]", "payments")]).await.body;
    let details = &new["parent"]["subscription_details"];
    assert_eq!((&details["subscription"], &details["metadata"]["shop_id"]), (&json!(bought.subscription), &json!("shop_1")));
    assert_eq!(new["lines"]["data"][0]["pricing"]["price_details"]["price"], "price_pro");
    assert_eq!(new["payments"]["data"][0]["status"], "paid");
    assert!(["subscription", "paid", "charge", "payment_intent", "subscription_details"].iter().all(|key| new.get(key).is_none()));
    let old = bench.stripe(reqwest::Method::GET, &path, &[], &[("stripe-version", OLD)]).await.body;
    assert_eq!(old["subscription"], json!(bought.subscription));
    let expanded = bench.pay_get(&format!("/v1/subscriptions/{}", bought.subscription), &[("expand[]", "latest_invoice")]).await.body;
    assert_eq!(expanded["latest_invoice"]["id"], json!(bought.invoice));
}

#[tokio::test]
async fn year_of_renewals_from_the_31st_has_the_ends_of_the_months() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    // 31 January 2027, 10:00 UTC.
    bench.until(1_801_389_600);
    let bought = bench.buy("price_pro").await;
    state.advance_clock(365 * DAY);
    let invoices = state.stripe().invoices(&bought.subscription);
    assert_eq!(invoices.iter().filter(|i| i["status"] == "paid").count(), 12, "the first, and one at each of eleven renewals");
    let start = seconds(&invoices[0]["lines"]["data"][0]["period"]["start"]);
    let days: Vec<i64> = invoices.iter().map(|i| (seconds(&i["lines"]["data"][0]["period"]["end"]) - start) / i64::from(DAY)).collect();
    // 28 Feb, 31 Mar, 30 Apr, 31 May, 30 Jun, 31 Jul, 31 Aug, 30 Sep, 31 Oct, 30 Nov, 31 Dec, 31 Jan
    assert_eq!(days[..12], [28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334, 365]);
    assert_eq!(bench.subscription(&bought.subscription)["status"], "active");
    let renewal = state.stripe_events().into_iter().find(|e| e["data"]["object"]["billing_reason"] == "subscription_cycle").unwrap();
    assert_eq!(seconds(&renewal["created"]), start + 28 * i64::from(DAY), "an event is of the time at which it was due");
    let listed = bench.pay_get("/v1/invoices", &[("subscription", &bought.subscription), ("status", "paid"), ("limit", "5")]).await.body;
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["has_more"]), (5, &json!(true)));
    let last = listed["data"][4]["id"].as_str().unwrap();
    let rest = [("subscription", bought.subscription.as_str()), ("status", "paid"), ("limit", "100"), ("starting_after", last)];
    let rest = bench.pay_get("/v1/invoices", &rest).await.body;
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["has_more"]), (7, &json!(false)));
}

#[tokio::test]
async fn declined_card_is_tried_four_times_and_the_subscription_ends() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_pro").await;
    state.stripe().set_card(&bought.customer, Card::Declines).unwrap();
    bench.until(seconds(&bench.subscription(&bought.subscription)["items"]["data"][0]["current_period_end"]) + 3_700);
    assert_eq!(bench.subscription(&bought.subscription)["status"], "past_due");
    state.advance_clock(20 * DAY);
    let events = state.stripe_events();
    let failed: Vec<&Value> = events.iter().filter(|e| e["type"] == "invoice.payment_failed").map(|e| &e["data"]["object"]).collect();
    let counts: Vec<i64> = failed.iter().map(|i| seconds(&i["attempt_count"])).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    let first = seconds(&events.iter().find(|e| e["type"] == "invoice.payment_failed").unwrap()["created"]);
    let next: Vec<Option<i64>> = failed.iter().map(|i| i["next_payment_attempt"].as_i64().map(|t| (t - first) / i64::from(DAY))).collect();
    assert_eq!(next, [Some(3), Some(8), Some(15), None]);
    let ended = events.last().unwrap();
    assert_eq!(ended["type"], "customer.subscription.deleted");
    assert_eq!(ended["data"]["object"]["cancellation_details"]["reason"], "payment_failed");
    let late = events.iter().find(|e| e["data"]["previous_attributes"]["status"] == "active").unwrap();
    assert_eq!(late["data"]["object"]["status"], "past_due");
}

#[tokio::test]
async fn paying_the_open_invoice_makes_the_subscription_active_again() {
    let bench = Bench::with_stripe(SandboxConfig { stripe_end_of_retries: EndOfRetries::Unpaid, ..SandboxConfig::default() }).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_pro").await;
    state.stripe().set_card(&bought.customer, Card::Declines).unwrap();
    state.advance_clock(50 * DAY);
    let found = bench.subscription(&bought.subscription);
    assert_eq!(found["status"], "unpaid");
    let open = found["latest_invoice"].as_str().unwrap();
    let path = format!("/v1/invoices/{open}/pay");
    let declined = bench.pay_post(&path, &[]).await;
    assert_eq!((declined.status, declined.code(), &declined.body["error"]["type"]), (402, "card_declined", &json!("card_error")));
    state.stripe().set_card(&bought.customer, Card::Works).unwrap();
    let paid = bench.pay_post(&path, &[]).await;
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("paid")));
    assert_eq!(bench.subscription(&bought.subscription)["status"], "active");
    let last = state.stripe_events().pop().unwrap();
    assert_eq!(
        (&last["type"], &last["data"]["previous_attributes"]["status"]),
        (&json!("customer.subscription.updated"), &json!("unpaid"))
    );
}

#[tokio::test]
async fn upgrade_is_prorated_and_paid_at_once_and_downgrade_waits_for_the_period() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_starter").await;
    let path = format!("/v1/subscriptions/{}", bought.subscription);
    let before = bench.pay_get(&path, &[]).await.body["items"]["data"][0].clone();
    let (start, end) = (seconds(&before["current_period_start"]), seconds(&before["current_period_end"]));
    bench.until(start + (end - start) / 2);
    let item = before["id"].as_str().unwrap();
    let up = [("items[0][id]", item), ("items[0][price]", "price_business"), ("proration_behavior", "always_invoice")];
    let changed = bench.pay_post(&path, &up).await.body;
    assert_eq!(changed["items"]["data"][0]["price"]["id"], "price_business");
    assert_eq!(seconds(&changed["items"]["data"][0]["current_period_end"]), end);
    let invoice = state.stripe().invoices(&bought.subscription).pop().unwrap();
    assert_eq!((&invoice["billing_reason"], &invoice["status"]), (&json!("subscription_update"), &json!("paid")));
    let lines = invoice["lines"]["data"].as_array().unwrap();
    assert!(lines.iter().all(|l| l["parent"]["subscription_item_details"]["proration"] == true));
    let (credit, debit) = (seconds(&lines[0]["amount"]), seconds(&lines[1]["amount"]));
    assert!((-1451..=-1449).contains(&credit) && (4949..=4951).contains(&debit), "half of each: {credit} {debit}");

    let schedule = bench.pay_post("/v1/subscription_schedules", &[("from_subscription", &bought.subscription)]).await.body;
    let (start, end) = (start.to_string(), end.to_string());
    let down = [
        ("end_behavior", "release"),
        ("phases[0][items][0][price]", "price_business"),
        ("phases[0][items][0][quantity]", "1"),
        ("phases[0][start_date]", &start),
        ("phases[0][end_date]", &end),
        ("phases[1][items][0][price]", "price_starter"),
        ("phases[1][items][0][quantity]", "1"),
        ("phases[1][start_date]", &end),
        ("phases[1][proration_behavior]", "none"),
    ];
    let id = schedule["id"].as_str().unwrap();
    let planned = bench.pay_post(&format!("/v1/subscription_schedules/{id}"), &down).await;
    assert_eq!((planned.status, &planned.body["phases"][1]["items"][0]["price"]), (200, &json!("price_starter")), "{}", planned.body);
    let refused = bench.pay_post(&path, &[("cancel_at_period_end", "true")]).await;
    assert_eq!(refused.status, 400);
    let preview = bench.pay_post("/v1/invoices/create_preview", &[("subscription", &bought.subscription)]).await.body;
    assert_eq!(preview["amount_due"], 2900);
    bench.until(end.parse::<i64>().unwrap() + 4_000);
    let after = bench.subscription(&bought.subscription);
    assert_eq!(after["items"]["data"][0]["price"]["id"], "price_starter");
    let renewal = state.stripe().invoices(&bought.subscription).pop().unwrap();
    assert_eq!((&renewal["amount_paid"], &renewal["billing_reason"]), (&json!(2900), &json!("subscription_cycle")));
    state.advance_clock(35 * DAY);
    assert_eq!(bench.subscription(&bought.subscription)["schedule"], Value::Null);
    assert!(bench.kinds().contains(&"subscription_schedule.released".to_owned()));
}

#[tokio::test]
async fn failing_upgrade_waits_or_is_refused_as_asked() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_starter").await;
    state.stripe().set_card(&bought.customer, Card::Declines).unwrap();
    let path = format!("/v1/subscriptions/{}", bought.subscription);
    let item = bench.subscription(&bought.subscription)["items"]["data"][0]["id"].as_str().unwrap().to_owned();
    let up = async |behavior: &str| {
        let form = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", "price_pro"),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", behavior),
        ];
        bench.pay_post(&path, &form).await
    };
    assert_eq!(up("error_if_incomplete").await.status, 402);
    assert_eq!(state.stripe().invoices(&bought.subscription).len(), 1);
    let waiting = up("pending_if_incomplete").await.body;
    assert_eq!((&waiting["status"], &waiting["items"]["data"][0]["price"]["id"]), (&json!("active"), &json!("price_starter")));
    assert!(waiting["pending_update"]["expires_at"].is_i64());
    state.stripe().set_card(&bought.customer, Card::Works).unwrap();
    state.stripe().pay_invoice(waiting["latest_invoice"].as_str().unwrap()).unwrap();
    assert_eq!(bench.subscription(&bought.subscription)["items"]["data"][0]["price"]["id"], "price_pro");
}

#[tokio::test]
async fn cancelled_subscription_runs_to_its_period_end() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_pro").await;
    let path = format!("/v1/subscriptions/{}", bought.subscription);
    let ending = bench.pay_post(&path, &[("cancel_at_period_end", "true")]).await.body;
    assert_eq!(ending["cancel_at"], ending["items"]["data"][0]["current_period_end"]);
    let going_on = bench.pay_post(&path, &[("cancel_at_period_end", "false")]).await.body;
    assert_eq!((&going_on["cancel_at"], &going_on["cancel_at_period_end"]), (&Value::Null, &json!(false)));
    state.stripe().cancel_at_period_end(&bought.subscription, true);
    state.advance_clock(40 * DAY);
    let ended = state.stripe_events().pop().unwrap();
    assert_eq!((&ended["type"], &ended["data"]["object"]["ended_at"]), (&json!("customer.subscription.deleted"), &ending["cancel_at"]));
    assert_eq!(state.stripe().invoices(&bought.subscription).len(), 1);
    let listed = bench.pay_get("/v1/subscriptions", &[("customer", &bought.customer)]).await.body;
    assert_eq!(listed["data"], json!([]));
    assert_eq!(bench.stripe(reqwest::Method::DELETE, &path, &[], &[]).await.status, 404);
}

#[tokio::test]
async fn refund_and_dispute_are_told() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let bought = bench.buy("price_pro").await;
    state.stripe().refund(&bought.invoice, Some(1000)).unwrap();
    assert!(state.stripe().refund(&bought.invoice, Some(5000)).is_err());
    let dispute = state.stripe().dispute(&bought.invoice).unwrap();
    state.stripe().close_dispute(&dispute, false).unwrap();
    let kinds = bench.kinds();
    let last: Vec<&str> = kinds.iter().rev().take(4).rev().map(String::as_str).collect();
    assert_eq!(last, ["charge.refunded", "refund.created", "charge.dispute.created", "charge.dispute.closed"]);
    let refunded = state.stripe_events().into_iter().find(|e| e["type"] == "charge.refunded").unwrap();
    assert_eq!((&refunded["data"]["object"]["amount_refunded"], &refunded["data"]["object"]["refunded"]), (&json!(1000), &json!(false)));
}

#[tokio::test]
async fn webhooks_are_retried_and_go_wrong_on_command() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let customer = async |email: &str| bench.pay_post("/v1/customers", &[("email", email)]).await.body["id"].as_str().unwrap().to_owned();
    let about = |id: String| move |d: &StripeDelivery| d.body.contains(&id);
    let set = |faults: StripeWebhookFaults| state.faults(|f| f.stripe_webhooks = faults);

    bench.answer_webhooks_with(&[302, 500]);
    let id = customer("a@example.com").await;
    let seen = state.wait_for_stripe_deliveries(3, LONG, about(id)).await;
    assert_eq!(seen.iter().map(|d| d.status).collect::<Vec<_>>(), [Some(302), Some(500), Some(200)]);

    set(StripeWebhookFaults { duplicates: 2, twins: true, ..Default::default() });
    let id = customer("b@example.com").await;
    let mut seen: Vec<String> = state.wait_for_stripe_deliveries(4, LONG, about(id)).await.into_iter().map(|d| d.event).collect();
    seen.sort();
    assert_eq!(seen.len(), 4);
    seen.dedup();
    assert_eq!(seen.len(), 2, "three of one id, one of another");

    set(StripeWebhookFaults { drop: true, ..Default::default() });
    let id = customer("c@example.com").await;
    assert!(state.wait_for_stripe_deliveries(1, LONG, |d| d.lost).await.len() == 1);
    let kept = bench.pay_get("/v1/events", &[("type", "customer.created"), ("limit", "1")]).await.body;
    assert_eq!(kept["data"][0]["data"]["object"]["id"], json!(id));

    set(StripeWebhookFaults { wrong_signature: true, times: Some(1), ..Default::default() });
    let id = customer("d@example.com").await;
    let seen = state.wait_for_stripe_deliveries(1, LONG, about(id)).await;
    let at = seen[0].signature.strip_prefix("t=").unwrap().split_once(',').unwrap().0.parse().unwrap();
    assert_ne!(seen[0].signature, state.stripe().sign_at(&seen[0].body, at));

    set(StripeWebhookFaults { stale_timestamp: true, times: Some(1), ..Default::default() });
    let id = customer("e@example.com").await;
    let seen = state.wait_for_stripe_deliveries(1, LONG, about(id)).await;
    let at: i64 = seen[0].signature.strip_prefix("t=").unwrap().split_once(',').unwrap().0.parse().unwrap();
    assert!(at < state.wire_ms() / 1000 - 300);

    state.stripe().set_webhook_secrets(&["whsec_new", "whsec_sandbox"]);
    let id = customer("f@example.com").await;
    let seen = state.wait_for_stripe_deliveries(1, LONG, about(id)).await;
    assert_eq!(seen[0].signature.matches(",v1=").count(), 2);
}

#[tokio::test]
async fn shuffled_webhooks_all_arrive_in_another_order() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    state.faults(|f| f.stripe_webhooks.reorder_window_ms = 200);
    let bought = bench.buy("price_pro").await;
    state.advance_clock(300 * DAY);
    let made: Vec<String> = state.stripe_events().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    let told = state.wait_for_stripe_deliveries(made.len(), LONG, |d| d.status == Some(200)).await;
    let told: Vec<String> = told.into_iter().map(|d| d.event).collect();
    assert_ne!(told, made, "{}", bought.customer);
    let (mut told, mut made) = (told, made);
    told.sort();
    made.sort();
    assert_eq!(told, made);
}

#[tokio::test]
async fn pages_take_a_customer_through_checkout_and_portal() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    let session = bench.session("price_pro").await;
    let page = session["url"].as_str().unwrap();
    assert!(bench.client.get(page).send().await.unwrap().text().await.unwrap().contains("$59.00 a month"));
    let pay = async |card: &str| bench.browser().post(page).form(&[("card", card)]).send().await.unwrap();
    assert!(pay("declines").await.text().await.unwrap().contains("Your card was declined."));
    assert!(pay("three_d_secure_asked").await.text().await.unwrap().contains("Authenticate"));
    let done = pay("three_d_secure").await;
    let location = done.headers()["location"].to_str().unwrap();
    assert_eq!((done.status().as_u16(), location.contains(session["id"].as_str().unwrap())), (303, true));

    let bought = state.stripe().subscriptions().pop().unwrap();
    let customer = bought["customer"].as_str().unwrap();
    let form = [("customer", customer), ("return_url", "https://app.example.com/billing?a=<b>")];
    let portal = bench.pay_post("/v1/billing_portal/sessions", &form).await.body;
    let url = portal["url"].as_str().unwrap();
    let html = bench.client.get(url).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("Pro, $59.00 a month") && !html.contains("<b>"));
    let act = async |form: &[(&str, &str)]| bench.browser().post(url).form(form).send().await.unwrap().status().as_u16();
    let id = bought["id"].as_str().unwrap();
    assert_eq!(act(&[("act", "cancel"), ("id", id)]).await, 303);
    assert!(bench.subscription(id)["cancel_at"].is_i64());
    assert_eq!(act(&[("act", "keep"), ("id", id)]).await, 303);
    assert_eq!(act(&[("act", "plan"), ("id", id), ("price", "price_business")]).await, 303);
    assert_eq!(bench.subscription(id)["items"]["data"][0]["price"]["id"], "price_business");
    let other = bench.buy("price_pro").await;
    assert_eq!(act(&[("act", "cancel"), ("id", &other.subscription)]).await, 404, "another customer's");
}

#[tokio::test]
async fn clock_moves_for_stripe_and_for_customers_messages() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let state = bench.sandbox.state();
    bench.open_whatsapp();
    let body =
        json!({ "messaging_product": "whatsapp", "to": format!("+{}", crate::bench::PHONE), "type": "text", "text": { "body": "hello" } });
    assert_eq!(bench.send_whatsapp(&body).await.0, 200);
    let clock = bench.client.post(bench.url("/control/clock")).json(&json!({ "advance_seconds": 2 * DAY }));
    let shown: Value = clock.send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["ahead_seconds"], 2 * DAY);
    let (status, refused) = bench.send_whatsapp(&body).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!(131_047)), "the window has closed");
    let id = bench.open_whatsapp();
    let message = &bench.wait_for_webhooks(1, &id).await[0]["entry"][0]["changes"][0]["value"]["messages"][0];
    let at: i64 = message["timestamp"].as_str().unwrap().parse().unwrap();
    assert!((state.wire_ms() / 1000 - at).abs() < 60);
    assert!(state.sends().iter().all(|s| s.received_at_ms < state.wire_ms() - i64::from(DAY) * 1000), "records keep the real time");
    assert_eq!(bench.send_whatsapp(&body).await.0, 200);
    let quiet = state.wait_for_stripe_deliveries(1, Duration::ZERO, |_| true).await;
    assert!(quiet.is_empty());
}

#[tokio::test]
async fn demo_is_driven_over_the_control_routes() {
    let bench = Bench::with_stripe(SandboxConfig::default()).await;
    let session = bench.session("price_starter").await;
    let post = async |act: Value| {
        let answer = bench.client.post(bench.url("/control/stripe/act")).json(&act).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (_, declined) = post(json!({ "act": "pay", "session": session["id"], "card": "declines" })).await;
    assert_eq!(declined, json!({ "paid": false, "code": "card_declined" }));
    let (status, paid) = post(json!({ "act": "pay", "session": session["id"], "card": "works" })).await;
    assert_eq!((status, &paid["paid"]), (200, &json!(true)));
    assert_eq!(post(json!({ "act": "pay", "session": session["id"], "card": "works" })).await.0, 422);
    let settings = json!({ "api_version": OLD, "end_of_retries": "unpaid", "draft_s": 0 });
    let set = bench.client.put(bench.url("/control/stripe/settings")).json(&settings).send().await.unwrap();
    assert_eq!(set.status(), 200);
    assert_eq!(post(json!({ "act": "set_card", "customer": paid["customer"], "card": "declines" })).await.0, 200);
    bench.client.post(bench.url("/control/clock")).json(&json!({ "advance_seconds": 50 * DAY })).send().await.unwrap();
    let all: Value = bench.client.get(bench.url("/control/stripe")).send().await.unwrap().json().await.unwrap();
    assert_eq!(all["subscriptions"][0]["status"], "unpaid");
    let calls: Value = bench.client.get(bench.url("/control/stripe/calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!(calls["items"][0]["path"], "/v1/checkout/sessions");
}
