//! `resources/subscribe` and `resources/unsubscribe` of clients with a handshake: what a session is
//! subscribed to is kept in a store, and the client asks for changes (`subscriptions/poll`).

use std::sync::Arc;

use crate::call::Call;
use crate::jsonrpc::Error;
use crate::outbox::Outbox;
use crate::policy::audit::ImmediateCall;
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::running::{Execution, Running};
use crate::server::Server;
use crate::subscriptions::{Subscriber, SubscriptionChange, admits};

/// Changes what the call's session is subscribed to. What the caller may not read it can't subscribe
/// to; what is not subscribed to is unsubscribed from, too.
pub(super) fn change(
    server: &Server,
    call: &Call<'_>,
    change: SubscriptionChange,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let uri = call.params.uri()?.into_owned();
    if change == SubscriptionChange::Subscribe {
        // before anything that costs a request to the store
        admits(server, &uri, &call.principal)?;
    }
    let session = call.session.clone().ok_or_else(|| {
        Error::invalid_request(
            "a subscription is kept for a session: send the header `Mcp-Session-Id` that the answer \
             to `initialize` had",
        )
    })?;
    let (server, platform) = (server.clone(), Arc::clone(platform));
    let (principal, revision) = (Arc::clone(&call.principal), call.revision);
    let (id, trace) = (call.id.as_json().to_owned(), call.meta.trace.clone());
    let started_ms = platform.clock.now_ms();
    let work = async move {
        let subscriber = Subscriber {
            server: &server,
            principal: &principal,
            session: &session,
            platform: &platform,
        };
        let done = match rate_limit::admit_list(&platform, server.name(), &principal).await {
            Ok(()) => subscriber.change(&uri, change).await,
            Err(error) => Err(error),
        };
        let result = done.map(|()| b"{}".to_vec());
        ImmediateCall {
            revision,
            method: match change {
                SubscriptionChange::Subscribe => "resources/subscribe",
                SubscriptionChange::Unsubscribe => "resources/unsubscribe",
            },
            id: &id,
            principal: &principal,
            trace: Some(&trace),
            duration_ms: platform.clock.now_ms().saturating_sub(started_ms),
        }
        .audit(&platform, result.as_ref().map(Vec::len));
        result
    };
    Ok(Execution::Running(Running::new(
        call.id.as_json().into(),
        false,
        Outbox::default(),
        Box::pin(work),
    )))
}
