//! Questions of a handler to its client, and the answers that a retry carries.

use mcpfn_schema::Schema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Cx;
use crate::error::ToolError;
use crate::model::capabilities::Capability;
use crate::model::input::{Elicited, Form, InputResponse, Sampled, Sampling};
use crate::round_trip::InputRequired;

impl Cx {
    /// Whether a question can reach the client at all.
    pub(crate) fn reaches_client(&self) -> bool {
        self.0.can_ask
    }

    /// Starts a question to the client; see [`InputRequired`].
    pub fn ask(&self) -> InputRequired {
        InputRequired::new()
    }

    /// What the client answered under `key`, if this call is a retry that carries an answer.
    #[must_use]
    pub fn answer(&self, key: &str) -> Option<&InputResponse> {
        self.0.answers.get(key)
    }

    /// The person's answer to a form: from this call if it is there and fits the form, otherwise
    /// the question as an error.
    ///
    /// # Errors
    /// The question, to be returned with `?`. A client that can't show forms gets protocol error
    /// -32021.
    pub fn elicit(&self, key: &str, form: Form) -> Result<&Elicited, ToolError> {
        if let Some(InputResponse::Elicitation(elicited)) = self.answer(key) {
            // the form's schema was only shown to the client, which may have answered anything
            let fits = elicited.accepted().is_none_or(|content| {
                Schema::compile(form.schema())
                    .is_ok_and(|validator| validator.accepts(&Value::Object(content.clone())))
            });
            if fits {
                return Ok(elicited);
            }
        }
        Err(self.ask().form(key, form).into())
    }

    /// The answer of the client's model, or the question as an error.
    ///
    /// # Errors
    /// As for [`Cx::elicit`].
    pub fn sample(&self, key: &str, sampling: Sampling) -> Result<&Sampled, ToolError> {
        match self.answer(key) {
            Some(InputResponse::Sampling(sampled)) => Ok(sampled),
            _ => Err(self.ask().sample(key, sampling).into()),
        }
    }

    /// What an earlier round of this call put into [`InputRequired::state`]. Sealed in between: it can be
    /// trusted as far as its own round could. `None` in the first round, or when the value is of
    /// another type.
    #[must_use]
    pub fn request_state<T: DeserializeOwned>(&self) -> Option<T> {
        self.0
            .opened
            .as_ref()
            .and_then(|state| T::deserialize(state).ok())
    }

    /// Refuses the call unless the client declared the capability.
    ///
    /// # Errors
    /// Protocol error -32021, to be returned with `?`.
    pub fn require(&self, capability: Capability) -> Result<(), ToolError> {
        if capability.is_in(self.client()) {
            Ok(())
        } else {
            Err(ToolError::missing_capability(capability))
        }
    }
}
