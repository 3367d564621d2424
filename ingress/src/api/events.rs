//! What changes, as it changes.

use frontdesk_core::live::EventId;
use hyper::Request as HttpRequest;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use utoipa::ToSchema;

use crate::call::StaffCx;
use crate::form::{Form, Request};
use crate::live::{self, Viewer};
use crate::reply::{HttpError, Reply};

/// From where on events are wanted.
#[derive(ToSchema)]
pub struct EventsSince {
    /// The `id` of the last frame seen. What happened since then comes first; if some of it is no longer there, the first frame is `reload`.
    #[schema(value_type = Option<String>, required = false, example = "1764000000000-0")]
    pub after: Option<EventId>,
}

impl Request for EventsSince {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { after: form.maybe_parsed("after", "must be the `id` of a frame of /events", |text| text.parse().ok()) })
    }
}

/// A frame of the WebSocket, as JSON text.
#[derive(ToSchema)]
pub struct Event {
    /// `ready`: the first frame, events follow. `reload`: the first frame when some may have been missed: read everything anew, events follow.
    /// `event`: something changed.
    #[schema(rename = "type", example = "event")]
    pub r#type: String,
    /// Where to go on after a dropped connection: `?after=`.
    #[schema(example = "1764000000000-0")]
    pub id: String,
    /// Of an event: what changed. `order`, `stock`, `message`, `conversation`, `handoff`, … by what the role may see.
    #[schema(required = false, example = "order")]
    pub kind: String,
    /// Of an event: the ids to read anew.
    #[schema(value_type = Object, required = false, example = json!({"order_no": 1001, "status": "confirmed"}))]
    pub data: serde_json::Value,
}

/// Hands the connection over to the open dashboards.
pub(crate) async fn open(mut cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: EventsSince = cx.query()?;
    let mut handshake = HttpRequest::new(());
    handshake.headers_mut().clone_from(&cx.headers);
    let response = create_response(&handshake).map_err(|_| HttpError::upgrade_required())?;
    let upgrade = cx.call.upgrade.take().ok_or_else(HttpError::upgrade_required)?;
    let place = cx.app.live.admit(cx.session.subject()).ok_or_else(HttpError::overloaded)?;
    let viewer = Viewer { app: cx.app.clone(), session: cx.session, scope: cx.scope, role: cx.role, seen: asked.after, place };
    live::serve(viewer, upgrade);
    Ok(Reply::switching(response.headers()))
}
