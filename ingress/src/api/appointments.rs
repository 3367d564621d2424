//! Appointments: free times, booked, moved, cancelled, listed.

use chrono::{DateTime, NaiveDate, Utc};
use frontdesk_core::availability::MOST_DAYS;
use frontdesk_core::db::appointments::{self, AppointmentFilter, AppointmentState};
use frontdesk_core::db::{DbError, TxKind};
use frontdesk_core::ids::{AppointmentId, CustomerId, ServiceId, StaffId};
use frontdesk_core::jobs::{self, AppointmentChange};
use serde::Serialize;
use utoipa::ToSchema;

use super::orders::Period;
use super::{Page, TIME, cursor, day, limit, time};
use crate::call::{CommandCx, StaffCx};
use crate::command::{self, Asked};
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// The states an appointment may be in.
const STATES: &[&str] = &["booked", "cancelled", "done", "no_show"];
/// What may be done with one.
const ACTIONS: &[&str] = &["book", "move", "cancel", "done", "no_show"];
/// Days that are looked at when the client names no number.
const DAYS: u16 = 7;
/// Slots in one answer: a week of four people, a quarter of an hour apart.
const MOST_SLOTS: i64 = 1000;

/// An appointment.
#[derive(ToSchema)]
pub struct Appointment {
    /// Its number.
    pub id: i64,
    /// What for.
    pub service_id: i32,
    /// As it was called when booked.
    pub service_name: String,
    /// With whom.
    pub staff_id: i32,
    /// As they are called.
    pub staff_name: String,
    /// Whose, if they are a customer of a channel.
    pub customer_id: Option<i64>,
    /// The conversation in which it was booked, if it was in one.
    pub conversation_id: Option<i64>,
    /// Their name.
    pub customer_name: String,
    /// How to reach them.
    pub contact: Option<String>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// The service's price when booked, a decimal string.
    #[schema(example = "45.00")]
    pub price: String,
    /// `booked`, `cancelled`, `done` or `no_show`.
    pub state: String,
    /// `agent` or `staff`.
    pub source: String,
    /// What staff should know.
    pub note: String,
    /// Grows with every change.
    pub version: i32,
    /// `none`, `pending`, `synced` or `failed`: whether a calendar elsewhere has it.
    pub sync_state: String,
    /// What was done to it in a calendar elsewhere and cannot be done here: `<from>/<to>`, a time that somebody else has, or `odd`, whole days or a
    /// repetition. The next change here overwrites it there.
    pub calendar_conflict: Option<String>,
    /// When it was booked.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When the customer said, to a reminder, that they come at this time.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// A page of appointments.
#[derive(ToSchema)]
pub struct Appointments {
    /// The appointments.
    pub items: Vec<Appointment>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// An appointment with what happened to it.
#[derive(Serialize, ToSchema)]
pub struct AppointmentDetail {
    /// The appointment.
    #[serde(flatten)]
    #[schema(value_type = Appointment)]
    pub appointment: appointments::Appointment,
    /// Its changes, the oldest first.
    #[schema(value_type = Vec<AppointmentEvent>)]
    pub history: Vec<appointments::AppointmentEvent>,
    /// What became of its reminders, the first one first.
    #[schema(value_type = Vec<AppointmentReminder>)]
    pub reminders: Vec<appointments::reminders::Reminder>,
}

/// What became of a reminder.
#[derive(ToSchema)]
pub struct AppointmentReminder {
    /// So many minutes ahead.
    pub minutes: i32,
    /// Of this time: an appointment that is moved is reminded of anew.
    pub starts_at: DateTime<Utc>,
    /// `sent`: the message is on its way or out. `skipped`: there is none.
    pub state: String,
    /// Why it was skipped: `overtaken` by a nearer one, `shop_inactive`, `no_conversation`, `channel_off`, `no_template` (the customer has not written for
    /// a day, and the shop has named no template) or `window_closed` (the same on a platform without templates).
    pub reason: Option<String>,
    /// The message; how it fared stands there.
    pub message_id: Option<i64>,
    /// When it was noted.
    pub created_at: DateTime<Utc>,
}

/// A change of an appointment.
#[derive(ToSchema)]
pub struct AppointmentEvent {
    /// `booked`, `moved`, `cancelled`, `done`, `no_show` or `confirmed`.
    pub action: String,
    /// `user:<id>`, `agent`, `customer`, `google` or `system`.
    pub actor: String,
    /// When it began before; null when it was booked.
    pub from_starts_at: Option<DateTime<Utc>>,
    /// With whom it was before; null when it was booked.
    pub from_staff_id: Option<i32>,
    /// When it begins from then on.
    pub to_starts_at: DateTime<Utc>,
    /// With whom it is from then on.
    pub to_staff_id: i32,
    /// When it was changed.
    pub created_at: DateTime<Utc>,
}

/// Which appointments to list.
#[derive(ToSchema)]
pub struct AppointmentSearch {
    /// Only those that begin on this day of the shop's calendar or later.
    #[schema(required = false, example = "2026-11-23")]
    pub from: Option<NaiveDate>,
    /// Only those that begin on this day of the shop's calendar or earlier.
    #[schema(required = false, example = "2026-11-29")]
    pub to: Option<NaiveDate>,
    /// Only theirs.
    #[schema(required = false)]
    pub staff_id: Option<i32>,
    /// Only those of this service.
    #[schema(required = false)]
    pub service_id: Option<i32>,
    /// Only those in this state: `booked`, `cancelled`, `done` or `no_show`.
    #[schema(value_type = Option<String>, required = false)]
    pub state: Option<AppointmentState>,
    /// Only this customer's.
    #[schema(required = false)]
    pub customer_id: Option<i64>,
    /// `soonest` (when absent) or `latest` first.
    #[schema(value_type = Option<String>, required = false)]
    pub sort: bool,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i64>,
}

impl Request for AppointmentSearch {
    fn read(form: &mut Form) -> Option<Self> {
        let Period { from, to } = Period::read(form)?;
        Some(Self {
            from,
            to,
            staff_id: form.maybe_integer("staff_id", 1..=i64::from(i32::MAX)),
            service_id: form.maybe_integer("service_id", 1..=i64::from(i32::MAX)),
            state: form.maybe_one_of("state", STATES).and_then(AppointmentState::from_name),
            customer_id: form.maybe_integer("customer_id", 1..=i64::MAX),
            sort: form.maybe_one_of("sort", &["soonest", "latest"]) == Some("latest"),
            limit: limit(form),
            cursor: cursor(form),
        })
    }
}

/// Of which service, and when.
#[derive(ToSchema)]
pub struct SlotSearch {
    /// The service.
    pub service: i32,
    /// With whom; absent: with anybody.
    #[schema(required = false)]
    pub staff: Option<i32>,
    /// The first day of the shop's calendar; today when absent.
    #[schema(required = false, example = "2026-11-30")]
    pub from: Option<NaiveDate>,
    /// How many days, 1 to 62; 7 when absent.
    #[schema(required = false, example = 7)]
    pub days: u16,
    /// Times with somebody at most, 1 to 1,000, which is also when absent.
    #[schema(required = false)]
    pub limit: usize,
}

impl Request for SlotSearch {
    fn read(form: &mut Form) -> Option<Self> {
        let service = form.integer("service", 1..=i64::from(i32::MAX));
        let staff = form.maybe_integer("staff", 1..=i64::from(i32::MAX));
        let from = day(form, "from");
        let days = form.maybe_integer("days", 1..=i64::from(MOST_DAYS)).unwrap_or(DAYS);
        let limit = form.maybe_integer("limit", 1..=MOST_SLOTS).or(usize::try_from(MOST_SLOTS).ok());
        Some(Self { service: service?, staff, from, days, limit: limit? })
    }
}

/// Free times of a service, in order.
#[derive(ToSchema)]
pub struct FreeSlots {
    /// The times.
    pub items: Vec<FreeSlot>,
    /// The shop's zone, for showing them.
    #[schema(example = "Europe/Paris")]
    pub timezone: String,
    /// How well this is known.
    pub checked: SlotsChecked,
}

/// A free time.
#[derive(ToSchema)]
pub struct FreeSlot {
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Who is free then.
    pub staff: Vec<FreeStaff>,
}

/// Somebody who is free.
#[derive(ToSchema)]
pub struct FreeStaff {
    /// Their number.
    pub id: i32,
    /// What customers call them.
    pub name: String,
}

/// How well it is known what is free.
#[derive(ToSchema)]
pub struct SlotsChecked {
    /// When it was looked up.
    pub at: DateTime<Utc>,
    /// Whether a calendar that the shop has connected was read too. One that is connected and cannot be read is a problem, `calendar_unreachable`.
    pub elsewhere: bool,
}

/// What to do with an appointment.
#[derive(ToSchema)]
pub struct SaveAppointment {
    /// `book` (when absent), `move`, `cancel`, `done` or `no_show`.
    #[schema(required = false, example = "book")]
    pub action: String,
    /// Which appointment; for anything but `book`.
    #[schema(required = false)]
    pub id: Option<i64>,
    /// What for; for `book`.
    #[schema(required = false, example = 1)]
    pub service_id: Option<i32>,
    /// With whom; absent: with whoever is free, or as it was.
    #[schema(required = false)]
    pub staff_id: Option<i32>,
    /// When, with its offset; for `book` and `move`.
    #[schema(value_type = Option<String>, required = false, example = "2026-11-30T14:30:00+01:00")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Whose, if they are a customer of a channel; for `book`.
    #[schema(required = false)]
    pub customer_id: Option<i64>,
    /// Their name, 1 to 200 characters; for `book`.
    #[schema(required = false, example = "Anna Keller")]
    pub customer_name: Option<String>,
    /// How to reach them; for `book`.
    #[schema(required = false)]
    pub contact: Option<String>,
    /// What staff should know, up to 2,000 characters; for `book`.
    #[schema(required = false)]
    pub note: String,
    /// For `book` and `move`: outside of the hours too, and whatever a connected calendar says. Never over another appointment.
    #[schema(required = false)]
    pub anyway: bool,
    /// What of it is to be done.
    #[schema(ignore)]
    pub change: AppointmentChange,
}

impl Request for SaveAppointment {
    fn read(form: &mut Form) -> Option<Self> {
        let action = form.maybe_one_of("action", ACTIONS).unwrap_or("book");
        let id: Option<i64> = form.maybe_integer("id", 1..=i64::MAX);
        let service_id: Option<i32> = form.maybe_integer("service_id", 1..=i64::from(i32::MAX));
        let staff_id: Option<i32> = form.maybe_integer("staff_id", 1..=i64::from(i32::MAX));
        let starts_at = form.maybe_parsed("starts_at", TIME, time);
        let customer_id: Option<i64> = form.maybe_integer("customer_id", 1..=i64::MAX);
        let customer_name = form.maybe_text("customer_name", 1..=200);
        let contact = form.maybe_text("contact", 1..=500);
        let note = form.maybe_text("note", 0..=2000).unwrap_or_default();
        let anyway = form.maybe_bool("anyway").unwrap_or_default();

        let needs: &[(&str, bool)] = match action {
            "book" => {
                &[("service_id", service_id.is_some()), ("starts_at", starts_at.is_some()), ("customer_name", customer_name.is_some())]
            }
            "move" => &[("id", id.is_some()), ("starts_at", starts_at.is_some())],
            _ => &[("id", id.is_some())],
        };
        for (name, _) in needs.iter().filter(|(_, given)| !given) {
            form.refuse_unless_named(name, format!("is missing; `{action}` needs it"));
        }
        if action == "book" && id.is_some() {
            form.refuse("id", "must be absent when a new appointment is booked; `move` and the others take it");
        }
        let staff = staff_id.map(StaffId);
        let change = match action {
            "book" => AppointmentChange::Book {
                service: ServiceId(service_id?),
                staff,
                starts_at: starts_at?,
                customer: customer_id.map(CustomerId),
                customer_name: customer_name.clone()?,
                contact: contact.clone(),
                note: note.clone(),
                anyway,
            },
            "move" => AppointmentChange::Move { appointment: AppointmentId(id?), staff, starts_at: starts_at?, anyway },
            "cancel" => AppointmentChange::Cancel { appointment: AppointmentId(id?) },
            "done" => AppointmentChange::Done { appointment: AppointmentId(id?) },
            _ => AppointmentChange::NoShow { appointment: AppointmentId(id?) },
        };
        let action = action.to_owned();
        Some(Self { action, id, service_id, staff_id, starts_at, customer_id, customer_name, contact, note, anyway, change })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: AppointmentSearch = cx.query()?;
    let filter = AppointmentFilter {
        from: asked.from,
        to: asked.to,
        staff: asked.staff_id.map(StaffId),
        service: asked.service_id.map(ServiceId),
        state: asked.state,
        customer: asked.customer_id.map(CustomerId),
        descending: asked.sort,
        after: asked.cursor.map(AppointmentId),
    };
    let more = asked.limit + 1;
    let read = async move |mut tx| appointments::list(&mut tx, &filter, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, asked.limit, |appointment| appointment.id.to_string()))
}

pub(crate) async fn find(cx: StaffCx) -> Result<Reply, HttpError> {
    let id: AppointmentId = path_id(cx.parameter("id"))?;
    let read = async move |mut tx| {
        let appointment = appointments::find(&mut tx, id).await?.ok_or(DbError::NotFound)?;
        let history = appointments::history(&mut tx, id).await?;
        let reminders = appointments::reminders::list(&mut tx, id).await?;
        Ok::<_, DbError>(AppointmentDetail { appointment, history, reminders })
    };
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

/// A worker looks: it may have to ask a calendar elsewhere, and the ingress has no HTTP client.
pub(crate) async fn available(cx: StaffCx) -> Result<Reply, HttpError> {
    let SlotSearch { service, staff, from, days, limit } = cx.query()?;
    let job = jobs::FindSlots { service: ServiceId(service), staff: staff.map(StaffId), from, days, most: limit };
    command::look_up(&cx, &job).await
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let SaveAppointment { change, .. } = cx.json()?;
    Asked::job(jobs::SaveAppointment { request: cx.request, change })
}
