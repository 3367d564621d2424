//! Makes the event at Google what the appointment is. Many workers may be at it, in any order: the event's version is known before the appointment is
//! read, and is the condition of the write. Whoever writes something older than what stands there is refused by Google, looks again, and writes what
//! stands here by then.

use frontdesk_core::db::appointments::elsewhere::{self, Mirrored, Written};
use frontdesk_core::db::{DbError, TxKind, shops};
use frontdesk_core::ids::AppointmentId;
use frontdesk_core::tenancy::ShopScope;

use super::{Account, Trouble};
use crate::App;
use crate::clients::google::GoogleError;
use crate::clients::google::calendar::{Draft, delete, get, insert, patch, read_event};
use crate::crash::{self, Point};

/// How often one run looks again; somebody who changes it faster than that is waited for.
const ROUNDS: usize = 6;

/// Writes an appointment; true when what stands here stands there.
pub(crate) async fn write(app: &App, scope: &ShopScope, account: &mut Account<'_>, id: AppointmentId) -> Result<bool, Trouble> {
    let calendar = account.calendar()?.to_owned();
    if settle_elsewhere(app, scope, account, id, &calendar).await? {
        return Ok(true);
    }
    // What is known of the event: `None` until it was looked at, then its version, if there is one.
    let mut looked: Option<Option<String>> = None;
    for _ in 0..ROUNDS {
        let (row, draft) = match draft(app, scope, id, &calendar).await? {
            Next::Write(row, draft) => (row, draft),
            Next::Nothing => return Ok(true),
            Next::OtherCalendar => return Ok(false),
        };
        if row.stands_in(&calendar) {
            return Ok(true);
        }
        let etag = looked.take().unwrap_or_else(|| row.synced.google_etag.clone());
        let version = row.appointment.version;
        crash::at(Point::AfterClaim);
        let done = if row.appointment.state == "cancelled" {
            // Nothing comes after that, so no version needs to be known.
            gone(account.ask(&delete(&calendar, &draft.id)).await)?;
            Some(None)
        } else {
            let written = match &etag {
                Some(etag) => account.ask(&patch(&calendar, &draft, etag)).await,
                None if row.appointment.is_booked() => account.ask(&insert(&calendar, &draft)).await,
                // It is over, and never stood there.
                None => return Ok(mark(app, scope, id, &calendar, version, None).await? == Written::Whole),
            };
            match written {
                Ok(body) => Some(read_event(&body)?.etag),
                Err(Trouble::Google(GoogleError::Duplicate | GoogleError::Stale | GoogleError::NotFound | GoogleError::Gone(_))) => None,
                Err(trouble) => return Err(trouble),
            }
        };
        crash::at(Point::AfterSend);
        match done {
            Some(etag) => match mark(app, scope, id, &calendar, version, etag.as_deref()).await? {
                Written::Whole => return Ok(true),
                Written::Changed => looked = Some(etag),
                Written::Elsewhere => {
                    gone(account.ask(&delete(&calendar, &draft.id)).await)?;
                    return Ok(true);
                }
            },
            None => looked = Some(look(account, &calendar, &draft.id).await?),
        }
    }
    Ok(false)
}

/// If it stands in the calendar that was picked before, it is deleted there; what is over stays where it is: true, nothing else is to be done.
async fn settle_elsewhere(
    app: &App,
    scope: &ShopScope,
    account: &mut Account<'_>,
    id: AppointmentId,
    calendar: &str,
) -> Result<bool, Trouble> {
    let find = async move |mut tx| elsewhere::find(&mut tx, id).await.map_err(|error: DbError| error);
    let Some(row) = app.db.shop_tx(scope, TxKind::Read, find).await? else { return Ok(true) };
    let Some((old, event)) = row.left_behind(calendar) else { return Ok(false) };
    if row.is_over(app.clock.now()) {
        mark(app, scope, id, old, row.appointment.version, row.synced.google_etag.as_deref()).await?;
        return Ok(true);
    }
    let from = old.to_owned();
    let leave = async move |mut tx| elsewhere::leave(&mut tx, id, &from).await;
    app.db.shop_tx(scope, TxKind::Turn, leave).await?;
    match account.ask(&delete(old, event)).await {
        // Another account's calendar: it is out of reach, and what is in it stays.
        Err(Trouble::Google(GoogleError::Forbidden(_))) => {}
        answer => gone(answer)?,
    }
    Ok(false)
}

async fn mark(
    app: &App,
    scope: &ShopScope,
    id: AppointmentId,
    calendar: &str,
    version: i32,
    etag: Option<&str>,
) -> Result<Written, Trouble> {
    let (calendar, etag) = (calendar.to_owned(), etag.map(str::to_owned));
    let write = async move |mut tx| elsewhere::written(&mut tx, id, &calendar, version, etag.as_deref()).await;
    Ok(app.db.shop_tx(scope, TxKind::Turn, write).await?)
}

/// The version at which the event stands now; `None` if there is none.
async fn look(account: &mut Account<'_>, calendar: &str, id: &str) -> Result<Option<String>, Trouble> {
    match account.ask(&get(calendar, id)).await {
        Ok(body) => Ok(read_event(&body)?.etag),
        Err(Trouble::Google(GoogleError::NotFound | GoogleError::Gone(_))) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// What is not there is as good as deleted.
fn gone(answer: Result<Vec<u8>, Trouble>) -> Result<(), Trouble> {
    match answer {
        Ok(_) | Err(Trouble::Google(GoogleError::NotFound | GoogleError::Gone(_))) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// What is to be done next.
enum Next {
    /// The appointment as it stands, and as it is to stand there.
    Write(Box<Mirrored>, Draft),
    /// There is no such appointment.
    Nothing,
    /// Another calendar is picked by now.
    OtherCalendar,
}

async fn draft(app: &App, scope: &ShopScope, id: AppointmentId, calendar: &str) -> Result<Next, Trouble> {
    let calendar = calendar.to_owned();
    let read = async move |mut tx| {
        let Some(row) = elsewhere::find(&mut tx, id).await? else { return Ok(Err(Next::Nothing)) };
        let Some(event) = elsewhere::place(&mut tx, &row.appointment, &calendar).await? else { return Ok(Err(Next::OtherCalendar)) };
        // Placed anew in another calendar, nothing is known of it there.
        let row = elsewhere::find(&mut tx, id).await?.unwrap_or(row);
        let zone = shops::booking(&mut tx).await?.zone;
        Ok::<_, DbError>(Ok((row, event, zone)))
    };
    let (row, event, zone) = match app.db.shop_tx(scope, TxKind::Turn, read).await? {
        Ok(found) => found,
        Err(next) => return Ok(next),
    };
    let of = &row.appointment;
    let who = if of.customer_name.is_empty() { String::new() } else { format!(" – {}", of.customer_name) };
    let lines = [Some(of.staff_name.as_str()), of.contact.as_deref(), Some(of.note.as_str())];
    let description: Vec<&str> = lines.into_iter().flatten().filter(|line| !line.is_empty()).collect();
    let draft = Draft {
        id: event,
        summary: format!("{}{who}", of.service_name),
        description: description.join("\n"),
        starts_at: of.starts_at,
        ends_at: of.ends_at,
        zone,
    };
    Ok(Next::Write(Box::new(row), draft))
}
