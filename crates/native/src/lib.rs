//! What hosts on an operating system share: ports to its clock, timer, randomness and log, a client
//! for other HTTP services, spans for a collector, and stores in its memory. Not a host: it serves
//! nothing.

mod background;
#[cfg(feature = "client")]
mod client;
pub mod memory;
mod ports;
mod telemetry;

pub use background::Tasks;
#[cfg(feature = "client")]
pub use client::{Client, Resolve, SystemResolver};
pub use mcpfn_settings::{EnvReader, Observed, Policies, RATE, SettingsError, Setup};
pub use ports::{OsRandom, new_key, platform};
pub use telemetry::{Telemetry, Transport};
