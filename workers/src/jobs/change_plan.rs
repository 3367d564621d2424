//! Changes the plan of a subscription: a larger one at once, its difference charged; a smaller one at the period's end. The present one takes back what was
//! to come: a smaller plan, or a cancellation. Each step is done from how the subscription stands at Stripe, and has a key there, so a repeat goes on where
//! the run before it died.

use frontdesk_core::db::subscriptions::{self, SubscriptionRow};
use frontdesk_core::db::{DbError, TxKind, audit, requests};
use frontdesk_core::jobs::{Answer, ChangePlan, RefusalKind};
use frontdesk_core::plans::Plan;
use frontdesk_core::tenancy::ShopScope;
use serde_json::{Value, json};

use super::create_checkout::{absent, not_configured, payment_due, stripe_refused};
use super::{Wrote, actor, once, refused};
use crate::App;
use crate::billing::{self, field, idempotency_key};
use crate::clients::stripe::{Fields, Stripe, StripeError, objects};
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ChangePlan {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope) = (&cx.app, cx.scope()?);
        let key = self.request.key.clone();
        let read = async move |mut tx| requests::find(&mut tx, &key).await.map_err(|error: DbError| error);
        if app.db.shop_tx(&scope, TxKind::Command, read).await?.is_some() {
            return answer(cx, self).await;
        }
        let Some(stripe) = &app.stripe else { return Ok(not_configured()) };
        billing::look(app, &scope).await?;
        let find = async move |mut tx| subscriptions::find(&mut tx).await.map_err(|error: DbError| error);
        let row = app.db.shop_tx(&scope, TxKind::Command, find).await?;
        let Some((row, from)) = row.filter(SubscriptionRow::is_live).and_then(|row| Some((row.clone(), row.plan()?))) else {
            return Ok(absent());
        };
        if !matches!(row.status.as_deref(), Some("active" | "trialing")) {
            return Ok(payment_due(&row));
        }
        let change = Change { app, stripe, scope: &scope, request: &self.request.key, row: &row };
        match change.make(from, self.plan).await {
            Ok(()) => {}
            Err(StripeError::Declined(_)) => {
                let detail = "The card was declined, and nothing was changed. Change the card: POST /subscriptions/portal.";
                return Ok(refused(RefusalKind::Conflict, "payment_declined", detail));
            }
            Err(StripeError::Refused(code)) => return Ok(stripe_refused(&code)),
            Err(error) => return Err(error.into()),
        }
        billing::look(app, &scope).await?;
        answer(cx, self).await
    }
}

async fn answer(cx: &JobContext<App>, asked: ChangePlan) -> Result<Answer, JobError> {
    let (grace, now) = (cx.app.settings.billing_grace, cx.app.clock.now());
    let (by, plan) = (actor(&asked.request), asked.plan);
    once(cx, asked.request, move |tx| {
        Box::pin(async move {
            audit::add(tx, &by, "update", "subscription", &json!({"chosen": plan})).await?;
            let view = subscriptions::view(tx, grace, now).await?;
            Ok(Wrote::answer(Answer::Done(serde_json::to_value(view).unwrap_or_default())))
        })
    })
    .await
}

struct Change<'c> {
    app: &'c App,
    stripe: &'c Stripe,
    scope: &'c ShopScope,
    request: &'c str,
    row: &'c SubscriptionRow,
}

impl Change<'_> {
    async fn make(&self, from: Plan, to: Plan) -> Result<(), StripeError> {
        if let Some(schedule) = &self.row.schedule_id {
            match self.post("release", &["subscription_schedules", schedule, "release"], Fields::new()).await {
                // It has ended by itself.
                Ok(_) | Err(StripeError::NoSuch { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if self.row.ends_at.is_some() {
            self.post("go_on", &self.subscription(), vec![field("cancel_at_period_end", "false")]).await?;
        }
        match to.cmp(&from) {
            std::cmp::Ordering::Greater => self.at_once(to).await,
            std::cmp::Ordering::Less => self.at_the_periods_end(from, to).await,
            std::cmp::Ordering::Equal => Ok(()),
        }
    }

    fn subscription(&self) -> [&str; 2] {
        ["subscriptions", self.row.subscription_id.as_deref().unwrap_or_default()]
    }

    fn price(&self, plan: Plan) -> Result<String, StripeError> {
        self.stripe.price(plan).map(str::to_owned).ok_or_else(|| StripeError::Refused("price_missing".to_owned()))
    }

    /// All or nothing: a card that is declined leaves the subscription as it was.
    async fn at_once(&self, to: Plan) -> Result<(), StripeError> {
        let fields = vec![
            field("items[0][id]", self.row.item_id.as_deref().unwrap_or_default()),
            field("items[0][price]", self.price(to)?),
            field("proration_behavior", "always_invoice"),
            field("payment_behavior", "error_if_incomplete"),
            field("metadata[plan]", to.as_str()),
        ];
        self.post("upgrade", &self.subscription(), fields).await.map(drop)
    }

    async fn at_the_periods_end(&self, from: Plan, to: Plan) -> Result<(), StripeError> {
        let made = vec![field("from_subscription", self.row.subscription_id.as_deref().unwrap_or_default())];
        let schedule = self.post("schedule", &["subscription_schedules"], made).await?;
        let odd = || StripeError::Refused("odd_schedule".to_owned());
        let id = objects::text(&schedule["id"]).ok_or_else(odd)?;
        let phase = &schedule["phases"][0];
        let (start, end) = phase["start_date"].as_i64().zip(phase["end_date"].as_i64()).ok_or_else(odd)?;
        let fields = vec![
            field("end_behavior", "release"),
            field("phases[0][items][0][price]", self.price(from)?),
            field("phases[0][items][0][quantity]", "1"),
            field("phases[0][start_date]", start.to_string()),
            field("phases[0][end_date]", end.to_string()),
            field("phases[1][items][0][price]", self.price(to)?),
            field("phases[1][items][0][quantity]", "1"),
            field("phases[1][proration_behavior]", "none"),
        ];
        self.post("phases", &["subscription_schedules", &id], fields).await.map(drop)
    }

    async fn post(&self, step: &str, path: &[&str], fields: Fields) -> Result<Value, StripeError> {
        let key = idempotency_key(self.app, self.scope, &format!("change:{step}:{}", self.request));
        self.stripe.post(path, &fields, &key).await
    }
}
