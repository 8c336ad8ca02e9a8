//! `StreamedPostgres`: a PostgreSQL database behind the `Sql` port where a host brings the streams,
//! each for one statement, and a pool of connections is somebody else's. Not for sockets of tokio's:
//! those are `Postgres`'s.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};
use mcpfn_ports::{Dialect, ReadLimits, Rows, Sql, SqlError, SqlValue};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::protocol::{self, Done, Fault, GIVEN_UP, MAX_MESSAGE_BYTES, MESSAGE_MARGIN, Most};
use crate::protocol::{PostgresLogin, PostgresSession, SLACK, Stream, VETTED};

/// How long a stream and its first messages may take.
const CONNECTING: Duration = Duration::from_secs(4);

/// What every statement runs under. A session may be another one for each transaction, so that
/// nothing that is set for longer counts.
const SETTINGS: &str = "SET LOCAL lock_timeout = 2000; \
    SET LOCAL idle_in_transaction_session_timeout = 30000; \
    SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; ";

/// The end of an unvetted statement. Locks of a session would stay; all in one message, which one
/// session gets.
const END: &str = "ROLLBACK; SELECT pg_advisory_unlock_all()";

/// Brings streams to one PostgreSQL server, and time.
pub trait PostgresStreams: MaybeSend + MaybeSync {
    /// A stream on which nothing was said yet, for one statement. It is closed when it is dropped.
    ///
    /// # Errors
    /// Why there is none, without credentials.
    fn open(&self) -> Result<PostgresStream, String>;

    /// Ready after this time.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;

    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// A stream, and as whom the server at its other end is asked.
pub struct PostgresStream {
    stream: Box<dyn Stream>,
    user: String,
    password: String,
    database: String,
}

impl PostgresStream {
    /// A stream that nobody else can read, so that a password may be sent as it is where the server
    /// asks for that.
    #[must_use]
    pub fn private(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        (user, password): (String, String),
        database: String,
    ) -> Self {
        Self {
            stream: Box::new(stream),
            user,
            password,
            database,
        }
    }
}

impl fmt::Debug for PostgresStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStream").finish_non_exhaustive()
    }
}

/// A PostgreSQL database behind the [`Sql`] port, over streams of a host's, each for one statement.
///
/// What [`Postgres`](crate::Postgres) promises holds here: bounds of rows and bytes, ten seconds for
/// a trusted statement, and unvetted ones ([`Sql::read`]) only in a read-only transaction that is
/// rolled back, as a role that is found fit first. A pool between may give each transaction another
/// session: so every statement is a transaction, and what it needs is set in that.
///
/// A statement whose future is dropped is stopped by the server's own limits.
///
/// ```
/// use mcpfn_core::handler::BoxFuture;
/// use mcpfn_ports::{Sql, SqlError};
/// use mcpfn_sql::{PostgresStream, PostgresStreams, StreamedPostgres};
/// use std::time::Duration;
///
/// /// A host whose network is down.
/// struct Down;
///
/// impl PostgresStreams for Down {
///     fn open(&self) -> Result<PostgresStream, String> {
///         Err("no route to host".to_owned())
///     }
///
///     fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
///         Box::pin(std::future::pending())
///     }
///
///     fn now_ms(&self) -> u64 {
///         0
///     }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let database = StreamedPostgres::new(Down);
/// let error = database.query("SELECT 1", &[], 1).await.unwrap_err();
/// assert!(matches!(error, SqlError::Unavailable(cause) if cause == "no route to host"));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct StreamedPostgres<S> {
    main: S,
    reader: Option<S>,
    accepted: String,
    /// When the role of unvetted statements was last found fit, in milliseconds since 1970; 0 is
    /// never.
    vetted: AtomicU64,
}

impl<S: PostgresStreams> StreamedPostgres<S> {
    /// A handle to the database behind these streams. Opens none before the first statement.
    #[must_use]
    pub fn new(main: S) -> Self {
        Self {
            main,
            reader: None,
            accepted: String::new(),
            vetted: AtomicU64::new(0),
        }
    }

    /// Runs unvetted statements as another role, behind other streams: one that may write nothing.
    #[must_use]
    pub fn with_reader(self, reader: S) -> Self {
        Self {
            reader: Some(reader),
            ..self
        }
    }

    /// Accepts functions that the role of unvetted statements may call although they do more than
    /// read: names such as `public.audit`, separated by commas.
    #[must_use]
    pub fn accept_functions(self, names: &str) -> Self {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        Self {
            accepted: names.join(","),
            ..self
        }
    }

    async fn trusted(
        &self,
        sql: &str,
        parameters: &[SqlValue],
        most: Most,
    ) -> Result<Done, SqlError> {
        protocol::no_null_character(sql)?;
        let mut session = connect(&self.main).await?;
        let sql = protocol::translated(sql);
        let done = run(&mut session, &self.main, (&sql, parameters), most).await?;
        protocol::whole(done)
    }

    /// Whether the role is fit for unvetted statements. It has a stream of its own, and is asked
    /// again after five minutes: what was granted meanwhile is found then.
    async fn vet(&self, reader: &S) -> Result<(), SqlError> {
        let now_ms = reader.now_ms();
        let since = now_ms.saturating_sub(self.vetted.load(Ordering::Relaxed));
        if u128::from(since) < VETTED.as_millis() {
            return Ok(());
        }
        let (sql, parameters, most) = protocol::fitness(&self.accepted);
        let mut session = connect(reader).await?;
        let done = run(&mut session, reader, (sql, &parameters), most).await?;
        protocol::fit(&done.rows)?;
        self.vetted.store(now_ms, Ordering::Relaxed);
        Ok(())
    }

    async fn unvetted(&self, sql: &str, limits: ReadLimits) -> Result<Done, SqlError> {
        protocol::no_null_character(sql)?;
        let reader = self.reader.as_ref().unwrap_or(&self.main);
        self.vet(reader).await?;
        let mut session = connect(reader).await?;
        session.set_largest_message(limits.bytes.saturating_add(MESSAGE_MARGIN));
        let work = async {
            let done = protocol::read_only(&mut session, SETTINGS, sql, limits).await;
            match &done {
                Err(SqlError::Unavailable(_)) => {}
                // what a statement left is not for who gets the session next
                _ => session.command(END).await?,
            }
            done
        };
        let done = within(reader.sleep(limits.time + SLACK), work).await;
        done.unwrap_or_else(|| {
            Err(SqlError::TooLong(
                "the server did not stop it in time".to_owned(),
            ))
        })
    }
}

/// One statement of this program's own, as a transaction.
async fn run<S: PostgresStreams>(
    session: &mut PostgresSession,
    streams: &S,
    statement: (&str, &[SqlValue]),
    most: Most,
) -> Result<Done, SqlError> {
    let begin = format!("BEGIN; {SETTINGS}SET LOCAL statement_timeout = 10000");
    let done = session.run_between(&begin, statement, most, "COMMIT");
    match within(streams.sleep(GIVEN_UP), done).await {
        Some(done) => Ok(done?),
        None => Err(SqlError::Unavailable(
            "the server does not answer any more".to_owned(),
        )),
    }
}

async fn connect<S: PostgresStreams>(streams: &S) -> Result<PostgresSession, SqlError> {
    let PostgresStream {
        stream,
        user,
        password,
        database,
    } = streams.open().map_err(SqlError::Unavailable)?;
    let login = PostgresLogin {
        user: &user,
        password: &password,
        database: &database,
        private: true,
    };
    let greeted = within(
        streams.sleep(CONNECTING),
        protocol::greet(stream, &login, &[]),
    );
    let (wire, key) = greeted.await.unwrap_or_else(|| {
        Err(Fault::Broken(format!(
            "the server did not answer within {} s",
            CONNECTING.as_secs()
        )))
    })?;
    let mut session = PostgresSession::new(wire, key);
    session.set_largest_message(MAX_MESSAGE_BYTES);
    Ok(session)
}

/// What comes of the work, unless the time is over first.
async fn within<T>(mut time: BoxFuture<'static, ()>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => time.as_mut().poll(cx).map(|()| None),
    })
    .await
}

impl<S: PostgresStreams> Sql for StreamedPostgres<S> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move {
            let most = Most::of(max_rows);
            let done = self.trusted(sql, parameters, most).await?;
            Ok(done.first(max_rows))
        })
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        Box::pin(async move { Ok(self.trusted(sql, parameters, Most::NO_ROWS).await?.count) })
    }

    fn read<'a>(
        &'a self,
        sql: &'a str,
        limits: ReadLimits,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move { Ok(self.unvetted(sql, limits).await?.cut_rows()) })
    }
}

impl<S> fmt::Debug for StreamedPostgres<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedPostgres").finish_non_exhaustive()
    }
}
