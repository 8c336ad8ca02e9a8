//! Answers to questions on their way to the call that waits, in the table of results: a letter is a
//! row that is written once, and looked for until it is there.

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Mailbox, StoreError};
use mcpfn_native::shared::{kept_for_ms, letters};
use mcpfn_ports::SqlValue;

use crate::stores::{PostgresStores, blob, number};

impl Mailbox for PostgresStores {
    fn put<'a>(
        &'a self,
        key: &'a str,
        letter: Bytes,
        _now_ms: u64,
        expires_ms: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let kept_for = number(kept_for_ms(expires_ms));
            let parameters = [key.into(), blob(&letter), number(expires_ms), kept_for];
            let (breaker, post) = (&self.breakers.mailbox, &self.client.statements.post);
            self.ask(breaker, key, post, &parameters).await?;
            self.wrote();
            Ok(())
        })
    }

    fn wait<'a>(&'a self, keys: &'a [String]) -> BoxFuture<'a, Result<Vec<Bytes>, StoreError>> {
        Box::pin(letters(keys, |key| Box::pin(self.letter(key))))
    }
}

impl PostgresStores {
    async fn letter(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        // one that is waited for counts, however late it is
        let parameters = [key.into(), number(0)];
        let (breaker, get) = (&self.breakers.mailbox, &self.client.statements.get);
        let mut rows = self.ask(breaker, key, get, &parameters).await?.rows;
        let row = rows.first_mut().and_then(|row| row.first_chunk_mut());
        let Some([SqlValue::Integer(_), SqlValue::Blob(letter)]) = row else {
            return Ok(None);
        };
        Ok(Some(Bytes::from(std::mem::take(letter))))
    }
}
