//! "Something changed", for open dashboards: one capped stream per shop.

use serde_json::value::RawValue;

use crate::queue::{Queue, QueueError};
use crate::tenancy::ShopScope;

/// About how many events a shop's stream keeps.
const KEPT: usize = 1000;
/// A stream nobody wrote to for this long goes.
const IDLE_SECONDS: u64 = 8 * 24 * 3600;

/// The stream of a shop.
#[must_use]
pub fn stream_key(scope: &ShopScope) -> String {
    format!("fd:live:{}", scope.shop())
}

/// Appends an event and returns its id, by which a reader goes on. `kind` is one word (`order`, `message`, `handoff`), `json` holds ids, not rows.
///
/// # Errors
/// When Redis is away; the dashboard then learns of it by reading.
pub async fn append(queue: &Queue, scope: &ShopScope, kind: &str, json: &RawValue) -> Result<String, QueueError> {
    let key = stream_key(scope);
    let mut both = redis::pipe();
    both.cmd("XADD").arg(&key).arg("MAXLEN").arg("~").arg(KEPT).arg("*").arg("kind").arg(kind).arg("json").arg(json.get());
    both.cmd("EXPIRE").arg(&key).arg(IDLE_SECONDS).ignore();
    let (id,): (String,) = both.query_async(&mut queue.connection()).await?;
    Ok(id)
}
