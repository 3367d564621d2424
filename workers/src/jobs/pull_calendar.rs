//! Looks at a shop's Google calendar: takes over what was changed there, enqueues what is missing there, keeps the watch channel. Safe to repeat: what was
//! seen before changes nothing.

use frontdesk_core::db::appointments::elsewhere;
use frontdesk_core::db::{DbError, TxKind, integrations};
use frontdesk_core::jobs::{JobName, PullCalendar};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::google::{Account, Trouble, pull};
use crate::runner::{Handle, JobContext, JobError};

/// Appointments that one look enqueues at most; the next goes on.
const MOST_MISSING: i64 = 500;

impl Handle<App> for PullCalendar {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            // The firing's own key: should it run twice, the queue drops the second row of each shop.
            app.db.enqueue_calendar_pulls(JobName::PullCalendar, &key).await?;
            return Ok(());
        };
        let mut account = match app.google.open(&scope).await {
            Ok(account) => account,
            Err(trouble) if trouble.is_absence() => return Ok(()),
            Err(trouble) => return Err(trouble.into()),
        };
        match look(app, &scope, &mut account, &key).await {
            Ok(()) => Ok(()),
            Err(trouble) if trouble.is_absence() => Ok(()),
            Err(trouble) => {
                let (connection, why) = (account.integration.connection.clone(), word(&trouble));
                let note = async move |mut tx| integrations::note_error(&mut tx, &connection, why).await.map_err(|error: DbError| error);
                app.db.shop_tx(&scope, TxKind::Turn, note).await?;
                Err(trouble.into())
            }
        }
    }
}

async fn look(app: &App, scope: &ShopScope, account: &mut Account<'_>, key: &str) -> Result<(), Trouble> {
    // First what changed there: what is written after that knows of it.
    pull::look(app, scope, account).await?;
    let (calendar, key, now) = (account.calendar()?.to_owned(), key.to_owned(), app.clock.now());
    let enqueue = async move |mut tx| elsewhere::enqueue_missing(&mut tx, &calendar, &key, now, MOST_MISSING).await;
    let pending = app.db.shop_tx(scope, TxKind::Command, enqueue).await?;
    app.push_outbox(scope, pending).await;
    pull::keep_watch(app, scope, account).await
}

fn word(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Google(error) => match error {
            crate::clients::google::GoogleError::Forbidden(_) => "google_forbidden",
            crate::clients::google::GoogleError::NotFound => "calendar_not_found",
            _ => "google_unreachable",
        },
        _ => "not_read",
    }
}
