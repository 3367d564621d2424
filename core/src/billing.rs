//! When a shop is served, and what its owner is told of that: rules, without a database and without a clock of their own (DESIGN 7).
//!
//! A paid invoice of a subscription period pays until the period's end, and for 30 days at least. The latest of these is the expiry: a maximum, so the
//! order in which payments become known does not matter. After it a subscription that goes on has some days of grace; one that was cancelled has none.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// What a payment pays at least.
const PAID_FOR: TimeDelta = TimeDelta::days(30);
/// So many days before the end the owner is reminded.
pub const REMINDED_DAYS: [i64; 3] = [7, 3, 1];

/// Until when a payment pays; `None` if it pays no period (an upgrade's difference, something of another kind).
#[must_use]
pub fn pays_until(paid_at: DateTime<Utc>, period_end: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    period_end.map(|end| end.max(paid_at + PAID_FOR))
}

/// What is known of how a shop pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// When its trial ends, or ended.
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// Whether it is still on its trial plan.
    pub on_trial: bool,
    /// Until when it is paid, if it ever paid.
    pub expiry: Option<DateTime<Utc>>,
    /// Whether its owner has cancelled: it is not to go on after what was paid.
    pub cancelled: bool,
}

/// How a shop stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The operator gave it its plan: nothing ends.
    Given,
    /// On trial.
    Trial {
        /// Until.
        ends_at: DateTime<Utc>,
    },
    /// Paid, and to go on.
    Paid {
        /// Until.
        until: DateTime<Utc>,
    },
    /// Paid, and cancelled.
    Ending {
        /// Until.
        ends_at: DateTime<Utc>,
    },
    /// What was paid is over; served for a while longer.
    Grace {
        /// Since.
        expired_at: DateTime<Utc>,
        /// Until.
        until: DateTime<Utc>,
    },
    /// Not served.
    Ended {
        /// Since.
        at: DateTime<Utc>,
    },
}

impl Account {
    /// How the shop stands at `now`, with so much grace.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>, grace: TimeDelta) -> Standing {
        let trial = self.trial_ends_at.filter(|ends_at| now < *ends_at);
        let Some(expiry) = self.expiry else {
            return match (trial, self.trial_ends_at) {
                (Some(ends_at), _) if self.on_trial => Standing::Trial { ends_at },
                (None, Some(at)) if self.on_trial => Standing::Ended { at },
                _ => Standing::Given,
            };
        };
        let end = if self.cancelled { expiry } else { expiry + grace };
        match trial {
            _ if now < expiry && self.cancelled => Standing::Ending { ends_at: expiry },
            _ if now < expiry => Standing::Paid { until: expiry },
            // Who paid during a trial that lasts longer still has it.
            Some(ends_at) => Standing::Trial { ends_at },
            None if now < end => Standing::Grace { expired_at: expiry, until: end },
            None => Standing::Ended { at: end },
        }
    }
}

impl Standing {
    /// Whether customers are answered.
    #[must_use]
    pub const fn is_active(self) -> bool {
        !matches!(self, Self::Ended { .. })
    }

    /// The name used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Trial { .. } => "trial",
            Self::Paid { .. } => "active",
            Self::Ending { .. } => "ending",
            Self::Grace { .. } => "grace",
            Self::Ended { .. } => "inactive",
        }
    }

    /// Until when it is paid, or free; past for what is over.
    #[must_use]
    pub const fn expires_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Given => None,
            Self::Trial { ends_at } | Self::Ending { ends_at } => Some(ends_at),
            Self::Paid { until } => Some(until),
            Self::Grace { expired_at, .. } => Some(expired_at),
            Self::Ended { at } => Some(at),
        }
    }

    /// Of the days in [`REMINDED_DAYS`], the one whose reminder is due: the least that has come. `None` when nothing is near its end.
    #[must_use]
    pub fn reminder(self, now: DateTime<Utc>) -> Option<i64> {
        let (Self::Trial { ends_at } | Self::Ending { ends_at } | Self::Paid { until: ends_at }) = self else { return None };
        REMINDED_DAYS.into_iter().filter(|days| ends_at - now <= TimeDelta::days(*days)).min()
    }
}

impl Serialize for Standing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GRACE: TimeDelta = TimeDelta::days(3);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hours(n: i64) -> DateTime<Utc> {
        at("2026-01-01T00:00:00Z") + TimeDelta::hours(n)
    }

    #[test]
    fn a_month_of_31_days_is_paid_to_its_end_and_one_of_28_for_30_days() {
        let (january, february) = (at("2026-01-15T10:00:00Z"), at("2026-02-15T10:00:00Z"));
        assert_eq!(pays_until(january, Some(february)), Some(february));
        assert_eq!(pays_until(february, Some(at("2026-03-15T10:00:00Z"))), Some(at("2026-03-17T10:00:00Z")));
        assert_eq!(pays_until(january, None), None);
    }

    #[test]
    fn a_trial_ends_without_grace() {
        let trial = Account { trial_ends_at: Some(hours(336)), on_trial: true, ..Account::default() };
        assert_eq!(trial.at(hours(335), GRACE), Standing::Trial { ends_at: hours(336) });
        assert_eq!(trial.at(hours(336), GRACE), Standing::Ended { at: hours(336) });
    }

    #[test]
    fn a_plan_that_the_operator_gave_never_ends() {
        let given = Account { trial_ends_at: Some(hours(1)), ..Account::default() };
        assert_eq!(given.at(hours(0), GRACE), Standing::Given);
        assert_eq!(given.at(hours(9_999), GRACE), Standing::Given);
    }

    #[test]
    fn grace_is_for_those_who_have_not_cancelled() {
        let paid = Account { expiry: Some(hours(720)), ..Account::default() };
        let cancelled = Account { cancelled: true, ..paid };
        assert_eq!(paid.at(hours(719), GRACE), Standing::Paid { until: hours(720) });
        assert_eq!(paid.at(hours(720), GRACE), Standing::Grace { expired_at: hours(720), until: hours(792) });
        assert_eq!(paid.at(hours(792), GRACE), Standing::Ended { at: hours(792) });
        assert_eq!(cancelled.at(hours(719), GRACE), Standing::Ending { ends_at: hours(720) });
        assert_eq!(cancelled.at(hours(720), GRACE), Standing::Ended { at: hours(720) });
    }

    #[test]
    fn who_pays_and_is_refused_later_keeps_the_rest_of_a_trial() {
        let account = Account { trial_ends_at: Some(hours(1000)), on_trial: false, expiry: Some(hours(720)), cancelled: true };
        assert_eq!(account.at(hours(800), GRACE), Standing::Trial { ends_at: hours(1000) });
        assert_eq!(account.at(hours(1000), GRACE), Standing::Ended { at: hours(720) });
    }

    #[test]
    fn each_reminder_comes_in_its_time_and_one_that_was_missed_gives_way_to_the_next() {
        let paid = Standing::Paid { until: hours(240) };
        assert_eq!(paid.reminder(hours(0)), None);
        assert_eq!(paid.reminder(hours(240 - 168)), Some(7));
        assert_eq!(paid.reminder(hours(240 - 72)), Some(3));
        assert_eq!(paid.reminder(hours(240 - 20)), Some(1));
        assert_eq!(Standing::Given.reminder(hours(0)), None);
        assert_eq!(Standing::Ended { at: hours(0) }.reminder(hours(1)), None);
    }

    proptest! {
        #[test]
        fn the_expiry_is_the_same_in_whatever_order_payments_arrive(
            mut payments in prop::collection::vec((0_i64..9_000, prop::option::of(0_i64..10_000)), 1..8),
            rotation in 0_usize..8,
        ) {
            let expiry = |payments: &[(i64, Option<i64>)]| {
                payments.iter().filter_map(|(paid, end)| pays_until(hours(*paid), end.map(hours))).max()
            };
            let first = expiry(&payments);
            let by = rotation % payments.len();
            payments.rotate_left(by);
            prop_assert_eq!(expiry(&payments), first);
            payments.push(payments[0]);
            prop_assert_eq!(expiry(&payments), first);
        }

        #[test]
        fn nobody_who_has_paid_is_inactive_before_the_expiry(
            now in 0_i64..2_000, expiry in 1_i64..2_000, cancelled: bool, on_trial: bool, trial in prop::option::of(0_i64..2_000), grace in 0_i64..10,
        ) {
            let account = Account { trial_ends_at: trial.map(hours), on_trial, expiry: Some(hours(expiry)), cancelled };
            let standing = account.at(hours(now), TimeDelta::days(grace));
            let end = if cancelled { expiry } else { expiry + grace * 24 };
            prop_assert_eq!(standing.is_active(), now < end || trial.is_some_and(|ends| now < ends));
        }
    }
}
