//! Orders as a CSV file, sent page by page: neither a long transaction nor the whole file in memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::SecondsFormat;
use chrono_tz::Tz;
use frontdesk_core::auth::Permission;
use frontdesk_core::csv::{BYTE_ORDER_MARK, Writer};
use frontdesk_core::db::orders::{self, Order, OrderFilter};
use frontdesk_core::db::{DbError, TxKind, shops};
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
        let mut text = format!("{BYTE_ORDER_MARK}{}", self.head());
        let mut page = first;
        loop {
            page.iter().for_each(|order| self.rows(order, &mut text));
            match tokio::time::timeout(STALLED, out.send(Ok(std::mem::take(&mut text).into()))).await {
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

    fn head(&self) -> &'static str {
        if self.with_profit {
            "order_no,created_at,sale_date,status,customer_name,contact,platform,source,product_id,product_name,quantity,price,revenue,cost,profit\r\n"
        } else {
            "order_no,created_at,sale_date,status,customer_name,contact,platform,source,product_id,product_name,quantity,price,revenue\r\n"
        }
    }

    /// A row per line.
    fn rows(&self, order: &Order, out: &mut String) {
        let created = order.created_at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
        for line in &order.lines {
            let mut row = Writer::row(out);
            row.plain(order.order_no).plain(&created).plain(order.sale_date).plain(order.status);
            row.text(&order.customer_name).text(order.contact.as_deref().unwrap_or_default());
            row.plain(order.platform.as_deref().unwrap_or_default()).plain(&order.source);
            row.plain(line.product_id).text(&line.product_name).plain(line.quantity).plain(line.price).plain(line.revenue);
            if self.with_profit {
                row.plain(line.cost.times(line.quantity)).plain(line.profit);
            }
            row.end();
        }
    }
}
