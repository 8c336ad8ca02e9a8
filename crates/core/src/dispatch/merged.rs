//! Lists of a server that fronts others: its own, and theirs behind it, asked for at the same time.
//! Not the place of servers without upstreams: their lists are bytes.

use std::sync::{Arc, OnceLock};

use crate::call::Call;
use crate::context::{Cx, CxParts};
use crate::join::join_all;
use crate::jsonrpc::Error;
use crate::model::list_kind::ListKind;
use crate::outbox::Outbox;
use crate::port::Platform;
use crate::scope::Scopes;
use crate::send::BoxFuture;
use crate::server::Server;
use crate::server::lists::PageRequest;
use crate::server::registered::RegisteredUpstream;
use crate::upstream::{ListOutcome, UpstreamList};

/// How long upstreams may take, in milliseconds: under what most clients wait for a list.
const WITHIN_MS: u64 = 10_000;
/// How long a list holds in which an upstream is missing.
const INCOMPLETE_MS: u64 = 5_000;

/// A page of the merged list. Upstreams are asked as `cx` says.
pub(super) async fn page(
    server: &Server,
    kind: ListKind,
    request: &PageRequest<'_>,
    cx: &Cx,
    platform: &Platform,
) -> Result<Vec<u8>, Error> {
    let (mut lists, ttl_ms) = ask(server, request.scopes, kind, cx, platform).await;
    if let (ListKind::Resources, Some(shelf)) = (kind, server.registry().skills()) {
        lists.extend(shelf.listed(cx, request.scopes).await.map(Arc::new));
    }
    server.merged_list_page(kind, request, &lists, ttl_ms)
}

/// What upstreams see of the call: no questions and no progress, because a list has no place for
/// them.
pub(super) fn cx(
    server: &Server,
    call: &Call<'_>,
    started_ms: u64,
    platform: &Arc<Platform>,
) -> Cx {
    let own_end_ms = started_ms.saturating_add(WITHIN_MS);
    Cx::new(CxParts {
        revision: call.revision,
        principal: Arc::clone(&call.principal),
        meta: Arc::new(call.meta.clone()),
        can_ask: false,
        answers: Default::default(),
        opened: None,
        completion_arguments: Default::default(),
        deadline_ms: call
            .deadline_ms
            .map_or(own_end_ms, |end_ms| end_ms.min(own_end_ms)),
        platform: Arc::clone(platform),
        state: Arc::clone(server.state()),
        siblings: None,
        outbox: Outbox::default(),
        task: OnceLock::new(),
    })
}

/// A list, or none once the time of `cx` is over: an upstream that never answers holds no other.
fn in_time(list: BoxFuture<'static, ListOutcome>, cx: Cx) -> BoxFuture<'static, ListOutcome> {
    Box::pin(async move {
        cx.in_time(list).await.unwrap_or_else(|| ListOutcome {
            listing: None,
            trouble: Some("its list did not come in time".to_owned()),
        })
    })
}

/// The lists of the upstreams that the caller may see, and how long they hold together, in
/// milliseconds: as long as the one that is asked for again first.
async fn ask(
    server: &Server,
    scopes: &Scopes,
    kind: ListKind,
    cx: &Cx,
    platform: &Platform,
) -> (Vec<Arc<UpstreamList>>, u64) {
    // an upstream that the caller may not use is not asked at all
    let visible: Vec<&RegisteredUpstream> = server
        .registry()
        .upstreams()
        .iter()
        .filter(|upstream| scopes.contains_all(&upstream.tool.scopes))
        .collect();
    let asked: Vec<BoxFuture<'static, ListOutcome>> = visible
        .iter()
        .map(|upstream| in_time(upstream.upstream.list(kind, cx.clone()), cx.clone()))
        .collect();
    let mut ttl_ms = server.list_ttl_ms();
    let mut lists = Vec::with_capacity(asked.len());
    for (upstream, outcome) in visible.into_iter().zip(join_all(asked).await) {
        if let Some(trouble) = &outcome.trouble {
            platform
                .audit_log
                .store_failure(upstream.upstream.name(), trouble);
        }
        match outcome.listing {
            Some(list) => {
                let left = list
                    .fresh_until_ms()
                    .saturating_sub(platform.clock.now_ms());
                // a list that is about to expire does not make clients ask again at once
                ttl_ms = ttl_ms.min(left.max(INCOMPLETE_MS));
                lists.push(list);
            }
            // a client should ask again soon: the upstream may be back
            None => ttl_ms = ttl_ms.min(INCOMPLETE_MS),
        }
    }
    (lists, ttl_ms)
}
