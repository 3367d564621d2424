//! Calendar v3 (PROVIDERS 7): calls as [`Ask`]s, and what comes back.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use frontdesk_core::availability::Interval;
use frontdesk_core::db::integrations::Calendar;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Ask, GoogleError, Host, read};

/// The private property of our events that holds their own id: a copy that somebody makes of one has it too, and another id.
const OWN: &str = "frontdesk_event";
/// Events per page: small ones, as only these fields are asked for.
const PAGE: &str = "250";
const FIELDS: &str =
    "nextPageToken,nextSyncToken,timeZone,items(id,etag,status,start,end,transparency,recurrence,extendedProperties/private)";

/// An appointment as it is to stand in a calendar.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its id there, ours.
    pub id: String,
    /// What one sees of it.
    pub summary: String,
    /// What one reads in it.
    pub description: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// The shop's zone.
    pub zone: Tz,
}

impl Draft {
    fn json(&self) -> Value {
        let at = |at: DateTime<Utc>| {
            let text = at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
            json!({"dateTime": text, "timeZone": self.zone.name()})
        };
        json!({
            "summary": self.summary, "description": self.description, "start": at(self.starts_at), "end": at(self.ends_at),
            "status": "confirmed", "extendedProperties": {"private": {OWN: self.id}},
        })
    }
}

fn events(method: Method, calendar: &str) -> Ask {
    Ask::new(method, Host::Calendar, &["calendar", "v3", "calendars", calendar, "events"])
}

fn event(method: Method, calendar: &str, id: &str) -> Ask {
    Ask::new(method, Host::Calendar, &["calendar", "v3", "calendars", calendar, "events", id])
}

/// Makes an event under an id of ours; 409 if it is there.
#[must_use]
pub fn insert(calendar: &str, draft: &Draft) -> Ask {
    let mut body = draft.json();
    body["id"] = draft.id.clone().into();
    body["reminders"] = json!({"useDefault": true});
    events(Method::POST, calendar).with("sendUpdates", "none").body(body)
}

/// Changes an event, if it still is the one of this etag; brings it back if it was deleted.
#[must_use]
pub fn patch(calendar: &str, draft: &Draft, etag: &str) -> Ask {
    let ask = event(Method::PATCH, calendar, &draft.id).with("sendUpdates", "none").body(draft.json());
    Ask { if_match: Some(etag.to_owned()), ..ask }
}

/// Deletes an event, whatever it is by now.
#[must_use]
pub fn delete(calendar: &str, id: &str) -> Ask {
    event(Method::DELETE, calendar, id).with("sendUpdates", "none")
}

/// Reads an event, deleted or not.
#[must_use]
pub fn get(calendar: &str, id: &str) -> Ask {
    event(Method::GET, calendar, id)
}

/// What changed since a sync token, deleted events too; without one, everything from a day on.
#[must_use]
pub fn changes(calendar: &str, sync_token: Option<&str>, page: Option<&str>, since: DateTime<Utc>) -> Ask {
    let ask = events(Method::GET, calendar).with("maxResults", PAGE).with("showDeleted", "true").with("fields", FIELDS);
    let ask = match sync_token {
        Some(token) => ask.with("syncToken", token),
        None => ask.with("timeMin", since.to_rfc3339_opts(SecondsFormat::Secs, true)),
    };
    paged(ask, page)
}

/// What stands within a stretch of time, each instance of what repeats.
#[must_use]
pub fn between(calendar: &str, within: Interval, page: Option<&str>) -> Ask {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let ask = events(Method::GET, calendar).with("maxResults", PAGE).with("singleEvents", "true").with("fields", FIELDS);
    paged(ask.with("timeMin", text(within.from)).with("timeMax", text(within.to)), page)
}

fn paged(ask: Ask, page: Option<&str>) -> Ask {
    match page {
        Some(page) => ask.with("pageToken", page),
        None => ask,
    }
}

/// Calendars into which one may write.
#[must_use]
pub fn calendars() -> Ask {
    let ask = Ask::new(Method::GET, Host::Calendar, &["calendar", "v3", "users", "me", "calendarList"]);
    ask.with("minAccessRole", "writer").with("maxResults", "250")
}

/// Has Google tell of changes.
#[must_use]
pub fn watch(calendar: &str, channel: &str, token: &SecretString, address: &str, lifetime: TimeDelta) -> Ask {
    let body = json!({
        "id": channel, "type": "web_hook", "address": address, "token": token.expose_secret(),
        "params": {"ttl": lifetime.num_seconds().to_string()},
    });
    let path = ["calendar", "v3", "calendars", calendar, "events", "watch"];
    Ask::new(Method::POST, Host::Calendar, &path).body(body)
}

/// Has Google tell no more.
#[must_use]
pub fn unwatch(channel: &str, resource: &str) -> Ask {
    Ask::new(Method::POST, Host::Calendar, &["calendar", "v3", "channels", "stop"]).body(json!({"id": channel, "resourceId": resource}))
}

/// An event as Google shows it. Of a deleted one only the id and the status are sure to be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its version.
    #[serde(default)]
    pub etag: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    start: When,
    #[serde(default)]
    end: When,
    #[serde(default)]
    transparency: Option<String>,
    #[serde(default)]
    recurrence: Option<Value>,
    #[serde(default)]
    extended_properties: Option<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct When {
    #[serde(default)]
    date_time: Option<DateTime<Utc>>,
    #[serde(default)]
    date: Option<NaiveDate>,
}

impl When {
    fn at(&self, zone: Tz) -> Option<DateTime<Utc>> {
        self.date_time.or_else(|| Some(frontdesk_core::availability::local::days(zone, self.date?, 1).0))
    }
}

impl Event {
    /// Whether it was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.status.as_deref() == Some("cancelled")
    }

    /// From when to when it lasts, if it has a time of day and happens once.
    #[must_use]
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.start.date_time.zip(self.end.date_time).filter(|_| self.recurrence.is_none())
    }

    /// Whether it is an appointment that we wrote, for this shop or another, and not somebody's copy of one.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.extended_properties.as_ref().is_some_and(|properties| properties["private"][OWN] == self.id.as_str())
    }

    /// When it takes somebody's time; whole days are days of the calendar's zone.
    ///
    /// # Errors
    /// When it says neither a time nor a day: what is not known is not free.
    pub fn busy(&self, zone: Tz) -> Result<Option<Interval>, GoogleError> {
        if self.is_deleted() || self.transparency.as_deref() == Some("transparent") {
            return Ok(None);
        }
        match (self.start.at(zone), self.end.at(zone)) {
            (Some(from), Some(to)) => Ok((from < to).then_some(Interval { from, to })),
            _ => Err(super::ClientError::Useless { provider: super::NAME, reason: "an event without a time" }.into()),
        }
    }
}

/// A page of events.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The events.
    pub items: Vec<Event>,
    /// Where the next page is.
    #[serde(default)]
    pub next_page_token: Option<String>,
    /// From where on the next look reads; on the last page alone.
    #[serde(default)]
    pub next_sync_token: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
}

impl Page {
    /// The calendar's zone; UTC if it says none that is known.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
    }
}

/// Reads a page. One without `items` is none: what is not known is not free.
///
/// # Errors
/// When it has not the form it should have.
pub fn read_page(body: &[u8]) -> Result<Page, GoogleError> {
    read(body)
}

/// Reads an event.
///
/// # Errors
/// When it has not the form it should have.
pub fn read_event(body: &[u8]) -> Result<Event, GoogleError> {
    read(body)
}

/// Reads the list of calendars, and the account's e-mail, which is the id of its own calendar.
///
/// # Errors
/// When it has not the form it should have.
pub fn read_calendars(body: &[u8]) -> Result<(String, Vec<Calendar>), GoogleError> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
        #[serde(default)]
        summary: String,
        #[serde(default)]
        primary: bool,
    }
    let list: List = read(body)?;
    let account = list.items.iter().find(|entry| entry.primary).map(|entry| entry.id.clone()).unwrap_or_default();
    let calendars = list.items.into_iter().map(|entry| Calendar {
        name: entry.summary.chars().take(200).collect(),
        id: entry.id,
        primary: entry.primary,
    });
    Ok((account, calendars.collect()))
}

/// A channel by which Google tells of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    /// What it watches, in Google's word.
    pub resource: String,
    /// When it ends.
    pub until: DateTime<Utc>,
}

/// Reads the answer to [`watch`]: `expiration` is Unix milliseconds, as a string.
///
/// # Errors
/// When it has not the form it should have.
pub fn read_watch(body: &[u8]) -> Result<Watching, GoogleError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        resource_id: String,
        expiration: Value,
    }
    let answer: Answer = read(body)?;
    let millis = answer.expiration.as_str().and_then(|text| text.parse().ok()).or_else(|| answer.expiration.as_i64());
    let until = millis.and_then(DateTime::from_timestamp_millis);
    until
        .map(|until| Watching { resource: answer.resource_id, until })
        .ok_or_else(|| super::ClientError::Useless { provider: super::NAME, reason: "a channel without an end" }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn draft() -> Draft {
        let (starts_at, ends_at) = (at("2026-11-28T14:00:00Z"), at("2026-11-28T14:45:00Z"));
        Draft {
            id: "fd0123".into(), summary: "Cut – Kim".into(), description: String::new(), starts_at, ends_at, zone: Tz::Europe__Paris
        }
    }

    #[test]
    fn an_event_is_written_with_offset_and_zone_and_knows_its_own_id() {
        let ask = insert("primary", &draft());
        let body = ask.body.unwrap();
        assert_eq!(body["start"], json!({"dateTime": "2026-11-28T15:00:00+01:00", "timeZone": "Europe/Paris"}));
        assert_eq!((&body["id"], &body["extendedProperties"]["private"][OWN]), (&json!("fd0123"), &json!("fd0123")));
        let patch = patch("primary", &draft(), "\"7\"");
        assert_eq!(patch.if_match.as_deref(), Some("\"7\""));
        assert!(patch.body.unwrap().get("id").is_none());
    }

    #[test]
    fn what_takes_time_is_told_from_what_does_not() {
        let page = json!({"timeZone": "Europe/Paris", "items": [
            {"id": "a", "status": "confirmed", "start": {"dateTime": "2026-11-28T10:00:00+01:00"}, "end": {"dateTime": "2026-11-28T11:00:00+01:00"}},
            {"id": "b", "status": "confirmed", "start": {"date": "2026-12-24"}, "end": {"date": "2026-12-26"}},
            {"id": "c", "status": "cancelled"},
            {"id": "d", "transparency": "transparent", "start": {"date": "2026-12-24"}, "end": {"date": "2026-12-26"}},
            {"id": "fd1", "start": {"dateTime": "2026-11-28T10:00:00Z"}, "end": {"dateTime": "2026-11-28T11:00:00Z"}, "extendedProperties": {"private": {OWN: "fd1"}}},
            {"id": "copy", "start": {"dateTime": "2026-11-28T10:00:00Z"}, "end": {"dateTime": "2026-11-28T11:00:00Z"}, "extendedProperties": {"private": {OWN: "fd1"}}},
        ]});
        let page = read_page(page.to_string().as_bytes()).unwrap();
        let busy: Vec<Option<Interval>> = page.items.iter().map(|event| event.busy(page.zone()).unwrap()).collect();
        assert_eq!(busy[0], Some(Interval { from: at("2026-11-28T09:00:00Z"), to: at("2026-11-28T10:00:00Z") }));
        assert_eq!(busy[1], Some(Interval { from: at("2026-12-23T23:00:00Z"), to: at("2026-12-25T23:00:00Z") }));
        assert!(busy[2].is_none() && busy[3].is_none() && busy[4].is_some() && busy[5].is_some());
        assert!(page.items[4].is_ours() && !page.items[5].is_ours(), "a copy of ours is somebody's own");
    }

    #[test]
    fn an_answer_without_events_is_no_free_day() {
        for body in [&b"{}"[..], b"", b"<html>", br#"{"error":{"code":500}}"#] {
            assert!(read_page(body).is_err());
        }
        let odd = read_page(br#"{"items":[{"id":"x","status":"confirmed"}]}"#).unwrap();
        assert!(odd.items[0].busy(Tz::UTC).is_err());
    }

    #[test]
    fn a_sync_token_excludes_a_first_day() {
        let since = at("2026-11-28T00:00:00Z");
        let asks = |ask: &Ask, name: &str| ask.query.iter().any(|(known, _)| *known == name);
        let (first, next) = (changes("c", None, None, since), changes("c", Some("t"), Some("p"), since));
        assert!(asks(&first, "timeMin") && !asks(&first, "syncToken"));
        assert!(asks(&next, "syncToken") && asks(&next, "pageToken") && !asks(&next, "timeMin"));
    }
}
