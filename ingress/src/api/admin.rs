//! Administration of the queues: how they stand, and what died in them.

use chrono::{DateTime, Utc};
use frontdesk_core::jobs::JobName;
use frontdesk_core::queue::{JobId, Stats};
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

pub(crate) async fn queues(cx: AdminCx) -> Result<Reply, HttpError> {
    let look = |queue: JobName| {
        let app = cx.app.clone();
        async move { app.queue.stats(queue).await.map(|stats| Named { queue, stats }) }
    };
    let items = try_join_all(JobName::ALL.iter().copied().map(look)).await.map_err(HttpError::unavailable)?;
    Reply::ok(List { items, next_cursor: None })
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
