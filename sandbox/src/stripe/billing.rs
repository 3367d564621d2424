//! What moves money: subscriptions begin, invoices are made and charged.

use serde_json::json;

use super::reply::Refused;
use super::times::add_months;
use super::world::{
    Card, Charge, Customer, EndOfRetries, Invoice, InvoiceStatus, Line, Metadata, Price, Session, SessionStatus, Status, Subscription,
    World,
};

const DAY: i64 = 86_400;
/// Gaps between attempts at an invoice, days.
const RETRY_DAYS: [i64; 3] = [3, 5, 7];
/// How an attempt at an invoice went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Paid,
    Failed(&'static str),
}

impl World {
    pub(crate) fn create_customer(&mut self, email: Option<String>, name: Option<String>, metadata: Metadata) -> String {
        let id = self.new_id("cus");
        let prefix = id.chars().rev().take(8).collect::<String>().to_ascii_uppercase();
        let customer = Customer {
            id: id.clone(),
            created: self.now,
            email,
            name,
            metadata,
            card: None,
            payment_method: None,
            balance: 0,
            prefix,
            invoices: 0,
            deleted: false,
        };
        let object = self.customer_json(&customer);
        self.customers.insert(id.clone(), customer);
        self.emit("customer.created", object, None);
        id
    }

    /// The customer's card from now on.
    pub(crate) fn set_card(&mut self, customer: &str, card: Card) -> Option<String> {
        let method = self.new_id("pm");
        let found = self.customers.get_mut(customer).filter(|c| !c.deleted)?;
        found.card = Some(card);
        found.payment_method = Some(method.clone());
        let object = json!({
            "id": method, "object": "payment_method", "type": "card", "customer": customer, "created": self.now, "livemode": false,
            "card": { "brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034, "last4": "4242" },
        });
        self.emit("payment_method.attached", object, None);
        let theirs: Vec<String> =
            self.subscriptions.values().filter(|s| s.customer == customer && !s.ended()).map(|s| s.id.clone()).collect();
        for id in theirs {
            self.change_subscription(&id, |s| s.payment_method = Some(method.clone()));
        }
        Some(method)
    }

    /// The customer pays at the checkout with this card.
    pub(crate) fn complete_session(&mut self, id: &str, card: Card, email: Option<String>) -> Result<Attempt, Refused> {
        let session = self.sessions.get(id).cloned().ok_or_else(|| Refused::missing_object("checkout.session", id, "session"))?;
        if session.status != SessionStatus::Open {
            return Err(Refused::invalid("This Checkout Session is no longer open."));
        }
        let failure = match card {
            Card::Works | Card::ThreeDSecure => None,
            Card::Declines => Some("card_declined"),
            Card::ThreeDSecureAbandoned => Some("authentication_required"),
        };
        if let Some(code) = failure {
            if card == Card::Declines {
                let amount = session.price.amount * session.quantity;
                let charge = self.charge(amount, session.customer.clone(), None, Some(code));
                self.emit_charge("charge.failed", &charge, None);
            }
            return Ok(Attempt::Failed(code));
        }
        let customer = match session.customer.clone() {
            Some(customer) => customer,
            None => self.create_customer(session.customer_email.clone().or(email), None, Metadata::new()),
        };
        self.set_card(&customer, Card::Works);
        let (subscription, invoice) = self.start_subscription(&session, &customer);
        if let Some(open) = self.sessions.get_mut(id) {
            open.status = SessionStatus::Complete;
            open.customer = Some(customer);
            open.subscription = Some(subscription);
            open.invoice = Some(invoice);
        }
        self.emit_session("checkout.session.completed", id);
        Ok(Attempt::Paid)
    }

    fn start_subscription(&mut self, session: &Session, customer: &str) -> (String, String) {
        let (id, item, invoice) = (self.new_id("sub"), self.new_id("si"), self.new_id("in"));
        let (start, end) = (self.now, add_months(self.now, 1));
        let subscription = Subscription {
            id: id.clone(),
            item,
            customer: customer.to_owned(),
            created: start,
            anchor: start,
            cycle: 1,
            status: Status::Active,
            price: session.price,
            quantity: session.quantity,
            period_start: start,
            period_end: end,
            cancel_at_period_end: false,
            cancel_at: None,
            canceled_at: None,
            ended_at: None,
            cancel_reason: None,
            metadata: session.subscription_metadata.clone(),
            latest_invoice: Some(invoice.clone()),
            payment_method: self.customers.get(customer).and_then(|c| c.payment_method.clone()),
            schedule: None,
            pending_update: None,
            pending_lines: Vec::new(),
        };
        let line = self.period_line(subscription.price, subscription.quantity, start, end);
        self.subscriptions.insert(id.clone(), subscription);
        self.emit_subscription("customer.subscription.created", &id, None);
        self.draft(&invoice, &id, "subscription_create", vec![line], (start, start));
        self.finalize(&invoice);
        self.attempt(&invoice, true);
        (id, invoice)
    }

    pub(crate) fn period_line(&mut self, price: &'static Price, quantity: i64, start: i64, end: i64) -> Line {
        let dollars = price.amount / 100;
        Line {
            id: self.new_id("il"),
            amount: price.amount * quantity,
            description: format!("{quantity} × {} (at ${dollars}.00 / month)", price.name),
            price,
            quantity,
            start,
            end,
            proration: None,
        }
    }

    /// A draft of the subscription; `period` is what the invoice itself is over.
    pub(crate) fn draft(&mut self, id: &str, subscription: &str, reason: &'static str, lines: Vec<Line>, period: (i64, i64)) {
        let Some(s) = self.subscriptions.get(subscription) else { return };
        let (customer, metadata) = (s.customer.clone(), s.metadata.clone());
        let starting_balance = self.customers.get(&customer).map_or(0, |c| c.balance);
        let invoice = Invoice {
            id: id.to_owned(),
            created: self.now,
            customer,
            subscription: subscription.to_owned(),
            reason,
            lines,
            period_start: period.0,
            period_end: period.1,
            status: InvoiceStatus::Draft,
            starting_balance,
            ending_balance: None,
            amount_paid: 0,
            attempt_count: 0,
            attempted: false,
            auto_advance: true,
            finalize_at: None,
            next_payment_attempt: None,
            number: None,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            charge: None,
            payment_intent: None,
            metadata,
        };
        self.invoices.insert(id.to_owned(), invoice);
        self.emit_invoice("invoice.created", id);
    }

    pub(crate) fn finalize(&mut self, id: &str) {
        let intent = self.new_id("pi");
        let now = self.now;
        let Some(invoice) = self.invoices.get_mut(id).filter(|i| i.status == InvoiceStatus::Draft) else { return };
        let Some(customer) = self.customers.get_mut(&invoice.customer) else { return };
        customer.invoices += 1;
        invoice.starting_balance = customer.balance;
        let total = invoice.total();
        // A credit is used up to the invoice's total; a negative total becomes one.
        let left = (total + customer.balance).min(0);
        customer.balance = left;
        invoice.ending_balance = Some(left);
        invoice.number = Some(format!("{}-{:04}", customer.prefix, customer.invoices));
        invoice.status = InvoiceStatus::Open;
        invoice.finalize_at = None;
        invoice.finalized_at = Some(now);
        if invoice.amount_due() > 0 {
            invoice.payment_intent = Some(intent);
        }
        self.emit_invoice("invoice.finalized", id);
    }

    fn charge(&mut self, amount: i64, customer: Option<String>, invoice: Option<&Invoice>, failure: Option<&'static str>) -> String {
        let id = self.new_id("ch");
        let payment_intent = match invoice.and_then(|i| i.payment_intent.clone()) {
            Some(intent) => intent,
            None => self.new_id("pi"),
        };
        let payment_method = customer.as_ref().and_then(|c| self.customers.get(c)).and_then(|c| c.payment_method.clone());
        let charge = Charge {
            id: id.clone(),
            created: self.now,
            amount,
            refunded: 0,
            customer,
            invoice: invoice.map(|i| i.id.clone()),
            payment_intent,
            payment_method,
            failure,
            disputed: false,
        };
        self.charges.insert(id.clone(), charge);
        id
    }

    /// Charges an open invoice: by itself at its time, or because somebody pays it.
    pub(crate) fn attempt(&mut self, id: &str, automatic: bool) -> Attempt {
        let Some(invoice) = self.invoices.get(id).filter(|i| i.status == InvoiceStatus::Open).cloned() else {
            return Attempt::Failed("invoice_not_open");
        };
        let due = invoice.amount_due();
        let card = self.customers.get(&invoice.customer).filter(|c| !c.deleted).and_then(|c| c.card);
        let failure = match card {
            _ if due == 0 => None,
            Some(Card::Works | Card::ThreeDSecure) => None,
            Some(Card::ThreeDSecureAbandoned) => Some("authentication_required"),
            Some(Card::Declines) | None => Some("card_declined"),
        };
        let charge = (due > 0).then(|| self.charge(due, Some(invoice.customer.clone()), Some(&invoice), failure));
        match (failure, charge) {
            (None, charge) => {
                if let Some(charge) = &charge {
                    self.emit_charge("charge.succeeded", charge, None);
                }
                self.settle(id, due, charge);
                Attempt::Paid
            }
            (Some(code), charge) => {
                if let Some(charge) = &charge {
                    self.emit_charge("charge.failed", charge, None);
                }
                self.fail(id, code, charge, automatic);
                Attempt::Failed(code)
            }
        }
    }

    fn settle(&mut self, id: &str, paid: i64, charge: Option<String>) {
        let now = self.now;
        let Some(invoice) = self.invoices.get_mut(id) else { return };
        invoice.status = InvoiceStatus::Paid;
        invoice.amount_paid = paid;
        invoice.attempted = true;
        invoice.auto_advance = false;
        invoice.next_payment_attempt = None;
        invoice.paid_at = Some(now);
        invoice.charge = charge;
        let subscription = invoice.subscription.clone();
        self.emit_invoice("invoice.paid", id);
        self.emit_invoice("invoice.payment_succeeded", id);
        let Some(s) = self.subscriptions.get(&subscription) else { return };
        if let Some(update) = s.pending_update.clone().filter(|u| u.invoice == id) {
            self.change_subscription(&subscription, |s| {
                s.pending_update = None;
                (s.price, s.quantity) = (update.price, update.quantity);
            });
            self.emit_subscription("customer.subscription.pending_update_applied", &subscription, None);
            return;
        }
        let owes = |i: &Invoice| i.subscription == subscription && i.status == InvoiceStatus::Open && i.attempted;
        let behind = matches!(s.status, Status::PastDue | Status::Unpaid);
        if behind && (s.latest_invoice.as_deref() == Some(id) || !self.invoices.values().any(owes)) {
            self.change_subscription(&subscription, |s| s.status = Status::Active);
        }
    }

    fn fail(&mut self, id: &str, code: &'static str, charge: Option<String>, automatic: bool) {
        let now = self.now;
        let Some(invoice) = self.invoices.get_mut(id) else { return };
        invoice.charge = charge;
        invoice.attempted = true;
        let first = invoice.attempt_count == 0;
        let subscription = invoice.subscription.clone();
        let waits = self.subscriptions.get(&subscription).is_some_and(|s| s.pending_update.as_ref().is_some_and(|u| u.invoice == id));
        let ended = self.subscriptions.get(&subscription).is_none_or(Subscription::ended);
        if automatic || first {
            invoice.attempt_count += 1;
            let gap = usize::try_from(invoice.attempt_count).ok().and_then(|n| RETRY_DAYS.get(n.wrapping_sub(1)));
            invoice.next_payment_attempt = gap.filter(|_| !waits && !ended).map(|days| now + days * DAY);
        }
        let last = automatic && invoice.next_payment_attempt.is_none();
        if last {
            invoice.auto_advance = false;
        }
        if code == "authentication_required" {
            self.emit_invoice("invoice.payment_action_required", id);
        }
        self.emit_invoice("invoice.payment_failed", id);
        if waits || ended {
            return;
        }
        match (last, self.settings.end_of_retries) {
            (true, EndOfRetries::Cancel) => self.end(&subscription, "payment_failed"),
            (true, EndOfRetries::Unpaid) => self.change_subscription(&subscription, |s| s.status = Status::Unpaid),
            _ => self.change_subscription(&subscription, |s| {
                if s.status == Status::Active {
                    s.status = Status::PastDue;
                }
            }),
        }
    }

    pub(crate) fn void(&mut self, id: &str) {
        let now = self.now;
        let Some(invoice) = self.invoices.get_mut(id).filter(|i| i.status == InvoiceStatus::Open) else { return };
        invoice.status = InvoiceStatus::Void;
        invoice.auto_advance = false;
        invoice.next_payment_attempt = None;
        invoice.voided_at = Some(now);
        self.emit_invoice("invoice.voided", id);
    }

    /// Somebody pays an open invoice with the card on file.
    pub(crate) fn pay_invoice(&mut self, id: &str) -> Result<(), Refused> {
        let invoice = self.invoices.get(id).ok_or_else(|| Refused::missing_object("invoice", id, "invoice"))?;
        match invoice.status {
            InvoiceStatus::Paid => return Err(Refused::invalid("Invoice is already paid").code("invoice_already_paid")),
            InvoiceStatus::Void => return Err(Refused::invalid("Invoice is voided and cannot be paid").code("invoice_not_editable")),
            InvoiceStatus::Draft => self.finalize(id),
            InvoiceStatus::Open => {}
        }
        match self.attempt(id, false) {
            Attempt::Paid => Ok(()),
            Attempt::Failed(code) => Err(Refused::card(code)),
        }
    }
}
