//! A lock in Redis, so that many processes do a thing once. It may be lost when it takes too long, so what it guards must bear being done twice.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use uuid::Uuid;

use crate::queue::{Queue, QueueError};

static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"));

/// A lock that is held, until it is released or its time is over.
#[derive(Debug)]
pub struct Lock {
    queue: Queue,
    key: String,
    word: String,
}

/// Takes the lock, if nobody holds it.
///
/// # Errors
/// When Redis is away.
pub async fn take(queue: &Queue, key: &str, lifetime: Duration) -> Result<Option<Lock>, QueueError> {
    let word = Uuid::new_v4().to_string();
    let millis = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
    let mut set = redis::cmd("SET");
    set.arg(key).arg(&word).arg("NX").arg("PX").arg(millis);
    let taken: Option<String> = set.query_async(&mut queue.connection()).await?;
    Ok(taken.map(|_| Lock { queue: queue.clone(), key: key.to_owned(), word }))
}

impl Lock {
    /// Lets the next one take it; if Redis is away, its time runs out by itself.
    pub async fn release(self) {
        let mut call = RELEASE.key(&self.key);
        if let Err(error) = call.arg(&self.word).invoke_async::<i64>(&mut self.queue.connection()).await {
            tracing::debug!(%error, "a lock runs out by itself");
        }
    }
}
