//! Opens Stripe's page on which a plan is subscribed to. Nobody pays twice: not while a subscription lives, and of several pages only one stays open.

use chrono::{DateTime, Utc};
use frontdesk_core::db::subscriptions::{self, SubscriptionRow};
use frontdesk_core::db::{DbError, TxKind, requests};
use frontdesk_core::jobs::{Answer, CreateCheckout, RefusalKind};
use serde_json::{Value, json};

use super::{Wrote, once, refused};
use crate::billing::{self, field, idempotency_key};
use crate::clients::stripe::{Fields, Stripe, StripeError, objects};
use crate::runner::{Handle, JobContext, JobError};

impl Handle<crate::App> for CreateCheckout {
    async fn handle(self, cx: &JobContext<crate::App>) -> Result<Answer, JobError> {
        let (app, scope) = (&cx.app, cx.scope()?);
        let key = self.request.key.clone();
        let read = async move |mut tx| requests::find(&mut tx, &key).await.map_err(|error: DbError| error);
        let stored = app.db.shop_tx(&scope, TxKind::Command, read).await?;
        // What stands is answered by `once`, which also sees whether it was the same request.
        if stored.is_some() {
            return answer(cx, self, json!(null)).await;
        }
        let Some(stripe) = &app.stripe else { return Ok(not_configured()) };
        // A subscription that no webhook told of counts too.
        billing::look(app, &scope).await?;
        let find = async move |mut tx| subscriptions::find(&mut tx).await.map_err(|error: DbError| error);
        if let Some(refusal) = app.db.shop_tx(&scope, TxKind::Command, find).await?.as_ref().and_then(stands_in_the_way) {
            return Ok(refusal);
        }
        let page = match page(cx, stripe, &self, None).await {
            Err(Failed::Stripe(StripeError::NoSuch { param })) if param == "customer" => {
                let gone = billing::customer(app, &scope, None).await?;
                page(cx, stripe, &self, Some(&gone)).await
            }
            other => other,
        };
        match page {
            Ok(page) => answer(cx, self, page).await,
            Err(Failed::Stripe(StripeError::Refused(code))) => Ok(stripe_refused(&code)),
            Err(Failed::Stripe(error)) => Err(error.into()),
            Err(Failed::Job(error)) => Err(error),
        }
    }
}

enum Failed {
    Stripe(StripeError),
    Job(JobError),
}

impl From<StripeError> for Failed {
    fn from(error: StripeError) -> Self {
        Self::Stripe(error)
    }
}

async fn answer(cx: &JobContext<crate::App>, asked: CreateCheckout, page: Value) -> Result<Answer, JobError> {
    once(cx, asked.request, move |_| Box::pin(async move { Ok(Wrote::answer(Answer::Done(page))) })).await
}

/// Why a subscription that stands leaves no room for another.
fn stands_in_the_way(row: &SubscriptionRow) -> Option<Answer> {
    if !row.is_live() {
        return None;
    }
    Some(match row.status.as_deref() {
        Some("active" | "trialing") => {
            let detail = "There is a subscription already. Change its plan: POST /subscriptions/change.";
            refused(RefusalKind::Conflict, "subscription_live", detail)
        }
        _ => payment_due(row),
    })
}

/// The page: one that is open for this plan, or a new one. Pages of other plans are closed, so that not both are paid.
async fn page(cx: &JobContext<crate::App>, stripe: &Stripe, asked: &CreateCheckout, gone: Option<&str>) -> Result<Value, Failed> {
    let (app, scope) = (&cx.app, cx.scope().map_err(Failed::Job)?);
    let customer = billing::customer(app, &scope, gone).await.map_err(Failed::Job)?;
    let enough = app.clock.now() + billing::PAGE_LEFT;
    for session in stripe.list(&["checkout", "sessions"], &[("customer", &customer), ("status", "open")], |_| false).await? {
        let Some(page) = view(&session) else { continue };
        if session["metadata"]["plan"] == asked.plan.as_str() && expires_at(&session).is_some_and(|at| at > enough) {
            return Ok(page);
        }
        let id = objects::text(&session["id"]).unwrap_or_default();
        let key = idempotency_key(app, &scope, &format!("expire:{id}"));
        match stripe.post(&["checkout", "sessions", &id, "expire"], &Fields::new(), &key).await {
            // It was paid or ended in this moment: the next look sees it.
            Ok(_) | Err(StripeError::Refused(_) | StripeError::NoSuch { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let price = stripe.price(asked.plan).ok_or_else(|| Failed::Job(JobError::fail("stripe_price_missing")))?;
    let (shop, back) = (scope.shop().to_string(), format!("{}/billing", app.settings.public_url));
    let mut fields: Fields = [
        ("mode", "subscription"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
        ("customer", &customer),
        ("client_reference_id", &shop),
    ]
    .map(|(name, value)| field(name, value))
    .to_vec();
    // A session's metadata do not reach its subscription (PROVIDERS 9).
    for of in ["metadata", "subscription_data[metadata]"] {
        fields.push(field(&format!("{of}[shop_id]"), &shop));
        fields.push(field(&format!("{of}[plan]"), asked.plan.as_str()));
    }
    fields.push(field("success_url", format!("{back}?checkout=done&session_id={{CHECKOUT_SESSION_ID}}")));
    fields.push(field("cancel_url", format!("{back}?checkout=cancelled")));
    let key = idempotency_key(app, &scope, &format!("checkout:{customer}:{}", asked.request.key));
    let session = stripe.post(&["checkout", "sessions"], &fields, &key).await?;
    view(&session).ok_or_else(|| Failed::Job(JobError::retry("stripe")))
}

fn expires_at(session: &Value) -> Option<DateTime<Utc>> {
    objects::time(&session["expires_at"])
}

fn view(session: &Value) -> Option<Value> {
    Some(json!({"url": objects::text(&session["url"])?, "session_id": objects::text(&session["id"])?, "expires_at": expires_at(session)?}))
}

pub(super) fn not_configured() -> Answer {
    let detail = "This installation has no access to Stripe. Its operator sets STRIPE_SECRET_KEY and the prices.";
    refused(RefusalKind::Conflict, "stripe_not_configured", detail)
}

pub(super) fn stripe_refused(code: &str) -> Answer {
    let detail = format!("Stripe refused it ({code}). Its operator finds the reason in Stripe's dashboard.");
    refused(RefusalKind::Conflict, "stripe_refused", &detail)
}

pub(super) fn payment_due(row: &SubscriptionRow) -> Answer {
    let place = row.owed_url.as_deref().unwrap_or("POST /subscriptions/portal");
    refused(RefusalKind::Conflict, "payment_due", &format!("An invoice is not paid. Pay it first: {place}"))
}

pub(super) fn absent() -> Answer {
    let detail = "There is no subscription. Begin one: POST /subscriptions/create-checkout.";
    refused(RefusalKind::Conflict, "subscription_absent", detail)
}
