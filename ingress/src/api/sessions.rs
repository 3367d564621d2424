//! The sessions of who is logged in: to look at, and to end those that one does not know.

use chrono::{DateTime, Utc};
use frontdesk_core::auth::Session;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::PublicCx;
use crate::gate;
use crate::reply::{HttpError, Reply};

/// The account's sessions, the latest first.
#[derive(Serialize, ToSchema)]
pub struct Sessions {
    /// The sessions; at most 100.
    pub items: Vec<OneSession>,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub struct OneSession {
    /// Its id.
    #[schema(value_type = String)]
    pub id: Uuid,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// What the client said of itself (`User-Agent`) when it logged in.
    pub client: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

pub(crate) async fn list(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    let listed = cx.app.sessions.list(&session.subject()).await.map_err(HttpError::unavailable)?;
    let items = listed.into_iter().map(|one| OneSession {
        current: one.id == session.id(),
        id: one.id,
        began_at: one.began_at,
        expires_at: one.expires_at,
        client: one.client,
    });
    Reply::ok(Sessions { items: items.collect() })
}

/// Ends one of the account's sessions, on every replica at once.
pub(crate) async fn end(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    let id: Uuid = cx.parameter("id").parse().map_err(|_| HttpError::not_found())?;
    let listed = cx.app.sessions.list(&session.subject()).await.map_err(HttpError::unavailable)?;
    let ended = listed.iter().find(|one| one.id == id).ok_or_else(HttpError::not_found)?;
    cx.app.revocations.revoke(ended.id, ended.expires_at).await.map_err(HttpError::unavailable)?;
    Ok(if id == session.id() { gate::without_cookie(&cx, Reply::empty()) } else { Reply::empty() })
}

/// Ends all of the account's sessions, this one too.
pub(crate) async fn end_all(cx: PublicCx, session: Session) -> Result<Reply, HttpError> {
    cx.app.revocations.revoke_account(&session.subject(), cx.app.clock.now()).await.map_err(HttpError::unavailable)?;
    Ok(gate::without_cookie(&cx, Reply::empty()))
}
