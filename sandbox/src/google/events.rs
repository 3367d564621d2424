//! Calendar's events: made, changed, listed, and what of them is busy (PROVIDERS 7).

use axum::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calendars::{visible, writable};
use super::reply::{Refused, Reply};
use super::world::{Calendar, Event, World};
use super::{Asked, caller, times};
use crate::clock::now_ms;
use crate::ids;
use crate::state::State;

pub(super) const READ: [&str; 4] = ["calendar", "calendar.readonly", "calendar.events", "calendar.events.readonly"];
const WRITE: [&str; 2] = ["calendar", "calendar.events"];
/// Parameters that a sync token excludes.
const NOT_WITH_SYNC: [&str; 8] =
    ["iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"];
/// What only Google writes.
const READ_ONLY: [&str; 9] = ["kind", "etag", "htmlLink", "created", "updated", "creator", "organizer", "iCalUID", "id"];
/// How far recurring events are unrolled without `timeMax`, seconds.
const HORIZON: i64 = 2 * 366 * 86_400;

/// What a sync or page token says.
#[derive(Serialize, Deserialize)]
struct Token {
    calendar: String,
    version: u64,
    single: bool,
    /// Items already given; 0 in a sync token.
    skip: usize,
    /// The query the pages belong to, and the change its first page began from.
    since: Option<u64>,
    sync: bool,
}

impl Token {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

fn deleted() -> Refused {
    Refused::new(410, "deleted", "Resource has been deleted")
}

pub(super) fn etag(version: u64) -> String {
    format!("\"{}\"", 3_181_161_784_712_000 + version)
}

/// An event as it is answered.
pub(super) fn shown(event: &Event) -> Value {
    let mut resource = event.resource.clone();
    resource["etag"] = etag(event.version).into();
    resource
}

pub(super) fn collection(state: &State, asked: &Asked, calendar: &str) -> Result<Reply, Refused> {
    match asked.method.as_str() {
        "GET" => {
            let who = caller(state, asked, &READ)?;
            state.google.with(|world| {
                let id = world.calendar_id(calendar, &who.email);
                list(visible(world, &id, &who.email)?, asked, &who.email)
            })
        }
        "POST" => {
            let who = caller(state, asked, &WRITE)?;
            check_send_updates(asked)?;
            let body = asked.json()?;
            state.google.with(|world| {
                let id = world.calendar_id(calendar, &who.email);
                writable(world, &id, &who.email)?;
                insert(world, &id, &who.email, &body).map(answered)
            })
        }
        _ => Err(Refused::not_found()),
    }
}

fn answered(resource: Value) -> Reply {
    let tag = resource["etag"].as_str().unwrap_or_default().to_owned();
    Reply::json(resource).with_header(header::ETAG, tag)
}

pub(super) fn one(state: &State, asked: &Asked, calendar: &str, event: &str) -> Result<Reply, Refused> {
    let method = asked.method.as_str();
    let who = caller(state, asked, if method == "GET" { &READ } else { &WRITE })?;
    check_send_updates(asked)?;
    state.google.with(|world| {
        let id = world.calendar_id(calendar, &who.email);
        if method == "GET" {
            let found = find(visible(world, &id, &who.email)?, event).ok_or_else(Refused::not_found)?;
            if asked.header("if-none-match") == found["etag"].as_str() {
                return Ok(Reply::status(304, Value::Null));
            }
            return Ok(answered(found));
        }
        writable(world, &id, &who.email)?;
        let expected = asked.header("if-match").filter(|tag| *tag != "*");
        match method {
            "PATCH" | "PUT" => change(world, &id, event, &asked.json()?, method == "PUT", expected).map(answered),
            "DELETE" => delete(world, &id, event, expected).map(|()| Reply::nothing()),
            _ => Err(Refused::not_found()),
        }
    })
}

fn check_send_updates(asked: &Asked) -> Result<(), Refused> {
    match asked.param("sendUpdates") {
        None | Some("all" | "externalOnly" | "none") => Ok(()),
        Some(other) => Err(Refused::new(
            400,
            "invalidParameter",
            format!("Invalid string value: '{other}'. Allowed values: [all, externalOnly, none]"),
        )
        .parameter("sendUpdates")),
    }
}

/// An event by its id; an instance of a recurring one is made up as it is asked for.
fn find(calendar: &Calendar, id: &str) -> Option<Value> {
    if let Some(event) = calendar.events.get(id) {
        return Some(shown(event));
    }
    let (master, _) = id.rsplit_once('_')?;
    unrolled(calendar, calendar.events.get(master)?, i64::MAX).into_iter().find(|instance| instance["id"] == id)
}

/// Checks what the caller may set, against the whole event as it would become.
fn check(resource: &Value, calendar: &Calendar) -> Result<(), Refused> {
    let zone = times::zone(&calendar.time_zone);
    let (start, end) = (times::when("start", &resource["start"], zone)?, times::when("end", &resource["end"], zone)?);
    if start.all_day != end.all_day {
        return Err(Refused::invalid("Invalid start or end time: both must be dates, or both times."));
    }
    if end.seconds < start.seconds || start.all_day && end.seconds == start.seconds {
        return Err(Refused::new(400, "timeRangeEmpty", "The specified time range is empty.").domain("calendar"));
    }
    let choice = |name: &str, allowed: &[&str]| match &resource[name] {
        Value::Null => Ok(()),
        Value::String(given) if allowed.contains(&given.as_str()) => Ok(()),
        given => Err(Refused::invalid(format!("Invalid value for: {given} is not a valid value")).parameter(name)),
    };
    choice("status", &["confirmed", "tentative", "cancelled"])?;
    choice("transparency", &["opaque", "transparent"])?;
    choice("visibility", &["default", "public", "private", "confidential"])?;
    for kind in ["private", "shared"] {
        let properties = resource["extendedProperties"][kind].as_object();
        if properties.is_some_and(|p| p.values().any(|v| !v.is_string())) {
            return Err(Refused::invalid("Invalid value for extendedProperties: values are strings."));
        }
    }
    for attendee in resource["attendees"].as_array().unwrap_or(&Vec::new()) {
        if !attendee["email"].as_str().is_some_and(|email| email.contains('@')) {
            return Err(Refused::invalid("Invalid attendee email."));
        }
    }
    let recurs = resource["recurrence"].as_array().is_some_and(|lines| !lines.is_empty());
    if recurs && !start.all_day && resource["start"]["timeZone"].as_str().is_none() {
        return Err(Refused::required("Missing time zone definition for start time."));
    }
    times::check_recurrence(resource, zone)
}

/// Base32hex in lower case, 5 to 1024 of them.
fn id_fits(id: &str) -> bool {
    (5..=1024).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'a'..=b'v' | b'0'..=b'9'))
}

/// Adds an event to a calendar, whoever does it.
pub(super) fn insert(world: &mut World, calendar: &str, email: &str, body: &Value) -> Result<Value, Refused> {
    let id = match &body["id"] {
        Value::Null => hex::encode(ids::random_text::<13>()).chars().filter(|c| *c <= 'v').take(26).collect(),
        Value::String(id) if id_fits(id) => id.clone(),
        _ => return Err(Refused::invalid("Invalid resource id value.")),
    };
    let Some(found) = world.calendars.get(calendar) else { return Err(Refused::not_found()) };
    if !body.is_object() {
        return Err(Refused::new(400, "parseError", "Parse Error"));
    }
    check(body, found)?;
    if found.events.contains_key(&id) {
        return Err(Refused::new(409, "duplicate", "The requested identifier already exists."));
    }
    let mut resource = body.clone();
    let now = times::stamp(now_ms());
    let link = URL_SAFE_NO_PAD.encode(format!("{id} {calendar}"));
    for (name, value) in [
        ("kind", json!("calendar#event")),
        ("id", json!(id)),
        ("htmlLink", json!(format!("https://www.google.com/calendar/event?eid={link}"))),
        ("created", json!(now)),
        ("updated", json!(now)),
        ("creator", json!({ "email": email, "self": email == calendar })),
        ("organizer", json!({ "email": calendar, "self": true })),
        ("iCalUID", json!(format!("{id}@google.com"))),
        ("sequence", json!(0)),
        ("eventType", json!("default")),
    ] {
        resource[name] = value;
    }
    for (name, usual) in [("status", json!("confirmed")), ("reminders", json!({ "useDefault": true }))] {
        if resource[name].is_null() {
            resource[name] = usual;
        }
    }
    Ok(put(world, calendar, &id, resource))
}

fn put(world: &mut World, calendar: &str, id: &str, resource: Value) -> Value {
    let version = world.changed(calendar);
    let event = Event { resource, version };
    let answer = shown(&event);
    if let Some(calendar) = world.calendars.get_mut(calendar) {
        calendar.events.insert(id.to_owned(), event);
    }
    answer
}

/// As JSON merge patch: null takes away, objects are merged, arrays replaced whole.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            if let Some(map) = into.as_object_mut() {
                map.remove(name);
            }
        } else {
            merge(&mut into[name.as_str()], value);
        }
    }
}

fn matches_tag(event: &Value, expected: Option<&str>) -> Result<(), Refused> {
    if expected.is_none_or(|tag| event["etag"] == tag) {
        return Ok(());
    }
    Err(Refused::new(412, "conditionNotMet", "Precondition Failed"))
}

/// Changes an event: `whole` replaces it (PUT), otherwise the fields given (PATCH).
pub(super) fn change(
    world: &mut World,
    calendar: &str,
    id: &str,
    body: &Value,
    whole: bool,
    expected: Option<&str>,
) -> Result<Value, Refused> {
    let found = world.calendars.get(calendar).ok_or_else(Refused::not_found)?;
    let old = find(found, id).ok_or_else(Refused::not_found)?;
    matches_tag(&old, expected)?;
    let mut resource = if whole { json!({}) } else { old.clone() };
    let mut patch = body.clone();
    if let Some(map) = patch.as_object_mut() {
        READ_ONLY.iter().for_each(|name| drop(map.remove(*name)));
    }
    // A time replaces the other form of time.
    for end in ["start", "end"] {
        for (given, other) in [("date", "dateTime"), ("dateTime", "date")] {
            if patch[end][given].is_string()
                && let Some(map) = resource[end].as_object_mut()
            {
                map.remove(other);
            }
        }
    }
    merge(&mut resource, &patch);
    for name in READ_ONLY.into_iter().chain(["recurringEventId", "originalStartTime", "eventType"]) {
        if !old[name].is_null() {
            resource[name] = old[name].clone();
        }
    }
    if resource["status"].is_null() {
        resource["status"] = "confirmed".into();
    }
    check(&resource, found)?;
    let moved = ["start", "end", "status"].iter().any(|name| resource[name] != old[name]);
    resource["sequence"] = (old["sequence"].as_u64().unwrap_or(0) + u64::from(moved)).into();
    resource["updated"] = times::stamp(now_ms()).into();
    Ok(put(world, calendar, id, resource))
}

/// Deletes an event; it keeps its id for ever.
pub(super) fn delete(world: &mut World, calendar: &str, id: &str, expected: Option<&str>) -> Result<(), Refused> {
    let found = world.calendars.get(calendar).ok_or_else(Refused::not_found)?;
    let mut resource = find(found, id).ok_or_else(Refused::not_found)?;
    if resource["status"] == "cancelled" {
        return Err(deleted());
    }
    matches_tag(&resource, expected)?;
    resource["status"] = "cancelled".into();
    resource["updated"] = times::stamp(now_ms()).into();
    put(world, calendar, id, resource);
    Ok(())
}

fn unrolled(calendar: &Calendar, master: &Event, to: i64) -> Vec<Value> {
    let to = if to == i64::MAX { now_ms() / 1000 + HORIZON } else { to };
    let base = shown(master);
    let id = base["id"].as_str().unwrap_or_default().to_owned();
    times::instances(&base, times::zone(&calendar.time_zone), to)
        .into_iter()
        .map(|(start, end, suffix)| {
            let mut instance = base.clone();
            if let Some(map) = instance.as_object_mut() {
                map.remove("recurrence");
            }
            instance["id"] = format!("{id}_{suffix}").into();
            instance["recurringEventId"] = id.clone().into();
            instance["originalStartTime"] = start.clone();
            instance["start"] = start;
            instance["end"] = end;
            instance
        })
        .filter(|instance| instance["id"].as_str().is_some_and(|id| !calendar.events.contains_key(id)))
        .collect()
}

/// Events changed after `since`, recurring ones unrolled if asked.
fn changed_since(calendar: &Calendar, since: u64, single: bool, to: i64) -> Vec<Value> {
    let mut found = Vec::new();
    for event in calendar.events.values().filter(|event| event.version > since) {
        if single && event.resource["recurrence"].is_array() {
            found.extend(unrolled(calendar, event, to));
        } else {
            found.push(shown(event));
        }
    }
    found
}

/// What blocks time between two moments, merged and cut to them, Unix seconds.
pub(super) fn busy(calendar: &Calendar, from: i64, to: i64) -> Vec<(i64, i64)> {
    let zone = times::zone(&calendar.time_zone);
    let mut spans: Vec<(i64, i64)> = changed_since(calendar, 0, true, to)
        .iter()
        .filter(|event| event["status"] != "cancelled" && event["transparency"] != "transparent")
        .map(|event| times::span(event, zone))
        .filter(|(start, end)| *start < to && *end > from && end > start)
        .map(|(start, end)| (start.max(from), end.min(to)))
        .collect();
    spans.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn flag(asked: &Asked, name: &str) -> Result<Option<bool>, Refused> {
    match asked.param(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refused::new(400, "invalidParameter", "Invalid boolean value.").parameter(name)),
    }
}

fn has_property(event: &Value, kind: &str, wanted: &str) -> bool {
    wanted.split_once('=').is_some_and(|(key, value)| event["extendedProperties"][kind][key] == value)
}

fn list(calendar: &Calendar, asked: &Asked, email: &str) -> Result<Reply, Refused> {
    let bad = |name: &str, why: &str| Refused::new(400, "badRequest", why).parameter(name);
    let single = flag(asked, "singleEvents")?;
    let show_deleted = flag(asked, "showDeleted")?;
    let sync = asked.param("syncToken");
    if sync.is_some() {
        if let Some(name) = NOT_WITH_SYNC.iter().find(|name| asked.param(name).is_some()) {
            return Err(bad(name, "Sync token cannot be used with other query restrictions."));
        }
        if show_deleted == Some(false) {
            return Err(bad("showDeleted", "It is not allowed to hide deleted events when a sync token is used."));
        }
    }
    let sync = match sync {
        None => None,
        Some(text) => {
            let token = Token::read(text).filter(|t| t.sync && t.calendar == calendar.id);
            let token = token.ok_or_else(|| Refused::invalid("Invalid sync token value.").parameter("syncToken"))?;
            if token.version < calendar.sync_floor || token.version > calendar.version {
                return Err(Refused::new(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
                    .domain("calendar")
                    .parameter("syncToken"));
            }
            Some(token)
        }
    };
    let single = single.or(sync.as_ref().map(|t| t.single)).unwrap_or(false);
    let bound = |name: &str| asked.param(name).map(|text| times::bound(name, text)).transpose();
    let (from, to, updated_min) = (bound("timeMin")?, bound("timeMax")?, bound("updatedMin")?);
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        return Err(Refused::new(400, "timeRangeEmpty", "The specified time range is empty.").domain("calendar").parameter("timeMax"));
    }
    let by_start = match asked.param("orderBy") {
        None | Some("updated") => false,
        Some("startTime") if single => true,
        Some("startTime") => return Err(bad("orderBy", "The requested ordering is not available for the particular query.")),
        Some(_) => return Err(bad("orderBy", "Bad Request")),
    };
    let most = match asked.param("maxResults") {
        None => 250,
        Some(text) => text.parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(|| bad("maxResults", "Bad Request"))?.min(2500),
    };
    let page = match asked.param("pageToken") {
        None => None,
        Some(text) => {
            let token = Token::read(text).filter(|t| !t.sync && t.calendar == calendar.id);
            Some(token.ok_or_else(|| Refused::invalid("Invalid page token value.").parameter("pageToken"))?)
        }
    };

    let zone = times::zone(&calendar.time_zone);
    let since = sync.as_ref().map(|t| t.version).or(page.as_ref().and_then(|p| p.since));
    let mut events = changed_since(calendar, since.unwrap_or(0), single, to.unwrap_or(i64::MAX));
    let text = asked.param("q").map(str::to_lowercase);
    events.retain(|event| {
        let (start, end) = times::span(event, zone);
        (since.is_some() || show_deleted == Some(true) || event["status"] != "cancelled")
            && (event["recurrence"].is_array() || from.is_none_or(|from| end > from))
            && to.is_none_or(|to| start < to)
            && updated_min.is_none_or(|min| event["updated"].as_str().and_then(|u| times::bound("", u).ok()) >= Some(min))
            && asked.param("iCalUID").is_none_or(|uid| event["iCalUID"] == uid)
            && text.as_deref().is_none_or(|q| {
                ["summary", "description", "location"].iter().any(|f| event[f].as_str().is_some_and(|t| t.to_lowercase().contains(q)))
            })
            && asked.query.iter().all(|(key, value)| match key.as_str() {
                "privateExtendedProperty" => has_property(event, "private", value),
                "sharedExtendedProperty" => has_property(event, "shared", value),
                _ => true,
            })
    });
    if by_start {
        events.sort_by_key(|event| times::span(event, zone).0);
    } else {
        events.sort_by_key(|event| event["updated"].as_str().unwrap_or_default().to_owned());
    }
    let skip = page.as_ref().map_or(0, |p| p.skip);
    let total = events.len();
    let items: Vec<Value> = events.into_iter().skip(skip).take(most).collect();
    // What changes while pages are read is told by the sync token: it holds the change the first page began from.
    let version = page.as_ref().map_or(calendar.version, |p| p.version);
    let token = |sync, skip| Token { calendar: calendar.id.clone(), version, single, skip, since: if sync { None } else { since }, sync };
    let mut body = json!({
        "kind": "calendar#events",
        "etag": etag(calendar.version),
        "summary": calendar.summary,
        "updated": times::stamp(now_ms()),
        "timeZone": calendar.time_zone,
        "accessRole": calendar.roles.get(email),
        "defaultReminders": [{ "method": "popup", "minutes": 30 }],
        "items": items,
    });
    // Searched or ordered lists are none that could be continued.
    let continues = ["q", "orderBy", "iCalUID", "privateExtendedProperty", "sharedExtendedProperty", "updatedMin"]
        .iter()
        .all(|n| asked.param(n).is_none());
    if skip + most < total {
        body["nextPageToken"] = token(false, skip + most).write().into();
    } else if continues {
        body["nextSyncToken"] = token(true, 0).write().into();
    }
    Ok(Reply::json(body))
}
