//! What is bound to a name, and whether it is what this host uses it for. Text of a binding is
//! never repeated: it may be a secret.

use mcpfn_settings::Setting;
use worker::Env;
use worker::js_sys::{Array, Object, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};

/// The binding of the KV namespace for results. Without one, nothing is kept.
pub(crate) const CACHE: &str = "CACHE";
/// The binding of the Durable Objects for idempotent writes. Without one, no tool offers an
/// idempotency key, and a call with one is refused.
pub(crate) const IDEMPOTENCY: &str = "IDEMPOTENCY";
/// The binding of the Durable Objects that keep and run tasks. Without one, tools run within their
/// calls, and those that can't are a mistake.
pub(crate) const TASKS: &str = "TASKS";
/// The binding of the Durable Objects that keep events. Without one, there are those alone that the
/// program is asked for.
pub(crate) const EVENTS: &str = "EVENTS";
/// The binding of the queue of what is to be sent to subscribers. Without one, nothing is sent.
pub(crate) const EVENT_QUEUE: &str = "EVENT_QUEUE";
/// The binding of the queue of what nobody sends any more. Without one, the log alone says it.
pub(crate) const EVENT_DEAD: &str = "EVENT_DEAD";
/// The binding of the Analytics Engine dataset for metrics. Without one, there are none.
pub(crate) const METRICS: &str = "METRICS";

/// A kind of binding: what it is called, the method by which it is known, and how it is bound.
pub(crate) struct BindingKind {
    what: &'static str,
    method: &'static str,
    table: &'static str,
    key: &'static str,
    /// What else has to stand there.
    more: &'static str,
}

pub(crate) const D1_DATABASE: BindingKind = BindingKind {
    what: "D1 database",
    method: "prepare",
    table: "[[d1_databases]]",
    key: "binding",
    more: "",
};
pub(crate) const HYPERDRIVE: BindingKind = BindingKind {
    what: "Hyperdrive configuration",
    method: "connect",
    table: "[[hyperdrive]]",
    key: "binding",
    more: " and its id",
};
#[cfg(feature = "r2")]
pub(crate) const R2_BUCKET: BindingKind = BindingKind {
    what: "R2 bucket",
    method: "createMultipartUpload",
    table: "[[r2_buckets]]",
    key: "binding",
    more: "",
};
pub(crate) const VECTORIZE_INDEX: BindingKind = BindingKind {
    what: "Vectorize index",
    method: "deleteByIds",
    table: "[[vectorize]]",
    key: "binding",
    more: " and its index_name",
};
pub(crate) const KV_NAMESPACE: BindingKind = BindingKind {
    what: "KV namespace",
    method: "getWithMetadata",
    table: "[[kv_namespaces]]",
    key: "binding",
    more: "",
};
pub(crate) const OBJECTS: BindingKind = BindingKind {
    what: "namespace of Durable Objects",
    method: "getByName",
    table: "[[durable_objects.bindings]]",
    key: "name",
    more: " and class_name = \"McpfnIdempotency\"",
};
pub(crate) const TASK_OBJECTS: BindingKind = BindingKind {
    more: " and class_name = \"McpfnTasks\"",
    ..OBJECTS
};
pub(crate) const EVENT_OBJECTS: BindingKind = BindingKind {
    more: " and class_name = \"McpfnEvents\"",
    ..OBJECTS
};
pub(crate) const QUEUE: BindingKind = BindingKind {
    what: "queue",
    method: "sendBatch",
    table: "[[queues.producers]]",
    key: "binding",
    more: " and the name of the queue",
};
pub(crate) const RATE_LIMIT: BindingKind = BindingKind {
    what: "rate limit",
    method: "limit",
    table: "[[ratelimits]]",
    key: "name",
    more: "",
};
pub(crate) const DATASET: BindingKind = BindingKind {
    what: "dataset of Analytics Engine",
    method: "writeDataPoint",
    table: "[[analytics_engine_datasets]]",
    key: "binding",
    more: "",
};

impl BindingKind {
    /// What is bound to a name, if it is of this kind.
    pub(crate) fn find(&self, env: &Env, name: &str) -> Option<JsValue> {
        bound(env, name).filter(|value| self.is(value))
    }

    /// Why [`BindingKind::find`] gives nothing, and what to change.
    pub(crate) fn mistake(&self, env: &Env, name: &str) -> String {
        let Self {
            what,
            table,
            key,
            more,
            ..
        } = self;
        match bound(env, name) {
            Some(value) => format!(
                "{name} is bound to {}, not to a {what}: take that away, and bind it in {table} of \
                 wrangler.toml with {key} = \"{name}\"{more}",
                kind(&value)
            ),
            None => format!(
                "no {what} is bound as {name}; add one to {table} in wrangler.toml with {key} = \
                 \"{name}\"{more}"
            ),
        }
    }

    /// Where `wrangler.toml` has it.
    #[cfg(not(feature = "hyperdrive"))]
    pub(crate) fn table(&self) -> &'static str {
        self.table
    }

    fn is(&self, value: &JsValue) -> bool {
        // a service has every method: asked for one, it sends a request
        class(value) != FETCHER
            && Reflect::get(value, &self.method.into()).is_ok_and(|method| method.is_function())
    }
}

/// The class of services, and of secrets in a Secrets Store.
const FETCHER: &str = "Fetcher";

/// Bindings that this host uses under one name.
const NAMED: [(&str, &BindingKind); 7] = [
    (CACHE, &KV_NAMESPACE),
    (IDEMPOTENCY, &OBJECTS),
    (TASKS, &TASK_OBJECTS),
    (EVENTS, &EVENT_OBJECTS),
    (EVENT_QUEUE, &QUEUE),
    (EVENT_DEAD, &QUEUE),
    (METRICS, &DATASET),
];

/// Every binding that this host or the program would use and can't, because of its kind.
pub(crate) fn mistakes(env: &Env, program: &[Setting]) -> Vec<String> {
    let of = |name: String| {
        let value = bound(env, &name)?;
        let named = NAMED.iter().find(|(known, _)| *known == name);
        let expected = named
            .map(|(_, kind)| *kind)
            .or_else(|| name.starts_with("RATE_").then_some(&RATE_LIMIT));
        if let Some(expected) = expected {
            return (!expected.is(&value)).then(|| expected.mistake(env, &name));
        }
        if name == VERSION {
            return version(env).is_none().then(|| {
                format!(
                    "{VERSION} is bound to {}, not to the version: take that away, and bind it in \
                     [version_metadata] of wrangler.toml",
                    kind(&value)
                )
            });
        }
        let wrong =
            is_setting(&name, program) && text(&value).is_none() && class(&value) != FETCHER;
        wrong.then(|| {
            format!(
                "{name} is bound to {}, and a setting is text: set it in [vars] of wrangler.toml, \
                 as a secret, or in [[secrets_store_secrets]]",
                kind(&value)
            )
        })
    };
    names(env).into_iter().filter_map(of).collect()
}

/// The settings that are bound to a secret of a Secrets Store.
pub(crate) fn stored_secrets(env: &Env, program: &[Setting]) -> Vec<(String, JsValue)> {
    let of = |name: String| {
        let value = bound(env, &name)?;
        (is_setting(&name, program) && class(&value) == FETCHER).then_some((name, value))
    };
    names(env).into_iter().filter_map(of).collect()
}

fn is_setting(name: &str, program: &[Setting]) -> bool {
    name.starts_with("MCPFN_") || program.iter().any(|setting| setting.is(name))
}

/// The binding of the version that is deployed.
const VERSION: &str = "CF_VERSION_METADATA";

/// The id of the version that is deployed, if it is bound.
pub(crate) fn version(env: &Env) -> Option<String> {
    let id = Reflect::get(&bound(env, VERSION)?, &"id".into()).ok()?;
    id.as_string()
}

/// The names of all variables, secrets and bindings.
pub(crate) fn names(env: &Env) -> Vec<String> {
    let environment: &Object = env.unchecked_ref();
    Object::keys(environment)
        .iter()
        .filter_map(|name| name.as_string())
        .collect()
}

/// What has the name; null is nothing.
pub(crate) fn bound(env: &Env, name: &str) -> Option<JsValue> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// The text of a variable or secret; of numbers and switches, which `wrangler.toml` can have too,
/// what was written there.
pub(crate) fn text(value: &JsValue) -> Option<String> {
    let number = || Some(value.as_f64()?.to_string());
    let switch = || Some(value.as_bool()?.to_string());
    value.as_string().or_else(number).or_else(switch)
}

fn class(value: &JsValue) -> String {
    let constructor = Reflect::get(value, &"constructor".into()).ok();
    let name = constructor.and_then(|class| Reflect::get(&class, &"name".into()).ok());
    name.and_then(|name| name.as_string()).unwrap_or_default()
}

/// What a value is, in words.
fn kind(value: &JsValue) -> String {
    if value.is_string() {
        return "text".to_owned();
    }
    if Array::is_array(value) {
        return "a list".to_owned();
    }
    let class = class(value);
    let words = match class.as_str() {
        "Number" => "a number",
        "Boolean" => "true or false",
        "KvNamespace" => "a KV namespace",
        "R2Bucket" => "an R2 bucket",
        "D1Database" => "a D1 database",
        "Hyperdrive" => "a Hyperdrive configuration",
        "VectorizeIndexImpl" => "a Vectorize index",
        "DurableObjectNamespace" => "a namespace of Durable Objects",
        "WorkerQueue" | "Queue" => "a queue",
        FETCHER => "a service",
        "" | "Object" => "an object",
        other => return format!("a {other}"),
    };
    words.to_owned()
}
