//! What each plan allows: one table. The limits are enforced where the thing happens.

use serde::{Deserialize, Serialize};

use crate::inbound::Platform;

/// A shop's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Pro's features with Starter's messages, for `TRIAL_DAYS`.
    Trial,
    /// One platform, 200 messages a month.
    Starter,
    /// All platforms, dashboard.
    Pro,
    /// Unlimited, team roles.
    Business,
}

/// What a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many platforms may be connected.
    pub platforms: usize,
    /// Answers of the AI per calendar month of the shop; `None` is unlimited.
    pub monthly_messages: Option<i32>,
    /// Dashboard analytics.
    pub analytics: bool,
    /// Team members with roles.
    pub team: bool,
}

/// WhatsApp, Instagram, Messenger.
const PLATFORMS: usize = 3;
/// Of a month's answers, in percent: when this much is used, the owner is warned.
const WARN_AT_PERCENT: i32 = 80;

impl Allowance {
    /// Whether every platform may be connected.
    #[must_use]
    pub const fn all_platforms(&self) -> bool {
        self.platforms >= PLATFORMS
    }

    /// Whether so many answers of a month are as many as the owner is to be warned of.
    #[must_use]
    pub const fn is_nearly_used(&self, messages: i32) -> bool {
        match self.monthly_messages {
            Some(most) => messages.saturating_mul(100) >= most.saturating_mul(WARN_AT_PERCENT),
            None => false,
        }
    }

    /// Of the connected platforms, the earliest first, those on which the agent answers. A plan that became smaller disconnects nothing.
    #[must_use]
    pub fn answered<'p>(&self, connected: &'p [Platform]) -> &'p [Platform] {
        connected.get(..self.platforms).unwrap_or(connected)
    }
}

impl Plan {
    /// Those that can be bought, the smallest first.
    pub const SOLD: [Self; 3] = [Self::Starter, Self::Pro, Self::Business];

    /// The smallest that can be bought and allows this.
    #[must_use]
    pub fn smallest(allows: impl Fn(&Allowance) -> bool) -> Option<Self> {
        Self::SOLD.into_iter().find(|plan| allows(&plan.allows()))
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Trial => "Trial",
            Self::Starter => "Starter",
            Self::Pro => "Pro",
            Self::Business => "Business",
        }
    }

    /// The name used in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Business => "business",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Trial, Self::Starter, Self::Pro, Self::Business].into_iter().find(|plan| plan.as_str() == name)
    }

    /// The table.
    #[must_use]
    pub const fn allows(self) -> Allowance {
        match self {
            Self::Trial => Allowance { platforms: PLATFORMS, monthly_messages: Some(200), analytics: true, team: false },
            Self::Starter => Allowance { platforms: 1, monthly_messages: Some(200), analytics: false, team: false },
            Self::Pro => Allowance { platforms: PLATFORMS, monthly_messages: None, analytics: true, team: false },
            Self::Business => Allowance { platforms: PLATFORMS, monthly_messages: None, analytics: true, team: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_plans_allow_all_that_smaller_ones_do() {
        for pair in Plan::SOLD.windows(2) {
            let (small, large) = (pair[0].allows(), pair[1].allows());
            assert!(small.platforms <= large.platforms && small.analytics <= large.analytics && small.team <= large.team);
            assert!(large.monthly_messages.is_none_or(|most| small.monthly_messages.is_some_and(|fewer| fewer <= most)));
            assert!(pair[0] < pair[1]);
        }
        assert_eq!(Plan::smallest(|plan| plan.team), Some(Plan::Business));
        assert_eq!(Plan::smallest(|plan| plan.monthly_messages.is_none()), Some(Plan::Pro));
    }

    #[test]
    fn owners_are_warned_at_four_fifths() {
        assert!(!Plan::Starter.allows().is_nearly_used(159) && Plan::Starter.allows().is_nearly_used(160));
        assert!(!Plan::Pro.allows().is_nearly_used(i32::MAX));
    }

    #[test]
    fn the_platforms_that_were_connected_first_are_answered() {
        let connected = [Platform::Messenger, Platform::Whatsapp];
        assert_eq!(Plan::Starter.allows().answered(&connected), [Platform::Messenger]);
        assert_eq!(Plan::Pro.allows().answered(&connected), connected);
        assert!(Plan::Starter.allows().answered(&[]).is_empty());
    }
}
