//! Why a store gave no answer, for the log.

use std::fmt;

/// A store is unavailable. The cause is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    cause: String,
    lasting: bool,
    known: bool,
    of_caller: bool,
}

impl StoreError {
    /// The cause, in a sentence without secrets.
    #[must_use]
    pub fn new(cause: impl fmt::Display) -> Self {
        Self {
            cause: cause.to_string(),
            lasting: false,
            known: false,
            of_caller: false,
        }
    }

    /// The cause of a failure that the same request will meet again, however often it is sent.
    #[must_use]
    pub fn lasting(cause: impl fmt::Display) -> Self {
        Self {
            lasting: true,
            ..Self::new(cause)
        }
    }

    /// The caller has all of the store that one caller may have. Others may have room.
    #[must_use]
    pub fn share_taken(cause: impl fmt::Display) -> Self {
        Self {
            of_caller: true,
            ..Self::lasting(cause)
        }
    }

    /// Whether it is because of what the same caller has there.
    #[must_use]
    pub fn is_share_taken(&self) -> bool {
        self.of_caller
    }

    /// Of a request that was not sent, because others failed before it: the log has their failure
    /// already, and is not told once more.
    #[must_use]
    pub fn already_known(self) -> Self {
        Self {
            known: true,
            ..self
        }
    }

    /// Whether the log has this failure already.
    #[must_use]
    pub fn is_already_known(&self) -> bool {
        self.known
    }

    /// Whether sending the same request again is of no use.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.lasting
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for StoreError {}
