//! Records of subscriptions, in the table of writes, whose rows survive a crash: the holder of a row is
//! the record's version, and its result the value.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Kept, Replace, StoreError, TopicRecord, TopicVersion, Topics};
use mcpfn_native::shared::kept_for_ms;
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, blob, number};

impl Topics for PostgresStores {
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
        Box::pin(async move {
            let Some(first) = keys.first() else {
                return Ok(Vec::new());
            };
            // keys are digests, without spaces
            let parameters = [keys.join(" ").into(), number(now_ms)];
            let (breaker, records) = (&self.breakers.topics, &self.client.statements.records);
            let rows = self.ask(breaker, first, records, &parameters).await?.rows;
            let mut found = vec![None; keys.len()];
            for row in rows {
                let row = <[SqlValue; 3]>::try_from(row);
                let Ok(
                    [
                        SqlValue::Text(key),
                        SqlValue::Blob(version),
                        SqlValue::Blob(value),
                    ],
                ) = row
                else {
                    continue;
                };
                let Ok(version) = TopicVersion::try_from(version) else {
                    continue;
                };
                let value = Bytes::from(value);
                for (wanted, place) in keys.iter().zip(&mut found) {
                    if *wanted == key {
                        let value = value.clone();
                        *place = Some(TopicRecord { version, value });
                    }
                }
            }
            Ok(found)
        })
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let mut parameters = vec![
                key.into(),
                blob(&record.version),
                number(kept.expires_ms),
                blob(&record.value),
                number(kept_for_ms(kept.expires_ms)),
            ];
            let statements = &self.client.statements;
            let statement = match replace {
                Replace::Anything => &statements.replace,
                Replace::Nothing => {
                    parameters.push(number(kept.now_ms));
                    &statements.place
                }
                Replace::Version(version) => {
                    parameters.extend([number(kept.now_ms), blob(&version)]);
                    &statements.exchange
                }
            };
            let breaker = &self.breakers.topics;
            let rows = self.ask(breaker, key, statement, &parameters).await?.rows;
            self.wrote();
            Ok(!rows.is_empty())
        })
    }
}
