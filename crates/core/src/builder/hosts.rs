//! What a host or its operator decides about a whole server, after its author.

use super::Builder;
use crate::confirm::ConfirmMode;
use crate::model::subscription::Subscriptions;

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

    /// Which kinds of subscriptions clients have to resources: for hosts, whose operator has the word.
    pub fn subscriptions(mut self, subscriptions: Subscriptions) -> Self {
        self.subscriptions = subscriptions;
        self
    }

    /// Whether people are asked before a tool does what can't be taken back ([`Cx::confirm`](crate::Cx::confirm));
    /// where the client can show the question, by default.
    pub fn confirm(mut self, mode: ConfirmMode) -> Self {
        // the last one counts: a host has the operator's word
        self.state.insert(mode);
        self
    }
}
