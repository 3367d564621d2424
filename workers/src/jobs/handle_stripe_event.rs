//! Takes over what an event of Stripe's says has changed. It is only the occasion to look: what is written is what Stripe says when this runs, so late, double
//! and disordered events end in one state. A failed payment is told once per try, and not if it was paid meanwhile.

use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::subscriptions::{self, BillingEvent};
use frontdesk_core::db::{DbError, TxKind};
use frontdesk_core::jobs::{HandleStripeEvent, Notice};
use serde_json::{Value, json};

use crate::App;
use crate::billing;
use crate::clients::stripe::{Stripe, StripeError, objects};
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for HandleStripeEvent {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let stripe = billing::stripe(app)?;
        if !stripe.is_of_our_mode(self.livemode) {
            tracing::warn!(event.id = self.event_id, "an event of Stripe's other mode is left alone; check which webhook is set up");
            return Ok(());
        }
        let Some(customer) = self.whose(stripe).await? else { return Ok(()) };
        let Some(scope) = app.db.find_stripe_customer(&customer).await? else {
            tracing::info!(event.id = self.event_id, "an event of a customer who is no shop's");
            return Ok(());
        };
        billing::look(app, &scope).await?;
        let failed = self.failed_payment(stripe).await?;
        let event = self.noted();
        let invoice = self.object_id;
        let pending = app
            .db
            .shop_tx(&scope, TxKind::Command, async move |mut tx| {
                subscriptions::note_event(&mut tx, &event).await?;
                let mut pending: Option<Pending> = None;
                if let Some(owed) = failed {
                    let key = format!("payment:{invoice}:{}", owed.attempt);
                    let notice = Notice::PaymentFailed { attempt: owed.attempt, next_attempt_at: owed.next_attempt_at, url: owed.url };
                    pending = billing::tell_once(&mut tx, key, notice).await?;
                }
                Ok::<_, DbError>(pending)
            })
            .await?;
        app.push_outbox(&scope, pending.into_iter().collect()).await;
        Ok(())
    }
}

trait About {
    async fn whose(&self, stripe: &Stripe) -> Result<Option<String>, StripeError>;
    async fn failed_payment(&self, stripe: &Stripe) -> Result<Option<objects::Owed>, StripeError>;
    fn noted(&self) -> BillingEvent;
}

impl About for HandleStripeEvent {
    /// A dispute names its charge alone.
    async fn whose(&self, stripe: &Stripe) -> Result<Option<String>, StripeError> {
        let (None, Some(charge)) = (&self.customer, &self.charge) else { return Ok(self.customer.clone()) };
        match stripe.get(&["charges", charge], &[]).await {
            Ok(charge) => Ok(objects::id(&charge["customer"])),
            Err(StripeError::NoSuch { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The invoice, if its payment failed, and it is not paid yet. Who is at the checkout sees there what is wrong.
    async fn failed_payment(&self, stripe: &Stripe) -> Result<Option<objects::Owed>, StripeError> {
        if !matches!(self.kind.as_str(), "invoice.payment_failed" | "invoice.payment_action_required") {
            return Ok(None);
        }
        match stripe.get(&["invoices", &self.object_id], &[]).await {
            Ok(invoice) if invoice["billing_reason"] == "subscription_create" => Ok(None),
            Ok(invoice) => Ok(objects::owed(&invoice)),
            Err(StripeError::NoSuch { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn noted(&self) -> BillingEvent {
        let currency = self.currency.as_deref();
        let amount = self.amount.zip(currency).map(|(amount, currency)| objects::amount_of(amount, currency).to_string());
        let detail: Value = json!({"amount": amount, "currency": currency, "status": self.status});
        BillingEvent {
            event_id: self.event_id.clone(),
            kind: self.kind.clone(),
            object_id: self.object_id.clone(),
            detail,
            occurred_at: self.occurred_at,
        }
    }
}
