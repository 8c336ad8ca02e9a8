//! From a method's name to the function that serves it: the list of what is served.

mod ask;
mod audited;
mod call;
mod complete;
mod ended;
pub(crate) mod events;
mod handler;
mod listen;
mod merged;
mod method;
pub(crate) mod parts;
mod read;
mod sibling;
mod skills;
mod start;
mod subscribe;
pub(crate) mod tasks;

use std::borrow::Cow;
use std::sync::Arc;

use crate::call::{Call, Envelope};
use crate::event::registry::ServerEvents;
use crate::jsonrpc::Error;
use crate::model::list_kind::ListKind;
use crate::policy::audit::ImmediateCall;
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::principal::Principal;
use crate::running::{Execution, RpcResponse};
use crate::server::Server;
use crate::server::lists::PageRequest;
use crate::skill::Shelf;
use crate::subscriptions::SubscriptionChange;
use crate::version::Revision;
use audited::{OwnedRequest, audited};
use method::Method;

impl Server {
    /// Answers one call. Nothing runs before the reply is polled, and nothing is left of it after
    /// it is dropped.
    #[must_use]
    pub fn reply(&self, call: Call<'_>, platform: &Arc<Platform>) -> Execution {
        dispatch(self, call, platform)
    }

    /// Answers a request that its transport refuses before it is a call, and audits that.
    #[must_use]
    pub fn refuse(
        &self,
        envelope: &Envelope<'_>,
        revision: Revision,
        principal: &Principal,
        error: &Error,
        platform: &Platform,
    ) -> RpcResponse {
        // a method that is not served is the client's text, which no log gets
        let method = Method::find(&envelope.method, revision, self.capabilities())
            .map_or("", Method::as_str);
        let call = ImmediateCall {
            revision,
            method,
            id: envelope.id.as_json(),
            principal,
            trace: None,
            duration_ms: 0,
        };
        call.audit(platform, Err(error));
        RpcResponse::error(Some(envelope.id.as_json()), error)
    }

    /// Whether a method is served under a revision.
    #[must_use]
    pub fn serves(&self, method: &str, revision: Revision) -> bool {
        Method::find(method, revision, self.capabilities()).is_some()
    }
}

/// Serves one call. What is answered at once is audited here, the rest when it ends. Once in a
/// program, although two call it: it is large.
#[inline(never)]
fn dispatch(server: &Server, mut call: Call<'_>, platform: &Arc<Platform>) -> Execution {
    let (id, call) = (call.id.as_json(), &mut call);
    let Some(method) = Method::find(&call.method, call.revision, server.capabilities()) else {
        // the method's name is the client's own text here, and the audit log holds none of that
        let error = listen::not_found(&call.method);
        audit(call, platform, "", Err(&error));
        return Execution::Done(RpcResponse::error(Some(id), &error));
    };
    let execution = match method {
        Method::Discover => {
            let scopes = call.principal.listing_scopes(ListKind::Tools);
            Ok(done(id, &server.discovery(&scopes)))
        }
        Method::Initialize => call.params.protocol_version().map(|version| {
            let scopes = call.principal.listing_scopes(ListKind::Tools);
            done(id, &server.initialization(&version, &scopes))
        }),
        Method::Ping => Ok(done(id, b"{}")),
        // checked and then forgotten: the level would belong to a session, and there is none
        Method::SetLogLevel => call.params.level().map(|_| done(id, b"{}")),
        Method::ListTools => list(server, call, method, ListKind::Tools, platform),
        Method::ListResources => list(server, call, method, ListKind::Resources, platform),
        Method::ListTemplates => list(server, call, method, ListKind::Templates, platform),
        Method::ListPrompts => list(server, call, method, ListKind::Prompts, platform),
        Method::CallTool => call::tool(server, call, platform),
        Method::GetPrompt
        | Method::ReadResource
        | Method::Complete
        | Method::Listen
        | Method::GetTask
        | Method::UpdateTask
        | Method::CancelTask => parts::serve(server, call, method, platform),
        Method::ListEvents
        | Method::PollEvents
        | Method::StreamEvents
        | Method::SubscribeEvents
        | Method::UnsubscribeEvents => match ServerEvents::of(server) {
            Some(events) => (events.serve)(server, call, method.as_str(), platform),
            None => Err(listen::not_found(&call.method)),
        },
        Method::Subscribe => {
            subscribe::change(server, call, SubscriptionChange::Subscribe, platform)
        }
        Method::Unsubscribe => {
            subscribe::change(server, call, SubscriptionChange::Unsubscribe, platform)
        }
        Method::ListSkills | Method::GetSkill | Method::ReadDirectory => {
            skills::serve(server, call, method, platform)
        }
    };
    if let Some(response) = match &execution {
        Ok(Execution::Done(response)) => Some(Ok(response.message.len())),
        Ok(Execution::Running(_)) => None,
        Err(error) => Some(Err(error)),
    } {
        audit(call, platform, method.as_str(), response);
    }
    execution.unwrap_or_else(|error| Execution::Done(RpcResponse::error(Some(id), &error)))
}

fn audit(call: &Call<'_>, platform: &Platform, method: &str, response: Result<usize, &Error>) {
    let Call {
        revision,
        principal,
        ..
    } = call;
    let trace = Some(&call.meta.trace);
    ImmediateCall {
        revision: *revision,
        method,
        id: call.id.as_json(),
        principal,
        trace,
        duration_ms: 0,
    }
    .audit(platform, response);
}

fn done(id: &str, result: &[u8]) -> Execution {
    Execution::Done(RpcResponse::result(id, result))
}

fn list(
    server: &Server,
    call: &Call<'_>,
    method: Method,
    kind: ListKind,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    // a server without upstreams has its lists as bytes and answers at once
    if has_others(server) || rate_limit::counts_lists(platform) {
        return counted_list(server, call, method, kind, platform);
    }
    let cursor = call.params.cursor()?;
    let scopes = call.principal.listing_scopes(kind);
    let request = PageRequest {
        revision: call.revision,
        cursor: cursor.as_deref(),
        scopes: &scopes,
    };
    let page = server.list_page(kind, &request)?;
    Ok(done(call.id.as_json(), &page))
}

/// Whether lists have entries that are not known before they are asked for.
fn has_others(server: &Server) -> bool {
    let registry = server.registry();
    !registry.upstreams().is_empty() || registry.skills().is_some_and(Shelf::has_sources)
}

/// The same, after the caller's rate limit was asked, and with the lists of upstreams.
fn counted_list(
    server: &Server,
    call: &Call<'_>,
    method: Method,
    kind: ListKind,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let cursor = call.params.cursor()?.map(Cow::into_owned);
    let started_ms = platform.clock.now_ms();
    let merge = has_others(server).then(|| parts::merge(server)).flatten();
    let merge = merge.map(|page| (page, merged::cx(server, call, started_ms, platform)));
    let list = |request: OwnedRequest| async move {
        let (server, platform) = (&request.server, &request.platform);
        rate_limit::admit_list(platform, server.name(), &request.principal).await?;
        let scopes = request.principal.listing_scopes(kind);
        let page = PageRequest {
            revision: request.revision,
            cursor: cursor.as_deref(),
            scopes: &scopes,
        };
        match &merge {
            Some((merged, cx)) => merged(server, kind, &page, cx, platform).await,
            None => server.list_page(kind, &page).map(Cow::into_owned),
        }
    };
    Ok(audited(server, call, method.as_str(), platform, list))
}
