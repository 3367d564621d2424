//! Counts a shop's figures anew from its orders and reports any difference: there should be none, ever. Reads only, so it is safe to repeat.

use frontdesk_core::db::{DbError, TxKind, sales};
use frontdesk_core::jobs::{CheckFigures, JobName};
use frontdesk_core::tenancy::ShopScope;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for CheckFigures {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let Some(scope) = ShopScope::from_envelope(&cx.envelope) else {
            // The firing's own key: should it run twice, the queue drops the second row of each shop.
            let key = cx.envelope.key.clone().unwrap_or_else(|| cx.envelope.job.to_string());
            let shops = cx.app.db.enqueue_for_every_shop(JobName::CheckFigures, &key).await?;
            tracing::info!(shops, "the figures of every shop are counted anew");
            return Ok(());
        };
        let read = async move |mut tx| sales::differences(&mut tx).await.map_err(|error: DbError| error);
        let found = cx.app.db.shop_tx(&scope, TxKind::Export, read).await?;
        metrics::counter!("frontdesk_figures_checked_total").increment(1);
        if !found.is_empty() {
            metrics::counter!("frontdesk_figures_wrong_total").increment(found.len() as u64);
            tracing::error!(shop.id = %scope.shop(), days = ?found.days, product_days = ?found.product_days, counts = found.counts, "figures differ from the orders");
        }
        Ok(())
    }
}
