//! Once a day: takes over from Stripe what no webhook told, and reminds the owner of what ends or is charged soon. Safe to repeat: each reminder is noted with
//! its mail, once per end and days.

use frontdesk_core::db::{DbError, TxKind, subscriptions};
use frontdesk_core::jobs::{JobName, RemindRenewals};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::billing;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for RemindRenewals {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
            let shops = app.db.enqueue_for_every_shop(JobName::RemindRenewals, &key).await?;
            tracing::info!(shops, "the subscription of every shop is looked at");
            return Ok(());
        };
        if app.stripe.is_some() {
            billing::look(app, &scope).await?;
        }
        let (grace, now) = (app.settings.billing_grace, app.clock.now());
        let pending = app
            .db
            .shop_tx(&scope, TxKind::Command, async move |mut tx| {
                let settled = subscriptions::standing(&mut tx, grace, now).await?;
                let row = subscriptions::find(&mut tx).await?;
                let due = billing::reminder(settled.standing, row.as_ref(), now).filter(|_| settled.is_active);
                let Some((key, notice)) = due else { return Ok(None) };
                billing::tell_once(&mut tx, key, notice).await.map_err(|error: DbError| error)
            })
            .await?;
        app.push_outbox(&scope, pending.into_iter().collect()).await;
        // If a worker died between a smaller plan and this.
        billing::end_team_sessions(app, &scope).await
    }
}
