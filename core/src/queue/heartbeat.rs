//! Says every second that this process lives, and takes back what dead ones hold. A thread, a runtime and a connection of its own: neither busy
//! slots nor a busy command connection can hold it up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use tokio_util::sync::CancellationToken;

use super::scripts::{BEAT, on};
use super::{Runs, lock};
use crate::jobs::JobName;

/// How often a process says that it lives.
const EVERY: Duration = Duration::from_secs(1);
/// A process unheard of for this long is suspected …
const LEASE: Duration = Duration::from_secs(4);
/// … and given up if it is still unheard of after this: two beats, so that all the living are heard first when Redis itself stood still.
const CONFIRM: Duration = Duration::from_secs(2);
/// The heartbeat must not keep a process alive whose runtime hangs: its time limits no longer work, and its jobs would be held for ever.
const HUNG_AFTER: Duration = Duration::from_mins(2);
/// Jobs taken back per call.
const CHUNK: usize = 200;

/// One queue that this process runs.
#[derive(Debug, Clone, Copy)]
struct Served {
    queue: JobName,
    slots: usize,
    /// Whether Redis has heard of us for this queue.
    known: bool,
}

pub(crate) struct Heartbeat {
    served: Arc<Mutex<Vec<Served>>>,
    /// Held during a beat, so that nobody leaves in the middle of one.
    beating: Arc<tokio::sync::Mutex<()>>,
    started: Once,
    client: redis::Client,
    process: String,
    runs: Arc<Runs>,
    end: CancellationToken,
}

impl Heartbeat {
    pub(super) fn new(client: redis::Client, process: String, runs: Arc<Runs>, end: CancellationToken) -> Self {
        Self { served: Arc::default(), beating: Arc::default(), started: Once::new(), client, process, runs, end }
    }

    /// From now on also beats for `queue`.
    pub(super) fn serve(&self, queue: JobName, slots: usize) {
        {
            let mut served = lock(&self.served);
            served.retain(|one| one.queue != queue);
            served.push(Served { queue, slots, known: false });
        }
        self.started.call_once(|| self.start());
    }

    /// No longer beats for `queue`: when it returns, no beat is under way.
    pub(super) async fn leave(&self, queue: JobName) {
        lock(&self.served).retain(|one| one.queue != queue);
        drop(self.beating.lock().await);
    }

    fn start(&self) {
        let (served, client, process) = (Arc::clone(&self.served), self.client.clone(), self.process.clone());
        let lively = Arc::new(Lively::default());
        tokio::spawn(Arc::clone(&lively).show(self.end.clone()));
        let (runs, beating, end) = (Arc::clone(&self.runs), Arc::clone(&self.beating), self.end.clone());
        let thread = std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(async {
                    tokio::select! {
                        () = end.cancelled() => {}
                        () = beat_for_ever(&client, &process, &served, &runs, &beating, &lively) => {}
                    }
                }),
                Err(error) => tracing::error!(%error, "no heartbeat: this process's jobs will be taken from it"),
            }
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no heartbeat: this process's jobs will be taken from it");
        }
    }
}

/// Whether the runtime that runs the handlers still gets round to things.
struct Lively {
    begun: Instant,
    last_ms: AtomicU64,
}

impl Default for Lively {
    fn default() -> Self {
        Self { begun: Instant::now(), last_ms: AtomicU64::new(0) }
    }
}

impl Lively {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn show(self: Arc<Self>, end: CancellationToken) {
        while !end.is_cancelled() {
            self.last_ms.store(self.now_ms(), Ordering::Relaxed);
            tokio::time::sleep(EVERY).await;
        }
    }

    fn is_hung(&self) -> bool {
        u128::from(self.now_ms().saturating_sub(self.last_ms.load(Ordering::Relaxed))) > HUNG_AFTER.as_millis()
    }
}

async fn beat_for_ever(
    client: &redis::Client,
    process: &str,
    served: &Mutex<Vec<Served>>,
    runs: &Runs,
    beating: &tokio::sync::Mutex<()>,
    lively: &Lively,
) {
    let mut conn: Option<MultiplexedConnection> = None;
    loop {
        if lively.is_hung() {
            tracing::error!("the runtime of this process hangs; its jobs are left to others");
            tokio::time::sleep(EVERY).await;
            continue;
        }
        let under_way = beating.lock().await;
        let beaten = beat_once(client, &mut conn, process, served, runs).await;
        drop(under_way);
        let pause = match beaten {
            Ok(false) => EVERY,
            Ok(true) => Duration::from_millis(10),
            Err(error) => {
                conn = None;
                tracing::warn!(%error, "a heartbeat failed; trying again");
                Duration::from_millis(200)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// One beat for every queue; says whether more is to be taken back at once.
async fn beat_once(
    client: &redis::Client,
    conn: &mut Option<MultiplexedConnection>,
    process: &str,
    served: &Mutex<Vec<Served>>,
    runs: &Runs,
) -> redis::RedisResult<bool> {
    let conn = match conn {
        Some(conn) => conn,
        None => {
            let config = redis::AsyncConnectionConfig::new()
                .set_connection_timeout(Some(Duration::from_secs(2)))
                .set_response_timeout(Some(Duration::from_secs(2)));
            conn.insert(client.get_multiplexed_async_connection_with_config(&config).await?)
        }
    };
    let queues = lock(served).clone();
    let before: Vec<_> = lock(runs).keys().copied().collect();
    let beats = queues.iter().map(|one| {
        let mut conn = conn.clone();
        async move {
            let mut call = on(&BEAT, one.queue);
            call.arg(process).arg(one.slots).arg(LEASE.as_millis() as u64).arg(CONFIRM.as_millis() as u64).arg(CHUNK);
            call.invoke_async::<(u8, u64, u8)>(&mut conn).await
        }
    });
    let mut more = false;
    for (one, beaten) in queues.iter().zip(join_all(beats).await) {
        let (known, back, rest) = beaten?;
        more |= rest == 1;
        if back > 0 {
            tracing::warn!(queue = one.queue.as_str(), jobs = back, "took back the jobs of a dead process");
            metrics::counter!("frontdesk_jobs_taken_back_total", "queue" => one.queue.as_str()).increment(back);
        }
        if known == 0 && one.known {
            tracing::error!(queue = one.queue.as_str(), "this process was unheard of for so long that its jobs were taken from it");
            let runs = lock(runs);
            before.iter().filter(|(queue, _)| *queue == one.queue).filter_map(|run| runs.get(run)).for_each(CancellationToken::cancel);
        }
        if let Some(served) = lock(served).iter_mut().find(|s| s.queue == one.queue) {
            served.known = true;
        }
    }
    Ok(more)
}
