//! How a run ends: done, again, dead, back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{Failure, From, JobState, Next, Push, Queue, Waited};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::fresh;
use crate::worker::{Brief, Deed, Probe, notes, probe, push_probes, serve, until, until_empty};

const NAME: JobName = JobName::SaveProduct;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_that_cannot_be_read_costs_that_job_alone() {
    let (redis, queue) = fresh().await;
    let raw = RawValue::from_string(r#"{"n":"not a number"}"#.to_owned()).unwrap();
    let stop = CancellationToken::new();
    let worker = serve(&queue, 2, &stop, {
        let queue = queue.clone();
        move |job, run| probe(queue.clone(), job, run)
    });
    queue.push(From::System, &Probe::lasting(1, 300), Push::default()).await.unwrap();
    let bad = queue.push_raw(NAME, None, &raw, Push::default()).await.unwrap().job();
    queue.push(From::System, &Probe::new(2), Push::default()).await.unwrap();
    until_empty(&queue, NAME, Duration::from_secs(5)).await;
    let dead = queue.dead_letters(NAME, 0, 10).await.unwrap().items;
    assert_eq!((dead.len(), dead[0].id, dead[0].code.as_str()), (1, bad, "undecodable"));
    let mut ended: Vec<_> = notes(&mut redis.connection().await, "ended").await.iter().map(|note| note.n).collect();
    ended.sort_unstable();
    assert_eq!(ended, [1, 2]);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_that_job_an_attempt_and_nobody_else_anything() {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let worker = serve(&queue, 4, &stop, {
        let queue = queue.clone();
        move |job, run| probe(queue.clone(), job, run)
    });
    queue.push(From::System, &Probe::lasting(1, 400), Push::default()).await.unwrap();
    queue.push(From::System, &Probe::that(2, Deed::Panic), Push::default()).await.unwrap();
    until_empty(&queue, NAME, Duration::from_secs(10)).await;
    let mut conn = redis.connection().await;
    let began = notes(&mut conn, "began").await;
    let attempts: Vec<_> = began.iter().filter(|note| note.n == 2).map(|note| note.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    assert_eq!(notes(&mut conn, "ended").await.len(), 1);
    let dead = queue.dead_letters(NAME, 0, 10).await.unwrap().items;
    assert_eq!((dead[0].code.as_str(), dead[0].attempts, dead[0].deaths), ("panic", 3, 0));
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_beyond_its_time_is_stopped_and_costs_an_attempt() {
    let (_redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let (begun, finished) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (b, f) = (Arc::clone(&begun), Arc::clone(&finished));
    let worker = serve(&queue, 2, &stop, move |job: Brief, _| {
        let (b, f) = (Arc::clone(&b), Arc::clone(&f));
        async move {
            b.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(job.0.ms)).await;
            f.fetch_add(1, Ordering::SeqCst);
            Ok(job.0.n)
        }
    });
    let waited =
        queue.push_and_wait(From::System, &Brief(Probe::lasting(1, 5000)), Push::default(), Duration::from_secs(10)).await.unwrap();
    assert_eq!(waited, Waited::Failed { code: "time_limit".to_owned() });
    assert_eq!((begun.load(Ordering::SeqCst), finished.load(Ordering::SeqCst)), (2, 0));
    let waited = queue.push_and_wait(From::System, &Brief(Probe::lasting(2, 5)), Push::default(), Duration::from_secs(10)).await.unwrap();
    assert_eq!(waited, Waited::Done(2));
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_job_is_tried_by_its_policy_then_dead_lettered_and_can_be_driven_again() {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let mend = Arc::new(AtomicU32::new(0));
    let (noted, mended) = (Arc::clone(&times), Arc::clone(&mend));
    let worker = serve(&queue, 2, &stop, move |job: Probe, _| {
        noted.lock().unwrap().push(Instant::now());
        let whole = mended.load(Ordering::SeqCst) == 1;
        async move { if whole { Ok(job.n) } else { Err(Failure { code: "not_yet".to_owned(), next: Next::Retry }) } }
    });
    let id = queue.push(From::System, &Probe::new(1), Push::default()).await.unwrap().job();
    until("it is dead", Duration::from_secs(10), || async { queue.state(NAME, id).await.unwrap() == JobState::Dead }).await;
    {
        let times = times.lock().unwrap();
        assert_eq!(times.len(), 3);
        // 40 ms, then 80 ms; half of it by chance.
        assert!(times[1] - times[0] >= Duration::from_millis(20) && times[2] - times[1] >= Duration::from_millis(40), "{times:?}");
        assert!(times[2] - times[0] < Duration::from_secs(2), "{times:?}");
    }
    let letter = queue.dead_letters(NAME, 0, 10).await.unwrap().items.remove(0);
    assert_eq!((letter.id, letter.code.as_str(), letter.attempts), (id, "not_yet", 3));
    mend.store(1, Ordering::SeqCst);
    assert!(queue.retry_dead(NAME, id).await.unwrap());
    until("it is done", Duration::from_secs(10), || async { queue.state(NAME, id).await.unwrap() == JobState::Gone }).await;
    assert!(!queue.retry_dead(NAME, id).await.unwrap());
    mend.store(0, Ordering::SeqCst);

    let other = queue.push(From::System, &Probe::new(2), Push::default()).await.unwrap().job();
    until("it is dead", Duration::from_secs(10), || async { queue.state(NAME, other).await.unwrap() == JobState::Dead }).await;
    // Its time is over: the sweep takes it. (Time is Redis's, so the letter is made older.)
    redis::cmd("ZADD")
        .arg("fd:{save_product}:dead")
        .arg(1)
        .arg(other.to_string())
        .query_async::<()>(&mut redis.connection().await)
        .await
        .unwrap();
    assert_eq!(queue.sweep().await.unwrap().dead_letters, 1);
    assert_eq!(queue.state(NAME, other).await.unwrap(), JobState::Gone);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_obeyed_and_a_snooze_uses_up_no_attempt() {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let snoozes = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&snoozes);
    let inner = queue.clone();
    let worker = serve(&queue, 2, &stop, move |job: Probe, run| {
        let (counted, inner) = (Arc::clone(&counted), inner.clone());
        async move {
            if job.n == 2 && counted.fetch_add(1, Ordering::SeqCst) < 6 {
                assert_eq!(run.envelope.attempt, 1);
                return Err(Failure { code: "postgres_away".to_owned(), next: Next::Snooze(Duration::from_millis(10)) });
            }
            probe(inner, job, run).await
        }
    });
    let begun = Instant::now();
    queue.push(From::System, &Probe::that(1, Deed::RetryAfter(400)), Push::default()).await.unwrap();
    queue.push(From::System, &Probe::new(2), Push::default()).await.unwrap();
    until_empty(&queue, NAME, Duration::from_secs(10)).await;
    // Three attempts with 400 ms before the second and the third, though the policy says 40 and 80.
    assert!(begun.elapsed() >= Duration::from_millis(800), "{:?}", begun.elapsed());
    assert_eq!(snoozes.load(Ordering::SeqCst), 7);
    let ended = notes(&mut redis.connection().await, "ended").await;
    assert_eq!(ended.iter().map(|note| (note.n, note.attempt)).collect::<Vec<_>>(), [(2, 1)]);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_lets_running_jobs_finish_and_leaves_the_rest_to_others_at_once() {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let worker = serve(&queue, 2, &stop, {
        let queue = queue.clone();
        move |job, run| probe(queue.clone(), job, run)
    });
    push_probes(&queue, From::System, (0..10).map(|n| Probe::lasting(n, 1500))).await;
    let mut conn = redis.connection().await;
    until("two run", Duration::from_secs(5), || async { queue.stats(NAME).await.unwrap().running == 2 }).await;
    stop.cancel();
    let stopped = Instant::now();
    let other = Queue::connect(&redis.url(), "worker").await.unwrap();
    let go_on = CancellationToken::new();
    let second = serve(&other, 8, &go_on, {
        let other = other.clone();
        move |job, run| probe(other.clone(), job, run)
    });
    until("the other eight run", Duration::from_secs(5), || async { queue.stats(NAME).await.unwrap().running == 10 }).await;
    assert!(stopped.elapsed() < Duration::from_millis(1400), "{:?}", stopped.elapsed());
    worker.await.unwrap();
    queue.leave(NAME).await.unwrap();
    until_empty(&queue, NAME, Duration::from_secs(10)).await;
    let began = notes(&mut conn, "began").await;
    assert_eq!(began.len(), 10);
    assert!(began.iter().all(|note| note.attempt == 1 && note.deaths == 0));
    assert_eq!(notes(&mut conn, "ended").await.len(), 10);
    go_on.cancel();
    second.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_still_runs_after_the_grace_period_goes_back_in_order_without_a_death() {
    let (redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let worker = serve(&queue, 3, &stop, {
        let queue = queue.clone();
        move |job, run| probe(queue.clone(), job, run)
    });
    push_probes(&queue, From::System, (0..3).map(|n| Probe::that(n, Deed::Hang))).await;
    push_probes(&queue, From::System, (3..5).map(Probe::new)).await;
    until("three hang", Duration::from_secs(5), || async { queue.stats(NAME).await.unwrap().running == 3 }).await;
    stop.cancel();
    queue.abandon_runs();
    worker.await.unwrap();
    queue.leave(NAME).await.unwrap();
    let stats = queue.stats(NAME).await.unwrap();
    assert_eq!((stats.ready, stats.running, stats.processes), (5, 0, 0));
    let order: Arc<Mutex<Vec<(u64, u32)>>> = Arc::default();
    let (noted, go_on) = (Arc::clone(&order), CancellationToken::new());
    let other = Queue::connect(&redis.url(), "worker").await.unwrap();
    let second = serve(&other, 1, &go_on, move |job: Probe, run| {
        noted.lock().unwrap().push((job.n, run.envelope.deaths));
        async move { Ok(job.n) }
    });
    until_empty(&queue, NAME, Duration::from_secs(5)).await;
    assert_eq!(*order.lock().unwrap(), (0..5).map(|n| (n, 0)).collect::<Vec<_>>());
    go_on.cancel();
    second.await.unwrap();
}
