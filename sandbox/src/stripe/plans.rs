//! How a subscription changes and ends: another plan with its proration, a cancellation.

use super::reply::Refused;
use super::world::{Card, InvoiceStatus, Line, PendingUpdate, Price, Proration, Status, Subscription, World};

/// A change that waits for its payment is dropped after this long, seconds.
const PENDING_UPDATE_S: i64 = 23 * 3600;

/// What a change of plan does when its payment fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfUnpaid {
    /// The change stands, the subscription is past due.
    Allow,
    /// The change waits for the payment.
    Wait,
    /// Nothing changes.
    Refuse,
}

impl IfUnpaid {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "allow_incomplete" | "default_incomplete" => Self::Allow,
            "pending_if_incomplete" => Self::Wait,
            "error_if_incomplete" => Self::Refuse,
            _ => return None,
        })
    }
}

/// When a subscription ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Never,
    AtPeriodEnd,
    At(i64),
}

impl World {
    /// What the rest of the period costs more, or less, under the new plan.
    pub(crate) fn prorations(&mut self, s: &Subscription, price: &'static Price, quantity: i64) -> Vec<Line> {
        let (now, end) = (self.now, s.period_end);
        let whole = (end - s.period_start).max(1);
        let share = |amount: i64| (2 * amount * (end - now).max(0) + whole) / (2 * whole);
        let parts = [
            (-share(s.price.amount * s.quantity), s.price, s.quantity, "Unused time on"),
            (share(price.amount * quantity), price, quantity, "Remaining time on"),
        ];
        parts
            .into_iter()
            .map(|(amount, price, quantity, words)| Line {
                id: self.new_id("il"),
                amount,
                description: format!("{words} {}", price.name),
                price,
                quantity,
                start: now,
                end,
                proration: Some(self.new_id("ii")),
            })
            .collect()
    }

    /// Another price or quantity from now on.
    pub(crate) fn change_plan(
        &mut self,
        id: &str,
        price: &'static Price,
        quantity: i64,
        proration: Proration,
        if_unpaid: IfUnpaid,
    ) -> Result<(), Refused> {
        let Some(s) = self.subscriptions.get(id).cloned() else { return Err(Refused::missing_object("subscription", id, "id")) };
        if s.price == price && s.quantity == quantity {
            return Ok(());
        }
        let lines = if proration == Proration::None { Vec::new() } else { self.prorations(&s, price, quantity) };
        if proration != Proration::InvoiceNow {
            self.change_subscription(id, |s| {
                (s.price, s.quantity) = (price, quantity);
                s.pending_lines.extend(lines);
            });
            return Ok(());
        }
        let customer = self.customers.get(&s.customer);
        let due = lines.iter().map(|l| l.amount).sum::<i64>() + customer.map_or(0, |c| c.balance);
        let works = matches!(customer.and_then(|c| c.card), Some(Card::Works | Card::ThreeDSecure));
        let pays = works || due <= 0;
        if !pays && if_unpaid == IfUnpaid::Refuse {
            return Err(Refused::card("card_declined"));
        }
        let invoice = self.new_id("in");
        let waits = !pays && if_unpaid == IfUnpaid::Wait;
        let expires_at = self.now + PENDING_UPDATE_S;
        self.change_subscription(id, |s| {
            s.latest_invoice = Some(invoice.clone());
            if waits {
                s.pending_update = Some(PendingUpdate { price, quantity, invoice: invoice.clone(), expires_at });
            } else {
                (s.price, s.quantity) = (price, quantity);
            }
        });
        self.draft(&invoice, id, "subscription_update", lines, (s.period_start, self.now));
        self.finalize(&invoice);
        self.attempt(&invoice, true);
        Ok(())
    }

    pub(crate) fn set_ending(&mut self, id: &str, ending: Ending) {
        let now = self.now;
        self.change_subscription(id, |s| {
            let before = (s.cancel_at_period_end, s.cancel_at);
            (s.cancel_at_period_end, s.cancel_at) = match ending {
                Ending::Never => (false, None),
                Ending::AtPeriodEnd => (true, Some(s.period_end)),
                Ending::At(at) => (false, Some(at)),
            };
            if before != (s.cancel_at_period_end, s.cancel_at) {
                let ends = s.cancel_at.is_some();
                s.canceled_at = ends.then_some(now);
                s.cancel_reason = ends.then_some("cancellation_requested");
            }
        });
    }

    /// The subscription ends now.
    pub(crate) fn end(&mut self, id: &str, reason: &'static str) {
        let now = self.now;
        let Some(s) = self.subscriptions.get_mut(id).filter(|s| !s.ended()) else { return };
        s.status = Status::Canceled;
        s.canceled_at = s.canceled_at.or(Some(now));
        s.ended_at = Some(now);
        s.cancel_reason = Some(reason);
        s.pending_update = None;
        let schedule = s.schedule.take();
        // Nothing is collected by itself any more.
        for invoice in self.invoices.values_mut().filter(|i| i.subscription == id) {
            invoice.next_payment_attempt = None;
            invoice.finalize_at = None;
            if invoice.status == InvoiceStatus::Open {
                invoice.auto_advance = false;
            }
        }
        if let Some(schedule) = schedule {
            if let Some(found) = self.schedules.get_mut(&schedule) {
                found.status = "canceled";
                found.canceled_at = Some(now);
            }
            self.emit_schedule("subscription_schedule.canceled", &schedule);
        }
        self.emit_subscription("customer.subscription.deleted", id, None);
    }
}
