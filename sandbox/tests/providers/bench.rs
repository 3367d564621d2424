//! A sandbox, a receiver of its webhooks and a client, for one test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use frontdesk_sandbox::{Customer, Inbound, Sandbox, SandboxConfig};
use serde_json::Value;

pub(crate) const WHATSAPP: &str = "204411225588002";
pub(crate) const WHATSAPP_TOKEN: &str = "sandbox-wa-northwind";
pub(crate) const MESSENGER: &str = "102030405060709";
pub(crate) const MESSENGER_TOKEN: &str = "sandbox-fb-northwind";
pub(crate) const INSTAGRAM: &str = "17841400112233446";
pub(crate) const INSTAGRAM_TOKEN: &str = "sandbox-ig-northwind";
pub(crate) const PHONE: &str = "16505550199";
pub(crate) const PSID: &str = "7400112233445566";
/// Longer than anything takes; only a failing test waits that long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A webhook that arrived.
#[derive(Clone)]
pub(crate) struct Arrived {
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Arrived {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
struct Inbox {
    arrived: Mutex<Vec<Arrived>>,
    answers: Mutex<VecDeque<u16>>,
}

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
    inbox: Arc<Inbox>,
    webhook_url: String,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    #[expect(clippy::disallowed_methods, reason = "the caller in these tests is not the product")]
    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let inbox = Arc::new(Inbox::default());
        let token = config.verify_token.clone();
        let app = Router::new().route("/webhook/meta", get(move |query| verify(query, token)).post(receive)).with_state(inbox.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook/meta", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let sandbox = Sandbox::start(config).await.unwrap();
        sandbox.set_webhook_url(url.clone());
        let client = reqwest::Client::builder().no_proxy().timeout(LONG).build().unwrap();
        Self { sandbox, client, inbox, webhook_url: url }
    }

    /// As `with`, and Stripe's webhooks come here too.
    pub(crate) async fn with_stripe(config: SandboxConfig) -> Self {
        let bench = Self::with(config).await;
        bench.sandbox.set_stripe_webhook_url(bench.webhook_url.clone());
        bench
    }

    /// A client that stays where it is sent away from.
    #[expect(clippy::disallowed_methods, reason = "the caller in these tests is not the product")]
    pub(crate) fn browser(&self) -> reqwest::Client {
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(LONG).build().unwrap()
    }

    /// The next webhooks are answered so; then 200.
    pub(crate) fn answer_webhooks_with(&self, statuses: &[u16]) {
        self.inbox.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.inbox.arrived.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    /// Posts JSON with a bearer token; gives status and answer.
    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let response = self.client.post(self.url(path)).bearer_auth(token).json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    pub(crate) fn says(&self, account: &str, customer: &Customer, text: &str) -> String {
        self.sandbox.state().customer_says(account, customer, &Inbound::text(text)).unwrap()
    }

    /// The WhatsApp customer writes, so that the window is open.
    pub(crate) fn open_whatsapp(&self) -> String {
        self.says(WHATSAPP, &Customer::with_phone(PHONE, "Élodie"), "hi")
    }

    pub(crate) fn open_messenger(&self) -> String {
        self.says(MESSENGER, &Customer::with_psid(PSID, "Ana"), "hi")
    }

    pub(crate) fn open_instagram(&self) -> String {
        self.says(INSTAGRAM, &Customer::with_psid(PSID, "Ana"), "hi")
    }

    pub(crate) async fn send_whatsapp(&self, body: &Value) -> (u16, Value) {
        self.post(&format!("/graph/v26.0/{WHATSAPP}/messages"), WHATSAPP_TOKEN, body).await
    }

    pub(crate) async fn send_messenger(&self, body: &Value) -> (u16, Value) {
        self.post(&format!("/graph/v26.0/{MESSENGER}/messages"), MESSENGER_TOKEN, body).await
    }

    pub(crate) async fn send_instagram(&self, body: &Value) -> (u16, Value) {
        self.post("/instagram/v26.0/me/messages", INSTAGRAM_TOKEN, body).await
    }

    /// Bodies of the webhooks that arrived, once `count` of them were delivered and hold `needle`.
    pub(crate) async fn wait_for_webhooks(&self, count: usize, needle: &str) -> Vec<Value> {
        let state = self.sandbox.state();
        let found = state.wait_for_deliveries(count, LONG, |d| d.status == Some(200) && d.body.contains(needle)).await;
        assert!(found.len() >= count, "only {} of {count} webhooks with {needle:?} came", found.len());
        found.iter().map(|d| serde_json::from_str(&d.body).unwrap()).collect()
    }
}

#[derive(serde::Deserialize)]
struct Hub {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.challenge")]
    challenge: String,
    #[serde(rename = "hub.verify_token")]
    token: String,
}

async fn verify(Query(hub): Query<Hub>, token: String) -> (StatusCode, String) {
    if hub.mode == "subscribe" && hub.token == token { (StatusCode::OK, hub.challenge) } else { (StatusCode::FORBIDDEN, String::new()) }
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-hub-signature-256").or(headers.get("stripe-signature"));
    let signature = signature.map_or("", |v| v.to_str().unwrap()).to_owned();
    inbox.arrived.lock().unwrap().push(Arrived { signature, body: String::from_utf8(body.to_vec()).unwrap() });
    let status = inbox.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}
