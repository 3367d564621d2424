//! The runner against a real Redis: what handlers say is what happens, and a stop drains.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../../core/tests/support/redis.rs"]
#[expect(dead_code, reason = "shared with the tests of core")]
mod redis_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use frontdesk_core::config::Concurrency;
use frontdesk_core::jobs::{Job, JobName, Retry};
use frontdesk_core::queue::{From, Push, Queue, Waited};
use frontdesk_workers::runner::{Handle, JobContext, JobError, Workers};
use redis_server::Redis;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Deed {
    Finish,
    Fail,
    Snooze,
    NeedScope,
    Last,
    /// Works until it is let go.
    Work,
    Hang,
}

impl Job for Deed {
    type Done = u32;
    const NAME: JobName = JobName::SaveProduct;
    const RETRY: Retry = Retry { attempts: 3, first: Duration::from_millis(10), cap: Duration::from_millis(10) };
    const TIME_LIMIT: Duration = Duration::from_secs(30);
    const CONCURRENCY: usize = 4;
}

#[derive(Debug, Default)]
struct App {
    begun: AtomicU32,
    ended: AtomicU32,
    let_go: CancellationToken,
}

impl Handle<App> for Deed {
    async fn handle(self, cx: &JobContext<App>) -> Result<u32, JobError> {
        let n = cx.app.begun.fetch_add(1, Ordering::SeqCst) + 1;
        match self {
            Self::Finish => {}
            Self::Fail => return Err(JobError::fail("no_use")),
            Self::Snooze if n < 5 => return Err(JobError::snooze(Duration::from_millis(5))),
            Self::Snooze => assert_eq!(cx.envelope.attempt, 1),
            Self::NeedScope => {
                cx.scope()?;
            }
            Self::Last if cx.is_last_attempt() => {}
            Self::Last => return Err(JobError::retry("not_yet")),
            Self::Work => cx.app.let_go.cancelled().await,
            Self::Hang => std::future::pending().await,
        }
        cx.app.ended.fetch_add(1, Ordering::SeqCst);
        Ok(n)
    }
}

async fn fresh() -> (Redis, Queue, Arc<App>, CancellationToken) {
    let redis = Redis::start().await;
    let queue = Queue::connect(&redis.url(), "worker").await.unwrap();
    (redis, queue, Arc::default(), CancellationToken::new())
}

async fn ask(queue: &Queue, deed: Deed) -> Waited<u32> {
    queue.push_and_wait(From::System, &deed, Push::default(), Duration::from_secs(20)).await.unwrap()
}

fn failed(code: &str) -> Waited<u32> {
    Waited::Failed { code: code.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_says_is_what_happens() {
    let (_redis, queue, app, stop) = fresh().await;
    let workers = Workers::new(queue.clone(), app.clone(), Concurrency::default()).run::<Deed>();
    let running = tokio::spawn(workers.until(stop.clone()));
    assert_eq!(ask(&queue, Deed::Finish).await, Waited::Done(1));
    assert_eq!(ask(&queue, Deed::Fail).await, failed("no_use"));
    assert_eq!(ask(&queue, Deed::Snooze).await, Waited::Done(5));
    assert_eq!(ask(&queue, Deed::NeedScope).await, failed("no_scope"));
    assert_eq!(ask(&queue, Deed::Last).await, Waited::Done(9));
    let raw = serde_json::value::RawValue::from_string(r#"{"Unheard":"of"}"#.to_owned()).unwrap();
    let bad = queue.push_raw(JobName::SaveProduct, None, &raw, Push::default()).await.unwrap().job();
    assert_eq!(ask(&queue, Deed::Finish).await, Waited::Done(10));
    let letters = queue.dead_letters(JobName::SaveProduct, 0, 10).await.unwrap().items;
    assert!(letters.iter().any(|letter| letter.id == bad && letter.code == "undecodable"), "{letters:?}");
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(queue.stats(JobName::SaveProduct).await.unwrap().processes, 0, "it has left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_what_runs_and_gives_back_what_outlasts_the_grace() {
    let (_redis, queue, app, stop) = fresh().await;
    let workers = Workers::new(queue.clone(), app.clone(), Concurrency::default()).grace(Duration::from_secs(2)).run::<Deed>();
    let running = tokio::spawn(workers.until(stop.clone()));
    for deed in [Deed::Work, Deed::Work, Deed::Hang, Deed::Hang, Deed::Finish, Deed::Finish] {
        queue.push(From::System, &deed, Push::default()).await.unwrap();
    }
    while app.begun.load(Ordering::SeqCst) < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asked = Instant::now();
    stop.cancel();
    app.let_go.cancel();
    running.await.unwrap().unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(1900) && asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    assert_eq!((app.begun.load(Ordering::SeqCst), app.ended.load(Ordering::SeqCst)), (4, 2), "nothing began after the stop");
    let stats = queue.stats(JobName::SaveProduct).await.unwrap();
    assert_eq!((stats.ready, stats.running, stats.dead, stats.processes), (4, 0, 0, 0));
}
