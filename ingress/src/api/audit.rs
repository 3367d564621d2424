//! Who changed what in the shop.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, audit};
use utoipa::ToSchema;

use super::{Page, cursor, limit};
use crate::call::StaffCx;
use crate::form::{Form, Request};
use crate::reply::{HttpError, Reply};

/// A page of changes, the latest first.
#[derive(ToSchema)]
pub struct AuditEntries {
    /// The changes.
    pub items: Vec<AuditEntry>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// A change.
#[derive(ToSchema)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// Who: `user:7`, `agent` or `system`.
    #[schema(example = "user:7")]
    pub actor: String,
    /// What was done: `add`, `update`, `archive`, `connect`, …
    pub action: String,
    /// To what.
    #[schema(example = "product:12")]
    pub subject: String,
    /// More about it.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Which changes to list.
#[derive(ToSchema)]
pub struct AuditSelection {
    /// Of one thing only, e.g. `product:12`.
    #[schema(required = false)]
    pub subject: Option<String>,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i64>,
}

impl Request for AuditSelection {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { subject: form.maybe_text("subject", 1..=100), limit: limit(form), cursor: cursor(form) })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: AuditSelection = cx.query()?;
    let more = asked.limit + 1;
    let read = async move |mut tx| audit::list(&mut tx, asked.subject.as_deref(), asked.cursor, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, asked.limit, |change| change.id.to_string()))
}
