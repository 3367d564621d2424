//! Tokens: got for a code, renewed, revoked (PROVIDERS 6).

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{Google, GoogleError, NAME, read, refusal, retry_after, word};
use crate::clients::{ClientError, exchange};

const TOKEN_LIMIT: Duration = Duration::from_secs(8);

/// What the token endpoint gives.
pub struct Tokens {
    /// For calls.
    pub access: SecretString,
    /// How long it lasts.
    pub lasts: Duration,
    /// By which others are got; at a renewal the old one stays.
    pub refresh: Option<SecretString>,
    /// What was granted: people can untick.
    pub scopes: String,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    scope: String,
}

impl Google {
    /// Exchanges a code, which works once.
    ///
    /// # Errors
    /// [`GoogleError::DeadGrant`] for a code that was used or is too old.
    pub async fn exchange_code(&self, code: &SecretString, verifier: &SecretString) -> Result<Tokens, GoogleError> {
        self.tokens(&[
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("code_verifier", verifier.expose_secret()),
            ("redirect_uri", self.redirect_uri.as_str()),
        ])
        .await
    }

    /// Gets another access token.
    ///
    /// # Errors
    /// [`GoogleError::DeadGrant`] when the refresh token is taken no more: revoked, unused for six months, or one of too many.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Tokens, GoogleError> {
        self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())]).await
    }

    /// Ends what an account has granted us. A token that is dead already is as good.
    ///
    /// # Errors
    /// See [`GoogleError`].
    pub async fn revoke(&self, token: &SecretString) -> Result<(), GoogleError> {
        let request = self.http.post(format!("{}/revoke", self.config.token_url)).form(&[("token", token.expose_secret())]);
        let (status, headers, body) = exchange(NAME, request, TOKEN_LIMIT).await?;
        if status.is_success() || status.as_u16() == 400 { Ok(()) } else { Err(refusal(status, &headers, &body)) }
    }

    async fn tokens(&self, grant: &[(&str, &str)]) -> Result<Tokens, GoogleError> {
        let mut form = vec![("client_id", self.config.client_id.as_str()), ("client_secret", self.config.client_secret.expose_secret())];
        form.extend_from_slice(grant);
        let request = self.http.post(format!("{}/token", self.config.token_url)).form(&form);
        let (status, headers, body) = exchange(NAME, request, TOKEN_LIMIT).await?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), retry_after(&headers), &body));
        }
        let answer: Answer = read(&body)?;
        Ok(Tokens {
            access: answer.access_token.into(),
            lasts: Duration::from_secs(answer.expires_in.min(86_400)),
            refresh: answer.refresh_token.map(Into::into),
            scopes: answer.scope,
        })
    }
}

/// The token endpoint's refusals have a form of their own: `{"error":"invalid_grant"}`.
fn refused(status: u16, after: Option<Duration>, body: &[u8]) -> GoogleError {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = parsed["error"].as_str().map_or_else(|| status.to_string(), word);
    match (status, code.as_str()) {
        (_, "invalid_grant") => GoogleError::DeadGrant,
        (408 | 429 | 500..=599, _) | (_, "internal_failure" | "server_error" | "temporarily_unavailable") => {
            ClientError::Busy { provider: NAME, code, after }.into()
        }
        _ => ClientError::Refused { provider: NAME, code }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_grant_is_told_from_a_bad_moment() {
        let dead = br#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#;
        assert!(matches!(refused(400, None, dead), GoogleError::DeadGrant));
        assert!(matches!(refused(503, None, b"<html>"), GoogleError::Client(ClientError::Busy { .. })));
        assert!(matches!(refused(400, None, br#"{"error":"temporarily_unavailable"}"#), GoogleError::Client(ClientError::Busy { .. })));
        assert!(matches!(refused(401, None, br#"{"error":"invalid_client"}"#), GoogleError::Client(ClientError::Refused { .. })));
    }
}
