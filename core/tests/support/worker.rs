//! Jobs and workers for the tests of the queue: handlers in this process, or in processes of their own that can be killed.

use std::future::Future;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apalis_core::error::WorkerError;
use apalis_core::task::Task;
use apalis_core::worker::builder::WorkerBuilder;
use frontdesk_core::jobs::{Job, JobName, Retry};
use frontdesk_core::queue::{Decoded, Failure, From, Next, Outcome, Push, Queue, Run};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

/// The setting that makes the test binary a worker process.
pub(crate) const WORKER_SETTING: &str = "FRONTDESK_TEST_QUEUE_WORKER";

/// What a handler is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Deed {
    Finish,
    Panic,
    Fail,
    Retry,
    RetryAfter(u64),
    Hang,
    /// Takes the whole process along.
    Die,
}

/// The job of most tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Probe {
    pub(crate) n: u64,
    pub(crate) ms: u64,
    pub(crate) deed: Deed,
}

impl Probe {
    pub(crate) const fn new(n: u64) -> Self {
        Self { n, ms: 0, deed: Deed::Finish }
    }

    pub(crate) const fn lasting(n: u64, ms: u64) -> Self {
        Self { n, ms, deed: Deed::Finish }
    }

    pub(crate) const fn that(n: u64, deed: Deed) -> Self {
        Self { n, ms: 0, deed }
    }
}

impl Job for Probe {
    type Done = u64;
    const NAME: JobName = JobName::SaveProduct;
    const RETRY: Retry = Retry { attempts: 3, first: Duration::from_millis(40), cap: Duration::from_secs(1) };
    const TIME_LIMIT: Duration = Duration::from_secs(60);
    const CONCURRENCY: usize = 8;
}

/// A job that may run for 100 ms only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Brief(pub(crate) Probe);

impl Job for Brief {
    type Done = u64;
    const NAME: JobName = JobName::PlaceOrder;
    const RETRY: Retry = Retry { attempts: 2, first: Duration::from_millis(10), cap: Duration::from_millis(10) };
    const TIME_LIMIT: Duration = Duration::from_millis(100);
    const CONCURRENCY: usize = 2;
}

/// A shop's scope, by the door that a job's envelope is.
pub(crate) async fn scope(queue: &Queue, shop: i32) -> frontdesk_core::tenancy::ShopScope {
    // A job written to Redis by hand, as the enqueuer with that scope would have: the tests cannot forge one either.
    let stop = CancellationToken::new();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = Arc::new(Mutex::new(Some(sender)));
    let job = frontdesk_core::queue::JobId::fresh();
    let prefix = "fd:{drop_old_logs}:";
    let mut conn = queue.connection();
    redis::pipe()
        .cmd("HSET")
        .arg(format!("{prefix}job:{job}"))
        .arg(&["payload", "{}", "group", "door", "enq", "0", "state", "ready"])
        .arg("shop")
        .arg(shop)
        .ignore()
        .cmd("RPUSH")
        .arg(format!("{prefix}ready:door"))
        .arg(job.to_string())
        .ignore()
        .cmd("RPUSH")
        .arg(format!("{prefix}ring"))
        .arg("door")
        .ignore()
        .cmd("HINCRBY")
        .arg(format!("{prefix}count"))
        .arg("ready")
        .arg(1)
        .ignore()
        .query_async::<()>(&mut conn)
        .await
        .unwrap();
    let worker = serve(queue, 1, &stop, move |_: frontdesk_core::jobs::DropOldLogs, run: Run| {
        let sender = Arc::clone(&sender);
        async move {
            let scope = frontdesk_core::tenancy::ShopScope::from_envelope(&run.envelope);
            if let Some(sender) = sender.lock().unwrap().take() {
                sender.send(scope).unwrap();
            }
            Ok(())
        }
    });
    let scope = receiver.await.unwrap().unwrap();
    stop.cancel();
    worker.await.unwrap();
    queue.leave(JobName::DropOldLogs).await.unwrap();
    scope
}

/// Runs `handler` on `slots` until `stop`.
pub(crate) fn serve<J, F, Fut>(queue: &Queue, slots: usize, stop: &CancellationToken, handler: F) -> JoinHandle<()>
where
    J: Job,
    F: Fn(J, Run) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<J::Done, Failure>> + Send + 'static,
{
    let service = service_fn(move |task: Task<Decoded<J>>| {
        let handler = handler.clone();
        async move {
            let run = task.ctx().data().get::<Run>().cloned().unwrap();
            let Ok(job) = task.args else {
                return Err(Failure { code: "undecodable".to_owned(), next: Next::Fail });
            };
            let done = handler(job, run).await?;
            Ok::<_, Failure>(Outcome(serde_json::to_string(&done).unwrap()))
        }
    });
    let worker = WorkerBuilder::new(format!("{}/{}", queue.process(), J::NAME)).backend(queue.source::<J>(slots, stop)).build(service);
    let stop = stop.clone();
    tokio::spawn(async move {
        let until = async move {
            stop.cancelled().await;
            Ok::<_, WorkerError>(())
        };
        worker.run_until(until).await.unwrap();
    })
}

/// Does what the probe says, and notes in Redis when it began and ended, and in which process.
pub(crate) async fn probe(queue: Queue, probe: Probe, run: Run) -> Result<u64, Failure> {
    let mut conn = queue.connection();
    let e = &run.envelope;
    let note = format!("{} {} {} {} {}", probe.n, e.attempt, e.deaths, std::process::id(), e.run);
    redis::cmd("RPUSH").arg("test:began").arg(&note).query_async::<()>(&mut conn).await.map_err(|_| retry("note"))?;
    if probe.deed == Deed::Die {
        std::process::abort();
    }
    tokio::time::sleep(Duration::from_millis(probe.ms)).await;
    match probe.deed {
        Deed::Finish | Deed::Die => {}
        Deed::Panic => panic!("as told"),
        Deed::Fail => return Err(Failure { code: "as_told".to_owned(), next: Next::Fail }),
        Deed::Retry => return Err(retry("as_told")),
        Deed::RetryAfter(ms) => return Err(Failure { code: "as_told".to_owned(), next: Next::RetryAfter(Duration::from_millis(ms)) }),
        Deed::Hang => std::future::pending::<()>().await,
    }
    for _ in 0..200 {
        if redis::cmd("RPUSH").arg("test:ended").arg(&note).query_async::<()>(&mut conn).await.is_ok() {
            return Ok(probe.n);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(retry("note"))
}

pub(crate) fn retry(code: &str) -> Failure {
    Failure { code: code.to_owned(), next: Next::Retry }
}

/// What [`probe`] noted: number, attempt, deaths, process, fence.
/// A run whose note was heard but not answered notes it again; another run has another fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) n: u64,
    pub(crate) attempt: u32,
    pub(crate) deaths: u32,
    pub(crate) pid: u32,
    pub(crate) run: i64,
}

pub(crate) async fn notes(conn: &mut redis::aio::MultiplexedConnection, which: &str) -> Vec<Note> {
    let mut raw: Vec<String> = redis::cmd("LRANGE").arg(format!("test:{which}")).arg(0).arg(-1).query_async(conn).await.unwrap();
    let mut seen = std::collections::HashSet::new();
    raw.retain(|note| seen.insert(note.clone()));
    let read = |line: &String| {
        let mut parts = line.split(' ');
        let mut next = || parts.next().unwrap();
        Note {
            n: next().parse().unwrap(),
            attempt: next().parse().unwrap(),
            deaths: next().parse().unwrap(),
            pid: next().parse().unwrap(),
            run: next().parse().unwrap(),
        }
    };
    raw.iter().map(read).collect()
}

/// Waits until `condition` holds, looking every 20 ms.
pub(crate) async fn until<F, Fut>(what: &str, within: Duration, mut condition: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let deadline = Instant::now() + within;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until every job of `queue` has ended.
pub(crate) async fn until_empty(queue: &Queue, job: JobName, within: Duration) {
    until("the queue is empty", within, || async {
        queue.stats(job).await.is_ok_and(|stats| stats.ready + stats.running + stats.delayed == 0)
    })
    .await;
}

pub(crate) async fn push_probes(queue: &Queue, from: From<'_>, probes: impl IntoIterator<Item = Probe>) {
    let probes: Vec<_> = probes.into_iter().collect();
    for chunk in probes.chunks(2000) {
        let pushes = chunk.iter().map(|probe| queue.push(from, probe, Push::default()));
        futures_util::future::try_join_all(pushes).await.unwrap();
    }
}

/// A worker process; killed with the test.
#[derive(Debug)]
pub(crate) struct Worker(pub(crate) Child);

impl Worker {
    /// Starts this very test binary as a worker with `slots` for probes.
    #[expect(clippy::disallowed_methods, reason = "tests start processes")]
    pub(crate) fn start(redis_url: &str, slots: usize) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_worker_process", "--ignored", "--nocapture", "--test-threads=1"])
            .env(WORKER_SETTING, format!("{slots} {redis_url}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What [`Worker::start`]ed processes do.
#[expect(clippy::disallowed_methods, reason = "the parent test says by it where its Redis is")]
pub(crate) async fn be_a_worker() {
    let Ok(setting) = std::env::var(WORKER_SETTING) else { return };
    let (slots, url) = setting.split_once(' ').unwrap();
    let queue = Queue::connect(url, "worker").await.unwrap();
    let handler_queue = queue.clone();
    let stop = CancellationToken::new();
    serve(&queue, slots.parse().unwrap(), &stop, move |job: Probe, run| probe(handler_queue.clone(), job, run)).await.unwrap();
}
