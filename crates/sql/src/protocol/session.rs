//! One connection at work: statements in, rows out, within bounds. Knows nothing of other
//! connections.
//!
//! Written here over `postgres-protocol`, and not `tokio-postgres`, because of statements that a
//! model wrote: that client reads a message of any size into memory before it can be counted, and
//! gives values in the binary form of their type, so that a type of an extension can't be shown.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use mcpfn_ports::{Rows, SqlValue};
use postgres_protocol::IsNull;
use postgres_protocol::message::backend::{DataRowBody, Message};
use postgres_protocol::message::frontend::{self, BindError};

use super::greeting::CancelKey;
use super::refusal::ServerRefusal;
use super::text;
use super::wire::{Fault, Wire, unexpected};

/// How much of an answer is read.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    /// No limit when zero, as in the protocol.
    pub(crate) rows: usize,
    /// Of all values together.
    pub(crate) bytes: usize,
}

const EVERYTHING: Most = Most {
    rows: 0,
    bytes: usize::MAX,
};

/// What a statement gave.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) rows: Rows,
    /// Rows changed, or rows given by a query.
    pub(crate) count: u64,
    /// The bytes of the values were more than allowed, and rows are missing.
    pub(crate) cut: bool,
}

/// A connection that runs one statement at a time.
pub(crate) struct PostgresSession {
    wire: Wire,
    pub(crate) key: CancelKey,
    /// Between two statements, outside of a transaction, and nothing left to read.
    pub(crate) clean: bool,
    /// When its role was last found fit for unvetted statements.
    #[cfg(feature = "postgres")]
    pub(crate) vetted: Option<tokio::time::Instant>,
}

impl PostgresSession {
    pub(crate) fn new(wire: Wire, key: CancelKey) -> Self {
        Self {
            wire,
            key,
            clean: true,
            #[cfg(feature = "postgres")]
            vetted: None,
        }
    }

    pub(crate) async fn is_usable(&mut self) -> bool {
        self.clean && self.wire.is_open().await
    }

    /// Runs one statement: the server itself refuses a text with several.
    pub(crate) async fn run(
        &mut self,
        sql: &str,
        parameters: &[SqlValue],
        most: Most,
    ) -> Result<Done, Fault> {
        let mut out = BytesMut::new();
        frontend::parse("", sql, [], &mut out)?;
        run_portal(parameters, most, &mut out)?;
        self.exchange(&out, most, 1).await
    }

    /// The same between texts of this crate's own, which begin and end its transaction, in one round
    /// trip.
    pub(crate) async fn run_between(
        &mut self,
        begin: &str,
        (sql, parameters): (&str, &[SqlValue]),
        most: Most,
        end: &str,
    ) -> Result<Done, Fault> {
        let mut out = BytesMut::new();
        frontend::query(begin, &mut out)?;
        frontend::parse("", sql, [], &mut out)?;
        run_portal(parameters, most, &mut out)?;
        frontend::query(end, &mut out)?;
        self.exchange(&out, most, 3).await
    }

    /// Runs statements of this crate's own, several in one text, and throws their rows away.
    pub(crate) async fn command(&mut self, sql: &str) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        frontend::query(sql, &mut out)?;
        self.exchange(&out, EVERYTHING, 1).await.map(drop)
    }

    /// Opens a transaction with `begin` and compiles a statement in it. False when the statement
    /// would give no rows: then it does something else than read, whatever it is.
    pub(crate) async fn compile(&mut self, begin: &str, sql: &str) -> Result<bool, Fault> {
        let mut out = BytesMut::new();
        frontend::query(begin, &mut out)?;
        frontend::parse("", sql, [], &mut out)?;
        frontend::describe(b'S', "", &mut out)?;
        frontend::sync(&mut out);
        let done = self.exchange(&out, Most { rows: 0, bytes: 0 }, 2).await?;
        Ok(!done.rows.columns.is_empty())
    }

    /// Runs what was compiled last.
    pub(crate) async fn run_compiled(&mut self, most: Most) -> Result<Done, Fault> {
        let mut out = BytesMut::new();
        run_portal(&[], most, &mut out)?;
        self.exchange(&out, most, 1).await
    }

    /// Ends whatever the last caller may have left: a transaction, settings, locks, prepared
    /// statements, listening.
    pub(crate) async fn wash(&mut self, settings: &str) -> Result<(), Fault> {
        let mut out = BytesMut::new();
        // each in a message of its own: DISCARD can't share one
        frontend::query("ROLLBACK", &mut out)?;
        frontend::query("DISCARD ALL", &mut out)?;
        frontend::query(settings, &mut out)?;
        self.exchange(&out, EVERYTHING, 3).await.map(drop)
    }

    /// The largest message that is read from now on, in bytes.
    pub(crate) fn set_largest_message(&mut self, bytes: usize) {
        self.wire.largest = bytes;
    }

    /// Sends messages and reads until the server was ready so many times. Dropped half-way, it
    /// leaves a connection that is not clean.
    async fn exchange(&mut self, out: &[u8], most: Most, answers: usize) -> Result<Done, Fault> {
        self.clean = false;
        self.wire.send(out).await?;
        let mut done = Done::default();
        let (mut kinds, mut bytes, mut refused) = (Vec::new(), 0, None);
        let mut left = answers;
        while left > 0 {
            match self.wire.next().await? {
                Message::RowDescription(body) => {
                    (done.rows, kinds) = (Rows::default(), Vec::new());
                    let mut fields = body.fields();
                    while let Some(field) = fields.next()? {
                        done.rows.columns.push(field.name().to_owned());
                        kinds.push(field.type_oid());
                    }
                }
                Message::DataRow(row) if done.rows.rows.len() < most.rows && !done.cut => {
                    let size = row.buffer().len();
                    bytes += size;
                    if bytes > most.bytes {
                        done.cut = true;
                    } else {
                        done.rows.rows.push(values(&row, &kinds)?);
                    }
                }
                Message::DataRow(_) => done.rows.truncated = most.rows > 0,
                Message::CommandComplete(body) => {
                    done.count = count(body.tag()?).unwrap_or(done.count);
                }
                Message::ErrorResponse(body) => {
                    let refusal = ServerRefusal::read(&body);
                    // the first of several: the others follow from it
                    refused.get_or_insert(refusal);
                }
                Message::ReadyForQuery(body) => {
                    left -= 1;
                    self.clean = left == 0 && body.status() == b'I';
                }
                Message::CopyOutResponse(_) | Message::CopyInResponse(_) => {
                    return Err(Fault::Broken(
                        "COPY with the client is not served".to_owned(),
                    ));
                }
                Message::EmptyQueryResponse => {
                    refused.get_or_insert_with(ServerRefusal::no_statement);
                }
                Message::ParseComplete
                | Message::BindComplete
                | Message::NoData
                | Message::PortalSuspended
                | Message::ParameterDescription(_)
                | Message::CopyData(_)
                | Message::CopyDone => {}
                _ => return Err(unexpected()),
            }
        }
        refused.map_or(Ok(done), |refusal| Err(Fault::Refused(refusal)))
    }
}

/// One more than is wanted, to know whether there are more.
fn rows_asked_for(most: Most) -> i32 {
    if most.rows == 0 {
        0
    } else {
        i32::try_from(most.rows.saturating_add(1)).unwrap_or(i32::MAX)
    }
}

/// Gives values to the statement that was compiled last, and runs it.
fn run_portal(parameters: &[SqlValue], most: Most, out: &mut BytesMut) -> Result<(), Fault> {
    bind(parameters, out)?;
    frontend::describe(b'P', "", out)?;
    frontend::execute("", rows_asked_for(most), out)?;
    frontend::sync(out);
    Ok(())
}

/// Everything travels as text, in both directions: the server knows each type's text, whatever
/// extension it is from.
fn bind(parameters: &[SqlValue], out: &mut BytesMut) -> Result<(), Fault> {
    let write = |value: &SqlValue, out: &mut BytesMut| {
        Ok(match text::written(value) {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
            None => IsNull::Yes,
        })
    };
    frontend::bind("", "", [], parameters, write, [], out).map_err(|error| match error {
        BindError::Conversion(error) => Fault::Broken(error.to_string()),
        BindError::Serialization(error) => error.into(),
    })
}

fn values(row: &DataRowBody, kinds: &[u32]) -> Result<Vec<SqlValue>, Fault> {
    let mut values = Vec::with_capacity(kinds.len());
    let (mut ranges, mut kinds) = (row.ranges(), kinds.iter());
    while let Some(range) = ranges.next()? {
        let kind = kinds.next().copied().unwrap_or_default();
        let text = range
            .map(|range| row.buffer().get(range).ok_or_else(unexpected))
            .transpose()?;
        values.push(text.map_or(SqlValue::Null, |text| text::read(kind, text)));
    }
    Ok(values)
}

/// The number at the end of `INSERT 0 3`; none of what changes nothing, such as `SELECT`.
fn count(tag: &str) -> Option<u64> {
    let changes = ["INSERT", "UPDATE", "DELETE", "MERGE", "COPY"]
        .iter()
        .any(|verb| tag.starts_with(verb));
    let number = tag.rsplit(' ').next().filter(|_| changes)?;
    number.parse().ok()
}
