//! From events that an author declared to those that a server holds. Their code is reached through
//! functions that are named here alone: a server without events has none of it.

use serde_json::json;

use super::register::{check_description, check_name, check_scopes, report, unique};
use crate::dispatch::events;
use crate::event::Event;
use crate::event::registry::{PumpEvents, RegisteredEvent, RunEventJob, ServerEvents};
use crate::model::capabilities::{EVENTS, Offered, ServerCapabilities};
use crate::port::{TypeMap, milliseconds};
use crate::tool::schema::{NoArguments, check_references, of_input};

/// The least time between two questions of a client, in milliseconds.
const LEAST_EVERY_MS: u64 = 1_000;

/// Makes the events of a server.
pub(super) type RegisterEvents = fn(&str, Vec<Event>, &mut Vec<String>) -> ServerEvents;

/// Adds events to what a server has and says.
pub(super) fn add(
    server: &str,
    events: Option<(Vec<Event>, RegisterEvents)>,
    state: &mut TypeMap,
    mistakes: &mut Vec<String>,
) -> bool {
    let Some((events, register)) = events else {
        return false;
    };
    state.insert(register(server, events, mistakes));
    true
}

/// Says that there are events.
pub(super) fn declare(capabilities: &mut ServerCapabilities) {
    let settings = json!({"listChanged": false});
    capabilities.extensions.insert(EVENTS.to_owned(), settings);
    capabilities.events = Some(Offered {});
}

pub(super) fn register(
    server: &str,
    events: Vec<Event>,
    mistakes: &mut Vec<String>,
) -> ServerEvents {
    unique("event", events.iter().map(|event| &event.name), mistakes);
    let registered = events.into_iter();
    let registered = registered.filter_map(|event| registered_event(event, mistakes));
    let registered = registered.collect();
    let work = (events::run as RunEventJob, events::pumped as PumpEvents);
    ServerEvents::new(server.to_owned(), registered, events::serve, work)
}

fn registered_event(event: Event, mistakes: &mut Vec<String>) -> Option<RegisteredEvent> {
    let mut found = Vec::new();
    check_name(&event.name, &mut found);
    check_description(event.description.as_ref(), &mut found);
    check_scopes(&event.scopes, &mut found);
    if event.payload.is_none() {
        found.push("it has no payload: add `.payload::<T>()`".to_owned());
    }
    if event.keep.max_events == 0 || event.keep.max_age_ms == 0 {
        found.push("it keeps nothing: `keep` needs an age and a number above zero".to_owned());
    }
    let input = event.input.unwrap_or_else(of_input::<NoArguments>);
    let payload = event.payload.unwrap_or_else(|| json!({}));
    check_references(&input, true, &mut found);
    let mut compiled = |schema, what| {
        let compiled = mcpfn_schema::Schema::compile(schema);
        compiled
            .map_err(|error| found.push(format!("its {what} schema can't be used: {error}")))
            .ok()
    };
    let (arguments, data) = (compiled(&input, "input"), compiled(&payload, "payload"));
    let nothing = json!({});
    let all = arguments
        .as_ref()
        .is_none_or(|it| it.check(&nothing).is_ok());
    if event.sent && !all {
        let sentence = "it is `sent`, and is read without arguments for that: let all members of its \
                        input be optional";
        found.push(sentence.to_owned());
    }
    report("event", &event.name, &found, mistakes);
    Some(RegisteredEvent {
        name: event.name,
        description: event.description.unwrap_or_default(),
        scopes: event.scopes,
        meta: event.meta,
        input,
        arguments: arguments?,
        payload,
        data: data?,
        selection: event.selection,
        permission: event.permission,
        poll: event.poll,
        sent: event.sent,
        keep: event.keep,
        every_ms: milliseconds(event.every).max(LEAST_EVERY_MS),
    })
}
