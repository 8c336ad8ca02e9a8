//! Streams of changes, as a host asks for them.

use std::time::Duration;

use crate::dispatch::parts;
use crate::model::subscription::{Listening, ServeListening};
use crate::port::TypeMap;

impl Listening {
    /// Streams that look at the store each `every`, and are held `at_most` so long; then their
    /// clients open others. A host that does not call this has none of their code.
    #[must_use]
    pub const fn new(every: Duration, at_most: Duration) -> Self {
        Self {
            every,
            at_most,
            serve: ServeListening(|state| {
                if let Some(state) = state.downcast_mut::<TypeMap>() {
                    parts::add_listening(state);
                }
            }),
        }
    }
}
