//! Jobs that follow from a change: rows of the same transaction, pushed right after the commit, or by the relay if the process died in between.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Jsonb, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::ShopId;
use crate::jobs::{Job, JobName};
use crate::tenancy::ShopScope;

/// A row to push. Pushing twice is harmless: the key is the job's idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    scope: ShopScope,
    id: i64,
    /// Which job.
    pub job: JobName,
    /// Its idempotency key.
    pub key: String,
    /// Its payload.
    pub payload: serde_json::Value,
    /// Not before.
    pub run_at: DateTime<Utc>,
}

impl Pending {
    /// The shop for the job's envelope.
    #[must_use]
    pub const fn scope(&self) -> ShopScope {
        self.scope
    }

    pub(super) const fn row(&self) -> (ShopId, i64) {
        (self.scope.shop(), self.id)
    }
}

/// A row as it stands.
#[derive(QueryableByName)]
pub(super) struct PendingRow {
    #[diesel(sql_type = Integer)]
    shop_id: ShopId,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Jsonb)]
    payload: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    run_at: DateTime<Utc>,
}

impl PendingRow {
    /// `None` for a job that this version does not know: a newer process will push it.
    pub(super) fn into_pending(self) -> Option<Pending> {
        let Ok(job) = self.queue.parse() else {
            tracing::warn!(job.name = self.queue, "outbox row of an unknown job left alone");
            return None;
        };
        Some(Pending { scope: ShopScope::new(self.shop_id), id: self.id, job, key: self.key, payload: self.payload, run_at: self.run_at })
    }
}

/// Adds a job to run as soon as the transaction is committed. `key` is its idempotency key, unique per shop and job.
///
/// # Errors
/// See [`DbError`].
pub async fn add<J: Job>(tx: &mut ShopTx, job: &J, key: &str) -> Result<Pending, DbError> {
    let payload = serde_json::to_value(job).map_err(DbError::odd)?;
    let row: PendingRow =
        sql("INSERT INTO outbox (shop_id, queue, key, payload) VALUES ($1, $2, $3, $4) RETURNING shop_id, id, queue, key, payload, run_at")
            .bind::<Integer, _>(tx.shop())
            .bind::<Text, _>(J::NAME.as_str())
            .bind::<Text, _>(key)
            .bind::<Jsonb, _>(payload)
            .get_result(tx.conn())
            .await?;
    row.into_pending().ok_or_else(|| DbError::odd("an outbox row without a job"))
}
