//! How far a long job has come, for whoever waits for it: a note in Redis that goes by itself.

use serde::{Deserialize, Serialize};

use crate::queue::{JobId, Queue, QueueError};

/// A note nobody renewed for this long is of no use.
const KEPT_SECONDS: u64 = 3600;

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Rows done.
    pub done: u64,
    /// Rows in all.
    pub of: u64,
}

fn key(job: JobId) -> String {
    format!("fd:progress:{job}")
}

/// Notes how far a job has come.
///
/// # Errors
/// When Redis is away; the job goes on all the same.
pub async fn note(queue: &Queue, job: JobId, progress: Progress) -> Result<(), QueueError> {
    let text = format!("{}/{}", progress.done, progress.of);
    let () = redis::cmd("SET").arg(key(job)).arg(text).arg("EX").arg(KEPT_SECONDS).query_async(&mut queue.connection()).await?;
    Ok(())
}

/// How far a job has come, if it says so.
///
/// # Errors
/// When Redis is away.
pub async fn read(queue: &Queue, job: JobId) -> Result<Option<Progress>, QueueError> {
    let text: Option<String> = redis::cmd("GET").arg(key(job)).query_async(&mut queue.connection()).await?;
    Ok(text
        .as_deref()
        .and_then(|text| text.split_once('/'))
        .and_then(|(done, of)| Some(Progress { done: done.parse().ok()?, of: of.parse().ok()? })))
}
