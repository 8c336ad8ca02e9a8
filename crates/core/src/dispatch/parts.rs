//! What serves things that a server may have: functions in its state, which are named only where an
//! author adds such a thing. A server with tools alone has none of the others' code.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::method::Method;
use super::{complete, listen, merged, read, tasks};
use crate::active_call::ActiveCall;
use crate::active_call::result::HandlerResult;
use crate::call::Call;
use crate::context::Cx;
use crate::jsonrpc::Error;
use crate::model::list_kind::ListKind;
use crate::port::{Platform, TypeMap};
use crate::running::Execution;
use crate::send::BoxFuture;
use crate::server::Server;
use crate::server::lists::PageRequest;
use crate::server::registered::RegisteredTool;
use crate::task::TaskOptions;

type Serve = fn(&Server, &mut Call<'_>, &Arc<Platform>) -> Result<Execution, Error>;

struct ServePrompts(Serve);
struct ServeResources(Serve);
struct ServeCompletions(Serve);
struct ServeListening(Serve);

/// What serves tasks.
#[derive(Clone, Copy)]
pub(super) struct ServeTasks {
    /// Runs the handler of a tool, or makes its call a task.
    pub(super) begin: BeginTask,
    methods: fn(&Server, &Call<'_>, Method, &Arc<Platform>) -> Result<Execution, Error>,
}

type BeginTask = fn(
    Arc<ActiveCall>,
    Arc<RegisteredTool>,
    TaskOptions,
    Value,
    Duration,
) -> BoxFuture<'static, Result<HandlerResult, Error>>;

impl ServeTasks {
    pub(super) fn of(server: &Server) -> Option<&Self> {
        server.state().find()
    }
}

struct ServeMerged(MergedPage);

/// A page of a list that others add to.
pub(super) type MergedPage = for<'a> fn(
    &'a Server,
    ListKind,
    &'a PageRequest<'a>,
    &'a Cx,
    &'a Platform,
) -> BoxFuture<'a, Result<Vec<u8>, Error>>;

pub(super) fn merge(server: &Server) -> Option<MergedPage> {
    server.state().find().map(|ServeMerged(page)| *page)
}

/// For upstreams, and sources of skills.
pub(crate) fn add_merged_lists(state: &mut TypeMap) {
    state.insert(ServeMerged(|server, kind, request, cx, platform| {
        Box::pin(merged::page(server, kind, request, cx, platform))
    }));
}

pub(crate) fn add_prompts(state: &mut TypeMap) {
    state.insert(ServePrompts(read::prompt));
    state.insert(ServeCompletions(complete::complete));
}

pub(crate) fn add_resources(state: &mut TypeMap) {
    state.insert(ServeResources(read::resource));
    state.insert(ServeCompletions(complete::complete));
}

pub(crate) fn add_tasks(state: &mut TypeMap) {
    state.insert(ServeTasks {
        begin: |call, tool, options, arguments, limit| {
            Box::pin(
                async move { tasks::begin::through(&call, &tool, options, arguments, limit).await },
            )
        },
        methods: tasks::methods::serve,
    });
}

pub(crate) fn add_listening(state: &mut TypeMap) {
    state.insert(ServeListening(listen::listen));
}

/// Serves a method of something that may be missing.
pub(super) fn serve(
    server: &Server,
    call: &mut Call<'_>,
    method: Method,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let state = server.state();
    let serve = match method {
        Method::GetPrompt => state.find().map(|ServePrompts(serve)| serve),
        Method::ReadResource => state.find().map(|ServeResources(serve)| serve),
        Method::Complete => state.find().map(|ServeCompletions(serve)| serve),
        Method::Listen => state.find().map(|ServeListening(serve)| serve),
        _ => None,
    };
    if let Some(serve) = serve {
        return serve(server, call, platform);
    }
    match ServeTasks::of(server) {
        Some(tasks) if method.is_of_tasks() => (tasks.methods)(server, call, method, platform),
        _ => Err(listen::not_found(&call.method)),
    }
}
