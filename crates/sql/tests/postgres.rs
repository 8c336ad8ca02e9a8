//! PostgreSQL through the `Sql` port, on a real server: values, bounds, refusals, broken
//! connections, cancellation. Not a test of PostgreSQL itself. `cargo xtask postgres` starts the
//! server and runs these.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_ports::{ReadLimits, Rows, Sql, SqlError, SqlValue};
use mcpfn_sql::Postgres;
use tokio::task::JoinSet;

const LIMITS: ReadLimits = ReadLimits {
    rows: 10,
    bytes: 10_000,
    time: Duration::from_millis(500),
};

/// The superuser's URL.
fn url() -> String {
    std::env::var("MCPFN_TEST_POSTGRES").expect(
        "MCPFN_TEST_POSTGRES is the URL of a server's superuser: run `cargo xtask postgres`",
    )
}

fn database() -> Postgres {
    Postgres::new(&url()).unwrap()
}

/// The URL with another user, or another place.
fn changed(who: Option<&str>, place: Option<&str>) -> String {
    let url = url();
    let rest = url.strip_prefix("postgres://").unwrap();
    let (old_who, old_place) = rest.split_once('@').unwrap();
    format!(
        "postgres://{}@{}",
        who.unwrap_or(old_who),
        place.unwrap_or(old_place)
    )
}

/// A handle whose unvetted statements run as a role that may only read.
async fn with_reader(name: &str) -> Postgres {
    let database = database();
    let role = format!("mcpfn_sql_{name}_{}", std::process::id());
    database
        .execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2'"), &[])
        .await
        .unwrap();
    database
        .with_reader(&changed(Some(&format!("{role}:hunter2")), None))
        .unwrap()
        .accept_functions(OPEN)
}

/// What PostgreSQL lets every role call, until it is revoked.
const OPEN: &str = "pg_catalog.pg_terminate_backend, pg_catalog.pg_cancel_backend, \
    pg_catalog.pg_logical_emit_message, pg_catalog.pg_stat_get_activity, \
    pg_catalog.pg_stat_get_backend_activity";

async fn query(database: &Postgres, sql: &str) -> Result<Rows, SqlError> {
    database.query(sql, &[], 10).await
}

#[tokio::test]
async fn values_survive_the_round_trip() {
    let database = database();
    let table = format!("round_{}", std::process::id());
    let create = format!(
        "CREATE TABLE {table} (a bigint, b bigint, c double precision, d text, e bytea, f boolean, \
         g integer, h numeric, i date)"
    );
    database.execute(&create, &[]).await.unwrap();
    let values = [
        SqlValue::Null,
        SqlValue::Integer(i64::MIN),
        SqlValue::Real(0.1 + 0.2),
        SqlValue::Text("naïve ½ 🦀 ?1 '\\".to_owned()),
        SqlValue::Blob(vec![0, 255, 1]),
        SqlValue::Integer(1),
        SqlValue::Integer(7),
        SqlValue::from("12.50"),
        SqlValue::from("2026-10-31"),
    ];
    let insert = format!("INSERT INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    assert_eq!(database.execute(&insert, &values).await.unwrap(), 1);
    let rows = query(&database, &format!("SELECT * FROM {table}"))
        .await
        .unwrap();
    assert_eq!(rows.columns, ["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    assert_eq!(rows.rows, [values]);
    let select = format!("SELECT b FROM {table} WHERE d = ?2 AND g = ?1");
    let found = database
        .query(&select, &[SqlValue::Integer(7), values_text()], 1)
        .await
        .unwrap();
    assert_eq!(found.rows, [[SqlValue::Integer(i64::MIN)]]);
    let nul = database
        .query("SELECT CAST(?1 AS text)", &["a\0b".into()], 1)
        .await
        .unwrap();
    assert_eq!(nul.rows, [[SqlValue::from("a\u{fffd}b")]]);
    let other = query(
        &database,
        "SELECT ARRAY[1, 2], '{\"a\": 1}'::jsonb, '1 day'::interval, timestamptz \
            '2026-10-31 09:00+01', '::1'::inet",
    )
    .await;
    let other: Vec<String> = other.unwrap().rows[0]
        .iter()
        .map(|value| value.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        other,
        [
            "{1,2}",
            "{\"a\": 1}",
            "1 day",
            "2026-10-31T08:00:00Z",
            "::1"
        ]
    );
    database
        .execute(&format!("DROP TABLE {table}"), &[])
        .await
        .unwrap();
}

fn values_text() -> SqlValue {
    SqlValue::from("naïve ½ 🦀 ?1 '\\")
}

#[tokio::test]
async fn rows_and_bytes_are_bounded() {
    let database = with_reader("bounds").await;
    let cut = database
        .query("SELECT generate_series(1, 1000)", &[], 2)
        .await
        .unwrap();
    assert_eq!((cut.rows.len(), cut.truncated), (2, true));
    let whole = database
        .query("SELECT generate_series(1, 2)", &[], 2)
        .await
        .unwrap();
    assert_eq!((whole.rows.len(), whole.truncated), (2, false));
    let none = database.query("SELECT 1", &[], 0).await.unwrap();
    assert_eq!((none.rows.len(), none.truncated), (0, true));
    let huge = query(&database, "SELECT repeat('x', 20000000)").await;
    assert!(matches!(huge, Err(SqlError::Rejected(_))), "{huge:?}");
    let many = query(
        &database,
        "SELECT repeat('x', 9000000) FROM generate_series(1, 4)",
    )
    .await;
    assert!(matches!(many, Err(SqlError::Rejected(_))), "{many:?}");
    // after each of them there is a connection
    assert_eq!(query(&database, "SELECT 1").await.unwrap().rows.len(), 1);
    let read = database
        .read(
            "SELECT repeat('x', 900) FROM generate_series(1, 100)",
            LIMITS,
        )
        .await
        .unwrap();
    assert_eq!((read.rows.len(), read.truncated), (10, true));
    let read = database
        .read(
            "SELECT repeat('x', 4000) FROM generate_series(1, 5)",
            LIMITS,
        )
        .await
        .unwrap();
    assert_eq!((read.rows.len(), read.truncated), (2, true), "cut by bytes");
    let read = database.read("SELECT repeat('x', 300000)", LIMITS).await;
    assert!(matches!(read, Err(SqlError::Rejected(_))), "{read:?}");
    assert_eq!(
        database.read("SELECT 1", LIMITS).await.unwrap().rows.len(),
        1
    );
}

#[tokio::test]
async fn one_statement_at_a_time_and_no_transaction_outlives_it() {
    let database = database();
    for sql in [
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT * FROM missing",
        "SELECT ?1 + no",
        "SELECT 1\0",
    ] {
        assert!(
            matches!(query(&database, sql).await, Err(SqlError::Rejected(_))),
            "{sql}"
        );
    }
    assert!(matches!(
        database.execute("BEGIN", &[]).await,
        Err(SqlError::Rejected(_))
    ));
    let transaction = async || {
        query(&database, "SELECT txid_current()")
            .await
            .unwrap()
            .rows
    };
    assert_ne!(
        transaction().await,
        transaction().await,
        "the next statements are in transactions of their own"
    );
    let table = format!("once_{}", std::process::id());
    let bad = [
        format!("CREATE TABLE {table} (a integer)"),
        "nonsense".to_owned(),
    ];
    assert!(matches!(
        database.execute_all(bad).await,
        Err(SqlError::Rejected(_))
    ));
    assert!(
        query(&database, &format!("SELECT * FROM {table}"))
            .await
            .is_err(),
        "all or nothing"
    );
}

#[tokio::test]
async fn broken_connections_are_replaced() {
    let database = database();
    let pid = |rows: Rows| rows.rows[0][0].clone();
    let first = pid(query(&database, "SELECT pg_backend_pid()").await.unwrap());
    assert_eq!(
        pid(query(&database, "SELECT pg_backend_pid()").await.unwrap()),
        first,
        "connections are kept"
    );
    let other = Postgres::new(&url()).unwrap();
    other
        .query(
            "SELECT pg_terminate_backend(CAST(?1 AS integer))",
            std::slice::from_ref(&first),
            1,
        )
        .await
        .unwrap();
    // gone is what the server no longer lists
    let gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = CAST(?1 AS integer)";
    while other
        .query(gone, std::slice::from_ref(&first), 1)
        .await
        .unwrap()
        .rows[0][0]
        != SqlValue::Integer(0)
    {}
    assert_ne!(
        pid(query(&database, "SELECT pg_backend_pid()").await.unwrap()),
        first
    );
    let killed = query(&database, "SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert!(
        matches!(killed, Err(SqlError::Unavailable(_))),
        "{killed:?}"
    );
    assert_eq!(query(&database, "SELECT 1").await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_dropped_future_stops_its_statement() {
    let database = database();
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(9)%' \
        AND state = 'active'";
    let started = Instant::now();
    let slow = {
        let database = database.clone();
        tokio::spawn(async move { database.query("SELECT pg_sleep(9)", &[], 1).await })
    };
    let count = async || {
        query(&database, running).await.unwrap().rows[0][0]
            .as_i64()
            .unwrap()
    };
    while count().await == 0 {}
    slow.abort();
    while count().await > 0 {
        assert!(started.elapsed() < Duration::from_secs(5), "it still runs");
    }
}

#[tokio::test]
async fn unvetted_statements_end_in_time() {
    let database = with_reader("time").await;
    for sql in [
        "SELECT pg_sleep(9)",
        "SELECT count(*) FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b",
    ] {
        let started = Instant::now();
        let stopped = database.read(sql, LIMITS).await;
        assert!(matches!(stopped, Err(SqlError::TooLong(_))), "{stopped:?}");
        assert!(
            started.elapsed() < Duration::from_millis(1500),
            "{:?}",
            started.elapsed()
        );
    }
    let write = database
        .read("CREATE TABLE stolen (a integer)", LIMITS)
        .await;
    assert!(matches!(write, Err(SqlError::ReadOnly(_))), "{write:?}");
}

/// What a statement alone brings about is no outage, whatever class PostgreSQL puts it into.
#[tokio::test]
async fn a_statements_own_fault_is_said() {
    let database = with_reader("blame").await;
    for (sql, expected) in [
        ("SELECT $1::int", "write the values in their place (08P01)"),
        ("SELECT pg_read_file('/none')", "42501"),
        ("SELECT pg_ls_dir('/none')", "42501"),
        ("SELECT * FROM pg_authid", "42501"),
        ("SELECT 1/0", "22012"),
        ("SELECT repeat('x', 2000000000)", "54000"),
        ("SELECT * FROM nowhere.nothing", "42P01"),
        (" ; -- nothing", "there is no statement (42601)"),
        ("/* nothing */", "there is no statement (42601)"),
        ("", "there is no statement (42601)"),
    ] {
        match database.read(sql, LIMITS).await.unwrap_err() {
            SqlError::Rejected(said) | SqlError::NoRight(said) => {
                assert!(said.contains(expected), "{sql}: {said}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn many_callers_share_four_connections() {
    let database = database();
    let mut callers = JoinSet::new();
    for number in 0..32_i64 {
        let database = database.clone();
        callers.spawn(async move {
            for _ in 0..20 {
                let rows = database
                    .query("SELECT CAST(?1 AS bigint)", &[number.into()], 1)
                    .await
                    .unwrap();
                assert_eq!(
                    rows.rows,
                    [[SqlValue::Integer(number)]],
                    "an answer is its own caller's"
                );
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_reached_says_so_without_its_secrets() {
    for url in [
        changed(Some("postgres:wrong-hunter2"), None),
        changed(Some("nobody:hunter2"), None),
        changed(Some("nobody:hunter2"), Some("127.0.0.1:1/postgres")),
        changed(
            Some("nobody:hunter2"),
            Some("no-such-host.invalid/postgres"),
        ),
        // no public authority has signed the certificate of these tests
        url() + "?sslmode=require",
    ] {
        let database = Postgres::new(&url).unwrap();
        for error in [
            database.check().await.unwrap_err(),
            query(&database, "SELECT 1").await.unwrap_err(),
        ] {
            assert!(matches!(error, SqlError::Unavailable(_)), "{error:?}");
            assert!(
                !format!("{error} {error:?} {database:?}").contains("hunter2"),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn connections_are_encrypted_and_the_certificate_is_checked() {
    let roots = concat!(
        "?sslrootcert=",
        env!("CARGO_MANIFEST_DIR"),
        "/tests/tls/ca.pem"
    );
    let encrypted = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let database = Postgres::new(&(url() + roots)).unwrap();
    assert_eq!(
        query(&database, encrypted).await.unwrap().rows,
        [[SqlValue::Integer(1), "TLSv1.3".into()]]
    );
    let same = query(&database, "SELECT pg_backend_pid()").await.unwrap();
    assert_eq!(
        query(&database, "SELECT pg_backend_pid()").await.unwrap(),
        same,
        "encrypted connections are kept too"
    );
    assert_eq!(
        query(&self::database(), encrypted).await.unwrap().rows[0][0],
        SqlValue::Integer(0),
        "on this machine nobody asked for it"
    );
    // the right authority, and not the name that it has signed
    let place = changed(None, None).replace("127.0.0.1", "127.0.0.2") + roots;
    for url in [url() + "?sslmode=verify-full", place] {
        let refused = Postgres::new(&url).unwrap().check().await.unwrap_err();
        assert!(
            matches!(refused, SqlError::Unavailable(_))
                && refused.to_string().contains("invalid peer certificate"),
            "{refused:?}"
        );
    }
    let missing = Postgres::new(&(url() + "?sslrootcert=/no/such/file.pem")).unwrap_err();
    assert!(
        missing.to_string().contains("can't be read as PEM"),
        "{missing}"
    );
}

#[tokio::test]
async fn calls_are_quick() {
    let database = Arc::new(with_reader("quick").await);
    let (mut trusted, mut unvetted) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let started = Instant::now();
        query(&database, "SELECT 1").await.unwrap();
        trusted.push(started.elapsed());
        let started = Instant::now();
        database.read("SELECT 1", LIMITS).await.unwrap();
        unvetted.push(started.elapsed());
    }
    for (name, mut times) in [("query", trusted), ("read", unvetted)] {
        times.sort_unstable();
        println!("{name} p50 {:?} p95 {:?}", times[50], times[95]);
        assert!(
            times[50] < Duration::from_millis(100),
            "{name}: {:?}",
            times[50]
        );
    }
}
