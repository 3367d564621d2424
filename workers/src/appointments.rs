//! When a shop's people are busy elsewhere: asked of the calendars that the shop has connected, each time anew. Where one cannot be read, nothing is
//! offered and nothing is booked: a slot that may be taken is no slot.

use std::fmt::Debug;

use async_trait::async_trait;
use frontdesk_core::availability::Interval;
use frontdesk_core::db::appointments::Busy;
use frontdesk_core::jobs::{Answer, Refusal, RefusalKind};
use frontdesk_core::tenancy::ShopScope;

use crate::App;

/// A connected calendar does not say what is in it.
#[derive(Debug, thiserror::Error)]
#[error("a connected calendar cannot be read: {why}")]
pub struct CalendarUnreachable {
    /// In one word, for logs.
    pub why: String,
}

/// Calendars that are not ours.
#[async_trait]
pub trait BusyTimes: Send + Sync + Debug {
    /// When the shop's staff are busy within a stretch of time, fresh, and without the appointments that we have put there ourselves; `None` if the
    /// shop has connected no calendar, and ours is all there is. It has a deadline of its own.
    ///
    /// # Errors
    /// When a connected calendar cannot be read, or not all of it.
    async fn busy(&self, scope: &ShopScope, within: Interval) -> Result<Option<Vec<Busy>>, CalendarUnreachable>;
}

/// No shop has connected any.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCalendars;

#[async_trait]
impl BusyTimes for NoCalendars {
    async fn busy(&self, _: &ShopScope, _: Interval) -> Result<Option<Vec<Busy>>, CalendarUnreachable> {
        Ok(None)
    }
}

/// What calendars elsewhere say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// When staff are busy there.
    pub busy: Vec<Busy>,
    /// Whether there is such a calendar, and it was read.
    pub checked: bool,
}

impl App {
    /// When the shop's staff are busy elsewhere within a stretch of time; if a connected calendar does not say so, the refusal of whatever depends on it.
    ///
    /// # Errors
    /// The refusal, `calendar_unreachable`.
    pub async fn elsewhere(&self, scope: &ShopScope, within: Interval) -> Result<Elsewhere, Answer> {
        settle(self.busy.busy(scope, within).await)
    }
}

fn settle(found: Result<Option<Vec<Busy>>, CalendarUnreachable>) -> Result<Elsewhere, Answer> {
    match found {
        Ok(None) => Ok(Elsewhere::default()),
        Ok(Some(busy)) => Ok(Elsewhere { busy, checked: true }),
        Err(error) => {
            tracing::warn!(%error, "no time is known to be free");
            let detail = "The connected calendar cannot be read at the moment, so no time is known to be free. Try again in a moment, or connect it anew.";
            let (kind, code) = (RefusalKind::Unavailable, "calendar_unreachable".to_owned());
            Err(Answer::Refused(Refusal { kind, code, detail: detail.to_owned(), fields: Vec::new(), slots: Vec::new() }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_that_cannot_be_read_offers_nothing() {
        let refused = settle(Err(CalendarUnreachable { why: "timeout".to_owned() })).unwrap_err();
        let Answer::Refused(refusal) = refused else { panic!("{refused:?}") };
        assert_eq!((refusal.kind, refusal.code.as_str()), (RefusalKind::Unavailable, "calendar_unreachable"));
        assert!(refusal.slots.is_empty());
    }

    #[test]
    fn no_calendar_is_not_an_empty_one() {
        assert_eq!(settle(Ok(None)), Ok(Elsewhere { busy: Vec::new(), checked: false }));
        assert_eq!(settle(Ok(Some(Vec::new()))), Ok(Elsewhere { busy: Vec::new(), checked: true }));
    }
}
