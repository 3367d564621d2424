//! Files of messages: noted with the message, fetched and removed by jobs that follow from the same transaction.

use frontdesk_core::db::messages::InboundRow;
use frontdesk_core::db::outbox::Pending;
use frontdesk_core::db::{DbError, ShopTx, media, outbox};
use frontdesk_core::inbound::CustomerMessage;
use frontdesk_core::jobs::{FetchMedia, RemoveMedia};

/// Keys in one job.
const REMOVED_AT_ONCE: usize = 500;

/// Notes the files of messages that this transaction has stored, and has each fetched.
pub(crate) async fn expect<'a>(
    tx: &mut ShopTx,
    stored: &[InboundRow],
    messages: impl Iterator<Item = &'a CustomerMessage>,
) -> Result<Vec<Pending>, DbError> {
    let mut pending = Vec::new();
    for message in messages {
        let files = message.content.files();
        let Some(row) = stored.iter().find(|row| row.is_new && row.provider_id == message.message_id).filter(|_| !files.is_empty()) else {
            continue;
        };
        for file in media::expect(tx, row.id(), &files).await? {
            let key = format!("fetch:{}", file.id);
            pending.push(outbox::add(tx, &FetchMedia { media: file.id, storage_key: file.storage_key }, &key).await?);
        }
    }
    Ok(pending)
}

/// Has files removed that this transaction has forgotten.
pub(crate) async fn remove(tx: &mut ShopTx, storage_keys: &[String]) -> Result<Vec<Pending>, DbError> {
    let mut pending = Vec::new();
    for chunk in storage_keys.chunks(REMOVED_AT_ONCE) {
        // A file's key is its own and is removed once, so the first of them names the job.
        let key = format!("remove:{}", chunk.first().map_or("", String::as_str));
        pending.push(outbox::add(tx, &RemoveMedia { storage_keys: chunk.to_vec() }, &key).await?);
    }
    Ok(pending)
}
