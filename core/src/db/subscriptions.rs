//! What a shop pays: its customer and subscription at Stripe, the invoices it has paid, and whether it is served. What is written comes of looks at Stripe;
//! a look that was begun before the one that stands writes nothing, so the order in which events are handled does not matter.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, audit, sql::sql, usage};
use crate::billing::{Account, Standing, pays_until};
use crate::plans::Plan;

/// Payments and adjustments that a look at one's subscription shows.
const SHOWN: i64 = 12;
/// Invoices of which a look at Stripe wants to know whether they are known.
const KNOWN: i64 = 2_000;

/// The shop's row, if it has become a customer of Stripe's.
#[derive(Debug, Clone, QueryableByName)]
pub struct SubscriptionRow {
    /// Stripe's id of the customer.
    #[diesel(sql_type = Text)]
    pub customer_id: String,
    /// Counts the customers that were made for the shop.
    #[diesel(sql_type = Integer)]
    pub customer_no: i32,
    /// Stripe's id of the subscription.
    #[diesel(sql_type = Nullable<Text>)]
    pub subscription_id: Option<String>,
    /// Its item: what a change of plan changes.
    #[diesel(sql_type = Nullable<Text>)]
    pub item_id: Option<String>,
    /// The schedule that brings a smaller plan at the period's end.
    #[diesel(sql_type = Nullable<Text>)]
    pub schedule_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    plan: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    next_plan: Option<String>,
    /// Stripe's word for how it stands.
    #[diesel(sql_type = Nullable<Text>)]
    pub status: Option<String>,
    /// When a cancelled one ends, or ended.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ends_at: Option<DateTime<Utc>>,
    /// Whether Stripe ended it because nobody paid.
    #[diesel(sql_type = Bool)]
    pub unpaid_end: bool,
    /// When the period ends for which it was last invoiced.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub period_end: Option<DateTime<Utc>>,
    /// The next invoice's amount, as Stripe forecasts it.
    #[diesel(sql_type = Nullable<Numeric>)]
    pub next_amount: Option<Decimal>,
    /// ISO 4217, lower case as Stripe writes it.
    #[diesel(sql_type = Nullable<Text>)]
    pub next_currency: Option<String>,
    /// Where an invoice that is due is paid.
    #[diesel(sql_type = Nullable<Text>)]
    pub owed_url: Option<String>,
    /// Until when it is paid.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expiry_date: Option<DateTime<Utc>>,
}

impl SubscriptionRow {
    /// The plan that is subscribed to.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        self.plan.as_deref().and_then(Plan::from_name)
    }

    /// The plan that comes at the period's end.
    #[must_use]
    pub fn next_plan(&self) -> Option<Plan> {
        self.next_plan.as_deref().and_then(Plan::from_name)
    }

    /// Whether there is a subscription that Stripe has not ended.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.status.as_deref().is_some_and(|status| !matches!(status, "canceled" | "incomplete_expired" | "incomplete"))
    }

    /// Whether its owner cancelled it: it ends, and not because nobody paid.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.ends_at.is_some() && !self.unpaid_end
    }
}

const COLUMNS: &str = "customer_id, customer_no, subscription_id, item_id, schedule_id, plan, next_plan, status, ends_at, unpaid_end, period_end, \
     next_amount, next_currency, owed_url, expiry_date";

/// The shop's row.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx) -> Result<Option<SubscriptionRow>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM subscriptions WHERE shop_id = $1"))
        .bind::<Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Notes the shop's customer at Stripe. `no` counts them: an earlier one does not replace a later one. Gives the one that stands.
///
/// # Errors
/// See [`DbError`].
pub async fn set_customer(tx: &mut ShopTx, customer: &str, no: i32) -> Result<String, DbError> {
    sql("INSERT INTO subscriptions (shop_id, customer_id, customer_no) VALUES ($1, $2, $3) ON CONFLICT (shop_id) DO UPDATE \
         SET customer_id = excluded.customer_id, customer_no = excluded.customer_no, updated_at = now() WHERE subscriptions.customer_no < excluded.customer_no")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(customer)
    .bind::<Integer, _>(no)
    .execute(tx.conn())
    .await?;
    Ok(find(tx).await?.ok_or(DbError::NotFound)?.customer_id)
}

/// What a look at Stripe begins with.
#[derive(Debug, Clone, QueryableByName)]
pub struct Look {
    /// Counts the shop's looks.
    #[diesel(sql_type = BigInt)]
    pub no: i64,
    /// Stripe's id of the customer.
    #[diesel(sql_type = Text)]
    pub customer_id: String,
    /// Invoices that are known to be paid.
    #[diesel(sql_type = Array<Text>)]
    pub known_invoices: Vec<String>,
}

/// Begins a look; `None` if the shop is no customer of Stripe's.
///
/// # Errors
/// See [`DbError`].
pub async fn begin_look(tx: &mut ShopTx) -> Result<Option<Look>, DbError> {
    Ok(sql("UPDATE subscriptions SET looks_begun = looks_begun + 1 WHERE shop_id = $1 RETURNING looks_begun AS no, customer_id, \
         ARRAY(SELECT invoice_id FROM payments WHERE payments.shop_id = $1 ORDER BY paid_at DESC LIMIT $2) AS known_invoices")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(KNOWN)
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// A subscription as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// Stripe's id.
    pub id: String,
    /// Its item.
    pub item_id: Option<String>,
    /// The schedule it is under.
    pub schedule_id: Option<String>,
    /// The plan whose price it has; absent: a price that is none of ours.
    pub plan: Option<Plan>,
    /// The plan that its schedule brings next.
    pub next_plan: Option<Plan>,
    /// Stripe's word.
    pub status: String,
    /// When it ends or ended.
    pub ends_at: Option<DateTime<Utc>>,
    /// Whether it ended because nobody paid.
    pub unpaid_end: bool,
    /// When the period ends.
    pub period_end: Option<DateTime<Utc>>,
    /// What the next invoice will be, and in which currency.
    pub next: Option<(Decimal, String)>,
    /// Where an invoice that is due is paid.
    pub owed_url: Option<String>,
}

/// A paid invoice as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// Stripe's id.
    pub invoice_id: String,
    /// Of which subscription.
    pub subscription_id: Option<String>,
    /// The number that people see.
    pub number: String,
    /// Why it was made: Stripe's `billing_reason`.
    pub reason: String,
    /// What was paid.
    pub amount: Decimal,
    /// Lower case, as Stripe writes it.
    pub currency: String,
    /// When.
    pub paid_at: DateTime<Utc>,
    /// The end of the period that it pays, if it pays one.
    pub period_end: Option<DateTime<Utc>>,
    /// Stripe's page of it.
    pub url: Option<String>,
}

/// What a look found, or the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// How the shop stands now.
    pub standing: Standing,
    /// Whether it was served before.
    pub was_active: bool,
    /// Whether it is served now.
    pub is_active: bool,
    /// Its plan before.
    pub was_plan: Plan,
    /// Its plan now.
    pub plan: Plan,
}

/// Writes down what a look found, and settles how the shop stands. `None`: a later look was quicker, and saw all that this one did.
///
/// # Errors
/// See [`DbError`].
pub async fn write_look(
    tx: &mut ShopTx,
    look: i64,
    subscribed: Option<&Subscribed>,
    paid: &[Paid],
    grace: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Settled>, DbError> {
    // The shop's row is locked before its subscription's, here and in `settle`.
    facts(tx, SETTLING).await?;
    let latest = sql("UPDATE subscriptions SET look_written = $2, looked_at = $3 WHERE shop_id = $1 AND look_written < $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(look)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
    // What is paid is paid, whoever saw it.
    for paid in paid {
        note_payment(tx, paid).await?;
    }
    if latest == 0 {
        return Ok(None);
    }
    if let Some(of) = subscribed {
        write(tx, of).await?;
    }
    settle(tx, grace, now).await.map(Some)
}

async fn note_payment(tx: &mut ShopTx, paid: &Paid) -> Result<(), DbError> {
    sql("INSERT INTO payments (shop_id, invoice_id, subscription_id, number, reason, amount, currency, paid_at, period_end, pays_until, url) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (invoice_id) DO NOTHING")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(&paid.invoice_id)
    .bind::<Nullable<Text>, _>(&paid.subscription_id)
    .bind::<Text, _>(&paid.number)
    .bind::<Text, _>(&paid.reason)
    .bind::<Numeric, _>(paid.amount)
    .bind::<Text, _>(&paid.currency)
    .bind::<Timestamptz, _>(paid.paid_at)
    .bind::<Nullable<Timestamptz>, _>(paid.period_end)
    .bind::<Nullable<Timestamptz>, _>(pays_until(paid.paid_at, paid.period_end))
    .bind::<Nullable<Text>, _>(&paid.url)
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn write(tx: &mut ShopTx, of: &Subscribed) -> Result<(), DbError> {
    let (amount, currency) = of.next.clone().unzip();
    sql(
        "UPDATE subscriptions SET subscription_id = $2, item_id = $3, schedule_id = $4, plan = coalesce($5, plan), next_plan = $6, status = $7, \
         ends_at = $8, unpaid_end = $9, period_end = $10, next_amount = $11, next_currency = $12, owed_url = $13, updated_at = now() WHERE shop_id = $1",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(&of.id)
    .bind::<Nullable<Text>, _>(&of.item_id)
    .bind::<Nullable<Text>, _>(&of.schedule_id)
    .bind::<Nullable<Text>, _>(of.plan.map(Plan::as_str))
    .bind::<Nullable<Text>, _>(of.next_plan.map(Plan::as_str))
    .bind::<Text, _>(&of.status)
    .bind::<Nullable<Timestamptz>, _>(of.ends_at)
    .bind::<Bool, _>(of.unpaid_end)
    .bind::<Nullable<Timestamptz>, _>(of.period_end)
    .bind::<Nullable<Numeric>, _>(amount)
    .bind::<Nullable<Text>, _>(currency)
    .bind::<Nullable<Text>, _>(&of.owed_url)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Not FOR UPDATE: that would wait for every row of the shop's that is being written.
const SETTLING: &str = "FOR NO KEY UPDATE";

/// What decides how a shop stands.
#[derive(QueryableByName)]
struct Facts {
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    trial_ends_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expiry: Option<DateTime<Utc>>,
}

impl Facts {
    fn plan(&self) -> Plan {
        Plan::from_name(&self.plan).unwrap_or(Plan::Starter)
    }

    fn account(&self, row: Option<&SubscriptionRow>) -> Account {
        Account {
            trial_ends_at: self.trial_ends_at,
            on_trial: self.plan() == Plan::Trial,
            expiry: self.expiry,
            cancelled: row.is_some_and(SubscriptionRow::is_cancelled),
        }
    }
}

fn grace_of(grace: Duration) -> TimeDelta {
    TimeDelta::from_std(grace).unwrap_or_default()
}

async fn facts(tx: &mut ShopTx, lock: &str) -> Result<Facts, DbError> {
    Ok(sql(format!(
        "SELECT plan, status, trial_ends_at, (SELECT max(pays_until) FROM payments WHERE payments.shop_id = $1) AS expiry \
         FROM shops WHERE id = $1 {lock}"
    ))
    .bind::<Integer, _>(tx.shop())
    .get_result(tx.conn())
    .await?)
}

/// How the shop stands at `now`; changes nothing.
///
/// # Errors
/// See [`DbError`].
pub async fn standing(tx: &mut ShopTx, grace: Duration, now: DateTime<Utc>) -> Result<Settled, DbError> {
    let row = find(tx).await?;
    let facts = facts(tx, "").await?;
    let (was_active, was_plan) = (facts.status == "active", facts.plan());
    let standing = facts.account(row.as_ref()).at(now, grace_of(grace));
    Ok(Settled { standing, was_active, is_active: was_active, was_plan, plan: was_plan })
}

/// Makes the shop's plan and status what it has paid for by `now`. Setting a state twice changes nothing.
///
/// # Errors
/// See [`DbError`].
pub async fn settle(tx: &mut ShopTx, grace: Duration, now: DateTime<Utc>) -> Result<Settled, DbError> {
    let facts = facts(tx, SETTLING).await?;
    let row = find(tx).await?;
    let standing = facts.account(row.as_ref()).at(now, grace_of(grace));
    let (was_active, was_plan) = (facts.status == "active", facts.plan());
    // Who has paid for a plan has it; a subscription that nobody has paid yet gives none.
    let plan = facts.expiry.and(row.and_then(|row| row.plan())).unwrap_or(was_plan);
    let is_active = if standing == Standing::Given { was_active } else { standing.is_active() };
    if (was_active, was_plan) != (is_active, plan) {
        super::shops::set_plan(tx, plan, is_active).await?;
        let detail = serde_json::json!({"plan": plan, "active": is_active});
        audit::add(tx, "system", "update", "subscription", &detail).await?;
    }
    sql("UPDATE subscriptions SET expiry_date = $2 WHERE shop_id = $1 AND expiry_date IS DISTINCT FROM $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Nullable<Timestamptz>, _>(facts.expiry)
        .execute(tx.conn())
        .await?;
    Ok(Settled { standing, was_active, is_active, was_plan, plan })
}

/// Whether the owner is to be told this now: true once per key. Notes that they are.
///
/// # Errors
/// See [`DbError`].
pub async fn tell_once(tx: &mut ShopTx, key: &str) -> Result<bool, DbError> {
    let noted = sql("INSERT INTO billing_notices (shop_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(key)
        .execute(tx.conn())
        .await?;
    Ok(noted > 0)
}

/// An event of Stripe's that concerned the shop.
#[derive(Debug, Clone)]
pub struct BillingEvent {
    /// Stripe's id.
    pub event_id: String,
    /// What happened: `charge.refunded`.
    pub kind: String,
    /// What it happened to.
    pub object_id: String,
    /// More about it; see [`Adjustment`].
    pub detail: serde_json::Value,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

/// Notes an event, once.
///
/// # Errors
/// See [`DbError`].
pub async fn note_event(tx: &mut ShopTx, event: &BillingEvent) -> Result<(), DbError> {
    sql("INSERT INTO billing_events (shop_id, event_id, kind, object_id, detail, occurred_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(&event.event_id)
        .bind::<Text, _>(&event.kind)
        .bind::<Text, _>(&event.object_id)
        .bind::<Jsonb, _>(&event.detail)
        .bind::<Timestamptz, _>(event.occurred_at)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Money that went back, or that a bank wants back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
pub struct Adjustment {
    /// `refund` or `dispute`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// How much.
    #[diesel(sql_type = Nullable<Numeric>)]
    #[serde(with = "rust_decimal::serde::str_option")]
    pub amount: Option<Decimal>,
    /// Lower case, as Stripe writes it.
    #[diesel(sql_type = Nullable<Text>)]
    pub currency: Option<String>,
    /// How it stands, in Stripe's word.
    #[diesel(sql_type = Nullable<Text>)]
    pub status: Option<String>,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

/// A payment as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct PaymentRow {
    /// Stripe's id of the invoice.
    #[diesel(sql_type = Text)]
    pub invoice_id: String,
    /// The number that people see.
    #[diesel(sql_type = Text)]
    pub number: String,
    /// Why: `subscription_create`, `subscription_cycle`, `subscription_update`, ….
    #[diesel(sql_type = Text)]
    pub reason: String,
    /// How much.
    #[diesel(sql_type = Numeric)]
    #[serde(with = "rust_decimal::serde::str")]
    pub amount: Decimal,
    /// Lower case, as Stripe writes it.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub paid_at: DateTime<Utc>,
    /// The end of the period that it paid.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub period_end: Option<DateTime<Utc>>,
    /// Stripe's page of it.
    #[diesel(sql_type = Nullable<Text>)]
    pub url: Option<String>,
}

/// What the plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Allows {
    /// How many platforms.
    pub platforms: usize,
    /// Answers in a calendar month; absent: as many as wanted.
    pub monthly_messages: Option<i32>,
    /// Dashboard analytics.
    pub analytics: bool,
    /// A team with roles.
    pub team: bool,
}

/// What was used of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The month's first day, in the shop's calendar.
    pub month: NaiveDate,
    /// Answers of the AI that were sent.
    pub messages: i32,
}

/// The next invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NextInvoice {
    /// When.
    pub at: DateTime<Utc>,
    /// How much, as Stripe forecasts it.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub amount: Option<Decimal>,
    /// Lower case, as Stripe writes it.
    pub currency: Option<String>,
}

/// How a shop's subscription stands, for its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionView {
    /// The plan that it has.
    pub plan: Plan,
    /// `given`, `trial`, `active`, `ending`, `grace` or `inactive`.
    pub state: Standing,
    /// Whether customers are answered.
    pub active: bool,
    /// Until when it is paid, or free.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the assistant stops if nothing is paid until then.
    pub stops_at: Option<DateTime<Utc>>,
    /// Stripe's word for the subscription.
    pub status: Option<String>,
    /// The plan that comes at the period's end.
    pub next_plan: Option<Plan>,
    /// The next invoice.
    pub next_invoice: Option<NextInvoice>,
    /// Where an invoice that is due is paid.
    pub owed_url: Option<String>,
    /// What was used this month.
    pub usage: Usage,
    /// What the plan allows.
    pub allows: Allows,
    /// The latest payments, the latest first.
    pub payments: Vec<PaymentRow>,
    /// The latest refunds and disputes, the latest first.
    pub adjustments: Vec<Adjustment>,
}

/// How the shop's subscription stands.
///
/// # Errors
/// See [`DbError`].
pub async fn view(tx: &mut ShopTx, grace: Duration, now: DateTime<Utc>) -> Result<SubscriptionView, DbError> {
    let Settled { standing, was_active: active, plan, .. } = standing(tx, grace, now).await?;
    let today = super::shops::day_at(tx, now).await?;
    let messages = usage::as_of(tx, today).await?.replies_this_month;
    let row = find(tx).await?;
    let live = row.as_ref().filter(|row| row.is_live());
    let next_invoice = live
        .filter(|row| row.ends_at.is_none())
        .and_then(|row| Some(NextInvoice { at: row.period_end?, amount: row.next_amount, currency: row.next_currency.clone() }));
    let stops_at = match standing {
        Standing::Given => None,
        Standing::Trial { ends_at } | Standing::Ending { ends_at } => Some(ends_at),
        Standing::Paid { until } => Some(until + grace_of(grace)),
        Standing::Grace { until, .. } => Some(until),
        Standing::Ended { at } => Some(at),
    };
    let allowance = plan.allows();
    Ok(SubscriptionView {
        plan,
        state: standing,
        active,
        expires_at: standing.expires_at(),
        stops_at,
        next_plan: live.and_then(SubscriptionRow::next_plan),
        next_invoice,
        owed_url: live.and_then(|row| row.owed_url.clone()),
        status: row.and_then(|row| row.status),
        usage: Usage { month: usage::month_of(today), messages },
        allows: Allows {
            platforms: allowance.platforms,
            monthly_messages: allowance.monthly_messages,
            analytics: allowance.analytics,
            team: allowance.team,
        },
        payments: payments(tx, SHOWN).await?,
        adjustments: adjustments(tx, SHOWN).await?,
    })
}

async fn payments(tx: &mut ShopTx, limit: i64) -> Result<Vec<PaymentRow>, DbError> {
    Ok(sql("SELECT invoice_id, number, reason, amount, currency, paid_at, period_end, url FROM payments WHERE shop_id = $1 \
         ORDER BY paid_at DESC, id DESC LIMIT $2")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?)
}

/// The same refund or dispute may have several events: its last word counts.
async fn adjustments(tx: &mut ShopTx, limit: i64) -> Result<Vec<Adjustment>, DbError> {
    Ok(sql(
        "SELECT kind, amount, currency, status, at FROM (SELECT DISTINCT ON (object_id) \
         CASE WHEN billing_events.kind LIKE 'charge.dispute.%' THEN 'dispute' ELSE 'refund' END AS kind, (detail->>'amount')::numeric AS amount, \
         detail->>'currency' AS currency, detail->>'status' AS status, occurred_at AS at FROM billing_events \
         WHERE shop_id = $1 AND (billing_events.kind = 'charge.refunded' OR billing_events.kind LIKE 'charge.dispute.%') ORDER BY object_id, occurred_at DESC, event_id DESC) latest \
         ORDER BY at DESC LIMIT $2",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?)
}
