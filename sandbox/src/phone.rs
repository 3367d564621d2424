//! The phone page, where you are the customer, and the events that keep it live.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State as AxumState};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::meta::media_picture;
use crate::state::State;

/// `/` and what belongs to it.
pub(crate) fn routes() -> Router<Arc<State>> {
    let css = || async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../phone/phone.css")) };
    let js = || async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../phone/phone.js")) };
    let faults = || async { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../phone/faults.js")) };
    let picture = || async { ([(header::CONTENT_TYPE, "image/png")], media_picture()).into_response() };
    Router::new()
        .route("/", get(|| async { Html(include_str!("../phone/index.html")) }))
        .route("/phone/phone.css", get(css))
        .route("/phone/phone.js", get(js))
        .route("/phone/faults.js", get(faults))
        .route("/phone/sample.png", get(picture))
        .route("/phone/settings", get(settings))
        .route("/phone/events", get(events))
}

async fn settings(AxumState(state): AxumState<Arc<State>>) -> Json<Value> {
    Json(json!({ "dashboard_url": state.config.dashboard_url, "webhook_url": state.webhook_url() }))
}

#[derive(Deserialize)]
struct Watching {
    account: String,
}

/// Changes in the conversations of one account, as server-sent events.
async fn events(
    AxumState(state): AxumState<Arc<State>>,
    Query(watching): Query<Watching>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(state.events.subscribe(), move |mut events| {
        let account = watching.account.clone();
        async move {
            loop {
                match events.recv().await {
                    // An empty account means everybody.
                    Ok(event) if event.account == account || event.account.is_empty() => {
                        let event = Event::default().json_data(&event).unwrap_or_default();
                        return Some((Ok(event), events));
                    }
                    Ok(_) => {}
                    // Fell behind: the page loads the chat anew.
                    Err(RecvError::Lagged(_)) => return Some((Ok(Event::default().data(r#"{"change":"reset"}"#)), events)),
                    Err(RecvError::Closed) => return None,
                }
            }
        }
    });
    // A stream that never ends would keep the sandbox from stopping.
    let stop = state.stop.clone().cancelled_owned();
    Sse::new(Box::pin(changes.take_until(stop))).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
