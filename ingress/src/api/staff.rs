//! Who performs services: people, and rooms that only one appointment can have.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, staff};
use frontdesk_core::hours::Hours;
use frontdesk_core::ids::StaffId;
use frontdesk_core::jobs;
use utoipa::ToSchema;

use super::shop::{self, WeekHours};
use super::{ArchivePage, Page};
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// A person or a room.
#[derive(ToSchema)]
pub struct StaffMember {
    /// Their number.
    pub id: i32,
    /// What customers call them.
    pub name: String,
    /// `person` or `room`.
    pub kind: String,
    /// When they work, by weekday, in the shop's zone; null: as the shop is open.
    pub hours: Option<WeekHours>,
    /// What they perform, of what is on offer.
    pub service_ids: Vec<i32>,
    /// Works here; false once removed.
    pub active: bool,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// When they last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of people and rooms.
#[derive(ToSchema)]
pub struct StaffMembers {
    /// The people and rooms.
    pub items: Vec<StaffMember>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// A person or a room to add or to change. What they perform is said by the services.
#[derive(ToSchema)]
pub struct SaveStaffMember {
    /// Absent: add a new one.
    #[schema(required = false)]
    pub id: Option<i32>,
    /// What customers call them, 1 to 120 characters, unique among those who work here.
    #[schema(example = "Camille")]
    pub name: String,
    /// `person` (when absent) or `room`.
    #[schema(required = false, example = "person")]
    pub kind: String,
    /// When they work, by weekday, in the shop's zone; absent: as the shop is open.
    #[schema(value_type = Option<WeekHours>, required = false)]
    pub hours: Option<Hours>,
}

impl Request for SaveStaffMember {
    fn read(form: &mut Form) -> Option<Self> {
        let id = form.maybe_integer("id", 1..=i64::from(i32::MAX));
        let name = form.text("name", 1..=120);
        let kind = form.maybe_one_of("kind", &["person", "room"]).unwrap_or("person").to_owned();
        let hours = form.maybe_object("hours", shop::week);
        Some(Self { id, name: name?, kind, hours })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let ArchivePage { archived, limit, cursor } = cx.query()?;
    let (after, more) = (cursor.map(StaffId), limit + 1);
    let read = async move |mut tx| staff::list(&mut tx, archived, after, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |staff| staff.id.to_string()))
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let SaveStaffMember { id, name, kind, hours } = cx.json()?;
    Asked::job(jobs::SaveStaff { request: cx.request, staff: id.map(StaffId), name, kind, hours })
}

pub(crate) async fn archive(cx: CommandCx) -> Result<Asked, HttpError> {
    let staff: StaffId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::ArchiveStaff { request: cx.request, staff })
}
