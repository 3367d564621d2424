//! The sandbox's Stripe, as the stories of money use it: what people do at its pages, what their bank says, and what happens to its webhooks.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use frontdesk_sandbox::faults::StripeFailure;
use frontdesk_sandbox::signature::stripe_signature;
use frontdesk_sandbox::{Card, Payment, StripeDesk};
use serde_json::Value;
use system_tests::{TestStack, until};

fn desk(stack: &TestStack) -> StripeDesk {
    stack.sandbox.state().stripe()
}

/// The latest subscription of whoever has this e-mail.
fn subscription(stack: &TestStack, email: &str) -> Value {
    let desk = desk(stack);
    let theirs = |of: &Value| of["customer"].as_str().and_then(|id| desk.object(id)).is_some_and(|customer| customer["email"] == email);
    desk.subscriptions().into_iter().rfind(theirs).unwrap()
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

/// Pays at the checkout.
pub(super) fn pay(stack: &TestStack, session: &str) {
    assert!(matches!(desk(stack).pay(session, Card::Works).unwrap(), Payment::Paid { .. }));
}

/// The card is declined at the checkout.
pub(super) fn decline(stack: &TestStack, session: &str) {
    assert!(matches!(desk(stack).pay(session, Card::Declines).unwrap(), Payment::Failed(_)));
}

/// The bank asks for 3-D Secure, and nobody answers.
pub(super) fn abandon(stack: &TestStack, session: &str) {
    assert!(matches!(desk(stack).pay(session, Card::ThreeDSecureAbandoned).unwrap(), Payment::Failed(_)));
}

pub(super) fn can_be_paid(stack: &TestStack, session: &str) -> bool {
    desk(stack).object(session).is_some_and(|session| session["status"] == "open")
}

/// What the bank says to the card from now on.
pub(super) fn set_card(stack: &TestStack, email: &str, works: bool) {
    let customer = subscription(stack, email)["customer"].as_str().unwrap().to_owned();
    desk(stack).set_card(&customer, if works { Card::Works } else { Card::Declines }).unwrap();
}

/// As at the page of an invoice.
pub(super) fn pay_what_is_owed(stack: &TestStack, email: &str) {
    let of = subscription(stack, email);
    let open: Vec<Value> = desk(stack).invoices(id(&of)).into_iter().filter(|invoice| invoice["status"] == "open").collect();
    assert!(!open.is_empty(), "nothing is owed");
    for invoice in open {
        desk(stack).pay_invoice(id(&invoice)).unwrap();
    }
}

/// As in the portal.
pub(super) fn cancel(stack: &TestStack, email: &str, ends: bool) {
    desk(stack).cancel_at_period_end(id(&subscription(stack, email)), ends);
}

fn latest_invoice(stack: &TestStack, email: &str) -> String {
    subscription(stack, email)["latest_invoice"].as_str().unwrap().to_owned()
}

pub(super) fn refund(stack: &TestStack, email: &str, cents: i64) {
    desk(stack).refund(&latest_invoice(stack, email), Some(cents)).unwrap();
}

pub(super) fn dispute(stack: &TestStack, email: &str) {
    desk(stack).dispute(&latest_invoice(stack, email)).unwrap();
}

/// Webhooks go nowhere.
pub(super) fn lose_webhooks(stack: &TestStack, lose: bool) {
    stack.sandbox.state().faults(|faults| faults.stripe_webhooks.drop = lose);
}

/// Calls are answered with 503.
pub(super) fn fail_calls(stack: &TestStack, fail: bool) {
    stack.sandbox.state().faults(|faults| faults.stripe.failure = fail.then_some(StripeFailure::Unavailable));
}

/// The version in which events are written.
pub(super) fn speak(stack: &TestStack, version: &str) {
    desk(stack).set_api_version(version);
}

pub(super) fn advance(stack: &TestStack, by: TimeDelta) {
    stack.sandbox.state().advance_clock(u32::try_from(by.num_seconds()).unwrap());
}

pub(super) fn events(stack: &TestStack) -> Vec<Value> {
    desk(stack).events()
}

/// Waits until every event has arrived, or is lost.
pub(super) async fn told(stack: &TestStack) {
    until("Stripe has told everything", async || {
        let over: BTreeSet<String> = stack
            .sandbox
            .state()
            .stripe_deliveries()
            .into_iter()
            .filter(|delivery| delivery.lost || delivery.status.is_some_and(|status| (200..300).contains(&status)))
            .map(|delivery| delivery.event)
            .collect();
        Ok(events(stack).iter().all(|event| over.contains(id(event))).then_some(()))
    })
    .await
    .unwrap();
}

/// Posts an event as Stripe would, by hand; gives the status.
pub(super) async fn deliver(stack: &TestStack, event: &Value) -> u16 {
    let body = event.to_string();
    let request = stack.http.post(format!("{}/subscriptions/webhook", stack.base_url));
    let request = request.header("stripe-signature", desk(stack).sign(&body)).header("content-type", "application/json");
    request.body(body).send().await.unwrap().status().as_u16()
}

/// The digits of a `v1`.
pub(super) fn signature(secret: &str, at: i64, body: &str) -> String {
    let header = stripe_signature(&[secret.to_owned()], at, body.as_bytes());
    header.split_once("v1=").unwrap().1.to_owned()
}
