//! What the control API does to Stripe, and to the clock.

use std::sync::Arc;

use axum::extract::{Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{Card, EndOfRetries};
use crate::clock::now_ms;
use crate::state::State;

/// Records in one answer.
const MAX_LIST: usize = 1_000;

type Shared = AxumState<Arc<State>>;

/// A call that makes no sense: 422 with the reason.
struct Mistake(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Mistake {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Mistake {
    fn into_response(self) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": format!("{:#}", self.0) }))).into_response()
    }
}

type Answer = Result<Json<Value>, Mistake>;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/control/clock", get(clock).post(advance))
        .route("/control/stripe", get(overview))
        .route("/control/stripe/settings", put(settings))
        .route("/control/stripe/act", post(act))
        .route("/control/stripe/calls", get(calls))
        .route("/control/stripe/deliveries", get(deliveries))
        .route("/control/stripe/events", get(events))
}

fn shown_clock(state: &State) -> Json<Value> {
    let (now, real) = (state.wire_ms(), now_ms());
    Json(json!({ "now_ms": now, "real_ms": real, "ahead_seconds": (now - real) / 1000 }))
}

async fn clock(AxumState(state): Shared) -> Json<Value> {
    shown_clock(&state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

async fn advance(AxumState(state): Shared, Json(by): Json<Advance>) -> Json<Value> {
    state.advance_clock(by.advance_seconds);
    shown_clock(&state)
}

async fn overview(AxumState(state): Shared) -> Json<Value> {
    let desk = state.stripe();
    let customers: Vec<Value> =
        super::catch_up(&state, |world| world.customers.values().map(|c| world.customer_json(c)).take(MAX_LIST).collect());
    let (sessions, subscriptions) = (desk.sessions(), desk.subscriptions());
    Json(json!({ "customers": customers, "sessions": sessions, "subscriptions": subscriptions }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    api_version: Option<String>,
    end_of_retries: Option<EndOfRetries>,
    draft_s: Option<i64>,
    webhook_secrets: Option<Vec<String>>,
    webhook_url: Option<String>,
}

async fn settings(AxumState(state): Shared, Json(new): Json<Settings>) -> Answer {
    let desk = state.stripe();
    if let Some(url) = new.webhook_url {
        if !url.is_empty() {
            url::Url::parse(&url)?;
        }
        state.set_stripe_webhook_url(Some(url).filter(|u| !u.is_empty()));
    }
    if let Some(version) = new.api_version {
        desk.set_api_version(&version);
    }
    if let Some(end) = new.end_of_retries {
        desk.set_end_of_retries(end);
    }
    if let Some(seconds) = new.draft_s {
        desk.set_draft_s(seconds);
    }
    if let Some(secrets) = new.webhook_secrets {
        desk.set_webhook_secrets(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
    }
    Ok(Json(json!({ "ok": true })))
}

/// What somebody does: a customer at the checkout or portal, their bank, or the account's owner.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "act", deny_unknown_fields)]
enum Act {
    Pay { session: String, card: Card },
    SetCard { customer: String, card: Card },
    PayInvoice { invoice: String },
    ChangePlan { subscription: String, price: String },
    CancelAtPeriodEnd { subscription: String, ends: bool },
    CancelNow { subscription: String },
    Refund { of: String, amount: Option<i64> },
    Dispute { of: String },
    CloseDispute { dispute: String, won: bool },
    Resend { event: String },
}

async fn act(AxumState(state): Shared, Json(act): Json<Act>) -> Answer {
    let desk = state.stripe();
    let done = match act {
        Act::Pay { session, card } => match desk.pay(&session, card)? {
            super::face::Payment::Paid { redirect, customer, subscription, invoice } => {
                json!({ "paid": true, "redirect": redirect, "customer": customer, "subscription": subscription, "invoice": invoice })
            }
            super::face::Payment::Failed(code) => json!({ "paid": false, "code": code }),
        },
        Act::SetCard { customer, card } => json!({ "ok": desk.set_card(&customer, card).map(|()| true)? }),
        Act::PayInvoice { invoice } => json!({ "ok": desk.pay_invoice(&invoice).map(|()| true)? }),
        Act::ChangePlan { subscription, price } => json!({ "ok": desk.change_plan(&subscription, &price).map(|()| true)? }),
        Act::CancelAtPeriodEnd { subscription, ends } => {
            desk.cancel_at_period_end(&subscription, ends);
            json!({ "ok": true })
        }
        Act::CancelNow { subscription } => {
            desk.cancel_now(&subscription);
            json!({ "ok": true })
        }
        Act::Refund { of, amount } => json!({ "refund": desk.refund(&of, amount)? }),
        Act::Dispute { of } => json!({ "dispute": desk.dispute(&of)? }),
        Act::CloseDispute { dispute, won } => json!({ "ok": desk.close_dispute(&dispute, won).map(|()| true)? }),
        Act::Resend { event } => json!({ "ok": desk.resend(&event).map(|()| true)? }),
    };
    Ok(Json(done))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct After {
    after: u64,
}

async fn calls(AxumState(state): Shared, Query(wanted): Query<After>) -> Json<Value> {
    let items = state.stripe.calls.list(wanted.after, MAX_LIST, |_| true);
    Json(json!({ "items": items, "last": state.stripe.calls.last_seq() }))
}

async fn deliveries(AxumState(state): Shared, Query(wanted): Query<After>) -> Json<Value> {
    let items = state.stripe.deliveries.list(wanted.after, MAX_LIST, |_| true);
    Json(json!({ "items": items, "last": state.stripe.deliveries.last_seq() }))
}

async fn events(AxumState(state): Shared) -> Json<Value> {
    let mut items = state.stripe_events();
    items.drain(..items.len().saturating_sub(MAX_LIST));
    Json(json!({ "items": items }))
}
