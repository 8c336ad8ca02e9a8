//! Bindings and classes of Workers in the language of workerd.

/// Durable Objects in SQLite databases, which workerd keeps on a disk only.
const OBJECTS: &str =
    r#"durableObjectNamespaces = [CLASSES], durableObjectStorage = (localDisk = "disk"), "#;
pub(super) const IDEMPOTENCY: &str =
    r#"(className = "McpfnIdempotency", uniqueKey = "UNIQUE", enableSql = true)"#;
pub(super) const EVENTS: &str =
    r#"(className = "McpfnEvents", uniqueKey = "UNIQUE-events", enableSql = true)"#;
pub(super) const BROKER: &str =
    r#"(className = "Broker", uniqueKey = "UNIQUE-broker", enableSql = true)"#;
pub(super) const TASKS: &str =
    r#"(className = "McpfnTasks", uniqueKey = "UNIQUE-tasks", enableSql = true)"#;

/// The Durable Objects of a service.
pub(super) fn classes(service: &str, classes: &[&str]) -> String {
    OBJECTS
        .replace("CLASSES", &classes.join(", "))
        .replace("UNIQUE", service)
}

/// The binding of a service's Durable Objects.
pub(super) fn once(service: &str) -> String {
    objects("IDEMPOTENCY", "McpfnIdempotency", service)
}

pub(super) fn tasks(service: &str) -> String {
    objects("TASKS", "McpfnTasks", service)
}

pub(super) fn objects(name: &str, class: &str, service: &str) -> String {
    format!(
        "(name = {name:?}, durableObjectNamespace = (className = {class:?}, serviceName = {service:?}))"
    )
}

/// The bindings of a queue, and of what nobody does any more.
pub(super) fn queues(broker: &str) -> String {
    format!(
        ", (name = \"EVENT_QUEUE\", queue = {broker:?}), (name = \"EVENT_DEAD\", queue = (name = \
         {broker:?}, entrypoint = \"Dead\"))"
    )
}

/// The binding of a database: the class that D1 has in production, which asks a service.
pub(super) fn d1(service: &str) -> String {
    format!(
        "(name = \"DB\", wrapped = (moduleName = \"cloudflare-internal:d1-api\", innerBindings = \
         [(name = \"fetcher\", service = {service:?})]))"
    )
}

/// Bindings as they stand.
pub(super) fn bound(list: &[(&str, &str)]) -> String {
    list.iter()
        .map(|(name, value)| format!("(name = {name:?}, {value}), "))
        .collect()
}
