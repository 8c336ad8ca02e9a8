//! What hosts on an operating system share: ports to its clock, timer, randomness and log, a client
//! for other HTTP services, spans for a collector, and stores in its memory. Not a host: it serves
//! nothing.
//!
//! # When to use it
//!
//! To write a host for an operating system; `mcpfn-local` and `mcpfn-lambda` are two. Servers do
//! not need it.
//!
//! ```
//! use std::sync::Arc;
//! use mcpfn_core::policy::FailureMode;
//! use mcpfn_native::memory::MemoryStores;
//! use mcpfn_native::{Tasks, new_key, platform};
//!
//! let stores = Arc::new(MemoryStores::default());
//! let platform = platform(new_key())
//!     .with_background(Arc::new(Tasks::default()))
//!     .with_cache(stores.clone())
//!     .with_idempotency(stores, FailureMode::Closed);
//! assert!(platform.now_ms() > 1_700_000_000_000);
//! ```

mod background;
mod blocking;
mod caller;
#[cfg(feature = "client")]
mod client;
mod environment;
mod event_runs;
pub mod memory;
mod ports;
mod process;
mod secret_file;
pub mod shared;
mod shutdown;
mod task_runs;
mod task_turns;
mod telemetry;

pub use background::Tasks;
#[cfg(feature = "client")]
pub use client::{Client, Resolve, SystemResolver};
pub use environment::Variables;
pub use event_runs::EventRuns;
pub use ports::{OsRandom, new_key, platform};
pub use process::Process;
pub use shutdown::ProcessShutdown;
pub use task_runs::TaskRuns;
pub use telemetry::{Telemetry, Transport};
