//! What hosts on an operating system share: ports to its clock, timer, randomness and log, spans
//! for a collector, and stores in its memory. Not a host: it serves nothing.

mod background;
pub mod memory;
mod ports;
mod telemetry;

pub use background::Tasks;
pub use mcpfn_host::{EnvReader, Observed, Policies, RATE, SettingsError, Setup};
pub use ports::{OsRandom, new_key, platform};
pub use telemetry::{Telemetry, Transport};
