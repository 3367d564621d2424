//! A faithful local stand-in for Meta (WhatsApp, Messenger, Instagram), Gemini, OpenAI, Google, Stripe and a mail server.
//!
//! - [`accounts`]: the shops' accounts and tokens · [`customers`](Customer): who writes to them
//! - `meta`: send endpoints, webhooks, statuses and echoes · `gemini`, `openai`: the model endpoints
//! - `google`: OAuth, Calendar and Sheets, and the owner at their calendar
//! - `stripe`: checkout, portal, subscriptions with a clock that can be moved
//! - [`brain`]: the scripted model behind both · `mail`: SMTP and its inbox
//! - [`faults`]: what goes wrong on purpose · `control`: the control API · `phone`: the phone page
//!
//! It knows none of the product's crates: all it shares with the product is the providers' wire formats.

pub mod accounts;
mod book;
pub mod brain;
mod clock;
mod config;
mod control;
mod customers;
pub mod faults;
mod gemini;
mod gemini_request;
mod google;
mod ids;
mod log;
mod mail;
mod meta;
mod model;
mod openai;
mod openai_request;
mod phone;
mod records;
pub mod signature;
mod state;
mod stripe;

use std::sync::Arc;

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

pub use accounts::{Account, Login, Platform};
pub use book::{Author, Button, Entry, Receipt};
pub use config::{Limits, SandboxConfig, Speed};
pub use customers::Customer;
pub use google::world::User as GoogleUser;
pub use meta::inbound::Inbound;
pub use records::{Delivery, GoogleCall, GooglePush, Mail, ModelCall, ReceivedSend, Refusal, SendKind, StripeCall, StripeDelivery};
pub use state::State;
pub use stripe::face::{Payment, StripeDesk};
pub use stripe::world::{Card, EndOfRetries};

/// A running sandbox.
pub struct Sandbox {
    state: Arc<State>,
    smtp_url: String,
}

impl Sandbox {
    /// Binds both listeners and starts serving; ready when this returns.
    ///
    /// # Errors
    /// When an address cannot be bound or an account is incomplete.
    pub async fn start(config: SandboxConfig) -> anyhow::Result<Self> {
        let http = TcpListener::bind(config.listen).await.with_context(|| format!("listen on {}", config.listen))?;
        let smtp = TcpListener::bind(config.smtp_listen).await.with_context(|| format!("listen on {}", config.smtp_listen))?;
        let smtp_url = format!("smtp://{}", smtp.local_addr()?);
        let state = Arc::new(State::new(config)?);
        // A wildcard address is no address to call.
        let address = http.local_addr()?;
        let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
        let _ = state.base_url.set(format!("http://{host}:{}", address.port()));

        let app = axum::Router::new()
            .merge(meta::routes())
            .merge(gemini::routes())
            .merge(openai::routes())
            .merge(google::routes())
            .merge(stripe::routes())
            .merge(mail::routes())
            .merge(control::routes())
            .merge(phone::routes())
            .layer(axum::middleware::from_fn_with_state(state.clone(), end_at_stop))
            .with_state(state.clone());
        let http = http.tap_io(|stream| {
            // Small answers must not wait for each other; a socket that refuses is closed anyway.
            let _ = stream.set_nodelay(true);
        });
        let stopped = state.stop.clone().cancelled_owned();
        state.tasks.spawn(async move {
            if let Err(error) = axum::serve(http, app).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the HTTP listener ended");
            }
        });
        state.spawn(mail::serve(state.clone(), smtp));
        stripe::start(&state);
        Ok(Self { state, smtp_url })
    }

    /// `http://host:port`, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.state.base_url().to_owned()
    }

    /// `smtp://host:port`.
    pub fn smtp_url(&self) -> String {
        self.smtp_url.clone()
    }

    /// Where webhooks go from now on.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        self.state.set_webhook_url(Some(url.into()));
    }

    /// Where Stripe's webhooks go from now on.
    pub fn set_stripe_webhook_url(&self, url: impl Into<String>) {
        self.state.set_stripe_webhook_url(Some(url.into()));
    }

    /// Everything it has received and can be told.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Stops at once: open requests are cut, webhooks on their way are not delivered.
    pub async fn stop(self) {
        self.state.stop.cancel();
        self.state.tasks.close();
        self.state.tasks.wait().await;
    }
}

/// Cuts short what still runs, a hang on command above all, when the sandbox stops.
async fn end_at_stop(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    tokio::select! {
        response = next.run(request) => response,
        () = state.stop.cancelled() => axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.state.stop.cancel();
    }
}
