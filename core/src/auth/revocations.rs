//! Which sessions ended before their time: a log-out names one, a change of role or password names all of an account.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use uuid::Uuid;

use super::tokens::Session;
use crate::clock::SharedClock;

/// A session lives twelve hours at most; after that nothing needs to be remembered.
const ACCOUNT_SECONDS: u64 = 13 * 3600;
/// A request waits no longer for Redis than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Redis could not be asked. The caller must refuse: who cannot see that a session was revoked must not let it in.
#[derive(Debug, thiserror::Error)]
#[error("revoked sessions cannot be looked up")]
pub struct RevocationsError(#[source] Option<redis::RedisError>);

/// The list, in Redis, so that every replica sees a log-out at once.
#[derive(Clone)]
pub struct Revocations {
    redis: ConnectionManager,
    clock: SharedClock,
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Revocations")
    }
}

impl Revocations {
    /// On the process's connection.
    #[must_use]
    pub fn new(redis: ConnectionManager, clock: SharedClock) -> Self {
        Self { redis, clock }
    }

    /// Ends one session. Kept until it would have ended by itself.
    ///
    /// # Errors
    /// When Redis is away: the session is then still alive.
    pub async fn revoke(&self, session: Uuid, expires_at: DateTime<Utc>) -> Result<(), RevocationsError> {
        let left = u64::try_from((expires_at - self.clock.now()).num_seconds()).unwrap_or(0) + 60;
        let mut redis = self.redis.clone();
        within(async move { redis.set_ex::<_, _, ()>(session_key(session), 1, left).await }).await
    }

    /// Ends every session of an account (`user:12`) that began up to `until`: for a changed role or password.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn revoke_account(&self, subject: &str, until: DateTime<Utc>) -> Result<(), RevocationsError> {
        let mut redis = self.redis.clone();
        within(async move { redis.set_ex::<_, _, ()>(account_key(subject), until.timestamp(), ACCOUNT_SECONDS).await }).await
    }

    /// Whether the session was ended before its time.
    ///
    /// # Errors
    /// When Redis is away; refuse the request then.
    pub async fn revoked(&self, session: &Session) -> Result<bool, RevocationsError> {
        let revoked = self.all_revoked(&session.subject(), std::iter::once((session.id(), session.issued_at()))).await?;
        Ok(revoked != [false])
    }

    /// The same for sessions of one account, each by its id and when it began.
    pub(super) async fn all_revoked(
        &self,
        subject: &str,
        sessions: impl Iterator<Item = (Uuid, DateTime<Utc>)>,
    ) -> Result<Vec<bool>, RevocationsError> {
        let (mut keys, mut began) = (vec![account_key(subject)], Vec::new());
        for (id, began_at) in sessions {
            keys.push(session_key(id));
            began.push(began_at.timestamp());
        }
        let mut redis = self.redis.clone();
        let found: Vec<Option<i64>> = within(async move { redis.mget(&keys).await }).await?;
        let all_until = found.first().copied().flatten();
        let ended = |(one, began): (&Option<i64>, i64)| one.is_some() || all_until.is_some_and(|until| began <= until);
        Ok(found.iter().skip(1).zip(began).map(ended).collect())
    }
}

fn session_key(session: Uuid) -> String {
    format!("fd:revoked:{{auth}}:{session}")
}

fn account_key(subject: &str) -> String {
    format!("fd:revoked:{{auth}}:{subject}")
}

pub(super) async fn within<T>(work: impl Future<Output = redis::RedisResult<T>>) -> Result<T, RevocationsError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(answer) => answer.map_err(|error| RevocationsError(Some(error))),
        Err(_) => Err(RevocationsError(None)),
    }
}
