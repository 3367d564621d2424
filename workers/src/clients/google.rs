//! Google: OAuth (PROVIDERS 6), Calendar v3 (7) and Sheets v4 (8). A call is an [`Ask`]; who makes it has an access token, and renews it when it is refused.

pub mod calendar;
pub mod oauth;
pub mod sheets;

use std::time::Duration;

use frontdesk_core::config::GoogleConfig;
use reqwest::header::{HeaderMap, IF_MATCH, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::models::Breaker;
use super::{ClientError, exchange};
use crate::runner::JobError;

const NAME: &str = "google";
/// Calendar answers within a second or so.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// What a quota of the day asks for (PROVIDERS 7: slow retry).
const QUOTA_WAIT: Duration = Duration::from_mins(10);
/// The longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Why a call did not do what it should.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GoogleError {
    /// As with any provider.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// 401: the access token is not taken.
    #[error("google takes the access token no more")]
    Unauthorized,
    /// `invalid_grant`: the refresh token is dead, for good.
    #[error("google takes the refresh token no more")]
    DeadGrant,
    /// 403: not with these scopes, or not with this calendar.
    #[error("google forbids it ({0})")]
    Forbidden(String),
    /// 404.
    #[error("google knows no such thing")]
    NotFound,
    /// 409: the id is taken.
    #[error("google has that id already")]
    Duplicate,
    /// 410: it was deleted, or a sync token is too old.
    #[error("google has it no more ({0})")]
    Gone(String),
    /// 412: it has changed since.
    #[error("it has changed at google")]
    Stale,
}

impl From<GoogleError> for JobError {
    fn from(error: GoogleError) -> Self {
        match error {
            GoogleError::Client(error) => error.into(),
            GoogleError::Unauthorized | GoogleError::Duplicate | GoogleError::Stale => Self::retry("google_changing"),
            GoogleError::DeadGrant => Self::fail("google_disconnected"),
            GoogleError::Forbidden(_) => Self::fail("google_forbidden"),
            GoogleError::NotFound | GoogleError::Gone(_) => Self::fail("google_not_found"),
        }
    }
}

/// Which of Google's hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Calendar v3.
    Calendar,
    /// Sheets v4.
    Sheets,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    host: Host,
    /// Parts of the path, to be encoded.
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    if_match: Option<String>,
}

impl Ask {
    fn new(method: Method, host: Host, path: &[&str]) -> Self {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        Self { method, host, path, query: Vec::new(), body: None, if_match: None }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// A client of Google's for one OAuth client.
#[derive(Debug)]
pub struct Google {
    http: reqwest::Client,
    config: GoogleConfig,
    redirect_uri: String,
    breaker: Breaker,
}

impl Google {
    /// `redirect_uri` is the one that the consent screen was asked with.
    #[must_use]
    pub fn new(http: reqwest::Client, config: GoogleConfig, redirect_uri: String) -> Self {
        Self { http, config, redirect_uri, breaker: Breaker::new() }
    }

    /// Makes a call and answers its body.
    ///
    /// # Errors
    /// See [`GoogleError`]. A Google that fails for everybody is left alone for a while, as the models are.
    pub async fn ask(&self, token: &SecretString, ask: &Ask) -> Result<Vec<u8>, GoogleError> {
        if !self.breaker.admits() {
            return Err(ClientError::NotSent { provider: NAME, reason: "left alone for a moment".to_owned() }.into());
        }
        let answer = self.send(token, ask).await;
        match &answer {
            Err(GoogleError::Client(ClientError::Unknown { .. } | ClientError::NotSent { .. })) => self.breaker.failed(None),
            // One account's limit is no reason to leave the others waiting.
            _ => self.breaker.succeeded(),
        }
        answer
    }

    async fn send(&self, token: &SecretString, ask: &Ask) -> Result<Vec<u8>, GoogleError> {
        let mut request = self.http.request(ask.method.clone(), self.url(ask)?).bearer_auth(token.expose_secret()).query(&ask.query);
        if let Some(body) = &ask.body {
            request = request.json(body);
        }
        if let Some(etag) = &ask.if_match {
            request = request.header(IF_MATCH, etag);
        }
        let (status, headers, body) = exchange(NAME, request, CALL_LIMIT).await?;
        if status.is_success() { Ok(body) } else { Err(refusal(status, &headers, &body)) }
    }

    fn url(&self, ask: &Ask) -> Result<Url, GoogleError> {
        let base = match ask.host {
            Host::Calendar => &self.config.api_url,
            Host::Sheets => &self.config.sheets_url,
        };
        let unusable = || ClientError::NotSent { provider: NAME, reason: "no usable address".to_owned() };
        let mut url = Url::parse(base).map_err(|_| unusable())?;
        url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().extend(&ask.path);
        Ok(url)
    }
}

/// A code of Google's as it may be kept and logged: a word, whatever the answer holds.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect()
}

/// How long Google wants to be left alone, if it says so.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// What a refusal asks for: by its reason, not by its status alone (PROVIDERS 7, errors). Sheets has the newer form, with a `status` word (8).
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GoogleError {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &parsed["error"];
    let reason =
        error["errors"][0]["reason"].as_str().or_else(|| error["status"].as_str()).map_or_else(|| status.as_u16().to_string(), word);
    let busy = |after| GoogleError::Client(ClientError::Busy { provider: NAME, code: reason.clone(), after });
    match (status.as_u16(), reason.as_str()) {
        (401, _) => GoogleError::Unauthorized,
        (403, "rateLimitExceeded" | "userRateLimitExceeded" | "RESOURCE_EXHAUSTED") => busy(retry_after(headers)),
        (403, "quotaExceeded" | "dailyLimitExceeded") => busy(Some(QUOTA_WAIT)),
        (403, _) => GoogleError::Forbidden(reason.clone()),
        (404, _) => GoogleError::NotFound,
        (409, _) => GoogleError::Duplicate,
        (410, _) => GoogleError::Gone(reason.clone()),
        (412, _) => GoogleError::Stale,
        (408 | 429 | 500..=599, _) => busy(retry_after(headers)),
        _ => ClientError::Refused { provider: NAME, code: reason.clone() }.into(),
    }
}

/// Reads an answer that must be JSON of this form.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, GoogleError> {
    serde_json::from_slice(body).map_err(|_| ClientError::Useless { provider: NAME, reason: "not the form it should have" }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, reason: &str) -> GoogleError {
        let body = serde_json::json!({"error": {"errors": [{"domain": "global", "reason": reason}], "code": status, "message": "m"}});
        refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.to_string().as_bytes())
    }

    #[test]
    fn the_reason_decides_what_follows() {
        assert!(matches!(refused(403, "userRateLimitExceeded"), GoogleError::Client(ClientError::Busy { after: None, .. })));
        assert!(matches!(refused(403, "quotaExceeded"), GoogleError::Client(ClientError::Busy { after: Some(QUOTA_WAIT), .. })));
        assert!(matches!(refused(403, "insufficientPermissions"), GoogleError::Forbidden(_)));
        assert!(matches!(refused(410, "fullSyncRequired"), GoogleError::Gone(_)));
        assert!(matches!(refused(412, "conditionNotMet"), GoogleError::Stale));
        assert!(matches!(refused(500, "backendError"), GoogleError::Client(ClientError::Busy { .. })));
        assert!(matches!(refused(400, "timeRangeEmpty"), GoogleError::Client(ClientError::Refused { .. })));
    }

    /// PROVIDERS 7: the fixture `google_calendar_insert_conflict`.
    #[test]
    fn a_taken_id_is_told_from_other_refusals() {
        let body = br#"{"error":{"errors":[{"domain":"global","reason":"duplicate","message":"The requested identifier already exists."}],"code":409,"message":"The requested identifier already exists."}}"#;
        assert!(matches!(refusal(StatusCode::CONFLICT, &HeaderMap::new(), body), GoogleError::Duplicate));
    }

    #[test]
    fn whatever_is_in_a_refusal_stays_a_word() {
        match refused(400, "<script> key=secret; \u{1f600} long".repeat(30).as_str()) {
            GoogleError::Client(ClientError::Refused { code, .. }) => assert!(code.len() <= 60 && code.is_ascii() && !code.contains('<')),
            other => panic!("{other:?}"),
        }
        assert!(matches!(refusal(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>"), GoogleError::Client(ClientError::Busy { .. })));
        let headers: HeaderMap = [(RETRY_AFTER, "7".parse().unwrap())].into_iter().collect();
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
    }
}
