//! Orders as a CSV file, sent page by page: neither a long transaction nor the whole file in memory.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::SecondsFormat;
use chrono_tz::Tz;
use frontdesk_core::auth::Permission;
use frontdesk_core::db::orders::{self, Order, OrderFilter};
use frontdesk_core::db::{DbError, TxKind, shops};
use frontdesk_core::spreadsheet::{self, BYTE_ORDER_MARK};
use frontdesk_core::tenancy::ShopScope;
use tokio::sync::mpsc;

use super::orders::OrderSelection;
use crate::App;
use crate::call::StaffCx;
use crate::reply::{HttpError, Reply};

/// Orders per page.
const PAGE: i64 = 200;
/// A client that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(30);
/// Cost and profit come last, so that they can be left out.
const COLUMNS: [&str; 15] = [
    "order_no",
    "created_at",
    "sale_date",
    "status",
    "customer_name",
    "contact",
    "platform",
    "source",
    "product_id",
    "product_name",
    "quantity",
    "price",
    "revenue",
    "cost",
    "profit",
];
/// The whole file: some millions of orders.
const WHOLE: Duration = Duration::from_mins(30);

pub(crate) async fn export(cx: StaffCx) -> Result<Reply, HttpError> {
    let filter = cx.json::<OrderSelection>()?.filter();
    let slot = cx.app.exports.clone().try_acquire_owned().map_err(|_| HttpError::overloaded())?;
    let read = async move |mut tx| shops::profile(&mut tx).await.map_err(|error: DbError| error);
    let shop = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    let name = format!("orders-{}.csv", shop.local_date(cx.app.clock.now()));
    let file = File { app: cx.app.clone(), scope: cx.scope, zone: shop.timezone(), with_profit: cx.may(Permission::Profit) };
    // The first page is read before the answer begins, so that a database that is away is a 503 and not a broken file.
    let first = file.page(filter).await?;
    let (out, pages) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Ok(Err(cause)) = tokio::time::timeout(WHOLE, file.send(filter, first, &out)).await {
            tracing::warn!(cause = format!("{cause:#}"), "an export broke off");
            // Without its end the client knows that the file is not whole.
            let _ = out.send(Err(io::Error::other("the export broke off"))).await;
        }
        drop(slot);
    });
    Ok(Reply::csv(&name, pages))
}

struct File {
    app: Arc<App>,
    scope: ShopScope,
    zone: Tz,
    with_profit: bool,
}

impl File {
    async fn page(&self, filter: OrderFilter) -> Result<Vec<Order>, DbError> {
        let read = async move |mut tx| orders::list(&mut tx, filter, PAGE).await.map_err(|error: DbError| error);
        self.app.db.shop_tx(&self.scope, TxKind::Read, read).await
    }

    /// Each page is a transaction of its own, read when the one before was taken.
    async fn send(&self, mut filter: OrderFilter, first: Vec<Order>, out: &mpsc::Sender<io::Result<Bytes>>) -> anyhow::Result<()> {
        let (mut head, mut page) = (Some(self.columns()), first);
        loop {
            let text = self.text(head.take(), &page)?;
            match tokio::time::timeout(STALLED, out.send(Ok(text))).await {
                Ok(Ok(())) => {}
                // The client hung up, or takes nothing: nobody is left to tell.
                Ok(Err(_)) | Err(_) => return Ok(()),
            }
            if page.len() < usize::try_from(PAGE)? {
                return Ok(());
            }
            filter.after = page.last().map(|order| order.order_no);
            page = self.page(filter).await?;
        }
    }

    /// The names of the columns; cost and profit only for who may see them.
    fn columns(&self) -> &'static [&'static str] {
        if self.with_profit { &COLUMNS } else { &COLUMNS[..COLUMNS.len() - 2] }
    }

    /// A page as CSV, a row per line of each order; the first one begins with the names of the columns.
    fn text(&self, head: Option<&[&str]>, page: &[Order]) -> anyhow::Result<Bytes> {
        let begin = if head.is_some() { BYTE_ORDER_MARK } else { "" };
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(begin.as_bytes().to_vec());
        if let Some(head) = head {
            csv.write_record(head)?;
        }
        for order in page {
            let created = order.created_at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
            for line in &order.lines {
                let cells = [
                    order.order_no.to_string().into(),
                    created.as_str().into(),
                    order.sale_date.to_string().into(),
                    order.status.to_string().into(),
                    spreadsheet::text(&order.customer_name),
                    spreadsheet::text(order.contact.as_deref().unwrap_or_default()),
                    order.platform.as_deref().unwrap_or_default().into(),
                    order.source.as_str().into(),
                    line.product_id.to_string().into(),
                    spreadsheet::text(&line.product_name),
                    line.quantity.to_string().into(),
                    line.price.to_string().into(),
                    line.revenue.to_string().into(),
                    line.cost.times(line.quantity).to_string().into(),
                    line.profit.to_string().into(),
                ];
                csv.write_record(cells[..self.columns().len()].iter().map(|cell: &Cow<'_, str>| cell.as_bytes()))?;
            }
        }
        Ok(csv.into_inner()?.into())
    }
}
