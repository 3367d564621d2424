//! Webhooks (Google's and Stripe's are in `google` and `stripe`). Meta's: verify, accept into Redis, 200. Postgres is not asked, so it may be away.

pub(crate) mod google;
mod messaging;
mod read;
pub(crate) mod stripe;
mod whatsapp;

use std::time::Instant;

use frontdesk_core::signatures::{
    META_SIGNATURE_HEADER, STRIPE_SIGNATURE_HEADER, meta_webhook_is_signed, same_secret, stripe_webhook_is_signed,
};
use hyper::HeaderMap;

use crate::call::{Call, PublicCx, SignedBody};
use crate::reply::{HttpError, Reply};
use crate::routes::Provider;

pub use read::{Unreadable, read};

/// A challenge longer than this is not Meta's.
const LONGEST_CHALLENGE: usize = 1024;

/// Meta verifies the address (PROVIDERS 1.1): the challenge comes back as it is, if Meta knows our word.
pub(crate) async fn verify(cx: PublicCx) -> Result<Reply, HttpError> {
    let (mut mode, mut token, mut challenge) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(cx.query.as_bytes()) {
        match name.as_ref() {
            "hub.mode" => mode = Some(value),
            "hub.verify_token" => token = Some(value),
            "hub.challenge" => challenge = Some(value),
            _ => {}
        }
    }
    let known = token.is_some_and(|token| same_secret(&cx.app.config.meta_verify_token, token.as_bytes()));
    match challenge {
        Some(challenge) if known && mode.as_deref() == Some("subscribe") && challenge.len() <= LONGEST_CHALLENGE => {
            Ok(Reply::text(challenge.into_owned()))
        }
        _ => Err(HttpError::wrong_verify_token()),
    }
}

/// Checks the signature on the bytes as they came. Two signature headers are as good as none.
pub(crate) fn signed(call: Call, provider: Provider) -> Result<SignedBody, HttpError> {
    let header = |name| only(&call.headers, name).unwrap_or_default();
    let config = &call.app.config;
    let is_signed = match provider {
        Provider::Meta => meta_webhook_is_signed(&config.meta_app_secrets, call.body(), header(META_SIGNATURE_HEADER)),
        Provider::Stripe => {
            let (secrets, now) = (&config.stripe_webhook_secrets, call.app.clock.now());
            stripe_webhook_is_signed(secrets, call.body(), header(STRIPE_SIGNATURE_HEADER), now)
        }
        // It signs nothing: its handler checks a token.
        Provider::Google => false,
    };
    if is_signed {
        Ok(SignedBody { call })
    } else {
        metrics::counter!("frontdesk_webhook_bad_signatures_total").increment(1);
        Err(HttpError::bad_signature())
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none()).map(|value| value.as_bytes())
}

/// Meta delivers. 200 is said only when Redis holds every event; anything less is 503, and Meta sends again.
pub(crate) async fn meta(cx: SignedBody) -> Result<Reply, HttpError> {
    let begun = Instant::now();
    let events = match read(cx.body(), cx.app.clock.now()) {
        Ok(events) => events,
        // Signed, and yet no webhook: Meta never sends it, so nothing is lost by saying so.
        Err(Unreadable::NotAWebhook) => return Err(HttpError::malformed("The body is not a webhook of Meta's.")),
        Err(Unreadable::TooMany) => return Err(HttpError::too_large(crate::call::WEBHOOK_BODY_BYTES)),
    };
    if events.is_empty() {
        return Ok(Reply::text(""));
    }
    let accepted = cx.app.mailbox.accept(events).await.map_err(HttpError::unavailable)?;
    metrics::counter!("frontdesk_webhook_events_total", "kind" => "new").increment(u64::try_from(accepted.new).unwrap_or_default());
    metrics::counter!("frontdesk_webhook_events_total", "kind" => "duplicate")
        .increment(u64::try_from(accepted.duplicates).unwrap_or_default());
    metrics::histogram!("frontdesk_webhook_accept_seconds").record(begun.elapsed().as_secs_f64());
    Ok(Reply::text(""))
}
