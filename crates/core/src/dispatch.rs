//! From a method's name to the function that serves it: the list of what is served.

mod call;
mod complete;
mod deadline;
mod read;
pub(crate) mod work;

use std::sync::Arc;

use crate::call::Call;
use crate::jsonrpc::Error;
use crate::model::capabilities::ServerCapabilities;
use crate::port::Platform;
use crate::running::{Answer, Reply};
use crate::server::Server;
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
    /// `None` for what is unknown, removed from this revision, or belongs to a feature that the server does not have.
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
}

/// Serves one call.
pub(crate) fn dispatch(server: &Server, call: Call<'_>, platform: &Arc<Platform>) -> Reply {
    let id = call.id.as_json();
    let Some(method) = Method::find(&call.method, call.revision, server.capabilities()) else {
        return Reply::Answer(Answer::error(Some(id), &Error::method_not_found(&call.method)));
    };
    let outcome = match method {
        Method::Discover => Ok(answer(id, server.discovery())),
        Method::Initialize => call.params.protocol_version().map(|version| answer(id, server.initialization(&version))),
        Method::Ping => Ok(answer(id, b"{}")),
        Method::SetLogLevel => call.params.level().map(|_| answer(id, b"{}")),
        Method::ListTools => list(server, &call, &server.lists().tools),
        Method::ListResources => list(server, &call, &server.lists().resources),
        Method::ListTemplates => list(server, &call, &server.lists().templates),
        Method::ListPrompts => list(server, &call, &server.lists().prompts),
        Method::CallTool => call::tool(server, call, platform),
        Method::GetPrompt => read::prompt(server, call, platform),
        Method::ReadResource => read::resource(server, call, platform),
        Method::Complete => complete::complete(server, call, platform),
    };
    outcome.unwrap_or_else(|error| Reply::Answer(Answer::error(Some(id), &error)))
}

fn answer(id: &str, result: &[u8]) -> Reply {
    Reply::Answer(Answer::result(id, result))
}

fn list(server: &Server, call: &Call<'_>, list: &crate::server::lists::List) -> Result<Reply, Error> {
    let cursor = call.params.cursor()?;
    let page = list.page(call.revision, cursor.as_deref(), server, &call.principal.scopes)?;
    Ok(answer(call.id.as_json(), &page))
}
