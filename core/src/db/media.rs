//! What is known of files: of messages, and of products. The bytes are in [`crate::media`], under a key that is fixed before the first byte is there, so
//! that whoever forgets the row knows what to remove. `waiting` → `kept`, or `gone` (the platform has it no more), `too_large`, `failed`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, ConversationId, MediaId, MessageId, ProductId};
use crate::inbound::Attached;

/// Files of one message at most; Meta sends up to ten (PROVIDERS 2.3).
const MOST_OF_A_MESSAGE: usize = 10;

/// A file that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Expected {
    /// Its id.
    #[diesel(sql_type = BigInt)]
    pub id: MediaId,
    /// Where it will be.
    #[diesel(sql_type = Text)]
    pub storage_key: String,
}

/// Notes what a message that has just been stored holds besides words, in order.
///
/// # Errors
/// See [`DbError`].
pub async fn expect(tx: &mut ShopTx, message: MessageId, files: &[Attached]) -> Result<Vec<Expected>, DbError> {
    let files = &files[..files.len().min(MOST_OF_A_MESSAGE)];
    let names: Vec<Option<String>> = files.iter().map(|file| file.file_name.as_deref().and_then(crate::media::plain_name)).collect();
    Ok(sql("INSERT INTO media (shop_id, message_id, part, kind, mime_type, file_name, storage_key) \
         SELECT $1, $2, n - 1, kind, mime_type, file_name, 'shops/' || $1 || '/' || replace(gen_random_uuid()::text, '-', '') \
         FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS f (kind, mime_type, file_name, n) ORDER BY n \
         ON CONFLICT (shop_id, message_id, part) WHERE message_id IS NOT NULL DO NOTHING RETURNING id, storage_key")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(message)
    .bind::<Array<Text>, _>(files.iter().map(|file| file.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(files.iter().map(|file| file.mime_type.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(names)
    .load(tx.conn())
    .await?)
}

/// A file that nobody has fetched yet.
#[derive(Debug, Clone, QueryableByName)]
pub struct Unfetched {
    /// What the message holds; see [`crate::inbound::Content`].
    #[diesel(sql_type = Jsonb)]
    pub content: serde_json::Value,
    /// Which of its files.
    #[diesel(sql_type = SmallInt)]
    pub part: i16,
    /// By which channel it came.
    #[diesel(sql_type = Integer)]
    pub channel: ChannelId,
    /// Its message.
    #[diesel(sql_type = BigInt)]
    pub message: MessageId,
    /// Its conversation.
    #[diesel(sql_type = BigInt)]
    pub conversation: ConversationId,
    /// Since when it waits.
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
}

/// A file that is to be fetched, or could not be; `None` if it has been, never will be, or is forgotten.
///
/// # Errors
/// See [`DbError`].
pub async fn unfetched(tx: &mut ShopTx, media: MediaId) -> Result<Option<Unfetched>, DbError> {
    Ok(sql("SELECT m.content, f.part, m.channel_id AS channel, m.id AS message, m.conversation_id AS conversation, f.created_at AS since \
         FROM media f JOIN messages m ON m.shop_id = $1 AND m.id = f.message_id WHERE f.shop_id = $1 AND f.id = $2 AND f.state IN ('waiting', 'failed')")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(media)
    .get_result(tx.conn())
    .await
    .optional()?)
}

/// Whether there is still a row for a file: if not, it was forgotten, and its bytes are to go.
///
/// # Errors
/// See [`DbError`].
pub async fn is_known(tx: &mut ShopTx, media: MediaId) -> Result<bool, DbError> {
    let rows = sql("SELECT FROM media WHERE shop_id = $1 AND id = $2 AND state <> 'gone'")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(media)
        .execute(tx.conn())
        .await?;
    Ok(rows > 0)
}

/// What is known of bytes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What they are, if anybody can tell.
    pub mime_type: Option<String>,
    /// How many.
    pub size: i64,
    /// Hex.
    pub sha256: String,
}

/// Says that a file's bytes are kept; `false` if it has been forgotten meanwhile, so that they are to go.
///
/// # Errors
/// See [`DbError`].
pub async fn keep(tx: &mut ShopTx, media: MediaId, kept: &Kept) -> Result<bool, DbError> {
    let rows = sql(
        "UPDATE media SET state = 'kept', mime_type = coalesce($3, mime_type), size = $4, sha256 = $5, kept_at = now(), error_code = NULL \
         WHERE shop_id = $1 AND id = $2 AND state IN ('waiting', 'failed', 'kept')",
    )
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(media)
    .bind::<Nullable<Text>, _>(kept.mime_type.as_deref())
    .bind::<BigInt, _>(kept.size)
    .bind::<Text, _>(&kept.sha256)
    .execute(tx.conn())
    .await?;
    Ok(rows > 0)
}

/// Says why a file is not kept: `gone`, `too_large` or `failed`.
///
/// # Errors
/// See [`DbError`].
pub async fn give_up(tx: &mut ShopTx, media: MediaId, state: &str, code: &str) -> Result<(), DbError> {
    sql("UPDATE media SET state = $3, error_code = $4 WHERE shop_id = $1 AND id = $2 AND state IN ('waiting', 'failed')")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(media)
        .bind::<Text, _>(state)
        .bind::<Text, _>(code)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// A kept file of a message.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct File {
    /// What it is.
    #[diesel(sql_type = Nullable<Text>)]
    pub mime_type: Option<String>,
    /// What the customer calls it.
    #[diesel(sql_type = Nullable<Text>)]
    pub file_name: Option<String>,
    /// Where it is.
    #[diesel(sql_type = Text)]
    pub storage_key: String,
    /// Hex.
    #[diesel(sql_type = Text)]
    pub sha256: String,
}

/// A kept file of one of the shop's messages.
///
/// # Errors
/// See [`DbError`].
pub async fn file(tx: &mut ShopTx, media: MediaId) -> Result<Option<File>, DbError> {
    Ok(sql("SELECT mime_type, file_name, storage_key, sha256 FROM media \
         WHERE shop_id = $1 AND id = $2 AND message_id IS NOT NULL AND state = 'kept'")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(media)
    .get_result(tx.conn())
    .await
    .optional()?)
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    storage_key: String,
}

fn keys(rows: Vec<Key>) -> Vec<String> {
    rows.into_iter().map(|row| row.storage_key).collect()
}

/// Forgets the files of conversations; gives the keys of what is to be removed.
///
/// # Errors
/// See [`DbError`].
pub async fn forget_conversations(tx: &mut ShopTx, conversations: &[ConversationId]) -> Result<Vec<String>, DbError> {
    let rows = sql("DELETE FROM media f USING messages m WHERE f.shop_id = $1 AND m.shop_id = $1 AND m.id = f.message_id \
         AND m.conversation_id = ANY($2) RETURNING f.storage_key")
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<BigInt>, _>(conversations.iter().map(|id| id.0).collect::<Vec<_>>())
    .load(tx.conn())
    .await?;
    Ok(keys(rows))
}

/// Forgets the files of a message that its customer took back; gives the keys of what is to be removed.
///
/// # Errors
/// See [`DbError`].
pub async fn forget_message(tx: &mut ShopTx, channel: ChannelId, provider_id: &str) -> Result<Vec<String>, DbError> {
    let rows = sql("DELETE FROM media f USING messages m WHERE f.shop_id = $1 AND m.shop_id = $1 AND m.id = f.message_id \
         AND m.channel_id = $2 AND m.provider_id = $3 AND m.direction = 'in' RETURNING f.storage_key")
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(channel)
    .bind::<Text, _>(provider_id)
    .load(tx.conn())
    .await?;
    Ok(keys(rows))
}

/// Gives up the bytes of messages' files older than `before`, at most `limit`; gives the keys of what is to be removed.
///
/// # Errors
/// See [`DbError`].
pub async fn expire(tx: &mut ShopTx, before: DateTime<Utc>, limit: i64) -> Result<Vec<String>, DbError> {
    let rows = sql("UPDATE media SET state = 'gone', error_code = 'expired' WHERE shop_id = $1 AND id IN \
         (SELECT id FROM media WHERE shop_id = $1 AND message_id IS NOT NULL AND created_at < $2 AND state IN ('waiting', 'kept', 'failed') \
          ORDER BY id LIMIT $3 FOR UPDATE) RETURNING storage_key")
    .bind::<Integer, _>(tx.shop())
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?;
    Ok(keys(rows))
}

/// Makes a stored file a product's picture; gives the keys of its former ones that no other product shows, as variants do, or `None` if there is no
/// such product.
///
/// # Errors
/// See [`DbError`].
pub async fn set_picture(
    tx: &mut ShopTx,
    product: ProductId,
    storage_key: &str,
    kept: &Kept,
    image_url: &str,
) -> Result<Option<Vec<String>>, DbError> {
    #[derive(QueryableByName)]
    struct Former {
        #[diesel(sql_type = Bool)]
        shown_elsewhere: bool,
    }
    let former: Option<Former> = sql("UPDATE products p SET image_url = $3, version = p.version + 1, updated_at = now() \
         FROM (SELECT id, image_url FROM products WHERE shop_id = $1 AND id = $2 FOR NO KEY UPDATE) old WHERE p.shop_id = $1 AND p.id = old.id \
         RETURNING EXISTS (SELECT FROM products other WHERE other.shop_id = $1 AND other.id <> old.id AND other.image_url = old.image_url) AS shown_elsewhere")
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(product)
    .bind::<Text, _>(image_url)
    .get_result(tx.conn())
    .await
    .optional()?;
    let Some(Former { shown_elsewhere }) = former else { return Ok(None) };
    let former = sql("DELETE FROM media WHERE shop_id = $1 AND product_id = $2 RETURNING storage_key")
        .bind::<Integer, _>(tx.shop())
        .bind::<Integer, _>(product)
        .load(tx.conn())
        .await?;
    sql("INSERT INTO media (shop_id, product_id, kind, state, mime_type, size, sha256, storage_key, kept_at) \
         VALUES ($1, $2, 'image', 'kept', $3, $4, $5, $6, now())")
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(product)
    .bind::<Nullable<Text>, _>(kept.mime_type.as_deref())
    .bind::<BigInt, _>(kept.size)
    .bind::<Text, _>(&kept.sha256)
    .bind::<Text, _>(storage_key)
    .execute(tx.conn())
    .await?;
    Ok(Some(if shown_elsewhere { Vec::new() } else { keys(former) }))
}
