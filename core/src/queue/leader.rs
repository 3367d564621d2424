//! One leader among replicas: a lock in Redis with a term, renewed on a connection of its own.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::Script;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Queue, QueueError};

static LEAD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/lead.lua")));
static ABDICATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/abdicate.lua")));

/// How long a leadership lasts, and how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    /// How long it lasts unrenewed.
    pub lifetime: Duration,
    /// How often it is renewed, or asked for.
    pub every: Duration,
    /// Unrenewed for this long, a leader stops before its time runs out.
    pub stop_after: Duration,
}

impl Default for Leadership {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(5), every: Duration::from_secs(1), stop_after: Duration::from_secs(4) }
    }
}

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leads {
    /// The process.
    pub process: String,
    /// Since when, by Redis's clock.
    pub since: DateTime<Utc>,
}

/// A leadership; it ends when this is dropped or [`abdicate`](Self::abdicate)d, or when it cannot be renewed.
#[derive(Debug)]
pub struct Leader {
    queue: Queue,
    prefix: String,
    /// Larger than that of every leader before.
    pub term: i64,
    /// Cancelled when the leadership is lost: stop at once.
    pub lost: CancellationToken,
}

fn config() -> redis::AsyncConnectionConfig {
    let within = Some(Duration::from_secs(2));
    redis::AsyncConnectionConfig::new().set_connection_timeout(within).set_response_timeout(within)
}

async fn lead(queue: &Queue, conn: &mut Option<MultiplexedConnection>, prefix: &str, lifetime: Duration) -> redis::RedisResult<i64> {
    let open = match conn {
        Some(open) => open,
        None => conn.insert(queue.inner.client.get_multiplexed_async_connection_with_config(&config()).await?),
    };
    let term = LEAD.key(prefix).arg(queue.process()).arg(lifetime.as_millis() as u64).invoke_async(open).await;
    if term.is_err() {
        *conn = None;
    }
    term
}

impl Queue {
    /// Waits until this process leads `what`. Trouble with Redis only delays.
    pub async fn lead(&self, what: &str) -> Leader {
        self.lead_with(what, Leadership::default()).await
    }

    /// As [`lead`](Self::lead), with times of the caller's.
    pub async fn lead_with(&self, what: &str, times: Leadership) -> Leader {
        let prefix = prefix(what);
        let mut conn = None;
        loop {
            let asked = Instant::now();
            match lead(self, &mut conn, &prefix, times.lifetime).await {
                Ok(0) => {}
                Ok(term) => {
                    let lost = CancellationToken::new();
                    let held = Held { prefix: prefix.clone(), term, times };
                    tokio::spawn(renew(self.clone(), conn, held, asked, lost.clone()));
                    return Leader { queue: self.clone(), prefix, term, lost };
                }
                Err(error) => tracing::warn!(what, %error, "cannot ask for the leadership; trying again"),
            }
            tokio::time::sleep(times.every).await;
        }
    }

    /// Who leads `what` now.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn leads(&self, what: &str) -> Result<Option<Leads>, QueueError> {
        let prefix = prefix(what);
        let mut get = redis::cmd("MGET");
        get.arg(format!("{prefix}holder")).arg(format!("{prefix}since"));
        let (holder, since): (Option<String>, Option<i64>) = get.query_async(&mut self.connection()).await?;
        let since = since.and_then(|since| DateTime::from_timestamp(since, 0));
        Ok(holder.zip(since).map(|(process, since)| Leads { process, since }))
    }
}

fn prefix(what: &str) -> String {
    format!("{{fd:leader:{what}}}:")
}

/// What is renewed.
struct Held {
    prefix: String,
    term: i64,
    times: Leadership,
}

async fn renew(queue: Queue, mut conn: Option<MultiplexedConnection>, held: Held, mut renewed: Instant, lost: CancellationToken) {
    let Held { prefix, term, times: Leadership { lifetime, every, stop_after } } = held;
    loop {
        tokio::select! {
            () = lost.cancelled() => return,
            () = tokio::time::sleep(every) => {}
            () = tokio::time::sleep_until(renewed + stop_after) => return lost.cancel(),
        }
        let asked = Instant::now();
        let answer = tokio::select! {
            () = lost.cancelled() => return,
            () = tokio::time::sleep_until(renewed + stop_after) => return lost.cancel(),
            answer = lead(&queue, &mut conn, &prefix, lifetime) => answer,
        };
        match answer {
            Ok(same) if same == term => renewed = asked,
            Ok(_) => return lost.cancel(),
            Err(error) => tracing::warn!(%error, "the leadership was not renewed; trying again"),
        }
    }
}

impl Leader {
    /// Lets the next one lead at once.
    ///
    /// # Errors
    /// When Redis is away; the leadership then runs out by itself.
    pub async fn abdicate(self) -> Result<(), QueueError> {
        self.lost.cancel();
        let mut call = ABDICATE.key(&self.prefix);
        call.arg(self.queue.process()).invoke_async::<()>(&mut self.queue.connection()).await?;
        Ok(())
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.lost.cancel();
    }
}
