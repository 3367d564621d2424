//! Orders and appointments as a Google spreadsheet, which a worker makes and fills.

use chrono::NaiveDate;
use frontdesk_core::auth::Permission;
use frontdesk_core::db::orders::OrderStatus;
use frontdesk_core::jobs::{self, SheetContent};
use utoipa::ToSchema;

use super::orders::Period;
use crate::call::CommandCx;
use crate::command::Asked;
use crate::form::{Form, Request};
use crate::reply::HttpError;

const STATES: &[&str] = &["pending", "confirmed", "fulfilled", "cancelled", "refunded"];

/// Which orders go into the spreadsheet.
#[derive(Default, ToSchema)]
pub struct OrderSheet {
    /// Only those in this state: `pending`, `confirmed`, `fulfilled`, `cancelled` or `refunded`.
    #[schema(value_type = Option<String>, required = false)]
    pub status: Option<OrderStatus>,
    /// Only those that count on this day of the shop's calendar or later.
    #[schema(required = false, example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// Only those that count on this day of the shop's calendar or earlier.
    #[schema(required = false, example = "2026-11-30")]
    pub to: Option<NaiveDate>,
}

impl Request for OrderSheet {
    fn read(form: &mut Form) -> Option<Self> {
        let status = form.maybe_one_of("status", STATES).and_then(OrderStatus::from_name);
        let Period { from, to } = Period::read(form)?;
        Some(Self { status, from, to })
    }
}

/// Which appointments go into the spreadsheet.
#[derive(Default, ToSchema)]
pub struct AppointmentSheet {
    /// Only those that begin on this day of the shop's calendar or later.
    #[schema(required = false, example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// Only those that begin on this day of the shop's calendar or earlier.
    #[schema(required = false, example = "2026-11-30")]
    pub to: Option<NaiveDate>,
}

impl Request for AppointmentSheet {
    fn read(form: &mut Form) -> Option<Self> {
        let Period { from, to } = Period::read(form)?;
        Some(Self { from, to })
    }
}

/// A spreadsheet that was made.
#[derive(ToSchema)]
pub struct SheetExport {
    /// Where people open it; it belongs to the connected account.
    #[schema(example = "https://docs.google.com/spreadsheets/d/1x/edit")]
    pub url: String,
}

pub(crate) async fn orders(cx: CommandCx) -> Result<Asked, HttpError> {
    let OrderSheet { status, from, to } = cx.maybe_json()?;
    let with_profit = cx.staff.may(Permission::Profit);
    Asked::job(jobs::ExportSheet { request: cx.request, what: SheetContent::Orders { from, to, status }, with_profit })
}

pub(crate) async fn appointments(cx: CommandCx) -> Result<Asked, HttpError> {
    let AppointmentSheet { from, to } = cx.maybe_json()?;
    Asked::job(jobs::ExportSheet { request: cx.request, what: SheetContent::Appointments { from, to }, with_profit: false })
}
