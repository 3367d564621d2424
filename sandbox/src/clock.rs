//! The only place that asks the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the stand-in shares no clock with the product: this is its own")]
pub(crate) fn now_ms() -> i64 {
    // A clock set before 1970 is not worth an error path in a stand-in.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
