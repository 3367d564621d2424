//! Holidays and other times at which nobody, or one of the staff, can be booked.

use chrono::{DateTime, NaiveDate, Utc};
use frontdesk_core::db::{DbError, TxKind, closures};
use frontdesk_core::hours::{NoSpan, Span};
use frontdesk_core::ids::{ClosureId, StaffId};
use frontdesk_core::jobs::{self, ClosureChange};
use utoipa::ToSchema;

use super::{DAY, Page, cursor, day, limit};
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// Days that one closure lasts at most.
const LONGEST_DAYS: i64 = 731;

/// A closure.
#[derive(ToSchema)]
pub struct Closure {
    /// Its number.
    pub id: i32,
    /// Whose; null: the whole shop's.
    pub staff_id: Option<i32>,
    /// The first day, in the shop's zone.
    pub from_day: NaiveDate,
    /// The last day.
    pub to_day: NaiveDate,
    /// The time of day that is closed on each of them; null: all day.
    #[schema(example = "12:00-24:00")]
    pub span: Option<String>,
    /// What for.
    pub note: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// A page of closures.
#[derive(ToSchema)]
pub struct Closures {
    /// The closures.
    pub items: Vec<Closure>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// Which closures to list.
#[derive(ToSchema)]
pub struct ClosurePage {
    /// Only those that are not over before this day.
    #[schema(required = false, example = "2026-11-30")]
    pub from: Option<NaiveDate>,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i32>,
}

impl Request for ClosurePage {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { from: day(form, "from"), limit: limit(form), cursor: cursor(form) })
    }
}

/// A closure to add.
#[derive(ToSchema)]
pub struct NewClosure {
    /// Whose; absent: the whole shop's.
    #[schema(required = false)]
    pub staff_id: Option<i32>,
    /// The first day, in the shop's zone.
    #[schema(example = "2026-12-24")]
    pub from_day: NaiveDate,
    /// The last day; the first when absent.
    #[schema(required = false, example = "2026-12-26")]
    pub to_day: NaiveDate,
    /// The time of day that is closed on each of them; absent: all day.
    #[schema(value_type = Option<String>, required = false, example = "12:00-24:00")]
    pub span: Option<Span>,
    /// What for, up to 200 characters.
    #[schema(required = false, example = "Christmas")]
    pub note: String,
}

impl Request for NewClosure {
    fn read(form: &mut Form) -> Option<Self> {
        let staff_id = form.maybe_integer("staff_id", 1..=i64::from(i32::MAX));
        let from_day: Option<NaiveDate> = form.parsed("from_day", DAY, |text| text.parse().ok().filter(|_| text.len() == 10));
        let to_day = day(form, "to_day").or(from_day);
        if let (Some(from), Some(to)) = (from_day, to_day) {
            if to < from {
                form.refuse("to_day", "must not be before `from_day`");
            } else if (to - from).num_days() >= LONGEST_DAYS {
                form.refuse("to_day", "must be within two years of `from_day`");
            }
        }
        let span = form.maybe_parsed("span", SPAN, |text| text.parse::<Span>().map_err(|_: NoSpan| ()).ok());
        let note = form.maybe_text("note", 0..=200).unwrap_or_default();
        Some(Self { staff_id, from_day: from_day?, to_day: to_day?, span, note })
    }
}

const SPAN: &str = "must be from one time of the day to a later one, e.g. 09:30-18:00";

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let ClosurePage { from, limit, cursor } = cx.query()?;
    let (after, more) = (cursor.map(ClosureId), limit + 1);
    let read = async move |mut tx| closures::list(&mut tx, from, after, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |closure| closure.id.to_string()))
}

pub(crate) async fn add(cx: CommandCx) -> Result<Asked, HttpError> {
    let NewClosure { staff_id, from_day, to_day, span, note } = cx.json()?;
    let change = ClosureChange::Add { staff: staff_id.map(StaffId), from_day, to_day, span, note };
    Asked::job(jobs::ChangeClosure { request: cx.request, change })
}

pub(crate) async fn remove(cx: CommandCx) -> Result<Asked, HttpError> {
    let closure: ClosureId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::ChangeClosure { request: cx.request, change: ClosureChange::Remove { closure } })
}
