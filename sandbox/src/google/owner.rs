//! The calendar's owner at their own page, and what the control API does to Google.

use std::sync::Arc;

use axum::extract::{Path, Query, State as AxumState};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{Calendar, Spreadsheet, Tab, User};
use super::{events, reply::Refused, watch};
use crate::state::State;

type Shared = AxumState<Arc<State>>;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/calendar", get(|| async { Html(include_str!("../../phone/calendar.html")) }))
        .route(
            "/calendar.js",
            get(|| async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../../phone/calendar.js")) }),
        )
        .route("/control/google/accounts", get(accounts).put(add_account))
        .route("/control/google/redirect_uris", put(redirect_uris))
        .route("/control/google/revoke", post(revoke))
        .route("/control/google/expire_access", post(expire_access))
        .route("/control/google/expire_sync", post(expire_sync))
        .route("/control/google/calendars", get(calendars).put(set_calendar))
        .route("/control/google/calendars/{id}/events", get(list).post(add))
        .route("/control/google/calendars/{id}/events/{event}", patch(change).delete(remove))
        .route("/control/google/sheets", get(sheets).post(add_sheet))
        .route("/control/google/calls", get(calls))
        .route("/control/google/pushes", get(pushes))
}

fn ok() -> Response {
    Json(json!({ "ok": true })).into_response()
}

fn mistake(why: &str) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": why }))).into_response()
}

fn done(state: &Arc<State>, result: Result<Value, Refused>) -> Response {
    watch::deliver_pending(state);
    match result {
        Ok(value) => Json(value).into_response(),
        Err(refused) => refused.reply("calendar").into_response(),
    }
}

async fn accounts(AxumState(state): Shared) -> Json<Value> {
    Json(state.google.with(|world| {
        let view = |user: &User| {
            let grants: Vec<&super::world::Grant> = world.grants.iter().filter(|g| g.email == user.email && !g.revoked).collect();
            json!({
                "email": user.email,
                "time_zone": user.time_zone,
                "connected": !grants.is_empty(),
                "scopes": world.granted(&user.email),
                "channels": world.channels.iter().filter(|c| c.email == user.email).map(|c| &c.id).collect::<Vec<_>>(),
            })
        };
        json!({ "items": world.users.iter().map(view).collect::<Vec<_>>() })
    }))
}

async fn add_account(AxumState(state): Shared, Json(user): Json<User>) -> Response {
    if user.time_zone.parse::<chrono_tz::Tz>().is_err() || !user.email.contains('@') {
        return mistake("an account has an email and a time_zone of the IANA list");
    }
    state.google.with(|world| world.add_user(user));
    ok()
}

async fn redirect_uris(AxumState(state): Shared, Json(uris): Json<Vec<String>>) -> Response {
    state.google_redirect_uris(uris);
    ok()
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Which {
    account: Option<String>,
    calendar: Option<String>,
}

async fn revoke(AxumState(state): Shared, Query(which): Query<Which>) -> Response {
    let Some(account) = which.account else { return mistake("whose? say ?account=") };
    state.google_revoke(&account);
    ok()
}

async fn expire_access(AxumState(state): Shared, Query(which): Query<Which>) -> Response {
    state.google.with(|world| world.expire_access(which.account.as_deref()));
    ok()
}

async fn expire_sync(AxumState(state): Shared, Query(which): Query<Which>) -> Response {
    state.google_expire_sync(which.calendar.as_deref());
    ok()
}

fn view(calendar: &Calendar) -> Value {
    json!({
        "id": calendar.id,
        "summary": calendar.summary,
        "time_zone": calendar.time_zone,
        "roles": calendar.roles,
        "events": calendar.events.len(),
        "unreadable": calendar.unreadable,
    })
}

async fn calendars(AxumState(state): Shared) -> Json<Value> {
    Json(state.google.with(|world| json!({ "items": world.calendars.values().map(view).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    id: String,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    /// Who may do what, instead of what was.
    #[serde(default)]
    roles: Option<std::collections::BTreeMap<String, String>>,
    /// The reason free/busy gives; left out, it answers.
    #[serde(default)]
    unreadable: Option<String>,
}

async fn set_calendar(AxumState(state): Shared, Json(set): Json<Set>) -> Response {
    state.google.with(|world| {
        let calendar = world.calendars.entry(set.id.clone()).or_insert_with(|| {
            let mut new = Calendar::new(&set.id, &set.id, "UTC", "");
            new.roles.clear();
            new
        });
        calendar.unreadable = set.unreadable;
        if let Some(summary) = set.summary {
            calendar.summary = summary;
        }
        if let Some(zone) = set.time_zone {
            calendar.time_zone = zone;
        }
        if let Some(roles) = set.roles {
            calendar.roles = roles;
        }
    });
    ok()
}

async fn list(AxumState(state): Shared, Path(id): Path<String>) -> Response {
    let found = state.google_events(&id);
    match found {
        Some(items) => Json(json!({ "items": items })).into_response(),
        None => mistake("no such calendar"),
    }
}

async fn add(AxumState(state): Shared, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let made = state.google.with(|world| events::insert(world, &id, &id, &body));
    done(&state, made)
}

async fn change(AxumState(state): Shared, Path((id, event)): Path<(String, String)>, Json(body): Json<Value>) -> Response {
    let changed = state.google.with(|world| events::change(world, &id, &event, &body, false, None));
    done(&state, changed)
}

async fn remove(AxumState(state): Shared, Path((id, event)): Path<(String, String)>) -> Response {
    let removed = state.google.with(|world| events::delete(world, &id, &event, None));
    done(&state, removed.map(|()| json!({ "ok": true })))
}

async fn sheets(AxumState(state): Shared) -> Json<Value> {
    Json(state.google.with(|world| {
        let view = |(id, sheet): (&String, &Spreadsheet)| {
            let tabs: Vec<Value> = sheet.tabs.iter().map(|t| json!({ "title": t.title, "rows": t.rows })).collect();
            json!({ "id": id, "owner": sheet.owner, "title": sheet.title, "of_the_app": sheet.of_the_app, "tabs": tabs })
        };
        json!({ "items": world.sheets.iter().map(view).collect::<Vec<_>>() })
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSheet {
    id: String,
    owner: String,
    tabs: Vec<String>,
    /// The user picked it for the app, so that `drive.file` reaches it.
    #[serde(default)]
    picked: bool,
}

async fn add_sheet(AxumState(state): Shared, Json(new): Json<NewSheet>) -> Response {
    let tabs = new.tabs.into_iter().zip(0..).map(|(title, id)| Tab { id, title, rows: Vec::new() }).collect();
    let sheet = Spreadsheet { owner: new.owner, title: new.id.clone(), of_the_app: new.picked, tabs };
    state.google.with(|world| world.sheets.insert(new.id, sheet));
    ok()
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct After {
    after: u64,
}

async fn calls(AxumState(state): Shared, Query(wanted): Query<After>) -> Json<Value> {
    let items = state.google.calls.list(wanted.after, 1_000, |_| true);
    Json(json!({ "items": items, "last": state.google.calls.last_seq() }))
}

async fn pushes(AxumState(state): Shared, Query(wanted): Query<After>) -> Json<Value> {
    let items = state.google.pushes.list(wanted.after, 1_000, |_| true);
    Json(json!({ "items": items, "last": state.google.pushes.last_seq() }))
}

/// What tests use.
impl State {
    /// The redirect addresses the OAuth client has; none means any on this machine or with TLS.
    pub fn google_redirect_uris(&self, uris: Vec<String>) {
        self.google.with(|world| world.redirect_uris = uris);
    }

    /// The owner of this account takes away what they granted: refresh gives `invalid_grant`.
    pub fn google_revoke(&self, account: &str) {
        self.google.with(|world| {
            world.revoke(account);
        });
    }

    /// Sync tokens of this calendar (of all, without one) are no longer valid.
    pub fn google_expire_sync(&self, calendar: Option<&str>) {
        self.google.with(|world| {
            for found in world.calendars.values_mut().filter(|c| calendar.is_none_or(|id| id == c.id)) {
                // Tokens given out from now on hold a newer change.
                found.version += 1;
                found.sync_floor = found.version;
            }
        });
    }

    /// Events of a calendar, cancelled ones too.
    pub fn google_events(&self, calendar: &str) -> Option<Vec<Value>> {
        self.google.with(|world| world.calendars.get(calendar).map(|c| c.events.values().map(events::shown).collect()))
    }

    /// Calls to Google, oldest first.
    pub fn google_calls(&self) -> Vec<crate::records::GoogleCall> {
        self.google.calls.list(0, usize::MAX, |_| true)
    }
}
