//! One handler per file, named as the job. Writes of the API run through [`once`]: the answer is stored under the request's key in the same
//! transaction as the effect, so that a repeat gets the same answer and changes nothing.

mod add_variants;
mod adjust_stock;
mod answer_as_human;
mod answer_customer;
mod archive_product;
mod archive_service;
mod archive_sessions;
mod archive_staff;
mod change_closure;
mod change_colleague;
mod change_conversation;
mod change_order;
mod change_password;
mod change_plan;
mod check_channel;
mod check_figures;
mod confirm_email;
mod connect_google;
mod create_checkout;
mod deactivate_expired;
mod deliver_message;
mod disconnect_google;
mod drop_old_logs;
mod drop_old_media;
mod erase_customer;
mod erase_traces;
mod export_sheet;
mod fetch_media;
mod find_slots;
mod handle_stripe_event;
mod import_products;
mod invite_colleague;
mod notify_staff;
mod open_portal;
mod pause_conversation;
mod place_order;
mod pull_calendar;
mod record_events;
mod register_shop;
mod remind_customer;
mod remind_renewals;
mod remove_channel;
mod remove_media;
mod reset_password;
mod restore_product;
mod resume_conversation;
mod save_appointment;
mod save_channel;
mod save_integration;
mod save_product;
mod save_service;
mod save_shop;
mod save_staff;
mod send_link;
mod set_product_image;
mod sweep_queues;
mod sync_appointment;
mod try_agent;
mod watch_channels;

use frontdesk_core::auth::Revocations;
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::{DbError, ShopTx, TxKind, requests};
use frontdesk_core::ids::UserId;
use frontdesk_core::jobs::{Answer, FieldError, Refusal, RefusalKind, RequestKey};
use frontdesk_core::problems;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::App;
use crate::runner::{JobContext, JobError};

/// What a write did.
struct Wrote {
    answer: Answer,
    /// Outbox rows to push after the commit.
    pending: Vec<Pending>,
    /// Live events: kind and content.
    events: Vec<(&'static str, Value)>,
}

impl Wrote {
    fn answer(answer: Answer) -> Self {
        Self { answer, pending: Vec::new(), events: Vec::new() }
    }

    fn then(mut self, pending: Option<Pending>) -> Self {
        self.pending.extend(pending);
        self
    }

    fn event(mut self, kind: &'static str, event: Value) -> Self {
        self.events.push((kind, event));
        self
    }
}

/// Runs a write once per request key within the shop of the envelope.
async fn once<W>(cx: &JobContext<App>, request: RequestKey, write: W) -> Result<Answer, JobError>
where
    W: for<'tx> FnOnce(&'tx mut ShopTx) -> BoxFuture<'tx, Result<Wrote, DbError>> + Send + 'static,
{
    once_in(cx, TxKind::Command, request, write).await
}

/// The same in a transaction of another kind.
async fn once_in<W>(cx: &JobContext<App>, kind: TxKind, request: RequestKey, write: W) -> Result<Answer, JobError>
where
    W: for<'tx> FnOnce(&'tx mut ShopTx) -> BoxFuture<'tx, Result<Wrote, DbError>> + Send + 'static,
{
    let (scope, job) = (cx.scope()?, cx.envelope.job.to_string());
    let wrote = cx
        .app
        .db
        .shop_tx(&scope, kind, async move |mut tx| {
            if let Some(stored) = requests::find(&mut tx, &request.key).await? {
                let answer = if stored.fingerprint == request.fingerprint { stored.answer } else { key_reused() };
                return Ok(Wrote::answer(answer));
            }
            let wrote = write(&mut tx).await?;
            requests::store(&mut tx, &request, &job, &wrote.answer).await?;
            Ok::<_, DbError>(wrote)
        })
        .await?;
    cx.app.push_outbox(&scope, wrote.pending).await;
    for (kind, event) in wrote.events {
        cx.app.announce(&scope, kind, &event).await;
    }
    Ok(wrote.answer)
}

/// `code` is one of [`problems::PROBLEMS`].
fn refused(kind: RefusalKind, code: &str, detail: &str) -> Answer {
    debug_assert!(problems::find(code).is_some(), "`{code}` is not in the table of problems");
    Answer::Refused(Refusal { kind, code: code.to_owned(), detail: detail.to_owned(), fields: Vec::new(), slots: Vec::new() })
}

fn invalid(field: &str, message: &str) -> Answer {
    let fields = vec![FieldError { field: field.to_owned(), message: message.to_owned() }];
    Answer::Refused(Refusal {
        kind: RefusalKind::Invalid,
        code: "invalid".to_owned(),
        detail: "Some fields are wrong.".to_owned(),
        fields,
        slots: Vec::new(),
    })
}

fn not_found() -> Answer {
    refused(RefusalKind::NotFound, "not_found", "There is no such thing in this shop.")
}

fn sku_taken() -> Answer {
    let detail = "Another product of this shop has this sku. Choose another, or change that product.";
    refused(RefusalKind::Conflict, "sku_taken", detail)
}

/// Somebody has changed `what` since it was read.
fn changed_meanwhile(what: &str) -> Answer {
    let detail = format!("Somebody has changed {what} since you read it. Read it again, and make your change there.");
    refused(RefusalKind::Conflict, "changed_meanwhile", &detail)
}

fn key_reused() -> Answer {
    refused(RefusalKind::Conflict, "idempotency_key_reused", "This Idempotency-Key was used for another request. Use a fresh key.")
}

/// Ends every session of a user, whose role or password is another now.
pub(crate) async fn end_sessions(app: &App, user: UserId) -> Result<(), JobError> {
    let revocations = Revocations::new(app.queue.connection(), app.clock.clone());
    revocations.revoke_account(&format!("user:{user}"), app.clock.now()).await.map_err(|_| JobError::retry("redis_away"))
}

fn actor(request: &RequestKey) -> String {
    request.user.map_or_else(|| "system".to_owned(), |user| format!("user:{user}"))
}
