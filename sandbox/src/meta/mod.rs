//! Meta: the Graph endpoints the product calls, and the webhooks it gets.

mod errors;
mod graph;
pub(crate) mod inbound;
mod media;
mod send;
mod status;
mod templates;
mod validate;
mod validate_whatsapp;
pub(crate) mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::state::State;

/// The picture behind every image a customer sends, a PNG.
pub(crate) fn media_picture() -> &'static [u8] {
    media::PICTURE
}

/// Largest request body Meta's endpoints take, bytes.
const MAX_BODY: usize = 1 << 20;

/// `/graph/…` and `/instagram/…`.
pub(crate) fn routes() -> Router<Arc<State>> {
    use axum::routing::{get, post};
    Router::new()
        .route("/graph/media/{id}", get(media::download))
        .route("/graph/{version}/debug_token", get(graph::debug_token))
        .route("/graph/{version}/{id}", get(graph::node))
        .route("/graph/{version}/{id}/messages", post(send::facebook))
        .route("/graph/{version}/{id}/subscribed_apps", post(graph::subscribe).get(graph::subscriptions))
        .route("/instagram/{version}/{id}", get(graph::instagram_node))
        .route("/instagram/{version}/{id}/messages", post(send::instagram))
        .route("/instagram/{version}/{id}/subscribed_apps", post(graph::subscribe_instagram))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}
