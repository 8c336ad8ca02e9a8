//! `Sqlite`: a handle to one SQLite database. Not the threads behind it (`lane`) nor the work they
//! do (`work`).

mod brake;
mod connect;
mod error;
mod lane;
mod ticket;
mod whole;
mod work;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{Dialect, ReadLimits, Rows, Sql, SqlError, SqlValue};

use self::connect::{DatabasePath, Rights};
use self::lane::Lane;
use self::work::{Job, JobRequest, QueryAnswer};

/// How many statements of a file may read at the same time.
const READERS: usize = 4;

/// A SQLite database behind the [`Sql`] port. Cheap to clone; all clones share its connections.
///
/// Every connection has a thread of its own, so a slow statement never blocks the asynchronous
/// runtime. A file has one connection that writes and up to four that read, in WAL mode: readers
/// don't wait for the writer. An in-memory database has a single connection, so its statements run
/// one after the other.
///
/// **Dropping a returned future stops its statement**: one that waits is never started, one that
/// runs is interrupted (at the latest after the two seconds that SQLite may wait for another
/// process's lock).
///
/// Bounds: one value or row at most 16 MiB, the rows of one answer at most 32 MiB, one statement at
/// most 1 MB of text, 1,024 statements waiting. Transactions can't span calls;
/// [`Sqlite::execute_all`] runs several statements in one.
#[derive(Clone)]
pub struct Sqlite {
    pool: Arc<SqlitePool>,
    access: Rights,
}

/// The connections of one database. Closing the lanes ends their threads.
struct SqlitePool {
    reads: Arc<Lane>,
    /// The same lane as `reads` for a database in memory; none for a file opened read-only.
    writes: Option<Arc<Lane>>,
    /// For probes, so that slow statements do not look like a database that is gone; none for one
    /// in memory. Without a connection before the first look.
    looks: Option<Arc<Lane>>,
}

impl Sqlite {
    /// Opens a file for reading and writing, and creates it if it is missing. Blocks while it
    /// opens: call it at startup.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when the file can't be opened, [`SqlError::Rejected`] when it is
    /// not a database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqlError> {
        let place = DatabasePath::File(path.as_ref().to_owned());
        let writer = connect::open(&place, Rights::Full)?;
        let reads = Lane::new("sqlite-read", READERS, place.clone(), Rights::ReadOnly);
        let looks = Lane::new("sqlite-look", 1, place.clone(), Rights::ReadOnly);
        let writes = Lane::new("sqlite-write", 1, place, Rights::Full);
        writes.adopt(writer)?;
        Ok(Self {
            pool: Arc::new(SqlitePool {
                reads,
                writes: Some(writes),
                looks: Some(looks),
            }),
            access: Rights::Full,
        })
    }

    /// Opens an existing file for reading only. SQLite itself then refuses every statement that
    /// would change anything or reach outside the file, whatever its text: such a handle may run
    /// statements of untrusted origin.
    ///
    /// A file in a folder that can't be written to (a read-only image or bundle) is opened as
    /// unchanging when no write-ahead log, or an empty one, lies beside it.
    ///
    /// # Errors
    /// As for [`Sqlite::open`]; a missing file is [`SqlError::Unavailable`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, SqlError> {
        let (place, reader) = connect::open_existing(path.as_ref())?;
        let looks = Lane::new("sqlite-look", 1, place.clone(), Rights::ReadOnly);
        let reads = Lane::new("sqlite-read", READERS, place, Rights::ReadOnly);
        reads.adopt(reader)?;
        Ok(Self {
            pool: Arc::new(SqlitePool {
                reads,
                writes: None,
                looks: Some(looks),
            }),
            access: Rights::ReadOnly,
        })
    }

    /// Makes an empty database in memory. It is gone when the last clone of the handle is.
    ///
    /// # Errors
    /// [`SqlError::Unavailable`] when there is no memory or no thread for it.
    pub fn memory() -> Result<Self, SqlError> {
        let connection = connect::open(&DatabasePath::Memory, Rights::Full)?;
        let lane = Lane::new("sqlite-memory", 1, DatabasePath::Memory, Rights::Full);
        lane.adopt(connection)?;
        let pool = SqlitePool {
            reads: Arc::clone(&lane),
            writes: Some(lane),
            looks: None,
        };
        Ok(Self {
            pool: Arc::new(pool),
            access: Rights::Full,
        })
    }

    /// A handle to the same database which can't change it, as if by [`Sqlite::open_read_only`].
    #[must_use]
    pub fn read_only(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            access: Rights::ReadOnly,
        }
    }

    /// Runs statements without parameters in one transaction: all of them, or none.
    ///
    /// # Errors
    /// As for [`Sql::execute`], for the first statement that fails.
    pub fn execute_all(
        &self,
        statements: impl IntoIterator<Item = String>,
    ) -> BoxFuture<'_, Result<(), SqlError>> {
        let statements = statements.into_iter().collect();
        Box::pin(async move {
            self.write(Job::ExecuteAll { statements }).await?;
            Ok(())
        })
    }

    async fn write(&self, work: Job) -> Result<QueryAnswer, SqlError> {
        match &self.pool.writes {
            Some(lane) if self.access == Rights::Full => {
                lane.run(JobRequest {
                    work,
                    access: Rights::Full,
                })
                .await
            }
            _ => Err(read_only()),
        }
    }
}

impl Sql for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move {
            let work = || Job::Query {
                sql: sql.to_owned(),
                parameters: parameters.to_vec(),
                max_rows,
            };
            let access = if self.pool.shares_connection() {
                self.access
            } else {
                Rights::ReadOnly
            };
            let answer = self
                .pool
                .reads
                .run(JobRequest {
                    work: work(),
                    access,
                })
                .await?;
            // `INSERT ... RETURNING` gives rows too: what a reader may not run, the writer may
            let answer = if matches!(answer, QueryAnswer::WouldWrite) {
                self.write(work()).await?
            } else {
                answer
            };
            match answer {
                QueryAnswer::Rows(rows) => Ok(rows),
                QueryAnswer::Changed(_) => Ok(Rows::default()),
                QueryAnswer::WouldWrite => Err(read_only()),
            }
        })
    }

    fn read<'a>(
        &'a self,
        sql: &'a str,
        limits: ReadLimits,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async move {
            let work = Job::Read {
                sql: sql.to_owned(),
                limits,
            };
            match self
                .pool
                .reads
                .run(JobRequest {
                    work,
                    access: Rights::ReadOnly,
                })
                .await?
            {
                QueryAnswer::Rows(rows) => Ok(rows),
                QueryAnswer::Changed(_) | QueryAnswer::WouldWrite => Err(SqlError::ReadOnly(
                    "the statement does more than read".to_owned(),
                )),
            }
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async {
            let Some(looks) = &self.pool.looks else {
                return Ok(());
            };
            let (work, access) = (Job::Look, Rights::ReadOnly);
            looks.run(JobRequest { work, access }).await.map(drop)
        })
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        Box::pin(async move {
            let work = Job::Execute {
                sql: sql.to_owned(),
                parameters: parameters.to_vec(),
            };
            match self.write(work).await? {
                QueryAnswer::Changed(rows) => Ok(rows),
                QueryAnswer::Rows(_) | QueryAnswer::WouldWrite => Ok(0),
            }
        })
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

impl SqlitePool {
    /// Whether the one connection both reads and writes.
    fn shares_connection(&self) -> bool {
        self.writes
            .as_ref()
            .is_some_and(|writes| Arc::ptr_eq(writes, &self.reads))
    }
}

impl Drop for SqlitePool {
    fn drop(&mut self) {
        self.reads.close();
        for lane in [&self.writes, &self.looks].into_iter().flatten() {
            lane.close();
        }
    }
}

fn read_only() -> SqlError {
    SqlError::ReadOnly(
        "the statement would change a database that is open for reading only".to_owned(),
    )
}
