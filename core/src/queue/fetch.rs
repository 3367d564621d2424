//! The loop that fetches for one queue.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backend::Settings;
use super::envelope::{Fetched, Row};
use super::gate::Pass;
use super::run::{Backoff, Run, forget};
use super::scripts::{FETCH, RECONCILE, on};
use super::{Queue, lock};

/// The safety net under the wake-ups.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Jobs handed out per call.
const BATCH: usize = 64;
/// After a job ran alone, others have the process for this long before the next one does.
const BETWEEN_LONE_RUNS: Duration = Duration::from_secs(1);

/// A job that is fetched and not begun.
pub(super) struct Ready {
    pub(super) run: Run,
    pub(super) payload: Vec<u8>,
}

/// Between the loop and whoever polls.
#[derive(Default)]
pub(super) struct Buffer {
    pub(super) ready: VecDeque<Ready>,
    pub(super) waker: Option<Waker>,
    pub(super) closed: bool,
}

/// The loop that fetches for one queue: as many as there are free slots, never more.
pub(super) struct Fetch {
    pub(super) queue: Queue,
    pub(super) settings: Settings,
    pub(super) buffer: Arc<Mutex<Buffer>>,
    pub(super) stop: CancellationToken,
}

struct Answer {
    jobs: Vec<Row>,
    due: Option<Duration>,
    isolate: bool,
    /// A shop has all the slots that one may have, and more to do.
    held_back: bool,
}

impl Fetch {
    pub(super) async fn run(self) {
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
            let (full, held_back) = (answer.jobs.len() == wanted, answer.held_back);
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
                    () = one_more(&slots), if held_back => {}
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
        let (jobs, due, isolate, held_back): (Vec<Row>, i64, u8, u8) = call.invoke_async(&mut self.queue.connection()).await?;
        Ok(Answer { jobs, due: u64::try_from(due).ok().map(Duration::from_millis), isolate: isolate == 1, held_back: held_back == 1 })
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
        let run = Run::new(envelope, cancelled, slot, pass);
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

/// Until one more slot is free than now.
async fn one_more(slots: &Semaphore) {
    let one_more = u32::try_from(slots.available_permits() + 1).unwrap_or(u32::MAX);
    let _ = slots.acquire_many(one_more).await;
}
