//! Schedulers against a real Redis and Postgres: one fires, each tick once; what was left in the outbox is pushed.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../../core/tests/support/postgres.rs"]
#[expect(dead_code, reason = "shared with the tests of core")]
mod postgres;
#[path = "../../core/tests/support/redis.rs"]
#[expect(dead_code, reason = "shared with the tests of core")]
mod redis_server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use frontdesk_core::clock::FixedClock;
use frontdesk_core::config::Schedule;
use frontdesk_core::db::{DbError, TxKind, outbox};
use frontdesk_core::jobs::{JobName, Notice, NotifyStaff};
use frontdesk_core::queue::Queue;
use frontdesk_scheduler::run_with;
use postgres::TestDb;
use redis_server::Redis;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

fn minutely() -> Vec<Schedule> {
    vec![Schedule { job: JobName::SweepQueues, expression: "0 * * * * *".to_owned(), zone: chrono_tz::UTC }]
}

async fn start(redis: &Redis, db: &TestDb, clock: &Arc<FixedClock>) -> (JoinHandle<()>, CancellationToken) {
    let queue = Queue::connect(&redis.url(), "scheduler").await.unwrap();
    let (db, stop) = (db.app(2).await, CancellationToken::new());
    (tokio::spawn(run_with(queue, db, minutely(), clock.clone(), stop.clone())), stop)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < end, "{what}: never");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the leader has fired `at`.
async fn seen(queue: &Queue, at: &str) {
    let at = DateTime::parse_from_rfc3339(at).unwrap();
    until("the leader has noted the firing", async || {
        queue.position(JobName::SweepQueues).await.unwrap().is_some_and(|position| position.at == at)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tick_fires_once_however_many_schedulers_and_a_missed_one_is_made_up_for_once() {
    let (redis, db) = (Redis::start().await, TestDb::new().await);
    let queue = Queue::connect(&redis.url(), "test").await.unwrap();
    let clock = Arc::new(FixedClock::at("2026-05-01T12:00:30Z".parse().unwrap()));
    let mut schedulers = Vec::new();
    for _ in 0..3 {
        schedulers.push(start(&redis, &db, &clock).await);
    }
    let waiting = async || queue.stats(JobName::SweepQueues).await.unwrap().ready;
    // The first start ever makes up for nothing.
    seen(&queue, "2026-05-01T12:00:30Z").await;
    assert_eq!(waiting().await, 0);
    clock.advance(chrono::Duration::minutes(1));
    seen(&queue, "2026-05-01T12:01:00Z").await;
    assert_eq!(waiting().await, 1);
    for (scheduler, stop) in schedulers.drain(..) {
        stop.cancel();
        scheduler.await.unwrap();
    }
    // All three have ended, and none of them fired a second time.
    assert_eq!(waiting().await, 1);
    clock.advance(chrono::Duration::hours(3));
    let (scheduler, stop) = start(&redis, &db, &clock).await;
    seen(&queue, "2026-05-01T15:01:00Z").await;
    assert_eq!(waiting().await, 2);
    stop.cancel();
    scheduler.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_left_in_the_outbox_is_pushed_once_for_its_shop_and_removed() {
    let (redis, db) = (Redis::start().await, TestDb::new().await);
    let queue = Queue::connect(&redis.url(), "test").await.unwrap();
    let app = db.app(2).await;
    let shop = postgres::shop(&app, "left-behind").await;
    for n in 0..3 {
        let job = NotifyStaff { notice_key: format!("n{n}"), notice: Notice::QuotaReached };
        let added: Result<_, DbError> =
            app.shop_tx(&shop.scope, TxKind::Command, async move |mut tx| outbox::add(&mut tx, &job, &format!("n{n}")).await).await;
        added.unwrap();
    }
    let clock = Arc::new(FixedClock::at("2026-05-01T12:00:30Z".parse().unwrap()));
    let mut schedulers = Vec::new();
    for _ in 0..2 {
        schedulers.push(start(&redis, &db, &clock).await);
    }
    // Pushed before it is removed.
    let look = db.raw(&db.superuser_url()).await;
    until("the outbox is empty", async || look.query_one("SELECT count(*) FROM outbox", &[]).await.unwrap().get::<_, i64>(0) == 0).await;
    assert_eq!(queue.stats(JobName::NotifyStaff).await.unwrap().ready, 3);
    let groups: Vec<String> =
        redis::cmd("LRANGE").arg("fd:{notify_staff}:ring").arg(0).arg(-1).query_async(&mut redis.connection().await).await.unwrap();
    assert_eq!(groups, [format!("shop:{}", shop.scope.shop())]);
    assert!(app.claim_outbox(10, Duration::ZERO, Duration::ZERO).await.unwrap().is_empty());
    for (scheduler, stop) in schedulers {
        stop.cancel();
        scheduler.await.unwrap();
    }
}
