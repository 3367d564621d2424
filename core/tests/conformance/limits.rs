//! Nothing stays, nothing grows, nobody is taken for another.

use std::time::Duration;

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{From, Queue};
use tokio_util::sync::CancellationToken;

use crate::fresh;
use crate::worker::{Probe, notes, probe, push_probes, serve, until_empty};

async fn used_memory(conn: &mut redis::aio::MultiplexedConnection) -> i64 {
    let info: String = redis::cmd("INFO").arg("memory").query_async(conn).await.unwrap();
    info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_back_where_it_was_after_a_hundred_thousand_jobs() {
    let (redis, queue) = fresh().await;
    let mut conn = redis.connection().await;
    let stop = CancellationToken::new();
    let worker = serve(&queue, 200, &stop, |job: Probe, _| async move { Ok(job.n) });
    push_probes(&queue, From::System, (0..1000).map(Probe::new)).await;
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(30)).await;
    let (keys, before): (i64, _) = (redis::cmd("DBSIZE").query_async(&mut conn).await.unwrap(), used_memory(&mut conn).await);
    for round in 0..10 {
        push_probes(&queue, From::System, (0..10_000).map(|n| Probe::new(round * 10_000 + n))).await;
    }
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(180)).await;
    let (keys_after, after): (i64, _) = (redis::cmd("DBSIZE").query_async(&mut conn).await.unwrap(), used_memory(&mut conn).await);
    println!("{keys} keys and {before} B before, {keys_after} keys and {after} B after");
    assert!((keys_after - keys).abs() <= 3, "{keys} keys before, {keys_after} after");
    // The AOF's own buffer, not the jobs: those would be 100 MB.
    assert!(after - before < 4_000_000, "{before} B before, {after} B after");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_started_under_one_host_name_are_two() {
    let (redis, first) = fresh().await;
    let second = Queue::connect(&redis.url(), "test").await.unwrap();
    assert_ne!(first.process(), second.process());
    let stop = CancellationToken::new();
    let [leaving, staying] = [&first, &second].map(|queue| {
        serve(queue, 2, &stop, {
            let queue = queue.clone();
            move |job, run| probe(queue.clone(), job, run)
        })
    });
    push_probes(&first, From::System, (0..40).map(|n| Probe::lasting(n, 50))).await;
    until_empty(&first, JobName::SaveProduct, Duration::from_secs(20)).await;
    assert_eq!(first.stats(JobName::SaveProduct).await.unwrap().processes, 2);
    let mut conn = redis.connection().await;
    assert_eq!(notes(&mut conn, "began").await.len(), 40);
    // One leaves; the other's jobs stay its own.
    push_probes(&first, From::System, (40..44).map(|n| Probe::lasting(n, 500))).await;
    // In their handlers, that is: one that was only fetched would be given back by the stop.
    crate::worker::until("all four run", Duration::from_secs(5), || async {
        notes(&mut redis.connection().await, "began").await.len() == 44
    })
    .await;
    // Fetching ends first, or the one that leaves would take up again what it has just given back.
    stop.cancel();
    first.abandon_runs();
    leaving.await.unwrap();
    first.leave(JobName::SaveProduct).await.unwrap();
    staying.await.unwrap();
    let ended = notes(&mut conn, "ended").await;
    assert_eq!(ended.len(), 42, "the second worker finished its two, the first gave its two back");
}
