//! Channels by Meta's id, cached for a moment: a message of a busy shop should not cost a look-up, and a new token should count at once enough.

use std::time::Duration;

use frontdesk_core::db::channels::ChannelRef;
use frontdesk_core::db::{Db, DbError};
use frontdesk_core::inbound::ChannelKey;
use moka::future::Cache;

/// A saved token, a disconnected channel or an inactive shop is noticed after this at the latest.
const LIFE: Duration = Duration::from_secs(3);
const MOST: u64 = 10_000;

/// The cache.
#[derive(Debug, Clone)]
pub struct Channels {
    db: Db,
    known: Cache<ChannelKey, ChannelRef>,
}

impl Channels {
    /// Over a database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, known: Cache::builder().max_capacity(MOST).time_to_live(LIFE).build() }
    }

    /// The channel; `None` is not cached, so that one just connected works at once.
    ///
    /// # Errors
    /// See [`DbError`].
    pub async fn find(&self, key: &ChannelKey) -> Result<Option<ChannelRef>, DbError> {
        if let Some(known) = self.known.get(key).await {
            return Ok(Some(known));
        }
        let found = self.db.find_channel(key).await?;
        if let Some(channel) = &found {
            self.known.insert(key.clone(), channel.clone()).await;
        }
        Ok(found)
    }

    /// Looks it up anew next time.
    pub async fn forget(&self, key: &ChannelKey) {
        self.known.invalidate(key).await;
    }
}
