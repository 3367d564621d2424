//! Reminders of appointments that are near: which are due, what became of each, and which one a customer answers. One per appointment, time and notice.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;

use super::{Appointment, COLUMNS};
use crate::db::{DbError, ShopTx, sql::sql};
use crate::ids::{AppointmentId, ConversationId, MessageId};

/// Reminders of one appointment that are shown at most.
const MAX_SHOWN: i64 = 200;

/// What is due of `appointments` (alias `a`) at `$2`: the notices whose time has come, unless the appointment was put there later than that, and unless
/// they are noted already.
const DUE: &str = "a.shop_id = $1 AND a.state = 'booked' AND a.customer_id IS NOT NULL AND a.starts_at > $2 \
     AND a.starts_at <= $2 + make_interval(mins => n.minutes) \
     AND coalesce((SELECT max(e.created_at) FROM appointment_events e WHERE e.shop_id = $1 AND e.appointment_id = a.id \
             AND e.from_starts_at IS DISTINCT FROM e.to_starts_at), a.created_at) < a.starts_at - make_interval(mins => n.minutes) \
     AND NOT EXISTS (SELECT FROM appointment_reminders r WHERE r.shop_id = $1 AND r.appointment_id = a.id AND r.minutes = n.minutes \
             AND r.starts_at = a.starts_at)";

/// What became of a reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
pub struct Reminder {
    /// So many minutes ahead.
    #[diesel(sql_type = Integer)]
    pub minutes: i32,
    /// Of this time.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// `sent`: the message is on its way or out. `skipped`: there is none.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// Why it was skipped, see [`Skipped`].
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// The message.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub message_id: Option<MessageId>,
    /// When it was noted.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// Why a customer is not reminded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// A nearer reminder stands in its place.
    Overtaken,
    /// The shop's AI is off.
    ShopInactive,
    /// The customer never wrote.
    NoConversation,
    /// The channel is not connected.
    ChannelOff,
    /// The customer has not written for a day, and the shop has named no template.
    NoTemplate,
    /// The customer has not written for a day, and the platform knows no templates.
    WindowClosed,
}

impl Skipped {
    /// The word in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overtaken => "overtaken",
            Self::ShopInactive => "shop_inactive",
            Self::NoConversation => "no_conversation",
            Self::ChannelOff => "channel_off",
            Self::NoTemplate => "no_template",
            Self::WindowClosed => "window_closed",
        }
    }
}

/// Appointments of which something is due, the nearest first, at most `limit`.
///
/// # Errors
/// See [`DbError`].
pub async fn due(tx: &mut ShopTx, now: DateTime<Utc>, limit: i64) -> Result<Vec<AppointmentId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: AppointmentId,
    }
    let rows: Vec<Row> = sql(format!(
        "SELECT a.id FROM appointments a WHERE a.shop_id = $1 AND a.starts_at > $2 AND a.starts_at <= $2 + interval '10080 minutes' \
             AND EXISTS (SELECT FROM shops s, unnest(s.reminder_minutes) AS n (minutes) WHERE s.id = $1 AND {DUE}) ORDER BY a.starts_at, a.id LIMIT $3"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// What is due of one appointment.
#[derive(Debug, Clone)]
pub struct Due {
    /// As it stands.
    pub appointment: Appointment,
    /// The notice that is given now.
    pub minutes: i32,
}

/// What is due of one appointment, which is locked: whoever else looks waits, and then finds nothing. Of several notices only the nearest is due, the others
/// are noted as overtaken; so is all of it if a nearer one was given before.
///
/// # Errors
/// See [`DbError`].
pub async fn take(tx: &mut ShopTx, id: AppointmentId, now: DateTime<Utc>) -> Result<Option<Due>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        minutes: i32,
        #[diesel(sql_type = Bool)]
        overtaken: bool,
    }
    let appointment: Option<Appointment> =
        sql(format!("SELECT {COLUMNS} FROM appointments WHERE shop_id = $1 AND id = $2 AND state = 'booked' FOR NO KEY UPDATE"))
            .bind::<Integer, _>(tx.shop())
            .bind::<BigInt, _>(id)
            .get_result(tx.conn())
            .await
            .optional()?;
    let Some(appointment) = appointment else { return Ok(None) };
    let rows: Vec<Row> = sql(format!(
        "SELECT n.minutes, EXISTS (SELECT FROM appointment_reminders o WHERE o.shop_id = $1 AND o.appointment_id = a.id AND o.starts_at = a.starts_at \
             AND o.minutes < n.minutes) AS overtaken \
         FROM appointments a, shops s, unnest(s.reminder_minutes) AS n (minutes) WHERE s.id = $1 AND a.id = $3 AND {DUE} ORDER BY n.minutes"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(id)
    .load(tx.conn())
    .await?;
    let nearest = match rows.as_slice() {
        [nearest, ..] if !nearest.overtaken => Some(nearest.minutes),
        _ => None,
    };
    for row in rows.iter().filter(|row| Some(row.minutes) != nearest) {
        note(tx, &Due { appointment: appointment.clone(), minutes: row.minutes }, Err(Skipped::Overtaken), now).await?;
    }
    Ok(nearest.map(|minutes| Due { appointment, minutes }))
}

/// Notes what became of a reminder: the message, or why there is none.
///
/// # Errors
/// See [`DbError`].
pub async fn note(tx: &mut ShopTx, due: &Due, how: Result<MessageId, Skipped>, now: DateTime<Utc>) -> Result<(), DbError> {
    sql("INSERT INTO appointment_reminders (shop_id, appointment_id, minutes, starts_at, state, reason, message_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(due.appointment.id)
    .bind::<Integer, _>(due.minutes)
    .bind::<Timestamptz, _>(due.appointment.starts_at)
    .bind::<Text, _>(if how.is_ok() { "sent" } else { "skipped" })
    .bind::<Nullable<Text>, _>(how.err().map(Skipped::as_str))
    .bind::<Nullable<BigInt>, _>(how.ok())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An appointment's reminders, the first one first.
///
/// # Errors
/// See [`DbError`].
pub async fn list(tx: &mut ShopTx, id: AppointmentId) -> Result<Vec<Reminder>, DbError> {
    Ok(sql("SELECT minutes, starts_at, state, reason, message_id, created_at FROM appointment_reminders \
         WHERE shop_id = $1 AND appointment_id = $2 ORDER BY created_at, minutes DESC LIMIT $3")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(MAX_SHOWN)
    .load(tx.conn())
    .await?)
}

/// Whether a reminder still says what is so: its appointment stands, at that time, and is ahead.
///
/// # Errors
/// See [`DbError`].
pub async fn holds(tx: &mut ShopTx, message: MessageId, now: DateTime<Utc>) -> Result<bool, DbError> {
    let found = sql("SELECT FROM appointment_reminders r JOIN appointments a ON a.shop_id = $1 AND a.id = r.appointment_id \
         WHERE r.shop_id = $1 AND r.message_id = $2 AND a.state = 'booked' AND a.starts_at = r.starts_at AND a.starts_at > $3")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(message)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(found > 0)
}

/// The appointment of which the last word to a customer reminds, if that is a reminder which went out before they wrote: what they say now may answer it.
///
/// # Errors
/// See [`DbError`].
pub async fn last_word(tx: &mut ShopTx, conversation: ConversationId, wrote_at: DateTime<Utc>) -> Result<Option<AppointmentId>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        appointment_id: AppointmentId,
    }
    let row: Option<Row> =
        sql("SELECT r.appointment_id FROM appointment_reminders r JOIN messages m ON m.shop_id = $1 AND m.id = r.message_id \
         WHERE r.shop_id = $1 AND m.sent_at < $3 AND m.id = (SELECT l.id FROM messages l WHERE l.shop_id = $1 AND l.conversation_id = $2 \
             AND l.direction = 'out' AND l.status NOT IN ('superseded', 'failed', 'deleted') ORDER BY l.id DESC LIMIT 1)")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(conversation)
        .bind::<Timestamptz, _>(wrote_at)
        .get_result(tx.conn())
        .await
        .optional()?;
    Ok(row.map(|row| row.appointment_id))
}
