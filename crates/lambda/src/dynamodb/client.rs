//! One request to the table: its limits, its one retry, and the breaker in front. What is asked is the stores' business.

use std::fmt;
use std::sync::OnceLock;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, IdentityCache, Region, StalledStreamProtectionConfig};
use mcpfn_core::StoreError;
use tokio::time::{Instant, timeout};

use super::attributes::Item;
use super::breaker::{Breaker, Closed};
use super::connector::Connector;
use super::failure::Failure;
use super::table::Table;

pub(super) struct Client {
    table: Table,
    /// Made on first use.
    dynamodb: OnceLock<DynamoDb>,
    breaker: Breaker,
}

impl Client {
    pub(super) fn new(table: Table) -> Self {
        Self { table, dynamodb: OnceLock::new(), breaker: Breaker::new() }
    }

    /// Asks, and once more where that may help. The inner `Err` is no failure: a condition did not hold, and here is what there is.
    pub(super) async fn ask<T, F>(&self, send: impl Fn(&DynamoDb, &str) -> F) -> Result<Result<T, Item>, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pass = self.breaker.enter().map_err(|closed| self.left_alone(&closed))?;
        let dynamodb = self.dynamodb.get_or_init(|| dynamodb(&self.table));
        let end = Instant::now() + self.table.timeout;
        let mut retried = false;
        loop {
            let left = end.saturating_duration_since(Instant::now()).min(self.table.attempt());
            let failure = match timeout(left, send(dynamodb, &self.table.name)).await {
                Ok(Ok(answer)) => {
                    pass.succeeded();
                    return Ok(Ok(answer));
                }
                Ok(Err(Failure::Condition(item))) => {
                    pass.succeeded();
                    return Ok(Err(item));
                }
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Retried(format!("gave no answer in {} ms (MCPFN_TABLE_TIMEOUT)", left.as_millis())),
            };
            let again = pass.failed(failure.sentence(), matches!(failure, Failure::Lasting(_)));
            if !again || retried || !matches!(failure, Failure::Retried(_)) || end <= Instant::now() {
                return Err(self.error(failure.sentence()));
            }
            retried = true;
        }
    }

    /// A sentence about the table.
    pub(super) fn error(&self, sentence: impl fmt::Display) -> StoreError {
        StoreError::new(format_args!("the DynamoDB table `{}` {sentence}", self.table.name))
    }

    fn left_alone(&self, closed: &Closed) -> StoreError {
        self.error(format_args!("is not asked for another {} ms, because it {}", closed.wait.as_millis(), closed.cause))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("table", &self.table).field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

/// The SDK with everything of its own switched off that waits: limits and retries are above, where one reads them.
fn dynamodb(table: &Table) -> DynamoDb {
    let keys = &table.keys;
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(table.region.clone()))
        .credentials_provider(Credentials::new(&keys.id, &keys.secret, keys.session.clone(), None, "environment"))
        // they are here already, and a cache would want a timer
        .identity_cache(IdentityCache::no_cache())
        .http_client(Connector::new(table.connect(), table.idle))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    config.set_endpoint_url(table.endpoint.clone());
    DynamoDb::from_conf(config.build())
}
