//! The contract on the master that a sentinel names, also where all of them speak TLS alone with
//! stores and with each other, and calls while the sentinel makes its replica the master.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mcpfn_core::port::{Hold, IdempotencyStatus, IdempotencyStore as _, ResultCache as _};

use crate::on_redis_cluster::{LIMIT, exchanged, stores};
use crate::pipe::{Flow, Pipe};
use crate::redis_cluster::until;
use crate::redis_program::{PASSWORD, RedisProgram};
use crate::report::Report;
use crate::service::PATIENCE;

const NOW: u64 = 1_795_168_800_000;

/// What the sentinel is asked as.
const SENTINEL_PASSWORD: &str = "hunter3";

/// Asks all of it. The sentinel writes into `folder` what it learns; `certificates` has those of the
/// tests.
pub async fn check(program: &Path, folder: &Path, certificates: &Path, report: &mut Report) {
    encrypted(program, folder, certificates, report).await;
    let group = Group::start(program, folder, None).await;
    let url = group.url(&group.sentinel.address.to_string(), "shop");
    let view = || stores(&url, PATIENCE);
    report.contract(view(), view(), ", behind a sentinel").await;
    report.letters(view(), view()).await;
    wrong(&group, report).await;

    // the first sentinel is on a machine that is gone
    let gone = Pipe::start(group.sentinel.address)
        .await
        .expect("a port is free");
    gone.set(Flow::Silent);
    let both = format!("{},{}", gone.address, group.sentinel.address);
    let asking = stores(&group.url(&both, "shop"), LIMIT);
    let hold = Hold {
        now_ms: NOW,
        until_ms: NOW + 60_000,
        expires_ms: NOW + 120_000,
    };
    let held = Arc::clone(&asking);
    report
        .check("a sentinel that is silent costs no call", async move {
            let start = Instant::now();
            for key in 0..30 {
                let begun = held.begin(&key.to_string(), &[1; 16], hold).await;
                assert_eq!(begun, Ok(IdempotencyStatus::Acquired));
            }
            assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
        })
        .await;
    let Group {
        mut master,
        _replica,
        ..
    } = group;
    master.kill().await;
    report
        .check(
            "a master that ends is exchanged by its sentinel: calls go on, and nothing is forgotten",
            exchanged(asking, hold),
        )
        .await;
}

/// The sentinel names a master whose port is one for TLS; a store that does not know who signed the
/// certificates is told nothing.
async fn encrypted(program: &Path, folder: &Path, certificates: &Path, report: &mut Report) {
    let group = Group::start(program, folder, Some(certificates)).await;
    let sentinel = next(&group.sentinel).to_string();
    let url = group.url(&sentinel, "shop").replace("redis+", "rediss+");
    let roots = certificates.join("ca.pem").display().to_string();
    let known = format!("{url}&ssl_ca_certs={roots}");
    let view = || stores(&known, PATIENCE);
    let how = ", behind a sentinel, over TLS";
    report.contract(view(), view(), how).await;
    report.letters(view(), view()).await;
    for (name, url) in [
        (
            "a sentinel whose certificate nobody knows is not asked",
            url,
        ),
        (
            "a sentinel that speaks no TLS is not asked without it",
            known.replace(&sentinel, &group.sentinel.address.to_string()),
        ),
    ] {
        let stores = stores(&url, Duration::from_secs(5));
        let check = async move {
            let put = stores.put("key", Bytes::new(), NOW + 1000).await;
            let said = put.unwrap_err().to_string();
            assert!(!said.contains("hunter"), "{said}");
        };
        report.check(name, check).await;
    }
}

/// Where a server speaks TLS.
fn next(server: &RedisProgram) -> SocketAddr {
    (server.address.ip(), server.address.port() + 1).into()
}

struct Group {
    master: RedisProgram,
    _replica: RedisProgram,
    sentinel: RedisProgram,
}

impl Group {
    async fn start(program: &Path, folder: &Path, certificates: Option<&Path>) -> Self {
        let login = ["--requirepass", PASSWORD, "--masterauth", PASSWORD];
        let mut options = login.to_vec();
        let place = folder.display().to_string();
        options.extend(["--repl-diskless-sync-delay", "0", "--dir", &place]);
        // what a replica needs of its master is the default user's
        options.extend([
            "--user", "shop", "on", ">hunter2", "~*", "+get", "+set", "+del",
        ]);
        options.extend(["+hmget", "+hget", "+hset", "+hdel", "+pexpire", "+evalsha"]);
        options.extend(["+script|load", "+ping", "+role"]);
        let tls = certificates.map(tls);
        for (name, value) in tls.iter().flatten() {
            options.extend([&**name, &**value]);
        }
        let master = RedisProgram::start(program, &options).await;
        let port = match certificates {
            Some(_) => next(&master).port(),
            None => master.address.port(),
        };
        let place = format!("127.0.0.1 {port}");
        options.extend(["--replicaof", &place]);
        let replica = RedisProgram::start(program, &options).await;
        let lines = format!(
            "requirepass {SENTINEL_PASSWORD}\nsentinel monitor shop {place} 1\n\
             sentinel auth-pass shop {PASSWORD}\nsentinel down-after-milliseconds shop 500\n\
             sentinel failover-timeout shop 2000"
        );
        let tls = tls.iter().flatten();
        let tls = tls.map(|(name, value)| format!("\n{} {value}", name.trim_start_matches('-')));
        let lines = lines + &tls.collect::<String>();
        let sentinel = RedisProgram::sentinel(program, folder, &lines).await;
        let url = format!("redis://:{SENTINEL_PASSWORD}@{}", sentinel.address);
        let client = redis::Client::open(url).expect("an address is a URL");
        let admin = client.get_multiplexed_async_connection().await;
        let mut admin = admin.expect("the sentinel listens");
        until("the sentinel knows the replica", async || {
            let mut replicas = redis::cmd("SENTINEL");
            replicas.arg(&["REPLICAS", "shop"]);
            let known: Vec<redis::Value> = replicas.query_async(&mut admin).await.unwrap();
            // as one whose copy is whole
            format!("{known:?}").contains(r#"bulk-string('"ok"')"#)
        })
        .await;
        Self {
            master,
            _replica: replica,
            sentinel,
        }
    }

    fn url(&self, sentinels: &str, master: &str) -> String {
        format!(
            "redis+sentinel://shop:{PASSWORD}@{sentinels}/{master}/0?\
             sentinel_password={SENTINEL_PASSWORD}"
        )
    }
}

/// What makes a server speak TLS at its next port, and with other servers.
fn tls(certificates: &Path) -> Vec<(String, String)> {
    let file = |name| certificates.join(name).display().to_string();
    let options = [
        ("--tls-port", "{next}".to_owned()),
        ("--tls-replication", "yes".to_owned()),
        ("--tls-auth-clients", "no".to_owned()),
        ("--tls-cert-file", file("server.pem")),
        ("--tls-key-file", file("server.key")),
        ("--tls-ca-cert-file", file("ca.pem")),
    ];
    options.map(|(name, value)| (name.to_owned(), value)).into()
}

/// URLs that say what is not so.
async fn wrong(group: &Group, report: &mut Report) {
    let (sentinel, master) = (group.sentinel.address, group.master.address);
    let nameless = group.url(&sentinel.to_string(), "other");
    let login = group
        .url(&sentinel.to_string(), "shop")
        .replace(PASSWORD, "hunter4");
    let no_login = format!("redis+sentinel://:{PASSWORD}@{sentinel}/shop");
    let none = format!("redis+sentinel://:{PASSWORD}@{master}/shop?sentinel_password={PASSWORD}");
    for (name, url, says) in [
        (
            "a name that no sentinel knows is said",
            nameless,
            "its sentinels know none",
        ),
        (
            "a wrong password of the master is named and not shown",
            login,
            "user or password",
        ),
        (
            "a missing password of the sentinel is named",
            no_login,
            "user or password",
        ),
        (
            "a server that is no sentinel is said to be none",
            none,
            "no sentinel",
        ),
    ] {
        let stores = stores(&url, Duration::from_secs(5));
        let check = async move {
            let put = stores.put("key", Bytes::new(), NOW + 1000).await;
            let said = put.unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
            assert!(!said.contains("hunter"), "{said}");
        };
        report.check(name, check).await;
    }
}
