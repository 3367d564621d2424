//! An API write: validated here, done by a job. The ingress waits for the result and answers as if it had done the work itself; if time is up it
//! answers 202 with the place where the answer will be.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use frontdesk_core::jobs::{Answer, FieldError, Job, JobName, RequestKey};
use frontdesk_core::queue::{From as Origin, Push, Queue, QueueError, Waited};
use frontdesk_core::telemetry::TraceParent;
use frontdesk_core::tenancy::ShopScope;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::App;
use crate::api::jobs;
use crate::call::{Call, CommandCx, StaffCx};
use crate::reply::{HttpError, Reply};

/// The header under which a client names its write, so that a repeat does nothing twice (draft-ietf-httpapi-idempotency-key-header).
const KEY_HEADER: &str = "idempotency-key";
/// Longer keys carry no more meaning.
const LONGEST_KEY: usize = 200;

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Waited<Answer>, QueueError>> + Send + 'a>>;

/// Any job that answers an API write.
trait Ask: Send {
    fn name(&self) -> JobName;
    fn ask<'a>(self: Box<Self>, queue: &'a Queue, origin: Origin<'a>, push: Push, wait: Duration) -> Answering<'a>;
}

impl<J: Job<Done = Answer>> Ask for J {
    fn name(&self) -> JobName {
        J::NAME
    }

    fn ask<'a>(self: Box<Self>, queue: &'a Queue, origin: Origin<'a>, push: Push, wait: Duration) -> Answering<'a> {
        Box::pin(async move { queue.push_and_wait(origin, &*self, push, wait).await })
    }
}

/// What a command's handler hands back: the job that is to do it.
pub struct Asked(Box<dyn Ask>);

impl Asked {
    /// This job does it.
    ///
    /// # Errors
    /// Never; handlers end in a result.
    pub fn job<J: Job<Done = Answer>>(job: J) -> Result<Self, HttpError> {
        Ok(Self(Box::new(job)))
    }
}

/// Gives a write its key and fingerprint.
pub(crate) fn begin(staff: StaffCx) -> Result<CommandCx, HttpError> {
    let key = client_key(&staff.call)?.unwrap_or_else(|| Uuid::new_v4().to_string());
    let fingerprint = fingerprint(&[staff.call.method.as_str(), &staff.call.path], staff.call.body());
    let request = RequestKey { key, fingerprint, user: Some(staff.user) };
    Ok(CommandCx { staff, request })
}

/// The client's key: visible characters, so that it reads the same everywhere.
pub(crate) fn client_key(call: &Call) -> Result<Option<String>, HttpError> {
    let Some(header) = call.headers.get(KEY_HEADER) else { return Ok(None) };
    let key = header.to_str().map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let message = format!("must have 1 to {LONGEST_KEY} visible ASCII characters, e.g. a UUID");
        return Err(HttpError::invalid(vec![FieldError { field: "Idempotency-Key".to_owned(), message }]));
    }
    Ok(Some(key.to_owned()))
}

/// What tells one request from another under the same key.
pub(crate) fn fingerprint(parts: &[&str], body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(body);
    hex::encode(hash.finalize())
}

/// Enqueues for a shop, and waits. `subject` is who may ask for the answer later.
pub(crate) async fn run(
    app: &App,
    scope: &ShopScope,
    subject: &str,
    key: &str,
    trace: TraceParent,
    asked: Asked,
) -> Result<Reply, HttpError> {
    let push = Push { key: Some(key.to_owned()), delay: Duration::ZERO, wait: true, trace: Some(trace.to_string()) };
    let queue = asked.0.name();
    let waited = asked.0.ask(&app.queue, Origin::Shop(scope), push, app.config.api_wait).await;
    match waited.map_err(HttpError::unavailable)? {
        Waited::Done(answer) => Reply::answer(answer),
        Waited::Failed { code } => Err(HttpError::job_failed(code)),
        Waited::StillRunning(job) => Ok(Reply::later(&jobs::handle(&app.config.jwt_secrets, queue, job, subject))),
    }
}
