//! How many subscriptions there are, of a subscriber and to an event: two items that are changed without
//! being read first, and drop what is over as they are changed.

use aws_sdk_dynamodb::Client as DynamoDb;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use mcpfn_core::port::{StoreError, SubscriptionBounds, SubscriptionKey, SubscriptionWritten};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, text};
use super::failure::Failure;

/// Which item it is: of a subscriber, of an event.
const OF_OWNER: &str = "subscriptions";
const OF_TOPIC: &str = "subscribers";
/// What it has: times by ids, numbers by times.
const ID: &str = "id_";
const UNTIL: &str = "until_";
/// How long an item is kept behind the subscription that was written last, in milliseconds: others in it
/// may last longer than that one.
const KEPT_MS: u64 = 8 * 24 * 3600 * 1000;
/// From so many members on that are over they are dropped, and so many at a time.
const OVER: usize = 16;
const AT_ONCE: usize = 64;

/// A subscription as it is counted.
pub(super) struct CountedSubscription<'a> {
    pub(super) key: SubscriptionKey<'a>,
    pub(super) expires_ms: u64,
    pub(super) now_ms: u64,
}

/// Until when a subscription is counted for its event: a little longer than it lasts, by an eighth of
/// that at most. So there are some hundred such times, whatever they last.
pub(super) fn bucket(now_ms: u64, expires_ms: u64) -> u64 {
    let lasts_ms = expires_ms.saturating_sub(now_ms);
    let wide = (lasts_ms / 16).max(1).next_power_of_two();
    expires_ms.div_ceil(wide).saturating_mul(wide)
}

/// What an item of counts has: names, with the time at which each is over and how many it stands for.
fn members(item: &AttributeMap) -> Vec<(&str, u64, u64)> {
    let member = |(name, value): (&'_ String, &'_ AttributeValue)| {
        let value: i64 = value.as_n().ok()?.parse().ok()?;
        let value = u64::try_from(value).unwrap_or(0);
        match name.strip_prefix(UNTIL) {
            Some(until) => Some((until.parse().ok()?, value)),
            None => name.starts_with(ID).then_some((value, 1)),
        }
    };
    let members = item.iter().filter_map(|pair| {
        let (until, many) = member(pair)?;
        Some((pair.0.as_str(), until, many))
    });
    members.collect()
}

impl CountedSubscription<'_> {
    fn id(&self) -> String {
        format!("{ID}{}", self.key.id)
    }

    fn kept_until(&self) -> AttributeValue {
        expires_at(self.expires_ms.max(self.now_ms).saturating_add(KEPT_MS))
    }
}

impl Stores {
    /// Counts a new one, unless there are too many.
    pub(super) async fn count(
        &self,
        counted: &CountedSubscription<'_>,
        bounds: SubscriptionBounds,
    ) -> Result<Option<SubscriptionWritten>, StoreError> {
        let (key, now_ms) = (counted.key, counted.now_ms);
        let list = self.list(counted).await?;
        let own = counted.id();
        let others = members(&list).into_iter();
        let others = others.filter(|(name, until, _)| *until > now_ms && *name != own);
        if others.count() >= bounds.per_owner {
            self.forget(key).await?;
            return Ok(Some(SubscriptionWritten::OwnerFull));
        }
        self.clean(key.owner, OF_OWNER, &list, now_ms).await?;
        let until = bucket(now_ms, counted.expires_ms);
        let all = self.add(counted, &[(until, 1)]).await?;
        let there = members(&all).into_iter();
        let there = there.filter(|(_, until, _)| *until > now_ms);
        let there: u64 = there.map(|(_, _, many)| many).sum();
        if there > u64::try_from(bounds.per_topic).unwrap_or(u64::MAX) {
            self.add(counted, &[(until, -1)]).await?;
            self.forget(key).await?;
            return Ok(Some(SubscriptionWritten::TopicFull));
        }
        self.clean(key.topic, OF_TOPIC, &all, now_ms).await?;
        Ok(None)
    }

    /// One that was counted is there no more, or not yet: another one has its id.
    pub(super) async fn uncount(
        &self,
        counted: &CountedSubscription<'_>,
    ) -> Result<(), StoreError> {
        let until = bucket(counted.now_ms, counted.expires_ms);
        self.add(counted, &[(until, -1)]).await.map(drop)
    }

    /// One that was counted until another time lasts longer, or shorter.
    pub(super) async fn recount(
        &self,
        counted: &CountedSubscription<'_>,
        was: Option<u64>,
    ) -> Result<(), StoreError> {
        self.list(counted).await?;
        let until = bucket(counted.now_ms, counted.expires_ms);
        match was {
            Some(was) if was == until => Ok(()),
            Some(was) => self.add(counted, &[(until, 1), (was, -1)]).await.map(drop),
            None => self.add(counted, &[(until, 1)]).await.map(drop),
        }
    }

    /// One is gone that was counted until this time.
    pub(super) async fn gone(
        &self,
        key: SubscriptionKey<'_>,
        until: u64,
    ) -> Result<(), StoreError> {
        self.forget(key).await?;
        let counted = CountedSubscription {
            key,
            expires_ms: until,
            now_ms: until,
        };
        self.add(&counted, &[(until, -1)]).await.map(drop)
    }

    /// Writes it into the list of its subscriber, and gives the list.
    async fn list(&self, counted: &CountedSubscription<'_>) -> Result<AttributeMap, StoreError> {
        let set = |request: UpdateItemFluentBuilder| {
            request
                .update_expression("SET #id = :until, expires_at = :kept")
                .expression_attribute_names("#id", counted.id())
                .expression_attribute_values(":until", number(counted.expires_ms))
                .expression_attribute_values(":kept", counted.kept_until())
        };
        self.changed(counted.key.owner, OF_OWNER, set).await
    }

    /// Changes an item, whatever is there, and gives it as it is then.
    async fn changed(
        &self,
        key: &str,
        kind: &str,
        change: impl Fn(UpdateItemFluentBuilder) -> UpdateItemFluentBuilder,
    ) -> Result<AttributeMap, StoreError> {
        let update = |dynamodb: &DynamoDb, table: &str| {
            let request = dynamodb
                .update_item()
                .table_name(table)
                .set_key(Some(keys(key, kind)))
                .return_values(ReturnValue::AllNew);
            let request = change(request);
            async move {
                let sent = request.send().await;
                sent.map_err(|error| Failure::of(error, |_| None))
            }
        };
        let answer = self.client.ask(&self.breakers.events, key, update).await?;
        Ok(answer.ok().and_then(|it| it.attributes).unwrap_or_default())
    }

    /// Takes it out of the list of its subscriber.
    async fn forget(&self, key: SubscriptionKey<'_>) -> Result<(), StoreError> {
        let id = format!("{ID}{}", key.id);
        self.cut(key.owner, OF_OWNER, &[&id], None).await
    }

    /// Adds to the numbers of its event, and gives them. A request that is sent twice counts twice,
    /// until then.
    async fn add(
        &self,
        counted: &CountedSubscription<'_>,
        numbers: &[(u64, i64)],
    ) -> Result<AttributeMap, StoreError> {
        let places = numbers.iter().enumerate();
        let adds = places
            .clone()
            .map(|(at, (until, _))| format!("{UNTIL}{until} :n{at}"));
        let adds: Vec<String> = adds.collect();
        let expression = format!("SET expires_at = :kept ADD {}", adds.join(", "));
        let add = |request: UpdateItemFluentBuilder| {
            let request = request
                .update_expression(expression.clone())
                .expression_attribute_values(":kept", counted.kept_until());
            places.clone().fold(request, |request, (at, (_, many))| {
                let many = AttributeValue::N(many.to_string());
                request.expression_attribute_values(format!(":n{at}"), many)
            })
        };
        self.changed(counted.key.topic, OF_TOPIC, add).await
    }

    /// Drops what is over, once there is enough of it. What counts again meanwhile stays.
    async fn clean(
        &self,
        key: &str,
        kind: &str,
        item: &AttributeMap,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let over = members(item).into_iter();
        let over = over.filter(|(_, until, _)| *until <= now_ms);
        let over: Vec<&str> = over.map(|(name, _, _)| name).take(AT_ONCE).collect();
        if over.len() < OVER {
            return Ok(());
        }
        let before = (kind == OF_OWNER).then_some(now_ms);
        self.cut(key, kind, &over, before).await
    }

    /// Removes members of an item, if all of them are times `before` this one.
    async fn cut(
        &self,
        key: &str,
        kind: &str,
        members: &[&str],
        before: Option<u64>,
    ) -> Result<(), StoreError> {
        let places: Vec<String> = (0..members.len()).map(|at| format!("#m{at}")).collect();
        let mut condition = vec!["attribute_exists(pk)".to_owned()];
        if before.is_some() {
            condition.extend(places.iter().map(|place| format!("{place} <= :before")));
        }
        let cut = |dynamodb: &DynamoDb, table: &str| {
            let mut request = dynamodb
                .update_item()
                .table_name(table)
                .set_key(Some(keys(key, kind)))
                .update_expression(format!("REMOVE {}", places.join(", ")))
                .condition_expression(condition.join(" AND "));
            for (place, member) in places.iter().zip(members) {
                request = request.expression_attribute_names(place, *member);
            }
            if let Some(before) = before {
                request = request.expression_attribute_values(":before", number(before));
            }
            async move {
                let sent = request.send().await;
                sent.map_err(|error| Failure::of(error, not_held))
            }
        };
        // a condition that did not hold: there is none, or one of them counts again
        let cut = self.client.ask(&self.breakers.events, key, cut).await;
        Ok(cut.map(drop)?)
    }
}

fn not_held(error: &mut UpdateItemError) -> Option<AttributeMap> {
    match error {
        UpdateItemError::ConditionalCheckFailedException(_) => Some(AttributeMap::new()),
        _ => None,
    }
}

fn keys(key: &str, kind: &str) -> AttributeMap {
    AttributeMap::from([("pk".to_owned(), text(key)), ("sk".to_owned(), text(kind))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_counted_an_eighth_longer_at_most_and_all_times_of_a_day_are_few() {
        let (now_ms, mut times) = (1_795_168_800_123, std::collections::BTreeSet::new());
        for lasts_ms in (0..24 * 3600 * 1000).step_by(1_000) {
            let until = bucket(now_ms, now_ms + lasts_ms);
            let more = until - (now_ms + lasts_ms);
            assert!(more <= (lasts_ms / 8).max(1), "{lasts_ms} {more}");
            times.insert(until);
        }
        assert!(times.len() < 400, "{}", times.len());
    }

    #[test]
    fn what_is_lost_or_odd_counts_for_nothing() {
        let n = |number: &str| AttributeValue::N(number.to_owned());
        let item = AttributeMap::from([
            ("until_100".to_owned(), n("2")),
            ("until_200".to_owned(), n("-3")),
            ("until_x".to_owned(), n("7")),
            ("id_a".to_owned(), n("150")),
            ("expires_at".to_owned(), n("9")),
            ("pk".to_owned(), text("a")),
        ]);
        let mut found = members(&item);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ("id_a", 150, 1),
                ("until_100", 100, 2),
                ("until_200", 200, 0)
            ]
        );
    }
}
