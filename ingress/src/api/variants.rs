//! Variants of a product: sizes, colours.

use frontdesk_core::db::products::variants::{MAX_VARIANTS, Options};
use frontdesk_core::db::stock::MAX_STOCK;
use frontdesk_core::ids::ProductId;
use frontdesk_core::jobs::{self, NewVariant};
use frontdesk_core::money::Money;
use utoipa::ToSchema;

use super::products::Product;
use crate::call::CommandCx;
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::HttpError;

/// Options of one product.
const OPTIONS: usize = 3;

/// Variants to add beside a product, which becomes one of them.
#[derive(ToSchema)]
pub struct AddVariants {
    /// Which variant the product itself is, e.g. `{"size": "41"}`: up to 3 options. Absent, if it has options already.
    #[schema(value_type = std::collections::BTreeMap<String, String>, required = false, example = json!({"size": "41"}))]
    pub options: Options,
    /// Those to add, 1 to 200 with those that are there: all of them, or none.
    #[schema(value_type = Vec<Variant>)]
    pub variants: Vec<NewVariant>,
}

/// A variant to add. Name, description and picture are the product's.
#[derive(ToSchema)]
pub struct Variant {
    /// What makes it this one, under the same names as the product's options.
    #[schema(value_type = std::collections::BTreeMap<String, String>, example = json!({"size": "42"}))]
    pub options: Options,
    /// Its own number, unique in the shop.
    #[schema(required = false)]
    pub sku: Option<String>,
    /// Price per piece, a decimal string; the product's when absent.
    #[schema(required = false, example = "59.90")]
    pub price: Option<String>,
    /// What it costs the shop, a decimal string; the product's when absent.
    #[schema(required = false, example = "31.20")]
    pub cost: Option<String>,
    /// Pieces in stock.
    #[schema(example = 10)]
    pub stock: i32,
    /// At this stock or less it is low; the product's when absent.
    #[schema(required = false)]
    pub low_stock_at: Option<i32>,
}

/// The variants that were added.
#[derive(ToSchema)]
pub struct Variants {
    /// Each a product of its own.
    pub items: Vec<Product>,
}

impl Request for AddVariants {
    fn read(form: &mut Form) -> Option<Self> {
        let options = form.maybe_map("options", OPTIONS, 1..=30, 1..=40);
        let pieces = 0..=i64::from(MAX_STOCK);
        let variants = form.list("variants", 1..=MAX_VARIANTS, |one| {
            let options = one.maybe_map("options", OPTIONS, 1..=30, 1..=40);
            if options.is_empty() {
                one.refuse_unless_refused("options", "must say what makes it this variant, e.g. {\"size\": \"42\"}");
            }
            let sku = one.maybe_text("sku", 1..=100);
            let (price, cost): (Option<Money>, Option<Money>) = (one.maybe_money("price"), one.maybe_money("cost"));
            let (stock, low_stock_at) = (one.integer("stock", pieces.clone()), one.maybe_integer("low_stock_at", pieces.clone()));
            Some(NewVariant { options, sku, price, cost, stock: stock?, low_stock_at })
        });
        Some(Self { options, variants: variants? })
    }
}

pub(crate) async fn add(cx: CommandCx) -> Result<Asked, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    let AddVariants { options, variants } = cx.json()?;
    Asked::job(jobs::AddVariants { request: cx.request, product, options, variants })
}
