//! Writes sessions that have been silent for a day to Postgres, and only then removes them from Redis. Safe to repeat and to be killed anywhere: a session is
//! written once, and removed only as it was written.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::db::{TxKind, archives, messages};
use frontdesk_core::ids::TurnId;
use frontdesk_core::jobs::{ArchiveSessions, JobName};
use frontdesk_core::memory::{Exchange, Silent};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};
use crate::turn::exchanges;

/// A session that has been silent for so long has ended.
const SILENT_FOR: TimeDelta = TimeDelta::hours(24);
/// How long archives are kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(365);
/// Sessions read from Redis at once.
const BATCH: usize = 50;
/// Batches of one run; the next run goes on.
const BATCHES: usize = 40;
/// Lines of the talk from which a session is rebuilt that Redis has lost.
const LINES: i64 = 40;

impl Handle<App> for ArchiveSessions {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            // The firing's own key: should it run twice, the queue drops the second row of each shop.
            let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
            app.db.enqueue_for_every_shop(JobName::ArchiveSessions, &key).await?;
            return Ok(());
        };
        let now = app.clock.now();
        for _ in 0..BATCHES {
            let silent = app.memory.silent_since(&scope, now - SILENT_FOR, BATCH).await?;
            for session in &silent {
                archive(app, &scope, session).await?;
            }
            if silent.len() < BATCH {
                break;
            }
        }
        expire(app, &scope, now - KEPT_FOR).await
    }
}

async fn archive(app: &App, scope: &ShopScope, session: &Silent) -> Result<(), JobError> {
    let (conversation, remembered) = (session.conversation, session.exchanges.clone());
    let write = async move |mut tx| {
        let said: Vec<Exchange> = match remembered {
            Some(said) => said,
            None => exchanges(messages::spoken(&mut tx, conversation, TurnId(0), LINES).await?),
        };
        archives::store(&mut tx, conversation, &said).await
    };
    let written = app.db.shop_tx(scope, TxKind::Command, write).await?;
    metrics::counter!("frontdesk_sessions_archived_total").increment(u64::from(written));
    // Nothing is removed that Postgres does not have; what was said meanwhile keeps the session.
    app.memory.remove(scope, session).await?;
    Ok(())
}

async fn expire(app: &App, scope: &ShopScope, before: DateTime<Utc>) -> Result<(), JobError> {
    let dropped = app.db.shop_tx(scope, TxKind::Command, async move |mut tx| archives::expire(&mut tx, before).await).await?;
    if dropped > 0 {
        tracing::info!(archives = dropped, "archives past their retention are gone");
    }
    Ok(())
}
