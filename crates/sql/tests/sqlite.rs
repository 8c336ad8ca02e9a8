//! SQLite through the `Sql` port: values, bounds, refusals, concurrency and cancellation. Not a
//! test of SQLite itself.

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{Rows, Sql, SqlError, SqlValue};
use mcpfn_sql::Sqlite;

/// Counts to a hundred million: seconds of work that make no rows.
const SLOW: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) \
                    SELECT count(*) FROM n";

#[test]
fn values_survive_the_round_trip() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE v (a, b, c, d, e, f)", &[]);
    let values = [
        SqlValue::Null,
        SqlValue::Integer(i64::MIN),
        SqlValue::Real(0.1 + 0.2),
        SqlValue::Text("naïve \u{0} ½ 🦀".to_owned()),
        SqlValue::Blob(vec![0, 255, 1]),
        SqlValue::Blob(Vec::new()),
    ];
    assert_eq!(
        execute(
            &database,
            "INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &values
        ),
        1
    );
    let rows = query(&database, "SELECT *, typeof(a) AS kind FROM v", 5).unwrap();
    assert_eq!(rows.columns, ["a", "b", "c", "d", "e", "f", "kind"]);
    assert_eq!(rows.rows[0][..6], values);
    assert_eq!(rows.rows[0][6].as_str(), Some("null"));
}

#[test]
fn text_that_is_not_utf8_is_shown_with_replacements() {
    let database = Sqlite::memory().unwrap();
    let rows = query(&database, "SELECT CAST(x'61ff62' AS TEXT)", 1).unwrap();
    assert_eq!(rows.rows[0][0].as_str(), Some("a\u{fffd}b"));
}

#[test]
fn rows_are_cut_at_the_limit_and_it_is_said() {
    let database = Sqlite::memory().unwrap();
    let numbers = "SELECT column1 FROM (VALUES (1), (2), (3))";
    let cut = query(&database, numbers, 2).unwrap();
    assert_eq!((cut.rows.len(), cut.truncated), (2, true));
    let whole = query(&database, numbers, 3).unwrap();
    assert_eq!((whole.rows.len(), whole.truncated), (3, false));
    let none = query(&database, numbers, 0).unwrap();
    assert_eq!((none.rows.len(), none.truncated), (0, true));
}

#[test]
fn an_answer_is_bounded_in_bytes() {
    let database = Sqlite::memory().unwrap();
    let huge = query(&database, "SELECT zeroblob(20000000)", 1);
    assert!(matches!(huge, Err(SqlError::Rejected(_))), "{huge:?}");
    let many = query(
        &database,
        "SELECT zeroblob(15000000) FROM (VALUES (1), (2), (3), (4))",
        4,
    );
    assert!(matches!(many, Err(SqlError::Rejected(_))));
}

#[test]
fn one_statement_at_a_time() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    for sql in [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "SELECT 1; nonsense",
        "",
        " ; ",
        "-- nothing",
    ] {
        assert!(
            matches!(query(&database, sql, 1), Err(SqlError::Rejected(_))),
            "{sql}"
        );
    }
    for sql in [
        "SELECT 1;",
        "SELECT ';'",
        "SELECT 1 -- a; b",
        "SELECT 1 ; ; ",
    ] {
        assert_eq!(query(&database, sql, 1).unwrap().rows.len(), 1, "{sql}");
    }
    // more statements than a recursive parser has stack for
    let many = "SELECT 1;".repeat(100_000);
    assert!(matches!(
        query(&database, &many, 1),
        Err(SqlError::Rejected(_))
    ));
    assert!(matches!(
        query(&database, &"(".repeat(500_000), 1),
        Err(SqlError::Rejected(_))
    ));
}

#[test]
fn mistakes_are_rejected() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE t (a INTEGER PRIMARY KEY)", &[]);
    execute(&database, "INSERT INTO t VALUES (1)", &[]);
    for sql in [
        "SELEC 1",
        "SELECT * FROM missing",
        "SELECT ?1",
        "SELECT \"not a column\"",
    ] {
        assert!(
            matches!(query(&database, sql, 1), Err(SqlError::Rejected(_))),
            "{sql}"
        );
    }
    for sql in [
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
        "INSERT INTO t VALUES (2) RETURNING a",
    ] {
        let outcome = wait(database.execute(sql, &[]));
        assert!(matches!(outcome, Err(SqlError::Rejected(_))), "{sql}");
    }
    assert_eq!(
        query(&database, "SELECT count(*) FROM t", 1).unwrap().rows[0][0],
        SqlValue::Integer(1)
    );
}

#[test]
fn a_query_may_write_and_return_rows() {
    let folder = Folder::new();
    for database in [
        Sqlite::memory().unwrap(),
        Sqlite::open(folder.file("returning.db")).unwrap(),
    ] {
        execute(&database, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)", &[]);
        let rows = query(
            &database,
            "INSERT INTO t (b) VALUES ('x'), ('y') RETURNING a",
            10,
        )
        .unwrap();
        assert_eq!(rows.rows, [[SqlValue::Integer(1)], [SqlValue::Integer(2)]]);
        let rows = query(
            &database,
            "INSERT INTO t (b) VALUES ('z'), ('u') RETURNING a",
            1,
        )
        .unwrap();
        assert_eq!((rows.rows.len(), rows.truncated), (1, true));
        let rows = query(&database, "SELECT count(*) FROM t", 1).unwrap();
        assert_eq!(
            rows.rows[0][0],
            SqlValue::Integer(4),
            "a cut answer still means a whole change"
        );
    }
}

#[test]
fn a_read_only_handle_cannot_write_or_reach_outside() {
    let folder = Folder::new();
    let path = folder.file("guarded.db");
    let outside = folder.file("outside.db");
    let file = Sqlite::open(&path).unwrap();
    execute(&file, "CREATE TABLE t (a)", &[]);
    let memory = Sqlite::memory().unwrap();
    execute(&memory, "CREATE TABLE t (a)", &[]);
    for database in [&file, &memory] {
        execute(database, "CREATE INDEX i ON t (a)", &[]);
    }
    // kept by the connection with full rights, and still refused to the reader
    let insert = "INSERT INTO t VALUES (1) RETURNING a";
    query(&memory, insert, 1).unwrap();

    for database in [
        Sqlite::open_read_only(&path).unwrap(),
        file.read_only(),
        memory.read_only(),
    ] {
        let outside = outside.display();
        for sql in [
            insert.to_owned(),
            "DELETE FROM t".to_owned(),
            "CREATE TABLE u (a)".to_owned(),
            "CREATE TEMP TABLE u (a)".to_owned(),
            "DROP TABLE t".to_owned(),
            "BEGIN".to_owned(),
            "SAVEPOINT s".to_owned(),
            "PRAGMA query_only = 0".to_owned(),
            "PRAGMA writable_schema = 1".to_owned(),
            "PRAGMA journal_mode = delete".to_owned(),
            "REINDEX".to_owned(),
            "VACUUM".to_owned(),
            format!("VACUUM INTO '{outside}'"),
            format!("ATTACH DATABASE '{outside}' AS o"),
            "SELECT load_extension('x')".to_owned(),
            "EXPLAIN DELETE FROM t".to_owned(),
        ] {
            let answer = query(&database, &sql, 1);
            assert!(
                matches!(answer, Err(SqlError::ReadOnly(_) | SqlError::Rejected(_))),
                "{sql}: {answer:?}"
            );
            assert!(wait(database.execute(&sql, &[])).is_err(), "{sql}");
        }
        assert!(query(&database, "SELECT name FROM pragma_table_info('t')", 1).is_ok());
        assert!(wait(database.execute_all(["DELETE FROM t".to_owned()])).is_err());
    }
    assert!(!outside.exists());
    // the same connection still writes for the handle with full rights
    assert_eq!(execute(&memory, "DELETE FROM t", &[]), 1);
}

#[test]
fn even_a_full_handle_attaches_no_files() {
    let folder = Folder::new();
    let outside = folder.file("outside.db");
    let database = Sqlite::memory().unwrap();
    let sql = format!("ATTACH DATABASE '{}' AS o", outside.display());
    assert!(matches!(
        query(&database, &sql, 1),
        Err(SqlError::Rejected(_))
    ));
    assert!(!outside.exists());
}

#[test]
fn a_transaction_ends_with_its_statement() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    assert!(matches!(
        wait(database.execute("BEGIN", &[])),
        Err(SqlError::Rejected(_))
    ));
    execute(&database, "INSERT INTO t VALUES (1)", &[]);
    assert!(matches!(
        wait(database.execute("ROLLBACK", &[])),
        Err(SqlError::Rejected(_))
    ));
    assert_eq!(
        query(&database, "SELECT * FROM t", 9).unwrap().rows.len(),
        1
    );
}

#[test]
fn execute_all_does_all_or_nothing() {
    let database = Sqlite::memory().unwrap();
    let good = ["CREATE TABLE t (a UNIQUE)", "INSERT INTO t VALUES (1)"].map(str::to_owned);
    wait(database.execute_all(good)).unwrap();
    let bad = ["INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (1)"].map(str::to_owned);
    assert!(matches!(
        wait(database.execute_all(bad)),
        Err(SqlError::Rejected(_))
    ));
    assert_eq!(
        query(&database, "SELECT * FROM t", 9).unwrap().rows.len(),
        1
    );
}

#[test]
fn foreign_keys_are_enforced() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE p (a INTEGER PRIMARY KEY)", &[]);
    execute(&database, "CREATE TABLE c (a REFERENCES p)", &[]);
    assert!(wait(database.execute("INSERT INTO c VALUES (7)", &[])).is_err());
}

#[test]
fn a_dropped_future_interrupts_its_statement() {
    let folder = Folder::new();
    for database in [
        Sqlite::memory().unwrap(),
        Sqlite::open(folder.file("interrupt.db")).unwrap(),
    ] {
        let started = Instant::now();
        for _ in 0..8 {
            let mut slow = database.query(SLOW, &[], 1);
            assert!(poll(&mut slow).is_pending());
            thread::sleep(Duration::from_millis(5));
            drop(slow);
        }
        // eight connections' worth of slow statements would take many seconds if they were still
        // running
        assert_eq!(query(&database, "SELECT 1", 1).unwrap().rows.len(), 1);
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
    }
}

#[test]
fn a_statement_dropped_while_it_waits_is_never_run() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    let mut slow = database.query(SLOW, &[], 1);
    assert!(poll(&mut slow).is_pending());
    let mut waiting = database.execute("INSERT INTO t VALUES (1)", &[]);
    assert!(poll(&mut waiting).is_pending());
    drop(waiting);
    drop(slow);
    assert!(
        query(&database, "SELECT * FROM t", 1)
            .unwrap()
            .rows
            .is_empty()
    );
}

#[test]
fn an_interrupted_batch_leaves_nothing() {
    let database = Sqlite::memory().unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    let statements = [
        "INSERT INTO t VALUES (1)".to_owned(),
        format!("INSERT INTO t {SLOW}"),
    ];
    let mut batch = database.execute_all(statements);
    assert!(poll(&mut batch).is_pending());
    thread::sleep(Duration::from_millis(20));
    drop(batch);
    assert!(
        query(&database, "SELECT * FROM t", 1)
            .unwrap()
            .rows
            .is_empty()
    );
}

#[test]
fn readers_do_not_wait_for_each_other_or_for_the_writer() {
    let folder = Folder::new();
    let database = Sqlite::open(folder.file("concurrent.db")).unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    let mut slow = database.query(SLOW, &[], 1);
    let insert = format!("INSERT INTO t {SLOW}");
    let mut writing = database.execute(&insert, &[]);
    assert!(poll(&mut slow).is_pending());
    assert!(poll(&mut writing).is_pending());
    assert_eq!(
        query(&database, "SELECT count(*) FROM t", 1).unwrap().rows[0][0],
        SqlValue::Integer(0)
    );
    assert!(
        poll(&mut slow).is_pending(),
        "the slow reader was still at work"
    );
    assert!(
        poll(&mut writing).is_pending(),
        "the slow writer was still at work"
    );
}

#[test]
fn many_callers_at_once_are_all_answered() {
    let folder = Folder::new();
    let database = Sqlite::open(folder.file("many.db")).unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    thread::scope(|scope| {
        for number in 0..16_i64 {
            let database = &database;
            scope.spawn(move || {
                for _ in 0..20 {
                    execute(database, "INSERT INTO t VALUES (?1)", &[number.into()]);
                    query(database, "SELECT count(*) FROM t", 1).unwrap();
                }
            });
        }
    });
    assert_eq!(
        query(&database, "SELECT count(*) FROM t", 1).unwrap().rows[0][0],
        SqlValue::Integer(320)
    );
}

#[test]
fn too_many_waiting_statements_are_turned_away() {
    let database = Sqlite::memory().unwrap();
    let mut slow: Vec<_> = (0..1100).map(|_| database.query(SLOW, &[], 1)).collect();
    let refused = slow.iter_mut().filter_map(|future| match poll(future) {
        Poll::Ready(Err(SqlError::Unavailable(_))) => Some(()),
        _ => None,
    });
    assert!((70..=76).contains(&refused.count()));
}

#[test]
fn a_lock_held_elsewhere_is_unavailable() {
    let folder = Folder::new();
    let path = folder.file("locked.db");
    let database = Sqlite::open(&path).unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    let other = Sqlite::open(&path).unwrap();
    let insert = format!("INSERT INTO t {SLOW}");
    let mut holder = other.execute(&insert, &[]);
    assert!(poll(&mut holder).is_pending());
    thread::sleep(Duration::from_millis(100));
    let started = Instant::now();
    let refused = wait(database.execute("INSERT INTO t VALUES (2)", &[]));
    assert!(
        matches!(refused, Err(SqlError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn what_cannot_be_opened_says_so() {
    let folder = Folder::new();
    let missing = Sqlite::open_read_only(folder.file("missing.db"));
    assert!(
        matches!(missing, Err(SqlError::Unavailable(_))),
        "{missing:?}"
    );
    let nowhere = Sqlite::open(folder.file("no/such/folder.db"));
    assert!(
        matches!(nowhere, Err(SqlError::Unavailable(_))),
        "{nowhere:?}"
    );
    let text = folder.file("text.db");
    std::fs::write(
        &text,
        "this is not a database, although it is long enough to be one".repeat(20),
    )
    .unwrap();
    let text = Sqlite::open(text);
    assert!(matches!(text, Err(SqlError::Rejected(_))), "{text:?}");
}

#[test]
fn a_closed_file_can_be_opened_again() {
    let folder = Folder::new();
    let path = folder.file("again 100% #1?.db");
    let database = Sqlite::open(&path).unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    execute(&database, "INSERT INTO t VALUES (5)", &[]);
    drop(database);
    let database = Sqlite::open_read_only(&path).unwrap();
    assert_eq!(
        query(&database, "SELECT a FROM t", 1).unwrap().rows[0][0],
        SqlValue::Integer(5)
    );
}

#[cfg(unix)]
#[test]
fn a_file_whose_index_cannot_be_made_is_read_as_unchanging() {
    let folder = Folder::new();
    let path = folder.file("bundled 100% #1?.db");
    let database = Sqlite::open(&path).unwrap();
    execute(&database, "CREATE TABLE t (a)", &[]);
    drop(database);
    // the threads close the file a moment after the handle is dropped, and take the log away
    let log = folder.file("bundled 100% #1?.db-wal");
    while log.exists() {
        thread::yield_now();
    }
    // a link to nowhere stops SQLite as a read-only file system does, also for root
    std::os::unix::fs::symlink("/no/such/folder", folder.file("bundled 100% #1?.db-shm")).unwrap();
    let database = Sqlite::open_read_only(&path).unwrap();
    assert_eq!(
        query(&database, "SELECT count(*) FROM t", 1)
            .unwrap()
            .rows
            .len(),
        1
    );
    std::fs::write(&log, "not empty").unwrap();
    let with_log = Sqlite::open_read_only(&path);
    assert!(
        matches!(with_log, Err(SqlError::Unavailable(_))),
        "{with_log:?}"
    );
}

fn query(database: &Sqlite, sql: &str, max_rows: usize) -> Result<Rows, SqlError> {
    wait(database.query(sql, &[], max_rows))
}

fn execute(database: &Sqlite, sql: &str, parameters: &[SqlValue]) -> u64 {
    wait(database.execute(sql, parameters)).unwrap()
}

/// Runs a future on this thread, which sleeps in between: nothing here needs a runtime.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn poll<T>(future: &mut BoxFuture<'_, T>) -> Poll<T> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A folder of this test's own, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("mcpfn-sql-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
