//! Answers of API writes, kept under their keys: a repeat gets the same answer and changes nothing.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::UserId;
use crate::jobs::{Answer, RequestKey};

/// A stored answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Hash of what was asked; another one under the same key is a mistake of the client.
    pub fingerprint: String,
    /// Who asked.
    pub user: Option<UserId>,
    /// The answer.
    pub answer: Answer,
}

#[derive(QueryableByName)]
struct StoredRow {
    #[diesel(sql_type = Text)]
    fingerprint: String,
    #[diesel(sql_type = Nullable<Integer>)]
    user_id: Option<UserId>,
    #[diesel(sql_type = Jsonb)]
    answer: serde_json::Value,
}

impl StoredRow {
    fn into_stored(self) -> Result<Stored, DbError> {
        let answer = serde_json::from_value(self.answer).map_err(|error| DbError::odd(format!("stored answer: {error}")))?;
        Ok(Stored { fingerprint: self.fingerprint, user: self.user_id, answer })
    }
}

/// The answer under a key, for the job that is about to do the work: until this transaction ends, no other one gets past here with the same key.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, key: &str) -> Result<Option<Stored>, DbError> {
    super::one_at_a_time(tx, "request", key).await?;
    let row: Option<StoredRow> = sql("SELECT fingerprint, user_id, answer FROM requests WHERE shop_id = $1 AND key = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(key)
        .get_result(tx.conn())
        .await
        .optional()?;
    row.map(StoredRow::into_stored).transpose()
}

/// The answer of a job, for `GET /jobs/{id}`.
///
/// # Errors
/// See [`DbError`].
pub async fn of_job(tx: &mut ShopTx, job: &str) -> Result<Option<Stored>, DbError> {
    let row: Option<StoredRow> = sql("SELECT fingerprint, user_id, answer FROM requests WHERE shop_id = $1 AND job_id = $2 LIMIT 1")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(job)
        .get_result(tx.conn())
        .await
        .optional()?;
    row.map(StoredRow::into_stored).transpose()
}

/// Keeps an answer, in the transaction of its effect. An answer that stands is not replaced.
///
/// # Errors
/// See [`DbError`].
pub async fn store(tx: &mut ShopTx, request: &RequestKey, job: &str, answer: &Answer) -> Result<(), DbError> {
    let answer = serde_json::to_value(answer).map_err(DbError::odd)?;
    sql(
        "INSERT INTO requests (shop_id, key, job_id, user_id, fingerprint, answer) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (shop_id, key) DO NOTHING",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(&request.key)
    .bind::<Text, _>(job)
    .bind::<Nullable<Integer>, _>(request.user)
    .bind::<Text, _>(&request.fingerprint)
    .bind::<Jsonb, _>(answer)
    .execute(tx.conn())
    .await?;
    Ok(())
}
