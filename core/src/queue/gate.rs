//! Lets a job run alone in its process: while it does, no other queue of the process fetches.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::jobs::JobName;

#[derive(Debug, Default)]
struct State {
    active: usize,
    alone: Option<JobName>,
}

/// Counts what the process is at.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Notify,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters among others, once nobody is alone or waits to be.
    pub(crate) async fn enter(self: &Arc<Self>) -> Pass {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.alone.is_none() {
                    state.active += 1;
                    return Pass { gate: Arc::clone(self), alone: false };
                }
            }
            changed.await;
        }
    }

    /// Enters alone: keeps others out, and waits until those inside have left.
    pub(crate) async fn enter_alone(self: &Arc<Self>, queue: JobName) -> Pass {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if state.alone.is_none() {
                    state.alone = Some(queue);
                    break;
                }
            }
            changed.await;
        }
        // From here on the pass gives the gate back, also if the wait is given up.
        let pass = Pass { gate: Arc::clone(self), alone: true };
        loop {
            let changed = self.changed.notified();
            if self.state().active == 0 {
                return pass;
            }
            changed.await;
        }
    }
}

/// The right to run; leaving is dropping it.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    alone: bool,
}

impl Pass {
    /// One more job inside; of a lone pass there is no other.
    pub(crate) fn another(&self) -> Self {
        self.gate.state().active += 1;
        Self { gate: Arc::clone(&self.gate), alone: false }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        {
            let mut state = self.gate.state();
            if self.alone {
                state.alone = None;
            } else {
                state.active = state.active.saturating_sub(1);
            }
        }
        self.gate.changed.notify_waiters();
    }
}
