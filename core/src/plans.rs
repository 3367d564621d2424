//! What each plan allows: one table. The limits are enforced where the thing happens.

use serde::{Deserialize, Serialize};

/// A shop's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

impl Plan {
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
            Self::Trial => Allowance { platforms: 3, monthly_messages: Some(200), analytics: true, team: false },
            Self::Starter => Allowance { platforms: 1, monthly_messages: Some(200), analytics: false, team: false },
            Self::Pro => Allowance { platforms: 3, monthly_messages: None, analytics: true, team: false },
            Self::Business => Allowance { platforms: 3, monthly_messages: None, analytics: true, team: true },
        }
    }
}
