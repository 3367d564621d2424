//! A shop's accounts on the platforms. Finding one by Meta's id crosses shops and is in [`super::system`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, ShopId};
use crate::inbound::{ChannelKey, Platform};
use crate::secrets::SealContext;
use crate::tenancy::ShopScope;

/// A channel as a turn and a send see it: whose it is, and how to speak for it.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelRef {
    scope: ShopScope,
    id: ChannelId,
    key: ChannelKey,
    instagram_login: bool,
    sealed_token: Option<String>,
    connected: bool,
    removed: bool,
}

impl std::fmt::Debug for ChannelRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChannelRef").field("shop", &self.scope.shop()).field("id", &self.id).finish_non_exhaustive()
    }
}

impl ChannelRef {
    /// Its shop: a channel's look-up is one of the doors.
    #[must_use]
    pub const fn scope(&self) -> ShopScope {
        self.scope
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// Platform and Meta's id.
    #[must_use]
    pub const fn key(&self) -> &ChannelKey {
        &self.key
    }

    /// The platform.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.key.platform
    }

    /// Whether it speaks through Instagram Login's API.
    #[must_use]
    pub const fn uses_instagram_login(&self) -> bool {
        self.instagram_login
    }

    /// The token as it is stored; absent when there is none, or Meta has refused it.
    #[must_use]
    pub fn sealed_token(&self) -> Option<&str> {
        self.sealed_token.as_deref().filter(|_| self.connected)
    }

    /// Whether the shop has removed it; its conversations stay.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.removed
    }

    /// What the token is sealed for.
    #[must_use]
    pub fn seal_context(&self) -> SealContext {
        SealContext::channel_token(&self.scope, &self.key)
    }
}

/// A channel with its token and shop.
#[derive(QueryableByName)]
pub(super) struct RefRow {
    #[diesel(sql_type = Integer)]
    shop_id: ShopId,
    #[diesel(sql_type = Integer)]
    id: ChannelId,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = Text)]
    external_id: String,
    #[diesel(sql_type = Text)]
    login: String,
    #[diesel(sql_type = Nullable<Text>)]
    sealed_token: Option<String>,
    #[diesel(sql_type = Text)]
    status: String,
}

impl TryFrom<RefRow> for ChannelRef {
    type Error = DbError;
    fn try_from(row: RefRow) -> Result<Self, DbError> {
        let platform = Platform::from_name(&row.platform).ok_or_else(|| DbError::odd("a channel of an unknown platform"))?;
        Ok(Self {
            scope: ShopScope::new(row.shop_id),
            id: row.id,
            key: ChannelKey { platform, external_id: row.external_id },
            instagram_login: row.login == "instagram",
            sealed_token: row.sealed_token,
            connected: row.status == "connected",
            removed: row.status == "removed",
        })
    }
}

/// The shop's oldest connected WhatsApp number, from which notices to staff go out.
///
/// # Errors
/// See [`DbError`].
pub async fn first_whatsapp(tx: &mut ShopTx) -> Result<Option<ChannelRef>, DbError> {
    let row: Option<RefRow> = sql("SELECT shop_id, id, platform, external_id, login, sealed_token, status FROM channels \
         WHERE shop_id = $1 AND platform = 'whatsapp' AND status = 'connected' ORDER BY id LIMIT 1")
    .bind::<Integer, _>(tx.shop())
    .get_result(tx.conn())
    .await
    .optional()?;
    row.map(ChannelRef::try_from).transpose()
}

/// Finds one, to speak for it.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, channel: ChannelId) -> Result<Option<ChannelRef>, DbError> {
    let row: Option<RefRow> =
        sql("SELECT shop_id, id, platform, external_id, login, sealed_token, status FROM channels WHERE shop_id = $1 AND id = $2")
            .bind::<Integer, _>(tx.shop())
            .bind::<Integer, _>(channel)
            .get_result(tx.conn())
            .await
            .optional()?;
    row.map(ChannelRef::try_from).transpose()
}

/// A channel as people see it; never its token.
#[derive(Debug, Clone, Serialize, QueryableByName)]
pub struct ChannelRow {
    /// Its id.
    #[diesel(sql_type = Integer)]
    pub id: ChannelId,
    /// `whatsapp`, `instagram` or `messenger`.
    #[diesel(sql_type = Text)]
    pub platform: String,
    /// Meta's id of the account.
    #[diesel(sql_type = Text)]
    pub external_id: String,
    /// What people call it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// WhatsApp: the number customers see.
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    /// `facebook` or `instagram`.
    #[diesel(sql_type = Text)]
    pub login: String,
    /// `connected` or `disconnected`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// Meta's code that disconnected it.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub status_code: Option<i64>,
    /// When it was connected first.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When the token ends, if Meta says so.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub token_expires_at: Option<DateTime<Utc>>,
    /// When it was last looked at, by hand or by the daily watch.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub checked_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, platform, external_id, name, phone, login, status, status_code, created_at, token_expires_at, checked_at";

/// The shop's channels, at most 500.
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx) -> Result<Vec<ChannelRow>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS} FROM channels WHERE shop_id = $1 AND status <> 'removed' ORDER BY id LIMIT 500"))
        .bind::<Integer, _>(tx.shop())
        .load(tx.conn())
        .await?)
}

/// How many platforms the shop is connected to, and whether `platform` is among them; for the plan's limit.
///
/// # Errors
/// See [`DbError`].
pub async fn platforms(tx: &mut ShopTx) -> Result<Vec<Platform>, DbError> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        platform: String,
    }
    let rows: Vec<Name> =
        sql("SELECT platform FROM channels WHERE shop_id = $1 AND status <> 'removed' GROUP BY platform ORDER BY min(id)")
            .bind::<Integer, _>(tx.shop())
            .load(tx.conn())
            .await?;
    Ok(rows.iter().filter_map(|row| Platform::from_name(&row.platform)).collect())
}

/// A channel to connect or to change.
#[derive(Debug, Clone)]
pub struct ChannelInput {
    /// Platform and Meta's id: one row each.
    pub key: ChannelKey,
    /// What people call it.
    pub name: String,
    /// WhatsApp: the number customers see.
    pub phone: Option<String>,
    /// Instagram: logs in with Instagram, not with Facebook.
    pub instagram_login: bool,
    /// Sealed for [`SealContext::channel_token`]; absent leaves the stored one.
    pub sealed_token: Option<String>,
}

/// Connects a channel, or changes it; a removed one comes back with its conversations. Answers the row and whether it is new.
/// [`DbError::Unique`] with `channels_external` says that another shop has it; the transaction stays usable.
///
/// # Errors
/// See [`DbError`].
pub async fn save(tx: &mut ShopTx, input: &ChannelInput) -> Result<(ChannelRow, bool), DbError> {
    let taken = || DbError::Unique("channels_external".to_owned());
    if super::system::channel_in(tx.conn(), &input.key).await?.is_some_and(|standing| standing.scope() != *tx.scope()) {
        return Err(taken());
    }
    let (shop, login) = (tx.shop(), if input.instagram_login { "instagram" } else { "facebook" });
    let changed: Option<ChannelRow> = sql(format!(
        "UPDATE channels SET name = $4, phone = $5, login = $6, sealed_token = coalesce($7, sealed_token), updated_at = now(), \
         status = CASE WHEN coalesce($7, sealed_token) IS NOT NULL AND (status <> 'disconnected' OR $7 IS NOT NULL) THEN 'connected' ELSE 'disconnected' END, \
         status_code = CASE WHEN $7 IS NOT NULL THEN NULL ELSE status_code END, \
         token_expires_at = CASE WHEN $7 IS NOT NULL THEN NULL ELSE token_expires_at END, \
         checked_at = CASE WHEN $7 IS NOT NULL THEN NULL ELSE checked_at END \
         WHERE shop_id = $1 AND id = (SELECT max(id) FROM channels WHERE shop_id = $1 AND platform = $2 AND external_id = $3) RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(shop)
    .bind::<Text, _>(input.key.platform.as_str())
    .bind::<Text, _>(&input.key.external_id)
    .bind::<Text, _>(&input.name)
    .bind::<Nullable<Text>, _>(&input.phone)
    .bind::<Text, _>(login)
    .bind::<Nullable<Text>, _>(&input.sealed_token)
    .get_result(tx.conn())
    .await
    .optional()?;
    if let Some(row) = changed {
        return Ok((row, false));
    }
    sql(format!(
        "INSERT INTO channels (shop_id, platform, external_id, name, phone, login, sealed_token, status) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7::text IS NULL THEN 'disconnected' ELSE 'connected' END) \
         ON CONFLICT (platform, external_id) WHERE status <> 'removed' DO NOTHING RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(shop)
    .bind::<Text, _>(input.key.platform.as_str())
    .bind::<Text, _>(&input.key.external_id)
    .bind::<Text, _>(&input.name)
    .bind::<Nullable<Text>, _>(&input.phone)
    .bind::<Text, _>(login)
    .bind::<Nullable<Text>, _>(&input.sealed_token)
    .get_result(tx.conn())
    .await
    .optional()?
    .map(|row| (row, true))
    .ok_or_else(taken)
}

/// Removes a channel and forgets its token; its conversations stay. False if there is none.
///
/// # Errors
/// See [`DbError`].
pub async fn remove(tx: &mut ShopTx, channel: ChannelId) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE channels SET status = 'removed', sealed_token = NULL, updated_at = now() WHERE shop_id = $1 AND id = $2 AND status <> 'removed'",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(channel)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// Meta has refused the token, with this code. False if that was known before.
///
/// # Errors
/// See [`DbError`].
pub async fn disconnect(tx: &mut ShopTx, channel: ChannelId, code: i64) -> Result<bool, DbError> {
    let changed = sql(
        "UPDATE channels SET status = 'disconnected', status_code = $3, updated_at = now() WHERE shop_id = $1 AND id = $2 AND status = 'connected'",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(channel)
    .bind::<BigInt, _>(code)
    .execute(tx.conn())
    .await?;
    Ok(changed > 0)
}

/// The connected channels that nobody has looked at since then, at most 500.
///
/// # Errors
/// See [`DbError`].
pub async fn unseen_since(tx: &mut ShopTx, since: DateTime<Utc>) -> Result<Vec<ChannelRef>, DbError> {
    let rows: Vec<RefRow> = sql("SELECT shop_id, id, platform, external_id, login, sealed_token, status FROM channels \
         WHERE shop_id = $1 AND status = 'connected' AND (checked_at IS NULL OR checked_at < $2) ORDER BY id LIMIT 500")
    .bind::<Integer, _>(tx.shop())
    .bind::<Timestamptz, _>(since)
    .load(tx.conn())
    .await?;
    rows.into_iter().map(ChannelRef::try_from).collect()
}

/// What a look at a channel found out, and when the one before was.
#[derive(Debug, Clone, QueryableByName)]
pub struct Seen {
    /// What people call it.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// When the token ends, as far as anybody has told.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub token_expires_at: Option<DateTime<Utc>>,
    /// The look before; absent if this token was never looked at.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub before: Option<DateTime<Utc>>,
}

/// Notes a look at a channel, and the token's end if it was told; else the end that is known stays. `None` if it is not connected.
///
/// # Errors
/// See [`DbError`].
pub async fn note_look(
    tx: &mut ShopTx,
    channel: ChannelId,
    token_end: Option<Option<DateTime<Utc>>>,
    now: DateTime<Utc>,
) -> Result<Option<Seen>, DbError> {
    Ok(sql("UPDATE channels c SET token_expires_at = CASE WHEN $5 THEN $3 ELSE c.token_expires_at END, checked_at = $4 \
         FROM (SELECT id, checked_at FROM channels WHERE shop_id = $1 AND id = $2 AND status = 'connected' FOR UPDATE) old \
         WHERE c.shop_id = $1 AND c.id = old.id RETURNING c.name, c.token_expires_at, old.checked_at AS before")
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(channel)
    .bind::<Nullable<Timestamptz>, _>(token_end.flatten())
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(token_end.is_some())
    .get_result(tx.conn())
    .await
    .optional()?)
}
