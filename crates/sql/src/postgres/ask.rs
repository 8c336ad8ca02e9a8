//! Statements of a program's own, beside the port: for who decides by what went wrong. That is a code
//! or a sentence, and nothing of what was sent or what the server says in its own words.

use mcpfn_ports::{Rows, SqlValue};

use super::Postgres;
use super::pool::Lease;
use crate::protocol::{Fault, MAX_ANSWER, Most};

/// Why [`Postgres::ask`] has no answer.
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

impl Postgres {
    /// Runs one statement of a program's own, with `$1` and so on as its parameters, and gives at most
    /// 100 rows: for who decides by what went wrong, as stores do. The caller limits the time, and
    /// stops the statement by dropping the future.
    ///
    /// # Errors
    /// Why there is no answer, of which the server's own words are no part: they may have what it was
    /// sent.
    pub async fn ask(&self, sql: &str, parameters: &[SqlValue]) -> Result<Rows, PostgresFailure> {
        asked(self.main.lease().await?, sql, parameters).await
    }

    /// The same on a connection that was never used, after which no idle one is left: for a statement
    /// whose connection broke or fell silent, as the others may have, too.
    ///
    /// # Errors
    /// As for [`Postgres::ask`].
    pub async fn ask_anew(
        &self,
        sql: &str,
        parameters: &[SqlValue],
    ) -> Result<Rows, PostgresFailure> {
        asked(self.main.new_lease().await?, sql, parameters).await
    }

    /// Runs several statements of a program's own in one text, all of them or none, on a connection
    /// of its own.
    ///
    /// # Errors
    /// As for [`Postgres::ask`].
    pub async fn ask_all(&self, sql: &str) -> Result<(), PostgresFailure> {
        Ok(self.main.connect().await?.command(sql).await?)
    }

    /// Where its server is and which database it is, without credentials.
    #[must_use]
    pub fn place(&self) -> String {
        self.main.place()
    }
}

async fn asked(
    mut lease: Lease<'_>,
    sql: &str,
    parameters: &[SqlValue],
) -> Result<Rows, PostgresFailure> {
    let most = Most {
        rows: 100,
        bytes: MAX_ANSWER,
    };
    let done = lease.session()?.run(sql, parameters, most).await;
    lease.give_back();
    Ok(done?.rows)
}
