//! Stock changed by hand, and its history.

use chrono::{DateTime, Utc};
use frontdesk_core::db::stock::{self, MAX_STOCK};
use frontdesk_core::db::{DbError, TxKind, products};
use frontdesk_core::ids::ProductId;
use frontdesk_core::jobs;
use utoipa::ToSchema;

use super::Page;
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// A change of the stock by hand.
#[derive(ToSchema)]
pub struct AdjustStock {
    /// Pieces more; below zero: less.
    #[schema(example = -3)]
    pub change: i32,
    /// Why, 1 to 200 characters.
    #[schema(example = "damaged in transport")]
    pub reason: String,
}

impl Request for AdjustStock {
    fn read(form: &mut Form) -> Option<Self> {
        let change = form.integer("change", -i64::from(MAX_STOCK)..=i64::from(MAX_STOCK));
        if change == Some(0) {
            form.refuse("change", "must not be 0");
        }
        let reason = form.text("reason", 1..=200);
        Some(Self { change: change?, reason: reason? })
    }
}

/// A change of a product's stock by hand. What orders take and give back stands with the orders.
#[derive(ToSchema)]
pub struct StockChange {
    /// Its number.
    pub id: i64,
    /// The product.
    pub product_id: i32,
    /// Pieces more; below zero: less.
    pub change: i32,
    /// What was there afterwards.
    pub stock: i32,
    /// `adjusted`, `saved` (with the product) or `imported`.
    pub kind: String,
    /// Why, as staff put it.
    pub reason: String,
    /// `user:<id>` or `system`.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A page of a product's changes by hand, the latest first.
#[derive(ToSchema)]
pub struct StockChanges {
    /// The changes.
    pub items: Vec<StockChange>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

pub(crate) async fn adjust(cx: CommandCx) -> Result<Asked, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    let AdjustStock { change, reason } = cx.json()?;
    Asked::job(jobs::AdjustStock { request: cx.request, product, change, reason })
}

pub(crate) async fn history(cx: StaffCx) -> Result<Reply, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    let asked: super::admin::Page = cx.query()?;
    let read = async move |mut tx| {
        products::find(&mut tx, product).await?.ok_or(DbError::NotFound)?;
        stock::history(&mut tx, product, asked.cursor, asked.limit + 1).await
    };
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, asked.limit, |change| change.id.to_string()))
}
