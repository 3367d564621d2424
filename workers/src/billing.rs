//! What shops pay. Stripe knows it; here it is looked at, and written down with what follows: who is served, with which plan, and what the owner is told.
//! Webhooks only say when to look, so their order, their duplicates and their loss change nothing but the moment.

use std::time::Duration;

use frontdesk_core::billing::Standing;
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::subscriptions::{self, Look, Paid, Settled, Subscribed};
use frontdesk_core::db::{DbError, ShopTx, TxKind, shops, users};
use frontdesk_core::jobs::Notice;
use frontdesk_core::plans::Plan;
use frontdesk_core::tenancy::ShopScope;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::App;
use crate::clients::stripe::{Fields, Stripe, StripeError, objects};
use crate::jobs::end_sessions;
use crate::runner::JobError;
use crate::turn::tell;

/// What Stripe says of a customer.
struct Seen {
    subscribed: Option<Subscribed>,
    paid: Vec<Paid>,
    /// How many subscriptions are charged for.
    charged: usize,
}

/// The installation's Stripe account.
///
/// # Errors
/// When it has none: there is nothing to wait for.
pub fn stripe(app: &App) -> Result<&Stripe, JobError> {
    app.stripe.as_ref().ok_or_else(|| JobError::fail("stripe_not_configured"))
}

/// Looks at Stripe and writes down what it says; `None` if the shop is no customer of Stripe's, or a later look was quicker.
///
/// # Errors
/// When Stripe or Postgres is away.
pub async fn look(app: &App, scope: &ShopScope) -> Result<Option<Settled>, JobError> {
    let stripe = stripe(app)?;
    let begin = async move |mut tx| subscriptions::begin_look(&mut tx).await.map_err(|error: DbError| error);
    let Some(begun) = app.db.shop_tx(scope, TxKind::Command, begin).await? else { return Ok(None) };
    let seen = see(stripe, &begun).await?;
    let (grace, now) = (app.settings.billing_grace, app.clock.now());
    let (settled, pending) = app
        .db
        .shop_tx(scope, TxKind::Command, async move |mut tx| {
            let written = subscriptions::write_look(&mut tx, begun.no, seen.subscribed.as_ref(), &seen.paid, grace, now).await?;
            let mut pending = Vec::new();
            if let Some(settled) = &written {
                pending = tell_what_changed(&mut tx, &format!("look:{}", begun.no), settled).await?;
                if let (true, Some(of)) = (seen.charged > 1, &seen.subscribed) {
                    pending.extend(tell_once(&mut tx, format!("twice:{}", of.id), Notice::PaysTwice).await?);
                }
            }
            Ok::<_, DbError>((written, pending))
        })
        .await?;
    app.push_outbox(scope, pending).await;
    if let Some(settled) = &settled {
        follow(app, scope, settled).await?;
    }
    Ok(settled)
}

/// Makes the shop's status what it has paid for by now, without asking Stripe: for a shop that is no customer of Stripe's.
///
/// # Errors
/// When Postgres is away.
pub async fn settle(app: &App, scope: &ShopScope) -> Result<Settled, JobError> {
    let (grace, now) = (app.settings.billing_grace, app.clock.now());
    let (settled, pending) = app
        .db
        .shop_tx(scope, TxKind::Command, async move |mut tx| {
            let settled = subscriptions::settle(&mut tx, grace, now).await?;
            let pending = tell_what_changed(&mut tx, &format!("at:{}", now.timestamp()), &settled).await?;
            Ok::<_, DbError>((settled, pending))
        })
        .await?;
    app.push_outbox(scope, pending).await;
    follow(app, scope, &settled).await?;
    Ok(settled)
}

/// A notice to the owner, unless this very thing was told.
///
/// # Errors
/// See [`DbError`].
pub async fn tell_once(tx: &mut ShopTx, key: String, notice: Notice) -> Result<Option<Pending>, DbError> {
    if !subscriptions::tell_once(tx, &key).await? {
        return Ok(None);
    }
    tell(tx, format!("billing:{key}"), notice).await.map(Some)
}

/// What the owner is told of a change; `when` names the moment.
async fn tell_what_changed(tx: &mut ShopTx, when: &str, settled: &Settled) -> Result<Vec<Pending>, DbError> {
    let Settled { standing, was_active, is_active, was_plan, plan } = *settled;
    let subscribed = was_plan == Plan::Trial && plan != Plan::Trial;
    let mut pending = Vec::new();
    if is_active && (!was_active || subscribed) {
        let notice = Notice::Activated { plan, until: standing.expires_at() };
        pending.extend(tell_once(tx, format!("activated:{when}"), notice).await?);
    } else if was_plan != plan {
        pending.extend(tell_once(tx, format!("plan:{when}"), Notice::PlanChanged { from: was_plan, to: plan }).await?);
    }
    if was_active && !is_active {
        pending.extend(tell_once(tx, format!("deactivated:{when}"), Notice::Deactivated).await?);
    }
    Ok(pending)
}

/// What follows a change outside of Postgres.
async fn follow(app: &App, scope: &ShopScope, settled: &Settled) -> Result<(), JobError> {
    app.announce(scope, "subscription", &json!({"state": settled.standing, "plan": settled.plan, "active": settled.is_active})).await;
    if settled.was_plan.allows().team && !settled.plan.allows().team {
        end_team_sessions(app, scope).await?;
    }
    Ok(())
}

/// Ends the sessions of everybody but owners, if the plan has no team. They stay in the team, and can log in again when the plan has one.
///
/// # Errors
/// When Postgres or Redis is away.
pub async fn end_team_sessions(app: &App, scope: &ShopScope) -> Result<(), JobError> {
    let colleagues = async move |mut tx| {
        let team = if shops::profile(&mut tx).await?.plan().allows().team { Vec::new() } else { users::list(&mut tx).await? };
        Ok::<_, DbError>(team)
    };
    for user in app.db.shop_tx(scope, TxKind::Command, colleagues).await? {
        if user.active && user.role() != Some(frontdesk_core::auth::Role::Owner) {
            end_sessions(app, user.id).await?;
        }
    }
    Ok(())
}

async fn see(stripe: &Stripe, begun: &Look) -> Result<Seen, StripeError> {
    let customer = begun.customer_id.as_str();
    let subscriptions = absent_is_empty(stripe.list(&["subscriptions"], &[("customer", customer), ("status", "all")], |_| false).await)?;
    let known =
        |page: &[Value]| page.iter().any(|of| of["id"].as_str().is_some_and(|id| begun.known_invoices.iter().any(|known| known == id)));
    let invoices = absent_is_empty(stripe.list(&["invoices"], &[("customer", customer), ("status", "paid")], known).await)?;
    let plan = |price: &str| stripe.plan(price);
    let in_force = objects::in_force(&subscriptions, &plan);
    let mut subscribed = in_force.and_then(|of| objects::subscription(of, &plan));
    if let (Some(subscribed), Some(of)) = (&mut subscribed, in_force) {
        if subscribed.plan.is_none() {
            tracing::error!(
                subscription = subscribed.id,
                "a subscription has a price that is none of the STRIPE_PRICE_ settings; the plan stays as it was"
            );
        }
        more(stripe, begun, subscribed, of).await?;
    }
    let paid = invoices.iter().filter_map(objects::payment).collect();
    Ok(Seen { subscribed, paid, charged: objects::charged(&subscriptions) })
}

/// A customer that was deleted at Stripe has nothing.
fn absent_is_empty(list: Result<Vec<Value>, StripeError>) -> Result<Vec<Value>, StripeError> {
    match list {
        Err(StripeError::NoSuch { .. }) => Ok(Vec::new()),
        other => other,
    }
}

/// What a subscription does not say itself: the plan that comes next, the next invoice, one that is due.
async fn more(stripe: &Stripe, begun: &Look, subscribed: &mut Subscribed, of: &Value) -> Result<(), StripeError> {
    if let Some(schedule) = &subscribed.schedule_id {
        let schedule = stripe.get(&["subscription_schedules", schedule], &[]).await?;
        subscribed.next_plan = objects::next_price(&schedule).and_then(|price| stripe.plan(&price));
    }
    match subscribed.status.as_str() {
        "active" | "trialing" if subscribed.ends_at.is_none() => {
            let fields = vec![field("customer", &begun.customer_id), field("subscription", &subscribed.id)];
            let key = format!("preview:{}:{}", subscribed.id, begun.no);
            // Only a forecast: without it the amount is not shown.
            match stripe.post(&["invoices", "create_preview"], &fields, &key).await {
                Ok(preview) => {
                    let due = preview["amount_due"].as_i64().zip(preview["currency"].as_str());
                    subscribed.next = due.map(|(amount, currency)| (objects::amount_of(amount, currency), currency.to_owned()));
                }
                Err(error) => tracing::info!(%error, "the next invoice could not be forecast"),
            }
        }
        "past_due" | "unpaid" => {
            if let Some(latest) = objects::id(&of["latest_invoice"]) {
                let invoice = stripe.get(&["invoices", &latest], &[]).await?;
                subscribed.owed_url = objects::owed(&invoice).and_then(|owed| owed.url);
            }
        }
        _ => {}
    }
    Ok(())
}

/// A field of a call.
#[must_use]
pub fn field(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// An idempotency key of ours at Stripe: the installation, the shop, and what for. It tells nothing of people.
#[must_use]
pub fn idempotency_key(app: &App, scope: &ShopScope, what: &str) -> String {
    let mut hash = Sha256::new();
    for part in [app.settings.public_url.as_str(), &scope.shop().to_string(), what] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    format!("frontdesk-{}", hex::encode(hash.finalize()))
}

/// The shop's customer at Stripe, made if there is none; `replaces` is one that Stripe knows no more.
///
/// # Errors
/// When Stripe or Postgres is away.
pub async fn customer(app: &App, scope: &ShopScope, replaces: Option<&str>) -> Result<String, JobError> {
    let read = async move |mut tx| {
        let row = subscriptions::find(&mut tx).await?;
        let (shop, owner) = (shops::profile(&mut tx).await?, users::owner_email(&mut tx).await?);
        Ok::<_, DbError>((row, shop, owner))
    };
    let (row, shop, owner) = app.db.shop_tx(scope, TxKind::Command, read).await?;
    let no = match row {
        Some(row) if Some(row.customer_id.as_str()) != replaces => return Ok(row.customer_id),
        Some(row) => row.customer_no + 1,
        None => 1,
    };
    let mut fields: Fields = vec![field("name", shop.name), field("metadata[shop_id]", scope.shop().to_string())];
    fields.extend(owner.map(|email| field("email", email)));
    // Name and e-mail may change between two tries; the key goes with them, and the row decides which customer stands.
    let key = idempotency_key(app, scope, &format!("customer:{no}:{fields:?}"));
    let made = stripe(app)?.post(&["customers"], &fields, &key).await?;
    let id = objects::text(&made["id"]).ok_or_else(|| JobError::retry("stripe"))?;
    let note = async move |mut tx| subscriptions::set_customer(&mut tx, &id, no).await.map_err(|error: DbError| error);
    Ok(app.db.shop_tx(scope, TxKind::Command, note).await?)
}

/// What an owner is reminded of, and by which end: `None` when nothing is near.
#[must_use]
pub fn reminder(
    standing: Standing,
    row: Option<&subscriptions::SubscriptionRow>,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<(String, Notice)> {
    let (name, at, notice) = match standing {
        Standing::Trial { ends_at } => ("trial", ends_at, Notice::TrialEnds { at: ends_at }),
        Standing::Ending { ends_at } => ("ending", ends_at, Notice::SubscriptionEnds { at: ends_at }),
        Standing::Paid { .. } => {
            // What is charged again by itself is charged at the period's end. Who owes is told of that at each try.
            let row = row.filter(|row| matches!(row.status.as_deref(), Some("active" | "trialing")))?;
            let at = row.period_end.filter(|end| *end > now)?;
            let amount = row.next_amount.zip(row.next_currency.as_deref());
            let amount = amount.map(|(amount, currency)| format!("{amount} {}", currency.to_uppercase()));
            ("renewal", at, Notice::Renews { at, amount })
        }
        Standing::Given | Standing::Grace { .. } | Standing::Ended { .. } => return None,
    };
    let days = Standing::Trial { ends_at: at }.reminder(now)?;
    Some((format!("remind:{name}:{}:{days}", at.timestamp()), notice))
}

/// The longest that a page of Stripe's must still be good for to be opened again.
pub const PAGE_LEFT: Duration = Duration::from_mins(30);
