//! The answer to a write that was accepted with 202.

use frontdesk_core::db::{DbError, TxKind, requests};
use frontdesk_core::jobs::JobName;
use frontdesk_core::progress;
use frontdesk_core::queue::{JobId, JobState};
use frontdesk_core::signatures::{parts_are_signed, sign_parts};
use secrecy::SecretString;
use utoipa::ToSchema;

use crate::call::StaffCx;
use crate::reply::{HttpError, Reply};

/// A write that is under way. Once it is done, the answer stands here as it would have stood at the write itself.
#[derive(ToSchema)]
pub struct Job {
    /// Its id.
    pub job: String,
    /// `running`.
    pub status: String,
    /// How far it has come, if it says so.
    #[schema(required = false)]
    pub progress: JobProgress,
}

/// How far a write has come.
#[derive(ToSchema)]
pub struct JobProgress {
    /// Rows done.
    pub done: u64,
    /// Rows in all.
    pub of: u64,
}

/// A job's id as clients see it: the queue, the id, and a stamp that binds both to who asked. So a look at what is still under way needs no record,
/// and nobody else's id leads anywhere.
pub(crate) fn handle(secrets: &[SecretString], queue: JobName, job: JobId, subject: &str) -> String {
    let job = job.to_string();
    let stamp = secrets.first().map(|secret| sign_parts(secret, &["job", queue.as_str(), &job, subject])).unwrap_or_default();
    format!("{queue}.{job}.{stamp}")
}

fn read(secrets: &[SecretString], handle: &str, subject: &str) -> Option<(JobName, JobId)> {
    let mut parts = handle.splitn(3, '.');
    let (queue, job, stamp) = (parts.next()?, parts.next()?, parts.next()?);
    parts_are_signed(secrets, &["job", queue, job, subject], stamp).then_some(())?;
    Some((queue.parse().ok()?, job.parse().ok()?))
}

pub(crate) async fn find(cx: StaffCx) -> Result<Reply, HttpError> {
    let handle = cx.parameter("id");
    let (queue, job) = read(&cx.app.config.jwt_secrets, handle, &cx.session.subject()).ok_or_else(HttpError::not_found)?;
    // Asked first: a job that ends between the two looks is then found in the second.
    let state = cx.app.queue.state(queue, job).await.map_err(HttpError::unavailable)?;
    let text = job.to_string();
    let read = async move |mut tx| requests::of_job(&mut tx, &text).await.map_err(|error: DbError| error);
    let stored = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    match (stored, state) {
        (Some(stored), _) if stored.user == Some(cx.user) => Reply::answer(stored.answer),
        (Some(_), _) => Err(HttpError::not_found()),
        (None, JobState::Ready | JobState::Delayed | JobState::Running) => {
            let progress = progress::read(&cx.app.queue, job).await.map_err(HttpError::unavailable)?;
            Ok(Reply::later(handle, progress))
        }
        (None, JobState::Dead) => Err(HttpError::job_failed("dead".to_owned())),
        (None, JobState::Gone) => Err(HttpError::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_leads_only_its_owner_to_the_job() {
        let secrets = vec![SecretString::from("0123456789abcdef0123456789abcdef")];
        let job = JobId::fresh();
        let text = handle(&secrets, JobName::PlaceOrder, job, "user:7");
        assert_eq!(read(&secrets, &text, "user:7"), Some((JobName::PlaceOrder, job)));
        assert_eq!(read(&secrets, &text, "user:8"), None);
        assert_eq!(read(&secrets, &text.replace("place_order", "save_product"), "user:7"), None);
        assert_eq!(read(&secrets, &text[..text.len() - 1], "user:7"), None);
        assert_eq!(read(&[SecretString::from("another")], &text, "user:7"), None);
    }
}
