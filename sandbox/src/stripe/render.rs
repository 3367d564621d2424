//! Stripe's objects as JSON, in the shapes before and after 2025-03-31 (PROVIDERS 9.2, "Fields that moved").

use serde_json::{Map, Value, json};

use super::world::{
    Charge, Customer, Dispute, Invoice, InvoiceStatus, Line, PRICES, Portal, Price, Refund, Schedule, Session, SessionStatus, Shape,
    Subscription, World,
};

/// Puts the keys of `more` into `object`.
fn add(object: &mut Value, more: Value) {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
}

/// A whole list.
pub(crate) fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}

pub(crate) fn price_json(price: &Price) -> Value {
    json!({
        "id": price.id, "object": "price", "active": true, "billing_scheme": "per_unit", "currency": "usd", "livemode": false,
        "lookup_key": price.lookup_key, "metadata": {}, "nickname": null, "product": price.product,
        "recurring": { "interval": "month", "interval_count": 1, "meter": null, "usage_type": "licensed" },
        "type": "recurring", "unit_amount": price.amount, "unit_amount_decimal": price.amount.to_string(),
    })
}

fn plan_json(price: &Price) -> Value {
    json!({
        "id": price.id, "object": "plan", "active": true, "amount": price.amount, "currency": "usd", "interval": "month",
        "interval_count": 1, "product": price.product, "usage_type": "licensed",
    })
}

impl World {
    pub(crate) fn customer_json(&self, customer: &Customer) -> Value {
        if customer.deleted {
            return json!({ "id": customer.id, "object": "customer", "deleted": true });
        }
        json!({
            "id": customer.id, "object": "customer", "address": null, "balance": customer.balance, "created": customer.created,
            "currency": "usd", "default_source": null, "delinquent": self.delinquent(&customer.id), "description": null,
            "discount": null, "email": customer.email, "invoice_prefix": customer.prefix,
            "invoice_settings": {
                "custom_fields": null, "default_payment_method": customer.payment_method, "footer": null, "rendering_options": null,
            },
            "livemode": false, "metadata": customer.metadata, "name": customer.name, "phone": null, "preferred_locales": [],
            "shipping": null, "tax_exempt": "none", "test_clock": null,
        })
    }

    fn delinquent(&self, customer: &str) -> bool {
        self.invoices.values().any(|i| i.customer == customer && i.status == InvoiceStatus::Open && i.attempted)
    }

    pub(crate) fn session_json(&self, session: &Session) -> Value {
        let customer = session.customer.as_ref().and_then(|id| self.customers.get(id));
        let email = customer.and_then(|c| c.email.clone()).or_else(|| session.customer_email.clone());
        let details = email.is_some().then(|| {
            json!({
                "address": { "city": null, "country": "US", "line1": null, "line2": null, "postal_code": null, "state": null },
                "business_name": null, "email": email, "individual_name": null, "name": customer.and_then(|c| c.name.clone()),
                "phone": null, "tax_exempt": "none", "tax_ids": [],
            })
        });
        let amount = session.price.amount * session.quantity;
        let (status, payment_status) = match session.status {
            SessionStatus::Open => ("open", "unpaid"),
            SessionStatus::Complete => ("complete", "paid"),
            SessionStatus::Expired => ("expired", "unpaid"),
        };
        let url = (session.status == SessionStatus::Open).then(|| format!("{}/stripe/checkout/{}", self.settings.base, session.id));
        json!({
            "id": session.id, "object": "checkout.session", "amount_subtotal": amount, "amount_total": amount,
            "client_reference_id": session.client_reference_id, "created": session.created, "currency": "usd",
            "customer": session.customer, "customer_creation": if session.customer.is_some() { Value::Null } else { "always".into() },
            "customer_details": details, "customer_email": session.customer_email, "expires_at": session.expires_at,
            "invoice": session.invoice, "livemode": false, "metadata": session.metadata, "mode": "subscription",
            "payment_intent": null, "payment_method_types": ["card"], "payment_status": payment_status, "status": status,
            "subscription": session.subscription, "success_url": session.success_url, "cancel_url": session.cancel_url,
            "ui_mode": "hosted_page", "url": url,
        })
    }

    pub(crate) fn portal_json(&self, portal: &Portal) -> Value {
        json!({
            "id": portal.id, "object": "billing_portal.session", "configuration": "bpc_sandbox", "created": portal.created,
            "customer": portal.customer, "flow": portal.flow.as_ref().map(|kind| json!({ "type": kind })), "livemode": false,
            "locale": null, "on_behalf_of": null, "return_url": portal.return_url,
            "url": format!("{}/stripe/portal/{}", self.settings.base, portal.id),
        })
    }

    pub(crate) fn subscription_json(&self, s: &Subscription, shape: Shape) -> Value {
        let mut item = json!({
            "id": s.item, "object": "subscription_item", "created": s.created, "discounts": [], "metadata": {},
            "plan": plan_json(s.price), "price": price_json(s.price), "quantity": s.quantity, "subscription": s.id, "tax_rates": [],
        });
        let period = json!({ "current_period_end": s.period_end, "current_period_start": s.period_start });
        if shape == Shape::New {
            add(&mut item, period.clone());
        }
        let pending = s.pending_update.as_ref().map(|p| {
            json!({
                "billing_cycle_anchor": null, "expires_at": p.expires_at, "trial_end": null, "trial_from_plan": null,
                "subscription_items": [{
                    "id": s.item, "object": "subscription_item", "price": price_json(p.price), "quantity": p.quantity,
                }],
            })
        });
        let mut object = json!({
            "id": s.id, "object": "subscription", "billing_cycle_anchor": s.anchor, "cancel_at": s.cancel_at,
            "cancel_at_period_end": s.cancel_at_period_end, "canceled_at": s.canceled_at,
            "cancellation_details": { "comment": null, "feedback": null, "reason": s.cancel_reason },
            "collection_method": "charge_automatically", "created": s.created, "currency": "usd", "customer": s.customer,
            "days_until_due": null, "default_payment_method": s.payment_method, "discounts": [], "ended_at": s.ended_at,
            "items": {
                "object": "list", "data": [item], "has_more": false, "total_count": 1,
                "url": format!("/v1/subscription_items?subscription={}", s.id),
            },
            "latest_invoice": s.latest_invoice, "livemode": false, "metadata": s.metadata, "pause_collection": null,
            "pending_update": pending, "schedule": s.schedule, "start_date": s.created, "status": s.status.name(), "trial_end": null,
            "trial_start": null,
        });
        let only_here = match shape {
            Shape::New => json!({ "billing_mode": { "flexible": { "proration_discounts": "included" }, "type": "flexible" } }),
            Shape::Old => {
                add(&mut object, period);
                json!({ "discount": null, "plan": plan_json(s.price), "quantity": s.quantity })
            }
        };
        add(&mut object, only_here);
        object
    }

    fn line_json(&self, invoice: &Invoice, line: &Line, shape: Shape) -> Value {
        let item = self.subscriptions.get(&invoice.subscription).map(|s| s.item.clone());
        let mut object = json!({
            "id": line.id, "object": "line_item", "amount": line.amount, "currency": "usd", "description": line.description,
            "discount_amounts": [], "discountable": line.proration.is_none(), "discounts": [], "invoice": invoice.id, "livemode": false,
            "metadata": invoice.metadata, "period": { "start": line.start, "end": line.end }, "quantity": line.quantity,
        });
        let details = json!({ "credited_items": null });
        let only_here = match shape {
            Shape::Old => json!({
                "amount_excluding_tax": line.amount, "invoice_item": line.proration, "plan": plan_json(line.price),
                "price": price_json(line.price), "proration": line.proration.is_some(), "proration_details": details,
                "subscription": invoice.subscription, "subscription_item": item, "tax_amounts": [], "tax_rates": [],
                "type": if line.proration.is_some() { "invoiceitem" } else { "subscription" },
                "unit_amount_excluding_tax": line.price.amount.to_string(),
            }),
            Shape::New => {
                let parent = match &line.proration {
                    None => json!({
                        "invoice_item_details": null,
                        "subscription_item_details": {
                            "invoice_item": null, "proration": false, "proration_details": details,
                            "subscription": invoice.subscription, "subscription_item": item,
                        },
                        "type": "subscription_item_details",
                    }),
                    Some(invoice_item) => json!({
                        "invoice_item_details": null,
                        "subscription_item_details": {
                            "invoice_item": invoice_item, "proration": true, "proration_details": details,
                            "subscription": invoice.subscription, "subscription_item": item,
                        },
                        "type": "subscription_item_details",
                    }),
                };
                json!({
                    "parent": parent,
                    "pricing": {
                        "price_details": { "price": line.price.id, "product": line.price.product }, "type": "price_details",
                        "unit_amount_decimal": line.price.amount.to_string(),
                    },
                    "subtotal": line.amount, "taxes": [],
                })
            }
        };
        add(&mut object, only_here);
        object
    }

    pub(crate) fn invoice_json(&self, invoice: &Invoice, shape: Shape) -> Value {
        let customer = self.customers.get(&invoice.customer);
        let due = invoice.amount_due();
        let final_form = invoice.finalized_at.is_some();
        let page = final_form.then(|| format!("{}/stripe/invoice/{}", self.settings.base, invoice.id));
        let lines: Vec<Value> = invoice.lines.iter().map(|l| self.line_json(invoice, l, shape)).collect();
        let mut object = json!({
            "id": invoice.id, "object": "invoice", "account_country": "US", "amount_due": due, "amount_paid": invoice.amount_paid,
            "amount_remaining": if invoice.status == InvoiceStatus::Void { 0 } else { due - invoice.amount_paid },
            "attempt_count": invoice.attempt_count, "attempted": invoice.attempted, "auto_advance": invoice.auto_advance,
            "billing_reason": invoice.reason, "collection_method": "charge_automatically", "created": invoice.created,
            "currency": "usd", "customer": invoice.customer, "customer_email": customer.and_then(|c| c.email.clone()),
            "ending_balance": invoice.ending_balance,
            "hosted_invoice_url": page, "invoice_pdf": page.as_ref().map(|p| format!("{p}?pdf")),
            "lines": list(&format!("/v1/invoices/{}/lines", invoice.id), lines, false),
            "livemode": false, "metadata": {}, "next_payment_attempt": invoice.next_payment_attempt, "number": invoice.number,
            "period_end": invoice.period_end, "period_start": invoice.period_start, "starting_balance": invoice.starting_balance,
            "status": invoice.status.name(),
            "status_transitions": {
                "finalized_at": invoice.finalized_at, "marked_uncollectible_at": null, "paid_at": invoice.paid_at,
                "voided_at": invoice.voided_at,
            },
            "subtotal": invoice.total(), "total": invoice.total(),
        });
        let only_here = match shape {
            Shape::Old => json!({
                "charge": invoice.charge, "paid": invoice.status == InvoiceStatus::Paid, "paid_out_of_band": false,
                "payment_intent": invoice.payment_intent, "quote": null, "subscription": invoice.subscription,
                "subscription_details": { "metadata": invoice.metadata }, "tax": null,
            }),
            Shape::New => json!({
                "amount_overpaid": 0,
                "parent": {
                    "quote_details": null,
                    "subscription_details": { "metadata": invoice.metadata, "subscription": invoice.subscription },
                    "type": "subscription_details",
                },
            }),
        };
        add(&mut object, only_here);
        object
    }

    /// The payments of an invoice: those that were made, or the one that is still to be made.
    pub(crate) fn invoice_payment_json(&self, invoice: &Invoice) -> Option<Value> {
        let intent = invoice.payment_intent.clone()?;
        let paid = invoice.status == InvoiceStatus::Paid;
        Some(json!({
            "id": invoice.id.replacen("in_", "inpay_", 1), "object": "invoice_payment",
            "amount_paid": paid.then_some(invoice.amount_paid), "amount_requested": invoice.amount_due(), "created": invoice.created,
            "currency": "usd", "invoice": invoice.id, "is_default": true, "livemode": false,
            "payment": { "charge": null, "payment_intent": intent, "type": "payment_intent" },
            "status": if paid { "paid" } else { "open" },
            "status_transitions": { "canceled_at": null, "paid_at": invoice.paid_at },
        }))
    }

    pub(crate) fn charge_json(&self, charge: &Charge, shape: Shape) -> Value {
        let email = charge.customer.as_ref().and_then(|id| self.customers.get(id)).and_then(|c| c.email.clone());
        let ok = charge.failure.is_none();
        let mut object = json!({
            "id": charge.id, "object": "charge", "amount": charge.amount, "amount_captured": if ok { charge.amount } else { 0 },
            "amount_refunded": charge.refunded,
            "billing_details": { "address": null, "email": email, "name": null, "phone": null, "tax_id": null },
            "captured": ok, "created": charge.created, "currency": "usd", "customer": charge.customer, "description": null,
            "disputed": charge.disputed, "failure_code": charge.failure, "failure_message": charge.failure.map(failure_message),
            "livemode": false, "metadata": {},
            "outcome": {
                "network_status": if ok { "approved_by_network" } else { "declined_by_network" }, "reason": charge.failure,
                "risk_level": "normal", "type": if ok { "authorized" } else { "issuer_declined" },
            },
            "paid": ok, "payment_intent": charge.payment_intent, "payment_method": charge.payment_method,
            "payment_method_details": { "card": { "brand": "visa", "country": "US", "last4": "4242" }, "type": "card" },
            "refunded": ok && charge.refunded >= charge.amount, "status": if ok { "succeeded" } else { "failed" },
        });
        if shape == Shape::Old {
            object["invoice"] = charge.invoice.clone().into();
        }
        object
    }

    pub(crate) fn refund_json(&self, refund: &Refund) -> Value {
        json!({
            "id": refund.id, "object": "refund", "amount": refund.amount, "charge": refund.charge, "created": refund.created,
            "currency": "usd", "metadata": refund.metadata, "payment_intent": refund.payment_intent, "reason": refund.reason,
            "status": "succeeded",
        })
    }

    pub(crate) fn dispute_json(&self, dispute: &Dispute) -> Value {
        json!({
            "id": dispute.id, "object": "dispute", "amount": dispute.amount, "charge": dispute.charge, "created": dispute.created,
            "currency": "usd", "is_charge_refundable": false, "livemode": false, "metadata": {},
            "payment_intent": dispute.payment_intent, "reason": "fraudulent", "status": dispute.status,
        })
    }

    pub(crate) fn schedule_json(&self, schedule: &Schedule) -> Value {
        let phases: Vec<Value> = schedule
            .phases
            .iter()
            .map(|p| {
                json!({
                    "add_invoice_items": [], "currency": "usd", "end_date": p.end, "metadata": p.metadata,
                    "items": [{
                        "discounts": [], "metadata": {}, "plan": p.price.id, "price": p.price.id, "quantity": p.quantity, "tax_rates": [],
                    }],
                    "proration_behavior": p.proration.name(), "start_date": p.start, "trial_end": null,
                })
            })
            .collect();
        let live = schedule.status == "active";
        let current = schedule.phases.get(schedule.current).filter(|_| live);
        let released = schedule.status == "released";
        json!({
            "id": schedule.id, "object": "subscription_schedule", "canceled_at": schedule.canceled_at,
            "completed_at": schedule.completed_at, "created": schedule.created,
            "current_phase": current.map(|p| json!({ "end_date": p.end, "start_date": p.start })),
            "customer": schedule.customer, "end_behavior": schedule.end_behavior, "livemode": false, "metadata": schedule.metadata,
            "phases": phases, "released_at": schedule.released_at,
            "released_subscription": released.then(|| schedule.subscription.clone()), "status": schedule.status,
            "subscription": (!released).then(|| schedule.subscription.clone()), "test_clock": null,
        })
    }

    /// The object with this id, whatever its kind.
    pub(crate) fn object_json(&self, id: &str, shape: Shape) -> Option<Value> {
        if let Some(price) = PRICES.iter().find(|p| p.product == id) {
            return Some(json!({
                "id": id, "object": "product", "active": true, "description": null, "livemode": false, "metadata": {}, "name": price.name,
            }));
        }
        let (kind, _) = id.split_once("_1S")?;
        match kind {
            "cus" => self.customers.get(id).map(|c| self.customer_json(c)),
            "cs_test" => self.sessions.get(id).map(|s| self.session_json(s)),
            "sub" => self.subscriptions.get(id).map(|s| self.subscription_json(s, shape)),
            "in" => self.invoices.get(id).map(|i| self.invoice_json(i, shape)),
            "ch" => self.charges.get(id).map(|c| self.charge_json(c, shape)),
            "sub_sched" => self.schedules.get(id).map(|s| self.schedule_json(s)),
            "pi" => self.payment_intent_json(id),
            "pm" => Some(json!({
                "id": id, "object": "payment_method", "type": "card", "livemode": false,
                "card": { "brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2034, "last4": "4242" },
            })),
            _ => None,
        }
    }

    fn payment_intent_json(&self, id: &str) -> Option<Value> {
        let charge = self.charges.values().rev().find(|c| c.payment_intent == id)?;
        let ok = charge.failure.is_none();
        Some(json!({
            "id": id, "object": "payment_intent", "amount": charge.amount, "amount_received": if ok { charge.amount } else { 0 },
            "created": charge.created, "currency": "usd", "customer": charge.customer, "latest_charge": charge.id, "livemode": false,
            "metadata": {}, "payment_method": charge.payment_method,
            "status": if ok { "succeeded" } else { "requires_payment_method" },
        }))
    }

    /// Puts whole objects where `path` names ids, as `expand[]` asks; `false` when that cannot be expanded.
    pub(crate) fn expand(&self, value: &mut Value, path: &[&str], shape: Shape) -> bool {
        let Some((first, rest)) = path.split_first() else { return true };
        if let Some(items) = value.as_array_mut() {
            return items.iter_mut().all(|item| self.expand(item, path, shape));
        }
        let object_kind = value.get("object").and_then(Value::as_str).unwrap_or_default().to_owned();
        if *first == "payments" && object_kind == "invoice" && shape == Shape::New && value.get("payments").is_none() {
            let invoice = value.get("id").and_then(Value::as_str).and_then(|id| self.invoices.get(id));
            let payments: Vec<Value> = invoice.and_then(|i| self.invoice_payment_json(i)).into_iter().collect();
            value["payments"] = list("/v1/invoice_payments", payments, false);
        }
        let Some(place) = value.as_object_mut().and_then(|o: &mut Map<String, Value>| o.get_mut(*first)) else { return false };
        match place {
            Value::Null => true,
            Value::String(id) => match self.object_json(id, shape) {
                Some(whole) => {
                    *place = whole;
                    self.expand(place, rest, shape)
                }
                None => false,
            },
            Value::Object(_) | Value::Array(_) => self.expand(place, rest, shape),
            _ => false,
        }
    }
}

/// What is said of a refused card.
pub(crate) fn failure_message(code: &str) -> &'static str {
    match code {
        "authentication_required" => "Your card was declined. This transaction requires authentication.",
        _ => "Your card was declined.",
    }
}
