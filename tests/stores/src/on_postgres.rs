//! The contract against a PostgreSQL server, and what happens when there is something wrong with it
//! or with what its role may do.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::port::{
    Admission, Hold, IdempotencyStatus, IdempotencyStore as _, Rate, RateLimiter as _,
    ResultCache as _, TaskStore,
};
use mcpfn_ports::SqlValue;
use mcpfn_postgres::{PostgresServer, PostgresStores};
use mcpfn_sql::Postgres;
use tokio::time::sleep;

use crate::contract::Store;
use crate::cost;
use crate::report::Report;
use crate::service::{self, PATIENCE, Service};
use crate::service_outage;

const NOW: u64 = 1_795_168_800_000;

/// A password of roles of the tests, which no error may show.
const PASSWORD: &str = "hunter2";

/// A role that may do anything.
const OWNER: &str = "owner:hunter2";

/// The server, as its owner.
#[derive(Clone)]
struct Admin {
    address: SocketAddr,
    database: Postgres,
}

impl Admin {
    /// Makes the roles of the tests. A password that is a thousand digests would be what is measured,
    /// without optimization.
    async fn new(url: &str) -> Self {
        let postgres = Postgres::new(url).expect("the tests write URLs");
        let roles = format!(
            "SET scram_iterations = 1; CREATE ROLE owner SUPERUSER LOGIN PASSWORD '{PASSWORD}'; \
             CREATE ROLE instances LOGIN PASSWORD '{PASSWORD}'; \
             GRANT CREATE ON DATABASE postgres TO instances"
        );
        postgres.ask_all(&roles).await.expect("it may do this");
        let place = url.rsplit_once('@').map_or("", |(_, place)| place);
        let address = place.split('/').next().unwrap_or_default();
        Self {
            address: address.parse().expect("a server of a test has an address"),
            database: Postgres::new(&format!("postgres://{OWNER}@{place}")).expect("it is one"),
        }
    }

    async fn run(&self, statements: &str) {
        self.database
            .ask_all(statements)
            .await
            .expect("the owner may do this");
    }

    /// A number.
    async fn count(&self, statement: &str) -> i64 {
        let rows = self
            .database
            .ask(statement, &[])
            .await
            .expect("the owner may do this");
        match rows.rows.first().map(Vec::as_slice) {
            Some([SqlValue::Integer(number)]) => *number,
            other => panic!("{other:?}"),
        }
    }

    /// Stores in a schema, as a role.
    fn stores(&self, who: &str, schema: &str, options: &str) -> Arc<PostgresStores> {
        stores(
            &format!("postgres://{who}@{}/postgres{options}", self.address),
            schema,
            PATIENCE,
        )
    }

    fn own_stores(&self, schema: &str) -> Arc<PostgresStores> {
        self.stores(OWNER, schema, "")
    }
}

fn stores(url: &str, schema: &str, limit: Duration) -> Arc<PostgresStores> {
    let server = PostgresServer::parse(url).expect("the tests write URLs");
    let mut server = server.with_schema(schema).expect("and names");
    server.timeout = limit;
    Arc::new(PostgresStores::new(server))
}

fn at(address: SocketAddr, limit: Duration) -> Arc<dyn Store> {
    stores(
        &format!("postgres://{OWNER}@{address}/postgres"),
        "mcpfn",
        limit,
    )
}

fn tasks_at(address: SocketAddr, limit: Duration) -> Arc<dyn TaskStore> {
    let url = format!("postgres://{OWNER}@{address}/postgres");
    stores(&url, "mcpfn", limit)
}

/// Asks all of it. `folder` has the certificates of the tests.
pub async fn check(url: &str, folder: &Path, report: &mut Report) {
    let admin = Admin::new(url).await;
    let service = Service {
        address: admin.address,
        stores: at,
        tasks: tasks_at,
        connections: 4,
        limit: Duration::from_secs(1),
    };
    report
        .check("who comes first makes the tables", made(admin.clone()))
        .await;
    report
        .contract(service.direct(), service.direct(), "")
        .await;
    let own = || admin.own_stores("mcpfn");
    report.letters(own(), own()).await;
    report.topics(own(), own()).await;
    report.tasks(own(), own(), "").await;
    report.events(own(), own()).await;
    report
        .check(
            "every row has a time at which it is deleted",
            rows(admin.clone()),
        )
        .await;
    report
        .check("what is over is deleted, in steps", cleaned(admin.clone()))
        .await;
    report
        .check("calls clean up behind themselves", cleans_up(admin.clone()))
        .await;
    let ended = "connections that the server ended cost new ones and no failure";
    report.check(ended, ended_by_server(admin.clone())).await;
    service::connections(&service, report).await;
    let costs = service.direct();
    let said = "what a question costs is printed";
    let print = async move { cost::print(&costs).await.unwrap() };
    report.check(said, print).await;
    encrypted(&admin, folder, report).await;
    refusing(&admin, report).await;
    service_outage::meet(&service, &[PASSWORD], report).await;
}

/// Several instances that start together, where there is nothing yet.
async fn made(admin: Admin) {
    let calls = (0..8).map(|_| {
        let stores = admin.own_stores("made");
        tokio::spawn(async move { stores.admit("key", Rate::per_minute(8), NOW).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(Admission::Admitted));
    }
    let stores = admin.own_stores("made");
    let ninth = stores.admit("key", Rate::per_minute(8), NOW).await;
    assert!(matches!(ninth, Ok(Admission::Refused { .. })), "{ninth:?}");
}

/// After the contract.
async fn rows(admin: Admin) {
    for (table, least) in [
        ("results", 5),
        ("rates", 5),
        ("writes", 10),
        ("tasks", 5),
        ("event_logs", 5),
        ("events", 50),
        ("event_subscriptions", 20),
        ("event_jobs", 0),
        ("event_dead", 1),
    ] {
        let count = admin
            .count(&format!("SELECT count(*) FROM mcpfn.{table}"))
            .await;
        assert!(count >= least, "the contract left {count} rows in {table}");
        let early = format!("SELECT count(*) FROM mcpfn.{table} WHERE gone_after < now()");
        assert_eq!(admin.count(&early).await, 0, "{table}");
    }
}

async fn cleaned(admin: Admin) {
    let stores = admin.own_stores("cleaned");
    let hold = Hold {
        now_ms: NOW,
        until_ms: NOW + 1,
        expires_ms: NOW + 60_000,
    };
    stores.begin("stays", &[1; 16], hold).await.unwrap();
    admin
        .run(
            "INSERT INTO cleaned.results SELECT i::text, '', 0, now() - interval '1 second' \
        FROM generate_series(1, 1500) AS i",
        )
        .await;
    admin
        .run(
            "INSERT INTO cleaned.writes VALUES ('locked', '', 0, 0, NULL, now() - interval '1 s'), \
        ('over', '', 0, 0, NULL, now() - interval '1 s')",
        )
        .await;
    // of tasks only by who has any: elsewhere their table may be missing
    admin
        .run("INSERT INTO cleaned.tasks VALUES ('over', '', 0, 0, '', '', NULL, NULL, NULL, now() - interval '1 s')")
        .await;
    // another statement works on a row
    let other = admin.clone();
    let working = tokio::spawn(async move {
        let statement = "UPDATE cleaned.writes SET until_ms = 1 WHERE key = 'locked'; \
            SELECT pg_sleep(9)";
        drop(other.database.ask_all(statement).await);
    });
    let is_free = "SELECT count(*) FROM (SELECT FROM cleaned.writes WHERE key = 'locked' \
        FOR UPDATE SKIP LOCKED) AS free";
    while admin.count(is_free).await > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        stores.clean().await.unwrap(),
        1001,
        "a thousand results and the free write"
    );
    assert_eq!(stores.clean().await.unwrap(), 500);
    assert_eq!(
        stores.clean().await.unwrap(),
        0,
        "nobody waits for the locked one"
    );
    admin
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE query LIKE 'UPDATE cleaned%' AND pid <> pg_backend_pid()",
        )
        .await;
    working.await.unwrap();
    assert_eq!(stores.clean().await.unwrap(), 1);
    let part = || Bytes::from_static(b"part");
    let created = stores.create("lives", part(), part(), NOW, NOW + 60_000);
    assert_eq!(created.await, Ok(true));
    assert_eq!(stores.clean().await.unwrap(), 1, "the task that is over");
    let known = stores.look("stays", NOW + 2).await.unwrap();
    assert_eq!(
        known,
        Some(IdempotencyStatus::Unknown),
        "what counts is there"
    );
}

async fn cleans_up(admin: Admin) {
    let stores = admin.own_stores("cleans_up");
    stores.put("first", Bytes::new(), NOW).await.unwrap();
    admin
        .run(
            "INSERT INTO cleans_up.writes SELECT i::text, '', 0, 0, NULL, now() - interval '1 s' \
        FROM generate_series(1, 900) AS i",
        )
        .await;
    for call in 0..256 {
        stores
            .put(&call.to_string(), Bytes::new(), NOW)
            .await
            .unwrap();
    }
    let start = Instant::now();
    while admin.count("SELECT count(*) FROM cleans_up.writes").await > 0 {
        assert!(start.elapsed() < PATIENCE, "nobody deleted them");
        sleep(Duration::from_millis(10)).await;
    }
}

/// As when it is restarted, or an operator ends idle ones.
async fn ended_by_server(admin: Admin) {
    let stores = admin.own_stores("mcpfn");
    let rate = Rate::per_minute(1000);
    for _ in 0..3 {
        let calls = (0..8).map(|_| {
            let stores = Arc::clone(&stores);
            tokio::spawn(async move { stores.admit("ended", rate, NOW).await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), Ok(Admission::Admitted));
        }
        admin
            .run(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
            WHERE application_name = 'mcpfn' AND pid <> pg_backend_pid()",
            )
            .await;
    }
}

/// TLS with a certificate authority of one's own, and a role that may do what stores need and
/// nothing else.
async fn encrypted(admin: &Admin, folder: &Path, report: &mut Report) {
    let owner = admin.own_stores("shop");
    owner
        .get("key", NOW)
        .await
        .expect("the owner may make tables");
    admin
        .run(&format!(
            "CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}'; \
        GRANT USAGE ON SCHEMA shop TO shop; \
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO shop"
        ))
        .await;
    let roots = folder.join("ca.pem").display().to_string();
    let options = format!("?sslmode=verify-full&sslrootcert={roots}");
    let who = format!("shop:{PASSWORD}");
    let with = |who: &str, options: &str| admin.stores(who, "shop", options);
    let (one, other) = (with(&who, &options), with(&who, &options));
    let how = ", over TLS, as a role with few rights";
    report.contract(one.clone(), other.clone(), how).await;
    report.tasks(one.clone(), other, how).await;
    let cleans = async move { assert_eq!(one.clean().await.unwrap(), 0) };
    report
        .check("a role with few rights cleans up", cleans)
        .await;
    for (name, stores, says) in [
        (
            "a certificate that nobody trusts is refused",
            with(&who, "?sslmode=verify-full"),
            "certificate",
        ),
        (
            "a wrong password is refused, named and not shown",
            with("shop:hunter3", &options),
            "refuses the user or password of MCPFN_POSTGRES_STORE_URL",
        ),
    ] {
        report.check(name, refused(stores, says)).await;
    }
}

/// A server that answers, and does not do what it is asked for.
async fn refusing(admin: &Admin, report: &mut Report) {
    let role =
        |name: &str, more: &str| format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'; {more}");
    admin.run(&role("nobody", "")).await;
    admin
        .run(&role(
            "reader",
            "ALTER ROLE reader SET default_transaction_read_only = on; \
        GRANT USAGE ON SCHEMA mcpfn TO reader; GRANT ALL ON ALL TABLES IN SCHEMA mcpfn TO reader",
        ))
        .await;
    admin
        .run(
            "CREATE SCHEMA older; CREATE TABLE older.results (key text); \
        CREATE TABLE older.rates (key text); CREATE TABLE older.writes (key text); \
        CREATE TABLE older.tasks (key text)",
        )
        .await;
    let who = |name: &str| format!("{name}:{PASSWORD}");
    let nowhere = format!("postgres://{}@{}/nowhere", who("nobody"), admin.address);
    for (name, stores, says) in [
        (
            "missing tables",
            admin.stores(&who("nobody"), "empty", ""),
            "has no tables in the schema empty",
        ),
        (
            "missing rights",
            admin.stores(&who("nobody"), "mcpfn", ""),
            "grant it USAGE on the schema mcpfn",
        ),
        (
            "a server that takes no writes",
            admin.stores(&who("reader"), "mcpfn", ""),
            "takes no writes",
        ),
        (
            "tables of another version",
            admin.own_stores("older"),
            "not those of this version",
        ),
        (
            "a missing database",
            stores(&nowhere, "mcpfn", PATIENCE),
            "has no such database",
        ),
    ] {
        report
            .check(&format!("{name}: the log says so"), refused(stores, says))
            .await;
    }
}

async fn refused(stores: Arc<PostgresStores>, says: &str) {
    let hold = Hold {
        now_ms: NOW,
        until_ms: NOW + 1,
        expires_ms: NOW + 2,
    };
    let value = Bytes::from_static(b"value");
    let part = || Bytes::from_static(b"part");
    for error in [
        stores
            .create("key", part(), part(), NOW, NOW + 1)
            .await
            .unwrap_err(),
        stores.put("key", value, NOW + 1).await.unwrap_err(),
        stores
            .admit("key", Rate::per_minute(1), NOW)
            .await
            .unwrap_err(),
        stores.begin("key", &[1; 16], hold).await.unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("hunter"), "{error}");
    }
}
