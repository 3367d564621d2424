//! The last exchanges of a conversation, for the prompt. Redis may lose them: Postgres has them all.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::Script;
use serde::{Deserialize, Serialize};

use crate::ids::ConversationId;
use crate::queue::{Queue, QueueError};
use crate::tenancy::ShopScope;

/// Exchanges kept per conversation.
pub const KEPT: usize = 10;
/// A net far beyond the archiving, which removes a conversation after a day of silence.
const NET: Duration = Duration::from_hours(8 * 24);
static ARCHIVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("memory/archive.lua")));

/// A session that has been silent, as it lay in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// Whose.
    pub conversation: ConversationId,
    /// Its exchanges, the oldest first; `None` if Redis has lost them, or people have spoken meanwhile: Postgres has what was said.
    pub exchanges: Option<Vec<Exchange>>,
    activity: String,
    raw: Vec<Vec<u8>>,
}

/// What a customer said, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The customer's words.
    pub customer: String,
    /// The reply.
    pub reply: String,
    /// When it was answered, Unix milliseconds.
    pub at_ms: i64,
}

fn key(scope: &ShopScope, conversation: ConversationId) -> String {
    format!("fd:memory:{}:{conversation}", scope.shop())
}

/// A shop's conversations by their last activity, Unix milliseconds.
fn activity(scope: &ShopScope) -> String {
    format!("fd:memory:activity:{}", scope.shop())
}

/// An entry that cannot be read is one of another time: all are rebuilt. The first entry only marks that the memory is there.
fn read(raw: &[Vec<u8>]) -> Option<Vec<Exchange>> {
    if raw.is_empty() {
        return None;
    }
    let newest = raw.len().saturating_sub(KEPT).max(1);
    raw.iter().skip(newest).map(|entry| serde_json::from_slice(entry).ok()).collect()
}

/// The memory, as one process sees it.
#[derive(Debug, Clone)]
pub struct Memory {
    queue: Queue,
}

impl Memory {
    /// The memory in this Redis.
    #[must_use]
    pub fn new(queue: &Queue) -> Self {
        Self { queue: queue.clone() }
    }

    /// The last exchanges, the oldest first; `None` when Redis has none: rebuild them from Postgres and [`replace`](Self::replace) them.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn load(&self, scope: &ShopScope, conversation: ConversationId) -> Result<Option<Vec<Exchange>>, QueueError> {
        let key = key(scope, conversation);
        let raw: Vec<Vec<u8>> = redis::cmd("LRANGE").arg(key).arg(0).arg(-1).query_async(&mut self.queue.connection()).await?;
        Ok(read(&raw))
    }

    /// Some of the shop's sessions in which nothing was said since an instant, those that are silent longest first.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn silent_since(&self, scope: &ShopScope, since: DateTime<Utc>, most: usize) -> Result<Vec<Silent>, QueueError> {
        let mut conn = self.queue.connection();
        let mut range = redis::cmd("ZRANGEBYSCORE");
        range.arg(activity(scope)).arg("-inf").arg(since.timestamp_millis()).arg("WITHSCORES").arg("LIMIT").arg(0).arg(most);
        let found: Vec<(i64, String)> = range.query_async(&mut conn).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut look = redis::pipe();
        for (conversation, _) in &found {
            look.cmd("LRANGE").arg(key(scope, ConversationId(*conversation))).arg(0).arg(-1);
        }
        let entries: Vec<Vec<Vec<u8>>> = look.query_async(&mut conn).await?;
        let silent = found.into_iter().zip(entries).map(|((conversation, activity), raw)| {
            let exchanges = read(&raw);
            Silent { conversation: ConversationId(conversation), exchanges, activity, raw }
        });
        Ok(silent.collect())
    }

    /// Removes a silent session that Postgres has, unless anything was said since; says whether it is gone.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn remove(&self, scope: &ShopScope, silent: &Silent) -> Result<bool, QueueError> {
        let mut call = ARCHIVE.key(activity(scope));
        call.key(key(scope, silent.conversation)).arg(silent.conversation.0).arg(&silent.activity);
        for entry in &silent.raw {
            call.arg(entry);
        }
        Ok(call.invoke_async::<u8>(&mut self.queue.connection()).await? == 1)
    }

    /// Adds an exchange to a memory that is there; one that Redis has lost stays lost until it is replaced, so that it is never half there.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn append(&self, scope: &ShopScope, conversation: ConversationId, exchange: &Exchange) -> Result<(), QueueError> {
        let key = key(scope, conversation);
        let mut all = redis::pipe();
        all.atomic().cmd("RPUSHX").arg(&key).arg(serde_json::to_vec(exchange)?).ignore();
        self.keep(&mut all, scope, conversation, exchange.at_ms);
        let (length,): (usize,) = all.cmd("LLEN").arg(&key).query_async(&mut self.queue.connection()).await?;
        if length > KEPT + 1 {
            let mut trim = redis::pipe();
            let from = -i64::try_from(KEPT).unwrap_or(10);
            trim.atomic().cmd("LTRIM").arg(&key).arg(from).arg(-1).ignore().cmd("LPUSH").arg(&key).arg("").ignore();
            trim.query_async::<()>(&mut self.queue.connection()).await?;
        }
        Ok(())
    }

    /// Sets the memory; only the last [`KEPT`] are kept. An empty one is remembered as empty.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn replace(&self, scope: &ShopScope, conversation: ConversationId, exchanges: &[Exchange]) -> Result<(), QueueError> {
        let key = key(scope, conversation);
        let mut all = redis::pipe();
        all.atomic().cmd("DEL").arg(&key).ignore().cmd("RPUSH").arg(&key).arg("").ignore();
        for exchange in exchanges.iter().skip(exchanges.len().saturating_sub(KEPT)) {
            all.cmd("RPUSH").arg(&key).arg(serde_json::to_vec(exchange)?).ignore();
        }
        self.keep(&mut all, scope, conversation, exchanges.last().map_or(0, |exchange| exchange.at_ms));
        all.query_async::<()>(&mut self.queue.connection()).await?;
        Ok(())
    }

    /// Forgets the exchanges, to be rebuilt from Postgres: others have spoken meanwhile.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn forget(&self, scope: &ShopScope, conversation: ConversationId) -> Result<(), QueueError> {
        Ok(redis::cmd("DEL").arg(key(scope, conversation)).query_async(&mut self.queue.connection()).await?)
    }

    fn keep(&self, all: &mut redis::Pipeline, scope: &ShopScope, conversation: ConversationId, at_ms: i64) {
        all.cmd("EXPIRE").arg(key(scope, conversation)).arg(NET.as_secs()).ignore();
        all.cmd("ZADD").arg(activity(scope)).arg(at_ms).arg(conversation.0).ignore();
        // What the archiving missed for two nets' time is no longer there to be archived.
        let old = at_ms.saturating_sub(i64::try_from(NET.as_millis() * 2).unwrap_or(i64::MAX));
        all.cmd("ZREMRANGEBYSCORE").arg(activity(scope)).arg("-inf").arg(old).ignore();
    }
}
