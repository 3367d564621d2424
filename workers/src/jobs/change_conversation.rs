//! Marks a conversation read, makes it somebody's, adds or deletes a note. Safe to repeat: the request's key is unique per shop.

use frontdesk_core::db::inbox::{self, NoteDeletion};
use frontdesk_core::db::{DbError, ShopTx, audit, conversations, users};
use frontdesk_core::ids::{ConversationId, MessageId, UserId};
use frontdesk_core::jobs::{Answer, ChangeConversation, ConversationChange, RefusalKind};
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ChangeConversation {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (conversation, change, user, by) = (self.conversation, self.change, self.request.user, actor(&self.request));
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                if conversations::lock(tx, conversation).await?.is_none() {
                    return Ok(Wrote::answer(not_found()));
                }
                let answer = make(tx, conversation, change, user, &by).await?;
                if let Answer::Refused(_) = answer {
                    return Ok(Wrote::answer(answer));
                }
                Ok(Wrote::answer(answer).event("conversation", json!({"id": conversation})))
            })
        })
        .await
    }
}

async fn make(
    tx: &mut ShopTx,
    conversation: ConversationId,
    change: ConversationChange,
    user: Option<UserId>,
    by: &str,
) -> Result<Answer, DbError> {
    let subject = format!("conversation:{conversation}");
    match change {
        ConversationChange::Read { message } => {
            conversations::mark_seen(tx, conversation, message.unwrap_or(MessageId(i64::MAX))).await?;
            view(tx, conversation).await
        }
        ConversationChange::Assign { user: to } => {
            if let Some(to) = to
                && !users::find(tx, to).await?.is_some_and(|user| user.may_take_conversations())
            {
                return Ok(invalid("user_id", "must be somebody of this shop who may answer customers: an owner or an order manager"));
            }
            conversations::assign(tx, conversation, to).await?;
            audit::add(tx, by, "assign", &subject, &json!({"user_id": to})).await?;
            view(tx, conversation).await
        }
        ConversationChange::AddNote { text } => {
            let note = inbox::add_note(tx, conversation, user, &text).await?;
            Ok(Answer::Created(serde_json::to_value(&note).unwrap_or_default()))
        }
        ConversationChange::DeleteNote { note } => Ok(match inbox::delete_note(tx, conversation, note, user).await? {
            NoteDeletion::Deleted => {
                audit::add(tx, by, "delete_note", &subject, &json!({"note_id": note})).await?;
                Answer::Empty
            }
            NoteDeletion::NotOwn => refused(RefusalKind::Forbidden, "not_your_note", "Only who wrote a note may delete it."),
            NoteDeletion::Missing => not_found(),
        }),
    }
}

async fn view(tx: &mut ShopTx, conversation: ConversationId) -> Result<Answer, DbError> {
    let view = inbox::find(tx, conversation).await?.ok_or(DbError::NotFound)?;
    Ok(Answer::Done(serde_json::to_value(&view).unwrap_or_default()))
}
