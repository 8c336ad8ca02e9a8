//! What was changed of an upstream's entry, for the log. Changes nothing.

/// What was changed of an entry, in words for the log; empty if nothing was.
#[derive(Default)]
pub(super) struct Changes(Vec<String>);

impl Changes {
    pub(super) fn add(&mut self, what: impl Into<String>) {
        let what = what.into();
        if self.0.len() < 5 && !self.0.contains(&what) {
            self.0.push(what);
        }
    }

    /// One line, if there is any.
    pub(super) fn line(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(", "))
    }
}
