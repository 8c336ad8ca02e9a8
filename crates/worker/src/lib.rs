//! The host for Cloudflare Workers: a fetch event in, a response out. Conversion only: what a
//! message means is decided in `mcpfn-core` and `mcpfn-http`.
//!
//! | what | how |
//! |---|---|
//! | a fixed answer | buffered, with its length |
//! | an event stream | a `ReadableStream` that drives the call while it is read |
//! | a client that goes away | drops its call, wherever that is |
//! | a panic in a handler | one answer with status 500 where the standard library unwinds; where it aborts, the module starts anew and the other calls of the isolate are lost too |
//! | a task | a Durable Object, which runs it in its alarm |
//! | events | a Durable Object for each topic; what is sent to subscribers comes through a queue |
//! | messages of queues, schedules | for the program: the port `WorkerEvents` |
//! | settings | vars and secrets, named as on every host; a mistake is an answer with status 503 that says what to change |
//! | logs | one JSON object a line on the console, with the request that it is of |
//! | metrics | one point of Analytics Engine a call, where a dataset is bound |
//!
//! A server is built at the first request of an isolate and kept until the isolate ends.
//! `mcpfn::main!` exports the event.
//!
//! On other targets only settings and log lines are compiled, for their tests.
//!
//! # When to use it
//!
//! Depend on `mcpfn`, whose `mcpfn::main!` exports the event on wasm32. Depend on this crate where a
//! server has ports of its own: the macro `fetch!` takes a function from `Variables` (bindings, vars
//! and secrets) to a [`Setup`]. What vars and secrets decide is [`Settings`]:
//!
//! ```
//! use mcpfn_worker::{EnvReader, Settings};
//!
//! let variable = |name: &str| (name == "MCPFN_AUTH").then(|| "none".into());
//! let settings = Settings::read(EnvReader::new(&variable), &[])?;
//! assert_eq!(settings.common.max_body, 2 * 1024 * 1024);
//!
//! let nothing = Settings::read(EnvReader::new(&|_| None), &[]);
//! assert!(nothing.unwrap_err().to_string().contains("MCPFN_AUTH"));
//! # Ok::<(), mcpfn_worker::SettingsError>(())
//! ```

#[cfg(any(target_arch = "wasm32", test))]
mod address;
mod bucket_notice;
#[cfg(any(all(target_arch = "wasm32", feature = "events"), test))]
mod event_letter;
#[cfg(any(all(target_arch = "wasm32", feature = "events"), test))]
mod event_message;
#[cfg(any(all(target_arch = "wasm32", feature = "idempotency"), test))]
mod idempotency_message;
#[cfg(all(target_arch = "wasm32", feature = "idempotency"))]
mod idempotency_row;
#[cfg(any(target_arch = "wasm32", test))]
mod metrics;
#[cfg(any(
    all(target_arch = "wasm32", any(feature = "events", feature = "tasks")),
    test
))]
mod octets;
#[cfg(any(target_arch = "wasm32", test))]
mod request_id;
mod settings;
#[cfg(any(all(target_arch = "wasm32", feature = "tasks"), test))]
mod task_message;
#[cfg(any(all(target_arch = "wasm32", feature = "tasks"), test))]
mod task_row;

#[cfg(target_arch = "wasm32")]
mod bound;
#[cfg(target_arch = "wasm32")]
mod callback;
#[cfg(target_arch = "wasm32")]
mod console;
#[cfg(target_arch = "wasm32")]
mod dataset;
#[cfg(target_arch = "wasm32")]
mod error;
#[cfg(target_arch = "wasm32")]
mod event_bindings;
#[cfg(target_arch = "wasm32")]
mod fetch;
#[cfg(target_arch = "wasm32")]
mod hangup;
#[cfg(target_arch = "wasm32")]
mod http_client;
#[cfg(target_arch = "wasm32")]
mod ports;
#[cfg(all(target_arch = "wasm32", feature = "events"))]
mod queue;
#[cfg(target_arch = "wasm32")]
mod request;
#[cfg(target_arch = "wasm32")]
mod response;
#[cfg(target_arch = "wasm32")]
mod stores;
#[cfg(target_arch = "wasm32")]
mod uncaught;
#[cfg(target_arch = "wasm32")]
mod variables;
#[cfg(target_arch = "wasm32")]
mod wait_until;
#[cfg(all(target_arch = "wasm32", feature = "tokens"))]
mod web_crypto;
#[cfg(all(target_arch = "wasm32", feature = "events"))]
mod worker_events;
#[cfg(any(target_arch = "wasm32", test))]
mod zone;

pub use bucket_notice::{BucketChange, BucketNotice};
#[cfg(target_arch = "wasm32")]
pub use event_bindings::EventStorePorts;
#[cfg(target_arch = "wasm32")]
pub use fetch::fetch;
pub use mcpfn_settings::{EnvReader, Hosts, Setting, SettingsError, Setup};
#[cfg(all(target_arch = "wasm32", feature = "hyperdrive"))]
pub use mcpfn_sql::StreamedPostgres;
#[cfg(all(target_arch = "wasm32", feature = "events"))]
pub use queue::{queue, scheduled};
pub use settings::Settings;
#[cfg(all(target_arch = "wasm32", feature = "hyperdrive"))]
pub use stores::Hyperdrive;
#[cfg(all(target_arch = "wasm32", feature = "r2"))]
pub use stores::R2;
#[cfg(all(target_arch = "wasm32", feature = "vectorize"))]
pub use stores::Vectorize;
#[cfg(target_arch = "wasm32")]
pub use stores::{D1, KvCache, RateBindings};
#[cfg(target_arch = "wasm32")]
pub use variables::{TaskPorts, Variables};
#[cfg(target_arch = "wasm32")]
pub use wait_until::wait_until;
#[cfg(all(target_arch = "wasm32", feature = "events"))]
pub use worker_events::{QueueMessage, Scheduled, WorkerEvents};

/// What [`fetch!`] expands to names these.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod export {
    #[cfg(feature = "events")]
    pub use crate::queue::{MessageBatch, ScheduledEvent};
    #[cfg(feature = "tasks")]
    pub use crate::stores::{TaskObject, objects::ObjectState};
    pub use worker::js_sys::Promise;
    pub use worker::wasm_bindgen;
    pub use worker::wasm_bindgen::prelude::wasm_bindgen as attribute;
    pub use worker::web_sys::Request;
    pub use worker::{Env, js_sys, wasm_bindgen_futures};
}

/// Exports the fetch event of a Worker, once in a program. `$setup` is a function from
/// [`Variables`] to what is served, `$program` the settings of the program itself, if it has any.
#[cfg(target_arch = "wasm32")]
// rustfmt moves the attribute inside further to the right each time
#[rustfmt::skip]
#[macro_export]
macro_rules! fetch {
    ($setup:expr) => {
        $crate::fetch!($setup, &[]);
    };
    ($setup:expr, $program:expr) => {
        #[doc(hidden)]
        #[$crate::export::attribute(
            js_name = "fetch",
            wasm_bindgen = $crate::export::wasm_bindgen,
            js_sys = $crate::export::js_sys,
            wasm_bindgen_futures = $crate::export::wasm_bindgen_futures
        )]
        pub fn mcpfn_worker_fetch(request: $crate::export::Request, variables: $crate::export::Env) -> $crate::export::Promise {
            $crate::fetch(request, variables, $setup, $program)
        }
        $crate::export_tasks!($setup, $program);
        $crate::export_events!($setup, $program);
    };
}

/// Exports the class of the objects that keep and run tasks, with the feature `tasks`.
#[cfg(all(target_arch = "wasm32", feature = "tasks"))]
#[rustfmt::skip]
#[doc(hidden)]
#[macro_export]
macro_rules! export_tasks {
    ($setup:expr, $program:expr) => {
        #[doc(hidden)]
        const _: () = {
            // what a class expands to finds it here only
            use $crate::export::wasm_bindgen;

            /// One task. `wrangler.toml` names the class; who writes a server does not.
            #[$crate::export::attribute(wasm_bindgen = $crate::export::wasm_bindgen)]
            #[derive(Debug)]
            pub struct McpfnTasks(::std::panic::AssertUnwindSafe<$crate::export::TaskObject>);

            #[$crate::export::attribute(
                wasm_bindgen = $crate::export::wasm_bindgen,
                js_sys = $crate::export::js_sys,
                wasm_bindgen_futures = $crate::export::wasm_bindgen_futures
            )]
            impl McpfnTasks {
                #[wasm_bindgen(constructor)]
                pub fn new(state: &$crate::export::ObjectState, variables: $crate::export::Env) -> Self {
                    Self(::std::panic::AssertUnwindSafe($crate::export::TaskObject::new(state, variables)))
                }

                pub fn fetch(&self, request: $crate::export::Request) -> $crate::export::Promise {
                    self.0.fetch(request)
                }

                pub fn alarm(&self) -> $crate::export::Promise {
                    self.0.alarm($setup, $program)
                }
            }
        };
    };
}

/// Exports nothing: this program was built without tasks.
#[cfg(all(target_arch = "wasm32", not(feature = "tasks")))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_tasks {
    ($setup:expr, $program:expr) => {};
}

/// Exports the handlers of queues and of schedules, with the feature `events`.
#[cfg(all(target_arch = "wasm32", feature = "events"))]
#[rustfmt::skip]
#[doc(hidden)]
#[macro_export]
macro_rules! export_events {
    ($setup:expr, $program:expr) => {
        #[doc(hidden)]
        #[$crate::export::attribute(
            js_name = "queue",
            wasm_bindgen = $crate::export::wasm_bindgen,
            js_sys = $crate::export::js_sys,
            wasm_bindgen_futures = $crate::export::wasm_bindgen_futures
        )]
        pub fn mcpfn_worker_queue(batch: $crate::export::MessageBatch, variables: $crate::export::Env) -> $crate::export::Promise {
            $crate::queue(batch, variables, $setup, $program)
        }

        #[doc(hidden)]
        #[$crate::export::attribute(
            js_name = "scheduled",
            wasm_bindgen = $crate::export::wasm_bindgen,
            js_sys = $crate::export::js_sys,
            wasm_bindgen_futures = $crate::export::wasm_bindgen_futures
        )]
        pub fn mcpfn_worker_scheduled(run: $crate::export::ScheduledEvent, variables: $crate::export::Env) -> $crate::export::Promise {
            $crate::scheduled(run, variables, $setup, $program)
        }
    };
}

/// Exports nothing: this program was built without events.
#[cfg(all(target_arch = "wasm32", not(feature = "events")))]
#[doc(hidden)]
#[macro_export]
macro_rules! export_events {
    ($setup:expr, $program:expr) => {};
}
