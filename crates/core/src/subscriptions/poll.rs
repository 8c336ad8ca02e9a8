//! What a client with a session is told when it asks for changes: the resources that changed since it
//! was told last, and when to ask again. How that is written as events is the transport's business.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::change::Subscriber;
use super::row::SubscribedResources;
use super::{STORE, admits, mark, new_version, read, topic};
use crate::jsonrpc::{Error, to_json, write_notification};
use crate::policy::asked::asked;
use crate::policy::audit::ImmediateCall;
use crate::policy::rate_limit;
use crate::port::topics::{Replace, TopicRecord};
use crate::port::{Platform, StoreError};
use crate::principal::Principal;
use crate::round_trip::seen::{SeenStates, SessionEvents};
use crate::server::Server;
use crate::session::Session;
use crate::version::Revision;

/// How long a client waits before it asks again.
const RETRY: Duration = Duration::from_secs(30);

/// What a client with a session is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updates {
    /// Notifications, as JSON.
    pub notifications: Vec<Bytes>,
    /// The id of the last event, with which the client asks again.
    pub id: Option<String>,
    /// How long the client waits until then.
    pub retry: Duration,
}

/// One question for changes.
struct Poll {
    server: Server,
    platform: Arc<Platform>,
    principal: Arc<Principal>,
    session: String,
    /// As the client sent it.
    last_event_id: Option<String>,
}

impl Server {
    /// Whether clients with a session can ask for changes of resources.
    #[must_use]
    pub fn polls(&self) -> bool {
        let capabilities = self.capabilities();
        capabilities.subscriptions.poll && capabilities.resources.is_some()
    }

    /// What a session is told of changes since the event of this id, or since it subscribed.
    /// `session` is the text of a token that [`Session::read`] takes. It never fails: a client whom
    /// nothing can be told for now, because the store is down or it asks too often, is told to
    /// come again, and misses nothing by that. Clients give up on a stream that is refused.
    pub async fn updates(
        &self,
        session: &str,
        last_event_id: Option<&str>,
        principal: &Arc<Principal>,
        platform: &Arc<Platform>,
    ) -> Updates {
        let poll = Poll {
            server: self.clone(),
            platform: Arc::clone(platform),
            principal: Arc::clone(principal),
            session: session.to_owned(),
            last_event_id: last_event_id.map(str::to_owned),
        };
        poll.audited().await
    }
}

impl Poll {
    async fn audited(self) -> Updates {
        let (platform, started_ms) = (&*self.platform, self.platform.clock.now_ms());
        let admitted = rate_limit::admit_list(platform, self.server.name(), &self.principal);
        let updates = match admitted.await {
            Ok(()) => self.updates().await.map_err(|error| {
                platform.store_failed(STORE, &error);
                Error::internal("subscriptions are unavailable for now")
            }),
            Err(error) => Err(error),
        };
        let revision = Session::read(&self.session).map(|session| session.revision);
        let told = updates.as_ref().map(|updates| {
            let bytes = updates.notifications.iter().map(Bytes::len);
            bytes.sum()
        });
        ImmediateCall {
            revision: revision.unwrap_or(Revision::ASSUMED),
            method: "GET",
            id: "",
            principal: &self.principal,
            trace: None,
            duration_ms: platform.clock.now_ms().saturating_sub(started_ms),
        }
        .audit(platform, told);
        updates.unwrap_or_else(|_| Updates {
            notifications: Vec::new(),
            // what the client knows of, it still knows
            id: self.last_seen().and(self.last_event_id),
            retry: RETRY,
        })
    }

    /// What the client has seen, by the id that it sent.
    fn last_seen(&self) -> Option<SeenStates> {
        let id = self.last_event_id.as_deref()?;
        let principal = self.principal.key();
        self.stream(&principal).read(id, &self.platform.keys)
    }

    fn stream<'a>(&'a self, principal: &'a str) -> SessionEvents<'a> {
        SessionEvents {
            server: self.server.name(),
            principal,
            session: &self.session,
        }
    }

    async fn updates(&self) -> Result<Updates, StoreError> {
        let platform = &*self.platform;
        let topics = platform.topics.as_ref();
        let topics = topics.ok_or_else(|| StoreError::new("the host has none"))?;
        let subscriber = Subscriber {
            server: &self.server,
            principal: &self.principal,
            session: &self.session,
            platform,
        };
        let key = [subscriber.key()];
        let mut there = read(topics, &key, platform).await?;
        let mut row = SubscribedResources::default();
        if let Some(record) = there.pop().flatten() {
            row = SubscribedResources::read(&record.value);
            self.renew(&key[0], &mut row, record).await;
        }
        // what the caller may no longer read it hears nothing of
        let readable = |(uri, _): &(&str, u64)| admits(&self.server, uri, &self.principal).is_ok();
        let resources: Vec<(&str, u64)> = row.resources().filter(readable).collect();
        let keys = resources.iter();
        let keys: Vec<String> = keys
            .map(|(uri, _)| topic(self.server.name(), uri))
            .collect();
        let records = match keys.is_empty() {
            true => Vec::new(),
            false => read(topics, &keys, platform).await?,
        };
        let known = self.last_seen().unwrap_or_default();
        let (mut notifications, mut seen) = (Vec::new(), SeenStates::default());
        for (((uri, subscribed), key), record) in resources.iter().zip(&keys).zip(&records) {
            let known = known.find(key).unwrap_or(*subscribed);
            let state = mark(record.as_ref());
            // a state that is not known any more is no change
            if state != 0 && state != known {
                notifications.push(updated(uri));
            }
            seen.add(key, if state == 0 { known } else { state });
        }
        let principal = self.principal.key();
        let stream = self.stream(&principal);
        Ok(Updates {
            notifications,
            id: stream.write(&seen, &platform.keys, &*platform.random),
            retry: RETRY,
        })
    }

    /// Keeps what a client subscribed to while it is there. Another client's write comes first.
    async fn renew(&self, key: &str, row: &mut SubscribedResources, there: TopicRecord) {
        let platform = &*self.platform;
        let now_ms = platform.clock.now_ms();
        let Some(topics) = platform.topics.as_ref().filter(|_| row.is_old(now_ms)) else {
            return;
        };
        let kept = row.renew(now_ms);
        let record = TopicRecord {
            version: new_version(platform),
            value: row.write().into(),
        };
        let write = topics.write(key, record, Replace::Version(there.version), kept);
        if let Err(error) = asked(&platform.timer, write).await {
            platform.store_failed(STORE, &error);
        }
    }
}

fn updated(uri: &str) -> Bytes {
    let params = to_json(&json!({ "uri": uri }));
    write_notification("notifications/resources/updated", &params).into()
}
