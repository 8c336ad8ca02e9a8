//! What went wrong with a question of a program's own: a code or a sentence, and nothing of what was
//! sent or what the server says in its own words.

use super::wire::Fault;

/// Why [`Postgres::ask`](super::Postgres::ask) has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostgresFailure {
    /// The server refused the connection or the statement.
    Refused {
        /// Its SQLSTATE, five characters, such as `42P01`.
        code: String,
    },
    /// There is no connection, or it ended: a cause in words of this machine's libraries.
    Unreachable(String),
    /// A row holds more than is read of one.
    TooLarge,
}

impl From<Fault> for PostgresFailure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => Self::Refused { code: refusal.code },
            Fault::Broken(cause) => Self::Unreachable(cause),
            Fault::TooLarge(_) => Self::TooLarge,
        }
    }
}
