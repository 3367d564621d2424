//! Which sessions an account has: for people to look at, and to end one they do not know. What decides is [`Revocations`].

use chrono::{DateTime, Utc};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::revocations::{self, Revocations, RevocationsError};
use super::tokens::Session;
use crate::clock::SharedClock;

/// Sessions listed per account; programs that log in for every call push out those that end first.
const LISTED: isize = 100;
/// Longer than any session lives.
const KEPT_SECONDS: i64 = 13 * 3600;
/// Of what a client says of itself.
const CLIENT_CHARS: usize = 200;

/// A session in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSession {
    /// Its id.
    pub id: Uuid,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// What the client said of itself when it logged in.
    pub client: String,
}

/// The lists, in Redis, one per account.
#[derive(Clone)]
pub struct SessionList {
    redis: ConnectionManager,
    revocations: Revocations,
    clock: SharedClock,
}

impl std::fmt::Debug for SessionList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionList")
    }
}

impl SessionList {
    /// On the process's connection.
    #[must_use]
    pub fn new(redis: ConnectionManager, clock: SharedClock) -> Self {
        Self { revocations: Revocations::new(redis.clone(), clock.clone()), redis, clock }
    }

    /// Adds a session that has just begun.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn add(&self, session: &Session, client: &str) -> Result<(), RevocationsError> {
        let entry = ListedSession {
            id: session.id(),
            began_at: session.issued_at(),
            expires_at: session.expires_at(),
            client: client.chars().filter(|c| !c.is_control()).take(CLIENT_CHARS).collect(),
        };
        let key = key(&session.subject());
        let text = serde_json::to_string(&entry).unwrap_or_default();
        let mut pipe = redis::pipe();
        pipe.atomic().zadd(&key, text, entry.expires_at.timestamp()).ignore();
        pipe.cmd("ZREMRANGEBYSCORE").arg(&key).arg("-inf").arg(self.clock.now().timestamp()).ignore();
        pipe.zremrangebyrank(&key, 0, -LISTED - 1).ignore().expire(&key, KEPT_SECONDS).ignore();
        let mut redis = self.redis.clone();
        revocations::within(async move { pipe.query_async::<()>(&mut redis).await }).await
    }

    /// The account's sessions, the latest first; those that were ended are not among them.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn list(&self, subject: &str) -> Result<Vec<ListedSession>, RevocationsError> {
        let (mut redis, key, now) = (self.redis.clone(), key(subject), self.clock.now().timestamp());
        let texts: Vec<String> = revocations::within(async move { redis.zrangebyscore(key, format!("({now}"), "+inf").await }).await?;
        let listed: Vec<ListedSession> = texts.iter().rev().filter_map(|text| serde_json::from_str(text).ok()).collect();
        let ended = self.revocations.all_revoked(subject, listed.iter().map(|session| (session.id, session.began_at))).await?;
        Ok(listed.into_iter().zip(ended).filter_map(|(session, ended)| (!ended).then_some(session)).collect())
    }
}

fn key(subject: &str) -> String {
    format!("fd:sessions:{{auth}}:{subject}")
}
