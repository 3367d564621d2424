//! Push, wake-up, delay, idempotency keys, results.

use std::time::{Duration, Instant};

use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{From, JobState, Push, Pushed, QueueError, Waited};
use tokio_util::sync::CancellationToken;

use crate::fresh;
use crate::worker::{Deed, Probe, notes, probe, scope, serve, until, until_empty};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_picks_a_job_up_within_milliseconds() {
    let (_redis, queue) = fresh().await;
    let enqueuer = queue.clone();
    let stop = CancellationToken::new();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let worker = serve(&queue, 4, &stop, move |job: Probe, _| {
        sender.send((job.n, Instant::now())).unwrap();
        async move { Ok(job.n) }
    });
    let mut waits = Vec::new();
    for n in 0..300 {
        let pushed_at = Instant::now();
        enqueuer.push(From::System, &Probe::new(n), Push::default()).await.unwrap();
        let (got, begun_at) = receiver.recv().await.unwrap();
        assert_eq!(got, n);
        waits.push(begun_at.saturating_duration_since(pushed_at));
        until_empty(&queue, JobName::SaveProduct, Duration::from_secs(5)).await;
    }
    waits.sort();
    let (half, most) = (waits[waits.len() / 2], waits[waits.len() * 98 / 100]);
    println!("pick-up: p50 {half:?}, p98 {most:?}, max {:?}", waits.last().unwrap());
    assert!(half < Duration::from_millis(25), "p50 {half:?}");
    assert!(most < Duration::from_millis(500), "p98 {most:?}: found by the poll, not woken");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delayed_job_comes_to_the_millisecond_and_not_before() {
    let (_redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let worker = serve(&queue, 8, &stop, move |job: Probe, _| {
        sender.send((job.n, Instant::now())).unwrap();
        async move { Ok(job.n) }
    });
    let begun = Instant::now();
    for n in [650, 250, 450] {
        let how = Push { delay: Duration::from_millis(n), ..Push::default() };
        queue.push(From::System, &Probe::new(n), how).await.unwrap();
    }
    for wanted in [250, 450, 650] {
        let (n, at) = receiver.recv().await.unwrap();
        assert_eq!(n, wanted);
        let waited = at.duration_since(begun).as_millis() as u64;
        assert!(waited + 1 >= n && waited < n + 180, "due after {n} ms, came after {waited} ms");
    }
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_leads_to_one_job_and_the_caller_learns_which() {
    let (redis, queue) = fresh().await;
    let keyed = || Push { key: Some("order-1".to_owned()), ..Push::default() };
    let all = futures_util::future::join_all((0..50).map(|n| {
        let (queue, how) = (queue.clone(), keyed());
        async move { queue.push(From::System, &Probe::new(n), how).await.unwrap() }
    }))
    .await;
    let new: Vec<_> = all.iter().filter(|pushed| matches!(pushed, Pushed::New(_))).collect();
    assert_eq!(new.len(), 1);
    assert!(all.iter().all(|pushed| pushed.job() == new[0].job()));
    // Another shop's key is another key.
    let seven = scope(&queue, 7).await;
    assert!(matches!(queue.push(From::Shop(&seven), &Probe::new(1), keyed()).await.unwrap(), Pushed::New(_)));

    let stop = CancellationToken::new();
    let worker = serve(&queue, 8, &stop, {
        let queue = queue.clone();
        move |job, run| probe(queue.clone(), job, run)
    });
    until_empty(&queue, JobName::SaveProduct, Duration::from_secs(10)).await;
    assert_eq!(notes(&mut redis.connection().await, "ended").await.len(), 2);
    // The key outlives the job.
    assert_eq!(queue.push(From::System, &Probe::new(9), keyed()).await.unwrap(), Pushed::Duplicate(new[0].job()));
    assert_eq!(queue.state(JobName::SaveProduct, new[0].job()).await.unwrap(), JobState::Gone);
    let long = Push { key: Some("k".repeat(256)), ..Push::default() };
    assert!(matches!(queue.push(From::System, &Probe::new(9), long).await, Err(QueueError::KeyTooLong)));
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_gets_the_result_also_under_a_repeated_key_and_from_another_process() {
    let (redis, queue) = fresh().await;
    let other = frontdesk_core::queue::Queue::connect(&redis.url(), "ingress").await.unwrap();
    let stop = CancellationToken::new();
    let worker = serve(&queue, 8, &stop, {
        let queue = queue.clone();
        move |job, run| probe(queue.clone(), job, run)
    });
    let wait = Duration::from_secs(10);
    let keyed = |key: &str| Push { key: Some(key.to_owned()), ..Push::default() };

    let job = Probe::lasting(42, 300);
    let (first, second) =
        tokio::join!(other.push_and_wait(From::System, &job, keyed("a"), wait), queue.push_and_wait(From::System, &job, keyed("a"), wait));
    assert_eq!((first.unwrap(), second.unwrap()), (Waited::Done(42), Waited::Done(42)));
    assert_eq!(notes(&mut redis.connection().await, "began").await.len(), 1);
    // A moment later the result is still there.
    assert_eq!(other.push_and_wait(From::System, &job, keyed("a"), wait).await.unwrap(), Waited::Done(42));

    let failed = other.push_and_wait(From::System, &Probe::that(1, Deed::Fail), keyed("b"), wait).await.unwrap();
    assert_eq!(failed, Waited::Failed { code: "as_told".to_owned() });
    let again = other.push_and_wait(From::System, &Probe::that(1, Deed::Fail), keyed("b"), wait).await.unwrap();
    assert_eq!(again, failed);

    let slow = other.push_and_wait(From::System, &Probe::lasting(3, 1000), keyed("c"), Duration::from_millis(50)).await.unwrap();
    let Waited::StillRunning(id) = slow else { panic!("{slow:?}") };
    assert_eq!(queue.state(JobName::SaveProduct, id).await.unwrap(), JobState::Running);
    // Whoever asks again waits for the same run.
    assert_eq!(other.push_and_wait(From::System, &Probe::lasting(3, 1000), keyed("c"), wait).await.unwrap(), Waited::Done(3));
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_result_costs_milliseconds_within_the_same_machine() {
    let (_redis, queue) = fresh().await;
    let stop = CancellationToken::new();
    let worker = serve(&queue, 8, &stop, |job: Probe, _| async move { Ok(job.n) });
    let mut waits = Vec::new();
    for n in 0..200 {
        let begun = Instant::now();
        let waited = queue.push_and_wait(From::System, &Probe::new(n), Push::default(), Duration::from_secs(5)).await.unwrap();
        assert_eq!(waited, Waited::Done(n));
        waits.push(begun.elapsed());
    }
    waits.sort();
    println!("push, run, result: p50 {:?}, p98 {:?}", waits[100], waits[196]);
    assert!(waits[100] < Duration::from_millis(40), "{:?}", waits[100]);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_redis_that_would_lose_jobs_is_refused_with_the_remedy() {
    let redis = crate::Redis::start().await;
    let mut conn = redis.connection().await;
    let set = |name: &str, value: &str| {
        let mut command = redis::cmd("CONFIG");
        command.arg("SET").arg(name).arg(value);
        command
    };
    set("maxmemory-policy", "allkeys-lru").query_async::<()>(&mut conn).await.unwrap();
    let refused = frontdesk_core::queue::Queue::connect(&redis.url(), "test").await.unwrap_err().to_string();
    assert!(refused.contains("CONFIG SET maxmemory-policy noeviction"), "{refused}");
    set("maxmemory-policy", "noeviction").query_async::<()>(&mut conn).await.unwrap();
    set("appendonly", "no").query_async::<()>(&mut conn).await.unwrap();
    let refused = frontdesk_core::queue::Queue::connect(&redis.url(), "test").await.unwrap_err().to_string();
    assert!(refused.contains("CONFIG SET appendonly yes"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jobs_shop_is_the_enqueuers_and_never_the_payloads() {
    let (_redis, queue) = fresh().await;
    let seven = scope(&queue, 7).await;
    let stop = CancellationToken::new();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let worker = serve(&queue, 2, &stop, move |job: Probe, run| {
        let shop = frontdesk_core::tenancy::ShopScope::from_envelope(&run.envelope).map(|scope| scope.shop().0);
        sender.send((job.n, shop, run.envelope.trace.clone(), run.envelope.key.clone())).unwrap();
        async move { Ok(job.n) }
    });
    let how = Push { trace: Some("00-abc-def-01".to_owned()), key: Some("k".to_owned()), ..Push::default() };
    queue.push(From::Shop(&seven), &Probe::new(1), how).await.unwrap();
    assert_eq!(receiver.recv().await.unwrap(), (1, Some(7), Some("00-abc-def-01".to_owned()), Some("k".to_owned())));
    let raw = serde_json::value::RawValue::from_string(r#"{"n":2,"ms":0,"deed":"Finish","shop":7,"shop_id":7}"#.to_owned()).unwrap();
    queue.push_raw(JobName::SaveProduct, None, &raw, Push::default()).await.unwrap();
    assert_eq!(receiver.recv().await.unwrap(), (2, None, None, None));
    until("both are acknowledged", Duration::from_secs(5), || async { queue.stats(JobName::SaveProduct).await.unwrap().running == 0 })
        .await;
    stop.cancel();
    worker.await.unwrap();
}
