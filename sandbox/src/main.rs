//! Starts the sandbox: Meta, Gemini, OpenAI, Google, Stripe and a mail server on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use frontdesk_sandbox::{Limits, Sandbox, SandboxConfig, Speed, accounts};
use tracing_subscriber::EnvFilter;

/// A faithful local stand-in for Meta (WhatsApp, Messenger, Instagram), Gemini, OpenAI and a mail server.
#[derive(Parser)]
#[command(name = "frontdesk-sandbox", version, about)]
struct Args {
    /// Where HTTP listens
    #[arg(long, env = "SANDBOX_LISTEN", default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// Where SMTP listens
    #[arg(long, env = "SANDBOX_SMTP_LISTEN", default_value = "127.0.0.1:4025")]
    smtp_listen: SocketAddr,
    /// Where webhooks go
    #[arg(long, env = "SANDBOX_WEBHOOK_URL", default_value = "http://localhost:8080/webhook/meta")]
    webhook_url: String,
    /// App secrets: the Meta app's, then the Instagram app's; with one, it signs both
    #[arg(long, env = "META_APP_SECRET", value_delimiter = ',', default_value = "sandbox_app_secret", hide_env_values = true)]
    app_secret: Vec<String>,
    /// Sent in the verification call
    #[arg(long, env = "META_VERIFY_TOKEN", default_value = "sandbox_verify_token", hide_env_values = true)]
    verify_token: String,
    /// App id in echoes of the product's own sends
    #[arg(long, env = "META_APP_ID", default_value = "880011223344556")]
    app_id: String,
    /// How the product reaches the sandbox, for links to files in webhooks
    #[arg(long, env = "SANDBOX_URL")]
    own_url: Option<String>,
    /// Link shown beside the phone
    #[arg(long, env = "SANDBOX_DASHBOARD_URL")]
    dashboard_url: Option<String>,
    /// Accounts instead of the sample ones, a JSON file in the form of sandbox/accounts.json
    #[arg(long, env = "SANDBOX_ACCOUNTS")]
    accounts: Option<PathBuf>,
    /// A model call takes this long, ms
    #[arg(long, env = "SANDBOX_MODEL_LATENCY_MS", default_value_t = 600)]
    model_latency_ms: u64,
    /// Up to this much more, at random, ms
    #[arg(long, env = "SANDBOX_MODEL_JITTER_MS", default_value_t = 250)]
    model_jitter_ms: u64,
    /// Messages a second per WhatsApp number, in and out; 0 for no limit
    #[arg(long, env = "SANDBOX_NUMBER_PER_SECOND", default_value_t = 1000)]
    number_per_second: u32,
    /// API keys Gemini takes, separated by commas; none takes any that does not begin with "invalid"
    #[arg(long, env = "SANDBOX_GEMINI_KEYS", value_delimiter = ',', hide_env_values = true)]
    gemini_keys: Vec<String>,
    /// The OAuth client's id at Google
    #[arg(long, env = "GOOGLE_CLIENT_ID", default_value = "sandbox-client.apps.googleusercontent.com")]
    google_client_id: String,
    /// The OAuth client's secret at Google
    #[arg(long, env = "GOOGLE_CLIENT_SECRET", default_value = "sandbox_google_secret", hide_env_values = true)]
    google_client_secret: String,
    /// The key Stripe takes
    #[arg(long, env = "STRIPE_SECRET_KEY", default_value = "sk_test_sandbox", hide_env_values = true)]
    stripe_secret_key: String,
    /// Where Stripe's webhooks go
    #[arg(long, env = "SANDBOX_STRIPE_WEBHOOK_URL", default_value = "http://localhost:8080/subscriptions/webhook")]
    stripe_webhook_url: String,
    /// Secrets of Stripe's endpoint, separated by commas: each signs
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", value_delimiter = ',', default_value = "whsec_sandbox", hide_env_values = true)]
    stripe_webhook_secret: Vec<String>,
    /// The version of Stripe's endpoint: 2024-06-20 for the old shapes
    #[arg(long, env = "SANDBOX_STRIPE_API_VERSION", default_value = "2026-10-28.endive")]
    stripe_api_version: String,
    /// API keys OpenAI takes, as above
    #[arg(long, env = "SANDBOX_OPENAI_KEYS", value_delimiter = ',', hide_env_values = true)]
    openai_keys: Vec<String>,
}

impl Args {
    fn config(self) -> anyhow::Result<SandboxConfig> {
        let accounts = match &self.accounts {
            Some(path) => {
                let json = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
                accounts::parse(&json)?
            }
            None => accounts::sample()?,
        };
        let app_secret = self.app_secret.first().cloned().filter(|s| !s.is_empty()).context("META_APP_SECRET is empty")?;
        let instagram_app_secret = self.app_secret.get(1).cloned().unwrap_or_else(|| app_secret.clone());
        Ok(SandboxConfig {
            listen: self.listen,
            smtp_listen: self.smtp_listen,
            webhook_url: Some(self.webhook_url),
            app_secret,
            instagram_app_secret,
            verify_token: self.verify_token,
            app_id: self.app_id,
            accounts,
            speed: Speed {
                model_latency_ms: self.model_latency_ms,
                model_jitter_ms: self.model_jitter_ms,
                sent_ms: 60,
                delivered_ms: 250,
                read_ms: 1_200,
                ..Speed::default()
            },
            limits: Limits { number_per_second: self.number_per_second, strangers: true, ..Limits::default() },
            gemini_keys: self.gemini_keys,
            openai_keys: self.openai_keys,
            google_client_id: self.google_client_id,
            google_client_secret: self.google_client_secret,
            stripe_secret_key: self.stripe_secret_key,
            stripe_webhook_url: Some(self.stripe_webhook_url).filter(|url| !url.is_empty()),
            stripe_webhook_secrets: self.stripe_webhook_secret,
            stripe_api_version: self.stripe_api_version,
            dashboard_url: self.dashboard_url,
            own_url: self.own_url,
            ..SandboxConfig::default()
        })
    }
}

async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        done = tokio::signal::ctrl_c() => Ok(done?),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let config = Args::parse().config()?;
    let webhook_url = config.webhook_url.clone().unwrap_or_default();
    let sandbox = Sandbox::start(config).await?;
    tracing::info!(phone = sandbox.base_url(), smtp = sandbox.smtp_url(), webhooks = webhook_url, "the sandbox is ready");
    asked_to_stop().await?;
    sandbox.stop().await;
    Ok(())
}
