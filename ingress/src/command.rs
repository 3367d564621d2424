//! An API write: validated here, done by a job. The ingress waits for the result and answers as if it had done the work itself; if time is up it
//! answers 202 with the place where the answer will be.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use frontdesk_core::db::{DbError, TxKind, requests};
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
/// How long a write under a client's key waits before it looks whether it was answered long ago.
const FIRST_LOOK: Duration = Duration::from_millis(250);

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Waited<Answer>, QueueError>> + Send + 'a>>;

/// Any job that answers an API write.
trait Ask: Send + Sync {
    fn name(&self) -> JobName;
    fn ask<'a>(&'a self, queue: &'a Queue, origin: Origin<'a>, push: Push, wait: Duration) -> Answering<'a>;
}

impl<J: Job<Done = Answer>> Ask for J {
    fn name(&self) -> JobName {
        J::NAME
    }

    fn ask<'a>(&'a self, queue: &'a Queue, origin: Origin<'a>, push: Push, wait: Duration) -> Answering<'a> {
        Box::pin(async move { queue.push_and_wait(origin, self, push, wait).await })
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
    let given = client_key(&staff.call)?;
    let may_repeat = given.is_some();
    let key = given.unwrap_or_else(|| Uuid::new_v4().to_string());
    let mut parts = vec![staff.call.method.as_str(), &staff.call.path];
    // Left out where there is none: the fingerprints of answers that are kept stay what they were.
    parts.extend(Some(staff.call.query.as_str()).filter(|query| !query.is_empty()));
    let fingerprint = fingerprint(&parts, staff.call.body());
    let request = RequestKey { key, fingerprint, user: Some(staff.user) };
    Ok(CommandCx { staff, request, may_repeat })
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

/// Who asks, and under which key.
pub(crate) struct Asking {
    scope: ShopScope,
    /// Who may look at the answer later.
    subject: String,
    /// In the queue another body under the same key is another job: the worker compares it with the stored answer's fingerprint and refuses it.
    queue_key: String,
    may_repeat: bool,
    trace: TraceParent,
}

impl Asking {
    pub(crate) fn of(cx: &CommandCx) -> Self {
        Self {
            scope: cx.staff.scope,
            subject: cx.staff.session.subject(),
            queue_key: fingerprint(&[&cx.request.key, &cx.request.fingerprint], b""),
            may_repeat: cx.may_repeat,
            trace: cx.trace,
        }
    }
}

/// Enqueues for a shop, and waits.
pub(crate) async fn run(app: &App, who: &Asking, asked: Asked) -> Result<Reply, HttpError> {
    let wait = app.config.api_wait;
    let first = if who.may_repeat { wait.min(FIRST_LOOK) } else { wait };
    let mut waited = ask(app, who, &asked, first).await?;
    if let (Waited::StillRunning(job), true) = (&waited, who.may_repeat) {
        // The queue keeps a result for a minute; a repeat after that finds it where the job stored it.
        if let Some(answer) = stored(app, who, &job.to_string()).await {
            return Reply::answer(answer);
        }
        waited = ask(app, who, &asked, wait.saturating_sub(first)).await?;
    }
    match waited {
        Waited::Done(answer) => Reply::answer(answer),
        Waited::Failed { code } => Err(HttpError::job_failed(code)),
        Waited::StillRunning(job) => Ok(Reply::later(&jobs::handle(&app.config.jwt_secrets, asked.0.name(), job, &who.subject), None)),
    }
}

/// Has a worker look something up that it alone can, and waits. Nothing is changed, and nothing is kept: if time is up, asking again is all there is.
pub(crate) async fn look_up<J: Job<Done = Answer>>(cx: &StaffCx, job: &J) -> Result<Reply, HttpError> {
    let push = Push { key: None, delay: Duration::ZERO, wait: true, trace: Some(cx.trace.to_string()) };
    match cx.app.queue.push_and_wait(Origin::Shop(&cx.scope), job, push, cx.app.config.api_wait).await.map_err(HttpError::unavailable)? {
        Waited::Done(answer) => Reply::answer(answer),
        Waited::Failed { code } => Err(HttpError::job_failed(code)),
        Waited::StillRunning(_) => Err(HttpError::unavailable(anyhow::anyhow!("{} took too long", J::NAME))),
    }
}

async fn ask(app: &App, who: &Asking, asked: &Asked, wait: Duration) -> Result<Waited<Answer>, HttpError> {
    let push = Push { key: Some(who.queue_key.clone()), delay: Duration::ZERO, wait: true, trace: Some(who.trace.to_string()) };
    asked.0.ask(&app.queue, Origin::Shop(&who.scope), push, wait).await.map_err(HttpError::unavailable)
}

/// The stored answer of a job; a Postgres that is away has none.
async fn stored(app: &App, who: &Asking, job: &str) -> Option<Answer> {
    let job = job.to_owned();
    let read = async move |mut tx| requests::of_job(&mut tx, &job).await.map_err(|error: DbError| error);
    app.db.shop_tx(&who.scope, TxKind::Read, read).await.ok().flatten().map(|stored| stored.answer)
}
