//! What the shop offers by appointment.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, services};
use frontdesk_core::ids::{ServiceId, StaffId};
use frontdesk_core::jobs::{self, ServiceInput};
use frontdesk_core::money::Money;
use utoipa::ToSchema;

use super::{ArchivePage, Page};
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// People and rooms that perform one service at most.
const MOST_STAFF: usize = 100;

/// A service.
#[derive(ToSchema)]
pub struct Service {
    /// Its number.
    pub id: i32,
    /// The name customers see.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Minutes that it takes.
    pub duration_minutes: i32,
    /// Minutes before it in which nobody else is served.
    pub buffer_before_minutes: i32,
    /// Minutes after it in which nobody else is served.
    pub buffer_after_minutes: i32,
    /// What it costs customers, a decimal string in the shop's currency.
    #[schema(example = "45.00")]
    pub price: String,
    /// Customers book so many minutes ahead at least; staff at any notice.
    pub lead_minutes: i32,
    /// Customers book so many days ahead at most.
    pub horizon_days: i32,
    /// Slots begin so many minutes apart; null: as the shop has it.
    pub slot_minutes: Option<i32>,
    /// Who performs it.
    pub staff_ids: Vec<i32>,
    /// On offer; false once archived.
    pub active: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of services.
#[derive(ToSchema)]
pub struct Services {
    /// The services.
    pub items: Vec<Service>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// A service to add or to change. Appointments that stand keep their time and price.
#[derive(ToSchema)]
pub struct SaveService {
    /// Absent: add a new one.
    #[schema(required = false)]
    pub id: Option<i32>,
    /// The name customers see, 1 to 200 characters, unique among what is offered.
    #[schema(example = "Haircut")]
    pub name: String,
    /// What it is.
    #[schema(required = false)]
    pub description: String,
    /// Minutes that it takes, 5 to 1440.
    #[schema(example = 45)]
    pub duration_minutes: i32,
    /// Minutes before it in which nobody else is served, up to 480; 0 when absent.
    #[schema(required = false)]
    pub buffer_before_minutes: i32,
    /// Minutes after it in which nobody else is served, up to 480; 0 when absent.
    #[schema(required = false, example = 10)]
    pub buffer_after_minutes: i32,
    /// What it costs customers, a decimal string.
    #[schema(value_type = String, example = "45.00")]
    pub price: Money,
    /// Customers book so many minutes ahead at least, up to 30 days; 60 when absent.
    #[schema(required = false, example = 60)]
    pub lead_minutes: i32,
    /// Customers book so many days ahead at most, 1 to 730; 60 when absent.
    #[schema(required = false, example = 60)]
    pub horizon_days: i32,
    /// Slots begin so many minutes apart, 5 to 240; absent: as the shop has it.
    #[schema(required = false)]
    pub slot_minutes: Option<i32>,
    /// Who performs it, up to 100; nobody can book it as long as it is nobody.
    #[schema(value_type = Vec<i32>, required = false)]
    pub staff_ids: Vec<StaffId>,
}

impl Request for SaveService {
    fn read(form: &mut Form) -> Option<Self> {
        let id = form.maybe_integer("id", 1..=i64::from(i32::MAX));
        let name = form.text("name", 1..=200);
        let description = form.maybe_text("description", 0..=5000).unwrap_or_default();
        let duration_minutes = form.integer("duration_minutes", 5..=1440);
        let buffer_before_minutes = form.maybe_integer("buffer_before_minutes", 0..=480).unwrap_or_default();
        let buffer_after_minutes = form.maybe_integer("buffer_after_minutes", 0..=480).unwrap_or_default();
        let price = form.money("price");
        let lead_minutes = form.maybe_integer("lead_minutes", 0..=30 * 24 * 60).unwrap_or(60);
        let horizon_days = form.maybe_integer("horizon_days", 1..=730).unwrap_or(60);
        let slot_minutes = form.maybe_integer("slot_minutes", 5..=240);
        let staff_ids = form.integers("staff_ids", MOST_STAFF, 1..=i64::from(i32::MAX)).into_iter().map(StaffId).collect();
        Some(Self {
            id,
            name: name?,
            description,
            duration_minutes: duration_minutes?,
            buffer_before_minutes,
            buffer_after_minutes,
            price: price?,
            lead_minutes,
            horizon_days,
            slot_minutes,
            staff_ids,
        })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let ArchivePage { archived, limit, cursor } = cx.query()?;
    let (after, more) = (cursor.map(ServiceId), limit + 1);
    let read = async move |mut tx| services::list(&mut tx, archived, after, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |service| service.id.to_string()))
}

pub(crate) async fn find(cx: StaffCx) -> Result<Reply, HttpError> {
    let service: ServiceId = path_id(cx.parameter("id"))?;
    let read = async move |mut tx| services::find(&mut tx, service).await?.ok_or(DbError::NotFound);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: SaveService = cx.json()?;
    Asked::job(jobs::SaveService {
        request: cx.request,
        service: asked.id.map(ServiceId),
        input: ServiceInput {
            name: asked.name,
            description: asked.description,
            duration_minutes: asked.duration_minutes,
            buffer_before_minutes: asked.buffer_before_minutes,
            buffer_after_minutes: asked.buffer_after_minutes,
            price: asked.price,
            lead_minutes: asked.lead_minutes,
            horizon_days: asked.horizon_days,
            slot_minutes: asked.slot_minutes,
            staff_ids: asked.staff_ids,
        },
    })
}

pub(crate) async fn archive(cx: CommandCx) -> Result<Asked, HttpError> {
    let service: ServiceId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::ArchiveService { request: cx.request, service })
}
