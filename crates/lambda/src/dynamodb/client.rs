//! One request to the table: its limits, its one retry, and the breaker in front. What is asked is
//! the stores' business.

use std::fmt;
use std::sync::OnceLock;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
};
use mcpfn_core::port::StoreError;
use tokio::time::{Instant, timeout};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::attributes::AttributeMap;
use super::breaker::{Breaker, Closed};
use super::connector::Connector;
use super::failure::Failure;
use super::table::Table;

pub(super) struct TableClient {
    table: Table,
    /// Made on first use.
    dynamodb: OnceLock<DynamoDb>,
    breaker: Breaker,
}

impl TableClient {
    pub(super) fn new(table: Table) -> Self {
        Self {
            table,
            dynamodb: OnceLock::new(),
            breaker: Breaker::new(),
        }
    }

    /// Asks, and once more where that may help. The inner `Err` is no failure: a condition did not
    /// hold, and here is what there is.
    pub(super) async fn ask<T, F>(
        &self,
        send: impl Fn(&DynamoDb, &str) -> F,
    ) -> Result<Result<T, AttributeMap>, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pass = self
            .breaker
            .enter()
            .map_err(|closed| self.left_alone(&closed))?;
        let dynamodb = self.dynamodb.get_or_init(|| dynamodb(&self.table));
        let end = Instant::now() + self.table.timeout;
        let mut retried = false;
        loop {
            let left = end
                .saturating_duration_since(Instant::now())
                .min(self.table.attempt());
            // at its finest level the SDK logs whole requests, with the credentials in their heads
            let sending = send(dynamodb, &self.table.name).with_subscriber(Dispatch::none());
            let failure = match timeout(left, sending).await {
                Ok(Ok(answer)) => {
                    pass.succeeded();
                    return Ok(Ok(answer));
                }
                Ok(Err(Failure::Condition(item))) => {
                    pass.succeeded();
                    return Ok(Err(item));
                }
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Retried(format!(
                    "timed out after {} ms (MCPFN_DYNAMODB_TIMEOUT_MS)",
                    left.as_millis()
                )),
            };
            let again = pass.failed(failure.sentence(), matches!(failure, Failure::Lasting(_)));
            if !again || retried || !matches!(failure, Failure::Retried(_)) || end <= Instant::now()
            {
                return Err(self.error(failure.sentence()));
            }
            retried = true;
        }
    }

    /// A sentence about the table.
    pub(super) fn error(&self, sentence: impl fmt::Display) -> StoreError {
        StoreError::new(format_args!(
            "the DynamoDB table `{}` {sentence}",
            self.table.name
        ))
    }

    fn left_alone(&self, closed: &Closed) -> StoreError {
        self.error(format_args!(
            "is not asked for another {} ms, because it {}",
            closed.wait.as_millis(),
            closed.cause
        ))
    }
}

impl fmt::Debug for TableClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableClient")
            .field("table", &self.table)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

/// The SDK with everything of its own switched off that waits: limits and retries are above, where
/// one reads them.
fn dynamodb(table: &Table) -> DynamoDb {
    let keys = &table.keys;
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(table.region.clone()))
        .credentials_provider(Credentials::new(
            &keys.id,
            &keys.secret,
            keys.session.clone(),
            None,
            "environment",
        ))
        // they are here already, and a cache would want a timer
        .identity_cache(IdentityCache::no_cache())
        .http_client(Connector::new(table.connect(), table.idle))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    config.set_endpoint_url(table.endpoint.clone());
    DynamoDb::from_conf(config.build())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use mcpfn_aws::AccessKeys;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn table(endpoint: &str) -> Table {
        Table {
            name: "mcpfn".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: Some(endpoint.to_owned()),
            keys: AccessKeys {
                id: "hunter1".to_owned(),
                secret: "hunter2".to_owned(),
                session: Some("hunter3".to_owned()),
            },
            timeout: Duration::from_secs(5),
            idle: Duration::from_secs(5),
        }
    }

    async fn error(client: &TableClient) -> String {
        let asked = client.ask(|dynamodb, table| {
            let request = dynamodb.describe_table().table_name(table);
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| Failure::of(error, |_| None))
            }
        });
        asked.await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn no_log_level_shows_credentials() {
        let written = Written::default();
        let lines = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || lines.clone())
            .finish();
        let _default = tracing::subscriber::set_default(subscriber);
        tracing::trace!("logs are read");
        error(&TableClient::new(table("http://127.0.0.1:1"))).await;
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(written.contains("logs are read"));
        assert!(!written.contains("hunter"), "{written}");
    }

    #[tokio::test]
    async fn an_endpoint_that_is_none_is_an_error_and_no_panic() {
        let client = TableClient::new(table("not an address"));
        let error = error(&client).await;
        assert!(error.contains("can't be reached"), "{error}");
    }
}
