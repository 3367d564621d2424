//! What people at a shop read: conversations by activity, their messages and notes, and the agent's trace behind an answer.

mod notes;
mod thread;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

pub use self::notes::{Note, NoteDeletion, add_note, delete_note, notes};
pub use self::thread::{Media, Message, TurnTrace, message, messages, turn};
use super::conversations::{WINDOW, person_window};
use super::{DbError, ShopTx, sql::sql};
use crate::ids::{ChannelId, ConversationId, CustomerId, MessageId, UserId};
use crate::inbound::Platform;

/// Entries per page at most.
const MAX_PAGE: i64 = 200;

/// A conversation as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// `whatsapp`, `instagram` or `messenger`.
    pub platform: String,
    /// The account on which it is held.
    pub channel: Channel,
    /// With whom.
    pub customer: Customer,
    /// Whether the AI is silent now.
    pub paused: bool,
    /// `customer`, `staff`, `echo` or `loop`, while it is paused.
    pub paused_by: Option<String>,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When the pause ends by itself.
    pub resume_at: Option<DateTime<Utc>>,
    /// Whose it is.
    pub assigned_to: Option<Colleague>,
    /// The customer's messages that staff have not read; more than 99 count as 100.
    pub unread: i64,
    /// Whether the customer's latest message has no answer, of the AI or of a person.
    pub unanswered: bool,
    /// What was said last.
    pub last_message: Option<LastMessage>,
    /// When the customer last wrote.
    pub last_customer_at: Option<DateTime<Utc>>,
    /// Until when anything may be sent (Meta's 24-hour window, with a margin); `None` if the customer never wrote.
    pub window_open_until: Option<DateTime<Utc>>,
    /// Until when a person may answer: on WhatsApp the same (after it, templates alone), on Messenger and Instagram seven days.
    pub answer_until: Option<DateTime<Utc>>,
    /// When anything last happened in it.
    pub last_activity_at: DateTime<Utc>,
}

/// The account on which a conversation is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// What people call it.
    pub name: String,
    /// `connected`, `disconnected` or `removed`.
    pub status: String,
}

/// A customer in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// Their id.
    pub id: CustomerId,
    /// Their name, if the platform told it.
    pub name: Option<String>,
    /// Their user name, if the platform told it.
    pub username: Option<String>,
    /// Their number with its `+`, if the platform told it.
    pub phone: Option<String>,
    /// The language in which they last wrote.
    pub language: Option<String>,
}

/// Somebody of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Colleague {
    /// Their id.
    pub id: UserId,
    /// Their name, or their e-mail if they gave none.
    pub name: String,
}

/// The latest message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastMessage {
    /// Its id.
    pub id: MessageId,
    /// `in` or `out`.
    pub direction: String,
    /// `customer`, `ai`, `human` or `system`.
    pub author: String,
    /// `text`, `image`, `reply`, …
    pub kind: String,
    /// Its beginning.
    pub text: String,
    /// As in [`Message::status`].
    pub status: String,
    /// When it was said.
    pub occurred_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: ConversationId,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = Integer)]
    channel_id: ChannelId,
    #[diesel(sql_type = Text)]
    channel_name: String,
    #[diesel(sql_type = Text)]
    channel_status: String,
    #[diesel(sql_type = BigInt)]
    customer_id: CustomerId,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    username: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    phone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    language: Option<String>,
    #[diesel(sql_type = Bool)]
    paused: bool,
    #[diesel(sql_type = Nullable<Text>)]
    paused_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    resume_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Integer>)]
    assigned_to: Option<UserId>,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_name: Option<String>,
    #[diesel(sql_type = BigInt)]
    unread: i64,
    #[diesel(sql_type = Bool)]
    unanswered: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    message_id: Option<MessageId>,
    #[diesel(sql_type = Nullable<Text>)]
    direction: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    author: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    occurred_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_customer_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    last_activity_at: DateTime<Utc>,
}

impl Row {
    fn last_message(&self) -> Option<LastMessage> {
        Some(LastMessage {
            id: self.message_id?,
            direction: self.direction.clone()?,
            author: self.author.clone()?,
            kind: self.kind.clone()?,
            text: self.text.clone()?,
            status: self.status.clone()?,
            occurred_at: self.occurred_at?,
        })
    }
}

impl From<Row> for Conversation {
    fn from(row: Row) -> Self {
        let last_message = row.last_message();
        let answer_window = Platform::from_name(&row.platform).map_or(WINDOW, person_window);
        let paused = row.paused;
        Self {
            id: row.id,
            platform: row.platform,
            channel: Channel { id: row.channel_id, name: row.channel_name, status: row.channel_status },
            customer: Customer {
                id: row.customer_id,
                name: row.name,
                username: row.username,
                phone: row.phone.map(|phone| format!("+{phone}")),
                language: row.language,
            },
            paused,
            paused_by: row.paused_by.filter(|_| paused),
            paused_at: row.paused_at.filter(|_| paused),
            resume_at: row.resume_at.filter(|_| paused),
            assigned_to: row.assigned_to.zip(row.assigned_name).map(|(id, name)| Colleague { id, name }),
            unread: row.unread,
            unanswered: row.unanswered,
            last_message,
            last_customer_at: row.last_customer_at,
            window_open_until: row.last_customer_at.map(|wrote| wrote + WINDOW),
            answer_until: row.last_customer_at.map(|wrote| wrote + answer_window),
            last_activity_at: row.last_activity_at,
        }
    }
}

/// A page's conversations, dressed up; `$1` is the shop.
const DRESSED: &str = "SELECT c.id, h.platform, c.channel_id, h.name AS channel_name, h.status AS channel_status, c.customer_id, k.name, k.username, \
    (SELECT a.value FROM customer_aliases a WHERE a.shop_id = $1 AND a.customer_id = c.customer_id AND a.kind = 'phone' \
     ORDER BY a.created_at DESC LIMIT 1) AS phone, c.language, \
    c.paused AND coalesce(c.resume_at > now(), true) AS paused, c.paused_by, c.paused_at, c.resume_at, \
    c.assigned_to, coalesce(nullif(u.name, ''), u.email) AS assigned_name, \
    (SELECT count(*) FROM (SELECT FROM messages n WHERE n.shop_id = $1 AND n.conversation_id = c.id AND n.id > c.seen_message_id \
     AND n.direction = 'in' LIMIT 100) AS unseen) AS unread, \
    c.last_in_id > c.last_answer_id AS unanswered, m.id AS message_id, m.direction, m.author, m.kind, left(m.body, 160) AS text, m.status, \
    m.occurred_at, c.last_customer_at, c.last_activity_at \
    FROM page c JOIN channels h ON h.shop_id = $1 AND h.id = c.channel_id JOIN customers k ON k.shop_id = $1 AND k.id = c.customer_id \
    LEFT JOIN users u ON u.shop_id = $1 AND u.id = c.assigned_to \
    LEFT JOIN LATERAL (SELECT * FROM messages l WHERE l.shop_id = $1 AND l.conversation_id = c.id ORDER BY l.id DESC LIMIT 1) m ON true \
    ORDER BY c.last_activity_at DESC, c.id DESC";

/// Where a page of conversations begins: after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// Its last activity.
    pub at: DateTime<Utc>,
    /// Its id.
    pub id: ConversationId,
}

/// Whose conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assigned {
    /// This colleague's.
    To(UserId),
    /// Anybody's.
    Anyone,
    /// Nobody's.
    Nobody,
}

/// Which conversations to list.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// Only those whose customer's name, user name or number, or one of the shop's latest 10,000 messages, holds this.
    pub text: Option<String>,
    /// Only those in which the AI is, or is not, silent.
    pub paused: Option<bool>,
    /// Only those that wait, or do not wait, for an answer.
    pub unanswered: Option<bool>,
    /// Only those with, or without, a message that staff have not read.
    pub unread: Option<bool>,
    /// Only those on this platform.
    pub platform: Option<Platform>,
    /// Only those that are whose.
    pub assigned: Option<Assigned>,
    /// Only those after this one: the last of the page before.
    pub after: Option<After>,
}

impl InboxFilter {
    /// What is not asked for is left out of the text, so that each text has a plan of its own; there are some hundred texts at most.
    fn conditions(&self) -> String {
        let either = |asked: Option<bool>, yes: &'static str, no: &'static str| match asked {
            Some(true) => yes,
            Some(false) => no,
            None => "true",
        };
        let only = |asked: bool, condition: &'static str, absent: &'static str| if asked { condition } else { absent };
        [
            either(self.paused, "paused AND coalesce(resume_at > now(), true)", "NOT (paused AND coalesce(resume_at > now(), true))"),
            either(self.unanswered, "last_in_id > last_answer_id", "last_in_id <= last_answer_id"),
            either(self.unread, "last_in_id > seen_message_id", "last_in_id <= seen_message_id"),
            only(self.after.is_some(), "(last_activity_at, id) < ($2, $3)", "$2::timestamptz IS NULL AND $3::bigint IS NULL"),
            only(
                self.platform.is_some(),
                "channel_id IN (SELECT h.id FROM channels h WHERE h.shop_id = $1 AND h.platform = $4)",
                "$4::text IS NULL",
            ),
            match self.assigned {
                Some(Assigned::To(_)) => "assigned_to = $5",
                Some(Assigned::Anyone) => "assigned_to IS NOT NULL AND $5::integer IS NULL",
                Some(Assigned::Nobody) => "assigned_to IS NULL AND $5::integer IS NULL",
                None => "$5::integer IS NULL",
            },
            only(self.text.is_some(), HOLDS_TEXT, "$6::text IS NULL AND $7::text IS NULL"),
        ]
        .join(" AND ")
    }
}

/// No index helps under row-level security (see decision 9): a shop's customers are compared, and a bounded number of its latest messages.
const HOLDS_TEXT: &str = "(customer_id IN (SELECT k.id FROM customers k WHERE k.shop_id = $1 AND k.search_name LIKE fold($6)) \
    OR customer_id IN (SELECT a.customer_id FROM customer_aliases a WHERE a.shop_id = $1 AND a.kind = 'phone' AND a.value LIKE $7) \
    OR id IN (SELECT latest.conversation_id FROM (SELECT m.conversation_id, m.body FROM messages m WHERE m.shop_id = $1 \
              ORDER BY m.id DESC LIMIT 10000) AS latest WHERE latest.body ILIKE $6))";

/// A page of conversations, those with the latest activity first, at most `limit` (200).
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, filter: &InboxFilter, limit: i64) -> Result<Vec<Conversation>, DbError> {
    let text = filter.text.as_deref();
    let user = if let Some(Assigned::To(user)) = filter.assigned { Some(user) } else { None };
    let rows: Vec<Row> = sql(format!(
        "WITH page AS (SELECT * FROM conversations WHERE shop_id = $1 AND {} ORDER BY last_activity_at DESC, id DESC LIMIT $8) {DRESSED}",
        filter.conditions()
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Nullable<Timestamptz>, _>(filter.after.map(|after| after.at))
    .bind::<Nullable<BigInt>, _>(filter.after.map(|after| after.id))
    .bind::<Nullable<Text>, _>(filter.platform.map(Platform::as_str))
    .bind::<Nullable<Integer>, _>(user)
    .bind::<Nullable<Text>, _>(text.map(holding))
    .bind::<Nullable<Text>, _>(text.map(number_holding))
    .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// A pattern for what holds `text`, whose own signs stand for themselves.
fn holding(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A pattern for a number that holds the digits of `text`, if it is written as a number; else one that fits none.
fn number_holding(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 3 && text.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c));
    // Stored with the country's code: neither `00` nor the `0` before an area belongs to it.
    if is_number { format!("%{}%", digits.trim_start_matches('0')) } else { String::new() }
}

/// Finds one.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, conversation: ConversationId) -> Result<Option<Conversation>, DbError> {
    let row: Option<Row> = sql(format!("WITH page AS (SELECT * FROM conversations WHERE shop_id = $1 AND id = $2) {DRESSED}"))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(Conversation::from))
}

/// What waits in the inbox; more than 999 of a kind count as 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, QueryableByName)]
pub struct Counts {
    /// Conversations with a message that staff have not read.
    #[diesel(sql_type = BigInt)]
    pub unread: i64,
    /// Conversations whose customer waits for an answer.
    #[diesel(sql_type = BigInt)]
    pub unanswered: i64,
    /// Conversations in which the AI is silent.
    #[diesel(sql_type = BigInt)]
    pub paused: i64,
    /// Conversations of whoever asks.
    #[diesel(sql_type = BigInt)]
    pub mine: i64,
}

/// What waits in the inbox, as `user` sees it.
///
/// # Errors
/// See [`DbError`].
pub async fn counts(tx: &mut ShopTx, user: UserId) -> Result<Counts, DbError> {
    let up_to_1000 = |condition: &str| {
        format!("(SELECT count(*) FROM (SELECT FROM conversations WHERE shop_id = $1 AND {condition} LIMIT 1000) AS these)")
    };
    Ok(sql(format!(
        "SELECT {} AS unread, {} AS unanswered, {} AS paused, {} AS mine",
        up_to_1000("last_in_id > seen_message_id"),
        up_to_1000("last_in_id > last_answer_id"),
        up_to_1000("paused AND coalesce(resume_at > now(), true)"),
        up_to_1000("assigned_to = $2"),
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Integer, _>(user)
    .get_result(tx.conn())
    .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_a_search_stand_for_themselves() {
        assert_eq!(holding(r"50%_\"), r"%50\%\_\\%");
        assert_eq!(number_holding("+49 (171) 55"), "%4917155%");
        assert_eq!(number_holding("0049 171"), "%49171%");
        assert_eq!(number_holding("0171/55"), "%17155%");
        for no_number in ["size 42", "12", "", "+-"] {
            assert_eq!(number_holding(no_number), "");
        }
    }
}
