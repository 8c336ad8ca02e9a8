//! Servers that belong together: the nodes of a cluster, and the master that sentinels name.

use std::time::Duration;

use mcpfn_native::shared::RequestFailure;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult, TlsMode};
use tokio::task::JoinSet;

use super::single;
use crate::failure;
use crate::server::RedisServer;
use crate::url::SentinelGroup;

/// How often a node of a cluster is asked again: after it named another one, or while a key moves.
const RETRIES: u32 = 4;

/// Milliseconds between two of these, at most.
const RETRY_WAIT: u64 = 100;

pub(super) async fn cluster(
    server: &RedisServer,
    nodes: &[ConnectionInfo],
    limit: Duration,
) -> Result<ClusterConnection, RequestFailure> {
    let mut builder = ClusterClientBuilder::new(nodes.iter().cloned())
        // twice within the limit: to the nodes of the URL, then to those that they name
        .connection_timeout(limit / 3)
        // what a node that fell silent holds up inside
        .response_timeout(server.timeout * 3 / 5)
        // the limit of all is that of the question
        .overall_response_timeout(None)
        .retries(RETRIES)
        .min_retry_wait(1)
        .max_retry_wait(RETRY_WAIT);
    if let Some(node) = nodes.first() {
        builder = builder.tcp_settings(node.tcp_settings().clone());
    }
    if let Some(certificates) = server.certificates() {
        builder = builder.certs(certificates);
    }
    let client = builder.build().map_err(|error| failure::of(&error))?;
    match client.get_async_connection().await {
        Ok(connection) => Ok(connection),
        // it answered, and knows of no cluster
        Err(error) if error.code() == Some("ERR") => Err(RequestFailure::Lasting(
            "is no cluster: begin MCPFN_REDIS_URL with redis://, or rediss:// with TLS".to_owned(),
        )),
        // the library has put the causes into one text; one node says by itself what is wrong
        Err(error) => {
            let mut why = failure::of(&error);
            for node in nodes {
                why = match single::connect(server, node).await {
                    Ok(_) => continue,
                    Err(why) => why,
                };
            }
            Err(why)
        }
    }
}

/// A client of the master, by whichever sentinel says first where it is. The library would wait for
/// them in order, and so for one whose machine went down with the last master.
pub(super) async fn master(server: &RedisServer, group: &SentinelGroup) -> RedisResult<Client> {
    let mut asked = JoinSet::new();
    for node in &group.nodes {
        let mut sentinel = sentinel(server, group, node)?;
        asked.spawn(async move { sentinel.async_get_client().await });
    }
    let mut why: Option<RedisError> = None;
    while let Some(said) = asked.join_next().await {
        match said {
            Ok(Ok(client)) => return Ok(client),
            // one that can't be reached says less than one that answered
            Ok(Err(error)) if why.is_none() || !error.is_io_error() => why = Some(error),
            _ => {}
        }
    }
    Err(why.unwrap_or_else(|| (ErrorKind::EmptySentinelList, "no sentinel").into()))
}

fn sentinel(
    server: &RedisServer,
    group: &SentinelGroup,
    node: &ConnectionInfo,
) -> RedisResult<SentinelClient> {
    let (place, login) = (node.addr().clone(), node.redis_settings());
    let has_tls = matches!(place, ConnectionAddr::TcpTls { .. });
    let kind = SentinelServerType::Master;
    let mut builder = SentinelClientBuilder::new([place], &group.master, kind)?
        .set_client_to_redis_db(login.db())
        .set_client_to_redis_tcp_settings(node.tcp_settings().clone())
        .set_client_to_sentinel_tcp_settings(node.tcp_settings().clone());
    if has_tls {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    if let Some(username) = login.username() {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = login.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(username) = &group.username {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = &group.password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if let Some(certificates) = server.certificates() {
        builder = builder
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    builder.build()
}
