//! The time of day, for what two processes must agree on.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// Now.
#[expect(clippy::disallowed_methods, reason = "a measurement dates what it sends by the clock that the sandbox reads too")]
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Unix milliseconds with their fraction.
#[expect(clippy::disallowed_methods, reason = "a measurement dates what it sends by the clock that the sandbox reads too")]
pub(crate) fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1_000.0)
}
