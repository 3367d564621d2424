//! What a shop pays: one state whatever the order of the looks, each invoice once, and who is served when.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::billing::Standing;
use frontdesk_core::db::subscriptions::{self, BillingEvent, Look, Paid, Settled, Subscribed};
use frontdesk_core::db::{Db, DbError, TxKind, shops};
use frontdesk_core::plans::Plan;
use frontdesk_core::tenancy::ShopScope;
use futures_util::future::join_all;
use rust_decimal::Decimal;
use serde_json::json;

use crate::postgres::{TestDb, at, shop};

/// When `shop` begins its trial of two weeks.
const NOW: &str = "2026-03-01T08:00:00Z";
const GRACE: Duration = Duration::from_hours(72);

fn days(n: i64) -> DateTime<Utc> {
    at(NOW) + TimeDelta::days(n)
}

fn subscribed(plan: Plan) -> Subscribed {
    Subscribed {
        id: "sub_1".to_owned(),
        item_id: Some("si_1".to_owned()),
        schedule_id: None,
        plan: Some(plan),
        next_plan: None,
        status: "active".to_owned(),
        ends_at: None,
        unpaid_end: false,
        period_end: Some(days(28)),
        next: Some((Decimal::new(5900, 2), "usd".to_owned())),
        owed_url: None,
    }
}

fn paid(invoice: &str, day: i64, period_end: Option<i64>) -> Paid {
    Paid {
        invoice_id: invoice.to_owned(),
        subscription_id: Some("sub_1".to_owned()),
        number: "N-1".to_owned(),
        reason: "subscription_cycle".to_owned(),
        amount: Decimal::new(5900, 2),
        currency: "usd".to_owned(),
        paid_at: days(day),
        period_end: period_end.map(days),
        url: None,
    }
}

/// A shop on trial which is a customer of Stripe's.
async fn customer(db: &Db, name: &str) -> ShopScope {
    let scope = shop(db, name).await.scope;
    let customer = format!("cus_{name}");
    db.shop_tx(&scope, TxKind::Command, async move |mut tx| subscriptions::set_customer(&mut tx, &customer, 1).await).await.unwrap();
    scope
}

async fn begin(db: &Db, scope: &ShopScope) -> Look {
    let begin = async move |mut tx| subscriptions::begin_look(&mut tx).await.map_err(|error: DbError| error);
    db.shop_tx(scope, TxKind::Command, begin).await.unwrap().unwrap()
}

async fn write(db: &Db, scope: &ShopScope, look: i64, of: &Subscribed, paid: &[Paid], now: DateTime<Utc>) -> Option<Settled> {
    let (of, paid) = (of.clone(), paid.to_vec());
    let write = async move |mut tx| {
        let written = subscriptions::write_look(&mut tx, look, Some(&of), &paid, GRACE, now).await;
        written.map_err(|error: DbError| error)
    };
    db.shop_tx(scope, TxKind::Command, write).await.unwrap()
}

async fn look(db: &Db, scope: &ShopScope, of: &Subscribed, paid: &[Paid], now: DateTime<Utc>) -> Settled {
    let begun = begin(db, scope).await;
    write(db, scope, begun.no, of, paid, now).await.unwrap()
}

async fn settle(db: &Db, scope: &ShopScope, now: DateTime<Utc>) -> Settled {
    let settle = async move |mut tx| subscriptions::settle(&mut tx, GRACE, now).await.map_err(|error: DbError| error);
    db.shop_tx(scope, TxKind::Command, settle).await.unwrap()
}

async fn expiry(db: &Db, scope: &ShopScope) -> Option<DateTime<Utc>> {
    let find = async move |mut tx| subscriptions::find(&mut tx).await.map_err(|error: DbError| error);
    db.shop_tx(scope, TxKind::Read, find).await.unwrap().unwrap().expiry_date
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_gives_the_plan_and_each_invoice_extends_once() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let scope = customer(&app, "pays").await;
    let first = look(&app, &scope, &subscribed(Plan::Pro), &[paid("in_1", 0, Some(28))], days(0)).await;
    assert_eq!((first.was_plan, first.plan, first.is_active), (Plan::Trial, Plan::Pro, true));
    // The period is shorter than 30 days, as one that begins in February is.
    assert_eq!(first.standing, Standing::Paid { until: days(30) });
    let again = look(&app, &scope, &subscribed(Plan::Pro), &[paid("in_1", 0, Some(28)), paid("in_1", 9, Some(99))], days(1)).await;
    assert_eq!(again.standing, Standing::Paid { until: days(30) });
    assert_eq!(expiry(&app, &scope).await, Some(days(30)));
    // The difference of an upgrade extends nothing.
    let upgraded = look(&app, &scope, &subscribed(Plan::Business), &[paid("in_2", 20, None)], days(20)).await;
    assert_eq!((upgraded.plan, upgraded.standing), (Plan::Business, Standing::Paid { until: days(30) }));
    let renewed = look(&app, &scope, &subscribed(Plan::Business), &[paid("in_3", 28, Some(59))], days(28)).await;
    assert_eq!(renewed.standing, Standing::Paid { until: days(59) });
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_of_the_looks_the_latest_begun_stands_and_no_payment_is_lost() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (n, order) in orders.into_iter().enumerate() {
        let scope = customer(&app, &format!("order{n}")).await;
        let invoice = |name: &str, day, end| paid(&format!("in_{n}_{name}"), day, Some(end));
        let mut past_due = subscribed(Plan::Starter);
        past_due.status = "past_due".to_owned();
        let states = [
            (subscribed(Plan::Starter), vec![invoice("a", 0, 28)]),
            (past_due, vec![invoice("a", 0, 28)]),
            (subscribed(Plan::Pro), vec![invoice("a", 0, 28), invoice("b", 28, 59)]),
        ];
        let mut begun = Vec::new();
        for _ in &states {
            begun.push(begin(&app, &scope).await.no);
        }
        for at in order {
            let (of, paid) = &states[at];
            let written = write(&app, &scope, begun[at], of, paid, days(29)).await;
            // A second time: as by a job that ran twice.
            assert_eq!(write(&app, &scope, begun[at], of, paid, days(29)).await, None);
            assert_eq!(written.is_none(), order.iter().take_while(|earlier| **earlier != at).any(|earlier| *earlier > at));
        }
        let find = async move |mut tx| subscriptions::view(&mut tx, GRACE, days(29)).await.map_err(|error: DbError| error);
        let view = app.shop_tx(&scope, TxKind::Read, find).await.unwrap();
        assert_eq!((view.plan, view.state, view.payments.len()), (Plan::Pro, Standing::Paid { until: days(59) }, 2), "{order:?}");
        assert_eq!(view.status.as_deref(), Some("active"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_served_through_its_grace_and_no_longer_and_at_once_when_it_pays() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let scope = customer(&app, "grace").await;
    look(&app, &scope, &subscribed(Plan::Pro), &[paid("in_1", 0, Some(28))], days(0)).await;
    assert!(settle(&app, &scope, days(30)).await.is_active);
    assert!(settle(&app, &scope, days(33) - TimeDelta::seconds(1)).await.is_active);
    let ended = settle(&app, &scope, days(33)).await;
    assert!(ended.was_active && !ended.is_active && ended.plan == Plan::Pro);
    let paid_late = look(&app, &scope, &subscribed(Plan::Pro), &[paid("in_2", 40, Some(59))], days(40)).await;
    assert!(!paid_late.was_active && paid_late.is_active);
    assert_eq!(paid_late.standing, Standing::Paid { until: days(70) });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cancelled_has_what_was_paid_and_who_was_ended_unpaid_has_grace() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let (cancelled, unpaid) = (customer(&app, "cancelled").await, customer(&app, "unpaid").await);
    for (scope, invoice, unpaid_end) in [(&cancelled, "in_c", false), (&unpaid, "in_u", true)] {
        let mut of = subscribed(Plan::Pro);
        (of.status, of.ends_at, of.unpaid_end) = ("canceled".to_owned(), Some(days(10)), unpaid_end);
        look(&app, scope, &of, &[paid(invoice, 0, Some(28))], days(10)).await;
    }
    assert!(settle(&app, &cancelled, days(30) - TimeDelta::seconds(1)).await.is_active);
    assert!(!settle(&app, &cancelled, days(30)).await.is_active);
    assert!(settle(&app, &unpaid, days(30)).await.is_active);
    assert!(!settle(&app, &unpaid, days(33)).await.is_active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_nobody_has_paid_gives_nothing_and_a_trial_ends_by_itself() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let scope = customer(&app, "unpaid").await;
    let mut of = subscribed(Plan::Business);
    of.status = "incomplete".to_owned();
    let settled = look(&app, &scope, &of, &[], days(1)).await;
    assert_eq!((settled.plan, settled.standing), (Plan::Trial, Standing::Trial { ends_at: days(14) }));
    assert!(!settle(&app, &scope, days(14)).await.is_active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_the_operator_gave_is_left_alone() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let scope = customer(&app, "given").await;
    let give = async move |mut tx| shops::set_plan(&mut tx, Plan::Business, true).await.map_err(|error: DbError| error);
    app.shop_tx(&scope, TxKind::Command, give).await.unwrap();
    let settled = settle(&app, &scope, days(999)).await;
    assert_eq!((settled.standing, settled.is_active, settled.plan), (Standing::Given, true, Plan::Business));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_found_across_shops_and_replaced_only_by_a_later_one() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let (mine, theirs) = (customer(&app, "mine").await, customer(&app, "theirs").await);
    assert_eq!(app.find_stripe_customer("cus_mine").await.unwrap(), Some(mine));
    assert_eq!(app.find_stripe_customer("cus_theirs").await.unwrap(), Some(theirs));
    assert_eq!(app.find_stripe_customer("cus_nobody").await.unwrap(), None);
    for (customer, no, stands) in [("cus_second", 2, "cus_second"), ("cus_late", 1, "cus_second"), ("cus_same", 2, "cus_second")] {
        let set = async move |mut tx| subscriptions::set_customer(&mut tx, customer, no).await.map_err(|error: DbError| error);
        assert_eq!(app.shop_tx(&mine, TxKind::Command, set).await.unwrap(), stands);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_is_told_once_however_many_ask_at_once() {
    let db = TestDb::new().await;
    let app = db.app(8).await;
    let scope = customer(&app, "told").await;
    let ask = |key: &'static str| {
        let tell = async move |mut tx| subscriptions::tell_once(&mut tx, key).await.map_err(|error: DbError| error);
        app.shop_tx(&scope, TxKind::Command, tell)
    };
    let told = join_all((0..8).map(|_| ask("remind:7"))).await;
    assert_eq!(told.into_iter().filter(|told| *told.as_ref().unwrap()).count(), 1);
    assert!(ask("remind:3").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_on_a_refund_or_dispute_is_shown() {
    let db = TestDb::new().await;
    let app = db.app(2).await;
    let scope = customer(&app, "refunded").await;
    let event = |id: &str, kind: &str, object: &str, amount: &str, status: &str, day: i64| BillingEvent {
        event_id: id.to_owned(),
        kind: kind.to_owned(),
        object_id: object.to_owned(),
        detail: json!({"amount": amount, "currency": "usd", "status": status}),
        occurred_at: days(day),
    };
    let events = [
        event("evt_3", "charge.dispute.closed", "dp_1", "59.00", "lost", 9),
        event("evt_1", "charge.refunded", "ch_1", "10.00", "succeeded", 1),
        event("evt_2", "charge.dispute.created", "dp_1", "59.00", "needs_response", 3),
        event("evt_2", "charge.dispute.created", "dp_1", "59.00", "needs_response", 3),
        event("evt_4", "invoice.paid", "in_1", "59.00", "paid", 3),
    ];
    let note = async move |mut tx| {
        for event in &events {
            subscriptions::note_event(&mut tx, event).await?;
        }
        subscriptions::view(&mut tx, GRACE, days(10)).await.map_err(|error: DbError| error)
    };
    let view = app.shop_tx(&scope, TxKind::Command, note).await.unwrap();
    let shown: Vec<_> =
        view.adjustments.iter().map(|of| (of.kind.as_str(), of.amount.unwrap().to_string(), of.status.as_deref())).collect();
    assert_eq!(shown, [("dispute", "59.00".to_owned(), Some("lost")), ("refund", "10.00".to_owned(), Some("succeeded"))]);
}
