//! Checks a Messenger or Instagram send as Meta does (PROVIDERS 2.2, 2.3), and what all checks share.

use serde_json::Value;

use super::errors::MetaError;
use crate::accounts::Platform;
use crate::book::{Button, text_of};

/// A message that is well formed.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) buttons: Vec<Button>,
    pub(crate) callback_data: Option<String>,
    pub(crate) about: Option<String>,
}

impl Message {
    pub(crate) fn new(kind: &str, text: Option<String>) -> Self {
        Self { kind: kind.to_owned(), text, link: None, buttons: Vec::new(), callback_data: None, about: None }
    }
}

/// A Messenger or Instagram call that is well formed.
#[derive(Debug)]
pub(crate) enum MessengerCall {
    Action { recipient: String, action: SenderAction },
    Message { recipient: String, message: Message, human_agent: bool },
}

/// A sender action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SenderAction {
    TypingOn,
    TypingOff,
    MarkSeen,
}

/// The text at `path`, which must be there and not be empty.
pub(crate) fn required_text(body: &Value, path: &str, name: &str) -> Result<String, MetaError> {
    match text_of(body, path) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(MetaError::parameter(format!("The parameter {name} is required."))),
    }
}

pub(crate) fn chars_within(text: &str, max: usize, name: &str) -> Result<(), MetaError> {
    if text.chars().count() <= max {
        return Ok(());
    }
    Err(MetaError::parameter(format!("Param {name} must be at most {max} characters long.")))
}

pub(crate) fn messenger_call(body: &Value, platform: Platform) -> Result<MessengerCall, MetaError> {
    let recipient = required_text(body, "/recipient/id", "recipient")?;
    if let Some(action) = body.get("sender_action") {
        if body.get("message").is_some() {
            return Err(MetaError::parameter("Cannot send a message and a sender_action in one call."));
        }
        let action = match action.as_str() {
            Some("typing_on") => SenderAction::TypingOn,
            Some("typing_off") => SenderAction::TypingOff,
            Some("mark_seen") => SenderAction::MarkSeen,
            _ => {
                let known = "{mark_seen, typing_on, typing_off}";
                return Err(MetaError::parameter(format!("Param sender_action must be one of {known}.")));
            }
        };
        return Ok(MessengerCall::Action { recipient, action });
    }
    let human_agent = tag(body, platform)?;
    let content = body.get("message").filter(|m| m.is_object());
    let content = content.ok_or_else(|| MetaError::parameter("The parameter message is required."))?;
    let mut message = content_of(content, platform)?;
    message.buttons = quick_replies(content)?;
    message.about = text_of(body, "/reply_to/mid");
    if let Some(metadata) = text_of(content, "/metadata") {
        chars_within(&metadata, 1000, "message['metadata']")?;
        message.callback_data = Some(metadata);
    }
    Ok(MessengerCall::Message { recipient, message, human_agent })
}

/// Whether the message is tagged as a human's, which opens the window to 7 days.
fn tag(body: &Value, platform: Platform) -> Result<bool, MetaError> {
    match body.get("messaging_type").map(|t| t.as_str().unwrap_or_default()) {
        None if platform == Platform::Messenger => {
            // Meta still takes it, as RESPONSE.
            Ok(false)
        }
        None | Some("RESPONSE" | "UPDATE") => Ok(false),
        Some("MESSAGE_TAG") => match body.get("tag").and_then(Value::as_str) {
            Some("HUMAN_AGENT") => Ok(true),
            Some("CONFIRMED_EVENT_UPDATE" | "ACCOUNT_UPDATE" | "POST_PURCHASE_UPDATE") => {
                Err(MetaError::parameter("This message tag is no longer supported. Use utility message templates instead."))
            }
            _ => Err(MetaError::parameter("Param tag must be one of {HUMAN_AGENT}.")),
        },
        Some(_) => Err(MetaError::parameter("Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}.")),
    }
}

fn content_of(content: &Value, platform: Platform) -> Result<Message, MetaError> {
    let attachments = content.get("attachments").and_then(Value::as_array);
    let attachment = content.get("attachment").or_else(|| attachments.and_then(|list| list.first()));
    match (content.get("text"), attachment) {
        (Some(Value::String(text)), None) => {
            check_text(text, platform)?;
            Ok(Message::new("text", Some(text.clone())))
        }
        (Some(_), Some(_)) => Err(MetaError::parameter("Message cannot have both text and attachment.")),
        (Some(_), None) => Err(MetaError::parameter("Param message['text'] must be a string.")),
        (None, Some(attachment)) => {
            if attachments.is_some_and(|list| list.len() > 10) {
                return Err(MetaError::parameter("Param message['attachments'] has at most 10 elements."));
            }
            let kind = required_text(attachment, "/type", "message['attachment']['type']")?;
            let link = text_of(attachment, "/payload/url");
            let known = ["image", "audio", "video", "file", "template", "like_heart", "MEDIA_SHARE"];
            if !known.contains(&kind.as_str()) {
                return Err(MetaError::parameter("Param message['attachment']['type'] is not supported."));
            }
            let mut message = Message::new(&kind, text_of(attachment, "/payload/text"));
            message.link = link;
            Ok(message)
        }
        (None, None) => Err(MetaError::parameter("Must send text or attachment.")),
    }
}

/// Instagram counts bytes of UTF-8, Messenger characters.
fn check_text(text: &str, platform: Platform) -> Result<(), MetaError> {
    if text.is_empty() {
        return Err(MetaError::parameter("Message text cannot be empty."));
    }
    if platform == Platform::Instagram {
        if text.len() > 1000 {
            return Err(MetaError::parameter("Length of param message[text] must be less than or equal to 1000"));
        }
        return Ok(());
    }
    if text.chars().count() > 2000 {
        return Err(MetaError::parameter("Length of param message[text] must be less than or equal to 2000"));
    }
    Ok(())
}

fn quick_replies(content: &Value) -> Result<Vec<Button>, MetaError> {
    let Some(list) = content.get("quick_replies") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| MetaError::parameter("Param message['quick_replies'] must be an array."))?;
    if list.len() > 13 {
        return Err(MetaError::parameter("Param message['quick_replies'] has at most 13 elements."));
    }
    list.iter()
        .map(|reply| match reply.get("content_type").and_then(Value::as_str) {
            Some("text") => {
                let title = required_text(reply, "/title", "quick_replies['title']")?;
                let id = required_text(reply, "/payload", "quick_replies['payload']")?;
                chars_within(&id, 1000, "quick_replies['payload']")?;
                // Longer titles are not refused but cut.
                Ok(Button { id, title: title.chars().take(20).collect() })
            }
            Some(kind @ ("user_phone_number" | "user_email")) => Ok(Button { id: kind.to_owned(), title: kind.to_owned() }),
            _ => Err(MetaError::parameter("Param quick_replies['content_type'] must be one of {text, user_phone_number, user_email}.")),
        })
        .collect()
}
