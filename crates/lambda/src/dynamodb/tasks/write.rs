//! Writes of tasks: one update of a head, or a transaction of several items, sent until it is decided.
//! What is written is the parent's business.

use std::time::Duration;

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use mcpfn_core::port::{StoreError, TaskPart};
use mcpfn_native::shared::Unanswered;

use super::super::Stores;
use super::super::attributes::{AttributeMap, expires_at, number, payload, text};
use super::super::failure::Failure;
use super::super::pack::pack;

/// Milliseconds to wait before a request is sent again that met a transaction on the same items, and
/// before a part is read again that was older than its head.
pub(super) const PAUSES_MS: [u64; 4] = [10, 20, 40, 80];

/// It is the one that was read, and not over.
const SAME: &str = "version = :version AND expires_ms > :now";

/// As well where this task has used up what a partition takes in a second: 1,000 units, of which the
/// largest part takes half, because transactions count twice.
const HOT_PAUSES_MS: [u64; 3] = [250, 500, 1000];

/// What became of a write.
pub(in super::super) enum Written {
    Done,
    /// The condition on the head did not hold, and this is the head that there is.
    Refused(AttributeMap),
    /// A transaction of another one is at work on the same items: nothing was written.
    Busy,
}

/// How a head is replaced.
pub(super) struct HeadChange {
    expression: String,
    values: AttributeMap,
}

impl HeadChange {
    pub(super) fn new(sets: Vec<(String, AttributeValue)>, version: u64, now_ms: u64) -> Self {
        let mut values = AttributeMap::from([
            (":version".to_owned(), number(version)),
            (":now".to_owned(), number(now_ms)),
        ]);
        let mut expressions = Vec::new();
        for (place, (name, value)) in sets.into_iter().enumerate() {
            expressions.push(format!("{name} = :v{place}"));
            values.insert(format!(":v{place}"), value);
        }
        Self {
            expression: format!("SET {}", expressions.join(", ")),
            values,
        }
    }
}

impl Stores {
    /// A part as a member of a transaction.
    pub(super) fn part(
        &self,
        key: &str,
        part: TaskPart,
        bytes: &[u8],
        version: u64,
        expires_ms: u64,
    ) -> Result<TransactWriteItem, StoreError> {
        let packed = pack(bytes).ok_or_else(|| {
            self.client.lasting(format_args!(
                "can't hold {} bytes of a task: an item has 400 KB",
                bytes.len()
            ))
        })?;
        let mut item = keys(key, part);
        item.extend(payload(packed));
        item.insert("version".to_owned(), number(version));
        item.insert("expires_at".to_owned(), expires_at(expires_ms));
        let put = Put::builder()
            .table_name(self.client.table_name())
            .set_item(Some(item))
            .build();
        Ok(TransactWriteItem::builder().put(self.built(put)?).build())
    }

    /// The change of a head as a member of a transaction.
    pub(super) fn change(
        &self,
        key: &str,
        change: &HeadChange,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(self.client.table_name())
            .set_key(Some(keys(key, TaskPart::Head)))
            .update_expression(&change.expression)
            .condition_expression(SAME)
            .set_expression_attribute_values(Some(change.values.clone()))
            .return_values_on_condition_check_failure(AllOld)
            .build();
        Ok(TransactWriteItem::builder()
            .update(self.built(update)?)
            .build())
    }

    pub(in super::super) fn built<T>(&self, built: Result<T, BuildError>) -> Result<T, StoreError> {
        built.map_err(|error| {
            let sentence = format_args!("can't be asked: {error}");
            self.client.lasting(sentence)
        })
    }

    /// The change of a head alone: an update costs half of what it costs in a transaction.
    pub(super) async fn replace(
        &self,
        key: &str,
        change: &HeadChange,
    ) -> Result<Written, Unanswered> {
        let send = |dynamodb: &DynamoDb, table: &str| {
            let request = dynamodb
                .update_item()
                .table_name(table)
                .set_key(Some(keys(key, TaskPart::Head)))
                .update_expression(&change.expression)
                .condition_expression(SAME)
                .set_expression_attribute_values(Some(change.values.clone()))
                .return_values_on_condition_check_failure(AllOld);
            async move {
                let sent = request.send().await;
                sent.map_or_else(not_updated, |_| Ok(Written::Done))
            }
        };
        let answer = self.client.ask(&self.breakers.tasks, key, send).await?;
        Ok(answer.unwrap_or_else(Written::Refused))
    }

    /// All of these or none.
    pub(super) async fn transact(
        &self,
        key: &str,
        items: &[TransactWriteItem],
        insists: bool,
    ) -> Result<Written, Unanswered> {
        let send = |dynamodb: &DynamoDb, _: &str| {
            let request = dynamodb.transact_write_items();
            let request = request.set_transact_items(Some(items.to_vec()));
            async move {
                let sent = request.send().await;
                sent.map_or_else(not_transacted, |_| Ok(Written::Done))
            }
        };
        let answer = match insists {
            true => self.client.insist(send).await?,
            false => self.client.ask(&self.breakers.tasks, key, send).await?,
        };
        Ok(answer.unwrap_or_else(Written::Refused))
    }

    /// Writes, and again where a transaction of another one was at work, or this task has used up what
    /// a partition takes in a second.
    pub(super) async fn patiently<F>(&self, write: impl Fn() -> F) -> Result<Written, StoreError>
    where
        F: Future<Output = Result<Written, Unanswered>>,
    {
        let (mut busy, mut hot) = (PAUSES_MS.into_iter(), HOT_PAUSES_MS.into_iter());
        loop {
            let (pause_ms, error) = match write().await {
                Ok(Written::Busy) => {
                    let sentence = "took no change of a task: others changed it all the time";
                    (busy.next(), self.client.error(sentence))
                }
                Err(unanswered) if unanswered.throttled => (hot.next(), unanswered.into()),
                written => return Ok(written?),
            };
            let pause_ms = pause_ms.ok_or(error)?;
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    }
}

fn not_updated(error: SdkError<UpdateItemError, HttpResponse>) -> Result<Written, Failure> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            Ok(Written::Refused(failed.item.clone().unwrap_or_default()))
        }
        Some(UpdateItemError::TransactionConflictException(_)) => Ok(Written::Busy),
        _ => Err(Failure::of(error, |_| None)),
    }
}

pub(in super::super) fn not_transacted(
    error: SdkError<TransactWriteItemsError, HttpResponse>,
) -> Result<Written, Failure> {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled,
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Ok(Written::Busy);
        }
        _ => return Err(Failure::of(error, |_| None)),
    };
    let reasons = cancelled.cancellation_reasons();
    // of all members, the head alone has a condition
    let refused = |code| code == Some("ConditionalCheckFailed");
    if let Some(head) = reasons.iter().find(|reason| refused(reason.code())) {
        return Ok(Written::Refused(head.item().cloned().unwrap_or_default()));
    }
    let codes = reasons.iter().filter_map(|reason| reason.code());
    match codes.into_iter().find(|code| *code != "None") {
        Some("TransactionConflict") => Ok(Written::Busy),
        code => Err(Failure::cancelled(code.unwrap_or_default())),
    }
}

/// Where an item of a task is.
pub(super) fn keys(key: &str, part: TaskPart) -> AttributeMap {
    AttributeMap::from([
        ("pk".to_owned(), text(key)),
        ("sk".to_owned(), text(format!("task.{}", part.name()))),
    ])
}
