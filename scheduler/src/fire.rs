//! Fires what is due. Where a job stands lies in Redis, beside its queue; what is known of it here is only a copy, which spares idle looks.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::clock::SharedClock;
use frontdesk_core::config::Schedule;
use frontdesk_core::queue::{Due, Fired, Planned, Position, Queue, QueueError};
use serde_json::value::RawValue;

use crate::due::Timetable;

/// Firings of one job that may wait for a worker. The next is made up for when there is room: nothing is lost, and nothing piles up.
const WAITING: u64 = 5;
/// Clocks of two machines differ by less. What was fired for a time further ahead was fired by a clock that was wrong.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// A job of the schedule.
struct Entry {
    times: Timetable,
    /// Where it stands, as seen last.
    position: Option<Position>,
    next: Option<DateTime<Utc>>,
    /// The time whose firing has no room.
    held_back: Option<DateTime<Utc>>,
}

pub(crate) async fn fire_for_ever(queue: &Queue, schedules: &[Schedule], clock: &SharedClock, every: std::time::Duration) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let entry = |times| Entry { times, position: None, next: None, held_back: None };
    let mut entries: Vec<Entry> = schedules.iter().filter_map(Timetable::read).map(entry).collect();
    loop {
        tick.tick().await;
        if let Err(error) = look(queue, &mut entries, clock.now()).await {
            tracing::warn!(%error, "the schedule was not looked at to its end; trying again");
        }
    }
}

/// One look. What is overdue longest is fired first, so that a job that comes after another one does so in a make-up, too; if one cannot be fired, those after
/// it wait.
async fn look(queue: &Queue, entries: &mut [Entry], now: DateTime<Utc>) -> Result<(), QueueError> {
    for entry in entries.iter_mut() {
        entry.take_position(queue, now).await?;
    }
    let mut due: Vec<&mut Entry> = entries.iter_mut().filter(|entry| entry.next.is_some_and(|next| next <= now)).collect();
    due.sort_by_key(|entry| entry.next);
    for entry in due {
        entry.fire(queue, now).await?;
    }
    Ok(())
}

impl Entry {
    /// Learns where the job stands, if that is not known. The first start ever makes up for nothing. A clock that went back does not keep a job from firing
    /// until the old time is reached again: the schedule is set back, too.
    async fn take_position(&mut self, queue: &Queue, now: DateTime<Utc>) -> Result<(), QueueError> {
        let known = self.position;
        let seen = match known {
            Some(position) => Some(position),
            None => queue.position(self.times.job).await?,
        };
        let position = match seen {
            Some(position) if position.at <= now + AHEAD => Some(position),
            _ => {
                if let Some(ahead) = seen {
                    tracing::warn!(job.name = %self.times.job, from = %ahead.at, to = %now, "the clock went back, and the schedule with it");
                    metrics::counter!("frontdesk_schedule_set_back_total", "job" => self.times.job.as_str()).increment(1);
                }
                queue.set_position(self.times.job, seen, now).await?
            }
        };
        if position != known || self.next.is_none() {
            self.stands_at(queue, position).await?;
        }
        Ok(())
    }

    async fn stands_at(&mut self, queue: &Queue, position: Option<Position>) -> Result<(), QueueError> {
        self.position = None;
        self.next = position.and_then(|position| self.times.next(position.at));
        let planned = Planned { expression: &self.times.expression, zone: self.times.zone.name(), next: self.next };
        if let Some(position) = position {
            queue.publish_plan(self.times.job, &planned).await?;
            let at = position.at.timestamp() as f64;
            metrics::gauge!("frontdesk_schedule_last_fired_timestamp_seconds", "job" => self.times.job.as_str()).set(at);
        }
        if let Some(next) = self.next {
            metrics::gauge!("frontdesk_schedule_next_fire_timestamp_seconds", "job" => self.times.job.as_str())
                .set(next.timestamp() as f64);
        }
        // Only now: what was not published is published by the next look.
        self.position = position;
        Ok(())
    }

    /// Fires once for all that was missed since the last firing.
    async fn fire(&mut self, queue: &Queue, now: DateTime<Utc>) -> Result<(), QueueError> {
        let Some(seen) = self.position else { return Ok(()) };
        let Some(at) = self.times.latest(seen.at, now) else { return Ok(()) };
        let (job, name) = (self.times.job, self.times.job.as_str());
        let interval = self.times.next(at).map_or(TimeDelta::zero(), |next| next - at);
        let missed = self.times.missed(seen.at, at);
        let payload = RawValue::from_string("{}".to_owned())?;
        // Until Redis has answered, nobody knows where it stands.
        self.position = None;
        match queue.fire(&Due { job, at, interval, missed, most_waiting: WAITING, payload: &payload }, seen).await? {
            Fired::New(position) => {
                metrics::counter!("frontdesk_schedule_fired_total", "job" => name).increment(1);
                metrics::counter!("frontdesk_schedule_missed_total", "job" => name).increment(missed.into());
                if missed > 0 {
                    tracing::info!(job.name = name, missed, %at, "made up for missed firings");
                }
                self.stands_at(queue, Some(position)).await
            }
            Fired::Known(position) => self.stands_at(queue, Some(position)).await,
            Fired::Full => {
                if self.held_back.replace(at) != Some(at) {
                    tracing::warn!(job.name = name, "a firing is held back: earlier ones still wait for a worker");
                }
                self.position = Some(seen);
                Ok(())
            }
            // The next look reads it anew.
            Fired::Stale => Ok(()),
        }
    }
}
