//! What was said in a conversation, what the agent did for it, and what colleagues noted.

use chrono::{DateTime, Utc};
use frontdesk_core::db::{DbError, TxKind, inbox};
use frontdesk_core::ids::{ConversationId, MessageId, NoteId, TurnId};
use utoipa::ToSchema;

use super::conversations::Colleague;
use super::{Page, cursor, limit};
use crate::call::StaffCx;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// A message.
#[derive(ToSchema)]
pub struct Message {
    /// Its number.
    pub id: i64,
    /// `in` or `out`.
    pub direction: String,
    /// `customer`, `ai`, `human` or `system`.
    pub author: String,
    /// Who of the shop wrote it here; null for everybody else, and for a person who answered elsewhere.
    #[schema(value_type = Option<Colleague>)]
    pub user: Option<inbox::Colleague>,
    /// In: `text`, `button`, `image`, `audio`, `document`, …; out: `reply`, `template`, `proposal`, `order`, `handoff`, …
    pub kind: String,
    /// The words.
    pub text: String,
    /// What is more than words: buttons, a caption, a place, a template's values.
    #[schema(value_type = Object)]
    pub content: serde_json::Value,
    /// The files that came with it, in order.
    #[schema(value_type = Vec<MessageFile>)]
    pub media: Vec<inbox::Media>,
    /// In: `received` or `deleted`. Out: `pending`, `sending`, `unknown` (the platform did not answer), `sent`, `delivered`, `read`, `failed`, or
    /// `superseded` (a person took over before it left).
    pub status: String,
    /// Meta's code, if it failed.
    pub error_code: Option<i64>,
    /// The agent's turn that made it, or that answers it; see `/conversations/{id}/turns/{turn}`.
    pub turn_id: Option<i64>,
    /// When it was said; of a customer's, by the platform's clock.
    pub occurred_at: DateTime<Utc>,
    /// When the platform took it.
    pub sent_at: Option<DateTime<Utc>>,
}

/// A file of a message.
#[derive(ToSchema)]
pub struct MessageFile {
    /// Its number.
    pub id: i64,
    /// `image`, `voice`, `audio`, `video`, `document`, `sticker`, …
    pub kind: String,
    /// `waiting` (it is being fetched), `kept`, `gone` (the platform has it no more), `failed` or `too_large`.
    pub state: String,
    /// What it is, if anybody can tell.
    pub mime_type: Option<String>,
    /// Bytes, once it is kept.
    pub size: Option<i64>,
    /// What the customer calls it.
    pub file_name: Option<String>,
    /// Where it is, once it is kept: `/media/{id}`.
    pub url: Option<String>,
}

/// A page of messages, the newest first.
#[derive(ToSchema)]
pub struct Messages {
    /// The messages.
    pub items: Vec<Message>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// One turn of the agent.
#[derive(ToSchema)]
pub struct Turn {
    /// Its number.
    pub id: i64,
    /// `open`, `decided` or `done`.
    pub state: String,
    /// `reply`, `proposal`, `order`, `handoff`, …, once it is decided.
    pub outcome: Option<String>,
    /// When the first of its messages was accepted.
    pub accepted_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// When its answer was out.
    pub done_at: Option<DateTime<Utc>>,
    /// Prompt tokens of all calls.
    pub input_tokens: i32,
    /// Answer tokens of all calls.
    pub output_tokens: i32,
    /// What the models took in US dollars, a decimal string.
    pub model_cost: String,
    /// Model calls, tool calls, arguments, results, times, in order.
    #[schema(value_type = Vec<Object>)]
    pub trace: serde_json::Value,
}

/// A note.
#[derive(ToSchema)]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// Who wrote it; null once they have left.
    #[schema(value_type = Option<Colleague>)]
    pub user: Option<inbox::Colleague>,
    /// The words.
    pub text: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A page of notes, the newest first.
#[derive(ToSchema)]
pub struct Notes {
    /// The notes.
    pub items: Vec<Note>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// Which page.
#[derive(ToSchema)]
pub struct ThreadPage {
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<i64>,
}

impl Request for ThreadPage {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { limit: limit(form), cursor: cursor(form) })
    }
}

pub(crate) async fn messages(cx: StaffCx) -> Result<Reply, HttpError> {
    let conversation: ConversationId = path_id(cx.parameter("id"))?;
    let ThreadPage { limit, cursor } = cx.query()?;
    let more = limit + 1;
    let read = async move |mut tx| {
        let items = inbox::messages(&mut tx, conversation, cursor.map(MessageId), more).await?;
        if items.is_empty() {
            inbox::find(&mut tx, conversation).await?.ok_or(DbError::NotFound)?;
        }
        Ok::<_, DbError>(items)
    };
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |message| message.id.to_string()))
}

pub(crate) async fn turn(cx: StaffCx) -> Result<Reply, HttpError> {
    let (conversation, turn): (ConversationId, TurnId) = (path_id(cx.parameter("id"))?, path_id(cx.parameter("turn"))?);
    let read = async move |mut tx| inbox::turn(&mut tx, conversation, turn).await?.ok_or(DbError::NotFound);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn notes(cx: StaffCx) -> Result<Reply, HttpError> {
    let conversation: ConversationId = path_id(cx.parameter("id"))?;
    let ThreadPage { limit, cursor } = cx.query()?;
    let more = limit + 1;
    let read = async move |mut tx| {
        let items = inbox::notes(&mut tx, conversation, cursor.map(NoteId), more).await?;
        if items.is_empty() {
            inbox::find(&mut tx, conversation).await?.ok_or(DbError::NotFound)?;
        }
        Ok::<_, DbError>(items)
    };
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |note| note.id.to_string()))
}
