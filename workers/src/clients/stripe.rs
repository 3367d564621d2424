//! Stripe's subscriptions (PROVIDERS 9). Bodies are forms, answers JSON; every POST has an idempotency key, so a repeat is the same call.

pub mod objects;

use std::time::Duration;

use frontdesk_core::config::StripeConfig;
use frontdesk_core::plans::Plan;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use super::models::Breaker;
use super::{ClientError, exchange};
use crate::runner::JobError;

const NAME: &str = "stripe";
/// The version whose forms are read here.
const VERSION: &str = "2026-10-28.endive";
/// A charge can take a while.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// The longest wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Stripe's largest page.
const PAGE: usize = 100;
/// Pages of a list that are read.
const PAGES: usize = 20;

/// Why a call did not do what it should.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StripeError {
    /// As with any provider.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// 404, or a parameter that names what is not there.
    #[error("stripe knows no such thing ({param})")]
    NoSuch {
        /// The parameter.
        param: String,
    },
    /// 402: the card was declined, or wants its owner.
    #[error("the card was declined ({0})")]
    Declined(String),
    /// 400: it cannot be done as things stand.
    #[error("stripe refused ({0})")]
    Refused(String),
}

impl From<StripeError> for JobError {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Client(error) => error.into(),
            StripeError::NoSuch { .. } => Self::fail("stripe_no_such"),
            StripeError::Declined(_) => Self::fail("stripe_declined"),
            StripeError::Refused(code) => Self::Fail { code: format!("stripe_{code}"), source: None },
        }
    }
}

/// A call's fields, in Stripe's bracket notation.
pub type Fields = Vec<(String, String)>;

/// A client of one Stripe account.
#[derive(Debug)]
pub struct Stripe {
    http: reqwest::Client,
    config: StripeConfig,
    breaker: Breaker,
}

impl Stripe {
    /// With the installation's account.
    #[must_use]
    pub fn new(http: reqwest::Client, config: StripeConfig) -> Self {
        Self { http, config, breaker: Breaker::new() }
    }

    /// Whether an event belongs to the mode whose key this is.
    #[must_use]
    pub fn is_of_our_mode(&self, livemode: bool) -> bool {
        let key = self.config.secret_key.expose_secret();
        let is_test = key.starts_with("sk_test_") || key.starts_with("rk_test_");
        livemode != is_test
    }

    /// Stripe's price of a plan.
    #[must_use]
    pub fn price(&self, plan: Plan) -> Option<&str> {
        self.config.prices.iter().find(|(sold, _)| *sold == plan).map(|(_, price)| price.as_str())
    }

    /// The plan that has this price.
    #[must_use]
    pub fn plan(&self, price: &str) -> Option<Plan> {
        self.config.prices.iter().find(|(_, sold)| sold == price).map(|(plan, _)| *plan)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, StripeError> {
        let request = self.request(Method::GET, path)?.query(query);
        self.send(request).await
    }

    /// Reads a list, page after page, until `enough` says so of a page.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn list(&self, path: &[&str], query: &[(&str, &str)], enough: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>, StripeError> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        let limit = PAGE.to_string();
        for _ in 0..PAGES {
            let mut query = query.to_vec();
            query.push(("limit", &limit));
            if let Some(after) = &after {
                query.push(("starting_after", after));
            }
            let page = self.get(path, &query).await?;
            let items = page["data"].as_array().ok_or(ClientError::Useless { provider: NAME, reason: "a list without data" })?;
            let done = page["has_more"] != true || items.is_empty() || enough(items);
            after = items.last().and_then(|item| item["id"].as_str()).map(str::to_owned);
            all.extend_from_slice(items);
            if done || after.is_none() {
                return Ok(all);
            }
        }
        tracing::warn!(path = path.join("/"), "a list of Stripe's is longer than is read");
        Ok(all)
    }

    /// Changes something. The same key with the same fields is the same call, for a day.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn post(&self, path: &[&str], fields: &Fields, idempotency_key: &str) -> Result<Value, StripeError> {
        let request = self.request(Method::POST, path)?.header("idempotency-key", idempotency_key).form(fields);
        self.send(request).await
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<reqwest::RequestBuilder, StripeError> {
        let unusable = || ClientError::NotSent { provider: NAME, reason: "no usable address".to_owned() };
        let mut url = Url::parse(&self.config.url).map_err(|_| unusable())?;
        url.path_segments_mut().map_err(|()| unusable())?.pop_if_empty().push("v1").extend(path);
        let request = self.http.request(method, url).bearer_auth(self.config.secret_key.expose_secret());
        Ok(request.header("stripe-version", VERSION))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, StripeError> {
        if !self.breaker.admits() {
            return Err(ClientError::NotSent { provider: NAME, reason: "left alone for a moment".to_owned() }.into());
        }
        let answer = exchange(NAME, request, CALL_LIMIT).await;
        match &answer {
            Err(ClientError::Unknown { .. } | ClientError::NotSent { .. }) => self.breaker.failed(None),
            _ => self.breaker.succeeded(),
        }
        let (status, headers, body) = answer?;
        if !status.is_success() {
            return Err(refusal(status, &headers, &body));
        }
        Ok(serde_json::from_slice(&body).map_err(|_| ClientError::Useless { provider: NAME, reason: "not JSON" })?)
    }
}

/// A code of Stripe's as it may be kept and logged: a word, whatever the answer holds.
fn word(value: &Value) -> Option<String> {
    let word: String = value.as_str()?.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '[' | ']')).take(60).collect();
    Some(word).filter(|word| !word.is_empty())
}

/// What a refusal asks for (PROVIDERS 9, errors).
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> StripeError {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &parsed["error"];
    let code = word(&error["decline_code"]).or_else(|| word(&error["code"])).or_else(|| word(&error["type"]));
    let code = code.unwrap_or_else(|| status.as_u16().to_string());
    let after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let after = after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    // Stripe knows best whether the same call can succeed.
    let again = headers.get("stripe-should-retry").map(|value| value.as_bytes() == b"true");
    let busy = again.unwrap_or(matches!(status.as_u16(), 408 | 409 | 429 | 500..=599)) || error["code"] == "rate_limit";
    if busy {
        return ClientError::Busy { provider: NAME, code, after }.into();
    }
    match status.as_u16() {
        402 => StripeError::Declined(code),
        404 => StripeError::NoSuch { param: word(&error["param"]).unwrap_or_default() },
        _ if error["code"] == "resource_missing" => StripeError::NoSuch { param: word(&error["param"]).unwrap_or_default() },
        400 => StripeError::Refused(code),
        _ => ClientError::Refused { provider: NAME, code }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, error: &str, headers: &[(&'static str, &str)]) -> StripeError {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        refusal(StatusCode::from_u16(status).unwrap(), &headers, format!(r#"{{"error":{error}}}"#).as_bytes())
    }

    #[test]
    fn the_status_and_stripes_own_word_decide_what_follows() {
        let declined = r#"{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}"#;
        assert!(matches!(refused(402, declined, &[]), StripeError::Declined(code) if code == "insufficient_funds"));
        let missing = r#"{"type":"invalid_request_error","code":"resource_missing","param":"customer"}"#;
        assert!(matches!(refused(400, missing, &[]), StripeError::NoSuch { param } if param == "customer"));
        assert!(matches!(refused(404, missing, &[]), StripeError::NoSuch { .. }));
        assert!(matches!(refused(400, r#"{"type":"idempotency_error"}"#, &[]), StripeError::Refused(code) if code == "idempotency_error"));
        assert!(matches!(refused(401, r#"{"type":"invalid_request_error"}"#, &[]), StripeError::Client(ClientError::Refused { .. })));
        for busy in [refused(429, "{}", &[("retry-after", "3")]), refused(503, "{}", &[]), refused(400, r#"{"code":"rate_limit"}"#, &[])] {
            assert!(matches!(busy, StripeError::Client(ClientError::Busy { .. })), "{busy:?}");
        }
        let never = refused(500, r#"{"type":"api_error"}"#, &[("stripe-should-retry", "false")]);
        assert!(matches!(never, StripeError::Client(ClientError::Refused { .. })));
    }

    #[test]
    fn whatever_is_in_a_refusal_stays_a_word() {
        let error = refused(400, &format!(r#"{{"code":"{}"}}"#, "<b>x y</b>".repeat(30)), &[]);
        assert!(matches!(error, StripeError::Refused(code) if code.len() <= 60 && !code.contains('<') && !code.contains(' ')));
        assert!(matches!(refusal(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>"), StripeError::Client(ClientError::Busy { .. })));
    }
}
