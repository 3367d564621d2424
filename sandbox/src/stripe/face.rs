//! Stripe as tests use it: the people at the pages, the card's bank, the account's settings and the clock.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::billing::Attempt;
use super::plans::{Ending, IfUnpaid};
use super::reply::Refused;
use super::world::{Card, EndOfRetries, Metadata, Proration, Shape, World, price};
use super::{catch_up, webhooks};
use crate::records::{StripeCall, StripeDelivery};
use crate::signature::stripe_signature;
use crate::state::State;

/// How paying at the checkout went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payment {
    /// Paid: the browser goes to `redirect`.
    Paid {
        /// `success_url`, with the session's id in its place.
        redirect: String,
        /// The customer.
        customer: String,
        /// The subscription.
        subscription: String,
        /// Its first invoice.
        invoice: String,
    },
    /// Not paid: the checkout stays open. Holds the decline's code.
    Failed(String),
}

/// The Stripe account: [`State::stripe`].
pub struct StripeDesk(Arc<State>);

fn told(refused: &Refused) -> anyhow::Error {
    anyhow::anyhow!("{}", refused.message().to_owned())
}

impl StripeDesk {
    fn act<T>(&self, work: impl FnOnce(&mut World) -> Result<T, Refused>) -> anyhow::Result<T> {
        catch_up(&self.0, work).map_err(|refused| told(&refused))
    }

    fn look<T>(&self, work: impl FnOnce(&World) -> T) -> T {
        catch_up(&self.0, |world| work(world))
    }

    /// The customer pays at the checkout with this card.
    ///
    /// # Errors
    /// When there is no such session, or it is no longer open.
    pub fn pay(&self, session: &str, card: Card) -> anyhow::Result<Payment> {
        self.pay_as(session, card, None)
    }

    pub(super) fn pay_as(&self, session: &str, card: Card, email: Option<String>) -> anyhow::Result<Payment> {
        self.act(|world| {
            if let Attempt::Failed(code) = world.complete_session(session, card, email)? {
                return Ok(Payment::Failed(code.to_owned()));
            }
            let done = world.sessions.get(session).cloned();
            let done = done.ok_or_else(|| Refused::missing_object("checkout.session", session, "session"))?;
            Ok(Payment::Paid {
                redirect: done.success_url.replace("{CHECKOUT_SESSION_ID}", &done.id),
                customer: done.customer.unwrap_or_default(),
                subscription: done.subscription.unwrap_or_default(),
                invoice: done.invoice.unwrap_or_default(),
            })
        })
    }

    /// The customer's card from now on; open invoices are not paid by it until their next attempt.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn set_card(&self, customer: &str, card: Card) -> anyhow::Result<()> {
        catch_up(&self.0, |world| world.set_card(customer, card)).map(|_| ()).context("no such customer")
    }

    /// Somebody pays an open invoice with the card on file.
    ///
    /// # Errors
    /// When there is no such invoice, it is not open, or the card is declined.
    pub fn pay_invoice(&self, invoice: &str) -> anyhow::Result<()> {
        self.act(|world| world.pay_invoice(invoice))
    }

    /// As the customer does in the portal: a dearer plan at once, with its difference invoiced; a cheaper one from the period's end.
    ///
    /// # Errors
    /// When there is no such subscription or price.
    pub fn change_plan(&self, subscription: &str, to: &str) -> anyhow::Result<()> {
        self.act(|world| {
            let to = price(to).ok_or_else(|| Refused::missing_reference("price", to, "price"))?;
            let found = world.subscriptions.get(subscription).filter(|s| !s.ended()).cloned();
            let found = found.ok_or_else(|| Refused::missing_object("subscription", subscription, "id"))?;
            if to.amount >= found.price.amount {
                return world.change_plan(subscription, to, found.quantity, Proration::InvoiceNow, IfUnpaid::Allow);
            }
            let schedule = match found.schedule {
                Some(schedule) => Some(schedule),
                None => world.schedule_from(subscription),
            };
            if let Some(schedule) = schedule.and_then(|id| world.schedules.get_mut(&id)) {
                schedule.phases.truncate(schedule.current + 1);
                schedule.phases.push(super::world::Phase {
                    start: found.period_end,
                    end: super::times::add_months(found.anchor, found.cycle + 1),
                    price: to,
                    quantity: found.quantity,
                    proration: Proration::None,
                    metadata: Metadata::new(),
                });
                let id = schedule.id.clone();
                world.emit_schedule("subscription_schedule.updated", &id);
            }
            Ok(())
        })
    }

    /// The subscription ends with its period, or goes on after all.
    pub fn cancel_at_period_end(&self, subscription: &str, ends: bool) {
        catch_up(&self.0, |world| world.set_ending(subscription, if ends { Ending::AtPeriodEnd } else { Ending::Never }));
    }

    /// The subscription ends at once.
    pub fn cancel_now(&self, subscription: &str) {
        catch_up(&self.0, |world| world.end(subscription, "cancellation_requested"));
    }

    /// Gives back what an invoice, payment or charge brought, or a part of it in cents; gives the refund's id.
    ///
    /// # Errors
    /// When nothing was paid, or it has been given back already.
    pub fn refund(&self, of: &str, amount: Option<i64>) -> anyhow::Result<String> {
        self.act(|world| {
            let charge = world.charge_of(of).ok_or_else(|| Refused::missing_object("charge", of, "charge"))?;
            world.refund(&charge, amount, Some("requested_by_customer".to_owned()), Metadata::new())
        })
    }

    /// The cardholder's bank disputes what an invoice, payment or charge brought; gives the dispute's id.
    ///
    /// # Errors
    /// When nothing was paid.
    pub fn dispute(&self, of: &str) -> anyhow::Result<String> {
        self.act(|world| {
            let charge = world.charge_of(of).ok_or_else(|| Refused::missing_object("charge", of, "charge"))?;
            world.dispute(&charge)
        })
    }

    /// The dispute is decided.
    ///
    /// # Errors
    /// When there is no such dispute.
    pub fn close_dispute(&self, dispute: &str, won: bool) -> anyhow::Result<()> {
        self.act(|world| world.close_dispute(dispute, won))
    }

    /// The endpoint's version, in which events are rendered from now on: `2024-06-20`, `2026-10-28.endive`.
    pub fn set_api_version(&self, version: &str) {
        catch_up(&self.0, |world| version.clone_into(&mut world.settings.api_version));
    }

    /// What becomes of subscriptions when every retry has failed.
    pub fn set_end_of_retries(&self, end: EndOfRetries) {
        catch_up(&self.0, |world| world.settings.end_of_retries = end);
    }

    /// How long the invoice of a renewal stays a draft, seconds (3600).
    pub fn set_draft_s(&self, seconds: i64) {
        catch_up(&self.0, |world| world.settings.draft_s = seconds.max(0));
    }

    /// The endpoint's secrets: with several, each signs.
    pub fn set_webhook_secrets(&self, secrets: &[&str]) {
        catch_up(&self.0, |world| world.settings.webhook_secrets = secrets.iter().map(|s| (*s).to_owned()).collect());
    }

    /// The `Stripe-Signature` header for this body now.
    pub fn sign(&self, body: &str) -> String {
        self.sign_at(body, self.0.wire_ms() / 1000)
    }

    /// The `Stripe-Signature` header for this body at `at`, Unix seconds.
    pub fn sign_at(&self, body: &str, at: i64) -> String {
        stripe_signature(&self.look(|world| world.settings.webhook_secrets.clone()), at, body.as_bytes())
    }

    /// The same event once more.
    ///
    /// # Errors
    /// When there is no such event.
    pub fn resend(&self, event: &str) -> anyhow::Result<()> {
        let found = self.look(|world| world.events.iter().find(|e| e.id == event).cloned()).context("no such event")?;
        webhooks::resend(&self.0, found);
        Ok(())
    }

    /// Every event there was, oldest first, as its webhook has it.
    pub fn events(&self) -> Vec<Value> {
        self.look(|world| world.events.iter().map(|e| e.body.clone()).collect())
    }

    /// The object with this id (customer, session, subscription, invoice, charge, schedule), in the new shape.
    pub fn object(&self, id: &str) -> Option<Value> {
        self.look(|world| world.object_json(id, Shape::New))
    }

    /// All checkout sessions, oldest first.
    pub fn sessions(&self) -> Vec<Value> {
        self.look(|world| world.sessions.values().map(|s| world.session_json(s)).collect())
    }

    /// All subscriptions, oldest first, in the new shape.
    pub fn subscriptions(&self) -> Vec<Value> {
        self.look(|world| world.subscriptions.values().map(|s| world.subscription_json(s, Shape::New)).collect())
    }

    /// The invoices of a subscription, oldest first, in the new shape.
    pub fn invoices(&self, subscription: &str) -> Vec<Value> {
        let theirs = |world: &World| {
            let found = world.invoices.values().filter(|i| i.subscription == subscription);
            found.map(|i| world.invoice_json(i, Shape::New)).collect()
        };
        self.look(theirs)
    }
}

/// What tests use.
impl State {
    /// The Stripe account.
    pub fn stripe(self: &Arc<Self>) -> StripeDesk {
        StripeDesk(self.clone())
    }

    /// Moves the clock of the wire ahead: what is due until then happens, in order, and its webhooks go out. Gives the new time, Unix ms.
    pub fn advance_clock(self: &Arc<Self>, seconds: u32) -> i64 {
        self.move_clock(i64::from(seconds) * 1000);
        catch_up(self, |_| ());
        self.wire_ms()
    }

    /// Every event Stripe made, oldest first, as its webhook has it.
    pub fn stripe_events(self: &Arc<Self>) -> Vec<Value> {
        self.stripe().events()
    }

    /// Calls to Stripe, oldest first.
    pub fn stripe_calls(&self) -> Vec<StripeCall> {
        self.stripe.calls.list(0, usize::MAX, |_| true)
    }

    /// Attempts to deliver Stripe's events, oldest first.
    pub fn stripe_deliveries(&self) -> Vec<StripeDelivery> {
        self.stripe.deliveries.list(0, usize::MAX, |_| true)
    }

    /// Waits until `count` attempts match, and gives them; fewer if `wait` is over first.
    pub async fn wait_for_stripe_deliveries(
        &self,
        count: usize,
        wait: Duration,
        matches: impl FnMut(&StripeDelivery) -> bool,
    ) -> Vec<StripeDelivery> {
        self.stripe.deliveries.wait(0, count, usize::MAX, wait, matches).await
    }

    /// Where Stripe's webhooks go; `None`: no endpoint is registered.
    pub fn set_stripe_webhook_url(&self, url: Option<String>) {
        self.stripe.with(|world| world.settings.webhook_url = url);
    }
}
