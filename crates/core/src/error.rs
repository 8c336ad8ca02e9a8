//! The error of a handler: what the model reads and what the log gets are two fields. Not the
//! wire's error object (that is `jsonrpc::Error`) and not a registration mistake (`BuildError`).

use std::fmt;
use std::time::Duration;

use crate::model::capabilities::Capability;
use crate::round_trip::InputRequired;
use crate::service_fault::ServiceFault;

// Boxed, because a `Result` with it is moved through every handler, and a question inside is
// large. Not a `std::error::Error` itself: only so can every error become one through `?`.
/// Why a tool, a prompt or a resource gave no result.
///
/// Any `std::error::Error` becomes one through `?`: the model then reads a safe sentence with an
/// id, and the log gets the cause under the same id.
///
/// ```
/// use mcpfn_core::ToolError;
/// use mcpfn_testing::private_cause;
///
/// fn parse(day: &str) -> Result<u32, ToolError> {
///     if day.is_empty() {
///         return Err(ToolError::new("`day` is empty: give one, such as 28"));
///     }
///     Ok(day.parse()?) // its cause goes to the log alone
/// }
///
/// let error = parse("").unwrap_err();
/// assert_eq!(error.message(), Some("`day` is empty: give one, such as 28"));
/// let error = parse("x").unwrap_err();
/// assert_eq!(error.message(), None);
/// assert_eq!(private_cause(error).as_deref(), Some("invalid digit found in string"));
/// let error = ToolError::unavailable("the shop is closed; try later", "connection refused");
/// assert_eq!(error.message(), Some("the shop is closed; try later"));
/// ```
#[derive(Debug)]
pub struct ToolError(Box<ErrorKind>);

#[derive(Debug)]
pub(crate) enum ErrorKind {
    /// The public sentence, maybe a private cause, and maybe what was wrong with a service.
    Failed {
        message: String,
        cause: Option<String>,
        fault: Option<ServiceFault>,
    },
    /// Only a private cause.
    Internal { cause: String },
    /// The thing named does not exist.
    NotFound { message: String },
    /// Not an error: the client is asked something first.
    InputRequired(InputRequired),
    /// The client can't do what the call needs.
    MissingCapability(Capability),
    /// Not an error: the call goes on as a task.
    BecomesTask,
    /// Not an error: the handler wants to go on in another run.
    Later(Duration),
    /// The task was cancelled, or has another run: nothing of this one counts.
    Stopped,
}

impl ToolError {
    /// A failure that the model can act on, in one sentence that says what to change.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(ErrorKind::Failed {
            message: message.into(),
            cause: None,
            fault: None,
        }))
    }

    /// A failure whose cause is for the log alone.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self(Box::new(ErrorKind::Internal {
            cause: cause.to_string(),
        }))
    }

    /// Something outside is down: a public sentence ("... is temporarily unavailable"), and the
    /// cause for the log.
    #[must_use]
    pub fn unavailable(message: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self::new(message).with_cause(cause)
    }

    /// What was named does not exist. Reading a resource answers with the protocol's own error for
    /// it.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self(Box::new(ErrorKind::NotFound {
            message: message.into(),
        }))
    }

    /// The client did not declare a capability that this call can't do without: protocol error
    /// -32021.
    #[must_use]
    pub fn missing_capability(capability: Capability) -> Self {
        Self(Box::new(ErrorKind::MissingCapability(capability)))
    }

    /// Adds a private cause for the log.
    #[must_use]
    pub fn with_cause(self, cause: impl fmt::Display) -> Self {
        let (message, fault) = match *self.0 {
            ErrorKind::Failed { message, fault, .. } => (message, fault),
            ErrorKind::NotFound { message } => (message, None),
            other => return Self(Box::new(other)),
        };
        Self(Box::new(ErrorKind::Failed {
            message,
            cause: Some(cause.to_string()),
            fault,
        }))
    }

    /// Says what was wrong with the service that was asked: the log calls the call's outcome by it,
    /// and a tool with `cache_stale_if_error` may give an older result instead.
    #[must_use]
    pub fn with_fault(mut self, of_service: ServiceFault) -> Self {
        if let ErrorKind::Failed { fault, .. } = &mut *self.0 {
            *fault = Some(of_service);
        }
        self
    }

    /// The sentence the model reads, if there is one of the tool's own.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &*self.0 {
            ErrorKind::Failed { message, .. } | ErrorKind::NotFound { message } => Some(message),
            ErrorKind::Internal { .. }
            | ErrorKind::InputRequired(_)
            | ErrorKind::MissingCapability(_)
            | ErrorKind::BecomesTask
            | ErrorKind::Later(_)
            | ErrorKind::Stopped => None,
        }
    }

    /// What the log is told beside the sentence: for a host, and for nobody else.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match &*self.0 {
            ErrorKind::Failed { cause, .. } => cause.as_deref(),
            ErrorKind::Internal { cause } => Some(cause),
            _ => None,
        }
    }

    /// What was wrong with the service that was asked, if that is why there is no result.
    #[must_use]
    pub fn fault(&self) -> Option<ServiceFault> {
        match &*self.0 {
            ErrorKind::Failed { fault, .. } => *fault,
            _ => None,
        }
    }

    /// What is asked, if this is a question and no failure.
    #[must_use]
    pub fn ask(&self) -> Option<&InputRequired> {
        match &*self.0 {
            ErrorKind::InputRequired(ask) => Some(ask),
            _ => None,
        }
    }

    /// After how long the handler wants to go on in another run, if this is that and no failure: see
    /// [`Task::later`](crate::task::Task::later).
    #[must_use]
    pub fn later(&self) -> Option<Duration> {
        match *self.0 {
            ErrorKind::Later(after) => Some(after),
            _ => None,
        }
    }

    pub(crate) fn into_kind(self) -> ErrorKind {
        *self.0
    }
}

impl<E: std::error::Error> From<E> for ToolError {
    fn from(error: E) -> Self {
        let mut cause = error.to_string();
        // the whole chain, because a wrapper's own text often says no more than that something
        // failed
        let mut source = error.source();
        while let Some(error) = source {
            cause.push_str(": ");
            cause.push_str(&error.to_string());
            source = error.source();
        }
        Self::internal(cause)
    }
}

impl From<ErrorKind> for ToolError {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<InputRequired> for ToolError {
    fn from(ask: InputRequired) -> Self {
        Self(Box::new(ErrorKind::InputRequired(ask)))
    }
}
