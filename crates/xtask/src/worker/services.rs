//! The Workers that the step asks in workerd: their settings, and the scripts around them. How they
//! become a configuration is in `workerd`.

use super::bindings::{HUNG, INDEX, MISTAKEN};
use super::event_services::{COSTED, COUNTER, EVENTED, EVENTS, FAST, RECEIVER, broker, events};
pub(super) use super::forms::{alone, bound};
use super::forms::{built, running};
use super::service_variables::{API_KEY, KEY};
pub(crate) use super::service_variables::{OPEN, QUIET};
use super::workerd::{Service, What};

const IMPATIENT: &str = include_str!("../../../../tests/worker/impatient.mjs");
const SWEEP: &str = include_str!("../../../../tests/worker/sweep.mjs");
const HANG: &str = include_str!("../../../../tests/worker/hang.mjs");
const DATABASE: &str = include_str!("../../../../tests/worker/database.mjs");
const INDEX_SERVICE: &str = include_str!("../../../../tests/worker/index.mjs");
const VAULT: &str = include_str!("../../../../tests/worker/vault.mjs");
pub(super) const SILENT: &str = include_str!("../../../../tests/worker/silent.mjs");
const POINTS: &str = include_str!("../../../../tests/worker/points.mjs");
const ISSUER: &str = include_str!("../../../../tests/worker/issuer.mjs");

/// The origins that the fixtures call from: this host has no loopback that it could trust by
/// itself.
const ORIGINS: (&str, &str) = (
    "MCPFN_ALLOWED_ORIGINS",
    "http://localhost:3000,https://localhost:3000,http://127.0.0.1,http://[::1]:8080,\
     http://localhost:{port},http://127.0.0.1:{port}",
);

/// Behind Cloudflare Access of a team whose domain is a service here.
const ACCESS: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "access"),
    ("MCPFN_ACCESS_TEAM", "acme"),
    ("MCPFN_ACCESS_AUDIENCE", "tag"),
    KEY,
    QUIET,
    ("TEST_SERVER", "watched"),
];

/// What the registry of MCP servers reads.
const REGISTRY_PROOF: &str = "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A server whose callers are known: a write of anybody has no idempotency key.
const KEYED: &[(&str, &str)] = &[
    ("MCPFN_AUTH", "api-key"),
    ("MCPFN_API_KEYS", API_KEY),
    KEY,
    QUIET,
    ("TEST_SERVER", "counting"),
];

/// A dataset of Analytics Engine whose points a service keeps.
const METRICS: &str = r#"wrapped = (moduleName = "test:points", innerBindings = [(name = "fetcher", service = "points")])"#;

const TASKS: (&str, &str) = ("TEST_SERVER", "everything-tasks");

/// The fixture server alone, with what an operator has to switch on.
pub(super) const SUBSCRIBED: &[Service<'_>] = &[Service {
    name: "everything",
    what: What::Running {
        variables: &[
            OPEN,
            KEY,
            QUIET,
            ORIGINS,
            TASKS,
            ("MCPFN_SUBSCRIPTIONS", "poll"),
        ],
        objects_of: "everything",
    },
}];

/// One server a service; `everything` comes last, with tasks, which the fixtures are served without
/// (`within-calls`).
pub(super) const SERVICES: &[Service<'_>] = &[
    built("paged", &[OPEN, KEY, QUIET, ("TEST_SERVER", "paged")]),
    built("plain", &[OPEN, KEY, QUIET, ("TEST_SERVER", "plain")]),
    built("extended", &[OPEN, KEY, QUIET, ("TEST_SERVER", "extended")]),
    built("rich", &[OPEN, KEY, QUIET, ("TEST_SERVER", "rich")]),
    built(
        "asks-auto",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "asks-auto")],
    ),
    built(
        "asks-always",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "asks-always")],
    ),
    built(
        "asks-never",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "asks-never")],
    ),
    built("renamed", &[OPEN, KEY, QUIET, ("TEST_SERVER", "renamed")]),
    built("watched", &[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    built("counted", &[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    built("filled", &[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    built("trapped", &[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")]),
    Service {
        name: "impatient",
        what: What::Script {
            text: IMPATIENT,
            service: Some("watched"),
        },
    },
    Service {
        name: "unlimited",
        what: What::Built(&[
            OPEN,
            KEY,
            QUIET,
            ("MCPFN_RATE_LIMIT", "60/min"),
            ("TEST_SERVER", "policed"),
        ]),
    },
    alone("issuer", ISSUER),
    Service {
        name: "keyed",
        what: What::Built(&[
            ("MCPFN_REGISTRY_AUTH", REGISTRY_PROOF),
            ("MCPFN_AUTH", "api-key"),
            ("MCPFN_API_KEYS", API_KEY),
            KEY,
            QUIET,
            ("TEST_SERVER", "watched"),
        ]),
    },
    Service {
        name: "oauth",
        what: What::Built(&[
            ("MCPFN_AUTH", "oauth"),
            ("MCPFN_ISSUER", "http://127.0.0.1:{port of issuer}"),
            ("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp"),
            KEY,
            QUIET,
            ("TEST_SERVER", "watched"),
        ]),
    },
    alone("team", ISSUER),
    Service {
        name: "access",
        what: What::Fetching {
            variables: ACCESS,
            from: "team",
        },
    },
    Service {
        name: "access-later",
        what: What::Fetching {
            variables: ACCESS,
            from: "team",
        },
    },
    Service {
        name: "idempotency",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "store")],
            objects_of: "idempotency",
        },
    },
    Service {
        name: "once-too",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "store")],
            objects_of: "idempotency",
        },
    },
    Service {
        name: "counting",
        what: What::Keeping {
            variables: KEYED,
            objects_of: "idempotency",
        },
    },
    Service {
        name: "sweep",
        what: What::Around { text: SWEEP },
    },
    Service {
        name: "swept",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "store")],
            objects_of: "sweep",
        },
    },
    Service {
        name: "hang",
        what: What::Around { text: HANG },
    },
    Service {
        name: "waiting",
        what: What::Keeping {
            variables: KEYED,
            objects_of: "hang",
        },
    },
    Service {
        name: "forgetful",
        what: What::Built(KEYED),
    },
    alone("database", DATABASE),
    Service {
        name: "late",
        what: What::Asking {
            variables: &[OPEN, KEY, QUIET, ("TEST_SERVER", "sql")],
            database: "database",
        },
    },
    built("misbound", &[OPEN, KEY, QUIET, ("IDEMPOTENCY", "objects")]),
    bound(
        "mistaken",
        &[
            OPEN,
            QUIET,
            ("MCPFN_RATE_LIMIT", "60/min"),
            ("TEST_SERVER", "watched"),
        ],
        MISTAKEN,
    ),
    bound(
        "misfiled",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "files")],
        &[("FILES", r#"text = "hunter2""#)],
    ),
    bound(
        "misasked",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "sql")],
        &[("DB", r#"kvNamespace = "silent""#)],
    ),
    alone("index", INDEX_SERVICE),
    bound(
        "vectors",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "vectors")],
        &[("VECTORS", INDEX)],
    ),
    bound(
        "misindexed",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "vectors")],
        &[("VECTORS", r#"kvNamespace = "silent""#)],
    ),
    Service {
        name: "ignoring",
        what: What::Built(&[
            OPEN,
            KEY,
            QUIET,
            ("MCPFN_DATABASE", "/shop.db"),
            ("MCPFN_DYNAMODB_TABLE", "table"),
            ("MCPFN_METRICS", "emf"),
            ("MCPFN_TRUSTED_PROXIES", "127.0.0.1"),
        ]),
    },
    alone("vault", VAULT),
    bound(
        "locked",
        &[
            ("MCPFN_AUTH", "api-key"),
            KEY,
            QUIET,
            ("TEST_SERVER", "watched"),
        ],
        &[(
            "MCPFN_API_KEYS",
            r#"service = (name = "vault", entrypoint = "Keys")"#,
        )],
    ),
    bound(
        "lost",
        &[OPEN, QUIET, ("TEST_SERVER", "watched")],
        &[(
            "MCPFN_STATE_KEY",
            r#"service = (name = "vault", entrypoint = "Lost")"#,
        )],
    ),
    bound(
        "stuck",
        &[OPEN, QUIET, ("TEST_SERVER", "watched")],
        &[(
            "MCPFN_STATE_KEY",
            r#"service = (name = "vault", entrypoint = "Stuck")"#,
        )],
    ),
    alone("silent", SILENT),
    bound(
        "hung",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "policed")],
        HUNG,
    ),
    alone("points", POINTS),
    bound(
        "metered",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "watched")],
        &[("METRICS", METRICS)],
    ),
    running(
        "routed",
        &[OPEN, KEY, QUIET, ("MCPFN_BASE_PATH", "/tools/")],
        "everything",
    ),
    Service {
        name: "within-calls",
        what: What::Keeping {
            variables: &[OPEN, KEY, QUIET, ORIGINS],
            objects_of: "everything",
        },
    },
    built(
        "carded",
        &[
            OPEN,
            KEY,
            QUIET,
            (
                "MCPFN_SERVER_CARD",
                "com.example/shop=https://mcp.example.com/mcp",
            ),
        ],
    ),
    running(
        "listened",
        &[OPEN, KEY, QUIET, TASKS, ("MCPFN_SUBSCRIPTIONS", "poll")],
        "everything",
    ),
    built("taskless", &[OPEN, KEY, QUIET, TASKS]),
    running(
        "stumbling",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "stumbling")],
        "stumbling",
    ),
    running(
        "tasks",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "tasks")],
        "everything",
    ),
    running(
        "tasks-too",
        &[OPEN, KEY, QUIET, ("TEST_SERVER", "tasks")],
        "everything",
    ),
    events("events", &[OPEN, KEY, QUIET, EVENTS], None),
    events("events-too", &[OPEN, KEY, QUIET, EVENTS], None),
    COUNTER,
    COSTED,
    alone("receiver", RECEIVER),
    broker("broker", "evented", "1"),
    events("evented", EVENTED, Some(("broker", "receiver"))),
    broker("fast-broker", "fast", "720"),
    events("fast", FAST, Some(("fast-broker", "receiver"))),
    bound(
        "schedule-alone",
        &[OPEN, KEY, QUIET, EVENTS, ("MCPFN_EVENTS_SCHEDULE", "on")],
        &[],
    ),
    bound(
        "queue-alone",
        &[OPEN, KEY, QUIET, EVENTS],
        &[("EVENT_QUEUE", r#"queue = "broker""#)],
    ),
    built("unbound", &[OPEN, KEY, QUIET, ("TEST_SERVER", "files")]),
    built("unset", &[]),
    Service {
        name: "wrong",
        what: What::Built(&[
            ("MCPFN_AUTH", "everybody"),
            ("MCPFN_BASE_PATH", "tools"),
            ("MCPFN_ALLOWED_ORIGINS", "app.example.com"),
            ("MCPFN_MAX_BODY_BYTES", "4 MiB"),
            ("MCPFN_STATE_KEY", "hunter2"),
            ("MCPFN_LOG", "loud"),
            ("MCPFN_RATE_LIMIT", "often"),
        ]),
    },
    running(
        "everything",
        &[OPEN, KEY, QUIET, ORIGINS, TASKS],
        "everything",
    ),
];
