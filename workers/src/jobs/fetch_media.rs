//! Fetches a file that a customer sent, and keeps it. Safe to repeat: it stores under a key that was fixed before, and says that it is kept only
//! afterwards; a file that was forgotten meanwhile is removed again.

use bytes::Bytes;
use frontdesk_core::db::media::{self, Kept, Unfetched};
use frontdesk_core::db::{DbError, TxKind, channels};
use frontdesk_core::ids::MediaId;
use frontdesk_core::inbound::{Attached, Content};
use frontdesk_core::jobs::FetchMedia;
use frontdesk_core::media::detect;
use frontdesk_core::tenancy::ShopScope;
use sha2::{Digest, Sha256};

use crate::App;
use crate::clients::download::{NoFile, same_digest};
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::message_event;

impl Handle<App> for FetchMedia {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let (app, scope, id) = (&cx.app, cx.scope()?, self.media);
        let look = async move |mut tx| Ok::<_, DbError>((media::unfetched(&mut tx, id).await?, media::is_known(&mut tx, id).await?));
        let (waiting, known) = app.db.shop_tx(&scope, TxKind::Read, look).await?;
        let Some(waiting) = waiting else {
            if !known {
                app.media.remove(&self.storage_key).await?;
            }
            return Ok(());
        };
        match fetch(app, &scope, &waiting).await {
            Ok(bytes) => keep(app, &scope, &self, &waiting, bytes).await,
            Err(NoFile::Gone) => Ok(give_up(app, &scope, id, &waiting, "gone", "platform_has_it_no_more").await?),
            Err(NoFile::TooLarge) => Ok(give_up(app, &scope, id, &waiting, "too_large", "too_large").await?),
            Err(NoFile::Refused(code)) => {
                give_up(app, &scope, id, &waiting, "failed", code).await?;
                Err(JobError::fail(code))
            }
            Err(NoFile::Later(code)) => {
                // Whoever looks at the conversation must learn that it will not come; the dead letter can be run again.
                if cx.is_last_attempt() {
                    give_up(app, &scope, id, &waiting, "failed", code).await?;
                }
                Err(JobError::retry(code))
            }
        }
    }
}

async fn fetch(app: &App, scope: &ShopScope, waiting: &Unfetched) -> Result<Bytes, NoFile> {
    let (id, away) = (waiting.channel, |_| NoFile::Later("postgres"));
    let find = async move |mut tx| channels::find(&mut tx, id).await.map_err(|error: DbError| error);
    let channel = app.db.shop_tx(scope, TxKind::Read, find).await.map_err(away)?.ok_or(NoFile::Refused("channel_removed"))?;
    let account = app.account(&channel).ok_or(NoFile::Later("no_token"))?;
    let file = file_of(waiting).ok_or(NoFile::Gone)?;
    let reference = file.reference.as_deref().ok_or(NoFile::Gone)?;
    let (bytes, told) = app.meta.download(&account, reference).await?;
    for digest in file.sha256.iter().chain(&told) {
        if !same_digest(digest, &Sha256::digest(&bytes)) {
            return Err(NoFile::Later("hash_mismatch"));
        }
    }
    Ok(bytes)
}

fn file_of(waiting: &Unfetched) -> Option<Attached> {
    let content: Content = serde_json::from_value(waiting.content.clone()).ok()?;
    content.files().into_iter().nth(usize::try_from(waiting.part).ok()?)
}

async fn keep(app: &App, scope: &ShopScope, job: &FetchMedia, waiting: &Unfetched, bytes: Bytes) -> Result<(), JobError> {
    let id = job.media;
    let kept = Kept {
        mime_type: detect(&bytes).map(|mime| as_sent(mime, waiting).to_owned()),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256: hex::encode(Sha256::digest(&bytes)),
    };
    app.media.put(&job.storage_key, bytes).await?;
    let note = async move |mut tx| Ok::<_, DbError>(media::keep(&mut tx, id, &kept).await?);
    if app.db.shop_tx(scope, TxKind::Command, note).await? {
        announce(app, scope, waiting).await;
    } else {
        app.media.remove(&job.storage_key).await?;
    }
    Ok(())
}

/// MP4 holds films and voices alike; what was sent as a voice is one.
fn as_sent(mime: &'static str, waiting: &Unfetched) -> &'static str {
    let voice = file_of(waiting).is_some_and(|file| matches!(file.kind.as_str(), "audio" | "voice"));
    if voice && mime == "video/mp4" { "audio/mp4" } else { mime }
}

async fn give_up(
    app: &App,
    scope: &ShopScope,
    id: MediaId,
    waiting: &Unfetched,
    state: &'static str,
    code: &'static str,
) -> Result<(), DbError> {
    tracing::warn!(media.id = %id, state, code, "a customer's file is not kept");
    let note = async move |mut tx| Ok::<_, DbError>(media::give_up(&mut tx, id, state, code).await?);
    app.db.shop_tx(scope, TxKind::Command, note).await?;
    announce(app, scope, waiting).await;
    Ok(())
}

async fn announce(app: &App, scope: &ShopScope, waiting: &Unfetched) {
    app.announce(scope, "message", &message_event(waiting.conversation, waiting.message)).await;
}
