//! Decides when: fires the schedule, relays what processes left in the outbox, measures the queues. Any number of replicas; one leads.

mod due;
mod fire;
mod gauges;
mod relay;

use std::sync::Arc;
use std::time::Duration;

use frontdesk_core::clock::{SharedClock, SystemClock};
use frontdesk_core::config::{Schedule, SchedulerConfig};
use frontdesk_core::db::{Db, PoolSettings};
use frontdesk_core::queue::{Leadership, Queue, SCHEDULER as LEADS};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

/// How often a scheduler looks, and how it leads.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often the leader looks at the schedule.
    pub tick: Duration,
    /// How the leadership is kept.
    pub leadership: Leadership,
}

impl Default for Pace {
    fn default() -> Self {
        Self { tick: Duration::from_secs(1), leadership: Leadership::default() }
    }
}

/// Runs until `shutdown`.
///
/// # Errors
/// When Postgres or Redis cannot be used as they are set up.
pub async fn run(config: SchedulerConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let db = Db::connect(&config.database_url, PoolSettings::SCHEDULER).await?;
    let queue = Queue::connect(config.redis_url.expose_secret(), "scheduler").await?;
    run_with(queue, db, config.schedules, Arc::new(SystemClock), shutdown).await;
    Ok(())
}

/// As [`run`], with everything connected and a clock of the caller's.
pub async fn run_with(queue: Queue, db: Db, schedules: Vec<Schedule>, clock: SharedClock, shutdown: CancellationToken) {
    run_at(Pace::default(), queue, db, schedules, clock, shutdown).await;
}

/// As [`run_with`], at a pace of the caller's.
pub async fn run_at(pace: Pace, queue: Queue, db: Db, schedules: Vec<Schedule>, clock: SharedClock, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let leader = tokio::select! {
            () = shutdown.cancelled() => return,
            leader = queue.lead_with(LEADS, pace.leadership) => leader,
        };
        tracing::info!("this process leads the schedule");
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = leader.lost.cancelled() => tracing::warn!("the leadership was lost"),
            () = async {
                tokio::join!(fire::fire_for_ever(&queue, &schedules, &clock, pace.tick), relay::relay_for_ever(&queue, &db), gauges::measure_for_ever(&queue));
            } => {}
        }
        if let Err(error) = leader.abdicate().await {
            tracing::warn!(%error, "the leadership runs out by itself");
        }
    }
}
