//! `subscriptions/listen`: a stream on which a client without a handshake hears of changes, for as
//! long as the host holds it. The store is looked at from time to time, because an instance hears
//! nothing from another one.

mod tasks;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::call::Call;
use crate::join::sooner;
use crate::jsonrpc::{Error, Object, to_json, write_notification};
use crate::model::JsonObject;
use crate::model::meta::TraceContext;
use crate::model::subscription::{Listening, MOST};
use crate::outbox::Outbox;
use crate::policy::audit::ImmediateCall;
use crate::policy::rate_limit;
use crate::port::{Platform, milliseconds};
use crate::principal::Principal;
use crate::running::{Execution, Running};
use crate::server::Server;
use crate::subscriptions::{STORE, admits, mark, read, topic, unavailable};
use crate::text;
use crate::version::Revision;
use tasks::FollowedTasks;

const METHOD: &str = "subscriptions/listen";
/// By which a client tells streams apart: the id of the request that opened each.
pub(super) const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
/// What is left of the host's time when a stream ends, in milliseconds.
pub(super) const MARGIN_MS: u64 = 1_000;

/// What a client wants to hear (`SubscriptionFilter`). Kinds that are not served are not read, and
/// not acknowledged: lists change only with a deployment.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    resource_subscriptions: Option<Vec<String>>,
    /// SEP-2663
    #[serde(default)]
    task_ids: Option<Vec<String>>,
}

/// What it will hear.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Honoured {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_subscriptions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    task_ids: Vec<String>,
}

impl Wanted {
    /// What of it this caller is told of: what it may not read, or is not there, is left out. Whose
    /// the tasks are is not looked at yet.
    fn honoured(self, server: &Server, call: &Call<'_>) -> Result<Honoured, Error> {
        let mut uris = self.resource_subscriptions.unwrap_or_default();
        if uris.len() > MOST {
            return Err(Error::invalid_params(format!(
                "`params.notifications.resourceSubscriptions` may have at most {MOST} URIs"
            )));
        }
        uris.retain(|uri| admits(server, uri, &call.principal).is_ok());
        uris.sort_unstable();
        uris.dedup();
        Ok(Honoured {
            resource_subscriptions: uris,
            task_ids: tasks::wanted(self.task_ids, server, call)?,
        })
    }
}

/// The error of a method that is not served. Who would listen is told what to do in its place.
pub(super) fn not_found(method: &str) -> Error {
    let mut error = Error::method_not_found(method);
    if method == METHOD {
        let advice =
            "this server holds no streams between calls: read again once `ttlMs` has passed";
        error.message = format!("{}; {advice}", error.message).into();
    }
    error
}

pub(super) fn listen(
    server: &Server,
    call: &mut Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let Object(wanted) = call.params.notifications::<Object<Wanted>>()?;
    let honoured = wanted.honoured(server, call)?;
    if !call.streams {
        return Err(Error::invalid_request(format!(
            "the answer to `{METHOD}` is a stream: send `Accept: application/json, \
             text/event-stream`, over a connection that carries one"
        )));
    }
    let Some(listening) = server.capabilities().subscriptions.listen else {
        return Err(not_found(METHOD));
    };
    let outbox = Outbox::default();
    let now_ms = platform.clock.now_ms();
    let deadline_ms = call.deadline_ms.unwrap_or(u64::MAX);
    let stream = ListenStream {
        subscription: call.id.as_json().to_owned(),
        outbox: outbox.clone(),
        listening,
        until_ms: deadline_ms
            .saturating_sub(MARGIN_MS)
            .min(now_ms.saturating_add(milliseconds(listening.at_most))),
        entry: StreamEntry::new(server, call, METHOD, platform),
    };
    let id = call.id.as_json().into();
    let hold = Box::pin(stream.hold(honoured));
    let running = Running::new(id, false, outbox, hold);
    Ok(Execution::Running(running.held()))
}

/// Resources, with the state of each that the client has heard of.
type Heard = Vec<(String, u64)>;

/// A stream that is held.
struct ListenStream {
    /// JSON text of its id.
    subscription: String,
    outbox: Outbox,
    listening: Listening,
    until_ms: u64,
    entry: StreamEntry,
}

impl ListenStream {
    /// Ends with the result, once the time of the stream is over, or the instance is to end.
    async fn hold(mut self, honoured: Honoured) -> Result<Vec<u8>, Error> {
        let begun = self.begin(honoured).await;
        let begun = begun.inspect_err(|error| self.entry.refused = Some(error.clone()))?;
        let (mut resources, mut tasks) = begun;
        loop {
            self.tell_of_tasks(&mut tasks).await;
            let left = self.until_ms.saturating_sub(self.platform().clock.now_ms());
            // a stream that nothing could come on is not held
            if left == 0 || (resources.is_empty() && tasks.is_over()) {
                break;
            }
            let pause = self.listening.every.min(Duration::from_millis(left));
            let pause = self.platform().timer.sleep(pause);
            if sooner(self.platform().shutdown(), pause).await.is_ok() {
                break;
            }
            self.tell_of_resources(&mut resources).await;
        }
        let server = &self.entry.server;
        let meta = self.meta();
        let revision = self.entry.revision;
        Ok(server.results().complete(revision, b"{}", &meta, ""))
    }

    /// Tells the client what it will hear, once it is known what it has heard of.
    async fn begin(&self, mut honoured: Honoured) -> Result<(Heard, FollowedTasks), Error> {
        let (server, platform) = (self.entry.server.name(), self.platform());
        let principal = &self.entry.principal;
        rate_limit::admit_list(platform, server, principal).await?;
        let ids = std::mem::take(&mut honoured.task_ids);
        let tasks = FollowedTasks::find(ids, server, &principal.key(), platform).await?;
        honoured.task_ids = tasks.ids();
        let states = self.states(&honoured.resource_subscriptions).await?;
        let acknowledged = json!({ "notifications": honoured });
        self.tell("notifications/subscriptions/acknowledged", acknowledged);
        let resources = honoured.resource_subscriptions.into_iter().zip(states);
        Ok((resources.collect(), tasks))
    }

    /// Tells of tasks whose state the client does not know.
    async fn tell_of_tasks(&self, tasks: &mut FollowedTasks) {
        let now_ms = self.platform().clock.now_ms();
        for state in tasks.changes(now_ms, self.listening.every).await {
            // a result may be large, and is written as it was kept
            let meta = to_json(&json!({ "_meta": self.meta() }));
            let params = [&meta[..meta.len() - 1], b",", &state[1..]].concat();
            self.outbox
                .tell(write_notification("notifications/tasks", &params));
        }
    }

    /// Tells of resources that changed since.
    async fn tell_of_resources(&self, resources: &mut Heard) {
        let uris: Vec<String> = resources.iter().map(|(uri, _)| uri.clone()).collect();
        // an outage is told to the log, and over when it is over: no change is lost by it
        let Ok(states) = self.states(&uris).await else {
            return;
        };
        for ((uri, known), state) in resources.iter_mut().zip(states) {
            if state != 0 && state != *known {
                *known = state;
                self.tell("notifications/resources/updated", json!({ "uri": uri }));
            }
        }
    }

    /// The states of resources.
    async fn states(&self, uris: &[String]) -> Result<Vec<u64>, Error> {
        let (server, platform) = (&self.entry.server, self.platform());
        let keys: Vec<String> = uris.iter().map(|uri| topic(server.name(), uri)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let topics = platform.topics.as_ref().ok_or_else(unavailable)?;
        let records = read(topics, &keys, platform).await.map_err(|error| {
            platform.store_failed(STORE, &error);
            unavailable()
        })?;
        Ok(records.iter().map(|record| mark(record.as_ref())).collect())
    }

    fn tell(&self, method: &str, mut params: Value) {
        params["_meta"] = Value::Object(self.meta());
        self.outbox
            .tell(write_notification(method, &to_json(&params)));
    }

    /// What everything on the stream is told apart by.
    fn meta(&self) -> JsonObject {
        let id = RawValue::from_string(self.subscription.clone());
        let id = id.ok().and_then(|id| serde_json::to_value(id).ok());
        let id = id.unwrap_or_default();
        text::members([(SUBSCRIPTION_ID.to_owned(), id)].into_iter())
    }

    fn platform(&self) -> &Arc<Platform> {
        &self.entry.platform
    }
}

/// The stream's entry in the audit log, written when it ends or is dropped: a client that leaves is
/// how most of them end.
pub(super) struct StreamEntry {
    method: &'static str,
    server: Server,
    platform: Arc<Platform>,
    principal: Arc<Principal>,
    revision: Revision,
    id: String,
    trace: TraceContext,
    started_ms: u64,
    refused: Option<Error>,
}

impl StreamEntry {
    pub(super) fn new(
        server: &Server,
        call: &Call<'_>,
        method: &'static str,
        platform: &Arc<Platform>,
    ) -> Self {
        Self {
            method,
            server: server.clone(),
            platform: Arc::clone(platform),
            principal: Arc::clone(&call.principal),
            revision: call.revision,
            id: call.id.as_json().to_owned(),
            trace: call.meta.trace.clone(),
            started_ms: platform.clock.now_ms(),
            refused: None,
        }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// JSON text of the request's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The stream did not begin.
    pub(super) fn refuse(&mut self, error: &Error) {
        self.refused = Some(error.clone());
    }
}

impl Drop for StreamEntry {
    fn drop(&mut self) {
        let now_ms = self.platform.clock.now_ms();
        ImmediateCall {
            revision: self.revision,
            method: self.method,
            id: &self.id,
            principal: &self.principal,
            trace: Some(&self.trace),
            duration_ms: now_ms.saturating_sub(self.started_ms),
        }
        .audit(&self.platform, self.refused.as_ref().map_or(Ok(0), Err));
    }
}
