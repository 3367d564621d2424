//! Google tells that a watched calendar has changed; what changed, a look at it says. The notification is believed by the token that we sealed for its
//! channel, so Postgres is not asked. Notifications of one moment lead to one look, which comes after all of them.

use std::time::Duration;

use frontdesk_core::google::watched_by;
use frontdesk_core::jobs::PullCalendar;
use frontdesk_core::queue::{From as Origin, Push};

use crate::call::PublicCx;
use crate::reply::{HttpError, Reply};

/// A burst of changes, our own among them, is one look.
const MOMENT_MS: i64 = 2_000;
/// Longer ids and tokens are none of ours.
const LONGEST: usize = 256;

/// Believes the token, and enqueues a look; 200 only when Redis has it.
pub(crate) async fn notified(cx: PublicCx) -> Result<Reply, HttpError> {
    let header = |name: &str| cx.header(name).filter(|value| value.len() <= LONGEST);
    let channel = header("x-goog-channel-id").unwrap_or_default();
    let token = header("x-goog-channel-token").unwrap_or_default();
    let Some(scope) = watched_by(&cx.app.sealer, channel, token) else {
        metrics::counter!("frontdesk_webhook_bad_signatures_total").increment(1);
        return Err(HttpError::bad_signature());
    };
    // The first word of a channel says only that it stands.
    if header("x-goog-resource-state") == Some("sync") {
        return Ok(Reply::text(""));
    }
    let now = cx.app.clock.now().timestamp_millis();
    let moment = now.div_euclid(MOMENT_MS);
    let left = u64::try_from((moment + 1) * MOMENT_MS - now).unwrap_or(0);
    let push = Push {
        key: Some(format!("notified:{moment}")),
        delay: Duration::from_millis(left),
        trace: Some(cx.trace.to_string()),
        ..Push::default()
    };
    cx.app.queue.push(Origin::Shop(&scope), &PullCalendar {}, push).await.map_err(HttpError::unavailable)?;
    Ok(Reply::text(""))
}
