//! What the owner changed in the Google calendar is taken over: moved, lengthened, shortened, deleted. Where the next look begins is stored with the last
//! page's changes taken over, so that a look that dies is made again and nothing is missed; what was seen before changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::appointments::Appointment;
use frontdesk_core::db::appointments::elsewhere::{self, Seen, SeenAs, Suspect, Taken};
use frontdesk_core::db::conversations::{self, WINDOW};
use frontdesk_core::db::inbox;
use frontdesk_core::db::integrations::{self, Integration};
use frontdesk_core::db::messages::{self, NewOutbound};
use frontdesk_core::db::outbox::{self, Pending};
use frontdesk_core::db::{DbError, ShopTx, TxKind, channels, shops};
use frontdesk_core::google::watch_token;
use frontdesk_core::jobs::{DeliverMessage, Notice};
use frontdesk_core::tenancy::ShopScope;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Account, Trouble};
use crate::App;
use crate::agent::texts::{Language, Text, dates, render};
use crate::clients::google::GoogleError;
use crate::clients::google::calendar::{Event, changes, get, read_event, read_page, read_watch, unwatch, watch};
use crate::crash::{self, Point};
use crate::turn::tell;

/// Pages of 250 events that one look reads at most; a calendar with more is read up to there, and the owner told by `error`.
const MOST_PAGES: usize = 80;
/// What is older does not matter any more.
const BACK: TimeDelta = TimeDelta::days(1);
/// Events that a whole look asks for one by one, since no page showed them.
const MOST_UNSEEN: i64 = 200;
/// How long a watch channel is asked for; Google gives a week at most.
const WATCH: TimeDelta = TimeDelta::days(7);
/// A channel is renewed so long before its end.
const RENEW_WATCH: TimeDelta = TimeDelta::days(1);

/// What was seen of an event, of which `against` was known before.
fn seen(event: &Event, against: Option<String>) -> Seen {
    let now = match event.span() {
        _ if event.is_deleted() => SeenAs::Deleted,
        Some((from, to)) => SeenAs::At(from, to),
        None => SeenAs::Odd,
    };
    Seen { event: event.id.clone(), etag: event.etag.clone(), against, now }
}

/// Reads all changes since the last look, and takes them over.
pub(crate) async fn look(app: &App, scope: &ShopScope, account: &mut Account<'_>) -> Result<(), Trouble> {
    match changed(app, scope, account).await {
        // The token is too old: everything is read anew.
        Err(Trouble::Google(GoogleError::Gone(_))) if account.integration.sync_token.is_some() => {
            let standing = account.integration.clone();
            app.db.shop_tx(scope, TxKind::Turn, async move |mut tx| integrations::start_over(&mut tx, &standing).await).await?;
            account.integration.sync_token = None;
            changed(app, scope, account).await
        }
        looked => looked,
    }
}

async fn changed(app: &App, scope: &ShopScope, account: &mut Account<'_>) -> Result<(), Trouble> {
    let (calendar, standing) = (account.calendar()?.to_owned(), account.integration.clone());
    let (mut page_token, mut shown) = (None, Vec::new());
    let since = app.clock.now() - BACK;
    for _ in 0..MOST_PAGES {
        let ask = changes(&calendar, standing.sync_token.as_deref(), page_token.as_deref(), since);
        let page = read_page(&account.ask(&ask).await?)?;
        let mut suspects = suspects(app, scope, &calendar, &page.items).await?;
        shown.extend(page.items.into_iter().map(|event| event.id));
        let next = page.next_page_token;
        if next.is_none() && standing.sync_token.is_none() {
            // Deleted events are shown for a while only: what should be there and was not shown is asked for by name.
            let (of, all, now) = (calendar.clone(), std::mem::take(&mut shown), app.clock.now());
            let unseen = async move |mut tx| elsewhere::unseen(&mut tx, &of, &all, now, MOST_UNSEEN).await.map_err(|error: DbError| error);
            suspects.extend(app.db.shop_tx(scope, TxKind::Read, unseen).await?);
        }
        let events = confirmed(account, &calendar, suspects).await?;
        let end = if next.is_none() { page.next_sync_token } else { None };
        take(app, scope, &standing, events, end).await?;
        match next {
            Some(next) => page_token = Some(next),
            None => return Ok(()),
        }
    }
    tracing::warn!("more changes at Google than one look reads");
    Err(Trouble::Google(crate::clients::ClientError::Useless { provider: "google", reason: "more changes than can be read" }.into()))
}

/// Appointments among these events whose version is not the one that is known.
async fn suspects(app: &App, scope: &ShopScope, calendar: &str, events: &[Event]) -> Result<Vec<Suspect>, Trouble> {
    let (of, ids) = (calendar.to_owned(), events.iter().map(|event| event.id.clone()).collect::<Vec<_>>());
    let read = async move |mut tx| elsewhere::among(&mut tx, &of, &ids).await.map_err(|error: DbError| error);
    let known = app.db.shop_tx(scope, TxKind::Read, read).await?;
    let same = |known: &Suspect| {
        events.iter().any(|event| event.id == known.google_event_id && event.etag.is_some() && event.etag == known.google_etag)
    };
    Ok(known.into_iter().filter(|known| !same(known)).collect())
}

/// Each as it is now: a page may be older than what we have written since it was made.
async fn confirmed(account: &mut Account<'_>, calendar: &str, suspects: Vec<Suspect>) -> Result<Vec<Seen>, Trouble> {
    let mut found = Vec::with_capacity(suspects.len());
    for Suspect { google_event_id: event, google_etag: against } in suspects {
        match account.ask(&get(calendar, &event)).await {
            Ok(body) => found.push(seen(&read_event(&body)?, against)),
            Err(Trouble::Google(GoogleError::NotFound | GoogleError::Gone(_))) => {
                found.push(Seen { event, etag: None, against, now: SeenAs::Deleted });
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(found)
}

/// Takes a page of changes over; after the last one, where the next look begins is stored. Each is a transaction of its own: who holds an appointment and
/// waits for a colleague's time must not hold another one.
async fn take(app: &App, scope: &ShopScope, standing: &Integration, events: Vec<Seen>, end: Option<String>) -> Result<(), Trouble> {
    let now = app.clock.now();
    for event in events {
        let standing = standing.clone();
        let (pending, live) = app
            .db
            .shop_tx(scope, TxKind::Command, async move |mut tx| {
                let (mut pending, mut live) = (Vec::new(), Vec::new());
                take_one(&mut tx, &standing, &event, now, &mut pending, &mut live).await?;
                Ok::<_, DbError>((pending, live))
            })
            .await?;
        app.push_outbox(scope, pending).await;
        for event in live {
            app.announce(scope, "appointment", &event).await;
        }
        crash::at(Point::AfterRecord);
    }
    if let Some(end) = end {
        let standing = standing.clone();
        let advance = async move |mut tx| integrations::advance(&mut tx, &standing, &end, now).await.map_err(|error: DbError| error);
        app.db.shop_tx(scope, TxKind::Command, advance).await?;
    }
    Ok(())
}

async fn take_one(
    tx: &mut ShopTx,
    standing: &Integration,
    event: &Seen,
    now: DateTime<Utc>,
    pending: &mut Vec<Pending>,
    live: &mut Vec<Value>,
) -> Result<(), DbError> {
    let calendar = standing.calendar_id.as_deref().unwrap_or_default();
    let (changed, cancelled) = match elsewhere::take_over(tx, calendar, event, now).await? {
        Taken::Nothing => return Ok(()),
        Taken::Conflict(appointment) => {
            let key = format!("calendar:{}:{}", appointment.id, event.etag.as_deref().unwrap_or_default().trim_matches('"'));
            let notice = Notice::CalendarConflict { appointment: appointment.id, starts_at: appointment.starts_at };
            pending.push(tell(tx, key, notice).await?);
            live.push(json!({"id": appointment.id, "action": "conflict", "state": appointment.state}));
            return Ok(());
        }
        Taken::Moved { changed, .. } => (changed, false),
        Taken::Cancelled(changed) => (changed, true),
    };
    if standing.tell_customers {
        pending.extend(tell_customer(tx, &changed.appointment, cancelled, now).await?);
    }
    live.extend(changed.event);
    pending.extend(changed.pending);
    Ok(())
}

/// Tells the customer, if Meta's window is open; otherwise staff find a note in the conversation.
async fn tell_customer(tx: &mut ShopTx, of: &Appointment, cancelled: bool, now: DateTime<Utc>) -> Result<Option<Pending>, DbError> {
    // Where it was booked; or, if staff booked it, where the customer wrote last.
    let standing = match (of.conversation_id, of.customer_id) {
        (Some(conversation), _) => conversations::find(tx, conversation).await?,
        (None, Some(customer)) => conversations::latest_with(tx, customer).await?,
        (None, None) => None,
    };
    let Some(standing) = standing else { return Ok(None) };
    let conversation = standing.id();
    let channel = channels::find(tx, standing.channel()).await?.ok_or(DbError::NotFound)?;
    let open = standing.last_customer_at.is_some_and(|wrote| now < wrote + WINDOW);
    if !open || channel.sealed_token().is_none() {
        let note = "The appointment was changed in Google Calendar. The customer was not told: the platform takes no message until they write again.";
        inbox::add_note(tx, conversation, None, note).await?;
        return Ok(None);
    }
    let zone = shops::booking(tx).await?.zone;
    let language = standing.language.as_deref().and_then(Language::from_code).unwrap_or(Language::English);
    let at = dates::spoken(of.starts_at, zone, language);
    let text = if cancelled {
        Text::AppointmentCancelled { service: &of.service_name, at: &at }
    } else {
        Text::AppointmentMoved { service: &of.service_name, at: &at }
    };
    let message = NewOutbound {
        send_key: format!("appointment:{}:{}", of.id, of.version),
        kind: "appointment",
        author: "system",
        body: render(&text, language),
        content: json!({}),
    };
    let stored = messages::store_outbound(tx, conversation, channel.id(), None, &message, None).await?;
    Ok(Some(outbox::add(tx, &DeliverMessage { message: stored.id() }, &format!("deliver:{}", stored.id())).await?))
}

/// Has Google tell of changes, where it can reach us; a channel that ends soon is replaced. Without one, the look by the clock does it all, so a refusal
/// is no failure.
pub(crate) async fn keep_watch(app: &App, scope: &ShopScope, account: &mut Account<'_>) -> Result<(), Trouble> {
    let (now, standing) = (app.clock.now(), account.integration.clone());
    if !reachable(&app.settings.public_url) || standing.watch_expires_at.is_some_and(|until| until > now + RENEW_WATCH) {
        return Ok(());
    }
    let channel = Uuid::new_v4().to_string();
    let token = watch_token(&app.sealer, scope, &channel)?;
    let address = format!("{}/webhook/google", app.settings.public_url);
    let calendar = account.calendar()?.to_owned();
    let made = match account.ask(&watch(&calendar, &channel, &token, &address, WATCH)).await {
        Ok(body) => read_watch(&body)?,
        Err(Trouble::Google(error)) => {
            tracing::info!(%error, "google does not tell of changes");
            return Ok(());
        }
        Err(trouble) => return Err(trouble),
    };
    let old = standing.watch_id.clone().zip(standing.watch_resource.clone());
    let write = async move |mut tx| integrations::watched(&mut tx, &standing, &channel, &made.resource, made.until).await;
    app.db.shop_tx(scope, TxKind::Turn, write).await?;
    if let Some((channel, resource)) = old
        && let Err(trouble) = account.ask(&unwatch(&channel, &resource)).await
    {
        tracing::debug!(%trouble, "an old watch channel runs out by itself");
    }
    Ok(())
}

/// Whether an address can be told of changes: Google takes https alone; the sandbox reaches this machine.
fn reachable(public_url: &str) -> bool {
    let on_this_machine =
        || Url::parse(public_url).is_ok_and(|url| url.host_str().is_some_and(|host| host == "localhost" || host == "127.0.0.1"));
    public_url.starts_with("https://") || on_this_machine()
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn google_is_asked_to_tell_where_it_can() {
        assert!(reachable("https://desk.example") && reachable("http://localhost:8080"));
        assert!(!reachable("http://desk.example") && !reachable("http://localhost.example"));
    }
}
