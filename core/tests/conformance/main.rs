//! What a queue must do, row by row, against a real Redis. `stock` puts the same questions to apalis-redis as released.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../support/redis.rs"]
mod redis_server;
#[path = "../support/worker.rs"]
mod worker;

mod deaths;
mod delivery;
mod fairness;
mod limits;
mod runs;
mod stalls;
mod stock;

use frontdesk_core::queue::Queue;
use redis_server::Redis;

/// A Redis and a queue on it.
async fn fresh() -> (Redis, Queue) {
    let redis = Redis::start().await;
    let queue = Queue::connect(&redis.url(), "test").await.unwrap();
    (redis, queue)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by other tests as a process of its own"]
async fn a_worker_process() {
    worker::be_a_worker().await;
}
