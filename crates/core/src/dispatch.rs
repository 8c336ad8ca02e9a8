//! From a method's name to the function that serves it: the list of what is served.

pub(crate) mod active_call;
mod call;
mod complete;
mod deadline;
mod merged;
mod read;

use std::sync::Arc;

use crate::call::{Call, Envelope};
use crate::jsonrpc::Error;
use crate::model::capabilities::ServerCapabilities;
use crate::policy::audit::ImmediateCall;
use crate::port::Platform;
use crate::principal::Principal;
use crate::running::{Execution, RpcResponse};
use crate::server::Server;
use crate::server::lists::RenderedList;
use crate::version::Revision;

/// A method that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Discover,
    Initialize,
    Ping,
    SetLogLevel,
    ListTools,
    CallTool,
    ListResources,
    ListTemplates,
    ReadResource,
    ListPrompts,
    GetPrompt,
    Complete,
}

impl Method {
    /// `None` for what is unknown, removed from this revision, or belongs to a feature that the
    /// server does not have.
    pub(crate) fn find(name: &str, revision: Revision, has: &ServerCapabilities) -> Option<Self> {
        let modern = revision.is_modern();
        let (method, served) = match name {
            "server/discover" => (Self::Discover, modern),
            "initialize" => (Self::Initialize, !modern),
            "ping" => (Self::Ping, !modern),
            "logging/setLevel" => (Self::SetLogLevel, !modern && has.logging.is_some()),
            "tools/list" => (Self::ListTools, has.tools.is_some()),
            "tools/call" => (Self::CallTool, has.tools.is_some()),
            "resources/list" => (Self::ListResources, has.resources.is_some()),
            "resources/templates/list" => (Self::ListTemplates, has.resources.is_some()),
            "resources/read" => (Self::ReadResource, has.resources.is_some()),
            "prompts/list" => (Self::ListPrompts, has.prompts.is_some()),
            "prompts/get" => (Self::GetPrompt, has.prompts.is_some()),
            "completion/complete" => (Self::Complete, has.completions.is_some()),
            _ => return None,
        };
        served.then_some(method)
    }

    /// The name on the wire.
    fn as_str(self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Initialize => "initialize",
            Self::Ping => "ping",
            Self::SetLogLevel => "logging/setLevel",
            Self::ListTools => "tools/list",
            Self::CallTool => "tools/call",
            Self::ListResources => "resources/list",
            Self::ListTemplates => "resources/templates/list",
            Self::ReadResource => "resources/read",
            Self::ListPrompts => "prompts/list",
            Self::GetPrompt => "prompts/get",
            Self::Complete => "completion/complete",
        }
    }
}

/// Serves one call. What is answered at once is recorded here, the rest when it ends.
pub(crate) fn dispatch(server: &Server, mut call: Call<'_>, platform: &Arc<Platform>) -> Execution {
    let (id, call) = (call.id.as_json(), &mut call);
    let Some(method) = Method::find(&call.method, call.revision, server.capabilities()) else {
        let error = Error::method_not_found(&call.method);
        // the method's name is the client's own text here, and records hold none of that
        audit(call, platform, "", Err(&error));
        return Execution::Done(RpcResponse::error(Some(id), &error));
    };
    let execution = match method {
        Method::Discover => Ok(done(id, server.discovery())),
        Method::Initialize => call
            .params
            .protocol_version()
            .map(|version| done(id, server.initialization(&version))),
        Method::Ping => Ok(done(id, b"{}")),
        // checked and then forgotten: the level would belong to a session, and there is none
        Method::SetLogLevel => call.params.level().map(|_| done(id, b"{}")),
        Method::ListTools => list(server, call, method, &server.lists().tools, platform),
        Method::ListResources => list(server, call, method, &server.lists().resources, platform),
        Method::ListTemplates => list(server, call, method, &server.lists().templates, platform),
        Method::ListPrompts => list(server, call, method, &server.lists().prompts, platform),
        Method::CallTool => call::tool(server, call, platform),
        Method::GetPrompt => read::prompt(server, call, platform),
        Method::ReadResource => read::resource(server, call, platform),
        Method::Complete => complete::complete(server, call, platform),
    };
    if let Some(ended) = match &execution {
        Ok(Execution::Done(response)) => Some(Ok(response.message.len())),
        Ok(Execution::Running(_)) => None,
        Err(error) => Some(Err(error)),
    } {
        audit(call, platform, method.as_str(), ended);
    }
    execution.unwrap_or_else(|error| Execution::Done(RpcResponse::error(Some(id), &error)))
}

/// Answers a request that its transport refuses before it is a call.
pub(crate) fn refuse(
    server: &Server,
    envelope: &Envelope<'_>,
    revision: Revision,
    principal: &Principal,
    error: &Error,
    platform: &Platform,
) -> RpcResponse {
    let method =
        Method::find(&envelope.method, revision, server.capabilities()).map_or("", Method::as_str);
    let call = ImmediateCall {
        revision,
        method,
        id: envelope.id.as_json(),
        principal,
        trace: None,
        duration_ms: 0,
    };
    call.record(platform, Err(error));
    RpcResponse::error(Some(envelope.id.as_json()), error)
}

fn audit(call: &Call<'_>, platform: &Platform, method: &str, ended: Result<usize, &Error>) {
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
    .record(platform, ended);
}

fn done(id: &str, result: &[u8]) -> Execution {
    Execution::Done(RpcResponse::result(id, result))
}

fn list(
    server: &Server,
    call: &Call<'_>,
    method: Method,
    list: &RenderedList,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    // only such a server has to ask others for its lists; any other one answers with bytes
    if !server.upstreams().is_empty() {
        return merged::list(server, call, method, list.kind(), platform);
    }
    let cursor = call.params.cursor()?;
    let page = list.page(
        call.revision,
        cursor.as_deref(),
        server,
        &call.principal.scopes,
    )?;
    Ok(done(call.id.as_json(), &page))
}
