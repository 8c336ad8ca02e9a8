//! How clients hear of events, where a server has some.

use crate::setting::Setting;

pub(super) const EVENTS: &[Setting] = &[
    Setting::new(
        "MCPFN_EVENT_ERRORS",
        "auto|sep-3415|sketch",
        "auto",
        "which numbers errors of events have: those of SEP-3415 for clients that declare the \
         extension and those of the sketch before it for others, or always one of them",
    ),
    Setting::new(
        "MCPFN_WEBHOOK_ID",
        "event|message",
        "event",
        "what the header webhook-id of an event is that is sent to a client: the event's id, or \
         one that differs between subscriptions",
    ),
    Setting::new(
        "MCPFN_WEBHOOK_HOSTS",
        "HOST,..",
        "none",
        "hosts that events may be sent to though they are in the own network, and without being \
         asked whether they want them; with a port if it is not 443",
    ),
];
