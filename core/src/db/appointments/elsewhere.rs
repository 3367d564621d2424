//! Appointments as they stand in the shop's Google calendar: what is still to be written there, and what was changed there and is taken over here.
//!
//! Two numbers decide who was last. `google_version` is the version of ours that stands at Google: if the row's is another, our change is on its way, and
//! it wins. `google_etag` is Google's own of our last write or read: a listed event that carries it is nobody's change.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::{Appointment, AppointmentState, Before, By, COLUMNS, ChangeError, Changed, announce as announce_change, cancel};
use crate::db::outbox::{self, Pending};
use crate::db::{DbError, ShopTx, one_at_a_time, sql::sql};
use crate::google::event_id;
use crate::ids::AppointmentId;
use crate::jobs::SyncAppointment;

/// Who changed it, for the history.
const ACTOR: &str = "google";
/// What has waited so long is enqueued anew: its job has died, or Google was away for longer than a job tries.
const OVERDUE: TimeDelta = TimeDelta::minutes(10);

/// If the shop has a calendar elsewhere, the job that writes a change there, in the same transaction as the change.
pub(super) async fn announce(tx: &mut ShopTx, appointment: &mut Appointment) -> Result<Option<Pending>, DbError> {
    let waits = sql("UPDATE appointments SET sync_state = 'pending' WHERE shop_id = $1 AND id = $2 \
         AND EXISTS (SELECT FROM integrations i WHERE i.shop_id = $1 AND i.provider = 'google' AND i.calendar_id IS NOT NULL)")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(appointment.id)
    .execute(tx.conn())
    .await?;
    if waits == 0 {
        return Ok(None);
    }
    "pending".clone_into(&mut appointment.sync_state);
    let key = format!("sync:{}:{}", appointment.id, appointment.version);
    Ok(Some(outbox::add(tx, &SyncAppointment { appointment: appointment.id }, &key).await?))
}

/// What stands of an appointment at Google.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Synced {
    /// The event's id there; absent: it was never written.
    #[diesel(sql_type = Nullable<Text>)]
    pub google_event_id: Option<String>,
    /// The calendar it is in.
    #[diesel(sql_type = Nullable<Text>)]
    pub google_calendar_id: Option<String>,
    /// Google's version, of our last write or read.
    #[diesel(sql_type = Nullable<Text>)]
    pub google_etag: Option<String>,
    /// Ours that stands there.
    #[diesel(sql_type = Nullable<Integer>)]
    pub google_version: Option<i32>,
}

/// An appointment, with what stands of it at Google.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Mirrored {
    /// As it stands here.
    #[diesel(embed)]
    pub appointment: Appointment,
    /// As it stands there.
    #[diesel(embed)]
    pub synced: Synced,
}

const MIRRORED: &str = "google_event_id, google_calendar_id, google_etag, google_version";

impl Mirrored {
    /// Whether what stands here stands in this calendar.
    #[must_use]
    pub fn stands_in(&self, calendar: &str) -> bool {
        self.synced.google_calendar_id.as_deref() == Some(calendar) && self.synced.google_version == Some(self.appointment.version)
    }

    /// The calendar and the event in which it stands, if that is another calendar than this.
    #[must_use]
    pub fn left_behind(&self, calendar: &str) -> Option<(&str, &str)> {
        let standing = self.synced.google_calendar_id.as_deref().filter(|standing| *standing != calendar);
        standing.zip(self.synced.google_event_id.as_deref())
    }

    /// Whether it is over: it took place, or its time has passed. What was cancelled is not over, but to be deleted.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        let state = self.appointment.state.as_str();
        state != AppointmentState::Cancelled.as_str() && (!self.appointment.is_booked() || self.appointment.ends_at <= now)
    }
}

/// An appointment, with what stands of it at Google.
///
/// # Errors
/// See [`DbError`].
pub async fn find(tx: &mut ShopTx, id: AppointmentId) -> Result<Option<Mirrored>, DbError> {
    Ok(sql(format!("SELECT {COLUMNS}, {MIRRORED} FROM appointments WHERE shop_id = $1 AND id = $2"))
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(id)
        .get_result(tx.conn())
        .await
        .optional()?)
}

/// Before its event is deleted from the calendar that was picked before: whoever still looks at that one sees no deletion of the owner's in it.
///
/// # Errors
/// See [`DbError`].
pub async fn leave(tx: &mut ShopTx, id: AppointmentId, calendar: &str) -> Result<(), DbError> {
    sql("UPDATE appointments SET google_version = NULL, sync_state = 'pending' WHERE shop_id = $1 AND id = $2 AND google_calendar_id = $3")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(calendar)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Before it is first written to a calendar: under which id, and where; `None` if that calendar is not the one that is picked. In another calendar
/// it begins anew.
///
/// # Errors
/// See [`DbError`].
pub async fn place(tx: &mut ShopTx, appointment: &Appointment, calendar: &str) -> Result<Option<String>, DbError> {
    // Who picks another calendar waits for this, or is seen by it.
    let picked = sql("SELECT FROM integrations WHERE shop_id = $1 AND provider = 'google' AND calendar_id = $2 FOR SHARE")
        .bind::<Integer, _>(tx.shop())
        .bind::<Text, _>(calendar)
        .execute(tx.conn())
        .await?;
    if picked == 0 {
        return Ok(None);
    }
    let event = event_id(tx.shop(), appointment.id, appointment.created_at);
    sql("UPDATE appointments SET google_event_id = $3, google_calendar_id = $4, google_etag = NULL, google_version = NULL \
         WHERE shop_id = $1 AND id = $2 AND (google_event_id, google_calendar_id) IS DISTINCT FROM ($3, $4)")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(appointment.id)
    .bind::<Text, _>(&event)
    .bind::<Text, _>(calendar)
    .execute(tx.conn())
    .await?;
    Ok(Some(event))
}

/// How an appointment stands once a version of it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// What stands here stands there.
    Whole,
    /// It has changed since: that is to be written, too.
    Changed,
    /// It belongs into another calendar by now: what was written is too much.
    Elsewhere,
}

/// A version of ours stands at Google.
///
/// # Errors
/// See [`DbError`].
pub async fn written(tx: &mut ShopTx, id: AppointmentId, calendar: &str, version: i32, etag: Option<&str>) -> Result<Written, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        whole: bool,
    }
    let row: Option<Row> = sql("UPDATE appointments SET google_etag = $4, google_version = $3, \
         sync_state = CASE WHEN version = $3 THEN 'synced' ELSE sync_state END, \
         calendar_conflict = CASE WHEN version = $3 THEN NULL ELSE calendar_conflict END \
         WHERE shop_id = $1 AND id = $2 AND google_calendar_id = $5 AND coalesce(google_version, 0) <= $3 RETURNING version = $3 AS whole")
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(id)
    .bind::<Integer, _>(version)
    .bind::<Nullable<Text>, _>(etag)
    .bind::<Text, _>(calendar)
    .get_result(tx.conn())
    .await
    .optional()?;
    if let Some(row) = row {
        return Ok(if row.whole { Written::Whole } else { Written::Changed });
    }
    // A later version stands there already, which was whole; or it stands in another calendar.
    let here = sql("SELECT FROM appointments WHERE shop_id = $1 AND id = $2 AND google_calendar_id = $3")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(calendar)
        .execute(tx.conn())
        .await?;
    Ok(if here == 0 { Written::Elsewhere } else { Written::Whole })
}

/// It could not be written, and is given up for now; the next look at the calendar tries again.
///
/// # Errors
/// See [`DbError`].
pub async fn failed(tx: &mut ShopTx, id: AppointmentId) -> Result<(), DbError> {
    sql("UPDATE appointments SET sync_state = 'failed' WHERE shop_id = $1 AND id = $2 AND sync_state = 'pending'")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Enqueues what should stand in a calendar and does not: what was booked before the calendar was picked, what was changed while none was, and what
/// could not be written; at most `limit`. `look` tells one look from another.
///
/// # Errors
/// See [`DbError`].
pub async fn enqueue_missing(tx: &mut ShopTx, calendar: &str, look: &str, now: DateTime<Utc>, limit: i64) -> Result<Vec<Pending>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: AppointmentId,
        #[diesel(sql_type = Integer)]
        version: i32,
    }
    let rows: Vec<Row> = sql("SELECT id, version FROM appointments WHERE shop_id = $1 AND \
         ((state = 'booked' AND ends_at > $3 AND (google_calendar_id IS DISTINCT FROM $2 OR sync_state = 'none')) \
          OR (sync_state = 'synced' AND google_version IS DISTINCT FROM version) \
          OR (sync_state IN ('pending', 'failed') AND updated_at < $4)) ORDER BY starts_at LIMIT $5")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(calendar)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - OVERDUE)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?;
    let mut pending = Vec::with_capacity(rows.len());
    for row in rows {
        let key = format!("sync:{}:{}:{look}", row.id, row.version);
        pending.push(outbox::add(tx, &SyncAppointment { appointment: row.id }, &key).await?);
    }
    Ok(pending)
}

/// An appointment whose event may have been changed at Google: to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Suspect {
    /// The event.
    #[diesel(sql_type = Text)]
    pub google_event_id: String,
    /// Google's version of our last write or read.
    #[diesel(sql_type = Nullable<Text>)]
    pub google_etag: Option<String>,
}

/// Which of these events are appointments that stand, none of whose changes is on its way, in one order everywhere.
///
/// # Errors
/// See [`DbError`].
pub async fn among(tx: &mut ShopTx, calendar: &str, events: &[String]) -> Result<Vec<Suspect>, DbError> {
    Ok(sql("SELECT google_event_id, google_etag FROM appointments WHERE shop_id = $1 AND google_calendar_id = $2 AND google_event_id = ANY ($3) \
         AND state = 'booked' AND google_version = version ORDER BY google_event_id")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(calendar)
    .bind::<Array<Text>, _>(events)
    .load(tx.conn())
    .await?)
}

/// Appointments that should stand in a calendar, ahead of `now`, but for the events that a whole list of it has shown; at most `limit`.
///
/// # Errors
/// See [`DbError`].
pub async fn unseen(tx: &mut ShopTx, calendar: &str, seen: &[String], now: DateTime<Utc>, limit: i64) -> Result<Vec<Suspect>, DbError> {
    Ok(sql("SELECT google_event_id, google_etag FROM appointments WHERE shop_id = $1 AND google_calendar_id = $2 AND state = 'booked' \
         AND google_event_id IS NOT NULL AND google_version = version AND starts_at > $3 AND NOT google_event_id = ANY ($4) \
         ORDER BY google_event_id LIMIT $5")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(calendar)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(seen)
    .bind::<BigInt, _>(limit)
    .load(tx.conn())
    .await?)
}

/// An appointment as it stands here, by its event.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Standing {
    /// The event.
    #[diesel(sql_type = Text)]
    pub google_event_id: String,
    /// When it begins.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    /// Whether a change of ours is on its way to Google.
    #[diesel(sql_type = Bool)]
    pub under_way: bool,
}

/// Of events that were written by us, those that are this shop's: what stands here takes its time here, and need not be counted again.
///
/// # Errors
/// See [`DbError`].
pub async fn standing(tx: &mut ShopTx, calendar: &str, events: &[String]) -> Result<Vec<Standing>, DbError> {
    Ok(sql("SELECT google_event_id, starts_at, ends_at, google_version IS DISTINCT FROM version AS under_way FROM appointments \
         WHERE shop_id = $1 AND google_calendar_id = $2 AND google_event_id = ANY ($3)")
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(calendar)
    .bind::<Array<Text>, _>(events)
    .load(tx.conn())
    .await?)
}

/// What is to be seen of an event at Google.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub event: String,
    /// Google's version; a deleted event may have none.
    pub etag: Option<String>,
    /// The version that was known here before it was looked at: if another is known by now, we have written since, and this is older.
    pub against: Option<String>,
    /// What became of it.
    pub now: SeenAs,
}

/// What became of an event at Google.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenAs {
    /// It is there, from then to then.
    At(DateTime<Utc>, DateTime<Utc>),
    /// It is there, but lasts whole days, or repeats: no appointment of ours can be that.
    Odd,
    /// It was deleted.
    Deleted,
}

/// What was taken over.
#[derive(Debug, Clone)]
pub enum Taken {
    /// Nothing was changed there, or ours is on its way, or it is none of ours.
    Nothing,
    /// It was moved, lengthened or shortened.
    Moved {
        /// What follows from it.
        changed: Changed,
        /// When it began before.
        from: DateTime<Utc>,
    },
    /// It was deleted.
    Cancelled(Changed),
    /// It cannot be here what it is there: it stays, and is marked.
    Conflict(Appointment),
}

/// Takes over what somebody changed at Google. Seeing the same twice changes nothing.
///
/// # Errors
/// See [`DbError`].
pub async fn take_over(tx: &mut ShopTx, calendar: &str, seen: &Seen, now: DateTime<Utc>) -> Result<Taken, DbError> {
    let found: Option<Mirrored> = sql(format!(
        "SELECT {COLUMNS}, {MIRRORED} FROM appointments WHERE shop_id = $1 AND google_event_id = $2 AND google_calendar_id = $3 FOR NO KEY UPDATE"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<Text, _>(&seen.event)
    .bind::<Text, _>(calendar)
    .get_result(tx.conn())
    .await
    .optional()?;
    let Some(Mirrored { appointment, synced }) = found else { return Ok(Taken::Nothing) };
    let ours_is_on_its_way = synced.google_version != Some(appointment.version);
    let known = seen.etag.is_some() && synced.google_etag == seen.etag;
    let older = synced.google_etag != seen.against;
    if ours_is_on_its_way || older || known || !appointment.is_booked() {
        return Ok(Taken::Nothing);
    }
    let id = appointment.id;
    let taken = match seen.now {
        SeenAs::At(from, to) if (from, to) == (appointment.starts_at, appointment.ends_at) => Taken::Nothing,
        SeenAs::Deleted => {
            let cancelled = cancel(tx, id, By::Staff { anyway: true }, None, ACTOR, now).await.map_err(plain)?;
            Taken::Cancelled(cancelled)
        }
        SeenAs::At(from, to) if from < to => match move_to(tx, &appointment, from, to, now).await? {
            Some(changed) => Taken::Moved { changed, from: appointment.starts_at },
            None => Taken::Conflict(appointment),
        },
        SeenAs::At(..) | SeenAs::Odd => Taken::Conflict(appointment),
    };
    // What was taken over stands there already; a conflict is told once.
    let conflict = match (&taken, seen.now) {
        (Taken::Conflict(_), SeenAs::At(from, to)) => Some(format!("{}/{}", wire(from), wire(to))),
        (Taken::Conflict(_), _) => Some("odd".to_owned()),
        _ => None,
    };
    sql("UPDATE appointments SET google_etag = $3, google_version = version, sync_state = 'synced', calendar_conflict = $4 WHERE shop_id = $1 AND id = $2")
        .bind::<Integer, _>(tx.shop())
        .bind::<BigInt, _>(id)
        .bind::<Nullable<Text>, _>(&seen.etag)
        .bind::<Nullable<Text>, _>(conflict)
        .execute(tx.conn())
        .await?;
    Ok(taken)
}

fn wire(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn plain(error: ChangeError) -> DbError {
    match error {
        ChangeError::Db(error) => error,
        other => DbError::odd(other),
    }
}

/// Moves it to where the owner has put it, outside of the hours too, but never onto another appointment: `None`.
async fn move_to(
    tx: &mut ShopTx,
    standing: &Appointment,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Changed>, DbError> {
    // Two that move to one time come one by one, and the second sees the first.
    one_at_a_time(tx, "staff", &standing.staff_id.to_string()).await?;
    let moved: Option<Appointment> = sql(format!(
        "UPDATE appointments SET starts_at = $3, ends_at = $4, confirmed_at = CASE WHEN starts_at = $3 THEN confirmed_at END, version = version + 1, updated_at = $5, \
             blocked = tstzrange(lower(blocked) + ($3 - starts_at), upper(blocked) + ($4 - ends_at)) \
         WHERE shop_id = $1 AND id = $2 AND NOT EXISTS (SELECT FROM appointments o WHERE o.shop_id = $1 AND o.staff_id = appointments.staff_id \
             AND o.state = 'booked' AND o.id <> $2 AND o.blocked && tstzrange(lower(appointments.blocked) + ($3 - appointments.starts_at), \
             upper(appointments.blocked) + ($4 - appointments.ends_at))) RETURNING {COLUMNS}"
    ))
    .bind::<Integer, _>(tx.shop())
    .bind::<BigInt, _>(standing.id)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await
    .optional()?;
    let Some(moved) = moved else { return Ok(None) };
    let before = Before { starts_at: standing.starts_at, staff: standing.staff_id };
    Ok(Some(announce_change(tx, moved, "moved", Some(before), ACTOR, now).await?))
}
