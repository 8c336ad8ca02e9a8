//! The host for a person's own machine: HTTP on loopback, stdio, and a command line over both.
//! Conversion only: what a message means is decided in `mcpfn-core` and `mcpfn-http`.

mod cli;
mod clients;
mod commands;
mod greeting;
mod http;
mod logging;
mod metrics;
mod settings;
mod signals;
mod stdio;
mod stdout;

pub use cli::{Program, run};
pub use http::{ServeError, serve};
pub use mcpfn_native::platform;
pub use mcpfn_settings::{EnvReader, Hosts, Setting, SettingsError, Setup};
pub use settings::{LogFormat, Settings};
pub use stdio::serve as serve_stdio;
