//! `events/list`: what a caller can hear of on this platform, and how.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::audited::{OwnedRequest, audited};
use crate::call::Call;
use crate::event::registry::{RegisteredEvent, ServerEvents};
use crate::jsonrpc::{Error, to_json};
use crate::model::JsonObject;
use crate::model::page::{Cursor, identity};
use crate::policy::rate_limit;
use crate::port::Platform;
use crate::running::Execution;
use crate::server::Server;

/// Events of one page.
const PAGE: usize = 100;

pub(super) fn list(
    server: &Server,
    call: &Call<'_>,
    platform: &Arc<Platform>,
) -> Result<Execution, Error> {
    let cursor = call.params.cursor()?.map(Cow::into_owned);
    let listed = |request: OwnedRequest| async move {
        let (server, platform) = (&request.server, &request.platform);
        rate_limit::admit_list(platform, server.name(), &request.principal).await?;
        let events = ServerEvents::of(server).map_or(&[][..], |service| &service.events);
        let visible: Vec<&RegisteredEvent> = events
            .iter()
            .map(|event| &**event)
            .filter(|event| event.is_visible(&request.principal))
            .filter(|event| !event.delivery(platform).is_empty())
            .collect();
        let body = page(&visible, cursor.as_deref(), platform)?;
        let results = server.results();
        Ok(results.complete(request.revision, &to_json(&body), &JsonObject::new(), ""))
    };
    Ok(audited(server, call, "events/list", platform, listed))
}

fn page(
    visible: &[&RegisteredEvent],
    cursor: Option<&str>,
    platform: &Platform,
) -> Result<Value, Error> {
    let names = visible.iter().map(|event| event.name.as_str());
    let list = identity("events", names);
    let pages: Vec<_> = visible.chunks(PAGE).collect();
    let number = cursor.map_or(Ok(0), |cursor| Cursor::read(cursor, list, pages.len()))?;
    let page = pages.get(number).copied().unwrap_or_default();
    let entries: Vec<Value> = page.iter().map(|event| entry(event, platform)).collect();
    let mut body = json!({ "events": entries });
    if number + 1 < pages.len() {
        let page = u32::try_from(number + 1).unwrap_or(u32::MAX);
        body["nextCursor"] = Cursor { list, page }.write().into();
    }
    Ok(body)
}

fn entry(event: &RegisteredEvent, platform: &Platform) -> Value {
    let mut entry = json!({
        "name": event.name,
        "description": event.description,
        "delivery": event.delivery(platform),
        "inputSchema": event.input,
        "payloadSchema": event.payload,
    });
    if !event.meta.is_empty() {
        entry["_meta"] = Value::Object(event.meta.clone());
    }
    entry
}
