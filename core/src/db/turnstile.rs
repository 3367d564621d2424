//! Who gets a connection next: the shops in turn, and none more than three quarters of them, so that neither a flood from one shop nor a queue at one
//! of its rows makes the others wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::ids::ShopId;

/// What has no shop is one more party.
type Party = Option<ShopId>;

/// Hands out a fixed number of passes.
#[derive(Debug)]
pub(super) struct Turnstile {
    state: Mutex<State>,
    most_per_party: usize,
}

#[derive(Debug)]
struct State {
    free: usize,
    held: HashMap<Party, usize>,
    /// Parties that wait, the next one first; each is here once.
    turns: VecDeque<Party>,
    waiting: HashMap<Party, VecDeque<oneshot::Sender<()>>>,
}

impl Turnstile {
    pub(super) fn new(passes: usize) -> Arc<Self> {
        let state = State { free: passes, held: HashMap::new(), turns: VecDeque::new(), waiting: HashMap::new() };
        Arc::new(Self { state: Mutex::new(state), most_per_party: (passes * 3 / 4).max(1) })
    }

    /// Waits for a pass. Safe to drop while it waits.
    pub(super) async fn enter(self: &Arc<Self>, party: Party) -> Pass {
        let called = {
            let mut state = self.lock();
            let (caller, called) = oneshot::channel();
            if !state.waiting.contains_key(&party) {
                state.turns.push_back(party);
            }
            state.waiting.entry(party).or_default().push_back(caller);
            state.call(self.most_per_party);
            called
        };
        let mut place = Place { turnstile: self, party, called };
        // The sender is kept until it calls.
        let _ = (&mut place.called).await;
        Pass { turnstile: Arc::clone(self), party }
    }

    fn leave(&self, party: Party) {
        let mut state = self.lock();
        state.give_back(party);
        state.call(self.most_per_party);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn give_back(&mut self, party: Party) {
        self.free += 1;
        if let Some(held) = self.held.get_mut(&party) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&party);
            }
        }
    }

    /// Calls in whoever may enter.
    fn call(&mut self, most_per_party: usize) {
        while self.free > 0 {
            let may_enter = |party: &Party| self.held.get(party).copied().unwrap_or(0) < most_per_party;
            let Some(next) = self.turns.iter().position(may_enter) else { return };
            let Some(party) = self.turns.remove(next) else { return };
            let Some(callers) = self.waiting.get_mut(&party) else { continue };
            let caller = callers.pop_front();
            if callers.is_empty() {
                self.waiting.remove(&party);
            } else {
                self.turns.push_back(party);
            }
            // Who has given up waiting takes no pass.
            if caller.is_some_and(|caller| caller.send(()).is_ok()) {
                self.free -= 1;
                *self.held.entry(party).or_default() += 1;
            }
        }
    }
}

/// A place in the queue.
struct Place<'a> {
    turnstile: &'a Arc<Turnstile>,
    party: Party,
    called: oneshot::Receiver<()>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Called in at the very moment of giving up.
        self.called.close();
        if self.called.try_recv().is_ok() {
            self.turnstile.leave(self.party);
        }
    }
}

/// Leave to use one connection; ends when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    turnstile: Arc<Turnstile>,
    party: Party,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.turnstile.leave(self.party);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const BUSY: Party = Some(ShopId(1));
    const QUIET: Party = Some(ShopId(2));

    async fn fill(turnstile: &Arc<Turnstile>, party: Party, passes: usize) -> Vec<Pass> {
        let mut held = Vec::new();
        for _ in 0..passes {
            held.push(turnstile.enter(party).await);
        }
        held
    }

    #[tokio::test]
    async fn one_shop_leaves_room_for_the_others() {
        let turnstile = Turnstile::new(8);
        let held = fill(&turnstile, BUSY, 6).await;
        let mut seventh = Box::pin(turnstile.enter(BUSY));
        assert!(seventh.as_mut().now_or_never().is_none());
        let other = turnstile.enter(QUIET).now_or_never();
        assert!(other.is_some());
        drop(held);
        assert!(seventh.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn shops_enter_in_turn() {
        let turnstile = Turnstile::new(1);
        let held = turnstile.enter(BUSY).await;
        let mut flood: Vec<_> = (0..100).map(|_| Box::pin(turnstile.enter(BUSY))).collect();
        for waiting in &mut flood {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut quiet = Box::pin(turnstile.enter(QUIET));
        assert!(quiet.as_mut().now_or_never().is_none());
        drop(held);
        let first = flood[0].as_mut().now_or_never().unwrap();
        drop(first);
        assert!(quiet.as_mut().now_or_never().is_some(), "second, not hundred-first");
    }

    #[tokio::test]
    async fn who_gives_up_takes_no_pass_along() {
        let turnstile = Turnstile::new(1);
        let held = turnstile.enter(BUSY).await;
        let mut called = Box::pin(turnstile.enter(QUIET));
        assert!(called.as_mut().now_or_never().is_none());
        let mut gone = Box::pin(turnstile.enter(BUSY));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
        // Called in, but dropped before it could know.
        drop(held);
        drop(called);
        assert!(turnstile.enter(BUSY).now_or_never().is_some());
        assert_eq!(turnstile.lock().free, 1);
    }
}
