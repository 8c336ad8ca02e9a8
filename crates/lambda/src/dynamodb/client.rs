//! One request to the table: its limits, its one retry, and the breaker of the store that asks.
//! What is asked is the stores' business.

use std::fmt;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use mcpfn_core::port::StoreError;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::attributes::{AttributeMap, text};
use super::breaker::{Breaker, Closed};
use super::connector::Connector;
use super::failure::Failure;
use super::table::Table;

pub(super) struct TableClient {
    table: Table,
    /// Made on first use.
    dynamodb: OnceCell<DynamoDb>,
    /// In the place of connections of its own.
    http: Option<SharedHttpClient>,
}

/// A request without an answer of use.
#[derive(Debug)]
pub(super) struct Refusal {
    error: StoreError,
    /// The item's partition has no capacity left: it is this key that is hot, and nothing is wrong
    /// with the table.
    pub(super) throttled: bool,
}

impl Refusal {
    fn of(error: StoreError) -> Self {
        Self {
            error,
            throttled: false,
        }
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

impl TableClient {
    pub(super) fn new(table: Table) -> Self {
        Self {
            table,
            dynamodb: OnceCell::new(),
            http: None,
        }
    }

    /// Over this client in the place of connections of its own.
    pub(super) fn over(mut self, http: SharedHttpClient) -> Self {
        self.http = Some(http);
        self
    }

    /// An item of a kind, if it is there. The read is eventually consistent.
    pub(super) async fn read(
        &self,
        breaker: &Breaker,
        key: &str,
        kind: &str,
    ) -> Result<Option<AttributeMap>, Refusal> {
        let answer = self.ask(breaker, key, |dynamodb, table| {
            let request = dynamodb
                .get_item()
                .table_name(table)
                .key("pk", text(key))
                .key("sk", text(kind));
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| Failure::of(error, |_| None))
            }
        });
        // a read has no condition
        Ok(answer.await?.ok().and_then(|answer| answer.item))
    }

    /// Asks, and once more where that may help, unless the breaker of the store says that it is of
    /// no use. The inner `Err` is no failure: a condition did not hold, and here is what there is.
    pub(super) async fn ask<T, F>(
        &self,
        breaker: &Breaker,
        key: &str,
        send: impl Fn(&DynamoDb, &str) -> F,
    ) -> Result<Result<T, AttributeMap>, Refusal>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pass = breaker
            .enter(key)
            .map_err(|closed| Refusal::of(self.left_alone(&closed)))?;
        let answer = self
            .send(&send, |failure| {
                pass.failed(failure.sentence(), matches!(failure, Failure::Lasting(_)))
            })
            .await;
        if answer
            .as_ref()
            .err()
            .is_none_or(|refusal| refusal.throttled)
        {
            pass.succeeded();
        }
        answer
    }

    /// Asks whatever the breaker says: for what must not be left undone. It neither waits for the
    /// breaker nor counts for it.
    pub(super) async fn insist<T, F>(
        &self,
        send: impl Fn(&DynamoDb, &str) -> F,
    ) -> Result<Result<T, AttributeMap>, Refusal>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.send(&send, |_| true).await
    }

    /// One request, and a second one where that may help and `again` allows it.
    async fn send<T, F>(
        &self,
        send: &impl Fn(&DynamoDb, &str) -> F,
        mut again: impl FnMut(&Failure) -> bool,
    ) -> Result<Result<T, AttributeMap>, Refusal>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let end = Instant::now() + self.table.timeout;
        let mut retried = false;
        loop {
            let left = end
                .saturating_duration_since(Instant::now())
                .min(self.table.attempt());
            // at its finest level the SDK logs whole requests, with the credentials in their heads
            let sending = async {
                let dynamodb = self.ready().await?;
                send(dynamodb, &self.table.name)
                    .with_subscriber(Dispatch::none())
                    .await
            };
            let failure = match timeout(left, sending).await {
                Ok(Ok(answer)) => return Ok(Ok(answer)),
                Ok(Err(Failure::Condition(item))) => return Ok(Err(item)),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Retried(format!(
                    "timed out after {} ms (MCPFN_DYNAMODB_TIMEOUT_MS)",
                    left.as_millis()
                )),
            };
            if matches!(failure, Failure::Throttled(_)) {
                return Err(Refusal {
                    throttled: true,
                    ..Refusal::of(self.error(failure.sentence()))
                });
            }
            let may = again(&failure);
            if !may || retried || !matches!(failure, Failure::Retried(_)) || end <= Instant::now() {
                return Err(Refusal::of(self.error(failure.sentence())));
            }
            retried = true;
        }
    }

    /// The SDK's client, once there are a region and credentials. What has to be looked for goes on
    /// looking when a request gives up.
    async fn ready(&self) -> Result<&DynamoDb, Failure> {
        let refused = |why| Failure::Passing(format!("can't be asked: {why}"));
        let make = async || {
            let region = self.table.account.region().await.map_err(refused)?;
            Ok(dynamodb(&self.table, &region, self.http.clone()))
        };
        let dynamodb = self.dynamodb.get_or_try_init(make).await?;
        self.table.account.keys().await.map_err(refused)?;
        Ok(dynamodb)
    }

    /// A sentence about the table.
    pub(super) fn error(&self, sentence: impl fmt::Display) -> StoreError {
        StoreError::new(format_args!(
            "the DynamoDB table `{}` {sentence}",
            self.table.name
        ))
    }

    /// As well, about what the same request will meet again.
    pub(super) fn lasting(&self, sentence: impl fmt::Display) -> StoreError {
        StoreError::lasting(format_args!(
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
        .already_known()
    }
}

impl fmt::Debug for TableClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableClient")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// The SDK with everything of its own switched off that waits: limits and retries are above, where
/// one reads them.
fn dynamodb(table: &Table, region: &str, http: Option<SharedHttpClient>) -> DynamoDb {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(table.account.clone())
        // the account has one
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    config.set_endpoint_url(table.endpoint.clone());
    let own = || SharedHttpClient::new(Connector::new(table.connect(), table.idle));
    config.set_http_client(Some(http.unwrap_or_else(own)));
    DynamoDb::from_conf(config.build())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use mcpfn_aws::{AccessKeys, AwsAccount};

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
            endpoint: Some(endpoint.to_owned()),
            account: AwsAccount::new(
                "eu-west-1",
                AccessKeys {
                    id: "hunter1".to_owned(),
                    secret: "hunter2".to_owned(),
                    session: Some("hunter3".to_owned()),
                },
            ),
            timeout: Duration::from_secs(5),
            idle: Duration::from_secs(5),
        }
    }

    async fn error(client: &TableClient) -> String {
        let breaker = Breaker::default();
        let asked = client.ask(&breaker, "key", |dynamodb, table| {
            let request = dynamodb.describe_table().table_name(table);
            async move {
                request
                    .send()
                    .await
                    .map_err(|error| Failure::of(error, |_| None))
            }
        });
        StoreError::from(asked.await.unwrap_err()).to_string()
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
