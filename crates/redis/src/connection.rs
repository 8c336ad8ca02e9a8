//! Making a connection: to one server, to all nodes of a cluster, or to the master that sentinels
//! name. How long it may take, and what is kept of it, is `link`'s.

#[cfg(feature = "cluster")]
mod group;
mod single;

use std::time::Duration;

use mcpfn_native::shared::RequestFailure;
use redis::aio::{ConnectionLike, MultiplexedConnection};
#[cfg(feature = "cluster")]
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, Pipeline, RedisFuture, Value};
use rustls::crypto::{CryptoProvider, ring};

#[cfg(feature = "cluster")]
use crate::failure;
use crate::server::RedisServer;
use crate::url::Topology;

/// What questions are sent over, by many at a time.
#[derive(Clone)]
pub(crate) enum RedisConnection {
    Single(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    /// One to each node. It finds out by itself which node has a key, and mends what breaks.
    Cluster(ClusterConnection),
}

impl RedisConnection {
    /// Whether what answered with an error may be asked again over the same connection.
    pub(crate) fn mends_itself(&self) -> bool {
        !matches!(self, Self::Single(_))
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// A connection, which may take as long as `limit`: the caller ends what takes longer.
pub(crate) async fn connect(
    server: &RedisServer,
    limit: Duration,
) -> Result<RedisConnection, RequestFailure> {
    if server.topology.has_tls() && CryptoProvider::get_default().is_none() {
        // another thread may have been faster, with the same
        let _ = ring::default_provider().install_default();
    }
    match &server.topology {
        Topology::Single(node) => single::connect(server, node)
            .await
            .map(RedisConnection::Single),
        #[cfg(feature = "cluster")]
        Topology::Cluster(nodes) => {
            let made = group::cluster(server, nodes, limit).await;
            made.map(RedisConnection::Cluster)
        }
        #[cfg(feature = "cluster")]
        Topology::Sentinel(sentinels) => {
            let master = group::master(server, sentinels).await;
            let made = master.map_err(|error| failure::of(&error))?;
            Ok(RedisConnection::Single(single::open(&made).await?))
        }
        #[cfg(not(feature = "cluster"))]
        Topology::Cluster(_) | Topology::Sentinel(_) => {
            // no URL of such a program gives them
            let _ = limit;
            Err(RequestFailure::Lasting("is no single server".to_owned()))
        }
    }
}
