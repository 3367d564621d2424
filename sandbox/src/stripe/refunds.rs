//! Money that goes back: refunds, and disputes of the cardholder's bank.

use super::events::differing;
use super::reply::Refused;
use super::world::{Charge, Dispute, Metadata, Refund, World};

impl World {
    pub(crate) fn refund(
        &mut self,
        charge: &str,
        amount: Option<i64>,
        reason: Option<String>,
        metadata: Metadata,
    ) -> Result<String, Refused> {
        let found = self.charges.get(charge).ok_or_else(|| Refused::missing_object("charge", charge, "charge"))?.clone();
        let left = found.amount - found.refunded;
        let amount = amount.unwrap_or(left);
        if found.failure.is_some() || left == 0 {
            let why = format!("Charge {charge} has already been refunded.");
            return Err(Refused::invalid(why).code("charge_already_refunded"));
        }
        if amount <= 0 || amount > left {
            return Err(Refused::invalid("Refund amount is greater than unrefunded amount on charge").param("amount"));
        }
        let id = self.new_id("re");
        let refund = Refund {
            id: id.clone(),
            created: self.now,
            amount,
            charge: charge.to_owned(),
            payment_intent: found.payment_intent.clone(),
            metadata,
            reason,
        };
        let object = self.refund_json(&refund);
        self.refunds.insert(id.clone(), refund);
        let shape = self.shape();
        let before = self.charges.get(charge).map(|c| self.charge_json(c, shape));
        if let Some(charge) = self.charges.get_mut(charge) {
            charge.refunded += amount;
        }
        let after = self.charges.get(charge).map(|c| self.charge_json(c, shape));
        let previous = before.zip(after).and_then(|(b, a)| differing(&b, &a));
        self.emit_charge("charge.refunded", charge, previous);
        self.emit("refund.created", object, None);
        Ok(id)
    }

    /// The cardholder's bank takes the money back.
    pub(crate) fn dispute(&mut self, charge: &str) -> Result<String, Refused> {
        let found = self.charges.get_mut(charge).filter(|c| c.failure.is_none());
        let found = found.ok_or_else(|| Refused::missing_object("charge", charge, "charge"))?;
        found.disputed = true;
        let (amount, intent) = (found.amount, found.payment_intent.clone());
        let id = self.new_id("du");
        let dispute = Dispute {
            id: id.clone(),
            created: self.now,
            amount,
            charge: charge.to_owned(),
            payment_intent: intent,
            status: "needs_response",
        };
        let object = self.dispute_json(&dispute);
        self.disputes.insert(id.clone(), dispute);
        self.emit("charge.dispute.created", object, None);
        Ok(id)
    }

    pub(crate) fn close_dispute(&mut self, id: &str, won: bool) -> Result<(), Refused> {
        let found = self.disputes.get_mut(id).ok_or_else(|| Refused::missing_object("dispute", id, "dispute"))?;
        found.status = if won { "won" } else { "lost" };
        let object = self.disputes.get(id).map(|d| self.dispute_json(d)).unwrap_or_default();
        self.emit("charge.dispute.closed", object, None);
        Ok(())
    }

    /// The charge behind an id of a charge, a payment or an invoice.
    pub(crate) fn charge_of(&self, id: &str) -> Option<String> {
        let is_it = |c: &&Charge| c.id == id || c.payment_intent == id || c.invoice.as_deref() == Some(id);
        self.charges.values().rev().filter(|c| c.failure.is_none()).find(is_it).map(|c| c.id.clone())
    }
}
