//! Answers to questions on their way to the call that waits, in Redis. A letter is a key that is set
//! once, and looked for until it is there.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Mailbox, StoreError};
use mcpfn_native::shared::{kept_for_ms, letters};

use crate::stores::{RedisQuestion, RedisStores};

impl Mailbox for RedisStores {
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        _now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut set = redis::cmd("SET");
            set.arg(self.key('l', key)).arg(&letter[..]).arg("NX");
            set.arg("PX").arg(kept_for_ms(expires_ms));
            let set = RedisQuestion::Command(set);
            // `nil` when there is one already
            let _: Option<()> = self.ask(&self.breakers.mailbox, key, &set).await?;
            Ok(())
        })
    }

    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(letters(keys, |key| Box::pin(self.letter(key))))
    }
}

impl RedisStores {
    async fn letter(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.key('l', key));
        let get = RedisQuestion::Command(get);
        self.ask(&self.breakers.mailbox, key, &get).await
    }
}
