//! The Google account that a shop has connected: one row. Tokens are sealed for the connecting they came from, so that one of an earlier connecting opens
//! nowhere.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};

use super::{DbError, ShopTx, sql::sql};

/// A calendar that can be picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Google's id.
    pub id: String,
    /// What it is called there.
    pub name: String,
    /// Whether it is the account's own.
    pub primary: bool,
}

/// A connected account as people see it; never its tokens.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct IntegrationRow {
    /// `connected` or `broken`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// The account's e-mail.
    #[diesel(sql_type = Text)]
    pub account: String,
    /// What was granted.
    #[diesel(sql_type = Text)]
    pub scopes: String,
    /// The calendar that was picked.
    #[diesel(sql_type = Nullable<Text>)]
    pub calendar_id: Option<String>,
    /// What it is called.
    #[diesel(sql_type = Text)]
    pub calendar_name: String,
    /// Whether customers are told of what was changed at Google.
    #[diesel(sql_type = Bool)]
    pub tell_customers: bool,
    /// When its changes were last read.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_sync_at: Option<DateTime<Utc>>,
    /// Why it is broken, or why the last look failed, in one word.
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// When it was connected.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

const SHOWN: &str = "state, account, scopes, calendar_id, calendar_name, tell_customers, last_sync_at, error, created_at";

/// The shop's account, for people to see.
///
/// # Errors
/// See [`DbError`].
pub async fn shown(tx: &mut ShopTx) -> Result<Option<IntegrationRow>, DbError> {
    Ok(sql(format!("SELECT {SHOWN} FROM integrations WHERE shop_id = $1 AND provider = 'google'"))
        .bind::<diesel::sql_types::Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// The calendars that can be picked; `None` if nothing is connected.
///
/// # Errors
/// See [`DbError`].
pub async fn calendars(tx: &mut ShopTx) -> Result<Option<Vec<Calendar>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Jsonb)]
        calendars: serde_json::Value,
    }
    let row: Option<Row> = sql("SELECT calendars FROM integrations WHERE shop_id = $1 AND provider = 'google'")
        .bind::<diesel::sql_types::Integer, _>(tx.shop())
        .get_result(tx.conn())
        .await
        .optional()?;
    row.map(|row| serde_json::from_value(row.calendars).map_err(DbError::odd)).transpose()
}

/// The account as those see it who speak for it.
#[derive(Clone, QueryableByName)]
pub struct Integration {
    /// `connected` or `broken`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// A new word with every connecting.
    #[diesel(sql_type = Text)]
    pub connection: String,
    /// What was granted.
    #[diesel(sql_type = Text)]
    pub scopes: String,
    /// By which access tokens are got.
    #[diesel(sql_type = Nullable<Text>)]
    pub sealed_refresh_token: Option<String>,
    /// The last one.
    #[diesel(sql_type = Nullable<Text>)]
    pub sealed_access_token: Option<String>,
    /// When it ends.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub access_expires_at: Option<DateTime<Utc>>,
    /// The calendar that was picked.
    #[diesel(sql_type = Nullable<Text>)]
    pub calendar_id: Option<String>,
    /// Whether customers are told of what was changed at Google.
    #[diesel(sql_type = Bool)]
    pub tell_customers: bool,
    /// From where on changes are to be read; absent: all of them.
    #[diesel(sql_type = Nullable<Text>)]
    pub sync_token: Option<String>,
    /// The watch channel.
    #[diesel(sql_type = Nullable<Text>)]
    pub watch_id: Option<String>,
    /// What it watches, in Google's word.
    #[diesel(sql_type = Nullable<Text>)]
    pub watch_resource: Option<String>,
    /// When it ends.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub watch_expires_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Integration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Integration").field("state", &self.state).field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Integration {
    /// Whether Google still takes its tokens.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state == "connected"
    }
}

/// The shop's account, to speak for it.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx) -> Result<Option<Integration>, DbError> {
    Ok(sql("SELECT state, connection, scopes, sealed_refresh_token, sealed_access_token, access_expires_at, calendar_id, tell_customers, sync_token, \
         watch_id, watch_resource, watch_expires_at FROM integrations WHERE shop_id = $1 AND provider = 'google'")
    .bind::<diesel::sql_types::Integer, _>(tx.shop())
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// What a connecting brought.
#[derive(Clone)]
pub struct Connected {
    /// Its word.
    pub connection: String,
    /// The account's e-mail.
    pub account: String,
    /// What was granted.
    pub scopes: String,
    /// Sealed.
    pub refresh_token: String,
    /// Sealed.
    pub access_token: String,
    /// When the access token ends.
    pub access_expires_at: DateTime<Utc>,
    /// What can be picked.
    pub calendars: Vec<Calendar>,
}

/// Connects an account, in the place of one that was connected before. A calendar that was picked stays so if the account still has it; otherwise the
/// account's own is picked.
///
/// # Errors
/// See [`DbError`].
pub async fn connect(tx: &mut ShopTx, connected: &Connected) -> Result<(), DbError> {
    let primary = connected.calendars.iter().find(|calendar| calendar.primary).or_else(|| connected.calendars.as_slice().first());
    sql("INSERT INTO integrations AS i (shop_id, provider, state, connection, account, scopes, sealed_refresh_token, sealed_access_token, access_expires_at, \
             calendars, calendar_id, calendar_name) \
         VALUES ($1, 'google', 'connected', $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (shop_id, provider) DO UPDATE SET state = 'connected', connection = $2, account = $3, scopes = $4, sealed_refresh_token = $5, \
             sealed_access_token = $6, access_expires_at = $7, calendars = $8, error = NULL, sync_token = NULL, last_sync_at = NULL, \
             watch_id = NULL, watch_resource = NULL, watch_expires_at = NULL, updated_at = now(), \
             calendar_id = CASE WHEN $8 @> jsonb_build_array(jsonb_build_object('id', i.calendar_id)) THEN i.calendar_id ELSE $9 END, \
             calendar_name = CASE WHEN $8 @> jsonb_build_array(jsonb_build_object('id', i.calendar_id)) THEN i.calendar_name ELSE $10 END")
    .bind::<diesel::sql_types::Integer, _>(tx.shop())
    .bind::<Text, _>(&connected.connection)
    .bind::<Text, _>(&connected.account)
    .bind::<Text, _>(&connected.scopes)
    .bind::<Text, _>(&connected.refresh_token)
    .bind::<Text, _>(&connected.access_token)
    .bind::<Timestamptz, _>(connected.access_expires_at)
    .bind::<Jsonb, _>(serde_json::to_value(&connected.calendars).map_err(DbError::odd)?)
    .bind::<Nullable<Text>, _>(primary.map(|calendar| &calendar.id))
    .bind::<Text, _>(primary.map_or("", |calendar| &calendar.name))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps a renewed access token, if the connecting is still the same.
///
/// # Errors
/// See [`DbError`].
pub async fn renewed(tx: &mut ShopTx, connection: &str, access_token: &str, expires_at: DateTime<Utc>) -> Result<(), DbError> {
    sql("UPDATE integrations SET sealed_access_token = $3, access_expires_at = $4, updated_at = now() \
         WHERE shop_id = $1 AND provider = 'google' AND connection = $2")
    .bind::<diesel::sql_types::Integer, _>(tx.shop())
    .bind::<Text, _>(connection)
    .bind::<Text, _>(access_token)
    .bind::<Timestamptz, _>(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Google takes its tokens no more. False if that was known before, or it is another connecting by now.
///
/// # Errors
/// See [`DbError`].
pub async fn break_off(tx: &mut ShopTx, connection: &str, why: &str) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE integrations SET state = 'broken', error = $3, sealed_access_token = NULL, access_expires_at = NULL, updated_at = now() \
         WHERE shop_id = $1 AND provider = 'google' AND connection = $2 AND state = 'connected'",
    )
    .bind::<diesel::sql_types::Integer, _>(tx.shop())
    .bind::<Text, _>(connection)
    .bind::<Text, _>(why)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// Picks a calendar; another one than before is read from its beginning. False if nothing is connected.
///
/// # Errors
/// See [`DbError`].
pub async fn pick(tx: &mut ShopTx, calendar: &Calendar, tell_customers: bool) -> Result<bool, DbError> {
    let changed = sql("UPDATE integrations SET calendar_id = $2, calendar_name = $3, tell_customers = $4, updated_at = now(), \
         sync_token = CASE WHEN calendar_id IS DISTINCT FROM $2 THEN NULL ELSE sync_token END, \
         watch_id = CASE WHEN calendar_id IS DISTINCT FROM $2 THEN NULL ELSE watch_id END, \
         watch_resource = CASE WHEN calendar_id IS DISTINCT FROM $2 THEN NULL ELSE watch_resource END, \
         watch_expires_at = CASE WHEN calendar_id IS DISTINCT FROM $2 THEN NULL ELSE watch_expires_at END \
         WHERE shop_id = $1 AND provider = 'google'")
    .bind::<diesel::sql_types::Integer, _>(tx.shop())
    .bind::<Text, _>(&calendar.id)
    .bind::<Text, _>(&calendar.name)
    .bind::<Bool, _>(tell_customers)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// Forgets the account and its tokens. False if nothing is connected.
///
/// # Errors
/// See [`DbError`].
pub async fn forget(tx: &mut ShopTx) -> Result<bool, DbError> {
    let changed = sql("DELETE FROM integrations WHERE shop_id = $1 AND provider = 'google'")
        .bind::<diesel::sql_types::Integer, _>(tx.shop())
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}

/// All changes up to `to` have been taken in, beginning where `from` says. False if another look was quicker, or the calendar is another by now.
///
/// # Errors
/// See [`DbError`].
pub async fn advance(tx: &mut ShopTx, standing: &Integration, to: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let changed =
        sql("UPDATE integrations SET sync_token = $5, last_sync_at = $6, error = NULL WHERE shop_id = $1 AND provider = 'google' \
         AND connection = $2 AND calendar_id IS NOT DISTINCT FROM $3 AND sync_token IS NOT DISTINCT FROM $4")
        .bind::<diesel::sql_types::Integer, _>(tx.shop())
        .bind::<Text, _>(&standing.connection)
        .bind::<Nullable<Text>, _>(&standing.calendar_id)
        .bind::<Nullable<Text>, _>(&standing.sync_token)
        .bind::<Text, _>(to)
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
    Ok(changed > 0)
}

/// Google does not know the sync token any more: the next look reads everything.
///
/// # Errors
/// See [`DbError`].
pub async fn start_over(tx: &mut ShopTx, standing: &Integration) -> Result<(), DbError> {
    sql("UPDATE integrations SET sync_token = NULL WHERE shop_id = $1 AND provider = 'google' AND connection = $2 AND sync_token IS NOT DISTINCT FROM $3")
        .bind::<diesel::sql_types::Integer, _>(tx.shop())
        .bind::<Text, _>(&standing.connection)
        .bind::<Nullable<Text>, _>(&standing.sync_token)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Notes why the last look failed.
///
/// # Errors
/// See [`DbError`].
pub async fn note_error(tx: &mut ShopTx, connection: &str, error: &str) -> Result<(), DbError> {
    sql("UPDATE integrations SET error = $3 WHERE shop_id = $1 AND provider = 'google' AND connection = $2 AND state = 'connected'")
        .bind::<diesel::sql_types::Integer, _>(tx.shop())
        .bind::<Text, _>(connection)
        .bind::<Text, _>(error)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Notes the watch channel that tells of this calendar's changes.
///
/// # Errors
/// See [`DbError`].
pub async fn watched(tx: &mut ShopTx, standing: &Integration, id: &str, resource: &str, expires_at: DateTime<Utc>) -> Result<(), DbError> {
    sql("UPDATE integrations SET watch_id = $4, watch_resource = $5, watch_expires_at = $6 WHERE shop_id = $1 AND provider = 'google' AND connection = $2 \
         AND calendar_id IS NOT DISTINCT FROM $3")
    .bind::<diesel::sql_types::Integer, _>(tx.shop())
    .bind::<Text, _>(&standing.connection)
    .bind::<Nullable<Text>, _>(&standing.calendar_id)
    .bind::<Text, _>(id)
    .bind::<Text, _>(resource)
    .bind::<Timestamptz, _>(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
