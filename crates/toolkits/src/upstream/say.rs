//! An upstream's words as a model reads them: its sentences, and its failures, whose causes go to the
//! log alone.

use mcpfn_core::jsonrpc::ErrorCode;
use mcpfn_core::text::quoted;
use mcpfn_core::{ServiceFault, ToolError};

use super::failure::{MAX_HOPS, UpstreamFailure};
use super::foreign::Cleaner;
use crate::outage::Outage;

/// The longest sentence of an upstream that is passed on, in characters.
const MAX_LENGTH: usize = 1000;

/// Whose words they are, and what is taken out of them.
pub(super) struct Source<'a> {
    pub(super) upstream: &'a str,
    pub(super) cleaner: &'a Cleaner,
}

impl Source<'_> {
    /// A sentence of the upstream: what a person would see of it, and not too much.
    pub(super) fn sentence(&self, text: &str) -> String {
        cut(&self.cleaner.text(text))
    }

    /// A name, quoted.
    pub(super) fn quoted(&self, name: &str) -> String {
        quoted(&self.cleaner.text(name)).to_string()
    }
}

/// A text that was cleaned before, and not too much of it.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_LENGTH).collect()
}

/// A failure as the model reads it. What is known to be wrong with a request is not an error of the
/// server.
pub(super) fn failed(upstream: &str, failure: UpstreamFailure, writes: bool) -> ToolError {
    match failure {
        UpstreamFailure::TooManyHops => ToolError::new(format!(
            "`{upstream}` is not asked: the call came through {MAX_HOPS} servers that front others. \
             Call that server through fewer of them."
        )),
        UpstreamFailure::Error(error) if error.is(ErrorCode::URL_ELICITATION_REQUIRED) => {
            ToolError::new(format!(
                "`{upstream}` wants a page to be opened, which this server does not pass on. Use that \
             server directly."
            ))
        }
        UpstreamFailure::Error(error) if error.is(ErrorCode::MISSING_CAPABILITY) => {
            ToolError::new(format!(
                "`{upstream}` needs a capability that the client did not declare, or that this server \
             does not pass on (it passes on forms, for clients that speak 2026-07-28 and show \
             them): {}",
                cut(&error.message)
            ))
        }
        UpstreamFailure::Error(error) => ToolError::new(format!(
            "`{upstream}` refused the call: {}",
            cut(&error.message)
        ))
        .with_cause(format!("error {}: {}", error.code, cut(&error.data))),
        failure @ UpstreamFailure::TooLong(_) => {
            let outage = Outage::from(ServiceFault::TooLong);
            outage.error(&format!("`{upstream}`"), writes, failure)
        }
        UpstreamFailure::Unavailable {
            outage,
            cause,
            sent,
        } => outage.error(&format!("`{upstream}`"), writes && sent, cause),
        UpstreamFailure::Internal(error) => error,
    }
}

/// As [`failed`], where the specification says with an error that something does not exist.
pub(super) fn not_there(upstream: &str, failure: UpstreamFailure) -> ToolError {
    match failure {
        UpstreamFailure::Error(error)
            if error.is(ErrorCode::INVALID_PARAMS) || error.is(ErrorCode::RESOURCE_NOT_FOUND) =>
        {
            ToolError::not_found(format!("`{upstream}` refused it: {}", cut(&error.message)))
        }
        failure => failed(upstream, failure, false),
    }
}
