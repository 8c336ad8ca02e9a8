//! Calls that are under way in this process, so that equal ones make one result together. Holds
//! nothing once they have ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;

/// A value that one task sets and any number wait for.
pub(crate) struct Slot<T>(Mutex<SlotState<T>>);

struct SlotState<T> {
    value: Option<T>,
    waiting: Vec<Waker>,
}

impl<T: Clone> Slot<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(SlotState {
            value: None,
            waiting: Vec::new(),
        }))
    }

    /// Sets the value, unless it is set.
    pub(crate) fn set(&self, value: T) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.value.get_or_insert(value);
        let waiting = std::mem::take(&mut state.waiting);
        // a waker may poll at once, and would wait for this lock
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) async fn wait(&self) -> T {
        std::future::poll_fn(|cx| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = &state.value {
                return Poll::Ready(value.clone());
            }
            if !state
                .waiting
                .iter()
                .any(|waker| waker.will_wake(cx.waker()))
            {
                state.waiting.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

/// How a shared call ended for those who waited for it.
#[derive(Debug, Clone)]
pub(crate) enum FlightResult {
    /// With a result to share, as a store keeps it.
    Shared(Bytes),
    /// With nothing that others may have.
    Private,
    /// Before its end: its client went away.
    Abandoned,
}

/// The calls under way, by their key.
#[derive(Default)]
pub(crate) struct SingleFlight {
    under_way: Mutex<HashMap<String, Arc<Slot<FlightResult>>>>,
    /// Every call makes its own result.
    pub(crate) disabled: bool,
}

/// Who makes the result.
pub(crate) enum FlightRole {
    /// This one.
    Leader(Leader),
    /// Somebody else: wait.
    Follower(Arc<Slot<FlightResult>>),
}

impl SingleFlight {
    /// For a platform on which one request can't wait for another.
    pub(crate) fn disabled() -> Self {
        Self {
            disabled: true,
            ..Self::default()
        }
    }

    pub(crate) fn join(self: &Arc<Self>, key: &str) -> FlightRole {
        // Workers stop a request that waits for what another one does, so each makes its own
        // result
        if self.disabled {
            return FlightRole::Leader(Leader {
                single_flight: Arc::clone(self),
                key: key.to_owned(),
                slot: Arc::new(Slot::new()),
            });
        }
        match self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key.to_owned())
        {
            Entry::Occupied(flight) => FlightRole::Follower(Arc::clone(flight.get())),
            Entry::Vacant(free) => {
                let slot = Arc::clone(free.insert(Arc::new(Slot::new())));
                FlightRole::Leader(Leader {
                    single_flight: Arc::clone(self),
                    key: key.to_owned(),
                    slot,
                })
            }
        }
    }
}

/// Makes the result for all. Until it is dropped, equal calls get what it result with.
pub(crate) struct Leader {
    single_flight: Arc<SingleFlight>,
    key: String,
    slot: Arc<Slot<FlightResult>>,
}

impl Leader {
    pub(crate) fn finish(&self, result: FlightResult) {
        self.slot.set(result);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // out of the map before the others are woken: a call that looks again must find the key
        // free, or it would meet the lost flight for ever
        self.single_flight
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
        // without effect on a flight that result
        self.slot.set(FlightResult::Abandoned);
    }
}
