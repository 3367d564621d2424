//! What ingress and workers agree on about Google: scopes, where Google sends people back to, connecting under way, the tokens of watch channels, the
//! ids of events.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use redis::aio::ConnectionManager;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::ids::{AppointmentId, ShopId, UserId};
use crate::secrets::{SealContext, Sealer, SecretError};
use crate::tenancy::ShopScope;

/// Events of calendars, ours and others': reading, writing, watching.
pub const EVENTS_SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
/// Which calendars there are.
pub const LIST_SCOPE: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
/// Spreadsheets that we made ourselves, and no others.
pub const FILES_SCOPE: &str = "https://www.googleapis.com/auth/drive.file";
/// What is asked for: the least that does the work (PROVIDERS 6).
pub const SCOPES: [&str; 3] = [EVENTS_SCOPE, LIST_SCOPE, FILES_SCOPE];
/// What appointments cannot do without; people can untick scopes.
pub const NEEDED_SCOPES: [&str; 2] = [EVENTS_SCOPE, LIST_SCOPE];

/// Where Google sends people back to. It must be registered with the OAuth client, letter by letter.
#[must_use]
pub fn redirect_uri(public_url: &Url) -> String {
    format!("{}/integrations/google/callback", public_url.as_str().trim_end_matches('/'))
}

/// How long one may take on Google's consent screen.
pub const ATTEMPT_SECONDS: u64 = 600;
/// A request waits no longer for Redis than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connecting that has begun: who may end it, and the secret of its PKCE (RFC 7636).
#[derive(Clone, Serialize, Deserialize)]
pub struct Attempt {
    shop: ShopId,
    /// Who began it.
    pub user: UserId,
    verifier: String,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("shop", &self.shop).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Attempt {
    /// One of a user, with a fresh verifier.
    #[must_use]
    pub fn new(scope: &ShopScope, user: UserId) -> Self {
        Self { shop: scope.shop(), user, verifier: random_text() }
    }

    /// The shop's scope: only a session could begin an attempt, and only we can seal one.
    #[must_use]
    pub fn scope(&self) -> ShopScope {
        ShopScope::new(self.shop)
    }

    /// For the token endpoint.
    #[must_use]
    pub fn verifier(&self) -> SecretString {
        self.verifier.clone().into()
    }

    /// For the consent screen: RFC 7636 4.2, `S256`.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

/// 256 random bits as 43 characters that are safe in addresses.
#[must_use]
pub fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// Why an attempt could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// Redis is away.
    #[error("redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// Redis does not answer in time.
    #[error("redis does not answer")]
    Slow,
    /// It cannot be sealed.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Attempts, in Redis, each for ten minutes and for one use. The key is a hash of the state, so that who reads Redis cannot end one.
#[derive(Clone)]
pub struct Attempts {
    redis: ConnectionManager,
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempts")
    }
}

fn attempt_key(state: &str) -> String {
    format!("fd:google:attempt:{}", hex::encode(Sha256::digest(state.as_bytes())))
}

impl Attempts {
    /// On the process's connection.
    #[must_use]
    pub fn new(redis: ConnectionManager) -> Self {
        Self { redis }
    }

    /// Keeps an attempt and answers the state that leads to it.
    ///
    /// # Errors
    /// See [`AttemptError`].
    pub async fn begin(&self, sealer: &Sealer, attempt: &Attempt) -> Result<String, AttemptError> {
        let state = random_text();
        let text = serde_json::to_string(attempt).map_err(|_| SecretError::Unsealable)?;
        let sealed = sealer.seal(&text.into(), &SealContext::google_attempt())?;
        let mut set = redis::cmd("SET");
        set.arg(attempt_key(&state)).arg(sealed).arg("EX").arg(ATTEMPT_SECONDS);
        let mut redis = self.redis.clone();
        let () = tokio::time::timeout(PATIENCE, set.query_async(&mut redis)).await.map_err(|_| AttemptError::Slow)??;
        Ok(state)
    }

    /// The attempt of a state, which is used up by that; `None` if there is none, or it is too old.
    ///
    /// # Errors
    /// See [`AttemptError`].
    pub async fn take(&self, sealer: &Sealer, state: &str) -> Result<Option<Attempt>, AttemptError> {
        let mut get = redis::cmd("GETDEL");
        get.arg(attempt_key(state));
        let mut redis = self.redis.clone();
        let sealed: Option<String> =
            tokio::time::timeout(PATIENCE, get.query_async(&mut redis)).await.map_err(|_| AttemptError::Slow)??;
        let opened = sealed.and_then(|sealed| sealer.open(&sealed, &SealContext::google_attempt()).ok());
        Ok(opened.and_then(|text| serde_json::from_str(text.expose_secret()).ok()))
    }
}

/// What Google says with every notification of a watch channel: sealed, so that only we can have made it, and nothing need be looked up.
///
/// # Errors
/// See [`SecretError`].
pub fn watch_token(sealer: &Sealer, scope: &ShopScope, channel: &str) -> Result<SecretString, SecretError> {
    Ok(sealer.seal(&scope.shop().to_string().into(), &SealContext::google_watch(channel))?.into())
}

/// Whose calendar a notification is about; `None` if its token is none of ours, or another channel's. The comparison is the cipher's own, in constant
/// time.
#[must_use]
pub fn watched_by(sealer: &Sealer, channel: &str, token: &str) -> Option<ShopScope> {
    let shop = sealer.open(token, &SealContext::google_watch(channel)).ok()?;
    shop.expose_secret().parse().ok().map(ShopScope::new)
}

/// The id under which an appointment stands at Google, always the same: any number of tries makes one event. Base32hex in lower case, as Google demands
/// (PROVIDERS 7); when it was booked is part of it, so that another installation's appointment of the same number is another event.
#[must_use]
pub fn event_id(shop: ShopId, appointment: AppointmentId, booked_at: DateTime<Utc>) -> String {
    let digest = Sha256::digest(format!("frontdesk:{shop}:{appointment}:{}", booked_at.timestamp_micros()).as_bytes());
    format!("fd{}", base32hex(&digest[..20]))
}

/// RFC 4648 section 7, lower case, without padding.
fn base32hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(DIGITS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(DIGITS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&"k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()).unwrap()
    }

    /// RFC 4648, 10: the vectors of base32hex.
    #[test]
    fn base32hex_is_the_standards() {
        for (bytes, text) in
            [("f", "co"), ("fo", "cpng"), ("foo", "cpnmu"), ("foob", "cpnmuog"), ("fooba", "cpnmuoj1"), ("foobar", "cpnmuoj1e8")]
        {
            assert_eq!(base32hex(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn an_event_has_one_id_that_google_takes_and_no_other_appointment_has() {
        let at = DateTime::UNIX_EPOCH;
        let id = event_id(ShopId(3), AppointmentId(77), at);
        assert_eq!(id, event_id(ShopId(3), AppointmentId(77), at));
        assert!((5..=1024).contains(&id.len()) && id.bytes().all(|b| matches!(b, b'a'..=b'v' | b'0'..=b'9')), "{id}");
        let others = [
            event_id(ShopId(37), AppointmentId(7), at),
            event_id(ShopId(3), AppointmentId(78), at),
            event_id(ShopId(3), AppointmentId(77), at + chrono::TimeDelta::seconds(1)),
        ];
        assert!(!others.contains(&id));
    }

    #[test]
    fn a_notification_is_believed_by_its_own_channels_token_alone() {
        let token = watch_token(&sealer(), &ShopScope::new(ShopId(12)), "channel-1").unwrap();
        assert_eq!(watched_by(&sealer(), "channel-1", token.expose_secret()).map(|scope| scope.shop()), Some(ShopId(12)));
        assert_eq!(watched_by(&sealer(), "channel-2", token.expose_secret()), None);
        assert_eq!(watched_by(&sealer(), "channel-1", &format!("{}x", token.expose_secret())), None);
        assert_eq!(watched_by(&sealer(), "channel-1", ""), None);
        assert!(token.expose_secret().len() <= 256, "Google's bound");
    }

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_verifiers() {
        let mut attempt = Attempt::new(&ShopScope::new(ShopId(1)), UserId(2));
        assert!((43..=128).contains(&attempt.verifier.len()));
        attempt.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
