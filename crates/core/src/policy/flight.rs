//! Calls that are under way in this process, so that equal ones make one result together. Holds
//! nothing once they have ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;

/// A value that one task sets and any number wait for.
pub(crate) struct Slot<T>(Mutex<State<T>>);

struct State<T> {
    value: Option<T>,
    waiting: Vec<Waker>,
}

impl<T: Clone> Slot<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            value: None,
            waiting: Vec::new(),
        }))
    }

    /// Sets the value, unless it is set.
    pub(crate) fn set(&self, value: T) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.value.get_or_insert(value);
        let waiting = std::mem::take(&mut state.waiting);
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
pub(crate) enum Landed {
    /// With a result to share, as a store keeps it.
    Shared(Bytes),
    /// With nothing that others may have.
    Alone,
    /// Before its end: its client went away.
    Lost,
}

/// The calls under way, by their key.
#[derive(Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<String, Arc<Slot<Landed>>>>,
    /// Every call makes its own result.
    pub(crate) apart: bool,
}

/// Who makes the result.
pub(crate) enum Seat {
    /// This one.
    Pilot(Pilot),
    /// Somebody else: wait.
    Passenger(Arc<Slot<Landed>>),
}

impl Flights {
    /// For a platform on which one request can't wait for another.
    pub(crate) fn apart() -> Self {
        Self {
            apart: true,
            ..Self::default()
        }
    }

    pub(crate) fn board(self: &Arc<Self>, key: &str) -> Seat {
        if self.apart {
            return Seat::Pilot(Pilot {
                flights: Arc::clone(self),
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
            Entry::Occupied(flight) => Seat::Passenger(Arc::clone(flight.get())),
            Entry::Vacant(free) => {
                let slot = Arc::clone(free.insert(Arc::new(Slot::new())));
                Seat::Pilot(Pilot {
                    flights: Arc::clone(self),
                    key: key.to_owned(),
                    slot,
                })
            }
        }
    }
}

/// Makes the result for all. Until it is dropped, equal calls get what it landed with.
pub(crate) struct Pilot {
    flights: Arc<Flights>,
    key: String,
    slot: Arc<Slot<Landed>>,
}

impl Pilot {
    pub(crate) fn land(&self, landed: Landed) {
        self.slot.set(landed);
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.flights
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
        // without effect on a flight that landed
        self.slot.set(Landed::Lost);
    }
}
