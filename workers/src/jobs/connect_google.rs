//! Ends the connecting of a Google account. A code works once: should the worker die between Google's answer and its keeping, people connect again.

use frontdesk_core::db::integrations::{self, Connected};
use frontdesk_core::db::{DbError, TxKind, audit, requests};
use frontdesk_core::google::{NEEDED_SCOPES, random_text};
use frontdesk_core::jobs::{Answer, ConnectGoogle, PullCalendar, RefusalKind};
use frontdesk_core::queue::{From as Origin, Push};
use frontdesk_core::secrets::SealContext;
use serde_json::json;

use super::{Wrote, actor, once, refused};
use crate::App;
use crate::clients::google::GoogleError;
use crate::clients::google::calendar::{calendars, read_calendars};
use crate::google::Trouble;
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for ConnectGoogle {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope) = (&cx.app, cx.scope()?);
        let key = self.request.key.clone();
        let read = async move |mut tx| requests::find(&mut tx, &key).await.map_err(|error: DbError| error);
        if let Some(stored) = app.db.shop_tx(&scope, TxKind::Command, read).await? {
            return Ok(stored.answer);
        }
        let Ok(client) = app.google.client() else { return Ok(not_configured()) };
        let open = |sealed: &str, what: &str| app.sealer.open(sealed, &SealContext::google_grant(&scope, what)).map_err(Trouble::from);
        let (code, verifier) = (open(&self.sealed_code, "code")?, open(&self.sealed_verifier, "verifier")?);
        let tokens = match client.exchange_code(&code, &verifier).await {
            Ok(tokens) => tokens,
            Err(GoogleError::DeadGrant) => {
                let detail = "Google takes this permission no more: it was used, or is too old. Connect again.";
                return Ok(refused(RefusalKind::Conflict, "google_code_used", detail));
            }
            Err(error) => return Err(error.into()),
        };
        let granted: Vec<&str> = tokens.scopes.split_whitespace().collect();
        if NEEDED_SCOPES.iter().any(|needed| !granted.contains(needed)) {
            let detail = "Not everything was allowed that appointments need: events, and the list of calendars. Connect again and leave both ticked.";
            return Ok(refused(RefusalKind::Conflict, "google_scope_missing", detail));
        }
        let Some(refresh) = &tokens.refresh else {
            let detail = "Google gave no lasting permission. Remove Frontdesk under myaccount.google.com/permissions, and connect again.";
            return Ok(refused(RefusalKind::Conflict, "google_not_lasting", detail));
        };
        let (account, list) = read_calendars(&client.ask(&tokens.access, &calendars()).await?)?;
        let connection = random_text();
        let seal =
            |token, column: &str| app.sealer.seal(token, &SealContext::google_token(&scope, column, &connection)).map_err(Trouble::from);
        let connected = Connected {
            account,
            scopes: tokens.scopes.clone(),
            refresh_token: seal(refresh, "sealed_refresh_token")?,
            access_token: seal(&tokens.access, "sealed_access_token")?,
            access_expires_at: app.clock.now() + tokens.lasts,
            calendars: list,
            connection: connection.clone(),
        };
        let by = actor(&self.request);
        let answer = once(cx, self.request, move |tx| {
            Box::pin(async move {
                integrations::connect(tx, &connected).await?;
                audit::add(tx, &by, "connect", "integration:google", &json!({})).await?;
                let shown = integrations::shown(tx).await?.ok_or(DbError::NotFound)?;
                let view = serde_json::to_value(shown).unwrap_or_default();
                Ok(Wrote::answer(Answer::Done(view)).event("integration", json!({"provider": "google", "state": "connected"})))
            })
        })
        .await?;
        // What stands already goes into the calendar; if this is lost, the next look by the clock does it.
        let push = Push { key: Some(format!("connected:{connection}")), ..Push::default() };
        app.queue.push(Origin::Shop(&scope), &PullCalendar {}, push).await?;
        Ok(answer)
    }
}

pub(super) fn not_configured() -> Answer {
    refused(
        RefusalKind::Conflict,
        "google_not_configured",
        "This installation has no access to Google. Its operator sets GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET.",
    )
}
