//! `stores --dynamodb ADDRESS [--outages]`: the contract against a DynamoDB emulator that listens
//! there, and what happens when there is something wrong with it. `stores --s3 ADDRESS s3s-fs` or
//! `.. moto`: that of files against this emulator of S3. `cargo xtask stores` starts the emulators.
//! `stores --create ADDRESS TABLE` makes a table there and nothing else.
//! `stores --simulate` prints what the table costs, without an emulator. `stores --task-costs ADDRESS
//! REDIS` prints what the steps of a task cost; either may be `-` for none. `stores --event-costs` prints
//! what an event costs, `stores --event-rates REDIS POSTGRES` how many a process sends.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::port::{
    Admission, Hold, IdempotencyStatus, IdempotencyStore as _, Rate, RateLimiter as _,
    ResultCache as _,
};
use mcpfn_lambda::dynamodb::{self, Table};
use mcpfn_ports::{BlobError, BlobPath, Blobs as _, WriteCondition};
use mcpfn_store_tests::bucket;
use mcpfn_store_tests::files::{self, Files};
use mcpfn_store_tests::outage::{self, Met};
use mcpfn_store_tests::proxy::{Mode, Proxy, Stale};
use mcpfn_store_tests::report::Report;
use mcpfn_store_tests::simulation::{self, Row};
use mcpfn_store_tests::table::{at, create};
use mcpfn_store_tests::task_cost;
use mcpfn_store_tests::without_queue::WithoutQueue;
use mcpfn_store_tests::{event_cost, event_rate};
use tokio::time::sleep;

/// The breaker's pause, and a little.
const PAUSE: Duration = Duration::from_millis(5200);

/// What a busy machine may add to the first requests of an outage.
const SLACK: Duration = Duration::from_millis(500);

/// Longer than an emulator on a busy machine takes for 200 requests at a time.
const PATIENCE: Duration = Duration::from_secs(30);

const TABLE: &str = "mcpfn-contract";
const BUCKET: &str = "mcpfn-contract";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--simulate"] {
        return tokio::task::spawn_blocking(simulate)
            .await
            .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    if let [how, redis, postgres] = &arguments[..]
        && how == "--event-rates"
    {
        let given = |url: &'_ String| Some(url.clone()).filter(|url| url != "-");
        event_rate::print(given(redis).as_deref(), given(postgres).as_deref()).await;
        return ExitCode::SUCCESS;
    }
    if arguments == ["--event-costs"] {
        event_cost::print().await;
        return ExitCode::SUCCESS;
    }
    if let [how, address, redis] = &arguments[..]
        && how == "--task-costs"
    {
        let emulator = address.parse().ok();
        if let Some(emulator) = emulator {
            create(emulator, TABLE).await;
        }
        let redis = Some(&**redis).filter(|url| *url != "-");
        task_cost::print(emulator.map(|at| (at, TABLE)), redis).await;
        return ExitCode::SUCCESS;
    }
    if let [how, address, table] = &arguments[..]
        && how == "--create"
        && let Ok(emulator) = address.parse()
    {
        create(emulator, table).await;
        return ExitCode::SUCCESS;
    }
    let (address, what) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--dynamodb", address] => (address, What::Tables { outages: false }),
        ["--dynamodb", address, "--outages"] => (address, What::Tables { outages: true }),
        ["--s3", address, "s3s-fs"] => (address, What::Files(&S3S)),
        ["--s3", address, "moto"] => (address, What::Files(&MOTO)),
        _ => {
            eprintln!(
                "usage: stores --dynamodb ADDRESS [--outages], stores --s3 ADDRESS s3s-fs|moto, stores --create ADDRESS TABLE, stores --task-costs ADDRESS|- REDIS|-, stores --event-costs, stores --event-rates REDIS|- POSTGRES|-, or stores --simulate"
            );
            return ExitCode::FAILURE;
        }
    };
    let Ok(emulator) = address.parse() else {
        eprintln!("`{address}` is no address such as 127.0.0.1:8000");
        return ExitCode::FAILURE;
    };
    let mut report = Report::default();
    match what {
        What::Tables { outages } => tables(emulator, outages, &mut report).await,
        What::Files(which) => files(emulator, which, &mut report).await,
    }
    if report.end() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints what the table costs, in time that is played too.
fn simulate() {
    let rows = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(simulation::rows());
    println!("{}", Row::HEADING);
    for row in rows {
        println!("{}", row.text());
    }
}

/// What the emulator plays.
enum What {
    Tables { outages: bool },
    Files(&'static Emulated),
}

/// An emulator of S3.
struct Emulated {
    signatures: bool,
    /// The check that fails for a fault of its own.
    without: &'static str,
}

/// It says that the keys in its lists are encoded, and does not encode them.
const S3S: Emulated = Emulated {
    signatures: true,
    without: "a plus sign in a name is no space",
};
/// It answers a cursor that it does not know with status 500.
const MOTO: Emulated = Emulated {
    signatures: false,
    without: "a cursor of another store is refused, or is a page",
};

async fn tables(emulator: SocketAddr, outages: bool, report: &mut Report) {
    create(emulator, TABLE).await;
    contract(emulator, report).await;
    if outages {
        requests(emulator, report).await;
        stale(emulator, report).await;
        lost(emulator, report).await;
        down(emulator, report).await;
    }
}

/// The contract in a bucket and below a prefix, and what only buckets have.
async fn files(emulator: SocketAddr, which: &Emulated, report: &mut Report) {
    bucket::create(emulator, BUCKET).await;
    for url in [
        format!("s3://{BUCKET}"),
        format!("s3://{BUCKET}/a prefix/of=two"),
    ] {
        println!("{url}");
        let store = Arc::new(bucket::at(emulator, &url, bucket::SECRET));
        let files = Files {
            store,
            directories: false,
            exact: false,
        };
        for check in files::checks().filter(|check| check.name != which.without) {
            report.check(check.name, (check.run)(files.clone())).await;
        }
    }
    let prefixes = async move {
        let open =
            |prefix: &str| bucket::at(emulator, &format!("s3://{BUCKET}{prefix}"), bucket::SECRET);
        let (outer, inner) = (open("/outer"), open("/outer/inner"));
        let path = |text| BlobPath::parse(text).unwrap();
        outer
            .write(
                &path("a"),
                Bytes::from_static(b"outside"),
                &WriteCondition::Always,
            )
            .await
            .unwrap();
        inner
            .write(
                &path("b"),
                Bytes::from_static(b"inside"),
                &WriteCondition::Always,
            )
            .await
            .unwrap();
        assert_eq!(
            outer.read(&path("inner/b"), 0, 100).await.unwrap().bytes,
            "inside"
        );
        assert_eq!(inner.metadata(&path("a")).await, Err(BlobError::NotFound));
        let names = inner
            .list(&BlobPath::top(), "", None, 10)
            .await
            .unwrap()
            .entries;
        assert_eq!(
            names
                .into_iter()
                .map(|entry| entry.name)
                .collect::<Vec<_>>(),
            ["b"]
        );
    };
    report.check("a prefix is not left", prefixes).await;
    let nowhere = async move {
        let store = bucket::at(emulator, "s3://no-such-bucket", bucket::SECRET);
        let refused = store.list(&BlobPath::top(), "", None, 10).await;
        assert!(
            matches!(&refused, Err(BlobError::Unavailable(cause)) if cause.contains("NoSuchBucket")),
            "{refused:?}"
        );
    };
    report
        .check("a bucket that is not there is named in the cause", nowhere)
        .await;
    if which.signatures {
        let forged = async move {
            let path = BlobPath::parse("a").unwrap();
            let store = bucket::at(emulator, &format!("s3://{BUCKET}"), "hunter3");
            let refused = store
                .write(&path, Bytes::new(), &WriteCondition::Always)
                .await
                .unwrap_err();
            assert!(
                matches!(&refused, BlobError::Refused(cause) if cause.contains("SignatureDoesNotMatch")),
                "{refused}"
            );
            assert!(!refused.to_string().contains("hunter"), "{refused}");
            assert!(matches!(
                store.metadata(&path).await,
                Err(BlobError::Refused(_))
            ));
        };
        report
            .check("another secret is refused, and not shown", forged)
            .await;
    }
}

/// A store that waits.
fn patient(address: SocketAddr) -> dynamodb::Stores {
    dynamodb::Stores::new(Table {
        timeout: PATIENCE,
        ..at(address, TABLE)
    })
}

async fn contract(emulator: SocketAddr, report: &mut Report) {
    let stores = || Arc::new(patient(emulator));
    report.contract(stores(), stores(), "").await;
    report.letters(stores(), stores()).await;
    report.tasks(stores(), stores(), "").await;
    report.topics(stores(), stores()).await;
    let events = || Arc::new(WithoutQueue(stores()));
    report.kept_events(events(), events()).await;
}

/// What is asked of the table, and by how many connections.
async fn requests(emulator: SocketAddr, report: &mut Report) {
    let check = async move {
        let proxy = Proxy::start(emulator).await.unwrap();
        let stores = patient(proxy.address);
        assert_eq!(
            proxy.counts(),
            (0, 0),
            "nothing happens before the first use"
        );
        let rate = Rate::per_minute(50);
        for _ in 0..50 {
            assert_eq!(
                stores.admit("steady", rate, 1000).await,
                Ok(Admission::Admitted)
            );
        }
        assert_eq!(
            proxy.counts(),
            (1, 50),
            "one request a decision, all over one connection"
        );
        for _ in 0..50 {
            assert!(matches!(
                stores.admit("steady", rate, 1000).await,
                Ok(Admission::Refused { .. })
            ));
        }
        assert_eq!(
            proxy.counts(),
            (1, 50),
            "a bucket that is known to be empty is not asked for"
        );
        let newcomer = patient(proxy.address);
        assert!(matches!(
            newcomer.admit("steady", rate, 1000).await,
            Ok(Admission::Refused { .. })
        ));
        assert_eq!(
            proxy.counts(),
            (2, 51),
            "and one that is not known is, once"
        );
        assert_eq!(
            newcomer.admit("steady", rate, 2000 + 60_000).await,
            Ok(Admission::Admitted)
        );
        assert_eq!(
            stores.admit("steady", rate, 2000 + 60_000).await,
            Ok(Admission::Admitted)
        );
        assert_eq!(proxy.counts(), (2, 54), "a wrong guess costs one more");
    };
    report
        .check("a decision is one request over a kept connection", check)
        .await;
}

/// Connections that went stale while the environment was frozen.
async fn stale(emulator: SocketAddr, report: &mut Report) {
    for how in [Stale::Closed, Stale::ClosedByRequest] {
        let check = async move {
            let (proxy, stores) = warm(emulator, PATIENCE, Duration::from_secs(60)).await;
            proxy.stale(how);
            let start = Instant::now();
            stores.get("key", 0).await.unwrap();
            assert!(start.elapsed() < PATIENCE / 5, "{:?}", start.elapsed());
        };
        report
            .check(
                &format!("a kept connection that is {how:?} costs a new one and no waiting"),
                check,
            )
            .await;
    }
    let check = async move {
        let (proxy, stores) = warm(emulator, PATIENCE, Duration::from_millis(50)).await;
        proxy.stale(Stale::Silent);
        sleep(Duration::from_millis(60)).await;
        let start = Instant::now();
        stores.get("key", 0).await.unwrap();
        assert!(start.elapsed() < PATIENCE / 5, "{:?}", start.elapsed());
    };
    report
        .check(
            "a connection that was idle for long is not used again",
            check,
        )
        .await;
    let check = async move {
        let timeout = Duration::from_secs(2);
        let (proxy, stores) = warm(emulator, timeout, Duration::from_secs(60)).await;
        proxy.stale(Stale::Silent);
        let start = Instant::now();
        stores.get("key", 0).await.unwrap();
        let took = start.elapsed();
        assert!(took >= timeout * 3 / 5 && took < timeout, "{took:?}");
        let start = Instant::now();
        stores.get("key", 0).await.unwrap();
        assert!(start.elapsed() < timeout * 3 / 5, "{:?}", start.elapsed());
    };
    report
        .check(
            "a kept connection that fell silent costs one attempt, once",
            check,
        )
        .await;
}

async fn warm(
    emulator: SocketAddr,
    timeout: Duration,
    idle: Duration,
) -> (Proxy, dynamodb::Stores) {
    let proxy = Proxy::start(emulator).await.unwrap();
    let table = Table {
        timeout,
        idle,
        ..at(proxy.address, TABLE)
    };
    let stores = dynamodb::Stores::new(table);
    stores.get("key", 0).await.unwrap();
    (proxy, stores)
}

/// Answers that do not arrive although the table did what it was asked for.
async fn lost(emulator: SocketAddr, report: &mut Report) {
    let check = async move {
        let proxy = Proxy::start(emulator).await.unwrap();
        let stores = Arc::new(patient(proxy.address));
        let other = patient(emulator);
        proxy.set(Mode::Lost);
        let (holder, hold) = ([7; 16], |now_ms| Hold {
            now_ms,
            until_ms: now_ms + 1000,
            expires_ms: now_ms + 60_000,
        });
        let beginning = tokio::spawn({
            let stores = Arc::clone(&stores);
            async move { stores.begin("lost", &holder, hold(1000)).await }
        });
        while proxy.counts().1 == 0 && !beginning.is_finished() {
            tokio::task::yield_now().await;
        }
        proxy.set(Mode::Pass);
        // where the second request was lost, too, it is an error, and the hold is there
        if let Ok(begun) = beginning.await.unwrap() {
            assert_eq!(begun, IdempotencyStatus::Acquired, "it finds its own name");
        }
        assert_eq!(
            other.begin("lost", &[8; 16], hold(1999)).await,
            Ok(IdempotencyStatus::InProgress)
        );
        stores
            .complete("lost", &holder, Bytes::from_static(b"1"), 3000)
            .await
            .unwrap();
        assert_eq!(
            other.begin("lost", &[8; 16], hold(1000)).await,
            Ok(IdempotencyStatus::Completed(Bytes::from_static(b"1")))
        );
    };
    report
        .check("who begins and loses the answer is still the first", check)
        .await;
    let check = async move {
        let proxy = Proxy::start(emulator).await.unwrap();
        let stores = patient(proxy.address);
        let admit = || stores.admit("reset", Rate::per_minute(3), 1000);
        // the second attempt finds the name of the first, and its answer is lost, too
        proxy.set(Mode::Reset);
        assert!(admit().await.is_err());
        proxy.set(Mode::Pass);
        assert_eq!(admit().await, Ok(Admission::Admitted));
        // as well in a bucket that is not full
        proxy.set(Mode::Reset);
        assert!(admit().await.is_err());
        proxy.set(Mode::Pass);
        assert!(
            matches!(admit().await, Ok(Admission::Refused { .. })),
            "1 + 1 + 1 are 3"
        );
    };
    report
        .check("a decision whose answer is lost counts once", check)
        .await;
}

/// Every outage, its figures, and its end.
async fn down(emulator: SocketAddr, report: &mut Report) {
    let all = outage::meet(emulator, TABLE).await;
    println!("\n{} (milliseconds)", Met::HEADING);
    for met in &all {
        println!("{}", met.row());
    }
    println!();
    sleep(PAUSE).await;
    for met in all {
        let name = met.name();
        report
            .check(
                &format!("{name}: bearable, and over when it is over"),
                async move {
                    met.check(SLACK);
                    met.recovers().await.unwrap();
                },
            )
            .await;
    }
}
