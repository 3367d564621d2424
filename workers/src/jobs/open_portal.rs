//! Opens Stripe's page on which a card is changed, an invoice paid, a subscription cancelled. A repeat opens another page, which does no harm.

use frontdesk_core::db::{DbError, TxKind, subscriptions};
use frontdesk_core::jobs::{Answer, OpenPortal};
use serde_json::json;

use super::create_checkout::{absent, not_configured, stripe_refused};
use super::{Wrote, once};
use crate::App;
use crate::billing::{field, idempotency_key};
use crate::clients::stripe::{StripeError, objects};
use crate::runner::{Handle, JobContext, JobError};

impl Handle<App> for OpenPortal {
    async fn handle(self, cx: &JobContext<App>) -> Result<Answer, JobError> {
        let (app, scope) = (&cx.app, cx.scope()?);
        let Some(stripe) = &app.stripe else { return Ok(not_configured()) };
        let find = async move |mut tx| subscriptions::find(&mut tx).await.map_err(|error: DbError| error);
        let Some(row) = app.db.shop_tx(&scope, TxKind::Command, find).await? else { return Ok(absent()) };
        let fields = vec![field("customer", row.customer_id), field("return_url", format!("{}/billing", app.settings.public_url))];
        let key = idempotency_key(app, &scope, &format!("portal:{}", self.request.key));
        let session = match stripe.post(&["billing_portal", "sessions"], &fields, &key).await {
            Ok(session) => session,
            Err(StripeError::NoSuch { .. }) => return Ok(absent()),
            Err(StripeError::Refused(code)) => return Ok(stripe_refused(&code)),
            Err(error) => return Err(error.into()),
        };
        let url = objects::text(&session["url"]).ok_or_else(|| JobError::retry("stripe"))?;
        once(cx, self.request, move |_| Box::pin(async move { Ok(Wrote::answer(Answer::Done(json!({"url": url})))) })).await
    }
}
