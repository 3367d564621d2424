//! Pushes what a process left in the outbox: it died, or Redis was away, between its commit and its push.

use std::time::Duration;

use frontdesk_core::db::Db;
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::queue::{Push, Queue, QueueError};
use futures_util::future::join_all;

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// The process that wrote a row pushes it itself within this.
const GRACE: Duration = Duration::from_secs(2);
/// A row taken by a relay that did not get it pushed is taken again after this.
const AGAIN: Duration = Duration::from_secs(15);
/// Rows per look.
const BATCH: i32 = 500;

pub(crate) async fn relay_for_ever(queue: &Queue, db: &Db) {
    let mut wait = EVERY;
    loop {
        tokio::time::sleep(wait).await;
        wait = match relay_once(queue, db).await {
            Ok(rows) if rows >= BATCH as usize => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the outbox was not relayed; trying again");
                (wait * 2).clamp(EVERY, Duration::from_secs(30))
            }
        };
    }
}

/// One look; says how many rows it found.
async fn relay_once(queue: &Queue, db: &Db) -> anyhow::Result<usize> {
    let rows = db.claim_outbox(BATCH, GRACE, AGAIN).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let results = join_all(rows.iter().map(|row| push(queue, row))).await;
    let found = rows.len();
    let mut pushed = Vec::with_capacity(found);
    let mut failed = None;
    for (row, result) in rows.into_iter().zip(results) {
        match result {
            Ok(()) => pushed.push(row),
            Err(error) => failed = Some(error),
        }
    }
    tracing::info!(rows = pushed.len(), "relayed what was left in the outbox");
    metrics::counter!("frontdesk_outbox_relayed_total").increment(pushed.len() as u64);
    db.delete_outbox(&pushed).await?;
    failed.map_or(Ok(found), |error| Err(error.into()))
}

async fn push(queue: &Queue, row: &Pending) -> Result<(), QueueError> {
    let payload = serde_json::value::to_raw_value(&row.payload)?;
    let how = Push { key: Some(row.key.clone()), ..Push::default() };
    queue.push_raw(row.job, Some(row.scope()), &payload, how).await?;
    Ok(())
}
