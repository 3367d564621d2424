//! The inbox: conversations by what waits in them, and what people do there.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::inbox::{self, After, Assigned, InboxFilter};
use frontdesk_core::db::{DbError, TxKind, users};
use frontdesk_core::ids::{ConversationId, MessageId, NoteId, UserId};
use frontdesk_core::inbound::Platform;
use frontdesk_core::jobs::{AnswerAsHuman, ChangeConversation, ConversationChange, HumanWords, PauseConversation, Template};
use serde::Serialize;
use utoipa::ToSchema;

use super::orders::PLATFORMS;
use super::{Page, limit};
use crate::call::{CommandCx, StaffCx};
use crate::command::Asked;
use crate::form::{Form, Request, path_id};
use crate::reply::{HttpError, Reply};

/// Notes shown with a conversation; the rest by `/conversations/{id}/notes`.
const NOTES: i64 = 20;
/// A pause with an end lasts thirty days at most.
const LONGEST_PAUSE_MINUTES: i64 = 43_200;

/// A conversation with one customer on one account.
#[derive(ToSchema)]
pub struct Conversation {
    /// Its number.
    pub id: i64,
    /// `whatsapp`, `instagram` or `messenger`.
    pub platform: String,
    /// The account on which it is held.
    #[schema(value_type = ConversationChannel)]
    pub channel: inbox::Channel,
    /// With whom.
    #[schema(value_type = ConversationCustomer)]
    pub customer: inbox::Customer,
    /// Whether the AI is silent now.
    pub paused: bool,
    /// `customer`, `staff`, `echo` (somebody answered elsewhere) or `loop`, while it is paused.
    pub paused_by: Option<String>,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When the pause ends by itself; null: when somebody resumes it.
    pub resume_at: Option<DateTime<Utc>>,
    /// Whose it is.
    #[schema(value_type = Option<Colleague>)]
    pub assigned_to: Option<inbox::Colleague>,
    /// The customer's messages that staff have not read; more than 99 count as 100.
    pub unread: i64,
    /// Whether the customer's latest message has no answer, of the AI or of a person.
    pub unanswered: bool,
    /// What was said last.
    #[schema(value_type = Option<LastMessage>)]
    pub last_message: Option<inbox::LastMessage>,
    /// When the customer last wrote.
    pub last_customer_at: Option<DateTime<Utc>>,
    /// Until when anything may be sent (Meta's 24-hour window); null if the customer never wrote.
    pub window_open_until: Option<DateTime<Utc>>,
    /// Until when a person may answer in their own words: on WhatsApp the same, on Messenger and Instagram seven days. After it WhatsApp takes templates.
    pub answer_until: Option<DateTime<Utc>>,
    /// When anything last happened in it.
    pub last_activity_at: DateTime<Utc>,
}

/// The account on which a conversation is held.
#[derive(ToSchema)]
pub struct ConversationChannel {
    /// Its number.
    pub id: i32,
    /// What people call it.
    pub name: String,
    /// `connected`, `disconnected` or `removed`.
    pub status: String,
}

/// A customer, as far as the platform tells.
#[derive(ToSchema)]
pub struct ConversationCustomer {
    /// Their number.
    pub id: i64,
    /// Their name.
    pub name: Option<String>,
    /// Their user name.
    pub username: Option<String>,
    /// Their phone number, with its `+`.
    pub phone: Option<String>,
    /// The language in which they last wrote.
    pub language: Option<String>,
}

/// Somebody of the shop.
#[derive(ToSchema)]
pub struct Colleague {
    /// Their number.
    pub id: i32,
    /// Their name, or their e-mail if they gave none.
    pub name: String,
}

/// Those of the team to whom a conversation may be assigned, all on one page.
#[derive(ToSchema)]
pub struct Colleagues {
    /// The people.
    pub items: Vec<Colleague>,
}

/// The latest message of a conversation.
#[derive(ToSchema)]
pub struct LastMessage {
    /// Its number.
    pub id: i64,
    /// `in` or `out`.
    pub direction: String,
    /// `customer`, `ai`, `human` or `system`.
    pub author: String,
    /// As of a message.
    pub kind: String,
    /// Its first 160 characters.
    pub text: String,
    /// As of a message.
    pub status: String,
    /// When it was said.
    pub occurred_at: DateTime<Utc>,
}

/// A page of conversations, those with the latest activity first.
#[derive(ToSchema)]
pub struct Conversations {
    /// The conversations.
    pub items: Vec<Conversation>,
    /// The next page's `cursor`; absent on the last one.
    #[schema(required = false)]
    pub next_cursor: String,
}

/// One conversation with its latest notes.
#[derive(Serialize, ToSchema)]
pub struct ConversationDetail {
    /// The conversation.
    #[serde(flatten)]
    #[schema(value_type = Conversation)]
    pub conversation: inbox::Conversation,
    /// Its latest notes, at most 20, the newest first.
    #[schema(value_type = Vec<super::thread::Note>)]
    pub notes: Vec<inbox::Note>,
}

/// What waits in the inbox; more than 999 of a kind count as 1000.
#[derive(ToSchema)]
pub struct Counts {
    /// Conversations with a message that staff have not read.
    pub unread: i64,
    /// Conversations whose customer waits for an answer.
    pub unanswered: i64,
    /// Conversations in which the AI is silent.
    pub paused: i64,
    /// Conversations assigned to whoever asks.
    pub mine: i64,
}

/// Which conversations to list.
#[derive(ToSchema)]
pub struct InboxSearch {
    /// What the customer's name, user name or phone number holds, or one of the shop's latest 10,000 messages.
    #[schema(required = false)]
    pub q: Option<String>,
    /// `true`: those in which the AI is silent; `false`: the others.
    #[schema(required = false)]
    pub paused: Option<bool>,
    /// `true`: those whose customer waits for an answer; `false`: the others.
    #[schema(required = false)]
    pub unanswered: Option<bool>,
    /// `true`: those with a message that staff have not read; `false`: the others.
    #[schema(required = false)]
    pub unread: Option<bool>,
    /// Only those on `whatsapp`, `instagram` or `messenger`.
    #[schema(value_type = Option<String>, required = false)]
    pub platform: Option<Platform>,
    /// Only those assigned to `me`, to `anyone`, to `nobody`, or to the colleague with this number.
    #[schema(value_type = Option<String>, required = false, example = "me")]
    pub assigned: Option<Whose>,
    /// Entries per page, 1 to 100; 50 when absent.
    #[schema(required = false)]
    pub limit: i64,
    /// The `next_cursor` of the page before.
    #[schema(value_type = Option<String>, required = false)]
    pub cursor: Option<After>,
}

/// Whose conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Whoever asks.
    Me,
    /// As it says.
    Of(Assigned),
}

impl Whose {
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "me" => Some(Self::Me),
            "anyone" => Some(Self::Of(Assigned::Anyone)),
            "nobody" => Some(Self::Of(Assigned::Nobody)),
            number => number.parse().ok().filter(|id| *id > 0).map(|id| Self::Of(Assigned::To(UserId(id)))),
        }
    }
}

/// A place in the list: microseconds of the last activity, and the number.
fn place(text: &str) -> Option<After> {
    let (at, id) = text.split_once('.')?;
    Some(After { at: DateTime::from_timestamp_micros(at.parse().ok()?)?, id: id.parse().ok()? })
}

impl Request for InboxSearch {
    fn read(form: &mut Form) -> Option<Self> {
        let mut either = |name| form.maybe_one_of(name, &["true", "false"]).map(|word| word == "true");
        let (paused, unanswered, unread) = (either("paused"), either("unanswered"), either("unread"));
        let q = form.maybe_text("q", 1..=100);
        let platform = form.maybe_one_of("platform", PLATFORMS).and_then(Platform::from_name);
        let assigned = form.maybe_parsed("assigned", "must be me, anyone, nobody, or a colleague's number", Whose::from_text);
        let cursor = form.maybe_parsed("cursor", "must be the `next_cursor` of the page before", place);
        Some(Self { q, paused, unanswered, unread, platform, assigned, limit: limit(form), cursor })
    }
}

/// How long to pause. Neither: as long as the shop has set, or until somebody resumes it.
#[derive(Default, ToSchema)]
pub struct PauseFor {
    /// So many minutes, 1 to 43200 (30 days).
    #[schema(required = false)]
    pub minutes: Option<i64>,
    /// Until then, at most 30 days ahead.
    #[schema(required = false)]
    pub resume_at: Option<DateTime<Utc>>,
}

impl Request for PauseFor {
    fn read(form: &mut Form) -> Option<Self> {
        let minutes = form.maybe_integer("minutes", 1..=LONGEST_PAUSE_MINUTES);
        let resume_at = form.maybe_parsed("resume_at", "must be a time, e.g. 2026-11-30T18:00:00Z", |text| text.parse().ok());
        if minutes.is_some() && resume_at.is_some() {
            form.refuse("resume_at", "must be left out when `minutes` is given");
        }
        Some(Self { minutes, resume_at })
    }
}

/// What is read.
#[derive(Default, ToSchema)]
pub struct ReadUpTo {
    /// Up to this message; all of it when absent.
    #[schema(required = false)]
    pub message_id: Option<i64>,
}

impl Request for ReadUpTo {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { message_id: form.maybe_integer("message_id", 1..=i64::MAX) })
    }
}

/// Whose it becomes.
#[derive(ToSchema)]
pub struct Assignment {
    /// The colleague, an owner or an order manager; absent or null: nobody.
    #[schema(required = false)]
    pub user_id: Option<i32>,
}

impl Request for Assignment {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { user_id: form.maybe_integer("user_id", 1..=i64::from(i32::MAX)) })
    }
}

/// A note to add.
#[derive(ToSchema)]
pub struct NewNote {
    /// The words, 1 to 4000 characters.
    pub text: String,
}

impl Request for NewNote {
    fn read(form: &mut Form) -> Option<Self> {
        Some(Self { text: form.text("text", 1..=4000)? })
    }
}

/// A person's answer: either `text` or `template`.
#[derive(ToSchema)]
pub struct HumanAnswer {
    /// The words: at most 4096 characters on WhatsApp, 2000 on Messenger, 1000 bytes on Instagram.
    #[schema(required = false, example = "Yes, we keep them for you until Friday.")]
    pub text: Option<String>,
    /// A template that Meta has approved; WhatsApp takes it at any time, and nothing else after the 24-hour window.
    #[schema(value_type = Option<MessageTemplate>, required = false)]
    pub template: Option<Template>,
}

/// A WhatsApp template with its values.
#[derive(ToSchema)]
pub struct MessageTemplate {
    /// Its name at Meta.
    #[schema(example = "order_ready")]
    pub name: String,
    /// Its language as Meta writes it.
    #[schema(example = "pt_BR")]
    pub language: String,
    /// The values of its body's placeholders, in order; at most 20.
    #[schema(required = false)]
    pub parameters: Vec<String>,
}

impl Request for HumanAnswer {
    fn read(form: &mut Form) -> Option<Self> {
        let text = form.maybe_text("text", 1..=4096);
        let template = form.maybe_object("template", template);
        match (&text, &template) {
            (None, None) => form.refuse_unless_refused("text", "is missing; give it or a `template`"),
            (Some(_), Some(_)) => form.refuse("template", "must be left out when `text` is given"),
            _ => {}
        }
        Some(Self { text, template })
    }
}

fn template(form: &mut Form) -> Option<Template> {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_').then(|| text.to_owned());
    let name = form.parsed("name", "must be the template's name: letters, digits and _", plain);
    let language = form.parsed("language", "must be a language as Meta writes it, e.g. en or pt_BR", plain);
    let parameters = form.texts("parameters", 20, 1..=1024);
    Some(Template { name: name?, language: language?, parameters })
}

pub(crate) async fn list(cx: StaffCx) -> Result<Reply, HttpError> {
    let asked: InboxSearch = cx.query()?;
    let assigned = asked.assigned.map(|whose| match whose {
        Whose::Me => Assigned::To(cx.user),
        Whose::Of(assigned) => assigned,
    });
    let InboxSearch { q: text, paused, unanswered, unread, platform, limit, cursor: after, .. } = asked;
    let filter = InboxFilter { text, paused, unanswered, unread, platform, assigned, after };
    let more = limit + 1;
    let read = async move |mut tx| inbox::list(&mut tx, &filter, more).await.map_err(|error: DbError| error);
    let items = cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?;
    Reply::ok(Page::of(items, limit, |last| format!("{}.{}", last.last_activity_at.timestamp_micros(), last.id)))
}

pub(crate) async fn counts(cx: StaffCx) -> Result<Reply, HttpError> {
    let user = cx.user;
    let read = async move |mut tx| inbox::counts(&mut tx, user).await.map_err(|error: DbError| error);
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn colleagues(cx: StaffCx) -> Result<Reply, HttpError> {
    let team = cx.app.db.shop_tx(&cx.scope, TxKind::Read, async move |mut tx| users::list(&mut tx).await).await?;
    let name = |user: &users::UserRow| if user.name.is_empty() { user.email.clone() } else { user.name.clone() };
    let items: Vec<inbox::Colleague> =
        team.iter().filter(|user| user.may_take_conversations()).map(|user| inbox::Colleague { id: user.id, name: name(user) }).collect();
    Reply::ok(Page { items, next_cursor: None })
}

pub(crate) async fn find(cx: StaffCx) -> Result<Reply, HttpError> {
    let id = conversation(&cx)?;
    let read = async move |mut tx| {
        let conversation = inbox::find(&mut tx, id).await?.ok_or(DbError::NotFound)?;
        let notes = inbox::notes(&mut tx, id, None, NOTES).await?;
        Ok::<_, DbError>(ConversationDetail { conversation, notes })
    };
    Reply::ok(cx.app.db.shop_tx(&cx.scope, TxKind::Read, read).await?)
}

pub(crate) async fn pause(cx: CommandCx) -> Result<Asked, HttpError> {
    let id = conversation(&cx)?;
    let PauseFor { minutes, resume_at } = cx.maybe_json()?;
    let now = cx.app.clock.now();
    let resume_at = minutes.map(|minutes| now + TimeDelta::minutes(minutes)).or(resume_at);
    if resume_at.is_some_and(|at| at <= now || at > now + TimeDelta::minutes(LONGEST_PAUSE_MINUTES)) {
        return Err(HttpError::invalid_field("resume_at", "must be in the future, at most 30 days ahead"));
    }
    Asked::job(PauseConversation { request: cx.request, conversation: id, paused: true, resume_at })
}

pub(crate) async fn resume(cx: CommandCx) -> Result<Asked, HttpError> {
    let conversation = conversation(&cx)?;
    Asked::job(PauseConversation { request: cx.request, conversation, paused: false, resume_at: None })
}

pub(crate) async fn answer(cx: CommandCx) -> Result<Asked, HttpError> {
    let conversation = conversation(&cx)?;
    let HumanAnswer { text, template } = cx.json()?;
    let words = match (text, template) {
        (_, Some(template)) => HumanWords::Template(template),
        (text, None) => HumanWords::Text { text: text.unwrap_or_default() },
    };
    Asked::job(AnswerAsHuman { request: cx.request, conversation, words })
}

pub(crate) async fn read(cx: CommandCx) -> Result<Asked, HttpError> {
    let ReadUpTo { message_id } = cx.maybe_json()?;
    change(cx, ConversationChange::Read { message: message_id.map(MessageId) })
}

pub(crate) async fn assign(cx: CommandCx) -> Result<Asked, HttpError> {
    let Assignment { user_id } = cx.json()?;
    change(cx, ConversationChange::Assign { user: user_id.map(UserId) })
}

pub(crate) async fn add_note(cx: CommandCx) -> Result<Asked, HttpError> {
    let NewNote { text } = cx.json()?;
    change(cx, ConversationChange::AddNote { text })
}

pub(crate) async fn delete_note(cx: CommandCx) -> Result<Asked, HttpError> {
    let note: NoteId = path_id(cx.parameter("note"))?;
    change(cx, ConversationChange::DeleteNote { note })
}

fn change(cx: CommandCx, change: ConversationChange) -> Result<Asked, HttpError> {
    let conversation = conversation(&cx)?;
    Asked::job(ChangeConversation { request: cx.request, conversation, change })
}

fn conversation(call: &crate::call::Call) -> Result<ConversationId, HttpError> {
    path_id(call.parameter("id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_reads_back() {
        let at = DateTime::from_timestamp_micros(1_795_342_361_123_456).unwrap();
        assert_eq!(place("1795342361123456.77"), Some(After { at, id: ConversationId(77) }));
        for text in ["", "1", "1.", ".1", "x.1", "1.x", "9223372036854775807.1"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn whose_conversations_can_be_said_in_four_ways() {
        assert_eq!(Whose::from_text("me"), Some(Whose::Me));
        assert_eq!(Whose::from_text("17"), Some(Whose::Of(Assigned::To(UserId(17)))));
        for text in ["", "0", "-1", "somebody"] {
            assert_eq!(Whose::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_is_either_words_or_a_template() {
        let read = |json: &str| Form::from_json(json.as_bytes()).unwrap().read::<HumanAnswer>().map(|_| ());
        assert!(read(r#"{"text": "hi"}"#).is_ok());
        assert!(read(r#"{"template": {"name": "ready", "language": "en", "parameters": ["Kim", "42"]}}"#).is_ok());
        for bad in [
            "{}",
            r#"{"text": " "}"#,
            r#"{"text": "hi", "template": {"name": "x", "language": "en"}}"#,
            r#"{"template": {"name": "no spaces", "language": "en"}}"#,
            r#"{"template": {"name": "x", "language": "en", "parameters": "Kim"}}"#,
            r#"{"template": {"name": "x", "language": "en", "parameters": [1]}}"#,
            r#"{"template": "x"}"#,
            r#"{"text": "hi", "shop_id": 2}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
