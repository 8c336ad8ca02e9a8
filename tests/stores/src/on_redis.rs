//! The contract against Redis servers that this program starts, and what happens when there is
//! something wrong with one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::port::{
    Admission, Hold, IdempotencyStatus, IdempotencyStore as _, Rate, RateLimiter as _,
    ResultCache as _, TaskStore,
};
use mcpfn_redis::{RedisServer, RedisStores};
use tokio::time::sleep;

use crate::contract::Store;
use crate::cost;
use crate::redis_program::{PASSWORD, RedisProgram};
use crate::report::Report;
use crate::service::{self, PATIENCE, Service};
use crate::service_outage;

/// The breaker's pause, and a little.
const PAUSE: Duration = Duration::from_millis(5200);

const NOW: u64 = 1_795_168_800_000;

fn stores(url: &str, limit: Duration) -> RedisStores {
    let mut server = RedisServer::parse(url).expect("the tests write URLs");
    server.timeout = limit;
    RedisStores::new(server)
}

fn at(address: SocketAddr, limit: Duration) -> Arc<dyn Store> {
    Arc::new(stores(&format!("redis://{address}"), limit))
}

fn tasks_at(address: SocketAddr, limit: Duration) -> Arc<dyn TaskStore> {
    Arc::new(stores(&format!("redis://{address}"), limit))
}

/// Asks all of it. `folder` has the certificates of the tests.
pub async fn check(program: &Path, folder: &Path, report: &mut Report) {
    let server = RedisProgram::start(program, &[]).await;
    let service = Service {
        address: server.address,
        stores: at,
        tasks: tasks_at,
        connections: 1,
        limit: Duration::from_millis(250),
    };
    report
        .contract(service.direct(), service.direct(), "")
        .await;
    let own = || Arc::new(stores(&format!("redis://{}", server.address), PATIENCE));
    report.letters(own(), own()).await;
    report.topics(own(), own()).await;
    report.tasks(own(), own(), "").await;
    report.events(own(), own()).await;
    report
        .check("every key has the prefix, and expires", keys(&server).await)
        .await;
    report
        .check("a server that forgot the scripts is told them", {
            let (mut admin, stores) = (server.admin().await, service.direct());
            async move {
                for _ in 0..2 {
                    let rate = Rate::per_minute(9);
                    stores.admit("scripts", rate, NOW).await.unwrap();
                    let mut flush = redis::cmd("SCRIPT");
                    flush.arg("FLUSH");
                    flush.query_async::<()>(&mut admin).await.unwrap();
                }
            }
        })
        .await;
    service::connections(&service, report).await;
    let costs = service.direct();
    let said = "what a question costs is printed";
    let print = async move { cost::print(&costs).await.unwrap() };
    report.check(said, print).await;
    encrypted(program, folder, report).await;
    refusing(program, report).await;
    restarted(program, report).await;
    service_outage::meet(&service, &[PASSWORD], report).await;
}

/// After the contract.
async fn keys(server: &RedisProgram) -> impl Future<Output = ()> + Send + 'static {
    let mut admin = server.admin().await;
    async move {
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS")
            .arg("*")
            .query_async(&mut admin)
            .await
            .unwrap();
        assert!(keys.len() > 50, "the contract left {} keys", keys.len());
        for key in keys {
            let name = String::from_utf8(key).unwrap();
            assert!(name.starts_with("mcpfn:"), "{name}");
            let left: i64 = redis::cmd("PTTL")
                .arg(&name)
                .query_async(&mut admin)
                .await
                .unwrap();
            assert!(left > 0, "{name}: {left}");
        }
    }
}

/// TLS with a certificate authority of one's own, and a user who may do what stores need and
/// nothing else.
async fn encrypted(program: &Path, folder: &Path, report: &mut Report) {
    let file = |name: &str| folder.join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let password = format!(">{PASSWORD}");
    let mut options = vec![
        "--port",
        "0",
        "--tls-port",
        "{port}",
        "--tls-auth-clients",
        "no",
    ];
    options.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key]);
    options.extend([
        "--user", "default", "off", "--user", "shop", "on", &password,
    ]);
    options.extend([
        "~shop:*", "+get", "+set", "+del", "+hmget", "+hget", "+hset", "+hdel",
    ]);
    options.extend(["+pexpire", "+evalsha", "+script|load"]);
    let server = RedisProgram::start(program, &options).await;
    let url = |password: &str| {
        let (address, roots) = (server.address, file("ca.pem"));
        format!("rediss://shop:{password}@{address}/0?ssl_ca_certs={roots}")
    };
    let with = |url: &str| {
        let mut server = RedisServer::parse(url).expect("the tests write URLs");
        (server.prefix, server.timeout) = ("shop:".to_owned(), PATIENCE);
        Arc::new(RedisStores::new(server))
    };
    let (one, other) = (with(&url(PASSWORD)), with(&url(PASSWORD)));
    let how = ", over TLS, as a user with few rights";
    report.contract(one.clone(), other.clone(), how).await;
    report.tasks(one, other, how).await;
    let public = format!("rediss://shop:{PASSWORD}@{}", server.address);
    for (name, url, says) in [
        (
            "a certificate that nobody trusts is refused",
            public,
            "certificate",
        ),
        (
            "a wrong password is refused, named and not shown",
            url("hunter3"),
            "refuses the user or password of MCPFN_REDIS_URL",
        ),
    ] {
        let stores = with(&url);
        let check = async move {
            let error = stores.get("key", NOW).await.unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("hunter"), "{error}");
        };
        report.check(name, check).await;
    }
}

/// A server that answers, and does not do what it is asked for.
async fn refusing(program: &Path, report: &mut Report) {
    let cases: [(&str, &[&str], &str, &str); 4] = [
        (
            "a full memory",
            &["--maxmemory", "1", "--maxmemory-policy", "noeviction"],
            "",
            "has no memory left",
        ),
        (
            "a replica",
            &[
                "--replicaof",
                "127.0.0.1 1",
                "--replica-serve-stale-data",
                "yes",
            ],
            "",
            "is a replica",
        ),
        (
            "a missing password",
            &["--requirepass", PASSWORD],
            "",
            "refuses the user or password",
        ),
        (
            "a missing right",
            &["--user", "shop", "on", ">hunter2", "~other:*", "+@all"],
            "shop:hunter2@",
            "MCPFN_REDIS_PREFIX",
        ),
    ];
    for (name, options, who, says) in cases {
        let server = RedisProgram::start(program, options).await;
        let stores = stores(&format!("redis://{who}{}", server.address), PATIENCE);
        let check = async move {
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
            drop(server);
        };
        report
            .check(&format!("{name} is said to be one"), check)
            .await;
    }
}

/// Ended and started again, while instances go on asking.
async fn restarted(program: &Path, report: &mut Report) {
    let program: PathBuf = program.to_owned();
    let check = async move {
        let mut server = RedisProgram::start(&program, &[]).await;
        let stores = stores(
            &format!("redis://{}", server.address),
            Duration::from_secs(2),
        );
        let rate = Rate::per_minute(1000);
        stores.admit("restart", rate, NOW).await.unwrap();
        // while nobody asks: no call notices
        server.again().await;
        assert_eq!(
            stores.admit("restart", rate, NOW).await,
            Ok(Admission::Admitted)
        );
        // while it is away: calls fail fast, and go on when it is back
        server.kill().await;
        let start = Instant::now();
        for _ in 0..20 {
            let refused = stores.admit("restart", rate, NOW).await.unwrap_err();
            assert!(
                refused.to_string().contains("can't be reached"),
                "{refused}"
            );
        }
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
        server.again().await;
        sleep(PAUSE).await;
        assert_eq!(
            stores.admit("restart", rate, NOW).await,
            Ok(Admission::Admitted)
        );
        // the end of a write is sent whatever the breaker says
        let hold = Hold {
            now_ms: NOW,
            until_ms: NOW + 1000,
            expires_ms: NOW + 60_000,
        };
        let begun = stores.begin("write", &[1; 16], hold).await;
        assert_eq!(begun, Ok(IdempotencyStatus::Acquired));
        server.kill().await;
        for key in ["a", "b", "c", "d"] {
            stores.begin(key, &[2; 16], hold).await.unwrap_err();
        }
        server.again().await;
        let result = Bytes::from_static(b"1");
        let kept = stores.complete("write", &[1; 16], result, NOW + 60_000);
        kept.await.unwrap();
    };
    report
        .check("a server that is started again is asked again", check)
        .await;
}
