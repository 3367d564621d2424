//! Our storage for apalis on Redis; the only module that touches its keys.
//!
//! - [`Queue`]: enqueue, wait for a result, look after dead letters
//! - `backend`: what apalis polls
//! - `fetch`: the loop behind it
//! - `run`: how a run goes, and how it ends
//! - `heartbeat`: says that this process lives, on a thread of its own
//! - `signals`: the one subscription of a process
//! - `leader`: one leader among replicas
//! - `schedule`: fires what is due, each time once
//! - `replicas`: waits until replicas have it
//! - `gate`: lets a suspect job run alone in its process
//! - `scripts/*.lua`: every change of state, each atomic and bounded
//!
//! A job is `ready` in its group's list, `running` under a process and a fence, `delayed` until it is due, or `dead`. Finished jobs are gone.

mod backend;
mod connection;
mod dead;
mod envelope;
mod fetch;
mod gate;
mod heartbeat;
mod leader;
mod replicas;
mod run;
mod schedule;
mod scripts;
mod signals;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionManager;
use serde_json::value::RawValue;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use backend::{Decoded, Source};
pub use dead::{DeadLetter, DeadPage, JobState, Stats, Swept};
pub use envelope::{Envelope, From, JobId, RunToken};
pub use leader::{Leader, Leadership, Leads};
pub use run::{Failure, Next, Outcome, Run};
pub use schedule::{Due, Fired, Planned, Position, SCHEDULER, Scheduled};

use crate::jobs::{Job, JobName};
use crate::tenancy::ShopScope;
use gate::Gate;
use heartbeat::Heartbeat;
use replicas::Replicas;
use signals::Signals;

pub(crate) use scripts::{ACCEPT, ACKNOWLEDGE, PARK, RECORD, SWEEP_BOXES, TAKE, on, prefix};
pub(crate) use signals::More;

/// The longest idempotency key, in bytes.
pub const MAX_KEY: usize = 255;
/// How often a waiting caller looks for its result itself, in case the news of it was lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Why the queue could not do it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Redis is away, slow or refuses: try again later.
    #[error("redis: {0}")]
    Unavailable(#[from] redis::RedisError),
    /// Redis is set up so that it would lose jobs.
    #[error("{0}")]
    Unsafe(String),
    /// A payload or result that JSON cannot hold.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The idempotency key is longer than [`MAX_KEY`].
    #[error("the idempotency key is longer than {MAX_KEY} bytes")]
    KeyTooLong,
    /// Not as many replicas as asked for have it.
    #[error("{have} of {want} replicas have it")]
    Replicas {
        /// How many were asked for.
        want: u32,
        /// How many confirmed in time.
        have: u32,
    },
}

/// How a job is pushed.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// The idempotency key, unique per queue and shop for 48 hours.
    pub key: Option<String>,
    /// Not before this has passed, to the millisecond.
    pub delay: Duration,
    /// Keep the result for somebody who waits; [`Queue::push_and_wait`] sets it.
    pub wait: bool,
    /// The W3C `traceparent` of the enqueuer.
    pub trace: Option<String>,
}

/// What came of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is in the queue.
    New(JobId),
    /// The key was taken by this job.
    Duplicate(JobId),
}

impl Pushed {
    /// The job, new or not.
    #[must_use]
    pub const fn job(&self) -> JobId {
        match self {
            Self::New(job) | Self::Duplicate(job) => *job,
        }
    }
}

/// What came of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited<T> {
    /// The job's result.
    Done(T),
    /// The job was given up.
    Failed {
        /// Why, in one word.
        code: String,
    },
    /// Time was up; or the job of a repeated key ended more than a minute ago, and its result is no longer kept here.
    StillRunning(JobId),
}

pub(crate) struct Inner {
    pub(crate) client: redis::Client,
    pub(crate) conn: ConnectionManager,
    pub(crate) process: String,
    pub(crate) signals: Arc<Signals>,
    pub(crate) replicas: Replicas,
    gate: Arc<Gate>,
    heartbeat: Heartbeat,
    runs: Arc<Runs>,
    /// Numbers the fetches, so that one that arrives late is told from the latest.
    fetches: AtomicU64,
    _end: DropGuard,
}

/// The runs of this process by queue and fence; cancelled when they are lost.
pub(crate) type Runs = Mutex<HashMap<(JobName, RunToken), CancellationToken>>;

/// What a panic left behind is still whole: every change under these locks is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The queue, as one process sees it. Cheap to clone; all clones share two connections.
#[derive(Clone)]
pub struct Queue {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("process", &self.inner.process).finish_non_exhaustive()
    }
}

impl Queue {
    /// Connects, and checks that this Redis loses nothing. `role` names the process in logs: `ingress`, `worker`, `scheduler`.
    ///
    /// # Errors
    /// [`QueueError::Unsafe`] when Redis may evict or does not log to disk, with the remedy; [`QueueError::Unavailable`] when it cannot be reached.
    pub async fn connect(redis_url: &str, role: &str) -> Result<Self, QueueError> {
        Self::connect_replicated(redis_url, role, 0).await
    }

    /// As [`connect`](Self::connect), and what the mailbox accepts must be on `replicas` replicas (`REDIS_WAIT_REPLICAS`).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_replicated(redis_url: &str, role: &str, replicas: u32) -> Result<Self, QueueError> {
        let client = connection::client(redis_url)?;
        let mut conn = connection::manager(&client).await?;
        connection::check(&mut conn).await?;
        let process = connection::process_name(role);
        let end = CancellationToken::new();
        let runs = Arc::new(Runs::default());
        let inner = Inner {
            signals: Signals::start(client.clone(), &process, end.clone()),
            heartbeat: Heartbeat::new(client.clone(), process.clone(), Arc::clone(&runs), end.clone()),
            replicas: Replicas::start(client.clone(), replicas, end.clone()),
            gate: Arc::default(),
            fetches: AtomicU64::new(0),
            _end: end.drop_guard(),
            client,
            conn,
            process,
            runs,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The connection for commands, shared by the whole process: for the few other things kept in Redis (memory, revoked sessions, throttles).
    #[must_use]
    pub fn connection(&self) -> ConnectionManager {
        self.inner.conn.clone()
    }

    /// A connection of the caller's own, for a command that waits: on the shared one everybody would wait with it.
    pub(crate) async fn own_connection(&self) -> Result<ConnectionManager, QueueError> {
        connection::manager(&self.inner.client).await
    }

    /// This process: role, host, pid and a random part, so that no two are the same.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.inner.process
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<(), QueueError> {
        Ok(redis::cmd("PING").query_async(&mut self.connection()).await?)
    }

    /// Adds a job.
    ///
    /// # Errors
    /// When Redis is away: the job may or may not be there, so push again with the same key.
    pub async fn push<J: Job>(&self, from: From<'_>, job: &J, how: Push) -> Result<Pushed, QueueError> {
        let payload = serde_json::to_vec(job)?;
        Ok(self.push_bytes(JobId::fresh(), J::NAME, &from.group(), &from.shop(), &payload, &how).await?.0)
    }

    /// Adds a job whose payload is JSON already: a row of the outbox.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub async fn push_raw(&self, queue: JobName, scope: Option<ShopScope>, payload: &RawValue, how: Push) -> Result<Pushed, QueueError> {
        let from = scope.as_ref().map_or(From::System, From::Shop);
        Ok(self.push_bytes(JobId::fresh(), queue, &from.group(), &from.shop(), payload.get().as_bytes(), &how).await?.0)
    }

    /// Adds a job and waits for its result; of a repeated key, for the result of the job that took it first.
    ///
    /// # Errors
    /// As [`push`](Self::push); while waiting, trouble with Redis only delays.
    pub async fn push_and_wait<J: Job>(
        &self,
        from: From<'_>,
        job: &J,
        mut how: Push,
        wait: Duration,
    ) -> Result<Waited<J::Done>, QueueError> {
        how.wait = true;
        let deadline = tokio::time::Instant::now() + wait;
        let payload = serde_json::to_vec(job)?;
        let id = JobId::fresh();
        let mut reply = self.inner.signals.reply(id);
        let (pushed, known) = self.push_bytes(id, J::NAME, &from.group(), &from.shop(), &payload, &how).await?;
        let id = pushed.job();
        let mut outcome = (!known.is_empty()).then_some(known);
        if let Pushed::Duplicate(_) = pushed
            && outcome.is_none()
        {
            reply = self.inner.signals.reply(id);
            // It may have ended between the push and our listening.
            outcome = self.result(J::NAME, id).await;
        }
        let mut look = tokio::time::interval_at(tokio::time::Instant::now() + LOOK_EVERY, LOOK_EVERY);
        loop {
            if let Some(outcome) = outcome {
                return match outcome.split_at_checked(1) {
                    Some(("+", done)) => Ok(Waited::Done(serde_json::from_str(done)?)),
                    Some((_, code)) => Ok(Waited::Failed { code: code.to_owned() }),
                    None => Ok(Waited::Failed { code: "unknown".to_owned() }),
                };
            }
            outcome = tokio::select! {
                news = reply.received() => news,
                () = tokio::time::sleep_until(deadline) => return Ok(Waited::StillRunning(id)),
                _ = look.tick() => self.result(J::NAME, id).await,
            };
        }
    }

    async fn result(&self, queue: JobName, id: JobId) -> Option<String> {
        let key = format!("{}result:{id}", prefix(queue));
        redis::cmd("GET").arg(key).query_async::<Option<String>>(&mut self.connection()).await.ok().flatten()
    }

    async fn push_bytes(
        &self,
        id: JobId,
        queue: JobName,
        group: &str,
        shop: &str,
        payload: &[u8],
        how: &Push,
    ) -> Result<(Pushed, String), QueueError> {
        let key = how.key.as_deref().unwrap_or_default();
        if key.len() > MAX_KEY {
            return Err(QueueError::KeyTooLong);
        }
        let mut call = on(&scripts::PUSH, queue);
        call.arg(id.to_string()).arg(group).arg(shop).arg(payload).arg(key);
        call.arg(u64::try_from(how.delay.as_millis()).unwrap_or(u64::MAX));
        call.arg(if how.wait { self.process() } else { "" }).arg(how.trace.as_deref().unwrap_or_default());
        let (new, job, outcome): (u8, String, String) = call.invoke_async(&mut self.connection()).await?;
        let job = job.parse().map_err(|_| redis::RedisError::from((redis::ErrorKind::Parse, "not a job id")))?;
        metrics::counter!("frontdesk_jobs_pushed_total", "queue" => queue.as_str(), "new" => if new == 1 { "yes" } else { "no" })
            .increment(1);
        Ok((if new == 1 { Pushed::New(job) } else { Pushed::Duplicate(job) }, outcome))
    }
}
