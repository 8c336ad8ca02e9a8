//! Answers to questions on their way to the call that waits, in the table. A letter is an item that is
//! written once, and looked for until it is there.

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{Mailbox, StoreError},
};
use mcpfn_native::shared::letters;

use super::Stores;
use super::attributes::{AttributeMap, expires_at, payload, payload_of, text};
use super::failure::Failure;
use super::idempotency::put_failed_on;
use super::pack::pack;

const KIND: &str = "letter";

impl Mailbox for Stores {
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        _now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let bytes = letter.len();
            let packed = pack(&letter).ok_or_else(|| {
                self.client.lasting(format_args!(
                    "can't hold an answer of {bytes} bytes: an item has 400 KB"
                ))
            })?;
            let mut item: AttributeMap = payload(packed).collect();
            item.insert("pk".to_owned(), text(key));
            item.insert("sk".to_owned(), text(KIND));
            item.insert("expires_at".to_owned(), expires_at(expires_ms));
            let answer = self
                .client
                .ask(&self.breakers.mailbox, key, |dynamodb, table| {
                    let request = dynamodb
                        .put_item()
                        .table_name(table)
                        .set_item(Some(item.clone()))
                        .condition_expression("attribute_not_exists(pk)");
                    async move {
                        request
                            .send()
                            .await
                            .map_err(|error| Failure::of(error, put_failed_on))
                    }
                });
            // a condition that failed: there is one already
            Ok(answer.await.map(drop)?)
        })
    }

    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(letters(keys, |key| Box::pin(self.letter(key))))
    }
}

impl Stores {
    /// Read eventually consistent, at half the price: a replica that lags has it at the next look.
    async fn letter(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let breaker = &self.breakers.mailbox;
        let item = self.client.read(breaker, key, KIND).await?;
        Ok(item.and_then(payload_of))
    }
}
