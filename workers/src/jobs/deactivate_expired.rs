//! Once a day: turns a shop off whose grace is over. Stripe is asked first, so that a lost webhook turns no shop off that pays; while Stripe cannot be asked,
//! none is. Setting a state twice changes nothing.

use frontdesk_core::billing::Standing;
use frontdesk_core::db::{DbError, TxKind, subscriptions};
use frontdesk_core::jobs::{DeactivateExpired, JobName, Notice};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::billing;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for DeactivateExpired {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let app = &cx.app;
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
            let shops = app.db.enqueue_for_every_shop(JobName::DeactivateExpired, &key).await?;
            tracing::info!(shops, "every shop is looked at: who has paid, and whose grace is over");
            return Ok(());
        };
        let (grace, now) = (app.settings.billing_grace, app.clock.now());
        let read = async move |mut tx| {
            let settled = subscriptions::standing(&mut tx, grace, now).await?;
            Ok::<_, DbError>((settled, subscriptions::find(&mut tx).await?.is_some()))
        };
        let (mut settled, is_customer) = app.db.shop_tx(&scope, TxKind::Command, read).await?;
        if settled.was_active != settled.standing.is_active() && settled.standing != Standing::Given {
            let looked = if is_customer { billing::look(app, &scope).await? } else { Some(billing::settle(app, &scope).await?) };
            // A later look was quicker: it has settled it.
            let Some(looked) = looked else { return Ok(()) };
            settled = looked;
        }
        let Standing::Grace { expired_at, until } = settled.standing else { return Ok(()) };
        let key = format!("grace:{}", expired_at.timestamp());
        let tell = async move |mut tx| billing::tell_once(&mut tx, key, Notice::GraceBegan { until }).await.map_err(|error: DbError| error);
        let pending = app.db.shop_tx(&scope, TxKind::Command, tell).await?;
        app.push_outbox(&scope, pending.into_iter().collect()).await;
        Ok(())
    }
}
