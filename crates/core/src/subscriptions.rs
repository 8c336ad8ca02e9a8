//! Subscriptions without sessions in memory: a resource's change is a record that all instances read,
//! a client with a handshake asks for changes from time to time (`poll`), and one without listens
//! for a while (`dispatch/listen`). No store of it; that is `port::Topics`.

mod change;
mod poll;
mod row;

use std::sync::Arc;

use crate::canonical::digest_key;
use crate::jsonrpc::{Error, ErrorCode};
use crate::model::subscription::URI_BYTES;
use crate::policy::asked::asked;
use crate::policy::scope;
use crate::port::topics::{TopicRecord, TopicVersion, Topics};
use crate::port::{Platform, StoreError};
use crate::principal::Principal;
use crate::server::Server;
use crate::server::target::Target;
use crate::text;

pub(crate) use change::{Subscriber, SubscriptionChange, unavailable};
pub use poll::Updates;

/// What the log calls the port.
pub(crate) const STORE: &str = "topics";

/// The state of a resource, as a number that is kept in its place; 0 where nobody said that it
/// changed.
pub(crate) fn mark(record: Option<&TopicRecord>) -> u64 {
    record.map_or(0, |record| {
        record
            .version
            .first_chunk()
            .map_or(0, |first| u64::from_be_bytes(*first))
    })
}

/// A state that no record had before.
pub(crate) fn new_version(platform: &Platform) -> TopicVersion {
    let mut version = TopicVersion::default();
    platform.random.fill(&mut version);
    // never 0, which is no state
    version[0] |= 0x80;
    version
}

/// The key of a resource's last change: the same for every caller.
pub(crate) fn topic(server: &str, uri: &str) -> String {
    digest_key(&[b"topic", server.as_bytes(), uri.as_bytes()])
}

/// The key of what a session subscribed to. A session is no secret: its caller's name is in it, so
/// that nobody else's is found.
pub(crate) fn session_key(server: &str, principal: &str, session: &str) -> String {
    let parts = [server.as_bytes(), principal.as_bytes(), session.as_bytes()];
    digest_key(&[b"subscriptions", parts[0], parts[1], parts[2]])
}

/// The records of some keys, within the time of a question to a store.
pub(crate) async fn read(
    topics: &Arc<dyn Topics>,
    keys: &[String],
    platform: &Platform,
) -> Result<Vec<Option<TopicRecord>>, StoreError> {
    let now_ms = platform.clock.now_ms();
    let found = asked(&platform.timer, topics.read(keys, now_ms)).await?;
    if found.len() == keys.len() {
        return Ok(found);
    }
    Err(StoreError::new("it gave other records than asked for"))
}

/// Whether this caller may be told of changes of a resource: it is there, and the caller may read it.
/// What is behind another server is not: nobody here hears of its changes.
pub(crate) fn admits(server: &Server, uri: &str, principal: &Principal) -> Result<(), Error> {
    if uri.len() > URI_BYTES {
        return Err(Error::invalid_params(format!(
            "a resource to subscribe to has a URI of at most {URI_BYTES} bytes"
        )));
    }
    // in the words of the revisions that have an error to read here
    let unknown = |why: &str| {
        let sentence = format!("resource {} {why}", text::quoted(uri));
        let error = Error::new(ErrorCode::RESOURCE_NOT_FOUND, sentence);
        error.with_data(serde_json::json!({ "uri": uri }))
    };
    let (resource, _) = server
        .registry()
        .resource(uri)
        .ok_or_else(|| unknown("does not exist"))?;
    if resource.upstream.is_some() {
        return Err(unknown(
            "belongs to a server behind this one, of whose changes nobody is told here",
        ));
    }
    scope::admit(&Target::Resource(Arc::clone(resource)), principal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_callers_own() {
        let key = session_key("shop", "jwt:alice", "1.2025-11-25.0.A");
        for other in [
            session_key("shop", "jwt:mallory", "1.2025-11-25.0.A"),
            session_key("bank", "jwt:alice", "1.2025-11-25.0.A"),
            session_key("shop", "jwt:alice", "1.2025-11-25.0.B"),
            topic("shop", "jwt:alice"),
        ] {
            assert_ne!(key, other);
        }
    }
}
