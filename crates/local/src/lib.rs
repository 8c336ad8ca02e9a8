//! The host for machines of one's own: HTTP on loopback or behind a proxy, stdio, and a command line over both.
//! Conversion only: what a message means is decided in `mcpfn-core` and `mcpfn-http`.
//!
//! # When to use it
//!
//! Depend on `mcpfn`, whose `mcpfn::main!` is [`run`] on this machine. Depend on this crate to serve from a program that
//! does something else too, or from a test:
//!
//! ```
//! use std::sync::Arc;
//! use mcpfn_core::{NoArguments, Server, Tool, round_trip::Keyring};
//! use mcpfn_http::{Config, Service};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let tick = Tool::new("tick").description("Says tick.").handler(|_: NoArguments| async { "tick" });
//! let server = Server::builder("clock", "1.0.0").tool(tick).build()?;
//! let service = Service::new(server, Config::loopback());
//! let platform = Arc::new(mcpfn_local::platform(Keyring::new([7; 32])));
//! // port 0 takes any free one; the future ends when `stop` does
//! let ready = |address: std::net::SocketAddr| assert!(address.ip().is_loopback());
//! let stop = std::future::ready(());
//! mcpfn_local::serve(service, platform, 0, ready, stop).await?;
//! # Ok(()) })
//! # }
//! ```
//!
//! With the feature `tower`, `Embedding` makes an endpoint of the same variables for a program that serves HTTP itself.
//!
//! [`run`] reads the variables of `--help`; [`Settings`] is what they say. With the feature `tls`, certificates are served
//! from files; with `http2`, HTTP/2 is spoken too, which otherwise is a proxy's.

#[cfg(feature = "tls")]
mod certificate_age;
mod cli;
mod clients;
mod commands;
mod connections;
#[cfg(feature = "tower")]
mod embedded;
mod end;
mod endpoint;
mod env_file;
mod greeting;
mod http;
mod listen;
mod listeners;
mod logging;
mod metrics;
mod own_port;
mod probes;
mod protocol;
mod proxy_header;
mod readiness;
mod running_tasks;
mod settings;
mod signals;
mod socket;
mod stdio;
mod stdout;
mod stores;
mod stream;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
#[cfg(feature = "tls")]
mod tls_probe;

pub use cli::{Program, run};
#[cfg(feature = "tower")]
pub use embedded::{Embedded, Embedding};
pub use http::serve;
pub use listen::{ListenAddress, ServeError};
pub use mcpfn_native::{Variables, platform};
pub use mcpfn_settings::{EnvReader, Hosts, Setting, SettingsError, Setup};
pub use settings::{Bounds, LogFormat, Settings};
pub use stdio::serve as serve_stdio;
