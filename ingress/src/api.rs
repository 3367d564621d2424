//! The handlers, one file per subject: parse, then one read or one job, then the reply.

pub mod admin;
pub mod appointments;
pub mod audit;
pub mod auth;
pub mod channels;
pub mod closures;
pub mod conversations;
pub mod customers;
pub mod dashboard;
pub mod events;
pub mod google;
pub mod jobs;
pub mod media;
pub mod ops;
pub mod order_export;
pub mod orders;
pub mod passwords;
pub mod product_import;
pub mod products;
pub mod services;
pub mod sessions;
pub mod sheet_export;
pub mod shop;
pub mod staff;
pub mod stock;
pub mod subscriptions;
pub mod team;
pub mod thread;
pub mod trial;
pub mod variants;

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};
use frontdesk_core::db::DbError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::form::{Form, Request};
use crate::reply::HttpError;

/// Entries of a page when the client names no number.
const PAGE: i64 = 50;
/// Entries of a page at most.
const LARGEST_PAGE: i64 = 100;

/// A page of a list: `{items, next_cursor}`; the cursor is absent on the last one.
#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// From one entry more than was asked for; `cursor` names where the next page begins after an entry.
    fn of(mut items: Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }
}

/// Which entries of a list to show, and whether of its archive.
#[derive(ToSchema)]
pub struct ArchivePage {
    /// `true`: those that were archived.
    #[schema(required = false)]
    pub archived: bool,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i32>,
}

impl Request for ArchivePage {
    fn read(form: &mut Form) -> Option<Self> {
        let archived = form.maybe_one_of("archived", &["true", "false"]) == Some("true");
        Some(Self { archived, limit: limit(form), cursor: cursor(form) })
    }
}

/// `limit`, as every list takes it.
fn limit(form: &mut Form) -> i64 {
    form.maybe_integer("limit", 1..=LARGEST_PAGE).unwrap_or(PAGE)
}

/// `cursor`, as every list takes it.
fn cursor<T: TryFrom<i64>>(form: &mut Form) -> Option<T> {
    form.maybe_parsed("cursor", "must be the `next_cursor` of the page before", |text| {
        text.parse::<i64>().ok().filter(|at| *at >= 0)?.try_into().ok()
    })
}

/// A day, under any name.
fn day(form: &mut Form, name: &'static str) -> Option<NaiveDate> {
    form.maybe_parsed(name, DAY, |text| text.parse().ok().filter(|_| text.len() == 10))
}

/// What a day must be.
const DAY: &str = "must be a day, e.g. 2026-11-30";

/// The time of an appointment: to the minute, with its offset, so that an hour that comes twice is no riddle.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (at.second() == 0 && at.nanosecond() == 0 && (2000..2200).contains(&at.year())).then_some(at)
}

/// What the time of an appointment must be.
const TIME: &str = "must be a time to the minute with its offset, e.g. 2026-11-30T14:30:00+01:00";

impl From<DbError> for HttpError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound => Self::not_found(),
            error if error.is_transient() => Self::unavailable(error),
            error => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    //! What goes out is what the description says: rows of the database against the schemas.

    use frontdesk_core::db::appointments::reminders::Reminder;
    use frontdesk_core::db::appointments::{Appointment, AppointmentEvent};
    use frontdesk_core::db::channels::ChannelRow;
    use frontdesk_core::db::closures::ClosureRow;
    use frontdesk_core::db::inbox;
    use frontdesk_core::db::orders::{Order, OrderEvent, OrderLine, OrderStatus, Summary};
    use frontdesk_core::db::products::ProductRow;
    use frontdesk_core::db::sales::{DayRow, ProductSales};
    use frontdesk_core::db::services::Service;
    use frontdesk_core::db::staff::Staff;
    use frontdesk_core::db::stock::StockChange;
    use frontdesk_core::ids::{
        AppointmentId, ChannelId, ClosureId, ConversationId, CustomerId, MessageId, NoteId, OrderId, OrderNo, ProductId, ServiceId,
        StaffId, TurnId, UserId,
    };
    use frontdesk_core::money::Money;
    use frontdesk_core::queue::Stats;
    use serde::Serialize;
    use utoipa::PartialSchema;

    fn compare(row: &impl Serialize, schema: &impl Serialize) {
        let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
        let (row, schema) = (serde_json::to_value(row).unwrap(), serde_json::to_value(schema).unwrap());
        assert_eq!(names(&row), names(&schema["properties"]));
    }

    #[test]
    fn rows_are_described_as_they_go_out() {
        let (now, money) = (chrono::DateTime::UNIX_EPOCH, Money::ZERO);
        let product = ProductRow {
            id: ProductId(1),
            sku: None,
            name: String::new(),
            description: String::new(),
            price: money,
            cost: money,
            stock: 1,
            image_url: None,
            active: true,
            low_stock_at: None,
            low_stock: false,
            created_at: now,
            updated_at: now,
            version: 1,
            title: None,
            options: serde_json::json!({}),
            variant_group: None,
        };
        compare(&product, &super::products::Product::schema());
        let change = StockChange {
            id: 1,
            product_id: ProductId(1),
            change: 1,
            stock: 1,
            kind: String::new(),
            reason: String::new(),
            actor: String::new(),
            created_at: now,
        };
        compare(&change, &super::stock::StockChange::schema());
        let line = OrderLine {
            id: OrderId(1),
            product_id: ProductId(1),
            product_name: String::new(),
            quantity: 1,
            price: money,
            cost: money,
            revenue: money,
            profit: money,
        };
        compare(&line, &super::orders::OrderLine::schema());
        let order = Order {
            order_no: OrderNo(1001),
            status: OrderStatus::Pending,
            customer_id: None,
            customer_name: String::new(),
            contact: None,
            platform: None,
            source: String::new(),
            revenue: money,
            cost: money,
            profit: money,
            sale_date: now.date_naive(),
            created_at: now,
            updated_at: now,
            lines: vec![line],
        };
        compare(&order, &super::orders::Order::schema());
        let event = OrderEvent { status: String::new(), actor: String::new(), created_at: now };
        compare(&event, &super::orders::OrderEvent::schema());
        let summary = Summary { orders: 0, pieces: 0, revenue: money, cost: money, profit: money, cancelled: 0 };
        compare(&summary, &super::orders::Summary::schema());
        let day = DayRow { day: now.date_naive(), sums: summary };
        compare(&day, &super::dashboard::DayFigures::schema());
        let best = ProductSales { product_id: ProductId(1), name: String::new(), pieces: 1, revenue: money, cost: money, profit: money };
        compare(&best, &super::dashboard::BestSeller::schema());
        let service = Service {
            id: ServiceId(1),
            name: String::new(),
            description: String::new(),
            duration_minutes: 30,
            buffer_before_minutes: 0,
            buffer_after_minutes: 0,
            price: money,
            lead_minutes: 0,
            horizon_days: 1,
            slot_minutes: None,
            staff_ids: vec![],
            active: true,
            created_at: now,
            updated_at: now,
        };
        compare(&service, &super::services::Service::schema());
        let staff = Staff {
            id: StaffId(1),
            name: String::new(),
            kind: String::new(),
            hours: None,
            service_ids: vec![],
            active: true,
            created_at: now,
            updated_at: now,
        };
        compare(&staff, &super::staff::StaffMember::schema());
        let (from_day, to_day) = (now.date_naive(), now.date_naive());
        let closure = ClosureRow { id: ClosureId(1), staff_id: None, from_day, to_day, span: None, note: String::new(), created_at: now };
        compare(&closure, &super::closures::Closure::schema());
        let appointment = Appointment {
            id: AppointmentId(1),
            service_id: ServiceId(1),
            service_name: String::new(),
            staff_id: StaffId(1),
            staff_name: String::new(),
            customer_id: None,
            conversation_id: None,
            customer_name: String::new(),
            contact: None,
            starts_at: now,
            ends_at: now,
            price: money,
            state: String::new(),
            source: String::new(),
            note: String::new(),
            version: 1,
            sync_state: String::new(),
            calendar_conflict: None,
            created_at: now,
            updated_at: now,
            confirmed_at: None,
        };
        compare(&appointment, &super::appointments::Appointment::schema());
        let change = AppointmentEvent {
            action: String::new(),
            actor: String::new(),
            from_starts_at: None,
            from_staff_id: None,
            to_starts_at: now,
            to_staff_id: StaffId(1),
            created_at: now,
        };
        compare(&change, &super::appointments::AppointmentEvent::schema());
        let reminder = Reminder { minutes: 60, starts_at: now, state: String::new(), reason: None, message_id: None, created_at: now };
        compare(&reminder, &super::appointments::AppointmentReminder::schema());
        let channel = ChannelRow {
            id: ChannelId(1),
            platform: String::new(),
            external_id: String::new(),
            name: String::new(),
            phone: None,
            login: String::new(),
            status: String::new(),
            status_code: None,
            created_at: now,
            token_expires_at: None,
            checked_at: None,
        };
        compare(&channel, &super::channels::Channel::schema());
        let conversation = inbox::Conversation {
            id: ConversationId(1),
            platform: String::new(),
            channel: inbox::Channel { id: ChannelId(1), name: String::new(), status: String::new() },
            customer: inbox::Customer { id: CustomerId(1), name: None, username: None, phone: None, language: None },
            paused: false,
            paused_by: None,
            paused_at: None,
            resume_at: None,
            assigned_to: None,
            unread: 0,
            unanswered: false,
            last_message: None,
            last_customer_at: None,
            window_open_until: None,
            answer_until: None,
            last_activity_at: now,
        };
        compare(&conversation, &super::conversations::Conversation::schema());
        compare(&conversation.channel, &super::conversations::ConversationChannel::schema());
        compare(&conversation.customer, &super::conversations::ConversationCustomer::schema());
        compare(&inbox::Colleague { id: UserId(1), name: String::new() }, &super::conversations::Colleague::schema());
        compare(&inbox::Counts { unread: 0, unanswered: 0, paused: 0, mine: 0 }, &super::conversations::Counts::schema());
        let last = inbox::LastMessage {
            id: MessageId(1),
            direction: String::new(),
            author: String::new(),
            kind: String::new(),
            text: String::new(),
            status: String::new(),
            occurred_at: now,
        };
        compare(&last, &super::conversations::LastMessage::schema());
        let message = inbox::Message {
            media: Vec::new(),
            id: MessageId(1),
            direction: String::new(),
            author: String::new(),
            user: None,
            kind: String::new(),
            text: String::new(),
            content: serde_json::Value::Null,
            status: String::new(),
            error_code: None,
            turn_id: None,
            occurred_at: now,
            sent_at: None,
        };
        compare(&message, &super::thread::Message::schema());
        compare(&inbox::Note { id: NoteId(1), user: None, text: String::new(), created_at: now }, &super::thread::Note::schema());
        let turn = inbox::TurnTrace {
            id: TurnId(1),
            state: String::new(),
            outcome: None,
            accepted_at: now,
            decided_at: None,
            done_at: None,
            input_tokens: 0,
            output_tokens: 0,
            model_cost: rust_decimal::Decimal::ZERO,
            trace: serde_json::Value::Null,
        };
        compare(&turn, &super::thread::Turn::schema());
        compare(
            &super::admin::Named { queue: frontdesk_core::jobs::JobName::PlaceOrder, stats: Stats::default() },
            &super::admin::QueueView::schema(),
        );
    }
}
