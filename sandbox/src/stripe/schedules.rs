//! Subscription schedules: another plan from a day to come on.

use serde_json::Value;

use super::api::{Call, named_price, named_quantity, page};
use super::form::Form;
use super::reply::Refused;
use super::times::add_months;
use super::world::{Metadata, Phase, Proration, Schedule, World};

/// Most phases of a schedule.
const MAX_PHASES: usize = 10;

pub(super) fn serve(world: &mut World, call: &Call<'_>, path: &[&str]) -> Result<Value, Refused> {
    let form = call.form;
    match (call.method, path) {
        ("POST", []) => create(world, form),
        ("GET", []) => {
            form.only(&["customer", "limit", "starting_after", "ending_before", "scheduled"])?;
            let fits = |s: &&Schedule| form.get("customer").is_none_or(|c| s.customer == c);
            let found = world.schedules.values().rev().filter(fits);
            page(form, "/v1/subscription_schedules", found.map(|s| (s.id.clone(), s.created, world.schedule_json(s))).collect())
        }
        ("GET", [id]) => {
            form.only(&[])?;
            shown(world, id)
        }
        ("POST", [id]) => change(world, id, form),
        ("POST", [id, "release"]) => {
            form.only(&["preserve_cancel_date"])?;
            active(world, id)?;
            world.release_schedule(id);
            shown(world, id)
        }
        ("POST", [id, "cancel"]) => {
            form.only(&["invoice_now", "prorate"])?;
            let subscription = active(world, id)?.subscription;
            world.end(&subscription, "cancellation_requested");
            shown(world, id)
        }
        (method, path) => Err(Refused::no_route(method, &format!("v1/subscription_schedules/{}", path.join("/")))),
    }
}

fn shown(world: &World, id: &str) -> Result<Value, Refused> {
    let found = world.schedules.get(id).map(|s| world.schedule_json(s));
    found.ok_or_else(|| Refused::missing_object("subscription_schedule", id, "schedule"))
}

fn active(world: &World, id: &str) -> Result<Schedule, Refused> {
    let found = world.schedules.get(id).cloned().ok_or_else(|| Refused::missing_object("subscription_schedule", id, "schedule"))?;
    if found.status == "active" {
        return Ok(found);
    }
    let why = format!("You cannot update a subscription schedule that is currently in the `{}` status.", found.status);
    Err(Refused::invalid(why))
}

fn create(world: &mut World, form: &Form) -> Result<Value, Refused> {
    if form.get("from_subscription").is_some() {
        // Stripe takes nothing else beside it.
        form.only(&["from_subscription", "billing_mode.type"])?;
    } else {
        form.only(&["customer", "start_date", "end_behavior", "metadata.*", "phases.*.items.*.price"])?;
        return Err(Refused::invalid("The sandbox makes schedules from a subscription only.").param("from_subscription"));
    }
    let id = form.required("from_subscription")?;
    let subscription = world.subscriptions.get(id).cloned();
    let subscription = subscription.ok_or_else(|| Refused::missing_reference("subscription", id, "from_subscription"))?;
    let why = if subscription.ended() {
        Some("You cannot migrate a subscription that is already in the `canceled` status.")
    } else if subscription.schedule.is_some() {
        Some("You cannot migrate a subscription that is already attached to a schedule.")
    } else {
        None
    };
    if let Some(why) = why {
        return Err(Refused::invalid(why).param("from_subscription"));
    }
    Ok(world.schedule_from(id).and_then(|made| shown(world, &made).ok()).unwrap_or_default())
}

impl World {
    /// A schedule whose one phase is the subscription's present period.
    pub(crate) fn schedule_from(&mut self, subscription: &str) -> Option<String> {
        let id = self.new_id("sub_sched");
        let s = self.subscriptions.get(subscription)?;
        let phase = Phase {
            start: s.period_start,
            end: s.period_end,
            price: s.price,
            quantity: s.quantity,
            proration: Proration::OnNextInvoice,
            metadata: Metadata::new(),
        };
        let cancels = s.cancel_at_period_end;
        let schedule = Schedule {
            id: id.clone(),
            created: self.now,
            customer: s.customer.clone(),
            subscription: subscription.to_owned(),
            status: "active",
            phases: vec![phase],
            current: 0,
            end_behavior: if cancels { "cancel" } else { "release" }.to_owned(),
            metadata: Metadata::new(),
            released_at: None,
            canceled_at: None,
            completed_at: None,
        };
        self.schedules.insert(id.clone(), schedule);
        self.emit_schedule("subscription_schedule.created", &id);
        self.change_subscription(subscription, |s| {
            s.schedule = Some(id.clone());
            (s.cancel_at_period_end, s.cancel_at) = (false, None);
        });
        Some(id)
    }
}

fn change(world: &mut World, id: &str, form: &Form) -> Result<Value, Refused> {
    form.only(&[
        "phases.*.items.*.price",
        "phases.*.items.*.quantity",
        "phases.*.start_date",
        "phases.*.end_date",
        "phases.*.iterations",
        "phases.*.duration.interval",
        "phases.*.duration.interval_count",
        "phases.*.proration_behavior",
        "phases.*.metadata.*",
        "end_behavior",
        "proration_behavior",
        "metadata",
        "metadata.*",
    ])?;
    let mut schedule = active(world, id)?;
    if let Some(behavior) = form.get("end_behavior") {
        if !matches!(behavior, "release" | "cancel") {
            return Err(Refused::invalid("Invalid end_behavior: must be one of release or cancel").param("end_behavior"));
        }
        schedule.end_behavior = behavior.to_owned();
    }
    form.merge_metadata("metadata", &mut schedule.metadata);
    if form.has("phases") {
        let phases = phases(form, &schedule)?;
        let current = phases.iter().position(|p| p.start <= world.now && world.now < p.end);
        let Some(current) = current else {
            return Err(Refused::invalid("The current phase must be among the phases.").param("phases"));
        };
        schedule.current = current;
        schedule.phases = phases;
    }
    let now = schedule.phases.get(schedule.current).cloned();
    let subscription = schedule.subscription.clone();
    world.schedules.insert(id.to_owned(), schedule);
    world.emit_schedule("subscription_schedule.updated", id);
    if let Some(phase) = now {
        let proration = form.get("proration_behavior").and_then(Proration::parse).unwrap_or(phase.proration);
        world.change_plan(&subscription, phase.price, phase.quantity, proration, super::plans::IfUnpaid::Allow)?;
    }
    shown(world, id)
}

fn phases(form: &Form, schedule: &Schedule) -> Result<Vec<Phase>, Refused> {
    let indices = form.indices("phases");
    if indices.len() > MAX_PHASES {
        return Err(Refused::invalid(format!("A schedule has at most {MAX_PHASES} current and future phases.")).param("phases"));
    }
    let mut phases: Vec<Phase> = Vec::new();
    for i in indices {
        let at = |name: &str| format!("phases.{i}.{name}");
        let param = |name: &str| format!("phases[{i}][{name}]");
        let items = form.indices(&at("items"));
        let [item] = items.as_slice() else {
            return Err(Refused::invalid("The sandbox takes one item a phase.").param(&param("items")));
        };
        let price = named_price(form, &at(&format!("items.{item}.price")))?;
        let quantity = named_quantity(form, &at(&format!("items.{item}.quantity")), 1)?;
        let previous = phases.last().map(|p| p.end);
        let start = match (form.integer(&at("start_date"))?, previous) {
            (Some(start), Some(end)) if start != end => {
                return Err(
                    Refused::invalid("The start date of a phase must be the end date of the one before.").param(&param("start_date"))
                );
            }
            (Some(start), _) => start,
            (None, Some(end)) => end,
            (None, None) => {
                let why = "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to.";
                return Err(Refused::invalid(why).param("phases"));
            }
        };
        let first = schedule.phases.first().map_or(start, |p| p.start);
        if previous.is_none() && start != first {
            return Err(Refused::invalid("You can not modify the start date of the current phase.").param(&param("start_date")));
        }
        let months = match (form.integer(&at("iterations"))?, form.get(&at("duration.interval"))) {
            (Some(count), _) => count,
            (None, Some("month")) => form.integer(&at("duration.interval_count"))?.unwrap_or(1),
            (None, Some(_)) => return Err(Refused::invalid("The sandbox counts months.").param(&param("duration"))),
            (None, None) => 1,
        };
        let months = u32::try_from(months).ok().filter(|m| (1..=1_200).contains(m));
        let months = months.ok_or_else(|| Refused::invalid("Invalid duration").param(&param("duration")))?;
        let end = form.integer(&at("end_date"))?.unwrap_or_else(|| add_months(start, months));
        if end <= start {
            return Err(Refused::invalid("The end date of a phase must be after its start date.").param(&param("end_date")));
        }
        let proration = match form.get(&at("proration_behavior")) {
            None => Proration::OnNextInvoice,
            Some(name) => {
                Proration::parse(name).ok_or_else(|| Refused::invalid("Invalid proration_behavior").param(&param("proration_behavior")))?
            }
        };
        phases.push(Phase { start, end, price, quantity, proration, metadata: form.metadata(&at("metadata")) });
    }
    Ok(phases)
}
