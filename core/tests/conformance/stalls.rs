//! Busy slots, and a Redis that stands still or dies.

use std::time::Duration;

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{From, Push, Queue};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fresh;
use crate::redis_server::Redis;
use crate::worker::{Probe, notes, probe, push_probes, serve, until, until_empty};

const NAME: JobName = JobName::SaveProduct;

/// Two workers of 4 slots, as two processes would be.
async fn two_workers(redis: &Redis, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let mut workers = Vec::new();
    for _ in 0..2 {
        let queue = Queue::connect(&redis.url(), "worker").await.unwrap();
        workers.push(serve(&queue, 4, stop, {
            let queue = queue.clone();
            move |job, run| probe(queue.clone(), job, run)
        }));
    }
    workers
}

/// Everything ran exactly once, and nothing was lost or blamed.
async fn assert_each_ran_once(redis: &Redis, queue: &Queue, jobs: u64) {
    let mut conn = redis.connection().await;
    let (began, ended) = (notes(&mut conn, "began").await, notes(&mut conn, "ended").await);
    for (which, notes) in [("began", &began), ("ended", &ended)] {
        let mut ns: Vec<_> = notes.iter().map(|note| note.n).collect();
        ns.sort_unstable();
        assert_eq!(ns, (0..jobs).collect::<Vec<_>>(), "{which}");
    }
    assert!(began.iter().all(|note| note.attempt == 1 && note.deaths == 0));
    let stats = queue.stats(NAME).await.unwrap();
    assert_eq!((stats.ready, stats.running, stats.delayed, stats.dead), (0, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_hold_all_slots_for_longer_than_the_lease_run_once() {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let workers = two_workers(&redis, &stop).await;
    push_probes(&queue, From::System, (0..12).map(|n| Probe::lasting(n, 9000))).await;
    until_empty(&queue, NAME, Duration::from_secs(40)).await;
    assert_each_ran_once(&redis, &queue, 12).await;
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn stall(seconds: u64) {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let workers = two_workers(&redis, &stop).await;
    // Some run through the stall, some end within it, some begin after it.
    push_probes(&queue, From::System, (0..4).map(|n| Probe::lasting(n, seconds * 1000 + 2000))).await;
    push_probes(&queue, From::System, (4..40).map(|n| Probe::lasting(n, 400))).await;
    until("eight run", Duration::from_secs(5), || async { queue.stats(NAME).await.unwrap().running == 8 }).await;
    redis.freeze();
    // Standing still is what this test is about.
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    redis.thaw();
    until_empty(&queue, NAME, Duration::from_secs(60)).await;
    assert_each_ran_once(&redis, &queue, 40).await;
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_for_two_seconds_costs_nothing_but_time() {
    stall(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_for_thirty_seconds_costs_nothing_but_time() {
    stall(30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_and_restarted_loses_nothing_and_runs_nothing_twice() {
    let (mut redis, queue) = fresh().await;
    redis::cmd("CONFIG").arg("SET").arg("appendfsync").arg("always").query_async::<()>(&mut redis.connection().await).await.unwrap();
    let stop = CancellationToken::new();
    let workers = two_workers(&redis, &stop).await;
    push_probes(&queue, From::System, (0..4).map(|n| Probe::lasting(n, 4000))).await;
    push_probes(&queue, From::System, (4..60).map(|n| Probe::lasting(n, 300))).await;
    until("eight run", Duration::from_secs(5), || async { queue.stats(NAME).await.unwrap().running == 8 }).await;
    redis.kill();
    assert!(queue.push(From::System, &Probe::new(99), Push::default()).await.is_err(), "nobody is told that a job is there when it is not");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    redis.restart().await;
    until_empty(&queue, NAME, Duration::from_secs(60)).await;
    // A probe notes its beginning in the same Redis, so one that was handed out in the last moment may have failed to note it and begun again:
    // that costs an attempt, never a second end.
    let mut conn = redis.connection().await;
    let mut ended: Vec<_> = notes(&mut conn, "ended").await.iter().map(|note| note.n).collect();
    ended.sort_unstable();
    assert_eq!(ended, (0..60).collect::<Vec<_>>());
    let deaths: u32 = notes(&mut conn, "began").await.iter().map(|note| note.deaths).sum();
    assert_eq!(deaths, 0, "nobody died");
    assert_eq!(queue.stats(NAME).await.unwrap().dead, 0);
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
}
