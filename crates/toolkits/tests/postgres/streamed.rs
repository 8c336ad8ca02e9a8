//! PostgreSQL over streams that a host brings, as on Workers: the same attacks, bounds and refusals. The
//! streams here are sockets of this machine.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{ReadLimits, Sql, SqlError, SqlValue};
use mcpfn_sql::{Postgres, PostgresStream, PostgresStreams, StreamedPostgres};

use crate::databases::PostgresShop;
use crate::place::{PASSWORD, postgres, url_of};
use crate::unvetted::attack;
use crate::wait::wait;

const LIMITS: ReadLimits = ReadLimits {
    rows: 10,
    bytes: 10_000,
    time: Duration::from_millis(500),
};

/// A role at the tests' server, and a clock.
struct Sockets {
    role: String,
    password: &'static str,
    database: String,
    now_ms: Arc<AtomicU64>,
}

impl Sockets {
    fn new(role: &str, shop: &PostgresShop) -> Self {
        Self {
            role: role.to_owned(),
            password: PASSWORD,
            database: shop.database.clone(),
            now_ms: Arc::new(AtomicU64::new(1_795_168_800_000)),
        }
    }
}

impl PostgresStreams for Sockets {
    fn open(&self) -> Result<PostgresStream, String> {
        let url = postgres().expect("asked only with PostgreSQL");
        let (_, place) = url.rsplit_once('@').expect("a URL with a user");
        let place = place.split('/').next().unwrap_or_default();
        let socket = TcpStream::connect(place).map_err(|error| error.to_string())?;
        socket.set_nonblocking(true).unwrap();
        Ok(PostgresStream::private(
            tokio::net::TcpStream::from_std(socket).unwrap(),
            (self.role.clone(), self.password.to_owned()),
            self.database.clone(),
        ))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }
}

fn open(shop: &PostgresShop) -> StreamedPostgres<Sockets> {
    StreamedPostgres::new(Sockets::new(&shop.writer, shop))
        .with_reader(Sockets::new(&shop.reader, shop))
}

#[test]
fn attacks_change_nothing_over_streams() {
    attack(|shop| Arc::new(open(shop).accept_functions("public.other, public.sneak")));
}

#[test]
fn values_and_counts_survive() {
    let database = open(&PostgresShop::new());
    let values = [SqlValue::from("naïve ½ 🦀 ?1"), SqlValue::Integer(7)];
    let sql = "SELECT CAST(?1 AS text), CAST(?2 AS int) + 1, timestamptz '2026-10-31 09:00+01'";
    let rows = wait(database.query(sql, &values, 10)).unwrap().rows;
    let (text, number) = (values[0].clone(), SqlValue::Integer(8));
    assert_eq!(rows, [[text, number, "2026-10-31T08:00:00Z".into()]]);
    let all = wait(database.query("SELECT count(*) FROM activities", &[], 1)).unwrap();
    let all = all.rows[0][0].as_i64().unwrap();
    let sql = "UPDATE activities SET note = ?1";
    let changed = wait(database.execute(sql, &["seen".into()])).unwrap();
    assert_eq!(i64::try_from(changed).unwrap(), all, "and it is committed:");
    let sql = "SELECT count(*) FROM activities WHERE note = 'seen'";
    let seen = wait(database.query(sql, &[], 1)).unwrap();
    assert_eq!(seen.rows, [[SqlValue::Integer(all)]]);
    wait(database.check()).unwrap();
}

#[test]
fn statements_are_bounded_and_end_in_time() {
    let database = open(&PostgresShop::new());
    let cut = wait(database.query("SELECT generate_series(1, 1000)", &[], 2)).unwrap();
    assert_eq!((cut.rows.len(), cut.truncated), (2, true));
    let huge = wait(database.query("SELECT repeat('x', 20000000)", &[], 1));
    assert!(matches!(huge, Err(SqlError::Rejected(_))), "{huge:?}");
    let sql = "SELECT repeat('x', 4000) FROM generate_series(1, 5)";
    let read = wait(database.read(sql, LIMITS)).unwrap();
    assert_eq!((read.rows.len(), read.truncated), (2, true), "cut by bytes");
    let started = Instant::now();
    let stopped = wait(database.read("SELECT pg_sleep(9)", LIMITS));
    assert!(matches!(stopped, Err(SqlError::TooLong(_))), "{stopped:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    for (sql, is_expected) in [
        ("SELECT 1; SELECT 2", "42601"),
        ("SELECT * FROM missing", "42P01"),
        ("", "there is no statement"),
        ("SELECT 1\0", "U+0000"),
    ] {
        for refused in [
            wait(database.query(sql, &[], 1)).unwrap_err(),
            wait(database.read(sql, LIMITS)).unwrap_err(),
        ] {
            assert!(
                matches!(&refused, SqlError::Rejected(said) if said.contains(is_expected)),
                "{sql}: {refused:?}"
            );
        }
    }
    for write in [
        "CREATE TABLE stolen (a integer)",
        "UPDATE activities SET note = 'x' RETURNING note",
    ] {
        let refused = wait(database.read(write, LIMITS)).unwrap_err();
        let is_one = matches!(refused, SqlError::ReadOnly(_) | SqlError::NoRight(_));
        assert!(is_one, "{write}: {refused:?}");
    }
}

#[test]
fn a_role_is_vetted_again_after_five_minutes() {
    let shop = PostgresShop::new();
    let owner = Postgres::new(&url_of(None, &shop.database)).unwrap();
    let reader = Sockets::new(&shop.reader, &shop);
    let clock = Arc::clone(&reader.now_ms);
    let database = StreamedPostgres::new(Sockets::new(&shop.writer, &shop)).with_reader(reader);
    let read = || wait(database.read("SELECT 1", LIMITS));
    assert!(read().is_ok());
    let grant = format!("GRANT UPDATE (note) ON activities TO {}", shop.reader);
    wait(owner.execute(&grant, &[])).unwrap();
    assert!(read().is_ok(), "within five minutes");
    clock.fetch_add(5 * 60 * 1000, Ordering::Relaxed);
    let refused = read().unwrap_err().to_string();
    assert!(refused.contains("may change `activities`"), "{refused}");
}

#[test]
fn a_wrong_password_is_an_outage_that_shows_none() {
    let shop = PostgresShop::new();
    let mut main = Sockets::new(&shop.writer, &shop);
    main.password = "hunter3";
    let database = StreamedPostgres::new(main);
    let refused = wait(database.query("SELECT 1", &[], 1)).unwrap_err();
    assert!(matches!(refused, SqlError::Unavailable(_)), "{refused:?}");
    assert!(!format!("{refused} {refused:?} {database:?}").contains("hunter"));
}
