//! Unvetted statements on SQLite: what they may take, and that nothing of them stays. The list of
//! attacks is in the toolkits' tests.

use std::time::{Duration, Instant};

use mcpfn_ports::{ReadLimits, Sql, SqlError};
use mcpfn_sql::Sqlite;

const LIMITS: ReadLimits = ReadLimits {
    rows: 3,
    bytes: 1000,
    time: Duration::from_millis(200),
};

#[tokio::test]
async fn rows_bytes_and_single_values_are_bounded() {
    let database = Sqlite::memory().unwrap();
    let rows = |sql: &'static str| {
        let database = database.clone();
        async move {
            database
                .read(sql, LIMITS)
                .await
                .map(|rows| (rows.rows.len(), rows.truncated))
        }
    };
    assert_eq!(rows("VALUES (1), (2), (3)").await.unwrap(), (3, false));
    assert_eq!(rows("VALUES (1), (2), (3), (4)").await.unwrap(), (3, true));
    assert_eq!(
        rows("SELECT zeroblob(400) FROM (VALUES (1), (2), (3))")
            .await
            .unwrap(),
        (2, true),
        "cut by bytes"
    );
    let large = rows("SELECT zeroblob(1001)").await;
    assert!(matches!(large, Err(SqlError::Rejected(_))), "{large:?}");
    // a trusted statement on the same connection is not bounded by what an unvetted one was
    assert_eq!(
        database
            .query("SELECT zeroblob(100000)", &[], 1)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[tokio::test]
async fn time_is_bounded_and_the_next_statement_has_its_own() {
    let database = Sqlite::memory().unwrap();
    for _ in 0..2 {
        let started = Instant::now();
        let stopped = database
            .read(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT \
                count(*) FROM n",
                LIMITS,
            )
            .await;
        assert!(matches!(stopped, Err(SqlError::TooLong(_))), "{stopped:?}");
        assert!(
            (LIMITS.time..LIMITS.time * 5).contains(&started.elapsed()),
            "{:?}",
            started.elapsed()
        );
    }
    let longer = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \
        2000000) SELECT count(*) FROM n";
    assert_eq!(database.query(longer, &[], 1).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_writing_handle_reads_only_for_them() {
    let database = Sqlite::memory().unwrap();
    database.execute("CREATE TABLE t (a)", &[]).await.unwrap();
    for sql in [
        "INSERT INTO t VALUES (1) RETURNING a",
        "DELETE FROM t",
        "CREATE TEMP TABLE u (a)",
        "PRAGMA user_version = 3",
        "BEGIN",
    ] {
        let refused = database.read(sql, LIMITS).await;
        assert!(
            matches!(refused, Err(SqlError::ReadOnly(_))),
            "{sql}: {refused:?}"
        );
    }
    let refused = database.read("SELECT 1\0; DELETE FROM t", LIMITS).await;
    assert!(matches!(refused, Err(SqlError::Rejected(_))), "{refused:?}");
    assert_eq!(
        database
            .execute("INSERT INTO t VALUES (1)", &[])
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        database
            .read("SELECT a FROM t", LIMITS)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
}
