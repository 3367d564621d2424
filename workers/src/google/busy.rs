//! When the shop's people are busy, by its Google calendar. The events are listed, not `freeBusy` asked: that merges our own appointments with the rest,
//! and what is merged cannot be taken apart again (decision 15). What cannot be read whole counts as unreachable.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use frontdesk_core::availability::Interval;
use frontdesk_core::db::appointments::Busy;
use frontdesk_core::db::appointments::elsewhere::{self, Standing};
use frontdesk_core::db::{DbError, TxKind};
use frontdesk_core::tenancy::ShopScope;

use super::{Accounts, Trouble};
use crate::appointments::{BusyTimes, CalendarUnreachable};
use crate::clients::google::calendar::{between, read_page};

/// A customer waits.
const LIMIT: Duration = Duration::from_secs(5);
/// Pages of 250 events: more in one stretch is no calendar that people keep.
const MOST_PAGES: usize = 20;

/// Asks Google, each time anew: what was entered there a moment ago is not booked over.
#[derive(Debug)]
pub struct GoogleBusy {
    accounts: Arc<Accounts>,
}

impl GoogleBusy {
    /// Over the accounts of all shops.
    #[must_use]
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }

    async fn events(&self, scope: ShopScope, within: Interval) -> Result<Vec<Interval>, Trouble> {
        let mut account = self.accounts.open(&scope).await?;
        let calendar = account.calendar()?.to_owned();
        let (mut busy, mut ours, mut page_token) = (Vec::new(), Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = read_page(&account.ask(&between(&calendar, within, page_token.as_deref())).await?)?;
            let zone = page.zone();
            for event in &page.items {
                match event.busy(zone)? {
                    Some(at) if event.is_ours() => ours.push((event.id.clone(), at)),
                    at => busy.extend(at),
                }
            }
            match page.next_page_token {
                Some(next) => page_token = Some(next),
                None => {
                    busy.extend(self.moved_there(scope, calendar, ours).await?);
                    return Ok(busy);
                }
            }
        }
        Err(Trouble::Google(crate::clients::ClientError::Useless { provider: "google", reason: "more events than can be read" }.into()))
    }

    async fn moved_there(&self, scope: ShopScope, calendar: String, events: Vec<(String, Interval)>) -> Result<Vec<Interval>, Trouble> {
        let ids: Vec<String> = events.iter().map(|(id, _)| id.clone()).collect();
        let read = async move |mut tx| elsewhere::standing(&mut tx, &calendar, &ids).await.map_err(|error: DbError| error);
        let standing = self.accounts.db.shop_tx(&scope, TxKind::Read, read).await?;
        Ok(not_here(events, &standing))
    }
}

/// Of events that bear our mark, when those take time that do not stand there as they stand here: the owner has moved them and nobody has looked since,
/// or they are another shop's. What stands here takes its time here.
fn not_here(events: Vec<(String, Interval)>, standing: &[Standing]) -> Vec<Interval> {
    let here = |id: &str, at: Interval| {
        standing.iter().any(|row| row.google_event_id == id && (row.under_way || (row.starts_at, row.ends_at) == (at.from, at.to)))
    };
    events.into_iter().filter(|(id, at)| !here(id, *at)).map(|(_, at)| at).collect()
}

#[async_trait]
impl BusyTimes for GoogleBusy {
    async fn busy(&self, scope: &ShopScope, within: Interval) -> Result<Option<Vec<Busy>>, CalendarUnreachable> {
        let unreachable = |why: &dyn std::fmt::Display| CalendarUnreachable { why: why.to_string() };
        let standing = self.accounts.find(scope).await.map_err(|error| unreachable(&error))?;
        // A connection that is broken is still one that the shop relies on: nothing is known of its calendar, so nothing is free.
        if standing.is_none_or(|standing| standing.calendar_id.is_none()) {
            return Ok(None);
        }
        let answer = tokio::time::timeout(LIMIT, self.events(*scope, within)).await;
        let busy = answer.map_err(|_| unreachable(&"too slow"))?.map_err(|trouble| unreachable(&trouble))?;
        Ok(Some(busy.into_iter().map(|at| Busy { staff: None, at }).collect()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn hour(at: u32) -> Interval {
        let from = DateTime::UNIX_EPOCH + TimeDelta::hours(i64::from(at));
        Interval { from, to: from + TimeDelta::hours(1) }
    }

    fn row(id: &str, at: Interval, under_way: bool) -> Standing {
        Standing { google_event_id: id.to_owned(), starts_at: at.from, ends_at: at.to, under_way }
    }

    #[test]
    fn what_stands_here_is_not_counted_again_and_what_does_not_is() {
        let standing = [row("same", hour(1), false), row("moved_there", hour(2), false), row("moved_here", hour(3), true)];
        let events = [("same", hour(1)), ("moved_there", hour(12)), ("moved_here", hour(13)), ("another_shops", hour(14))];
        let busy = not_here(events.map(|(id, at)| (id.to_owned(), at)).to_vec(), &standing);
        assert_eq!(busy, [hour(12), hour(14)]);
    }
}
