//! Media that customers send: links in webhooks, their look-up and their bytes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, Query, State as AxumState};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::graph::{GraphQuery, access_token};
use crate::accounts::TokenState;
use crate::clock::now_ms;
use crate::faults::MediaFailure;
use crate::ids;
use crate::state::State;

/// The picture behind every image; small, but a real one.
pub(crate) const PICTURE: &[u8] = include_bytes!("../../phone/sample.png");
/// Enough of an Ogg page, WebP, MP4 and PDF for a type check.
const VOICE: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0OpusHead\x01\x01";
const STICKER: &[u8] = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";
const FILM: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";
const PAPER: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// The kinds there are, with the last digit of their ids.
const KINDS: [(&str, char, &str, &[u8]); 5] = [
    ("image", '1', "image/png", PICTURE),
    ("audio", '2', "audio/ogg; codecs=opus", VOICE),
    ("sticker", '3', "image/webp", STICKER),
    ("video", '4', "video/mp4", FILM),
    ("document", '5', "application/pdf", PAPER),
];

fn kind_of(id: &str) -> Option<(&'static str, &'static [u8])> {
    let (prefix, last) = (id.starts_with("11874"), id.chars().next_back()?);
    let plausible = prefix && id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit());
    KINDS.iter().find(|k| plausible && k.1 == last).map(|k| (k.2, k.3))
}

/// Links die after five minutes (PROVIDERS 2.1).
const LINK_MS: i64 = 300_000;
/// More than anybody keeps.
const TOO_MANY_BYTES: usize = 26 * 1024 * 1024;

/// A link that tells when it dies, and that nobody can prolong.
fn link(state: &State, id: &str) -> String {
    let ext = now_ms() + LINK_MS;
    let base = state.config.own_url.as_deref().unwrap_or_else(|| state.base_url()).trim_end_matches('/');
    format!("{base}/graph/media/{id}?ext={ext}&hash={}", stamp(state, id, ext))
}

fn stamp(state: &State, id: &str, ext: i64) -> String {
    hex::encode(Sha256::digest(format!("{}:{id}:{ext}", state.config.app_secret)))
}

fn lives(state: &State, id: &str, query: &GraphQuery) -> bool {
    query.ext.is_some_and(|ext| ext > now_ms() && query.hash.as_deref() == Some(&*stamp(state, id, ext)))
}

/// The media object of a WhatsApp message.
pub(crate) fn attach(state: &State, kind: &str) -> Value {
    let (_, digit, mime, bytes) = KINDS.iter().find(|k| k.0 == kind).unwrap_or(&KINDS[0]);
    let id = format!("11874{}{digit}", ids::random_digits(10));
    json!({
        "mime_type": mime,
        "sha256": STANDARD.encode(Sha256::digest(bytes)),
        "url": link(state, &id),
        "id": id,
    })
}

/// A link as in Messenger's and Instagram's attachments: no token needed.
pub(crate) fn public_link(state: &State, kind: &str) -> String {
    let kind = if kind == "file" { "document" } else { kind };
    let digit = KINDS.iter().find(|k| k.0 == kind).map_or('1', |k| k.1);
    format!("{}&signature=public", link(state, &format!("11874{}{digit}", ids::random_digits(10))))
}

/// What `GET /{media_id}` says of a media id; `None` if it is not one.
pub(crate) fn describe(state: &State, id: &str) -> Option<Value> {
    let (mime, bytes) = kind_of(id)?;
    let failure = state.faults.media(false);
    if failure == Some(MediaFailure::Gone) {
        return None;
    }
    Some(json!({
        "messaging_product": "whatsapp",
        "url": link(state, id),
        "mime_type": mime,
        "sha256": hex::encode(Sha256::digest(bytes)),
        "file_size": if failure == Some(MediaFailure::Oversized) { TOO_MANY_BYTES } else { bytes.len() },
        "id": id,
    }))
}

/// `GET /graph/media/{id}`: the bytes, with the bearer token or over a public link.
pub(crate) async fn download(
    AxumState(state): AxumState<Arc<State>>,
    Path(id): Path<String>,
    Query(query): Query<GraphQuery>,
    headers: HeaderMap,
) -> Response {
    let allowed = query.signature.as_deref() == Some("public")
        || access_token(&headers, &query).is_some_and(|token| matches!(state.with_accounts(|t| t.token_state(&token)), TokenState::Valid));
    state.media_downloads.fetch_add(1, Ordering::Relaxed);
    match state.faults.media(true) {
        Some(MediaFailure::Unavailable) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(MediaFailure::Gone) => return StatusCode::NOT_FOUND.into_response(),
        Some(MediaFailure::Oversized) => return vec![0_u8; TOO_MANY_BYTES].into_response(),
        Some(MediaFailure::WrongBytes) => return b"other bytes".into_response(),
        None => {}
    }
    match kind_of(&id) {
        _ if !lives(&state, &id, &query) => StatusCode::NOT_FOUND.into_response(),
        _ if !allowed => StatusCode::UNAUTHORIZED.into_response(),
        Some((mime, bytes)) => ([(header::CONTENT_TYPE, mime)], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
