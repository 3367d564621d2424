//! The providers: one file each with its calls and its wire types, and one error for all of them.

pub mod download;
pub mod email;
pub mod gemini;
pub mod google;
pub mod meta;
pub mod models;
pub mod openai;
pub mod stripe;

use std::time::Duration;

use crate::runner::JobError;

/// The longest answer that is read from any provider; more is treated as garbage.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Why a provider's call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// It never reached the provider: nothing happened there.
    #[error("{provider} could not be reached: {reason}")]
    NotSent {
        /// The provider.
        provider: &'static str,
        /// What went wrong, without addresses or keys.
        reason: String,
    },
    /// The answer did not come, or came broken: whether it happened there is unknown.
    #[error("{provider} did not answer: {reason}")]
    Unknown {
        /// The provider.
        provider: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// The provider refused for now.
    #[error("{provider} is busy ({code})")]
    Busy {
        /// The provider.
        provider: &'static str,
        /// Its code.
        code: String,
        /// When it wants to be asked again, if it said.
        after: Option<Duration>,
    },
    /// The provider refused for good.
    #[error("{provider} refused ({code})")]
    Refused {
        /// The provider.
        provider: &'static str,
        /// Its code.
        code: String,
    },
    /// The provider answered, but with nothing that can be used.
    #[error("{provider} answered with nothing usable: {reason}")]
    Useless {
        /// The provider.
        provider: &'static str,
        /// What was wrong with it.
        reason: &'static str,
    },
}

impl ClientError {
    pub(crate) fn transport(provider: &'static str, error: &reqwest::Error) -> Self {
        // Only the kind: the full error names the URL, and some URLs hold tokens.
        if error.is_connect() || error.is_builder() {
            Self::NotSent { provider, reason: "connection failed".to_owned() }
        } else if error.is_timeout() {
            Self::Unknown { provider, reason: "timed out".to_owned() }
        } else {
            Self::Unknown { provider, reason: "connection broke".to_owned() }
        }
    }
}

/// The one HTTP client of a process: no redirects, no proxies from the environment, pooled connections.
///
/// # Errors
/// When the TLS set-up fails.
#[expect(clippy::disallowed_methods, reason = "the one place that builds an HTTP client")]
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(2))
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Sends a request and reads its answer whole, within `deadline` and [`MAX_ANSWER_BYTES`].
async fn exchange(
    provider: &'static str,
    request: reqwest::RequestBuilder,
    deadline: Duration,
) -> Result<(reqwest::StatusCode, reqwest::header::HeaderMap, Vec<u8>), ClientError> {
    let whole = async {
        let mut response = request.send().await.map_err(|error| ClientError::transport(provider, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| match ClientError::transport(provider, &error) {
            // Headers came, so the request arrived.
            ClientError::NotSent { provider, reason } => ClientError::Unknown { provider, reason },
            other => other,
        })? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(ClientError::Unknown { provider, reason: "answer too long".to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, headers, body))
    };
    tokio::time::timeout(deadline, whole).await.unwrap_or_else(|_| Err(ClientError::Unknown { provider, reason: "timed out".to_owned() }))
}

impl From<ClientError> for JobError {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Busy { after: Some(after), provider, .. } => Self::retry_after(provider, *after),
            ClientError::Refused { provider, code } => Self::Fail { code: format!("{provider}_{code}"), source: None },
            ClientError::NotSent { provider, .. }
            | ClientError::Unknown { provider, .. }
            | ClientError::Busy { provider, .. }
            | ClientError::Useless { provider, .. } => Self::Retry { code: (*provider).to_owned(), source: Some(error.into()) },
        }
    }
}
