//! Google: OAuth (PROVIDERS 6), Calendar v3 (7) and Sheets v4 (8). All of it under `/google`, so one base serves every Google setting.

mod calendars;
mod events;
mod oauth;
pub(crate) mod owner;
mod reply;
mod sheets;
mod times;
mod watch;
pub(crate) mod world;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as AxumState};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::now_ms;
use crate::faults::GoogleFailure;
use crate::log::Log;
use crate::meta::webhooks::random_up_to;
use crate::model;
use crate::records::{GoogleCall, GooglePush};
use crate::state::State;
use reply::{Refused, Reply};
use world::World;

/// Most calls kept.
const MAX_CALLS: usize = 50_000;
/// Most notifications kept.
const MAX_PUSHES: usize = 20_000;
/// Largest request, bytes.
const MAX_BODY: usize = 8 << 20;

/// Google's side: what people own there, who may touch it, and what was asked.
pub(crate) struct Google {
    world: Mutex<World>,
    pub(crate) calls: Log<GoogleCall>,
    pub(crate) pushes: Log<GooglePush>,
}

impl Google {
    pub(crate) fn new(users: &[world::User]) -> Self {
        Self { world: Mutex::new(World::new(users)), calls: Log::new(MAX_CALLS), pushes: Log::new(MAX_PUSHES) }
    }

    /// As at the start: the accounts of the settings, nothing granted, no calls.
    pub(crate) fn clear(&self, users: &[world::User]) {
        self.with(|world| *world = World::new(users));
        self.calls.clear();
        self.pushes.clear();
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        f(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `/google/…`, and the page on which a calendar's owner looks after it.
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new().route("/google/{*path}", any(serve)).layer(DefaultBodyLimit::max(MAX_BODY)).merge(owner::routes())
}

/// A request, taken apart.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// Decoded parts of the path below `/google`.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The form in the body.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The JSON in the body; an empty body is an empty object.
    pub(crate) fn json(&self) -> Result<Value, Refused> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&self.body).map_err(|_| Refused::new(400, "parseError", "Parse Error"))
    }
}

/// Undoes percent-encoding; in a path, `+` is a plus.
fn decoded(part: &str) -> String {
    let kept = format!("x={}", part.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(kept.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

async fn serve(AxumState(state): AxumState<Arc<State>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = head.uri.path().trim_start_matches("/google/").split('/').map(decoded).collect();
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let asked = Asked { method: head.method, path, query, headers: head.headers, body: body.to_vec() };
    let service = service_of(&asked.path);
    let seq = state.google.calls.push(GoogleCall {
        seq: 0,
        received_at_ms: now_ms(),
        service: service.to_owned(),
        method: asked.method.to_string(),
        path: asked.path.join("/"),
        query: asked.query.iter().map(|(key, value)| (key.clone(), hidden(key, value))).collect(),
        account: asked.header("authorization").and_then(|token| state.google.with(|world| world.account_of(token))),
        body: recorded_body(service, &asked),
        status: None,
        reason: None,
        answered: false,
    });

    let faults = state.faults.google(service);
    let wait = faults.latency_ms + random_up_to(faults.jitter_ms);
    if wait > 0 {
        sleep(Duration::from_millis(wait)).await;
    }
    let before = match &faults.failure {
        Some(GoogleFailure::Hang) => return model::hang().await,
        Some(GoogleFailure::Cut) => return model::cut_short("{\"kind\":".to_owned()),
        Some(failure) => Refused::by_fault(failure),
        None => None,
    };
    let answer = match before {
        Some(refused) => Err(refused),
        None => dispatch(&state, service, &asked),
    };
    let (reply, reason) = match answer {
        Ok(reply) => (reply, None),
        Err(refused) => {
            let reason = refused.reason.clone();
            (refused.reply(service), Some(reason))
        }
    };
    let withheld = matches!(faults.failure, Some(GoogleFailure::HangAfterWork | GoogleFailure::CutAfterWork));
    state.google.calls.update(seq, |call| {
        call.status = Some(reply.status);
        call.reason = reason;
        call.answered = !withheld;
    });
    match faults.failure {
        Some(GoogleFailure::HangAfterWork) => model::hang().await,
        Some(GoogleFailure::CutAfterWork) => model::cut_short(reply.text()),
        _ => reply.into_response(),
    }
}

/// `oauth`, `token`, `calendar` or `sheets`: faults are set for one of them.
fn service_of(path: &[String]) -> &'static str {
    match path.first().map(String::as_str) {
        Some("calendar") => "calendar",
        Some("v4") => "sheets",
        Some("token" | "revoke") => "token",
        _ => "oauth",
    }
}

fn hidden(key: &str, value: &str) -> String {
    let secret = matches!(key, "client_secret" | "code" | "refresh_token" | "token" | "code_verifier");
    if secret { "…".to_owned() } else { value.to_owned() }
}

fn recorded_body(service: &str, asked: &Asked) -> Value {
    match service {
        "oauth" | "token" => asked.form().iter().map(|(key, value)| (key.clone(), Value::from(hidden(key, value)))).collect(),
        _ => serde_json::from_slice(&asked.body).unwrap_or(Value::Null),
    }
}

fn dispatch(state: &Arc<State>, service: &str, asked: &Asked) -> Result<Reply, Refused> {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match (service, path.as_slice()) {
        ("oauth", ["o", "oauth2", "v2", "auth"]) => Ok(oauth::authorize(state, asked)),
        ("token", ["token"]) if asked.method == Method::POST => Ok(oauth::token(state, asked)),
        ("token", ["revoke"]) if asked.method == Method::POST => Ok(oauth::revoke(state, asked)),
        ("calendar", ["calendar", "v3", rest @ ..]) => {
            let reply = calendars::serve(state, asked, rest);
            watch::deliver_pending(state);
            reply
        }
        ("sheets", ["v4", "spreadsheets", rest @ ..]) => sheets::serve(state, asked, rest),
        _ => Err(Refused::new(404, "notFound", "Not Found")),
    }
}

/// The caller, once the token and its scopes have been looked at.
pub(crate) struct Caller {
    pub(crate) email: String,
    pub(crate) scopes: Vec<String>,
}

/// Who calls, if the token lives and holds one of these scopes (names after `https://www.googleapis.com/auth/`).
pub(crate) fn caller(state: &State, asked: &Asked, any_of: &[&str]) -> Result<Caller, Refused> {
    let Some(token) = asked.header(header::AUTHORIZATION.as_str()) else { return Err(Refused::login_required()) };
    let access = state.google.with(|world| world.access(token)).ok_or_else(Refused::invalid_credentials)?;
    let held = |wanted: &str| access.scopes.iter().any(|s| s.strip_prefix("https://www.googleapis.com/auth/") == Some(wanted));
    if !any_of.iter().any(|wanted| held(wanted)) {
        return Err(Refused::insufficient_scopes());
    }
    Ok(Caller { email: access.email, scopes: access.scopes })
}
