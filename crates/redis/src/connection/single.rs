//! One connection to one server.

use mcpfn_native::shared::RequestFailure;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo};

use crate::failure;
use crate::server::RedisServer;

/// Questions that may be on their way into a connection; more wait.
const QUEUE: usize = 1024;

pub(super) async fn connect(
    server: &RedisServer,
    node: &ConnectionInfo,
) -> Result<MultiplexedConnection, RequestFailure> {
    let client = match server.certificates() {
        Some(certificates) => Client::build_with_tls(node.clone(), certificates),
        None => Client::open(node.clone()),
    };
    open(&client.map_err(|error| failure::of(&error))?).await
}

pub(super) async fn open(client: &Client) -> Result<MultiplexedConnection, RequestFailure> {
    let config = AsyncConnectionConfig::new()
        // limits are those of the question
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUE);
    let made = client.get_multiplexed_async_connection_with_config(&config);
    made.await.map_err(|error| failure::of(&error))
}
