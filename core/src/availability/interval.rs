//! Stretches of time, from an instant up to and without another.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// From an instant up to and without another, later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
}

impl Interval {
    /// `None` if nothing lies between.
    #[must_use]
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Whether an instant is in both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// Whether all of the other one is in this one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }
}

/// In order; those that touch or overlap are one.
pub(super) fn merge(mut all: Vec<Interval>) -> Vec<Interval> {
    all.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(all.len());
    for next in all {
        match merged.last_mut() {
            Some(last) if next.from <= last.to => last.to = last.to.max(next.to),
            _ => merged.push(next),
        }
    }
    merged
}

/// What of `whole` is in none of `holes`; both merged.
pub(super) fn subtract(whole: &[Interval], holes: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::with_capacity(whole.len() + holes.len());
    for piece in whole {
        let mut from = piece.from;
        for hole in holes.iter().filter(|hole| hole.overlaps(*piece)) {
            left.extend(Interval::new(from, hole.from));
            from = hole.to;
        }
        left.extend(Interval::new(from, piece.to));
    }
    left
}

/// Taken time, to be asked often.
pub(super) struct Taken(Vec<Interval>);

impl Taken {
    pub(super) fn new(taken: &[Interval]) -> Self {
        Self(merge(taken.iter().copied().filter(|taken| taken.from < taken.to).collect()))
    }

    pub(super) fn meets(&self, wanted: Interval) -> bool {
        let after = self.0.partition_point(|taken| taken.to <= wanted.from);
        self.0.get(after).is_some_and(|taken| taken.overlaps(wanted))
    }
}
