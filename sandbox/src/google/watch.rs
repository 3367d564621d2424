//! Calendar's push notifications: channels, and the empty POSTs that say that something changed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::calendars::visible;
use super::events::READ;
use super::reply::{Refused, Reply};
use super::world::{Channel, Pending};
use super::{Asked, caller, times};
use crate::clock::now_ms;
use crate::ids;
use crate::records::GooglePush;
use crate::state::State;

/// A channel on events lives a week unless it asks for less, ms.
const LONGEST_MS: i64 = 7 * 86_400_000;
/// Attempts at one notification.
const MAX_ATTEMPTS: u32 = 5;

/// `POST calendars/{id}/events/watch`.
pub(super) fn start(state: &State, asked: &Asked, calendar: &str) -> Result<Reply, Refused> {
    let who = caller(state, asked, &READ)?;
    let body = asked.json()?;
    let text = |name: &str| body[name].as_str().filter(|t| !t.is_empty());
    let id = text("id").ok_or_else(|| Refused::required("Required"))?;
    if id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+/=".contains(&b)) {
        return Err(Refused::invalid("Invalid value for: id").parameter("id"));
    }
    if text("type") != Some("web_hook") {
        return Err(Refused::new(400, "channelUnknown", "Unknown channel type"));
    }
    let address = text("address").ok_or_else(|| Refused::required("Required"))?;
    // Google takes TLS only; this machine may do without.
    let fits =
        url::Url::parse(address).is_ok_and(|u| u.scheme() == "https" || matches!(u.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")));
    if !fits {
        return Err(Refused::new(400, "push.webhookUrlNotHttps", format!("WebHook callback must be HTTPS: {address}")));
    }
    if text("token").is_some_and(|t| t.len() > 256) {
        return Err(Refused::invalid("Invalid value for: token").parameter("token"));
    }
    let now = now_ms();
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let asked_for = number(&body["expiration"]).or_else(|| number(&body["params"]["ttl"]).map(|s| now + s * 1000));
    let expires_ms = asked_for.map_or(now + LONGEST_MS, |at| at.min(now + LONGEST_MS));
    if expires_ms <= now {
        return Err(Refused::invalid("Invalid value for: expiration").parameter("expiration"));
    }
    state.google.with(|world| {
        let calendar = world.calendar_id(calendar, &who.email);
        visible(world, &calendar, &who.email)?;
        if world.channels.iter().any(|c| c.id == id && c.expires_ms > now) {
            return Err(Refused::new(400, "channelIdNotUnique", format!("Channel id {id} not unique")));
        }
        let known = world.channels.iter().find(|c| c.calendar == calendar && c.email == who.email).map(|c| c.resource_id.clone());
        let channel = Channel {
            id: id.to_owned(),
            resource_id: known.unwrap_or_else(ids::random_text::<20>),
            resource_uri: format!("https://www.googleapis.com/calendar/v3/calendars/{calendar}/events?alt=json"),
            token: text("token").map(str::to_owned),
            address: address.to_owned(),
            expires_ms,
            calendar,
            email: who.email.clone(),
            messages: 1,
        };
        let mut answer = json!({
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource_id,
            "resourceUri": channel.resource_uri,
            "expiration": expires_ms.to_string(),
        });
        if let Some(token) = &channel.token {
            answer["token"] = token.clone().into();
        }
        world.pending.push(Pending { channel: channel.clone(), state: "sync" });
        world.channels.retain(|c| c.expires_ms > now);
        world.channels.push(channel);
        Ok(Reply::json(answer))
    })
}

/// `POST channels/stop`.
pub(super) fn stop(state: &State, asked: &Asked) -> Result<Reply, Refused> {
    let who = caller(state, asked, &READ)?;
    let body = asked.json()?;
    state.google.with(|world| {
        let place = world
            .channels
            .iter()
            .position(|c| body["id"] == c.id.as_str() && body["resourceId"] == c.resource_id.as_str() && c.email == who.email);
        let id = body["id"].as_str().unwrap_or_default();
        let place = place.ok_or_else(|| Refused::new(404, "notFound", format!("Channel '{id}' not found for project")))?;
        world.channels.remove(place);
        Ok(Reply::nothing())
    })
}

/// Sends what the latest changes gave rise to.
pub(super) fn deliver_pending(state: &Arc<State>) {
    let pending = state.google.with(|world| std::mem::take(&mut world.pending));
    for push in pending {
        let faults = state.faults.google("push");
        if faults.push_drop {
            continue;
        }
        for _ in 0..=faults.push_duplicates.min(20) {
            let (shared, channel, kind) = (state.clone(), push.channel.clone(), push.state);
            state.spawn(async move { send(&shared, &channel, kind).await });
        }
    }
}

async fn send(state: &State, channel: &Channel, kind: &str) {
    let mut gap = state.config.speed.retry_first_ms;
    for attempt in 1..=MAX_ATTEMPTS {
        let mut request = state
            .client
            .post(&channel.address)
            .header("user-agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)")
            .header("content-length", "0")
            .header("x-goog-channel-id", &channel.id)
            .header("x-goog-channel-expiration", times::http_date(channel.expires_ms))
            .header("x-goog-resource-id", &channel.resource_id)
            .header("x-goog-resource-uri", &channel.resource_uri)
            .header("x-goog-resource-state", kind)
            .header("x-goog-message-number", channel.messages.to_string());
        if let Some(token) = &channel.token {
            request = request.header("x-goog-channel-token", token);
        }
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        state.google.pushes.push(GooglePush {
            seq: 0,
            sent_at_ms: now_ms(),
            channel: channel.id.clone(),
            calendar: channel.calendar.clone(),
            state: kind.to_owned(),
            message_number: channel.messages,
            attempt,
            status,
        });
        // Only these are tried again; anything else that is no success is lost.
        if !matches!(status, None | Some(500 | 502 | 503 | 504)) {
            return;
        }
        sleep(Duration::from_millis(gap)).await;
        gap = gap.saturating_mul(2).min(state.config.speed.retry_max_ms);
    }
}
