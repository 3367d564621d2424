//! Runs handlers as apalis workers, one per job type: reads the payload, calls the handler, says what its failure leads to; restarts a worker
//! that ended; drains at the end. With `core::queue` the only place that names apalis.
//!
//! Span, time limit, panic net, acknowledgement and retry timing are the queue's own layer: see `frontdesk_core::queue`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{Task, WorkerBuilder, WorkerError};
use frontdesk_core::config::Concurrency;
use frontdesk_core::db::DbError;
use frontdesk_core::jobs::{Job, JobName};
use frontdesk_core::mailbox::LostOrError;
use frontdesk_core::media::MediaError;
use frontdesk_core::queue::{Decoded, Envelope, Failure, Next, Outcome, Queue, QueueError, Run};
use frontdesk_core::tenancy::ShopScope;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

/// How long running jobs may go on after a stop; orchestrators kill after 30 s.
const GRACE: Duration = Duration::from_secs(25);
/// How long the last words to Redis may take after that.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// When Postgres is away: long enough not to storm it, short enough that an API write still makes its deadline.
const UNTIL_POSTGRES: Duration = Duration::from_secs(1);
/// When all connections are in use: they are, each for milliseconds.
const UNTIL_FREE: Duration = Duration::from_millis(250);

/// What happens after a failed run. Codes are kept with the job and shown to operations, so they hold nothing of a customer's.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Again, by the job's policy.
    #[error("{code}")]
    Retry {
        /// Why, in one word.
        code: String,
        /// What it came of; logged, so it must hold nothing personal.
        source: Option<anyhow::Error>,
    },
    /// Again after this long, as somebody asked for; counts as an attempt.
    #[error("{1}")]
    RetryAfter(Duration, String),
    /// Again after this long; does not use up an attempt, since the job is not at fault.
    #[error("{1}")]
    Snooze(Duration, String),
    /// Never: to the dead letters.
    #[error("{code}")]
    Fail {
        /// Why, in one word.
        code: String,
        /// What it came of; logged, so it must hold nothing personal.
        source: Option<anyhow::Error>,
    },
}

impl JobError {
    /// Again, by the job's policy.
    #[must_use]
    pub fn retry(code: &str) -> Self {
        Self::Retry { code: code.to_owned(), source: None }
    }

    /// Again after `wait`, counting as an attempt.
    #[must_use]
    pub fn retry_after(code: &str, wait: Duration) -> Self {
        Self::RetryAfter(wait, code.to_owned())
    }

    /// Again after `wait`, not counting.
    #[must_use]
    pub fn snooze(wait: Duration) -> Self {
        Self::Snooze(wait, "snoozed".to_owned())
    }

    /// To the dead letters.
    #[must_use]
    pub fn fail(code: &str) -> Self {
        Self::Fail { code: code.to_owned(), source: None }
    }

    /// The run is no longer ours: whatever it says now is ignored.
    #[must_use]
    pub fn lost() -> Self {
        Self::retry("lost")
    }

    fn into_failure(self) -> Failure {
        let (code, next, source) = match self {
            Self::Retry { code, source } => (code, Next::Retry, source),
            Self::RetryAfter(wait, code) => (code, Next::RetryAfter(wait), None),
            Self::Snooze(wait, code) => (code, Next::Snooze(wait), None),
            Self::Fail { code, source } => (code, Next::Fail, source),
        };
        if let Some(error) = source {
            tracing::warn!(code, error = format!("{error:#}"), "a handler failed");
        }
        Failure { code, next }
    }
}

impl From<QueueError> for JobError {
    fn from(error: QueueError) -> Self {
        Self::Retry { code: "redis".to_owned(), source: Some(error.into()) }
    }
}

impl From<DbError> for JobError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::Snooze(UNTIL_POSTGRES, "postgres_away".to_owned()),
            DbError::Busy => Self::Snooze(UNTIL_FREE, "postgres_busy".to_owned()),
            DbError::Timeout(_) => Self::Retry { code: "postgres_slow".to_owned(), source: Some(error.into()) },
            DbError::Conflict => Self::retry("postgres_conflict"),
            DbError::Unique(_) | DbError::NotFound | DbError::Other(_) => {
                Self::Retry { code: "postgres".to_owned(), source: Some(error.into()) }
            }
        }
    }
}

impl From<MediaError> for JobError {
    fn from(error: MediaError) -> Self {
        Self::Retry { code: "media_store".to_owned(), source: Some(error.into()) }
    }
}

impl From<LostOrError> for JobError {
    fn from(error: LostOrError) -> Self {
        match error {
            LostOrError::Lost => Self::lost(),
            LostOrError::Error(error) => error.into(),
        }
    }
}

/// What a handler may use, besides its payload.
#[derive(Debug)]
pub struct JobContext<A> {
    /// The job's envelope.
    pub envelope: Envelope,
    /// The application.
    pub app: Arc<A>,
    /// Cancelled when the run is lost or given up; the handler is dropped then, so this is for what it spawned.
    pub cancelled: CancellationToken,
    attempts: u32,
}

impl<A> JobContext<A> {
    /// The scope of the shop for which the job was enqueued.
    ///
    /// # Errors
    /// [`JobError::Fail`] for a job without one: it was enqueued wrongly, and trying again will not help.
    pub fn scope(&self) -> Result<ShopScope, JobError> {
        ShopScope::from_envelope(&self.envelope).ok_or_else(|| JobError::fail("no_scope"))
    }

    /// Whether a failure of this run gives the job up.
    #[must_use]
    pub const fn is_last_attempt(&self) -> bool {
        self.envelope.attempt >= self.attempts
    }
}

/// The handler of a job. Every one is safe to repeat: its process may die between any two lines.
pub trait Handle<A>: Job {
    /// Does the job.
    fn handle(self, cx: &JobContext<A>) -> impl Future<Output = Result<Self::Done, JobError>> + Send;
}

/// The workers of one process.
#[derive(Debug)]
pub struct Workers<A> {
    queue: Queue,
    app: Arc<A>,
    concurrency: Concurrency,
    stop: CancellationToken,
    running: JoinSet<()>,
    served: Vec<JobName>,
    grace: Duration,
}

impl<A: Send + Sync + 'static> Workers<A> {
    /// No workers yet.
    #[must_use]
    pub fn new(queue: Queue, app: Arc<A>, concurrency: Concurrency) -> Self {
        Self { queue, app, concurrency, stop: CancellationToken::new(), running: JoinSet::new(), served: Vec::new(), grace: GRACE }
    }

    /// How long running jobs may go on after the stop.
    #[must_use]
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Starts the worker of a job type. Needs a Tokio runtime.
    #[must_use]
    pub fn run<J: Handle<A>>(mut self) -> Self {
        let slots = self.concurrency.of(J::NAME, J::CONCURRENCY);
        let keep = keep_running::<A, J>(self.queue.clone(), Arc::clone(&self.app), slots, self.stop.clone());
        self.running.spawn(keep);
        self.served.push(J::NAME);
        self
    }

    /// Runs until `shutdown`; then fetches no more, returns what has not begun, lets the rest finish within the grace period, and leaves.
    ///
    /// # Errors
    /// When Redis cannot be told goodbye; what was held then comes back when the lease runs out.
    pub async fn until(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        shutdown.cancelled().await;
        tracing::info!("stopping: no more jobs are fetched");
        self.stop.cancel();
        let drained = tokio::time::timeout(self.grace, async { while self.running.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("jobs still run after the grace period; they are given back");
            self.queue.abandon_runs();
            let _ = tokio::time::timeout(LAST_WORDS, async { while self.running.join_next().await.is_some() {} }).await;
        }
        for job in self.served {
            tokio::time::timeout(LAST_WORDS, self.queue.leave(job)).await??;
        }
        Ok(())
    }
}

/// One worker for as long as the process runs: should apalis end it, another takes its place.
async fn keep_running<A: Send + Sync + 'static, J: Handle<A>>(queue: Queue, app: Arc<A>, slots: usize, stop: CancellationToken) {
    let mut times = 0_u32;
    while !stop.is_cancelled() {
        let worker = {
            let app = Arc::clone(&app);
            let name = format!("{}/{}/{times}", queue.process(), J::NAME);
            let handler = service_fn(move |task: Task<Decoded<J>>| handle_one::<A, J>(Arc::clone(&app), task));
            WorkerBuilder::new(name).backend(queue.source::<J>(slots, &stop)).build(handler)
        };
        let stopped = stop.clone();
        let ended = worker
            .run_until(async move {
                stopped.cancelled().await;
                Ok::<_, WorkerError>(())
            })
            .await;
        if stop.is_cancelled() {
            return;
        }
        times += 1;
        tracing::error!(job.name = J::NAME.as_str(), error = ?ended.err(), "a worker ended by itself; starting another");
        tokio::time::sleep(Duration::from_millis(100 + rand::random_range(0..400))).await;
    }
}

async fn handle_one<A: Send + Sync, J: Handle<A>>(app: Arc<A>, task: Task<Decoded<J>>) -> Result<Outcome, Failure> {
    let Some(run) = task.ctx().data().get::<Run>().cloned() else {
        return Err(JobError::fail("no_envelope").into_failure());
    };
    let job = match task.args {
        Ok(job) => job,
        Err(why) => {
            tracing::error!(why, "a payload cannot be read");
            return Err(JobError::fail("undecodable").into_failure());
        }
    };
    let cx = JobContext { envelope: run.envelope, app, cancelled: run.cancelled, attempts: J::RETRY.attempts };
    match job.handle(&cx).await {
        Ok(done) => match serde_json::to_string(&done) {
            Ok(json) => Ok(Outcome(json)),
            Err(error) => Err(JobError::Fail { code: "unserializable".to_owned(), source: Some(error.into()) }.into_failure()),
        },
        Err(error) => Err(error.into_failure()),
    }
}
