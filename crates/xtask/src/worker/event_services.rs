//! Workers with events, their queues, and what receives from them.

use super::service_variables::{API_KEY, KEY, OPEN, QUIET};
use super::workerd::{Service, What};

const BROKER: &str = include_str!("../../../../tests/worker/broker.mjs");
pub(super) const RECEIVER: &str = include_str!("../../../../tests/worker/receiver.mjs");

/// What is counted.
pub(super) const COUNTER: Service<'_> = Service {
    name: "counter",
    what: What::AroundEvents {
        text: include_str!("../../../../tests/worker/counter.mjs"),
    },
};
pub(super) const COSTED: Service<'_> = Service {
    name: "costed",
    what: What::Evented {
        variables: &[OPEN, KEY, QUIET, EVENTS],
        objects_of: "counter",
        queue: None,
    },
};

pub(super) const EVENTS: (&str, &str) = ("TEST_SERVER", "events");
/// A subscription belongs to a caller with a name.
pub(super) const EVENTED: &[(&str, &str)] = &[
    ("MCPFN_EVENTS_SCHEDULE", "on"),
    ("MCPFN_AUTH", "api-key"),
    ("MCPFN_API_KEYS", API_KEY),
    KEY,
    QUIET,
    EVENTS,
];
/// An hour in five seconds.
pub(super) const FAST: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "api-key"),
    ("MCPFN_API_KEYS", API_KEY),
    KEY,
    QUIET,
    EVENTS,
    ("TEST_SPEED", "720"),
];

/// A server with events, of which the first two share objects.
pub(super) const fn events<'a>(
    name: &'a str,
    variables: &'a [(&'a str, &'a str)],
    queue: Option<(&'a str, &'a str)>,
) -> Service<'a> {
    let objects_of = match queue {
        Some(_) => name,
        None => "events",
    };
    Service {
        name,
        what: What::Evented {
            variables,
            objects_of,
            queue,
        },
    }
}

/// The queue of a service.
pub(super) const fn broker<'a>(name: &'a str, consumer: &'a str, speed: &'a str) -> Service<'a> {
    Service {
        name,
        what: What::Broker {
            text: BROKER,
            consumer,
            speed,
        },
    }
}
