//! The control API: plays the customer, sets faults, reads what happened. See `sandbox/README.md`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State as AxumState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::Account;
use crate::clock::now_ms;
use crate::customers::Customer;
use crate::faults::{
    BrainFaults, Faults, GoogleFaults, MediaFaults, MetaFaults, ModelFaults, SmtpFaults, StripeFaults, StripeWebhookFaults, WebhookFaults,
};
use crate::meta::inbound::{self, Inbound};
use crate::meta::webhooks::{self, Manner, describe, shuffle};
use crate::records::SendKind;
use crate::state::State;

/// Longest a call waits.
const MAX_WAIT_MS: u64 = 120_000;
/// Records in one answer.
const MAX_LIST: usize = 1_000;
/// Messages in one batch.
const MAX_BATCH: usize = 5_000;

/// `/control/…`
pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/control", get(summary))
        .route("/control/accounts", get(accounts).post(register))
        .route("/control/accounts/{id}/revoke", post(revoke))
        .route("/control/accounts/{id}/end", post(end))
        .route("/control/accounts/{id}/restore", post(restore))
        .route("/control/conversations", get(conversations))
        .route("/control/conversations/age", post(age))
        .route("/control/customers", post(add_customer))
        .route("/control/messages", post(say))
        .route("/control/batch", post(batch))
        .route("/control/echoes", post(echo))
        .route("/control/transcript", get(transcript))
        .route("/control/sends", get(sends))
        .route("/control/model_calls", get(model_calls))
        .route("/control/deliveries", get(deliveries))
        .route("/control/faults", get(faults).put(set_all_faults).delete(clear_faults))
        .route("/control/faults/{target}", put(set_faults).delete(clear_target))
        .route("/control/webhook_url", put(webhook_url))
        .route("/control/verify", post(verify))
        .route("/control/reset", post(reset))
}

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

type Shared = AxumState<Arc<State>>;
type Answer = Result<Json<Value>, Mistake>;

async fn summary(AxumState(state): Shared) -> Json<Value> {
    Json(json!({
        "product": "frontdesk-sandbox",
        "version": env!("CARGO_PKG_VERSION"),
        "now_ms": now_ms(),
        "wire_ms": state.wire_ms(),
        "webhook_url": state.webhook_url(),
        "accounts": state.accounts().len(),
        "last_send": state.sends.last_seq(),
        "last_model_call": state.calls.last_seq(),
        "last_delivery": state.deliveries.last_seq(),
        "last_google_call": state.google.calls.last_seq(),
        "last_stripe_call": state.stripe.calls.last_seq(),
        "last_stripe_delivery": state.stripe.deliveries.last_seq(),
        "last_mail": state.mails.last_seq(),
    }))
}

#[derive(Serialize)]
struct AccountView {
    #[serde(flatten)]
    account: Account,
    revoked: bool,
    subscribed: bool,
}

async fn accounts(AxumState(state): Shared) -> Json<Vec<AccountView>> {
    let list = state.with_accounts(|table| {
        let view = |a: &Arc<Account>| AccountView {
            account: (**a).clone(),
            revoked: table.is_revoked(&a.token),
            subscribed: table.is_subscribed(&a.id),
        };
        table.all().iter().map(view).collect()
    });
    Json(list)
}

async fn register(AxumState(state): Shared, Json(account): Json<Account>) -> Answer {
    state.register(account)?;
    Ok(Json(json!({ "ok": true })))
}

fn token_of(state: &State, id: &str) -> Result<String, Mistake> {
    state.account(id).map(|a| a.token.clone()).ok_or_else(|| Mistake(anyhow::anyhow!("no such account")))
}

async fn revoke(AxumState(state): Shared, Path(id): Path<String>) -> Answer {
    state.revoke_token(&token_of(&state, &id)?);
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
struct End {
    /// Unix seconds.
    at: i64,
}

async fn end(AxumState(state): Shared, Path(id): Path<String>, Json(end): Json<End>) -> Answer {
    state.end_token(&token_of(&state, &id)?, end.at);
    Ok(Json(json!({ "ok": true })))
}

async fn restore(AxumState(state): Shared, Path(id): Path<String>) -> Answer {
    state.restore_token(&token_of(&state, &id)?);
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
struct Which {
    account: Option<String>,
}

async fn conversations(AxumState(state): Shared, Query(which): Query<Which>) -> Json<Value> {
    Json(json!({ "items": state.book.list(which.account.as_deref(), MAX_LIST) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Age {
    account: String,
    customer: String,
    by_ms: i64,
}

async fn age(AxumState(state): Shared, Json(age): Json<Age>) -> Answer {
    if !state.age_conversation(&age.account, &age.customer, age.by_ms) {
        return Err(anyhow::anyhow!("no such conversation").into());
    }
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCustomer {
    account: String,
    customer: Customer,
}

async fn add_customer(AxumState(state): Shared, Json(new): Json<NewCustomer>) -> Answer {
    let account = state.account(&new.account).ok_or_else(|| anyhow::anyhow!("no such account"))?;
    let (id, who) = state.book.open(&account, &new.customer)?;
    Ok(Json(json!({ "account": id.account, "customer": who })))
}

/// A customer's message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    account: String,
    customer: Customer,
    message: Inbound,
}

async fn say(AxumState(state): Shared, Json(say): Json<Say>) -> Answer {
    let after = state.last_send_seq();
    let id = state.customer_says(&say.account, &say.customer, &say.message)?;
    Ok(Json(json!({ "id": id, "sent_at_ms": now_ms(), "last_send": after })))
}

/// Several customers' messages in as few POSTs as may be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    messages: Vec<Say>,
    #[serde(default)]
    copies: u32,
    #[serde(default)]
    shuffle: bool,
    #[serde(default)]
    bad_entry: bool,
    #[serde(default)]
    wrong_signature: bool,
    /// Answer only when every POST was delivered or lost.
    #[serde(default)]
    wait: bool,
}

async fn batch(AxumState(state): Shared, Json(batch): Json<Batch>) -> Answer {
    if batch.messages.len() > MAX_BATCH {
        return Err(anyhow::anyhow!("at most {MAX_BATCH} messages").into());
    }
    let (after, first_delivery) = (state.last_send_seq(), state.deliveries.last_seq());
    let mut ids = Vec::new();
    let mut updates = Vec::new();
    for say in &batch.messages {
        let prepared = inbound::prepare(&state, &say.account, &say.customer, &say.message)?;
        ids.push(prepared.message_id);
        updates.push(prepared.update);
    }
    if batch.shuffle {
        shuffle(&mut updates);
    }
    let manner = Manner { copies: batch.copies.max(1), bad_entry: batch.bad_entry, wrong_signature: batch.wrong_signature };
    let shared = state.clone();
    let delivery = async move { webhooks::deliver(&shared, updates, manner).await };
    if batch.wait {
        delivery.await;
    } else {
        state.spawn(delivery);
    }
    Ok(Json(json!({ "ids": ids, "last_send": after, "last_delivery": first_delivery })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Echo {
    account: String,
    customer: String,
    text: String,
}

async fn echo(AxumState(state): Shared, Json(echo): Json<Echo>) -> Answer {
    let id = state.human_answers(&echo.account, &echo.customer, &echo.text)?;
    Ok(Json(json!({ "id": id })))
}

#[derive(Deserialize)]
struct Chat {
    account: String,
    customer: String,
}

async fn transcript(AxumState(state): Shared, Query(chat): Query<Chat>) -> Answer {
    let id = state.book.find(&chat.account, &chat.customer);
    let entries = id.as_ref().and_then(|id| state.book.transcript(id)).unwrap_or_default();
    let typing = id.as_ref().and_then(|id| state.book.typing_until(id)).filter(|until| *until > state.wire_ms());
    Ok(Json(json!({ "entries": entries, "typing_until_ms": typing, "now_ms": state.wire_ms() })))
}

/// Which records, and how long to wait for them.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    account: Option<String>,
    customer: Option<String>,
    after: u64,
    limit: usize,
    wait_ms: u64,
    /// Wait until there are that many.
    count: usize,
    /// Sends: `message` (the default), `mark_read`, `typing`, `typing_off` or `any`.
    kind: Option<String>,
    /// Sends: refused ones too.
    refused: bool,
    /// Model calls: `gemini` or `openai`.
    provider: Option<String>,
    /// Text that must occur in a send.
    contains: Option<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            account: None,
            customer: None,
            after: 0,
            limit: 100,
            wait_ms: 0,
            count: 1,
            kind: None,
            refused: false,
            provider: None,
            contains: None,
        }
    }
}

impl Wanted {
    fn limit(&self) -> usize {
        self.limit.clamp(1, MAX_LIST)
    }

    fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms.min(MAX_WAIT_MS))
    }
}

fn page<T: Serialize>(items: Vec<T>, last: u64) -> Json<Value> {
    Json(json!({ "items": items, "last": last }))
}

async fn sends(AxumState(state): Shared, Query(wanted): Query<Wanted>) -> Answer {
    let kind = match wanted.kind.as_deref() {
        Some("any") => None,
        None => Some(SendKind::Message),
        Some(kind) => Some(serde_json::from_value(Value::from(kind))?),
    };
    // The customer may write only after the wait began; so resolve their ids at each look.
    let matches = |send: &crate::records::ReceivedSend| {
        let customer = wanted.customer.as_deref().is_none_or(|name| {
            let key = state.book.find(&send.account, name.trim_start_matches('+'));
            send.customer.as_deref() == Some(key.as_ref().map_or(name, |k| k.customer.as_str()))
        });
        customer
            && wanted.account.as_deref().is_none_or(|a| a == send.account)
            && kind.is_none_or(|k| k == send.kind)
            && (wanted.refused || send.refusal.is_none())
            && wanted.contains.as_deref().is_none_or(|c| send.text.as_deref().is_some_and(|t| t.contains(c)))
    };
    let items = state.sends.wait(wanted.after, wanted.count, wanted.limit(), wanted.wait(), matches).await;
    Ok(page(items, state.sends.last_seq()))
}

async fn model_calls(AxumState(state): Shared, Query(wanted): Query<Wanted>) -> Json<Value> {
    let matches = |call: &crate::records::ModelCall| wanted.provider.as_deref().is_none_or(|p| p == call.provider);
    let items = state.calls.wait(wanted.after, wanted.count, wanted.limit(), wanted.wait(), matches).await;
    page(items, state.calls.last_seq())
}

async fn deliveries(AxumState(state): Shared, Query(wanted): Query<Wanted>) -> Json<Value> {
    let matches = |d: &crate::records::Delivery| wanted.account.as_deref().is_none_or(|a| d.accounts.iter().any(|known| known == a));
    let items = state.deliveries.wait(wanted.after, wanted.count, wanted.limit(), wanted.wait(), matches).await;
    page(items, state.deliveries.last_seq())
}

async fn faults(AxumState(state): Shared) -> Json<Faults> {
    Json(state.faults(|f| f.clone()))
}

async fn set_all_faults(AxumState(state): Shared, Json(new): Json<Faults>) -> Json<Faults> {
    Json(state.faults(|f| {
        *f = new;
        f.clone()
    }))
}

async fn clear_faults(AxumState(state): Shared) -> Json<Faults> {
    set_all_faults(AxumState(state), Json(Faults::default())).await
}

async fn set_faults(
    AxumState(state): Shared,
    Path(target): Path<String>,
    Query(which): Query<Which>,
    Json(body): Json<Value>,
) -> Result<Json<Faults>, Mistake> {
    if which.account.as_deref().is_some_and(|id| state.account(id).is_none()) {
        return Err(anyhow::anyhow!("no such account").into());
    }
    match (target.as_str(), which.account) {
        ("meta", account) => {
            let new: MetaFaults = serde_json::from_value(body)?;
            state.faults(|f| match account {
                Some(id) => drop(f.meta_by_account.insert(id, new)),
                None => f.meta = new,
            });
        }
        ("webhooks", account) => {
            let new: WebhookFaults = serde_json::from_value(body)?;
            state.faults(|f| match account {
                Some(id) => drop(f.webhooks_by_account.insert(id, new)),
                None => f.webhooks = new,
            });
        }
        (_, Some(_)) => return Err(anyhow::anyhow!("only meta and webhooks have faults per account").into()),
        ("gemini", _) => {
            let new: ModelFaults = serde_json::from_value(body)?;
            state.faults(|f| f.gemini = new);
        }
        ("openai", _) => {
            let new: ModelFaults = serde_json::from_value(body)?;
            state.faults(|f| f.openai = new);
        }
        ("google", _) => {
            let new: GoogleFaults = serde_json::from_value(body)?;
            state.faults(|f| f.google = new);
        }
        ("stripe", _) => {
            let new: StripeFaults = serde_json::from_value(body)?;
            state.faults(|f| f.stripe = new);
        }
        ("stripe_webhooks", _) => {
            let new: StripeWebhookFaults = serde_json::from_value(body)?;
            state.faults(|f| f.stripe_webhooks = new);
        }
        ("brain", _) => {
            let new: BrainFaults = serde_json::from_value(body)?;
            state.faults(|f| f.brain = new);
        }
        ("smtp", _) => {
            let new: SmtpFaults = serde_json::from_value(body)?;
            state.faults(|f| f.smtp = new);
        }
        ("media", _) => {
            let new: MediaFaults = serde_json::from_value(body)?;
            state.faults(|f| f.media = new);
        }
        _ => {
            return Err(anyhow::anyhow!(
                "targets are meta, webhooks, gemini, openai, google, stripe, stripe_webhooks, brain, smtp and media"
            )
            .into());
        }
    }
    Ok(faults(AxumState(state)).await)
}

async fn clear_target(state: Shared, target: Path<String>, which: Query<Which>) -> Result<Json<Faults>, Mistake> {
    set_faults(state, target, which, Json(json!({}))).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Url {
    url: Option<String>,
}

async fn webhook_url(AxumState(state): Shared, Json(new): Json<Url>) -> Answer {
    if let Some(url) = &new.url {
        url::Url::parse(url)?;
    }
    state.set_webhook_url(new.url);
    Ok(Json(json!({ "ok": true })))
}

/// Makes the GET verification call, as when the address is saved in Meta's dashboard.
async fn verify(AxumState(state): Shared) -> Answer {
    let url = state.webhook_url().ok_or_else(|| anyhow::anyhow!("no webhook address is set"))?;
    let mut url = url::Url::parse(&url)?;
    let challenge = crate::ids::random_digits(10);
    url.query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", &state.config.verify_token);
    let answer = match state.client.get(url).send().await {
        Ok(answer) => answer,
        Err(error) => return Ok(Json(json!({ "verified": false, "error": describe(&error) }))),
    };
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default();
    let verified = status == 200 && body == challenge;
    let shown: String = body.chars().take(200).collect();
    Ok(Json(json!({ "verified": verified, "status": status, "challenge": challenge, "answer": shown })))
}

async fn reset(AxumState(state): Shared) -> Json<Value> {
    state.reset();
    Json(json!({ "ok": true }))
}
