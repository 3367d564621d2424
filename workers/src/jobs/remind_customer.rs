//! Reminds customers of appointments that are near, within Meta's rules. Safe to repeat: what was noted is not due any more, and the note, the message and its
//! delivery stand in one transaction.

use chrono::{DateTime, Utc};
use frontdesk_core::db::appointments::reminders::{self, Due, Skipped};
use frontdesk_core::db::conversations::{self, ConversationRow, WINDOW};
use frontdesk_core::db::messages::{self, NewOutbound};
use frontdesk_core::db::outbox::{self, Pending};
use frontdesk_core::db::shops::{self, SettingsRow};
use frontdesk_core::db::{DbError, ShopTx, TxKind, channels};
use frontdesk_core::ids::AppointmentId;
use frontdesk_core::inbound::Platform;
use frontdesk_core::jobs::{DeliverMessage, JobName, RemindCustomer, Template};
use frontdesk_core::language::Language;
use frontdesk_core::tenancy::ShopScope;
use serde_json::{Value, json};

use crate::App;
use crate::agent::texts::bookings::Shown;
use crate::agent::texts::reminders::{ReminderText, template_values};
use crate::clients::meta::Button;
use crate::crash::{self, Point};
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::{RemindedTap, message_event};

/// Appointments that one run looks at, at most; the next goes on.
const MOST: i64 = 500;

impl Handle<App> for RemindCustomer {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            // The firing's own key: should it run twice, the queue drops the second row of each shop.
            let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
            app.db.enqueue_for_every_shop(JobName::RemindCustomer, &key).await?;
            return Ok(());
        };
        let now = app.clock.now();
        let read = async move |mut tx| {
            let due = reminders::due(&mut tx, now, MOST).await?;
            Ok::<_, DbError>((due, shops::settings(&mut tx).await?))
        };
        let (due, shop) = app.db.shop_tx(&scope, TxKind::Command, read).await?;
        for appointment in due {
            remind(app, &scope, appointment, shop.clone(), now).await?;
        }
        Ok(())
    }
}

async fn remind(app: &App, scope: &ShopScope, appointment: AppointmentId, shop: SettingsRow, now: DateTime<Utc>) -> Result<(), JobError> {
    let write = async move |mut tx| {
        let Some(due) = reminders::take(&mut tx, appointment, now).await? else { return Ok(None) };
        let stored = store(&mut tx, &due, &shop, now).await?;
        Ok::<_, DbError>(stored)
    };
    let Some((pending, event)) = app.db.shop_tx(scope, TxKind::Command, write).await? else { return Ok(()) };
    crash::at(Point::AfterDecide);
    app.push_outbox(scope, vec![pending]).await;
    app.announce(scope, "message", &event).await;
    Ok(())
}

/// The message with its delivery, or a note why there is none.
async fn store(tx: &mut ShopTx, due: &Due, shop: &SettingsRow, now: DateTime<Utc>) -> Result<Option<(Pending, Value)>, DbError> {
    let (standing, message) = match compose(tx, due, shop, now).await? {
        Ok(composed) => composed,
        Err(skipped) => {
            reminders::note(tx, due, Err(skipped), now).await?;
            return Ok(None);
        }
    };
    let stored = messages::store_outbound(tx, standing.id(), standing.channel(), None, &message, None).await?;
    reminders::note(tx, due, Ok(stored.id()), now).await?;
    let deliver = outbox::add(tx, &DeliverMessage { message: stored.id() }, &format!("deliver:{}", stored.id())).await?;
    Ok(Some((deliver, message_event(standing.id(), stored.id()))))
}

async fn compose(
    tx: &mut ShopTx,
    due: &Due,
    shop: &SettingsRow,
    now: DateTime<Utc>,
) -> Result<Result<(ConversationRow, NewOutbound), Skipped>, DbError> {
    if shop.status != "active" {
        return Ok(Err(Skipped::ShopInactive));
    }
    let of = &due.appointment;
    let standing = match of.customer_id {
        Some(customer) => conversations::latest_with(tx, customer).await?,
        None => None,
    };
    let Some(standing) = standing else { return Ok(Err(Skipped::NoConversation)) };
    let channel = channels::find(tx, standing.channel()).await?.ok_or(DbError::NotFound)?;
    if channel.sealed_token().is_none() || channel.is_removed() {
        return Ok(Err(Skipped::ChannelOff));
    }
    let zone = shops::booking(tx).await?.zone;
    let language =
        standing.language.as_deref().and_then(Language::from_code).or_else(|| Language::from_code(&shop.locale)).unwrap_or_default();
    let shown = Shown::of(of, &shop.currency);
    let open = standing.last_customer_at.is_some_and(|wrote| now < wrote + WINDOW);
    let (body, content) = if open {
        let say = |text: ReminderText<'_>| text.render(zone, language);
        let buttons = [
            (RemindedTap::Confirm, ReminderText::ConfirmButton),
            (RemindedTap::Cancel, ReminderText::CancelButton),
            (RemindedTap::Later, ReminderText::LaterButton),
        ]
        .map(|(tap, title)| Button { id: tap.payload(of.id), title: say(title) });
        (say(ReminderText::Reminder(shown)), json!({ "buttons": buttons }))
    } else if channel.platform() != Platform::Whatsapp {
        return Ok(Err(Skipped::WindowClosed));
    } else if let Some(name) = shop.reminder_template.clone() {
        let parameters = template_values(&of.customer_name, &shown, zone, language);
        // What the template says is Meta's to know; its name and values tell colleagues enough.
        let body = format!("[{name}] {}", parameters.join(" · "));
        (body, json!({"template": Template { name, language: language.code().to_owned(), parameters }}))
    } else {
        return Ok(Err(Skipped::NoTemplate));
    };
    let send_key = format!("remind:{}:{}:{}", of.id, due.minutes, of.starts_at.timestamp());
    Ok(Ok((standing, NewOutbound { send_key, kind: "reminder", author: "system", body, content })))
}
