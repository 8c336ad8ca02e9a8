//! Tasks between their runs, in the table.
//!
//! The head and each other part are items of their own: an update is charged by the whole item, and
//! most changes are of the head alone, which is small. The head decides: a change is on the condition
//! that it still has the version that was read, and parts that are replaced with it are in the same
//! transaction. For each part the head has the version with which it was written.
//!
//! So a read asks for all items at once, and knows by the head whether a part is too old: the head
//! may be read a moment later than a part that changed with it. Such a part is read again, which is
//! as rare as two who meet within a millisecond. (A transaction of reads costs twice as much, and
//! fails where somebody writes; the head first and then the rest takes twice as long.) It knows as
//! well which parts are left over from an earlier task under this key.
//!
//! Each change leaves a random name: one whose answer was lost finds its name when it is sent again,
//! and was made once.

pub(super) mod write;

use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem};
use bytes::Bytes;
use futures_util::future::try_join_all;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{StoreError, Swapped, TaskPart, TaskParts, TaskStore};

use super::Stores;
use super::attributes::{AttributeMap, expires_at, number, number_of, payload_of, text};
use super::failure::Failure;
use super::limiter::new_name;
use write::{HeadChange, PAUSES_MS, Written, keys};

/// There was none, or it is over.
const FREE: &str = "attribute_not_exists(pk) OR expires_ms <= :now";

impl TaskStore for Stores {
    fn create<'a>(
        &'a self,
        key: &'a str,
        head: Bytes,
        call: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let name = new_name()?;
            // above all versions of an earlier task under this key, which had fewer changes than
            // there are milliseconds
            let version = now_ms;
            let mut item = keys(key, TaskPart::Head);
            item.insert("payload".to_owned(), plain(&head));
            item.insert(written_at(TaskPart::Call), number(version));
            item.extend(changed(version, &name, expires_ms));
            let head = Put::builder()
                .table_name(self.client.table_name())
                .set_item(Some(item))
                .condition_expression(FREE)
                .expression_attribute_values(":now", number(now_ms))
                .return_values_on_condition_check_failure(AllOld)
                .build();
            let head = TransactWriteItem::builder().put(self.built(head)?).build();
            let call = self.part(key, TaskPart::Call, &call, version, expires_ms)?;
            let items = [head, call];
            match self.patiently(|| self.transact(key, &items, false)).await? {
                Written::Refused(there) => Ok(name_of(&there) == Some(&name)),
                _ => Ok(true),
            }
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        parts: &'a [TaskPart],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<TaskParts>, StoreError>> {
        Box::pin(async move {
            let rest = parts.iter().copied().filter(|part| *part != TaskPart::Head);
            let rest: Vec<TaskPart> = rest.collect();
            let mut items = self
                .items(key, &[&[TaskPart::Head], &rest[..]].concat())
                .await?;
            let lives = |head: &AttributeMap| {
                number_of::<u64>(head, "expires_ms").is_some_and(|end_ms| now_ms < end_ms)
            };
            let Some(head) = items.remove(0).filter(lives) else {
                return Ok(None);
            };
            let mut found: Vec<_> = rest.into_iter().zip(items).collect();
            self.renew(key, &head, &mut found).await?;
            let unreadable = || {
                self.client
                    .lasting("has an item of a task that can't be read")
            };
            let version = number_of(&head, "version").ok_or_else(unreadable)?;
            let payload = |part: &TaskPart| {
                if *part == TaskPart::Head {
                    return payload_of(head.clone()).map(Some).ok_or_else(unreadable);
                }
                if !head.contains_key(&written_at(*part)) {
                    return Ok(None);
                }
                let item = found.iter().find(|(known, _)| known == part);
                let item = item.and_then(|(_, item)| item.clone());
                item.and_then(payload_of).map(Some).ok_or_else(unreadable)
            };
            let parts = parts.iter().map(payload).collect::<Result<_, _>>()?;
            Ok(Some(TaskParts { version, parts }))
        })
    }

    fn swap<'a>(
        &'a self,
        key: &'a str,
        version: u64,
        head: Bytes,
        also: Vec<(TaskPart, Bytes)>,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let name = new_name()?;
            let next = version.saturating_add(1);
            let mut sets = changed(next, &name, expires_ms);
            sets.push(("payload".to_owned(), plain(&head)));
            sets.extend(
                also.iter()
                    .map(|(part, _)| (written_at(*part), number(next))),
            );
            let change = HeadChange::new(sets, version, now_ms);
            let written = if also.is_empty() {
                self.patiently(|| self.replace(key, &change)).await?
            } else {
                let mut items = vec![self.change(key, &change)?];
                for (part, bytes) in &also {
                    items.push(self.part(key, *part, bytes, next, expires_ms)?);
                }
                // what was worked for is not left to a breaker
                self.patiently(|| self.transact(key, &items, true)).await?
            };
            let Written::Refused(there) = written else {
                return Ok(Swapped::Done);
            };
            Ok(match number_of::<u64>(&there, "expires_ms") {
                // it was made, and the answer was lost
                Some(_) if name_of(&there) == Some(&name) => Swapped::Done,
                Some(end_ms) if now_ms < end_ms => Swapped::Changed,
                _ => Swapped::Gone,
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            // without its head there is no task
            let head = self.delete(key, TaskPart::Head).await?.unwrap_or_default();
            let written = TaskPart::ALL.into_iter();
            let written = written.filter(|part| head.contains_key(&written_at(*part)));
            try_join_all(written.map(|part| self.delete(key, part))).await?;
            Ok(())
        })
    }
}

impl Stores {
    /// Items of a task, as they are now, in the order of these parts.
    async fn items(
        &self,
        key: &str,
        parts: &[TaskPart],
    ) -> Result<Vec<Option<AttributeMap>>, StoreError> {
        let answer = self
            .client
            .ask(&self.breakers.tasks, key, |dynamodb, table| {
                let requests: Vec<_> = parts
                    .iter()
                    .map(|part| {
                        let request = dynamodb.get_item().table_name(table);
                        let request = request
                            .set_key(Some(keys(key, *part)))
                            .consistent_read(true);
                        async move {
                            let sent = request.send().await;
                            let answer = sent.map_err(|error| Failure::of(error, |_| None))?;
                            Ok(answer.item)
                        }
                    })
                    .collect();
                try_join_all(requests)
            });
        // a read has no condition
        Ok(answer.await?.unwrap_or_default())
    }

    /// Reads parts again that are older than the head.
    async fn renew(
        &self,
        key: &str,
        head: &AttributeMap,
        found: &mut [(TaskPart, Option<AttributeMap>)],
    ) -> Result<(), StoreError> {
        let is_old = |(part, item): &(TaskPart, Option<AttributeMap>)| {
            let least: Option<u64> = number_of(head, &written_at(*part));
            let there = item.as_ref().and_then(|item| number_of(item, "version"));
            least > there
        };
        for pause_ms in [0].into_iter().chain(PAUSES_MS) {
            let old = found.iter().filter(|found| is_old(found));
            let old: Vec<TaskPart> = old.map(|(part, _)| *part).collect();
            if old.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            let items = self.items(key, &old).await?;
            for (part, item) in old.into_iter().zip(items) {
                let place = found.iter_mut().find(|(known, _)| *known == part);
                if let Some(place) = place {
                    place.1 = item;
                }
            }
        }
        match found.iter().any(is_old) {
            true => Err(self.client.lasting("has lost a part of a task")),
            false => Ok(()),
        }
    }

    /// Deletes an item, and gives what it was.
    async fn delete(&self, key: &str, part: TaskPart) -> Result<Option<AttributeMap>, StoreError> {
        let answer = self.client.insist(|dynamodb, table| {
            let request = dynamodb
                .delete_item()
                .table_name(table)
                .set_key(Some(keys(key, part)))
                .return_values(ReturnValue::AllOld);
            async move {
                let sent = request.send().await;
                sent.map_err(|error| Failure::of(error, |_| None))
            }
        });
        // it has no condition
        Ok(answer.await?.ok().and_then(|answer| answer.attributes))
    }
}

/// The head's attribute with the version of a part.
fn written_at(part: TaskPart) -> String {
    format!("{}_at", part.name())
}

/// A head is changed by updates of its attributes, and too small to be worth packing.
fn plain(head: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(head))
}

/// What every change sets.
fn changed(version: u64, name: &str, expires_ms: u64) -> Vec<(String, AttributeValue)> {
    vec![
        ("version".to_owned(), number(version)),
        ("changed_by".to_owned(), text(name)),
        ("expires_ms".to_owned(), number(expires_ms)),
        ("expires_at".to_owned(), expires_at(expires_ms)),
    ]
}

fn name_of(head: &AttributeMap) -> Option<&String> {
    head.get("changed_by")?.as_s().ok()
}
