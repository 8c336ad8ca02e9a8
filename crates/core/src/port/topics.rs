//! The port to what subscriptions need between calls: which state a resource is in, as far as anybody
//! was told, and what a client with a session subscribed to. No implementation of it; what records
//! hold is `subscriptions`.

use bytes::Bytes;

use super::store_error::StoreError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// The name of one state of a record: random bytes, so that it says that a record changed, and not
/// how often.
pub type TopicVersion = [u8; 16];

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRecord {
    /// Which state this is.
    pub version: TopicVersion,
    /// Up to 128 KiB; empty where the version says all.
    pub value: Bytes,
}

/// What has to be there for a record to take its place. What has expired is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Whatever it is.
    Anything,
    /// Nothing.
    Nothing,
    /// The record of this version.
    Version(TopicVersion),
}

/// When a record is written, and until when it is kept, both in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Now, by the clock of who writes.
    pub now_ms: u64,
    /// From then on it is as if it had never been there.
    pub expires_ms: u64,
}

/// Records that change as a whole, for subscriptions: a resource's last change, and what each session
/// subscribed to.
///
/// Keys are as for the other stores. A record that was written is read by every instance from then
/// on, until it expires; of writers who replace the same version, one is the first.
///
/// ```
/// use bytes::Bytes;
/// use mcpfn_core::{handler::BoxFuture, port::{Kept, TopicRecord, Replace, StoreError, Topics}};
/// use std::{collections::HashMap, sync::Mutex};
///
/// /// For tests, which end before anything expires.
/// #[derive(Default)]
/// struct Memory(Mutex<HashMap<String, TopicRecord>>);
///
/// impl Topics for Memory {
///     fn read<'a>(
///         &'a self,
///         keys: &'a [String],
///         _now_ms: u64,
///     ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>> {
///         let records = self.0.lock().unwrap();
///         let found = keys.iter().map(|key| records.get(key).cloned()).collect();
///         Box::pin(async { Ok(found) })
///     }
///
///     fn write<'a>(
///         &'a self,
///         key: &'a str,
///         record: TopicRecord,
///         replace: Replace,
///         _kept: Kept,
///     ) -> BoxFuture<'a, Result<bool, StoreError>> {
///         let mut records = self.0.lock().unwrap();
///         let there = records.get(key).map(|there| there.version);
///         let written = match replace {
///             Replace::Anything => true,
///             // one that is sent twice finds itself
///             _ if there == Some(record.version) => true,
///             Replace::Nothing => there.is_none(),
///             Replace::Version(version) => there == Some(version),
///         };
///         if written {
///             records.insert(key.to_owned(), record);
///         }
///         Box::pin(async move { Ok(written) })
///     }
/// }
/// # mcpfn_testing::block_on(async {
/// let (topics, kept) = (Memory::default(), Kept { now_ms: 0, expires_ms: 10 });
/// let record = |version| TopicRecord { version: [version; 16], value: Bytes::new() };
/// assert!(topics.write("a", record(1), Replace::Nothing, kept).await?);
/// assert!(topics.write("a", record(2), Replace::Version([1; 16]), kept).await?);
/// assert!(!topics.write("a", record(3), Replace::Version([1; 16]), kept).await?);
/// assert_eq!(topics.read(&["a".into(), "b".into()], 0).await?, [Some(record(2)), None]);
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait Topics: MaybeSend + MaybeSync {
    /// The records of these keys, at most 51, in the order of the keys.
    ///
    /// # Errors
    /// When the store does not respond in time.
    fn read<'a>(
        &'a self,
        keys: &'a [String],
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Option<TopicRecord>>, StoreError>>;

    /// Writes a record if what is to be replaced is there, or the record itself: one that is sent
    /// twice is written once. Ends with whether it was.
    ///
    /// # Errors
    /// When the store does not respond in time, or has no room.
    fn write<'a>(
        &'a self,
        key: &'a str,
        record: TopicRecord,
        replace: Replace,
        kept: Kept,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
}
