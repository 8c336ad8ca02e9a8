//! `events/unsubscribe`: nothing more is sent. The same answer where there was nothing to end: who
//! repeats it is no error, and nobody learns what there is.

use std::sync::Arc;

use super::super::audited::{OwnedRequest, audited};
use super::address::named;
use super::failed::unavailable;
use super::wanted::{arguments, errors};
use crate::call::Call;
use crate::event::registry::ServerEvents;
use crate::event::signature::subscription_id;
use crate::jsonrpc::Error;
use crate::model::JsonObject;
use crate::policy::asked::asked;
use crate::policy::rate_limit;
use crate::port::{Platform, SubscriptionKey};
use crate::running::Execution;
use crate::server::Server;

pub(super) fn unsubscribe(
    server: &Server,
    call: &Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let errors = errors(call, platform);
    let delivery = named(call, errors)?;
    delivery.mode(errors)?;
    let url = delivery.url()?;
    // of an event that the server may not have any more
    let name = call.params.name()?.into_owned();
    let mut arguments = arguments(call)?;
    crate::arguments::with_integers(&mut arguments);
    let ended = move |request: OwnedRequest| async move {
        let (server, platform) = (&request.server, &request.platform);
        let principal = &request.principal;
        rate_limit::admit_list(platform, server.name(), principal).await?;
        let events = platform.events.as_ref();
        let webhooks = events.and_then(|events| events.webhooks.as_ref());
        if let (Some(webhooks), Some(service)) = (webhooks, ServerEvents::of(server)) {
            let key = SubscriptionKey {
                topic: &service.topic(&name),
                owner: &service.owner(&principal.key()),
                id: &subscription_id(&principal.key(), &url, &name, &arguments),
            };
            let removed = asked(&platform.timer, webhooks.subscriptions.remove(key)).await;
            removed.map_err(|error| unavailable(platform, &error))?;
        }
        let results = server.results();
        Ok(results.complete(request.revision, b"{}", &JsonObject::new(), ""))
    };
    Ok(audited(server, call, "events/unsubscribe", platform, ended))
}
