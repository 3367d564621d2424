//! Changes of a subscription, and the invoice that comes next.

use serde_json::{Value, json};

use super::api::{Call, living_customer, named_price, named_quantity, subscription};
use super::form::Form;
use super::plans::{Ending, IfUnpaid};
use super::reply::Refused;
use super::times::add_months;
use super::world::{Invoice, InvoiceStatus, Proration, Status, World};

pub(super) fn change_subscription(world: &mut World, id: &str, call: &Call<'_>) -> Result<Value, Refused> {
    let form = call.form;
    form.only(&[
        "items.*.id",
        "items.*.price",
        "items.*.quantity",
        "proration_behavior",
        "proration_date",
        "payment_behavior",
        "cancel_at_period_end",
        "cancel_at",
        "metadata",
        "metadata.*",
        "billing_cycle_anchor",
        "default_payment_method",
        "cancellation_details.comment",
        "cancellation_details.feedback",
        "description",
        "off_session",
    ])?;
    let Some(found) = world.subscriptions.get(id).cloned() else { return Err(Refused::missing_object("subscription", id, "id")) };
    if found.ended() {
        return Err(Refused::invalid("A canceled subscription can only update its cancellation_details and metadata."));
    }
    if form.get("billing_cycle_anchor").is_some_and(|a| a != "unchanged") {
        return Err(Refused::invalid("The sandbox keeps the anchor: unchanged is all it takes.").param("billing_cycle_anchor"));
    }
    let proration = match form.get("proration_behavior") {
        None => Proration::OnNextInvoice,
        Some(name) => Proration::parse(name).ok_or_else(|| Refused::invalid("Invalid proration_behavior").param("proration_behavior"))?,
    };
    let if_unpaid = match form.get("payment_behavior") {
        None => IfUnpaid::Allow,
        Some(name) => IfUnpaid::parse(name).ok_or_else(|| Refused::invalid("Invalid payment_behavior").param("payment_behavior"))?,
    };
    let ending = ending(form)?;
    if ending.is_some()
        && let Some(schedule) = &found.schedule
    {
        let why = format!(
            "The subscription is managed by the subscription schedule `{schedule}`, and updating any cancelation behavior directly is not \
             allowed. Please update the schedule instead."
        );
        return Err(Refused::invalid(why));
    }
    if let Some(Ending::At(at)) = ending
        && at <= world.now
    {
        return Err(Refused::invalid("`cancel_at` must be in the future.").param("cancel_at"));
    }
    let plan = match form.indices("items").as_slice() {
        [] => None,
        [item] => {
            match form.get(&format!("items.{item}.id")) {
                Some(given) if given == found.item => {}
                Some(other) => return Err(Refused::missing_reference("subscription_item", other, "items[0][id]")),
                // Without an id, it would be a second item beside the first.
                None => return Err(Refused::invalid("The sandbox has one item a subscription: name it in items[0][id].").param("items")),
            }
            let path = format!("items.{item}.price");
            let price = if form.has(&path) { named_price(form, &path)? } else { found.price };
            Some((price, named_quantity(form, &format!("items.{item}.quantity"), found.quantity)?))
        }
        _ => return Err(Refused::invalid("The sandbox has one item a subscription.").param("items")),
    };
    if let Some((price, quantity)) = plan {
        world.change_plan(id, price, quantity, proration, if_unpaid)?;
    }
    if form.has("metadata") {
        world.change_subscription(id, |s| form.merge_metadata("metadata", &mut s.metadata));
    }
    if let Some(ending) = ending {
        world.set_ending(id, ending);
    }
    subscription(world, id, call.shape())
}

fn ending(form: &Form) -> Result<Option<Ending>, Refused> {
    let at_end = form.boolean("cancel_at_period_end")?;
    Ok(match (form.raw("cancel_at"), at_end) {
        (Some(""), None | Some(false)) | (None, Some(false)) => Some(Ending::Never),
        (Some("min_period_end" | "max_period_end"), None) | (None, Some(true)) => Some(Ending::AtPeriodEnd),
        (Some(_), None | Some(false)) => form.integer("cancel_at")?.map(Ending::At),
        (Some(_), Some(true)) => {
            let why = "You may only specify one of these parameters: cancel_at, cancel_at_period_end.";
            return Err(Refused::invalid(why).param("cancel_at"));
        }
        (None, None) => None,
    })
}

/// The next invoice, or the one a change of plan would make.
pub(super) fn preview(world: &mut World, call: &Call<'_>) -> Result<Value, Refused> {
    let form = call.form;
    form.only(&[
        "customer",
        "subscription",
        "subscription_details.items.*.id",
        "subscription_details.items.*.price",
        "subscription_details.items.*.quantity",
        "subscription_details.proration_behavior",
        "subscription_details.proration_date",
    ])?;
    let found = match (form.get("subscription"), form.get("customer")) {
        (Some(id), _) => {
            world.subscriptions.get(id).cloned().ok_or_else(|| Refused::missing_reference("subscription", id, "subscription"))?
        }
        (None, Some(id)) => {
            living_customer(world, id)?;
            let theirs = world.subscriptions.values().find(|s| s.customer == id && !s.ended()).cloned();
            theirs.ok_or_else(|| Refused::invalid("No upcoming invoices for customer").code("invoice_upcoming_none"))?
        }
        (None, None) => return Err(Refused::missing_parameter("customer")),
    };
    let ends = found.cancel_at.is_some_and(|at| at <= found.period_end);
    if found.ended() || ends && !form.has("subscription_details") {
        let mut none = Refused::invalid(format!("No upcoming invoices for customer: {}", found.customer)).code("invoice_upcoming_none");
        none.status = 404;
        return Err(none);
    }
    let mut lines = found.pending_lines.clone();
    let (mut price, mut quantity) = (found.price, found.quantity);
    let scheduled = found.schedule.as_ref().and_then(|id| world.schedules.get(id));
    if let Some(phase) = scheduled.and_then(|s| s.phases.iter().rev().find(|p| p.start <= found.period_end)) {
        (price, quantity) = (phase.price, phase.quantity);
    }
    let mut now = false;
    if let Some(item) = form.indices("subscription_details.items").first() {
        price = named_price(form, &format!("subscription_details.items.{item}.price"))?;
        quantity = named_quantity(form, &format!("subscription_details.items.{item}.quantity"), found.quantity)?;
        let behavior = form.get("subscription_details.proration_behavior").unwrap_or("create_prorations");
        if behavior != "none" {
            lines.extend(world.prorations(&found, price, quantity));
        }
        now = behavior == "always_invoice";
    }
    let (start, end) = (found.period_end, add_months(found.anchor, found.cycle + 1));
    if !now {
        lines.push(world.period_line(price, quantity, start, end));
    }
    let at = if now { world.now } else { found.period_end };
    let next = Invoice {
        id: found.id.replacen("sub_", "upcoming_in_", 1),
        created: at,
        customer: found.customer.clone(),
        subscription: found.id.clone(),
        reason: if now { "subscription_update" } else { "upcoming" },
        lines,
        period_start: found.period_start,
        period_end: at,
        status: InvoiceStatus::Draft,
        starting_balance: world.customers.get(&found.customer).map_or(0, |c| c.balance),
        ending_balance: None,
        amount_paid: 0,
        attempt_count: 0,
        attempted: false,
        auto_advance: false,
        finalize_at: None,
        next_payment_attempt: (found.status != Status::Unpaid).then_some(at + if now { 0 } else { world.settings.draft_s }),
        number: None,
        finalized_at: None,
        paid_at: None,
        voided_at: None,
        charge: None,
        payment_intent: None,
        metadata: found.metadata.clone(),
    };
    let mut object = world.invoice_json(&next, call.shape());
    object["automatic_tax"] = json!({ "enabled": false, "liability": null, "status": null });
    Ok(object)
}
