//! The ports: everything that is not a function of the request comes in through these. No implementation of any of them.

pub(crate) mod sql;
pub(crate) mod store;

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::round_trip::Keyring;
use crate::send::{AnyValue, BoxFuture, MaybeSend, MaybeSync};

/// What a host gives to a call.
#[derive(Clone)]
pub struct Platform {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) keys: Keyring,
    pub(crate) ports: TypeMap,
}

impl Platform {
    /// The four ports that every host has, and the keys that seal request state.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, timer: Arc<dyn Timer>, random: Arc<dyn Random>, records: Arc<dyn Records>, keys: Keyring) -> Self {
        Self { clock, timer, random, records, keys, ports: TypeMap::default() }
    }

    /// Waits, by the host's timer.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.timer.sleep(duration)
    }

    /// Adds a port that toolkits ask for by its trait, e.g. `with_port::<dyn Sql>(database)`.
    #[must_use]
    pub fn with_port<P: ?Sized + Any + MaybeSend + MaybeSync>(mut self, port: Arc<P>) -> Self
    where
        Arc<P>: Any + MaybeSend + MaybeSync,
    {
        self.ports.insert(port);
        self
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("keys", &self.keys).field("ports", &self.ports).finish_non_exhaustive()
    }
}

/// The time of day.
pub trait Clock: MaybeSend + MaybeSync {
    /// Milliseconds since 1970-01-01T00:00Z.
    fn now_ms(&self) -> u64;
}

/// Waiting.
pub trait Timer: MaybeSend + MaybeSync {
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Randomness that nobody can guess.
pub trait Random: MaybeSend + MaybeSync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Where a call's private side goes.
pub trait Records: MaybeSend + MaybeSync {
    /// A handler failed with a cause that the client must not see.
    fn failure(&self, failure: &Failure<'_>);
}

/// The private side of a failed call. The client was told `id`, and nothing else of it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The id that the client was told.
    pub id: &'a str,
    /// The method, e.g. `tools/call`.
    pub method: &'a str,
    /// The tool, prompt or resource: a registered name, never the client's text.
    pub name: &'a str,
    /// What went wrong.
    pub cause: &'a str,
}

/// Values by their type.
#[derive(Clone, Default)]
pub(crate) struct TypeMap(HashMap<TypeId, (&'static str, Arc<AnyValue>)>);

impl TypeMap {
    /// Returns whether a value of the type was there already.
    pub(crate) fn insert<T: Any + MaybeSend + MaybeSync>(&mut self, value: T) -> bool {
        self.0.insert(TypeId::of::<T>(), (type_name::<T>(), Arc::new(value))).is_some()
    }

    pub(crate) fn find<T: Any>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.1.downcast_ref()
    }
}

impl fmt::Debug for TypeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.values().map(|(name, _)| name)).finish()
    }
}
