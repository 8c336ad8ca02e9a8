//! Results of earlier calls, in the table; and for a moment in memory, so that one that every call
//! wants is not read from the table by every call.

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
            if let Some(value) = self.hot.find(key, now_ms).await? {
                return Ok(Some(value));
            }
            let item = self.client.read(&self.breakers.cache, key, KIND).await?;
            let Some((item, expires_ms)) =
                item.and_then(|item| number_of(&item, "expires_ms").map(|ms: u64| (item, ms)))
            else {
                return Ok(None);
            };
            // a payload that can't be read is as good as none
            let value = payload_of(item).filter(|_| now_ms < expires_ms);
            if let Some(value) = &value {
                self.hot.keep(key, value, expires_ms, now_ms).await?;
            }
            Ok(value)
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.hot.forget(key).await?;
            let Some(packed) = pack(&value) else {
                return Ok(());
            };
            let mut item: AttributeMap = payload(packed).collect();
            item.insert("pk".to_owned(), text(key));
            item.insert("sk".to_owned(), text(KIND));
            item.insert("expires_ms".to_owned(), number(expires_ms));
            item.insert("expires_at".to_owned(), expires_at(expires_ms));
            let answer = self
                .client
                .ask(&self.breakers.cache, key, |dynamodb, table| {
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
            Ok(answer.await.map(drop)?)
        })
    }
}
