//! What apalis polls: a [`Backend`] over the fetch loop of one queue, and the layer in which every run begins and ends.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use apalis_core::backend::codec::Codec;
use apalis_core::backend::finalize::Durable;
use apalis_core::backend::{Backend, BackendConfig, WireFormatBackend};
use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use apalis_redis::RedisTask;
use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};
use tracing::Instrument;

use super::envelope::{Envelope, Fetched, Row};
use super::gate::Pass;
use super::scripts::{FETCH, LEAVE, RECONCILE, SETTLE, on};
use super::{Queue, QueueError};
use crate::jobs::{Job, JobName, Retry};

/// The safety net under the wake-ups.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Jobs handed out per call.
const BATCH: usize = 64;
/// After a job ran alone, others have the process for this long before the next one does.
const BETWEEN_LONE_RUNS: Duration = Duration::from_secs(1);

/// What happens after a failed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Again, by the job's policy.
    Retry,
    /// Again after this long; counts as an attempt.
    RetryAfter(Duration),
    /// Again after this long; does not count: the job is not at fault.
    Snooze(Duration),
    /// Never: to the dead letters.
    Fail,
}

/// How a handler says that its run failed. The code is kept and shown; it must hold nothing of a customer's.
#[derive(Debug, thiserror::Error)]
#[error("{code}")]
pub struct Failure {
    /// Why, in one word: `postgres_away`, `token_expired`.
    pub code: String,
    /// What happens next.
    pub next: Next,
}

/// What a handler's run leads to: its result as JSON.
#[derive(Debug, Clone)]
pub struct Outcome(pub String);

/// A payload, read; or why it could not be.
pub type Decoded<J> = Result<J, String>;

/// What the layers see of a run, in the task's data.
#[derive(Debug, Clone)]
pub struct Run {
    /// The envelope.
    pub envelope: Envelope,
    /// Cancelled when the run is lost or given up; its handler is dropped then.
    pub cancelled: CancellationToken,
    held: Arc<Mutex<Option<Held>>>,
}

/// What a run holds in its process until it ends.
#[derive(Debug)]
struct Held {
    _slot: OwnedSemaphorePermit,
    _pass: Pass,
}

struct Ready {
    run: Run,
    payload: Vec<u8>,
}

#[derive(Default)]
struct Buffer {
    ready: VecDeque<Ready>,
    waker: Option<Waker>,
    closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
    queue: JobName,
    slots: usize,
    retry: Retry,
    time_limit: Duration,
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

    /// Ends a run, trying until Redis has heard it or the run is lost. Says whether it was ours to end.
    async fn settle(&self, run: &Run, how: &str, text: &str, delay: Duration, counts: bool) -> bool {
        let queue = run.envelope.queue;
        let mut call = on(&SETTLE, queue);
        call.arg(self.process()).arg(run.envelope.job.to_string()).arg(run.envelope.run.0).arg(how).arg(text);
        call.arg(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)).arg(if counts { "1" } else { "0" });
        let mut wait = Backoff::default();
        let mut tried = false;
        loop {
            match call.invoke_async::<String>(&mut self.connection()).await {
                Ok(told) if told == "lost" && !tried => {
                    tracing::warn!(queue = queue.as_str(), job = %run.envelope.job, run = %run.envelope.run, "a run ended that was no longer ours; ignored");
                    metrics::counter!("frontdesk_runs_lost_total", "queue" => queue.as_str()).increment(1);
                    return false;
                }
                // Lost, but only on a further try: the first one was heard, its answer was not.
                Ok(_) => return true,
                Err(error) => {
                    tracing::warn!(queue = queue.as_str(), job = %run.envelope.job, %error, "Redis has not heard how a run ended; trying again");
                    tried = true;
                }
            }
            tokio::select! {
                () = wait.pause() => {}
                () = run.cancelled.cancelled() => return false,
            }
        }
    }
}

/// Pauses that grow from 50 ms to 2 s, with jitter.
#[derive(Debug, Default)]
struct Backoff(u32);

impl Backoff {
    async fn pause(&mut self) {
        let full = 50u64.saturating_mul(1 << self.0.min(6)).min(2000);
        self.0 += 1;
        tokio::time::sleep(Duration::from_millis(full / 2 + rand::random_range(0..=full / 2))).await;
    }
}

/// The loop that fetches for one queue: as many as there are free slots, never more.
struct Fetch {
    queue: Queue,
    settings: Settings,
    buffer: Arc<Mutex<Buffer>>,
    stop: CancellationToken,
}

struct Answer {
    jobs: Vec<Row>,
    due: Option<Duration>,
    isolate: bool,
}

impl Fetch {
    async fn run(self) {
        let slots = Arc::new(Semaphore::new(self.settings.slots));
        let mut backoff = Backoff::default();
        let mut unheard = false;
        let mut lone_from = Instant::now();
        while !self.stop.is_cancelled() {
            let Some((permit, pass)) = self.room(&slots).await else { break };
            if unheard && self.reconcile().await.is_err() {
                drop((permit, pass));
                self.pause(&mut backoff).await;
                continue;
            }
            let wanted = permit.num_permits();
            let answer = match self.fetch(wanted, false).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::warn!(queue = self.settings.queue.as_str(), %error, "cannot fetch jobs; trying again");
                    unheard = true;
                    drop((permit, pass));
                    self.pause(&mut backoff).await;
                    continue;
                }
            };
            (unheard, backoff) = (false, Backoff::default());
            let full = answer.jobs.len() == wanted;
            self.hand_over(answer.jobs, permit, &pass);
            drop(pass);
            let mut until = answer.due.map_or(POLL_EVERY, |due| due.min(POLL_EVERY));
            if answer.isolate {
                if Instant::now() >= lone_from {
                    unheard = !self.run_one_alone(&slots).await;
                    lone_from = Instant::now() + BETWEEN_LONE_RUNS;
                }
                until = until.min(lone_from.saturating_duration_since(Instant::now()));
            }
            if !full {
                tokio::select! {
                    () = self.stop.cancelled() => break,
                    () = self.queue.inner.signals.wake(self.settings.queue).notified() => {}
                    () = tokio::time::sleep(until) => {}
                }
            }
        }
        self.give_back().await;
    }

    /// Waits for a free slot and for nobody to run alone; takes what more slots are free.
    async fn room(&self, slots: &Arc<Semaphore>) -> Option<(OwnedSemaphorePermit, Pass)> {
        let room = async {
            let mut permit = Arc::clone(slots).acquire_owned().await.ok()?;
            let pass = self.queue.inner.gate.enter().await;
            let more = slots.available_permits().min(BATCH - 1);
            if more > 0
                && let Ok(further) = Arc::clone(slots).try_acquire_many_owned(u32::try_from(more).unwrap_or(0))
            {
                permit.merge(further);
            }
            Some((permit, pass))
        };
        tokio::select! {
            () = self.stop.cancelled() => None,
            room = room => room,
        }
    }

    fn number(&self) -> u64 {
        self.queue.inner.fetches.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn fetch(&self, wanted: usize, alone: bool) -> redis::RedisResult<Answer> {
        let mut call = on(&FETCH, self.settings.queue);
        call.arg(self.queue.process()).arg(self.settings.slots).arg(wanted).arg(if alone { "1" } else { "0" }).arg(self.number());
        let (jobs, due, isolate): (Vec<Row>, i64, u8) = call.invoke_async(&mut self.queue.connection()).await?;
        Ok(Answer { jobs, due: u64::try_from(due).ok().map(Duration::from_millis), isolate: isolate == 1 })
    }

    /// After a fetch whose answer never came: what it may have handed out goes back.
    async fn reconcile(&self) -> redis::RedisResult<()> {
        let mut call = on(&RECONCILE, self.settings.queue);
        call.arg(self.queue.process()).arg(self.number());
        for (queue, run) in lock(&self.queue.inner.runs).keys() {
            if *queue == self.settings.queue {
                call.arg(run.0);
            }
        }
        let back: u64 = call.invoke_async(&mut self.queue.connection()).await?;
        if back > 0 {
            tracing::info!(queue = self.settings.queue.as_str(), jobs = back, "gave back jobs whose hand-over was cut off");
        }
        Ok(())
    }

    /// Runs one suspect job with nothing else in the process. False if Redis did not answer.
    async fn run_one_alone(&self, slots: &Arc<Semaphore>) -> bool {
        let lone = async {
            let permit = Arc::clone(slots).acquire_owned().await.ok()?;
            Some((permit, self.queue.inner.gate.enter_alone(self.settings.queue).await))
        };
        let lone = tokio::select! {
            () = self.stop.cancelled() => None,
            lone = lone => lone,
        };
        let Some((permit, pass)) = lone else { return true };
        match self.fetch(1, true).await {
            Ok(answer) => {
                if let Some(row) = answer.jobs.into_iter().next() {
                    self.hand_over_one(row, permit, pass);
                }
                true
            }
            Err(error) => {
                tracing::warn!(queue = self.settings.queue.as_str(), %error, "cannot fetch a job to run alone; trying again");
                false
            }
        }
    }

    fn hand_over(&self, jobs: Vec<Row>, mut permit: OwnedSemaphorePermit, pass: &Pass) {
        for row in jobs {
            if let Some(slot) = permit.split(1) {
                self.hand_over_one(row, slot, pass.another());
            }
        }
    }

    fn hand_over_one(&self, row: Row, slot: OwnedSemaphorePermit, pass: Pass) {
        let queue = self.settings.queue;
        let Some(Fetched { envelope, payload }) = Fetched::read(queue, row) else {
            tracing::error!(queue = queue.as_str(), "a job in Redis is not of our making; it is left alone");
            return;
        };
        let cancelled = CancellationToken::new();
        lock(&self.queue.inner.runs).insert((queue, envelope.run), cancelled.clone());
        let run = Run { envelope, cancelled, held: Arc::new(Mutex::new(Some(Held { _slot: slot, _pass: pass }))) };
        let waker = {
            let mut buffer = lock(&self.buffer);
            buffer.ready.push_back(Ready { run, payload });
            buffer.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn pause(&self, backoff: &mut Backoff) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = backoff.pause() => {}
        }
    }

    /// What was fetched and not begun goes back to the head of its groups, the last first, so that the order stays.
    async fn give_back(&self) {
        let (left, waker) = {
            let mut buffer = lock(&self.buffer);
            buffer.closed = true;
            (std::mem::take(&mut buffer.ready), buffer.waker.take())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        for ready in left.into_iter().rev() {
            let within = Duration::from_secs(5);
            let _ = tokio::time::timeout(within, self.queue.settle(&ready.run, "back", "", Duration::ZERO, false)).await;
            forget(&self.queue, &ready.run);
        }
    }
}

/// The process no longer knows the run; its slot is free.
fn forget(queue: &Queue, run: &Run) {
    lock(&queue.inner.runs).remove(&(run.envelope.queue, run.envelope.run));
    drop(lock(&run.held).take());
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

/// Gives every run a task of its own, its time limit, a net under panics, and an end that Redis hears of.
#[derive(Debug, Clone)]
pub struct RunLayer {
    queue: Queue,
    settings: Settings,
}

impl<S> Layer<S> for RunLayer {
    type Service = RunService<S>;

    fn layer(&self, inner: S) -> RunService<S> {
        RunService { inner, queue: self.queue.clone(), settings: self.settings }
    }
}

/// See [`RunLayer`].
#[derive(Debug, Clone)]
pub struct RunService<S> {
    inner: S,
    queue: Queue,
    settings: Settings,
}

impl<S, A> Service<Task<A>> for RunService<S>
where
    S: Service<Task<A>, Response = Outcome>,
    S::Error: Into<BoxDynError> + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = Pin<Box<dyn Future<Output = Result<(), BoxDynError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<A>) -> Self::Future {
        let Some(run) = task.ctx().data().get::<Run>().cloned() else {
            return Box::pin(async { Err(BoxDynError::from("a task that the queue did not hand out")) });
        };
        let (queue, settings) = (self.queue.clone(), self.settings);
        let span = tracing::info_span!(
            "job",
            queue = run.envelope.queue.as_str(),
            job = %run.envelope.job,
            attempt = run.envelope.attempt,
            shop = run.envelope.shop().map(|shop| shop.0),
        );
        let handler = span.in_scope(|| self.inner.call(task));
        // A task of its own: should the worker end, the run goes on and is acknowledged.
        let work = tokio::spawn(
            async move {
                let begun = Instant::now();
                let verdict = supervise(handler, &run, settings.time_limit).await;
                let name = end(&queue, &run, settings.retry, verdict).await;
                metrics::counter!("frontdesk_jobs_ended_total", "queue" => settings.queue.as_str(), "how" => name).increment(1);
                metrics::histogram!("frontdesk_job_seconds", "queue" => settings.queue.as_str()).record(begun.elapsed().as_secs_f64());
                forget(&queue, &run);
            }
            .instrument(span),
        );
        Box::pin(async move { work.await.map_err(Into::into) })
    }
}

enum Verdict {
    Done(String),
    Failed(Failure),
    Lost,
}

/// Runs the handler to its end, whichever way it takes.
async fn supervise<F, E>(handler: F, run: &Run, time_limit: Duration) -> Verdict
where
    F: Future<Output = Result<Outcome, E>> + Send,
    E: Into<BoxDynError>,
{
    let failed = |code: &str| Verdict::Failed(Failure { code: code.to_owned(), next: Next::Retry });
    let guarded = tokio::time::timeout(time_limit, AssertUnwindSafe(handler).catch_unwind());
    let ended = tokio::select! {
        biased;
        () = run.cancelled.cancelled() => return Verdict::Lost,
        ended = guarded => ended,
    };
    match ended {
        Ok(Ok(Ok(Outcome(json)))) => Verdict::Done(json),
        Ok(Ok(Err(error))) => match error.into().downcast::<Failure>() {
            Ok(failure) => Verdict::Failed(*failure),
            Err(_) => failed("error"),
        },
        Ok(Err(_panic)) => failed("panic"),
        Err(_) => failed("time_limit"),
    }
}

/// Tells Redis how a run ended; returns that in one word for the metrics.
async fn end(queue: &Queue, run: &Run, retry: Retry, verdict: Verdict) -> &'static str {
    let attempt = run.envelope.attempt;
    let failure = match verdict {
        Verdict::Lost => return "lost",
        Verdict::Done(json) => {
            return if queue.settle(run, "done", &json, Duration::ZERO, false).await { "done" } else { "lost" };
        }
        Verdict::Failed(failure) => failure,
    };
    let last = attempt >= retry.attempts;
    let (name, how, delay, counts) = match failure.next {
        Next::Snooze(after) => ("snoozed", "retry", after, false),
        Next::Fail => ("dead", "dead", Duration::ZERO, true),
        _ if last => ("dead", "dead", Duration::ZERO, true),
        Next::RetryAfter(after) => ("retried", "retry", after, true),
        Next::Retry => ("retried", "retry", pause_before(retry, attempt), true),
    };
    tracing::warn!(code = failure.code, attempt, of = retry.attempts, next = name, delay_ms = delay.as_millis() as u64, "a run failed");
    if queue.settle(run, how, &failure.code, delay, counts).await { name } else { "lost" }
}

/// `first × 2ⁿ`, capped; half of it certain, half of it by chance.
fn pause_before(retry: Retry, attempt: u32) -> Duration {
    let full = retry.first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(retry.cap);
    let half = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half + rand::random_range(0..=half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_are_never_less_than_half() {
        let retry = Retry { attempts: 9, first: Duration::from_millis(100), cap: Duration::from_secs(1) };
        for (attempt, full) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 1000), (60, 1000)] {
            for _ in 0..50 {
                let pause = pause_before(retry, attempt).as_millis();
                assert!(pause >= full / 2 && pause <= full, "attempt {attempt}: {pause} ms");
            }
        }
    }
}
