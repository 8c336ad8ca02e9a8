//! What an invoker is told whose event is none of an HTTP trigger.

use std::fmt;

/// An event that no HTTP trigger sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotHttp;

impl fmt::Display for NotHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the event is not an HTTP request: call this function through its function URL, an \
             API Gateway or a load balancer, or invoke it with an event of one of these",
        )
    }
}

impl From<NotHttp> for lambda_runtime::Diagnostic {
    fn from(error: NotHttp) -> Self {
        Self {
            error_type: "NotHttp".to_owned(),
            error_message: error.to_string(),
        }
    }
}
