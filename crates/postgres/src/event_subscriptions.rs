//! Subscriptions to events, in PostgreSQL: a row for each. As with tasks, each change leaves a random
//! name in the row: one whose answer was lost finds its name when it is sent again.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{
    EventSubscriptions, StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionRow,
    SubscriptionWritten,
};
use mcpfn_native::shared::kept_for_ms;
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, blob, number};
use crate::tasks::new_name;

impl EventSubscriptions for PostgresStores {
    fn find<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            let parameters = [key.topic.into(), key.id.into(), number(now_ms)];
            let (breaker, find) = (&self.breakers.events, &self.client.events.find);
            let rows = self.ask(breaker, key.id, find, &parameters).await?.rows;
            let row = rows.into_iter().next();
            Ok(row.and_then(|row| subscription(key.id.to_owned(), row)))
        })
    }

    fn write<'a>(
        &'a self,
        key: SubscriptionKey<'a>,
        replaces: Option<u64>,
        body: Bytes,
        expires_ms: u64,
        now_ms: u64,
        bounds: SubscriptionBounds,
    ) -> BoxFuture<'a, Result<SubscriptionWritten, StoreError>> {
        Box::pin(async move {
            let most = |count: usize| number(u64::try_from(count).unwrap_or(u64::MAX));
            let mut parameters = vec![
                key.topic.into(),
                key.id.into(),
                key.owner.into(),
                blob(&new_name()?),
                blob(&body),
                number(expires_ms),
                number(now_ms),
                number(kept_for_ms(expires_ms)),
            ];
            let (breaker, statements) = (&self.breakers.events, &self.client.events);
            let written = match replaces {
                Some(version) => {
                    parameters.push(number(version));
                    let renew = &statements.renew;
                    let rows = self.ask(breaker, key.id, renew, &parameters).await?.rows;
                    match rows.is_empty() {
                        true => SubscriptionWritten::Changed,
                        false => SubscriptionWritten::Done,
                    }
                }
                None => {
                    parameters.extend([most(bounds.per_owner), most(bounds.per_topic)]);
                    let subscribe = &statements.subscribe;
                    let rows = self.ask(breaker, key.id, subscribe, &parameters).await?;
                    self.decided(rows.rows.first(), bounds)?
                }
            };
            self.wrote_event();
            Ok(written)
        })
    }

    fn remove<'a>(&'a self, key: SubscriptionKey<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let unsubscribe = &self.client.events.unsubscribe;
            let parameters = [key.topic.into(), key.id.into()];
            self.client.insist(unsubscribe, &parameters).await.map(drop)
        })
    }

    fn page<'a>(
        &'a self,
        topic: &'a str,
        after: Option<&'a str>,
        limit: usize,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<SubscriptionRow>, StoreError>> {
        Box::pin(async move {
            let parameters = [
                topic.into(),
                after.unwrap_or_default().into(),
                number(now_ms),
                number(u64::try_from(limit).unwrap_or(u64::MAX)),
            ];
            let (breaker, page) = (&self.breakers.events, &self.client.events.page);
            let rows = self.ask(breaker, topic, page, &parameters).await?.rows;
            let rows = rows.into_iter().filter_map(|mut row| {
                let rest = row.split_off(1);
                match row.pop() {
                    Some(SqlValue::Text(id)) => subscription(id, rest),
                    _ => None,
                }
            });
            Ok(rows.collect())
        })
    }
}

impl PostgresStores {
    fn decided(
        &self,
        row: Option<&Vec<SqlValue>>,
        bounds: SubscriptionBounds,
    ) -> Result<SubscriptionWritten, StoreError> {
        let is_full = |count: i64, most: usize| usize::try_from(count).is_ok_and(|it| it >= most);
        match row.map(Vec::as_slice) {
            Some([SqlValue::Integer(1..), ..]) => Ok(SubscriptionWritten::Done),
            Some([_, SqlValue::Integer(0), SqlValue::Integer(owned), _])
                if is_full(*owned, bounds.per_owner) =>
            {
                Ok(SubscriptionWritten::OwnerFull)
            }
            Some([_, SqlValue::Integer(0), _, SqlValue::Integer(heard)])
                if is_full(*heard, bounds.per_topic) =>
            {
                Ok(SubscriptionWritten::TopicFull)
            }
            Some(_) => Ok(SubscriptionWritten::Changed),
            None => Err(self
                .client
                .service
                .error("gave no decision on a subscription")),
        }
    }
}

/// One that can't be read is as good as none.
fn subscription(id: String, row: Vec<SqlValue>) -> Option<SubscriptionRow> {
    let [version, body, expires_ms] = <[SqlValue; 3]>::try_from(row).ok()?;
    let SqlValue::Blob(body) = body else {
        return None;
    };
    Some(SubscriptionRow {
        id,
        version: u64::try_from(version.as_i64()?).ok()?,
        body: body.into(),
        expires_ms: u64::try_from(expires_ms.as_i64()?).ok()?,
    })
}
