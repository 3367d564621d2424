//! How a run goes: on a task of its own, within its time, with a net under panics; and how Redis hears of its end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use futures_util::FutureExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service};
use tracing::Instrument;

use super::backend::Settings;
use super::envelope::Envelope;
use super::gate::Pass;
use super::scripts::{SETTLE, on};
use super::{Queue, lock};
use crate::jobs::Retry;
use crate::telemetry::TraceParent;

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

impl Run {
    /// A run that holds a slot and a pass until it is [`forget`]ten.
    pub(super) fn new(envelope: Envelope, cancelled: CancellationToken, slot: OwnedSemaphorePermit, pass: Pass) -> Self {
        Self { envelope, cancelled, held: Arc::new(Mutex::new(Some(Held { _slot: slot, _pass: pass }))) }
    }
}

impl Queue {
    /// Ends a run, trying until Redis has heard it or the run is lost. Says whether it was ours to end.
    pub(super) async fn settle(&self, run: &Run, how: &str, text: &str, delay: Duration, counts: bool) -> bool {
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
pub(super) struct Backoff(u32);

impl Backoff {
    pub(super) async fn pause(&mut self) {
        let full = 50u64.saturating_mul(1 << self.0.min(6)).min(2000);
        self.0 += 1;
        tokio::time::sleep(Duration::from_millis(full / 2 + rand::random_range(0..=full / 2))).await;
    }
}

/// The process no longer knows the run; its slot is free.
pub(super) fn forget(queue: &Queue, run: &Run) {
    lock(&queue.inner.runs).remove(&(run.envelope.queue, run.envelope.run));
    drop(lock(&run.held).take());
}

/// Gives every run a task of its own, its time limit, a net under panics, and an end that Redis hears of.
#[derive(Debug, Clone)]
pub struct RunLayer {
    pub(super) queue: Queue,
    pub(super) settings: Settings,
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
        if let Some(enqueuer) = run.envelope.trace.as_deref().and_then(TraceParent::parse) {
            let _ = enqueuer.lead(&span);
        }
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
