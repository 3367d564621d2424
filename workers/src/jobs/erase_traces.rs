//! Forgets an erased customer where they may be named besides: the agent's memory and the raw events. Forgetting twice changes nothing.

use frontdesk_core::db::{DbError, TxKind, personal_data};
use frontdesk_core::jobs::EraseTraces;

use crate::App;
use crate::runner::{Handle, JobContext, JobError};

/// Raw events looked at in one transaction.
const PAGE: i64 = 5_000;

impl Handle<App> for EraseTraces {
    async fn handle(self, cx: &JobContext<App>) -> Result<(), JobError> {
        let (app, scope) = (&cx.app, cx.scope()?);
        for conversation in &self.traces.conversations {
            app.memory.forget(&scope, *conversation).await?;
        }
        if self.traces.ids.is_empty() {
            return Ok(());
        }
        let mut after = 0;
        // Ends with the shop's last event; the job's time limit bounds it too, and a run that was cut off begins anew.
        loop {
            let ids = self.traces.ids.clone();
            let empty = async move |mut tx| Ok::<_, DbError>(personal_data::empty_logs(&mut tx, &ids, after, PAGE).await?);
            match app.db.shop_tx(&scope, TxKind::Bulk, empty).await? {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}
