//! The catalogue.

use chrono::{DateTime, Utc};
use frontdesk_core::db::products::{self, ProductFilter, ProductSort};
use frontdesk_core::db::stock::MAX_STOCK;
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
    /// At this stock or less it is low, and staff are told once; null: never.
    pub low_stock_at: Option<i32>,
    /// Whether the stock is low.
    pub low_stock: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change by a person; sales leave it alone.
    pub version: i32,
    /// Of a variant: its name without the options.
    pub title: Option<String>,
    /// What makes it this variant, by name, e.g. `{"size": "42"}`; empty, if it has no variants.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub options: serde_json::Value,
    /// The same for all variants of one product: `GET /products?variant_group=` lists them.
    pub variant_group: Option<i32>,
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
    /// `true`: those whose stock is low; `false`: the others.
    #[schema(required = false)]
    pub low_stock: Option<bool>,
    /// The variants of this group.
    #[schema(required = false)]
    pub variant_group: Option<i32>,
    /// Those with this price or a higher one, a decimal string.
    #[schema(value_type = Option<String>, required = false, example = "10.00")]
    pub min_price: Option<Money>,
    /// Those with this price or a lower one, a decimal string.
    #[schema(value_type = Option<String>, required = false, example = "99.90")]
    pub max_price: Option<Money>,
    /// `id` (when absent), `name`, `price` or `stock`; with `-` before it the other way round.
    #[schema(value_type = Option<String>, required = false, example = "-price")]
    pub sort: ProductSort,
    /// Part of `sort`.
    #[schema(ignore)]
    pub descending: bool,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i32>,
}

const SORTS: &[(&str, ProductSort)] =
    &[("id", ProductSort::Id), ("name", ProductSort::Name), ("price", ProductSort::Price), ("stock", ProductSort::Stock)];

impl Request for Search {
    fn read(form: &mut Form) -> Option<Self> {
        let q = form.maybe_text("q", 1..=200);
        let archived = form.maybe_one_of("archived", &["true", "false"]) == Some("true");
        let low_stock = form.maybe_one_of("low_stock", &["true", "false"]).map(|word| word == "true");
        let variant_group = form.maybe_integer("variant_group", 1..=i64::from(i32::MAX));
        let (min_price, max_price) = (form.maybe_money("min_price"), form.maybe_money("max_price"));
        if let (Some(min), Some(max)) = (min_price, max_price)
            && max < min
        {
            form.refuse("max_price", "must not be below `min_price`");
        }
        let remedy = "must be one of: id, name, price, stock, -id, -name, -price, -stock";
        let sort = form.maybe_parsed("sort", remedy, |text| {
            let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
            SORTS.iter().find(|(known, _)| *known == word).map(|(_, sort)| (*sort, descending))
        });
        let (sort, descending) = sort.unwrap_or_default();
        Some(Self {
            q,
            archived,
            low_stock,
            variant_group,
            min_price,
            max_price,
            sort,
            descending,
            limit: limit(form),
            cursor: cursor(form),
        })
    }
}

/// A product to add or to change.
#[derive(ToSchema)]
pub struct SaveProduct {
    /// Absent: add a new one.
    #[schema(required = false)]
    pub id: Option<i32>,
    /// Of a change: the `version` that was read. If somebody has changed the product since, the answer is 409 and nothing changes; absent: whatever
    /// stands there.
    #[schema(required = false)]
    pub version: Option<i32>,
    /// The name customers see, 1 to 200 characters. Of a variant: the title, which all its variants get; options are put behind it.
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
    /// Pieces in stock. A new product must say it; absent from a change, the stock stays as it is, sales of the meantime included.
    #[schema(required = false, example = 10)]
    pub stock: Option<i32>,
    /// Where its picture is: an https address, or a path on this server.
    #[schema(required = false)]
    pub image_url: Option<String>,
    /// At this stock or less it is low, and staff are told once; absent: never.
    #[schema(required = false)]
    pub low_stock_at: Option<i32>,
}

impl Request for SaveProduct {
    fn read(form: &mut Form) -> Option<Self> {
        let id = form.maybe_integer("id", 1..=i64::from(i32::MAX));
        let version = form.maybe_integer("version", 1..=i64::from(i32::MAX));
        if version.is_some() && id.is_none() {
            form.refuse("version", "goes with `id`: a new product has none");
        }
        let name = form.text("name", 1..=200);
        let description = form.maybe_text("description", 0..=5000).unwrap_or_default();
        let sku = form.maybe_text("sku", 1..=100);
        let price = form.money("price");
        let cost = form.money("cost");
        let pieces = 0..=i64::from(MAX_STOCK);
        let stock = if id.is_some() { form.maybe_integer("stock", pieces.clone()) } else { form.integer("stock", pieces.clone()) };
        let image_url = form.maybe_image_url("image_url");
        let low_stock_at = form.maybe_integer("low_stock_at", pieces);
        Some(Self { id, version, name: name?, description, sku, price: price?, cost: cost?, stock, image_url, low_stock_at })
    }
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: Search = cx.query()?;
    let Search { q, archived, low_stock, variant_group, min_price, max_price, sort, descending, cursor, .. } = asked;
    let after = cursor.map(ProductId);
    let filter = ProductFilter {
        text: q,
        archived,
        low_stock,
        variant_group: variant_group.map(ProductId),
        min_price,
        max_price,
        sort,
        descending,
        after,
    };
    let more = asked.limit + 1;
    let read = async move |mut tx| products::list(&mut tx, &filter, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, asked.limit, |product| product.id.to_string()))
}

pub(crate) async fn find(cx: StaffCx) -> Result<Reply, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    let read = async move |mut tx| products::find(&mut tx, product).await?.ok_or(DbError::NotFound);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn save(cx: CommandCx) -> Result<Asked, HttpError> {
    let asked: SaveProduct = cx.json()?;
    Asked::job(jobs::SaveProduct {
        request: cx.request,
        product: asked.id.map(ProductId),
        version: asked.version,
        name: asked.name,
        description: asked.description,
        sku: asked.sku,
        price: asked.price,
        cost: asked.cost,
        stock: asked.stock,
        image_url: asked.image_url,
        low_stock_at: asked.low_stock_at,
    })
}

pub(crate) async fn archive(cx: CommandCx) -> Result<Asked, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::ArchiveProduct { request: cx.request, product })
}

pub(crate) async fn restore(cx: CommandCx) -> Result<Asked, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    Asked::job(jobs::RestoreProduct { request: cx.request, product })
}
