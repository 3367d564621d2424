//! What is known of a customer, for a customer who asks; and forgetting them.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, personal_data};
use frontdesk_core::ids::CustomerId;
use frontdesk_core::jobs::EraseCustomer;
use hyper::header::CONTENT_DISPOSITION;
use utoipa::ToSchema;

use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::path_id;
use crate::reply::{HttpError, Reply};

/// Everything known of a customer, as a file to hand over.
#[derive(ToSchema)]
pub struct CustomerExport {
    /// Who they are.
    pub customer: ExportedCustomer,
    /// Their conversations: `id`, `created_at`, `last_customer_at`.
    #[schema(value_type = Vec<Object>)]
    pub conversations: Vec<serde_json::Value>,
    /// What was said, the oldest first: `conversation_id`, `at`, `author`, `kind`, `text`, `content`, `status`.
    #[schema(value_type = Vec<Object>)]
    pub messages: Vec<serde_json::Value>,
    /// The files they sent: `conversation_id`, `at`, `kind`, `state`, `mime_type`, `size`, `file_name`, `sha256`, `url`.
    #[schema(value_type = Vec<Object>)]
    pub files: Vec<serde_json::Value>,
    /// What staff noted about them: `conversation_id`, `at`, `text`.
    #[schema(value_type = Vec<Object>)]
    pub notes: Vec<serde_json::Value>,
    /// What they ordered, an entry per line: `order_no`, `at`, `status`, `product`, `quantity`, `price`, `name`, `contact`.
    #[schema(value_type = Vec<Object>)]
    pub orders: Vec<serde_json::Value>,
    /// Their appointments: `id`, `starts_at`, `ends_at`, `service`, `state`, `price`, `name`, `contact`, `note`, `booked_at`.
    #[schema(value_type = Vec<Object>)]
    pub appointments: Vec<serde_json::Value>,
    /// Whether there are more than 20,000 of a kind, which are left out.
    pub truncated: bool,
}

/// Who a customer is.
#[derive(ToSchema)]
pub struct ExportedCustomer {
    /// Their number.
    pub id: i64,
    /// Their name, if the platform told it.
    pub name: Option<String>,
    /// Their user name, if the platform told it.
    pub username: Option<String>,
    /// The language in which they last wrote.
    pub language: Option<String>,
    /// `whatsapp`, `instagram` or `messenger`.
    pub platform: String,
    /// The ids under which the platform knows them: `kind` and `value`.
    #[schema(value_type = Vec<Object>)]
    pub ids: Vec<serde_json::Value>,
    /// When they first wrote.
    pub created_at: DateTime<Utc>,
    /// When they were erased, if they were.
    pub erased_at: Option<DateTime<Utc>>,
}

pub(crate) async fn export(cx: StaffCx) -> Result<Reply, HttpError> {
    let id: CustomerId = path_id(cx.parameter("id"))?;
    let read = async move |mut tx| personal_data::export(&mut tx, id).await.map_err(|error: DbError| error);
    let export = cx.app.db.shop_tx(&cx.scope, TxKind::Export, read).await?.ok_or_else(HttpError::not_found)?;
    Ok(Reply::ok(export)?.with(CONTENT_DISPOSITION, &format!("attachment; filename=\"customer-{id}.json\"")))
}

pub(crate) async fn erase(cx: CommandCx) -> Result<Asked, HttpError> {
    let customer: CustomerId = path_id(cx.parameter("id"))?;
    Asked::job(EraseCustomer { request: cx.request, customer })
}
