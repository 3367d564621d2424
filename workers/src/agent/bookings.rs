//! What the model's calls about appointments come to. It names a service and words; which instant these mean, and whether it is free, is decided by code,
//! and so is what the customer reads of it.

use frontdesk_core::db::appointments::Appointment;
use frontdesk_core::db::proposals::Asked;
use frontdesk_core::ids::{AppointmentId, ServiceId, StaffId};
use serde_json::{Value, json};

use super::guard::Times;
use super::tools::{BookingCall, Wanted};
use super::{Context, Course, Ran, ThinkError, when};
use crate::diary::{Book, Diary, DiaryError, Ground, Range, ServiceCard, Sought, Subject, Target};

pub(super) async fn run(diary: &Diary, context: &Context<'_>, book: &Book, call: BookingCall) -> Result<Ran, ThinkError> {
    let ran = match call {
        BookingCall::ListServices => {
            let services: Vec<Value> = book.services.iter().map(|service| service.to_json(&context.shop.currency)).collect();
            Ok(Ran::Result(json!({"services": services})))
        }
        BookingCall::FindSlots(wanted) | BookingCall::Propose(wanted) => match check(book, wanted.service, wanted.staff) {
            Err(refused) => Ok(refused),
            Ok(service) => book_or_move(diary, context, book, service, wanted).await,
        },
        BookingCall::Reschedule { appointment, staff, when } => match own(book, appointment) {
            Err(refused) => Ok(refused),
            Ok(standing) => reschedule(diary, context, book, standing, staff, &when).await,
        },
        BookingCall::Cancel { appointment: None } if context.proposal.is_some() => Ok(Ran::Course(Course::Decline)),
        BookingCall::Cancel { appointment } => Ok(match own(book, appointment) {
            Err(refused) => refused,
            Ok(standing) => {
                let asked = Asked::Cancel { appointment: standing.id };
                Ran::Course(Course::ProposeBooking { asked, subject: Subject::standing(standing), busy: Vec::new() })
            }
        }),
    };
    match ran {
        Ok(ran) => Ok(ran),
        Err(DiaryError::Db(error)) => Err(error.into()),
        Err(DiaryError::Calendar(error)) => {
            tracing::warn!(%error, "no time is offered");
            Ok(Ran::Course(Course::CalendarUnreachable))
        }
    }
}

/// The service, if it is on offer and whoever is asked for performs it.
fn check(book: &Book, service: ServiceId, staff: Option<StaffId>) -> Result<&ServiceCard, Ran> {
    let Some(service) = book.service(service) else {
        return Err(Ran::Result(json!({"error": "there is no such service; see list_services"})));
    };
    match staff {
        Some(staff) if !service.staff.iter().any(|(id, _)| *id == staff) => {
            let names: Vec<&str> = service.staff.iter().map(|(_, name)| name.as_str()).collect();
            Err(Ran::Result(json!({"error": "they do not perform this service", "performed_by": names})))
        }
        _ => Ok(service),
    }
}

fn own(book: &Book, id: Option<AppointmentId>) -> Result<&Appointment, Ran> {
    book.appointment(id).ok_or_else(|| Ran::Result(json!({"error": "this customer has no such appointment ahead"})))
}

/// Who was just offered other times for an appointment and takes one wants that one moved, not a second one.
async fn book_or_move(diary: &Diary, context: &Context<'_>, book: &Book, service: &ServiceCard, wanted: Wanted) -> Result<Ran, DiaryError> {
    let offered = book.offered.as_ref().filter(|offered| offered.service_id == wanted.service);
    if let Some(standing) = offered.and_then(|offered| offered.appointment_id).and_then(|id| book.appointment(Some(id))) {
        return reschedule(diary, context, book, standing, wanted.staff, &wanted.when).await;
    }
    let proposed = context.proposal.and_then(|proposal| proposal.booking.as_ref()).filter(|booking| booking.service_id == wanted.service);
    let ground = Ground {
        zone: book.zone,
        now: diary.now(),
        standing: proposed.map(|booking| booking.starts_at),
        moves: false,
        last: book.last.as_ref().map(|last| last.starts_at),
        offered: offered.map_or(&[], |offered| &offered.slots),
    };
    // With whom an offer was asked for holds for what is taken of it.
    let staff = wanted.staff.or_else(|| offered.and_then(|offered| offered.staff_id));
    let subject = Subject { service_id: service.id, service_name: service.name.clone(), appointment_id: None };
    seek(diary, context, &ground, Sought { subject, staff }, &wanted.when).await
}

async fn reschedule(
    diary: &Diary,
    context: &Context<'_>,
    book: &Book,
    standing: &Appointment,
    staff: Option<StaffId>,
    when: &str,
) -> Result<Ran, DiaryError> {
    if staff.is_some()
        && let Err(refused) = check(book, standing.service_id, staff)
    {
        return Ok(refused);
    }
    let offered = book.offered.as_ref().filter(|offered| offered.appointment_id == Some(standing.id));
    let ground = Ground {
        zone: book.zone,
        now: diary.now(),
        standing: Some(standing.starts_at),
        moves: true,
        last: book.last.as_ref().map(|last| last.starts_at),
        offered: offered.map_or(&[], |offered| &offered.slots),
    };
    let sought = Sought { subject: Subject::standing(standing), staff: staff.or(Some(standing.staff_id)) };
    seek(diary, context, &ground, sought, when).await
}

/// The moment that is meant is proposed, free or not: the decision says why it cannot be, and what is free instead. Of a range free times are shown.
async fn seek(diary: &Diary, context: &Context<'_>, ground: &Ground<'_>, sought: Sought, words: &str) -> Result<Ran, DiaryError> {
    let now = ground.now.with_timezone(&ground.zone).naive_local();
    let wish = when::read(words, now, context.shop.month_first);
    if wish.is_none() && !words.is_empty() {
        // Words that say nothing of a time would show times that nobody asked for; what the customer said may say more.
        return seek_in(diary, ground, sought, when::read(context.said, now, context.shop.month_first)).await;
    }
    seek_in(diary, ground, sought, wish).await
}

async fn seek_in(diary: &Diary, ground: &Ground<'_>, sought: Sought, wish: Option<when::Wish>) -> Result<Ran, DiaryError> {
    match ground.resolve(wish.as_ref()) {
        Target::Moment(starts_at) => propose(diary, sought, starts_at).await,
        Target::Within(range) => offer(diary, sought, &range).await,
    }
}

async fn propose(diary: &Diary, sought: Sought, starts_at: chrono::DateTime<chrono::Utc>) -> Result<Ran, DiaryError> {
    let Sought { subject, staff } = sought;
    let asked = match subject.appointment_id {
        Some(appointment) => Asked::Move { appointment, staff, starts_at },
        None => Asked::Book { service: subject.service_id, staff, starts_at },
    };
    let busy = diary.busy_around(starts_at).await?;
    Ok(Ran::Course(Course::ProposeBooking { asked, subject, busy }))
}

async fn offer(diary: &Diary, sought: Sought, range: &Range) -> Result<Ran, DiaryError> {
    let Some(offered) = diary.free(&sought, range).await? else {
        return Ok(Ran::Result(json!({"error": "this service cannot be booked at the moment; see list_services"})));
    };
    // A time without a day: the first day on which it is free.
    match (&range.time, offered.slots.as_slice()) {
        (Some(when::TimeOfDay::At(_)), [first, ..]) if offered.as_asked => propose(diary, sought, first.starts_at).await,
        _ => Ok(Ran::Course(Course::OfferTimes(offered))),
    }
}

/// The times of day that the model may say without having looked them up: those that the shop or the code said.
pub(super) fn times(context: &Context<'_>, book: &Book) -> Times {
    let mut times = Times::default();
    times.allow_text(&context.shop.hours.to_string());
    times.allow_text(&context.shop.about);
    times.allow_text(&context.shop.instructions);
    for exchange in context.history {
        times.allow_text(&exchange.reply);
    }
    let proposed = context.proposal.and_then(|proposal| proposal.booking.as_ref());
    let own = book.ahead.iter().flat_map(|appointment| [appointment.starts_at, appointment.ends_at]);
    for at in own.chain(proposed.into_iter().flat_map(|booking| [booking.starts_at, booking.ends_at])) {
        times.allow(at.with_timezone(&book.zone).time());
    }
    times
}
