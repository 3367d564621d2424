//! Links in e-mails that let somebody set a password or confirm an address: sealed, so that nobody can make or read one, and bound to what they change,
//! so that each works once. Nothing is stored.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::UserId;
use crate::secrets::{SealContext, Sealer, SecretError};

/// What a link is for, and how long it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Somebody forgot their password: an hour.
    ResetPassword,
    /// Somebody was invited to a team and chooses a password: a week.
    JoinTeam,
    /// Somebody opened a shop and shows that the address is theirs: a week.
    ConfirmEmail,
}

impl LinkPurpose {
    /// How long it works.
    #[must_use]
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::ResetPassword => TimeDelta::hours(1),
            Self::JoinTeam | Self::ConfirmEmail => TimeDelta::days(7),
        }
    }

    /// Whether it sets a password.
    #[must_use]
    pub const fn sets_password(self) -> bool {
        matches!(self, Self::ResetPassword | Self::JoinTeam)
    }
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whose it is.
    pub user: UserId,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// The fingerprint of what it changes or confirms: the password hash that stands, or the e-mail.
    pub bound_to: String,
    until: i64,
}

impl Link {
    /// A link for somebody of whom this stands now.
    #[must_use]
    pub fn new(user: UserId, purpose: LinkPurpose, standing: &str, now: DateTime<Utc>) -> Self {
        Self { user, purpose, bound_to: fingerprint(standing), until: (now + purpose.lifetime()).timestamp() }
    }

    /// As text for an address.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn seal(&self, sealer: &Sealer) -> Result<SecretString, SecretError> {
        let text = serde_json::to_string(self).map_err(|_| SecretError::Unsealable)?;
        Ok(sealer.seal(&text.into(), &SealContext::link())?.into())
    }

    /// Reads it back; `None` if it is none of ours, altered, or past its time.
    #[must_use]
    pub fn open(sealer: &Sealer, sealed: &SecretString, now: DateTime<Utc>) -> Option<Self> {
        let text = sealer.open(sealed.expose_secret(), &SealContext::link()).ok()?;
        let link: Self = serde_json::from_str(text.expose_secret()).ok()?;
        (now.timestamp() < link.until).then_some(link)
    }
}

/// As Postgres computes it: `encode(sha256(convert_to(standing, 'UTF8')), 'hex')`.
fn fingerprint(standing: &str) -> String {
    hex::encode(Sha256::digest(standing.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(key: u8) -> Sealer {
        use base64::Engine as _;
        let key = base64::engine::general_purpose::STANDARD.encode([key; 32]);
        Sealer::new(&format!("k1:{key}").into()).unwrap()
    }

    #[test]
    fn a_link_opens_until_its_time_and_nowhere_else() {
        let now = DateTime::UNIX_EPOCH;
        let link = Link::new(UserId(7), LinkPurpose::ResetPassword, "$2b$12$hash", now);
        let sealed = link.seal(&sealer(1)).unwrap();
        let last = now + TimeDelta::minutes(59);
        assert_eq!(Link::open(&sealer(1), &sealed, last), Some(link));
        assert_eq!(Link::open(&sealer(1), &sealed, now + TimeDelta::hours(1)), None);
        assert_eq!(Link::open(&sealer(2), &sealed, last), None);
        let altered = format!("{}A", sealed.expose_secret());
        assert_eq!(Link::open(&sealer(1), &altered.into(), last), None);
    }
}
