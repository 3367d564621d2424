//! Checkout and portal sessions, and the customers behind them.

use serde_json::Value;

use super::api::{Call, customer, living_customer, named_price, named_quantity};
use super::form::Form;
use super::reply::Refused;
use super::world::{Portal, Session, SessionStatus, World};

/// Longest and shortest time a checkout stays open, seconds.
const SESSION_S: std::ops::RangeInclusive<i64> = 1_800..=86_400;
/// First version without `payment_method_types`.
const WITHOUT_TYPES: &str = "2026-09-30";
fn web_address(form: &Form, path: &str) -> Result<Option<String>, Refused> {
    let Some(text) = form.get(path) else { return Ok(None) };
    // The placeholder is no character of an address.
    let plain = text.replace("{CHECKOUT_SESSION_ID}", "cs");
    let fits = url::Url::parse(&plain).is_ok_and(|u| matches!(u.scheme(), "http" | "https")) && text.len() <= 5_000;
    if fits { Ok(Some(text.to_owned())) } else { Err(Refused::invalid("Not a valid URL").code("url_invalid").param(path)) }
}

pub(super) fn create_session(world: &mut World, call: &Call<'_>) -> Result<Value, Refused> {
    let form = call.form;
    let mut known = vec![
        "mode",
        "line_items.*.price",
        "line_items.*.quantity",
        "client_reference_id",
        "customer",
        "customer_email",
        "metadata.*",
        "subscription_data.metadata.*",
        "subscription_data.description",
        "success_url",
        "cancel_url",
        "expires_at",
        "ui_mode",
        "locale",
        "allow_promotion_codes",
        "billing_address_collection",
        "payment_method_collection",
        "customer_creation",
        "automatic_tax.enabled",
        "customer_update.address",
        "customer_update.name",
        "allowed_payment_method_types.*",
        "submit_type",
    ];
    if call.version < WITHOUT_TYPES {
        known.push("payment_method_types.*");
    }
    form.only(&known)?;
    match form.required("mode")? {
        "subscription" => {}
        "payment" | "setup" => return Err(Refused::invalid("The sandbox knows subscriptions only.").param("mode")),
        other => {
            let why = format!("Invalid mode: must be one of payment, setup, or subscription. Got: {other}");
            return Err(Refused::invalid(why).param("mode"));
        }
    }
    if form.has("customer_creation") {
        let why = "`customer_creation` can only be used in `payment` mode.";
        return Err(Refused::invalid(why).param("customer_creation"));
    }
    if form.get("customer").is_some() && form.get("customer_email").is_some() {
        let why = "You may only specify one of these parameters: customer, customer_email.";
        return Err(Refused::invalid(why).param("customer"));
    }
    if form.get("ui_mode").is_some_and(|m| m != "hosted_page") {
        return Err(Refused::invalid("The sandbox has the hosted page only.").param("ui_mode"));
    }
    let lines = form.indices("line_items");
    let [line] = lines.as_slice() else {
        return Err(match lines.len() {
            0 => Refused::missing_parameter("line_items"),
            _ => Refused::invalid("The sandbox takes one recurring item.").param("line_items"),
        });
    };
    let price = named_price(form, &format!("line_items.{line}.price"))?;
    form.required(&format!("line_items.{line}.quantity"))?;
    let quantity = named_quantity(form, &format!("line_items.{line}.quantity"), 1)?;
    if let Some(id) = form.get("customer") {
        living_customer(world, id)?;
    }
    if let Some(email) = form.get("customer_email").filter(|e| !e.contains('@')) {
        return Err(Refused::invalid(format!("Invalid email address: {email}")).code("email_invalid").param("customer_email"));
    }
    let success_url = web_address(form, "success_url")?.ok_or_else(|| Refused::missing_parameter("success_url"))?;
    let cancel_url = web_address(form, "cancel_url")?;
    let expires_at = form.integer("expires_at")?.unwrap_or(world.now + SESSION_S.end());
    if !SESSION_S.contains(&(expires_at - world.now)) {
        let why = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
        return Err(Refused::invalid(why).param("expires_at"));
    }
    let id = world.new_id("cs_test");
    let session = Session {
        id: id.clone(),
        created: world.now,
        expires_at,
        status: SessionStatus::Open,
        price,
        quantity,
        customer: form.text("customer"),
        customer_email: form.text("customer_email"),
        client_reference_id: form.text("client_reference_id"),
        metadata: form.metadata("metadata"),
        subscription_metadata: form.metadata("subscription_data.metadata"),
        success_url,
        cancel_url,
        subscription: None,
        invoice: None,
    };
    let object = world.session_json(&session);
    world.sessions.insert(id, session);
    Ok(object)
}

pub(super) fn create_portal(world: &mut World, form: &Form) -> Result<Value, Refused> {
    form.only(&[
        "customer",
        "return_url",
        "configuration",
        "locale",
        "flow_data.type",
        "flow_data.*.subscription",
        "flow_data.after_completion.type",
    ])?;
    let customer = form.required("customer")?.to_owned();
    living_customer(world, &customer)?;
    let return_url = web_address(form, "return_url")?;
    let flow = form.text("flow_data.type");
    if let Some(kind) = &flow {
        let known = ["payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm"];
        if !known.contains(&kind.as_str()) {
            return Err(Refused::invalid(format!("Invalid flow_data[type]: {kind}")).param("flow_data[type]"));
        }
    }
    let portal = Portal { id: world.new_id("bps"), created: world.now, customer, return_url, flow };
    let object = world.portal_json(&portal);
    world.portals.insert(portal.id.clone(), portal);
    Ok(object)
}

pub(super) fn change_customer(world: &mut World, id: &str, form: &Form) -> Result<Value, Refused> {
    form.only(&["email", "name", "metadata", "metadata.*", "description", "phone", "invoice_settings.default_payment_method"])?;
    let before = customer(world, id)?;
    let Some(found) = world.customers.get_mut(id).filter(|c| !c.deleted) else {
        return Err(Refused::missing_object("customer", id, "id"));
    };
    if form.has("email") {
        found.email = form.text("email");
    }
    if form.has("name") {
        found.name = form.text("name");
    }
    form.merge_metadata("metadata", &mut found.metadata);
    let after = customer(world, id)?;
    if let Some(previous) = super::events::differing(&before, &after) {
        world.emit("customer.updated", after.clone(), Some(previous));
    }
    Ok(after)
}

pub(super) fn delete_customer(world: &mut World, id: &str) -> Result<Value, Refused> {
    let before = customer(world, id)?;
    if world.customers.get(id).is_none_or(|c| c.deleted) {
        return Err(Refused::missing_object("customer", id, "id"));
    }
    let theirs: Vec<String> = world.subscriptions.values().filter(|s| s.customer == id && !s.ended()).map(|s| s.id.clone()).collect();
    for subscription in theirs {
        world.end(&subscription, "cancellation_requested");
    }
    if let Some(found) = world.customers.get_mut(id) {
        found.deleted = true;
        (found.email, found.name) = (None, None);
    }
    world.emit("customer.deleted", before, None);
    customer(world, id)
}
