//! Dead letters, statistics and the sweep: what operations see of a queue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::FromRedisValue;
use serde::Serialize;
use serde_json::value::RawValue;

use super::scripts::{DISCARD, REDRIVE, STATS, SWEEP, on, prefix};
use super::{JobId, Queue, QueueError};
use crate::ids::ShopId;
use crate::jobs::JobName;

/// How long a dead letter is kept.
const DEAD_FOR: Duration = Duration::from_hours(14 * 24);
/// Dead letters that go per call of the script.
const CHUNK: usize = 200;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Ready,
    /// Waits until it is due.
    Delayed,
    /// Runs.
    Running,
    /// Was given up.
    Dead,
    /// Is finished, or never was.
    Gone,
}

/// A queue at a glance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Jobs that wait for a worker.
    pub ready: u64,
    /// Jobs that wait until they are due.
    pub delayed: u64,
    /// Jobs that run.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// Of the ready ones, those that wait to run alone.
    pub alone: u64,
    /// How long the oldest ready job has waited, in milliseconds (of the first 100 groups).
    pub oldest_ready_ms: u64,
    /// Processes that serve the queue.
    pub processes: u64,
    /// Their slots.
    pub slots: u64,
    /// Groups (shops, channels) that wait.
    pub groups: u64,
}

/// A job that was given up.
#[derive(Debug, Clone, Serialize)]
pub struct DeadLetter {
    /// The job.
    pub id: JobId,
    /// Its queue.
    pub queue: JobName,
    /// Why, in one word; never text of a customer's.
    pub code: String,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// When it was enqueued.
    pub enqueued_at: DateTime<Utc>,
    /// Runs that failed.
    pub attempts: u32,
    /// Processes that died while they ran it.
    pub deaths: u32,
    /// The shop in whose scope it ran.
    pub shop: Option<ShopId>,
    /// Whether it holds messages of a conversation (which goes on without them).
    pub parked_messages: bool,
}

/// A page of dead letters, the latest first.
#[derive(Debug, Clone, Serialize)]
pub struct DeadPage {
    /// The letters.
    pub items: Vec<DeadLetter>,
    /// Where the next page begins, if there is one.
    pub next_offset: Option<u64>,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Dead letters whose time was over.
    pub dead_letters: u64,
    /// Mailboxes that had messages and no job.
    pub mailboxes: u64,
}

fn time(ms: Option<i64>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms.unwrap_or_default()).unwrap_or_default()
}

impl Queue {
    /// A queue at a glance.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn stats(&self, queue: JobName) -> Result<Stats, QueueError> {
        let n: [u64; 9] = on(&STATS, queue).invoke_async(&mut self.connection()).await?;
        let [ready, delayed, running, dead, alone, oldest_ready_ms, processes, slots, groups] = n;
        Ok(Stats { ready, delayed, running, dead, alone, oldest_ready_ms, processes, slots, groups })
    }

    /// Where a job is.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn state(&self, queue: JobName, id: JobId) -> Result<JobState, QueueError> {
        let key = format!("{}job:{id}", prefix(queue));
        let state: Option<String> = redis::cmd("HGET").arg(key).arg("state").query_async(&mut self.connection()).await?;
        Ok(match state.as_deref() {
            Some("ready") => JobState::Ready,
            Some("delayed") => JobState::Delayed,
            Some("running") => JobState::Running,
            Some("dead") => JobState::Dead,
            _ => JobState::Gone,
        })
    }

    /// The dead letters of a queue, the latest first; at most 100 per page.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn dead_letters(&self, queue: JobName, offset: u64, limit: u64) -> Result<DeadPage, QueueError> {
        let mut conn = self.connection();
        let limit = limit.clamp(1, 100);
        let offset = offset.min(u64::from(u32::MAX));
        let dead = format!("{}dead", prefix(queue));
        let ids: Vec<String> = redis::cmd("ZREVRANGE").arg(dead).arg(offset).arg(offset + limit).query_async(&mut conn).await?;
        let more = ids.len() as u64 > limit;
        let ids: Vec<JobId> = ids.iter().take(limit as usize).filter_map(|id| id.parse().ok()).collect();
        let mut look = redis::pipe();
        for id in &ids {
            let fields = ["code", "died_at", "enq", "attempts", "deaths", "shop", "parked"];
            look.cmd("HMGET").arg(format!("{}job:{id}", prefix(queue))).arg(&fields);
        }
        type Fields = (Option<String>, Option<i64>, Option<i64>, Option<u32>, Option<u32>, Option<i32>, Option<String>);
        let rows: Vec<redis::Value> = if ids.is_empty() { Vec::new() } else { look.query_async(&mut conn).await? };
        let mut items = Vec::with_capacity(ids.len());
        for (id, row) in ids.into_iter().zip(rows) {
            let (code, died_at, enqueued_at, attempts, deaths, shop, parked) =
                Fields::from_redis_value(row).map_err(redis::RedisError::from)?;
            items.push(DeadLetter {
                id,
                queue,
                code: code.unwrap_or_default(),
                died_at: time(died_at),
                enqueued_at: time(enqueued_at),
                attempts: attempts.unwrap_or_default(),
                deaths: deaths.unwrap_or_default(),
                shop: shop.map(ShopId),
                parked_messages: parked.is_some(),
            });
        }
        Ok(DeadPage { items, next_offset: more.then_some(offset + limit) })
    }

    /// Runs a dead letter again, from its first attempt; false if there is none such. Parked messages go behind those that wait.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn retry_dead(&self, queue: JobName, id: JobId) -> Result<bool, QueueError> {
        let mut conn = self.connection();
        let key = format!("{}job:{id}", prefix(queue));
        let (parked, payload): (Option<String>, Option<String>) =
            redis::cmd("HMGET").arg(key).arg("parked").arg("payload").query_async(&mut conn).await?;
        let mut call = on(&REDRIVE, queue);
        call.arg(id.to_string()).arg(JobId::fresh().to_string());
        if parked.is_some() {
            let mail: Vec<Box<RawValue>> = serde_json::from_str(payload.as_deref().unwrap_or("[]"))?;
            for entry in &mail {
                call.arg(entry.get());
            }
        }
        Ok(call.invoke_async::<u8>(&mut conn).await? == 1)
    }

    /// Deletes a dead letter; false if there is none such.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn discard_dead(&self, queue: JobName, id: JobId) -> Result<bool, QueueError> {
        let mut call = on(&DISCARD, queue);
        let removed: u8 = call.arg(id.to_string()).invoke_async(&mut self.connection()).await?;
        Ok(removed == 1)
    }

    /// Ends what has outlived its time, in every queue, and readies mailboxes that have messages but no job. Results and keys end by themselves.
    ///
    /// # Errors
    /// When Redis is away; what is left is done by the next sweep.
    pub async fn sweep(&self) -> Result<Swept, QueueError> {
        let mut swept = Swept::default();
        for queue in JobName::ALL {
            loop {
                let mut call = on(&SWEEP, *queue);
                call.arg(DEAD_FOR.as_millis() as u64).arg(CHUNK);
                let gone: u64 = call.invoke_async(&mut self.connection()).await?;
                swept.dead_letters += gone;
                if gone < CHUNK as u64 {
                    break;
                }
            }
        }
        swept.mailboxes = crate::mailbox::Mailbox::new(self).sweep().await?;
        Ok(swept)
    }
}
