//! Bindings of Workers that are asked in workerd: those that are not as they should be, and one that is
//! long.

/// Every binding of this host, and settings, each bound to what it can't be; `hunter2` may not be
/// repeated.
pub(super) const MISTAKEN: &[(&str, &str)] = &[
    ("CACHE", r#"text = "hunter2""#),
    ("IDEMPOTENCY", r#"json = "[\"hunter2\"]""#),
    ("TASKS", r#"text = "hunter2""#),
    ("EVENTS", r#"json = "[\"hunter2\"]""#),
    ("EVENT_QUEUE", r#"text = "hunter2""#),
    ("EVENT_DEAD", r#"kvNamespace = "silent""#),
    ("METRICS", r#"text = "hunter2""#),
    ("CF_VERSION_METADATA", r#"text = "hunter2""#),
    ("RATE_60_PER_60", r#"kvNamespace = "silent""#),
    ("MCPFN_STATE_KEY", r#"json = "{\"key\": \"hunter2\"}""#),
    (
        "MCPFN_ALLOWED_ORIGINS",
        r#"json = "[\"https://hunter2.example\"]""#,
    ),
    ("MCPFN_BASE_PATH", r#"kvNamespace = "silent""#),
];

/// Stores that are bound, asked, and never answer.
pub(super) const HUNG: &[(&str, &str)] = &[
    ("CACHE", r#"kvNamespace = "silent""#),
    (
        "RATE_2_PER_10",
        r#"wrapped = (moduleName = "test:limiter", innerBindings = [(name = "fetcher", service = "silent")])"#,
    ),
];

/// An index of Vectorize: the class that it has in production, which asks a service.
pub(super) const INDEX: &str = r#"wrapped = (moduleName = "cloudflare-internal:vectorize-api", innerBindings = [(name = "fetcher", service = "index"), (name = "indexId", text = "passages"), (name = "indexVersion", text = "v2"), (name = "useNdJson", json = "true")])"#;
