//! What changes: a resource, of which a handler says so; and what a session is subscribed to.

use bytes::Bytes;

use super::row::SubscribedResources;
use super::{STORE, mark, new_version, read, session_key, topic};
use crate::context::Cx;
use crate::jsonrpc::Error;
use crate::model::subscription::{KEPT_MS, SubscribedServer};
use crate::policy::asked::asked;
use crate::port::Platform;
use crate::port::topics::{Kept, Replace, TopicRecord};
use crate::principal::Principal;
use crate::server::Server;

/// How often a session's resources are tried to be changed that others change at the same time.
const TRIES: usize = 5;

impl Cx {
    /// Says that a resource of this server has changed: its subscribers are told, whichever instance
    /// they ask. It does nothing where the operator has no subscriptions (`MCPFN_SUBSCRIPTIONS`). An
    /// outage of the store costs a second at most and never fails the call; the log hears of it.
    ///
    /// ```
    /// use mcpfn_core::{Cx, NoArguments, Server, Tool};
    ///
    /// async fn restock(_: NoArguments, cx: Cx) -> &'static str {
    ///     // .. write first, then say so
    ///     cx.changed("shop://stock").await;
    ///     "restocked"
    /// }
    ///
    /// let restock = Tool::new("restock").description("Restocks.").handler(restock);
    /// assert!(Server::builder("shop", "1.0.0").tool(restock).build().is_ok());
    /// ```
    pub async fn changed(&self, uri: &str) {
        let platform = self.platform();
        let (Some(topics), Ok(SubscribedServer(server))) =
            (&platform.topics, self.state::<SubscribedServer>())
        else {
            return;
        };
        let now_ms = platform.clock.now_ms();
        let expires_ms = now_ms.saturating_add(KEPT_MS);
        let (key, kept) = (topic(server, uri), Kept { now_ms, expires_ms });
        let record = TopicRecord {
            version: new_version(platform),
            value: Bytes::new(),
        };
        let write = topics.write(&key, record, Replace::Anything, kept);
        if let Err(error) = asked(&platform.timer, write).await {
            platform.store_failed(STORE, &error);
        }
    }
}

/// A change of what a session is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubscriptionChange {
    Subscribe,
    Unsubscribe,
}

/// Whose subscriptions change.
#[derive(Clone, Copy)]
pub(crate) struct Subscriber<'a> {
    pub(crate) server: &'a Server,
    pub(crate) principal: &'a Principal,
    pub(crate) session: &'a str,
    pub(crate) platform: &'a Platform,
}

impl Subscriber<'_> {
    /// Where its resources are kept.
    pub(super) fn key(self) -> String {
        let principal = self.principal.key();
        session_key(self.server.name(), &principal, self.session)
    }

    /// Subscribes to a resource, or unsubscribes from it.
    pub(crate) async fn change(self, uri: &str, change: SubscriptionChange) -> Result<(), Error> {
        let platform = self.platform;
        let Some(topics) = &platform.topics else {
            return Err(unavailable());
        };
        let failed = |error| {
            platform.store_failed(STORE, &error);
            unavailable()
        };
        let keys = [self.key(), topic(self.server.name(), uri)];
        for _ in 0..TRIES {
            let mut found = read(topics, &keys, platform).await.map_err(failed)?;
            let state = mark(found.pop().flatten().as_ref());
            let (mut row, replace) = match found.pop().flatten() {
                Some(record) => (
                    SubscribedResources::read(&record.value),
                    Replace::Version(record.version),
                ),
                None => (SubscribedResources::default(), Replace::Nothing),
            };
            let now_ms = platform.clock.now_ms();
            let to_write = match change {
                SubscriptionChange::Subscribe => row.subscribe(uri, state, now_ms)?,
                SubscriptionChange::Unsubscribe => row.unsubscribe(uri),
            };
            if !to_write {
                return Ok(());
            }
            let kept = row.renew(now_ms);
            let record = TopicRecord {
                version: new_version(platform),
                value: row.write().into(),
            };
            let write = topics.write(&keys[0], record, replace, kept);
            if asked(&platform.timer, write).await.map_err(failed)? {
                return Ok(());
            }
        }
        Err(Error::internal(
            "this session's subscriptions change too often at the same time: call again",
        ))
    }
}

pub(crate) fn unavailable() -> Error {
    Error::internal("subscriptions are unavailable for now: call again later")
}
