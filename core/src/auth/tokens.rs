//! Session tokens: JWT (RFC 7519) signed with HS256 alone. A [`Session`] exists only by verification of one.

use std::collections::HashSet;

use chrono::{DateTime, Duration, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::roles::Role;
use crate::clock::SharedClock;
use crate::ids::{AdminId, ShopId, UserId};

const ISSUER: &str = "frontdesk";
const AUDIENCE: &str = "frontdesk-api";
/// Half a day: a working day with one log-in.
const LIFETIME: Duration = TimeDelta::hours(12);
/// Replicas' clocks may differ by this much; it concerns `iat` and `nbf`, never `exp`.
const SKEW: Duration = TimeDelta::seconds(60);
/// Ours have about 300 bytes; nothing longer is parsed.
const LONGEST_TOKEN: usize = 2048;

/// Who is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A user of a shop.
    User {
        /// The user.
        id: UserId,
        /// The shop, by its number; a scope comes of the session (`ShopScope::from_session`).
        shop: ShopId,
        /// The role.
        role: Role,
    },
    /// A platform administrator, who belongs to no shop.
    Admin {
        /// The administrator.
        id: AdminId,
    },
}

/// A verified session. It cannot be made but by [`Tokens::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    who: Who,
    id: Uuid,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Session {
    /// Who is logged in.
    #[must_use]
    pub fn who(&self) -> Who {
        self.who
    }

    /// The session's own id (`jti`), under which it is revoked.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When it began.
    #[must_use]
    pub fn issued_at(&self) -> DateTime<Utc> {
        self.issued_at
    }

    /// When it ends by itself.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// The account, `user:12` or `admin:3`.
    #[must_use]
    pub fn subject(&self) -> String {
        subject(self.who)
    }
}

/// Why a token is not a session. To the outside all are one: 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not a token of ours, or changed.
    #[error("the token is not ours")]
    Invalid,
    /// Past its time.
    #[error("the token has expired")]
    Expired,
    /// The token could not be made.
    #[error("the token could not be signed")]
    Unsigned,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shop: Option<ShopId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    jti: Uuid,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
}

/// Makes and verifies tokens.
#[derive(Clone)]
pub struct Tokens {
    sign: EncodingKey,
    verify: Vec<DecodingKey>,
    clock: SharedClock,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("keys", &self.verify.len()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// The first secret signs, all verify. `None` without any secret.
    #[must_use]
    pub fn new(secrets: &[SecretString], clock: SharedClock) -> Option<Self> {
        let sign = EncodingKey::from_secret(secrets.first()?.expose_secret().as_bytes());
        let verify = secrets.iter().map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes())).collect();
        Some(Self { sign, verify, clock })
    }

    /// Makes a token for `who`, good for twelve hours, and tells when it ends. Call it only after a password was checked.
    ///
    /// # Errors
    /// When it cannot be signed, which does not happen with a proper key.
    pub fn issue(&self, who: Who) -> Result<(SecretString, DateTime<Utc>), SessionError> {
        let now = self.clock.now();
        let expires_at = now + LIFETIME;
        let (shop, role) = match who {
            Who::User { shop, role, .. } => (Some(shop), Some(role)),
            Who::Admin { .. } => (None, None),
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject(who),
            shop,
            role,
            jti: Uuid::new_v4(),
            iat: now.timestamp(),
            nbf: None,
            exp: expires_at.timestamp(),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.sign).map_err(|_| SessionError::Unsigned)?;
        Ok((token.into(), expires_at))
    }

    /// Verifies a token: signature by any of our secrets with HS256, issuer, audience, times, and a subject that makes sense. Whether it was
    /// revoked is asked of [`super::Revocations`].
    ///
    /// # Errors
    /// When it is anything but a valid token of ours.
    pub fn verify(&self, token: &str) -> Result<Session, SessionError> {
        if token.len() > LONGEST_TOKEN {
            return Err(SessionError::Invalid);
        }
        let rules = rules();
        let claims = self.verify.iter().find_map(|key| decode::<Claims>(token, key, &rules).ok()).ok_or(SessionError::Invalid)?.claims;
        let now = self.clock.now();
        let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(SessionError::Invalid);
        let (issued_at, expires_at) = (at(claims.iat)?, at(claims.exp)?);
        let not_before = claims.nbf.map_or(Ok(issued_at), at)?;
        if expires_at <= now {
            return Err(SessionError::Expired);
        }
        if issued_at > now + SKEW || not_before > now + SKEW {
            return Err(SessionError::Invalid);
        }
        Ok(Session { who: read_who(&claims)?, id: claims.jti, issued_at, expires_at })
    }
}

/// The times are checked by our own clock.
fn rules() -> Validation {
    let mut rules = Validation::new(Algorithm::HS256);
    rules.algorithms = vec![Algorithm::HS256];
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.required_spec_claims = HashSet::from(["iss", "aud", "sub", "exp"].map(str::to_owned));
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules
}

fn subject(who: Who) -> String {
    match who {
        Who::User { id, .. } => format!("user:{id}"),
        Who::Admin { id } => format!("admin:{id}"),
    }
}

fn read_who(claims: &Claims) -> Result<Who, SessionError> {
    match (claims.sub.split_once(':'), claims.shop, claims.role) {
        (Some(("user", id)), Some(shop), Some(role)) => Ok(Who::User { id: id.parse().map_err(|_| SessionError::Invalid)?, shop, role }),
        (Some(("admin", id)), None, None) => Ok(Who::Admin { id: id.parse().map_err(|_| SessionError::Invalid)? }),
        _ => Err(SessionError::Invalid),
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
