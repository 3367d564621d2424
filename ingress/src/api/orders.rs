//! Orders: placed by staff, listed, moved on, summed up.

use chrono::{DateTime, NaiveDate, Utc};
use frontdesk_core::auth::Permission;
use frontdesk_core::db::orders::{self, MAX_LINES, MAX_QUANTITY, OrderFilter, OrderSort, OrderStatus};
use frontdesk_core::db::{DbError, TxKind};
use frontdesk_core::ids::{ConversationId, CustomerId, OrderNo, ProductId};
use frontdesk_core::inbound::Platform;
use frontdesk_core::jobs::{self, WantedLine};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Page, cursor, limit};
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// The states an order may be in.
const STATES: &[&str] = &["pending", "confirmed", "fulfilled", "cancelled", "refunded"];

/// Where customers write.
pub(super) const PLATFORMS: &[&str] = &["whatsapp", "instagram", "messenger"];

/// One purchase. Its `order_no` is the id in paths.
#[derive(ToSchema)]
pub struct Order {
    /// The number customers see.
    pub order_no: i64,
    /// `pending`, `confirmed`, `fulfilled`, `cancelled` or `refunded`.
    pub status: String,
    /// Who ordered, if they are a customer of a channel.
    pub customer_id: Option<i64>,
    /// Their name.
    pub customer_name: String,
    /// How to reach them.
    pub contact: Option<String>,
    /// Where they ordered.
    pub platform: Option<String>,
    /// `agent` or `staff`.
    pub source: String,
    /// All lines' revenue, a decimal string.
    #[schema(example = "119.80")]
    pub revenue: String,
    /// All lines' cost; only for who may see profit.
    #[schema(required = false)]
    pub cost: String,
    /// All lines' profit; only for who may see profit.
    #[schema(required = false)]
    pub profit: String,
    /// The day in the shop's calendar on which it counts.
    pub sale_date: NaiveDate,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When its state last changed.
    pub updated_at: DateTime<Utc>,
    /// What was ordered.
    pub lines: Vec<OrderLine>,
}

/// One line of an order.
#[derive(ToSchema)]
pub struct OrderLine {
    /// The line's own number.
    pub id: i64,
    /// The product.
    pub product_id: i32,
    /// Its name when ordered.
    pub product_name: String,
    /// Pieces.
    pub quantity: i32,
    /// Price per piece when ordered, a decimal string.
    pub price: String,
    /// Cost per piece; only for who may see profit.
    #[schema(required = false)]
    pub cost: String,
    /// Price times quantity.
    pub revenue: String,
    /// Revenue less cost times quantity; only for who may see profit.
    #[schema(required = false)]
    pub profit: String,
}

/// One purchase with what happened to it.
#[derive(Serialize, ToSchema)]
pub struct OrderDetail {
    /// The order.
    #[serde(flatten)]
    #[schema(value_type = Order)]
    pub order: orders::Order,
    /// The conversation in which it was made, or else that of its customer; null for an order by staff. Only for who may see conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, required = false)]
    pub conversation_id: Option<Option<ConversationId>>,
    /// Its moves, the oldest first.
    #[schema(value_type = Vec<OrderEvent>)]
    pub history: Vec<orders::OrderEvent>,
}

/// A move of an order.
#[derive(ToSchema)]
pub struct OrderEvent {
    /// Where it stood from then on.
    pub status: String,
    /// `user:<id>`, `agent`, `staff` or `system`.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A page of orders, the newest first.
#[derive(ToSchema)]
pub struct Orders {
    /// The orders.
    pub items: Vec<Order>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// Totals of a period.
#[derive(ToSchema)]
pub struct Summary {
    /// Orders that stand.
    pub orders: i64,
    /// Their pieces.
    pub pieces: i64,
    /// What customers pay for them, a decimal string.
    pub revenue: String,
    /// What they cost the shop.
    pub cost: String,
    /// Revenue less cost.
    pub profit: String,
    /// Orders cancelled or refunded.
    pub cancelled: i64,
}

/// Which orders.
#[derive(ToSchema)]
pub struct OrderSelection {
    /// Only those in this state: `pending`, `confirmed`, `fulfilled`, `cancelled` or `refunded`.
    #[schema(value_type = Option<String>, required = false)]
    pub status: Option<OrderStatus>,
    /// Only those that count on this day of the shop's calendar or later.
    #[schema(required = false, example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// Only those that count on this day of the shop's calendar or earlier.
    #[schema(required = false, example = "2026-11-30")]
    pub to: Option<NaiveDate>,
    /// Only those ordered on `whatsapp`, `instagram` or `messenger`.
    #[schema(value_type = Option<String>, required = false)]
    pub platform: Option<Platform>,
    /// Only this customer's.
    #[schema(required = false)]
    pub customer_id: Option<i64>,
    /// Only those with a line of this product.
    #[schema(required = false)]
    pub product_id: Option<i32>,
    /// `newest` (when absent) or `oldest` first.
    #[schema(value_type = Option<String>, required = false)]
    pub sort: OrderSort,
}

impl Request for OrderSelection {
    fn read(form: &mut Form) -> Option<Self> {
        let status = form.maybe_one_of("status", STATES).and_then(OrderStatus::from_name);
        let Period { from, to } = Period::read(form)?;
        let platform = form.maybe_one_of("platform", PLATFORMS).and_then(Platform::from_name);
        let customer_id = form.maybe_integer("customer_id", 1..=i64::MAX);
        let product_id = form.maybe_integer("product_id", 1..=i64::from(i32::MAX));
        let sort = if form.maybe_one_of("sort", &["newest", "oldest"]) == Some("oldest") { OrderSort::Oldest } else { OrderSort::Newest };
        Some(Self { status, from, to, platform, customer_id, product_id, sort })
    }
}

impl OrderSelection {
    pub(super) fn filter(self) -> OrderFilter {
        let Self { status, from, to, platform, customer_id, product_id, sort } = self;
        let (customer, product) = (customer_id.map(CustomerId), product_id.map(ProductId));
        OrderFilter { status, from, to, platform, customer, product, sort, after: None }
    }
}

/// Which orders to list.
#[derive(ToSchema)]
pub struct Filter {
    /// Only those in this state.
    #[schema(value_type = Option<String>, required = false)]
    pub status: Option<OrderStatus>,
    /// Only those that count on this day of the shop's calendar or later.
    #[schema(required = false, example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// Only those that count on this day of the shop's calendar or earlier.
    #[schema(required = false, example = "2026-11-30")]
    pub to: Option<NaiveDate>,
    /// Only those ordered on `whatsapp`, `instagram` or `messenger`.
    #[schema(value_type = Option<String>, required = false)]
    pub platform: Option<Platform>,
    /// Only this customer's.
    #[schema(required = false)]
    pub customer_id: Option<i64>,
    /// Only those with a line of this product.
    #[schema(required = false)]
    pub product_id: Option<i32>,
    /// `newest` (when absent) or `oldest` first.
    #[schema(value_type = Option<String>, required = false)]
    pub sort: OrderSort,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i64>,
}

impl Request for Filter {
    fn read(form: &mut Form) -> Option<Self> {
        let OrderSelection { status, from, to, platform, customer_id, product_id, sort } = OrderSelection::read(form)?;
        Some(Self { status, from, to, platform, customer_id, product_id, sort, limit: limit(form), cursor: cursor(form) })
    }
}

/// A period of the shop's calendar; open ends reach as far as there are orders.
#[derive(ToSchema)]
pub struct Period {
    /// The first day.
    #[schema(required = false, example = "2026-11-01")]
    pub from: Option<NaiveDate>,
    /// The last day.
    #[schema(required = false, example = "2026-11-30")]
    pub to: Option<NaiveDate>,
}

impl Request for Period {
    fn read(form: &mut Form) -> Option<Self> {
        let remedy = "must be a day, e.g. 2026-11-30";
        let day = |text: &str| text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10);
        let (from, to) = (form.maybe_parsed("from", remedy, day), form.maybe_parsed("to", remedy, day));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            form.refuse("to", "must not be before `from`");
        }
        Some(Self { from, to })
    }
}

/// An order to place.
#[derive(ToSchema)]
pub struct PlaceOrder {
    /// What is ordered, 1 to 50 lines.
    #[schema(value_type = Vec<Line>)]
    pub lines: Vec<WantedLine>,
    /// Who orders.
    pub customer_name: String,
    /// How to reach them.
    #[schema(required = false)]
    pub contact: Option<String>,
}

/// One wanted line.
#[derive(ToSchema)]
pub struct Line {
    /// The product.
    pub product_id: i32,
    /// Pieces, at least one.
    pub quantity: i32,
}

impl Request for PlaceOrder {
    fn read(form: &mut Form) -> Option<Self> {
        let lines = form.list("lines", 1..=MAX_LINES, |line| {
            let product = line.integer("product_id", 1..=i64::from(i32::MAX)).map(ProductId);
            let quantity = line.integer("quantity", 1..=i64::from(MAX_QUANTITY));
            Some(WantedLine { product: product?, quantity: quantity? })
        });
        let customer_name = form.text("customer_name", 1..=200);
        let contact = form.maybe_text("contact", 1..=500);
        Some(Self { lines: lines?, customer_name: customer_name?, contact })
    }
}

/// An order's next state.
#[derive(ToSchema)]
pub struct ChangeOrder {
    /// `confirmed`, `fulfilled`, `cancelled` or `refunded`.
    #[schema(example = "cancelled")]
    pub status: String,
    /// The status as it was read. If it is another by now, the answer is 409 and nothing changes; absent: whatever it is.
    #[schema(required = false, example = "confirmed")]
    pub from: Option<String>,
}

impl Request for ChangeOrder {
    fn read(form: &mut Form) -> Option<Self> {
        let (status, from) = (form.one_of("status", &STATES[1..]), form.maybe_one_of("from", STATES));
        Some(Self { status: status?.to_owned(), from: from.map(str::to_owned) })
    }
}

pub(crate) async fn place(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: PlaceOrder = cx.json()?;
    Asked::job(jobs::PlaceOrder { request: cx.request, lines: asked.lines, customer_name: asked.customer_name, contact: asked.contact })
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: Filter = cx.query()?;
    let Filter { status, from, to, platform, customer_id, product_id, sort, limit, cursor } = asked;
    let selection = OrderSelection { status, from, to, platform, customer_id, product_id, sort };
    let filter = OrderFilter { after: cursor.map(OrderNo), ..selection.filter() };
    let more = limit + 1;
    let read = async move |mut tx| orders::list(&mut tx, filter, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |order| order.order_no.to_string()))
}

pub(crate) async fn find(cx: StaffCx) -> Result<Reply, HttpError> {
    let order_no: OrderNo = path_id(cx.parameter("id"))?;
    let with_conversation = cx.may(Permission::ConversationsRead);
    let read = async move |mut tx| {
        let order = orders::find(&mut tx, order_no).await?.ok_or(DbError::NotFound)?;
        let history = orders::history(&mut tx, order_no).await?;
        let conversation_id = if with_conversation { Some(orders::conversation(&mut tx, order_no).await?) } else { None };
        Ok::<_, DbError>(OrderDetail { order, conversation_id, history })
    };
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn summary(cx: StaffCx) -> Result<Reply, HttpError> {
    let Period { from, to } = cx.query()?;
    let read = async move |mut tx| orders::summary(&mut tx, from, to).await.map_err(|error: DbError| error);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn change(cx: CommandCx) -> Result<Asked, HttpError> {
    let order: OrderNo = path_id(cx.parameter("id"))?;
    let ChangeOrder { status, from } = cx.json()?;
    Asked::job(jobs::ChangeOrder { request: cx.request, order, status, from })
}
