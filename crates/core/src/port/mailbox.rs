//! The port to what clients answer on another connection than the one on which they were asked. No
//! implementation of it; who asks is `dispatch/ask`.

use bytes::Bytes;

use super::store_error::StoreError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Answers to questions of running calls, on their way from the instance that a client answered to
/// the one that waits. A question is asked once, so what is kept for it is one letter.
///
/// Keys are as for the other stores. A letter is kept until `expires_ms`, or until it was given to
/// whoever waited.
///
/// ```
/// use bytes::Bytes;
/// use mcpfn_core::{handler::BoxFuture, port::{Mailbox, StoreError}};
/// use std::{collections::HashMap, sync::Mutex};
///
/// /// For one thread, where nothing has to be waited for.
/// #[derive(Default)]
/// struct Memory(Mutex<HashMap<String, Bytes>>);
///
/// impl Mailbox for Memory {
///     fn put<'a>(
///         &'a self,
///         key: &'a str,
///         letter: Bytes,
///         _now_ms: u64,
///         _expires_ms: u64,
///     ) -> BoxFuture<'a, Result<(), StoreError>> {
///         self.0.lock().unwrap().entry(key.to_owned()).or_insert(letter);
///         Box::pin(async { Ok(()) })
///     }
///
///     fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
///         let letters = self.0.lock().unwrap();
///         let found = keys.iter().map(|key| letters[key].clone()).collect();
///         Box::pin(async { Ok(found) })
///     }
/// }
/// # mcpfn_testing::block_on(async {
/// let mailbox = Memory::default();
/// mailbox.put("a", "yes".into(), 0, 10).await?;
/// mailbox.put("a", "no".into(), 0, 10).await?; // the first letter counts
/// assert_eq!(mailbox.wait(&["a".to_owned()]).await?, ["yes"]);
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
pub trait Mailbox: MaybeSend + MaybeSync {
    /// Keeps a letter until `expires_ms` (milliseconds since 1970), unless there is one under this
    /// key already, which is no error.
    ///
    /// # Errors
    /// When the store does not respond in time, or has no room.
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Waits until there is a letter under each of these keys, and gives them in the order of the
    /// keys. It has no limit of its own: who waits drops it.
    ///
    /// # Errors
    /// When the store can't be asked.
    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>>;
}
