//! `Postgres`: a handle to one PostgreSQL database. Not its connections (`pool`, `connect`) nor
//! what they say (`protocol`).

mod address;
mod ask;
mod aws_roots;
mod connect;
mod pool;

use std::fmt;
use std::sync::Arc;

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{Dialect, ReadLimits, Rows, Sql, SqlError, SqlValue};
use tokio::time::{Instant, timeout};

use self::address::PostgresAddress;
pub use self::ask::PostgresFailure;
use self::connect::Target;
use self::pool::PostgresPool;
use crate::protocol::{self, Done, GIVEN_UP, MESSAGE_MARGIN, Most, PostgresSession};
use crate::protocol::{SLACK, VETTED};

/// How long a trusted statement may run on the server, and wait for a lock.
const SETTINGS: &str = "SET statement_timeout = 10000; SET lock_timeout = 2000; SET \
    idle_in_transaction_session_timeout = 30000";

/// A PostgreSQL database behind the [`Sql`] port. Cheap to clone; all clones share its connections,
/// of which there are at most four, made when they are needed and replaced when they break.
///
/// **Dropping a returned future stops its statement** on the server too. Every statement has a time
/// limit of ten seconds there.
///
/// Unvetted statements ([`Sql::read`]) run in a read-only transaction that is always rolled back,
/// on a connection that is washed afterwards, and only as a role that is found fit first: no
/// superuser, no right to write, no files, no programs. Such a role can have connections of its
/// own, see [`Postgres::with_reader`].
///
/// Needs a tokio runtime with I/O and time. Bounds: one row at most 16 MiB, the rows of one answer
/// at most 32 MiB. Text can't have the character U+0000 there; it arrives as U+FFFD.
#[derive(Clone)]
pub struct Postgres {
    main: Arc<PostgresPool>,
    reader: Arc<PostgresPool>,
    /// Functions that the reader may call although they do more than read, as `schema.name`.
    accepted: Arc<str>,
}

impl Postgres {
    /// A handle to the database at a URL such as `postgres://user:password@host:5432/shop`.
    /// Connects when it is first asked.
    ///
    /// Connections are encrypted and the server's certificate is checked, unless the host is this
    /// machine or the URL says `?sslmode=disable`. `?sslrootcert=FILE` trusts the certificates of a
    /// PEM file instead of the public ones. For servers of Amazon RDS (`*.rds.amazonaws.com`), and
    /// with `?sslrootcert=rds` for others, its certificate authorities are trusted beside these.
    ///
    /// # Errors
    /// [`SqlError::Rejected`] with a sentence about the URL that repeats none of it.
    pub fn new(url: &str) -> Result<Self, SqlError> {
        let main = Arc::new(pool(url)?);
        Ok(Self {
            reader: Arc::clone(&main),
            main,
            accepted: Arc::from(""),
        })
    }

    /// Runs unvetted statements as another role, at another URL: one that may write nothing.
    ///
    /// # Errors
    /// As for [`Postgres::new`].
    pub fn with_reader(self, url: &str) -> Result<Self, SqlError> {
        Ok(Self {
            main: self.main,
            reader: Arc::new(pool(url)?),
            accepted: self.accepted,
        })
    }

    /// Accepts functions that the role of unvetted statements may call although they do more than
    /// read: names such as `public.audit`, separated by commas.
    #[must_use]
    pub fn accept_functions(mut self, names: &str) -> Self {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        self.accepted = names.join(",").into();
        self
    }

    /// Connects once as each role, and leaves no connection behind: for a server's start.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when the server can't be reached or refuses the role.
    pub async fn check(&self) -> Result<(), SqlError> {
        self.main.connect().await?;
        if !Arc::ptr_eq(&self.main, &self.reader) {
            self.reader.connect().await?;
        }
        Ok(())
    }

    /// Whether the role that runs unvetted statements is fit for it. Asked at the first of them
    /// too.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] with a sentence that says what the role must not have, or when the
    /// server can't be asked.
    pub async fn check_reader(&self) -> Result<(), SqlError> {
        let mut session = self.reader.connect().await?;
        self.vet(&mut session).await
    }

    /// Runs statements without parameters in one transaction: all of them, or none.
    ///
    /// # Errors
    /// As for [`Sql::execute`], for the first statement that fails.
    pub async fn execute_all(
        &self,
        statements: impl IntoIterator<Item = String>,
    ) -> Result<(), SqlError> {
        let mut session = self.main.connect().await?;
        session.command("BEGIN").await?;
        for statement in statements {
            session
                .run(&statement, &[], Most { rows: 0, bytes: 0 })
                .await?;
        }
        Ok(session.command("COMMIT").await?)
    }

    /// Whether a role's server answers. With all connections in use by slow statements, a new one
    /// tells whether it is only busy.
    async fn answers(pool: &PostgresPool) -> Result<(), SqlError> {
        let most = Most { rows: 1, bytes: 64 };
        let Some(mut lease) = pool.free_lease().await? else {
            pool.connect().await?.run("SELECT 1", &[], most).await?;
            return Ok(());
        };
        lease.session()?.run("SELECT 1", &[], most).await?;
        lease.give_back();
        Ok(())
    }

    async fn vet(&self, session: &mut PostgresSession) -> Result<(), SqlError> {
        if session.vetted.is_some_and(|since| since.elapsed() < VETTED) {
            return Ok(());
        }
        let (sql, parameters, most) = protocol::fitness(&self.accepted);
        let done = session.run(sql, &parameters, most).await?;
        protocol::fit(&done.rows)?;
        session.vetted = Some(Instant::now());
        Ok(())
    }

    async fn trusted(
        &self,
        sql: &str,
        parameters: &[SqlValue],
        most: Most,
    ) -> Result<Done, SqlError> {
        protocol::no_null_character(sql)?;
        let mut lease = self.main.lease().await?;
        let sql = protocol::translated(sql);
        let done = lease.session()?.run(&sql, parameters, most);
        let done = timeout(GIVEN_UP, done)
            .await
            .map_err(|_| SqlError::Unavailable("the server does not answer any more".to_owned()))?;
        if done.is_ok() && !lease.session()?.clean {
            return Err(SqlError::Rejected(
                "a transaction can't outlive its statement".to_owned(),
            ));
        }
        lease.give_back();
        protocol::whole(done?)
    }

    async fn unvetted(&self, sql: &str, limits: ReadLimits) -> Result<Done, SqlError> {
        protocol::no_null_character(sql)?;
        let mut lease = self.reader.lease().await?;
        let session = lease.session()?;
        self.vet(session).await?;
        session.set_largest_message(limits.bytes.saturating_add(MESSAGE_MARGIN));
        let work = async {
            let done = protocol::read_only(session, "", sql, limits).await;
            // also after a refusal: what a statement left on the connection is not for the next
            // caller
            match &done {
                Err(SqlError::Unavailable(_)) => {}
                _ => session.wash(self.reader.settings()).await?,
            }
            done
        };
        let late = |_| SqlError::TooLong("the server did not stop it in time".to_owned());
        let done = timeout(limits.time + SLACK, work).await.map_err(late)?;
        lease.give_back();
        done
    }
}

fn pool(url: &str) -> Result<PostgresPool, SqlError> {
    let target = PostgresAddress::read(url)
        .and_then(Target::new)
        .map_err(SqlError::Rejected)?;
    Ok(PostgresPool::new(target, SETTINGS.to_owned()))
}

impl Sql for Postgres {
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

    fn check(&self) -> BoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async {
            Self::answers(&self.main).await?;
            if !Arc::ptr_eq(&self.main, &self.reader) {
                Self::answers(&self.reader).await?;
            }
            Ok(())
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

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}
