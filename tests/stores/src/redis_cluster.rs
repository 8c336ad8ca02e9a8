//! A cluster of a test's own: three masters and a replica of the first, made with the commands that
//! the servers have for it.

use std::path::Path;
use std::time::Duration;

use redis::FromRedisValue;
use redis::aio::MultiplexedConnection;
use tokio::time::sleep;

use crate::redis_program::RedisProgram;

const MASTERS: usize = 3;
const SLOTS: usize = 16_384;

/// A cluster; it ends when dropped.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters, and then the replica. In one with TLS, its port is the next of each.
    pub nodes: Vec<RedisProgram>,
    has_tls: bool,
}

impl RedisCluster {
    /// Starts it; its nodes write what they learn into this folder. With TLS, the nodes
    /// speak it to their replicas, too.
    pub async fn start(program: &Path, folder: &Path, certificates: Option<&Path>) -> Self {
        let folder = folder.display().to_string();
        let mut options = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "500"];
        options.extend([
            "--cluster-config-file",
            "nodes-{port}.conf",
            "--dir",
            &folder,
        ]);
        options.extend(["--repl-diskless-sync-delay", "0"]);
        let file = |name| certificates.map(|folder| folder.join(name).display().to_string());
        let files = (file("server.pem"), file("server.key"), file("ca.pem"));
        if let (Some(certificate), Some(key), Some(roots)) = &files {
            options.extend(["--tls-port", "{next}", "--tls-auth-clients", "no"]);
            options.extend([
                "--cluster-announce-port",
                "{next}",
                "--tls-replication",
                "yes",
            ]);
            options.extend(["--tls-cert-file", certificate, "--tls-key-file", key]);
            options.extend([
                "--tls-ca-cert-file",
                roots,
                "--user",
                "shop",
                "on",
                ">hunter2",
            ]);
            options.extend([
                "~shop:*", "+get", "+set", "+del", "+hmget", "+hget", "+hset",
            ]);
            options.extend(["+hdel", "+pexpire", "+evalsha", "+script|load", "+ping"]);
            options.extend(["+cluster|slots"]);
        }
        let mut nodes = Vec::new();
        for _ in 0..=MASTERS {
            nodes.push(RedisProgram::start(program, &options).await);
        }
        let has_tls = certificates.is_some();
        let cluster = Self { nodes, has_tls };
        cluster.meet().await;
        cluster
    }

    /// Two of the masters, as in a URL.
    #[must_use]
    pub fn hosts(&self) -> String {
        let next = u16::from(self.has_tls);
        let host = |node: &RedisProgram| {
            let address = node.address;
            format!("{}:{}", address.ip(), address.port() + next)
        };
        format!("{},{}", host(&self.nodes[1]), host(&self.nodes[2]))
    }

    async fn meet(&self) {
        let first = self.nodes[0].address;
        let (host, port) = (first.ip(), first.port());
        let (host, port) = (host.to_string(), port.to_string());
        for (number, node) in self.nodes.iter().enumerate() {
            let mut admin = node.admin().await;
            let epoch = (number + 1).to_string();
            let _: () = ask(&mut admin, &["SET-CONFIG-EPOCH", &epoch]).await;
            if number > 0 {
                let _: () = ask(&mut admin, &["MEET", &host, &port]).await;
            }
            if number < MASTERS {
                let slots = SLOTS * number / MASTERS..SLOTS * (number + 1) / MASTERS;
                let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
                let mut words = vec!["ADDSLOTS"];
                words.extend(slots.iter().map(String::as_str));
                let _: () = ask(&mut admin, &words).await;
            }
        }
        let name: String = ask(&mut self.nodes[0].admin().await, &["MYID"]).await;
        let mut replica = self.nodes[MASTERS].admin().await;
        // it has to have heard of its master
        for _ in 0..500 {
            let mut replicate = redis::cmd("CLUSTER");
            replicate.arg("REPLICATE").arg(&name);
            if replicate.query_async::<()>(&mut replica).await.is_ok() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        for node in &self.nodes {
            let mut admin = node.admin().await;
            until("all nodes know each other", async || {
                let info: String = ask(&mut admin, &["INFO"]).await;
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
            })
            .await;
        }
        self.replicated().await;
    }

    /// Until the replica has a copy of its master.
    async fn replicated(&self) {
        let mut replica = self.nodes[MASTERS].admin().await;
        until("the replica has its master's data", async || {
            let mut info = redis::cmd("INFO");
            let info: String = info
                .arg("replication")
                .query_async(&mut replica)
                .await
                .unwrap();
            info.contains("master_link_status:up")
        })
        .await;
    }

    /// Makes the replica the master, as for maintenance, and the first node its replica.
    pub async fn hand_over(&self) {
        let mut replica = self.nodes[MASTERS].admin().await;
        let _: () = ask(&mut replica, &["FAILOVER"]).await;
        let mut first = self.nodes[0].admin().await;
        until("the first node is a replica", async || {
            let nodes: String = ask(&mut first, &["NODES"]).await;
            nodes.contains("myself,slave")
        })
        .await;
        until("it has its master's data", async || {
            let mut info = redis::cmd("INFO");
            let info: String = info
                .arg("replication")
                .query_async(&mut first)
                .await
                .unwrap();
            info.contains("master_link_status:up")
        })
        .await;
    }

    /// Ends the node that [`Self::hand_over`] made the master.
    pub async fn kill_master(&mut self) {
        self.nodes[MASTERS].kill().await;
    }
}

async fn ask<T: FromRedisValue>(connection: &mut MultiplexedConnection, words: &[&str]) -> T {
    let mut command = redis::cmd("CLUSTER");
    command.arg(words);
    command
        .query_async(connection)
        .await
        .expect("it is a cluster")
}

/// Asks until it is so, for ten seconds.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("not within 10 s: {what}");
}
