//! Months as Stripe counts them, and dates in words.

use chrono::{DateTime, Months, Utc};

/// `at` and `months` months: the same day, or the month's last if there is none such.
pub(crate) fn add_months(at: i64, months: u32) -> i64 {
    let moved = DateTime::<Utc>::from_timestamp(at, 0).and_then(|t| t.checked_add_months(Months::new(months)));
    // Only a date beyond the calendar's end has no successor.
    moved.map_or(i64::MAX, |t| t.timestamp())
}

/// `31 Jan 2026`.
pub(crate) fn in_words(at: i64) -> String {
    DateTime::<Utc>::from_timestamp(at, 0).map(|t| t.format("%-d %b %Y").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchor_day_is_kept_through_short_months() {
        let jan_31 = 1_769_860_800;
        assert_eq!(in_words(jan_31), "31 Jan 2026");
        let days: Vec<String> = (1..=3).map(|n| in_words(add_months(jan_31, n))).collect();
        assert_eq!(days, ["28 Feb 2026", "31 Mar 2026", "30 Apr 2026"]);
    }
}
