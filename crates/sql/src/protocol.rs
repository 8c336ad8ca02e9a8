//! PostgreSQL's protocol over a stream that is there: one connection's messages, its bounds, and what
//! a role must not have. Opens no stream, and measures no time.

mod greeting;
mod refusal;
mod role;
mod session;
mod text;
mod wire;

use std::time::Duration;

use mcpfn_ports::{ReadLimits, Rows, SqlError, SqlValue};

#[cfg(feature = "postgres")]
pub(crate) use greeting::CancelKey;
pub(crate) use greeting::{PostgresLogin, greet};
pub(crate) use session::{Done, Most, PostgresSession};
pub(crate) use text::translated;
#[cfg(feature = "postgres")]
pub(crate) use wire::Wire;
pub(crate) use wire::{Fault, Stream};

/// After this, a server that should have stopped the statement itself is given up.
pub(crate) const GIVEN_UP: Duration = Duration::from_secs(12);

/// How much longer than its own limit an unvetted statement may be waited for.
pub(crate) const SLACK: Duration = Duration::from_secs(1);

/// How long a connection's role is not asked for its rights again: what was granted meanwhile is
/// found then.
pub(crate) const VETTED: Duration = Duration::from_secs(5 * 60);

/// The rows of one answer, in bytes of their values.
pub(crate) const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// What a message has beside a row's values: columns' names and lengths.
pub(crate) const MESSAGE_MARGIN: usize = 64 * 1024;

/// The largest message of a trusted statement's answer, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// What asks whether a role is fit for unvetted statements. `accepted` are functions that it may call
/// although they do more than read.
pub(crate) fn fitness(accepted: &str) -> (&'static str, [SqlValue; 1], Most) {
    let most = Most {
        rows: 100,
        bytes: MAX_ANSWER,
    };
    (role::QUESTIONS, [SqlValue::from(accepted)], most)
}

/// Whether it is, by the answer.
pub(crate) fn fit(rows: &Rows) -> Result<(), SqlError> {
    match role::verdict(rows) {
        // not the fault of the statement, and nothing that its author has to know
        Some(sentence) => Err(SqlError::Unavailable(sentence)),
        None => Ok(()),
    }
}

/// Runs an unvetted statement in a read-only transaction, which is left open. `settings` are
/// statements of this crate's own at its begin.
pub(crate) async fn read_only(
    session: &mut PostgresSession,
    settings: &str,
    sql: &str,
    limits: ReadLimits,
) -> Result<Done, SqlError> {
    let begin = format!(
        "BEGIN READ ONLY; {settings}SET LOCAL statement_timeout = {}",
        limits.time.as_millis().max(1)
    );
    if !session.compile(&begin, sql).await? {
        if refusal::is_blank(sql) {
            return Err(refusal::ServerRefusal::no_statement().into());
        }
        return Err(SqlError::ReadOnly(
            "the statement gives no rows, so it is not one that reads".to_owned(),
        ));
    }
    Ok(session
        .run_compiled(Most {
            rows: limits.rows,
            bytes: limits.bytes,
        })
        .await?)
}

/// The protocol ends a statement at this character.
pub(crate) fn no_null_character(sql: &str) -> Result<(), SqlError> {
    if sql.contains('\0') {
        Err(SqlError::Rejected(
            "the statement has the character U+0000".to_owned(),
        ))
    } else {
        Ok(())
    }
}

/// A trusted statement's answer, which has to be whole.
pub(crate) fn whole(done: Done) -> Result<Done, SqlError> {
    match done.cut {
        true => Err(SqlError::Rejected(format!(
            "the rows hold more than {MAX_ANSWER} bytes"
        ))),
        false => Ok(done),
    }
}

impl Most {
    pub(crate) const NO_ROWS: Self = Self {
        rows: 0,
        bytes: MAX_ANSWER,
    };

    /// So many rows; one more is read than is kept.
    pub(crate) fn of(max_rows: usize) -> Self {
        Self {
            // the protocol's zero is "all"
            rows: max_rows.max(1),
            bytes: MAX_ANSWER,
        }
    }
}

impl Done {
    /// The first rows.
    pub(crate) fn first(self, max_rows: usize) -> Rows {
        let mut rows = self.rows;
        if rows.rows.len() > max_rows {
            rows.rows.truncate(max_rows);
            rows.truncated = true;
        }
        rows
    }

    /// The rows that there was room for.
    pub(crate) fn cut_rows(self) -> Rows {
        let mut rows = self.rows;
        rows.truncated |= self.cut;
        rows
    }
}
