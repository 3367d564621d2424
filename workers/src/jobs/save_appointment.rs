//! Books, moves or cancels an appointment for staff, or says how it ended. Safe to repeat: the request's key is unique per shop. Calendars elsewhere are
//! asked before the transaction begins, and not at all if staff want it anyway.

use chrono::{DateTime, Utc};
use frontdesk_core::availability::{NotFree, Slot};
use frontdesk_core::db::appointments::{self, BookError, Booking, Busy, By, ChangeError, Changed, End, Rescheduling};
use frontdesk_core::db::{DbError, ShopTx, audit};
use frontdesk_core::jobs::{Answer, AppointmentChange, Refusal, RefusalKind, SaveAppointment};
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveAppointment {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (now, by, key) = (cx.app.clock.now(), actor(&self.request), self.request.key.clone());
        let change = self.change;
        let busy = busy(cx, &change).await?;
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                let busy = match busy {
                    Ok(busy) => busy,
                    Err(refusal) => return Ok(Wrote::answer(refusal)),
                };
                let books = matches!(change, AppointmentChange::Book { .. });
                let (changed, action) = match run(tx, change, &busy, &by, key, now).await? {
                    Ok(done) => done,
                    Err(answer) => return Ok(Wrote::answer(answer)),
                };
                let subject = format!("appointment:{}", changed.appointment.id);
                if changed.event.is_some() {
                    audit::add(tx, &by, action, &subject, &json!({"starts_at": changed.appointment.starts_at})).await?;
                }
                let view = serde_json::to_value(&changed.appointment).unwrap_or_default();
                let mut wrote = Wrote::answer(if books { Answer::Created(view) } else { Answer::Done(view) });
                wrote.pending = changed.pending;
                Ok(match changed.event {
                    Some(event) => wrote.event("appointment", event),
                    None => wrote,
                })
            })
        })
        .await
    }
}

/// When staff are busy elsewhere around the time that is wanted; the inner error: nobody can say, and nothing is booked.
async fn busy(cx: &JobContext<App>, change: &AppointmentChange) -> Result<Result<Vec<Busy>, Answer>, JobError> {
    let (AppointmentChange::Book { starts_at, anyway: false, .. } | AppointmentChange::Move { starts_at, anyway: false, .. }) = change
    else {
        return Ok(Ok(Vec::new()));
    };
    let elsewhere = cx.app.elsewhere(&cx.scope()?, appointments::look(*starts_at)).await;
    Ok(elsewhere.map(|elsewhere| elsewhere.busy))
}

type Done = Result<(Changed, &'static str), Answer>;

async fn run(
    tx: &mut ShopTx,
    change: AppointmentChange,
    busy: &[Busy],
    actor: &str,
    key: String,
    now: DateTime<Utc>,
) -> Result<Done, DbError> {
    let (changed, action) = match change {
        AppointmentChange::Book { service, staff, starts_at, customer, customer_name, contact, note, anyway } => {
            let booking = Booking {
                service,
                staff,
                starts_at,
                by: By::Staff { anyway },
                customer,
                conversation: None,
                customer_name,
                contact,
                note,
                source: "staff",
                actor: actor.to_owned(),
                proposal: None,
                request_key: Some(key),
                shown: None,
                busy,
                now,
            };
            return match appointments::book(tx, &booking).await {
                Ok(changed) => Ok(Ok((changed, "book"))),
                Err(BookError::Db(error)) => Err(error),
                Err(refusal) => Ok(Err(not_booked(refusal))),
            };
        }
        AppointmentChange::Move { appointment, staff, starts_at, anyway } => {
            let to = Rescheduling { staff, starts_at, by: By::Staff { anyway }, customer: None, actor, busy, now };
            (appointments::reschedule(tx, appointment, &to).await, "move")
        }
        AppointmentChange::Cancel { appointment } => {
            (appointments::cancel(tx, appointment, By::Staff { anyway: false }, None, actor, now).await, "cancel")
        }
        AppointmentChange::Done { appointment } => (appointments::end(tx, appointment, End::Done, actor, now).await, "done"),
        AppointmentChange::NoShow { appointment } => (appointments::end(tx, appointment, End::NoShow, actor, now).await, "no_show"),
    };
    match changed {
        Ok(changed) => Ok(Ok((changed, action))),
        Err(ChangeError::Db(error)) => Err(error),
        Err(refusal) => Ok(Err(not_changed(refusal))),
    }
}

fn not_booked(refusal: BookError) -> Answer {
    match refusal {
        BookError::NoSuchService | BookError::ServiceChanged | BookError::Db(_) => {
            invalid("service_id", "There is no such service on offer, or nobody performs it. See GET /services.")
        }
        BookError::NoSuchStaff => no_such_staff(),
        BookError::NoSuchCustomer => invalid("customer_id", "There is no such customer in this shop."),
        BookError::SlotTaken { next } => taken(next),
        BookError::NotBookable { why, next } => not_bookable(why, next),
    }
}

fn not_changed(refusal: ChangeError) -> Answer {
    match refusal {
        ChangeError::NotFound | ChangeError::Db(_) => not_found(),
        ChangeError::NotAllowed { from } => {
            let detail = format!("An appointment that is {from} stays so. Book another.");
            refused(RefusalKind::Conflict, "appointment_state", &detail)
        }
        ChangeError::TooLate { until } => {
            let detail = format!("Customers could change it until {until}; staff still can.");
            refused(RefusalKind::Conflict, "too_late", &detail)
        }
        ChangeError::NoSuchStaff => no_such_staff(),
        ChangeError::SlotTaken { next } => taken(next),
        ChangeError::NotBookable { why, next } => not_bookable(why, next),
    }
}

fn no_such_staff() -> Answer {
    invalid("staff_id", "Nobody like this performs this service. See GET /staff.")
}

fn taken(slots: Vec<Slot>) -> Answer {
    let detail = "Somebody else has this time, or a part of it. `slots` names what is free next.".to_owned();
    Answer::Refused(Refusal { kind: RefusalKind::Conflict, code: "slot_taken".to_owned(), detail, fields: Vec::new(), slots })
}

fn not_bookable(why: NotFree, slots: Vec<Slot>) -> Answer {
    let (code, detail) = match why {
        NotFree::TooSoon => ("too_soon", "The service must be booked further ahead. `slots` names what is free next."),
        NotFree::TooFar => ("too_far_ahead", "The service cannot be booked that far ahead yet."),
        NotFree::Closed => ("closed", "Nobody works at this time. Choose one of `slots`, or book it with `anyway`."),
        NotFree::Taken => return taken(slots),
    };
    Answer::Refused(Refusal { kind: RefusalKind::Conflict, code: code.to_owned(), detail: detail.to_owned(), fields: Vec::new(), slots })
}
