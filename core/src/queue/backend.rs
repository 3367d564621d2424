//! What apalis polls: a [`Backend`] over the fetch loop of one queue.

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::codec::Codec;
use apalis_core::backend::finalize::Durable;
use apalis_core::backend::{Backend, BackendConfig, WireFormatBackend};
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use apalis_redis::RedisTask;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fetch::{Buffer, Fetch, Ready};
use super::run::RunLayer;
use super::scripts::{LEAVE, on};
use super::{Queue, QueueError, lock};
use crate::jobs::{Job, JobName, Retry};

/// A payload, read; or why it could not be.
pub type Decoded<J> = Result<J, String>;

/// Decodes payloads without ever failing: a bad one reaches the wrapper of its own job, and costs that job alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lenient;

impl<J: Job> Codec<Decoded<J>> for Lenient {
    type Compact = Vec<u8>;
    type Error = Infallible;

    fn encode(&self, job: &Decoded<J>) -> Result<Vec<u8>, Infallible> {
        Ok(job.as_ref().ok().and_then(|job| serde_json::to_vec(job).ok()).unwrap_or_default())
    }

    fn decode(&self, payload: &Vec<u8>) -> Result<Decoded<J>, Infallible> {
        Ok(serde_json::from_slice(payload).map_err(|error| format!("{:?} at column {}", error.classify(), error.column())))
    }
}

/// How one job type runs in this process.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub(super) queue: JobName,
    pub(super) slots: usize,
    pub(super) retry: Retry,
    pub(super) time_limit: Duration,
}

/// One queue as an apalis backend. Dropping it stops the fetching.
pub struct Source<J> {
    queue: Queue,
    settings: Settings,
    buffer: Arc<Mutex<Buffer>>,
    stop: CancellationToken,
    fetching: Option<JoinHandle<()>>,
    codec: Lenient,
    job: PhantomData<fn() -> J>,
}

impl<J> std::fmt::Debug for Source<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Queue {
    /// Begins to serve a job type with `slots` at once, until `stop`; jobs fetched but not begun go back then. Needs a Tokio runtime.
    pub fn source<J: Job>(&self, slots: usize, stop: &CancellationToken) -> Source<J> {
        let settings = Settings { queue: J::NAME, slots: slots.max(1), retry: J::RETRY, time_limit: J::TIME_LIMIT };
        let stop = stop.child_token();
        let buffer = Arc::new(Mutex::new(Buffer::default()));
        self.inner.signals.listen_to(J::NAME);
        self.inner.heartbeat.serve(J::NAME, settings.slots);
        let fetch = Fetch { queue: self.clone(), settings, buffer: Arc::clone(&buffer), stop: stop.clone() };
        let fetching = Some(tokio::spawn(fetch.run()));
        Source { queue: self.clone(), settings, buffer, stop, fetching, codec: Lenient, job: PhantomData }
    }

    /// Leaves a queue for good: what this process still holds goes back without counting as a death.
    ///
    /// # Errors
    /// When Redis is away; the lease then runs out instead.
    pub async fn leave(&self, queue: JobName) -> Result<(), QueueError> {
        self.inner.heartbeat.leave(queue).await;
        loop {
            let mut call = on(&LEAVE, queue);
            call.arg(self.process()).arg(200);
            if call.invoke_async::<u64>(&mut self.connection()).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Gives up every run of this process: their handlers are dropped, and [`leave`](Self::leave) returns the jobs.
    pub fn abandon_runs(&self) {
        lock(&self.inner.runs).values().for_each(CancellationToken::cancel);
    }
}

impl<J: Job> Backend for Source<J> {
    type Task = RedisTask;
    type Error = Infallible;

    fn poll_ready(&mut self, _cx: &mut Context<'_>, _worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _worker: &WorkerContext) -> Poll<Option<Result<RedisTask, Infallible>>> {
        let mut buffer = lock(&self.buffer);
        match buffer.ready.pop_front() {
            Some(Ready { run, payload }) => {
                // The fence is unique per run, where the job's id is not.
                let id = TaskId::from_string(format!("{}/{}", run.envelope.job, run.envelope.run));
                let attempt = usize::try_from(run.envelope.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
                Poll::Ready(Some(Ok(TaskBuilder::new(payload).task_id(id).attempt(attempt).data(run).build())))
            }
            None if buffer.closed => Poll::Ready(None),
            None => {
                buffer.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.stop.cancel();
        match self.fetching.as_mut().map(|fetching| Pin::new(fetching).poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(_)) => {
                self.fetching = None;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<J> Drop for Source<J> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl<J: Job> BackendConfig for Source<J> {
    type Args = Decoded<J>;
    type Id = String;
    type Kind = Durable;
    type Config = Settings;
    type Layer = RunLayer;

    fn config(&self) -> &Settings {
        &self.settings
    }

    fn middleware(&mut self, _worker: &mut WorkerContext) -> RunLayer {
        RunLayer { queue: self.queue.clone(), settings: self.settings }
    }
}

impl<J: Job> WireFormatBackend for Source<J> {
    type Codec = Lenient;
    type Compact = Vec<u8>;

    fn codec(&self) -> &Lenient {
        &self.codec
    }
}
