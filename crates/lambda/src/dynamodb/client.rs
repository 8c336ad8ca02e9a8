//! One request to the table, over the SDK. Its limits, its retry and the breaker of the store that
//! asks are `mcpfn_native::shared`'s; what is asked is the stores' business.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use mcpfn_core::port::StoreError;
use mcpfn_native::shared::{Breaker, RequestFailure, RequestLimits, SharedService, Unanswered};
use tokio::sync::OnceCell;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::attributes::{AttributeMap, text};
use super::connector::Connector;
use super::failure::Failure;
use super::table::Table;

pub(super) struct TableClient {
    table: Table,
    service: SharedService,
    /// Made on first use.
    dynamodb: OnceCell<DynamoDb>,
    /// In the place of connections of its own.
    http: Option<SharedHttpClient>,
}

impl TableClient {
    pub(super) fn new(table: Table) -> Self {
        let service = SharedService {
            subject: format!("the DynamoDB table `{}`", table.name),
            setting: "MCPFN_DYNAMODB_TIMEOUT_MS",
            limits: RequestLimits {
                total: table.timeout,
                attempt: table.attempt(),
            },
        };
        Self {
            table,
            service,
            dynamodb: OnceCell::new(),
            http: None,
        }
    }

    /// Over this client in the place of connections of its own.
    pub(super) fn over(mut self, http: SharedHttpClient) -> Self {
        self.http = Some(http);
        self
    }

    /// The table's name.
    pub(super) fn table_name(&self) -> &str {
        &self.table.name
    }

    /// An item of a kind, if it is there. The read is eventually consistent.
    pub(super) async fn read(
        &self,
        breaker: &Breaker,
        key: &str,
        kind: &str,
    ) -> Result<Option<AttributeMap>, Unanswered> {
        self.item(breaker, key, kind, false).await
    }

    /// The same as it was written last, at twice the price.
    pub(super) async fn read_consistently(
        &self,
        breaker: &Breaker,
        key: &str,
        kind: &str,
    ) -> Result<Option<AttributeMap>, Unanswered> {
        self.item(breaker, key, kind, true).await
    }

    /// The same, whatever a breaker says.
    pub(super) async fn insist_on(
        &self,
        key: &str,
        kind: &str,
    ) -> Result<Option<AttributeMap>, Unanswered> {
        let answer = self.insist(|dynamodb, table| get(dynamodb, table, key, kind, true));
        // a read has no condition
        Ok(answer.await?.ok().and_then(|answer| answer.item))
    }

    async fn item(
        &self,
        breaker: &Breaker,
        key: &str,
        kind: &str,
        consistent: bool,
    ) -> Result<Option<AttributeMap>, Unanswered> {
        let answer = self.ask(breaker, key, |dynamodb, table| {
            get(dynamodb, table, key, kind, consistent)
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
    ) -> Result<Result<T, AttributeMap>, Unanswered>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.service
            .ask(breaker, key, |left| self.attempt(left, &send))
            .await
    }

    /// Asks whatever the breaker says: for what must not be left undone. It neither waits for the
    /// breaker nor counts for it.
    pub(super) async fn insist<T, F>(
        &self,
        send: impl Fn(&DynamoDb, &str) -> F,
    ) -> Result<Result<T, AttributeMap>, Unanswered>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.service.insist(|left| self.attempt(left, &send)).await
    }

    /// One request. A condition that did not hold is an answer.
    async fn attempt<T, F>(
        &self,
        left: Duration,
        send: &impl Fn(&DynamoDb, &str) -> F,
    ) -> Result<Result<T, AttributeMap>, RequestFailure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        // at its finest level the SDK logs whole requests, with the credentials in their heads
        let sending = async {
            let dynamodb = self.ready().await?;
            let sent = send(dynamodb, &self.table.name).with_subscriber(Dispatch::none());
            match sent.await {
                Ok(answer) => Ok(Ok(answer)),
                Err(Failure::Condition(item)) => Ok(Err(item)),
                Err(Failure::Request(failure)) => Err(failure),
            }
        };
        self.service.within(left, sending).await
    }

    /// The SDK's client, once there are a region and credentials. What has to be looked for goes on
    /// looking when a request gives up.
    async fn ready(&self) -> Result<&DynamoDb, RequestFailure> {
        let refused = |why| RequestFailure::Passing(format!("can't be asked: {why}"));
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
        self.service.error(sentence)
    }

    /// As well, about what the same request will meet again.
    pub(super) fn lasting(&self, sentence: impl fmt::Display) -> StoreError {
        self.service.lasting(sentence)
    }
}

impl fmt::Debug for TableClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableClient")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// A request for one item.
fn get(
    dynamodb: &DynamoDb,
    table: &str,
    key: &str,
    kind: &str,
    consistent: bool,
) -> impl Future<Output = Result<GetItemOutput, Failure>> + use<> {
    let request = dynamodb
        .get_item()
        .table_name(table)
        .set_consistent_read(consistent.then_some(true))
        .key("pk", text(key))
        .key("sk", text(kind));
    async move {
        let sent = request.send().await;
        sent.map_err(|error| Failure::of(error, |_| None))
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
