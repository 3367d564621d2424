//! What recurs: fired from where the schedule stands in Redis, and shown to operations. A job's place in the schedule lies beside its queue, so that the
//! push and the note are one step ([decision 19](../../../docs/decisions/0019-firings.md)).

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::scripts::{FIRE, on, prefix};
use super::{From, JobId, Queue, QueueError};
use crate::jobs::JobName;

/// What the leader of the schedulers leads.
pub const SCHEDULER: &str = "scheduler";

/// Where a job stands in its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The time that was last fired, or set.
    pub at: DateTime<Utc>,
    version: u64,
}

/// A firing that is due.
#[derive(Debug, Clone)]
pub struct Due<'a> {
    /// The job.
    pub job: JobName,
    /// For which of its times.
    pub at: DateTime<Utc>,
    /// How long until its next time.
    pub interval: TimeDelta,
    /// Earlier times that it makes up for.
    pub missed: u32,
    /// Firings that may wait for a worker.
    pub most_waiting: u64,
    /// The payload.
    pub payload: &'a RawValue,
}

/// What came of firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// It is in the queue.
    New(Position),
    /// The clock went back, and this time has had its firing.
    Known(Position),
    /// Too many earlier ones wait for a worker: ask again later.
    Full,
    /// Somebody else was here meanwhile: read the position anew.
    Stale,
}

/// What the leader tells operations of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned<'a> {
    /// Cron with seconds.
    pub expression: &'a str,
    /// The zone in which it is meant.
    pub zone: &'a str,
    /// When it fires next.
    pub next: Option<DateTime<Utc>>,
}

/// A job of the schedule, as operations see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Cron with seconds.
    pub expression: String,
    /// The zone in which it is meant.
    pub zone: String,
    /// The time of its last firing.
    pub last_fired_at: Option<DateTime<Utc>>,
    /// When that was put into the queue, by Redis's clock.
    pub enqueued_at: Option<DateTime<Utc>>,
    /// When it fires next.
    pub next_fire_at: Option<DateTime<Utc>>,
    /// Earlier times that the last firing made up for.
    pub missed: u64,
    /// How its latest run ended, `done` or why it was given up, and when.
    pub last_run: Option<(String, DateTime<Utc>)>,
}

/// The key under which a firing is known.
fn key(job: JobName, at: DateTime<Utc>) -> String {
    format!("{job}@{}", at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn place(job: JobName) -> String {
    format!("{}schedule", prefix(job))
}

impl Queue {
    /// Where a job stands in its schedule; `None` before its first start.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn position(&self, job: JobName) -> Result<Option<Position>, QueueError> {
        let mut get = redis::cmd("HMGET");
        get.arg(place(job)).arg("at").arg("version");
        let (at, version): (Option<i64>, Option<u64>) = get.query_async(&mut self.connection()).await?;
        let at = at.and_then(DateTime::from_timestamp_millis);
        Ok(at.map(|at| Position { at, version: version.unwrap_or_default() }))
    }

    /// Sets a job's schedule to an instant without firing: at the first start ever, and when the clock went back. `None` if somebody else was quicker.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn set_position(&self, job: JobName, seen: Option<Position>, at: DateTime<Utc>) -> Result<Option<Position>, QueueError> {
        let version = seen.map_or(0, |seen| seen.version);
        let mut call = on(&FIRE, job);
        call.arg(version).arg(at.timestamp_millis()).arg("set");
        let told: String = call.invoke_async(&mut self.connection()).await?;
        Ok((told == "set").then_some(Position { at, version: version + 1 }))
    }

    /// Fires what is due, if the job still stands where the caller saw it.
    ///
    /// # Errors
    /// When Redis is away: it may or may not have fired; read the position anew.
    pub async fn fire(&self, due: &Due<'_>, seen: Position) -> Result<Fired, QueueError> {
        let mut call = on(&FIRE, due.job);
        call.arg(seen.version).arg(due.at.timestamp_millis()).arg("fire").arg(key(due.job, due.at)).arg(JobId::fresh().to_string());
        call.arg(From::System.group()).arg(due.payload.get()).arg(due.most_waiting);
        call.arg((due.interval / 2).num_milliseconds()).arg(due.missed);
        let told: String = call.invoke_async(&mut self.connection()).await?;
        let now = Position { at: due.at, version: seen.version + 1 };
        Ok(match told.as_str() {
            "fired" => Fired::New(now),
            "known" => Fired::Known(now),
            "full" => Fired::Full,
            _ => Fired::Stale,
        })
    }

    /// Lets operations see how a job is planned.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn publish_plan(&self, job: JobName, planned: &Planned<'_>) -> Result<(), QueueError> {
        let next = planned.next.map_or(0, |next| next.timestamp_millis());
        let mut set = redis::cmd("HSET");
        set.arg(place(job)).arg("expression").arg(planned.expression).arg("zone").arg(planned.zone).arg("next").arg(next);
        Ok(set.query_async(&mut self.connection()).await?)
    }

    /// How a job is planned, and how it went; `None` if no scheduler has published it.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn scheduled(&self, job: JobName) -> Result<Option<Scheduled>, QueueError> {
        let mut fields: HashMap<String, String> = redis::cmd("HGETALL").arg(place(job)).query_async(&mut self.connection()).await?;
        let (Some(expression), Some(zone)) = (fields.remove("expression"), fields.remove("zone")) else { return Ok(None) };
        let number = |name: &str| fields.get(name).and_then(|value| value.parse::<i64>().ok()).filter(|value| *value > 0);
        let time = |name: &str| number(name).and_then(DateTime::from_timestamp_millis);
        Ok(Some(Scheduled {
            last_fired_at: time("fired"),
            enqueued_at: time("enqueued"),
            next_fire_at: time("next"),
            missed: number("missed").unwrap_or_default().unsigned_abs(),
            last_run: fields.get("outcome").cloned().zip(time("ended")),
            expression,
            zone,
        }))
    }
}
