//! Notes: what colleagues tell one another about a conversation.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{Colleague, MAX_PAGE};
use crate::db::{DbError, ShopTx, sql::sql};
use crate::ids::{ConversationId, NoteId, UserId};

/// What a colleague wrote; customers never see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// Who wrote it; nobody once they have left.
    pub user: Option<Colleague>,
    /// The words.
    pub text: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct NoteRow {
    #[diesel(sql_type = BigInt)]
    id: NoteId,
    #[diesel(sql_type = Nullable<Integer>)]
    user_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Text>)]
    user_name: Option<String>,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        let user = row.user_id.zip(row.user_name).map(|(id, name)| Colleague { id, name });
        Self { id: row.id, user, text: row.text, created_at: row.created_at }
    }
}

const NOTE: &str = "n.id, n.user_id, coalesce(nullif(u.name, ''), u.email) AS user_name, n.body AS text, n.created_at";

/// A page of a conversation's notes, the newest first, at most `limit` (200), before `before`.
///
/// # Errors
/// See [`DbError`].
pub async fn notes(tx: &mut ShopTx, conversation: ConversationId, before: Option<NoteId>, limit: i64) -> Result<Vec<Note>, DbError> {
    let rows: Vec<NoteRow> = sql(format!(
        "SELECT {NOTE} FROM conversation_notes n LEFT JOIN users u ON u.shop_id = $1 AND u.id = n.user_id \
         WHERE n.shop_id = $1 AND n.conversation_id = $2 AND n.id < $3 ORDER BY n.id DESC LIMIT $4"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(conversation)
    .bind::<BigInt, _>(before.map_or(i64::MAX, |note| note.0))
    .bind::<BigInt, _>(limit.clamp(0, MAX_PAGE))
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Note::from).collect())
}

/// Adds a note to a conversation, which must be there.
///
/// # Errors
/// See [`DbError`].
pub async fn add_note(tx: &mut ShopTx, conversation: ConversationId, user: Option<UserId>, text: &str) -> Result<Note, DbError> {
    let row: NoteRow = sql(format!(
        "WITH n AS (INSERT INTO conversation_notes (shop_id, conversation_id, user_id, body) VALUES ($1, $2, $3, $4) RETURNING *) \
         SELECT {NOTE} FROM n LEFT JOIN users u ON u.shop_id = $1 AND u.id = n.user_id"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(conversation)
    .bind::<Nullable<Integer>, _>(user)
    .bind::<Text, _>(text)
    .get_result(tx.conn())
    .await?;
    Ok(row.into())
}

/// How deleting a note went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteDeletion {
    /// It is gone.
    Deleted,
    /// A colleague wrote it; it stays.
    NotOwn,
    /// There is none.
    Missing,
}

/// Deletes a note that `user` wrote.
///
/// # Errors
/// See [`DbError`].
pub async fn delete_note(
    tx: &mut ShopTx,
    conversation: ConversationId,
    note: NoteId,
    user: Option<UserId>,
) -> Result<NoteDeletion, DbError> {
    #[derive(QueryableByName)]
    struct Owned {
        #[diesel(sql_type = Bool)]
        own: bool,
    }
    let found: Option<Owned> =
        sql("SELECT coalesce(user_id = $4, false) AS own FROM conversation_notes WHERE shop_id = $1 AND conversation_id = $2 AND id = $3")
            .bind::<Integer, _>(tx.shop())
            .bind::<BigInt, _>(conversation)
            .bind::<BigInt, _>(note)
            .bind::<Nullable<Integer>, _>(user)
            .get_result(tx.conn())
            .await
            .optional()?;
    match found {
        None => Ok(NoteDeletion::Missing),
        Some(Owned { own: false }) => Ok(NoteDeletion::NotOwn),
        Some(Owned { own: true }) => {
            sql("DELETE FROM conversation_notes WHERE shop_id = $1 AND id = $2")
                .bind::<Integer, _>(tx.shop())
                .bind::<BigInt, _>(note)
                .execute(tx.conn())
                .await?;
            Ok(NoteDeletion::Deleted)
        }
    }
}
