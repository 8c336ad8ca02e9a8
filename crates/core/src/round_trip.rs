//! Round trips (basic/patterns/mrtr): a handler asks, the client answers in a new request, the
//! state between the two travels sealed through the client. No memory on this side.

pub(crate) mod letter;
mod seal;
pub(crate) mod seen;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

pub use crate::model::input::{
    ElicitAction, Elicited, Form, InputRequest, InputResponse, Root, Sampled, Sampling,
    UrlElicitation,
};

pub(crate) use seal::Binding;
pub use seal::{KeyError, Keyring};

/// How long a client may take to answer, unless the handler says otherwise.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(600);

/// What a handler wants to know before it can go on. Returned as an error:
/// `return Err(cx.ask()....into())`.
///
/// A client that retries sends the same call again with the answers, and the handler starts from
/// its beginning: do nothing twice that must be done once before asking.
#[derive(Debug, Clone)]
#[must_use = "return it: `Err(ask.into())`"]
pub struct InputRequired {
    pub(crate) requests: BTreeMap<String, InputRequest>,
    pub(crate) state: Option<Value>,
    pub(crate) state_failed: bool,
    pub(crate) expires_in: Duration,
}

impl InputRequired {
    pub(crate) fn new() -> Self {
        Self {
            requests: BTreeMap::new(),
            state: None,
            state_failed: false,
            expires_in: ANSWER_WITHIN,
        }
    }

    /// Shows the person a form.
    pub fn form(self, key: impl Into<String>, form: Form) -> Self {
        self.request(key, InputRequest::Form(form))
    }

    /// Sends the person to a page.
    pub fn url(self, key: impl Into<String>, url: UrlElicitation) -> Self {
        self.request(key, InputRequest::Url(url))
    }

    /// Asks the client's model.
    pub fn sample(self, key: impl Into<String>, sampling: Sampling) -> Self {
        self.request(key, InputRequest::Sampling(sampling))
    }

    /// Asks for the client's roots.
    pub fn roots(self, key: impl Into<String>) -> Self {
        self.request(key, InputRequest::Roots {})
    }

    fn request(mut self, key: impl Into<String>, request: InputRequest) -> Self {
        self.requests.insert(key.into(), request);
        self
    }

    /// Carries a value to the next round: sealed, bound to this caller and this call, and of
    /// limited life.
    pub fn state(mut self, state: impl Serialize) -> Self {
        match serde_json::to_value(state) {
            Ok(state) => self.state = Some(state),
            // reported when the call ends, because these methods are chained and can't fail
            Err(_) => self.state_failed = true,
        }
        self
    }

    /// How long the state may be used; ten minutes by default.
    pub fn expires_in(mut self, duration: Duration) -> Self {
        self.expires_in = duration;
        self
    }
}
