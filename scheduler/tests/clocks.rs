//! Schedulers that are killed, are down for days, and whose clock jumps; what they fire is counted by whoever runs it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../../core/tests/support/postgres.rs"]
#[expect(dead_code, reason = "shared with the tests of core")]
mod postgres;
#[path = "../../core/tests/support/redis.rs"]
#[expect(dead_code, reason = "shared with the tests of core")]
mod redis_server;
#[path = "../../core/tests/support/worker.rs"]
#[expect(dead_code, reason = "shared with the tests of core")]
mod worker;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc, Weekday};
use frontdesk_core::clock::{Clock as _, FixedClock};
use frontdesk_core::config::Schedule;
use frontdesk_core::db::Db;
use frontdesk_core::jobs::{CheckFigures, DropOldLogs, DropOldMedia, JobName, SweepQueues, WatchChannels};
use frontdesk_core::queue::{Due, Fired, JobId, Leadership, Queue, Run, SCHEDULER};
use frontdesk_scheduler::{Pace, run_at};
use postgres::TestDb;
use redis_server::Redis;
use serde_json::value::RawValue;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A leadership that is short, so that a killed leader is soon followed.
const PACE: Pace = Pace {
    tick: Duration::from_millis(2),
    leadership: Leadership {
        lifetime: Duration::from_millis(250),
        every: Duration::from_millis(40),
        stop_after: Duration::from_millis(180),
    },
};
const BERLIN: chrono_tz::Tz = chrono_tz::Europe::Berlin;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn key(job: JobName, at: DateTime<Utc>) -> String {
    format!("{job}@{}", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// What ran: the firing's key and its job.
type Ran = (String, JobId);

/// A Redis, a clock, and a worker that runs whatever is fired.
struct Stage {
    redis: Redis,
    _test_db: TestDb,
    db: Db,
    queue: Queue,
    clock: Arc<FixedClock>,
    schedules: Vec<Schedule>,
    ran: UnboundedReceiver<Ran>,
    told: UnboundedSender<Ran>,
    stop: CancellationToken,
}

/// A scheduler: its name and its task.
type Scheduler = (String, JoinHandle<()>, CancellationToken);

impl Stage {
    async fn new(now: &str, zone: chrono_tz::Tz, schedules: &[(JobName, &str)]) -> Self {
        let (redis, test_db) = (Redis::start().await, TestDb::new().await);
        let queue = Queue::connect(&redis.url(), "worker").await.unwrap();
        let (told, ran) = unbounded_channel();
        let schedules =
            schedules.iter().map(|(job, expression)| Schedule { job: *job, expression: (*expression).to_owned(), zone }).collect();
        let (clock, stop) = (Arc::new(FixedClock::at(at(now))), CancellationToken::new());
        Self { db: test_db.app(4).await, redis, _test_db: test_db, queue, clock, schedules, ran, told, stop }
    }

    /// Workers begin to run what is fired.
    fn work(&self) {
        fn run<J: frontdesk_core::jobs::Job<Done = ()>>(stage: &Stage) {
            let told = stage.told.clone();
            drop(worker::serve(&stage.queue, 4, &stage.stop, move |_: J, run: Run| {
                let told = told.clone();
                async move {
                    told.send((run.envelope.key.clone().unwrap(), run.envelope.job)).unwrap();
                    Ok(())
                }
            }));
        }
        run::<SweepQueues>(self);
        run::<CheckFigures>(self);
        run::<DropOldLogs>(self);
        run::<DropOldMedia>(self);
        run::<WatchChannels>(self);
    }

    async fn scheduler(&self) -> Scheduler {
        let queue = Queue::connect(&self.redis.url(), "scheduler").await.unwrap();
        let (name, stop) = (queue.process().to_owned(), CancellationToken::new());
        let running = run_at(PACE, queue, self.db.clone(), self.schedules.clone(), self.clock.clone(), stop.clone());
        (name, tokio::spawn(running), stop)
    }

    /// Where a job stands in its schedule.
    async fn stands(&self, job: JobName, at: DateTime<Utc>) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.queue.position(job).await.unwrap().is_none_or(|position| position.at != at) {
            assert!(Instant::now() < end, "{job} never stands at {at}: {:?}", self.queue.position(job).await.unwrap());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn moves(&self, by: TimeDelta) -> DateTime<Utc> {
        self.clock.advance(by);
        self.clock.now()
    }

    async fn next(&mut self) -> Ran {
        tokio::time::timeout(Duration::from_secs(20), self.ran.recv()).await.expect("nothing is fired").unwrap()
    }

    /// What else has run by now, once every queue is empty.
    async fn rest(&mut self) -> Vec<String> {
        for schedule in &self.schedules {
            worker::until_empty(&self.queue, schedule.job, Duration::from_secs(10)).await;
        }
        std::iter::from_fn(|| self.ran.try_recv().ok()).map(|(key, _)| key).collect()
    }

    async fn end(self, schedulers: Vec<Scheduler>) {
        for (_, task, stop) in schedulers {
            stop.cancel();
            task.await.unwrap();
        }
        self.stop.cancel();
    }
}

/// Numbers by chance, told by their seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What is due at an instant, told by the clocks on the wall, not by any cron.
fn due_at(instant: DateTime<Utc>, nights: &mut BTreeSet<(JobName, chrono::NaiveDate)>) -> Vec<String> {
    let wall = instant.with_timezone(&BERLIN);
    let mut due = Vec::new();
    if wall.minute().is_multiple_of(5) {
        due.push(key(JobName::SweepQueues, instant));
    }
    if wall.minute() == 0 {
        due.push(key(JobName::CheckFigures, instant));
    }
    let (hour, minute, date) = (wall.hour(), wall.minute(), wall.date_naive());
    // An hour that comes twice has one of each.
    if (hour, minute) == (2, 30) && nights.insert((JobName::DropOldLogs, date)) {
        due.push(key(JobName::DropOldLogs, instant));
    }
    if (hour, minute, wall.weekday()) == (2, 45, Weekday::Sun) && nights.insert((JobName::WatchChannels, date)) {
        due.push(key(JobName::WatchChannels, instant));
    }
    due
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_schedulers_whose_leader_is_killed_at_random_for_a_week_fire_each_time_once() {
    // Clocks are set back in the night to Sunday, 25 October.
    let mut stage = Stage::new(
        "2026-10-20T21:58:00Z",
        BERLIN,
        &[
            (JobName::SweepQueues, "0 */5 * * * *"),
            (JobName::CheckFigures, "0 0 * * * *"),
            (JobName::DropOldLogs, "0 30 2 * * *"),
            (JobName::WatchChannels, "0 45 2 * * Sun"),
        ],
    )
    .await;
    stage.work();
    let seed = u64::try_from(uuid::Uuid::new_v4().as_u128() >> 64).unwrap() | 1;
    println!("seed {seed}");
    let mut chance = Chance(seed);
    let mut schedulers = vec![stage.scheduler().await, stage.scheduler().await, stage.scheduler().await];
    for schedule in &stage.schedules {
        stage.stands(schedule.job, stage.clock.now()).await;
    }
    let (mut expected, mut ran, mut kills, mut nights) = (Vec::new(), Vec::new(), 0, BTreeSet::new());
    stage.moves(TimeDelta::minutes(2)).await;
    let end = at("2026-10-27T23:00:00Z");
    while stage.clock.now() < end {
        let now = stage.clock.now();
        let mut due = due_at(now, &mut nights);
        expected.append(&mut due);
        if chance.below(25) == 0 {
            // At a moment by chance, so also while a firing is on its way to Redis.
            tokio::time::sleep(Duration::from_micros(chance.below(6_000))).await;
            let leader = stage.queue.leads(SCHEDULER).await.unwrap();
            if let Some(place) = leader.and_then(|leader| schedulers.iter().position(|(name, ..)| *name == leader.process)) {
                let (_, task, _) = schedulers.remove(place);
                task.abort();
                assert!(task.await.is_err_and(|ended| ended.is_cancelled()), "it ended by itself");
                schedulers.push(stage.scheduler().await);
                kills += 1;
            }
        }
        while ran.len() < expected.len() {
            ran.push(stage.next().await.0);
        }
        stage.moves(TimeDelta::minutes(5)).await;
    }
    // Back to what was last waited for: nothing is due beyond it.
    stage.clock.advance(TimeDelta::minutes(-1));
    ran.append(&mut stage.rest().await);
    expected.sort_unstable();
    ran.sort_unstable();
    assert_eq!(ran, expected, "seed {seed}");
    // A week, and the hour that came twice.
    let fired = |job: JobName| ran.iter().filter(|key| key.starts_with(&format!("{job}@"))).count();
    let counted = [JobName::SweepQueues, JobName::CheckFigures, JobName::DropOldLogs, JobName::WatchChannels].map(fired);
    assert_eq!(counted, [(7 * 24 + 1) * 12, 7 * 24 + 1, 7, 1]);
    assert!(kills > 30, "{kills} kills");
    stage.end(schedulers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_two_days_without_a_scheduler_each_job_is_made_up_for_once_and_in_order() {
    // As renewals and the deactivation after them: daily at eight and at half past.
    let daily = [(JobName::DropOldMedia, "0 30 8 * * *"), (JobName::DropOldLogs, "0 0 8 * * *"), (JobName::SweepQueues, "0 */5 * * * *")];
    let mut stage = Stage::new("2026-05-04T07:57:00Z", chrono_tz::UTC, &daily).await;
    stage.work();
    let first = stage.scheduler().await;
    stage.stands(JobName::DropOldLogs, at("2026-05-04T07:57:00Z")).await;
    stage.stands(JobName::SweepQueues, at("2026-05-04T07:57:00Z")).await;
    stage.stands(JobName::DropOldMedia, at("2026-05-04T07:57:00Z")).await;
    stage.moves(TimeDelta::minutes(4)).await;
    let begun = [stage.next().await.0, stage.next().await.0];
    assert!(begun.contains(&"drop_old_logs@2026-05-04T08:00:00Z".to_owned()), "{begun:?}");
    // It goes without a word; nobody fires at half past eight, nor the next day, nor on Wednesday until a quarter past eight.
    first.1.abort();
    let _ = first.1.await;
    stage.moves(TimeDelta::minutes(2 * 24 * 60 + 14)).await;
    let schedulers = vec![stage.scheduler().await, stage.scheduler().await];
    let mut made_up = [stage.next().await, stage.next().await, stage.next().await];
    // Ids are made one after the other, as jobs are pushed. Oldest first: of sweeps those of Monday, five past eight.
    made_up.sort_by_key(|(_, job)| *job);
    let keys: Vec<&str> = made_up.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(
        keys,
        ["sweep_queues@2026-05-06T08:15:00Z", "drop_old_media@2026-05-05T08:30:00Z", "drop_old_logs@2026-05-06T08:00:00Z"],
        "what was overdue longest first"
    );
    let sweeps = stage.queue.scheduled(JobName::SweepQueues).await.unwrap().unwrap();
    assert_eq!((sweeps.missed, sweeps.next_fire_at), (2 * 24 * 12 + 2, Some(at("2026-05-06T08:20:00Z"))));
    assert_eq!((sweeps.expression.as_str(), sweeps.zone.as_str()), ("0 */5 * * * *", "UTC"));
    assert_eq!(sweeps.last_fired_at, Some(at("2026-05-06T08:15:00Z")));
    stage.moves(TimeDelta::minutes(5)).await;
    assert_eq!(stage.next().await.0, "sweep_queues@2026-05-06T08:20:00Z");
    assert!(stage.rest().await.is_empty());
    let sweeps = stage.queue.scheduled(JobName::SweepQueues).await.unwrap().unwrap();
    assert_eq!(sweeps.last_run.map(|(outcome, _)| outcome).as_deref(), Some("done"));
    stage.end(schedulers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_comes_after_another_does_so_in_a_make_up_too() {
    let daily = [(JobName::DropOldMedia, "0 30 8 * * *"), (JobName::DropOldLogs, "0 0 8 * * *")];
    let mut stage = Stage::new("2026-05-04T07:57:00Z", chrono_tz::UTC, &daily).await;
    stage.work();
    let first = stage.scheduler().await;
    stage.stands(JobName::DropOldLogs, at("2026-05-04T07:57:00Z")).await;
    stage.stands(JobName::DropOldMedia, at("2026-05-04T07:57:00Z")).await;
    first.2.cancel();
    first.1.await.unwrap();
    // On Wednesday at a quarter past eight the latest of the first is today's, that of the second is yesterday's.
    stage.moves(TimeDelta::minutes(2 * 24 * 60 + 18)).await;
    let schedulers = vec![stage.scheduler().await];
    let mut made_up = [stage.next().await, stage.next().await];
    made_up.sort_by_key(|(_, job)| *job);
    let keys: Vec<&str> = made_up.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["drop_old_logs@2026-05-06T08:00:00Z", "drop_old_media@2026-05-05T08:30:00Z"]);
    assert!(stage.rest().await.is_empty());
    stage.end(schedulers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_ahead_fires_each_job_once_and_one_that_goes_back_stops_nothing() {
    let jobs = [(JobName::SweepQueues, "0 * * * * *"), (JobName::DropOldLogs, "0 10 3 * * *")];
    let (sweep, nightly) = (JobName::SweepQueues, JobName::DropOldLogs);
    let mut stage = Stage::new("2026-05-01T00:08:30Z", chrono_tz::UTC, &jobs).await;
    stage.work();
    let schedulers = vec![stage.scheduler().await, stage.scheduler().await];
    for job in [sweep, nightly] {
        stage.stands(job, at("2026-05-01T00:08:30Z")).await;
    }
    // Three hours ahead: one of each.
    stage.moves(TimeDelta::minutes(182)).await;
    stage.stands(sweep, at("2026-05-01T03:10:00Z")).await;
    stage.stands(nightly, at("2026-05-01T03:10:00Z")).await;
    let mut fired = stage.rest().await;
    fired.sort_unstable();
    assert_eq!(fired, ["drop_old_logs@2026-05-01T03:10:00Z", "sweep_queues@2026-05-01T03:10:00Z"]);

    // Back by an hour, as nobody notices for a moment: it is the same minute by Redis's clock, and nothing fires twice.
    let back = stage.moves(TimeDelta::minutes(-60)).await;
    for job in [sweep, nightly] {
        stage.stands(job, back).await;
    }
    stage.moves(TimeDelta::minutes(1)).await;
    stage.stands(sweep, at("2026-05-01T02:11:00Z")).await;
    assert!(stage.rest().await.is_empty());
    // A minute later, by Redis's clock too, it fires again: it does not wait until it is past three.
    let mut conn = stage.redis.connection().await;
    let place = format!("fd:{{{sweep}}}:schedule");
    redis::cmd("HINCRBY").arg(&place).arg("enqueued").arg(-60_000).query_async::<i64>(&mut conn).await.unwrap();
    stage.moves(TimeDelta::minutes(1)).await;
    let (key, _) = stage.next().await;
    assert!(key.starts_with("sweep_queues@2026-05-01T02:12:00Z~"), "{key}");
    // Ten past three comes again; the night's work was done an hour ago.
    stage.moves(TimeDelta::minutes(58)).await;
    stage.stands(nightly, at("2026-05-01T03:10:00Z")).await;
    stage.stands(sweep, at("2026-05-01T03:10:00Z")).await;
    assert!(stage.rest().await.is_empty());
    stage.moves(TimeDelta::minutes(1)).await;
    assert_eq!(stage.next().await.0, "sweep_queues@2026-05-01T03:11:00Z");
    // And the next night as ever.
    stage.moves(TimeDelta::days(1)).await;
    stage.stands(nightly, at("2026-05-02T03:10:00Z")).await;
    let mut fired = vec![stage.next().await.0, stage.next().await.0];
    fired.append(&mut stage.rest().await);
    fired.sort_unstable();
    assert_eq!(fired, ["drop_old_logs@2026-05-02T03:10:00Z", "sweep_queues@2026-05-02T03:11:00Z"]);
    stage.end(schedulers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_worker_runs_does_not_pile_up_and_is_not_lost_either() {
    let jobs = [(JobName::SweepQueues, "0 * * * * *"), (JobName::CheckFigures, "0 * * * * *")];
    let mut stage = Stage::new("2026-05-01T12:00:30Z", chrono_tz::UTC, &jobs).await;
    let schedulers = vec![stage.scheduler().await];
    for (job, _) in jobs {
        stage.stands(job, at("2026-05-01T12:00:30Z")).await;
    }
    for minute in 1..=5 {
        stage.moves(TimeDelta::minutes(1)).await;
        for (job, _) in jobs {
            stage.stands(job, at(&format!("2026-05-01T12:{minute:02}:00Z"))).await;
        }
    }
    // What shops still have to do in the same queue takes nobody's place: only firings count.
    let scope = worker::scope(&stage.queue, 7).await;
    for _ in 0..10 {
        let payload = RawValue::from_string("{}".to_owned()).unwrap();
        stage.queue.push_raw(JobName::CheckFigures, Some(scope), &payload, frontdesk_core::queue::Push::default()).await.unwrap();
    }
    let mut conn = stage.redis.connection().await;
    redis::cmd("LPOP").arg("fd:{check_figures}:ready:system").query_async::<String>(&mut conn).await.unwrap();
    stage.moves(TimeDelta::hours(3)).await;
    stage.stands(JobName::CheckFigures, at("2026-05-01T15:05:00Z")).await;
    stage.stands(JobName::SweepQueues, at("2026-05-01T12:05:00Z")).await;
    assert_eq!(stage.queue.stats(JobName::SweepQueues).await.unwrap().ready, 5);
    // There is room again: the latest makes up for what was held back.
    let told = stage.told.clone();
    drop(worker::serve(&stage.queue, 1, &stage.stop, move |_: SweepQueues, run: Run| {
        let told = told.clone();
        async move {
            told.send((run.envelope.key.clone().unwrap(), run.envelope.job)).unwrap();
            Ok(())
        }
    }));
    for minute in 1..=5 {
        assert_eq!(stage.next().await.0, format!("sweep_queues@2026-05-01T12:{minute:02}:00Z"));
    }
    assert_eq!(stage.next().await.0, "sweep_queues@2026-05-01T15:05:00Z");
    assert_eq!(stage.queue.scheduled(JobName::SweepQueues).await.unwrap().unwrap().missed, 179);
    stage.end(schedulers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_was_paused_fires_nothing_that_the_next_has_fired() {
    let stage = Stage::new("2026-05-01T12:00:30Z", chrono_tz::UTC, &[]).await;
    let (job, other) = (JobName::SweepQueues, Queue::connect(&stage.redis.url(), "scheduler").await.unwrap());
    let payload = RawValue::from_string("{}".to_owned()).unwrap();
    let due = Due { job, at: at("2026-05-01T12:01:00Z"), interval: TimeDelta::minutes(1), missed: 0, most_waiting: 5, payload: &payload };
    let seen = stage.queue.set_position(job, None, at("2026-05-01T12:00:30Z")).await.unwrap().unwrap();
    assert_eq!(other.set_position(job, None, at("2026-05-01T12:00:31Z")).await.unwrap(), None, "the first start is the first's");
    assert!(matches!(other.fire(&due, seen).await.unwrap(), Fired::New(_)));
    assert_eq!(stage.queue.fire(&due, seen).await.unwrap(), Fired::Stale);
    let later = Due { at: at("2026-05-01T12:02:00Z"), ..due };
    assert_eq!(stage.queue.fire(&later, seen).await.unwrap(), Fired::Stale);
    assert_eq!(stage.queue.stats(job).await.unwrap().ready, 1);
    stage.end(Vec::new()).await;
}
