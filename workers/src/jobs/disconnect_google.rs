//! Disconnects the Google account. The tokens are revoked first: what was forgotten here could not be revoked any more. Safe to repeat: revoking a dead
//! token is as good.

use frontdesk_core::db::{audit, integrations};
use frontdesk_core::jobs::{Answer, DisconnectGoogle};
use frontdesk_core::secrets::SealContext;
use serde_json::json;

use super::{Wrote, actor, not_found, once};
use crate::App;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for DisconnectGoogle {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope, by) = (&cx.app, cx.scope()?, actor(&self.request));
        if let (Some(standing), Ok(client)) = (app.google.find(&scope).await?, app.google.client())
            && let Some(sealed) = &standing.sealed_refresh_token
            && let Ok(token) = app.sealer.open(sealed, &SealContext::google_token(&scope, "sealed_refresh_token", &standing.connection))
            && let Err(error) = client.revoke(&token).await
            && !cx.is_last_attempt()
        {
            // On the last try it is forgotten here all the same; the owner can revoke it at Google.
            return Err(error.into());
        }
        once(cx, self.request, move |tx| {
            Box::pin(async move {
                if !integrations::forget(tx).await? {
                    return Ok(Wrote::answer(not_found()));
                }
                audit::add(tx, &by, "disconnect", "integration:google", &json!({})).await?;
                Ok(Wrote::answer(Answer::Empty).event("integration", json!({"provider": "google", "state": "disconnected"})))
            })
        })
        .await
    }
}
