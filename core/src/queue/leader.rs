//! One leader among replicas: a lock in Redis with a term, renewed on a connection of its own.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use redis::aio::MultiplexedConnection;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Queue, QueueError};

static LEAD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/lead.lua")));
static FIRED: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/fired.lua")));
static ABDICATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/abdicate.lua")));

/// How long a leadership lasts unrenewed.
const LIFETIME: Duration = Duration::from_secs(5);
/// How often it is renewed, or asked for.
const EVERY: Duration = Duration::from_secs(1);
/// Unrenewed for this long, a leader stops before its time runs out.
const STOP_AFTER: Duration = Duration::from_secs(4);

/// A leadership; it ends when this is dropped or [`abdicate`](Self::abdicate)d, or when it cannot be renewed.
#[derive(Debug)]
pub struct Leader {
    queue: Queue,
    prefix: String,
    term: i64,
    /// Cancelled when the leadership is lost: stop at once.
    pub lost: CancellationToken,
}

fn config() -> redis::AsyncConnectionConfig {
    let within = Some(Duration::from_secs(2));
    redis::AsyncConnectionConfig::new().set_connection_timeout(within).set_response_timeout(within)
}

async fn lead(queue: &Queue, conn: &mut Option<MultiplexedConnection>, prefix: &str) -> redis::RedisResult<i64> {
    let open = match conn {
        Some(open) => open,
        None => conn.insert(queue.inner.client.get_multiplexed_async_connection_with_config(&config()).await?),
    };
    let lifetime = LIFETIME.as_millis() as u64;
    let term = LEAD.key(prefix).arg(queue.process()).arg(lifetime).invoke_async(open).await;
    if term.is_err() {
        *conn = None;
    }
    term
}

impl Queue {
    /// Waits until this process leads `what`. Trouble with Redis only delays.
    pub async fn lead(&self, what: &str) -> Leader {
        let prefix = format!("{{fd:leader:{what}}}:");
        let mut conn = None;
        loop {
            let asked = Instant::now();
            match lead(self, &mut conn, &prefix).await {
                Ok(0) => {}
                Ok(term) => {
                    let lost = CancellationToken::new();
                    tokio::spawn(renew(self.clone(), conn, prefix.clone(), term, asked, lost.clone()));
                    return Leader { queue: self.clone(), prefix, term, lost };
                }
                Err(error) => tracing::warn!(what, %error, "cannot ask for the leadership; trying again"),
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

async fn renew(
    queue: Queue,
    mut conn: Option<MultiplexedConnection>,
    prefix: String,
    term: i64,
    mut renewed: Instant,
    lost: CancellationToken,
) {
    loop {
        tokio::select! {
            () = lost.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
            () = tokio::time::sleep_until(renewed + STOP_AFTER) => return lost.cancel(),
        }
        let asked = Instant::now();
        let answer = tokio::select! {
            () = lost.cancelled() => return,
            () = tokio::time::sleep_until(renewed + STOP_AFTER) => return lost.cancel(),
            answer = lead(&queue, &mut conn, &prefix) => answer,
        };
        match answer {
            Ok(same) if same == term => renewed = asked,
            Ok(_) => return lost.cancel(),
            Err(error) => tracing::warn!(%error, "the leadership was not renewed; trying again"),
        }
    }
}

impl Leader {
    /// When `name` was last fired, Unix milliseconds.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn last_fired(&self, name: &str) -> Result<Option<i64>, QueueError> {
        let key = format!("{}fired", self.prefix);
        Ok(redis::cmd("HGET").arg(key).arg(name).query_async(&mut self.queue.connection()).await?)
    }

    /// Notes that `name` was fired for `at_ms`; false if another leads by now.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn note_fired(&self, name: &str, at_ms: i64) -> Result<bool, QueueError> {
        let mut call = FIRED.key(&self.prefix);
        call.arg(self.queue.process()).arg(self.term).arg(name).arg(at_ms);
        Ok(call.invoke_async::<u8>(&mut self.queue.connection()).await? == 1)
    }

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
