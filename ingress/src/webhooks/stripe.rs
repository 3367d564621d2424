//! Stripe tells what happened (PROVIDERS 9.2). An event is believed by its signature and accepted into Redis; what it says is read anew from Stripe by the
//! job, so only its ids are taken, which newer and older versions of the API have in the same places.

use chrono::{DateTime, Utc};
use frontdesk_core::jobs::HandleStripeEvent;
use frontdesk_core::queue::{From as Origin, Push};
use serde_json::Value;

use crate::call::SignedBody;
use crate::reply::{HttpError, Reply};

/// Longer ids and words are none of Stripe's.
const LONGEST: usize = 255;

/// What changes something here; Stripe may be set to send more.
const HEARD: &[&str] = &[
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.voided",
    "subscription_schedule.canceled",
    "subscription_schedule.created",
    "subscription_schedule.released",
    "subscription_schedule.updated",
];

/// Takes an event; 200 only when Redis has it. What is none of ours to hear is 200 too, or Stripe would send it for days.
pub(crate) async fn delivered(cx: SignedBody) -> Result<Reply, HttpError> {
    let not_an_event = || HttpError::malformed("The body is not an event of Stripe's.");
    let event: Value = serde_json::from_slice(cx.body()).map_err(|_| not_an_event())?;
    let kind = event["type"].as_str().ok_or_else(not_an_event)?;
    // Thin events (`v2.core.event`) have no object, and are none that we hear.
    if event["object"] != "event" || !HEARD.contains(&kind) {
        metrics::counter!("frontdesk_stripe_events_total", "kind" => "unheard").increment(1);
        return Ok(Reply::text(""));
    }
    let job = read(&event, kind).ok_or_else(not_an_event)?;
    let push = Push { key: Some(job.event_id.clone()), trace: Some(cx.trace.to_string()), ..Push::default() };
    cx.app.queue.push(Origin::System, &job, push).await.map_err(HttpError::unavailable)?;
    metrics::counter!("frontdesk_stripe_events_total", "kind" => "heard").increment(1);
    Ok(Reply::text(""))
}

fn word(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|word| !word.is_empty() && word.len() <= LONGEST && word.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(str::to_owned)
}

/// An id, or the object that stands in its place where Stripe was asked to expand it.
fn id(value: &Value) -> Option<String> {
    word(value).or_else(|| word(&value["id"]))
}

fn read(event: &Value, kind: &str) -> Option<HandleStripeEvent> {
    let object = &event["data"]["object"];
    let object_id = word(&object["id"])?;
    let customer = if kind == "customer.deleted" { Some(object_id.clone()) } else { id(&object["customer"]) };
    let refund = kind == "charge.refunded";
    Some(HandleStripeEvent {
        event_id: word(&event["id"])?,
        kind: kind.to_owned(),
        livemode: event["livemode"].as_bool()?,
        occurred_at: DateTime::<Utc>::from_timestamp(event["created"].as_i64()?, 0)?,
        object_id,
        customer,
        charge: id(&object["charge"]),
        amount: object[if refund { "amount_refunded" } else { "amount" }].as_i64(),
        currency: word(&object["currency"]),
        status: word(&object["status"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(body: &str) -> HandleStripeEvent {
        let event: Value = serde_json::from_str(body).unwrap();
        read(&event, event["type"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn the_ids_of_every_fixture_are_found() {
        let completed = fixture(include_str!("../../tests/fixtures/stripe_checkout_session_completed.json"));
        assert_eq!(
            (completed.object_id.as_str(), completed.customer.as_deref()),
            ("cs_test_a1B2c3D4e5F6g7H8i9J0", Some("cus_TTa1b2c3d4e5"))
        );
        let paid = fixture(include_str!("../../tests/fixtures/stripe_invoice_paid.json"));
        assert_eq!((paid.event_id.as_str(), paid.object_id.as_str()), ("evt_1SWk2ZAbCdEfGhIj0002", "in_1SWk2YAbCdEfGhIj0100"));
        let failed = fixture(include_str!("../../tests/fixtures/stripe_invoice_payment_failed.json"));
        assert_eq!((failed.kind.as_str(), failed.livemode), ("invoice.payment_failed", false));
        let deleted = fixture(include_str!("../../tests/fixtures/stripe_subscription_deleted.json"));
        assert_eq!((deleted.customer.as_deref(), deleted.status.as_deref()), (Some("cus_TTa1b2c3d4e5"), Some("canceled")));
    }

    #[test]
    fn a_refund_says_what_went_back_and_a_dispute_which_charge() {
        let event = |kind: &str, object: Value| serde_json::json!({"id": "evt_1", "object": "event", "type": kind, "livemode": true, "created": 1_795_342_361, "data": {"object": object}});
        let refund = event(
            "charge.refunded",
            serde_json::json!({"id": "ch_1", "customer": "cus_1", "amount": 5900, "amount_refunded": 900, "currency": "usd", "status": "succeeded"}),
        );
        assert_eq!(read(&refund, "charge.refunded").unwrap().amount, Some(900));
        let dispute = event(
            "charge.dispute.created",
            serde_json::json!({"id": "dp_1", "charge": {"id": "ch_1"}, "amount": 5900, "currency": "usd", "status": "needs_response"}),
        );
        let read = read(&dispute, "charge.dispute.created").unwrap();
        assert_eq!((read.customer, read.charge.as_deref(), read.amount), (None, Some("ch_1"), Some(5900)));
    }

    #[test]
    fn what_is_no_event_is_told_from_one() {
        for odd in [
            serde_json::json!({"id": "evt_1", "livemode": true, "created": 1, "data": {"object": {}}}),
            serde_json::json!({"id": "evt_1", "created": 1, "data": {"object": {"id": "in_1"}}}),
            serde_json::json!({"id": "e".repeat(256), "livemode": true, "created": 1, "data": {"object": {"id": "in_1"}}}),
            serde_json::json!({"id": "evt_1", "livemode": true, "created": i64::MAX, "data": {"object": {"id": "in_1"}}}),
        ] {
            assert!(read(&odd, "invoice.paid").is_none(), "{odd}");
        }
    }

    #[test]
    fn what_is_heard_is_in_order() {
        assert!(HEARD.is_sorted());
    }
}
