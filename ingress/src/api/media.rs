//! Files: of conversations, for who may read them; pictures of products, for everybody who has their unguessable name.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_core::db::{DbError, TxKind, media};
use frontdesk_core::ids::{MediaId, ProductId};
use frontdesk_core::jobs::SetProductImage;
use frontdesk_core::media::{Found, MOST_PICTURE_BYTES, Part, detect, public_key, public_name, safe_type};
use frontdesk_core::signatures::sign_parts;
use futures_util::StreamExt as _;
use hyper::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, RANGE};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::call::{Call, CommandCx, PublicCx, StaffCx};
use crate::command::Asked;
use crate::form::path_id;
use crate::reply::{HttpError, Reply};

/// The largest body of an upload.
pub(crate) const PICTURE_BYTES: usize = MOST_PICTURE_BYTES;
/// The upload, for the API's description.
pub(crate) const PICTURE: &str = "A PNG, JPEG or WebP picture of at most 5 MiB, sent as `image/png`, `image/jpeg` or `image/webp`.";
/// A client that takes nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(30);
/// Read anew each time: whoever may not see it any more, or after it was erased, does not.
const PRIVATE: &str = "private, no-cache";
/// A name is used for one picture alone.
const PUBLIC: &str = "public, max-age=31536000, immutable";

pub(crate) async fn file(cx: StaffCx) -> Result<Reply, HttpError> {
    let id: MediaId = path_id(cx.parameter("id"))?;
    let read = async move |mut tx| media::file(&mut tx, id).await?.ok_or(DbError::NotFound);
    let file = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    let etag = format!("\"{}\"", file.sha256);
    let mime = safe_type(file.mime_type.as_deref());
    if asks_for_other(&cx, &etag) {
        return Ok(Reply::not_modified(PRIVATE).with(ETAG, &etag));
    }
    let shown = ["image/", "audio/", "video/"].iter().any(|kind| mime.starts_with(kind));
    let reply = send(&cx, &file.storage_key, mime, PRIVATE).await?.with(ETAG, &etag);
    Ok(if shown { reply } else { reply.to_save(file.file_name.as_deref().unwrap_or("file")) })
}

pub(crate) async fn picture(cx: PublicCx) -> Result<Reply, HttpError> {
    let (key, mime) = public_key(cx.parameter("name")).ok_or_else(HttpError::not_found)?;
    send(&cx, &key, mime, PUBLIC).await
}

/// Whether the client has it already.
fn asks_for_other(call: &Call, etag: &str) -> bool {
    let known = call.header(IF_NONE_MATCH.as_str()).unwrap_or_default();
    known.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == etag)
}

async fn send(call: &Call, key: &str, mime: &'static str, cache: &'static str) -> Result<Reply, HttpError> {
    let slot = call.app.downloads.clone().try_acquire_owned().map_err(|_| HttpError::overloaded())?;
    let part = call.header(RANGE.as_str()).and_then(part);
    let whole = part.is_none();
    let found = match call.app.media.get(key, part).await {
        // A part that is not there, too: the store does not tell the two apart, and the whole serves as well (RFC 9110 14.2).
        Err(_) if !whole => call.app.media.get(key, None).await,
        other => other,
    };
    let found = found.map_err(HttpError::unavailable)?.ok_or_else(HttpError::not_found)?;
    let (size, range) = (found.size, found.range.clone());
    let (out, pages) = mpsc::channel(1);
    tokio::spawn(pump(found, out, slot));
    Ok(Reply::file(mime, cache, size, range, pages))
}

/// One range of bytes; several, or another unit, are answered with the whole.
fn part(header: &str) -> Option<Part> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => Some(Part::Between(first, last.checked_add(1)?)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Some(Part::From(first)),
        (Err(_), Ok(bytes)) if first.trim().is_empty() && bytes > 0 => Some(Part::Last(bytes)),
        _ => None,
    }
}

async fn pump(mut found: Found, out: mpsc::Sender<io::Result<Bytes>>, slot: OwnedSemaphorePermit) {
    while let Ok(Some(page)) = tokio::time::timeout(STALLED, found.pages.next()).await {
        let page = page.map_err(|error| {
            tracing::warn!(%error, "a file broke off");
            io::Error::other("the file broke off")
        });
        // The client hung up, or takes nothing: nobody is left to send to.
        if !matches!(tokio::time::timeout(STALLED, out.send(page)).await, Ok(Ok(()))) {
            break;
        }
    }
    drop(slot);
}

pub(crate) async fn upload(cx: CommandCx) -> Result<Asked, HttpError> {
    let product: ProductId = path_id(cx.parameter("id"))?;
    let said = cx.header(CONTENT_TYPE.as_str()).unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is = detect(cx.body()).unwrap_or_default();
    if !["image/png", "image/jpeg", "image/webp"].contains(&said.as_str()) || said != is {
        return Err(HttpError::not_a_picture());
    }
    let shop = cx.staff.scope.shop();
    // A secret makes the name, so that nobody guesses it; the request's key, so that a repeat stores nothing twice.
    let secret = cx.app.config.jwt_secrets.first().ok_or_else(|| HttpError::internal(anyhow::anyhow!("no JWT_SECRET")))?;
    let random = sign_parts(secret, &["picture", &shop.to_string(), &cx.request.key, &cx.request.fingerprint]);
    let name = public_name(shop, &random, is).ok_or_else(HttpError::not_a_picture)?;
    let (key, _) = public_key(&name).ok_or_else(HttpError::not_found)?;
    let bytes = cx.body().clone();
    let (size, sha256) = (i64::try_from(bytes.len()).unwrap_or(i64::MAX), hex::encode(Sha256::digest(&bytes)));
    let app = Arc::clone(&cx.app);
    app.media.put(&key, bytes).await.map_err(HttpError::unavailable)?;
    Asked::job(SetProductImage { request: cx.request, product, name, size, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_anything_else_means_the_whole() {
        assert_eq!(part("bytes=0-99"), Some(Part::Between(0, 100)));
        assert_eq!(part("bytes=100-"), Some(Part::From(100)));
        assert_eq!(part("bytes=-5"), Some(Part::Last(5)));
        for odd in ["bytes=5-1", "bytes=-", "bytes=0-1,3-4", "items=0-1", "bytes=-0", ""] {
            assert_eq!(part(odd), None, "{odd}");
        }
    }
}
