//! Decides when: fires the schedule, relays what processes left in the outbox, measures the queues. Any number of replicas; one leads.

mod due;
mod gauges;
mod relay;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use frontdesk_core::clock::{SharedClock, SystemClock};
use frontdesk_core::config::{Schedule, SchedulerConfig};
use frontdesk_core::db::{Db, PoolSettings};
use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{Leader, Push, Queue, QueueError};
use secrecy::ExposeSecret;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Firings of one job that may wait for a worker; more are left out, since the next one does their work.
const WAITING: u64 = 5;

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
    while !shutdown.is_cancelled() {
        let leader = tokio::select! {
            () = shutdown.cancelled() => return,
            leader = queue.lead("scheduler") => leader,
        };
        tracing::info!("this process leads the schedule");
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = leader.lost.cancelled() => tracing::warn!("the leadership was lost"),
            () = async {
                tokio::join!(fire_for_ever(&queue, &leader, &schedules, &clock), relay::relay_for_ever(&queue, &db), gauges::measure_for_ever(&queue));
            } => {}
        }
        if let Err(error) = leader.abdicate().await {
            tracing::warn!(%error, "the leadership runs out by itself");
        }
    }
}

async fn fire_for_ever(queue: &Queue, leader: &Leader, schedules: &[Schedule], clock: &SharedClock) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        for schedule in schedules {
            if let Err(error) = fire_if_due(queue, leader, schedule, clock.now()).await {
                tracing::warn!(job.name = schedule.job.as_str(), %error, "not fired; trying again");
            }
        }
    }
}

/// Fires once for all that was missed since the last firing. The key makes a repeat harmless, whoever repeats it.
async fn fire_if_due(queue: &Queue, leader: &Leader, schedule: &Schedule, now: DateTime<Utc>) -> Result<(), QueueError> {
    let name = schedule.job.as_str();
    let Some(last) = leader.last_fired(name).await?.and_then(DateTime::from_timestamp_millis) else {
        // The first start ever: there is nothing to make up for.
        leader.note_fired(name, now.timestamp_millis()).await?;
        return Ok(());
    };
    let Some(at) = due::latest(schedule, last, now) else { return Ok(()) };
    let stats = queue.stats(schedule.job).await?;
    if stats.ready + stats.delayed < WAITING {
        push(queue, schedule.job, at).await?;
    } else {
        tracing::warn!(job.name = name, waiting = stats.ready + stats.delayed, "left out a firing: earlier ones still wait for a worker");
    }
    leader.note_fired(name, at.timestamp_millis()).await?;
    Ok(())
}

async fn push(queue: &Queue, job: JobName, at: DateTime<Utc>) -> Result<(), QueueError> {
    let key = Some(format!("{job}@{}", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)));
    let payload = RawValue::from_string("{}".to_owned())?;
    queue.push_raw(job, None, &payload, Push { key, ..Push::default() }).await?;
    metrics::counter!("frontdesk_schedule_fired_total", "job" => job.as_str()).increment(1);
    Ok(())
}
