//! Lists of a server that fronts others: its own, and theirs behind it, asked for at the same time.
//! Not the place of servers without upstreams: their lists are bytes.

use std::borrow::Cow;
use std::sync::Arc;

use super::Method;
use crate::call::Call;
use crate::context::{Cx, CxParts};
use crate::join::join_all;
use crate::jsonrpc::Error;
use crate::outbox::Outbox;
use crate::policy::audit::ImmediateCall;
use crate::port::Platform;
use crate::running::{Execution, Running};
use crate::send::BoxFuture;
use crate::server::Server;
use crate::server::lists::ListKind;
use crate::upstream::ListOutcome;

/// How long upstreams may take, in milliseconds: under what most clients wait for a list.
const WITHIN_MS: u64 = 10_000;
/// How long a list holds in which an upstream is missing.
const INCOMPLETE_MS: u64 = 5_000;

pub(super) fn list(
    server: &Server,
    call: &Call<'_>,
    method: Method,
    kind: ListKind,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let cursor = call.params.cursor()?.map(Cow::into_owned);
    let (revision, scopes) = (call.revision, call.principal.scopes.clone());
    let (server, platform) = (server.clone(), Arc::clone(platform));
    let started_ms = platform.clock.now_ms();
    let own_end = started_ms.saturating_add(WITHIN_MS);
    let (id, principal, meta) = (
        call.id.as_json().to_owned(),
        Arc::clone(&call.principal),
        Arc::new(call.meta.clone()),
    );
    let cx = Cx::new(CxParts {
        revision,
        principal: Arc::clone(&principal),
        meta: Arc::clone(&meta),
        answers: Default::default(),
        opened: None,
        completion_arguments: Default::default(),
        deadline_ms: call.deadline_ms.map_or(own_end, |end| end.min(own_end)),
        platform: Arc::clone(&platform),
        state: Arc::clone(server.state()),
        outbox: Outbox::default(),
    });
    let merge = async move {
        // an upstream that the caller may not use is not asked at all
        let visible = server
            .upstreams()
            .iter()
            .filter(|upstream| scopes.contains_all(&upstream.tool.scopes));
        let asked: Vec<BoxFuture<'static, ListOutcome>> = visible
            .clone()
            .map(|upstream| upstream.upstream.list(kind, cx.clone()))
            .collect();
        let mut ttl_ms = server.list_ttl_ms();
        let mut listings = Vec::with_capacity(asked.len());
        for (upstream, listed) in visible.zip(join_all(asked).await) {
            if let Some(trouble) = &listed.trouble {
                platform
                    .audit_log
                    .store_failure(upstream.upstream.name(), trouble);
            }
            match listed.listing {
                Some(listing) => {
                    let left = listing
                        .fresh_until_ms()
                        .saturating_sub(platform.clock.now_ms());
                    // a list that is about to expire does not make clients ask again at once
                    ttl_ms = ttl_ms.min(left.max(INCOMPLETE_MS));
                    listings.push(listing);
                }
                None => ttl_ms = ttl_ms.min(INCOMPLETE_MS),
            }
        }
        let merged = server.lists().of(kind).merged(
            revision,
            cursor.as_deref(),
            &server,
            &scopes,
            (&listings, ttl_ms),
        );
        let duration_ms = platform.clock.now_ms().saturating_sub(started_ms);
        ImmediateCall {
            revision,
            method: method.as_str(),
            id: &id,
            principal: &principal,
            trace: Some(&meta.trace),
            duration_ms,
        }
        .record(&platform, merged.as_ref().map(Vec::len));
        merged
    };
    Ok(Execution::Running(Running::new(
        call.id.as_json().into(),
        // no progress: a list is one answer
        false,
        Outbox::default(),
        Box::pin(merge),
    )))
}
