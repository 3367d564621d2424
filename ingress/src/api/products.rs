//! The catalogue.

use chrono::{DateTime, Utc};
use frontdesk_core::db::products::{self, ProductFilter};
use frontdesk_core::db::{DbError, TxKind};
use frontdesk_core::ids::ProductId;
use frontdesk_core::jobs;
use frontdesk_core::money::Money;
use utoipa::ToSchema;

use super::{Page, cursor, limit};
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// A product.
#[derive(ToSchema)]
pub struct Product {
    /// Its number.
    pub id: i32,
    /// The shop's own number for it.
    pub sku: Option<String>,
    /// The name customers see.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Price per piece, a decimal string.
    #[schema(example = "59.90")]
    pub price: String,
    /// What it costs the shop, a decimal string; only for who may see profit.
    #[schema(required = false, example = "31.20")]
    pub cost: String,
    /// Pieces in stock.
    pub stock: i32,
    /// Where its picture is.
    pub image_url: Option<String>,
    /// In the catalogue; false once archived.
    pub active: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of the catalogue.
#[derive(ToSchema)]
pub struct Products {
    /// The products.
    pub items: Vec<Product>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// Which products to list.
#[derive(ToSchema)]
pub struct Search {
    /// Words, or the start of words, that name, sku or description hold.
    #[schema(required = false)]
    pub q: Option<String>,
    /// `true`: those taken out of the catalogue.
    #[schema(required = false)]
    pub archived: bool,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i32>,
}

impl Request for Search {
    fn read(form: &mut Form) -> Option<Self> {
        let q = form.maybe_text("q", 1..=200);
        let archived = form.maybe_one_of("archived", &["true", "false"]) == Some("true");
        Some(Self { q, archived, limit: limit(form), cursor: cursor(form) })
    }
}

/// A product to add or to change.
#[derive(ToSchema)]
pub struct SaveProduct {
    /// Absent: add a new one.
    #[schema(required = false)]
    pub id: Option<i32>,
    /// The name customers see, 1 to 200 characters.
    pub name: String,
    /// What it is.
    #[schema(required = false)]
    pub description: String,
    /// The shop's own number for it, unique in the shop.
    #[schema(required = false)]
    pub sku: Option<String>,
    /// Price per piece, a decimal string.
    #[schema(value_type = String, example = "59.90")]
    pub price: Money,
    /// What it costs the shop, a decimal string.
    #[schema(value_type = String, example = "31.20")]
    pub cost: Money,
    /// Pieces in stock.
    pub stock: i32,
    /// Where its picture is.
    #[schema(required = false)]
    pub image_url: Option<String>,
}

impl Request for SaveProduct {
    fn read(form: &mut Form) -> Option<Self> {
        let id = form.maybe_integer("id", 1..=i64::from(i32::MAX));
        let name = form.text("name", 1..=200);
        let description = form.maybe_text("description", 0..=5000).unwrap_or_default();
        let sku = form.maybe_text("sku", 1..=100);
        let price = form.money("price");
        let cost = form.money("cost");
        let stock = form.integer("stock", 0..=10_000_000);
        let image_url = form.maybe_url("image_url");
        Some(Self { id, name: name?, description, sku, price: price?, cost: cost?, stock: stock?, image_url })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: Search = cx.query()?;
    let filter = ProductFilter { text: asked.q, after: asked.cursor.map(ProductId), archived: asked.archived };
    let more = asked.limit + 1;
    let read = async move |mut tx| products::list(&mut tx, &filter, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, asked.limit, |product| product.id.to_string()))
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: SaveProduct = cx.json()?;
    Asked::job(jobs::SaveProduct {
        request: cx.request,
        product: asked.id.map(ProductId),
        name: asked.name,
        description: asked.description,
        sku: asked.sku,
        price: asked.price,
        cost: asked.cost,
        stock: asked.stock,
        image_url: asked.image_url,
    })
}

pub(crate) async fn archive(cx: CommandCx) -> Result<Asked, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::ArchiveProduct { request: cx.request, product })
}
