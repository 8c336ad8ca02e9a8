//! An event, as an author adds it.

use super::Builder;
use super::event::register;
use crate::event::Event;

impl Builder {
    /// Adds an event, which clients ask for, or are sent. See [`Event`].
    pub fn event(mut self, event: Event) -> Self {
        let (events, _) = self.events.get_or_insert((Vec::new(), register));
        events.push(event);
        self
    }
}
