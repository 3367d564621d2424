//! Stripe (PROVIDERS 9): checkout, portal, subscriptions with a clock that can be moved, and signed webhooks. All of it under `/stripe`.

mod api;
mod billing;
mod checkout;
mod control;
mod engine;
mod events;
pub(crate) mod face;
mod form;
mod pages;
mod plans;
mod refunds;
mod render;
mod reply;
mod schedules;
mod subscriptions;
mod times;
pub(crate) mod webhooks;
pub(crate) mod world;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as AxumState};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::clock::now_ms;
use crate::config::SandboxConfig;
use crate::faults::StripeFailure;
use crate::log::Log;
use crate::meta::webhooks::random_up_to;
use crate::model;
use crate::records::{StripeCall, StripeDelivery};
use crate::state::State;
use form::Form;
use reply::Refused;
use world::{Done, Event, Settings, World};

/// Most calls kept.
const MAX_CALLS: usize = 50_000;
/// Most delivery attempts kept.
const MAX_DELIVERIES: usize = 50_000;
/// Most events waiting for their first attempt; more are recorded as lost.
const MAX_WAITING: usize = 50_000;
/// Largest request, bytes.
const MAX_BODY: usize = 1 << 20;
/// Longest idempotency key.
const MAX_KEY: usize = 255;
/// Idempotency keys are forgotten after this long, seconds.
const KEY_S: i64 = 86_400;
/// Most idempotency keys remembered.
const MAX_KEYS: usize = 50_000;
/// How often it is looked whether something has become due.
const TICK: Duration = Duration::from_millis(500);
/// The account's version: of answers, when a call names none.
pub(crate) const NEW_VERSION: &str = "2026-10-28.endive";

/// Stripe's side: what it has on record, and what was asked of it and told by it.
pub(crate) struct Stripe {
    world: Mutex<World>,
    pub(crate) calls: Log<StripeCall>,
    pub(crate) deliveries: Log<StripeDelivery>,
    queue: mpsc::Sender<Event>,
    waiting: Mutex<Option<mpsc::Receiver<Event>>>,
}

fn settings(config: &SandboxConfig, base: String) -> Settings {
    Settings {
        api_version: config.stripe_api_version.clone(),
        end_of_retries: config.stripe_end_of_retries,
        draft_s: config.stripe_draft_s,
        webhook_secrets: config.stripe_webhook_secrets.clone(),
        webhook_url: config.stripe_webhook_url.clone(),
        base,
    }
}

impl Stripe {
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        Self {
            world: Mutex::new(World::new(settings(config, String::new()), now_ms() / 1000)),
            calls: Log::new(MAX_CALLS),
            deliveries: Log::new(MAX_DELIVERIES),
            queue,
            waiting: Mutex::new(Some(waiting)),
        }
    }

    /// As at the start, but for where webhooks go.
    pub(crate) fn clear(&self, config: &SandboxConfig, now: i64) {
        self.with(|world| {
            let mut settings = settings(config, world.settings.base.clone());
            settings.webhook_url = world.settings.webhook_url.take();
            *world = World::new(settings, now);
        });
        self.calls.clear();
        self.deliveries.clear();
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        f(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does what is due until the sandbox stops, and sends the events.
pub(crate) fn start(state: &Arc<State>) {
    state.stripe.with(|world| world.settings.base = state.base_url().to_owned());
    let waiting = state.stripe.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(waiting) = waiting {
        state.spawn(webhooks::dispatch(state.clone(), waiting));
    }
    let shared = state.clone();
    state.spawn(async move {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            catch_up(&shared, |_| ());
        }
    });
}

/// Brings the account up to the present, does `work` there, and sends the events of both on their way.
pub(crate) fn catch_up<T>(state: &Arc<State>, work: impl FnOnce(&mut World) -> T) -> T {
    let out = state.stripe.with(|world| {
        world.run(state.wire_ms() / 1000);
        work(world)
    });
    webhooks::flush(state);
    out
}

/// `/stripe/…` and `/control/stripe/…`
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new().route("/stripe/v1/{*path}", any(serve)).merge(pages::routes()).merge(control::routes())
}

/// A call that is being worked on under an idempotency key; its end frees the key.
struct Running {
    state: Arc<State>,
    key: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.state.stripe.with(|world| world.running.remove(&self.key));
    }
}

fn authorize(state: &State, headers: &HeaderMap) -> Result<(), Refused> {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (scheme, rest) = given.split_once(' ').unwrap_or((given, ""));
    let key = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => rest.trim().to_owned(),
        "basic" => {
            let decoded = STANDARD.decode(rest.trim()).ok().and_then(|b| String::from_utf8(b).ok()).unwrap_or_default();
            decoded.split_once(':').map_or(decoded.as_str(), |(user, _)| user).to_owned()
        }
        _ => return Err(Refused::no_key()),
    };
    if key.is_empty() {
        return Err(Refused::no_key());
    }
    if model::key_fits(std::slice::from_ref(&state.config.stripe_secret_key), &key) { Ok(()) } else { Err(Refused::wrong_key(&key)) }
}

fn version_of(headers: &HeaderMap) -> Result<String, Refused> {
    let Some(given) = headers.get("stripe-version") else { return Ok(NEW_VERSION.to_owned()) };
    let given = given.to_str().unwrap_or_default();
    let date = given.get(..10).unwrap_or_default();
    if chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok() {
        return Ok(given.to_owned());
    }
    Err(Refused::invalid(format!("Invalid Stripe API version: {given}")))
}

/// What a call comes to.
struct Outcome {
    status: u16,
    body: Value,
    reason: Option<String>,
    replayed: bool,
}

impl Outcome {
    fn of(answer: Result<Value, Refused>) -> Self {
        match answer {
            Ok(body) => Self { status: 200, body, reason: None, replayed: false },
            Err(refused) => Self { status: refused.status, body: refused.body(), reason: Some(refused.reason()), replayed: false },
        }
    }
}

async fn serve(AxumState(state): AxumState<Arc<State>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let method = head.method.as_str().to_owned();
    let path = head.uri.path().trim_start_matches("/stripe/").to_owned();
    let mut text = head.uri.query().unwrap_or_default().as_bytes().to_vec();
    if !body.is_empty() {
        text.push(b'&');
        text.extend_from_slice(&body);
    }
    let form = Form::parse(&text);
    let key = head.headers.get("idempotency-key").and_then(|v| v.to_str().ok()).filter(|_| method == "POST").map(str::to_owned);
    let seq = state.stripe.calls.push(StripeCall {
        seq: 0,
        received_at_ms: now_ms(),
        method: method.clone(),
        path: format!("/{path}"),
        form: form.pairs(),
        idempotency_key: key.clone(),
        version: head.headers.get("stripe-version").and_then(|v| v.to_str().ok()).map(str::to_owned),
        status: None,
        reason: None,
        replayed: false,
        answered: false,
    });
    let faults = state.faults.stripe(&path);
    let slow = faults.latency_ms + random_up_to(faults.jitter_ms);
    let asked = Asked { method, path, form, key, headers: head.headers };
    // The key is taken before the wait, so that a second call in between finds it taken.
    let running = asked.enter(&state);
    if slow > 0 {
        sleep(Duration::from_millis(slow)).await;
    }
    match &faults.failure {
        Some(StripeFailure::Hang) => return model::hang().await,
        Some(StripeFailure::Cut) => return model::cut_short("{\"id\":".to_owned()),
        _ => {}
    }
    let id = format!("req_{}", crate::ids::random_text::<10>());
    let outcome = match running {
        Ok(running) => {
            let outcome = asked.work(&state, &id, faults.failure.as_ref());
            drop(running);
            outcome
        }
        Err(refused) => Outcome::of(Err(refused)),
    };
    let withheld = matches!(faults.failure, Some(StripeFailure::HangAfterWork | StripeFailure::CutAfterWork));
    state.stripe.calls.update(seq, |call| {
        call.status = Some(outcome.status);
        call.reason = outcome.reason.clone();
        call.replayed = outcome.replayed;
        call.answered = !withheld;
    });
    match faults.failure {
        Some(StripeFailure::HangAfterWork) => model::hang().await,
        Some(StripeFailure::CutAfterWork) => model::cut_short(outcome.body.to_string()),
        _ => asked.answer(outcome, &id),
    }
}

/// A request, taken apart.
struct Asked {
    method: String,
    path: String,
    form: Form,
    key: Option<String>,
    headers: HeaderMap,
}

impl Asked {
    /// What must be the same for a key to be used again.
    fn asked(&self) -> String {
        let mut pairs = self.form.pairs();
        pairs.sort();
        format!("{} {} {pairs:?}", self.method, self.path)
    }

    fn enter(&self, state: &Arc<State>) -> Result<Option<Running>, Refused> {
        let Some(key) = &self.key else { return Ok(None) };
        if key.len() > MAX_KEY {
            return Err(Refused::invalid("Idempotency keys are at most 255 characters long.").code("idempotency_key_too_long"));
        }
        if !state.stripe.with(|world| world.running.insert(key.clone())) {
            return Err(Refused::still_running(key));
        }
        Ok(Some(Running { state: state.clone(), key: key.clone() }))
    }

    fn work(&self, state: &Arc<State>, id: &str, fault: Option<&StripeFailure>) -> Outcome {
        let version = match authorize(state, &self.headers).and_then(|()| version_of(&self.headers)) {
            Ok(version) => version,
            Err(refused) => return Outcome::of(Err(refused)),
        };
        let asked = self.asked();
        catch_up(state, |world| {
            if let Some(key) = &self.key {
                let now = world.now;
                world.done.retain(|_, done| now - done.at < KEY_S);
                match world.done.get(key) {
                    Some(done) if done.asked != asked => return Outcome::of(Err(Refused::other_parameters(key))),
                    Some(done) => return Outcome { status: done.status, body: done.body.clone(), reason: None, replayed: true },
                    None => {}
                }
            }
            let answer = match fault.and_then(Refused::by_fault) {
                Some(refused) => Err(refused),
                None => {
                    world.request = Some((id.to_owned(), self.key.clone()));
                    let parts: Vec<&str> = self.path.trim_start_matches("v1/").trim_end_matches('/').split('/').collect();
                    let call = api::Call { method: &self.method, path: &parts, form: &self.form, version: &version };
                    let answer = api::perform(world, &call);
                    world.request = None;
                    answer
                }
            };
            // What failed validation is not kept: the call may be made again, put right.
            let kept = answer.as_ref().err().is_none_or(|refused| refused.kept);
            let outcome = Outcome::of(answer);
            if let Some(key) = self.key.as_ref().filter(|_| kept && world.done.len() < MAX_KEYS) {
                let done = Done { asked, status: outcome.status, body: outcome.body.clone(), at: world.now };
                world.done.insert(key.clone(), done);
            }
            outcome
        })
    }

    fn answer(&self, outcome: Outcome, id: &str) -> Response {
        let status = StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], outcome.body.to_string()).into_response();
        let headers = response.headers_mut();
        let version = version_of(&self.headers).unwrap_or_else(|_| NEW_VERSION.to_owned());
        let more = [
            ("request-id", Some(id.to_owned())),
            ("stripe-version", Some(version)),
            ("idempotency-key", self.key.clone()),
            ("idempotent-replayed", outcome.replayed.then(|| "true".to_owned())),
            ("stripe-should-retry", (outcome.status == 409).then(|| "true".to_owned())),
        ];
        for (name, value) in more {
            if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
