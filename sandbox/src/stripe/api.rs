//! The endpoints: what each takes, what it refuses, what it gives.

use serde_json::Value;

use super::form::Form;
use super::render::{list, price_json};
use super::reply::Refused;
use super::world::{Invoice, PRICES, Price, Session, SessionStatus, Shape, World, price};
use super::{checkout, schedules, subscriptions};

/// Deepest `expand[]`.
const MAX_EXPAND: usize = 4;
/// What can stand in an `expand[]`.
const EXPANDABLE: [&str; 22] = [
    "charge",
    "customer",
    "data",
    "default_payment_method",
    "discounts",
    "invoice",
    "items",
    "latest_charge",
    "latest_invoice",
    "lines",
    "parent",
    "payment",
    "payment_intent",
    "payment_method",
    "payments",
    "plan",
    "price",
    "product",
    "schedule",
    "subscription",
    "subscription_details",
    "subscription_item",
];
/// What every list takes.
const LIST: [&str; 3] = ["limit", "starting_after", "ending_before"];
const CREATED: [&str; 5] = ["created", "created.gt", "created.gte", "created.lt", "created.lte"];

/// A call, as far as the account is concerned.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a [&'a str],
    pub(super) form: &'a Form,
    pub(super) version: &'a str,
}

impl Call<'_> {
    pub(super) fn shape(&self) -> Shape {
        Shape::of(self.version)
    }
}

/// Does what a call asks, and expands the answer.
pub(super) fn perform(world: &mut World, call: &Call<'_>) -> Result<Value, Refused> {
    let expansions = call.form.expansions();
    let refused = |wanted: &str| Refused::invalid(format!("This property cannot be expanded ({wanted}).")).param("expand");
    // Before the work: what is refused must not have been done.
    for wanted in &expansions {
        if wanted.split('.').count() > MAX_EXPAND {
            let why = format!("You cannot expand more than {MAX_EXPAND} levels of a property. Property: {wanted}");
            return Err(Refused::invalid(why).param("expand"));
        }
        if !wanted.split('.').all(|part| EXPANDABLE.contains(&part)) {
            return Err(refused(wanted));
        }
    }
    let mut value = dispatch(world, call)?;
    for wanted in expansions {
        let path: Vec<&str> = wanted.split('.').collect();
        if !world.expand(&mut value, &path, call.shape()) {
            return Err(refused(wanted));
        }
    }
    Ok(value)
}

fn dispatch(world: &mut World, call: &Call<'_>) -> Result<Value, Refused> {
    let shape = call.shape();
    let form = call.form;
    let nothing = |form: &Form| form.only(&[]);
    match (call.method, call.path) {
        ("POST", ["checkout", "sessions"]) => checkout::create_session(world, call),
        ("GET", ["checkout", "sessions"]) => {
            check_list(form, &["customer", "subscription", "status"])?;
            let all: Vec<Session> = world.sessions.values().cloned().collect();
            let fits = |s: &&Session| {
                form.get("customer").is_none_or(|c| s.customer.as_deref() == Some(c))
                    && form.get("subscription").is_none_or(|c| s.subscription.as_deref() == Some(c))
            };
            let items = all.iter().rev().filter(fits).map(|s| (s.id.clone(), s.created, world.session_json(s))).collect();
            page(form, "/v1/checkout/sessions", items)
        }
        ("GET", ["checkout", "sessions", id]) => {
            nothing(form)?;
            let session = world.sessions.get(*id).ok_or_else(|| Refused::missing_object("checkout.session", id, "session"))?;
            Ok(world.session_json(session))
        }
        ("POST", ["checkout", "sessions", id, "expire"]) => {
            nothing(form)?;
            let session = world.sessions.get(*id).ok_or_else(|| Refused::missing_object("checkout.session", id, "session"))?;
            if session.status != SessionStatus::Open {
                let why = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
                return Err(Refused::invalid(why));
            }
            world.expire_session(id);
            world.object_json(id, shape).ok_or_else(|| Refused::missing_object("checkout.session", id, "session"))
        }
        ("POST", ["billing_portal", "sessions"]) => checkout::create_portal(world, form),
        ("POST", ["customers"]) => {
            form.only(&["email", "name", "metadata.*", "description", "phone", "preferred_locales.*"])?;
            let id = world.create_customer(form.text("email"), form.text("name"), form.metadata("metadata"));
            customer(world, &id)
        }
        ("GET", ["customers"]) => {
            check_list(form, &["email"])?;
            let fits = |c: &&super::world::Customer| !c.deleted && form.get("email").is_none_or(|e| c.email.as_deref() == Some(e));
            let items = world.customers.values().rev().filter(fits).map(|c| (c.id.clone(), c.created, world.customer_json(c))).collect();
            page(form, "/v1/customers", items)
        }
        ("GET", ["customers", id]) => {
            nothing(form)?;
            customer(world, id)
        }
        ("POST", ["customers", id]) => checkout::change_customer(world, id, form),
        ("DELETE", ["customers", id]) => {
            nothing(form)?;
            checkout::delete_customer(world, id)
        }
        ("GET", ["subscriptions"]) => list_subscriptions(world, call),
        ("GET", ["subscriptions", id]) => {
            nothing(form)?;
            subscription(world, id, shape)
        }
        ("POST", ["subscriptions", id]) => subscriptions::change_subscription(world, id, call),
        ("DELETE", ["subscriptions", id]) => {
            form.only(&["invoice_now", "prorate", "cancellation_details.comment", "cancellation_details.feedback"])?;
            match world.subscriptions.get(*id) {
                Some(s) if !s.ended() => world.end(id, "cancellation_requested"),
                _ => return Err(Refused::missing_object("subscription", id, "subscription_exposed_id")),
            }
            subscription(world, id, shape)
        }
        ("POST", ["invoices", "create_preview"]) => subscriptions::preview(world, call),
        ("GET", ["invoices"]) => list_invoices(world, call),
        ("GET", ["invoices", id]) => {
            nothing(form)?;
            invoice(world, id, shape)
        }
        ("POST", ["invoices", id, "pay"]) => {
            form.only(&["payment_method", "off_session"])?;
            world.pay_invoice(id)?;
            invoice(world, id, shape)
        }
        ("POST", ["invoices", id, "void"]) => {
            nothing(form)?;
            world.void(id);
            invoice(world, id, shape)
        }
        ("GET", ["invoice_payments"]) => {
            check_list(form, &["invoice", "payment.type", "payment.payment_intent", "status"])?;
            let fits = |i: &&Invoice| {
                form.get("invoice").is_none_or(|id| i.id == id)
                    && form.get("payment.payment_intent").is_none_or(|id| i.payment_intent.as_deref() == Some(id))
            };
            let found = world.invoices.values().rev().filter(fits);
            let items = found.filter_map(|i| Some((i.id.clone(), i.created, world.invoice_payment_json(i)?))).collect();
            page(form, "/v1/invoice_payments", items)
        }
        ("GET", ["charges", id]) => {
            nothing(form)?;
            let charge = world.charges.get(*id).ok_or_else(|| Refused::missing_object("charge", id, "id"))?;
            Ok(world.charge_json(charge, shape))
        }
        ("GET", ["prices", id]) => price(id).map(price_json).ok_or_else(|| Refused::missing_object("price", id, "price")),
        ("GET", ["prices"]) => {
            check_list(form, &["active", "lookup_keys.*", "product"])?;
            page(form, "/v1/prices", PRICES.iter().map(|p| (p.id.to_owned(), 0, price_json(p))).collect())
        }
        ("POST", ["refunds"]) => {
            form.only(&["charge", "payment_intent", "amount", "reason", "metadata.*"])?;
            let named = form.get("charge").map(|id| ("charge", id)).or_else(|| form.get("payment_intent").map(|id| ("payment_intent", id)));
            let Some((kind, id)) = named else {
                return Err(Refused::invalid("One of the following params should be provided for this request: payment_intent or charge."));
            };
            let charge = world.charge_of(id).ok_or_else(|| Refused::missing_reference(kind, id, kind))?;
            let made = world.refund(&charge, form.integer("amount")?, form.text("reason"), form.metadata("metadata"))?;
            Ok(world.refunds.get(&made).map(|r| world.refund_json(r)).unwrap_or_default())
        }
        ("GET", ["events"]) => {
            check_list(form, &["type", "types.*", "delivery_success"])?;
            let types: Vec<&str> =
                form.indices("types").iter().filter_map(|i| form.get(&format!("types.{i}"))).chain(form.get("type")).collect();
            let found = world.events.iter().rev().filter(|e| types.is_empty() || types.iter().any(|t| kind_fits(t, &e.kind)));
            page(form, "/v1/events", found.map(|e| (e.id.clone(), e.created, e.body.clone())).collect())
        }
        ("GET", ["events", id]) => {
            let found = world.events.iter().find(|e| e.id == *id).map(|e| e.body.clone());
            found.ok_or_else(|| Refused::missing_object("event", id, "id"))
        }
        (_, ["subscription_schedules", rest @ ..]) => schedules::serve(world, call, rest),
        (method, path) => Err(Refused::no_route(method, &format!("v1/{}", path.join("/")))),
    }
}

/// `invoice.*` fits all of invoices.
fn kind_fits(wanted: &str, kind: &str) -> bool {
    wanted == kind || wanted.strip_suffix('*').is_some_and(|begin| kind.starts_with(begin))
}

fn check_list(form: &Form, more: &[&str]) -> Result<(), Refused> {
    let known: Vec<&str> = LIST.iter().chain(&CREATED).chain(more).copied().collect();
    form.only(&known)
}

/// A page of a list, given newest first with ids and times.
pub(super) fn page(form: &Form, url: &str, items: Vec<(String, i64, Value)>) -> Result<Value, Refused> {
    let limit = form.integer("limit")?.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return Err(Refused::invalid("This value must be between 1 and 100.").code("parameter_invalid_integer").param("limit"));
    }
    let limit = usize::try_from(limit).unwrap_or(10);
    let bounds = [
        form.integer("created.gt")?.map(|b| b.saturating_add(1)).or(form.integer("created.gte")?).or(form.integer("created")?),
        form.integer("created.lt")?.map(|b| b.saturating_sub(1)).or(form.integer("created.lte")?).or(form.integer("created")?),
    ];
    let place = |param: &str| -> Result<Option<usize>, Refused> {
        let Some(id) = form.get(param) else { return Ok(None) };
        let found = items.iter().position(|(i, _, _)| i == id);
        found.map(Some).ok_or_else(|| Refused::missing_reference("object", id, param))
    };
    let in_time = |at: i64| bounds[0].is_none_or(|b| at >= b) && bounds[1].is_none_or(|b| at <= b);
    let (after, before) = (place("starting_after")?, place("ending_before")?);
    let kept = items
        .iter()
        .enumerate()
        .filter(|(i, (_, at, _))| in_time(*at) && after.is_none_or(|after| *i > after) && before.is_none_or(|before| *i < before));
    let mut found: Vec<Value> = kept.map(|(_, (_, _, value))| value.clone()).collect();
    let has_more = found.len() > limit;
    if before.is_some() && has_more {
        found.drain(..found.len() - limit);
    }
    found.truncate(limit);
    Ok(list(url, found, has_more))
}

/// The price a parameter names.
pub(super) fn named_price(form: &Form, path: &str) -> Result<&'static Price, Refused> {
    let id = form.required(path)?;
    price(id).ok_or_else(|| Refused::missing_reference("price", id, &super::form::bracketed(path)))
}

pub(super) fn named_quantity(form: &Form, path: &str, otherwise: i64) -> Result<i64, Refused> {
    let quantity = form.integer(path)?.unwrap_or(otherwise);
    if !(1..=1_000_000).contains(&quantity) {
        return Err(Refused::invalid("This value must be greater than or equal to 1.").code("parameter_invalid_integer"));
    }
    Ok(quantity)
}

pub(super) fn customer(world: &World, id: &str) -> Result<Value, Refused> {
    world.customers.get(id).map(|c| world.customer_json(c)).ok_or_else(|| Refused::missing_object("customer", id, "id"))
}

pub(super) fn subscription(world: &World, id: &str, shape: Shape) -> Result<Value, Refused> {
    let found = world.subscriptions.get(id).map(|s| world.subscription_json(s, shape));
    found.ok_or_else(|| Refused::missing_object("subscription", id, "id"))
}

fn invoice(world: &World, id: &str, shape: Shape) -> Result<Value, Refused> {
    world.invoices.get(id).map(|i| world.invoice_json(i, shape)).ok_or_else(|| Refused::missing_object("invoice", id, "invoice"))
}

/// A customer named in a parameter, who must be there and not deleted.
pub(super) fn living_customer(world: &World, id: &str) -> Result<(), Refused> {
    if world.customers.get(id).is_some_and(|c| !c.deleted) { Ok(()) } else { Err(Refused::missing_reference("customer", id, "customer")) }
}

fn list_subscriptions(world: &World, call: &Call<'_>) -> Result<Value, Refused> {
    let form = call.form;
    check_list(form, &["customer", "status", "price"])?;
    let status = form.get("status");
    let known = ["active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "trialing", "paused", "all", "ended"];
    if let Some(other) = status.filter(|s| !known.contains(s)) {
        return Err(Refused::invalid(format!("Invalid status: {other}")).param("status"));
    }
    let fits = |s: &&super::world::Subscription| {
        form.get("customer").is_none_or(|c| s.customer == c)
            && form.get("price").is_none_or(|p| s.price.id == p)
            && match status {
                // Without a status, those that have not ended.
                None => !s.ended(),
                Some("all") => true,
                Some("ended") => s.ended(),
                Some(status) => s.status.name() == status,
            }
    };
    let found = world.subscriptions.values().rev().filter(fits);
    page(form, "/v1/subscriptions", found.map(|s| (s.id.clone(), s.created, world.subscription_json(s, call.shape()))).collect())
}

fn list_invoices(world: &World, call: &Call<'_>) -> Result<Value, Refused> {
    let form = call.form;
    check_list(form, &["customer", "subscription", "status", "collection_method"])?;
    let status = form.get("status");
    if let Some(other) = status.filter(|s| !["draft", "open", "paid", "uncollectible", "void"].contains(s)) {
        return Err(Refused::invalid(format!("Invalid status: {other}")).param("status"));
    }
    let fits = |i: &&Invoice| {
        form.get("customer").is_none_or(|c| i.customer == c)
            && form.get("subscription").is_none_or(|s| i.subscription == s)
            && status.is_none_or(|s| i.status.name() == s)
    };
    let found = world.invoices.values().rev().filter(fits);
    page(form, "/v1/invoices", found.map(|i| (i.id.clone(), i.created, world.invoice_json(i, call.shape()))).collect())
}
