//! Takes a person's answer to a customer: checks that it may go out, pauses the AI, stores the answer; a job of its own sends it. Safe to repeat: the
//! request's key is unique per shop.

use chrono::{DateTime, Utc};
use frontdesk_core::db::channels::{self, ChannelRef};
use frontdesk_core::db::conversations::{self, ConversationRow, PausedBy, person_window};
use frontdesk_core::db::messages::{self, NewOutbound};
use frontdesk_core::db::{DbError, audit, inbox, outbox};
use frontdesk_core::ids::MessageId;
use frontdesk_core::inbound::Platform;
use frontdesk_core::jobs::{Answer, AnswerAsHuman, DeliverMessage, HumanWords, RefusalKind};
use serde_json::json;

use super::{Wrote, actor, invalid, not_found, once, refused};
use crate::App;
use crate::clients::meta::{TextLimit, text_limit};
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for AnswerAsHuman {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (conversation, words, user, by) = (self.conversation, self.words, self.request.user, actor(&self.request));
        let (send_key, now) = (format!("h:{}", cx.envelope.job), cx.app.clock.now());
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                // Locked, so that no answer of the AI is claimed between the check of its epoch and this takeover.
                let Some(standing) = conversations::lock(tx, conversation).await? else { return Ok(Wrote::answer(not_found())) };
                let channel = channels::find(tx, standing.channel()).await?.ok_or(DbError::NotFound)?;
                if let Some(refusal) = refusal(&words, &channel, &standing, now) {
                    return Ok(Wrote::answer(refusal));
                }
                let paused = conversations::pause(tx, conversation, PausedBy::Staff, None).await?.ok_or(DbError::NotFound)?;
                let stored = messages::store_outbound(tx, conversation, channel.id(), None, &outbound(words, send_key), None).await?;
                messages::set_author(tx, stored.id(), user).await?;
                conversations::note_answer(tx, conversation, stored.id()).await?;
                conversations::mark_seen(tx, conversation, MessageId(i64::MAX)).await?;
                let deliver = outbox::add(tx, &DeliverMessage { message: stored.id() }, &format!("deliver:{}", stored.id())).await?;
                audit::add(tx, &by, "answer", &format!("conversation:{conversation}"), &json!({"message_id": stored.id()})).await?;
                let view = inbox::message(tx, conversation, stored.id()).await?.ok_or(DbError::NotFound)?;
                let wrote = Wrote::answer(Answer::Created(serde_json::to_value(&view).unwrap_or_default()))
                    .event("message", json!({"conversation_id": conversation, "message_id": stored.id()}))
                    .event("conversation", json!({"id": conversation, "paused": true}));
                Ok(Wrote { pending: paused.ends.into_iter().chain([deliver]).collect(), ..wrote })
            })
        })
        .await
    }
}

/// Why the words cannot go out, if they cannot.
fn refusal(words: &HumanWords, channel: &ChannelRef, standing: &ConversationRow, now: DateTime<Utc>) -> Option<Answer> {
    let platform = channel.platform();
    match words {
        HumanWords::Template(_) if platform != Platform::Whatsapp => {
            return Some(invalid("template", "is for WhatsApp alone; write `text` here"));
        }
        HumanWords::Text { text } if !text_limit(platform, false).fits(text) => {
            let most = match text_limit(platform, false) {
                TextLimit::Chars(most) => format!("{most} characters"),
                TextLimit::Bytes(most) => format!("{most} bytes of UTF-8"),
            };
            return Some(invalid("text", &format!("may have {most} on {}; send it in parts", platform.as_str())));
        }
        HumanWords::Text { .. } | HumanWords::Template(_) => {}
    }
    if channel.sealed_token().is_none() {
        let detail = "This account is not connected to the platform. Connect it again under /channels.";
        return Some(refused(RefusalKind::Conflict, "channel_disconnected", detail));
    }
    let open = standing.last_customer_at.is_some_and(|wrote| now < wrote + person_window(platform));
    if matches!(words, HumanWords::Text { .. }) && !open {
        let detail = if platform == Platform::Whatsapp {
            "The customer's last message is more than 24 hours old: WhatsApp takes templates only, until they write again. Send a `template`."
        } else {
            "The customer's last message is more than 7 days old: the platform takes no answer until they write again."
        };
        return Some(refused(RefusalKind::Conflict, "window_closed", detail));
    }
    None
}

fn outbound(words: HumanWords, send_key: String) -> NewOutbound {
    let (kind, body, content) = match words {
        HumanWords::Text { text } => ("reply", text, json!({})),
        // What the template says is Meta's to know; its name and values tell colleagues enough.
        HumanWords::Template(template) => {
            let body = format!("[{}] {}", template.name, template.parameters.join(" · "));
            ("template", body.trim_end().to_owned(), json!({"template": template}))
        }
    };
    NewOutbound { send_key, kind, author: "human", body, content }
}
