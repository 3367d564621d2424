//! Calendar v3 (PROVIDERS 7): which path is what, calendars and free/busy.

use axum::http::Method;
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::reply::{Refused, Reply};
use super::world::{Calendar, World};
use super::{Asked, caller, events, times, watch};
use crate::state::State;

/// Calendars one free/busy query may name.
const MAX_QUERIED: usize = 50;

pub(super) fn serve(state: &State, asked: &Asked, path: &[&str]) -> Result<Reply, Refused> {
    let method = asked.method.as_str();
    match (method, path) {
        ("GET", ["users", "me", "calendarList"]) => list(state, asked),
        ("GET", ["users", "me", "calendarList", id]) => {
            let who = caller(state, asked, &["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"])?;
            state.google.with(|world| {
                let id = world.calendar_id(id, &who.email);
                let calendar = visible(world, &id, &who.email)?;
                Ok(Reply::json(list_entry(calendar, &who.email)))
            })
        }
        ("POST", ["calendars"]) => insert(state, asked),
        ("GET", ["calendars", id]) => {
            let who = caller(
                state,
                asked,
                &["calendar", "calendar.readonly", "calendar.calendars", "calendar.calendars.readonly", "calendar.app.created"],
            )?;
            state.google.with(|world| {
                let id = world.calendar_id(id, &who.email);
                Ok(Reply::json(resource(visible(world, &id, &who.email)?)))
            })
        }
        ("POST", ["freeBusy"]) => free_busy(state, asked),
        ("POST", ["channels", "stop"]) => watch::stop(state, asked),
        ("POST", ["calendars", id, "events", "watch"]) => watch::start(state, asked, id),
        (_, ["calendars", id, "events"]) => events::collection(state, asked, id),
        (_, ["calendars", id, "events", event]) => events::one(state, asked, id, event),
        _ => Err(Refused::not_found()),
    }
}

/// A calendar that this account may at least read.
pub(super) fn visible<'a>(world: &'a World, id: &str, email: &str) -> Result<&'a Calendar, Refused> {
    let calendar = world.calendars.get(id).ok_or_else(Refused::not_found)?;
    match calendar.roles.get(email).map(String::as_str) {
        Some("owner" | "writer" | "reader") => Ok(calendar),
        _ => Err(Refused::not_found()),
    }
}

/// A calendar that this account may write to.
pub(super) fn writable<'a>(world: &'a mut World, id: &str, email: &str) -> Result<&'a mut Calendar, Refused> {
    visible(world, id, email)?;
    let calendar = world.calendars.get_mut(id).ok_or_else(Refused::not_found)?;
    match calendar.roles.get(email).map(String::as_str) {
        Some("owner" | "writer") => Ok(calendar),
        _ => Err(Refused::new(403, "requiredAccessLevel", "You need to have writer access to this calendar.").domain("calendar")),
    }
}

fn resource(calendar: &Calendar) -> Value {
    json!({
        "kind": "calendar#calendar",
        "etag": "\"calendar-1\"",
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": { "allowedConferenceSolutionTypes": ["hangoutsMeet"] },
    })
}

fn list_entry(calendar: &Calendar, email: &str) -> Value {
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": "\"calendar-1\"",
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "colorId": "14",
        "backgroundColor": "#9fe1e7",
        "foregroundColor": "#000000",
        "selected": true,
        "accessRole": calendar.roles.get(email),
        "defaultReminders": [{ "method": "popup", "minutes": 30 }],
    });
    if calendar.id == email {
        entry["primary"] = true.into();
    }
    entry
}

fn list(state: &State, asked: &Asked) -> Result<Reply, Refused> {
    let who = caller(state, asked, &["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"])?;
    let rank = |role: &str| ["freeBusyReader", "reader", "writer", "owner"].iter().position(|r| *r == role);
    let at_least = asked.param("minAccessRole").and_then(rank);
    Ok(state.google.with(|world| {
        let mine = world.calendars.values().filter(|c| c.roles.get(&who.email).and_then(|r| rank(r)) >= at_least.or(Some(0)));
        let items: Vec<Value> = mine.map(|c| list_entry(c, &who.email)).collect();
        Reply::json(json!({ "kind": "calendar#calendarList", "etag": "\"list-1\"", "nextSyncToken": "CPDAlvWDx70CEh0", "items": items }))
    }))
}

fn insert(state: &State, asked: &Asked) -> Result<Reply, Refused> {
    let who = caller(state, asked, &["calendar", "calendar.calendars", "calendar.app.created"])?;
    let body = asked.json()?;
    let Some(summary) = body["summary"].as_str() else { return Err(Refused::required("Missing title.")) };
    let zone = body["timeZone"].as_str().unwrap_or("UTC");
    if zone.parse::<Tz>().is_err() {
        return Err(Refused::invalid("Invalid time zone."));
    }
    let id = format!("c_{}@group.calendar.google.com", hex::encode(crate::ids::random_text::<24>()));
    let calendar = Calendar::new(&id, summary, zone, &who.email);
    let made = resource(&calendar);
    state.google.with(|world| world.calendars.insert(id, calendar));
    Ok(Reply::json(made))
}

fn free_busy(state: &State, asked: &Asked) -> Result<Reply, Refused> {
    let who = caller(state, asked, &["calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy"])?;
    let body = asked.json()?;
    let text = |name: &str| body[name].as_str().ok_or_else(|| Refused::required(format!("Missing {name} parameter.")));
    let (from, to) = (times::bound("timeMin", text("timeMin")?)?, times::bound("timeMax", text("timeMax")?)?);
    if to <= from {
        return Err(Refused::new(400, "timeRangeEmpty", "The specified time range is empty.").domain("calendar").parameter("timeMax"));
    }
    let zone: Tz = match body["timeZone"].as_str() {
        Some(name) => name.parse().map_err(|_| Refused::invalid("Invalid time zone."))?,
        None => Tz::UTC,
    };
    let none = Vec::new();
    let mut answers = serde_json::Map::new();
    state.google.with(|world| {
        for (place, item) in body["items"].as_array().unwrap_or(&none).iter().enumerate() {
            let Some(named) = item["id"].as_str() else { continue };
            let calendar = world.calendars.get(&world.calendar_id(named, &who.email)).filter(|c| c.roles.contains_key(&who.email));
            let reason = match calendar {
                _ if place >= MAX_QUERIED => Some("tooManyCalendarsRequested"),
                None => Some("notFound"),
                Some(calendar) => calendar.unreadable.as_deref(),
            };
            let answer = match (reason, calendar) {
                (None, Some(calendar)) => {
                    let busy: Vec<Value> = events::busy(calendar, from, to)
                        .into_iter()
                        .map(|(start, end)| json!({ "start": times::local(start, zone), "end": times::local(end, zone) }))
                        .collect();
                    json!({ "busy": busy })
                }
                (reason, _) => json!({ "errors": [{ "domain": "global", "reason": reason }], "busy": [] }),
            };
            answers.insert(named.to_owned(), answer);
        }
    });
    debug_assert!(asked.method == Method::POST);
    Ok(Reply::json(json!({
        "kind": "calendar#freeBusy",
        "timeMin": times::stamp(from * 1000),
        "timeMax": times::stamp(to * 1000),
        "calendars": answers,
    })))
}
