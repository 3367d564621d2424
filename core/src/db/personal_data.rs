//! What is known of a customer, and how it is forgotten (GDPR, articles 15, 17 and 20). Orders and appointments stay, as figures, accounts and other
//! people's time rest on them; whose they were does not.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DbError, ShopTx, media, sql::sql};
use crate::ids::{ConversationId, CustomerId};

/// Rows of a kind that an export holds at most; it says so if there are more.
pub const MOST_EXPORTED: i64 = 20_000;
/// Ids of a platform are longer; shorter ones might stand in other people's events by chance.
const SHORTEST_ID: usize = 5;

/// Everything known of a customer.
#[derive(Debug, Serialize)]
pub struct Export {
    /// Who they are: name, ids on the platform, language.
    pub customer: Value,
    /// Their conversations.
    pub conversations: Value,
    /// What was said, the oldest first.
    pub messages: Value,
    /// The files they sent; the bytes are at `url`.
    pub files: Value,
    /// What staff noted about them.
    pub notes: Value,
    /// What they ordered.
    pub orders: Value,
    /// Their appointments.
    pub appointments: Value,
    /// Whether there is more of a kind than an export holds.
    pub truncated: bool,
}

#[derive(QueryableByName)]
struct Document {
    #[diesel(sql_type = Jsonb)]
    document: Value,
}

/// Everything known of a customer; `None` if there is no such customer.
///
/// # Errors
/// See [`DbError`].
pub async fn export(tx: &mut ShopTx, customer: CustomerId) -> Result<Option<Export>, DbError> {
    let who: Option<Document> =
        sql("SELECT jsonb_build_object('id', k.id, 'name', k.name, 'username', k.username, 'language', k.language, \
         'platform', h.platform, 'created_at', k.created_at, 'erased_at', k.erased_at, 'ids', \
         (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', a.kind, 'value', a.value)), '[]') FROM customer_aliases a \
          WHERE a.shop_id = $1 AND a.customer_id = k.id)) AS document \
         FROM customers k JOIN channels h ON h.shop_id = $1 AND h.id = k.channel_id WHERE k.shop_id = $1 AND k.id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(customer)
        .get_result(tx.conn())
        .await
        .optional()?;
    let Some(Document { document: who }) = who else { return Ok(None) };
    let conversations = rows(
        tx,
        customer,
        "SELECT jsonb_build_object('id', c.id, 'created_at', c.created_at, 'last_customer_at', c.last_customer_at) AS document, c.id AS place \
         FROM conversations c WHERE c.shop_id = $1 AND c.customer_id = $2",
    )
    .await?;
    let messages = rows(
        tx,
        customer,
        "SELECT jsonb_build_object('conversation_id', m.conversation_id, 'at', m.occurred_at, 'author', m.author, 'kind', m.kind, 'text', m.body, \
         'content', m.content, 'status', m.status) AS document, m.id AS place \
         FROM messages m JOIN conversations c ON c.shop_id = $1 AND c.id = m.conversation_id WHERE m.shop_id = $1 AND c.customer_id = $2",
    )
    .await?;
    let files = rows(
        tx,
        customer,
        "SELECT jsonb_build_object('conversation_id', m.conversation_id, 'at', m.occurred_at, 'kind', f.kind, 'state', f.state, 'mime_type', f.mime_type, \
         'size', f.size, 'file_name', f.file_name, 'sha256', f.sha256, 'url', CASE WHEN f.state = 'kept' THEN '/media/' || f.id END) AS document, f.id AS place \
         FROM media f JOIN messages m ON m.shop_id = $1 AND m.id = f.message_id JOIN conversations c ON c.shop_id = $1 AND c.id = m.conversation_id \
         WHERE f.shop_id = $1 AND c.customer_id = $2",
    )
    .await?;
    let notes = rows(
        tx,
        customer,
        "SELECT jsonb_build_object('conversation_id', n.conversation_id, 'at', n.created_at, 'text', n.body) AS document, n.id AS place \
         FROM conversation_notes n JOIN conversations c ON c.shop_id = $1 AND c.id = n.conversation_id WHERE n.shop_id = $1 AND c.customer_id = $2",
    )
    .await?;
    let orders = rows(
        tx,
        customer,
        "SELECT jsonb_build_object('order_no', o.order_no, 'at', o.created_at, 'status', o.status, 'product', o.product_name, 'quantity', o.quantity, \
         'price', o.price::text, 'name', o.customer_name, 'contact', o.contact) AS document, o.id AS place \
         FROM orders o WHERE o.shop_id = $1 AND o.customer_id = $2",
    )
    .await?;
    let appointments = rows(
        tx,
        customer,
        "SELECT jsonb_build_object('id', a.id, 'starts_at', a.starts_at, 'ends_at', a.ends_at, 'service', a.service_name, 'state', a.state, \
         'price', a.price::text, 'name', a.customer_name, 'contact', a.contact, 'note', a.note, 'booked_at', a.created_at, 'confirmed_at', a.confirmed_at) AS document, a.id AS place \
         FROM appointments a WHERE a.shop_id = $1 AND a.customer_id = $2",
    )
    .await?;
    let truncated = [&conversations, &messages, &files, &notes, &orders, &appointments].iter().any(|(_, more)| *more);
    Ok(Some(Export {
        customer: who,
        conversations: conversations.0,
        messages: messages.0,
        files: files.0,
        notes: notes.0,
        orders: orders.0,
        appointments: appointments.0,
        truncated,
    }))
}

/// What a query about a customer finds, in order, and whether there is more of it.
async fn rows(tx: &mut ShopTx, customer: CustomerId, query: &str) -> Result<(Value, bool), DbError> {
    let found: Vec<Document> =
        sql(format!("SELECT found.document FROM ({query}) AS found ORDER BY found.place LIMIT {}", MOST_EXPORTED + 1))
            .bind::<Integer, _>(tx.shop())
            .bind::<BigInt, _>(customer)
            .load(tx.conn())
            .await?;
    let most = usize::try_from(MOST_EXPORTED).unwrap_or(usize::MAX);
    let more = found.len() > most;
    Ok((found.into_iter().take(most).map(|row| row.document).collect(), more))
}

/// What is left to forget once a customer is erased: where else they may be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// The conversations, whose memory is to go.
    pub conversations: Vec<ConversationId>,
    /// The ids under which the platform knew them: raw events that hold one are to go.
    pub ids: Vec<String>,
    /// The keys of files that are to be removed.
    #[serde(default)]
    pub files: Vec<String>,
}

/// Forgets a customer: who they are, what was said with them and noted about them. Orders and appointments stay without name and contact. `None` if there is no such
/// customer. Erasing twice changes nothing.
///
/// # Errors
/// See [`DbError`].
pub async fn erase(tx: &mut ShopTx, customer: CustomerId) -> Result<Option<Traces>, DbError> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: ConversationId,
    }
    #[derive(QueryableByName)]
    struct Alias {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let known = sql("UPDATE customers SET name = NULL, username = NULL, language = NULL, erased_at = coalesce(erased_at, now()) \
         WHERE shop_id = $1 AND id = $2")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .execute(tx.conn())
    .await?;
    if known == 0 {
        return Ok(None);
    }
    // Locked: a turn that is under way finds its fence taken, and writes nothing any more.
    let conversations: Vec<Id> = sql("UPDATE conversations SET turn_fence = turn_fence + 1, human_epoch = human_epoch + 1, language = NULL, \
         seen_message_id = last_in_id, last_answer_id = last_in_id, assigned_to = NULL WHERE shop_id = $1 AND customer_id = $2 RETURNING id")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .load(tx.conn())
    .await?;
    let conversations: Vec<ConversationId> = conversations.into_iter().map(|row| row.id).collect();
    let files = media::forget_conversations(tx, &conversations).await?;
    for forget in [
        // Meta's message ids hold the sender's number.
        "UPDATE messages SET body = '', content = '{}', provider_id = NULL, status = 'deleted' WHERE shop_id = $1 AND conversation_id = ANY($2)",
        "UPDATE turns SET trace = '[]', state = 'done', done_at = coalesce(done_at, now()) WHERE shop_id = $1 AND conversation_id = ANY($2)",
        "UPDATE proposals SET state = 'expired', closed_at = now() WHERE shop_id = $1 AND conversation_id = ANY($2) AND state = 'open'",
        "DELETE FROM archives WHERE shop_id = $1 AND conversation_id = ANY($2)",
        "DELETE FROM conversation_notes WHERE shop_id = $1 AND conversation_id = ANY($2)",
    ] {
        sql(forget)
            .bind::<Integer, _>(tx.shop())
            .bind::<Array<BigInt>, _>(conversations.iter().map(|id| id.0).collect::<Vec<_>>())
            .execute(tx.conn())
            .await?;
    }
    sql("UPDATE orders SET customer_name = '', contact = NULL WHERE shop_id = $1 AND customer_id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(customer)
        .execute(tx.conn())
        .await?;
    // Where a calendar elsewhere names them, the next look at it writes the event anew.
    sql("UPDATE appointments SET customer_name = '', contact = NULL, note = '', google_version = NULL, \
         sync_state = CASE WHEN google_event_id IS NULL THEN sync_state ELSE 'pending' END WHERE shop_id = $1 AND customer_id = $2")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(customer)
    .execute(tx.conn())
    .await?;
    // Answers are kept for repeats, and do not tell whom they show: those that show anybody are emptied. A repeat still does nothing twice.
    sql(r#"UPDATE requests SET answer = '{"outcome": "empty"}' WHERE shop_id = $1 AND answer::text ~ '"(text|customer|customer_name|contact)":'"#)
        .bind::<Integer, _>(tx.shop())
        .execute(tx.conn())
        .await?;
    let aliases: Vec<Alias> = sql("DELETE FROM customer_aliases WHERE shop_id = $1 AND customer_id = $2 RETURNING value")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(customer)
        .load(tx.conn())
        .await?;
    let ids = aliases.into_iter().map(|row| row.value).filter(|value| value.len() >= SHORTEST_ID).collect();
    Ok(Some(Traces { conversations, ids, files }))
}

/// Empties the shop's raw events that hold one of these ids, at most `limit` of them with a number above `after`; the highest number among them, or
/// `None` if there are no more.
///
/// # Errors
/// See [`DbError`].
pub async fn empty_logs(tx: &mut ShopTx, ids: &[String], after: i64, limit: i64) -> Result<Option<i64>, DbError> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Nullable<BigInt>)]
        last: Option<i64>,
    }
    let row: Last = sql("WITH page AS (SELECT id, created_at FROM logs WHERE shop_id = $1 AND id > $3 ORDER BY id LIMIT $4), \
         emptied AS (UPDATE logs l SET payload = '{}', dedupe_key = NULL FROM page p WHERE l.shop_id = $1 AND l.id = p.id \
            AND l.created_at = p.created_at AND EXISTS (SELECT FROM unnest($2) AS known (id) WHERE position(known.id IN l.payload::text) > 0)) \
         SELECT max(id) AS last FROM page")
    .bind::<Integer, _>(tx.shop())
    .bind::<Array<Text>, _>(ids)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit)
    .get_result(tx.conn())
    .await?;
    Ok(row.last)
}
