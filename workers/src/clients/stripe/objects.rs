//! Stripe's objects as they are read here. Fields that moved in 2025 (PROVIDERS 9.2) are read from both places: the account's version may be pinned.

use chrono::{DateTime, Utc};
use frontdesk_core::db::subscriptions::{Paid, Subscribed};
use frontdesk_core::plans::Plan;
use rust_decimal::Decimal;
use serde_json::Value;

/// Currencies without a smaller unit, as Stripe lists them.
const WHOLE: &[&str] = &["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];

/// An amount in a currency's smallest unit, as people write it.
#[must_use]
pub fn amount_of(smallest: i64, currency: &str) -> Decimal {
    Decimal::new(smallest, if WHOLE.contains(&currency) { 0 } else { 2 })
}

pub(crate) fn time(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(value.as_i64()?, 0)
}

pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// An id, or the object that stands in its place.
pub(crate) fn id(value: &Value) -> Option<String> {
    text(value).or_else(|| text(&value["id"]))
}

/// Where people go, if it is a place to be shown to them.
fn link(value: &Value) -> Option<String> {
    text(value).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

/// The item of a subscription, of which ours have one.
fn item(subscription: &Value) -> &Value {
    &subscription["items"]["data"][0]
}

fn price_of(item: &Value) -> Option<String> {
    id(&item["price"]).or_else(|| id(&item["plan"]))
}

/// Of several subscriptions the one that counts: one that lives before one that waits, the larger plan before the smaller, the newer before the older.
#[must_use]
pub fn in_force<'s>(subscriptions: &'s [Value], plan: &impl Fn(&str) -> Option<Plan>) -> Option<&'s Value> {
    let rank = |status: &str| match status {
        "active" | "trialing" => 5,
        "past_due" => 4,
        "unpaid" => 3,
        "paused" => 2,
        "canceled" => 1,
        _ => 0,
    };
    subscriptions.iter().max_by_key(|of| {
        let sold = price_of(item(of)).and_then(|price| plan(&price));
        (rank(of["status"].as_str().unwrap_or_default()), sold, of["created"].as_i64())
    })
}

/// How many of them are charged for.
#[must_use]
pub fn charged(subscriptions: &[Value]) -> usize {
    subscriptions.iter().filter(|of| matches!(of["status"].as_str(), Some("active" | "trialing" | "past_due"))).count()
}

/// Reads a subscription; what its schedule and the next invoice say is looked up apart.
#[must_use]
pub fn subscription(of: &Value, plan: &impl Fn(&str) -> Option<Plan>) -> Option<Subscribed> {
    let item = item(of);
    let status = text(&of["status"])?;
    let period_end = time(&item["current_period_end"]).or_else(|| time(&of["current_period_end"]));
    let ends_at = if status == "canceled" {
        time(&of["ended_at"]).or_else(|| time(&of["canceled_at"]))
    } else if of["cancel_at_period_end"] == true {
        period_end
    } else {
        time(&of["cancel_at"])
    };
    Some(Subscribed {
        id: text(&of["id"])?,
        item_id: text(&item["id"]),
        schedule_id: id(&of["schedule"]),
        plan: price_of(item).and_then(|price| plan(&price)),
        next_plan: None,
        unpaid_end: status == "canceled" && of["cancellation_details"]["reason"] == "payment_failed",
        ends_at,
        status,
        period_end,
        next: None,
        owed_url: None,
    })
}

/// The price that a schedule brings after its present phase.
#[must_use]
pub fn next_price(schedule: &Value) -> Option<String> {
    if !matches!(schedule["status"].as_str(), Some("active" | "not_started")) {
        return None;
    }
    let now = schedule["current_phase"]["start_date"].as_i64()?;
    let phases = schedule["phases"].as_array()?;
    let next = phases.iter().find(|phase| phase["start_date"].as_i64().is_some_and(|start| start > now))?;
    price_of(&next["items"][0])
}

/// Reads a paid invoice; `None` for one that is not paid.
#[must_use]
pub fn payment(of: &Value) -> Option<Paid> {
    let paid = of["status"] == "paid" || of["paid"] == true;
    let currency = text(&of["currency"])?;
    let parent = &of["parent"]["subscription_details"];
    let lines = of["lines"]["data"].as_array();
    Some(Paid {
        invoice_id: text(&of["id"]).filter(|_| paid)?,
        subscription_id: id(&parent["subscription"]).or_else(|| id(&of["subscription"])),
        number: text(&of["number"]).unwrap_or_default(),
        reason: text(&of["billing_reason"]).unwrap_or_default(),
        amount: amount_of(of["amount_paid"].as_i64()?, &currency),
        currency,
        paid_at: time(&of["status_transitions"]["paid_at"]).or_else(|| time(&of["created"]))?,
        period_end: lines.into_iter().flatten().filter(|line| pays_a_period(line)).filter_map(|line| time(&line["period"]["end"])).max(),
        url: link(&of["hosted_invoice_url"]),
    })
}

/// Whether a line is a subscription's period, and no difference of an upgrade.
fn pays_a_period(line: &Value) -> bool {
    let parent = &line["parent"]["subscription_item_details"];
    let (of_subscription, proration) = if parent.is_object() {
        (parent["subscription"].is_string(), parent["proration"] == true)
    } else {
        (line["type"] == "subscription" || line["subscription"].is_string(), line["proration"] == true)
    };
    of_subscription && !proration
}

/// An invoice that is not paid yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// How often it was tried.
    pub attempt: i64,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Where to pay it.
    pub url: Option<String>,
}

/// Reads an invoice that is to be paid; `None` for one that is paid, void or not final.
#[must_use]
pub fn owed(of: &Value) -> Option<Owed> {
    matches!(of["status"].as_str(), Some("open")).then(|| Owed {
        attempt: of["attempt_count"].as_i64().unwrap_or(1),
        next_attempt_at: time(&of["next_payment_attempt"]),
        url: link(&of["hosted_invoice_url"]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Option<DateTime<Utc>> {
        Some(text.parse().unwrap())
    }

    fn plan(price: &str) -> Option<Plan> {
        Plan::from_name(price.strip_prefix("price_")?)
    }

    fn new_line(end: i64, proration: bool) -> Value {
        json!({"period": {"start": 0, "end": end}, "parent": {"type": "subscription_item_details", "subscription_item_details": {"subscription": "sub_1", "proration": proration}}})
    }

    fn new_invoice(lines: &[Value]) -> Value {
        json!({"id": "in_1", "status": "paid", "currency": "usd", "amount_paid": 5900, "billing_reason": "subscription_cycle", "number": "N-1", "created": 1_767_225_600,
            "status_transitions": {"paid_at": 1_767_225_660}, "parent": {"subscription_details": {"subscription": "sub_1"}}, "lines": {"data": lines}})
    }

    #[test]
    fn an_invoice_reads_the_same_in_its_old_and_its_new_form() {
        let new = payment(&new_invoice(&[new_line(1_769_904_000, false)])).unwrap();
        assert_eq!(
            (new.amount, new.period_end, new.paid_at),
            (Decimal::new(5900, 2), at("2026-02-01T00:00:00Z"), at("2026-01-01T00:01:00Z").unwrap())
        );
        let old = json!({"id": "in_1", "paid": true, "status": "paid", "currency": "usd", "amount_paid": 5900, "billing_reason": "subscription_cycle", "number": "N-1", "created": 1_767_225_600,
            "status_transitions": {"paid_at": 1_767_225_660}, "subscription": "sub_1",
            "lines": {"data": [{"type": "subscription", "subscription": "sub_1", "proration": false, "period": {"start": 0, "end": 1_769_904_000}}]}});
        assert_eq!(payment(&old).unwrap(), new);
    }

    #[test]
    fn prorations_and_other_things_pay_no_period() {
        assert_eq!(payment(&new_invoice(&[new_line(1_769_904_000, true)])).unwrap().period_end, None);
        let both = new_invoice(&[new_line(1_999_999_999, true), new_line(1_769_904_000, false)]);
        assert_eq!(payment(&both).unwrap().period_end, at("2026-02-01T00:00:00Z"));
        let manual = json!({"period": {"end": 1_769_904_000}, "parent": {"type": "invoice_item_details", "invoice_item_details": {}}});
        assert_eq!(payment(&new_invoice(&[manual])).unwrap().period_end, None);
        let mut open = new_invoice(&[new_line(1, false)]);
        open["status"] = json!("open");
        assert_eq!(payment(&open), None);
        assert!(owed(&open).is_some() && owed(&new_invoice(&[])).is_none());
    }

    fn subscribed(id: &str, status: &str, price: &str, created: i64) -> Value {
        json!({"id": id, "status": status, "created": created, "cancel_at_period_end": false, "cancel_at": null,
            "items": {"data": [{"id": "si_1", "price": {"id": price}, "current_period_end": 1_769_904_000}]}})
    }

    #[test]
    fn the_subscription_that_counts_is_the_one_that_lives() {
        let all = [
            subscribed("sub_new_dead", "canceled", "price_business", 9),
            subscribed("sub_small", "active", "price_starter", 5),
            subscribed("sub_large", "active", "price_pro", 3),
            subscribed("sub_waits", "incomplete", "price_business", 8),
        ];
        assert_eq!(in_force(&all, &plan).unwrap()["id"], "sub_large");
        assert_eq!(charged(&all), 2);
        assert_eq!(in_force(&all[..1], &plan).unwrap()["id"], "sub_new_dead");
        assert_eq!(in_force(&[], &plan), None);
    }

    #[test]
    fn a_cancellation_says_when_it_ends_and_whether_nobody_paid() {
        let mut of = subscribed("sub_1", "active", "price_pro", 1);
        assert_eq!(subscription(&of, &plan).unwrap().ends_at, None);
        of["cancel_at_period_end"] = json!(true);
        assert_eq!(subscription(&of, &plan).unwrap().ends_at, at("2026-02-01T00:00:00Z"));
        of["status"] = json!("canceled");
        of["ended_at"] = json!(1_767_225_600);
        of["cancellation_details"] = json!({"reason": "payment_failed"});
        let read = subscription(&of, &plan).unwrap();
        assert_eq!((read.ends_at, read.unpaid_end, read.plan), (at("2026-01-01T00:00:00Z"), true, Some(Plan::Pro)));
    }

    #[test]
    fn a_price_that_is_none_of_ours_is_no_plan() {
        assert_eq!(subscription(&subscribed("sub_1", "active", "price_gold", 1), &plan).unwrap().plan, None);
    }

    #[test]
    fn a_schedule_says_what_comes_next() {
        let phase = |start: i64, price: &str| json!({"start_date": start, "end_date": start + 10, "items": [{"price": price}]});
        let schedule = json!({"status": "active", "current_phase": {"start_date": 10}, "phases": [phase(10, "price_pro"), phase(20, "price_starter")]});
        assert_eq!(next_price(&schedule).as_deref(), Some("price_starter"));
        let last = json!({"status": "active", "current_phase": {"start_date": 20}, "phases": [phase(10, "price_pro"), phase(20, "price_starter")]});
        assert_eq!(next_price(&last), None);
        let released = json!({"status": "released", "current_phase": null, "phases": [phase(10, "price_pro")]});
        assert_eq!(next_price(&released), None);
    }

    #[test]
    fn amounts_know_their_currency() {
        assert_eq!(amount_of(5900, "usd").to_string(), "59.00");
        assert_eq!(amount_of(5900, "jpy").to_string(), "5900");
    }
}
