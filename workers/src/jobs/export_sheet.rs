//! Writes orders or appointments into a new Google spreadsheet. Which one, and up to which order, is kept under the request's key: a repeat writes the
//! same rows to the same places. Should a worker die between Google's making of the spreadsheet and our noting it, an empty one is left behind.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use frontdesk_core::db::appointments::{self, Appointment, AppointmentFilter};
use frontdesk_core::db::orders::{self, Order, OrderFilter, OrderSort};
use frontdesk_core::db::sheet_exports::{self, SheetExport};
use frontdesk_core::db::{DbError, TxKind, requests, shops};
use frontdesk_core::google::FILES_SCOPE;
use frontdesk_core::jobs::{Answer, ExportSheet, RefusalKind, SheetContent};
use frontdesk_core::progress::{self, Progress};
use frontdesk_core::tenancy::ShopScope;
use serde_json::{Value, json};

use super::connect_google::not_configured;
use super::{Wrote, once, refused};
use crate::App;
use crate::clients::google::sheets::{create, read_made, write};
use crate::crash::{self, Point};
use crate::google::{Account, Trouble};
use crate::runner::{Handle, JobContext, JobError};

/// Orders or appointments per page.
const PAGE: i64 = 200;
/// A spreadsheet of more is no use to anybody; CSV has no limit.
const MOST_ROWS: usize = 50_000;
/// Google freezes no row of a tab that has no other.
const LEAST_ROWS: i32 = 2;
/// Cost and profit come last, so that they can be left out.
const ORDERS: [&str; 11] =
    ["order_no", "created_at", "status", "customer_name", "contact", "product_name", "quantity", "price", "revenue", "cost", "profit"];
const APPOINTMENTS: [&str; 11] =
    ["id", "starts_at", "ends_at", "status", "service", "staff", "customer_name", "contact", "price", "source", "note"];

impl Handle<App> for ExportSheet {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope, key) = (&cx.app, cx.scope()?, self.request.key.clone());
        let read = async move |mut tx| {
            let zone = shops::booking(&mut tx).await?.zone;
            Ok::<_, DbError>((requests::find(&mut tx, &key).await?, sheet_exports::find(&mut tx, &key).await?, zone))
        };
        let (stored, standing, zone) = app.db.shop_tx(&scope, TxKind::Read, read).await?;
        if let Some(stored) = stored {
            return Ok(stored.answer);
        }
        let mut account = match app.google.open(&scope).await {
            Ok(account) if account.integration.scopes.split_whitespace().any(|scope| scope == FILES_SCOPE) => account,
            Ok(_) => {
                return Ok(missing("google_scope_missing", "Google was not allowed to make files. Connect again and leave that ticked."));
            }
            Err(Trouble::NotConfigured) => return Ok(not_configured()),
            Err(Trouble::NotConnected) => return Ok(missing("google_not_connected", "No Google account is connected. Connect one first.")),
            Err(Trouble::Broken) => {
                return Ok(missing("google_disconnected", "Google takes the account's permission no more. Connect it again."));
            }
            Err(trouble) => return Err(trouble.into()),
        };
        // Everything is read before anything is written: Google is slower than Postgres.
        let of = Rows { app, scope, zone, with_profit: self.with_profit };
        let (rows, upto) = match of.read(&self.what, standing.as_ref().map(|standing| standing.upto)).await? {
            Some(read) => read,
            None => {
                return Ok(missing(
                    "too_many_rows",
                    "These are more rows than a spreadsheet is good for. Choose a shorter period, or CSV.",
                ));
            }
        };
        let (tab, head) = of.head(&self.what);
        let standing = match standing {
            Some(standing) => standing,
            None => make(cx, &mut account, &self.request.key, tab, &head, rows.len(), upto).await?,
        };
        fill(cx, &mut account, &standing, tab, head, rows).await?;
        let url = standing.url;
        once(cx, self.request, move |_| Box::pin(async move { Ok(Wrote::answer(Answer::Done(json!({"url": url})))) })).await
    }
}

fn missing(code: &str, detail: &str) -> Answer {
    refused(RefusalKind::Conflict, code, detail)
}

type Row = Vec<Value>;

async fn make(
    cx: &JobContext<App>,
    account: &mut Account<'_>,
    key: &str,
    tab: &str,
    head: &[&str],
    rows: usize,
    upto: i64,
) -> Result<SheetExport, JobError> {
    let title = format!("Frontdesk – {tab} – {}", cx.app.clock.now().format("%Y-%m-%d %H:%M"));
    let row_count = i32::try_from(rows).map_err(|_| JobError::fail("too_many_rows"))?;
    let made = read_made(&account.ask(&create(&title, tab, (row_count + 1).max(LEAST_ROWS), head.len())).await?).map_err(Trouble::from)?;
    let made = SheetExport { spreadsheet_id: made.spreadsheet_id, url: made.spreadsheet_url, upto, row_count };
    let (scope, key) = (cx.scope()?, key.to_owned());
    let note = async move |mut tx| sheet_exports::note(&mut tx, &key, &made).await.map_err(|error: DbError| error);
    Ok(cx.app.db.shop_tx(&scope, TxKind::Command, note).await?)
}

/// Writes all rows, each to its own place. What changed its state since the first try may have left the selection: its place is emptied.
async fn fill(
    cx: &JobContext<App>,
    account: &mut Account<'_>,
    standing: &SheetExport,
    tab: &str,
    head: Vec<&'static str>,
    mut rows: Vec<Row>,
) -> Result<(), JobError> {
    let room = usize::try_from(standing.row_count).unwrap_or(0);
    rows.resize(room, vec![json!(""); head.len()]);
    let head: Row = head.into_iter().map(Value::from).collect();
    account.ask(&write(&standing.spreadsheet_id, tab, 1, &[head])).await?;
    let page = usize::try_from(PAGE).unwrap_or(1);
    for (at, part) in rows.chunks(page).enumerate() {
        account.ask(&write(&standing.spreadsheet_id, tab, 2 + at * page, part)).await?;
        crash::at(Point::AfterSend);
        let done = Progress { done: (at * page + part.len()) as u64, of: room as u64 };
        if let Err(error) = progress::note(&cx.app.queue, cx.envelope.job, done).await {
            tracing::debug!(%error, "progress not noted");
        }
    }
    Ok(())
}

struct Rows<'a> {
    app: &'a App,
    scope: ShopScope,
    zone: Tz,
    with_profit: bool,
}

impl Rows<'_> {
    fn head(&self, what: &SheetContent) -> (&'static str, Vec<&'static str>) {
        match what {
            SheetContent::Orders { .. } => ("Orders", self.order_columns().to_vec()),
            SheetContent::Appointments { .. } => ("Appointments", APPOINTMENTS.to_vec()),
        }
    }

    fn order_columns(&self) -> &'static [&'static str] {
        if self.with_profit { &ORDERS } else { &ORDERS[..ORDERS.len() - 2] }
    }

    /// All rows, oldest first, and the last number among them; `None` if there are too many. `upto` leaves out what came later.
    async fn read(&self, what: &SheetContent, upto: Option<i64>) -> Result<Option<(Vec<Row>, i64)>, JobError> {
        let most = upto.unwrap_or(i64::MAX);
        let (mut rows, mut last) = (Vec::new(), upto.unwrap_or_default());
        match what {
            SheetContent::Orders { from, to, status } => {
                let mut filter = OrderFilter { status: *status, from: *from, to: *to, sort: OrderSort::Oldest, ..OrderFilter::default() };
                loop {
                    let read = async move |mut tx| orders::list(&mut tx, filter, PAGE).await.map_err(|error: DbError| error);
                    let page: Vec<Order> = self.app.db.shop_tx(&self.scope, TxKind::Export, read).await?;
                    filter.after = page.last().map(|order| order.order_no);
                    let whole = i64::try_from(page.len()).is_ok_and(|orders| orders == PAGE);
                    for order in page.iter().filter(|order| order.order_no.0 <= most) {
                        last = last.max(order.order_no.0);
                        rows.extend(self.order(order));
                    }
                    if rows.len() > MOST_ROWS {
                        return Ok(None);
                    }
                    if !whole {
                        return Ok(Some((rows, last)));
                    }
                }
            }
            SheetContent::Appointments { from, to } => {
                let mut filter = AppointmentFilter { from: *from, to: *to, ..AppointmentFilter::default() };
                loop {
                    let of = filter.clone();
                    let read = async move |mut tx| appointments::list(&mut tx, &of, PAGE).await.map_err(|error: DbError| error);
                    let page: Vec<Appointment> = self.app.db.shop_tx(&self.scope, TxKind::Export, read).await?;
                    filter.after = page.last().map(|appointment| appointment.id);
                    let whole = i64::try_from(page.len()).is_ok_and(|appointments| appointments == PAGE);
                    for appointment in page.iter().filter(|appointment| appointment.id.0 <= most) {
                        last = last.max(appointment.id.0);
                        rows.push(self.appointment(appointment));
                    }
                    if rows.len() > MOST_ROWS {
                        return Ok(None);
                    }
                    if !whole {
                        return Ok(Some((rows, last)));
                    }
                }
            }
        }
    }

    fn at(&self, at: DateTime<Utc>) -> Value {
        at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false).into()
    }

    fn order(&self, order: &Order) -> Vec<Row> {
        let of = |line: &orders::OrderLine| {
            let mut row: Row = vec![
                order.order_no.0.into(),
                self.at(order.created_at),
                order.status.to_string().into(),
                order.customer_name.clone().into(),
                order.contact.clone().unwrap_or_default().into(),
                line.product_name.clone().into(),
                line.quantity.into(),
                line.price.to_string().into(),
                line.revenue.to_string().into(),
                line.cost.times(line.quantity).to_string().into(),
                line.profit.to_string().into(),
            ];
            row.truncate(self.order_columns().len());
            row
        };
        order.lines.iter().map(of).collect()
    }

    fn appointment(&self, of: &Appointment) -> Row {
        vec![
            of.id.0.into(),
            self.at(of.starts_at),
            self.at(of.ends_at),
            of.state.clone().into(),
            of.service_name.clone().into(),
            of.staff_name.clone().into(),
            of.customer_name.clone().into(),
            of.contact.clone().unwrap_or_default().into(),
            of.price.to_string().into(),
            of.source.clone().into(),
            of.note.clone().into(),
        ]
    }
}
