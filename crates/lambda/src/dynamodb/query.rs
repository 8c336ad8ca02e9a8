//! Items of one key in the order of their `sk`, a page at a time, as they are now. What they are is the
//! stores' business.

use aws_sdk_dynamodb::Client as DynamoDb;
use mcpfn_core::port::StoreError;
use mcpfn_native::shared::Breaker;

use super::Stores;
use super::attributes::{AttributeMap, text};
use super::failure::Failure;

/// Which items.
pub(super) struct ItemRange {
    from: String,
    until: String,
    limit: usize,
    only: Option<&'static str>,
}

/// What was found. A page has a megabyte at most, so that there may be more although it is not full.
pub(super) struct QueriedItems {
    pub(super) items: Vec<AttributeMap>,
    pub(super) more: bool,
}

impl ItemRange {
    /// From one `sk` to another, both included; at most so many.
    pub(super) fn new(from: String, until: String, limit: usize) -> Self {
        Self {
            from,
            until,
            limit,
            only: None,
        }
    }

    /// Of each item these attributes only.
    pub(super) fn only(mut self, attributes: &'static str) -> Self {
        self.only = Some(attributes);
        self
    }
}

impl Stores {
    /// Reads a page, and insists on it without a breaker.
    pub(super) async fn query(
        &self,
        breaker: Option<&Breaker>,
        key: &str,
        range: &ItemRange,
    ) -> Result<QueriedItems, StoreError> {
        let limit = i32::try_from(range.limit.max(1)).unwrap_or(i32::MAX);
        let query = |dynamodb: &DynamoDb, table: &str| {
            let request = dynamodb
                .query()
                .table_name(table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
                .expression_attribute_values(":pk", text(key))
                .expression_attribute_values(":from", text(&range.from))
                .expression_attribute_values(":until", text(&range.until))
                .set_projection_expression(range.only.map(str::to_owned))
                .limit(limit);
            async move {
                let sent = request.send().await;
                sent.map_err(|error| Failure::of(error, |_| None))
            }
        };
        let answer = match breaker {
            Some(breaker) => self.client.ask(breaker, key, query).await?,
            None => self.client.insist(query).await?,
        };
        // a read has no condition
        let answer = answer.map_err(|_| self.client.error("gave no items"))?;
        Ok(QueriedItems {
            more: answer.last_evaluated_key.is_some(),
            items: answer.items.unwrap_or_default(),
        })
    }
}
