//! Taking over a conversation from the AI, and handing it back.

use frontdesk_core::ids::ConversationId;
use frontdesk_core::jobs::PauseConversation;
use utoipa::ToSchema;

use crate::call::CommandCx;
use crate::command::Asked;
use crate::form::path_id;
use crate::reply::HttpError;

/// A conversation.
#[derive(ToSchema)]
pub struct Conversation {
    /// Its number.
    pub id: i64,
    /// Whether the AI is silent.
    pub paused: bool,
}

pub(crate) async fn pause(cx: CommandCx) -> Result<Asked, HttpError> {
    set(cx, true)
}

pub(crate) async fn resume(cx: CommandCx) -> Result<Asked, HttpError> {
    set(cx, false)
}

fn set(cx: CommandCx, paused: bool) -> Result<Asked, HttpError> {
    let conversation: ConversationId = path_id(cx.parameter("id"))?;
    Asked::job(PauseConversation { request: cx.request, conversation, paused })
}
