//! Events: what happened, with the object as it was then.

use serde_json::{Map, Value, json};

use super::world::{Event, Subscription, World};

/// Most events kept.
const MAX_EVENTS: usize = 50_000;

impl World {
    /// Notes that something happened to this object, as it is now.
    pub(crate) fn emit(&mut self, kind: &str, object: Value, previous: Option<Value>) {
        let id = self.new_id("evt");
        let mut data = json!({ "object": object });
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let (request, key) = self.request.clone().map_or((None, None), |(id, key)| (Some(id), key));
        let body = json!({
            "id": id,
            "object": "event",
            "api_version": self.settings.api_version,
            "created": self.now,
            "data": data,
            "livemode": false,
            "pending_webhooks": i32::from(self.settings.webhook_url.is_some()),
            "request": { "id": request, "idempotency_key": key },
            "type": kind,
        });
        let event = Event { id, kind: kind.to_owned(), created: self.now, body };
        self.outbox.push(event.clone());
        self.keep(event);
    }

    /// The same fact under another id, as Stripe makes now and then.
    pub(crate) fn twin(&mut self, event: &Event) -> Event {
        let mut twin = event.clone();
        twin.id = self.new_id("evt");
        twin.body["id"] = twin.id.clone().into();
        self.keep(twin.clone());
        twin
    }

    fn keep(&mut self, event: Event) {
        self.events.push_back(event);
        if self.events.len() > MAX_EVENTS {
            self.events.pop_front();
        }
    }

    pub(crate) fn emit_invoice(&mut self, kind: &str, id: &str) {
        if let Some(object) = self.invoices.get(id).map(|i| self.invoice_json(i, self.shape())) {
            self.emit(kind, object, None);
        }
    }

    pub(crate) fn emit_subscription(&mut self, kind: &str, id: &str, previous: Option<Value>) {
        if let Some(object) = self.subscriptions.get(id).map(|s| self.subscription_json(s, self.shape())) {
            self.emit(kind, object, previous);
        }
    }

    pub(crate) fn emit_session(&mut self, kind: &str, id: &str) {
        if let Some(object) = self.sessions.get(id).map(|s| self.session_json(s)) {
            self.emit(kind, object, None);
        }
    }

    pub(crate) fn emit_charge(&mut self, kind: &str, id: &str, previous: Option<Value>) {
        if let Some(object) = self.charges.get(id).map(|c| self.charge_json(c, self.shape())) {
            self.emit(kind, object, previous);
        }
    }

    pub(crate) fn emit_schedule(&mut self, kind: &str, id: &str) {
        if let Some(object) = self.schedules.get(id).map(|s| self.schedule_json(s)) {
            self.emit(kind, object, None);
        }
    }

    /// Changes a subscription and tells what was different before.
    pub(crate) fn change_subscription(&mut self, id: &str, change: impl FnOnce(&mut Subscription)) {
        let shape = self.shape();
        let Some(before) = self.subscriptions.get(id).map(|s| self.subscription_json(s, shape)) else { return };
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            change(subscription);
        }
        let Some(after) = self.subscriptions.get(id).map(|s| self.subscription_json(s, shape)) else { return };
        if let Some(previous) = differing(&before, &after) {
            self.emit("customer.subscription.updated", after, Some(previous));
        }
    }
}

/// What of `before` is no longer so; lists come whole.
pub(crate) fn differing(before: &Value, after: &Value) -> Option<Value> {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return (before != after).then(|| before.clone());
    };
    let mut out = Map::new();
    for (key, value) in old {
        let found = match new.get(key) {
            Some(now) if now == value => None,
            Some(now) if now.is_object() && value.is_object() => differing(value, now),
            _ => Some(value.clone()),
        };
        if let Some(found) = found {
            out.insert(key.clone(), found);
        }
    }
    // Keys that are new now had no value before.
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        out.insert(key.clone(), Value::Null);
    }
    (!out.is_empty()).then_some(Value::Object(out))
}
