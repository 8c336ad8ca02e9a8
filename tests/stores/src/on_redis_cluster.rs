//! The contract through a cluster, and calls while one of its masters is exchanged for another.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::port::{
    Dependency as _, Hold, IdempotencyStatus, IdempotencyStore as _, Rate, RateLimiter as _,
    ResultCache as _,
};
use mcpfn_redis::{RedisServer, RedisStores};
use tokio::time::sleep;

use crate::contract::Store;
use crate::cost;
use crate::redis_cluster::RedisCluster;
use crate::redis_program::{PASSWORD, RedisProgram};
use crate::report::Report;
use crate::service::PATIENCE;

/// What a question may take while a master is exchanged.
pub(crate) const LIMIT: Duration = Duration::from_millis(500);

/// What a busy machine may add to that.
pub(crate) const SLACK: Duration = Duration::from_millis(500);

/// How long it may take until calls go on: the pause of a circuit breaker twice, and the servers' own
/// choice of a master.
pub(crate) const EXCHANGE: Duration = Duration::from_secs(15);

const NOW: u64 = 1_795_168_800_000;

/// Keys enough that every node has some.
const KEYS: u64 = 30;

pub(crate) fn stores(url: &str, limit: Duration) -> Arc<RedisStores> {
    let mut server = RedisServer::parse(url).expect("the tests write URLs");
    server.timeout = limit;
    Arc::new(RedisStores::new(server))
}

/// Asks all of it. Servers write into `folder` what they learn; `certificates` has those of the
/// tests.
pub async fn check(program: &Path, folder: &Path, certificates: &Path, report: &mut Report) {
    encrypted(program, folder, certificates, report).await;
    let mut cluster = RedisCluster::start(program, folder, None).await;
    let url = format!("redis+cluster://{}", cluster.hosts());
    let view = || stores(&url, PATIENCE);
    report.contract(view(), view(), ", in a cluster").await;
    report.letters(view(), view()).await;
    report.events(view(), view()).await;
    let costs: Arc<dyn Store> = view();
    let said = "what a question to a cluster costs is printed";
    let print = async move { cost::print(&costs).await.unwrap() };
    report.check(said, print).await;
    wrong(program, &cluster, report).await;

    let asking = stores(&url, LIMIT);
    let before = hold_all(&asking).await;
    cluster.hand_over().await;
    let handed_over = Arc::clone(&asking);
    report
        .check(
            "slots that moved to another node cost no call",
            async move {
                for key in 0..KEYS {
                    let key = key.to_string();
                    handed_over
                        .admit(&key, Rate::per_minute(9), NOW)
                        .await
                        .unwrap();
                }
                handed_over.check().await.unwrap();
            },
        )
        .await;
    cluster.kill_master().await;
    report
        .check(
            "a master that ends is exchanged: calls go on, and nothing is forgotten",
            exchanged(asking, before),
        )
        .await;
    drop(cluster);
}

/// TLS, also to nodes that the URL does not name, and a user who may do what stores need and nothing
/// else.
async fn encrypted(program: &Path, folder: &Path, certificates: &Path, report: &mut Report) {
    let cluster = RedisCluster::start(program, folder, Some(certificates)).await;
    let view = || {
        let (hosts, roots) = (cluster.hosts(), certificates.join("ca.pem"));
        let roots = roots.display();
        let url = format!("rediss+cluster://shop:{PASSWORD}@{hosts}?ssl_ca_certs={roots}");
        let mut server = RedisServer::parse(&url).expect("the tests write URLs");
        (server.prefix, server.timeout) = ("shop:".to_owned(), PATIENCE);
        Arc::new(RedisStores::new(server))
    };
    let how = ", in a cluster over TLS, as a user with few rights";
    report.contract(view(), view(), how).await;
    let ready = view();
    report
        .check("a cluster is asked whether it is ready", async move {
            ready.check().await.unwrap();
        })
        .await;
}

/// Writes that are held, on every node.
async fn hold_all(stores: &RedisStores) -> Hold {
    let hold = Hold {
        now_ms: NOW,
        until_ms: NOW + 60_000,
        expires_ms: NOW + 120_000,
    };
    for key in 0..KEYS {
        let begun = stores.begin(&key.to_string(), &[1; 16], hold).await;
        assert_eq!(begun, Ok(IdempotencyStatus::Acquired));
    }
    hold
}

/// Asks for every key until all are answered again, and each within its limit.
pub(crate) async fn exchanged(stores: Arc<RedisStores>, hold: Hold) {
    let start = Instant::now();
    let (mut calls, mut failed, mut longest) = (0, 0, Duration::ZERO);
    loop {
        let mut all = true;
        for key in 0..KEYS {
            let asked = Instant::now();
            let begun = stores.begin(&key.to_string(), &[2; 16], hold).await;
            longest = longest.max(asked.elapsed());
            calls += 1;
            match begun {
                Ok(begun) => assert_eq!(begun, IdempotencyStatus::InProgress),
                Err(_) => {
                    failed += 1;
                    all = false;
                }
            }
        }
        if all {
            break;
        }
        assert!(start.elapsed() < EXCHANGE, "{calls} calls, {failed} failed");
        sleep(Duration::from_millis(20)).await;
    }
    println!(
        "a master was exchanged within {} ms: {failed} of {calls} calls failed, the longest took {} ms",
        start.elapsed().as_millis(),
        longest.as_millis()
    );
    assert!(longest < LIMIT + SLACK, "{longest:?}");
}

/// URLs that call a server what it is not.
async fn wrong(program: &Path, cluster: &RedisCluster, report: &mut Report) {
    let alone = RedisProgram::start(program, &[]).await;
    let (address, node) = (alone.address, cluster.nodes[1].address);
    for (name, url, says) in [
        (
            "a server that is no cluster is said to be none",
            format!("redis+cluster://{address}"),
            "is no cluster",
        ),
        (
            "a node of a cluster is said to be one",
            format!("redis://{node}"),
            "is a node of a cluster",
        ),
        (
            "a cluster that is away is said to be",
            "redis+cluster://127.0.0.1:1,127.0.0.1:2".to_owned(),
            "can't be reached: Connection refused",
        ),
        (
            "a password that a node does not want is named and not shown",
            format!("redis+cluster://:hunter2@{node}"),
            "refuses the user or password",
        ),
    ] {
        let stores = stores(&url, PATIENCE);
        let check = async move {
            let mut said = String::new();
            // one of them belongs to another node
            for key in 0..KEYS {
                let put = stores.put(&key.to_string(), Bytes::new(), NOW + 1000).await;
                if let Err(error) = put {
                    said = error.to_string();
                    break;
                }
            }
            assert!(said.contains(says), "{said}");
            assert!(!said.contains("hunter"), "{said}");
        };
        report.check(name, check).await;
    }
}
