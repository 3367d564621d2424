//! Which spreadsheet an export has made, so that a repeat of it writes into the same one.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};

/// A spreadsheet that an export has made.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct SheetExport {
    /// Google's id.
    #[diesel(sql_type = Text)]
    pub spreadsheet_id: String,
    /// Where people open it.
    #[diesel(sql_type = Text)]
    pub url: String,
    /// The last order or appointment that belongs into it.
    #[diesel(sql_type = BigInt)]
    pub upto: i64,
    /// Rows below the head that it has room for.
    #[diesel(sql_type = Integer)]
    pub row_count: i32,
}

/// The spreadsheet of a request, if it has made one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, request_key: &str) -> Result<Option<SheetExport>, DbError> {
    Ok(sql("SELECT spreadsheet_id, url, upto, row_count FROM sheet_exports WHERE shop_id = $1 AND request_key = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(request_key)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Notes the spreadsheet of a request; if another run of it was quicker, that one's stands and is answered.
///
/// # Errors
/// See [`DbError`].
pub async fn note(tx: &mut ShopTx, request_key: &str, made: &SheetExport) -> Result<SheetExport, DbError> {
    sql("INSERT INTO sheet_exports (shop_id, request_key, spreadsheet_id, url, upto, row_count) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (shop_id, request_key) DO NOTHING")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(request_key)
    .bind::<Text, _>(&made.spreadsheet_id)
    .bind::<Text, _>(&made.url)
    .bind::<BigInt, _>(made.upto)
    .bind::<Integer, _>(made.row_count)
    .execute(tx.conn())
    .await?;
    find(tx, request_key).await?.ok_or(DbError::NotFound)
}
