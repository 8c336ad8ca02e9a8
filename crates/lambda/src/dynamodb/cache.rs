//! Results of earlier calls, in the table.

use bytes::Bytes;
use mcpfn_core::{
    handler::BoxFuture,
    port::{ResultCache, StoreError},
};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, payload, payload_of, text};
use super::failure::Failure;
use super::pack::pack;

const KIND: &str = "cache";

impl ResultCache for Stores {
    fn get<'a>(
        &'a self,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>> {
        Box::pin(async move {
            let answer = self.client.ask(|dynamodb, table| {
                let request = dynamodb
                    .get_item()
                    .table_name(table)
                    .key("pk", text(key))
                    .key("sk", text(KIND));
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, |_| None))
                }
            });
            let item = answer.await?.ok().and_then(|answer| answer.item);
            let valid = item.filter(|item| {
                number_of::<u64>(item, "expires_ms").is_some_and(|expires_ms| now_ms < expires_ms)
            });
            // a payload that can't be read is as good as none
            Ok(valid.and_then(payload_of))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(packed) = pack(&value) else {
                return Ok(());
            };
            let mut item: AttributeMap = payload(packed).collect();
            item.insert("pk".to_owned(), text(key));
            item.insert("sk".to_owned(), text(KIND));
            item.insert("expires_ms".to_owned(), number(expires_ms));
            item.insert("expires_at".to_owned(), expires_at(expires_ms));
            let answer = self.client.ask(|dynamodb, table| {
                let request = dynamodb
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item.clone()));
                async move {
                    request
                        .send()
                        .await
                        .map_err(|error| Failure::of(error, |_| None))
                }
            });
            answer.await.map(drop)
        })
    }
}
