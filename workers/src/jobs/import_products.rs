//! Adds and changes many products from a CSV file, in one transaction: all of it, or nothing. Safe to repeat: products are matched by sku, what is
//! already right is left alone, and the request's key is unique per shop.

use std::collections::HashMap;
use std::time::Duration;

use frontdesk_core::db::products::import::{alone, insert_many, update_many, with_skus};
use frontdesk_core::db::products::{ProductInput, ProductRow};
use frontdesk_core::db::{DbError, ShopTx, TxKind, audit, stock};
use frontdesk_core::ids::ProductId;
use frontdesk_core::jobs::{Answer, FieldError, ImportProducts, Refusal, RefusalKind};
use frontdesk_core::progress::{self, Progress};
use frontdesk_core::queue::{JobId, Queue};
use serde_json::{Value, json};

use super::{Wrote, actor, once_in};
use crate::App;
use crate::import::{self, Faults, Wanted};
use crate::runner::{Handle, JobContext, JobError};

/// Rows per statement: enough to save round trips, few enough that the progress moves.
const BATCH: usize = 500;
/// How long a note of the progress may take.
const NOTE: Duration = Duration::from_millis(250);

impl Handle<App> for ImportProducts {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let by = actor(&self.request);
        let Self { request, csv, dry_run } = self;
        // Off the async threads, and before anything is locked.
        let read = tokio::task::spawn_blocking(move || import::read(&csv)).await.map_err(|_| JobError::retry("unreadable"))?;
        let meter = Meter { queue: cx.app.queue.clone(), job: cx.envelope.job, of: read.as_ref().map_or(0, Vec::len) };
        once_in(cx, TxKind::Bulk, request, move |tx| {
            Box::pin(async move {
                let rows = match read {
                    Ok(rows) => rows,
                    Err(faults) if dry_run => return Ok(Wrote::answer(Answer::Done(report(true, &Sorted::default(), &faults)))),
                    Err(faults) => return Ok(Wrote::answer(bad_rows(faults))),
                };
                meter.at(0).await;
                if !dry_run {
                    alone(tx).await?;
                }
                let sorted = sort(tx, &rows, !dry_run).await?;
                let wrote = Wrote::answer(Answer::Done(report(dry_run, &sorted, &Faults::default())));
                if dry_run {
                    return Ok(wrote);
                }
                let touched = write(tx, &sorted, &by, &meter).await?;
                if touched.is_empty() {
                    return Ok(wrote);
                }
                let notice = stock::watch(tx, &touched).await?;
                let detail = json!({"added": sorted.added.len(), "changed": sorted.changed.len()});
                audit::add(tx, &by, "import", "products", &detail).await?;
                Ok(wrote.then(notice).event("stock", json!({"imported": touched.len()})))
            })
        })
        .await
    }
}

/// What is to be done with the rows of a file.
#[derive(Default)]
struct Sorted {
    added: Vec<ProductInput>,
    changed: Vec<(ProductRow, ProductInput)>,
    unchanged: usize,
}

async fn sort(tx: &mut ShopTx, rows: &[Wanted], lock: bool) -> Result<Sorted, DbError> {
    let skus: Vec<&str> = rows.iter().map(|row| row.sku.as_str()).collect();
    let standing = with_skus(tx, &skus, lock).await?;
    let mut standing: HashMap<String, ProductRow> = standing.into_iter().filter_map(|row| Some((row.sku.clone()?, row))).collect();
    let mut sorted = Sorted::default();
    for row in rows {
        let found = standing.remove(&row.sku);
        let input = row.input(found.as_ref());
        match found {
            None => sorted.added.push(input),
            Some(found) if import::stands(&found, &input) => sorted.unchanged += 1,
            Some(found) => sorted.changed.push((found, input)),
        }
    }
    Ok(sorted)
}

/// The products that were added or changed.
async fn write(tx: &mut ShopTx, sorted: &Sorted, by: &str, meter: &Meter) -> Result<Vec<ProductId>, DbError> {
    let mut touched = Vec::with_capacity(sorted.added.len() + sorted.changed.len());
    for batch in sorted.changed.chunks(BATCH) {
        let changes: Vec<(ProductId, &ProductInput)> = batch.iter().map(|(row, input)| (row.id, input)).collect();
        update_many(tx, &changes).await?;
        let moved = batch.iter().filter(|(row, input)| row.stock != input.stock);
        let moved: Vec<(ProductId, i32, i32)> = moved.map(|(row, input)| (row.id, input.stock - row.stock, input.stock)).collect();
        stock::note(tx, &moved, "imported", "", by).await?;
        touched.extend(batch.iter().map(|(row, _)| row.id));
        meter.at(sorted.unchanged + touched.len()).await;
    }
    for batch in sorted.added.chunks(BATCH) {
        let rows = insert_many(tx, &batch.iter().collect::<Vec<_>>()).await?;
        let moved: Vec<(ProductId, i32, i32)> = rows.iter().filter(|row| row.stock > 0).map(|row| (row.id, row.stock, row.stock)).collect();
        stock::note(tx, &moved, "imported", "", by).await?;
        touched.extend(rows.iter().map(|row| row.id));
        meter.at(sorted.unchanged + touched.len()).await;
    }
    Ok(touched)
}

struct Meter {
    queue: Queue,
    job: JobId,
    of: usize,
}

impl Meter {
    async fn at(&self, done: usize) {
        let progress = Progress { done: done as u64, of: self.of as u64 };
        // Rows are locked meanwhile: a Redis that stands still must not keep them so.
        if !matches!(tokio::time::timeout(NOTE, progress::note(&self.queue, self.job, progress)).await, Ok(Ok(()))) {
            tracing::debug!("progress not noted");
        }
    }
}

fn report(dry_run: bool, sorted: &Sorted, faults: &Faults) -> Value {
    let (added, changed, unchanged) = (sorted.added.len(), sorted.changed.len(), sorted.unchanged);
    json!({
        "dry_run": dry_run, "added": added, "changed": changed, "unchanged": unchanged, "bad_rows": faults.bad_rows, "errors": faults.listed,
    })
}

fn bad_rows(faults: Faults) -> Answer {
    let rows = if faults.bad_rows == 1 { "One row is wrong".to_owned() } else { format!("{} rows are wrong", faults.bad_rows) };
    let detail = format!("{rows}, so nothing was imported. Mend what is named here and send the file again.");
    let fields = faults.listed.into_iter().map(|fault| FieldError {
        field: fault.column.map_or_else(|| format!("line {}", fault.line), |column| format!("line {}, {column}", fault.line)),
        message: fault.message,
    });
    Answer::Refused(Refusal {
        kind: RefusalKind::Invalid,
        code: "bad_rows".to_owned(),
        detail,
        fields: fields.collect(),
        slots: Vec::new(),
    })
}
