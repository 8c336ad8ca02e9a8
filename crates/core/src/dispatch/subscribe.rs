//! `resources/subscribe` and `resources/unsubscribe` of clients with a handshake: what a session is
//! subscribed to is kept in a store, and the client asks for changes (`subscriptions/poll`).

use std::sync::Arc;

use super::audited::{OwnedRequest, audited};
use crate::call::Call;
use crate::jsonrpc::Error;
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::running::Execution;
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
    let method = match change {
        SubscriptionChange::Subscribe => "resources/subscribe",
        SubscriptionChange::Unsubscribe => "resources/unsubscribe",
    };
    let work = |request: OwnedRequest| async move {
        let subscriber = Subscriber {
            server: &request.server,
            principal: &request.principal,
            session: &session,
            platform: &request.platform,
        };
        let server = request.server.name();
        rate_limit::admit_list(&request.platform, server, &request.principal).await?;
        subscriber.change(&uri, change).await?;
        Ok(b"{}".to_vec())
    };
    Ok(audited(server, call, method, platform, work))
}
