//! What happens by itself as time goes by, in the order in which it is due.

use super::plans::IfUnpaid;
use super::times::add_months;
use super::world::{InvoiceStatus, Proration, SessionStatus, Status, World};

/// Most things done in one go: a clock moved by a thousand years ends too.
const MAX_STEPS: usize = 200_000;

/// Something that is due; among those due at once, earlier ones come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    ExpireSession(String),
    DropUpdate(String),
    End(String),
    Phase(String),
    Renew(String),
    Finalize(String),
    Retry(String),
}

impl World {
    /// Does all that is due up to this time, each at its own.
    pub(crate) fn run(&mut self, until: i64) {
        // None of it is caused by a call.
        let request = self.request.take();
        for _ in 0..MAX_STEPS {
            let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= until) else { break };
            self.now = self.now.max(at);
            self.perform(due);
        }
        self.now = self.now.max(until);
        self.request = request;
    }

    fn next_due(&self) -> Option<(i64, Due)> {
        let open = self.sessions.values().filter(|s| s.status == SessionStatus::Open);
        let sessions = open.map(|s| (s.expires_at, Due::ExpireSession(s.id.clone())));
        let living = || self.subscriptions.values().filter(|s| !s.ended());
        let updates = living().filter_map(|s| Some((s.pending_update.as_ref()?.expires_at, Due::DropUpdate(s.id.clone()))));
        let ends = living().filter_map(|s| Some((s.cancel_at?, Due::End(s.id.clone()))));
        let renewals = living().map(|s| (s.period_end, Due::Renew(s.id.clone())));
        let phases = self.schedules.values().filter(|s| s.status == "active").filter_map(|s| {
            let end = s.phases.get(s.current)?.end;
            Some((end, Due::Phase(s.id.clone())))
        });
        let drafts = self.invoices.values().filter_map(|i| Some((i.finalize_at?, Due::Finalize(i.id.clone()))));
        let open = self.invoices.values().filter(|i| i.status == InvoiceStatus::Open);
        let retries = open.filter_map(|i| Some((i.next_payment_attempt?, Due::Retry(i.id.clone()))));
        sessions.chain(updates).chain(ends).chain(renewals).chain(phases).chain(drafts).chain(retries).min()
    }

    fn perform(&mut self, due: Due) {
        match due {
            Due::ExpireSession(id) => self.expire_session(&id),
            Due::DropUpdate(id) => {
                let invoice = self.subscriptions.get(&id).and_then(|s| s.pending_update.as_ref()).map(|u| u.invoice.clone());
                if let Some(invoice) = invoice {
                    self.void(&invoice);
                }
                self.change_subscription(&id, |s| s.pending_update = None);
                self.emit_subscription("customer.subscription.pending_update_expired", &id, None);
            }
            Due::End(id) => self.end(&id, "cancellation_requested"),
            Due::Phase(id) => self.next_phase(&id),
            Due::Renew(id) => self.renew(&id),
            Due::Finalize(id) => {
                self.finalize(&id);
                self.attempt(&id, true);
            }
            Due::Retry(id) => {
                self.attempt(&id, true);
            }
        }
    }

    pub(crate) fn expire_session(&mut self, id: &str) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.status = SessionStatus::Expired;
        }
        self.emit_session("checkout.session.expired", id);
    }

    /// The present phase of a schedule is over: the next begins, or the schedule lets go.
    fn next_phase(&mut self, id: &str) {
        let Some(schedule) = self.schedules.get_mut(id) else { return };
        schedule.current += 1;
        let subscription = schedule.subscription.clone();
        let Some(phase) = schedule.phases.get(schedule.current).cloned() else {
            if schedule.end_behavior == "cancel" {
                self.complete_schedule(id);
                self.end(&subscription, "cancellation_requested");
            } else {
                self.release_schedule(id);
            }
            return;
        };
        self.emit_schedule("subscription_schedule.updated", id);
        let at_renewal = self.subscriptions.get(&subscription).is_some_and(|s| s.period_end == self.now);
        if !phase.metadata.is_empty() {
            self.change_subscription(&subscription, |s| s.metadata.extend(phase.metadata.clone()));
        }
        // At a renewal nothing is left of the old plan to prorate.
        let proration = if at_renewal { Proration::None } else { phase.proration };
        // The subscription is there for as long as its schedule is active.
        let _ = self.change_plan(&subscription, phase.price, phase.quantity, proration, IfUnpaid::Allow);
    }

    fn complete_schedule(&mut self, id: &str) {
        let now = self.now;
        let Some(schedule) = self.schedules.get_mut(id) else { return };
        schedule.status = "completed";
        schedule.completed_at = Some(now);
        let subscription = schedule.subscription.clone();
        self.change_subscription(&subscription, |s| s.schedule = None);
        self.emit_schedule("subscription_schedule.completed", id);
    }

    pub(crate) fn release_schedule(&mut self, id: &str) {
        let now = self.now;
        let Some(schedule) = self.schedules.get_mut(id) else { return };
        schedule.status = "released";
        schedule.released_at = Some(now);
        let subscription = schedule.subscription.clone();
        self.change_subscription(&subscription, |s| s.schedule = None);
        self.emit_schedule("subscription_schedule.released", id);
    }

    fn renew(&mut self, id: &str) {
        let invoice = self.new_id("in");
        let Some(s) = self.subscriptions.get(id).cloned() else { return };
        let (start, cycle) = (s.period_end, s.cycle + 1);
        let end = add_months(s.anchor, cycle);
        self.change_subscription(id, |s| {
            s.cycle = cycle;
            (s.period_start, s.period_end) = (start, end);
            s.latest_invoice = Some(invoice.clone());
            s.pending_lines.clear();
        });
        let mut lines = s.pending_lines;
        lines.push(self.period_line(s.price, s.quantity, start, end));
        self.draft(&invoice, id, "subscription_cycle", lines, (s.period_start, start));
        let draft_s = self.settings.draft_s;
        let now = self.now;
        if let Some(invoice) = self.invoices.get_mut(&invoice) {
            // Of an unpaid subscription the invoices stay drafts.
            invoice.auto_advance = s.status != Status::Unpaid;
            invoice.finalize_at = invoice.auto_advance.then_some(now + draft_s);
            invoice.next_payment_attempt = invoice.finalize_at;
        }
    }
}
