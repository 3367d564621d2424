//! Settings of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::accounts::Account;

/// How fast things happen, all in ms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// A model call takes this long.
    pub model_latency_ms: u64,
    /// Up to this much more, at random.
    pub model_jitter_ms: u64,
    /// `sent` status and echo come this long after a send was accepted.
    pub sent_ms: u64,
    /// `delivered` comes this long after the send.
    pub delivered_ms: u64,
    /// `read` comes this long after the send.
    pub read_ms: u64,
    /// An attempt to deliver a webhook is given up after this long.
    pub webhook_timeout_ms: u64,
    /// Wait before the second attempt; doubles with each further one.
    pub retry_first_ms: u64,
    /// Longest wait between two attempts.
    pub retry_max_ms: u64,
    /// A POST is lost when it could not be delivered for this long (Meta: 7 days).
    pub give_up_ms: u64,
    /// A Page or Instagram account whose webhooks fail this long is unsubscribed (Meta: 1 hour).
    /// `None`: never.
    pub unsubscribe_ms: Option<u64>,
}

impl Default for Speed {
    fn default() -> Self {
        Self {
            model_latency_ms: 0,
            model_jitter_ms: 0,
            sent_ms: 10,
            delivered_ms: 40,
            read_ms: 120,
            webhook_timeout_ms: 10_000,
            retry_first_ms: 200,
            retry_max_ms: 5_000,
            give_up_ms: 300_000,
            unsubscribe_ms: None,
        }
    }
}

/// Limits that Meta enforces; 0 switches one off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Messages a second per WhatsApp number, in and out (80; 1000 when upgraded).
    pub number_per_second: u32,
    /// Whether one customer may be sent at most one message per 6 s, with a burst of 45.
    pub pair: bool,
    /// How long after the customer's last message anything may be sent, ms (24 h).
    pub window_ms: i64,
    /// Whether somebody who never wrote through this sandbox may be sent messages all the same: webhooks posted by hand come from such.
    #[serde(default)]
    pub strangers: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { number_per_second: 1000, pair: true, window_ms: 24 * 3_600_000, strangers: false }
    }
}

/// Everything a sandbox needs to start.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where HTTP listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where SMTP listens; port 0 takes a free one.
    pub smtp_listen: SocketAddr,
    /// Where webhooks go; `None` until `Sandbox::set_webhook_url`.
    pub webhook_url: Option<String>,
    /// Signs WhatsApp's and Messenger's webhooks and proofs.
    pub app_secret: String,
    /// Signs webhooks of accounts connected with Instagram Login.
    pub instagram_app_secret: String,
    /// Sent in the verification call.
    pub verify_token: String,
    /// `app_id` in echoes of the product's own sends; digits.
    pub app_id: String,
    /// The accounts there are at the start.
    pub accounts: Vec<Account>,
    /// How fast things happen.
    pub speed: Speed,
    /// What Meta enforces.
    pub limits: Limits,
    /// API keys that Gemini takes; empty takes any that does not begin with `invalid`.
    pub gemini_keys: Vec<String>,
    /// API keys that OpenAI takes; empty takes any that does not begin with `invalid`.
    pub openai_keys: Vec<String>,
    /// The OAuth client's id at Google.
    pub google_client_id: String,
    /// The OAuth client's secret at Google.
    pub google_client_secret: String,
    /// Google accounts there are at the start.
    pub google_users: Vec<crate::google::world::User>,
    /// The key Stripe takes.
    pub stripe_secret_key: String,
    /// Where Stripe's webhooks go; `None` until `Sandbox::set_stripe_webhook_url`: no endpoint is registered.
    pub stripe_webhook_url: Option<String>,
    /// Secrets of Stripe's endpoint; while they are being changed there are two, and each signs.
    pub stripe_webhook_secrets: Vec<String>,
    /// The endpoint's version, in which events are rendered: before or after 2025-03-31.
    pub stripe_api_version: String,
    /// What becomes of a subscription when every retry of an invoice has failed.
    pub stripe_end_of_retries: crate::stripe::world::EndOfRetries,
    /// The invoice of a renewal stays a draft this long, seconds.
    pub stripe_draft_s: i64,
    /// Link shown beside the phone.
    pub dashboard_url: Option<String>,
    /// How the product reaches the sandbox, for links in webhooks; `None`: where it listens.
    pub own_url: Option<String>,
}

impl Default for SandboxConfig {
    /// Free ports on loopback, the sample accounts, fixed secrets, no latency: for tests.
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: any_port,
            smtp_listen: any_port,
            webhook_url: None,
            app_secret: "sandbox_app_secret".to_owned(),
            instagram_app_secret: "sandbox_instagram_app_secret".to_owned(),
            verify_token: "sandbox_verify_token".to_owned(),
            app_id: "880011223344556".to_owned(),
            accounts: crate::accounts::sample().unwrap_or_default(),
            speed: Speed::default(),
            limits: Limits::default(),
            gemini_keys: Vec::new(),
            openai_keys: Vec::new(),
            google_client_id: "sandbox-client.apps.googleusercontent.com".to_owned(),
            google_client_secret: "sandbox_google_secret".to_owned(),
            google_users: crate::google::world::sample(),
            stripe_secret_key: "sk_test_sandbox".to_owned(),
            stripe_webhook_url: None,
            stripe_webhook_secrets: vec!["whsec_sandbox".to_owned()],
            stripe_api_version: crate::stripe::NEW_VERSION.to_owned(),
            stripe_end_of_retries: crate::stripe::world::EndOfRetries::default(),
            stripe_draft_s: 3600,
            dashboard_url: None,
            own_url: None,
        }
    }
}
