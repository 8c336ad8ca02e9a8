//! What a host says of its platform: what of the protocol can't be kept there.

use super::Builder;

impl Builder {
    /// For a platform without a store of idempotent writes: arguments that are idempotency keys are
    /// not published, because what is said of them would not be true. Calls with a key are refused.
    pub fn without_idempotency_keys(mut self) -> Self {
        self.idempotency_keys = false;
        self
    }

    /// For a platform that keeps no tasks: tools run within their calls, and the extension is not
    /// declared. A tool that is required to be a task is a mistake.
    pub fn without_tasks(mut self) -> Self {
        self.tasks = false;
        self
    }
}
