//! A bounded, numbered record that can be waited on.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Something with a number of its own in its log.
pub(crate) trait Numbered: Clone {
    fn set_seq(&mut self, seq: u64);
    fn seq(&self) -> u64;
}

struct Inner<T> {
    items: VecDeque<T>,
    last_seq: u64,
}

/// Keeps the newest `cap` records; numbers start at 1 and never repeat, not even after `clear`.
pub(crate) struct Log<T> {
    inner: Mutex<Inner<T>>,
    changed: Notify,
    cap: usize,
}

impl<T: Numbered> Log<T> {
    pub(crate) fn new(cap: usize) -> Self {
        Self { inner: Mutex::new(Inner { items: VecDeque::new(), last_seq: 0 }), changed: Notify::new(), cap }
    }

    fn with<R>(&self, f: impl FnOnce(&mut Inner<T>) -> R) -> R {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends and gives the number.
    pub(crate) fn push(&self, mut item: T) -> u64 {
        let seq = self.with(|inner| {
            inner.last_seq += 1;
            item.set_seq(inner.last_seq);
            inner.items.push_back(item);
            if inner.items.len() > self.cap {
                inner.items.pop_front();
            }
            inner.last_seq
        });
        self.changed.notify_waiters();
        seq
    }

    /// Changes a record that is still kept.
    pub(crate) fn update(&self, seq: u64, f: impl FnOnce(&mut T)) {
        self.with(|inner| {
            let first = inner.items.front().map_or(0, Numbered::seq);
            let item = seq.checked_sub(first).and_then(|i| inner.items.get_mut(usize::try_from(i).ok()?));
            if let Some(item) = item {
                f(item);
            }
        });
        self.changed.notify_waiters();
    }

    /// Records numbered above `after` that match, oldest first, at most `limit`.
    pub(crate) fn list(&self, after: u64, limit: usize, mut matches: impl FnMut(&T) -> bool) -> Vec<T> {
        self.with(|inner| {
            let first = inner.items.front().map_or(1, Numbered::seq);
            let skip = usize::try_from(after.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
            inner.items.iter().skip(skip).filter(|item| matches(item)).take(limit).cloned().collect()
        })
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.with(|inner| inner.last_seq)
    }

    pub(crate) fn clear(&self) {
        self.with(|inner| inner.items.clear());
    }

    /// As `list`, but waits until at least `count` records match or the time is up.
    pub(crate) async fn wait(&self, after: u64, count: usize, limit: usize, wait: Duration, mut matches: impl FnMut(&T) -> bool) -> Vec<T> {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that a record pushed in between is not missed.
            changed.as_mut().enable();
            let found = self.list(after, limit, &mut matches);
            if found.len() >= count.min(limit) || timeout_at(deadline, changed).await.is_err() {
                return found;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Item(u64, char);
    impl Numbered for Item {
        fn set_seq(&mut self, seq: u64) {
            self.0 = seq;
        }
        fn seq(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn oldest_records_fall_out_and_numbers_go_on() {
        let log = Log::new(2);
        for c in ['a', 'b', 'c'] {
            log.push(Item(0, c));
        }
        assert_eq!(log.list(0, 10, |_| true), [Item(2, 'b'), Item(3, 'c')]);
        assert_eq!(log.list(2, 10, |_| true), [Item(3, 'c')]);
        log.update(3, |i| i.1 = 'x');
        log.update(1, |i| i.1 = 'y');
        assert_eq!(log.list(0, 10, |_| true), [Item(2, 'b'), Item(3, 'x')]);
    }

    #[tokio::test]
    async fn waiting_ends_when_enough_has_come() {
        let log = std::sync::Arc::new(Log::new(10));
        let waiter = tokio::spawn({
            let log = log.clone();
            async move { log.wait(0, 2, 10, Duration::from_secs(20), |_| true).await.len() }
        });
        log.push(Item(0, 'a'));
        tokio::task::yield_now().await;
        log.push(Item(0, 'b'));
        assert_eq!(waiter.await.unwrap(), 2);
    }
}
