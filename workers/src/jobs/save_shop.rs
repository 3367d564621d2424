//! Replaces the shop's settings. The version makes it safe to repeat, and tells whoever comes second.

use frontdesk_core::db::audit;
use frontdesk_core::db::shops::{self, SettingsError};
use frontdesk_core::jobs::{Answer, RefusalKind, SaveShop};
use serde_json::json;

use super::{Wrote, actor, changed_meanwhile, once, refused};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for SaveShop {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (by, version, settings) = (actor(&self.request), self.version, self.settings);
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                let row = match shops::save_settings(tx, version, &settings).await {
                    Ok(row) => row,
                    Err(SettingsError::Changed) => {
                        return Ok(Wrote::answer(changed_meanwhile("the settings")));
                    }
                    Err(SettingsError::CurrencyInUse) => {
                        let detail =
                            "There are orders in the present currency; sums of two currencies would mean nothing. Open another shop.";
                        return Ok(Wrote::answer(refused(RefusalKind::Conflict, "currency_in_use", detail)));
                    }
                    Err(SettingsError::Db(error)) => return Err(error),
                };
                audit::add(tx, &by, "update", "shop", &json!({"version": row.version})).await?;
                let event = json!({"version": row.version});
                Ok(Wrote::answer(Answer::Done(serde_json::to_value(&row).unwrap_or_default())).event("shop", event))
            })
        })
        .await
    }
}
