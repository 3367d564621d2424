//! Administration: the shops, the raw events, the queues and what died in them.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::system::LogFilter;
use frontdesk_core::ids::ShopId;
use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{JobId, SCHEDULER, Scheduled, Stats};
use futures_util::future::try_join_all;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Page as List, cursor, limit};
use crate::call::AdminCx;
use crate::form::{Form, Request};
use crate::reply::{HttpError, Reply};

/// Every queue.
#[derive(ToSchema)]
pub struct Queues {
    /// The queues.
    pub items: Vec<QueueView>,
}

/// A queue at a glance.
#[derive(ToSchema)]
pub struct QueueView {
    /// Its name, which is the job's.
    pub queue: String,
    /// Jobs that wait for a worker.
    pub ready: u64,
    /// Jobs that wait until they are due.
    pub delayed: u64,
    /// Jobs that run.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// Of the ready ones, those that wait to run alone.
    pub alone: u64,
    /// How long the oldest ready job has waited, in milliseconds.
    pub oldest_ready_ms: u64,
    /// Processes that serve it.
    pub processes: u64,
    /// Their slots.
    pub slots: u64,
    /// Shops and channels that wait.
    pub groups: u64,
}

/// What recurs.
#[derive(Serialize, ToSchema)]
pub struct ScheduleView {
    /// The scheduler that leads; absent while none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<LeaderView>,
    /// The jobs.
    pub items: Vec<ScheduledView>,
}

/// The scheduler that leads.
#[derive(Serialize, ToSchema)]
pub struct LeaderView {
    /// The process.
    pub process: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A job that recurs.
#[derive(Serialize, ToSchema)]
pub struct ScheduledView {
    /// Its name.
    pub job: String,
    /// Cron with seconds: second, minute, hour, day, month, weekday.
    pub expression: String,
    /// The zone in which it is meant.
    pub timezone: String,
    /// The time of its last firing.
    pub last_fired_at: Option<DateTime<Utc>>,
    /// When that firing was put into the queue.
    pub enqueued_at: Option<DateTime<Utc>>,
    /// When it fires next; long past if firings are held back, or no scheduler runs.
    pub next_fire_at: Option<DateTime<Utc>>,
    /// How many earlier times the last firing made up for.
    pub missed: u64,
    /// How its latest run ended: `done`, or why it was given up.
    pub last_outcome: Option<String>,
    /// When that run ended.
    pub last_ended_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
pub(super) struct Named {
    pub(super) queue: JobName,
    #[serde(flatten)]
    pub(super) stats: Stats,
}

/// A page of dead jobs, the latest first.
#[derive(ToSchema)]
pub struct DeadJobs {
    /// The jobs.
    pub items: Vec<DeadJob>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// A job that was given up.
#[derive(ToSchema)]
pub struct DeadJob {
    /// Its id.
    pub id: String,
    /// Its queue.
    pub queue: String,
    /// Why, in one word.
    pub code: String,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// When it was enqueued.
    pub enqueued_at: DateTime<Utc>,
    /// Runs that failed.
    pub attempts: u32,
    /// Processes that died while they ran it.
    pub deaths: u32,
    /// The shop in whose scope it ran.
    pub shop: Option<i32>,
    /// Whether it holds messages of a conversation.
    pub parked_messages: bool,
}

/// Which page.
#[derive(ToSchema)]
pub struct Page {
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i64>,
}

impl Request for Page {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { limit: limit(form), cursor: cursor(form) })
    }
}

/// A page of shops.
#[derive(ToSchema)]
pub struct Shops {
    /// The shops.
    pub items: Vec<ShopView>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// A shop at a glance.
#[derive(ToSchema)]
pub struct ShopView {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// `product`, `service` or `both`.
    pub kind: String,
    /// `trial`, `starter`, `pro` or `business`.
    pub plan: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Its owner's address.
    pub owner_email: Option<String>,
    /// How many accounts it has connected.
    pub channels: i64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// A page of raw events, the latest first.
#[derive(ToSchema)]
pub struct Logs {
    /// The events.
    pub items: Vec<LoggedEvent>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// A raw event.
#[derive(ToSchema)]
pub struct LoggedEvent {
    /// Its number.
    pub id: i64,
    /// When it was logged.
    pub created_at: DateTime<Utc>,
    /// Whose it is; nobody's on an account that no shop has connected.
    pub shop_id: Option<i32>,
    /// `in` or `out`.
    pub direction: String,
    /// `whatsapp`, `instagram` or `messenger`.
    pub platform: String,
    /// Meta's id of the account.
    pub external_id: String,
    /// What happened.
    #[schema(example = "message")]
    pub kind: String,
    /// As the platform sent it, or what we sent.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
}

/// Which raw events to list.
#[derive(ToSchema)]
pub struct LogsOf {
    /// Of this shop.
    #[schema(required = false)]
    pub shop_id: Option<i32>,
    /// `whatsapp`, `instagram` or `messenger`.
    #[schema(required = false)]
    pub platform: Option<String>,
    /// `in` or `out`.
    #[schema(required = false)]
    pub direction: Option<String>,
    /// What happened, e.g. `message`.
    #[schema(required = false)]
    pub kind: Option<String>,
    /// Not before this instant (RFC 3339); a week before `to` when absent.
    #[schema(required = false)]
    pub from: Option<DateTime<Utc>>,
    /// Before this instant (RFC 3339); now when absent.
    #[schema(required = false)]
    pub to: Option<DateTime<Utc>>,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<(DateTime<Utc>, i64)>,
}

impl Request for LogsOf {
    fn read(form: &mut Form) -> Option<Self> {
        let instant = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        let shop_id = form.maybe_integer("shop_id", 1..=i64::from(i32::MAX));
        let platform = form.maybe_one_of("platform", &["whatsapp", "instagram", "messenger"]).map(str::to_owned);
        let direction = form.maybe_one_of("direction", &["in", "out"]).map(str::to_owned);
        let kind = form.maybe_text("kind", 1..=60);
        let from = form.maybe_parsed("from", INSTANT, instant);
        let to = form.maybe_parsed("to", INSTANT, instant);
        let cursor = form.maybe_parsed("cursor", "must be the `next_cursor` of the page before", |text| {
            let (micros, id) = text.split_once('.')?;
            Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
        });
        Some(Self { shop_id, platform, direction, kind, from, to, limit: limit(form), cursor })
    }
}

/// What an instant must be.
const INSTANT: &str = "must be an instant, e.g. 2026-11-30T08:00:00Z";
/// How far back a list of raw events looks by itself.
const LOOK_BACK: TimeDelta = TimeDelta::days(7);

pub(crate) async fn shops(cx: AdminCx) -> Result<Reply, HttpError> {
    let asked: Page = cx.query()?;
    let after = asked.cursor.map(|id| ShopId(i32::try_from(id).unwrap_or(i32::MAX)));
    let items = cx.app.db.list_shops(after, i32::try_from(asked.limit + 1).unwrap_or(i32::MAX)).await?;
    Reply::ok(List::of(items, asked.limit, |shop| shop.id.to_string()))
}

pub(crate) async fn logs(cx: AdminCx) -> Result<Reply, HttpError> {
    let asked: LogsOf = cx.query()?;
    let to = asked.to.unwrap_or_else(|| cx.app.clock.now() + TimeDelta::minutes(1));
    let filter = LogFilter {
        shop: asked.shop_id.map(ShopId),
        platform: asked.platform,
        direction: asked.direction,
        kind: asked.kind,
        from: asked.from.unwrap_or(to - LOOK_BACK),
        to,
        before: asked.cursor,
    };
    let items = cx.app.db.list_logs(&filter, i32::try_from(asked.limit + 1).unwrap_or(i32::MAX)).await?;
    Reply::ok(List::of(items, asked.limit, |event| format!("{}.{}", event.created_at.timestamp_micros(), event.id)))
}

pub(crate) async fn queues(cx: AdminCx) -> Result<Reply, HttpError> {
    let look = |queue: JobName| {
        let app = cx.app.clone();
        async move { app.queue.stats(queue).await.map(|stats| Named { queue, stats }) }
    };
    let items = try_join_all(JobName::ALL.iter().copied().map(look)).await.map_err(HttpError::unavailable)?;
    Reply::ok(List { items, next_cursor: None })
}

pub(crate) async fn schedule(cx: AdminCx) -> Result<Reply, HttpError> {
    let look = |job: JobName| {
        let app = cx.app.clone();
        async move { app.queue.scheduled(job).await.map(|scheduled| scheduled.map(|scheduled| (job, scheduled))) }
    };
    let found = try_join_all(JobName::ALL.iter().copied().map(look)).await.map_err(HttpError::unavailable)?;
    let leads = cx.app.queue.leads(SCHEDULER).await.map_err(HttpError::unavailable)?;
    let item = |(job, of): (JobName, Scheduled)| {
        let (last_outcome, last_ended_at) = of.last_run.unzip();
        ScheduledView {
            job: job.to_string(),
            expression: of.expression,
            timezone: of.zone,
            last_fired_at: of.last_fired_at,
            enqueued_at: of.enqueued_at,
            next_fire_at: of.next_fire_at,
            missed: of.missed,
            last_outcome,
            last_ended_at,
        }
    };
    let items = found.into_iter().flatten().map(item).collect();
    let leader = leads.map(|leads| LeaderView { process: leads.process, since: leads.since });
    Reply::ok(ScheduleView { leader, items })
}

pub(crate) async fn dead(cx: AdminCx) -> Result<Reply, HttpError> {
    let queue = queue(&cx)?;
    let asked: Page = cx.query()?;
    let (offset, limit) = (asked.cursor.unwrap_or_default().unsigned_abs(), asked.limit.unsigned_abs());
    let page = cx.app.queue.dead_letters(queue, offset, limit).await.map_err(HttpError::unavailable)?;
    Reply::ok(List { items: page.items, next_cursor: page.next_offset.map(|offset| offset.to_string()) })
}

pub(crate) async fn retry(cx: AdminCx) -> Result<Reply, HttpError> {
    let (queue, job) = (queue(&cx)?, job(&cx)?);
    done(&cx, "retry", queue, job, cx.app.queue.retry_dead(queue, job).await.map_err(HttpError::unavailable)?)
}

pub(crate) async fn discard(cx: AdminCx) -> Result<Reply, HttpError> {
    let (queue, job) = (queue(&cx)?, job(&cx)?);
    done(&cx, "discard", queue, job, cx.app.queue.discard_dead(queue, job).await.map_err(HttpError::unavailable)?)
}

fn done(cx: &AdminCx, what: &str, queue: JobName, job: JobId, found: bool) -> Result<Reply, HttpError> {
    if !found {
        return Err(HttpError::not_found());
    }
    tracing::info!(admin.id = cx.admin.0, job.name = %queue, job.id = %job, "an administrator asked to {what} a dead job");
    Ok(Reply::empty())
}

fn queue(cx: &AdminCx) -> Result<JobName, HttpError> {
    cx.parameter("queue").parse().map_err(|_| HttpError::not_found())
}

fn job(cx: &AdminCx) -> Result<JobId, HttpError> {
    cx.parameter("id").parse().map_err(|_| HttpError::not_found())
}
